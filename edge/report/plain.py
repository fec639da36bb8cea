"""The report's document as plain lines: what stands in it, in its order and words, without its drawings.

So a report as text has every word of the printed one in any language that the glossary has. Of a drawing the
description stands that a screen reader has. This module must never leave out a word that a reader of the document sees.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

from .contents import Report
from .html import report_html
from .language import Language, Words
from .wrap import width_of

PADDED = 28
"""A column whose cells are all narrower is set in a column."""
_BLOCKS = frozenset(
    ("p", "div", "header", "section", "figure", "figcaption", "dl", "dt", "ol", "ul", "caption", "main")
)
_HEADS = frozenset(("h1", "h2"))
_BLANK = re.compile(r"[ \t\r\n]+")


def report_plain(report: Report, language: Language) -> str:
    """Get the whole report as text of several lines, in a language."""
    reader = _Reader(Words(language)("colon"))
    reader.feed(report_html(report, language))
    reader.close()
    return reader.text()


@dataclass(slots=True)
class _Table:
    pairs: bool
    rows: list[list[str]] = field(default_factory=list)


class _Reader(HTMLParser):
    """Reads a document of ours; ``colon`` parts a name from what it is."""

    def __init__(self, colon: str) -> None:
        super().__init__()
        self._colon = colon
        self._lines: list[str] = []
        self._now = ""
        self._indent = ""
        self._lists: list[int] = []  # of each list that is open, the number of its item; 0: without numbers
        self._table: _Table | None = None
        self._cell: str | None = None
        self._left_out: list[str] = []
        self._in_drawing = self._described = self._as_it_stands = self._hangs = False

    def text(self) -> str:
        """Get the lines that were read."""
        self._end_line()
        return re.sub(r"\n{3,}", "\n\n", "\n".join(line.rstrip() for line in self._lines)).strip("\n")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take an element's begin."""
        class_ = dict(attrs).get("class") or ""
        if self._left_out:
            self._left_out += [tag] if tag not in ("br", "wbr", "meta") else []
        elif tag in ("head", "style") or class_ in ("pad", "head"):  # a running head is of paper
            self._left_out.append(tag)
        elif tag == "svg":
            self._end_line()
            self._in_drawing = True
        elif self._in_drawing:
            self._described = tag == "desc"
        elif tag == "table":
            self._end_line()
            self._table = _Table("kv" in class_)
        elif tag == "tr" and self._table is not None:
            self._table.rows.append([])
        elif tag in ("th", "td"):
            self._cell = ""
        elif self._cell is not None:
            self._cell += " " if tag == "br" else ""
        else:
            self._start_block(tag)

    def _start_block(self, tag: str) -> None:
        if tag == "br":
            self._end_line()
            self._indent = "  " if self._hangs else self._indent
        elif tag in _HEADS or tag == "pre":
            self._end_line()
            self._lines += [""] if tag in _HEADS else []
            self._as_it_stands = tag == "pre"
        elif tag == "li":
            self._end_line()
            if self._lists[-1:] > [0]:
                self._now = f"{self._lists[-1]}. "
                self._lists[-1] += 1
            else:
                self._now = "- "
            self._indent = "  "
        elif tag == "dd":
            self._hangs = True
        elif tag in _BLOCKS:
            self._end_line()
            self._lists += [1 if tag == "ol" else 0] if tag in ("ol", "ul") else []

    def handle_endtag(self, tag: str) -> None:
        """Take an element's end."""
        if self._left_out:
            if tag == self._left_out[-1]:
                self._left_out.pop()
        elif tag == "svg":
            self._in_drawing = self._described = False
            self._end_line()
        elif self._in_drawing:
            self._described = False
        elif tag in ("th", "td"):
            self._end_cell()
        elif tag == "table":
            self._end_table()
        elif self._cell is None:
            if tag == "dt":
                self._now = self._now.rstrip() + self._colon
            elif tag in ("dd", "li", "pre") or tag in _BLOCKS or tag in _HEADS:
                self._end_line()
            if tag == "dd":
                self._hangs, self._indent = False, ""
            if tag in ("ol", "ul"):
                self._lists.pop()
                self._indent = ""
            self._as_it_stands = self._as_it_stands and tag != "pre"

    def handle_data(self, data: str) -> None:
        """Take text."""
        if self._left_out or (self._in_drawing and not self._described):
            return
        if self._as_it_stands:
            first, *more = data.split("\n")
            self._now += first
            for line in more:
                self._end_line()
                self._now = line
        elif self._cell is not None:
            self._cell += _BLANK.sub(" ", data)
        else:
            said = _BLANK.sub(" ", data)
            self._now += said if self._now else said.lstrip(" ")

    def _end_cell(self) -> None:
        if self._table is not None and self._table.rows and self._cell is not None:
            self._table.rows[-1].append(_BLANK.sub(" ", self._cell).strip())
        self._cell = None

    def _end_table(self) -> None:
        if (table := self._table) is None:
            return
        self._table = None
        if table.pairs:
            self._lines += [self._colon.join((row[0].rstrip("：:"), "  ".join(row[1:]))) for row in table.rows if row]
            return
        columns = max((len(row) for row in table.rows), default=0)
        widths = [max((width_of(row[i]) for row in table.rows if i < len(row)), default=0) for i in range(columns)]
        for row in table.rows:
            cells = [
                cell + " " * (w - width_of(cell)) if w <= PADDED else cell for cell, w in zip(row, widths, strict=False)
            ]
            self._lines.append("  " + "  ".join(cells))

    def _end_line(self) -> None:
        if self._now.strip():
            self._lines.append(self._indent + self._now.strip(" "))
        self._now = ""
