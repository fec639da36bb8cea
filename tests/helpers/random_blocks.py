"""Random but valid input for the fold, and the hash of what it makes of it.

Run as a program it prints that hash: ``NUMBA_DISABLE_JIT=1 python -W error tests/helpers/random_blocks.py 50 60``.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable, Iterator
from itertools import pairwise

import numpy as np

from edge.fold import kernel, layout

OVEN_120_C = 11131  # the code of a Pt100 at 120 °C on 430 Ω: 146.068 / 430 · 32768


def columns(seq, t_s, samples, *, status=None, oven=None, cell=None, pressure=None) -> layout.Block:
    """Put frames into columns: ``samples`` is a list of lists of codes; NaN in a slow channel is a bad status."""
    counts = [len(s) for s in samples]
    n = len(samples)
    flat = [list(s) for s in (status if status is not None else [[0] * k for k in counts])]
    slow: list[np.ndarray] = []
    for channel in (oven, cell, pressure):
        value = np.full(n, np.nan) if channel is None else np.asarray(channel, np.float64)
        slow += [np.where(np.isnan(value), 0.0, value), np.where(np.isnan(value), 1, 0).astype(np.uint8)]
    return layout.Block(
        np.asarray(seq, np.int64),
        np.asarray(t_s, np.float64),
        np.concatenate(([0], np.cumsum(counts))).astype(np.int64),
        np.array([c for s in samples for c in s], np.float64),
        np.array([c for s in flat for c in s], np.uint8),
        *slow,
    )


def cut(block: layout.Block, start: int, stop: int) -> layout.Block:
    """Get frames ``start`` to ``stop`` as a block of their own."""
    lo, hi = block.first[start], block.first[stop]
    parts = block._asdict()
    parts = {k: v[lo:hi] if k in ("code", "status") else v[start:stop] for k, v in parts.items()}
    return layout.Block(**(parts | {"first": block.first[start : stop + 1] - lo}))


def fold_all(params, block: layout.Block, cuts: Iterable[int] = (), *, through_bytes: bool = False):
    """Fold ``block`` cut at ``cuts`` and flush. Returns the state before the flush, and all rows."""
    state, rows = layout.new_state(), []
    edges = [0, *sorted(cuts), len(block.seq)]
    for start, stop in pairwise(edges):
        state, out = kernel.advance(state, params, cut(block, start, stop))
        rows.append(out)
        if through_bytes:
            state = np.frombuffer(state.tobytes(), layout.STATE).copy()
    return state, np.concatenate([*rows, kernel.flush(state, params)[1]])


def random_params(rng: np.random.Generator, **fixed: float):
    """Draw parameters in which every branch of the fold is likely."""
    base = rng.choice([np.nan, 0.0, 98.7])
    values = {
        "tare_code": rng.integers(-50_000, 50_000),
        "span_code_per_g": rng.choice([1.0, -400.0, 1540.32, 4000.0]),
        "linearity_per_g": rng.choice([0.0, 1e-7, -3e-8]),
        "t_ref_c": rng.choice([20.0, 23.5]),
        "zero_code_per_k": rng.normal(0, 30),
        "span_per_k": rng.normal(0, 1e-4),
        "gate_code": rng.choice([0.0, 40.0, 300.0]),
        "cell_source": rng.integers(0, 3),
        "cell_lag_s": rng.choice([0.0, 5.0, 600.0]),
        "cell_offset_c": rng.choice([0.0, 12.0]),
        "cell_per_oven": rng.choice([1.0, 0.12]),
        "rtd_is_code": rng.integers(0, 2),
        "oven_lead_ohm": rng.choice([0.0, 0.1]),
        "armed": int(rng.random() < 0.8),
        "hold_temp_c": 120.0,
        "hold_band_c": rng.choice([2.0, 5.0, np.inf]),
        "temp_needed": rng.integers(0, 2),
        "pressure_limit_pa": rng.choice([90.0, 110.0, np.inf]),
        "pressure_needed": rng.integers(0, 2),
        "restart_on_excursion": rng.integers(0, 2),
        "max_gap_s": rng.choice([0.0, 1.5, 10.0]),
        "base_g": base,
        "reference_g": rng.choice([np.nan, 100.0]),
        "base_is_hold_start": rng.integers(0, 2),
        **{f"{where}_a": rng.choice([layout.CVD_A, 3.9102e-3]) for where in ("oven", "cell")},  # a sensor's own
        **{f"{where}_b": rng.choice([layout.CVD_B, -5.81e-7]) for where in ("oven", "cell")},
        **{f"{where}_r0_ohm": rng.choice([100.0, 99.97]) for where in ("oven", "cell")},
        **{f"{where}_ref_ohm": rng.choice([430.0, 429.6]) for where in ("oven", "cell")},
        "cell_lead_ohm": rng.choice([0.0, 0.2]),
    }
    return layout.new_params(**(values | fixed))


def random_block(rng: np.random.Generator, n_frames: int, *, is_code: bool) -> layout.Block:
    """Draw frames: few or many samples or none, glitches, steps, bad statuses, gaps, missing readings."""
    gap = np.where(rng.random(n_frames) < 0.08, rng.integers(1, 12, n_frames), 0)
    seq = np.cumsum(1 + gap)
    t_s = np.cumsum(1 + gap + rng.normal(0, 0.01, n_frames).clip(-0.05, 0.05))
    counts = np.where(rng.random(n_frames) < 0.3, rng.integers(0, 4, n_frames), rng.integers(5, 13, n_frames))
    n = int(counts.sum())
    code = 400_000.0 + np.cumsum(np.where(rng.random(n) < 0.005, rng.normal(0, 20_000, n), 0)) + rng.normal(0, 30, n)
    code = np.where(rng.random(n) < 0.02, rng.choice([8388607, 4194303, 0, -2, -12546], n), np.rint(code))
    bad = rng.random(n) < np.repeat(rng.choice([0.0, 0.05, 0.7], n_frames, p=[0.8, 0.15, 0.05]), counts)
    status = np.where(bad, rng.integers(1, 10, n), 0)
    if is_code:
        oven = OVEN_120_C + np.rint(rng.normal(0, 60, n_frames))
        cell = rng.integers(7_000, 9_000, n_frames).astype(np.float64)  # −35 … 72 °C
    else:
        oven = 120 + rng.normal(0, 2, n_frames)
        cell = 22 + rng.normal(0, 15, n_frames)
    channels = [np.where(rng.random(n_frames) < 0.06, np.nan, c) for c in (oven, cell, rng.normal(95, 8, n_frames))]
    per_frame = np.split(code, np.cumsum(counts)[:-1])
    statuses = np.split(status, np.cumsum(counts)[:-1])
    return columns(seq, t_s, per_frame, status=statuses, oven=channels[0], cell=channels[1], pressure=channels[2])


def cases(n_seeds: int, n_frames: int) -> Iterator[tuple[np.random.Generator, np.ndarray, layout.Block]]:
    """Draw one case a seed."""
    for seed in range(n_seeds):
        rng = np.random.default_rng(seed)
        params = random_params(rng)
        yield rng, params, random_block(rng, n_frames, is_code=bool(params["rtd_is_code"][0]))


def digest(n_seeds: int, n_frames: int) -> str:
    """Get the SHA-256 over the states and rows of so many random runs, each cut at random frames."""
    out = hashlib.sha256()
    for rng, params, block in cases(n_seeds, n_frames):
        state, rows = fold_all(params, block, rng.integers(0, n_frames + 1, 5).tolist())
        out.update(state.tobytes())
        out.update(rows.tobytes())
    return out.hexdigest()


def seconds(samples, **slow):
    """Put one list of codes a second into columns, a second apart."""
    n = len(samples)
    return columns(range(1, n + 1), np.arange(n, dtype=np.float64), samples, **slow)


if __name__ == "__main__":
    print(digest(int(sys.argv[1]), int(sys.argv[2])))
