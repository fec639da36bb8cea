"""Where a guided calibration is kept, and on what it is made.

This module must never go on with a calibration of another rig, or of long ago.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

from calibration.certificate import Rtd
from calibration.iec60751 import ToleranceClass
from edge.errors import CalibrationRefused, NoCalibration
from edge.instrument.config import Config, ProbeConfig
from hw.rtc import EARLIEST_S

from .bench import Bench
from .session import Session, load_session, save_session

OLDEST_DAYS = 30
USUAL_OVEN = ProbeConfig(wires=4, ref_ohm=430.0, mains_hz=50)
"""What stands in a certificate for the oven's thermometer where a load cell was calibrated alone."""
EARLIEST = dt.datetime.fromtimestamp(EARLIEST_S, dt.UTC).date()


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
        save_session(self.path, session)

    def session(self) -> Session:
        """Get the calibration that was begun here.

        Raises ``CalibrationRefused`` where there is none, or one of another rig.
        """
        session = load_session(self.path)
        if session is None or session.tare is None:
            raise NoCalibration(
                f"no calibration called {self.path.name.split('.')[0]} was begun: halfpercent calibrate tare"
            )
        self.check(session)
        return session

    def check(self, session: Session) -> None:
        """See that a calibration is of these settings, and not of long ago. Raises ``CalibrationRefused``.

        How long ago it was is known only where the clock was set both times.
        """
        days = (today(self.bench) - session.begun).days
        known = is_dated(session.begun, session.begun_clock_set) and is_dated(today(self.bench), self.bench.clock_set())
        if known and days > OLDEST_DAYS:
            raise CalibrationRefused(
                f"{session.name} was begun {days} days ago: begin again: halfpercent calibrate tare"
            )
        for name, ours, theirs in (
            ("bridge.chip", self.config.bridge.chip.removesuffix("_spi"), session.bridge.chip),
            ("bridge.gain", self.config.bridge.gain, session.bridge.gain),
            ("oven_probe", nominal_oven_rtd(self.config, session.oven_rtd.tolerance_class), session.oven_rtd),
            ("cell_probe", nominal_cell_rtd(self.config, session.oven_rtd.tolerance_class), session.cell_rtd),
        ):
            if ours != theirs:
                raise CalibrationRefused(
                    f"{name} in the config is not what {session.name} was begun with: put it back, or begin again: "
                    "halfpercent calibrate tare"
                )


def is_dated(day: dt.date, clock_set: bool | None) -> bool:
    """Say whether a day is one of a clock that was set: none that was shows a day before this software's."""
    return clock_set is not False and day >= EARLIEST


def today(bench: Bench) -> dt.date:
    """Get the date in UTC by the bench's wall clock."""
    return dt.datetime.fromtimestamp(bench.clock.wall_s(), dt.UTC).date()


def nominal_oven_rtd(config: Config, tolerance_class: ToleranceClass) -> Rtd:
    """Get the oven's thermometer as the settings say it; the usual one where they name none."""
    return _nominal_rtd(config.oven_probe or USUAL_OVEN, tolerance_class)


def nominal_cell_rtd(config: Config, tolerance_class: ToleranceClass) -> Rtd | None:
    """Get the load cell's thermometer as the settings say it; None where there is none."""
    return None if config.cell_probe is None else _nominal_rtd(config.cell_probe, tolerance_class)


def _nominal_rtd(settings: ProbeConfig, tolerance_class: ToleranceClass) -> Rtd:
    return Rtd(
        ref_ohm=float(settings.ref_ohm),
        r0_ohm=float(settings.nominal_ohm),
        lead_ohm=0.0,
        wires=settings.wires,
        tolerance_class=tolerance_class,
        u_temp_c=0.0,
    )
