"""How fast the fold is: six hours at 320 samples a second, beside the same sums in C and in NumPy.

What may fail here is that the three disagree. Times are said as ratios from one run, with the contestants taking turns.
``make fold-speed`` writes them into docs/benchmarks.md; ``tests/bench/test_fold_speed.py`` is the small form.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from bench_report import Section, table
from random_blocks import cases, cut

from edge.fold import kernel, layout

FRAMES, RATE_SPS, ROUNDS = 21_600, 320, 41
SOURCE = Path(__file__).with_name("fold.c")
CC = os.environ.get("CC") or shutil.which("gcc") or shutil.which("cc")
FLAGS = ["-O2", "-ffp-contract=off", "-Wall", "-Werror", "-shared", "-fPIC"]
STRUCTS = {"params_t": layout.PARAMS, "state_t": layout.STATE, "row_t": layout.ROW}

Fold = Callable[[layout.Record, layout.Record, layout.Block], tuple[layout.Record, layout.Record]]

SECTION = Section(
    "fold_speed",
    "## Fold",
    """
Six hours at 320 samples a second (21 600 frames, 6 912 000 samples) through the public `advance` of
`edge/fold/kernel.py`, against the same sums in C (`tests/bench/fold.c`, `gcc -O2 -ffp-contract=off`) and against
vectorised NumPy. The goals: at most 1.2 times C, and under half a second.
""",
    """
- C and the fold give the same bits, in this run and in 200 random ones with every kind of fault; the bench fails if
  they do not, and `make test` compares fifty.
- What bounds the time is the chain of two divisions a sample in the running mean.
- NumPy's means agree to 1e-12, not in their bits: it adds in another order, and leaves out what is sequential (drift,
  lag, excursions).
""",
    packages=("numba", "numpy"),
)


def header() -> str:
    """The structs of fold.c: the fold's records, field by field, so that none can be forgotten or moved."""
    kinds = {"f": "double", "i": "int64_t"}
    out = ["#include <stdint.h>"]
    for name, dtype in STRUCTS.items():
        fields = []
        for field in dtype.names:
            base, shape = dtype[field].base, dtype[field].shape
            assert base.itemsize == 8, f"{name}.{field} is {base}: the structs here have no padding"
            fields.append(f"    {kinds[base.kind]} {field}{''.join(f'[{n}]' for n in shape)};")
        out += ["typedef struct {", *fields, f"}} {name};"]
        out.append(f'_Static_assert(sizeof({name}) == {dtype.itemsize}, "{name} is not as long as its record");')
    return "\n".join([*out, ""])


def not_in_c() -> list[str]:
    """Fields of the fold's records that fold.c never reads or writes: sums that C does not take."""
    text, owner = SOURCE.read_text(encoding="utf-8"), {"params_t": "p", "state_t": "s", "row_t": "row"}
    return [
        f"{name}.{field}"
        for name, dtype in STRUCTS.items()
        for field in dtype.names
        if f"{owner[name]}->{field}" not in set(re.findall(r"\w+->\w+", text))
    ]


def compiled(folder: Path) -> Fold:
    """Compile fold.c and get it with the shape of :func:`edge.fold.kernel.advance`."""
    assert CC is not None, "there is no C compiler (gcc or cc) to compare with"
    (folder / "fold_layout.h").write_text(header(), encoding="utf-8")
    library = folder / "fold.so"
    subprocess.run([CC, *FLAGS, f"-I{folder}", "-o", library, SOURCE, "-lm"], check=True)
    in_c = ctypes.CDLL(str(library)).fold_advance
    in_c.restype = ctypes.c_int64

    def at(array: np.ndarray) -> ctypes.c_void_p:
        return ctypes.c_void_p(array.ctypes.data)

    def advance(state: layout.Record, params: layout.Record, block: layout.Block):
        new, rows = state.copy(), np.empty(len(block.seq), layout.ROW)
        work = np.empty(int(np.max(np.diff(block.first), initial=0)) + 4)
        n_frames = ctypes.c_int64(len(block.seq))
        n_rows = in_c(at(params), at(new), n_frames, *map(at, block), at(rows), at(work))
        return new, rows[:n_rows]

    return advance


