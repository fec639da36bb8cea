"""What was unclear to a stranger: each line says what, where, and what to do; what may be a wrong guess is refused."""

from __future__ import annotations

import datetime
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from short_demo import Demo
from simulated_service import rigged

from edge.cli import station as station_commands
from edge.cli.exit_status import error_line
from edge.cli.main import cli
from edge.doctor import machine
from edge.errors import BadInput, Refused
from edge.instrument.config import mistakes
from edge.records.command import OperatorWord
from edge.records.phase import Phase
from edge.records.sample import parse_air_reading, parse_opened
from edge.report.status_text import status_text
from edge.run.live_run import why_not_now
from edge.station.status import station_status

NOW = datetime.datetime(2026, 11, 26, 16, 0, tzinfo=datetime.timezone(datetime.timedelta(hours=8)))
PROBE = "[oven_probe]\nwires = 4\nref_ohm = {ref}\nmains_hz = 50\n"


def line_of(*words: str) -> str:
    """Get the one line with which a command ends."""
    done = CliRunner().invoke(cli, list(words))
    assert isinstance(done.exception, Exception), done.output
    line = error_line(done.exception, cli)
    assert len(line.splitlines()) == 1
    return line


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["runs", "--db", "{folder}/none.db"], "run a test first (halfpercent demo)"),
        (["runs", "--db", "{folder}"], "is a folder: name the database, such as"),
        (["replay", "{db}"], "is a database of runs, and no recording: halfpercent runs lists them"),
        (["export", "last", "--db", "{db}", "-o", "{folder}/none/x.csv"], "/none: there is no such folder: make it"),
        (["check-config", "{folder}/none.toml"], "none.toml"),
        (["read", "--config", "{folder}/none.toml"], "there are no settings: halfpercent init asks what is wired"),
        (["demo", "--night", "qwerty"], "use a TOML file, or one of the "),
        (["demo", "--night", "step-in-hole"], "did you mean step-in-hold?"),
    ],
)
def test_a_line_says_what_where_and_what_to_do(short_demo: Demo, tmp_path: Path, words: list[str], says: str) -> None:
    line = line_of(*(w.format(folder=tmp_path, db=short_demo.path) for w in words))
    assert says in line
    assert len(line) < 400


def test_a_database_is_found_in_its_folder(short_demo: Demo, tmp_path: Path) -> None:
    shutil.copy(short_demo.path, tmp_path / "halfpercent.db")
    done = CliRunner().invoke(cli, ["runs", "--db", str(tmp_path), "--json"])
    assert done.exit_code == 0
    assert len(json.loads(done.stdout)["runs"]) == 1
    assert CliRunner().invoke(cli, ["report", "--db", str(tmp_path)]).exit_code == 0  # the last one


def test_calibrate_alone_says_the_steps_in_their_order() -> None:
    done = CliRunner().invoke(cli, ["calibrate"])
    assert done.exit_code == 0
    places = [done.stdout.index(f"calibrate {step} ") for step in ("tare", "span", "temperature\n"[:-1], "rtd")[:2]]
    assert places == sorted(places)
    assert "--simulate 1" in done.stdout


def test_a_board_for_a_pt1000_is_not_right_for_a_pt100() -> None:
    text = '[bridge]\nchip = "nau7802"\n' + PROBE.format(ref=4300.0)
    (line,) = mistakes(text, "c.toml")
    assert "oven_probe: ref_ohm = 4300 is not for nominal_ohm = 100" in line
    assert mistakes(text + "nominal_ohm = 1000.0\n", "c.toml") == []
    assert mistakes('[bridge]\nchip = "nau7802"\n' + PROBE.format(ref=430.0), "c.toml") == []


@pytest.mark.parametrize(
    ("text", "humidity_pct"),
    [("1013.25,23.5,45", 45.0), ("1013.25,23.5,45%", 45.0), ("1013.25,23.5,0.45%", 0.45), ("1013,23,0.03", 0.03)],
)
def test_a_humidity_is_in_percent(text: str, humidity_pct: float) -> None:
    assert parse_air_reading(text).humidity_pct == humidity_pct


@pytest.mark.parametrize("text", ["1013.25,23.5,0.45", "1013.25,23.5,1", "1013.25,23.5,0.2"])
def test_a_humidity_that_may_be_a_share_is_asked_about(text: str) -> None:
    with pytest.raises(BadInput, match="a share or % humidity"):
        parse_air_reading(text)


