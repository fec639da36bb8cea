"""Packages of evidence, checkpoints and lists of keys of somebody who means harm, through what reads them.

A package is spoiled at random, zipped otherwise than halfpercent does, or forged: a file of it is another, and all that
nobody has signed is made to fit. Nothing may be taken for good, and a package that is not signed stays as it is.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import random
import sqlite3
import struct
import tempfile
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from attack_databases import ANSWERED, PROOF, sealed
from attack_files import spoiled
from attacked import Surface, Tally, command, forked, warm_up
from forged_databases import FORGED

from edge.evidence import archive
from edge.evidence.package import RUN, Package, make_package, read_package
from edge.seal.key import find_key

FORGED_FILE = "packages with a forged file"
"""Some of them nobody vouches for, and says so: without the list of the log's leaves the run is what it was."""
SPOILED, NOTES = 400, 200
FORGED_DATABASES = tuple(kind for kind in FORGED if kind not in ("seals of nobody", "logs of another"))
OTHERS = (b"", b"\0" * 1000, b"\xff" * 1000, b"A" * 5_000_000, b"x\n" * 500_000, b"\x1b[2J", b"[" * 100_000, b"{}",
          b'{"a":' * 20_000, b'{"@graph":[{},{},{},{}]}', b'"\\ud800"', b'{"@graph":null}', b"1e999")  # fmt: skip
CRATE_IN_A_CIRCLE = json.dumps(
    {"@graph": [{"@id": "./", "name": {}, "description": "x", "dateCreated": 1, "hasPart": [{"@id": "./"}]}] * 6}
).encode()
Made = Iterator[tuple[str, bytes]]


def zipped_otherwise(files: dict[str, bytes], raw: bytes) -> Made:
    """Get the files in ZIPs that other tools, or an enemy, would make."""
    root = next(iter(files)).partition("/")[0]
    link = zipfile.ZipInfo(f"{root}/link")
    link.external_attr = 0o120777 << 16
    for what, extra in (
        ("repacked", []),
        ("a name twice", [(next(iter(files)), b"x")]),
        ("an absolute name", [("/etc/passwd", b"x")]),
        ("a way up", [("../../x", b"x")]),
        ("a link", [(link, b"/etc/passwd")]),
    ):
        yield what, _zip(lambda out, extra=extra: [out.writestr(*one) for one in (*files.items(), *extra)])
    yield "deflated", _zip(lambda out: [out.writestr(*one) for one in files.items()], zipfile.ZIP_DEFLATED)
    yield "10⁵ entries", _zip(lambda out: [out.writestr(f"{root}/f{i}", b"") for i in range(100_000)])
    yield "a bomb", _zip(lambda out: out.writestr(f"{root}/x", bytes(200_000_000)), zipfile.ZIP_DEFLATED)
    yield "zip64", _zip(lambda out: out.open(zipfile.ZipInfo(f"{root}/a"), "w", force_zip64=True).close())
    at = raw.find(b"PK\1\2")
    yield "overlapping", raw[:at] + raw[at:].replace(struct.pack("<I", 0), struct.pack("<I", 30))
    yield "encrypted", raw[:6] + b"\1" + raw[7:]
    yield "heads alone", b"PK\3\4" * 10_000_000
    yield "nothing", b""
    yield "too long", bytes(70_000_000)
    yield "something behind", raw + b"x"
    yield "something before", b"#!/bin/sh\n" + raw
    yield "twice", raw + raw


