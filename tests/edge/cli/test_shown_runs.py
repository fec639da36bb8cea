"""``runs`` and ``report`` hold a run against its chain, and say what first differs before they say a verdict."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from repository import STORED
from short_demo import Demo

import edge.database.shown_runs
from edge.cli.main import cli
from edge.database.feed import Position, rows_after
from edge.database.shown_runs import unaltered_result
from edge.errors import DamagedDatabase, HalfpercentError, NoSuchRun
from edge.publish.message import result_message


@pytest.fixture
def path(short_demo: Demo, tmp_path: Path) -> Path:
    return Path(shutil.copy(short_demo.path, tmp_path / "a.db"))


def said(*words: str) -> str:
    done = CliRunner().invoke(cli, list(words), catch_exceptions=False)
    assert done.exit_code == 0
    return done.output


def as_json(*words: str) -> Any:
    return json.loads(said(*words, "--json"))


def alter(path: Path, *lines: str) -> None:
    with closing(sqlite3.connect(path)) as db, db:
        for line in lines:
            assert db.execute(line).rowcount >= 1, line


RESULT = 'update runs set result_json = replace(result_json, \'"verdict":"PASS"\', \'"verdict":"FAIL"\')'
IN_BOTH = [
    (("update runs set verdict = 'PASS', loss_pct = 0.2",), "runs, run 1: loss_pct is 0.2, its result says 0.0"),
    ((RESULT,), "runs, run 1: its result is not the one that its chain states"),
    ((RESULT, "update runs set verdict = 'FAIL'"), "its result is not the one that its chain states"),
    (("update runs set sample_id = 'S-9'",), "runs, run 1, its header: does not fit its chain"),
    (("update runs set ended_utc = '2020'",), "runs, run 1: ended_utc is '2020', its chain says "),
    (("delete from events where kind = 'ended'",), "events, run 1: its end is missing"),
    (("update events set who = 'Bo' where event = 3",), "events, run 1, event 3: does not fit its chain"),
    (("delete from chunks where chunk = (select max(chunk) from chunks)",), "chunks, run 1: "),
]
IN_THE_REPORT = [
    (("update seconds set mass_g = mass_g + 1e-9 where second = 700",), "seconds, run 1: a row of them was changed"),
    (("delete from seconds where second = 700",), "seconds, run 1: 10"),
    (("update chunks set raw = (select raw from chunks where chunk = 2) where chunk = 3",), "chunks, run 1, chunk 3: "),
    (("delete from chunks where chunk = 3",), ", before it in its chain, is missing"),
    (("update certificates set toml = replace(toml, 'span', 'spam')",), "is not the one by which run 1 was measured"),
]


@pytest.mark.parametrize(("lines", "says"), IN_BOTH)
def test_what_was_altered_is_said_before_the_verdict_in_the_list_and_in_the_report(
    path: Path, lines: tuple[str, ...], says: str
) -> None:
    alter(path, *lines)
    listed = said("runs", "--db", str(path)).splitlines()
    assert listed[1].split()[:3] == ["1", "ALTERED", "simulated"], "no number of it is shown as its own"
    assert says in listed[2]
    assert says in as_json("runs", "--db", str(path))["runs"][0]["altered"]
    report = said("report", "1", "--db", str(path))
    assert report.startswith("ALTERED: ")
    assert says in report.splitlines()[0] or says.startswith("chunks")  # the report follows every link
    assert as_json("report", "1", "--db", str(path))["altered"]


@pytest.mark.parametrize(("lines", "says"), IN_THE_REPORT)
def test_frames_seconds_and_certificate_are_held_against_the_chain_by_the_report(
    path: Path, lines: tuple[str, ...], says: str
) -> None:
    alter(path, *lines)
    assert says in said("report", "1", "--db", str(path)).splitlines()[0]
    assert says in as_json("report", "1", "--db", str(path))["altered"]
    assert as_json("runs", "--db", str(path))["runs"][0]["altered"] is None
    with pytest.raises(DamagedDatabase, match=r"is ALTERED: .*: take it from a copy"):
        unaltered_result(path, "1")


def test_what_nobody_touched_says_nothing(path: Path) -> None:
    before = path.read_bytes()
    assert "ALTERED" not in said("report", "1", "--db", str(path))
    told = as_json("report", "1", "--db", str(path))
    assert (told["altered"], told["not_in_chain"]) == (None, None)
    (run,) = as_json("runs", "--db", str(path))["runs"]
    assert (run["altered"], run["checked"], run["verdict"]) == (None, True, "PASS")
    assert path.read_bytes() == before


def test_a_run_that_was_left_out_of_the_list_is_named(path: Path) -> None:
    alter(path, "delete from runs")
    assert said("runs", "--db", str(path)).splitlines()[-1] == (
        "ALTERED: left out of runs, though events of them are stored: 1"
    )
    assert as_json("runs", "--db", str(path))["left_out"] == [1]


def test_what_is_altered_is_published_without_its_result(path: Path) -> None:
    run = rows_after(path, Position()).run
    assert run is not None
    assert run.altered is None
    assert result_message("rig", run).result is not None
    alter(path, "update runs set loss_pct = 0.2")
    run = rows_after(path, Position()).run
    assert run is not None
    told = result_message("rig", run)
    assert told.result is None
    assert "loss_pct is 0.2, its result says" in str(told.altered)


def test_a_run_without_a_result_says_too_what_is_altered(path: Path) -> None:
    alter(path, "update runs set state = 'running', result_json = null")
    done = CliRunner().invoke(cli, ["report", "1", "--db", str(path)])
    assert isinstance(done.exception, NoSuchRun)
    assert "ALTERED: runs, run 1: its result is missing" in str(done.exception)


def test_what_was_recorded_before_schema_3_says_what_is_in_no_chain() -> None:
    where = ("--db", str(STORED / "schema-2.sqlite"))
    outside = "its result and its seconds, recorded before schema 3"
    assert said("report", "1", *where).startswith(f"Not in the chain: {outside}\n")
    assert as_json("report", "1", *where)["not_in_chain"] == outside
    assert [run["altered"] for run in as_json("runs", *where)["runs"]] == [None] * 3


def test_for_want_of_time_the_list_says_what_it_did_not_check(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge.database.shown_runs, "LIST_CPU_S", -1.0)
    assert said("runs", "--db", str(path)).splitlines()[-1] == (
        "1 of them were not held against their chains, for want of time: report RUN does that for one."
    )
    assert as_json("runs", "--db", str(path))["runs"][0]["checked"] is False


@pytest.mark.parametrize("number", ["1e308", "-1e29", "0.0", "1e-320"])
@pytest.mark.parametrize("form", ["text", "html"])
def test_numbers_that_no_judge_wrote_are_shown_or_refused_in_one_line(path: Path, number: str, form: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        (text,) = db.execute("select result_json from runs").fetchone()
        forged = re.sub(r"(?<=[:\[, ])-?\d+\.\d+(e-?\d+)?", number, text)
        db.execute("update runs set result_json = ?", [forged])
    done = CliRunner().invoke(cli, ["report", "--format", form, "--db", str(path)])
    assert done.exception is None or isinstance(done.exception, HalfpercentError), done.exception
