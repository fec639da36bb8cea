"""Packages that somebody changed, their sums made to fit; what ``verify`` and the independent checker say of one."""

from __future__ import annotations

import random
from pathlib import Path
from typing import NamedTuple

import independent_checker as checker
from sealed_run import SealedRun, repacked, result_changed, tampered_package

from edge.errors import BadEvidence
from edge.evidence.package import MANIFEST, PROOF, RUN, SIGNATURE, STANDARD
from edge.evidence.verification import Answer
from edge.evidence.verify import verify_package


class Said(NamedTuple):
    """Whether each called a package good, and why the checker did not."""

    verify: bool
    checker: bool
    why: str


def said(sealed: SealedRun, raw: bytes, folder: Path) -> Said:
    """Ask both about a package."""
    file = folder / "run.eln"
    file.write_bytes(raw)
    try:
        good = verify_package(file, sealed.signers).answer is Answer.VERIFIED
    except BadEvidence:
        good = False
    try:
        return Said(good, checker.check(file, sealed.signers_file, 2) == "rig-7", "")
    except checker.Wrong as e:
        return Said(good, False, str(e))


def changed(sealed: SealedRun, folder: Path, bytes_each: int = 3, seed: int = 3) -> list[bytes]:
    """Get packages that are not as they were: rows by SQL, bytes of each file; some are, where it holds nothing."""
    rng = random.Random(seed)
    sql = ["update runs set verdict = 'FAIL'", result_changed(0.4), "delete from chunks where chunk = 2",
           "delete from events where event = 5", "update events set who = 'x' where event = 1",
           "update runs set sample_id = 'another'", "update runs set operator = 'x'",
           "delete from events where kind = 'ended'"]  # fmt: skip
    out = [tampered_package(sealed, folder, one, relinked=again) for one in sql for again in (False, True)]
    for name in (RUN, MANIFEST, SIGNATURE, PROOF, STANDARD):
        was = sealed.package.files[name]
        for _ in range(bytes_each):
            # ssh-keygen checks no note, and reads one text of a signature like another: there is no agreement there.
            low, high = {PROOF: (0, was.find(b"\n\n")), SIGNATURE: (200, 220)}.get(name, (0, len(was)))
            at = rng.randrange(low, high)
            out.append(repacked(sealed, {name: was[:at] + bytes([was[at] ^ 1]) + was[at + 1 :]}))
    return out
