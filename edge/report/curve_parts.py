"""What both drawings of a curve have: marks of what happened, the air's two steps as seen, words for a screen reader.

This module must never draw for one of them alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

from edge.records.curve import Column, CurveTerms, PhaseSpan, RecordedCurve
from edge.records.phase import CARRIED, CHECKED_FIRST, Phase
from edge.records.result import HappenedKind, HappenedTold

from .curve_scale import hms
from .language import Words
from .markup import Html, el

SHAPES = {
    HappenedKind.EXCURSION: "M-9.5 0a9.5 9.5 0 1 1 19 0a9.5 9.5 0 1 1-19 0z",
    HappenedKind.CONVERTER_RESET: "M0-10.5 10.5 0 0 10.5-10.5 0z",
    HappenedKind.STOP: "M-8.5-8.5h17v17h-17z",
    HappenedKind.ALARM: "M0-11 11.5 8.5h-23z",
    HappenedKind.JUMP: "M0 11 11.5-8.5h-23z",
    HappenedKind.SLOPE: "M-11 8.5-4-8.5h15L4 8.5z",
}
"""A shape for each kind: circle, diamond, square, triangle, triangle on its tip, slanted square."""
CLASSES = {kind: kind.value.removeprefix("converter_") for kind in HappenedKind} | {HappenedKind.STOP: "gap"}
NEAR = 0.022
"""Of the width: marks that are nearer than this to each other become one."""
ACROSS = 960.0
"""So many of the shapes' units a drawing is wide, or a few more."""
STEP_SEEN = 0.3
"""Of the step at the pump: so much of a rise while the oven cools is air that comes in."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One mark, for what happened from number ``first`` to number ``last`` of the list."""

    at_s: float
    kind: HappenedKind | None
    first: int
    last: int
    length_s: float

    @property
    def numbers(self) -> str:
        """Get what stands in the mark."""
        return str(self.first) if self.first == self.last else f"{self.first}–{self.last}"


def marks(happened: tuple[HappenedTold, ...], span_s: float) -> list[Mark]:
    """Get the marks of what happened, numbered as in the list; neighbours that would overlap are one."""
    out: list[Mark] = []
    for number, h in enumerate(happened, 1):
        out.append(Mark(h.from_s, h.what, number, number, h.to_s - h.from_s))
        while len(out) > 1 and out[-1].at_s - out[-2].at_s < (_half(out[-1]) + _half(out[-2])) * span_s:
            last, before = out.pop(), out.pop()
            out.append(Mark(before.at_s, None, before.first, last.last, 0.0))
    return out


def _half(mark: Mark) -> float:
    """Get half of a mark's width, as a share of the drawing's."""
    return NEAR / 2.0 if mark.kind is not None else _box(mark) / ACROSS


def shape(mark: Mark) -> str:
    """Get the outline of a mark around its middle."""
    if mark.kind is not None:
        return SHAPES[mark.kind]
    half = _box(mark)
    return f"M-{half}-8.5h{2 * half}v17h-{2 * half}z"


def _box(mark: Mark) -> int:
    """Get half of the width of the box that holds a mark's numbers, in the shapes' units."""
    return max(15, 4 * len(mark.numbers))


def mark_class(mark: Mark) -> str:
    """Get a mark's class: its kind, or ``many``."""
    return "many" if mark.kind is None else CLASSES[mark.kind]


def short_length(seconds: float) -> str:
    """Write a length with one unit, rounded down: 45 s, 3 min, 2 h."""
    return (
        f"{seconds:.0f} s"
        if seconds < 90.0
        else f"{seconds // 60:.0f} min"
        if seconds < 5400
        else f"{seconds // 3600:.0f} h"
    )


OFF_THE_RIG = (Phase.TARE, *CHECKED_FIRST, Phase.LOAD, *CARRIED, Phase.ZERO, Phase.CHECK)
"""In these phases what is indicated is not the sample's: a loss of 100 % is an empty holder."""


def of_the_sample(recorded: RecordedCurve) -> RecordedCurve:
    """Get a curve whose loss is the sample's: none where it is off the rig."""
    off = [p for p in recorded.phases if p.phase in OFF_THE_RIG and not p.planned]
    columns = tuple(
        replace(c, low_pct=None, high_pct=None) if any(p.from_s < c.to_s and c.from_s < p.to_s for p in off) else c
        for c in recorded.columns
    )
    return replace(recorded, columns=columns)


