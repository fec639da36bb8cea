"""JSON in the one form that is signed: RFC 8785, with text and whole numbers only.

Fractions are written as text, for no two languages agree on their digits. This module must never sign, and never take
what is not in this form already.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import msgspec

from edge.errors import BadEvidence

MOST_INTEGER = 2**53 - 1
"""A greater one is not the same number in every language."""
MOST_DEPTH = 20

PlainText = str | int | bool | None | Sequence["PlainText"] | Mapping[str, "PlainText"]
"""What can be written: JSON without fractions."""


def to_bytes(data: PlainText) -> bytes:
    """Write JSON by RFC 8785: keys in the order of their UTF-16 code units, no spaces, UTF-8.

    Raises ``ValueError`` for a fraction, a number beyond ``MOST_INTEGER``, half a surrogate pair, or what is no JSON.
    """
    return json.dumps(_ordered(data, MOST_DEPTH), separators=(",", ":"), ensure_ascii=False).encode()


def from_bytes(raw: bytes, where: str) -> PlainText:
    """Read what :func:`to_bytes` wrote, byte for byte. Raises ``BadEvidence``, with ``where`` it stood."""
    try:
        data: PlainText = msgspec.json.decode(raw)
        if to_bytes(data) == raw:
            return data
        why = "is not in canonical form (RFC 8785)"
    except (ValueError, RecursionError) as e:
        why = f"cannot be read ({e})"
    raise BadEvidence(f"{where}: {why}: it was changed, or halfpercent did not write it")


def without_fractions(data: object) -> PlainText:
    """Get plain JSON with each fraction as the shortest text that reads back to the same number."""
    if isinstance(data, float):
        return repr(data)
    if isinstance(data, Mapping):
        return {str(name): without_fractions(value) for name, value in data.items()}
    if isinstance(data, list | tuple):
        return [without_fractions(value) for value in data]
    if data is None or isinstance(data, str | int):
        return data
    raise ValueError(f"{type(data).__name__} is no JSON")


def _ordered(data: PlainText, depth: int) -> PlainText:
    if depth == 0:
        raise ValueError("nested too deeply")
    if isinstance(data, Mapping):
        names = sorted(data, key=lambda name: name.encode("utf-16-be", "surrogatepass"))
        return {name: _ordered(data[name], depth - 1) for name in names}
    if isinstance(data, list | tuple):
        return [_ordered(value, depth - 1) for value in data]
    if data is None or isinstance(data, str | bool) or (isinstance(data, int) and abs(data) <= MOST_INTEGER):
        return data
    raise ValueError(f"{str(data)[:40]} can only be written as text")
