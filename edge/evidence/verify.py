"""Is a run what was measured, and who vouches for it: in a database, or in a package that came from anywhere.

Nothing in it is believed. The chain is followed and held against the seal, the seal against its signature and the rig's
log, and every number is computed anew from the raw codes. This module must never write, execute or follow anything that
it reads.
"""

from __future__ import annotations

import tempfile
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from calibration.bounded_file import NotReadable, read_regular_file
from calibration.visible_text import visible
from edge import __version__
from edge.database.connection import Database, SqliteError, check, parsed_rows, translated_errors
from edge.database.queries import balance_masses, result_of_run, run_number
from edge.database.reading import MOST_ROW_BYTES, open_readonly
from edge.database.run_check import Altered, check_run, not_in_chain
from edge.database.run_file import require_size_of_a_run
from edge.database.schema import SCHEMA_VERSION
from edge.errors import BadDatabase, BadEvidence, HalfpercentError, NoSuchRun, SealFailed
from edge.records.result import Result
from edge.run.refold import RefoldedRun
from edge.seal import merkle, sshsig
from edge.seal.checkpoint import Checkpoint, LogProof, origin_of
from edge.seal.identification import IDENTIFICATION
from edge.seal.key import seal_folder
from edge.seal.manifest import Manifest, first_difference, manifest_of
from edge.seal.rig_log import read_leaves
from edge.seal.sealing import find_seal, log_proof, own_signers
from edge.seal.signers import PublicKey, Signers
from edge.seal.ssh_format import NAMESPACE, Signature

from . import archive
from . import package as packages
from .attached import Attached, take_out_attachments
from .package import (
    CERTIFICATES,
    LEAVES,
    MANIFEST,
    PAGE,
    PEOPLE,
    PROOF,
    REPORT,
    RUN,
    SIGNATURE,
    SIGNER,
    STANDARD,
)
from .people import people_who_signed
from .recompute import recompute
from .report_page import report_page_again
from .verification import Answer, Difference, PersonSigned, RunShown, Verification, utc_of

CPU_S = 60.0
"""Processor time that a database may cost."""
_TOKENS = (".tsr", ".tst")


@dataclass
class _Found:
    """What is found on the way; each check adds to it."""

    differs: list[Difference] = field(default_factory=list)
    checked: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    not_before: list[str] = field(default_factory=list)
    not_after: list[str] = field(default_factory=list)
    people: tuple[PersonSigned, ...] = ()
    run: RunShown | None = None
    manifest: Manifest | None = None
    key: PublicKey | None = None
    again: RefoldedRun | None = None
    signer: str | None = None

    def differ(self, table: str, row: str, what: str) -> None:
        """Add something that differs."""
        self.differs.append(Difference(table=table, row=row, what=what))

    def verification(self) -> Verification:
        """Get the answer to all of it."""
        if self.differs:
            answer = Answer.ALTERED
        elif self.key is None or self.manifest is None:
            answer = Answer.UNSIGNED
        elif self.signer is None:
            answer = Answer.UNKNOWN_SIGNER
        elif self.manifest.sealed_by.versions.identification != IDENTIFICATION:
            answer = Answer.OTHER_SOFTWARE
        else:
            answer = Answer.VERIFIED
        return Verification(
            answer=answer,
            run=self.run,
            differs=tuple(self.differs),
            signer=self.signer,
            fingerprint="" if self.key is None else self.key.fingerprint,
            people=self.people,
            not_before=tuple(self.not_before),
            not_after=tuple(self.not_after),
            checked=tuple(self.checked),
            not_recomputed=tuple(self.left_out),
            notes=tuple(self.notes),
        )


def verify_run(database: Path, run: str, signers: Signers | None = None) -> Verification:
    """Verify a run in a database, by its number or ``last``. ``signers``: whose keys are known (the rig's own).

    Raises ``NoSuchRun``, ``BadDatabase`` where nothing can be said.
    """
    found, folder = _Found(), seal_folder(database)
    with closing(open_readonly(database, cpu_s=CPU_S, most_bytes=MOST_ROW_BYTES)) as db, translated_errors(database):
        if check(db, database) != SCHEMA_VERSION:
            raise BadDatabase(f"{database}: has an older schema: open it once with halfpercent run, then verify")
        run_id = run_number(db, database, run)
        found.run = _shown(db, run_id)
        known = own_signers(folder) if signers is None else signers
        try:
            seal = find_seal(database, db, run_id)
            if seal is not None:
                _check_seal(found, seal.raw, seal.signature, known)
                proof = log_proof(folder, seal)
                _check_log(found, seal.raw, proof, None, known)
        except BadEvidence as e:
            found.differ("seal", f"run {run_id}", str(e))
        except BadDatabase as e:  # of a run that no chain joins yet there is no seal
            found.notes.append(str(e))
        try:
            with translated_errors(database):
                _check_database(found, db, run_id, packed=False)
        except BadDatabase as e:
            found.differ("database", f"run {run_id}", str(e))
    return found.verification()


