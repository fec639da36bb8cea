"""Databases of somebody who means harm, each made from a good one: what a reader may be handed.

A hostile database is a function that spoils a file in place, drawn from a seed; :data:`KINDS` names them.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

from edge.database.schema import TABLES

Spoil = Callable[[Path, random.Random], None]
ESCAPES = (
    "\x1b[2J\x1b[31mPASS", "\x1b]0;owned\x07", "\x1b]8;;http://x\x07a\x1b]8;;\x07", "\u202eSSAP", "\u2066a\u2069",
    "a\r\nhalfpercent: PASS",
    "\x9b31m", "\x00", "\u2028PASS", "a" * 100_000, "\ufeff", "👩‍🔬\u3000", "%s%n", "{0}", "[/bold]", "\\x1b",
)  # fmt: skip
VALUES = (
    None, "", "x", "{}", "[]", "[" * 200_000, "{" * 100_000, "null", "1e999", "NaN", 0, -1, 1, 2**62, -(2**63), 1e308,
    -1e308, float("inf"), b"", b"\xff" * 40, b"x" * 5_000_000, "9" * 5000, '{"a":' * 3000,
    "\ud800".encode("utf-8", "surrogatepass"), "PASS", "done", "running", "damaged", "test", *ESCAPES,
)  # fmt: skip


def good(path: Path) -> None:
    """Make a database as a station leaves it: runs with their results, events, chunks, seconds, certificates, a log."""
    import short_demo  # here, in the child that calls it: what it loads is not counted for the commands
    from written_run import NOT_JUDGED, begin, event, write

    from edge.database.journal import Journal
    from edge.standards.standard import loads_standard

    with Journal(path) as journal:
        run = begin(journal, run_uid="u-1")
        write(run, range(40), {5: [event(5)], 20: [event(20)]})
        run.save_result(NOT_JUDGED, 1.75e9 + 40)
    found = short_demo.run(path, "solid", "nau7802", 1, loads_standard(short_demo.SHORTER))
    assert found["verdict"] == "PASS"
    with Journal(path) as journal:
        write(begin(journal, run_uid="u-3"), range(10))


WORDS = (
    "verdict", "invalid_reason", "kind", "weigh", "comparator", "origin", "what", "which", "unit", "method", "cause"
)  # fmt: skip
"""Fields that hold one of a few words: another word is a matter for ``results_of_other_types``."""


def _sql(path: Path, *lines: str) -> None:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        for line in lines:
            with contextlib.suppress(sqlite3.Error):
                db.execute(line)


def triggers(path: Path, random_: random.Random) -> None:
    """A trigger that rewrites a verdict while it is stored, or one without an end."""
    when = random_.choice(("insert", "update", "delete"))
    what = random_.choice(("runs", "chunks", "seconds", "events", "certificates"))
    endless = "with recursive c(x) as (select 1 union all select x + 1 from c) select max(x) from c"
    act = random_.choice(
        ("update runs set verdict = 'PASS', loss_pct = 0", endless, "delete from chunks", "select load_extension('x')")
    )
    _sql(path, f"create trigger t after {when} on {what} begin {act}; end")


def views_for_tables(path: Path, random_: random.Random) -> None:
    """A view in the place of a table: the same rows, rows without an end, a row of a gigabyte, itself."""
    table = random_.choice(tuple(TABLES))
    columns = ", ".join(TABLES[table][0])
    bodies = (
        f"select {columns} from hidden",
        f"with recursive c(x) as (select 1 union all select x + 1 from c) select {columns} from hidden, c",
        "select " + ", ".join(f"zeroblob(900000000) as {name}" for name in TABLES[table][0]),
        f"select * from {table}",
        "select 1",
    )
    _sql(path, f"alter table {table} rename to hidden", f"create view {table} as {random_.choice(bodies)}")


def names_with_escapes(path: Path, random_: random.Random) -> None:
    """ESC, OSC, bidirectional and other characters in every text that is shown, the result's too."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        for column in (
            "sample_id",
            "operator",
            "kind",
            "state",
            "verdict",
            "invalid_because",
            "started_utc",
            "standard_id",
        ):
            if random_.random() < 0.6:
                db.execute(f"update runs set {column} = ?", [random_.choice(ESCAPES)])
        text = db.execute("select result_json from runs where run_id = 2").fetchone()[0]
        plain = _everywhere(json.loads(text), random_)
        db.execute("update runs set result_json = ?", [json.dumps(plain)])


