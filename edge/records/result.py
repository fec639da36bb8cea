"""The result of a run: verdict, numbers, budget, and what nobody measured, as one frozen record.

JSON output, report, page, evidence and publisher all read this record; its JSON Schema is
``docs/schema/result-1.json``. A field that is left out of the JSON (``UNSET``) does not belong to this kind of run. A
run that cannot be judged has no loss here, so that nothing can print one. This module must never compute, and nobody
changes a result afterwards.
"""

from __future__ import annotations

import math
from enum import StrEnum
from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from .balance import BalanceTold
from .deviation import DeviationTold, StandardChecked, VisualCheckFound
from .invalid import Invalid, InvalidReason
from .recording_told import HourTold, Observed, RecordingTold
from .run import RunKind
from .run_end import AmendedTold
from .specimen import HandOver, SeenBefore, Specimen
from .standard_used import StandardUsed
from .suitability import SuitabilityTold
from .vent import VentTold
from .zeros_told import CheckWeightTold, ZerosTold

RESULT_VERSION = 1
"""Of the record's JSON Schema: higher whenever a field is taken away or means something else."""
GREATEST = 1e30
"""No number of a result is beyond it: degrees of freedom may be many, and all else is g, %, s, °C, Pa or hPa."""

Origin = Literal["measured", "certificate", "declared", "assumed"]
"""Where a value is from."""


class Verdict(StrEnum):
    """The four words."""

    PASS = "PASS"
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"
    INVALID = "INVALID"


class HappenedKind(StrEnum):
    """What may happen between M1 and M2."""

    EXCURSION = "excursion"
    STOP = "stop"
    JUMP = "jump"
    SLOPE = "slope"
    ALARM = "alarm"
    CONVERTER_RESET = "converter_reset"


