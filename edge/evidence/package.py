"""A run as one file: its database, its seal, what it was judged by, the proof of the log, and what is attached.

The same run makes the same bytes (docs/evidence.md). This module must never write into the database that it reads, and
never put the private key into a package.
"""

from __future__ import annotations

import hashlib
import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import msgspec
from msgspec import UNSET

from calibration.bounded_file import NotReadable, read_regular_file
from calibration.visible_text import visible
from edge.database.attachments import kept
from edge.database.connection import Database, parsed_rows, translated_errors
from edge.database.queries import result_of_run, run_number
from edge.database.reading import LONG_CPU_S, MOST_ROW_BYTES, open_readonly
from edge.database.run_file import write_run_file
from edge.errors import BadEvidence
from edge.records.result import Result
from edge.records.specimen import photographs_named
from edge.report.text import text
from edge.seal import merkle
from edge.seal.checkpoint import Checkpoint, LogProof
from edge.seal.key import find_key, seal_folder
from edge.seal.rig_log import RigLog, read_leaves
from edge.seal.sealing import Seal, find_seal, log_proof

from . import archive
from .crate import METADATA, RunDescribed, described_in, metadata
from .report_page import report_page

RUN, MANIFEST, SIGNATURE, SIGNER = "run.sqlite", "manifest.json", "manifest.json.sig", "signer.pub"
STANDARD, REPORT, PAGE = "standard.toml", "report.txt", "report.html"
PROOF, LEAVES = "log/proof.tlog-proof", "log/leaves"
SUMS = "SHA256SUMS"
MOST_PHOTOGRAPHS_BYTES = 32 << 20
"""Of all that the record names: half of what a package holds."""
CERTIFICATES, ATTACHMENTS, PEOPLE = "certificates/", "attachments/", "signatures/"


@dataclass(frozen=True, slots=True)
class Package:
    """A package by its root folder, what it says of its run, and the files of the run's folder by their names in it."""

    root: str
    described: RunDescribed
    files: dict[str, bytes]

    def to_bytes(self) -> bytes:
        """Write it: sums and metadata are made here. Raises ``BadEvidence``."""
        return archive.to_zip(self._whole())

    def is_written_as(self, raw: bytes) -> bool:
        """Say whether these are the bytes that :meth:`to_bytes` writes. Raises as that."""
        return archive.is_zip_of(raw, self._whole())

    def _whole(self) -> dict[str, bytes]:
        files = {name: self.files[name] for name in sorted(self.files)}
        files[SUMS] = sums_of(files)
        inner = {f"{self.described.folder}/{name}": data for name, data in files.items()}
        crate = metadata(self.described, inner)
        return {f"{self.root}/{name}": data for name, data in ({METADATA: crate} | inner).items()}


def sums_of(files: dict[str, bytes]) -> bytes:
    """Get the lines that ``sha256sum -c`` checks."""
    return "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in files.items()).encode()


def read_package(raw: bytes, where: str) -> Package:
    """Read a package. Raises ``NotAsWritten`` where a byte of it is another, ``BadEvidence`` where it is none."""
    found = archive.from_zip(raw, where)
    crate, *others = list(found)
    root, _, name = crate.partition("/")
    folders = {other.removeprefix(f"{root}/").partition("/")[0] for other in others}
    if name != METADATA or len(folders) != 1 or not all(other.startswith(f"{root}/") for other in others):
        raise archive.NotAsWritten(f"{where}: its folders are not those of a package")
    folder = folders.pop()
    files = {other.removeprefix(f"{root}/{folder}/"): found[other] for other in others}
    try:
        described = described_in(found[crate])
    except (ValueError, LookupError, TypeError, RecursionError) as e:
        raise archive.NotAsWritten(f"{where}: {METADATA}: is not as it was written") from e
    if described.folder != folder:  # it is in each file's name: a long one would be written many times
        raise archive.NotAsWritten(f"{where}: {METADATA}: is of another folder")
    if missing := {RUN, STANDARD, REPORT, SUMS} - set(files):
        raise archive.NotAsWritten(f"{where}: {min(missing)}: is missing")
    del files[SUMS]
    package = Package(root, described, files)
    try:
        same = package.is_written_as(raw)
    except (BadEvidence, ValueError, TypeError, AttributeError):
        same = False
    if not same:
        raise archive.NotAsWritten(f"{where}: its sums or its metadata are not those of its files")
    return package


