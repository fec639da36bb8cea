"""What storing costs: bytes written to the disk in an hour at 80 SPS, and of that database per sample.

The journal as the service drives it (a commit every 5 s, and at every event), beside a logger that commits a row per
sample with the same pragmas. What may fail here are the goals; times are said and never asserted. The folder must be on
the disk to be measured: on a tmpfs nothing is written. ``make storage`` writes docs/benchmarks.md;
``tests/bench/test_storage.py`` is the small form.
"""

from __future__ import annotations

import argparse
import math
import sqlite3
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from bench_report import Section, table
from written_run import begin

from edge.database import codec
from edge.database.journal import Journal
from edge.records.event import Event, NoteWritten
from edge.records.frame import Channel, Frames
from edge.records.second import Second

SECONDS, RATE_SPS, STEP_US = 3600, 80, 1000
LOGGED = 28_800
"""Rows of the other logger: about six minutes, counted ten times."""
LESS_WRITTEN, MORE_THAN_ENTROPY, BYTES_A_SAMPLE = 50.0, 1.2, 3.0
"""The goals."""
STEPS_US = (1, 100, 250, 500, 1000)
CHIPS = {"NAU7802": (61.0, 1.0), "HX711": (39.0, 1.16)}
"""Noise in codes rms at 80 SPS as the simulated chips have it, and how fast their oscillators are against 80 SPS."""


SECTION = Section(
    "storage",
    "## Storage",
    """
What an hour of hold at 80 SPS costs: the journal with the service's settings (WAL, `synchronous=FULL`, a commit every
5 s and at each event, here one every ten minutes), beside a logger that commits a row per sample with the same pragmas.
Codes are white noise as the simulated chips have it, with creep and a slow wander; samples are seen 0.06 ms late on
average; times are kept to 1 ms. Bytes written are the kernel's count for the process (`write_bytes` in `/proc/self/io`:
write-ahead log and checkpoints; not the file system's own journal). The database is the whole file after the last
checkpoint. The goals: 50 times fewer bytes written, raw chunks at most 1.2 times the entropy of the codes, 3 bytes a
sample.
""",
    """
- A microsecond of a time that is good to 1 % of a conversion is noise, and costs as much as the code itself.
- Of a chunk of 400 samples at 40 codes rms (438 bytes) about 60 are no code: the first value of everything 27, times
  18, header and checksum 8, probes and the rest 8 (counted once, on commit d8761c4).
""",
)


def hold(chip: str, *, step_us: int = STEP_US, seconds: int = SECONDS) -> Frames:
    """An hour of hold, or less: white noise, creep, the room's slow wander; samples seen 0.06 ms late, 0.2 % 1 ms."""
    noise_code, fast = CHIPS[chip]
    rng = np.random.default_rng(int(noise_code))
    period_us = 1e6 / RATE_SPS / fast
    t_us = 1_000 + period_us * np.arange(int(seconds * 1e6 / period_us) - 1)
    late_us = rng.exponential(60.0, len(t_us)) + (rng.random(len(t_us)) < 0.002) * rng.exponential(1_000.0, len(t_us))
    at_us = np.minimum((t_us + late_us).astype("<i8"), seconds * 1_000_000 - 1) // step_us * step_us
    slow = -80.0 * (1.0 - np.exp(-t_us / 1.2e9)) + 40.0 * np.sin(t_us / 4e8)
    good = np.zeros(seconds, "u1")

    def probe(code: float) -> Channel:
        return Channel(np.rint(code + rng.normal(0.0, 0.7, seconds)).astype("<u2"), good, good)

    return Frames(
        seq=np.arange(7200, 7200 + seconds, dtype="<i8"),
        t_ns=123_456_789_012_345 + np.arange(seconds, dtype="<i8") * 10**9,
        first=np.searchsorted(at_us, np.arange(seconds + 1) * 1_000_000).astype("<i8"),
        sample_us=(at_us % 1_000_000).astype("<i4"),
        code=np.rint(400_000.0 + slow + rng.normal(0.0, noise_code, len(at_us))).astype("<i4"),
        status=np.zeros(len(at_us), "u1"),
        oven=probe(11_131),
        cell=probe(8_300),
        gauge=Channel(np.zeros(seconds, "<u2"), good, good + 1),
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
    """The kind of file system that a folder is on."""
    mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text().splitlines()]
    return max((m for m in mounts if folder.resolve().is_relative_to(m[0])), key=lambda m: len(m[0]))[1]


