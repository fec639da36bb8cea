"""The control socket of a station that measures: lines, connections, silence, and no file descriptor left.

A whole service in real time on chip models (``storm``), and a person who asks for its status all the while. "Over 5 s"
are questions of that person's which were not answered within 10 s, "lost" are seconds of the run that are not stored.
What the loop took meanwhile is measured by ``tests/bench/loop_storm.py``.
"""

from __future__ import annotations

from attacked import MOST_MB, Surface, Tally
from storm import Weathered, measured

LINES, CONNECTIONS = 15_000, 1000
LINES_PER_S, CONNECTIONS_PER_S = 40, 60
"""So many are surely sent by two throwers on a busy machine."""
KINDS = (
    ("lines", "lines, valid and spoiled", LINES / LINES_PER_S),
    ("connections", "connections, a hundred held", CONNECTIONS / CONNECTIONS_PER_S),
    ("idle", "fifty processes that say nothing", 20.0),
    ("no files", "lines, no file descriptor left", 60.0),
    ("starts", "starts that name what is dear to read", 60.0),
)
LEAST_S = 4.0


def tally(what: str, found: Weathered) -> Tally:
    """Get what a storm did, as the table shows it."""
    out = Tally(
        what,
        tried=found.sent,
        tracebacks=found.tracebacks,
        hangs=found.status_asked - found.status_answered,
        too_large=int(found.resident_mb > MOST_MB),
        lost=found.missed,
        worst_s=found.status_longest_s,
        worst_mb=found.resident_mb,
    )
    if not out.kept or not found.sent or not found.status_asked:
        out.first = f"{what}: {found}"
    return out


def attack(scale: float, seed: int) -> list[Tally]:
    """Throw each kind of storm at a station of its own."""
    kinds = KINDS if scale >= 0.1 else (KINDS[0], KINDS[2])
    return [
        tally(what, measured(storm, max(LEAST_S, seconds * scale), seed=seed * 1000)) for storm, what, seconds in kinds
    ]


SURFACE = Surface(
    "socket",
    "The control socket",
    """
A whole station measures a run in real time on chip models at 80 SPS, and a person asks for its status twice a second.
Meanwhile two to fifty processes throw at its socket. "Over 5 s" are the person's questions that were not answered,
"worst s" is his longest wait (the station looks four times a second), "lost" are seconds of the run that are not
stored.
""",
    attack,
    packages=("msgspec", "sqlite-utils"),
)

SECTION = SURFACE.section()
