"""A checkpoint: the head of a rig's log as a signed note of some 190 bytes, and what witnesses add to it.

The formats are C2SP's: signed-note, tlog-checkpoint, tlog-cosignature, tlog-proof, and for a checkpoint with the proof
that it only adds to an older one, the body of tlog-witness's request. Signatures are Ed25519 over the note's text, by
``cryptography``. This module must never trust a key because a note names it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from edge.errors import BadEvidence, SealFailed

from .merkle import MOST_PROOF
from .signers import PublicKey

MOST_BYTES = 50_000
MOST_SIGNATURES = 32
_DASH = "\u2014"
_SIGNS, _COSIGNS = 0x01, 0x04
"""The kinds of signature: of a log, and of a witness with its time."""
_NUMBER = re.compile(r"0|[1-9][0-9]{0,17}")


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """A line of signature under a note: whose it says it is, four bytes that tell keys apart, and the rest."""

    name: str
    key_id: bytes
    value: bytes

    def to_line(self) -> str:
        """Write it as a line."""
        return f"{_DASH} {self.name} {base64.b64encode(self.key_id + self.value).decode()}\n"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The head of the log ``origin`` when it had ``size`` leaves, and who signed that."""

    origin: str
    size: int
    head: bytes
    signatures: tuple[NoteSignature, ...] = ()

    @property
    def text(self) -> str:
        """Get what is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.head).decode()}\n"

    def to_note(self) -> str:
        """Write it with its signatures."""
        return self.text + "\n" + "".join(s.to_line() for s in self.signatures)

    @staticmethod
    def from_note(note: str, where: str) -> Checkpoint:
        """Read one, and no other spelling of it. Raises ``BadEvidence``, with ``where`` it stood."""
        try:
            found = _read(note)
        except (ValueError, binascii.Error) as e:
            raise BadEvidence(f"{where}: is no checkpoint ({e}): it was changed, or is another file") from e
        if found.to_note() != note:
            raise BadEvidence(f"{where}: is no checkpoint as it is written: it was changed")
        return found

    def signed(self, key_file: Path, public: PublicKey) -> Checkpoint:
        """Get it with the log's signature. Raises ``SealFailed``."""
        value = _ed25519().sign_raw(self.text.encode(), key_file)
        mine = NoteSignature(self.origin, key_id(self.origin, public.raw, _SIGNS), value)
        return Checkpoint(self.origin, self.size, self.head, (mine,))

    def is_signed_by(self, public: PublicKey) -> bool:
        """Say whether the log's own signature is on it, by this key. Raises ``SealFailed`` where nobody here can."""
        known = key_id(self.origin, public.raw, _SIGNS)
        found = [s for s in self.signatures if s.name == self.origin and s.key_id == known]
        return bool(found) and all(_ed25519().is_good_raw(public.raw, s.value, self.text.encode()) for s in found)

    def cosigned(self, name: str, key_file: Path, public: PublicKey, at_s: int) -> Checkpoint:
        """Get it with a witness's signature, of the time ``at_s`` (s since 1970), behind the others."""
        value = struct.pack(">Q", at_s) + _ed25519().sign_raw(_cosigned(self, at_s), key_file)
        mine = NoteSignature(name, key_id(name, public.raw, _COSIGNS), value)
        others = tuple(s for s in self.signatures if (s.name, s.key_id) != (mine.name, mine.key_id))
        return Checkpoint(self.origin, self.size, self.head, (*others, mine))

    def cosigned_at_s(self, name: str, public: PublicKey) -> int | None:
        """Get when a witness signed it (s since 1970, by its clock); None where it did not."""
        known = key_id(name, public.raw, _COSIGNS)
        for s in self.signatures:
            if s.name == name and s.key_id == known and len(s.value) == 72:
                at_s = int.from_bytes(s.value[:8], "big")
                if _ed25519().is_good_raw(public.raw, s.value[8:], _cosigned(self, at_s)):
                    return at_s
        return None


def origin_of(public: PublicKey) -> str:
    """Get what the log of a rig with this key is called."""
    short = base64.b32encode(hashlib.sha256(public.wire).digest()[:5]).decode().lower()
    return f"halfpercent/{short}"


