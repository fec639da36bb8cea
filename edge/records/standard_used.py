"""By which standard's file a run is judged, and what people call that standard.

This module must never judge, and never read a file.
"""

from __future__ import annotations

import re

import msgspec

MOST_CALLED = 60
"""Letters of a designation: what is longer is a sentence."""


class StandardUsed(msgspec.Struct, frozen=True, kw_only=True):
    """By which standard's file a run is judged.

    ``verified``: each of its values that is not assumed was compared with the official text.
    """

    id: str
    title: str
    sha256: str
    verified: bool

    @property
    def designation(self) -> str:
        """Get what people call it."""
        return designation(self.title, self.id)

    @property
    def subject(self) -> str:
        """Get its title without the designation."""
        return self.title.removeprefix(self.designation).lstrip(",， ")


def designation(title: str, ident: str) -> str:
    """Get what people call a standard: its number, where its title begins with one and a comma; else its file's name.

    ``GB/T 48093.1-2026, Solid-state battery …`` is called GB/T 48093.1-2026.
    """
    number, comma, _ = re.sub("，", ",", title).partition(",")
    called = number.strip()
    return called if comma and len(called) <= MOST_CALLED and re.search("[0-9]", called) else ident
