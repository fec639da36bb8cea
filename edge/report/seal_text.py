"""What a report says of a run's seal: who sealed it, and the checkpoint of the rig's log that has it.

It shows what is there and checks nothing: ``halfpercent verify`` does. This module must never call a seal good.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from calibration.visible_text import visible
from edge.database.connection import translated_errors
from edge.database.reading import open_readonly
from edge.database.run_check import Head
from edge.errors import BadDatabase, BadEvidence
from edge.records.report_about import NO_PROOF, ProofTold
from edge.records.result import Result
from edge.records.run import RunKind
from edge.seal.key import find_key, seal_folder
from edge.seal.sealing import Seal, find_seal, newest_seal


def stored_seal(database: Path, run_id: int) -> Seal | str:
    """Get the seal of a run as its chain stands now, or why there is none."""
    try:
        with closing(open_readonly(database)) as db, translated_errors(database):
            seal = find_seal(database, db, run_id)
        if seal is not None:
            return seal
        if find_key(seal_folder(database)) is None:
            return "the rig has no key: halfpercent key new makes one"
    except (BadEvidence, BadDatabase) as e:
        return str(e)
    return "it was not sealed when it ended"


def proof_of(database: Path, run_id: int) -> ProofTold:
    """Get what of a run's seal stands on its report: the rig's key, and the checkpoint that has the run."""
    seal = stored_seal(database, run_id)
    if isinstance(seal, str):
        return NO_PROOF
    checkpoint = None if seal.checkpoint is None else seal.checkpoint.to_note()
    return ProofTold(checkpoint=checkpoint, rig_key=seal.manifest.sealed_by.fingerprint)


def sealed_head(database: Path, run_id: int) -> Head | None:
    """Get the head of a run's chain by the seal that lies beside its database; None where none does.

    Whether the seal is good is not asked: who changed both is found by ``halfpercent verify`` or a witness.
    """
    try:
        with closing(open_readonly(database)) as db, translated_errors(database):
            seal = newest_seal(database, db, run_id)
    except (BadEvidence, BadDatabase):
        return None
    return None if seal is None else seal.manifest.chain.head(run_id, seal.manifest.run.uid)


def seal_lines(database: Path, result: Result) -> list[str]:
    """Get what a report says of a run's seal, in lines that each are ours; none for a replay, which no rig seals."""
    seal = _seal_of(database, result)
    if seal is None:
        return []
    if isinstance(seal, str):
        return ["", visible(f"Not sealed: {seal}.")]
    by = seal.manifest.sealed_by
    lines = [
        "",
        visible(f"Sealed by {by.name}, key {by.fingerprint},"),
        visible(f"at {by.sealed_utc} by its clock; not checked here: halfpercent verify."),
    ]
    if seal.checkpoint is not None:
        note = map(visible, seal.checkpoint.to_note().splitlines())
        lines += ["The rig's log with this run in it (halfpercent witness):", *note]
    return lines


def seal_json(database: Path, result: Result) -> dict[str, object]:
    """Get the same as plain JSON under the key ``seal``; nothing for a replay."""
    seal = _seal_of(database, result)
    if seal is None:
        return {}
    if isinstance(seal, str):
        return {"seal": {"sealed": False, "because": seal}}
    by = seal.manifest.sealed_by
    told = {"by": by.name, "fingerprint": by.fingerprint, "sealed_utc": by.sealed_utc, "head_sha256": seal.head_sha256}
    checkpoint = None if seal.checkpoint is None else seal.checkpoint.to_note()
    return {"seal": {"sealed": True} | told | {"checkpoint": checkpoint}}


def _seal_of(database: Path, result: Result) -> Seal | str | None:
    if result.kind == RunKind.REPLAY or not isinstance(result.run_id, int):
        return None
    return stored_seal(database, result.run_id)
