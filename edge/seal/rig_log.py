"""The rig's log: each seal is a leaf of an append-only tree, whose head the rig signs.

It lies beside the key and belongs to it, not to a database: where a database is put aside, the log goes on. A head is
signed only where it adds to the one that was signed before. This module must never change or take away a line of the
log.
"""

from __future__ import annotations

import os
from pathlib import Path

from calibration.bounded_file import NotReadable, read_regular_file
from edge.errors import BadEvidence, SealFailed
from edge.records.durable_file import sync_folder, write_beside

from . import merkle
from .checkpoint import Advance, Checkpoint, LogProof, origin_of
from .key import RigKey

LOG_NAME, HEAD_NAME = "log", "head"
MOST_LEAVES = 200_000
"""Five hundred years of a run a day."""
_LINE = 65


class RigLog:
    """The log in a rig's folder of seals. ``leaves`` are the hashes of its leaves, oldest first."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = folder / LOG_NAME
        self.leaves = self._read()

    def append(self, leaf: bytes) -> int:
        """Add a leaf, down to the disk, and get its index; one that is there already stays where it is.

        Raises ``SealFailed`` where it cannot be written.
        """
        hashed = merkle.leaf_hash(leaf)
        if hashed not in self.leaves:
            try:
                with self._file.open("ab") as file:
                    file.truncate(len(self.leaves) * _LINE)  # of a line that a power cut tore
                    file.write(f"{hashed.hex()}\n".encode())
                    file.flush()
                    os.fsync(file.fileno())
                sync_folder(self._folder)
            except OSError as e:
                raise SealFailed(
                    f"{self._file}: cannot be written ({e.strerror}): make room, or check its rights"
                ) from e
            self.leaves.append(hashed)
        return self.leaves.index(hashed)

    def last_signed(self) -> Checkpoint | None:
        """Get the head that was signed last; None where none was. Raises ``BadEvidence`` where it is damaged."""
        file = self._folder / HEAD_NAME
        if not file.exists():
            return None
        return Checkpoint.from_note(_text(file, 50_000), str(file))

    def sign_head(self, key: RigKey) -> Checkpoint:
        """Sign the head as it is now, and keep it. Raises ``SealFailed`` where it does not add to the one before."""
        before = self.last_signed()
        if before is not None:
            if before.size > len(self.leaves) or merkle.tree_head(self.leaves[: before.size]) != before.head:
                raise SealFailed(
                    f"{self._file}: was cut or changed since its head was signed at {before.size} runs: take it from a "
                    "copy; until then no head is signed"
                )
            if before.size == len(self.leaves) and before.is_signed_by(key.public):
                return before
        head = Checkpoint(origin_of(key.public), len(self.leaves), merkle.tree_head(self.leaves))
        signed = head.signed(key.file, key.public)
        file = self._folder / HEAD_NAME
        try:
            write_beside(file, signed.to_note().encode()).replace(file)
            sync_folder(self._folder)
        except OSError as e:
            raise SealFailed(f"{file}: cannot be written ({e.strerror}): make room, or check its rights") from e
        return signed

    def proof_of(self, leaf: bytes, checkpoint: Checkpoint) -> LogProof:
        """Get the proof that a leaf is in the log as of a checkpoint. Raises ``BadEvidence`` where it is not."""
        hashed, then = merkle.leaf_hash(leaf), self.leaves[: checkpoint.size]
        if hashed not in then or len(then) < checkpoint.size or merkle.tree_head(then) != checkpoint.head:
            raise BadEvidence(f"{self._file}: the run is not in the log as it was signed: take the log from a copy")
        index = then.index(hashed)
        return LogProof(index, tuple(merkle.inclusion_proof(then, index)), checkpoint)

    def since(self, old_size: int, checkpoint: Checkpoint) -> Advance:
        """Get a checkpoint with the proof that it only adds to the log as it was with ``old_size`` leaves."""
        then = self.leaves[: checkpoint.size]
        if old_size > len(then):
            raise BadEvidence(f"{self._file}: has {len(then)} runs, and never had {old_size}: is it another rig's?")
        return Advance(checkpoint, old_size, tuple(merkle.consistency_proof(then, old_size)))

    def _read(self) -> list[bytes]:
        if not self._file.exists():
            return []
        return read_leaves(_text(self._file, MOST_LEAVES * _LINE), str(self._file))

    def to_text(self, size: int) -> str:
        """Write the first ``size`` leaves, one a line."""
        return leaves_text(self.leaves[:size])


def leaves_text(leaves: list[bytes]) -> str:
    """Write hashes of leaves, one a line."""
    return "".join(f"{leaf.hex()}\n" for leaf in leaves)


def read_leaves(text: str, where: str) -> list[bytes]:
    """Read what :func:`leaves_text` wrote; a last line without its end was never written whole, and does not count.

    Raises ``BadEvidence``.
    """
    lines = text.split("\n")[:-1]
    try:
        leaves = [bytes.fromhex(line) for line in lines]
    except ValueError as e:
        raise BadEvidence(f"{where}: a line of it is no hash: take it from a copy") from e
    if any(leaf.hex() != line or len(leaf) != 32 for leaf, line in zip(leaves, lines, strict=True)):
        raise BadEvidence(f"{where}: a line of it is no hash: take it from a copy")
    return leaves


def _text(file: Path, most_bytes: int) -> str:
    try:
        return read_regular_file(file, most_bytes).decode()
    except (NotReadable, UnicodeDecodeError) as e:
        raise BadEvidence(f"{file}: {e}: take it from a copy") from e
