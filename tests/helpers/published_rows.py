"""What there is to publish: a database with two runs in it, and each of its rows by kind, run and number."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from short_demo import SHORTER, run

from edge.standards.standard import loads_standard

Row = tuple[str, str | None, int]


def stored(path: Path, every_s: int) -> set[Row]:
    """Get every row that is to be published, of the seconds each ``every_s``-th."""
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as db:
        uid = dict(db.execute("select run_id, run_uid from runs"))
        out = {("second", uid[r], s) for r, s in db.execute("select run_id, second from seconds") if s % every_s == 0}
        out |= {("event", uid[r], e) for r, e in db.execute("select run_id, event from events")}
        out |= {("event", None, e) for (e,) in db.execute("select event from station_events")}
        return out | {("result", u, 0) for u in uid.values()}


def doubled(path: Path) -> Path:
    """Give a database of one run a second one, the same under another name."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        for table in ("runs", "seconds", "events"):
            names = [name for _, name, *_ in db.execute(f"pragma table_info({table})")]
            rest = ", ".join(name for name in names if name not in ("run_id", "run_uid"))
            uid, new = (", run_uid", ", 'another'") if table == "runs" else ("", "")
            db.execute(f"insert into {table} (run_id{uid}, {rest}) select 2{new}, {rest} from {table} where run_id = 1")
    return path


def two_runs(folder: Path, of: Path | None = None) -> Path:
    """Make a database with two runs in ``folder``: of a short demo, or of one that was run already."""
    path = folder / "two.db"
    if of is None:
        run(path, "solid", "nau7802", 3, loads_standard(SHORTER))
    else:
        shutil.copy(of, path)
    return doubled(path)
