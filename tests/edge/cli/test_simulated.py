"""The station on the simulated rig: a person gives the commands over its socket, and nothing of it is a real one."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from edge.cli.main import cli
from edge.control.client import ask
from edge.control.protocol import Start
from edge.control.server import Control
from edge.database.reading import open_readonly
from edge.errors import BadInput, Refused
from edge.instrument.config import BalanceConfig
from edge.records.status import StationStatus
from edge.report.status_text import status_text
from edge.simulate.night_file import Night, NightHead
from edge.simulate.simulated_station import BY_A_PERSON, Manner, SimulatedStation
from edge.station.start import definition_from_order

AS_IT_GOES = Manner(person=True, speed=0.0, looks=BY_A_PERSON.looks)
PATIENCE_S = 60.0


@pytest.fixture
def socket(tmp_path: Path) -> Iterator[Path]:
    """Run a simulated station in a thread, as fast as it goes."""
    made = SimulatedStation(Night("quiet", NightHead()), tmp_path / "halfpercent.db", tmp_path, AS_IT_GOES)
    where = tmp_path / "control.sock"
    thread = threading.Thread(target=lambda: made.run(control=Control(where)))
    thread.start()
    try:
        wait_for(where.exists)
        yield where
    finally:
        made.stop()
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


def wait_for(true: Callable[[], object]) -> None:
    end_s = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < end_s, "it does not come"
        time.sleep(0.01)


def say(socket: Path, *words: str) -> dict[str, Any]:
    done = CliRunner().invoke(cli, [*words, "--socket", str(socket), "--json"], catch_exceptions=False)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_a_person_tares_loads_looks_and_aborts_over_the_socket(socket: Path) -> None:
    idle = say(socket, "status")
    assert (idle["state"], idle["simulated"]) == ("idle", True)
    run_id = say(socket, "start", "--sample", "S-1", "--operator", "Ada")["run_id"]
    with pytest.raises(Refused, match="the test is at tare and waits for you: leave the holder empty, then tare"):
        ask(socket, "load", {})
    say(socket, "tare")
    wait_for(lambda: say(socket, "status")["run"]["phase"] == "load")
    wait_for(lambda: abs(say(socket, "status")["run"]["mass_g"]) < 0.1)  # nothing is on before it is said to be
    say(socket, "load")
    wait_for(lambda: say(socket, "status")["run"]["phase"] not in ("load", "m1"))
    run = say(socket, "status")["run"]
    assert run["kind"] == "simulated"
    assert run["mass_g"] == pytest.approx(200.0, rel=0.03)
    wait_for(lambda: (say(socket, "status")["run"]["temp_c"] or 0.0) > 30.0)  # the oven follows the phases
    say(socket, "abort", "--reason", "seen enough")
    wait_for(lambda: say(socket, "status")["last_run"] is not None)
    database = socket.parent / "halfpercent.db"
    db = open_readonly(database)
    try:
        (row,) = db.query("select * from runs where run_id = ?", [run_id])
    finally:
        db.close()
    assert (row["kind"], row["verdict"]) == ("simulated", "INVALID")
    assert json.loads(row["settings_json"])["simulated"] is True
    assert "Simulated: chips, oven and sample are models." in CliRunner().invoke(
        cli, ["report", "last", "--db", str(database)]
    ).stdout  # fmt: skip


def test_the_status_of_a_simulated_station_says_so_first() -> None:
    assert status_text(StationStatus(state="idle", simulated=True)).startswith("simulated   chips, oven and sample are")
    assert "models" not in status_text(StationStatus(state="idle", simulated=False))


def test_a_real_station_takes_no_simulated_certificate_and_a_simulated_one_no_real_one(tmp_path: Path) -> None:
    made = SimulatedStation(Night("quiet", NightHead()), tmp_path / "h.db", tmp_path)
    config = made.config
    order = Start(sample="S-1", operator="Ada", certificate=str(made.certificate))
    assert definition_from_order(order, config, tmp_path / "h.db", simulated=True).kind == "simulated"
    with pytest.raises(BadInput, match="is a simulated load cell's: name the real one's"):
        definition_from_order(order, config, tmp_path / "h.db")
    text = made.certificate.read_text(encoding="utf-8")
    text = text.replace('serial = "simulated 1"', 'serial = "LC-1"').replace("halfpercent, simulated", "Lab B, real")
    made.certificate.write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match="is a real load cell's: a simulated one has its own: leave it out"):
        definition_from_order(order, config, tmp_path / "h.db", simulated=True)
    with pytest.raises(BadInput, match="balance simulated-balance-1: its certificate is a model's: name the real"):
        definition_from_order(order, config, tmp_path / "h.db")
    config = msgspec.structs.replace(config, balance=BalanceConfig())
    assert definition_from_order(order, config, tmp_path / "h.db").kind == "test"


def test_a_run_whose_simulated_rig_is_gone_is_ended_when_the_next_station_starts(tmp_path: Path) -> None:
    order = Start(sample="S-1", operator="Ada")
    first = SimulatedStation(Night("quiet", NightHead()), tmp_path / "h.db", tmp_path, AS_IT_GOES)
    thread = threading.Thread(target=lambda: first.run(order))
    thread.start()
    wait_for(lambda: runs(tmp_path / "h.db"))
    first.stop()
    thread.join(PATIENCE_S)
    assert runs(tmp_path / "h.db") == [("running", None)]
    where = tmp_path / "control.sock"
    second = SimulatedStation(Night("quiet", NightHead()), tmp_path / "h.db", tmp_path, AS_IT_GOES)
    thread = threading.Thread(target=lambda: second.run(control=Control(where)))
    thread.start()
    wait_for(where.exists)
    assert say(where, "status")["run"] is None
    second.stop()
    thread.join(PATIENCE_S)
    assert runs(tmp_path / "h.db") == [("done", "its simulated rig is no longer there in phase tare")]


def runs(path: Path) -> list[tuple[str, str | None]]:
    if not path.exists():
        return []
    try:
        db = open_readonly(path)
    except Exception:  # it is being made
        return []
    try:
        return [(row["state"], row["invalid_because"]) for row in db.query("select * from runs")]
    finally:
        db.close()


@pytest.mark.parametrize("command", [["station"], ["run", "--sample", "S-1", "--operator", "Ada"]])
@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["--seed", "3"], "--seed is for the simulated rig: add --simulate"),
        (["--simulate", "--db", "h.db"], "--db is for a real rig: a simulated one has a folder of its own: --folder"),
        (["--simulate", "--config", "c.toml"], "--config is for a real rig: a simulated one has a folder of its own"),
        (["--simulate", "--speed", "-1"], "Invalid value for '--speed'"),
    ],
)
def test_options_of_the_one_are_not_for_the_other(command: list[str], options: list[str], line: str) -> None:
    done = CliRunner().invoke(cli, [*command, *options])
    assert done.exit_code == 2
    assert line in done.output


def test_a_night_that_is_not_there_makes_no_folder(tmp_path: Path) -> None:
    done = CliRunner().invoke(cli, ["station", "--simulate", "--night", "nonsense", "--folder", str(tmp_path / "f")])
    assert str(done.exception).startswith("nonsense: no such night")
    assert not (tmp_path / "f").exists()


def test_a_test_in_the_terminal_on_the_simulated_rig_ends_with_its_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    read, write = os.pipe()
    os.write(write, b"abort\n")
    os.close(write)
    args = ["run", "--simulate", "--sample", "S-1", "--operator", "Ada", "--folder", str(tmp_path), "--speed", "0"]
    with os.fdopen(read) as keyboard:
        monkeypatch.setattr(sys, "stdin", keyboard)
        cli.main([*args, "--json"], standalone_mode=False)
    result = json.loads(capsys.readouterr().out)
    assert (result["verdict"], result["kind"]) == ("INVALID", "simulated")
    assert result["invalid_because"] == "aborted by the operator in phase tare"
