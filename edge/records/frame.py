"""Frames: one second of raw samples, exactly as the chips gave them, in columns.

A frame is the unit that is journalled, folded and verified. A batch of frames keeps its samples in flat
columns, so that six hours at 320 samples a second stay plain arrays. This module must never compute
anything from a code: it only collects, joins and cuts.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from hw.protocols import Conversion, Reading, Status

TIME_NS, TIME_US = 1_000_000, 1_000
"""A sample's time is kept to 1 ms: what is finer is when a driver looked, and no chip's."""
NOT_FITTED = Reading(0, 0, 0, Status.NOT_READY)
"""What stands in a frame for a probe or gauge that the rig does not have."""

Array = npt.NDArray[np.generic]
_SLOW = struct.Struct("<3H6B")
_U1, _U2, _I4, _I8 = map(np.dtype, ("u1", "<u2", "<i4", "<i8"))


@dataclass(frozen=True, slots=True)
class Channel:
    """One reading a frame of a slow channel (oven probe, cell probe, vacuum gauge).

    ``value`` has shape (F,): the chip's raw code, or the recorded quantity (°C, Pa) of a replay, in which
    case its dtype is float64. ``fault`` is the chip's fault register, ``status`` a
    :class:`hw.protocols.Status`.
    """

    value: Array
    fault: Array
    status: Array


@dataclass(frozen=True, slots=True)
class Frames:
    """F consecutive frames with N samples in all.

    ``seq`` (F,) int64 numbers the seconds of a run, rising, with holes where nothing was seen; ``t_ns``
    (F,) int64 is the clock's time at each frame's start; frame ``f`` owns the samples ``first[f]`` to
    ``first[f + 1]`` of ``sample_us`` (int32, µs after the frame's start), ``code`` (int32 codes, or float64
    grams in a replay) and ``status`` (uint8).
    """

    seq: Array
    t_ns: Array
    first: Array
    sample_us: Array
    code: Array
    status: Array
    oven: Channel
    cell: Channel
    gauge: Channel

    def __len__(self) -> int:
        return len(self.seq)

    def cut(self, start: int, stop: int) -> Frames:
        """Get frames ``start`` to ``stop`` (as a slice would) as a batch of their own."""
        start, stop, _ = slice(start, stop).indices(len(self))
        if start == 0 and stop == len(self):
            return self
        stop = max(start, stop)
        lo, hi = int(self.first[start]), int(self.first[stop])

        def channel(of: Channel) -> Channel:
            return Channel(of.value[start:stop], of.fault[start:stop], of.status[start:stop])

        return Frames(
            seq=self.seq[start:stop],
            t_ns=self.t_ns[start:stop],
            first=self.first[start : stop + 1] - lo,
            sample_us=self.sample_us[lo:hi],
            code=self.code[lo:hi],
            status=self.status[lo:hi],
            oven=channel(self.oven),
            cell=channel(self.cell),
            gauge=channel(self.gauge),
        )


def one_frame(
    seq: int,
    t_ns: int,
    samples: Sequence[Conversion],
    oven: Reading = NOT_FITTED,
    cell: Reading = NOT_FITTED,
    gauge: Reading = NOT_FITTED,
) -> Frames:
    """Collect one second of readings into a batch of one frame.

    ``t_ns`` is the clock's time at the frame's start; every sample's time becomes µs after it, in whole ms.
    """
    # The slow channels' nine numbers at once: an array for each takes longer than a second's samples.
    times_ns, code, status = zip(*samples, strict=True) if samples else ((), (), ())
    packed = bytearray(_SLOW.size)
    slow = (oven, cell, gauge)
    _SLOW.pack_into(packed, 0, *[r.code for r in slow], *[r.fault for r in slow], *[r.status for r in slow])
    codes, bits = np.frombuffer(packed, _U2, 3), np.frombuffer(packed, _U1, 6, offset=6)
    return Frames(
        seq=np.array([seq], _I8),
        t_ns=np.array([t_ns], _I8),
        first=np.array([0, len(samples)], _I8),
        sample_us=np.array([(at_ns - t_ns) // TIME_NS * TIME_US for at_ns in times_ns], _I4),
        code=np.array(code, _I4),
        status=np.frombuffer(bytearray(status), _U1),
        oven=Channel(codes[0:1], bits[0:1], bits[3:4]),
        cell=Channel(codes[1:2], bits[1:2], bits[4:5]),
        gauge=Channel(codes[2:3], bits[2:3], bits[5:6]),
    )


def join(batches: Sequence[Frames]) -> Frames:
    """Join batches of frames, in order, into one. Raise ``ValueError`` where there are none."""
    if not batches:
        raise ValueError("no frames to join")
    if len(batches) == 1:
        return batches[0]
    offsets = np.cumsum([0, *(len(b.code) for b in batches)])

    def channel(name: str) -> Channel:
        parts = [getattr(b, name) for b in batches]
        return Channel(*(np.concatenate([getattr(p, field.name) for p in parts]) for field in fields(Channel)))

    return Frames(
        seq=np.concatenate([b.seq for b in batches]),
        t_ns=np.concatenate([b.t_ns for b in batches]),
        first=np.concatenate(
            [
                batches[0].first,
                *(b.first[1:] + off for b, off in zip(batches[1:], offsets[1:-1], strict=True)),
            ]
        ),
        sample_us=np.concatenate([b.sample_us for b in batches]),
        code=np.concatenate([b.code for b in batches]),
        status=np.concatenate([b.status for b in batches]),
        oven=channel("oven"),
        cell=channel("cell"),
        gauge=channel("gauge"),
    )
