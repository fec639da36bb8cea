"""A witness: an auditor's laptop, or another rig, that has seen the head of a rig's log and remembers it.

It cosigns a head only where it is proved to add to what was seen before. So an owner who rewrites what a rig has
sealed, by leaving a run out or by sealing another result with the rig's own key, is found by whoever saw an older head;
without a witness he is not. This module must never forget a head for an older one, and never cosign two of one size.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path

from calibration.bounded_file import NotReadable, read_regular_file
from edge.errors import BadEvidence, SealFailed
from edge.records.durable_file import write_beside
from edge.seal import merkle
from edge.seal.checkpoint import Advance, Checkpoint, origin_of
from edge.seal.key import find_key, make_key
from edge.seal.signers import PublicKey, Signers

MOST_BYTES = 50_000


class Rewritten(BadEvidence):
    """A rig's log that does not add to what a witness saw of it: its history was rewritten."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What a witness is shown: a checkpoint, and what proves that it adds to older ones.

    ``old_size`` and ``proof`` are for one older size; ``leaves`` are all of its leaves, for any (None: not given).
    """

    checkpoint: Checkpoint
    old_size: int | None = None
    proof: tuple[bytes, ...] = ()
    leaves: tuple[bytes, ...] | None = None

    @staticmethod
    def from_text(text: str, where: str) -> Shown:
        """Read a checkpoint, with a proof before it or without. Raises ``BadEvidence``."""
        if not text.startswith("old "):
            return Shown(Checkpoint.from_note(text, where))
        advance = Advance.from_text(text, where)
        return Shown(advance.checkpoint, advance.old_size, advance.proof)


@dataclass(frozen=True, slots=True)
class Witnessed:
    """What came of it: which rig, the size that was seen before (None: none was), and the cosigned checkpoint."""

    rig: str
    before: int | None
    cosigned: Checkpoint


class Witness:
    """A witness with its own key, and one remembered head for each rig, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.key = find_key(folder) or make_key(folder)

    def look(self, shown: Shown, signers: Signers, now: datetime.datetime) -> Witnessed:
        """Look at a checkpoint, remember it and cosign it.

        A rig is known by ``signers``, or because it was seen before. Raises ``Rewritten`` where the log does not add to
        what was seen, ``BadEvidence`` where it cannot be said.
        """
        checkpoint = shown.checkpoint
        public, rig = self._rig(checkpoint, signers)
        seen = self._seen(checkpoint)
        if seen is not None:
            _require_added(seen, shown)
        elif shown.leaves is not None:
            _require_leaves(shown)
        cosigned = checkpoint.cosigned(self.key.name, self.key.file, self.key.public, int(now.timestamp()))
        self._remember(public, rig, cosigned)
        return Witnessed(rig, None if seen is None else seen.size, cosigned)

    def _rig(self, checkpoint: Checkpoint, signers: Signers) -> tuple[PublicKey, str]:
        """Get the key of a rig's log and what it is called: one that is known, whose signature is on the checkpoint."""
        known = [(s.key, s.name) for s in (*signers.known, *self._pinned(checkpoint).known)]
        for key, name in known:
            if origin_of(key) == checkpoint.origin:
                if checkpoint.is_signed_by(key):
                    return key, name
                raise BadEvidence(f"{checkpoint.origin}: the checkpoint's signature is not by the key of {name}")
        raise BadEvidence(
            f"{checkpoint.origin}: no key of this rig is known here: give a file with the line that halfpercent key "
            "show prints on it"
        )

    def _file(self, checkpoint: Checkpoint, end: str) -> Path:
        name = "".join(c if c.isascii() and c.isalnum() else "-" for c in checkpoint.origin)[:80]
        return self._folder / f"{name}.{end}"

    def _pinned(self, checkpoint: Checkpoint) -> Signers:
        file = self._file(checkpoint, "signers")
        return Signers.load(file) if file.exists() else Signers()

    def _seen(self, checkpoint: Checkpoint) -> Checkpoint | None:
        file = self._file(checkpoint, "checkpoint")
        if not file.exists():
            return None
        try:
            seen = Checkpoint.from_note(read_regular_file(file, MOST_BYTES).decode(), str(file))
        except (NotReadable, UnicodeDecodeError) as e:
            raise BadEvidence(f"{file}: {e}: what was seen is lost: take it from a copy") from e
        if seen.cosigned_at_s(self.key.name, self.key.public) is None or seen.origin != checkpoint.origin:
            raise BadEvidence(f"{file}: is not what this witness signed: take it from a copy")
        return seen

    def _remember(self, public: PublicKey, rig: str, cosigned: Checkpoint) -> None:
        try:
            for end, text in (
                ("signers", f"{public.allowed_signers_line(rig)}\n"),
                ("checkpoint", cosigned.to_note()),
            ):
                file = self._file(cosigned, end)
                write_beside(file, text.encode()).replace(file)
        except OSError as e:
            raise SealFailed(f"{self._folder}: cannot be written ({e.strerror}): nothing was cosigned") from e


def _require_added(seen: Checkpoint, shown: Shown) -> None:
    """Raise ``Rewritten`` where a checkpoint does not add to what was seen, ``BadEvidence`` where nothing proves it."""
    now = shown.checkpoint
    rewritten = f"{now.origin}: REWRITTEN: this witness saw another log of {seen.size} runs: ask its owner what changed"
    if now.size < seen.size:
        raise Rewritten(
            f"{now.origin}: shows {now.size} runs, and {seen.size} were seen: an old checkpoint, or REWRITTEN: ask for "
            "the rig's newest one"
        )
    if now.size == seen.size:
        if now.head != seen.head:
            raise Rewritten(rewritten)
        return
    if shown.leaves is not None:
        _require_leaves(shown)
        if merkle.tree_head(shown.leaves[: seen.size]) != seen.head:
            raise Rewritten(rewritten)
        return
    if shown.old_size != seen.size:
        raise BadEvidence(
            f"{now.origin}: {seen.size} runs were seen, and nothing proves that these {now.size} add to them: ask the "
            f"rig for its checkpoint since {seen.size}"
        )
    if not merkle.is_consistent(seen.size, seen.head, now.size, now.head, shown.proof):
        raise Rewritten(rewritten)


def _require_leaves(shown: Shown) -> None:
    leaves, now = shown.leaves or (), shown.checkpoint
    if len(leaves) != now.size or merkle.tree_head(leaves) != now.head:
        raise BadEvidence(f"{now.origin}: the leaves beside the checkpoint are not the log's: they were changed")
