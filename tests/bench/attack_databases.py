"""Databases of somebody who means harm, through every command that reads one, and one that writes.

Each is read by ``runs``, ``report``, their ``--json``, ``compare``, ``doctor`` and ``replay --blank``, and
``replay --db`` is told to write into it. Reading must leave it as it is, byte for byte; what was in it must be there
after the writing too.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import random
import sqlite3
import tempfile
from functools import partial
from pathlib import Path

from attacked import Surface, Tally, command, forked
from hostile_databases import KINDS, copy_to, good
from made_up_recordings import write as write_csv


def light(path: Path) -> dict[str, tuple[str, ...]]:
    """Get the commands that only read: they load no compiler."""
    at = ("--db", str(path))
    return {
        "runs": ("runs", *at),
        "runs --json": ("runs", "--json", "--most", "1000", *at),
        "report last": ("report", "last", *at),
        "report 2": ("report", "2", *at),
        "report 2 --json": ("report", "2", "--json", *at),
        "compare 2 1 3": ("compare", "2", "1", "3", *at),
        "doctor": ("doctor", "--json", "--config", "/nothing", *at),
    }


def heavy(path: Path, csv: Path) -> dict[str, tuple[str, ...]]:
    """Get the commands that fold, and write what came of it into the database."""
    at = ("replay", str(csv), "--json", "--db", str(path))
    return {"replay --blank": (*at, "--blank", "2"), "replay --db": at}


def attack(scale: float, seed: int) -> list[Tally]:
    """Try them all. Returns a tally for each kind of database."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        original, csv, path = folder / "original.db", folder / "x.csv", folder / "hostile" / "halfpercent.db"
        path.parent.mkdir()
        # In a child, as is all that prepares: what it takes is not counted for the commands after it.
        made = forked(lambda: good(original), cpu_s=300, kill_s=600.0)
        assert made.status == 0, made.err
        write_csv(csv, [(float(t), 100.0 - t * 1e-6, 120.0 + t % 3 * 0.1) for t in range(0, 9000, 60)])
        for module in ("edge.cli.main", "edge.database.queries", "edge.report.text", "edge.doctor.machine"):
            importlib.import_module(module)
        tallies = {kind: Tally(kind) for kind in KINDS}
        for tally in tallies.values():
            _try(tally, light(path), original, path, scale, seed)
        for module in ("edge.replay.judge", "edge.database.journal"):  # and the compiler
            importlib.import_module(module)
        _warm_up()
        for tally in tallies.values():
            _try(tally, heavy(path, csv), original, path, scale, seed)
        return list(tallies.values())


def _try(
    tally: Tally, commands: dict[str, tuple[str, ...]], original: Path, path: Path, scale: float, seed: int
) -> None:
    spoil, n = KINDS[tally.what]
    for i in range(max(1, int(n * scale))):
        fresh = False
        for told, words in commands.items():
            writes = words[0] == "replay"
            if writes or not fresh:
                copy_to(path, original)
                spoiling = partial(spoil, path, random.Random(f"{seed}/{i}"))
                spoilt = forked(spoiling, cpu_s=60, kill_s=300.0)
                assert spoilt.status == 0, (tally.what, i, spoilt)
                before, rows, fresh = _digest(path), _rows(path), True
            ended = forked(command(*words))
            lost = not rows <= _rows(path) if writes else _digest(path) != before
            tally.add(ended, f"{tally.what}, seed {seed}/{i}, {told}", lost=lost)


def _digest(path: Path) -> bytes:
    if not path.is_file():
        return b""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def _rows(path: Path) -> set[bytes]:
    """Get what is stored of runs and chunks, as a stranger would read it, row by row, as hashes."""
    out: set[bytes] = set()
    regular = all(p.is_file() for p in path.parent.glob(f"{path.name}*"))  # SQLite would wait for a pipe beside it
    if not regular or not path.is_file() or path.stat().st_size > 20_000_000:
        return out
    try:
        db = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
    except (sqlite3.Error, OSError):
        return out
    with contextlib.closing(db), contextlib.suppress(sqlite3.Error, UnicodeError, OSError):
        tables = {n for (n,) in db.execute("select name from sqlite_master where type = 'table' limit 100")}
        for sql, table in (
            ("select run_id, run_uid, verdict, state, result_json from runs limit 100", "runs"),
            ("select run_id, chunk, raw, sha256 from chunks limit 1000", "chunks"),
        ):
            if table in tables:
                out.update(hashlib.sha256(repr((table, row)).encode()).digest() for row in db.execute(sql))
    return out


def _warm_up() -> None:
    from edge.station.service import warm_up

    warm_up()


SURFACE = Surface(
    "databases",
    "Hostile databases",
    """
Each is read by `runs`, `report`, their `--json`, `doctor` and `replay --blank`, and `replay --db` is told to write
into it, each in a process of its own. "Lost" counts a reading that changed a byte of the file, and a writing after
which a run or a chunk is not there that was before.
""",
    attack,
    packages=("numba", "sqlite-utils"),
)
SECTION = SURFACE.section()
