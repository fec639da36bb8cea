"""A barometer through a whole test: what it measured narrows the budget, is in the evidence, and is computed again."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from edge.cli.main import cli
from edge.replay.run_file import MARK

STANDARD = 'id = "short"\ntitle = "A short test"\nlimit_pct = 0.5\ntemp_c = 120.0\nhold_s = 600\n'
WEATHER = '[[event]]\nat = "hold+100s"\nwhat = "weather"\nhpa = 1009.0\nzero_effect_vmin_per_kpa = 0.3\n'
WEATHERS = "air pressure on the cell's zero"


class Acted:
    """A short night with a barometer, and what came of it."""

    def __init__(self, folder: Path, events: str) -> None:
        self.path = folder / "h.db"
        (folder / "standard.toml").write_text(STANDARD, encoding="utf-8")
        (folder / "night.toml").write_text(f'loss_pct = 0.35\nseed = 3\nbarometer = "bmp280"\n{events}', "utf-8")
        night, standard = str(folder / "night.toml"), str(folder / "standard.toml")
        self.result = self.json("demo", "--night", night, "--standard", standard)

    def run(self, *words: str) -> tuple[int, str]:
        done = CliRunner().invoke(cli, [*words, "--db", str(self.path)])
        return done.exit_code, done.output

    def json(self, *words: str) -> dict[str, Any]:
        code, output = self.run(*words, "--json")
        assert code == 0, output
        return dict(json.loads(output))

    def line(self, name: str) -> dict[str, Any]:
        (found,) = [c for c in self.result["budget"] if c["name"] == name]
        return dict(found)

    def told(self) -> list[dict[str, Any]]:
        with closing(sqlite3.connect(self.path)) as db:
            rows = db.execute("select data_json from events where kind = 'barometer'").fetchall()
        return [json.loads(row[0]) for row in rows]


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Acted:
    return Acted(tmp_path_factory.mktemp("seen"), WEATHER)


def test_the_weather_that_was_measured_is_in_the_budget_instead_of_a_kilopascal(seen: Acted) -> None:
    weather = seen.line(WEATHERS)
    assert weather["origin"] == "measured"
    assert "-0.43 kPa" in weather["why"], "1013.25 to 1009 hPa"
    assert weather["u"] == pytest.approx(0.05 * (0.425**2 + 0.03**2 / 3.0) ** 0.5 / 3.0**0.5, rel=0.05)
    assert seen.line("air density")["origin"] == seen.line("change of the air's density")["origin"] == "measured"
    assert abs(seen.result["loss_pct"] - seen.result["true_loss_pct"]) <= seen.result["U_pct"]
    assert not [w for w in seen.result["warnings"] if "barometer" in w]


def test_raw_codes_and_the_chips_own_coefficients_are_stored(seen: Acted) -> None:
    told = seen.told()
    assert len(told) >= 10
    assert {t["status"] for t in told} == {"OK"}
    assert {len(t["trimming"]) for t in told} == {48}
    assert len({t["pressure_code"] for t in told}) > 5, "a live chip's codes are noisy"


@pytest.fixture(scope="module")
def csv(seen: Acted, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("csv") / "run.csv"
    code, output = seen.run("export", "last", "--format", "csv", "-o", str(path))
    assert code == 0, output
    return path


def judged(csv: Path, folder: Path) -> dict[str, Any]:
    again = CliRunner().invoke(cli, ["replay", str(csv), "--json", "--out", str(folder / "out")])
    assert again.exit_code == 0, again.output
    return dict(json.loads(again.stdout))


def test_a_stranger_judges_it_again_from_the_csv_and_finds_the_same(seen: Acted, csv: Path, tmp_path: Path) -> None:
    found = judged(csv, tmp_path)
    assert (found["loss_pct"], found["U_pct"]) == (seen.result["loss_pct"], seen.result["U_pct"])
    assert next(c for c in found["budget"] if c["name"] == WEATHERS) == seen.line(WEATHERS)


def test_one_that_said_nothing_any_more_after_m1_is_assumed_for_and_said(csv: Path, tmp_path: Path) -> None:
    head, rest = csv.read_text(encoding="utf-8").split("\n", 1)
    told = json.loads(head.removeprefix(MARK))
    for reading in told["barometer"][-5:]:
        reading["status"] = "BUS_ERROR"
    spoiled = tmp_path / "spoiled.csv"
    spoiled.write_text(f"{MARK}{json.dumps(told)}\n{rest}", encoding="utf-8")
    found = judged(spoiled, tmp_path)
    weather = next(c for c in found["budget"] if c["name"] == WEATHERS)
    assert (weather["origin"], "±1 kPa" in weather["why"]) == ("assumed", True)
    (said,) = [w for w in found["warnings"] if w.startswith("barometer")]
    assert "no pressure at M2 (5 of" in said


def test_a_reading_that_was_changed_afterwards_is_found(seen: Acted, tmp_path: Path) -> None:
    good = CliRunner().invoke(cli, ["verify", "1", "--db", str(seen.path)])
    assert "ALTERED" not in good.output, good.output
    copy = tmp_path / "h.db"
    shutil.copy(seen.path, copy)
    with closing(sqlite3.connect(copy)) as db:
        db.execute(
            "update events set data_json = json_set(data_json, '$.pressure_code', 400000) where kind = 'barometer'"
        )
        db.commit()
    bad = CliRunner().invoke(cli, ["verify", "1", "--db", str(copy)])
    assert "ALTERED" in bad.output
    assert bad.exit_code == 3
