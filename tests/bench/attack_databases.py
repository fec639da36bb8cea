"""Databases of somebody who means harm, through every command that reads one, and one that writes.

Each is read by every command that reads one and by ``replay --blank``, and ``replay --db`` is told to write into it.
Reading must leave it as it is, byte for byte; what was in it must be there after the writing too. Beside it lie the
seals of its rig.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import multiprocessing
import random
import sqlite3
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from attacked import Surface, Tally, command, forked, warm_up
from forged_databases import FORGED
from hostile_databases import KINDS, copy_to, good
from made_up_recordings import write as write_csv

ALL = KINDS | FORGED
SMALL = 0.005
"""Below this scale each kind is read by one group of commands, each database by three of them, and not by all."""
GROUPS = 3
PROOF = {"most_s": 10.0, "most_mb": 300.0}
"""What a run's proof may take."""
ANSWERED = frozenset((3, 4, 5, 6))
"""``verify``'s own exit statuses: each is an answer, said on standard output."""


def sealed(path: Path) -> None:
    """Make a good database with one sealed run, and its rig's seals beside it."""
    from edge.seal.key import make_key
    from edge.seal.sealing import begin_log, seal_run

    good(path)
    begin_log(make_key(path.parent / "seal", "rig"))
    assert seal_run(path, 2, 1.8e9) is not None


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
        "report 2 --format html": ("report", "2", "--format", "html", *at),
        "trends": ("trends", "--json", *at),
        "service-report": ("service-report", str(path)),
        "series": ("series", "S", *at),
        "metrics": ("metrics", "--socket", "/nothing", *at),
        "checkpoint": ("checkpoint", *at),
        "bundle": ("bundle", "--config", "/nothing", "-o", f"{path}.zip", *at),
        "export csv": ("export", "2", "-o", f"{path}.csv", *at),
        "doctor": ("doctor", "--json", "--config", "/nothing", *at),
    }


def folding(path: Path, csv: Path) -> dict[str, tuple[str, ...]]:
    """Get the commands that fold a recording, and write what came of it into the database."""
    at = ("replay", str(csv), "--json", "--db", str(path))
    return {"replay --blank": (*at, "--blank", "2"), "replay --db": at}


def proving(path: Path) -> dict[str, tuple[str, ...]]:
    """Get the commands that compute a run anew, or pack it for others to do so."""
    at = ("--db", str(path))
    return {"verify": ("verify", "2", *at), "export eln": ("export", "2", "-o", f"{path}.eln", *at)}


def attack(scale: float, seed: int) -> list[Tally]:
    """Try them all. Returns a tally for each kind of database, and one of ``verify`` and ``export``.

    Each group of commands is forked from a process of its own, so that what one needs is not counted for another.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        original, csv, path = folder / "made" / "original.db", folder / "x.csv", folder / "hostile" / "halfpercent.db"
        original.parent.mkdir()
        path.parent.mkdir()
        # In a child, as is all that prepares: what it takes is not counted for the commands after it.
        made = forked(lambda: sealed(original), cpu_s=300, kill_s=600.0)
        assert made.status == 0, made.err
        write_csv(csv, [(float(t), 100.0 - t * 1e-6, 120.0 + t % 3 * 0.1) for t in range(0, 9000, 60)])
        tallies = {kind: Tally(kind) for kind in ALL}
        proved = Tally("all of them, by `verify` and `export` (300 MB)")
        for group in (
            _Group(
                0, light(path), ("edge.cli.main", "edge.database.queries", "edge.report.text", "edge.doctor.machine")
            ),
            _Group(
                1, folding(path, csv), ("edge.cli.main", "edge.replay.judge", "edge.database.journal"), compiles=True
            ),
            _Group(2, proving(path), ("edge.cli.main", "edge.evidence.package", "edge.evidence.verify"), compiles=True),
        ):
            with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("fork")) as process:
                for found in process.submit(_try_all, group, original, path, scale, seed).result():
                    (proved if "verify" in group.commands else tallies[found.what]).join(found)
        return [*tallies.values(), proved]


@dataclass(frozen=True)
class _Group:
    """Commands that need the same modules."""

    number: int
    commands: dict[str, tuple[str, ...]]
    modules: tuple[str, ...]
    compiles: bool = False


def _try_all(group: _Group, original: Path, path: Path, scale: float, seed: int) -> list[Tally]:
    for module in group.modules:
        importlib.import_module(module)
    if group.compiles:
        warm_up()
    tallies = [Tally(kind) for kind in ALL]
    for i, tally in enumerate(tallies):
        if scale < SMALL and (i + seed) % GROUPS != group.number:
            continue
        _try(tally, group.commands, original, path, scale, seed)
    return tallies


def _try(
    tally: Tally, commands: dict[str, tuple[str, ...]], original: Path, path: Path, scale: float, seed: int
) -> None:
    spoil, n = ALL[tally.what]
    for i in range(max(1, int(n * scale))):
        fresh = False
        few = sorted(random.Random(f"{tally.what}/{seed}/{i}").sample(sorted(commands), min(3, len(commands))))
        for told in commands if scale >= SMALL else few:
            words = commands[told]
            writes = words[0] == "replay"
            if writes or not fresh:
                copy_to(path, original)
                spoiling = partial(spoil, path, random.Random(f"{seed}/{i}"))
                spoilt = forked(spoiling, cpu_s=60, kill_s=300.0)
                assert spoilt.status == 0, (tally.what, i, spoilt)
                before, rows, fresh = _digest(path), _rows(path), True
            ended = forked(command(*words), **(PROOF if words[0] in ("verify", "export") else {}))
            lost = not rows <= _rows(path) if writes else _digest(path) != before
            failed = not (ended.one_line or (words[0] == "verify" and ended.status in ANSWERED and not ended.err))
            tally.add(ended, f"{tally.what}, seed {seed}/{i}, {told}", lost=lost, failed=failed)


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


SURFACE = Surface(
    "databases",
    "Hostile databases",
    """
Each is read by `runs`, `report` (text, JSON, HTML), `compare`, `trends`, `service-report`, `series`, `metrics`,
`checkpoint`, `bundle`, `doctor`, `export` (CSV, eln), `verify` and `replay --blank`, and `replay --db` is told to write
into it; each in a process of its own that is forked from one in which all is imported. The rig's seals lie beside it.
"Lost" counts a reading that changed a byte of the file, and a writing after which a run or a chunk is gone that
was there.
""",
    attack,
    packages=("numba", "sqlite-utils"),
)
SECTION = SURFACE.section()
