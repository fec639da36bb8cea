"""Sealing a run that has ended: its manifest signed by the rig's key, and a leaf of its log.

It is done beside the measurement, after the result is written, and its failure is a line and nothing else. A run is
sealed once for each head of its chain: what is added to it later (a correction) is sealed anew. This module must never
seal what does not hold, and never hold up what measures.
"""

from __future__ import annotations

import re
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from calibration.bounded_file import NotReadable, read_regular_file
from edge.database.connection import Database, translated_errors
from edge.database.reading import LONG_CPU_S, MOST_ROW_BYTES, open_readonly
from edge.database.run_check import check_run, run_head
from edge.database.stored_rows import utc
from edge.errors import BadEvidence, SealFailed
from edge.records.durable_file import sync_folder, write_beside

from . import ssh_format, sshsig
from .checkpoint import Checkpoint, LogProof
from .key import RigKey, find_key, seal_folder
from .manifest import MOST_BYTES, Manifest, SealedBy, manifest_of
from .rig_log import HEAD_NAME, RigLog
from .signers import Signer, Signers
from .ssh_format import Signature
from .versions import versions_here

RUNS = "runs"
MOST_SEALS = 100
_HEX = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Seal:
    """A run's seal: the manifest's bytes, the signature over them, and the checkpoint of the log that has it as a leaf.

    ``checkpoint`` is None where the log's head could not be signed.
    """

    raw: bytes
    manifest: Manifest
    signature: Signature
    checkpoint: Checkpoint | None

    @property
    def head_sha256(self) -> str:
        """Get the head of the run's chain that was sealed, in hexadecimal."""
        return self.manifest.chain.last_sha256

    def file_in(self, folder: Path) -> Path:
        """Get where its manifest is, in a rig's folder of seals."""
        return _file(folder, self.manifest.chain.first_sha256, self.manifest.chain.last_sha256)


def begin_log(key: RigKey) -> Checkpoint:
    """Sign the head of the log that a new key begins: there is something to show before the first run.

    Raises ``SealFailed``.
    """
    return RigLog(key.file.parent).sign_head(key)


def seal_run(database: Path, run_id: int, wall_s: float) -> Seal | None:
    """Seal a run that has a result; one whose seal is there already keeps it. None: the rig has no key.

    Raises ``SealFailed`` where what is stored of it does not hold, or where it cannot be signed or written;
    ``NoSuchRun``, ``BadDatabase``, ``BadEvidence``.
    """
    folder = seal_folder(database)
    key = find_key(folder)
    if key is None:
        return None
    by = SealedBy(name=key.name, fingerprint=key.public.fingerprint, sealed_utc=utc(wall_s), versions=versions_here())
    with (
        closing(open_readonly(database, cpu_s=LONG_CPU_S, most_bytes=MOST_ROW_BYTES)) as db,
        translated_errors(database),
    ):
        if altered := check_run(db, run_id, full=True):
            raise SealFailed(f"run {run_id} is not sealed, for it does not hold: ALTERED: {altered}")
        manifest = manifest_of(db, run_id, by)
    chain = manifest.chain
    return _find(folder, chain.first_sha256, chain.last_sha256, key) or _sealed(folder, manifest, key)


def find_seal(database: Path, db: Database, run_id: int) -> Seal | None:
    """Get the seal of a run that lies beside its database; None where none does.

    Where it was sealed more than once, of the head that it has now; where there is none of that, the newest: then what
    was sealed is another run than what is stored. Raises ``BadEvidence``, ``BadDatabase``.
    """
    folder, head = seal_folder(database), run_head(db, run_id)
    if not _HEX.fullmatch(head.first_sha256):
        return None
    if (seal := read_seal(folder, head.first_sha256, head.sha256)) is not None:
        return seal
    return _newest(folder, head.first_sha256)


def newest_seal(database: Path, db: Database, run_id: int) -> Seal | None:
    """Get the seal of a run that has the most links, whatever head the run has now; None where none lies there.

    It shows where an end was cut off after it was sealed. Raises as :func:`find_seal`.
    """
    first = run_head(db, run_id).first_sha256
    return _newest(seal_folder(database), first) if _HEX.fullmatch(first) else None