@dataclass(frozen=True, slots=True)
class Cost:
    """What a stretch of a run cost: bytes written, the database's bytes, those of its raw chunks, and time."""

    samples: int
    written: int
    size: int
    raw: int
    took_s: float


def by_the_journal(path: Path, frames: Frames) -> Cost:
    """Store the frames as the station does."""
    rng = np.random.default_rng(1)
    before, start = written_bytes(), time.perf_counter()
    with Journal(path) as journal:
        run = begin(journal, batch_s=5)
        for f in range(len(frames)):
            frame = frames.cut(f, f + 1)
            mass_g, temp_c, zero_code = 100.0 + rng.normal(0, 1e-3), 120.0 + rng.normal(0, 0.02), rng.normal(3e5, 5)
            row = Second(
                7200 + f, 7200.0 + f, len(frame.code), 0, 0, 0, mass_g, abs(rng.normal(0.01, 1e-3)), zero_code,
                temp_c, 30.0 + rng.normal(0, 0.02), math.nan, 1, float(f), rng.normal(0.1, 1e-3), rng.normal(0, 1e-3),
            )  # fmt: skip
            events = [Event(7200 + f, 7200.0 + f, NoteWritten("one every ten minutes"))] if f % 600 == 300 else []
            run.raw(frame)
            run.derived([row], ["hold"], events, 1.75e9 + f)
        run.commit(1.75e9)
    took_s = time.perf_counter() - start
    db = sqlite3.connect(path)
    raw = db.execute("select sum(length(raw)) from chunks").fetchone()[0]
    db.close()
    return Cost(len(frames.code), written_bytes() - before, path.stat().st_size, raw, took_s)


def by_a_row_a_sample(path: Path, frames: Frames, rows: int = LOGGED) -> Cost:
    """Store so many samples as a logger with a row a sample does, and multiply."""
    before, start = written_bytes(), time.perf_counter()
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("pragma journal_mode = wal")
    db.execute("pragma synchronous = full")
    db.execute("create table samples (t_ns integer, code integer, status integer)")
    frame = np.repeat(np.arange(len(frames)), np.diff(frames.first))[:rows]
    t_ns = frames.t_ns[frame] + frames.sample_us[:rows].astype("<i8") * 1000
    for values in zip(t_ns.tolist(), frames.code[:rows].tolist(), frames.status[:rows].tolist(), strict=True):
        db.execute("insert into samples values (?, ?, ?)", values)
    db.close()
    times = len(frames.code) / rows
    written, took_s = written_bytes() - before, time.perf_counter() - start
    return Cost(len(frames.code), round(written * times), round(path.stat().st_size * times), 0, took_s * times)


def bits_at(chip: str, step_us: int, seconds: int = 600) -> float:
    """Bits a sample of chunks of 5 s whose times are kept to so many µs."""
    frames = hold(chip, step_us=step_us).cut(0, seconds)
    sizes = [len(codec.encode(frames.cut(at, at + 5))) for at in range(0, seconds, 5)]
    return sum(sizes) * 8 / len(frames.code)


