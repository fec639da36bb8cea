"""Which software made a result: versions of all that can change its bits, and of what it ran on.

This module must never import what it names: numba alone takes a second.
"""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

import msgspec

from edge import __version__
from edge.database.connection import sqlite_version

from .identification import IDENTIFICATION


class Versions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Versions as text; ``identification`` is that of the legally relevant part, '' where a library is missing."""

    software: str
    identification: int
    python: str
    numba: str
    llvmlite: str
    numpy: str
    scipy: str
    sqlite: str
    system: str
    kernel: str
    machine: str


def versions_here() -> Versions:
    """Get the versions on this machine."""
    return Versions(
        software=__version__,
        identification=IDENTIFICATION,
        python=platform.python_version(),
        numba=_version("numba"),
        llvmlite=_version("llvmlite"),
        numpy=_version("numpy"),
        scipy=_version("scipy"),
        sqlite=sqlite_version(),
        system=platform.system(),
        kernel=platform.release(),
        machine=platform.machine(),
    )


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
