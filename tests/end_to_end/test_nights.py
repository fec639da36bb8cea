"""Nights acted out on the real service: what ends is begun again, what is stored says so, and the truth is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from edge.cli.main import cli
from edge.database.reading import open_readonly
from edge.simulate import simulated_station

HOLD_S = 600
STANDARD = f'id = "short"\ntitle = "A short test"\nlimit_pct = 0.5\ntemp_c = 120.0\nhold_s = {HOLD_S}\n'


class Acted:
    """A night's result, and what is stored of it."""

    def __init__(self, folder: Path, text: str, *options: str) -> None:
        (folder / "standard.toml").write_text(STANDARD, encoding="utf-8")
        (folder / "the-night.toml").write_text(text, encoding="utf-8")
        self.path = folder / "h.db"
        args = ["demo", "--night", str(folder / "the-night.toml"), "--standard", str(folder / "standard.toml")]
        done = CliRunner().invoke(cli, [*args, "--db", str(self.path), "--json", *options], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        self.result: dict[str, Any] = json.loads(done.stdout)

    def rows(self, query: str) -> list[dict[str, Any]]:
        db = open_readonly(self.path)
        try:
            return list(db.query(query))
        finally:
            db.close()

    def events(self, kind: str) -> list[dict[str, Any]]:
        return [json.loads(row["data_json"]) for row in self.rows(f"select * from events where kind = '{kind}'")]


def event(what: str, at: str = "hold+100s", **more: object) -> str:
    fields = "".join(f"{name} = {json.dumps(value)}\n" for name, value in more.items())
    return f'\n[[event]]\nat = "{at}"\nwhat = "{what}"\n{fields}'


def test_a_quiet_night_is_a_simulated_run_in_kind_settings_and_result_and_its_loss_is_what_was_asked_for(
    tmp_path: Path,
) -> None:
    night = Acted(tmp_path, "loss_pct = 0.35\nseed = 3\n" + event("clock", step_s=-3600.0))
    result = night.result
    assert (result["kind"], result["seed"], result["night"]) == ("simulated", 3, "the-night")
    assert result["true_loss_pct"] == pytest.approx(0.35, abs=0.01)
    assert result["loss_pct"] == pytest.approx(result["true_loss_pct"], abs=result["U_pct"])
    assert result["verdict"] == "PASS"
    (run,) = night.rows("select * from runs")
    settings = json.loads(run["settings_json"])
    assert (settings["simulated"], settings["seed"], settings["night"]) == (True, 3, "the-night")
    assert run["kind"] == "simulated"
    text = CliRunner().invoke(cli, ["report", "last", "--db", str(night.path)]).stdout
    assert "Simulated, in the night the-night: chips, oven and sample are models." in text
    steps = night.rows("select data_json from events where data_json like '%clock step%'")
    assert steps, "the station has alarmed"


def test_a_restart_is_a_new_service_on_the_same_boot_which_goes_on_with_the_run(tmp_path: Path) -> None:
    night = Acted(tmp_path, event("restart", off_s=8.0))
    (again,) = night.events("resumed")
    assert [row["boot_id"] for row in night.rows("select boot_id from boots")] == [again["boot_id"]]
    assert 8.0 <= again["gap_s"] <= 12.0
    (stop,) = night.result["stops"]
    assert stop["length_s"] == again["gap_s"]
    assert night.result["hold_s"] >= HOLD_S
    log = [row["kind"] for row in night.rows("select kind from station_events order by event")]
    assert log == ["started", "stopped", "started", "stopped"]


@pytest.mark.parametrize("bridge", ["nau7802", "hx711"])
def test_a_reset_between_the_masses_asks_for_zero_and_check_weight_which_say_what_nobody_saw(
    tmp_path: Path, bridge: str
) -> None:
    """The power is off for 20 minutes in the cold: nobody saw the step, and ±1 % of the load would decide nothing."""
    cut = event("power_cut", "cool+600s", off_s=1200.0)
    night = Acted(tmp_path, "loss_pct = 0.25\ncheck_weight_g = 100.0\n" + cut, "--bridge", bridge)
    entered = [e["to"] for e in night.events("phase")]
    assert entered[-4:] == ["m2", "zero", "check weight", "done"]
    assert {"word": "converter reset"} in night.events("operator")
    (reset,) = [h for h in night.result["happened"] if h["what"] == "converter_reset"]
    assert "second zero and the check weight" in reset["why"]
    assert night.result["U_pct"] < 0.15
    assert night.result["loss_pct"] == pytest.approx(night.result["true_loss_pct"], abs=night.result["U_pct"])


@pytest.mark.parametrize("phase", ["m1", "m2"])
def test_no_weighing_spans_a_reset_of_the_converter(tmp_path: Path, phase: str) -> None:
    """The supply dips in the middle of the mean over ten minutes: it begins anew, and the loss is as well known."""
    night = Acted(tmp_path, "loss_pct = 0.25\n" + event("brown_out", f"{phase}+900s"))
    m1, m2 = (next(w for w in night.result["weighings"] if w["which"] == which) for which in ("m1", "m2"))
    (reset,) = [h for h in night.result["happened"] if h["what"] == "converter_reset"]
    assert not any(w["from_s"] <= reset["to_s"] <= w["to_s"] for w in (m1, m2))
    assert all(w["to_s"] - w["from_s"] >= 590.0 for w in (m1, m2))
    assert night.result["U_pct"] < 0.06
    assert night.result["loss_pct"] == pytest.approx(night.result["true_loss_pct"], abs=night.result["U_pct"])


def test_an_alarm_while_the_sample_hung_is_on_the_list_of_what_happened_from_its_opening_to_its_closing(
    tmp_path: Path,
) -> None:
    night = Acted(tmp_path, "loss_pct = 0.2\n" + event("unplug", device="cell", for_s=30.0))
    (alarm,) = [h for h in night.result["happened"] if h["what"] == "alarm"]
    assert alarm["why"].startswith("alarm cell probe: ")
    assert 30.0 <= alarm["to_s"] - alarm["from_s"] <= 60.0
    kinds = [h["what"] for h in night.result["happened"]]
    assert [h["from_s"] for h in night.result["happened"]] == sorted(h["from_s"] for h in night.result["happened"]), (
        kinds
    )
    text = CliRunner().invoke(cli, ["report", "last", "--db", str(night.path)]).stdout
    assert "alarm cell probe" in text


def test_a_power_cut_is_a_new_boot_and_loses_at_most_what_was_not_on_disk(tmp_path: Path) -> None:
    night = Acted(tmp_path, event("power_cut", off_s=30.0))
    (again,) = night.events("resumed")
    boots = [row["boot_id"] for row in night.rows("select boot_id from boots order by boot")]
    assert len(boots) == 2
    assert again["boot_id"] == boots[1] != boots[0]
    assert len(night.rows("select 1 from station_events where kind = 'stopped'")) == 1, "nobody says goodbye in a cut"
    assert 50.0 <= again["gap_s"] <= 60.0  # off, booting, and at most five seconds that were not written
    assert night.result["hold_s"] >= HOLD_S


def test_a_power_cut_after_which_nobody_sets_the_clock_is_a_gap_of_unknown_length(tmp_path: Path) -> None:
    night = Acted(tmp_path, event("power_cut", off_s=30.0, clock_set=False))
    (again,) = night.events("resumed")
    assert again["gap_s"] is None
    assert again["at_least_s"] >= 20.0


def test_a_full_disk_is_an_alarm_and_costs_nothing(tmp_path: Path) -> None:
    night = Acted(tmp_path, "loss_pct = 0.3\n" + event("disk_full", at="hold+60s", for_s=300.0))
    result = night.result
    assert night.rows("select 1 from events where data_json like '%\"storage\"%'"), "the station has alarmed"
    assert result["stops"] == []
    assert result["hold_s"] >= HOLD_S
    assert result["loss_pct"] == pytest.approx(result["true_loss_pct"], abs=result["U_pct"])


def test_commands_at_the_wrong_moment_are_refused_and_said_and_change_nothing(tmp_path: Path) -> None:
    (tmp_path / "n.toml").write_text(
        event("command", at="tare+20s", command="load") + event("command", command="abort"), encoding="utf-8"
    )
    (tmp_path / "s.toml").write_text(STANDARD, encoding="utf-8")
    args = ["demo", "--night", str(tmp_path / "n.toml"), "--standard", str(tmp_path / "s.toml")]
    done = CliRunner().invoke(cli, [*args, "--db", str(tmp_path / "h.db")], catch_exceptions=False)
    assert (
        "night: load is refused: load comes later, or is done: the test is at tare and waits for you: leave the holder"
        in done.stderr
    )
    assert "INVALID: aborted by the operator in phase hold" in done.stdout


def test_a_second_zero_that_never_comes_is_waited_for_and_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulated_station, "LONGEST_S", 5 * 3600)  # the test itself takes 3 h 20 min
    night = Acted(tmp_path, "zero_after = true\n" + event("command", at="tare+0s", skip="zero"))
    assert night.result["zeros"] is None
    assert any("second zero that was announced was not taken" in line for line in night.result["warnings"])


