"""Packages of evidence by somebody who means harm and has the source: each kind breaks one layer, the others fit.

Each is drawn by a random generator from a good package, so that any can be made again. What cannot be made (files that
no package has room for) is drawn anew.
"""

from __future__ import annotations

import io
import json
import random
import re
import sqlite3
import string
import tempfile
import zipfile
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from sealed_run import SealedRun, relink, repacked

from edge.errors import BadEvidence, HalfpercentError
from edge.evidence import archive
from edge.evidence.package import LEAVES, MANIFEST, PAGE, PROOF, REPORT, RUN, SIGNATURE, SIGNER, STANDARD, SUMS
from edge.seal import sshsig
from edge.seal.key import KEY_NAME, seal_folder

NUMBERS = (0, 1, -1, 2, 7, 255, 256, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1, 2**53, 2**63 - 1, -(2**63))
TEXTS = ("", "x", "\x00", "\x1b]0;x\x07", "a\nb", "\u202egnp", "\ud7ff", "nan", "1e999", "-0", "null", "{}", "[]",
         "[" * 100_000, '{"a":' * 50_000, "9" * 5_000, "x" * 3_000_000, "2026-13-45T99:99:99+99:99")  # fmt: skip
VALUES: tuple[Any, ...] = (*NUMBERS, *TEXTS, None, True, 0.5, -0.0, 1e308, [], {}, [[]], {"a": {}})
_FIELDS = ((4, 2), (6, 2), (8, 2), (10, 2), (12, 2), (14, 4), (18, 4), (22, 4), (26, 2), (28, 2), (30, 4), (42, 4))
_FILE_FIELDS = ((16, 2), (18, 2), (20, 1), (28, 4), (32, 4), (36, 4), (40, 4), (44, 4), (56, 4), (60, 4))
"""Where in headers of a ZIP, and in that of SQLite's file, numbers are, and of how many bytes."""
_HEADER = re.compile(rb"PK(\x03\x04|\x01\x02|\x05\x06)")


def zip_structure(sealed: SealedRun, rng: random.Random) -> bytes:
    """Break the ZIP itself: a field of a header, entries moved or left out, compressed, or with more around it."""
    raw, files = bytearray(sealed.raw), archive.from_zip(sealed.raw, "x")
    names = list(files)
    how = rng.randrange(8)
    if how <= 2:
        at = rng.choice([m.start() for m in _HEADER.finditer(sealed.raw)])
        for _ in range(rng.choice((1, 1, 2, 5))):
            offset, size = rng.choice(_FIELDS)
            new = rng.choice((*NUMBERS, rng.randrange(2**32))) % 2 ** (8 * size)
            raw[at + offset : at + offset + size] = new.to_bytes(size, "little")
        return bytes(raw)
    if how == 3:
        rng.shuffle(names)
        return archive.to_zip({name: files[name] for name in names})
    if how == 4:
        return archive.to_zip({name: files[name] for name in rng.sample(names, rng.randrange(len(names)))})
    if how == 5:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as z:
            for name, data in files.items():
                z.writestr(name, bytes(rng.choice((0, 60_000_000))) if name.endswith(RUN) else data)
        return out.getvalue()
    if how == 6:
        junk = rng.choice((b"x", sealed.raw, archive.LOCAL * 1000, bytes(5_000_000), rng.randbytes(1000)))
        return rng.choice((junk + sealed.raw, sealed.raw + junk, sealed.raw[: rng.randrange(len(raw))] + junk))
    return archive.LOCAL * rng.randrange(1, 2_000_000)


def metadata(sealed: SealedRun, rng: random.Random) -> bytes:
    """Change the crate's metadata, and fit the ZIP around it."""
    files = archive.from_zip(sealed.raw, "x")
    crate = next(iter(files))
    return archive.to_zip(files | {crate: _json_changed(files[crate], rng)})


def manifest_signed(sealed: SealedRun, rng: random.Random) -> bytes:
    """Change the manifest, and sign it with the rig's own key."""
    made = _json_changed(sealed.package.files[MANIFEST], rng, canonical=True)
    signed = sshsig.sign(made, seal_folder(sealed.database) / KEY_NAME).to_text().encode()
    without = rng.choice(((), (PROOF, LEAVES), (SIGNER,)))
    return repacked(sealed, {MANIFEST: made, SIGNATURE: signed}, without)


