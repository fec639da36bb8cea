"""The report as one HTML file: everything in it, nothing from elsewhere, no script, printable on A4 and Letter.

Names are never markup (:mod:`edge.report.markup`). This module must never reach for the network, and never leave a
field out because nobody filled it.
"""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files

from .budget_page import budget_page
from .contents import Page, Report
from .first_page import first_page
from .language import Language, Words
from .markup import Html, el
from .means_page import means_page
from .record_page import record_page


def report_html(report: Report, language: Language) -> str:
    """Get the whole report as one HTML document."""
    words = Words(language)
    page = Page(report, words)
    css = Html("\n" + (files(__package__) / "report.css").read_text(encoding="utf-8"))
    policy = (
        f"default-src 'none'; style-src 'sha256-{base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()}'"
    )
    verdict = words(f"verdict_{report.result.verdict.value}")
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", http_equiv="Content-Security-Policy", content=policy),
        el("meta", name="generator", content=f"halfpercent {report.facts.software}"),
        el("title", words("document_title", number=report.number, verdict=verdict)),
        el("style", css),
    )
    pages = (first_page(page), record_page(page), budget_page(page), means_page(page))
    return "<!doctype html>\n" + el("html", head, el("body", el("main", *pages)), lang=language.tag) + "\n"
