"""Files that a run's record names by their SHA-256, kept beside its database: photographs of specimen and display.

A file lies under its hash in the folder ``NAME.attachments``, written once and whole. The record holds the hash alone:
what cannot be kept costs no run, and a folder that is lost changes no result. This module must never keep a file under
a hash that it does not have, and never write another file over one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from calibration.bounded_file import NotReadable, read_regular_file
from edge.errors import BadDatabase
from edge.records.durable_file import sync_folder, write_beside
from edge.records.specimen import Specimen, photographs_named

from .connection import Database, parsed_rows
from .queries import balance_masses, stored_run

MOST_BYTES = 16 << 20
"""Of one file: a photograph has some 4 MB."""
MOST_KEPT_BYTES = 2 << 30
"""Of all of a database: some five hundred photographs; then no more are kept, and the disk stays free for runs."""


def attachments_folder(database: Path) -> Path:
    """Get the folder in which a database's attachments lie, whether there is one or not."""
    file = database.resolve()
    return file.with_name(f"{file.name}.attachments")


def keep(database: Path, file: Path, sha256: str, *, follow_links: bool = True) -> str | None:
    """Keep a file that has this hash. Get why it is not kept, in words; None where it is.

    ``follow_links`` is as :func:`calibration.bounded_file.read_regular_file` has it.
    """
    place = attachments_folder(database) / sha256
    if place.exists():
        return None
    try:
        data = read_regular_file(file, MOST_BYTES, follow_links=follow_links)
    except NotReadable as e:
        return f"{file.name}: {e}"
    if hashlib.sha256(data).hexdigest() != sha256:
        return f"{file.name}: is another file than the record's SHA-256 says"
    try:
        place.parent.mkdir(exist_ok=True)
        if sum(kept.stat().st_size for kept in place.parent.iterdir()) + len(data) > MOST_KEPT_BYTES:
            return f"{file.name}: {MOST_KEPT_BYTES >> 30} GB of attachments are kept: move some away"
        beside = write_beside(place, data)
        try:
            beside.replace(
                place
            )  # not linked: a stick with FAT has no links; who kept it meanwhile kept the same bytes
        finally:
            beside.unlink(missing_ok=True)
        sync_folder(place.parent)
    except OSError as e:
        return f"{file.name}: cannot be kept ({e.strerror})"
    return None


def is_kept(database: Path, sha256: str) -> bool:
    """Say whether a file with this hash is kept."""
    return (attachments_folder(database) / sha256).is_file()


def kept(database: Path, hashes: Iterable[str], most_bytes: int) -> dict[str, bytes]:
    """Get the files that are kept under these hashes, by hash, as far as they are what they should be.

    At most ``most_bytes`` in all: what does not fit is left out.
    """
    found: dict[str, bytes] = {}
    left = most_bytes
    for sha256 in dict.fromkeys(hashes):
        try:
            data = read_regular_file(attachments_folder(database) / sha256, min(MOST_BYTES, left), follow_links=False)
        except NotReadable:
            continue
        if hashlib.sha256(data).hexdigest() == sha256:
            found[sha256] = data
            left -= len(data)
    return found


def named_photographs(db: Database, run_id: int) -> tuple[str, ...]:
    """Get the SHA-256 of each photograph that a stored run names, of specimen and display. Raises ``BadDatabase``."""
    with parsed_rows(f"run {run_id}: the record of its specimen"):
        told = stored_run(db, run_id).settings.get("specimen")
        of_specimen = () if told is None else photographs_named(Specimen.from_settings(told))
    of_display = (mass.photograph_sha256 for mass in balance_masses(db, run_id))
    return (*(photo.sha256 for photo in of_specimen), *(sha256 for sha256 in of_display if sha256 is not None))


def copy_kept(database: Path, hashes: Iterable[str], copy: Path) -> int:
    """Keep beside a copy of a run what is kept of these hashes beside its database. Returns how many.

    Each is read anew, here and there. Raises ``BadDatabase`` in one line where one of them cannot be kept; the others
    are.
    """
    failed: list[str] = []
    there = [sha256 for sha256 in dict.fromkeys(hashes) if is_kept(database, sha256)]
    for sha256 in there:
        why = keep(copy, attachments_folder(database) / sha256, sha256, follow_links=False)
        if why is None and not kept(copy, [sha256], MOST_BYTES):
            why = f"{attachments_folder(copy) / sha256}: is not what its name says: move it away and back up again"
        if why is not None:
            failed.append(why)
    if failed:
        raise BadDatabase(f"{len(failed)} of {len(there)} attachments are not kept there: {failed[0]}")
    return len(there)
