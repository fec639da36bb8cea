"""Random frames, and whether two batches are the same, bit for bit."""

from __future__ import annotations

import numpy as np

from edge.records.frame import Channel, Frames


def random_frames(rng: np.random.Generator, n: int, *, recorded: bool) -> Frames:
    """Draw ``n`` frames: chips' codes, or the floats of a recording; some without a sample."""
    counts = rng.integers(0, 9, n) * (rng.random(n) < 0.8)
    total = int(counts.sum())

    def channel() -> Channel:
        raw = any_float(rng, n) if recorded else rng.integers(0, 2**16, n).astype("<u2")
        return Channel(raw, rng.integers(0, 256, n).astype("u1"), rng.integers(0, 10, n).astype("u1"))

    return Frames(
        seq=np.cumsum(rng.integers(1, 5, n)).astype("<i8"),
        t_ns=rng.integers(0, 2**62) + np.cumsum(rng.integers(1, 2**40, n)).astype("<i8"),
        first=np.concatenate(([0], np.cumsum(counts))).astype("<i8"),
        sample_us=rng.integers(-(2**31), 2**31, total).astype("<i4"),
        code=any_float(rng, total) if recorded else rng.integers(-(2**31), 2**31, total).astype("<i4"),
        status=rng.integers(0, 10, total).astype("u1"),
        oven=channel(),
        cell=channel(),
        gauge=channel(),
    )


def any_float(rng: np.random.Generator, n: int) -> np.ndarray:
    """Draw any 64 bits, NaN and its payload, −0.0 and infinities among them."""
    return rng.integers(0, 2**64, n, dtype=np.uint64).view("<f8")


def columns_of(frames: Frames) -> list[np.ndarray]:
    channels = [getattr(c, part) for c in (frames.oven, frames.cell, frames.gauge) for part in c.__slots__]
    return [frames.seq, frames.t_ns, frames.first, frames.sample_us, frames.code, frames.status, *channels]


def same(a: Frames, b: Frames) -> bool:
    """Say whether two batches have the same bits in columns of the same types."""
    pairs = zip(columns_of(a), columns_of(b), strict=True)
    return all(x.dtype == y.dtype and x.shape == y.shape and x.tobytes() == y.tobytes() for x, y in pairs)
