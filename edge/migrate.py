"""From an older schema to this one: everything stored stays, and every chain still holds.

All of it is one transaction, so there is the old database or the new one and never a third; no copy is made. What was
carried over is read back and compared before the old tables go. This module must never change what a row says.
"""

from __future__ import annotations

from pathlib import Path

from sqlite_utils import Database

from edge import chain
from edge.errors import BadDatabase
from edge.schema import SCHEMA_VERSION, TABLES, table_sql
from edge.views import VIEWS

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
    """Bring an open database of an older schema up to date. Raises ``BadDatabase`` where it holds what fits nowhere.

    It must be the one writer's connection. What a person added (views, tables) stays; an index of theirs on a table
    that is made anew goes with the old one.
    """
    for name in ("as_ms", "as_bytes", "as_utc", "as_hex"):
        db.conn.create_function(name, 1, getattr(chain, name), deterministic=True)
    db.execute("pragma legacy_alter_table = on")  # a person's view on a table must not keep it from being renamed
    with db.atomic():
        _to_2(db, path)
        db.execute(f"pragma user_version = {SCHEMA_VERSION}")
    db.execute("pragma legacy_alter_table = off")


def _to_2(db: Database, path: Path) -> None:
    """Boots by number, wall time in ms, hashes in bytes, seconds without an index; a log of the station's own."""
    for name in VIEWS:
        db.execute(f"drop view if exists {name}")
    for name in ("boots", "station_events"):
        db.execute(table_sql(name))
    db.execute("insert into boots (boot_id) select boot_id from chunks where boot_id is not null group by boot_id")
    db.execute(table_sql("chunks", called="chunks_new"))
    db.execute(_CARRY_CHUNKS)
    columns = ", ".join(TABLES["seconds"][0])
    db.execute(table_sql("seconds", called="seconds_new"))
    db.execute(f"insert into seconds_new ({columns}) select {columns} from seconds order by run_id, second")
    same = "intersect".join(f" select {columns} from {table} " for table in ("seconds", "seconds_new"))
    for table, carried in (("chunks", _SAME_CHUNKS), ("seconds", f"select count(*) from ({same})")):
        there, here = (db.execute(sql).fetchone()[0] for sql in (f"select count(*) from {table}", carried))
        if there != here:
            raise BadDatabase(
                f"{path}: holds {there - here} {table} that halfpercent cannot have written: name another with --db, "
                "or restore it from a copy; it was left as it is"
            )
        db.execute(f"drop table {table}")
        db.execute(f"alter table {table}_new rename to {table}")
    for name, sql in VIEWS.items():
        db.create_view(name, sql)
