"""The database as a stranger sees it: names with units, a view per question, stock tools, nothing else needed."""

from __future__ import annotations

import datetime
import json
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from repository import ROOT
from short_demo import Demo
from sqlite_utils import Database

from edge.database.reading import open_readonly
from edge.database.schema import APPLICATION_ID, SCHEMA_VERSION, TABLES, VIEWS
from edge.database.stored_rows import utc
from edge.database.writing import open_for_writing
from edge.errors import BadDatabase

UNITS = ("g", "s", "h", "c", "pa", "pct", "ns", "ms", "utc", "code", "g_per_h", "json", "toml", "sha256")
"""What a quantity's name ends with: its unit, or the form of its text."""

PLAIN = {
    "runs": {"run_id", "run_uid", "sample_id", "operator", "kind", "state", "verdict", "invalid_because",
             "coverage_factor_k", "conformance_probability", "standard_id", "software_version"},
    "chunks": {"run_id", "chunk", "boot", "first_second", "seconds", "samples", "raw", "sha256", "link"},
    "seconds": {"run_id", "second", "phase", "qualified", "samples_ok", "samples_bad", "samples_spike", "bad_because"},
    "events": {"run_id", "event", "second", "kind", "who", "sha256", "link"},
    "station_events": {"event", "boot_id", "kind", "who", "sha256"},
    "boots": {"boot", "boot_id"},
    "certificates": {"sha256", "name", "made_at", "toml"},
}  # fmt: skip
"""What has no unit: names, words, counts, numbers of things, pure numbers, and what is whole text."""


