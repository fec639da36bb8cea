"""Databases forged by one who knows the schema: trees that lead in circles, logs of another, texts, dates and numbers
that no program of ours writes, chunks that claim a million samples, a million rows, seals of nobody.

Each is made from a good one, as those of ``hostile_databases``; :data:`FORGED` names them.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import shutil
import sqlite3
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

from hostile_databases import ESCAPES, Spoil

from edge.database import codec_v1

TEXTS = (b"", b"a\0b", b"a\xff\xed\xa0\x80", b"7", b"q" * 300_000, b"x" * 4_100_000, "\u202eSSAP".encode())
NUMBERS = (0, -1, 2**40, 2**63 - 1, -(2**63), 1e300, float("inf"), -1e308, "nan", None, b"\xff")
DATES = (
    "9999-12-31T23:59:59.999999+00:00",
    "9999-12-31T23:59:59-23:59",
    "0001-01-01T00:00:00+23:59",
    "-0001-01-01T00:00:00",
    "99999-01-01T00:00:00Z",
    "2026-01-01",
    "2026-02-30T00:00:00+00:00",
    "",
)
PLACES = {
    "runs": ("sample_id", "operator", "kind", "state", "run_uid", "started_utc", "standard_id", "settings_json",
             "standard_toml", "certificate_sha256", "software_version", "invalid_because", "result_json", "verdict"),
    "events": ("kind", "who", "data_json", "sha256", "previous_sha256", "wall_utc"),
    "station_events": ("boot_id", "kind", "who", "data_json", "sha256"),
    "certificates": ("name", "made_at", "toml"),
}  # fmt: skip
COUNTED = {
    "runs": ("loss_pct", "expanded_uncertainty_pct", "coverage_factor_k", "limit_pct", "m1_g", "hold_s", "t0_ns"),
    "chunks": ("boot", "first_second", "seconds", "samples", "wall_ms", "link"),
    "events": ("second", "elapsed_s", "link"),
    "station_events": ("uptime_s",),
    "seconds": ("elapsed_s", "mass_g", "temp_c", "hold_s", "samples_ok", "qualified", "phase", "pressure_pa"),
}
JSONS = (("runs", "result_json"), ("runs", "settings_json"), ("events", "data_json"), ("station_events", "data_json"))


def _sql(path: Path, *lines: tuple[str, object] | str) -> None:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        for line in lines:
            sql, *values = (line,) if isinstance(line, str) else line
            with contextlib.suppress(sqlite3.Error):
                db.execute(sql, values)


def trees(path: Path, random_: random.Random) -> None:
    """Pages that lead to themselves, cells that are too many, free pages and overflows that lead anywhere."""
    data = bytearray(path.read_bytes())
    size = struct.unpack(">H", data[16:18])[0]
    pages = len(data) // size
    what = random_.randrange(6)
    for at in range(size, len(data), size):
        kind = data[at]
        if what == 0 and kind in (2, 5):
            data[at + 8 : at + 12] = struct.pack(">I", random_.choice((at // size + 1, 2, 1, pages, 2**31)))
        elif what == 1 and kind in (10, 13):
            data[at + 3 : at + 5] = b"\xff\xff"
        elif what == 2 and kind not in (2, 5, 10, 13):
            data[at : at + 4] = struct.pack(">I", random_.randrange(pages + 2))
    if what == 3:
        data[32:40] = struct.pack(">II", random_.randrange(pages + 2), 2**31 - 1)
    elif what == 4:
        data[28:32] = random_.choice((b"\x7f\xff\xff\xff", b"\0\0\0\1"))
    elif what == 5:
        data[16:18] = random_.choice((b"\0\1", b"\2\0", b"\x80\0"))
    path.write_bytes(data)


def roots(path: Path, random_: random.Random) -> None:
    """Tables and their indices that begin where another begins, or nowhere."""
    root = random_.choice(("1", "2", "99999999", "0", "(select max(rootpage) from sqlite_master)"))
    where = random_.choice(("type = 'table'", "type = 'index'", "name = 'runs'", "name = 'events'", "name = 'seconds'"))
    _sql(path, "pragma writable_schema = on", f"update sqlite_master set rootpage = {root} where {where}")


def logs_of_another(path: Path, random_: random.Random) -> None:
    """The log of another database, or of a newer state of this one, and an index of it that is not its own."""
    other = path.with_name(f"{path.name}.other")
    shutil.copy(path, other)
    with contextlib.closing(sqlite3.connect(other, isolation_level=None)) as db:
        db.execute("pragma journal_mode = wal")
        db.execute(random_.choice(("update runs set verdict = 'FAIL'", "delete from chunks", "create table t (x)")))
        for end in ("-wal", "-shm"):
            shutil.copy(f"{other}{end}", f"{path}{end}")
    data = bytearray(path.read_bytes())
    data[18:20] = b"\2\2"
    path.write_bytes(data)
    if random_.random() < 0.5:
        Path(f"{path}-shm").write_bytes(random_.choice((b"\xff", b"\0", b"\x01")) * 32_768)
    for left in path.parent.glob(f"{other.name}*"):
        left.unlink()


def texts(path: Path, random_: random.Random) -> None:
    """NUL, half characters, numbers and four megabytes where a text is due."""
    for _ in range(random_.choice((1, 1, 3))):
        table = random_.choice(tuple(PLACES))
        text = random_.choice(TEXTS)
        where = " where rowid = 2" if len(text) > 1000 else ""
        _sql(path, (f"update {table} set {random_.choice(PLACES[table])} = cast(? as text){where}", text))


def numbers(path: Path, random_: random.Random) -> None:
    """Numbers at the end of what a column holds, or none."""
    for _ in range(random_.choice((1, 1, 3))):
        table = random_.choice(tuple(COUNTED))
        column = random_.choice(COUNTED[table])
        _sql(path, (f"update {table} set {column} = ?", random_.choice(NUMBERS)))
    if random_.random() < 0.2:
        _sql(path, "insert into seconds (run_id, second) values (2, 9223372036854775807)")


def dates(path: Path, random_: random.Random) -> None:
    """The first and the last moment there is, a day that is none, and none."""
    for table, column in (
        ("runs", "started_utc"),
        ("runs", "ended_utc"),
        ("events", "wall_utc"),
        ("station_events", "wall_utc"),
        ("certificates", "made_at"),
    ):
        if random_.random() < 0.6:
            _sql(path, (f"update {table} set {column} = ?", random_.choice(DATES)))


def _deep(text: str) -> str:
    return f'{text[:-1]},"zz":{"[" * 90_000}{"]" * 90_000}}}' if len(text) > 2 else "[" * 90_000


def _doubled(text: str) -> str:
    return f'{{"verdict":"PASS","verdict":[1],"run_id":"x",{text[1:]}'


def _many(text: str) -> str:
    return "{" + ",".join(f'"k{i}":{i}' for i in range(100_000)) + "," + text[1:]


def _texts_as(value: str) -> Callable[[str], str]:
    def change(found: object) -> object:
        if isinstance(found, dict):
            return {name: change(v) for name, v in found.items()}
        if isinstance(found, list):
            return [change(v) for v in found]
        return value if isinstance(found, str) else found

    return lambda text: json.dumps(change(json.loads(text)))


def _numbers_as(value: str) -> Callable[[str], str]:
    return lambda text: re.sub(r"(?<=[:\[, ])-?\d+\.\d+(e-?\d+)?", value, text)


REWRITTEN: tuple[Callable[[str], str], ...] = (
    _deep,
    _doubled,
    _many,
    *map(_numbers_as, ("NaN", "Infinity", "1e999", "-1e308", "0.0", "1e-320", "9" * 5000, "null")),
    *map(_texts_as, ("\ud800", "\0", ESCAPES[0], "<script>alert(1)</script>", "q" * 20_000, "")),
    lambda _: "[]",
    lambda _: "9" * 100_000,
)


def jsons(path: Path, random_: random.Random) -> None:
    """JSON that is deep, says a thing twice, has half a surrogate pair, NaN, or one text everywhere."""
    table, column = random_.choice(JSONS)
    rewrite = random_.choice(REWRITTEN)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        for rowid, text in db.execute(f"select rowid, {column} from {table} where {column} is not null").fetchall():
            db.execute(f"update {table} set {column} = ? where rowid = ?", [rewrite(text), rowid])


def bombs(path: Path, random_: random.Random) -> None:
    """Chunks of a few bytes that claim, or unpack to, more samples than there are."""

    def blob(head: bytes, tail: bytes) -> bytes:
        return b"\2" + head + tail + zlib.crc32(b"\2" + head + tail).to_bytes(4, "little")

    most, endless = b"\xe0\xd4\x03" + b"\xff\xff\xff\x01", b"\xff\xff\xff\xff\x7f" * 2
    made = random_.choice(
        (
            blob(most, bytes(20)),
            blob(most, b"\xff" * 5000),
            blob(most, random_.randbytes(300)),
            blob(endless, bytes(20)),
            bytes([codec_v1.FIRST_BYTE]) + zlib.compress(bytes(200_000_000), 9),
            zlib.compress(bytes(100_000_000), 9),
            b"",
        )
    )
    where = random_.choice(("", " where chunk = 0"))
    _sql(path, (f"update chunks set raw = ?{where}", made))
    if random_.random() < 0.5:
        _sql(path, f"update chunks set samples = {random_.choice((2**22 - 1, 2**40, 2**63 - 1))}{where}")


def rows_without_end(path: Path, random_: random.Random) -> None:
    """Some hundred thousand rows of one kind in one run, or in the station's log."""
    count = "with recursive c(x) as (select 1000 union all select x + 1 from c where x < 300000) "
    when = "'2026-01-01T00:00:00'"
    lines = (
        "insert into chunks select 2, x, 1, x, 1, 1, 0, x'02', x'00', x from c",
        "insert into events (run_id, event, second, elapsed_s, wall_utc, kind, who, data_json, link) "
        f"select 2, x, 1, 1, {when}, 'note', '', '{{\"text\": \"a\"}}', x from c",
        "insert into station_events (event, boot_id, uptime_s, wall_utc, kind, who, data_json) "
        f"select x, 'b', x, {when}, 'started', '', '{{}}' from c",
        "insert into seconds (run_id, second, elapsed_s, phase, mass_g) select 2, x, x, 'hold', 1 from c",
    )
    _sql(path, count + random_.choice(lines))