def _zip(put: Callable[[zipfile.ZipFile], object], compression: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w", compression) as out:
        warnings.simplefilter("ignore")  # of a name twice
        put(out)
    return buffer.getvalue()


def forged(package: Package, raw: bytes) -> Made:
    """Get packages in which one file is another or missing, and what nobody has signed is made to fit."""

    def fitting(files: dict[str, bytes]) -> bytes:
        return Package(package.root, package.described, files).to_bytes()

    for name, data in package.files.items():
        for i, other in enumerate(OTHERS):
            yield f"{name} is other {i}", fitting(package.files | {name: other})
        yield f"no {name}", fitting({n: d for n, d in package.files.items() if n != name})
        for old, new in ((b"null", b"NaN"), (b'"links":', b'"links":99999999999999999999'), (b"rig", b"\\ud800")):
            if name.endswith(".json") and old in data:
                yield f"{name}: {old!r} is {new!r}", fitting(package.files | {name: data.replace(old, new)})
    many = {f"signatures/{i}.json": OTHERS[i % len(OTHERS)][:9000] for i in range(150)}
    yield "150 people", fitting(package.files | many)
    files = archive.from_zip(raw, "x")
    crate = next(iter(files))
    for i, other in enumerate((*OTHERS, CRATE_IN_A_CIRCLE)):
        yield f"the crate is other {i}", archive.to_zip(files | {crate: other})


def forged_databases(package: Package, folder: Path, n: int, seed: int) -> Made:
    """Get packages whose database is forged."""
    file = folder / "run.sqlite"
    for i in range(n):
        kind = FORGED_DATABASES[i % len(FORGED_DATABASES)]
        file.write_bytes(package.files["run.sqlite"])
        spoil, draw = FORGED[kind][0], random.Random(f"{seed}/{i}")
        done = forked(lambda spoil=spoil, draw=draw: spoil(file, draw), cpu_s=60, kill_s=300.0)
        assert done.status == 0, (kind, done.err)
        files = package.files | {"run.sqlite": file.read_bytes()}
        if sum(map(len, files.values())) < archive.MOST_BYTES - 1_000_000:
            yield f"{kind}, seed {seed}/{i}", Package(package.root, package.described, files).to_bytes()


def attack(scale: float, seed: int) -> list[Tally]:
    """Try them all. Returns a tally for each kind."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        database, file = folder / "halfpercent.db", folder / "x.eln"

        def make() -> None:
            sealed(database)
            (folder / "good.eln").write_bytes(make_package(database, "2").to_bytes())
            key = find_key(folder / "seal")
            assert key is not None
            (folder / "signers").write_text(f"{key.allowed_signers_line}\n", encoding="utf-8")

        made = forked(make, cpu_s=300, kill_s=600.0)
        assert made.status == 0, made.err
        for module in ("edge.cli.main", "edge.evidence.verify", "edge.evidence.witness", "edge.evidence.people"):
            importlib.import_module(module)
        warm_up()
        raw = (folder / "good.eln").read_bytes()
        package = read_package(raw, "good.eln")
        drawn = random.Random(seed)

        def some(of: Made) -> Made:
            return (one for one in of if scale >= 1 or drawn.random() < scale)

        n = max(1, int(SPOILED * scale))
        at_random = ((f"spoiled('{seed}/{i}')", spoiled(random.Random(f"{seed}/{i}"), raw)) for i in range(n))
        kinds = (
            ("packages spoiled", at_random),
            ("packages zipped otherwise", some(zipped_otherwise(archive.from_zip(raw, "x"), raw))),
            (FORGED_FILE, some(forged(package, raw))),
            ("packages with a forged database", forged_databases(package, folder, n, seed)),
        )
        tallies = [_tried(what, of, file, folder) for what, of in kinds]
        return [*tallies, _notes(folder, max(1, int(NOTES * scale)), seed)]


def _tried(what: str, made: Made, file: Path, folder: Path) -> Tally:
    tally = Tally(what)
    key, good = folder / "seal" / "rig_ed25519", (folder / "good.eln").read_bytes()
    for again, data in made:
        file.write_bytes(data)
        for words in (
            ("verify", str(file), "--signers", str(folder / "signers")),
            ("witness", str(file), "--state", str(folder / "state")),
            ("sign", str(file), "--as", "review", "--name", "Ada", "--key", str(key)),
        ):
            ended = forked(command(*words), **PROOF)
            answered = words[0] == "verify" and ended.status in ANSWERED and not ended.err
            taken = words[0] == "verify" and ended.status == 0 and what != FORGED_FILE and _says_else(data, good)
            changed = ended.status != 0 and file.read_bytes() != data
            tally.add(ended, f"{again}, {words[0]}", lost=taken or changed, failed=not (ended.one_line or answered))
    return tally


def _says_else(data: bytes, good: bytes) -> bool:
    """Say whether a package says anything else than the good one: a byte that SQLite passes over says nothing."""
    if data == good:
        return False
    files, others = (read_package(raw, "x").files for raw in (data, good))
    if files | {RUN: b""} != others | {RUN: b""}:
        return True
    return _rows(files[RUN]) != _rows(others[RUN])


def _rows(database: bytes) -> list[str]:
    with tempfile.NamedTemporaryFile() as file:
        file.write(database)
        file.flush()
        with contextlib.closing(sqlite3.connect(f"file:{file.name}?mode=ro", uri=True)) as db:
            return list(db.iterdump())


def _notes(folder: Path, n: int, seed: int) -> Tally:
    """Try checkpoints and lists of known keys."""
    tally = Tally("checkpoints and lists of keys")
    checkpoint, file = (folder / "seal" / "head").read_bytes(), folder / "note"
    key = (folder / "seal" / "rig_ed25519.pub").read_bytes()
    for i in range(n):
        file.write_bytes(spoiled(random.Random(f"{seed}/{i}"), b"rig " + key if i % 2 else checkpoint))
        words = (
            ("verify", str(folder / "good.eln"), "--signers", str(file))
            if i % 2
            else ("witness", str(file), "--state", str(folder / "state"))
        )
        ended = forked(command(*words), **PROOF)
        answered = words[0] == "verify" and ended.status in ANSWERED and not ended.err
        tally.add(ended, f"spoiled('{seed}/{i}'), {words[0]}", failed=not (ended.one_line or answered))
    return tally


SURFACE = Surface(
    "evidence",
    "Packages of evidence",
    """
Spoiled at random, zipped as other tools and enemies do (names twice, absolute or upwards, links, bombs, 10⁵ entries,
zip64, encrypted, overlapping), or forged with all that nobody has signed made to fit; each given to `verify`, which may
take 10 s and 300 MB, `witness` and `sign`. "Not one line" counts what was neither refused in one line nor one of
`verify`'s answers; "lost" a package that `verify` called VERIFIED though a file or a row of it is another (but for a
forged file: of some nobody vouches for, and `verify` says so), and one that changed though it was not signed.
""",
    attack,
    packages=("numba", "sqlite-utils", "msgspec"),
)
SECTION = SURFACE.section()
