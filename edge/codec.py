"""Frames to bytes and back: what a chunk of raw samples looks like in the database.

A blob is one header line of JSON and the columns, each as the differences of its values in bytes sorted by
significance, all of it deflated. It must give back every raw number exactly, and say which version it is.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from .errors import BadDatabase
from .frame import Array, Channel, Frames

VERSION = 1
_CHANNELS = ("oven", "cell", "gauge")
_DTYPES = ("|i1", "|u1", "<i2", "<u2", "<i4", "<u4", "<i8", "<u8", "<f4", "<f8")


def encode(frames: Frames) -> bytes:
    """Pack frames into a blob that :func:`decode` gives back exactly."""
    header = {
        "version": VERSION,
        "frames": len(frames),
        "samples": len(frames.code),
        "columns": [[name, column.dtype.str, len(column)] for name, column in _columns(frames)],
    }
    body = b"".join(_pack(column) for _, column in _columns(frames))
    return zlib.compress(json.dumps(header, separators=(",", ":")).encode() + b"\n" + body, 6)


def decode(blob: bytes) -> Frames:
    """Get the frames of a blob. Raise :class:`BadDatabase` where it is damaged or of a newer version."""
    try:
        stream = zlib.decompressobj()
        head, body = stream.decompress(blob).split(b"\n", 1)
        if not stream.eof or stream.unused_data:
            raise ValueError("it is cut off, or something follows it")
        header: dict[str, Any] = json.loads(head)
        version = header["version"]
        if version == VERSION:
            return _frames(header["columns"], body)
    except (zlib.error, ValueError, LookupError, TypeError, OverflowError, RecursionError) as e:
        raise BadDatabase(f"a chunk of raw samples is damaged ({e}): restore the database from a backup") from e
    raise BadDatabase(
        f"a chunk of raw samples has version {version}, this halfpercent reads {VERSION}: update halfpercent"
    )


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
    if at != len(body) or any(len(column) != lengths.get(name, n_frames) for name, column in _columns(frames)):
        raise ValueError("its columns do not fit each other")
    first = frames.first
    if first[0] != 0 or first[-1] != n or np.any(np.diff(first) < 0):
        raise ValueError("its frames do not fit its samples")
    return frames


def _columns(frames: Frames) -> Iterator[tuple[str, Array]]:
    for name in ("seq", "t_ns", "first", "sample_us", "code", "status"):
        yield name, getattr(frames, name)
    for name in _CHANNELS:
        for part in ("value", "fault", "status"):
            yield f"{name}.{part}", getattr(getattr(frames, name), part)


def _pack(column: Array) -> bytes:
    """Difference as unsigned integers (which wrap and so lose nothing), then all first bytes, all second …"""
    whole = np.ascontiguousarray(column).view(f"<u{column.dtype.itemsize}")
    steps = np.diff(whole, prepend=whole.dtype.type(0)) if len(whole) else whole
    return steps.view("u1").reshape(-1, column.dtype.itemsize).T.tobytes()


def _unpack(packed: bytes, dtype: np.dtype[Any], length: int) -> Array:
    planes = np.frombuffer(packed, "u1").reshape(dtype.itemsize, length)
    steps = np.ascontiguousarray(planes.T).view(f"<u{dtype.itemsize}").reshape(length)
    return np.add.accumulate(steps, dtype=steps.dtype).view(dtype)