def tomls(path: Path, random_: random.Random) -> None:
    """A standard or a certificate that is dear to parse, or says numbers that are none."""
    table, column = random_.choice((("runs", "standard_toml"), ("certificates", "toml")))
    texts_ = (
        ".".join("a" * 10_000) + " = 1",
        "".join(f"[t{i}]\n" for i in range(90_000)),
        "".join(f"[t{i}.a.a.a.a.a.a.a.a]\n" for i in range(100_000)),
        "x = " + "9" * 5000,
        "x = [" + ",".join(["1e300"] * 100_000) + "]",
        "x = 9999-12-31T23:59:59Z",
        "x = " + "[" * 100_000,
        "",
    )
    if random_.random() < 0.5:
        _sql(path, (f"update {table} set {column} = ?", random_.choice(texts_)))
    else:
        number = random_.choice(("inf", "nan", "1e308", "-1.0", "0.0", "1e-320"))
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
            for rowid, text in db.execute(f"select rowid, {column} from {table}").fetchall():
                new = re.sub(r"(?<== )-?\d+\.\d+", number, text)
                db.execute(f"update {table} set {column} = ? where rowid = ?", [new, rowid])


def seals(path: Path, random_: random.Random) -> None:
    """The folder of seals beside it: other bytes, pipes, links, folders, thousands of seals, a long log."""
    folder = path.parent / "seal"
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    what = random_.randrange(8)
    for file in files if what < 5 else ():
        if random_.random() < 0.3:
            continue
        old = file.read_bytes()
        file.unlink()
        if what == 0:
            os.mkfifo(file)
        elif what == 1:
            file.symlink_to("/dev/zero")
        elif what == 2:
            file.mkdir()
        elif what == 3:
            file.write_bytes(random_.choice((b"", b"\xff" * 3000, b"[" * 400_000, b'{"a":' * 9000, bytes(900_000))))
        else:
            at = random_.randrange(len(old) or 1)
            file.write_bytes(old[:at] + random_.choice((b"\0", b"\xff", b"\x1b[2J", b"9" * 5000)) + old[at + 1 :])
    manifest = next((folder / "runs").glob("*.json"))
    if what == 5:
        begin = manifest.name.partition("-")[0]
        for i in range(3000):
            (folder / "runs" / f"{begin}-{i:032x}.json").write_bytes(manifest.read_bytes())
    elif what == 6:
        (folder / "log").write_text(("0" * 64 + "\n") * 150_000, encoding="ascii")
    elif what == 7:
        shutil.rmtree(folder)
        folder.symlink_to(folder)


FORGED: dict[str, tuple[Spoil, int]] = {
    "trees that lead in circles": (trees, 80),
    "roots of another": (roots, 40),
    "logs of another": (logs_of_another, 20),
    "texts that are none": (texts, 120),
    "numbers at the end of their range": (numbers, 120),
    "dates that are none": (dates, 40),
    "JSON that is strange": (jsons, 120),
    "chunks that claim too much": (bombs, 40),
    "rows without end": (rows_without_end, 8),
    "standards and certificates that are dear": (tomls, 40),
    "seals of nobody": (seals, 60),
}
"""Each kind, and how many of it are tried."""
