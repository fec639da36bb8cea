"""Is what a file calls its tables, views and indices what we made: compared by their SQL, before any of it is used.

SQLite keeps a schema as text in the file, and whoever wrote the file wrote that text: a trigger runs when a row is
stored, a view answers in a table's place. This module must never run anything of a file's schema.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from sqlite_utils import Database

from calibration.visible_text import visible

from .migrations import TABLES_OF_1, TABLES_OF_2
from .schema import TABLES, table_sql
from .views import VIEWS

MOST_OBJECTS = 200
"""A schema of ours has some thirty."""
_STATISTICS = ("sqlite_stat1", "sqlite_stat4")
"""What SQLite's own ``analyze`` leaves: numbers for its planner."""
_NOT_SQL = re.compile(r'[\s"]+')


def _canonical(sql: str) -> str:
    return _NOT_SQL.sub("", sql).lower()


@cache
def _known(version: int) -> dict[str, frozenset[str]]:
    """Get, for each table of a schema's version, the SQL that made it, as any version of ours wrote it."""
    # A table of schema 1 that a migration left as it was differs in nothing that counts here.
    tables = {1: TABLES_OF_1, 2: TABLES_OF_2}.get(version) or {name: table_sql(name) for name in TABLES}
    return {name: frozenset((_canonical(sql),)) for name, sql in tables.items()}


def problems_for_reading(db: Database, version: int) -> Iterator[str]:
    """Get what keeps a database of schema ``version`` from being read: tables that are none or not ours, indices.

    Other tables, views and triggers are not used, and may be there.
    """
    tables, found = _known(version), set[str]()
    if len(_objects(db)) > MOST_OBJECTS:
        yield f"it has more than {MOST_OBJECTS} tables and views"
    for kind, name, table, sql in _objects(db):
        if kind == "table" and name in tables and _canonical(sql or "") in tables[name]:
            found.add(name)
        elif name in tables:
            yield f"what it calls {name} is {'another table' if kind == 'table' else f'a {kind}'}"
        elif kind == "index" and table in tables and sql is not None:
            yield f"it has the index {visible(name)[:60]}"
    yield from (f"the table {name} is missing" for name in tables if name not in found)


def problems_for_writing(db: Database, version: int) -> Iterator[str]:
    """Get what keeps a database of schema ``version`` from being written to: all that is not exactly ours, by name."""
    tables = _known(version)
    yield from problems_for_reading(db, version)
    for kind, name, table, sql in _objects(db):
        if kind == "view":
            if name not in VIEWS:
                yield f"it has the view {visible(name)[:60]}"
        elif kind == "trigger" or (kind == "index" and sql is not None and table not in tables):
            yield f"it has the {kind} {visible(name)[:60]}"
        elif kind == "table" and name not in tables and name not in _STATISTICS:
            yield f"it has the table {visible(name)[:60]}"


def added_triggers(db: Database) -> list[str]:
    """Get the names of a database's triggers, as they are shown: none is ours."""
    rows = db.execute("select name from sqlite_master where type = 'trigger' limit ?", [MOST_OBJECTS]).fetchall()
    return [visible(str(name))[:60] for (name,) in rows]


def refresh_views(db: Database) -> None:
    """Make each of our views what it is now, where it is not, within the caller's transaction."""
    there = {name: sql for kind, name, _, sql in _objects(db) if kind == "view"}
    for name, sql in VIEWS.items():
        if _canonical(there.get(name) or "") != _canonical(f'create view "{name}" as {sql}'):
            db.execute(f'drop view if exists "{name}"')
            db.create_view(name, sql)


def views_are_current(db: Database) -> bool:
    """Say whether all of our views are there as they are now."""
    there = {name: _canonical(sql or "") for kind, name, _, sql in _objects(db) if kind == "view"}
    return all(there.get(name) == _canonical(f'create view "{name}" as {sql}') for name, sql in VIEWS.items())


def _objects(db: Database) -> list[tuple[str, str, str, str | None]]:
    rows = db.execute(
        "select type, name, tbl_name, sql from sqlite_master order by rowid limit ?", [MOST_OBJECTS + 1]
    ).fetchall()
    return [
        (str(kind), str(name), str(table), sql if isinstance(sql, str) else None) for kind, name, table, sql in rows
    ]
