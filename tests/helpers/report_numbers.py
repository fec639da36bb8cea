"""A report of a stored run, and which of its result's numbers stand nowhere in it.

The digits are made here by decimal arithmetic from the stored JSON, so that the report's own rounding is held against
another. A number is looked for as a person reads it: without tags, with spaces and signs as they come.
"""

from __future__ import annotations

import datetime
import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from decimal import ROUND_HALF_EVEN, Decimal
from html import unescape
from pathlib import Path
from typing import Any

from edge.cli.report import stored_report
from edge.report.contents import Report
from edge.report.html import report_html
from edge.report.language import Language
from edge.report.plain import report_plain
from edge.report.text import text
from edge.report.text_header import header_lines

DAY = datetime.date(2026, 11, 26)


def report_of(path: Path) -> Report:
    """Get the newest run's report, made on a day that does not change."""
    _, made = stored_report(path, "last")
    assert made is not None
    return replace(made, issued=DAY)


def as_html(path: Path, language: Language) -> str:
    """Get a report's HTML as a reader sees it."""
    return shown(report_html(report_of(path), language))


def as_text(path: Path, language: Language) -> str:
    """Get a report as text, with its header."""
    made = report_of(path)
    if language is not Language.ENGLISH:
        return report_plain(made, language).replace("\u00a0", " ")
    return "\n".join((*header_lines(made), text(made.result)))


def shown(html: str) -> str:
    """Get what is written in HTML: no style, no tags, the hidden digits left out."""
    html = re.sub(r"<style>.*?</style>", " ", html, flags=re.DOTALL)
    html = re.sub(r'<span class="pad">0*</span>', "", html)
    return unescape(re.sub(r"<[^>]*>", " ", html)).replace("\u00a0", " ")


def significant(value: float, digits: int = 2) -> Decimal:
    """Round a number to so many significant digits."""
    exact = Decimal(repr(value))
    return exact.quantize(Decimal((0, (1,), exact.adjusted() - digits + 1)), ROUND_HALF_EVEN).normalize()


def to_place_of(value: float, u: float) -> str:
    """Write a number to the last place of its uncertainty, which has two significant digits."""
    place = significant(u).adjusted() - 1
    return format(Decimal(repr(value)).quantize(Decimal((0, (1,), place)), ROUND_HALF_EVEN), "f")


def numbers(result: dict[str, Any]) -> Iterator[tuple[str, float, str]]:
    """Get the numbers that every report of a judged run shows: what, its value, and how it is written."""
    loss, U = result["loss_pct"], result["U_pct"]
    yield "loss", loss, to_place_of(loss, U)
    yield "U", U, to_place_of(U, U)
    yield "k", result["k"], f"{result['k']:.2f}"
    yield "limit", result["limit_pct"], f"{result['limit_pct']:g}"
    yield "hold", result["hold_s"], f"{int(result['hold_s'] / 0.36 + 1e-6) / 1e4:.4f}"
    for w in result["weighings"]:
        if w["unit"] == "g":
            yield w["which"], w["value"], to_place_of(w["value"], w["u"])
            yield f"u of {w['which']}", w["u"], to_place_of(w["u"], w["u"])


def result_json(path: Path) -> dict[str, Any]:
    """Get the newest result as it is stored."""
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as db:
        (stored,) = db.execute("select result_json from runs order by run_id desc limit 1").fetchone()
    return dict(json.loads(stored))


def missing_numbers(path: Path, lines: str) -> list[str]:
    """Get the numbers of the stored result that stand nowhere in ``lines``."""
    written = set(re.findall(r"[−-]?\d+(?:\.\d+)?", lines))
    written |= {w.replace("−", "-") for w in written}
    return [
        f"{what}: {said} ({value!r})"
        for what, value, said in numbers(result_json(path))
        if said not in written and said.removeprefix("-") not in written
    ]