def verify_package(file: Path, signers: Signers) -> Verification:
    """Verify a package. Raises ``BadEvidence`` where it is none."""
    try:
        raw = read_regular_file(file, archive.MOST_BYTES)
    except NotReadable as e:
        raise BadEvidence(f"{file}: {e}: give a file of halfpercent export") from e
    found = _Found()
    try:
        package = packages.read_package(raw, file.name)
    except archive.NotAsWritten as e:
        found.differ("package", file.name, str(e))
        return found.verification()
    del raw
    _check_package(found, package, file.name, signers)
    return found.verification()


def _check_package(found: _Found, package: packages.Package, where: str, signers: Signers) -> None:
    files = package.files
    attached = take_out_attachments(files)
    if (MANIFEST in files) != (SIGNATURE in files):
        found.differ("package", where, f"{MANIFEST} and {SIGNATURE} belong together: one is missing")
    try:
        if MANIFEST in files and SIGNATURE in files:
            _check_seal(found, files[MANIFEST], Signature.from_text(files[SIGNATURE], SIGNATURE), signers)
            leaves = files[LEAVES].decode() if LEAVES in files else None
            _check_log(found, files[MANIFEST], packages.proof_in(package, where), leaves, signers)
        found.people = people_who_signed(package, signers)
    except (BadEvidence, UnicodeDecodeError) as e:
        found.differ("package", where, str(e))
    weighed = ""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / RUN
        path.write_bytes(files[RUN])
        try:
            with closing(open_readonly(path, cpu_s=CPU_S, most_bytes=MOST_ROW_BYTES)) as db, translated_errors(path):
                run_id = _only_run(db, where)
                found.run = _shown(db, run_id)
                require_size_of_a_run(db, f"{where}: {RUN}")
                for table, is_so in _OF_NO_RUN.items():
                    if db.execute(f"select 1 from {table} where {is_so} limit 1").fetchone() is not None:
                        found.differ(table, where, f"{RUN} has rows that belong to no run, and export writes none")
                _check_database(found, db, run_id, packed=True)
                _check_files(found, package, path, db, run_id)
                weighed = "".join(m.photograph_sha256 or "" for m in balance_masses(db, run_id))
        except (HalfpercentError, SqliteError) as e:
            found.differ(RUN, where, str(e).replace(f"{path}", RUN))
    _check_attachments(found, package, attached, weighed)


_OF_NO_RUN = dict.fromkeys(("chunks", "events", "seconds"), "run_id not in (select run_id from runs)") | {
    "station_events": "true",
    "boots": "boot not in (select boot from chunks)",
    "certificates": "sha256 not in (select certificate_sha256 from runs)",
}
"""Which rows of a package's tables no chain of its run holds."""

# the seal


def _check_seal(found: _Found, raw: bytes, signature: Signature, signers: Signers) -> None:
    """Check a manifest's signature, and whose it is."""
    manifest = Manifest.from_bytes(raw, MANIFEST)
    found.manifest, found.key = manifest, PublicKey(signature.public_key)
    if signature.namespace != NAMESPACE or not sshsig.is_good(signature, raw):
        found.differ("seal", SIGNATURE, f"is not over {MANIFEST}, or not by the key that it names")
    elif manifest.sealed_by.fingerprint != found.key.fingerprint:
        found.differ("seal", MANIFEST, "was signed by another key than it says")
    else:
        found.checked.append("the seal's signature")
        found.signer = signers.name_of(signature.public_key)
    by, run = manifest.sealed_by, manifest.run
    clock = "which was set" if run.clock_set else "which nobody knows to have been set"
    found.notes.append(f"by the rig's clock, {clock}: {run.started_utc} to {run.ended_utc}, sealed {by.sealed_utc}")
    if manifest.nonce is not None:
        found.not_before.append(f"the nonce {manifest.nonce!r} was given by whoever chose it")
    if manifest.log_head is not None:
        _not_before_head(found, manifest.log_head)


