"""The bytes that a hash of schema 3 is made of: values one after the other, each with its type and its length.

A value is what SQLite stores: nothing, an integer, a real number, a text or bytes. Its bytes say where it ends, so two
different lists of values never have the same bytes (docs/evidence.md). This module must never round, trim or translate.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable

_REAL, _INTEGER = struct.Struct(">cd").pack, struct.Struct(">cq").pack
_LEAST, _MOST = -(2**63), 2**63 - 1

Value = int | float | str | bytes | None
"""What a column of SQLite holds."""


def value_bytes(values: Iterable[Value]) -> bytes:
    """Get the bytes of values in their order.

    ``n``; ``i`` and 8 bytes (two's complement, big-endian); ``r`` and 8 bytes (IEEE 754 binary64, big-endian, minus
    zero as zero, which is how SQLite stores it); ``t`` or ``b``, 8 bytes of length, and that many bytes of UTF-8 or of
    the blob. Raises ``ValueError`` for what no column can hold, ``TypeError`` for another type.
    """
    out: list[bytes] = []
    for value in values:
        if value is None:
            out.append(b"n")
        elif isinstance(value, float):
            out.append(_REAL(b"r", value + 0.0))
        elif isinstance(value, int):
            if not _LEAST <= value <= _MOST:
                raise ValueError(f"{value} is beyond SQLite's integers")
            out.append(_INTEGER(b"i", value))
        elif isinstance(value, str):
            raw = value.encode()
            out.append(b"t" + len(raw).to_bytes(8, "big") + raw)
        elif isinstance(value, bytes):
            out.append(b"b" + len(value).to_bytes(8, "big") + value)
        else:
            raise TypeError(f"a {type(value).__name__} is in no column")
    return b"".join(out)


def sha256_of(*values: Value) -> bytes:
    """Get the SHA-256 of the bytes of values. Raises as :func:`value_bytes`."""
    return hashlib.sha256(value_bytes(values)).digest()
