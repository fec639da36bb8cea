"""Whatever is in the database, the station starts: what cannot be gone on with is ended, said and kept."""

from __future__ import annotations

import contextlib
import os
import random
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from hostile_start import NAME, Killed, bit_flip, foreign, forged, killed_in_a_run, one_value, truncated, zeroed
from hypothesis import given, settings
from hypothesis import strategies as st
from repository import CASES

import edge.station.take_up
from edge.database.queries import interrupted_runs, list_runs, result_of_run
from edge.database.reading import open_readonly
from edge.errors import NoSuchRun
from edge.records.run import RunKind


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Killed:
    return killed_in_a_run(tmp_path_factory.mktemp("killed"))


def _write(data: bytes, path: Path) -> None:
    path.write_bytes(data)


def leave(path: Path) -> None:
    """Spoil nothing."""


def sql(*lines: str) -> Callable[[Path], None]:
    def spoil(path: Path) -> None:
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
            for line in lines:
                db.execute(line)

    return spoil


def test_what_is_sound_is_gone_on_with_and_nothing_is_said(killed: Killed, tmp_path: Path) -> None:
    started = killed.started(tmp_path, leave)
    assert started.as_promised
    assert (started.put_aside, started.alarmed, started.kept) == (False, False, True)
    assert started.states == ("done", "running")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("update runs set settings_json = replace(settings_json, 'hold_s', 'hold_S') where run_id = 2", "its chain"),
        ("update runs set standard_toml = '' where run_id = 2", "its chain"),
        ("update certificates set toml = replace(toml, '1', '2')", "certificate"),
        ("delete from certificates", "certificate"),
        ("update events set data_json = '[' where run_id = 2 and event = 1", "its chain"),
        ("update chunks set raw = zeroblob(40) where run_id = 2 and chunk = 3", "its chain"),
        ("update boots set boot_id = 'x'", "its chain"),
        ("update runs set kind = 'tesu' where run_id = 2", "its chain"),
        ("update runs set state = 'rujning' where run_id = 2", ""),
        ("delete from events where run_id = 2 and event = 0", "its chain"),
    ],
)
def test_a_run_whose_record_was_changed_is_ended_as_damaged_with_the_reason(
    killed: Killed, tmp_path: Path, line: str, says: str
) -> None:
    started = killed.started(tmp_path, sql(line))
    assert started.as_promised
    assert started.kept
    path = tmp_path / NAME
    if not says:  # its state alone was changed: it is gone on with
        assert started.states == ("done", "running")
        assert not started.alarmed
        return
    assert started.states == ("done", "damaged")
    assert started.alarmed
    with pytest.raises(NoSuchRun, match="was ended as damaged and has no result: "):
        result_of_run(path, "2")
    assert says in str(list_runs(path)[-1].invalid_because)
    with contextlib.closing(open_readonly(path)) as db:
        assert interrupted_runs(db) == []
        told = db.execute("select data_json from station_events where kind = 'storage'").fetchall()
        assert ["run 2 cannot be gone on with" in data for (data,) in told] == [True]


@pytest.mark.parametrize("state", ["running", "-1", "", "interrupted"])
def test_a_run_that_has_a_result_is_done_whatever_its_state_says(killed: Killed, tmp_path: Path, state: str) -> None:
    started = killed.started(tmp_path, sql(f"update runs set state = '{state}' where run_id = 1"))
    assert started.as_promised
    assert started.kept
    assert started.states == ("done", "running")
    with contextlib.closing(open_readonly(tmp_path / NAME)) as db:
        told = db.execute("select data_json from station_events where kind = 'storage'").fetchall()
    assert ["run 1 has a result, and its state did not say so" in data for (data,) in told] == [True]


SPOILS = (bit_flip, truncated, zeroed, one_value, foreign, forged)


@settings(max_examples=40, deadline=None)
@given(which=st.sampled_from(SPOILS), seed=st.integers(0, 10**6))
def test_whatever_is_done_to_the_file_the_station_starts_and_nothing_is_lost(
    killed: Killed, tmp_path_factory: pytest.TempPathFactory, which: Callable[..., Callable[[Path], None]], seed: int
) -> None:
    started = killed.started(tmp_path_factory.mktemp("start"), which(random.Random(seed)))
    assert started.as_promised, started
    assert started.kept


