"""From an older schema to this one, a frozen step a version: everything stored stays, and every chain still holds.

A step holds its own tables and imports nothing of today's schema but hashes and what tells times and hashes as text,
which are frozen too, so that a database of any past version takes the way that it took when its step was written. All
steps are one transaction: there is the old database or the new one and never a third. This module must never change
what a row says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from sqlite_utils import Database

from edge.database.schema import SCHEMA_VERSION
from edge.database.views import VIEWS

from . import to_2, to_3
from .tables_1 import TABLES_OF_1 as TABLES_OF_1
from .tables_2 import TABLES_OF_2 as TABLES_OF_2

STEPS: Mapping[int, Callable[[Database, Path], None]] = MappingProxyType({2: to_2.migrate, 3: to_3.migrate})
"""What brings a database from the version before to this one."""


def migrate(db: Database, path: Path, version: int) -> None:
    """Bring an open database of schema ``version`` up to date. Raises ``BadDatabase`` where it holds what fits nowhere.

    It must be the one writer's connection. What a person added (views, tables) stays; an index of theirs on a table
    that is made anew goes with the old one.
    """
    db.execute("pragma legacy_alter_table = on")  # a person's view on a table must not keep it from being renamed
    with db.atomic():
        for name in VIEWS:
            db.execute(f"drop view if exists {name}")
        for step in range(version + 1, SCHEMA_VERSION + 1):
            STEPS[step](db, path)
        for name, sql in VIEWS.items():
            db.create_view(name, sql)
        db.execute(f"pragma user_version = {SCHEMA_VERSION}")
    db.execute("pragma legacy_alter_table = off")