def _json_changed(raw: bytes, rng: random.Random, *, canonical: bool = False) -> bytes:
    if rng.random() < 0.1:
        return rng.choice((b"", b"[" * 1_000_000, b"\xff\xfe", b"{}", b"[]", b"null", raw + b" ", raw * 2, b'"' * 9))
    tree = json.loads(raw)
    for _ in range(rng.choice((1, 1, 1, 3))):
        node = tree
        while True:
            keys: list[Any] = list(node) if isinstance(node, dict) else list(range(len(node)))
            if not keys:
                break
            key = rng.choice(keys)
            if isinstance(node[key], dict | list) and rng.random() < 0.85:
                node = node[key]
                continue
            what = rng.randrange(4)
            if what == 0:
                del node[key]
            elif what == 1 and isinstance(node, dict):
                node[rng.choice(("x", "__proto__", "@id", ""))] = rng.choice(VALUES)
            else:
                node[key] = rng.choice(VALUES)
            break
    spaces = None if canonical else 1
    apart = (",", ":") if canonical else None
    return json.dumps(tree, ensure_ascii=False, indent=spaces, separators=apart, sort_keys=canonical).encode()


def database_pages(sealed: SealedRun, rng: random.Random) -> bytes:
    """Break SQLite's pages: their headers, pointers and order, and the file's own header."""
    raw = bytearray(sealed.package.files[RUN])
    size = int.from_bytes(raw[16:18], "big")
    pages = len(raw) // size
    for _ in range(rng.choice((1, 1, 2, 8))):
        at = rng.randrange(pages) * size
        how = rng.randrange(7)
        if how == 0:  # the header of a page of a tree
            at += rng.randrange(12) + (100 if at == 0 else 0)
            raw[at] = rng.choice((0, 1, 2, 5, 10, 13, 255, rng.randrange(256)))
        elif how == 1:  # a pointer to a cell, or to a page
            at += 8 + 2 * rng.randrange(40)
            raw[at : at + 2] = rng.choice((0, 1, size - 1, 2**16 - 1, rng.randrange(2**16))).to_bytes(2, "big")
        elif how == 2:  # a page in another's place: trees that go round
            other = rng.randrange(pages) * size
            raw[at : at + size] = raw[other : other + size]
        elif how == 3:
            raw[at : at + size] = rng.choice((bytes(size), b"\xff" * size, rng.randbytes(size)))
        elif how == 4:  # the file's header: size of a page, counts, free pages, encoding, version
            place, n = rng.choice(
                ((16, 2), (18, 2), (20, 1), (28, 4), (32, 4), (36, 4), (40, 4), (44, 4), (56, 4), (60, 4))
            )
            raw[place : place + n] = (rng.choice(NUMBERS) % 256**n).to_bytes(n, "big")
        elif how == 5:  # lengths of cells and records
            at += rng.randrange(size - 9)
            raw[at : at + 9] = rng.choice((b"\xff" * 9, b"\x80" * 8 + b"\x01", rng.randbytes(9)))
        else:
            del raw[rng.randrange(512, len(raw)) :]
            pages = max(1, len(raw) // size)
            raw += bytes(max(0, size - len(raw)))
    return repacked(sealed, {RUN: bytes(raw)})


def database_rows(sealed: SealedRun, rng: random.Random) -> bytes:
    """Change rows and schema by SQL; in half of them the chain is linked anew over it."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / RUN
        file.write_bytes(sealed.package.files[RUN])
        with closing(sqlite3.connect(file)) as db:
            for _ in range(rng.choice((1, 1, 2, 4))):
                with suppress(sqlite3.Error, OverflowError, LookupError, ValueError, RecursionError):
                    _one_change(db, rng)
            db.commit()
        if rng.random() < 0.5:
            with suppress(HalfpercentError, sqlite3.Error, ArithmeticError, LookupError, TypeError, ValueError):
                relink(file)
        return repacked(sealed, {RUN: file.read_bytes()})


def _one_change(db: sqlite3.Connection, rng: random.Random) -> None:
    table = rng.choice(("runs", "runs", "chunks", "events", "events", "boots", "certificates"))
    columns = [row[1] for row in db.execute(f"pragma table_info({table})")]
    column = rng.choice(columns)
    (row,) = rng.choice(db.execute(f"select rowid from {table}").fetchall())
    value = rng.choice((*NUMBERS, *TEXTS, None, 0.5, 1e308, float("inf"), b"", b"\x00", rng.randbytes(40)))
    how = rng.randrange(9)
    if how <= 3:
        db.execute(f"update {table} set {column} = ? where rowid = ?", [value, row])
    elif how == 4:
        db.execute(f"update {table} set {column} = ?", [value])
    elif how == 5:
        db.execute(f"delete from {table} where rowid = ?", [row])
    elif how == 6:  # a field within JSON
        text, of = rng.choice((("settings_json", "runs"), ("result_json", "runs"), ("data_json", "events")))
        (row,) = rng.choice(db.execute(f"select rowid from {of}").fetchall())
        (was,) = db.execute(f"select {text} from {of} where rowid = ?", [row]).fetchone()
        new = _json_changed(was.encode(), rng, canonical=True)
        db.execute(f"update {of} set {text} = ? where rowid = ?", [new.decode("utf-8", "replace"), row])
    elif how == 7:  # what a chunk claims, and its row with it
        claim = rng.choice((10**6, 2**31, 40_000_000, 39_000_000, 2**62))
        head, left = b"\x02\x05", claim
        while left:
            head += bytes([left & 127 | (128 if left > 127 else 0)])
            left >>= 7
        db.execute("update chunks set samples = ?, raw = ? || substr(raw, 6)", [claim, head])
    else:
        db.execute(
            rng.choice(
                (
                    "create table more (x)",
                    "create view more as select * from runs",
                    "create trigger more after insert on runs begin delete from runs; end",
                    "pragma user_version = 7",
                    f"alter table {table} add column more",
                    f"alter table {table} rename to more",
                    f"drop table {table}",
                    "insert into station_events select * from station_events",
                    f"create index more on {table} ({column})",
                    "insert into chunks select * from chunks",
                )
            )
        )


def sums(sealed: SealedRun, rng: random.Random) -> bytes:
    """Change the list of sums, and fit metadata and ZIP around it."""
    files = archive.from_zip(sealed.raw, "x")
    (name,) = (name for name in files if name.endswith(f"/{SUMS}"))
    lines = files[name].splitlines(keepends=True)
    at = rng.randrange(len(lines))
    how = rng.randrange(6)
    if how == 0:
        del lines[at]
    elif how == 1:
        lines.insert(at, rng.choice(lines))
    elif how == 2:
        lines[at] = lines[at].replace(rng.choice(string.hexdigits.lower()[:16]).encode(), b"0", 1) + b"\n"
    elif how == 3:
        lines[at] = rng.choice((b"\n", b"\x1b[2J\n", b"x" * 3_000_000, b"0" * 64 + b"  ../../etc/passwd\n", b"\xff\n"))
    elif how == 4:
        rng.shuffle(lines)
        lines.append(b"\n")
    else:
        lines *= rng.randrange(2, 3000)
    return archive.to_zip(files | {name: b"".join(lines)})


def sizes(sealed: SealedRun, rng: random.Random) -> bytes:
    """Make files long, or many, all of it fitting."""
    how = rng.randrange(4)
    with suppress(BadEvidence):  # more than a package holds
        if how == 0:
            size = rng.randrange(1 << 20, 64 << 20)
            return repacked(sealed, {f"attachments/{n}.bin": bytes(size // 4) for n in range(rng.randrange(1, 5))})
        if how == 1:
            return repacked(sealed, {f"attachments/{n}": b"x" for n in range(rng.randrange(150, 230))})
        if how == 2:
            name = rng.choice((LEAVES, PROOF, SIGNATURE, SIGNER, STANDARD, REPORT, PAGE, MANIFEST))
            was = sealed.package.files[name]
            return repacked(sealed, {name: was * (rng.randrange(1, 20 << 20) // len(was) + 1)})
        line = rng.choice((b"\n", b"a" * 64 + b"\n", b"\x00", b"[a]\n", b"[[a]]\n", b'"', b"{", b"[", b"\xff"))
        name = rng.choice((LEAVES, PROOF, SIGNATURE, SIGNER, STANDARD, REPORT, PAGE, MANIFEST, RUN))
        return repacked(sealed, {name: line * (rng.randrange(1, 10 << 20) // len(line))})
    return sizes(sealed, rng)


NAMES = ("../x", "/etc/passwd", "C:x", "a\x00b", "\x1b[2J", "\u202ex", "con", "a/b/c/d/e/f/g", "", ".", "..", "./x",
         "a" * 60_000, "\u212a", "x ", "x.", "a//b", "\\\\host\\x", "run.sqlite", "SHA256SUMS", "-rf", "~", "$(id)",
         "%00")  # fmt: skip


def names(sealed: SealedRun, rng: random.Random) -> bytes:
    """Call files otherwise: up, elsewhere, alike, unprintable, endless."""
    files = archive.from_zip(sealed.raw, "x")
    before = list(files)
    made: list[tuple[str, bytes]] = []
    for name in before:
        new = name
        if rng.random() < 0.15:
            folder = name.rpartition("/")[0]
            odd = rng.choice(NAMES)
            new = rng.choice((odd, f"{folder}/{odd}", name.upper(), name.swapcase(), rng.choice(before), name + "x"))
        made.append((new, files[name]))
    if rng.random() < 0.5:
        return b"".join(archive._parts(dict(made)))
    extra = rng.choice(("evil.py", "attachments/x.jpg", "signatures/01.json", "certificates/x.toml", "log/x", "a/b/c"))
    return repacked(sealed, {extra: rng.choice((b"", b"{}", rng.randbytes(100), sealed.raw[:1000]))})


KINDS: dict[str, Callable[[SealedRun, random.Random], bytes]] = {
    "the ZIP's structure": zip_structure,
    "metadata": metadata,
    "manifest, signed anew": manifest_signed,
    "pages of the database": database_pages,
    "rows of the database": database_rows,
    "sums": sums,
    "sizes": sizes,
    "names": names,
}
