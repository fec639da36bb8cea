"""Files that a run's record names by their SHA-256, kept beside its database: photographs of specimen and display.

A file lies under its hash in the folder ``NAME.attachments``, written once and whole. The record holds the hash alone:
what cannot be kept costs no run, and a folder that is lost changes no result. This module must never keep a file under
a hash that it does not have, and never write over one.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from calibration.bounded_file import NotReadable, read_regular_file
from edge.records.durable_file import sync_folder, write_beside

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
            with contextlib.suppress(FileExistsError):  # somebody kept it in this very moment
                os.link(beside, place)
        finally:
            beside.unlink()
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
