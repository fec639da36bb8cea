"""How a file writes numbers: with a point or a comma, and with or without marks between thousands.

``1,234`` is 1.234 to one reader and 1234 to another. All that the file holds is asked which it is; where both still
fit, that is said and nothing is read. This module must never prefer one of two readings that fit.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Mark = Literal[".", ","]
MAX_DECIMALS = 12  # a double has no more that mean anything
MAX_NUMBER = 64
"""No number that means anything is written with more characters; the patterns below would take long over one."""
HOTTEST_C = 2000.0
"""No thermometer of an oven shows more, in any unit: a reading that makes one do so is not what was written."""

_SPACES = " \u00a0\u2009\u202f'’"
_EXP = r"(?:[eE][+-]?\d{1,3})?"
_PLAIN = {
    ".": re.compile(rf"(?:[+-] {{0,9}})?(?:\d+\.?\d*|\.\d+){_EXP}", re.ASCII),
    ",": re.compile(rf"(?:[+-] {{0,9}})?(?:\d+,?\d*|,\d+){_EXP}", re.ASCII),
}
_GROUPED = {
    ".": re.compile(
        rf"(?:[+-] {{0,9}})?[1-9]\d{{0,2}}(?:(?:,\d{{3}})+|(?:[{_SPACES}]\d{{3}})+)(?:\.\d*)?{_EXP}", re.ASCII
    ),
    ",": re.compile(
        rf"(?:[+-] {{0,9}})?[1-9]\d{{0,2}}(?:(?:\.\d{{3}})+|(?:[{_SPACES}]\d{{3}})+)(?:,\d*)?{_EXP}", re.ASCII
    ),
}
_SHORT = {
    ".": re.compile(r"(?:[+-] {0,9})?\d{1,3}(?:\.\d*)?", re.ASCII),
    ",": re.compile(r"(?:[+-] {0,9})?\d{1,3}(?:,\d*)?", re.ASCII),
}
"""Numbers below a thousand, which look alike with and without marks between thousands."""
_OTHER_SIGNS = str.maketrans({"−": "-", "–": "-"} | {chr(0xFEE0 + ord(c)): c for c in "0123456789+-.,Ee:/"})
"""Other minus signs, and full-width digits and signs, as their plain ones: a keyboard for Chinese writes both."""


class TwoReadings(Exception):
    """Two readings of a file that both fit: its text names them, and what would decide."""

    def __init__(self, message: str, *remedies: str) -> None:
        super().__init__(message)
        self.remedies = remedies


@dataclass(slots=True)
class _Seen:
    """What the cells of one column leave possible: pairs of a decimal mark and whether thousands are marked."""

    hot: bool
    left: set[tuple[Mark, bool]]
    differs: str = ""

    @property
    def marks(self) -> set[Mark]:
        return {mark for mark, _ in self.left}

    def look(self, cell: str) -> None:
        fits = {reading for reading in self.left if self._fits(cell, *reading)}
        if fits:
            self.left = fits
        if not self.differs and {mark for mark, _ in fits} == {".", ","} and _either(cell):
            self.differs = cell

    def _fits(self, cell: str, mark: Mark, grouped: bool) -> bool:
        pattern = (_GROUPED if grouped else _PLAIN)[mark]
        if not pattern.fullmatch(cell) and not (grouped and _SHORT[mark].fullmatch(cell)):
            return False
        return not self.hot or abs(float(_plain(cell, mark))) <= HOTTEST_C


def plain_signs(text: str) -> str:
    """Get a number or a time with its minus signs and its full-width digits and signs as plain ones.

    Digits are 0 to 9: those of another script stay as they are, and are refused in numbers and in times alike.
    """
    return text if text.isascii() else text.translate(_OTHER_SIGNS)


def has_other_digits(text: str) -> bool:
    """Say whether digits of another script than ours, or full-width ones, are left in a text."""
    return not text.isascii() and any(c.isdigit() and not c.isascii() for c in text)


def _either(cell: str) -> bool:
    return "." in cell or "," in cell


def _plain(cell: str, mark: Mark) -> str:
    """Get a cell as Python writes a number, with its marks between thousands taken out."""
    text = plain_signs(cell)
    for between in ("." if mark == "," else ",", *_SPACES):
        text = text.replace(between, "")
    return text.replace(",", ".")


@dataclass(frozen=True, slots=True)
class Notation:
    """The one way in which a file's numbers are written. Once the decimal mark is known, a cell has one reading."""

    mark: Mark = "."

    def number(self, cell: str) -> float:
        """Get a cell as a number. Raise ``ValueError`` with what it is instead."""
        text = cell.strip()
        if self.mark == ".":
            try:
                if "_" in text or not text.isascii():  # which Python would take
                    raise ValueError
                return float(text)
            except ValueError:
                pass
        if len(text) > MAX_NUMBER:
            raise ValueError(f"{text[:40]!r} is not a number")
        plain = plain_signs(text)
        if plain.isascii() and _PLAIN[self.mark].fullmatch(plain):
            return float(plain.replace(",", ".").replace(" ", ""))
        if _GROUPED[self.mark].fullmatch(plain):
            return float(_plain(plain, self.mark))
        if text.lower().lstrip("+-") in ("nan", "inf", "infinity"):
            return float(text)
        if has_other_digits(plain):
            raise ValueError(f"{text[:40]!r} is not a number: it is in other digits than 0 to 9")
        raise ValueError(f"{text[:40]!r} is not a number" if text else "is empty")

    def decimals(self, cell: str) -> int:
        """Get after how many decimals a number is written: 2 for ``1.25``, 3 for ``1.5e-2``, 0 for ``100``."""
        text = plain_signs(cell.strip())
        if len(text) > MAX_NUMBER:
            return MAX_DECIMALS
        if text[-1:].isdigit() and "e" not in text and "E" not in text:
            return min(MAX_DECIMALS, len(text) - 1 - at) if (at := text.find(self.mark)) >= 0 else 0
        mantissa, _, exponent = text.lower().partition("e")
        written = len(mantissa.partition(self.mark)[2]) - int(exponent or 0)
        return min(MAX_DECIMALS, max(-MAX_DECIMALS, written))

    @property
    def told(self) -> str:
        """Get the notation in words."""
        return "decimal comma" if self.mark == "," else "decimal point"