def _everywhere(value: object, random_: random.Random) -> object:
    if isinstance(value, dict):
        return {name: v if name in WORDS else _everywhere(v, random_) for name, v in value.items()}
    if isinstance(value, list):
        return [_everywhere(v, random_) for v in value]
    return random_.choice(ESCAPES) if isinstance(value, str) else value


def results_of_other_types(path: Path, random_: random.Random) -> None:
    """A result in which a few things are of another type, length or depth, or are not there."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        plain = json.loads(db.execute("select result_json from runs where run_id = 2").fetchone()[0])
        for _ in range(random_.choice((1, 1, 2, 6))):
            one_change(plain, random_)
        db.execute("update runs set result_json = ?", [json.dumps(plain)])


def one_change(value: object, random_: random.Random) -> None:
    """Make one value, at any depth, another of another type, length or depth, or leave it out."""
    while isinstance(value, dict | list) and value:
        key = random_.choice(list(value)) if isinstance(value, dict) else random_.randrange(len(value))
        inner = value[key]  # type: ignore[index, call-overload]
        if isinstance(inner, dict | list) and inner and random_.random() < 0.6:
            value = inner
            continue
        others = (
            None,
            0,
            -1,
            1e308,
            -1e-320,
            10**400,
            "x",
            "",
            [],
            {},
            [[]] * 9,
            "a" * 300_000,
            True,
            "NaN",
            [inner] * 2000,
        )
        if isinstance(value, dict) and random_.random() < 0.2:
            del value[key]
        else:
            value[key] = random_.choice(others)  # type: ignore[index, call-overload]
        return


def values_in_columns(path: Path, random_: random.Random) -> None:
    """A value of another type in some column of some table, in one row or in all."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        for _ in range(random_.choice((1, 2, 5))):
            table = random_.choice(tuple(TABLES))
            column = random_.choice(tuple(TABLES[table][0]))
            value = random_.choice(VALUES)
            text = isinstance(value, bytes) and random_.random() < 0.5
            put = "cast(? as text)" if text else "?"
            one = "run_id = 1 and second = 3" if table == "seconds" else f"rowid = {random_.randrange(5)}"
            long = isinstance(value, str | bytes) and len(value) > 1000  # in all rows it would be gigabytes
            where = f" where {one}" if long or random_.random() < 0.5 else ""
            with contextlib.suppress(sqlite3.Error):
                db.execute(f"update {table} set {column} = {put}{where}", [value])


def blobs_everywhere(path: Path, random_: random.Random) -> None:
    """A blob in every column of every table."""
    blob = random_.choice((b"", b"\xff", b"\x00" * 1000, b"PASS"))
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        for table, (columns, key) in TABLES.items():
            for column in columns:
                if column not in key:
                    db.execute(f"update {table} set {column} = ?", [blob])


def chunks_and_events(path: Path, random_: random.Random) -> None:
    """Chunks zeroed, last events deleted, rows doubled under other numbers."""
    lines = (
        "update chunks set raw = zeroblob(length(raw))",
        "delete from events where event = (select max(event) from events)",
        "delete from chunks where chunk = 0",
        "update chunks set raw = zeroblob(4000000)",
        "update chunks set sha256 = zeroblob(32)",
        "insert into runs (run_id, state) values (9223372036854775807, 'done')",
        "insert into runs (run_id, state, result_json) values (-5, 'done', '{}')",
        "update runs set run_id = 9007199254740993 where run_id = 2",
        "update runs set loss_pct = 9e999, expanded_uncertainty_pct = 9e999",
        "update runs set limit_pct = -9e999",
        "update runs set result_json = replace(result_json, '0.5', '1e999')",
        "delete from runs",
    )
    _sql(path, *random_.sample(lines, random_.choice((1, 2, 3))))


def strange_schemas(path: Path, random_: random.Random) -> None:
    """What a schema may hold besides: generated columns, checks, virtual tables, indices, a thousand views, no SQL."""
    endless = "with recursive c(x) as (select 1 union all select x + 1 from c) select max(x) from c"
    lines = (
        ("alter table runs add column g generated always as (zeroblob(900000000)) virtual",),
        ("create index i on runs (state, verdict)",),
        ("create index i on runs (run_id) where verdict = 'PASS'",),
        ("create virtual table f using fts5(a)",),
        (f"create view v as {endless}", f"create view w as {endless}"),
        ("create table sqlite_stat9 (x)", 'create table "\x1b[2J" (x)'),
        ("pragma writable_schema = on", "update sqlite_master set sql = 'create table runs (x)' where name = 'runs'"),
        ("pragma writable_schema = on", "update sqlite_master set rootpage = 2 where type = 'table'"),
        ("pragma writable_schema = on", "update sqlite_master set sql = cast(x'ff00' as text) where name = 'events'"),
        ("pragma writable_schema = on", "delete from sqlite_master where name like 'sqlite_auto%'"),
        (
            "pragma writable_schema = on",
            "with recursive c(x) as (select 1 union all select x + 1 from c where x < 200000) "
            "insert into sqlite_master "
            "select 'view', 'v' || x, 'v' || x, 0, 'create view v' || x || ' as select 1' from c",
        ),
        ("drop table seconds",),
        ("pragma user_version = 1",),
        ("pragma user_version = 2147483647",),
        ("pragma application_id = 0",),
        ("pragma encoding = 'UTF-16'", "vacuum"),
        ("pragma page_size = 65536", "vacuum"),
    )  # fmt: skip
    _sql(path, *random_.choice(lines))


