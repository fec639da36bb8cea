"""A run's seals beside its copy: what ``verify`` and a witness need, and never the private key.

Beside a copied run stand the rig's public key, its log with the head that was signed last, and all seals of the run.
What is in the second place already may be the older evidence: a log there must be the beginning of the rig's, a key the
rig's, or nothing is changed. This module must never read the private key, nor write into the rig's own folder.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from calibration.bounded_file import NotReadable, read_regular_file
from edge.database.connection import translated_errors
from edge.database.reading import open_readonly
from edge.database.run_check import run_head
from edge.errors import SealFailed
from edge.records.durable_file import sync_folder, write_beside

from .key import KEY_NAME, find_key, seal_folder
from .rig_log import HEAD_NAME, LOG_NAME, RigLog
from .sealing import MOST_SEALS, RUNS, name_begins

_MOST_BYTES = 16 << 20
"""The longest file is the log."""


def copy_seals(database: Path, run_id: int, folder: Path) -> Path | None:
    """Copy the seals of a run to where :func:`edge.database.backup.backup_run` copies it. None: the rig has no key.

    Returns their folder. Raises ``SealFailed`` where what is there is of another rig, or is not the beginning of this
    one's log, or where it cannot be written; ``BadEvidence``, ``BadDatabase``.
    """
    ours, theirs = seal_folder(database), folder / "seal"
    key = find_key(ours)
    if key is None:
        return None
    there = find_key(theirs)
    if there is not None and there.public != key.public:
        raise SealFailed(
            f"{theirs}: holds the seals of another key ({there.public.fingerprint}): name a folder of this rig's own"
        )
    log, copied = RigLog(ours).leaves, RigLog(theirs).leaves
    if log[: len(copied)] != copied:
        raise SealFailed(
            f"{theirs / LOG_NAME}: is not the beginning of the rig's log, so one of them was changed: keep both, and "
            "name another folder"
        )
    with closing(open_readonly(database)) as db, translated_errors(database):
        begins = name_begins(run_head(db, run_id).first_sha256)
    # The signature before the manifest, and the log before its head: what is there can be checked at any moment.
    seals = sorted((ours / RUNS).glob(f"{begins}*"), reverse=True)[: 3 * MOST_SEALS]
    own = [ours / f"{KEY_NAME}.pub", *seals, ours / LOG_NAME, ours / HEAD_NAME]
    try:
        (theirs / RUNS).mkdir(parents=True, exist_ok=True)
        for file in own:
            if file.exists():
                _copy(file, theirs / file.relative_to(ours))
        sync_folder(theirs / RUNS)
        sync_folder(theirs)
    except NotReadable as e:
        raise SealFailed(f"{ours}: a file of it {e}: take it from a copy") from e
    except OSError as e:
        raise SealFailed(f"{theirs}: cannot be written ({e.strerror}): make room there, or check its rights") from e
    return theirs


def _copy(file: Path, copy: Path) -> None:
    data = read_regular_file(file, _MOST_BYTES)
    if not copy.exists() or read_regular_file(copy, _MOST_BYTES) != data:
        write_beside(copy, data).replace(copy)
