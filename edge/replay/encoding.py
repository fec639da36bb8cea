"""Which encoding a text file may be in: UTF-8, UTF-16, UTF-32, Windows-1252 (Latin-1), GB 18030 or
Shift-JIS.

This module must never settle on one of two encodings by itself: it names those that fit, and what the text then says
decides.
"""

from __future__ import annotations

import codecs
from pathlib import Path

from calibration.bounded_file import open_regular_file

CHUNK = 1 << 20
NAMES = {
    "utf-8": "UTF-8",
    "utf-8-sig": "UTF-8 with BOM",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
    "utf-32": "UTF-32",
    "utf-32-le": "UTF-32",
    "utf-32-be": "UTF-32",
    "cp1252": "Windows-1252",
    "latin-1": "Latin-1",
    "gb18030": "GB 18030",
    "cp932": "Shift-JIS",
}
GUESSED = ("cp1252", "latin-1")
"""In which each file of bytes can be read, as something: it is in one of them, or in an encoding that is not read."""
NUL_SHARE = 0.3
"""So many of every second byte are zero in UTF-16 of numbers and Latin letters, and in nothing else that is text."""


def encodings_of(path: Path) -> tuple[str, ...]:
    """Get the encodings in which a whole file can be read, likeliest first; () where it is no text of ours.

    Raises ``OSError``, ``NotReadable``.
    """
    with open_regular_file(path) as file:
        start = file.read(4096)
    if start.startswith(codecs.BOM_UTF8):
        return ("utf-8-sig",) if _decodes(path, "utf-8-sig") else ()
    if start.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):  # before UTF-16: one begins as the other's does
        return ("utf-32",) if _decodes(path, "utf-32") else ()
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return ("utf-16",) if _decodes(path, "utf-16") else ()
    for name, low, high in (("utf-32-le", start[0::4], start[3::4]), ("utf-32-be", start[3::4], start[0::4])):
        if high and not any(high) and all(low) and _decodes(path, name):
            return (name,)
    for name, nuls in (("utf-16-le", start[1::2]), ("utf-16-be", start[0::2])):
        others = start[0::2] if name == "utf-16-le" else start[1::2]
        if nuls and nuls.count(0) > NUL_SHARE * len(nuls) and others.count(0) == 0 and _decodes(path, name):
            return (name,)
    if _decodes(path, "utf-8"):
        return ("utf-8",)
    eight_bits = "cp1252" if _decodes(path, "cp1252") else "latin-1"
    return (eight_bits, *(name for name in ("gb18030", "cp932") if _decodes(path, name)))


def _decodes(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    with open_regular_file(path) as file:
        try:
            while chunk := file.read(CHUNK):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True