def test_a_sample_that_falls_off_weighs_nothing_to_the_end_and_the_same_night_gives_the_same_codes(
    tmp_path: Path,
) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    text = event("drop_sample") + event("draught", mg=5.0, tau_s=10.0, for_s=60.0)
    one, two = Acted(tmp_path / "a", text), Acted(tmp_path / "b", text)
    assert one.rows("select raw from chunks order by chunk") == two.rows("select raw from chunks order by chunk")
    (last,) = one.rows("select mass_g from seconds where phase = 'm2' order by second desc limit 1")
    assert abs(last["mass_g"]) < 1.0


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["--night", "quiett"], "quiett: no such night: did you mean quiet?"),
        (["--night", "none.toml"], "none.toml: no such file: give the path of a TOML file"),
        (["--night", "quiet", "--bridge", "hx712"], "bridge hx712: unknown: use nau7802, hx711"),
        (["--night", "quiet", "--scenario", "wet"], "scenario wet: unknown: use solid"),
    ],
)
def test_a_night_that_cannot_be_acted_out_is_refused_in_one_line(options: list[str], line: str, tmp_path: Path) -> None:
    done = CliRunner().invoke(cli, ["demo", *options, "--db", str(tmp_path / "h.db")])
    assert done.exit_code == 1
    assert str(done.exception).startswith(line)
    assert not (tmp_path / "h.db").exists()