def differing(in_c: Fold, n_cases: int, n_frames: int) -> list[int]:
    """Fold so many random runs both ways; get those whose rows or state differ in any bit."""
    out = []
    for number, (_, params, block) in enumerate(cases(n_cases, n_frames)):
        state, rows = kernel.advance(layout.new_state(), params, block)
        state_c, rows_c = in_c(layout.new_state(), params, block)
        if (rows.tobytes(), state.tobytes()) != (rows_c.tobytes(), state_c.tobytes()):
            out.append(number)
    return out


def hold(frames: int = FRAMES) -> tuple[layout.Record, layout.Block]:
    """Draw a hold as it is: noise, a slow loss, 0.03 % glitches, 0.03 % bad statuses, two probes and a gauge."""
    rng = np.random.default_rng(6)
    n = frames * RATE_SPS
    code = np.rint(400_000 - np.linspace(0, 2_000, n) + rng.normal(0, 30, n))
    code[rng.integers(0, n, n // 3000)] = 8388607.0
    status = np.zeros(n, np.uint8)
    status[rng.integers(0, n, n // 3000)] = 2
    good = np.zeros(frames, np.uint8)
    block = layout.Block(
        np.arange(frames, dtype=np.int64),
        np.arange(frames, dtype=np.float64),
        np.arange(frames + 1, dtype=np.int64) * RATE_SPS,
        code,
        status,
        11_131.0 + rng.integers(-10, 11, frames),
        good,
        8_300.0 + rng.integers(-5, 6, frames),
        good,
        50.0 + rng.normal(0, 1, frames),
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
        a, b = p[f"{where}_a"], p[f"{where}_b"]
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


def check_numpy(params: layout.Record, block: layout.Block, rows: layout.Record) -> None:
    """Fail where NumPy's sums are others than the fold's."""
    for name, told in in_numpy(params, block).items():
        # The last second has no row yet. A spread of 0.01 g about 100 g has four digits fewer than the mean.
        np.testing.assert_allclose(rows[name], told[:-1], rtol=1e-8 if name == "sd_g" else 1e-12, err_msg=name)


def main() -> None:
    """Compare, take the times, and say them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--write", action="store_true", help="write the section of docs/benchmarks.md")
    args = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        in_c = compiled(Path(name))
    assert not_in_c() == []
    assert differing(in_c, 200, 60) == []
    params, block = hold()
    start = layout.new_state()
    state, rows = kernel.advance(start, params, block)  # the kernel is compiled, or loaded, here
    state_c, rows_c = in_c(start, params, block)
    assert (state.tobytes(), rows.tobytes()) == (state_c.tobytes(), rows_c.tobytes())
    check_numpy(params, block, rows)
    frames = [cut(block, f, f + 1) for f in range(1000)]

    def one_by_one() -> None:
        s = start
        for frame in frames:
            s, _ = kernel.advance(s, params, frame)

    contest = {
        "fold (numba)": lambda: kernel.advance(start, params, block),
        "C, -O2 (same bits)": lambda: in_c(start, params, block),
        "NumPy (most sums)": lambda: in_numpy(params, block),
        "one by one": one_by_one,
    }
    took_s: dict[str, list[float]] = {name: [] for name in contest}
    for _ in range(args.rounds):
        for name, work in contest.items():
            t = time.thread_time()  # of the processor: other work on the machine is not in it
            work()
            took_s[name].append(time.thread_time() - t)
    single_s = min(took_s.pop("one by one"))
    c_s = took_s["C, -O2 (same bits)"]
    shown = []
    for name, times_s in took_s.items():
        ratio = float(np.median(np.divide(times_s, c_s)))
        shown.append((name, f"{min(times_s):.3f}", f"{min(times_s) * 1e9 / len(block.code):.1f}", f"{ratio:.2f}"))
    found = table(("", "seconds", "ns a sample", "against C"), *shown)
    found += (
        f"\n\nSeconds of the processor, the best of {args.rounds} rounds; against C in the same round, the median. "
    )
    found += f"One frame at a time,\nas the station folds: {single_s * 1e3:.0f} µs a second of measurement."
    SECTION.report(found, took_s=time.monotonic() - began, write=args.write)


if __name__ == "__main__":
    main()
