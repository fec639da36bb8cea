"""What a report is made of, and the small things that all its pages say in one way: names, numbers, what is missing.

What nobody filled in says so and never disappears. This module must never decide what a result means.
"""

from __future__ import annotations

import datetime
import math
from dataclasses import dataclass

from msgspec import UNSET

from edge.records.curve import CurveTerms, RecordedCurve, WeighedCurve
from edge.records.report_about import NO_PROOF, NOTHING_SAID, About, ProofTold
from edge.records.report_facts import RunFacts
from edge.records.result import HappenedTold, Result, Verdict
from edge.records.run import RunKind

from .decimals import decimals
from .language import Words, kept
from .markup import Html, el, joined, name, text
from .numbers import fixed


@dataclass(frozen=True, slots=True)
class Report:
    """All that a report says: the result, what is stored of the run, its curve, what people say of it, what proves it.

    ``issued`` is the day on which it is made; ``altered`` what first differs from the run's chain (None: nothing),
    ``not_in_chain`` what of it is in no chain.
    """

    result: Result
    facts: RunFacts
    curve: RecordedCurve
    issued: datetime.date
    about: About = NOTHING_SAID
    proof: ProofTold = NO_PROOF
    altered: str | None = None
    not_in_chain: str | None = None

    @property
    def number(self) -> str:
        """Get the report's number: what people gave it, else the run's own unique name."""
        return self.about.report.number or self.facts.run_uid

    @property
    def day(self) -> datetime.date:
        """Get the day of issue."""
        return self.about.report.issued or self.issued

    @property
    def happened(self) -> tuple[HappenedTold, ...]:
        """Get what happened: as the result tells it, else (INVALID) as it is stored. The curve's marks number it."""
        return self.result.happened or self.curve.happened

    @property
    def judged(self) -> bool:
        """Say whether there is a loss with its uncertainty."""
        r = self.result
        return r.verdict is not Verdict.INVALID and r.loss_pct is not None and r.U_pct is not None

    @property
    def simulated(self) -> bool:
        """Say whether nothing was weighed."""
        return self.result.kind is RunKind.SIMULATED or isinstance(self.result.true_loss_pct, float)

    @property
    def limit(self) -> str:
        """Get the limit in % as it is written everywhere."""
        return f"{self.result.limit_pct:g}"

    def weighed_curve(self) -> WeighedCurve:
        """Get the curve as it was weighed, with its marks numbered as in the list of what happened."""
        r = self.result
        terms = CurveTerms(
            limit_pct=r.limit_pct,
            temp_c=r.temp_c,
            temp_band_c=r.temp_band_c,
            hold_s=r.hold_required_s,
            pressure=self.facts.pressure,
            expanded_pct=r.U_pct if self.judged else None,
        )
        c = self.curve
        vented = (r.vented.at_s,) if r.vented is not UNSET and r.vented.told else c.vented_s
        recorded = RecordedCurve(c.columns, c.phases, c.windows, self.happened, vented, c.started_utc)
        return WeighedCurve(recorded, terms, r.loss_pct if self.judged else None)


class Page:
    """What the pages of one report share: its contents, its words, and how they say what is not there."""

    def __init__(self, report: Report, words: Words) -> None:
        self.report, self.words = report, words
        self.result, self.facts = report.result, report.facts

    def none(self, key: str = "none_stated") -> Html:
        """Get what stands where nobody filled a field: dotted underneath."""
        return el("span", self.words(key), class_="none")

    def or_none(self, value: str | None, key: str = "none_stated") -> Html:
        """Get a name or text that somebody wrote, or that nobody did."""
        return self.none(key) if value is None or not value.strip() else name(value)

    def said(self, sentence: str) -> Html:
        """Get a sentence of the software's own in the report's language; what has no other words stays as it is."""
        found = self.words.sentence(sentence)
        return el("span", sentence, lang="en") if found is None else text(kept(found))

    def sentence(self, words: str) -> Html:
        """Get a sentence of the software's own, with a capital letter and its full stop."""
        said = self.said(words)
        if not isinstance(found := self.words.sentence(words), str):
            return said
        stop = "" if found.endswith((".", "。", "!", "?")) else self.words("stop")
        return text(kept(found[:1].upper() + found[1:] + stop))

    def pct(self) -> tuple[str, str]:
        """Get loss and U in % with the digits that U gives them."""
        r = self.result
        assert r.loss_pct is not None  # the caller has looked
        assert r.U_pct is not None
        places = decimals(r.U_pct)
        return fixed(r.loss_pct, places), fixed(r.U_pct, places)

    def head(self, key: str) -> Html:
        """Get the running head of a page."""
        laboratory = self.facts.laboratory
        about = (
            self.words("head_simulated")
            if self.report.simulated
            else self.words("head_run", run=str(self.facts.run_id))
        )
        return el(
            "p",
            el("span", text(self.words("head_report") + " "), el("b", name(self.report.number))),
            el("span", name(laboratory.name) if laboratory else self.words("head_no_laboratory")),
            el("span", about),
            el("b", self.words(key)),
            class_="head",
        )

    def pairs(self, rows: list[tuple[str, Html]]) -> Html:
        """Get a table of two columns: what, and its value."""
        body = [el("tr", el("th", self.words(key), scope="row"), el("td", value)) for key, value in rows]
        return el("table", el("tbody", *body), class_="kv tight")

    def utc(self, iso: str | None, *, seconds: bool = False) -> str:
        """Write a wall time as 2026-11-02 00:00 UTC; what is none stands as it is."""
        if not iso:
            return ""
        try:
            at = datetime.datetime.fromisoformat(iso).astimezone(datetime.UTC)
        except (ValueError, OverflowError):
            return iso
        return at.strftime("%Y-%m-%d %H:%M:%S UTC" if seconds else "%Y-%m-%d %H:%M UTC")


def table(heads: list[str | Html], rows: list[list[Html]], *, caption: Html, class_: str = "") -> Html:
    """Get a table: a head that begins with ``>`` stands right; the first cell of a row is its head."""
    right = [str(h).startswith(">") for h in heads]
    head = el(
        "tr",
        *(
            el("th", Html(str(h)[1:]) if r else h, scope="col", class_="r" if r else None)
            for h, r in zip(heads, right, strict=True)
        ),
    )
    body = [
        el(
            "tr",
            el("th", row[0], scope="row"),
            *(el("td", cell, class_="r" if r else None) for cell, r in zip(row[1:], right[1:], strict=True)),
        )
        for row in rows
    ]
    table = el("table", el("caption", caption), el("thead", head), el("tbody", *body), class_=class_ or None)
    return el("div", table, class_="scroll")


def figure(drawing: Html, caption: Html, *, scroll: bool = False) -> Html:
    """Get a drawing with what it says beneath."""
    return el("figure", drawing, el("figcaption", caption), class_="scroll" if scroll else None)


def section(key: str, heading: str, *content: str | Html, class_: str | None = None, label: str | None = None) -> Html:
    """Get a section with its heading."""
    return el("section", el("h2", heading, id=key), *content, class_=class_, aria_labelledby=label or key)


def floor_digits(value: float, digits: int = 2) -> float:
    """Get a number rounded down to so many significant digits: what is asked for is never more than that."""
    if value <= 0.0:
        return 0.0
    unit = 10.0 ** (math.floor(math.log10(value)) - digits + 1)
    return math.floor(value / unit + 1e-9) * unit


def lines(*parts: str | Html) -> Html:
    """Get parts one under the other."""
    out: list[str | Html] = []
    for part in parts:
        out += [el("br"), part] if out else [part]
    return joined(*out)
