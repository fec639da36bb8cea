"""What a package's attachments are asked, so that they need not stay in memory while the run is computed again.

This module must never look into an attachment for anything but hashes.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from .package import ATTACHMENTS, SIGNATURE


@dataclass(frozen=True, slots=True)
class Attached:
    """An attachment's SHA-256 in hexadecimal, and whether it holds the hash of the seal's signature (a time stamp)."""

    sha256: str
    names_signature: bool


def take_out_attachments(files: dict[str, bytes]) -> dict[str, Attached]:
    """Take the attachments out of a package's ``files``, by their names: all else together may be shorter than one."""
    sealed = hashlib.sha256(files.get(SIGNATURE, b"")).digest()
    out: dict[str, Attached] = {}
    for name in [name for name in files if name.startswith(ATTACHMENTS)]:
        data = files.pop(name)
        out[name] = Attached(hashlib.sha256(data).hexdigest(), sealed in data)
    return out