def spoiled_bytes(path: Path, random_: random.Random) -> None:
    """Bits flipped, bytes overwritten, the file cut off, a header of another kind."""
    data = bytearray(path.read_bytes())
    match random_.randrange(5):
        case 0:
            for _ in range(random_.choice((1, 10, 200))):
                data[random_.randrange(len(data))] ^= 1 << random_.randrange(8)
        case 1:
            at = random_.randrange(len(data))
            data[at : at + 3000] = random_.randbytes(3000)
        case 2:
            del data[random_.randrange(len(data)) :]
        case 3:
            data[random_.randrange(100)] = random_.randrange(256)
        case _:
            page = random_.randrange(len(data) // 4096) * 4096
            data[page : page + 4096] = bytes(4096)
    path.write_bytes(data)


def files_beside(path: Path, random_: random.Random) -> None:
    """A log, an index of it or a journal of somebody else beside it, or what is no file."""
    end = random_.choice(("-wal", "-shm", "-journal"))
    beside = path.with_name(path.name + end)
    match random_.randrange(4):
        case 0:
            beside.write_bytes(random_.randbytes(40_000))
        case 1:
            beside.mkdir()
        case 2:
            os.mkfifo(beside)
        case _:
            magic = b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7" if end == "-journal" else b"\x37\x7f\x06\x82\x00\x2d\xe2\x18"
            beside.write_bytes(magic + random_.randbytes(20_000))
    if random_.random() < 0.5:
        data = bytearray(path.read_bytes())
        data[18:20] = b"\x02\x02"
        path.write_bytes(data)


def no_files(path: Path, random_: random.Random) -> None:
    """A FIFO, a folder, a socket's name, a link into itself, text, nothing."""
    path.unlink()
    match random_.randrange(6):
        case 0:
            os.mkfifo(path)
        case 1:
            path.mkdir()
        case 2:
            path.symlink_to(path)
        case 3:
            path.symlink_to("/dev/zero")
        case 4:
            path.write_bytes(b"")
        case _:
            path.write_bytes(b"SQLite format 3\x00" + random_.randbytes(random_.choice((1, 84, 5000))))


def a_million_runs(path: Path, random_: random.Random) -> None:
    """A million runs, some with long names."""
    name = random_.choice(("'S'", "hex(zeroblob(40))"))
    _sql(
        path,
        "with recursive c(x) as (select 4 union all select x + 1 from c where x < 1000000) "
        "insert into runs (run_id, sample_id, kind, state, standard_id, started_utc) "
        f"select x, {name}, 'test', 'done', 's', '2026-01-01T00:00:00' from c",
    )


KINDS: dict[str, tuple[Spoil, int]] = {
    "triggers": (triggers, 60),
    "views for tables": (views_for_tables, 80),
    "escapes in names": (names_with_escapes, 100),
    "results of other types": (results_of_other_types, 250),
    "values of other types": (values_in_columns, 200),
    "blobs in every column": (blobs_everywhere, 10),
    "chunks zeroed, events deleted": (chunks_and_events, 60),
    "strange schemas": (strange_schemas, 80),
    "bytes spoiled": (spoiled_bytes, 150),
    "strange files beside": (files_beside, 50),
    "no files": (no_files, 20),
    "a million runs": (a_million_runs, 2),
}
"""Each kind, and how many of it are tried."""


def copy_to(path: Path, original: Path) -> None:
    """Put a fresh copy of the good database and its seals at ``path``, and take away what was beside the one before."""
    for old in (*path.parent.glob(f"{path.name}*"), path.parent / "seal"):
        if not os.path.lexists(old):
            continue
        if old.is_dir() and not old.is_symlink():
            shutil.rmtree(old)
        else:
            old.unlink()
    shutil.copy(original, path)
    if (original.parent / "seal").is_dir():
        shutil.copytree(original.parent / "seal", path.parent / "seal")
