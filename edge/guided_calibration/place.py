"""Where a guided calibration is kept, and on what it is made.

This module must never go on with a calibration of another rig, or of long ago.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.errors import CalibrationRefused, NoCalibration

if TYPE_CHECKING:
    from edge.instrument.config import Config

    from .bench import Bench
    from .session import Session


OLDEST_DAYS = 30


@dataclass(frozen=True, slots=True)
class Place:
    """Where a calibration is kept, and on what it is made."""

    folder: Path
    path: Path
    config: Config
    bench: Bench
    seed: int | None

    def keep(self, session: Session) -> None:
        """Store what was read so far."""
        from .session import save

        save(self.path, session)

    def session(self) -> Session:
        """Get the calibration that was begun here.

        Raises ``CalibrationRefused`` where there is none, or one of another rig.
        """
        from .session import load

        session = load(self.path)
        if session is None or session.tare is None:
            raise NoCalibration(
                f"no calibration called {self.path.name.split('.')[0]} was begun: halfpercent calibrate tare"
            )
        self.check(session)
        return session

    def check(self, session: Session) -> None:
        """See that a calibration is of these settings, and not of long ago. Raises ``CalibrationRefused``."""
        days = (_today(self.bench) - session.begun).days
        if days > OLDEST_DAYS:
            raise CalibrationRefused(
                f"{session.name} was begun {days} days ago: begin again: halfpercent calibrate tare"
            )
        for name, ours, theirs in (
            ("bridge.chip", self.config.bridge.chip.removesuffix("_spi"), session.bridge.chip),
            ("bridge.gain", self.config.bridge.gain, session.bridge.gain),
            ("oven_probe", _nominal(self.config, "oven", session.oven_rtd.tolerance_class), session.oven_rtd),
            ("cell_probe", _nominal(self.config, "cell", session.oven_rtd.tolerance_class), session.cell_rtd),
        ):
            if ours != theirs:
                raise CalibrationRefused(
                    f"{name} in the config is not what {session.name} was begun with: put it back, or begin again: "
                    "halfpercent calibrate tare"
                )


def _today(bench: Bench) -> Any:
    import datetime

    return datetime.datetime.fromtimestamp(bench.clock.wall_s(), datetime.UTC).date()


def _nominal(config: Config, probe: str, tolerance_class: Any) -> Any:
    """Get a thermometer as the settings say it; None where there is none."""
    from calibration.certificate import Rtd

    of = config.oven_probe if probe == "oven" else config.cell_probe
    if of is None:
        return None
    return Rtd(
        ref_ohm=float(of.ref_ohm),
        r0_ohm=float(of.nominal_ohm),
        lead_ohm=0.0,
        wires=of.wires,
        tolerance_class=tolerance_class,
        u_temp_c=0.0,
    )
