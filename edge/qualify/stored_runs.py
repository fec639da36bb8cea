"""Two stored runs, one of each bridge, computed anew: seconds to their known hash, results to the identification's.

Commit 3103241 measured them, on the simulated rig; their codes are shipped, and of their seconds, which it stored, the
hash. This module must never make them anew.
"""

from __future__ import annotations

import hashlib
import json
import lzma
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from edge.database.linked_rows import second_row
from edge.database.reading import LONG_CPU_S, open_readonly
from edge.database.seconds_hash import SecondsHash
from edge.evidence.recompute import DECIDES, rejudged
from edge.records.result import as_json
from edge.run.refold import RefoldedRun, refold
from edge.seal.identification import DIGEST, IDENTIFICATION

from .record import Check, State

STORED = Path(__file__).with_name("stored")
SECONDS_SHA256 = {
    "hx711": "04dba3b913ffb3f073c6f7c4dd2812cecf951b121a9353c24fc0b74c3e5374df",
    "nau7802": "c927dbe4a201881a447396bf10d2dbee7975f72b4a68302960996aee56705c0a",
}
"""Of all seconds of each run, as its own database had them."""
DIGITS = 9
"""Significant: what a library sums in another order differs after some fifteen."""


def stored_runs() -> Iterator[Check]:
    """Fold and judge each stored run anew, one check after another."""
    results: list[object] = []
    for bridge, expected in SECONDS_SHA256.items():
        seconds, result = computed(bridge)
        yield _same(f"stored run on the {bridge}: SHA-256 of its seconds", "its own database", expected, seconds)
        results.append(result)
    source = f"identification {IDENTIFICATION}"
    yield _same(f"both stored runs: digest of their results, {DIGITS} digits", source, DIGEST, digest(results))


def _same(what: str, source: str, expected: str, found: str) -> Check:
    same = expected == found
    do = "" if same else "numba or a processor gives other bits: install what is locked, and send this record"
    return Check(
        what=what, source=source, expected=expected, found=found, state=State.OK if same else State.FAIL, do=do
    )


def computed(bridge: str) -> tuple[str, object]:
    """Get the SHA-256 of a stored run's seconds and the part of its result that decides, both from its codes."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"{bridge}.db"
        file.write_bytes(lzma.decompress((STORED / f"{bridge}.db.xz").read_bytes()))
        with closing(open_readonly(file, cpu_s=LONG_CPU_S)) as db:
            again = refold(db, 1)
            (_, result), *_ = rejudged(db, 1, again)
    plain = as_json(result)
    return seconds_sha256(again), rounded({name: plain[name] for name in DECIDES if name in plain})


def seconds_sha256(again: RefoldedRun) -> str:
    """Get the SHA-256 of all seconds of a run that was folded anew."""
    told = SecondsHash()
    told.add(second_row(1, s, p) for s, p in zip(again.folded.seconds(), again.folded.phases, strict=True))
    return told.hexdigest()


def rounded(value: object) -> object:
    """Get a plain value with its fractions as text of :data:`DIGITS` digits."""
    if isinstance(value, float):
        return f"{value:.{DIGITS}g}"
    if isinstance(value, dict):
        return {name: rounded(one) for name, one in value.items()}
    if isinstance(value, list):
        return [rounded(one) for one in value]
    return value


def digest(results: list[object]) -> str:
    """Get the SHA-256 of results, by which the identification knows them."""
    return hashlib.sha256(json.dumps(results, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
