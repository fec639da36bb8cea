"""What a report says beside the result: as it is stored, summed over the seconds, and nothing that nobody recorded."""

from __future__ import annotations

import platform
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from short_demo import Demo

from edge.database.facts import run_facts
from edge.errors import DamagedDatabase, NoSuchRun
from edge.records.curve import PressureKnown
from edge.records.phase import Phase
from edge.records.report_facts import RunFacts
from edge.run.versions import versions


@pytest.fixture(scope="module")
def facts(short_demo: Demo) -> RunFacts:
    return run_facts(short_demo.path, 1)


def test_a_phase_has_its_wall_clock_temperatures_samples_and_why_it_ended(facts: RunFacts) -> None:
    hold = next(p for p in facts.phases if p.phase is Phase.HOLD)
    assert hold.why == "the hold is complete"
    assert hold.began_utc.startswith("2026-11-02T01:")
    assert hold.oven_low_c is not None
    assert 117.0 < hold.oven_low_c < 120.0
    assert hold.pressure is PressureKnown.NOT_STATED, "its standard asks for no vacuum, and nobody declared one"
    ramp = next(p for p in facts.phases if p.phase is Phase.RAMP)
    assert (ramp.pressure, ramp.low_pa) == (PressureKnown.NOT_STATED, None)
    assert sum(p.samples for p in facts.phases) <= facts.samples


def test_every_sample_of_the_run_is_in_one_status(short_demo: Demo, facts: RunFacts) -> None:
    with closing(sqlite3.connect(f"{short_demo.path.as_uri()}?mode=ro", uri=True)) as db:
        (stored,) = db.execute("select sum(samples) from chunks").fetchone()
    assert facts.samples == stored
    assert facts.samples_ok + facts.spikes + sum(s.samples for s in facts.statuses) == facts.samples
    assert "settling" in {s.because for s in facts.statuses}


def test_versions_certificate_standard_and_chain_are_those_of_the_run(short_demo: Demo, facts: RunFacts) -> None:
    assert facts.versions == versions()
    assert facts.versions["python"] == platform.python_version()
    assert {"numba", "numpy", "sqlite"} <= facts.versions.keys()
    assert facts.certificate is not None
    assert facts.certificate.sha256 == short_demo.result["certificate"]["sha256"]
    with closing(sqlite3.connect(f"{short_demo.path.as_uri()}?mode=ro", uri=True)) as db:
        (last,) = db.execute("select sha256 from events order by event desc limit 1").fetchone()
    assert facts.last_event_sha256 == (last.hex() if isinstance(last, bytes) else last)


def test_what_nobody_recorded_is_not_there(facts: RunFacts) -> None:
    assert facts.laboratory is None
    assert facts.series is None
    assert facts.clock == "not known"
    assert facts.standard.edition is None, "its standard's file states none, and a default is none"


def test_a_run_that_is_not_there_and_a_damaged_one_are_one_line(short_demo: Demo, tmp_path: Path) -> None:
    with pytest.raises(NoSuchRun):
        run_facts(short_demo.path, 77)
    copy = tmp_path / "x.db"
    shutil.copy(short_demo.path, copy)
    with closing(sqlite3.connect(copy)) as db, db:
        db.execute("update events set data_json = replace(data_json, 'the zero', 'no zero')")
    with pytest.raises(DamagedDatabase):
        run_facts(copy, 1)