def make_package(database: Path, run: str, attached: tuple[Path, ...] = (), cosigned: Path | None = None) -> Package:
    """Pack a run, by its number or ``last``; ``cosigned`` is a checkpoint that a witness has signed.

    Raises ``NoSuchRun``, ``BadDatabase``, ``BadEvidence``.
    """
    result = result_of_run(database, run)
    files: dict[str, bytes] = {}
    with (
        closing(open_readonly(database, cpu_s=LONG_CPU_S, most_bytes=MOST_ROW_BYTES)) as db,
        translated_errors(database),
    ):
        run_id = run_number(db, database, run)
        stored = row_of(db, run_id)
        files[STANDARD] = stored.standard_toml.encode()
        files |= certificates_of(db, stored)
        seal = find_seal(database, db, run_id)
    files[RUN] = _run_file(database, run_id)
    files[REPORT] = report_of(result)
    files[PAGE] = report_page(database, run_id, result, None if seal is None else seal.manifest.sealed_by.fingerprint)
    if seal is not None:
        files |= _sealed(database, seal, cosigned)
    elif cosigned is not None:
        raise BadEvidence(f"{cosigned}: the run was not sealed, so no log has it")
    files |= _photographs(database, result)
    for path in attached:
        files[f"{ATTACHMENTS}{_name_of(path)}"] = _attachment(path)
    return Package(root_of(run_id, stored), described_of(run_id, stored, result), files)


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A run's row, as far as a package says it beside the database."""

    run_uid: str
    operator: str
    ended_utc: str | None
    standard_toml: str
    certificate_sha256: str
    software_version: str


def row_of(db: Database, run_id: int) -> Row:
    """Get a run's row. Raises ``BadDatabase`` where it is damaged."""
    sql = f"select {', '.join(Row.__struct_fields__)} from runs where run_id = ?"
    with parsed_rows(f"run {run_id}: its row"):
        return msgspec.convert(next(iter(db.query(sql, [run_id]))), Row)


def certificates_of(db: Database, row: Row) -> dict[str, bytes]:
    """Get the certificates by which a run was measured, as files of its package."""
    found = db.execute("select toml from certificates where sha256 = ?", [row.certificate_sha256]).fetchall()
    return {f"{CERTIFICATES}{row.certificate_sha256}.toml": str(toml).encode() for (toml,) in found}


def root_of(run_id: int, row: Row) -> str:
    """Get what the root folder of a run's package is called."""
    return f"halfpercent-run-{run_id}-{hashlib.sha256(row.run_uid.encode()).hexdigest()[:8]}"


def described_of(run_id: int, row: Row, result: Result) -> RunDescribed:
    """Get what the crate of a run says of it."""
    return RunDescribed(
        folder=f"run-{run_id}",
        name=f"halfpercent run {run_id}, sample {visible(result.sample_id)}",
        operator=visible(row.operator),
        ended_utc=row.ended_utc or "",
        says=f"{result.verdict}. {report_of(result).decode().split(chr(10), 1)[0]}",
    )


def report_of(result: Result) -> bytes:
    """Get the report of a result as it lies in a package. Raises ``BadDatabase`` where no judge wrote its numbers."""
    with parsed_rows("the result"):
        return (text(result) + "\n").encode()


