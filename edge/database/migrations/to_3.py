"""Schema 2 to 3: one chain a run. What was recorded stays in its two chains, whose ends become a link of the new one.

Link 0 is the run's header, link 1 an event that states the ends of the two chains as they are stored and a hash of the
run's outcome, which was in no chain: what is changed from now on is found, and nothing is said of what was before.
Nothing is followed here. Frozen: written for these two versions, and changed never again.
"""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from edge.database.preimage import sha256_of

_HEADER = (
    "run_uid, sample_id, operator, kind, started_utc, standard_id, standard_toml, certificate_sha256, settings_json, "
    "software_version, t0_ns"
)
_OUTCOME = (
    "state, ended_utc, verdict, invalid_because, loss_pct, standard_uncertainty_pct, expanded_uncertainty_pct, "
    "coverage_factor_k, conformance_probability, limit_pct, m1_g, m2_g, hold_s, true_loss_pct, result_json"
)
_MOST = 2**62
"""Beyond every number that was given to an event."""


def migrate(db: Database, path: Path) -> None:
    """Take the step, within the caller's transaction."""
    for table, column in (("runs", "header_sha256 blob"), ("chunks", "link integer"), ("events", "link integer")):
        name, kind = column.split()
        db.execute(f'alter table "{table}" add column "{name}" {kind}')
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
    db.conn.text_factory = lambda raw: raw.decode("utf-8", "replace")  # a run that nobody wrote stops no migration
    try:
        for (run_id,) in db.execute("select run_id from runs order by run_id").fetchall():
            _join(db, run_id, now)
    finally:
        db.conn.text_factory = str


def _join(db: Database, run_id: int, now: str) -> None:
    header = sha256_of("run", run_id, *db.execute(f"select {_HEADER} from runs where run_id = ?", [run_id]).fetchone())
    outcome = db.execute(f"select {_OUTCOME} from runs where run_id = ?", [run_id]).fetchone()
    chunks, events = _end(db, "chunk", run_id), _end(db, "event", run_id)
    (newest,) = db.execute(
        "select max(event) from events where run_id = ? and typeof(event) = 'integer'", [run_id]
    ).fetchone()
    event = 0 if newest is None else newest + 1
    if event > _MOST:
        return  # nobody gave it that number: the run stays in its two chains, and says so
    second, elapsed_s = db.execute(
        "select second, elapsed_s from events where run_id = ? and typeof(second) = 'integer' "
        "and typeof(elapsed_s) = 'real' order by event desc limit 1",
        [run_id],
    ).fetchone() or (0, 0.0)
    said = {
        "from_schema": 2,
        "chunks": chunks[0],
        "chunks_sha256": chunks[1],
        "events": events[0],
        "events_sha256": events[1],
        "outcome_sha256": sha256_of("outcome", *outcome).hex(),
    }
    data = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    says = (event, second, elapsed_s, now, "joined", "instrument", data)
    sha = sha256_of("event", header, 1, *says).hex()
    db.execute(
        "insert into events (run_id, link, event, second, elapsed_s, wall_utc, kind, who, data_json, "
        "previous_sha256, sha256) values (?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [run_id, *says, header.hex(), sha],
    )
    db.execute("update runs set header_sha256 = ? where run_id = ?", [header, run_id])


def _end(db: Database, what: str, run_id: int) -> tuple[int, Any]:
    """Get how many chunks or events a run has, and the hash of the last one in hexadecimal (None: there is none)."""
    count = db.execute(f"select count(*) from {what}s where run_id = ?", [run_id]).fetchone()[0]
    last = db.execute(f"select sha256 from {what}s where run_id = ? order by {what} desc limit 1", [run_id]).fetchone()
    sha = None if last is None else last[0]
    return int(count), sha.hex() if isinstance(sha, bytes) else sha if isinstance(sha, str) else None
