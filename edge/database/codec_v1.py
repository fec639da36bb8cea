"""Version 1 of a blob of raw samples: written until 2026, still used for a replay's doubles, and read for ever.

A blob is one header line of JSON and the columns, each as the differences of its values in bytes sorted by
significance, all of it deflated. It holds columns of any type, and so what version 2 has no place for. This module
must never change what it reads or writes: old databases hold it.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from edge.records.frame import Array, Channel, Frames

FIRST_BYTE = 0x78  # zlib's
MAX_BYTES = 1 << 29  # inflated; the longest chunk of the longest recording that is read has a quarter of it

_CHANNELS = ("oven", "cell", "gauge")
_DTYPES = ("|i1", "|u1", "<i2", "<u2", "<i4", "<u4", "<i8", "<u8", "<f4", "<f8")


class Newer(Exception):
    """A header of a version that is not known; the version is its argument."""


def columns_of(frames: Frames) -> Iterator[tuple[str, Array]]:
    """Get the columns of frames with their names, in the order in which they are stored."""
    for name in ("seq", "t_ns", "first", "sample_us", "code", "status"):
        yield name, getattr(frames, name)
    for name in _CHANNELS:
        for part in ("value", "fault", "status"):
            yield f"{name}.{part}", getattr(getattr(frames, name), part)


def encode(frames: Frames) -> bytes:
    """Pack frames. Raise ``ValueError`` where they are too many for one chunk."""
    header = {
        "version": 1,
        "frames": len(frames),
        "samples": len(frames.code),
        "columns": [[name, column.dtype.str, len(column)] for name, column in columns_of(frames)],
    }
    body = b"".join(_pack(column) for _, column in columns_of(frames))
    text = json.dumps(header, separators=(",", ":")).encode() + b"\n" + body
    if len(text) > MAX_BYTES:
        raise ValueError("so many frames do not fit into one chunk: cut them")
    return zlib.compress(text, 6)


def decode(blob: bytes) -> Frames:
    """Get the frames of a blob. Raise :class:`Newer`, or one of many errors where it is damaged."""
    stream = zlib.decompressobj()
    text = stream.decompress(blob, MAX_BYTES)
    if not stream.eof or stream.unused_data:
        raise ValueError("it is cut off, or something follows it")
    head, body = text.split(b"\n", 1)
    header: dict[str, Any] = json.loads(head)
    if header["version"] != 1:
        raise Newer(header["version"])
    return _frames(header["columns"], body)


def _frames(columns: list[tuple[str, str, int]], body: bytes) -> Frames:
    found: dict[str, Array] = {}
    at = 0
    for name, code, length in columns:
        if code not in _DTYPES:
            raise ValueError(f"{name} is no column of numbers")
        dtype = np.dtype(code)
        size = length * dtype.itemsize
        found[name] = _unpack(body[at : at + size], dtype, length)
        at += size

    def channel(name: str) -> Channel:
        return Channel(found[f"{name}.value"], found[f"{name}.fault"], found[f"{name}.status"])

    frames = Frames(
        seq=found["seq"],
        t_ns=found["t_ns"],
        first=found["first"],
        sample_us=found["sample_us"],
        code=found["code"],
        status=found["status"],
        oven=channel("oven"),
        cell=channel("cell"),
        gauge=channel("gauge"),
    )
    n_frames, n = len(frames), len(frames.code)
    lengths = {"first": n_frames + 1, "sample_us": n, "code": n, "status": n}
    if at != len(body) or any(len(column) != lengths.get(name, n_frames) for name, column in columns_of(frames)):
        raise ValueError("its columns do not fit each other")
    first = frames.first
    if first[0] != 0 or first[-1] != n or np.any(np.diff(first) < 0):
        raise ValueError("its frames do not fit its samples")
    return frames


def _pack(column: Array) -> bytes:
    """Difference as unsigned integers (which wrap and so lose nothing), then all first bytes, all second …"""
    whole = np.ascontiguousarray(column).view(f"<u{column.dtype.itemsize}")
    steps = np.diff(whole, prepend=whole.dtype.type(0)) if len(whole) else whole
    return steps.view("u1").reshape(-1, column.dtype.itemsize).T.tobytes()


def _unpack(packed: bytes, dtype: np.dtype[Any], length: int) -> Array:
    planes = np.frombuffer(packed, "u1").reshape(dtype.itemsize, length)
    steps = np.ascontiguousarray(planes.T).view(f"<u{dtype.itemsize}").reshape(length)
    return np.add.accumulate(steps, dtype=steps.dtype).view(dtype)
