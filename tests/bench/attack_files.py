"""CSVs, TOMLs and JSONs of somebody who means harm, through the commands that read them.

Good files are spoiled at random (bits, bytes, lines, numbers, nesting, lengths), some are made by hand, and a few are
no files at all. ``tests/bench/test_attack.py`` is the small form.
"""

from __future__ import annotations

import os
import random
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from attacked import Surface, Tally, command, forked
from made_up_recordings import example_certificate
from repository import ROOT

CSVS, TOMLS = 5000, 5000
SHIPPED = ROOT / "edge" / "standards" / "gbt-48093-1-2026.toml"
SETTINGS = """
[bridge]
chip = "nau7802"
[oven_probe]
wires = 4
ref_ohm = 430.0
mains_hz = 50
[test]
standard = "gbt-48093-1-2026"
"""
NASTY = (
    *("\x1b[2J", "\x1b]0;owned\x07", "\u202e", "\u2028", "\x00", "\x9b31m", "\ufeff", "\r", "\u3000"),
    *("nan", "inf", "-1e308", "1e-320", "9" * 400, "1" * 5000, "0x7fffffffffffffff", "1979-05-27T07:32:00Z"),
    *('"', "'", "=", "{" * 500, "[" * 500, ".".join("ab") * 400, ",,,,", ";\t;", "'''", '"""', "\\u0000"),
    *("﷽" * 50, "👩‍🔬", "%n%s", "status,status", "=cmd|' /C calc'!A0"),
)


def spoiled(random_: random.Random, good: bytes) -> bytes:
    """Get a good file with a few things wrong."""
    data = bytearray(good)
    for _ in range(random_.choice((1, 1, 2, 5, 40))):
        at = random_.randrange(len(data) + 1)
        match random_.randrange(7):
            case 0 if data:
                data[at % len(data)] ^= 1 << random_.randrange(8)
            case 1:
                data[at:at] = random_.choice(NASTY).encode("utf-8", "surrogatepass")
            case 2:
                del data[at : at + random_.choice((1, 3, 30, 3000))]
            case 3:
                piece = data[at : at + random_.choice((3, 40, 400))]
                data[at:at] = piece * random_.choice((1, 2, 50))
            case 4:
                data[at:at] = random_.randbytes(random_.choice((1, 8, 200)))
            case 5:
                lines = bytes(data).split(b"\n")
                i = random_.randrange(len(lines))
                cells = lines[i].split(b",")
                cells[random_.randrange(len(cells))] = random_.choice(NASTY).encode()
                lines[i] = b",".join(cells)
                data = bytearray(b"\n".join(lines))
            case _:
                lines = bytes(data).split(b"\n")
                random_.shuffle(lines)
                data = bytearray(b"\n".join(lines))
    return bytes(data[:2_000_000])


def by_hand_toml() -> Iterator[bytes]:
    """Get TOMLs that were found to cost a lot, or to be shown as they are."""
    yield (".".join("a" * 10_000) + " = 1").encode()
    yield (".".join('"="' for _ in range(10_000)) + " = 1").encode()
    yield b"a = " + b"[" * 100_000
    yield b"a = " + b"{b=" * 100_000
    yield b'"' + b'\\"' * 400_000
    yield b"x = 1\n" * 100_000
    yield b"x" * 2_000_000
    yield b'title = "\x1b[2J\xe2\x80\xae"'
    yield b'"\x1b]0;owned\x07" = 1\n'
    yield b"[[a]]\n" * 100_000
    yield b"\xff\xfe[\x00a\x00]\x00"


def by_hand_csv() -> Iterator[bytes]:
    """Get CSVs that are large, narrow, or shown as they are."""
    head = b"t_s,mass_g,temp_c\n"
    yield b"," * 1_900_000
    yield head + b'"' + b"x" * 1_900_000
    yield head + b"0,1,2\n" * 100_000
    yield "t_s,mass_g,\x1b[31mtemp\u202e\n0,1,2\n".encode()
    yield head + b"0," + b"9" * 1_000_000 + b",20\n"
    yield head + b"1e9,1,20\n9e18,1,20\n"
    yield head + b"\x00" * 100_000
    yield b"\xff\xfe" + "t_s,mass_g,temp_c\n0,1,2\n".encode("utf-16-le")
    yield head + b"\n" * 1_900_000


