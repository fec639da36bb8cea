"""The finished runs of a database in short: whole, in order, and one bad row hides no other."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from short_demo import Demo
from written_run import NOT_JUDGED, begin, write

from edge.database.journal import Journal
from edge.database.summaries import each_finished_run, finished_runs
from edge.records.run import RunKind


def test_a_run_in_short_is_the_run_as_it_is_stored(short_demo: Demo) -> None:
    found = finished_runs(short_demo.path)
    (run,) = found.runs
    assert (found.damaged, run.run_id, run.kind, run.mount) == (0, 1, RunKind.SIMULATED, 0)
    assert run.result.loss_pct == short_demo.result["loss_pct"]
    assert set(run.registers) == {"ocal", "gcal", "pga", "revision"}
    assert run.rate_sps is not None
    assert 9.0 < run.rate_sps < 11.0
    assert run.certificate_sha256 in found.certificates
    assert [(p, r.run_id) for p, r in each_finished_run([short_demo.path])] == [(short_demo.path, 1)]


def test_a_bad_row_is_counted_and_a_run_of_another_mount_is_told(short_demo: Demo, tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    shutil.copy(short_demo.path, path)
    with Journal(path) as journal:
        for settings in ({}, {}, {"new_holder": True}):
            run = begin(journal, settings=settings)
            write(run, range(5))
            run.save_result(NOT_JUDGED, 1.75e9)
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("update runs set result_json = '{\"verdict\": 7}' where run_id = 2")
        db.execute("update runs set hold_s = 9.0 where run_id = 3")
    found = finished_runs(path)
    assert found.damaged == 2, "one cannot be read, one is not as its chain says"
    assert [(run.run_id, run.mount) for run in found.runs] == [(1, 0), (4, 1)]
