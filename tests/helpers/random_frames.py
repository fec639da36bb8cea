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


def measured(
    seconds: int,
    rate_sps: int,
    *,
    noise_code: float = 50.0,
    jitter_us: float = 60.0,
    step_us: int = 1000,
    seed: int = 0,
) -> Frames:
    """Frames as a quiet rig gives them: white noise, a converter's even pace seen late, probes that hardly move."""
    rng = np.random.default_rng(seed)
    period_us = 1e6 / rate_sps * 0.997
    t_us = (2_000 + period_us * np.arange(int(seconds * 1e6 / period_us))).astype("<i8")
    t_us += rng.exponential(jitter_us, len(t_us)).astype("<i8") if jitter_us else 0
    t_us = np.minimum(t_us // step_us * step_us, seconds * 1_000_000 - 1)
    count = np.bincount(t_us // 1_000_000, minlength=seconds)
    n, good = len(t_us), np.zeros(seconds, "u1")

    def probe(code: int) -> Channel:
        return Channel((code + rng.integers(-1, 2, seconds)).astype("<u2"), good, good)

    return Frames(
        seq=np.arange(7_000, 7_000 + seconds, dtype="<i8"),
        t_ns=np.arange(seconds, dtype="<i8") * 10**9 + 123_456_789_012_345,
        first=np.concatenate(([0], np.cumsum(count))).astype("<i8"),
        sample_us=(t_us % 1_000_000).astype("<i4"),
        code=np.rint(400_000 + rng.normal(0.0, noise_code, n)).astype("<i4"),
        status=np.zeros(n, "u1"),
        oven=probe(11_130),
        cell=probe(8_300),
        gauge=Channel(np.zeros(seconds, "<u2"), good, good + 1),
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
