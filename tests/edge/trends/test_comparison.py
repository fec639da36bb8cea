"""``compare``: runs beside each other, from a database that may be anybody's."""

from __future__ import annotations

import csv
import io
import json
import random
import re
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import hostile_databases
import pytest
from click.testing import CliRunner, Result
from short_demo import SHORTER, Demo
from short_demo import run as run_demo
from written_run import begin, write

from edge.cli.main import cli
from edge.database.compared import runs_to_compare
from edge.database.journal import Journal
from edge.records.curve import Column, RecordedCurve
from edge.report.compare_text import compare_text
from edge.report.curve_overlay import STYLES, OverlaidRun, Overlay
from edge.report.language import Language, Words
from edge.standards.standard import loads_standard
from edge.trends.comparison import compare_runs

HOSTILE = '<script>alert(1)</script>\u202e固态"&'


@pytest.fixture(scope="module")
def path(short_demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with a run that passed, one that failed by another standard, and one that was broken off."""
    found = Path(shutil.copy(short_demo.path, tmp_path_factory.mktemp("compared") / "a.db"))
    other = SHORTER.replace("0.5", "0.4")
    run_demo(found, "liquid", "nau7802", 3, loads_standard(other))
    with Journal(found) as journal:
        write(begin(journal, run_uid="u-3", sample_id=HOSTILE), range(10))
    return found


def said(*words: str) -> Result:
    return CliRunner().invoke(cli, ["compare", *words], catch_exceptions=False)


def shown(path: Path, *words: str) -> str:
    done = said(*words, "--db", str(path))
    assert done.exit_code == 0, done.output
    return done.stdout


def test_each_verdict_and_loss_is_the_one_that_the_report_of_the_run_has(path: Path) -> None:
    told = json.loads(shown(path, "1", "2", "--json"))
    for run in told["runs"]:
        words = ["report", str(run["run_id"]), "--json", "--db", str(path)]
        report = json.loads(CliRunner().invoke(cli, words, catch_exceptions=False).stdout)
        for name in ("verdict", "loss_pct", "u_pct", "U_pct", "k", "limit_pct", "sample_id"):
            assert run[name] == report[name], name
    text = shown(path, "2", "1")
    assert text.index("FAIL") < text.index("PASS"), "in the order in which they were named"


def test_the_loss_by_the_hour_is_that_of_the_seconds(path: Path) -> None:
    told = json.loads(shown(path, "1", "2", "--json"))
    assert len(told["hours"]) >= 10, "ten minutes of hold, a row each"
    with closing(sqlite3.connect(path)) as db:
        for place, run in enumerate(told["runs"]):
            for row in told["hours"]:
                loss = row["losses_pct"][place]
                at_s = run["hold_from_s"] + row["hour"] * 3600.0
                near = db.execute(
                    "select min(loss_pct), max(loss_pct) from seconds where run_id = ? and abs(elapsed_s - ?) <= 10",
                    [run["run_id"], at_s],
                ).fetchone()
                assert loss is None or near[0] - 1e-9 <= loss <= near[1] + 1e-9


def test_what_differs_is_named_and_what_is_alike_too(path: Path) -> None:
    told = json.loads(shown(path, "1", "2", "--json"))
    differing = {d["what"]: d["values"] for d in told["differences"]}
    assert {"standard", "limit", "rule"} <= set(differing)
    assert differing["limit"] == ["<= 0.5 %", "<= 0.4 %"]
    assert not set(differing) & set(told["same"])
    assert {"operator", "software", "bridge gain"} <= set(told["same"])


def test_a_run_without_result_or_hold_keeps_its_place_and_says_so(path: Path) -> None:
    text = shown(path, "1", "3")
    assert "no result" in text
    assert "was interrupted" in text
    one, other = runs_to_compare(path, ("1", "3"), lambda _: None)
    told = compare_runs((one, replace(other, curve=RecordedCurve(()), missing=())))
    assert (told.runs[1].verdict, told.runs[1].hold_from_s) == (None, None)
    assert all(row.losses_pct[1] is None for row in told.hours)
    assert "it had no hold" in compare_text(told)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_page_is_one_file_in_which_a_name_is_text(path: Path, lang: str) -> None:
    page = shown(path, "1", "2", "3", "--format", "html", "--lang", lang)
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "\u202e" not in page
    assert "style=" not in page
    assert not re.search(r"(?:src|href)=", page)
    HTMLParser().feed(page)
    drawings = re.findall(r"<svg .*?</svg>", page, re.DOTALL)
    assert len(drawings) == 1
    assert ET.fromstring(drawings[0].replace("\u00a0", " ")).get("role") == "img"
    for run in json.loads(shown(path, "1", "2", "--json"))["runs"]:
        assert f"{run['U_pct']:.3f}".rstrip("0")[:5] in page


def test_an_altered_run_is_named_and_none_of_its_numbers_is_drawn(path: Path, tmp_path: Path) -> None:
    altered = Path(shutil.copy(path, tmp_path / "b.db"))
    with closing(sqlite3.connect(altered)) as db, db:
        db.execute("update runs set loss_pct = 0.123456 where run_id = 2")
    text = shown(altered, "1", "2")
    assert "ALTERED" in text.splitlines()[2]
    assert "loss_pct is 0.123456" in text
    done = said("1", "2", "--format", "csv", "--db", str(altered))
    assert "run 2 is ALTERED" in done.stderr
    assert {row["run"] for row in csv.DictReader(io.StringIO(done.stdout))} == {"1"}
    told = json.loads(shown(altered, "1", "2", "--json"))
    assert (told["runs"][1]["verdict"], told["runs"][1]["loss_pct"]) == (None, None)
    assert "FAIL" in told["runs"][1]["says"]
    assert "已被更改" in shown(altered, "1", "2", "--format", "html", "--lang", "zh")


def test_the_csv_has_numbers_alone_from_the_begin_of_each_hold(path: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(shown(path, "1", "2", "3", "--format", "csv"))))
    assert {row["run"] for row in rows} == {"1", "2", "3"}
    assert all(re.fullmatch(r"-?[0-9.e+-]*", value) for row in rows for value in row.values())
    assert min(float(row["hold_from_s"]) for row in rows) < 0.0


@pytest.mark.parametrize(
    ("runs", "says"),
    [
        (("1",), "1 runs: name 2 to 12 of them"),
        (("1",) * 13, "13 runs: name 2 to 12 of them"),
        (("2", "2"), "run 2 is named twice"),
        (("1", "last", "3"), "run 3 is named twice"),
        (("1", "99"), "no run 99"),
    ],
)
def test_a_wrong_choice_of_runs_is_one_line(path: Path, runs: tuple[str, ...], says: str) -> None:
    done = CliRunner().invoke(cli, ["compare", *runs, "--db", str(path)])
    assert done.exit_code != 0
    assert says in str(done.exception)


@pytest.mark.parametrize("spoil", [hostile_databases.names_with_escapes, hostile_databases.values_in_columns])
def test_a_hostile_database_is_shown_safely_or_refused_in_one_line(
    path: Path, tmp_path: Path, spoil: hostile_databases.Spoil
) -> None:
    for seed in range(2):
        spoiled = Path(shutil.copy(path, tmp_path / f"{seed}.db"))
        spoil(spoiled, random.Random(seed))
        for form in ("text", "html", "csv", "json"):
            done = CliRunner().invoke(cli, ["compare", "1", "2", "3", "--format", form, "--db", str(spoiled)])
            if done.exit_code != 0:
                assert type(done.exception).__module__ == "edge.errors", done.exception
            assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", done.output)


def test_twelve_runs_differ_in_colour_or_dash_and_their_drawing_is_small() -> None:
    assert len(set(STYLES)) == 12
    columns = tuple(
        Column(30.0 * i, 30.0 * i + 29.0, i * 1e-4, i * 1e-4 + 1e-5, 120.0, 120.1, None, None, None)
        for i in range(-100, 100)
    )
    runs = [OverlaidRun(n, RecordedCurve(columns), 0.1 * n, 0.02) for n in range(1, 13)]
    drawn = str(Overlay(runs, [0.5], Words(Language.ENGLISH), "c").svg())
    assert len(drawn) < 40_000
    ET.fromstring(drawn)


def test_what_no_drawing_can_hold_is_left_out_of_it() -> None:
    curve = RecordedCurve(())
    drawn = Overlay([OverlaidRun(1, curve, None, None)], [], Words(Language.ENGLISH), "c").svg()
    ET.fromstring(str(drawn))
