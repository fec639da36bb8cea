"""A run as a CSV that stands alone: what its head says of the run, and what its columns are.

The first line is the head, a comment to every reader of CSV: what the sample was, by whose standard and certificate,
what was asked for. Below it are the raw samples. This module must never hold what was computed from a code.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import msgspec

from calibration.balance_certificate import BalanceCertificate
from calibration.certificate import Certificate
from calibration.vacuum_gauge import VacuumGauge
from calibration.weight_record import WeightRecord
from edge.procedure.definition import Contradiction
from edge.procedure.last_tare import moves_by_itself_g
from edge.procedure.parameters import RunParameters, live_parameters, stability_g, with_declared_mass
from edge.records.balance import BalanceMass
from edge.records.barometer import BarometerTold
from edge.records.earlier_load import EarlierLoad
from edge.records.result import ConverterResetTold, HappenedTold, Result, StopTold
from edge.records.sample import Sample
from edge.records.specimen import SeenBefore, Specimen
from edge.records.suitability import Control
from edge.standards.standard import Standard

MARK = "# halfpercent run "
"""How the first line of such a file begins; the head follows it as JSON."""
MOST_HEAD_CHARS = 4 << 20

SLOW = ("oven", "cell", "gauge")
"""The channels of one reading a second: on the first row of each second, and blank on the others."""
COLUMNS = (
    "second",
    "t_s",
    "counts",
    "status",
    *(f"{channel}_{part}" for channel in SLOW for part in ("code", "fault", "status")),
    "command",
)
BETWEEN_COMMANDS = ";"


class TareBefore(msgspec.Struct, frozen=True, kw_only=True):
    """The tare that a run's own was held against, in g on the certificate's scale, and the run that it was of."""

    run_id: int
    tare_g: float


class RunHead(msgspec.Struct, frozen=True, kw_only=True):
    """What a run is of and goes by, as far as no sample says it.

    ``zero_after``, ``check_weight_g`` (g), ``check_before`` and ``mass_g`` (g) are what the start asked for;
    ``stops``, ``alarms``, ``resets`` and ``rig_changed`` are what the instrument noticed and no row shows;
    ``on_balance`` is what the laboratory's balance said, ``barometer`` what that read.
    """

    version: Literal[1] = 1
    run_uid: str
    started_utc: str
    ended_utc: str | None
    operator: str
    is_blank: bool
    is_simulated: bool
    sample: Sample
    standard_toml: str
    certificate_toml: str
    vacuum: VacuumGauge | None = None
    zero_after: bool = False
    check_weight_g: float | None = None
    check_before: bool | msgspec.UnsetType = msgspec.UNSET
    mass_g: float | None = None
    tare_before: TareBefore | None = None
    blank: Result | None = None
    specimen: Specimen | None = None
    seen_before: tuple[SeenBefore, ...] = ()
    stops: tuple[StopTold, ...] = ()
    alarms: tuple[HappenedTold, ...] = ()
    resets: tuple[ConverterResetTold, ...] = ()
    rig_changed: str = ""
    laboratory_balance: BalanceCertificate | None = None
    contradiction: Contradiction = "invalid"
    on_balance: tuple[BalanceMass, ...] = ()
    barometer: tuple[BarometerTold, ...] = ()
    check_weight: WeightRecord | None = None
    suitability: Control | None = None
    more_blanks: tuple[Result, ...] | msgspec.UnsetType = msgspec.UNSET
    earlier_loads: tuple[EarlierLoad, ...] | msgspec.UnsetType = msgspec.UNSET

    def parameters(self, standard: Standard, certificate: Certificate) -> RunParameters:
        """Get what such a run goes by today, live: dwell, windows and all. Raises ``BadInput``."""
        live = live_parameters(
            standard,
            certificate,
            stability_g=stability_g(certificate),
            vacuum=self.vacuum,
            zero_after=self.zero_after,
            check_weight_g=self.check_weight_g,
            check_before=self.check_before is True,
        )
        live = with_declared_mass(live, self.mass_g)
        if (before := self.tare_before) is None:
            return live
        plan = replace(
            live.plan,
            last_tare_g=before.tare_g,
            last_tare_within_g=moves_by_itself_g(certificate),
            last_tare_run=before.run_id,
        )
        return replace(live, plan=plan)