def find_notation(
    rows: Iterable[list[str]], numbers: tuple[int, ...], hot: frozenset[int], *, point_by_default: bool, stated: str
) -> Notation:
    """Find how the columns ``numbers`` are written, from as many rows as it takes.

    ``hot`` are those of temperatures; ``point_by_default``: the file is one of ours, in which a mark that nothing
    decides is a decimal point; ``stated`` is the mark that the file or whoever replays it states ('' for none). Raises
    :class:`TwoReadings`.
    """
    if stated in (".", ","):
        return Notation("," if stated == "," else ".")
    readings: tuple[tuple[Mark, bool], ...] = ((".", False), (".", True), (",", False), (",", True))
    seen = {at: _Seen(at in hot, set(readings)) for at in numbers}
    marks: set[Mark] = {".", ","}
    for cells in rows:
        for at, column in seen.items():
            cell = cells[at].strip() if at < len(cells) else ""
            if not cell or len(cell) > MAX_NUMBER or (len(cell) < 4 and cell.isdigit()):
                continue
            column.look(plain_signs(cell))
            marks &= column.marks
        if len(marks) < 2:
            break
    if not marks:
        raise TwoReadings("some numbers have a decimal point and others a decimal comma: write all in one way")
    undecided = [column.differs for column in seen.values() if column.differs]
    if len(marks) == 2 and undecided and not point_by_default:
        point, comma = (f"{float(_plain(undecided[0], mark)):.12g}" for mark in (".", ","))
        raise TwoReadings(
            f"{undecided[0][:40]} is {point} with a decimal point and {comma} with a decimal comma, and nothing in the "
            "file decides: say which",
            "decimal point",
            "decimal comma",
        )
    return Notation("," if marks == {","} else ".")
