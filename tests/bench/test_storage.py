"""What storing costs: bytes written to the disk in an hour at 80 SPS, and of that database per sample.

The journal as the service drives it (a commit every 5 s, and at every event), beside a logger that commits a row per
sample with the same pragmas. Times are printed and never asserted; what may fail here are the goals of issue 5. Set
HALFPERCENT_BENCH_DIR to a folder on the disk to be measured: on a tmpfs nothing is written.
"""

from __future__ import annotations

import math
import os
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from written_run import begin

from edge.database import codec
from edge.database.journal import Journal
from edge.records.event import Event
from edge.records.frame import Channel, Frames
from edge.records.second import Second

SECONDS, RATE_SPS, STEP_US = 3600, 80, 1000
LOGGED = 28_800  # rows of the other logger: six minutes, counted ten times
CHIPS = {"NAU7802": (61.0, 1.0), "HX711": (39.0, 1.16)}
"""Noise in codes rms at 80 SPS as the simulated chips have it, and how fast their oscillators are against 80 SPS."""


def an_hour(noise_code: float, fast: float, *, step_us: int = STEP_US) -> Frames:
    """An hour of hold: white noise, creep, the room's slow wander; samples seen 0.06 ms late on average, 0.2 % 1 ms."""
    rng = np.random.default_rng(int(noise_code))
    period_us = 1e6 / RATE_SPS / fast
    t_us = 1_000 + period_us * np.arange(int(SECONDS * 1e6 / period_us) - 1)
    late_us = rng.exponential(60.0, len(t_us)) + (rng.random(len(t_us)) < 0.002) * rng.exponential(1_000.0, len(t_us))
    at_us = np.minimum((t_us + late_us).astype("<i8"), SECONDS * 1_000_000 - 1) // step_us * step_us
    slow = -80.0 * (1.0 - np.exp(-t_us / 1.2e9)) + 40.0 * np.sin(t_us / 4e8)
    good = np.zeros(SECONDS, "u1")

    def probe(code: float) -> Channel:
        return Channel(np.rint(code + rng.normal(0.0, 0.7, SECONDS)).astype("<u2"), good, good)

    return Frames(
        seq=np.arange(7200, 7200 + SECONDS, dtype="<i8"),
        t_ns=123_456_789_012_345 + np.arange(SECONDS, dtype="<i8") * 10**9,
        first=np.searchsorted(at_us, np.arange(SECONDS + 1) * 1_000_000).astype("<i8"),
        sample_us=(at_us % 1_000_000).astype("<i4"),
        code=np.rint(400_000.0 + slow + rng.normal(0.0, noise_code, len(at_us))).astype("<i4"),
        status=np.zeros(len(at_us), "u1"),
        oven=probe(11_131),
        cell=probe(8_300),
        gauge=Channel(np.zeros(SECONDS, "<u2"), good, good + 1),
    )


def entropy_bits(values: np.ndarray) -> float:
    """Shannon's entropy of the values as they are counted, in bits a value."""
    share = np.unique(values, return_counts=True)[1] / len(values)
    return float(-np.sum(share * np.log2(share)))


def written_bytes() -> int:
    """What this process has had written to disks so far."""
    fields = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(fields["write_bytes"])


def file_system(folder: Path) -> str:
    mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text().splitlines()]
    return max((m for m in mounts if folder.resolve().is_relative_to(m[0])), key=lambda m: len(m[0]))[1]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    at = Path(os.environ.get("HALFPERCENT_BENCH_DIR", tmp_path))
    if file_system(at) in ("tmpfs", "ramfs"):
        pytest.skip(f"{at} is in memory: set HALFPERCENT_BENCH_DIR to a folder on a disk")
    return at


@dataclass(frozen=True, slots=True)
class Cost:
    """What an hour cost."""

    samples: int
    written: int
    size: int
    raw: int
    seconds_s: float


def by_the_journal(path: Path, frames: Frames) -> Cost:
    rng = np.random.default_rng(1)
    before, start = written_bytes(), time.perf_counter()
    with Journal(path) as journal:
        run = begin(journal, batch_s=5)
        for f in range(SECONDS):
            frame = frames.cut(f, f + 1)
            mass_g, temp_c, zero_code = 100.0 + rng.normal(0, 1e-3), 120.0 + rng.normal(0, 0.02), rng.normal(3e5, 5)
            row = Second(
                7200 + f, 7200.0 + f, len(frame.code), 0, 0, 0, mass_g, abs(rng.normal(0.01, 1e-3)), zero_code,
                temp_c, 30.0 + rng.normal(0, 0.02), math.nan, 1, float(f), rng.normal(0.1, 1e-3), rng.normal(0, 1e-3),
            )  # fmt: skip
            events = [Event(7200 + f, 7200.0 + f, "note", {"text": "one every ten minutes"})] if f % 600 == 300 else []
            run.raw(frame)
            run.derived([row], ["hold"], events, 1.75e9 + f)
        run.commit(1.75e9)
    took_s = time.perf_counter() - start
    db = sqlite3.connect(path)
    raw = db.execute("select sum(length(raw)) from chunks").fetchone()[0]
    db.close()
    return Cost(len(frames.code), written_bytes() - before, path.stat().st_size, raw, took_s)


