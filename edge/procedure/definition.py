"""What a run is of and goes by, and a run that has ended: all that its result needs beside the standard's rule.

This module must never hold what was measured but in the phases that followed it.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Literal

import msgspec

from calibration.balance_certificate import BalanceCertificate
from calibration.certificate import Certificate
from calibration.weight_record import WeightRecord
from edge.records.balance import BalanceMass
from edge.records.barometer import BarometerTold
from edge.records.earlier_load import EarlierLoad
from edge.records.invalid import Invalid
from edge.records.recording_told import HourTold, Observed, RecordingTold
from edge.records.result import (
    Conditions,
    ConverterResetTold,
    HappenedTold,
    Result,
    StopTold,
    as_json,
    not_judged,
)
from edge.records.run import RunKind
from edge.records.sample import Sample
from edge.records.specimen import HandOver, SeenBefore, Specimen
from edge.records.standard_used import StandardUsed
from edge.records.suitability import Control, RigShown
from edge.standards.standard import Standard

from .parameters import RunParameters
from .phases import Phases


@dataclass(frozen=True, slots=True)
class BalanceStated:
    """What is known of whatever indicated the masses of a recording.

    ``resolution_g`` is its last digit (0: not known), ``u_mass_g`` the standard uncertainty of a mass difference (None:
    nobody states it).
    """

    resolution_g: float = 0.0
    u_mass_g: float | None = None


Contradiction = Literal["invalid", "warning"]
"""What becomes of a run whose balance and rig contradict each other beyond their uncertainties."""
NOTHING_STATED = BalanceStated()


@dataclass(frozen=True, slots=True)
class RunDefinition:
    """What a run is of and goes by.

    ``specimen`` is its record (None: there is none), ``seen_before`` earlier runs of the same serial;
    ``certificate`` is None where masses were recorded; ``blank`` the result of the blank run that is subtracted, and
    ``more_blanks`` those of others, whose mean with it is;
    ``is_blank``: the sample itself is an inert dummy. ``balance`` is a recording's; ``unjudgeable`` says why
    nothing that it holds can be judged (None: it can). ``laboratory_balance`` is the balance that may say M1 and M2,
    and ``contradiction`` what becomes of a run where balance and rig contradict each other; ``check_weight`` is the
    record of the weight that is put on at the end, ``suitability`` what is known of the loss in a test of the rig;
    ``rig_shown`` is what earlier tests of the rig had said of it when the run began, ``earlier_loads`` what hung on its
    cell before.
    """

    sample: Sample
    operator: str
    kind: RunKind
    standard: Standard
    certificate: Certificate | None
    parameters: RunParameters
    blank: Result | None = None
    is_blank: bool = False
    balance: BalanceStated = NOTHING_STATED
    unjudgeable: Invalid | None = None
    specimen: Specimen | None = None
    seen_before: tuple[SeenBefore, ...] = ()
    laboratory_balance: BalanceCertificate | None = None
    contradiction: Contradiction = "invalid"
    check_weight: WeightRecord | None = None
    suitability: Control | None = None
    rig_shown: tuple[RigShown, ...] = ()
    more_blanks: tuple[Result, ...] = ()
    earlier_loads: tuple[EarlierLoad, ...] = ()

    @property
    def blanks(self) -> tuple[Result, ...]:
        """Get the results of all blank runs that are subtracted."""
        return () if self.blank is None else (self.blank, *self.more_blanks)

    def blank_settings(self) -> dict[str, object]:
        """Get what is stored of the blank runs that are subtracted, as plain JSON by key."""
        found: dict[str, object] = {"blank": None if self.blank is None else as_json(self.blank)}
        if self.more_blanks:
            found["more_blanks"] = [as_json(more) for more in self.more_blanks]
        return found

    @property
    def is_a_cell(self) -> bool:
        """Get whether the sample is a cell: no inert dummy of a blank, and no control of the rig."""
        return not self.is_blank and self.suitability is None

    def balance_settings(self) -> dict[str, object]:
        """Get what is stored of balance, check weight and the rig's earlier tests and loads, as plain JSON by key."""
        found: dict[str, object] = {}
        if self.laboratory_balance is not None:
            found |= {"laboratory_balance": msgspec.to_builtins(self.laboratory_balance)}
            found |= {"contradiction": self.contradiction}
        if self.check_weight is not None:
            found["check_weight"] = msgspec.to_builtins(self.check_weight)
        if self.suitability is not None:
            found["suitability"] = msgspec.to_builtins(self.suitability)
        if self.rig_shown:
            found["rig_shown"] = msgspec.to_builtins(list(self.rig_shown))
        if self.earlier_loads:
            found["earlier_loads"] = msgspec.to_builtins(list(self.earlier_loads))
        return found

    def specimen_settings(self) -> dict[str, object]:
        """Get what is stored of the specimen, as plain JSON by key: nothing where it has no record."""
        if self.specimen is None:
            return {}
        return {"specimen": self.specimen.as_settings(), "seen_before": msgspec.to_builtins(list(self.seen_before))}

    def conditions(self) -> Conditions:
        """Get the conditions under which it is judged."""
        standard = self.standard
        return Conditions(
            limit_pct=standard.limit_pct.value,
            comparator=standard.comparator.value,
            weigh=self.parameters.plan.weigh,
            hold_required_s=standard.hold_s.value,
            temp_c=standard.temp_c.value,
            temp_band_c=standard.temp_band_c.value,
            standard=StandardUsed(
                id=standard.id,
                title=standard.title.value,
                sha256=standard.sha256,
                verified=all(f.verified for _, f in standard.fields() if not f.assumed),
            ),
        )


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a replay says of the recording beside the result.

    ``lonely_refused``: so many readings were refused as glitches that were the only ones of their seconds.
    """

    file: RecordingTold
    observed: Observed
    hours: tuple[HourTold, ...]
    lonely_refused: int = 0


@dataclass(frozen=True, slots=True)
class EndedRun:
    """A run of which nothing more comes. ``on`` is its day, for the certificate's validity.

    ``run_id``, ``stops``, ``resets`` (of the load cell's converter), ``alarms``, ``on_balance`` (the masses of the
    laboratory's balance), ``barometer`` (what that read) and ``hand_overs`` (of the specimen, in the run) are the
    journal's (None: it is not stored);
    ``true_loss_pct`` and ``seed`` a simulated rig's; ``recorded`` a replay's.
    """

    definition: RunDefinition
    phases: Phases
    on: datetime.date
    run_id: int | None = None
    stops: tuple[StopTold, ...] | None = None
    alarms: tuple[HappenedTold, ...] = ()
    true_loss_pct: float | None = None
    seed: int | None = None
    recorded: Recorded | None = None
    resets: tuple[ConverterResetTold, ...] = ()
    on_balance: tuple[BalanceMass, ...] = ()
    barometer: tuple[BarometerTold, ...] = ()
    hand_overs: tuple[HandOver, ...] = ()

    def not_judged(self, why: str) -> Result:
        """Get the result of this run where nothing can be said of it: INVALID, and why."""
        definition = self.definition
        return not_judged(
            why,
            conditions=definition.conditions(),
            kind=definition.kind,
            sample_id=definition.sample.sample_id,
            run_id=self.run_id,
        )
