"""What the curve of a run is drawn from: one record for page, report and whoever compares runs.

Losses in % of the reference mass, temperatures in °C, pressures in Pa, times in s since the run began. None is what
nobody measured. This module must never compute a loss, and never know how anything is drawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from .phase import Phase
from .result import HappenedTold
from .weighing import WeighingKind


@dataclass(frozen=True, slots=True)
class Column:
    """Neighbouring seconds: the least and the greatest of what was seen from ``from_s`` to ``to_s``.

    ``after_gap``: between the column before and this one there is a time of which nothing was seen.
    """

    from_s: float
    to_s: float
    low_pct: float | None
    high_pct: float | None
    oven_low_c: float | None
    oven_high_c: float | None
    cell_c: float | None
    low_pa: float | None
    high_pa: float | None
    after_gap: bool = False

    @property
    def at_s(self) -> float:
        """Get the column's middle in s."""
        return (self.from_s + self.to_s) / 2.0

    @property
    def loss_pct(self) -> float | None:
        """Get the middle of the loss's least and greatest in %; None where there is no loss."""
        return None if self.low_pct is None or self.high_pct is None else (self.low_pct + self.high_pct) / 2.0


@dataclass(frozen=True, slots=True)
class PhaseSpan:
    """A phase from ``from_s`` to ``to_s``, and why it ended ('': it has not). ``planned``: it is still to come."""

    phase: Phase
    from_s: float
    to_s: float
    why: str = ""
    planned: bool = False


@dataclass(frozen=True, slots=True)
class WindowTaken:
    """The stretch over which a weighing was taken."""

    which: WeighingKind
    from_s: float
    to_s: float


@dataclass(frozen=True, slots=True)
class RecordedCurve:
    """What a database holds of a run's curve.

    ``happened`` is in order of time and numbered from 1; ``vented_s`` are the times at which the operator said that air
    was let in. ``started_utc`` is the wall clock at second 0, in ISO 8601.
    """

    columns: tuple[Column, ...]
    phases: tuple[PhaseSpan, ...] = ()
    windows: tuple[WindowTaken, ...] = ()
    happened: tuple[HappenedTold, ...] = ()
    vented_s: tuple[float, ...] = ()
    started_utc: str = ""


class PressureKnown(StrEnum):
    """From where the pressure of a run is known."""

    MEASURED = "measured"
    DECLARED = "declared"
    NOT_STATED = "not stated"


@dataclass(frozen=True, slots=True)
class CurveTerms:
    """What a curve is looked at against: the limit, the band of the temperature, and what the pressure is known from.

    ``expanded_pct`` is the U of the band around the curve (None: no band).
    """

    limit_pct: float
    temp_c: float
    temp_band_c: float
    hold_s: float
    pressure: PressureKnown
    expanded_pct: float | None = None


@dataclass(frozen=True, slots=True)
class AirAt:
    """By how much in % the indicated loss is too small ``at_s``, for the air that the sample does not displace."""

    at_s: float
    pct: float


@dataclass(frozen=True, slots=True)
class AirTakenOut:
    """The step of the air, to be added to the indicated loss: linear between its knots, constant beyond the last.

    ``u_pct`` is its standard uncertainty while the air is out.
    """

    knots: tuple[AirAt, ...]
    u_pct: float

    def at(self, t_s: float) -> float:
        """Get what is to be added to the indicated loss at ``t_s``, in %; 0 before the first knot."""
        before: AirAt | None = None
        for knot in self.knots:
            if knot.at_s > t_s:
                if before is None:
                    return 0.0
                part = (t_s - before.at_s) / (knot.at_s - before.at_s)
                return before.pct + part * (knot.pct - before.pct)
            before = knot
        return 0.0 if before is None else before.pct


def larger_half_pct(low_pct: float, loss_pct: float, high_pct: float) -> float:
    """Get the larger half of an interval about a loss, in %: what stands behind the ± wherever it is written."""
    return max(high_pct - loss_pct, loss_pct - low_pct)


@dataclass(frozen=True, slots=True)
class ForecastAt:
    """The loss to be expected ``at_s``, and the ends of its interval, in %."""

    at_s: float
    low_pct: float
    loss_pct: float
    high_pct: float

    @property
    def half_pct(self) -> float:
        """Get the larger half of the interval, in %."""
        return larger_half_pct(self.low_pct, self.loss_pct, self.high_pct)


@dataclass(frozen=True, slots=True)
class LiveCurve:
    """What a page draws: the curve as it goes on, with the step of the air taken out.

    ``planned`` are the phases to come, ``forecast`` the loss to be expected, ``clock0_s`` the seconds since local
    midnight at second 0 (None: the axis counts from the start). ``running``: the curve goes on.
    """

    recorded: RecordedCurve
    terms: CurveTerms
    air: AirTakenOut | None = None
    planned: tuple[PhaseSpan, ...] = ()
    forecast: tuple[ForecastAt, ...] = ()
    clock0_s: float | None = None
    running: bool = True


@dataclass(frozen=True, slots=True)
class WeighedCurve:
    """What a report draws: the curve as it was weighed, with what it came to.

    ``loss_pct`` is the result (None: there is none), ``air_pct`` by how much the indication falls when the air leaves
    (None: not known).
    """

    recorded: RecordedCurve
    terms: CurveTerms
    loss_pct: float | None = None
    air_pct: float | None = None