@pytest.fixture(scope="module")
def stranger(short_demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    """A copy of the file, opened with nothing but the standard library."""
    db = sqlite3.connect(shutil.copy(short_demo.path, tmp_path_factory.mktemp("elsewhere") / "copy.db"))
    db.row_factory = sqlite3.Row
    yield db
    db.close()


def ask(db: sqlite3.Connection, view: str, where: str = "1") -> list[sqlite3.Row]:
    return db.execute(f"select * from {view} where {where}").fetchall()


def test_every_quantity_has_its_unit_in_its_name() -> None:
    for table, (columns, _) in TABLES.items():
        for name in set(columns) - PLAIN[table]:
            assert re.search(rf"_({'|'.join(UNITS)})$", name), f"{table}.{name}: which unit?"
        assert PLAIN[table] <= set(columns), "nothing is listed as plain that is not there"
    assert set(PLAIN) == set(TABLES)


def test_no_view_hides_a_unit(stranger: sqlite3.Connection) -> None:
    counted = {"run_id", "hour", "minute", "seconds", "event", "phase", "what", "why", "kind", "who", "alarm", "opened",
               "acknowledged", "acknowledged_by", "closed", "bytes", "loss_is_in_pct_of",
               "a_name_that_ends_with", "is_in", "number", "was", "now_is"}  # fmt: skip
    plain = counted.union(*PLAIN.values())
    for view in VIEWS:
        for name in stranger.execute(f"select * from {view}").description:
            assert name[0] in plain or re.search(rf"_({'|'.join(UNITS)})$", name[0]), f"{view}.{name[0]}: which unit?"


def test_the_file_says_whose_it_is_and_which_version(stranger: sqlite3.Connection) -> None:
    assert stranger.execute("pragma application_id").fetchone()[0] == APPLICATION_ID
    assert stranger.execute("pragma user_version").fetchone()[0] == SCHEMA_VERSION
    assert stranger.execute("pragma integrity_check").fetchone()[0] == "ok"


def test_tables_and_views_are_those_that_are_documented(stranger: sqlite3.Connection) -> None:
    found = stranger.execute("select type, name from sqlite_master where name not like 'sqlite_%'").fetchall()
    assert {r["name"] for r in found if r["type"] == "table"} == set(TABLES)
    assert {r["name"] for r in found if r["type"] == "view"} == set(VIEWS)
    for table, (columns, key) in TABLES.items():
        info = stranger.execute(f"pragma table_info({table})").fetchall()
        assert [c["name"] for c in info] == list(columns)
        assert tuple(c["name"] for c in sorted(info, key=lambda c: c["pk"]) if c["pk"]) == key


def test_which_samples_met_the_criterion(stranger: sqlite3.Connection, short_demo: Demo) -> None:
    (run,) = ask(stranger, "which_samples_met_the_criterion")
    said = short_demo.result
    assert (run["sample_id"], run["kind"], run["verdict"]) == ("S-1", "simulated", "PASS")
    assert run["loss_pct"] == round(said["loss_pct"], 4)
    assert run["plus_minus_pct"] == round(said["U_pct"], 4)
    assert run["limit_pct"] == 0.5
    assert run["loss_pct"] + run["plus_minus_pct"] <= 0.5
    assert 0.99 < run["conformance_probability"] <= 1.0
    assert run["invalid_because"] is None
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", run["started_utc"])


def test_what_happened_when(stranger: sqlite3.Connection) -> None:
    rows = ask(stranger, "what_happened_when")
    order = [r["what"] for r in rows if r["kind"] == "phase"]
    assert order == ["load", "m1", "pump", "ramp", "hold", "cool", "m2", "done"]
    assert all(r["why"] for r in rows if r["kind"] == "phase")
    assert [r["elapsed_h"] for r in rows] == sorted(r["elapsed_h"] for r in rows)
    words = [r["what"] for r in rows if r["who"] == "operator"]
    assert {"tare", "load"} <= set(words)
    taken = {r["what"] for r in rows if r["kind"] == "weighing"} or {
        json.loads(r["data_json"]).get("which") for r in rows
    }
    assert {"m1", "m2"} <= taken


def test_how_long_was_each_phase(stranger: sqlite3.Connection) -> None:
    rows = ask(stranger, "how_long_was_each_phase")
    assert [r["phase"] for r in rows] == ["tare", "load", "m1", "pump", "ramp", "hold", "cool", "m2", "done"]
    hold = next(r for r in rows if r["phase"] == "hold")
    assert 600 <= hold["to_s"] - hold["from_s"] + 1 <= 660
    assert 117 < hold["coldest_c"] <= hold["hottest_c"] < 123
    for earlier, later in pairwise(rows):
        assert later["from_s"] > earlier["to_s"], "phases do not overlap"
    everything = stranger.execute("select count(*) from seconds").fetchone()[0]
    assert sum(r["seconds"] for r in rows) == everything


def test_how_did_mass_and_temperature_go_by_minute(stranger: sqlite3.Connection, short_demo: Demo) -> None:
    rows = ask(stranger, "how_did_mass_and_temperature_go_by_minute")
    minutes = [r["minute"] for r in rows]
    assert minutes == sorted(minutes)
    assert set(minutes) == set(range(max(minutes) + 1)), "a run without gaps has every minute"
    in_m1 = [r["mass_g"] for r in rows if r["phase"] == "m1"]
    assert in_m1[-1] == pytest.approx(short_demo.result["m1_g"], abs=0.05)
    assert max(r["hold_s"] for r in rows) == pytest.approx(600, abs=2)
    assert 15 < rows[0]["temp_c"] < 35


def test_how_much_was_lost_in_each_hour_of_the_hold(stranger: sqlite3.Connection) -> None:
    rows = ask(stranger, "how_much_was_lost_in_each_hour_of_the_hold")
    assert [r["hour"] for r in rows] == [1], "a hold of ten minutes is in its first hour"
    assert 590 <= rows[0]["seconds"] <= 610
    assert rows[0]["temp_c"] == pytest.approx(120, abs=2)
    seconds = stranger.execute(
        "select hold_s, loss_pct, samples_ok from seconds where phase = 'hold' and qualified and loss_pct is not null"
    ).fetchall()
    middle = (seconds[0][0] + seconds[-1][0]) / 2
    for column, half in (
        ("loss_at_first_pct", [s for s in seconds if s[0] <= middle]),
        ("loss_at_last_pct", [s for s in seconds if s[0] >= middle]),
    ):
        mean = sum(s[1] * s[2] for s in half) / sum(s[2] for s in half)
        assert rows[0][column] == pytest.approx(mean, rel=1e-9)
    lost = rows[0]["loss_at_last_pct"] - rows[0]["loss_at_first_pct"]
    assert rows[0]["lost_pct_per_h"] == pytest.approx(lost / 300 * 3600, rel=0.02)


def test_datasettes_metadata_describes_each_table_and_view() -> None:
    metadata = json.loads((ROOT / "docs" / "datasette.json").read_text(encoding="utf-8"))
    described = metadata["databases"]["halfpercent"]["tables"]
    assert set(described) == set(TABLES) | set(VIEWS)
    assert metadata["databases"]["run"]["tables"] == described  # a run.sqlite, exported or of a package
    assert all(len(of["description"]) > 20 for of in described.values())


def test_how_did_each_second_go_by_the_wall_clock(stranger: sqlite3.Connection) -> None:
    rows = ask(stranger, "how_did_each_second_go")
    started = stranger.execute("select started_utc from runs").fetchone()[0]
    begin = datetime.datetime.fromisoformat(started[:19] + "+00:00")
    assert len(rows) == stranger.execute("select count(*) from seconds").fetchone()[0]
    for row in rows[:3] + rows[-3:]:
        at = datetime.datetime.fromisoformat(row["wall_utc"].replace("Z", "+00:00"))
        assert (at - begin).total_seconds() == pytest.approx(row["elapsed_s"], abs=1e-3)
        assert row["wall_unix_s"] == pytest.approx(at.timestamp(), abs=1e-3)
    assert {row["loss_is_in_pct_of"] for row in rows} == {"M1"}


def test_units_say_what_each_number_of_the_views_is_in(stranger: sqlite3.Connection) -> None:
    endings = [row["a_name_that_ends_with"] for row in ask(stranger, "units")]
    columns = [c["name"] for c in stranger.execute("pragma table_info(how_did_each_second_go)").fetchall()]
    without = [c for c in columns if not any(c.endswith(e) for e in endings)]
    words = {"run_id", "sample_id", "phase", "loss_is_in_pct_of", "bad_because"}
    counts = {"samples_ok", "samples_bad", "samples_spike"}
    assert set(without) == words | counts


def test_what_interrupted_the_hold(stranger: sqlite3.Connection, short_demo: Demo) -> None:
    rows = ask(stranger, "what_interrupted_the_hold")
    listed = short_demo.result["excursions"]
    assert [(r["from_s"], r["length_s"]) for r in rows] == [(e["from_s"], e["length_s"]) for e in listed]
    assert all(r["why"] and r["to_s"] >= r["from_s"] for r in rows)


def test_which_samples_were_not_numbers(stranger: sqlite3.Connection) -> None:
    rows = ask(stranger, "which_samples_were_not_numbers")
    counted = stranger.execute("select count(*) from seconds where samples_bad + samples_spike > 0").fetchone()[0]
    assert len(rows) == counted
    assert all(r["bad_because"] for r in rows if r["samples_bad"])


def test_seconds_are_numbers_or_null_and_never_nan(stranger: sqlite3.Connection) -> None:
    kinds = {"integer", "real", "null"}
    for name, kind in TABLES["seconds"][0].items():
        found = {r[0] for r in stranger.execute(f"select distinct typeof({name}) from seconds")}
        assert found <= ({"text"} if kind is str else kinds), name
    good = stranger.execute("select count(*) from seconds where samples_ok > 0 and mass_g is null").fetchone()[0]
    assert good == 0
    unseen = stranger.execute("select count(*) from seconds where samples_ok = 0 and mass_g is not null").fetchone()[0]
    assert unseen == 0


def test_raw_samples_can_be_counted_without_our_code(stranger: sqlite3.Connection) -> None:
    rows = stranger.execute("select first_second, seconds, samples, length(raw) as bytes from chunks").fetchall()
    assert sum(r["seconds"] for r in rows) == rows[-1]["first_second"] + rows[-1]["seconds"], "no second is missing"
    per_second = sum(r["samples"] for r in rows) / sum(r["seconds"] for r in rows)
    assert per_second == pytest.approx(10.0, rel=0.05), "the NAU7802 at 10 SPS"
    assert all(r["bytes"] > 0 for r in rows)


def test_each_chunk_can_be_read_as_text_without_our_code(stranger: sqlite3.Connection) -> None:
    rows = ask(stranger, "what_is_in_each_chunk")
    assert {r["boot_id"] for r in rows} == {"simulated"}
    db = stranger.execute("select wall_ms, raw, hex(sha256) as sha256 from chunks order by run_id, chunk").fetchall()
    for shown, stored in zip(rows, db, strict=True):
        assert shown["wall_utc"] == utc(stored["wall_ms"] / 1000)
        assert (shown["bytes"], shown["sha256"]) == (len(stored["raw"]), stored["sha256"].lower())


@pytest.fixture
def with_alarms(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Two runs: in the first an alarm is acknowledged before it closes, the next after, then it opens once more."""
    events = [
        (1, 10.0, "alarm_opened", "", "oven_probe"),
        (1, 12.0, "alarm_opened", "", "storage"),
        (1, 40.0, "alarm_acknowledged", "Ada", "oven_probe"),
        (1, 70.0, "alarm_closed", "", "oven_probe"),
        (1, 80.0, "alarm_closed", "", "storage"),
        (1, 90.0, "alarm_acknowledged", "Bo", "storage"),
        (1, 100.0, "alarm_opened", "", "oven_probe"),
        (2, 5.0, "alarm_opened", "", "oven_probe"),
        (2, 9.0, "phase", "instrument", ""),
        (2, 15.0, "alarm_acknowledged", "Ada", "oven_probe"),
    ]
    path = tmp_path / "alarms.db"
    open_for_writing(path).close()
    db = sqlite3.connect(path)
    db.row_factory = sqlite3.Row
    for event, (run_id, elapsed_s, kind, who, alarm) in enumerate(events):
        data = json.dumps({"alarm": alarm, "why": f"why {event}"} if alarm else {"to": "hold"})
        db.execute(
            "insert into events (run_id, event, second, elapsed_s, wall_utc, kind, who, data_json) "
            "values (?, ?, ?, ?, ?, ?, ?, ?)",
            [run_id, event, int(elapsed_s), elapsed_s, utc(1.75e9 + elapsed_s), kind, who, data],
        )
    yield db
    db.close()


def test_which_alarms_were_there(with_alarms: sqlite3.Connection) -> None:
    rows = ask(with_alarms, "which_alarms_were_there")
    columns = ("run_id", "alarm", "why", "opened_s", "acknowledged_s", "acknowledged_by", "closed_s")
    assert [tuple(r[c] for c in columns) for r in rows] == [
        (1, "oven_probe", "why 0", 10.0, 40.0, "Ada", 70.0),
        (1, "storage", "why 1", 12.0, 90.0, "Bo", 80.0),
        (1, "oven_probe", "why 6", 100.0, None, None, None),
        (2, "oven_probe", "why 7", 5.0, 15.0, "Ada", None),
    ]
    assert [(r["acknowledged_after_s"], r["closed_after_s"]) for r in rows] == [
        (30.0, 60.0), (78.0, 68.0), (None, None), (10.0, None),
    ]  # fmt: skip
    assert rows[0]["opened_utc"] == utc(1.75e9 + 10.0)


def test_how_fast_were_alarms_acknowledged(with_alarms: sqlite3.Connection) -> None:
    rows = ask(with_alarms, "how_fast_were_alarms_acknowledged")
    assert [tuple(r) for r in rows] == [
        (1, "oven_probe", 2, 1, 1, 50.0, 50.0, 30.0, 30.0),
        (1, "storage", 1, 1, 1, 100.0, 100.0, 78.0, 78.0),
        (2, "oven_probe", 1, 1, 0, 100.0, 0.0, 10.0, 10.0),
    ]


def test_what_happened_when_no_run_was_on(with_alarms: sqlite3.Connection) -> None:
    with_alarms.execute(
        "insert into station_events (event, boot_id, uptime_s, wall_utc, kind, who, data_json) "
        """values (0, 'b', 12.5, '2026', 'alarm_opened', '', '{"alarm": "storage", "why": "full"}')"""
    )
    (row,) = ask(with_alarms, "what_happened_when_no_run_was_on")
    assert (row["uptime_s"], row["kind"], row["what"], row["why"]) == (12.5, "alarm_opened", "storage", "full")


def test_sqlite_utils_opens_it_and_counts_the_same(short_demo: Demo) -> None:
    command = [sys.executable, "-m", "sqlite_utils"]
    done = subprocess.run([*command, "tables", short_demo.path, "--counts"], capture_output=True, text=True, check=True)
    counts = {r["table"]: r["count"] for r in json.loads(done.stdout)}
    assert set(counts) == set(TABLES)
    assert counts["runs"] == counts["certificates"] == counts["boots"] == 1
    db = Database(short_demo.path)
    assert set(db.view_names()) == set(VIEWS)
    assert db.table("seconds").count == counts["seconds"]
    assert db.table("runs").get(1)["sample_id"] == "S-1"
    db.close()


# a file that is opened


def test_what_is_opened_for_reading_cannot_be_written(short_demo: Demo) -> None:
    db = open_readonly(short_demo.path)
    with pytest.raises(sqlite3.DatabaseError, match="not authorized"):
        db.execute("delete from chunks")
    db.conn.set_authorizer(None)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        db.execute("delete from chunks")
    db.close()


def test_opening_an_existing_database_for_writing_changes_none_of_it(short_demo: Demo, tmp_path: Path) -> None:
    path = Path(shutil.copy(short_demo.path, tmp_path / "copy.db"))
    before = dump(path)
    for _ in range(2):
        open_for_writing(path).close()
    assert dump(path) == before


def dump(path: Path) -> list[str]:
    db = sqlite3.connect(path)
    found = list(db.iterdump())
    db.close()
    return found


@pytest.mark.parametrize(
    "name", ["with space.db", "100%.db", "what?.db", "a#b.db", "全固态.db", "file:x.db", "mode=memory"]
)
def test_a_database_may_have_any_name(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    open_for_writing(path).close()
    assert [p.name for p in tmp_path.iterdir()] == [name]
    open_readonly(path).close()


def test_an_empty_sqlite_file_becomes_ours_and_one_with_tables_does_not(tmp_path: Path) -> None:
    for name, sql in (("empty.db", "vacuum"), ("theirs.db", "create table t (x)")):
        db = sqlite3.connect(tmp_path / name)
        db.execute(sql)
        db.close()
    open_for_writing(tmp_path / "empty.db").close()
    open_readonly(tmp_path / "empty.db").close()
    before = (tmp_path / "theirs.db").read_bytes()
    with pytest.raises(BadDatabase, match="another program"):
        open_for_writing(tmp_path / "theirs.db")
    assert (tmp_path / "theirs.db").read_bytes() == before
