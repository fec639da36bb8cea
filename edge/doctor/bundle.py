"""One file for whoever is asked for help: findings, versions, the last events, the list of runs, and the settings.

No secret is in it: keys, tokens and passwords are files of their own, which are named in the settings and never opened.
Everything is bounded. This module must never change what it looks at, and never take a sample's raw codes along.
"""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import msgspec

from calibration.bounded_file import NotReadable, read_regular_file
from calibration.visible_text import visible
from edge.database.feed import last_events
from edge.database.queries import list_runs
from edge.errors import HalfpercentError
from edge.seal.versions import versions_here

from .finding import Finding

EVENTS, RUNS = 500, 100
SETTINGS_BYTES = 65_536


def write_bundle(file: BinaryIO, findings: Sequence[Finding], database: Path, settings: Sequence[Path]) -> None:
    """Write the bundle into an open file. What cannot be read is said in its place."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as bundle:
        bundle.writestr("doctor.json", msgspec.json.format(msgspec.json.encode([_shown(f) for f in findings])))
        bundle.writestr("versions.json", msgspec.json.format(msgspec.json.encode(versions_here())))
        try:
            events = b"\n".join(map(msgspec.json.encode, last_events(database, EVENTS)))
            runs = msgspec.json.format(msgspec.json.encode(list_runs(database, most=RUNS)))
        except HalfpercentError as e:
            events = runs = visible(str(e)).encode()
        bundle.writestr("events.jsonl", events)
        bundle.writestr("runs.json", runs)
        for path in settings:
            name = f"settings/{visible(path.name)}"
            try:
                bundle.writestr(name, read_regular_file(path, SETTINGS_BYTES))
            except NotReadable as e:
                bundle.writestr(f"{name}.not", visible(f"{path}: {e}"))


def _shown(finding: Finding) -> Finding:
    """Get a finding as it can be written: a path in it may be no text."""
    return replace(finding, found=visible(finding.found), do=visible(finding.do))
