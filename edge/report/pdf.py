"""The report as PDF/A-3b, made from its own HTML, with files attached that prove it.

WeasyPrint (extra ``pdf``) does the work; what it or a font lacks is said in one line with the command that installs it.
This module must never reach for the network: the HTML has all that it shows in it.
"""

from __future__ import annotations

import datetime
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from edge.errors import BadInput

VARIANT = "pdf/a-3b"
RUNNING_FOOT = """
.number { string-set: number content(); }
@page {
  @bottom-left { content: string(number); font: 7.2pt "Noto Sans", "Noto Sans CJK SC", sans-serif; color: #4a4a4a; }
}
"""
"""The report's number on every page: a property of paged media that no browser knows and no validator of HTML takes."""
CJK = ("\u3400", "\u9fff")
FONT_WAIT_S = 20.0
NO_EXTRA = "a PDF needs WeasyPrint: pip install 'halfpercent[pdf]'"
NO_PANGO = "a PDF needs Pango, which WeasyPrint draws text with: sudo apt install libpango-1.0-0 libpangoft2-1.0-0"
NO_FONT = "Chinese in a PDF needs a font for it: sudo apt install fonts-noto-cjk"
NO_LATIN = "a PDF needs a font: sudo apt install fonts-noto-core"


@dataclass(frozen=True, slots=True)
class Attached:
    """A file that goes with the PDF: its name, its bytes, and what it is."""

    name: str
    content: bytes
    description: str


def report_pdf(html: str, attached: Sequence[Attached] = (), *, made: datetime.datetime | None = None) -> bytes:
    """Get the PDF of a report's HTML. Raises ``BadInput``, one line, where what it takes is not installed."""
    weasyprint = _weasyprint()
    _require_fonts(html)
    fetcher = getattr(weasyprint.urls, "URLFetcher", None)  # a function before it was a class
    document = weasyprint.HTML(string=html, url_fetcher=_nothing if fetcher is None else fetcher(allowed_protocols=()))
    files = [_attachment(weasyprint, file, made) for file in attached]
    foot = weasyprint.CSS(string=RUNNING_FOOT)
    pdf: bytes = document.write_pdf(stylesheets=[foot], pdf_variant=VARIANT, attachments=files, pdf_tags=False)
    return pdf


def _weasyprint() -> Any:
    try:
        import weasyprint
    except ImportError as e:
        raise BadInput(NO_EXTRA) from e
    except OSError as e:  # the library is there, and what it loads is not
        raise BadInput(NO_PANGO) from e
    return weasyprint


def _attachment(weasyprint: Any, file: Attached, made: datetime.datetime | None) -> Any:
    return weasyprint.Attachment(
        string=file.content,
        name=file.name,
        description=file.description,
        relationship="Source",
        created=made,
        modified=made,
    )


def _nothing(url: str, *_: object, **__: object) -> dict[str, object]:
    raise ValueError(f"{url}: nothing is fetched for a report")


def _require_fonts(html: str) -> None:
    """Raise ``BadInput`` where a font that the text needs is not there, if there is a way to know."""
    if shutil.which("fc-list") is None:
        return
    if any(CJK[0] <= c <= CJK[1] for c in html) and not _fonts(":lang=zh-cn"):
        raise BadInput(NO_FONT)
    if not _fonts(":lang=en"):
        raise BadInput(NO_LATIN)


def _fonts(pattern: str) -> bool:
    try:
        found = subprocess.run(["fc-list", pattern, "family"], capture_output=True, timeout=FONT_WAIT_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return True  # WeasyPrint finds out
    return found.returncode != 0 or bool(found.stdout.strip())
