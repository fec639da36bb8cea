"""A start with a specimen's record: stored in what the run's chain covers, known again later, kept by a restart."""

from __future__ import annotations

import datetime
import json
import sqlite3
from pathlib import Path

import pytest
from simulated_service import order, rigged

from edge.control.protocol import Request, Start, parse
from edge.database import hash_chain
from edge.database.journal import Journal
from edge.database.reading import open_readonly
from edge.database.specimens import runs_with_serial
from edge.errors import BadDatabase, BadInput, BadSpecimen
from edge.run.resume import resume


def record(folder: Path, more: str = "", m0_g: float = 210.0) -> Path:
    """A specimen's file: opened half an hour ago, no liquid seen."""
    opened = datetime.datetime.now(datetime.UTC) - datetime.timedelta(minutes=30)
    path = folder / "specimen.toml"
    path.write_text(
        f'maker = "Example Cells"\nmodel = "SSB-200"\nserial = "0042"\nm0_g = {m0_g}\n{more}'
        f'[opening]\nopened_at = {opened:%Y-%m-%dT%H:%M:%SZ}\nby = "Ada"\n'
        '[visual_check]\nliquid_seen = false\nby = "Ada"\n',
        encoding="utf-8",
    )
    return path


def stored_settings(database: Path) -> dict[str, object]:
    with sqlite3.connect(database) as db:
        settings: dict[str, object] = json.loads(db.execute("select settings_json from runs").fetchone()[0])
    return settings


def test_the_record_is_stored_with_the_run_and_its_chain_covers_it(tmp_path: Path) -> None:
    with rigged(tmp_path) as it:
        live = it.service.start(order(specimen=str(record(tmp_path))), "ada")
        assert live.definition.sample.opened_ago_s == pytest.approx(1800.0, abs=60.0)
        it.run_s(8.0)
        settings = stored_settings(it.database)
        assert live.definition.specimen is not None
        assert settings["specimen"] == live.definition.specimen.as_settings()
    db = open_readonly(it.database)
    assert list(hash_chain.chunks(db, 1))
    db.close()
    with sqlite3.connect(it.database) as plain:
        plain.execute("update runs set settings_json = replace(settings_json, '\"0042\"', '\"0043\"')")
    plain.close()
    db = open_readonly(it.database)
    with pytest.raises(BadDatabase):
        list(hash_chain.chunks(db, 1))
    db.close()


def test_a_run_that_is_taken_up_again_has_its_specimen(tmp_path: Path) -> None:
    with rigged(tmp_path) as it:
        live = it.service.start(order(specimen=str(record(tmp_path))), "ada")
        it.run_s(8.0)
        it.service.station.writer.write(lambda: live.journal.commit(it.simulated.clock.wall_s()))
        before = live.definition
    with Journal(tmp_path / "halfpercent.db") as journal:
        again = resume(journal, 1, it.simulated.clock, clock_set=True, batch_s=5).definition
    assert (again.specimen, again.seen_before, again.sample) == (before.specimen, before.seen_before, before.sample)


def test_a_serial_is_known_again_and_another_mass_is_refused_until_somebody_says_why(tmp_path: Path) -> None:
    with rigged(tmp_path) as it:
        it.service.start(order("first", specimen=str(record(tmp_path))), "ada")
        it.run_s(3.0)
        desk = it.service._desk
        again = desk.definition(order("second", specimen=str(record(tmp_path))))
        assert [(s.run_id, s.sample_id, s.agrees) for s in again.seen_before] == [(1, "first", True)]
        with pytest.raises(BadSpecimen, match="serial 0042: run 1 had it on Example Cells SSB-200, M0 210 g: "):
            desk.definition(order("second", specimen=str(record(tmp_path, m0_g=211.0))))
        said = record(tmp_path, 'differs_because = "the maker uses a serial twice"\n', m0_g=211.0)
        assert [s.agrees for s in desk.definition(order("second", specimen=str(said))).seen_before] == [False]


def test_what_is_no_record_in_somebody_s_database_is_left_out(tmp_path: Path) -> None:
    with rigged(tmp_path) as it:
        it.service.start(order(specimen=str(record(tmp_path))), "ada")
        it.run_s(3.0)
    assert list(runs_with_serial(it.database, "0042")) == [1]
    for spoilt in ('{"specimen": 7}', '{"specimen": ', '{"specimen": {"serial": "0042", "maker": 1}}', '["specimen"]'):
        with sqlite3.connect(it.database) as plain:
            plain.execute("update runs set settings_json = ?", [spoilt])
        plain.close()
        assert runs_with_serial(it.database, "0042") == {}


def test_a_record_that_somebody_names_over_the_socket_is_read_as_carefully_as_a_standard(tmp_path: Path) -> None:
    path = record(tmp_path)
    with rigged(tmp_path) as it:
        desk = it.service._desk
        asked = order(specimen=str(path))
        assert desk.definition(asked, asked=True).specimen is not None
        path.write_text("#" * 70_000, encoding="utf-8")
        with pytest.raises(BadInput, match="longer than 64000 bytes"):
            desk.definition(asked, asked=True)
        (tmp_path / "link.toml").symlink_to(path)
        with pytest.raises(BadInput):
            desk.definition(order(specimen=str(tmp_path / "link.toml")), asked=True)


def test_a_blank_has_no_specimen() -> None:
    args = {"sample": "S", "operator": "A", "kind": "blank", "specimen": "s.toml"}
    with pytest.raises(BadInput, match="the dummy of a blank run is none"):
        parse(Request("start", args, "ada"))
    assert isinstance(parse(Request("start", args | {"kind": "sample"}, "ada")), Start)
