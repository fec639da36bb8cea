"""The specimen, its deviations from the method, and how much of the standard's file was checked, as lines of text.

It shows the result's record and computes nothing. What nobody wrote says "not recorded"; it never disappears.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from edge.records.deviation import Asked, VisualCheckFound
from edge.records.result import Result
from edge.records.specimen import Opening, Specimen, VisualCheck
from edge.verdict.deviations import KINDS_OF_PLACE

NOT_RECORDED = "not recorded"
ASKED: dict[Asked, str] = {
    "verified": "the standard asks",
    "unverified": "the standard's file asks, not checked against its text",
    "assumed": "assumed, not from the standard",
    "record": "the record itself",
}


def specimen_lines(r: Result) -> Iterator[str]:
    """Get what is recorded of the specimen; nothing where neither a record nor a visual check belongs to the run."""
    s = r.specimen
    if s is None:
        if r.visual_check is VisualCheckFound.NOT_RECORDED:
            yield "Specimen: not recorded. Visual check: not recorded."
        return
    yield f"Specimen: {s.maker} {s.model}, serial {s.serial}; sold as {_or(s.claim)}, class {_or(s.claimed_class)}"
    yield f"  chemistry {_or(s.chemistry)}, dimensions {_dimensions(s)}, activation {_or(s.activation)}"
    yield (
        f"  before opening: M0 {_number(s.m0_g, 'g')}, open circuit {_number(s.open_circuit_v, 'V')}, state of charge "
        f"{_number(s.state_of_charge_pct, '%')}"
    )
    for h in (*s.hand_overs, *(r.handed_over or ())):
        yield f"  handed over {_when(h.at)} by {h.given_by} to {h.taken_by}, condition {_or(h.condition)}"
    for seal in s.seals:
        yield f"  seal {seal.number} ({_or(seal.where)}): {seal.found}"
    for p in s.photographs:
        yield f"  photograph of {p.shows}: SHA-256 {p.sha256}"
    yield f"  opened: {_opening(s.opening)}"
    yield f"  visual check: {_check(s.visual_check)}"
    for seen in r.seen_before:
        said = "the same specimen" if seen.agrees else "which contradicts it"
        weighed = "".join(f", {name} {g:.10g} g" for name, g in (("M1", seen.m1_g), ("M2", seen.m2_g)) if g is not None)
        had = f"{seen.maker} {seen.model}, M0 {_number(seen.m0_g, 'g')}{weighed}"
        yield f"  serial seen before in run {seen.run_id}, {had}: {said}"


def deviation_lines(r: Result) -> Iterator[str]:
    """Get the deviations from the method, each with who asks."""
    if not r.deviations:
        if r.visual_check is not None:
            yield "Deviations from the method: none recorded."
        return
    yield f"Deviations from the method ({len(r.deviations)}):"
    for d in r.deviations:
        yield f"  {d.kind.replace('_', ' ')}: {d.why} ({ASKED[d.asked]})"


def checked_line(r: Result) -> Iterator[str]:
    """Say how much of the standard's file was compared with the official text."""
    c = r.standard_checked
    if c is not None:
        by = f" (by {', '.join(c.by)})" if c.by else ""
        verified = f"{c.verified}{by}" if c.verified else "none"
        yield (
            f"Of its {c.verified + c.unverified + c.assumed} values checked against the official text: {verified}; "
            f"{c.unverified} are from other sources, {c.assumed} are assumed."
        )


def _opening(o: Opening | None) -> str:
    if o is None:
        return NOT_RECORDED
    place = o.surroundings
    where = "in surroundings not recorded"
    if place is not None:
        at = "on" if place.kind == "open_bench" else "in"
        dew = _number(place.dew_point_c, "°C")
        where = f"{at} {KINDS_OF_PLACE[place.kind]}, {_number(place.temp_c, '°C')}, dew point {dew}"
    return (
        f"{_when(o.opened_at)} by {o.by}, how {_or(o.how)}, where {_or(o.where)}, {_number(o.area_mm2, 'mm²')}, {where}"
    )


def _check(c: VisualCheck | None) -> str:
    if c is None:
        return NOT_RECORDED
    seen = "LIQUID SEEN" if c.liquid_seen else "no liquid seen"
    turned = {True: "turned over", False: "not turned over", None: "whether it was turned over not recorded"}[
        c.turned_over
    ]
    photo = NOT_RECORDED if c.photograph_sha256 is None else f"SHA-256 {c.photograph_sha256}"
    remark = "" if c.remark is None else f"; {c.remark}"
    return f"{seen}, by {c.by}, {NOT_RECORDED if c.at is None else _when(c.at)}, {turned}, photograph {photo}{remark}"


def _dimensions(s: Specimen) -> str:
    if s.dimensions_mm is None:
        return NOT_RECORDED
    return " × ".join(f"{mm:g}" for mm in s.dimensions_mm) + " mm"


def _when(at: datetime.datetime) -> str:
    return at.isoformat(sep=" ", timespec="minutes")


def _or(text: str | None) -> str:
    return NOT_RECORDED if text is None else text


def _number(value: float | None, unit: str) -> str:
    return NOT_RECORDED if value is None else f"{value:.10g} {unit}"