def _sealed(database: Path, seal: Seal, cosigned: Path | None) -> dict[str, bytes]:
    folder = seal_folder(database)
    files = {MANIFEST: seal.raw, SIGNATURE: seal.signature.to_text().encode()}
    key = find_key(folder)
    if key is not None:
        files[SIGNER] = f"{key.public.algorithm} {key.public.coded} {key.name}\n".encode()
    proof = log_proof(folder, seal)
    if cosigned is not None:
        proof = RigLog(folder).proof_of(seal.raw, _cosigned(cosigned, folder, proof))
    if proof is not None:
        files |= {PROOF: proof.to_text().encode(), LEAVES: RigLog(folder).to_text(proof.checkpoint.size).encode()}
    return files


def _run_file(database: Path, run_id: int) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / RUN
        write_run_file(database, run_id, file)
        archive.require_room(file.stat().st_size)
        return file.read_bytes()


def _photographs(database: Path, result: Result) -> dict[str, bytes]:
    """Get the photographs that a run's record names and that are kept, each by its hash, as far as there is room."""
    of_specimen = () if result.specimen is None else photographs_named(result.specimen)
    names = {photo.sha256: photo.file for photo in of_specimen}
    masses = () if result.balance is UNSET else result.balance.masses
    names |= {m.photograph_sha256: None for m in masses if m.photograph_sha256 is not None}
    return {
        f"{ATTACHMENTS}{sha256}{_ending(names[sha256])}": data
        for sha256, data in kept(database, names, MOST_PHOTOGRAPHS_BYTES).items()
    }


def _ending(file: str | None) -> str:
    ending = Path(file or "").suffix.lower()
    return ending if ending in (".jpg", ".jpeg", ".png", ".heic", ".webp", ".tif", ".tiff") else ""


def _attachment(path: Path) -> bytes:
    try:
        return read_regular_file(path, archive.MOST_BYTES)
    except NotReadable as e:
        raise BadEvidence(f"{path}: {e}: attach another file") from e


def _name_of(path: Path) -> str:
    name = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "_" for c in path.name).lstrip("._-")
    if not archive.NAME.fullmatch(name):
        raise BadEvidence(f"{path}: a file of a package cannot be called that: use letters, digits and ._-")
    return name


def proof_in(package: Package, where: str) -> LogProof | None:
    """Get the proof of the log that lies in a package; None where none does. Raises ``BadEvidence``."""
    return LogProof.from_text(package.files[PROOF].decode(), f"{where}: {PROOF}") if PROOF in package.files else None


def is_package(raw: bytes) -> bool:
    """Say whether bytes are meant to be a package."""
    return raw.startswith(archive.LOCAL)


def shown_log(raw: bytes, where: str) -> tuple[Checkpoint, tuple[bytes, ...]]:
    """Get the checkpoint of the rig's log that a package shows, and all leaves until then. Raises ``BadEvidence``."""
    package = read_package(raw, where)
    proof = proof_in(package, where)
    if proof is None or LEAVES not in package.files:
        raise BadEvidence(f"{where}: shows no log: its run was not sealed, or the rig could not sign the log's head")
    return proof.checkpoint, tuple(read_leaves(package.files[LEAVES].decode(), f"{where}: {LEAVES}"))


def _cosigned(file: Path, folder: Path, proof: LogProof | None) -> Checkpoint:
    """Get a checkpoint that a witness cosigned, where it is one of this rig's log that has the run already."""
    try:
        note = read_regular_file(file, archive.MOST_BYTES).decode().replace("\r\n", "\n")
    except (NotReadable, UnicodeDecodeError) as e:
        raise BadEvidence(f"{file}: {e}: give what halfpercent witness wrote") from e
    checkpoint, leaves = Checkpoint.from_note(note, str(file)), RigLog(folder).leaves
    ours = len(leaves) >= checkpoint.size and merkle.tree_head(leaves[: checkpoint.size]) == checkpoint.head
    if proof is None or not ours or checkpoint.origin != proof.checkpoint.origin:
        raise BadEvidence(f"{file}: is no checkpoint of this rig's log as it is now")
    if checkpoint.size <= proof.index:
        raise BadEvidence(f"{file}: is older than the run: it has {checkpoint.size} runs, and this one is after them")
    return checkpoint
