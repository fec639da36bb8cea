"""A short simulated run that its rig has sealed, with key and log beside the database; and ways to tamper with it."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from short_demo import Demo

from edge.database import hash_chain
from edge.database.stored_rows import schema_version
from edge.errors import BadEvidence
from edge.evidence import archive
from edge.evidence.package import RUN, Package, make_package
from edge.seal.key import make_key
from edge.seal.sealing import begin_log, seal_run
from edge.seal.signers import Signers

SEALED_S = 1_800_000_000.0
"""Wall time of the seal."""


class SealedRun(NamedTuple):
    """A database with one sealed run, whose keys are known, its package, and the bytes of that."""

    database: Path
    signers_file: Path
    signers: Signers
    package: Package
    raw: bytes


def make(demo: Demo, folder: Path) -> SealedRun:
    """Seal a copy of a short run as the rig ``rig-7``."""
    key = make_key(folder / "seal", "rig-7")
    begin_log(key)
    database = Path(shutil.copy(demo.path, folder / "halfpercent.db"))
    assert seal_run(database, 1, SEALED_S) is not None
    file = folder / "signers"
    file.write_text(f"{key.allowed_signers_line}\n", encoding="utf-8")
    package = make_package(database, "last")
    return SealedRun(database, file, Signers.load(file), package, package.to_bytes())


def copied(sealed: SealedRun, folder: Path) -> Path:
    """Get a copy of the database, with its seals beside it, to be written to."""
    shutil.copytree(sealed.database.parent / "seal", folder / "seal")
    return Path(shutil.copy(sealed.database, folder / "halfpercent.db"))


def tamper(database: Path, *statements: str) -> None:
    """Change a database as its owner may: with SQL."""
    with closing(sqlite3.connect(database)) as db:
        for sql in statements:
            assert db.execute(sql).rowcount, sql
        db.commit()


def tampered_package(sealed: SealedRun, folder: Path, *statements: str, relinked: bool = False) -> bytes:
    """Get the package with its database changed, and all that is not signed made to fit."""
    file = folder / RUN
    file.write_bytes(sealed.package.files[RUN])
    tamper(file, *statements)
    if relinked:
        relink(file)
    return repacked(sealed, {RUN: file.read_bytes()})


def repacked(sealed: SealedRun, files: dict[str, bytes], without: tuple[str, ...] = ()) -> bytes:
    """Get the package with other files in it, its sums and its metadata made to fit."""
    left = {name: data for name, data in sealed.package.files.items() if name not in without}
    package = Package(sealed.package.root, sealed.package.described, left | files)
    try:
        return package.to_bytes()
    except BadEvidence:  # too large, or too many: nobody who means harm is held back by that
        return b"".join(archive._parts(package._whole()))


def relink(database: Path) -> None:
    """Make the chain of run 1 anew over what is stored, as an owner can who has the source."""
    from edge.database.reading import open_readonly

    with closing(open_readonly(database)) as db:
        assert schema_version(db) >= 3
        header = hash_chain.stored_header(db, 1)
        rows = [("chunks", row) for row in hash_chain.chunk_rows(db, 1)]
        rows += [("events", row) for row in hash_chain.event_rows(db, 1)]
    sha = hash_chain.header_sha256(header)
    with closing(sqlite3.connect(database)) as db:
        db.execute("update runs set header_sha256 = ?", [sha])
        for link, (table, row) in enumerate(sorted(rows, key=lambda r: r[1]["link"]), start=1):
            before, number = sha, hash_chain.NUMBER[table]
            sha = hash_chain.link_sha256(before, row | {"link": link}, table)
            hashes = (sha,) if table == "chunks" else (sha.hex(), before.hex())
            columns = "sha256 = ?" if table == "chunks" else "sha256 = ?, previous_sha256 = ?"
            db.execute(f"update {table} set link = ?, {columns} where {number} = ?", [link, *hashes, row[number]])
        db.commit()


def result_changed(loss_pct: float) -> str:
    """Get the SQL of an owner who changes a result, its columns and the hash that the chain has of it."""
    return f"update runs set loss_pct = {loss_pct}, result_json = json_set(result_json, '$.loss_pct', {loss_pct})"


def restate_end(database: Path) -> None:
    """Make the last link state the hash of the result that is stored now."""
    with closing(sqlite3.connect(database)) as db:
        (text,) = db.execute("select result_json from runs").fetchone()
        sha = hashlib.sha256(text.encode()).hexdigest()
        sql = "update events set data_json = json_set(data_json, '$.result_sha256', ?) where kind = 'ended'"
        db.execute(sql, [sha])
        db.commit()