def _not_before_head(found: _Found, note: str) -> None:
    head = Checkpoint.from_note(note, f"{MANIFEST}: log_head")
    found.not_before.append(f"the rig's log had {head.size} runs, as it was shown at the start")


def _check_log(found: _Found, raw: bytes, proof: LogProof | None, leaves: str | None, signers: Signers) -> None:
    """Check that the seal is a leaf of the rig's log, whose head the same key signed."""
    key = found.key
    if proof is None or key is None:
        found.notes.append("it is in no log of the rig's: nobody can tell whether another run was sealed in its place")
        return
    checkpoint = proof.checkpoint
    try:
        signed = checkpoint.origin == origin_of(key) and checkpoint.is_signed_by(key)
    except SealFailed as e:
        found.notes.append(f"the log's checkpoint could not be checked: {e}")
        return
    if not signed:
        found.differ("log", PROOF, "its checkpoint is not signed by the key of the seal")
    elif not merkle.is_included(merkle.leaf_hash(raw), proof.index, checkpoint.size, proof.proof, checkpoint.head):
        found.differ("log", PROOF, "does not show that the seal is in the log")
    elif leaves is not None and merkle.tree_head(read_leaves(leaves, LEAVES)) != checkpoint.head:
        found.differ("log", LEAVES, "are not those of the checkpoint")
    else:
        found.checked.append(f"the rig's log: seal {proof.index + 1} of {checkpoint.size}")
        for signer in signers.known:
            at_s = None if signer.key == key else checkpoint.cosigned_at_s(signer.name, signer.key)
            if at_s is not None:
                found.not_after.append(f"{signer.name} cosigned the log with it at {utc_of(at_s)}")
    found.notes.append(
        "that no run was left out of the log and none sealed anew, says a witness who saw an older head (halfpercent "
        "witness)"
    )


# the database


def _only_run(db: Database, where: str) -> int:
    found = db.execute("select run_id from runs limit 2").fetchall()
    if len(found) != 1 or not isinstance(found[0][0], int):
        raise NoSuchRun(f"{where}: {RUN} holds {'more than one run' if found else 'no run'}")
    return int(found[0][0])


def _shown(db: Database, run_id: int) -> RunShown:
    sql = (
        "select run_id as number, run_uid as uid, sample_id, kind, verdict, loss_pct, "
        "expanded_uncertainty_pct as U_pct, invalid_because from runs where run_id = ?"
    )
    with parsed_rows(f"run {run_id}: its row"):
        return msgspec.convert(next(iter(db.query(sql, [run_id]))), RunShown)


def _check_database(found: _Found, db: Database, run_id: int, *, packed: bool) -> None:
    manifest = found.manifest
    head = None if manifest is None else manifest.chain.head(run_id, manifest.run.uid)
    altered = check_run(db, run_id, full=True, sealed=head)
    if altered is not None and not (packed and _has_no_seconds(db, altered)):
        found.differs.append(Difference.of(altered))
        return
    if (outside := not_in_chain(db, run_id)) is not None:
        found.notes.append(outside)
    if manifest is not None:
        says = manifest_of(db, run_id, manifest.sealed_by)
        same_end = msgspec.structs.replace(says, chain=manifest.chain)
        if says.chain.first_sha256 != manifest.chain.first_sha256:
            found.differ("runs", f"run {run_id}", "its header is another than was sealed")
            return
        if place := first_difference(manifest, same_end):
            found.differ("runs", f"run {run_id}", f"{place} is not what was sealed")
            return
        if (added := says.chain.links - manifest.chain.links) > 0:
            found.notes.append(f"links that were added after the run was sealed, which nobody sealed: {added}")
        if manifest.sealed_by.versions.identification != IDENTIFICATION:
            made = manifest.sealed_by.versions
            found.left_out.append(
                f"any number: identification {made.identification} made it, and this software is {IDENTIFICATION}: "
                f"pip install halfpercent=={made.software}"
            )
            return
    found.checked.append("the chain, from its header to its end")
    try:
        again = recompute(db, run_id)
    except (HalfpercentError, SqliteError):
        raise
    except Exception as e:  # whatever a row made of it: it may be an enemy's
        found.differ("runs", f"run {run_id}", visible(f"cannot be computed again ({type(e).__name__}: {e})")[:200])
        return
    if again.differs is not None:
        found.differs.append(Difference.of(again.differs))
        return
    found.again = again.again
    found.checked.append("each second and each event, folded again from the raw codes")
    found.left_out += again.left_out
    if again.worded is not None:
        found.notes.append(f"this version words it otherwise: {again.worded}")
    if not again.left_out:
        found.checked.append("weighings, corrections, budget and verdict, computed again")