@pytest.mark.parametrize(
    ("text", "ago_h"),
    [
        ("09:40", 6.0 + 1 / 3), ("9:40", 6.0 + 1 / 3), ("17:00", 23.0), ("2026-11-26T09:40", 6.0 + 1 / 3),
        ("2026-11-26T01:40:00Z", 6.0 + 1 / 3), ("2026-11-26 09:40+08:00", 6.0 + 1 / 3), ("20261126T0940", 6.0 + 1 / 3),
    ],
)  # fmt: skip
def test_times_are_taken_as_iso_8601_has_them(text: str, ago_h: float) -> None:
    assert parse_opened(text, NOW) == pytest.approx(ago_h * 3600.0)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("2026-11-26", "is a day without a time"),
        ("2026-W48-4", "is a day without a time"),
        ("2026-11-26T09:40Z", r"17:40 \+0800 is still to come, here it is 16:00 \+0800"),
        ("26.11.2026 09:40", "give the time on this machine's clock: 09:40, or 2026-11-26 09:40"),
        ("11/26/2026", "give the time on this machine's clock"),
    ],
)
def test_a_time_that_is_half_a_guess_is_refused(text: str, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        parse_opened(text, NOW)


@pytest.mark.parametrize("word", list(OperatorWord))
@pytest.mark.parametrize("phase", list(Phase))
def test_a_word_at_the_wrong_time_is_answered_with_what_comes_next(word: OperatorWord, phase: Phase) -> None:
    line = why_not_now(word, phase)
    assert line.startswith(str(word))
    assert any(told in line for told in ("waits for you: ", "goes on by itself", "halfpercent report last"))


def test_no_mass_is_shown_before_a_tare_and_kilograms_are_asked_about(tmp_path: Path) -> None:
    with rigged(tmp_path) as it:
        with pytest.raises(BadInput, match=r"mass 0.21: .*\(0.21 kg are 210 g\)"):
            it.ask("start", sample="x", operator="y", mass_g=0.21)
        it.ask("start", sample="x", operator="y")
        it.run_s(3)
        run = it.ask("status")["run"]
        assert (run["phase"], run["mass_g"]) == ("tare", None)
        assert "mass        not yet: no tare was taken" in status_text(station_status(it.service.station))


class _Answers:
    """A station that answers ``status`` one after the other."""

    def __init__(self, *runs: dict[str, Any] | None) -> None:
        self._runs: Iterator[dict[str, Any] | None] = iter(runs)

    def __call__(self, _path: Path, command: str, _args: object) -> dict[str, Any]:
        return {"run": next(self._runs)} if command == "status" else {}


def at(phase: str, refused: str | None = None) -> dict[str, Any]:
    return {"run_id": 1, "phase": phase, "refused": refused, "asked": "put the sample on, then load"}


def said(monkeypatch: pytest.MonkeyPatch, *runs: dict[str, Any] | None) -> Any:
    monkeypatch.setattr("edge.control.client.ask", _Answers(*runs))
    monkeypatch.setattr(station_commands, "LOOK_EVERY_S", 1e-3)
    return CliRunner().invoke(cli, ["tare", "--wait"])


def test_a_tare_is_waited_for_and_its_refusal_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = said(monkeypatch, at("tare"), at("tare"), at("load"))
    assert taken.exit_code == 0
    assert "Taken. The test is at load: put the sample on, then load" in taken.stdout
    refused = said(monkeypatch, at("tare"), at("tare", "12 good seconds that wander by 3 g"))
    assert refused.exit_code == 1
    assert isinstance(refused.exception, Refused)
    assert "tare: refused: 12 good seconds that wander" in str(refused.exception)
    ended = said(monkeypatch, at("tare"), None)
    assert "The test has ended: halfpercent report last" in ended.stdout


def test_the_doctor_knows_what_machine_it_is_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def told(model: bytes | None) -> str:
        file = tmp_path / "model"
        file.unlink(missing_ok=True)
        if model is not None:
            file.write_bytes(model)
        monkeypatch.setattr(machine, "DEVICE_TREE_MODEL", file)
        found = machine.examine(tmp_path / "none.toml", tmp_path / "x.db")
        return "\n".join(f"{f.check}: {f.found}: {f.do}" for f in found)

    on_pc, on_pi = told(None), told(b"Raspberry Pi 5 Model B Rev 1.0\0")
    assert "/boot/firmware" not in on_pc
    assert "no Raspberry Pi" in on_pc
    assert "machine: Raspberry Pi 5 Model B Rev 1.0" in on_pi
    assert "no Raspberry Pi" in told(b"Some Other Board\0")