def attack(scale: float, seed: int) -> list[Tally]:
    """Try them all. Returns a tally for each kind of file."""
    rows = "".join(
        f"{i},{100.0 - i * 1e-5 + (i % 7) * 1e-4:.4f},{120.0 + i % 3 * 0.1:.1f}\n" for i in range(0, 9000, 60)
    )
    csv = ("t_s,mass_g,temp_c\n" + rows).encode()
    certificate = example_certificate().encode()
    standard = SHIPPED.read_bytes()
    _import_what_they_need(csv)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        budget = ("budget", "--sample-mass", "100")
        good = str(folder / "good-certificate")
        return [
            _tried(folder / "x.csv", "CSV: `replay`", csv, by_hand_csv(), int(CSVS * scale), seed, _replay),
            _tried(
                folder / "s.toml",
                "standard: `budget --standard`",
                standard,
                by_hand_toml(),
                int(TOMLS * scale * 0.4),
                seed + 1,
                lambda p: command(*budget, "--standard", str(p), "--certificate", good),
            ),
            _tried(
                folder / "c.toml",
                "certificate: `budget --certificate`",
                certificate,
                by_hand_toml(),
                int(TOMLS * scale * 0.3),
                seed + 2,
                lambda p: command(*budget, "--certificate", str(p)),
            ),
            _tried(
                folder / "h.toml",
                "settings: `check-config`",
                SETTINGS.encode(),
                by_hand_toml(),
                int(TOMLS * scale * 0.3),
                seed + 3,
                lambda p: command("check-config", str(p), "--json"),
            ),
            _no_files(folder),
        ]


def _replay(path: Path) -> Callable[[], None]:
    return command("replay", str(path), "--json")


def _tried(
    path: Path,
    what: str,
    good: bytes,
    by_hand: Iterator[bytes],
    n: int,
    seed: int,
    made: Callable[[Path], Callable[[], None]],
) -> Tally:
    tally = Tally(what)
    (path.parent / "good-certificate").write_text(example_certificate(), encoding="utf-8")
    for i, data in enumerate(by_hand):
        path.write_bytes(data)
        tally.add(forked(made(path)), f"by hand, number {i}", lost=path.read_bytes() != data)
    for i in range(n):
        data = spoiled(random.Random(f"{seed}/{i}"), good)
        path.write_bytes(data)
        tally.add(forked(made(path)), f"spoiled('{seed}/{i}')", lost=path.read_bytes() != data)
    return tally


def _no_files(folder: Path) -> Tally:
    """Try what is no regular file: a FIFO, a folder, a device, a link into nothing, a name that is too long."""
    tally = Tally("no regular file, or a name that drives a terminal")
    fifo, link, unprintable = folder / "fifo", folder / "link", folder / "\x1b[2J\u202e.csv"
    unprintable.write_text("t_s,mass_g,temp_c\n0,1,20\n", encoding="utf-8")
    os.mkfifo(fifo)
    link.symlink_to(folder / "nothing")
    devices = map(Path, ("/dev/zero", "/dev/tty", "/dev/null", "/proc/self/mem", "/proc/kmsg"))
    for path in (fifo, folder, link, unprintable, folder / ("x" * 300), *devices):
        for words in (
            ("replay", str(path)),
            ("replay", str(folder / "x.csv"), "--standard", str(path)),
            ("budget", "--sample-mass", "100", "--certificate", str(path)),
            ("check-config", str(path), "--json"),
            ("demo", "--night", str(path), "--out", str(folder / "demo")),
        ):
            tally.add(forked(command(*words)), f"halfpercent {words!r}")
    return tally


def _import_what_they_need(csv: bytes) -> None:
    """Import and compile here, once: what is forked from here has it."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "x.csv"
        path.write_bytes(csv)
        from edge.records.sample import Sample
        from edge.replay.judge import ReplayOrder, replay
        from edge.replay.recording import read
        from edge.standards.standard import load_standard

        order = ReplayOrder(load_standard(SHIPPED.stem), None, weigh="cold", sample=Sample("x"), wall_s=1.75e9)
        replay(read(path, columns={}, use_counts=False), order, None)


SURFACE = Surface(
    "files",
    "CSV, TOML and what is no file",
    """
Recordings, standards, certificates and settings, spoiled at random (bits, bytes, lines, cells, nesting, lengths) or
made by hand, each read by the command that reads it, in a process of its own. The peak of memory is that of a process
that has the compiler loaded, as `replay` has; the other commands have some 100 MB less.
""",
    attack,
    packages=("numba", "msgspec"),
)
SECTION = SURFACE.section()