def _newest(folder: Path, first_sha256: str) -> Seal | None:
    files = (folder / RUNS).glob(f"{name_begins(first_sha256)}*.json")
    found = [_read_seal(file) for file in sorted(files)[:MOST_SEALS]]
    return max(found, key=lambda s: s.manifest.chain.links, default=None)


def read_seal(folder: Path, first_sha256: str, last_sha256: str) -> Seal | None:
    """Get the seal of a chain, by its first and last link; None where there is none. Raises ``BadEvidence``."""
    file = _file(folder, first_sha256, last_sha256)
    return _read_seal(file) if file.exists() else None


def _read_seal(file: Path) -> Seal:
    raw = _read(file, MOST_BYTES)
    signature = Signature.from_text(_read(_beside(file, "sig"), ssh_format.MOST_BYTES), str(_beside(file, "sig")))
    at = _beside(file, "checkpoint")
    checkpoint = Checkpoint.from_note(_text(at), str(at)) if at.exists() else None
    return Seal(raw, Manifest.from_bytes(raw, str(file)), signature, checkpoint)


def shown_head(database: Path) -> str:
    """Get the checkpoint that is shown where a run begins; '' where there is none, or none that can be read."""
    file = seal_folder(database) / HEAD_NAME
    try:
        return Checkpoint.from_note(_text(file), str(file)).to_note() if file.exists() else ""
    except (BadEvidence, OSError):
        return ""


def log_proof(folder: Path, seal: Seal) -> LogProof | None:
    """Get the proof that a seal is in the rig's log; None where no checkpoint was signed. Raises ``BadEvidence``."""
    return None if seal.checkpoint is None else RigLog(folder).proof_of(seal.raw, seal.checkpoint)


def own_signers(folder: Path) -> Signers:
    """Get whose keys a rig knows by itself: its own."""
    key = find_key(folder)
    return Signers() if key is None else Signers((Signer(key.name, key.public, (ssh_format.NAMESPACE,)),))


def _find(folder: Path, first_sha256: str, last_sha256: str, key: RigKey) -> Seal | None:
    """Get a seal that is there already, with its checkpoint: a power cut may have come before that."""
    seal = read_seal(folder, first_sha256, last_sha256)
    if seal is None or seal.checkpoint is not None:
        return seal
    return _logged(folder, seal, key)


def _sealed(folder: Path, manifest: Manifest, key: RigKey) -> Seal:
    raw = manifest.to_bytes()
    seal = Seal(raw, manifest, sshsig.sign(raw, key.file), None)
    file = seal.file_in(folder)
    # The signature first: a manifest that is there has its signature.
    _write(_beside(file, "sig"), seal.signature.to_text().encode())
    _write(file, raw)
    return _logged(folder, seal, key)


def _logged(folder: Path, seal: Seal, key: RigKey) -> Seal:
    log = RigLog(folder)
    log.append(seal.raw)
    checkpoint = log.sign_head(key)
    _write(_beside(seal.file_in(folder), "checkpoint"), checkpoint.to_note().encode())
    return Seal(seal.raw, seal.manifest, seal.signature, checkpoint)


def _file(folder: Path, first_sha256: str, last_sha256: str) -> Path:
    return folder / RUNS / f"{name_begins(first_sha256)}{_short(last_sha256)}.json"


def name_begins(first_sha256: str) -> str:
    """Get how the names of all files of a run's seals begin, by the first link of its chain."""
    return f"{_short(first_sha256)}-"


def _short(sha256: str) -> str:
    return sha256[:32]


def _beside(file: Path, end: str) -> Path:
    return file.with_name(f"{file.name}.{end}")


def _write(file: Path, data: bytes) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_beside(file, data).replace(file)
        sync_folder(file.parent)
    except OSError as e:
        raise SealFailed(f"{file}: cannot be written ({e.strerror}): make room, or check its rights") from e


def _read(file: Path, most_bytes: int) -> bytes:
    try:
        return read_regular_file(file, most_bytes)
    except NotReadable as e:
        raise BadEvidence(f"{file}: {e}: take it from a copy") from e


def _text(file: Path) -> str:
    try:
        return _read(file, 50_000).decode()
    except UnicodeDecodeError as e:
        raise BadEvidence(f"{file}: is no text: take it from a copy") from e
