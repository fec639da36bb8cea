"""What is wrong with a report's PDF, a line each: its structure by pikepdf, its text by poppler's pdftotext.

The text is what a reader copies out of it or a search finds: Chinese in a PDF may look right and be no text at all.
"""

from __future__ import annotations

import io
import re
import shutil
import subprocess
from collections.abc import Iterator
from html import unescape

MOST_PAGES, FEWEST_LINES = 5, 6
"""Four pages have a report of one run, a fifth where much is assumed; none has an end mark and a foot alone."""


def untranslated(html: str) -> list[str]:
    """Get the software's own sentences that a Chinese report shows in English."""
    return [f"not in Chinese: {unescape(said)}" for said in re.findall(r'<span lang="en">(.*?)</span>', html)]


def on_letter(html: str) -> str:
    """Get the same HTML for paper of the size Letter."""
    assert "@page {" in html
    return html.replace("@page {", "@page { size: Letter;", 1)


def wrong_in_pdf(pdf: bytes, html: str) -> Iterator[str]:
    """Say what a PDF of a report's HTML lacks: PDF/A-3b's marks, its verdict as text, or a sensible number of pages."""
    import pikepdf

    with pikepdf.open(io.BytesIO(pdf)) as opened:
        if [str(i.S) for i in opened.Root.get("/OutputIntents", ())] != ["/GTS_PDFA1"]:
            yield "no OutputIntent of PDF/A"
        with opened.open_metadata() as xmp:
            if (xmp.get("pdfaid:part"), xmp.get("pdfaid:conformance")) != ("3", "B"):
                yield "XMP does not say PDF/A-3b"
        if len(opened.pages) > MOST_PAGES:
            yield f"{len(opened.pages)} pages, {MOST_PAGES} are enough"
    if shutil.which("pdftotext") is None:
        return
    done = subprocess.run(["pdftotext", "-", "-"], input=pdf, capture_output=True, check=True)
    written = done.stdout.decode()
    for number, page in enumerate(written.removesuffix("\f").split("\f"), 1):
        lines = sum(bool(line.strip()) for line in page.splitlines())
        if lines < FEWEST_LINES:
            yield f"page {number} has {lines} lines"
    said = _words(re.sub(r"<[^>]*>", "", re.findall(r'<p class="say">(.*?)</p>', html, re.DOTALL)[0]))
    if said not in _words(written):
        yield f"its text does not have its verdict: {said}"


def _words(text: str) -> str:
    """Get a text without what lines and spaces make of it."""
    return re.sub(r"\s", "", unescape(text))
