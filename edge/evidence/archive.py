"""The ZIP of a package, to the byte: stored and not compressed, in one order, at one date.

So the same files make the same bytes on every machine, a file that unpacks to more than it is cannot be, and a byte
that was changed anywhere in it is found. Any tool unpacks it. This module must never unpack anything, nor read what it
did not write.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator, Mapping

from edge.errors import BadEvidence

MOST_BYTES = 64 << 20
"""Of a package; a run of six hours at 80 samples a second has some 4 MB, a photograph as much."""
MOST_FILES = 200
_TOO_MUCH = f"a package holds at most {MOST_FILES} files and {MOST_BYTES >> 20} MB: attach less"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}(/[A-Za-z0-9][A-Za-z0-9._-]{0,99}){0,4}")
"""What a file in it may be called: no way up, no drive, no blank, nothing that two systems read otherwise."""
LOCAL, _CENTRAL, _END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
_VERSION, _UNIX, _DATE = 20, 3, (1 << 5) | 1
"""By which version of ZIP it is read, on what it was made, and 1980-01-01."""
_ATTRIBUTES = 0o100644 << 16


class NotAsWritten(BadEvidence):
    """A package whose bytes are not as they were written."""


def to_zip(files: Mapping[str, bytes]) -> bytes:
    """Write files, in their order, as a ZIP. Raises ``BadEvidence`` for a name or a size that cannot be."""
    _require_possible(files)
    return b"".join(_parts(files))


def is_zip_of(raw: bytes, files: Mapping[str, bytes]) -> bool:
    """Say whether a ZIP is what :func:`to_zip` writes of these files, without making another. Raises as that."""
    _require_possible(files)
    at, seen = 0, memoryview(raw)
    for part in _parts(files):
        if seen[at : at + len(part)] != part:
            return False
        at += len(part)
    return at == len(raw)


def _require_possible(files: Mapping[str, bytes]) -> None:
    for name in files:
        if not NAME.fullmatch(name):
            raise BadEvidence(f"{name[:60]!r}: a file of a package cannot be called that: use letters, digits and ._-")
    if len(files) > MOST_FILES or len({n.casefold() for n in files}) < len(files):
        raise BadEvidence(_TOO_MUCH)
    require_room(sum(map(len, files.values())))


def require_room(size: int) -> None:
    """Raise ``BadEvidence`` where so many bytes are too many for a package, before they are read."""
    if size > MOST_BYTES - 300 * MOST_FILES:
        raise BadEvidence(_TOO_MUCH)


def from_zip(raw: bytes, where: str) -> dict[str, bytes]:
    """Get the files of a ZIP that :func:`to_zip` wrote, byte for byte. Raises ``NotAsWritten``, ``BadEvidence``."""
    if not raw.startswith(LOCAL):
        raise BadEvidence(f"{where}: is no package of evidence: give a file of halfpercent export")
    files: dict[str, bytes] = {}
    at = 0
    while raw[at : at + 4] == LOCAL and len(files) <= MOST_FILES:
        fixed = raw[at + 4 : at + 30]
        if len(fixed) < 26:
            break
        size, name_size = struct.unpack("<18xI", fixed[:22])[0], struct.unpack("<H", fixed[22:24])[0]
        start = at + 30 + name_size
        try:
            name = raw[at + 30 : start].decode("ascii")
        except UnicodeDecodeError:
            break
        data = raw[start : start + size]
        if not NAME.fullmatch(name) or name.casefold() in {n.casefold() for n in files} or len(data) < size:
            break
        if fixed != _fixed(name, data):
            raise NotAsWritten(f"{where}: {name}: its bytes are not those that were written")
        files[name] = data
        at = start + size
    if raw[at:] != b"".join(_directory(files)):
        raise NotAsWritten(f"{where}: is not as halfpercent wrote it, from byte {at} on: was it repacked?")
    return files


def _parts(files: Mapping[str, bytes]) -> Iterator[bytes]:
    for name, data in files.items():
        yield LOCAL + _fixed(name, data) + name.encode()
        yield data
    yield from _directory(files)


def _fixed(name: str, data: bytes) -> bytes:
    """Get what both headers of a file say of it."""
    sizes = (zlib.crc32(data), len(data), len(data), len(name), 0)
    return struct.pack("<HHHHHIIIHH", _VERSION, 0, 0, 0, _DATE, *sizes)


def _directory(files: Mapping[str, bytes]) -> Iterator[bytes]:
    at, length = 0, 0
    for name, data in files.items():
        head = _CENTRAL + bytes((_VERSION, _UNIX)) + _fixed(name, data)
        entry = head + struct.pack("<HHHII", 0, 0, 0, _ATTRIBUTES, at) + name.encode()
        yield entry
        at += 30 + len(name) + len(data)
        length += len(entry)
    yield _END + struct.pack("<HHHHIIH", 0, 0, len(files), len(files), length, at, 0)
