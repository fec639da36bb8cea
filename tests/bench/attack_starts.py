"""A database that was spoiled under a station that was killed in a run, and the start after it.

Bits flipped, files cut, pages zeroed, values changed, schemas that are not ours. Whatever it is, the station starts and
measures; what cannot be gone on with is ended or put aside, with the alarm, and stays on the disk.
"""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from attacked import Surface, Tally
from hostile_start import Killed, bit_flip, foreign, forged, killed_in_a_run, one_value, truncated, zeroed

Spoil = Callable[[random.Random], Callable[[Path], None]]
KINDS: tuple[tuple[str, Spoil, int], ...] = (
    ("a bit flipped, then a start", bit_flip, 5000),
    ("cut off, then a start", truncated, 300),
    ("pages zeroed or doubled, then a start", zeroed, 500),
    ("a value of another kind, then a start", one_value, 1000),
    ("a schema that is not ours, then a start", foreign, 100),
    ("a run forged with chains that fit, then a start", forged, 500),
)


def attack(scale: float, seed: int) -> list[Tally]:
    """Try them all. What does not measure counts as not answered; what is not kept as lost."""
    with tempfile.TemporaryDirectory() as name:
        killed = killed_in_a_run(Path(name))
        return [_tried(killed, Path(name), *kind, scale, seed) for kind in KINDS]


def _tried(killed: Killed, folder: Path, what: str, spoil: Spoil, n: int, scale: float, seed: int) -> Tally:
    tally = Tally(what)
    for i in range(max(2, int(n * scale))):
        at = folder / "start"
        at.mkdir()
        again = f"{spoil.__name__}, seed {seed}/{i}"
        started = killed.started(at, spoil(random.Random(f"{seed}/{i}")))
        tally.add(started.ended, again, lost=not started.kept, failed=not started.as_promised)
        shutil.rmtree(at)
    return tally


SURFACE = Surface(
    "starts",
    "Starts on a spoiled database",
    """
A station on chip models measures a run that is aborted and 130 s of another, and is killed. Its database is spoiled,
and the station started on it, in a process of its own that goes on where the killed one ended, until it has measured
four seconds. "Not one line" counts starts that did not measure; "lost" those after which a chunk that could be read
before is neither in the database nor in the file that was put aside, byte for byte. The time is that of the start and
the four seconds, the memory that of a process that has the compiler loaded.
""",
    attack,
    packages=("numba", "sqlite-utils"),
)
SECTION = SURFACE.section()
