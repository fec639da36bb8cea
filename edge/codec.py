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
        head, body = zlib.decompress(blob).split(b"\n", 1)
        header: dict[str, Any] = json.loads(head)
    except (zlib.error, ValueError) as e:
        raise BadDatabase(f"a chunk of raw samples is damaged ({e}): restore the database from a backup") from e
    if header.get("version") != VERSION:
        raise BadDatabase(
            f"a chunk of raw samples has version {header.get('version')}, this halfpercent reads {VERSION}: "
            "update halfpercent"
        )
    columns: dict[str, Array] = {}
    at = 0
    for name, dtype, length in header["columns"]:
        size = length * np.dtype(dtype).itemsize
        columns[name] = _unpack(body[at : at + size], np.dtype(dtype), length)
        at += size

    def channel(name: str) -> Channel:
        return Channel(columns[f"{name}.value"], columns[f"{name}.fault"], columns[f"{name}.status"])

    return Frames(
        seq=columns["seq"],
        t_ns=columns["t_ns"],
        first=columns["first"],
        sample_us=columns["sample_us"],
        code=columns["code"],
        status=columns["status"],
        oven=channel("oven"),
        cell=channel("cell"),
        gauge=channel("gauge"),
    )


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