def chunk_times_ms() -> tuple[float, float, int]:
    """Encode an hour of chunks of 5 s and decode six hours of them: ms a chunk each, and how many were decoded."""
    frames = hold("NAU7802")
    chunks = [frames.cut(at, at + 5) for at in range(0, SECONDS, 5)]
    codec.decode(codec.encode(chunks[0]))  # the kernel is compiled, or loaded, here
    start = time.perf_counter()
    blobs = [codec.encode(chunk) for chunk in chunks]
    encoded = time.perf_counter()
    for blob in blobs * 6:
        codec.decode(blob)
    decoded = time.perf_counter()
    return (encoded - start) / len(blobs) * 1e3, (decoded - encoded) / len(blobs) / 6 * 1e3, len(blobs) * 6


def column(chip: str, folder: Path) -> list[str]:
    """Store an hour of one chip both ways, hold the goals, and get the table's column."""
    frames = hold(chip)
    ours = by_the_journal(folder / f"{chip}-journal.db", frames)
    theirs = by_a_row_a_sample(folder / f"{chip}-rows.db", frames)
    n, bits = ours.samples, ours.raw * 8 / ours.samples
    codes, differences = entropy_bits(frames.code), entropy_bits(np.diff(frames.code))
    noise = math.log2(CHIPS[chip][0] * math.sqrt(2 * math.pi * math.e))
    assert theirs.written >= LESS_WRITTEN * ours.written
    assert bits <= MORE_THAN_ENTROPY * codes
    assert ours.size <= BYTES_A_SAMPLE * n
    return [
        f"{n:,}",
        f"{CHIPS[chip][0]:.0f}",
        f"{ours.written / 1e6:.1f} MB",
        f"{theirs.written / 1e6:,.0f} MB",
        f"{theirs.written / ours.written:.0f}",
        f"{ours.size / n:.2f}",
        f"{theirs.size / n:.1f}",
        f"{bits:.2f}",
        f"{codes:.2f}",
        f"{bits / codes:.3f}",
        f"{differences:.2f}",
        f"{noise:.2f}",
        f"{bits / noise:.3f}",
        f"{ours.took_s:.0f} s / {theirs.took_s / 60.0:.0f} min",
    ]


ROWS = (
    "samples",
    "noise, codes rms",
    "**written by the journal**",
    "written by a row a sample",
    "times less",
    "**database, bytes a sample**",
    "of a row a sample",
    "**raw chunks, bits a sample**",
    "entropy of the hour's codes, bits",
    "… chunks against it",
    "of their differences",
    "of the noise alone (normal, known)",
    "… chunks against it",
    "time, journal / a row a sample",
)


def main() -> None:
    """Store, and say what it cost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path(), help="on the disk to be measured (here)")
    parser.add_argument("--write", action="store_true", help="write the section of docs/benchmarks.md")
    args = parser.parse_args()
    kind = file_system(args.folder)
    if kind in ("tmpfs", "ramfs"):
        raise SystemExit(f"{args.folder} is in memory: give --folder, a folder on a disk")
    began = time.monotonic()
    with tempfile.TemporaryDirectory(dir=args.folder) as name:
        columns = [column(chip, Path(name)) for chip in CHIPS]
    found = (
        f"On {kind}, SQLite {sqlite3.sqlite_version}; the other logger ran {LOGGED:,} samples, and is multiplied:\n\n"
    )
    found += table(("", *CHIPS), *zip(ROWS, *columns, strict=True))
    found += "\n\nWhat the times of samples cost, in bits a sample of the whole chunk (5 s at 80 SPS):\n\n"
    kept = [f"{step} µs" if step < 1000 else f"{step // 1000} ms" for step in STEPS_US]
    shown = [(chip, *(f"{bits_at(chip, step):.2f}" for step in STEPS_US)) for chip in CHIPS]
    encode_ms, decode_ms, chunks = chunk_times_ms()
    found += table(("times kept to", *kept), *shown)
    found += (
        f"\n\nEncoding 5 s takes {encode_ms:.2f} ms, decoding {decode_ms:.2f} ms; the {chunks} chunks of six hours are "
    )
    found += f"decoded in {decode_ms * chunks / 1e3:.2f} s."
    SECTION.report(found, took_s=time.monotonic() - began, write=args.write)


if __name__ == "__main__":
    main()
