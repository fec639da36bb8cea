"""How fast the fold is: six hours at 320 samples a second, beside the same sums in C and in NumPy.

What may fail here is that the three disagree. Times are printed, as ratios from one run, and never asserted.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from random_blocks import cases, cut

from edge.fold import kernel, layout

FRAMES, RATE_SPS, ROUNDS = 21_600, 320, 9
SOURCE = Path(__file__).with_name("fold.c")
CC = os.environ.get("CC") or shutil.which("gcc") or shutil.which("cc")
FLAGS = ["-O2", "-ffp-contract=off", "-shared", "-fPIC"]

Fold = Callable[[layout.Record, layout.Record, layout.Block], tuple[layout.Record, layout.Record]]


@pytest.fixture(scope="module")
def in_c(tmp_path_factory) -> Fold:
    if CC is None:
        pytest.skip("there is no C compiler (gcc or cc) to compare with")
    library = tmp_path_factory.mktemp("c") / "fold.so"
    subprocess.run([CC, *FLAGS, "-o", library, SOURCE, "-lm"], check=True)
    kernel = ctypes.CDLL(str(library)).fold_advance
    kernel.restype = ctypes.c_int64

    def at(array):
        return ctypes.c_void_p(array.ctypes.data)

    def advance(state, params, block):
        new, rows = state.copy(), np.empty(len(block.seq), layout.ROW)
        work = np.empty(int(np.max(np.diff(block.first), initial=0)) + 4)
        n_frames = ctypes.c_int64(len(block.seq))
        n_rows = kernel(at(params), at(new), n_frames, *map(at, block), at(rows), at(work))
        return new, rows[:n_rows]

    return advance


def six_hours() -> tuple[layout.Record, layout.Block]:
    """Draw a hold as it is: noise, a slow loss, 0.03 % glitches, 0.03 % bad statuses, two probes and a gauge."""
    rng = np.random.default_rng(6)
    n = FRAMES * RATE_SPS
    code = np.rint(400_000 - np.linspace(0, 2_000, n) + rng.normal(0, 30, n))
    code[rng.integers(0, n, n // 3000)] = 8388607.0
    status = np.zeros(n, np.uint8)
    status[rng.integers(0, n, n // 3000)] = 2
    good = np.zeros(FRAMES, np.uint8)
    block = layout.Block(
        np.arange(FRAMES, dtype=np.int64),
        np.arange(FRAMES, dtype=np.float64),
        np.arange(FRAMES + 1, dtype=np.int64) * RATE_SPS,
        code,
        status,
        11_131.0 + rng.integers(-10, 11, FRAMES),
        good,
        8_300.0 + rng.integers(-5, 6, FRAMES),
        good,
        50.0 + rng.normal(0, 1, FRAMES),
        good,
    )
    params = layout.new_params(
        tare_code=8_000, span_code_per_g=4_000, linearity_per_g=1e-7, t_ref_c=20, zero_code_per_k=12, span_per_k=1e-5,
        gate_code=300, cell_source=0, rtd_is_code=1, armed=1, hold_temp_c=120, hold_band_c=2, temp_needed=1,
        pressure_limit_pa=100, pressure_needed=1, base_g=98,
    )  # fmt: skip
    return params, block


def in_numpy(params, block):
    """Take the same sums without a loop over samples: what someone would write who had no kernel.

    Left out, being sequential: the drift, the lag and what happens at an excursion. Every frame needs samples,
    and both probes must be above 0 °C.
    """
    p = params[0]

    def rtd_c(code, where):
        w = (code / 32768.0 * p[f"{where}_ref_ohm"] - p[f"{where}_lead_ohm"]) / p[f"{where}_r0_ohm"]
        a, b = 3.9083e-3, -5.775e-7
        return (-a + np.sqrt(a * a - 4.0 * b * (1.0 - w))) / (2.0 * b)

    frame = np.repeat(np.arange(len(block.seq)), np.diff(block.first))
    ok = block.status == 0
    code, frame = block.code[ok], frame[ok]
    padded = np.pad(code, 2, constant_values=np.nan)  # NaN: neither as high nor as low
    as_high, as_low = np.zeros(len(code), np.int8), np.zeros(len(code), np.int8)
    low, high = code - p["gate_code"], code + p["gate_code"]
    for k in range(5):
        neighbour = padded[k : k + len(code)]
        as_high += neighbour >= low
        as_low += neighbour <= high
    size = np.full(len(code), 5)
    size[[0, -1]], size[[1, -2]] = 3, 4
    believed = (as_high > (size - 1) // 2) & (as_low > (size - 1) // 2)
    code, frame = code[believed], frame[believed]

    off_k = rtd_c(block.cell, "cell") - p["t_ref_c"]
    zero = p["tare_code"] + p["zero_code_per_k"] * off_k
    divisor = p["span_code_per_g"] * (1.0 + p["span_per_k"] * off_k)
    load = (code - zero[frame]) / divisor[frame]
    mass = load + p["linearity_per_g"] * load * load
    n = np.bincount(frame, minlength=len(block.seq))
    starts = np.cumsum(n) - n
    mean = np.add.reduceat(mass, starts) / n
    sd = np.sqrt(np.add.reduceat((mass - mean[frame]) ** 2, starts) / (n - 1))
    oven_c = rtd_c(block.oven, "oven")
    qualified = (np.abs(oven_c - p["hold_temp_c"]) <= p["hold_band_c"]) & (block.pressure <= p["pressure_limit_pa"])
    counts = qualified[1:] & qualified[:-1]
    hold_s = np.cumsum(np.concatenate(([0.0], np.where(counts, np.diff(block.t_s), 0.0))))
    zero_code = np.add.reduceat(code, starts) / n - p["zero_code_per_k"] * off_k
    return {"n_ok": n, "mass_g": mean, "sd_g": sd, "zero_code": zero_code, "temp_c": oven_c, "hold_s": hold_s}


def test_c_gives_the_same_bits(in_c):
    for _, params, block in cases(200, 60):
        state, rows = kernel.advance(layout.new_state(), params, block)
        state_c, rows_c = in_c(layout.new_state(), params, block)
        assert rows.tobytes() == rows_c.tobytes()
        assert state.tobytes() == state_c.tobytes()


def test_six_hours_at_320_samples_a_second(in_c):
    params, block = six_hours()
    start = layout.new_state()
    state, rows = kernel.advance(start, params, block)  # the kernel is compiled, or loaded, here
    state_c, rows_c = in_c(start, params, block)
    assert (state.tobytes(), rows.tobytes()) == (state_c.tobytes(), rows_c.tobytes())
    for name, told in in_numpy(params, block).items():
        # The last second has no row yet. A spread of 0.01 g about 100 g has four digits fewer than the mean.
        np.testing.assert_allclose(rows[name], told[:-1], rtol=1e-8 if name == "sd_g" else 1e-12, err_msg=name)

    frames = [cut(block, f, f + 1) for f in range(1000)]

    def one_by_one():
        s = start
        for frame in frames:
            s, _ = kernel.advance(s, params, frame)

    contest = {
        "fold.advance (numba)": lambda: kernel.advance(start, params, block),
        "C, gcc -O2": lambda: in_c(start, params, block),
        "NumPy": lambda: in_numpy(params, block),
        "fold.advance, 1000 single frames": one_by_one,
    }
    best = dict.fromkeys(contest, float("inf"))
    for _ in range(ROUNDS):
        for name, work in contest.items():
            t = time.perf_counter()
            work()
            best[name] = min(best[name], time.perf_counter() - t)

    fold_s, c_s, numpy_s, single_s = best.values()
    per_sample = 1e9 / len(block.code)
    print(f"\n\nsix hours at {RATE_SPS} SPS: {FRAMES} frames, {len(block.code)} samples; best of {ROUNDS}, interleaved")
    print("|                        | seconds | ns a sample | against C |")
    print("|------------------------|--------:|------------:|----------:|")
    for name, t in (("fold.advance (numba)", fold_s), ("C, -O2 (same bits)", c_s), ("NumPy (most sums)", numpy_s)):
        print(f"| {name:22} | {t:7.3f} | {t * per_sample:11.1f} | {t / c_s:9.2f} |")
    print(f"NumPy / fold: {numpy_s / fold_s:.1f}. One frame at a time: {single_s * 1e3:.0f} µs a frame of {RATE_SPS}.")
