"""The rows of a run as they are written: a chunk, an event, a second; and what makes a row a link of the run's chain.

This module must never write, and never read what is stored.
"""

from __future__ import annotations

from functools import lru_cache

from edge.records.event import Event
from edge.records.formatting import known
from edge.records.frame import Frames
from edge.records.second import Second
from hw.protocols import Status

from . import codec
from .hash_chain import ChainEnds, link_sha256
from .stored_json import canonical
from .stored_rows import as_ms, utc
from .two_chains import StoredRow


def linked_chunk(run_id: int, frames: Frames, boot_id: str, wall_s: float, ends: ChainEnds) -> StoredRow:
    """Get frames as the chunk that is the next link of a run's chain, its hash in bytes."""
    row = {
        "run_id": run_id,
        "chunk": ends.chunk,
        "link": ends.link,
        "boot_id": boot_id,
        "first_second": int(frames.seq[0]),
        "seconds": len(frames),
        "samples": len(frames.code),
        "wall_ms": as_ms(utc(wall_s)),
        "raw": codec.encode(frames),
    }
    return row | {"sha256": link_sha256(ends.sha256, row, "chunks")}


def linked_event(run_id: int, event: Event, who: str, wall_s: float, ends: ChainEnds) -> StoredRow:
    """Get the row of an event that is the next link of a run's chain, its hash in hexadecimal."""
    return linked(event_row(run_id, event, wall_s, who), ends)


def linked(said: StoredRow, ends: ChainEnds) -> StoredRow:
    """Get what :func:`event_row` says as the next link of a run's chain."""
    row = said | {"event": ends.event, "link": ends.link}
    sha = link_sha256(ends.sha256, row, "events").hex()
    return row | {"previous_sha256": ends.sha256.hex(), "sha256": sha}


def event_row(run_id: int, event: Event, wall_s: float, who: str) -> StoredRow:
    """Get what the row of an event says, whatever link it will be."""
    return {
        "run_id": run_id,
        "second": event.seq,
        "elapsed_s": float(event.t_s),
        "wall_utc": utc(wall_s),
        "kind": str(event.kind),
        "who": who,
        "data_json": canonical(event.what.data()),
    }


def second_row(run_id: int, row: Second, phase: str) -> StoredRow:
    """Get the row of a second."""
    return {
        "run_id": run_id,
        "second": row.seq,
        "elapsed_s": row.t_s,
        "phase": phase,
        "mass_g": known(row.mass_g),
        "sd_g": known(row.sd_g),
        "temp_c": known(row.temp_c),
        "cell_temp_c": known(row.cell_temp_c),
        "pressure_pa": known(row.pressure_pa),
        "qualified": row.qualified,
        "hold_s": row.hold_s,
        "loss_pct": known(row.loss_pct),
        "drift_g_per_h": known(row.drift_g_per_h),
        "zero_code": known(row.zero_code),
        "samples_ok": row.n_ok,
        "samples_bad": row.n_bad,
        "samples_spike": row.n_spike,
        "bad_because": _bad_because(row.bad_mask),
    }


@lru_cache(maxsize=1 << len(Status))
def _bad_because(mask: int) -> str:
    return ", ".join(s.name.lower() for s in Status if s and mask >> s & 1)