def test_what_is_no_database_is_put_aside_byte_for_byte(killed: Killed, tmp_path: Path) -> None:
    for i, data in enumerate((b"", b"x", b"SQLite format 3\x00", b"\x00" * 100_000, b"t_s,counts\n" * 999)):
        folder = tmp_path / str(i)
        folder.mkdir()
        started = killed.started(folder, partial(_write, data))
        assert started.measured
        assert started.put_aside is bool(data)
        assert started.kept


def test_a_run_that_ends_the_station_again_and_again_is_not_gone_on_with_for_ever(
    killed: Killed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edge.station.take_up, "LIVES", 3)
    monkeypatch.setattr(edge.station.take_up, "FUTURE_NS", 10**12)  # each life begins when the first one did
    database, states = killed.database, []
    for i in range(5):
        folder = tmp_path / str(i)
        folder.mkdir()
        states.append(replace(killed, database=database).started(folder, leave).states[-1])
        database = (folder / NAME).read_bytes()
    assert states == ["running", "running", "running", "damaged", "damaged"]


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def folder_with_something(path: Path) -> None:
    path.unlink()
    path.mkdir()
    (path / "kept").write_text("x")


def pipe_beside(path: Path) -> None:
    os.mkfifo(path.with_name(f"{path.name}-journal"))


def link_to_itself(path: Path) -> None:
    path.unlink()
    path.symlink_to(path)


@pytest.mark.parametrize("spoil", [pipe, folder_with_something, pipe_beside, link_to_itself])
def test_what_is_no_file_is_put_aside_and_never_waited_for(
    killed: Killed, tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    started = killed.started(tmp_path, spoil)
    assert started.measured, started
    assert started.alarmed
    (aside,) = (p for p in tmp_path.iterdir() if ".not-ours-" in p.name and not p.name.endswith("-journal"))
    if spoil is folder_with_something:
        assert (aside / "kept").read_text() == "x"
    elif spoil is pipe_beside:
        assert aside.read_bytes() == killed.database


def test_the_database_that_let_the_station_die_at_each_start_is_answered(killed: Killed, tmp_path: Path) -> None:
    case = CASES / "crash-loop.db"
    if not case.exists():
        pytest.skip("the case is not there")
    started = replace(killed, database=case.read_bytes()).started(tmp_path, leave)
    assert started.as_promised
    assert started.alarmed
    assert started.kept
    assert "running" not in started.states


@pytest.mark.parametrize("seed", [183, 376])
def test_what_an_attack_found_is_answered(killed: Killed, tmp_path: Path, seed: int) -> None:
    """A bit in a name of the schema, which SQLite quoted as no text; a note of 24 million characters."""
    spoil = {183: bit_flip, 376: forged}[seed]
    started = killed.started(tmp_path, spoil(random.Random(f"1/{seed}")))
    assert started.as_promised, started
    assert started.kept


@pytest.mark.parametrize(
    "spoil",
    [
        sql("update runs set settings_json = hex(zeroblob(24000000)) where run_id = 2"),
        sql("update runs set standard_toml = hex(zeroblob(24000000)) where run_id = 2"),
        sql("update chunks set raw = zeroblob(48000000) where run_id = 2 and chunk = 3"),
        forged(random.Random("1/376")),
    ],
    ids=["settings", "standard", "chunk", "note"],
)
def test_what_is_too_long_to_be_ours_is_not_read(killed: Killed, tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    """48 MB in a row, a note of 24: SQLite holds it two or three times, to count it or to change a word beside it."""
    for name, how in (("calm", leave), ("spoilt", spoil)):
        (tmp_path / name).mkdir()
        started = killed.started(tmp_path / name, how)
        assert started.as_promised, started
        if how is leave:
            usual_mb = started.ended.peak_mb
    assert started.kept
    assert started.ended.peak_mb < usual_mb + 16.0


def test_more_runs_than_any_process_leaves_are_not_all_taken_up(killed: Killed, tmp_path: Path) -> None:
    many = sql(
        "with recursive c(x) as (select 3 union all select x + 1 from c where x < 5000) "
        "insert into runs (run_id, state, kind) select x, 'running', 'test' from c"
    )
    path = tmp_path / "a.db"
    path.write_bytes(killed.database)
    many(path)
    with contextlib.closing(open_readonly(path)) as db:
        assert len(interrupted_runs(db)) <= 100
        assert interrupted_runs(db, (RunKind.SIMULATED,)) == []