@dataclass(frozen=True, slots=True)
class AirSteps:
    """Where the air leaves and comes back: when, and by how much the indication falls, in %; None: not seen."""

    leaves_s: float | None = None
    step_pct: float | None = None
    enters_s: float | None = None
    told: bool = False


def air_steps(recorded: RecordedCurve) -> AirSteps:
    """Get the two steps of the air as the curve shows them. ``told``: the operator said when it was let in."""
    spans = {p.phase: p for p in recorded.phases if not p.planned}
    pump, ramp = spans.get(Phase.PUMP), spans.get(Phase.RAMP)
    if pump is None:
        return AirSteps()
    end_s = pump.to_s if ramp is None else ramp.to_s
    out = [(c.loss_pct, c) for c in recorded.columns if pump.from_s <= c.at_s <= end_s and c.loss_pct is not None]
    lowest = min(((loss, c.at_s) for loss, c in out), default=None)
    if lowest is None or lowest[0] >= 0.0:
        return AirSteps()
    noise = max((c.high_pct or 0.0) - (c.low_pct or 0.0) for _, c in out[len(out) // 2 :])
    if -lowest[0] < noise:
        return AirSteps()
    step_pct = -lowest[0]
    half = next(c.at_s for loss, c in out if loss <= -0.5 * step_pct)
    if recorded.vented_s:
        return AirSteps(half, step_pct, recorded.vented_s[-1], True)
    cooling = spans.get(Phase.COOL)
    after = [c for c in recorded.columns if cooling is not None and c.from_s >= cooling.from_s]
    return AirSteps(half, step_pct, _steepest(after, STEP_SEEN * step_pct))


def _steepest(columns: list[Column], least_pct: float) -> float | None:
    """Get when the loss rises most from one column to the next, if by ``least_pct`` or more."""
    best: tuple[float, float] | None = None
    for a, b in pairwise(columns):
        if a.loss_pct is None or b.loss_pct is None or b.after_gap:
            continue
        rise = b.loss_pct - a.loss_pct
        if rise >= least_pct and (best is None or rise > best[0]):
            best = (rise, b.from_s)
    return None if best is None else best[1]


def span_of(phases: tuple[PhaseSpan, ...], phase: Phase) -> PhaseSpan | None:
    """Get a phase's span; None where the run never was in it."""
    return next((p for p in phases if p.phase is phase), None)


def short_name(phase: Phase, words: Words) -> str:
    """Get a phase's short name."""
    return words(f"short_{phase.value.replace(' ', '_')}")


def described(
    words: Words,
    terms: CurveTerms,
    recorded: RecordedCurve,
    losses: list[tuple[float, float]],
    more: str = "",
) -> str:
    """Say in words what the drawing shows; ``losses`` are the least and the greatest of each column with a loss."""
    columns = recorded.columns
    said = []
    if losses and columns:
        said.append(
            words(
                "curve_desc_seen",
                columns=str(len(columns)),
                **{"from": hms(columns[0].from_s)},
                to=hms(columns[-1].to_s),
                first=f"{sum(losses[0]) / 2.0:.3f}".replace("-", "−"),
                last=f"{sum(losses[-1]) / 2.0:.3f}".replace("-", "−"),
                low=f"{min(low for low, _ in losses):.3f}".replace("-", "−"),
                high=f"{max(high for _, high in losses):.3f}".replace("-", "−"),
                limit=f"{terms.limit_pct:g}",
            )
        )
    else:
        said.append(words("curve_desc_none", limit=f"{terms.limit_pct:g}"))
    ovens = [(c.oven_low_c, c.oven_high_c) for c in columns if c.oven_low_c is not None and c.oven_high_c is not None]
    if ovens:
        said.append(
            words(
                "curve_desc_oven",
                low=f"{min(low for low, _ in ovens):.1f}",
                high=f"{max(high for _, high in ovens):.1f}",
                band_low=f"{terms.temp_c - terms.temp_band_c:g}",
                band_high=f"{terms.temp_c + terms.temp_band_c:g}",
            )
        )
    if more:
        said.append(more)
    if recorded.happened:
        said.append(words("curve_desc_happened", count=str(len(recorded.happened))))
    return " ".join(said)


def named(svg_id: str, title: str, description: str) -> Html:
    """Get the title and the description that a screen reader says."""
    return Html(el("title", title, id=f"{svg_id}-t") + el("desc", description, id=f"{svg_id}-d"))