def _has_no_seconds(db: Database, altered: Altered) -> bool:
    """Say whether a package's database differs only in that it has no rows of seconds, which are folded again."""
    return altered.table == "seconds" and db.execute("select 1 from seconds limit 1").fetchone() is None


# what lies beside it


def _check_files(found: _Found, package: packages.Package, path: Path, db: Database, run_id: int) -> None:
    """Hold what lies beside the database at ``path`` against what it says."""
    row = packages.row_of(db, run_id)
    expected = {STANDARD: row.standard_toml.encode()} | packages.certificates_of(db, row)
    there = {name: data for name, data in package.files.items() if name == STANDARD or name.startswith(CERTIFICATES)}
    for name in sorted({*expected, *there}):
        if expected.get(name) != there.get(name):
            found.differ("package", name, f"is not what {RUN} says")
    key = package.files.get(SIGNER)
    if key is not None and (
        found.key is None or PublicKey.from_line(key.decode("utf-8", "replace"), SIGNER) != found.key
    ):
        found.differ("package", SIGNER, "is not the key of the seal")
    result = result_of_run(path, str(run_id))
    by = row.software_version if found.manifest is None else found.manifest.sealed_by.versions.software
    described = packages.described_of(run_id, row, result)
    if (package.root, package.described) != (packages.root_of(run_id, row), described) or (
        package.files[REPORT] != packages.report_of(result)
    ):
        if by == __version__:
            found.differ("package", REPORT, "is not the report of this result")
        else:
            found.notes.append(
                f"{REPORT} was written by halfpercent {by} and is not compared: what is true stands here"
            )
    else:
        found.checked.append(f"{REPORT}: is the report of this result")
    if PAGE in package.files:
        _check_page(found, package.files[PAGE], path, result, by)


def _check_page(found: _Found, page: bytes, path: Path, result: Result, by: str) -> None:
    """Hold the report's page against the one that is made anew from the database at ``path``."""
    if by != __version__ or found.again is None or found.run is None:
        found.notes.append(f"{PAGE} is not compared: what is true stands here")
        return
    sealed_by = None if found.manifest is None else found.manifest.sealed_by.fingerprint
    try:
        anew = report_page_again(path, found.run.number, result, sealed_by, found.again)
    except Exception as e:  # whatever a row made of it: it may be an enemy's
        found.differ("package", PAGE, visible(f"cannot be made again ({type(e).__name__}: {e})")[:200])
        return
    if page == anew:
        found.checked.append(f"{PAGE}: is the report of this result, drawn again")
    else:
        found.differ("package", PAGE, "is not the report of this result")


def _check_attachments(found: _Found, package: packages.Package, attached: dict[str, Attached], weighed: str) -> None:
    """Say of each attachment who names it; ``weighed`` are the hashes of the photographs of the balance's display."""
    known = {RUN, MANIFEST, SIGNATURE, SIGNER, STANDARD, REPORT, PAGE, PROOF, LEAVES}
    for name in package.files:
        if name not in known and not name.startswith((CERTIFICATES, PEOPLE)):
            found.differ("package", name, "belongs to no package")
    recorded = "" if found.manifest is None else str(found.manifest.settings)
    for name, one in attached.items():
        if one.sha256 in recorded:
            found.checked.append(f"{name}: is the file that was recorded when the run began")
        elif one.sha256 in weighed:
            found.checked.append(f"{name}: is the photograph of the display that was recorded with a mass")
        elif name.endswith(_TOKENS) and one.names_signature:
            found.not_after.append(
                f"{name} is a time stamp of {SIGNATURE}; who gave it is not checked here: openssl ts -verify"
            )
        else:
            found.notes.append(f"{name}: was attached when the run was exported, and nobody vouches for it")