def key_id(name: str, raw_key: bytes, kind: int) -> bytes:
    """Get the four bytes by which a line of signature names a key."""
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + raw_key).digest()[:4]


@dataclass(frozen=True, slots=True)
class Advance:
    """A checkpoint and the proof that it only adds to the log as it was with ``old_size`` leaves."""

    checkpoint: Checkpoint
    old_size: int
    proof: tuple[bytes, ...]

    def to_text(self) -> str:
        """Write it as tlog-witness's request."""
        return f"old {self.old_size}\n{_hash_lines(self.proof)}\n{self.checkpoint.to_note()}"

    @staticmethod
    def from_text(text: str, where: str) -> Advance:
        """Read one. Raises ``BadEvidence``."""
        number, proof, note = _proof_and_note(text, "old ", where)
        return Advance(Checkpoint.from_note(note, where), number, proof)


@dataclass(frozen=True, slots=True)
class LogProof:
    """The proof that leaf ``index`` is in the log with this checkpoint."""

    index: int
    proof: tuple[bytes, ...]
    checkpoint: Checkpoint

    def to_text(self) -> str:
        """Write it as C2SP's tlog-proof."""
        return f"{_PROOF}\nindex {self.index}\n{_hash_lines(self.proof)}\n{self.checkpoint.to_note()}"

    @staticmethod
    def from_text(text: str, where: str) -> LogProof:
        """Read one, without extra data. Raises ``BadEvidence``."""
        first, _, rest = text.partition("\n")
        if first != _PROOF:
            raise BadEvidence(f"{where}: is no proof of a log: it was changed, or is another file")
        number, proof, note = _proof_and_note(rest, "index ", where)
        return LogProof(number, proof, Checkpoint.from_note(note, where))


_PROOF = "c2sp.org/tlog-proof@v1"


def _hash_lines(hashes: Sequence[bytes]) -> str:
    return "".join(f"{base64.b64encode(one).decode()}\n" for one in hashes)


def _proof_and_note(text: str, word: str, where: str) -> tuple[int, tuple[bytes, ...], str]:
    above, _, note = text[:MOST_BYTES].partition("\n\n")
    first, *lines = above.split("\n")
    try:
        if not first.startswith(word) or len(lines) > MOST_PROOF:
            raise ValueError("no such proof")
        return _number(first.removeprefix(word)), tuple(map(_hash, lines)), note
    except (ValueError, binascii.Error) as e:
        raise BadEvidence(f"{where}: is no proof of a log ({e}): it was changed, or is another file") from e


def _read(note: str) -> Checkpoint:
    if len(note) > MOST_BYTES:
        raise ValueError("too long")
    text, empty, signed = note.partition("\n\n")
    origin, size, head = text.split("\n")
    if not empty or not origin or any(ord(c) < 32 for c in origin):
        raise ValueError("not three lines")
    lines = signed.removesuffix("\n").split("\n") if signed else []
    if len(lines) > MOST_SIGNATURES:
        raise ValueError("too many signatures")
    return Checkpoint(origin, _number(size), _hash(head), tuple(map(_signature, lines)))


def _signature(line: str) -> NoteSignature:
    dash, name, coded = line.split(" ")
    raw = base64.b64decode(coded, validate=True)
    if dash != _DASH or not name or "+" in name or len(raw) <= 4:
        raise ValueError("a line of signature is none")
    return NoteSignature(name, raw[:4], raw[4:])


def _number(text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise ValueError("a number is none")
    return int(text)


def _hash(text: str) -> bytes:
    raw = base64.b64decode(text, validate=True)
    if len(raw) != 32:
        raise ValueError("a hash is none")
    return raw


def _cosigned(checkpoint: Checkpoint, at_s: int) -> bytes:
    return f"cosignature/v1\ntime {at_s}\n{checkpoint.text}".encode()


def _ed25519() -> ModuleType:
    try:
        from . import with_cryptography
    except ImportError as e:
        raise SealFailed("checkpoints are signed and checked by a library: pip install 'halfpercent[seal]'") from e
    return with_cryptography