class _Part(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a result."""


class Conditions(_Part, frozen=True, kw_only=True):
    """Under what conditions a run is judged: the standard's limit, hold and band, and how the sample is weighed."""

    limit_pct: float
    comparator: str
    weigh: str
    hold_required_s: float
    temp_c: float
    temp_band_c: float
    standard: StandardUsed


class CertificateUsed(_Part, frozen=True, kw_only=True):
    """The load cell's certificate that turned codes into grams."""

    name: str
    sha256: str


class AssumedValue(_Part, frozen=True, kw_only=True):
    """A value of the standard's file that no source gives."""

    field: str
    value: Any
    source: str


class ClaimTold(_Part, frozen=True, kw_only=True):
    """The name by which a sample is sold, and what the standard's file answers."""

    name: str
    answer: str


class CompositionTold(_Part, frozen=True, kw_only=True):
    """What a sample is said to be made of, and what the standard's file answers."""

    declared: str
    answer: str


class WeighingTold(_Part, frozen=True, kw_only=True):
    """A mass in g, or a zero in codes: the mean from ``from_s`` to ``to_s``, and what surrounded it.

    ``n`` values are in the mean; ``slope_g_per_h`` is a line's through means of parts of that time (masses only), with
    its standard uncertainty from how those scatter about it.
    """

    which: str
    value: float
    u: float
    unit: str
    from_s: float
    to_s: float
    cell_temp_c: float | None
    temp_c: float | None
    pressure_pa: float | None
    n: int | UnsetType = UNSET
    slope_g_per_h: float | UnsetType = UNSET
    u_slope_g_per_h: float | UnsetType = UNSET


class ExcursionTold(_Part, frozen=True, kw_only=True):
    """A stretch of the hold that did not count."""

    from_s: float
    length_s: float
    why: str
    worst_temp_c: float | None


class StopTold(_Part, frozen=True, kw_only=True):
    """A time in which no process measured: ``length_s`` null where nobody knows it."""

    from_s: float
    length_s: float | None
    at_least_s: float


class ConverterResetTold(_Part, frozen=True, kw_only=True):
    """A reset of the load cell's converter, known ``at_s``.

    Codes until ``from_s`` are from before it, codes after ``at_s`` from after it; what lies between is neither.
    """

    at_s: float
    from_s: float
    cause: str
    chip: str


class BudgetLine(_Part, frozen=True, kw_only=True):
    """A component of the budget: its value and standard uncertainty in ``unit``, and what it makes in the loss."""

    name: str
    value: float
    u: float
    unit: str
    contribution_pct: float
    distribution: str
    dof: float | None
    origin: Origin
    why: str


class FirstOrder(_Part, frozen=True, kw_only=True):
    """What GUM's first order says (JCGM 100)."""

    u_pct: float
    U_pct: float


class MonteCarlo(_Part, frozen=True, kw_only=True):
    """What Monte Carlo says (JCGM 101): ``pc`` is the share of its trials at or below the limit."""

    loss_pct: float
    u_pct: float
    low_pct: float
    high_pct: float
    trials: int
    stable: bool
    seed: int | UnsetType = UNSET
    pc: float | UnsetType = UNSET


class OtherProbability(_Part, frozen=True, kw_only=True):
    """The conformance probability by the more confident of the two shapes, where they differ."""

    pc: float
    by: Literal["a normal curve", "Monte Carlo"]


class BlankUsed(_Part, frozen=True, kw_only=True):
    """The blank that was subtracted: an inert dummy's apparent loss with its standard uncertainty.

    ``loss_g`` is what it would be with the sample's mass, of which ``fixed_g`` does not go with the load.
    """

    name: str
    loss_g: float
    u_g: float
    mass_g: float
    fixed_g: float | UnsetType = UNSET


class BlankFound(_Part, frozen=True, kw_only=True):
    """What a blank run found for later runs to subtract: an inert dummy's loss, its u without the creep's."""

    loss_g: float
    u_g: float
    dof: float | None


class HappenedTold(_Part, frozen=True, kw_only=True):
    """Something that happened between M1 and M2, and what it did to the indication, if that is known."""

    from_s: float
    to_s: float
    what: HappenedKind
    why: str
    step_g: float | None = None
    u_g: float | None = None


class WithoutDeclared(_Part, frozen=True, kw_only=True):
    """The verdict if what is only declared is taken at its worst likely value instead."""

    verdict: Verdict
    loss_pct: float
    U_pct: float


class CorrectionTold(_Part, frozen=True, kw_only=True):
    """A declared fact that was corrected after the run's end: what it was (null: not stated), what it is now, and why.

    ``who`` said so, at ``at_utc``. It entered no number.
    """

    field: str
    was: str | None
    now: str
    reason: str
    who: str
    at_utc: str


class Result(_Part, frozen=True, kw_only=True):
    """The result of one run. Losses and uncertainties in % of the reference mass, masses in g, times in s."""

    verdict: Verdict
    invalid_because: str | None = None
    invalid_reason: InvalidReason | None = None
    # the loss
    loss_pct: float | None = None
    u_pct: float | None = None
    U_pct: float | None = None
    k: float | None = None
    pc: float | None = None
    pc_otherwise: OtherProbability | UnsetType = UNSET
    limit_pct: float
    comparator: str
    rule: str = ""
    nu_eff: float | None = None
    method: str | None = None
    first_order: FirstOrder | UnsetType = UNSET
    monte_carlo: MonteCarlo | UnsetType | None = UNSET
    budget: tuple[BudgetLine, ...] = ()
    blind_spot: str | UnsetType | None = UNSET
    criterion: str | None = None
    # what it is of
    run_id: int | UnsetType = UNSET
    kind: RunKind
    sample_id: str
    blank_run: bool = False
    claim: ClaimTold | None = None
    claimed_class: ClaimTold | None = None
    subclasses: tuple[ClaimTold, ...] = ()
    composition: CompositionTold | None = None
    density_g_cm3: tuple[float, float] | None = None
    replicates: int = 1
    specimen: Specimen | None = None
    corrections: tuple[CorrectionTold, ...] | UnsetType = UNSET
    amends: tuple[AmendedTold, ...] | UnsetType = UNSET
    handed_over: tuple[HandOver, ...] | UnsetType = UNSET
    seen_before: tuple[SeenBefore, ...] = ()
    visual_check: VisualCheckFound | None = None
    mass_verdict: Verdict | UnsetType = UNSET
    deviations: tuple[DeviationTold, ...] = ()
    # what was weighed
    m1_g: float | None = None
    m2_g: float | None = None
    reference_g: float | None = None
    reference: str | None = None
    weigh: str
    weighings: tuple[WeighingTold, ...] = ()
    vented: VentTold | UnsetType = UNSET
    zeros: ZerosTold | None = None
    check_weight: CheckWeightTold | None = None
    blank: BlankUsed | UnsetType = UNSET
    blank_found: BlankFound | UnsetType = UNSET
    balance: BalanceTold | UnsetType = UNSET
    suitability: SuitabilityTold | UnsetType = UNSET
    # the hold
    hold_s: float = 0.0
    hold_required_s: float
    temp_c: float
    temp_band_c: float
    excursions: tuple[ExcursionTold, ...] = ()
    stops: tuple[StopTold, ...] | UnsetType = UNSET
    # by what
    standard: StandardUsed
    standard_checked: StandardChecked | None = None
    certificate: CertificateUsed | None = None
    assumed: tuple[AssumedValue, ...] = ()
    declared: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    happened: tuple[HappenedTold, ...] = ()
    on_declared: tuple[str, ...] = ()
    without_declared: WithoutDeclared | UnsetType = UNSET
    would_decide: tuple[str, ...] = ()
    one_sided_pct: float = 0.0
    # a replay's
    recording: RecordingTold | UnsetType = UNSET
    observed: Observed | UnsetType = UNSET
    hours: tuple[HourTold, ...] | UnsetType = UNSET
    # a simulated run's
    true_loss_pct: float | UnsetType | None = UNSET
    seed: int | UnsetType = UNSET
    night: str | UnsetType = UNSET


def as_json(result: Result) -> dict[str, object]:
    """Get a result as plain JSON: what a command prints and the database stores."""
    plain: dict[str, object] = _with_lists(msgspec.to_builtins(result))
    return plain


def _with_lists(value: Any) -> Any:
    """Get plain data as JSON gives it back: its sequences are lists."""
    if isinstance(value, dict):
        return {name: _with_lists(v) for name, v in value.items()}
    return [_with_lists(v) for v in value] if isinstance(value, list | tuple) else value


def from_json(plain: object) -> Result:
    """Get a result back from plain JSON, of this version or an older one. Raises ``ValueError``, for absurd numbers."""
    if (beyond := _first_beyond(plain)) is not None:
        raise ValueError(f"{beyond!r:.40} is no number of a result")
    return msgspec.convert(plain, Result)


def _first_beyond(plain: object) -> float | None:
    """Get the first number in plain JSON that is beyond ``GREATEST``, or NaN; None where there is none."""
    if isinstance(plain, int | float):
        return None if abs(plain) <= GREATEST else plain
    parts = plain.values() if isinstance(plain, dict) else plain if isinstance(plain, list) else ()
    return next((found for part in parts if (found := _first_beyond(part)) is not None), None)


def require_whole(result: Result) -> Result:
    """Get a result that was read, once it has the numbers that its verdict goes with. Raises ``ValueError``."""
    numbers = (result.loss_pct, result.u_pct, result.U_pct, result.k)
    if result.verdict is not Verdict.INVALID and not all(isinstance(n, float) and math.isfinite(n) for n in numbers):
        raise ValueError(f"{result.verdict} without a loss and its uncertainty")
    return result


def not_judged(why: str, *, conditions: Conditions, kind: RunKind, sample_id: str, run_id: int | None) -> Result:
    """Get the result of a run of which nothing can be said but what it is: INVALID, and why."""
    return Result(
        verdict=Verdict.INVALID,
        invalid_because=why,
        invalid_reason=InvalidReason.NOT_JUDGED,
        run_id=UNSET if run_id is None else run_id,
        kind=kind,
        sample_id=sample_id,
        **{name: getattr(conditions, name) for name in Conditions.__struct_fields__},
    )


def invalid(draft: Result, because: Invalid) -> Result:
    """Get the result of a run that cannot be judged: what the draft says of the run, no loss, and the reason."""
    return msgspec.structs.replace(
        draft, verdict=Verdict.INVALID, invalid_because=because.why, invalid_reason=because.reason
    )


def json_schema() -> dict[str, object]:
    """Get the JSON Schema of a result, with its version."""
    return msgspec.json.schema(Result) | {"version": RESULT_VERSION}
