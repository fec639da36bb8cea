"""What is stored of a run is what its chain says: computed by docs/evidence.md alone; whatever is changed is found."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
import struct
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from written_run import NOT_JUDGED, begin, event, write

from edge.database.journal import Journal
from edge.database.reading import open_readonly
from edge.database.run_check import Covered, Head, check_run, run_head
from edge.records.event import Event, NoteWritten


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs that are done, and one that was interrupted."""
    path = tmp_path_factory.mktemp("check") / "halfpercent.db"
    with Journal(path) as journal:
        for uid in ("u-1", "u-2"):
            run = begin(journal, run_uid=uid)
            write(run, range(12), {2: [event(2)], 9: [event(9)]})
            run.log_event(Event(12, 12.5, NoteWritten("a remark")), "Ada", 1.75e9 + 12)
            write(run, range(12, 15))
            run.save_result(NOT_JUDGED, 1.75e9 + 15)
        write(begin(journal, run_uid="u-3"), range(12), {3: [event(3)]})
    return path


@pytest.fixture
def copy(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(original, tmp_path / "copy.db"))


def found(path: Path, run_id: int = 1, sealed: Head | None = None) -> list[str | None]:
    """What the quick check finds, and what the full one does."""
    with closing(open_readonly(path, cpu_s=60.0)) as db:
        all_found = [check_run(db, run_id, full=full, sealed=sealed) for full in (False, True)]
    return [None if altered is None else str(altered) for altered in all_found]


def head(path: Path, run_id: int = 1) -> Head:
    with closing(open_readonly(path)) as db:
        return run_head(db, run_id)


# by docs/evidence.md alone


def value(v: Any) -> bytes:
    if v is None:
        return b"n"
    if isinstance(v, int):
        return b"i" + struct.pack(">q", v)
    if isinstance(v, float):
        return b"r" + struct.pack(">d", v)
    raw = v.encode() if isinstance(v, str) else v
    return (b"t" if isinstance(v, str) else b"b") + struct.pack(">Q", len(raw)) + raw


def sha(*values: Any) -> bytes:
    return hashlib.sha256(b"".join(map(value, values))).digest()


@pytest.mark.parametrize("run_id", [1, 2, 3])
def test_a_stranger_computes_the_same_head_with_the_standard_library(original: Path, run_id: int) -> None:
    with closing(sqlite3.connect(original)) as db:
        of_run = [run_id]
        header = db.execute(
            "select run_id, run_uid, sample_id, operator, kind, started_utc, standard_id, standard_toml, "
            "certificate_sha256, settings_json, software_version, t0_ns from runs where run_id = ?",
            of_run,
        ).fetchone()
        now = sha("run", *header)
        assert db.execute("select header_sha256 from runs where run_id = ?", of_run).fetchone() == (now,)
        rows = (
            db.execute(
                "select link, chunk, boot_id, first_second, seconds, samples, wall_ms, raw, 'chunk', sha256 "
                "from chunks join boots using (boot) where run_id = ?",
                of_run,
            ).fetchall()
            + db.execute(
                "select link, event, second, elapsed_s, wall_utc, kind, who, data_json, 'event', sha256 "
                "from events where run_id = ?",
                of_run,
            ).fetchall()
        )
        assert sorted(row[0] for row in rows) == list(range(1, len(rows) + 1))
        for *said, word, stored in sorted(rows):
            now = sha(word, now, *said)
            assert stored in (now, now.hex())
        ended = [json.loads(row[7]) for row in rows if row[5] == "ended"]
        text = db.execute("select result_json from runs where run_id = ?", of_run).fetchone()[0]
        seconds = db.execute(
            "select second, elapsed_s, phase, mass_g, sd_g, temp_c, cell_temp_c, pressure_pa, qualified, hold_s, "
            "loss_pct, drift_g_per_h, zero_code, samples_ok, samples_bad, samples_spike, bad_because "
            "from seconds where run_id = ? order by second",
            of_run,
        ).fetchall()
    if run_id < 3:
        assert ended == [{
            "result_sha256": hashlib.sha256(text.encode()).hexdigest(),
            "seconds": len(seconds),
            "seconds_sha256": sha(*(v for row in seconds for v in row)).hex(),
        }]  # fmt: skip
    assert head(original, run_id).sha256 == now.hex()
    assert head(original, run_id).links == len(rows) + 1
    assert (Covered.RESULT in head(original, run_id).covers) == (run_id < 3)


def test_what_nobody_touched_is_as_its_chain_says(original: Path) -> None:
    assert [found(original, run_id) for run_id in (1, 2, 3)] == [[None, None]] * 3
