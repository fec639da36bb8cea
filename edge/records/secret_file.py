"""A secret that settings name and never hold: a credential of systemd's, or a file that its owner alone can read.

This module must never put a secret into a message.
"""

from __future__ import annotations

import os
from pathlib import Path

from calibration.toml_file import read_text
from edge.errors import BadConfig

MOST_BYTES = 4096


def read_secret(named: str) -> str:
    """Get a secret, without the line break at its end.

    A bare name is a credential that systemd hands over (``LoadCredential=``), anything with a ``/`` a file that nobody
    but its owner may read. Raises ``BadConfig``, one line.
    """
    if "/" not in named:
        folder = os.environ.get("CREDENTIALS_DIRECTORY")
        if not folder:
            raise BadConfig(f"{named}: a name without / is a credential of systemd's: LoadCredential={named}:FILE")
        path = Path(folder) / named
    else:
        path = Path(named)
        try:
            open_to_others = path.stat().st_mode & 0o077
        except (OSError, ValueError):
            open_to_others = 0  # it cannot be read either, which is said there
        if open_to_others:
            raise BadConfig(f"{path}: others than its owner can read this secret: chmod 600")
    return read_text(path, BadConfig, most_bytes=MOST_BYTES).rstrip("\r\n")
