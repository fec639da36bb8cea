"""With what a run is measured and judged: the versions of what its numbers pass through.

They are stored with the run. This module must never load what it names.
"""

from __future__ import annotations

import platform
from functools import cache
from importlib import metadata

from edge.database.connection import sqlite_version


@cache
def versions() -> dict[str, str]:
    """Get the versions of Python, numpy, numba and SQLite by name; what is not installed is left out."""
    found = {"python": platform.python_version(), "sqlite": sqlite_version()}
    for name in ("numpy", "numba"):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
