"""Runs beside each other: each verdict, the loss by the hour of the hold, and in what they differ.

What is compared is what is stored. A run that is altered keeps its place, without a number or a curve of its own. This
module must never judge, and never call two runs alike where something of one is not known.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import replace

import msgspec
from msgspec import UNSET

from edge.database.compared import RunToCompare
from edge.records.curve import Column, RecordedCurve
from edge.records.phase import Phase
from edge.records.report_facts import RunFacts
from edge.records.result import Result, Verdict

MOST_DIFFERENCES = 200
MOST_CHARS = 200
"""Of a value that differs."""
MOST_HOURS = 24
MOST_PCT, MOST_S = 1e4, 1e9
"""What is beyond is no loss and no time, and is not drawn."""
HOUR_S = 3600.0


class ComparedRun(msgspec.Struct, frozen=True, kw_only=True):
    """One of the runs: ``number`` is its mark in table and drawing, ``altered`` what first differs from its chain.

    ``says`` is what an altered run says of itself. ``hold_from_s`` is when its hold began, in s since its start (null:
    it had none, so that its curve has no place among the others). ``missing`` says what of it cannot be read.
    """

    number: int
    run_id: int
    sample_id: str
    kind: str
    started_utc: str
    verdict: Verdict | None = None
    loss_pct: float | None = None
    u_pct: float | None = None
    U_pct: float | None = None
    k: float | None = None
    limit_pct: float | None = None
    invalid_because: str | None = None
    on_declared: tuple[str, ...] = ()
    hold_from_s: float | None = None
    altered: str | None = None
    says: str | None = None
    missing: tuple[str, ...] = ()


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """Something in which runs differ: its value in each, in their order (null: not stated, or not known)."""

    what: str
    values: tuple[str | None, ...]


class LossAtHour(msgspec.Struct, frozen=True, kw_only=True):
    """The loss as it was weighed so many hours after each hold's begin, in % (null: not seen there)."""

    hour: float
    losses_pct: tuple[float | None, ...]


class RunsCompared(msgspec.Struct, frozen=True, kw_only=True):
    """Runs beside each other. ``same`` names what is alike in all of them, ``left_out`` how many differences more."""

    runs: tuple[ComparedRun, ...]
    hours: tuple[LossAtHour, ...]
    differences: tuple[Difference, ...]
    same: tuple[str, ...]
    left_out: int = 0


def compare_runs(runs: Sequence[RunToCompare]) -> RunsCompared:
    """Get how runs compare."""
    terms = [dict(_terms(run)) for run in runs]
    names = list(dict.fromkeys(name for of in terms for name in of))
    values = {name: tuple(of.get(name) for of in terms) for name in names}
    differing = [Difference(what=name, values=of) for name, of in values.items() if len(set(of)) > 1]
    return RunsCompared(
        runs=tuple(_compared(number, run) for number, run in enumerate(runs, 1)),
        hours=tuple(_hours([held_curve(run) for run in runs])),
        differences=tuple(differing[:MOST_DIFFERENCES]),
        same=tuple(name for name, of in values.items() if len(set(of)) == 1),
        left_out=max(0, len(differing) - MOST_DIFFERENCES),
    )


def _compared(number: int, run: RunToCompare) -> ComparedRun:
    result = run.result
    told = ComparedRun(
        number=number,
        run_id=run.run_id,
        sample_id=run.sample_id,
        kind=run.kind,
        started_utc=run.started_utc,
        hold_from_s=_hold_from(run.curve),
        missing=run.missing,
    )
    if run.altered is not None:
        return msgspec.structs.replace(told, altered=str(run.altered), says=None if result is None else _says(result))
    if result is None:
        return told
    return msgspec.structs.replace(
        told,
        verdict=result.verdict,
        limit_pct=result.limit_pct,
        invalid_because=result.invalid_because,
        on_declared=result.on_declared,
        **{} if result.verdict is Verdict.INVALID else _numbers(result),
    )


def _numbers(result: Result) -> dict[str, float | None]:
    return {"loss_pct": result.loss_pct, "u_pct": result.u_pct, "U_pct": result.U_pct, "k": result.k}


def _says(result: Result) -> str:
    loss = "" if result.loss_pct is None or result.U_pct is None else f" {result.loss_pct:.4g} ± {result.U_pct:.2g} %"
    return f"{result.verdict}{loss}"


# curves


def _hold_from(curve: RecordedCurve) -> float | None:
    at_s = next((p.from_s for p in curve.phases if p.phase is Phase.HOLD), None)
    return None if at_s is None or not abs(at_s) <= MOST_S else at_s


