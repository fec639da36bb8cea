"""The one curve: loss against time, for the page and for the report, as SVG of our own, with a table beside it.

:func:`page_curve` has the step of the air taken out, :func:`report_curve` shows it as it was weighed and names it. Both
mark what happened, break where nothing was seen, and read without colour. This module must never read a database.
"""

from __future__ import annotations

from dataclasses import dataclass

from edge.records.curve import Column, LiveCurve, PhaseSpan, RecordedCurve, WeighedCurve

from .curve_page import PageCurve
from .curve_paper import PaperCurve
from .curve_parts import short_name
from .curve_scale import hms, time_ticks, top_of_loss
from .language import Words
from .markup import Html, el
from .numbers import fixed

MOST_ROWS = 32
STEPS_S = (1, 10, 60, 300, 600, 1800, 3600, 7200, 14400, 43200, 86400)


def page_curve(curve: LiveCurve, words: Words, svg_id: str = "curve") -> Html:
    """Get the curve of a page: x in per cent, classes, no colour and no ``style=``."""
    return PageCurve(curve, words, svg_id).svg()


def loss_scale_end(curve: LiveCurve, words: Words) -> float:
    """Get where the page's scale of the loss ends, in %: 1.2 times the limit unless more is lost; a heading says it."""
    return PageCurve(curve, words).top_pct


def wider_scale(curve: LiveCurve, words: Words) -> str:
    """Get what a heading says where the scale of the loss is not the usual one; '' where it is."""
    top_pct = loss_scale_end(curve, words)
    usual = top_pct <= top_of_loss(curve.terms.limit_pct, 0.0)
    return "" if usual else words("page_scale_to", top=f"{top_pct:g}\u00a0%")


def page_table(curve: LiveCurve, words: Words) -> Html:
    """Get the same as a table: also what was weighed before the air's step was taken out."""
    drawn = PageCurve(curve, words)
    rows = []
    for t_s, c in _every(drawn.recorded, drawn.from_s):
        at = _clock(t_s, drawn, curve)
        if c is None:
            rows.append(_row(at, _phase_at(curve.recorded, t_s, words), words("curve_gap_row"), "", "", "", ""))
            continue
        air = 0.0 if curve.air is None else curve.air.at(c.at_s)
        U = drawn.expanded_at(c)
        loss = c.loss_pct
        rows.append(
            _row(
                at,
                _phase_at(curve.recorded, t_s, words),
                "" if loss is None else fixed(loss + air, 3),
                "" if U is None or loss is None else fixed(U, 3),
                "" if loss is None else fixed(loss, 3),
                _range(c.oven_low_c, c.oven_high_c, 1),
                _range(c.low_pa, c.high_pa, 0),
            )
        )
    heads = ("table_time", "phase", "table_loss", "table_u", "table_weighed", "table_oven", "table_pressure")
    return _table(words, heads, rows)


def report_curve(curve: WeighedCurve, words: Words, svg_id: str = "curve") -> Html:
    """Get the curve of a report: 696 px wide, presentation attributes only."""
    return PaperCurve(curve, words, svg_id).svg()


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row of the curve's table: cells as they are shown."""

    cells: tuple[str, ...]


def _row(*cells: str) -> TableRow:
    return TableRow(cells)


def _every(recorded: RecordedCurve, from_s: float) -> list[tuple[float, Column | None]]:
    """Get the times of the table, each with the column that holds it; None where nothing was seen."""
    if not recorded.columns:
        return []
    end_s = recorded.columns[-1].to_s
    step_s = next((s for s in STEPS_S if (end_s - from_s) / s <= MOST_ROWS), 86400 * 7)
    out: list[tuple[float, Column | None]] = []
    i, t_s = 0, from_s
    while t_s < end_s and len(out) < 2 * MOST_ROWS:
        while i + 1 < len(recorded.columns) and recorded.columns[i + 1].from_s <= t_s:
            i += 1
        c = recorded.columns[i]
        hidden = t_s > c.to_s and i + 1 < len(recorded.columns) and recorded.columns[i + 1].after_gap
        out.append((t_s, None if hidden else c))
        t_s += step_s
    out.append((end_s, recorded.columns[-1]))
    return out


def _clock(t_s: float, drawn: PageCurve, curve: LiveCurve) -> str:
    if curve.clock0_s is None:
        return hms(t_s)
    return time_ticks(t_s, t_s + 1.0, curve.clock0_s).at[0][1].rpartition(":")[0]


def _phase_at(recorded: RecordedCurve, t_s: float, words: Words) -> str:
    spans: list[PhaseSpan] = [p for p in recorded.phases if p.from_s <= t_s <= p.to_s]
    return short_name(spans[-1].phase, words) if spans else ""


def _range(low: float | None, high: float | None, places: int) -> str:
    if low is None or high is None:
        return ""
    a, b = fixed(low, places), fixed(high, places)
    return a if a == b else f"{a}–{b}"


def _table(words: Words, heads: tuple[str, ...], rows: list[TableRow]) -> Html:
    head = el("tr", *(el("th", words(f"curve_{key}"), scope="col") for key in heads))
    body = [el("tr", el("th", r.cells[0], scope="row"), *(el("td", cell) for cell in r.cells[1:])) for r in rows]
    return el("table", el("caption", words("curve_table")), el("thead", head), el("tbody", *body))
