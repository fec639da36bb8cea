"""Runs beside each other as one HTML file in the look of the report: drawing, results, hours, differences.

Names are never markup. This module must never reach for the network, and never judge.
"""

from __future__ import annotations

from collections.abc import Sequence

from edge.database.compared import RunToCompare
from edge.records.run import RunKind
from edge.trends.comparison import ComparedRun, RunsCompared, held_curve

from .compare_text import loss_of, remarks, short_hashes
from .contents import figure, lines, table
from .curve_overlay import OverlaidRun, Overlay
from .document import document
from .language import Language, Words
from .markup import Html, el, name, text
from .numbers import fixed


def compare_html(told: RunsCompared, runs: Sequence[RunToCompare], language: Language, software: str) -> str:
    """Get the comparison as one HTML document."""
    w = Words(language)
    title = w("compare_title", runs=", ".join(str(run.run_id) for run in told.runs))
    parts = [el("h1", title, id="title"), el("p", w("compare_about")), _results(told, w), *_drawing(told, runs, w)]
    parts += [*_hours(told, w), *_differences(told, w)]
    body = el("main", el("section", *parts, class_="part", aria_labelledby="title"))
    return document(title, body, software=software, lang=language.tag)


def _said(w: Words, english: str) -> Html:
    found = w.sentence(english)
    return el("span", name(english), lang="en") if found is None else text(found)


def _results(told: RunsCompared, w: Words) -> Html:
    heads: list[str | Html] = [w(f"compare_{key}") for key in ("mark", "run", "sample", "verdict")]
    heads += [Html(">" + text(w("compare_loss"))), Html(">" + text(w("compare_limit"))), w("compare_remarks")]
    rows = [_result(run, w) for run in told.runs]
    return table(heads, rows, caption=text(w("compare_results_table")), class_="breaks")


def _result(run: ComparedRun, w: Words) -> list[Html]:
    key = "compare_altered" if run.altered else "compare_none" if run.verdict is None else f"verdict_{run.verdict}"
    loss, U = loss_of(run)
    more = [_said(w, remark) for remark in remarks(run)]
    if run.kind == RunKind.SIMULATED:
        more.insert(0, text(w("head_simulated")))
    return [
        text(str(run.number)),
        text(str(run.run_id)),
        name(run.sample_id),
        el("b", w(key)),
        text(f"{loss.replace('-', '−')}\u00a0± {U}" if loss else ""),
        text("" if run.limit_pct is None else f"{run.limit_pct:g}"),
        lines(*more),
    ]


def _drawing(told: RunsCompared, runs: Sequence[RunToCompare], w: Words) -> list[Html]:
    curves = [held_curve(run) for run in runs]
    overlaid = [
        OverlaidRun(run.number, curve if curve is not None and curve.columns else None, run.loss_pct, run.U_pct)
        for run, curve in zip(told.runs, curves, strict=True)
    ]
    if not any(run.curve is not None or run.loss_pct is not None for run in overlaid):
        return [el("p", el("span", w("none_curve"), class_="none"))]
    limits = [run.limit_pct for run in told.runs if run.limit_pct is not None]
    return [figure(Overlay(overlaid, limits, w, "compare").svg(), text(w("compare_figure")), scroll=True)]


def _hours(told: RunsCompared, w: Words) -> list[Html]:
    if not told.hours:
        return []
    heads: list[str | Html] = [w("compare_hour"), *(Html(f">({run.number})") for run in told.runs)]
    rows = [
        [text(f"{row.hour:.4g}"), *(text("" if loss is None else fixed(loss, 3)) for loss in row.losses_pct)]
        for row in told.hours
    ]
    return [table(heads, rows, caption=text(w("compare_hours_table")), class_="tight one")]


def _differences(told: RunsCompared, w: Words) -> list[Html]:
    out = [el("h2", w("compare_differences" if told.differences else "compare_no_differences"))]
    if told.differences:
        heads: list[str | Html] = [w("compare_what"), *(f"({run.number})" for run in told.runs)]
        rows = [
            [
                text(_what(difference.what, w)),
                *(
                    el("span", w("none_stated"), class_="none") if value is None else name(short_hashes(value))
                    for value in difference.values
                ),
            ]
            for difference in told.differences
        ]
        out.append(table(heads, rows, caption=text(w("compare_differences_table")), class_="tight breaks"))
    if told.left_out:
        out.append(el("p", w("compare_left_out", count=str(told.left_out))))
    if told.same:
        gap = w("compare_list_gap")
        out.append(el("p", w("compare_same", what=gap.join(_what(same, w) for same in told.same))))
    return out


def _what(what: str, w: Words) -> str:
    key = f"compare_in_{what.replace(' ', '_')}"
    return w(key) if w.has(key) else what
