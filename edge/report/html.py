"""The report as one HTML file: everything in it, nothing from elsewhere, no script, printable on A4 and Letter.

Names are never markup (:mod:`edge.report.markup`). This module must never reach for the network, and never leave a
field out because nobody filled it.
"""

from __future__ import annotations

from .budget_page import budget_page
from .contents import Page, Report
from .document import document
from .first_page import first_page
from .language import Language, Words
from .markup import el
from .means_page import means_page
from .record_page import record_page


def report_html(report: Report, language: Language) -> str:
    """Get the whole report as one HTML document."""
    words = Words(language)
    page = Page(report, words)
    verdict = words(f"verdict_{report.result.verdict.value}")
    title = words("document_title", number=report.number, verdict=verdict)
    pages = (first_page(page), record_page(page), budget_page(page), means_page(page))
    return document(title, el("main", *pages), software=report.facts.software, lang=language.tag)