def held_curve(run: RunToCompare) -> RecordedCurve | None:
    """Get a run's curve with its times from its hold's begin on; None where it is altered or had no hold."""
    zero_s = _hold_from(run.curve)
    if run.altered is not None or zero_s is None:
        return None
    columns = [c for c in run.curve.columns if _can_be_drawn(c)]
    return RecordedCurve(
        tuple(replace(c, from_s=c.from_s - zero_s, to_s=c.to_s - zero_s) for c in columns),
        tuple(
            replace(p, from_s=p.from_s - zero_s, to_s=p.to_s - zero_s)
            for p in run.curve.phases
            if max(abs(p.from_s), abs(p.to_s)) <= MOST_S
        ),
        tuple(replace(w, from_s=w.from_s - zero_s, to_s=w.to_s - zero_s) for w in run.curve.windows),
    )


def _can_be_drawn(c: Column) -> bool:
    losses = (v for v in (c.low_pct, c.high_pct) if v is not None)
    return max(abs(c.from_s), abs(c.to_s)) <= MOST_S and all(abs(v) <= MOST_PCT for v in losses)


def _hours(curves: Sequence[RecordedCurve | None]) -> Iterator[LossAtHour]:
    holds = [p for c in curves if c is not None for p in c.phases if p.phase is Phase.HOLD]
    longest_h = max((p.to_s for p in holds), default=0.0) / HOUR_S
    if not holds or longest_h <= 0.0:
        return
    step_h = next((s for s in (1 / 60, 1 / 12, 1 / 4, 1.0) if longest_h / s <= 12.0), math.ceil(longest_h / MOST_HOURS))
    for i in range(math.floor(longest_h / step_h + 1e-9) + 1):
        losses = tuple(None if c is None else _loss_at(c, i * step_h * HOUR_S) for c in curves)
        if any(loss is not None for loss in losses):
            yield LossAtHour(hour=round(i * step_h, 6), losses_pct=losses)


def _loss_at(curve: RecordedCurve, t_s: float) -> float | None:
    """Get the loss as weighed at a time of the hold; None in a gap, and when the hold is over."""
    if not any(p.phase is Phase.HOLD and p.from_s <= t_s <= p.to_s for p in curve.phases):
        return None
    i = bisect_right(curve.columns, t_s, key=lambda c: c.from_s) - 1
    if i < 0:
        return None
    c = curve.columns[i]
    width_s = c.to_s - c.from_s + 2.0  # between two columns lies a second
    return c.loss_pct if t_s <= c.from_s + width_s else None


# in what they differ


def _terms(run: RunToCompare) -> Iterator[tuple[str, str]]:
    """Get what a run went by, by name; what is not stated or not known is left out."""
    if run.result is not None:
        yield from _of_result(run.result)
    if run.facts is not None:
        yield from _of_facts(run.facts)


def _of_result(r: Result) -> Iterator[tuple[str, str]]:
    yield "standard", _hashed(r.standard.designation, r.standard.sha256)
    yield "limit", f"{r.comparator} {r.limit_pct:g} %"
    yield "rule", r.rule[:MOST_CHARS]
    yield "weighed", r.weigh
    yield "hold", f"{r.hold_required_s / HOUR_S:g} h at {r.temp_c:g} ± {r.temp_band_c:g} °C"
    if r.certificate is not None:
        yield "certificate", _hashed(r.certificate.name, r.certificate.sha256)
    if r.balance is not UNSET:
        yield "balance", _hashed(f"{r.balance.model} {r.balance.serial}", r.balance.certificate_sha256)
    yield "blank", "none" if r.blank is UNSET else f"{r.blank.name}: {r.blank.loss_g:.3g} g"[:MOST_CHARS]
    yield "declared", _listed(r.declared)
    if r.claim is not None:
        yield "sold as", r.claim.name[:MOST_CHARS]
    if r.density_g_cm3 is not None:
        yield "density", f"{r.density_g_cm3[0]:g} to {r.density_g_cm3[1]:g} g/cm³"


def _of_facts(f: RunFacts) -> Iterator[tuple[str, str]]:
    yield "operator", f.operator[:MOST_CHARS]
    if f.laboratory is not None:
        yield "laboratory", f"{f.laboratory.name}, {f.laboratory.place or 'place not stated'}"[:MOST_CHARS]
    if f.series is not None:
        yield "series", f.series[:MOST_CHARS]
    yield "pressure", str(f.pressure)
    yield "clock", f.clock
    if f.certificate is not None:
        yield "load cell", f"{f.certificate.capacity_g:g} g, {f.certificate.serial}"[:MOST_CHARS]
    for device in f.devices:
        for name, value in device.settings.items():
            yield f"{device.role} {name}"[:MOST_CHARS], value[:MOST_CHARS]
    yield "software", f.software[:MOST_CHARS]
    for name, version in f.versions.items():
        yield f"version of {name}"[:MOST_CHARS], version[:MOST_CHARS]


def _hashed(name: str, sha256: str) -> str:
    return f"{name[:MOST_CHARS]} ({sha256[:64]})"


def _listed(words: Sequence[str]) -> str:
    return "; ".join(words)[:MOST_CHARS] if words else "nothing"
