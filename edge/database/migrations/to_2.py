"""Schema 1 to 2: boots by number, wall time in ms, hashes in bytes, seconds without an index, the station's own log.

Frozen: written for these two versions, and changed never again. What was carried over is read back and compared before
the old tables go.
"""

from __future__ import annotations

from pathlib import Path

from sqlite_utils import Database

from edge.database import stored_rows
from edge.errors import BadDatabase

_TABLES = (
    'create table "boots" ("boot" integer primary key, "boot_id" text)',
    """create table "station_events" (
        "event" integer primary key, "boot_id" text, "uptime_s" real, "wall_utc" text, "kind" text, "who" text,
        "data_json" text, "previous_sha256" text, "sha256" text)""",
    """create table "chunks_new" (
        "run_id" integer, "chunk" integer, "boot" integer, "first_second" integer, "seconds" integer,
        "samples" integer, "wall_ms" integer, "raw" blob, "sha256" blob, primary key (run_id, chunk))""",
    """create table "seconds_new" (
        "run_id" integer, "second" integer, "elapsed_s" real, "phase" text, "mass_g" real, "sd_g" real,
        "temp_c" real, "cell_temp_c" real, "pressure_pa" real, "qualified" integer, "hold_s" real,
        "loss_pct" real, "drift_g_per_h" real, "zero_code" real, "samples_ok" integer, "samples_bad" integer,
        "samples_spike" integer, "bad_because" text, primary key (run_id, second)) without rowid""",
)

_SECONDS = (
    "run_id, second, elapsed_s, phase, mass_g, sd_g, temp_c, cell_temp_c, pressure_pa, qualified, hold_s, loss_pct, "
    "drift_g_per_h, zero_code, samples_ok, samples_bad, samples_spike, bad_because"
)

_CARRY_CHUNKS = """
    insert into chunks_new
    select run_id, chunk, (select boot from boots where boot_id is c.boot_id), first_second, seconds, samples,
           as_ms(wall_utc), raw, as_bytes(sha256)
    from chunks as c order by run_id, chunk"""

_SAME_CHUNKS = """
    select count(*) from chunks as c join chunks_new as n using (run_id, chunk) left join boots as b using (boot)
    where b.boot_id is c.boot_id and n.first_second is c.first_second and n.seconds is c.seconds
      and n.samples is c.samples and as_utc(n.wall_ms) is c.wall_utc and n.raw is c.raw
      and as_hex(n.sha256) is c.sha256"""
"""``previous_sha256`` is not carried over: it is the hash of the row before, and checked as such."""


def migrate(db: Database, path: Path) -> None:
    """Take the step, within the caller's transaction. Raises ``BadDatabase`` where a row fits nowhere."""
    for name in ("as_ms", "as_bytes", "as_utc", "as_hex"):
        db.conn.create_function(name, 1, getattr(stored_rows, name), deterministic=True)
    for table in _TABLES:
        db.execute(table)
    db.execute("insert into boots (boot_id) select boot_id from chunks where boot_id is not null group by boot_id")
    db.execute(_CARRY_CHUNKS)
    db.execute(f"insert into seconds_new ({_SECONDS}) select {_SECONDS} from seconds order by run_id, second")
    same = "intersect".join(f" select {_SECONDS} from {table} " for table in ("seconds", "seconds_new"))
    for table, carried in (("chunks", _SAME_CHUNKS), ("seconds", f"select count(*) from ({same})")):
        there, here = (db.execute(sql).fetchone()[0] for sql in (f"select count(*) from {table}", carried))
        if there != here:
            raise BadDatabase(
                f"{path}: holds {there - here} {table} that halfpercent cannot have written: name another, "
                "or restore it from a copy; it was left as it is"
            )
        db.execute(f"drop table {table}")
        db.execute(f"alter table {table}_new rename to {table}")
