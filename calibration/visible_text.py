"""The one way in which text from a file, a socket or an argument is shown: what cannot be seen is shown as its code.

A control character can drive a terminal, a format or bidirectional one can make a line read otherwise than it is. They
become ``\\x1b``, ``\\u202e``; what people write (U+3000, joined emoji, joined letters) stays as it is. To show
twice is to show once. This module must never change what is stored: only how it is shown, and what may be a name.

Sources: Unicode 15 UAX #9 (bidirectional), UTS #51 (joined emoji), UAX #44 (``Default_Ignorable_Code_Point``).
"""

from __future__ import annotations

import unicodedata

UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Characters that are letters, marks or symbols by their category, and show nothing."""
JOINERS = frozenset("\u200c\u200d")
MOST_MARKS = 8
"""More combining marks on one letter than any script has: they would be drawn over the lines above."""
_HIDDEN = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))
_JOINED = frozenset(("So", "Sk", "Lo", "Mn", "Mc"))
MOST_NAME = 200


class NotAName(ValueError):
    """Why a text is no name: what it holds, with the character's code and name."""


def visible(text: str) -> str:
    """Get ``text`` as one line that shows all that is in it."""
    if text.isascii() and text.isprintable():
        return text
    out: list[str] = []
    marks = 0
    for i, c in enumerate(text):
        marks = marks + 1 if unicodedata.category(c) in ("Mn", "Me") else 0
        out.append(c if _shows(text, i) and marks <= MOST_MARKS else _code(c))
    return "".join(out)


def visible_lines(text: str) -> str:
    """Get a text of ours of several lines with all else in it shown: its own line breaks stay."""
    return "\n".join(visible(line) for line in text.split("\n"))


def visible_json(text: str) -> str:
    """Get JSON with what cannot be seen as the escapes that JSON has for it: to a reader it is the same."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if c == "\n" or _shows(text, i) else _json_escape(c) for i, c in enumerate(text))


def name_from(text: str) -> str:
    """Get a name in the normal form (NFC) in which names are stored and compared.

    Raises :class:`NotAName` where it is empty, longer than ``MOST_NAME``, or holds what cannot be seen.
    """
    name = unicodedata.normalize("NFC", text) if text.isascii() or _has_no_surrogate(text) else text
    for i, c in enumerate(name):
        if not _shows(name, i):
            raise NotAName(f"it holds {describe(c)}, which cannot be seen: give one line of text without it")
    if not any(_is_ink(c) for c in name):
        held = describe(name[0]) if name else "nothing"
        raise NotAName(f"it holds {held} and nothing that can be seen: give one line of text")
    if len(name) > MOST_NAME:
        raise NotAName(f"it has {len(name)} characters: give one line of text, at most {MOST_NAME} characters")
    return name


def describe(c: str) -> str:
    """Get a character's code and name: U+202E (RIGHT-TO-LEFT OVERRIDE)."""
    name = unicodedata.name(c, "") or ("a control character" if unicodedata.category(c) == "Cc" else "no character")
    return f"U+{ord(c):04X} ({name})"


def _has_no_surrogate(text: str) -> bool:
    return not any("\ud800" <= c <= "\udfff" for c in text)


def _is_ink(c: str) -> bool:
    return not c.isspace() and c not in UNSEEN and unicodedata.category(c) not in (*_HIDDEN, "Mn", "Me")


def _shows(text: str, i: int) -> bool:
    """Say whether the ``i``-th character of ``text`` may be shown as it is."""
    c = text[i]
    if " " <= c <= "~":
        return True
    if c in JOINERS:
        return _joins(text, i)
    if _is_form(c):
        return i > 0 and _is_ink(text[i - 1])
    return c not in UNSEEN and unicodedata.category(c) not in _HIDDEN


def _is_form(c: str) -> bool:
    """Say whether a character only asks for another form of the one before it."""
    return "\ufe00" <= c <= "\ufe0f" or "\U000e0100" <= c <= "\U000e01ef"


def _joins(text: str, i: int) -> bool:
    """Say whether a joiner stands between two characters that can be joined: emoji, or letters without case."""
    before = i - 1
    while before >= 0 and ("\ufe00" <= text[before] <= "\ufe0f" or "\U0001f3fb" <= text[before] <= "\U0001f3ff"):
        before -= 1
    if before < 0 or i + 1 >= len(text) or _is_form(text[i + 1]):
        return False
    return all(unicodedata.category(c) in _JOINED and c not in UNSEEN for c in (text[before], text[i + 1]))


def _code(c: str) -> str:
    short = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
    if c in short:
        return short[c]
    code = ord(c)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _json_escape(c: str) -> str:
    code = ord(c)
    if code < 0x10000:
        return f"\\u{code:04x}"
    code -= 0x10000
    return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"