def by_a_row_a_sample(path: Path, frames: Frames) -> Cost:
    before, start = written_bytes(), time.perf_counter()
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("pragma journal_mode = wal")
    db.execute("pragma synchronous = full")
    db.execute("create table samples (t_ns integer, code integer, status integer)")
    frame = np.repeat(np.arange(SECONDS), np.diff(frames.first))[:LOGGED]
    t_ns = frames.t_ns[frame] + frames.sample_us[:LOGGED].astype("<i8") * 1000
    for values in zip(t_ns.tolist(), frames.code[:LOGGED].tolist(), frames.status[:LOGGED].tolist(), strict=True):
        db.execute("insert into samples values (?, ?, ?)", values)
    db.close()
    times = len(frames.code) / LOGGED
    written, took_s = written_bytes() - before, time.perf_counter() - start
    return Cost(len(frames.code), round(written * times), round(path.stat().st_size * times), 0, took_s * times)


@pytest.mark.parametrize("chip", CHIPS)
def test_an_hour_at_80_samples_a_second(folder: Path, tmp_path: Path, chip: str) -> None:
    frames = an_hour(*CHIPS[chip])
    name = f"halfpercent-bench-{os.getpid()}-{chip}"
    paths = [folder / f"{name}-{which}.db" for which in ("journal", "rows")]
    try:
        ours, theirs = by_the_journal(paths[0], frames), by_a_row_a_sample(paths[1], frames)
    finally:
        for path in paths:
            path.unlink(missing_ok=True)
    n = ours.samples
    zero, first = entropy_bits(frames.code), entropy_bits(np.diff(frames.code))
    noise = math.log2(CHIPS[chip][0] * math.sqrt(2 * math.pi * math.e))
    bits = ours.raw * 8 / n
    print(f"\n\n{chip}: an hour, {n} samples, on {file_system(folder)}")
    less = theirs.written / ours.written
    print(f"| written, journal / a row a sample | {ours.written:,} / {theirs.written:,}: {less:.0f} times less |")
    print(f"| database, bytes a sample          | {ours.size / n:.2f} (a row a sample: {theirs.size / n:.1f}) |")
    print(f"| raw chunks, bits a sample         | {bits:.2f} |")
    print(f"| entropy of the codes              | {zero:.2f}: {bits / zero:.3f} times |")
    print(f"| of their differences              | {first:.2f}: {bits / first:.3f} times |")
    print(f"| of the noise alone                | {noise:.2f}: {bits / noise:.3f} times |")
    print(f"| time, journal / a row a sample    | {ours.seconds_s:.1f} s / {theirs.seconds_s:.0f} s |")
    assert theirs.written >= 50 * ours.written
    assert bits <= 1.2 * zero
    assert ours.size <= 3 * n


@pytest.mark.parametrize("step_us", [1, 100, 250, 500, 1000])
@pytest.mark.parametrize("chip", CHIPS)
def test_what_the_times_of_samples_cost(chip: str, step_us: int) -> None:
    frames = an_hour(*CHIPS[chip], step_us=step_us).cut(0, 600)
    sizes = [len(codec.encode(frames.cut(at, at + 5))) for at in range(0, 600, 5)]
    assert sum(sizes) > 0
    print(f"\n{chip}, times kept to {step_us} µs: {sum(sizes) * 8 / len(frames.code):.2f} bits a sample", end="")


def test_how_fast_chunks_are_made_and_read() -> None:
    frames = an_hour(*CHIPS["NAU7802"])
    chunks = [frames.cut(at, at + 5) for at in range(0, SECONDS, 5)]
    codec.decode(codec.encode(chunks[0]))  # the kernel is compiled, or loaded, here
    start = time.perf_counter()
    blobs = [codec.encode(chunk) for chunk in chunks]
    encoded = time.perf_counter()
    for blob in blobs * 6:
        codec.decode(blob)
    decoded = time.perf_counter()
    print(f"\n\n5 s at 80 SPS: encode {(encoded - start) / len(blobs) * 1e3:.2f} ms", end="")
    print(f", decode {(decoded - encoded) / len(blobs) / 6 * 1e3:.2f} ms; six hours of them: {decoded - encoded:.2f} s")
    assert len(blobs) * 6 == 4320
