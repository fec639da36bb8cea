"""A whole test on the simulated rig, through the real drivers: the verdicts, the truth, and the same bits twice."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlite_utils import Database

from edge import fold
from edge.demo import run_demo
from edge.journal import Journal, chunks_of
from edge.refold import refold
from edge.schema import open_readonly
from edge.simulated import build
from edge.standard import Standard, load_standard, loads_standard
from hw.bridge import Status

SHORT = 'id = "short"\ntitle = "A short test"\nlimit_pct = 0.5\ntemp_c = 120.0\nhold_s = 1200\n'
EXPECTED = {"solid": "PASS", "hybrid": "FAIL", "liquid": "FAIL", "borderline": "INCONCLUSIVE", "drift": "INCONCLUSIVE"}


def run(path: Path, scenario: str, bridge: str, seed: int, standard: Standard) -> dict[str, Any]:
    with Journal(path) as journal:
        rig = build(scenario, bridge, seed)
        return run_demo(rig, standard, journal, sample_id="S-1", seed=seed, show=lambda *seen: None)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def whole(folder: Path) -> Iterator[Any]:
    """Six-hour tests by the national standard, one database each, run once."""

    @cache
    def of(scenario: str) -> tuple[dict[str, Any], Path]:
        path = folder / f"{scenario}.db"
        return run(path, scenario, "nau7802", 2, load_standard("gbt-48093-1-2026")), path

    return of


@pytest.mark.parametrize("scenario", list(EXPECTED))
def test_each_scenario_gets_its_verdict_and_the_truth_is_inside_the_interval(whole: Any, scenario: str) -> None:
    result, _ = whole(scenario)
    assert result["verdict"] == EXPECTED[scenario], result["invalid_because"]
    assert abs(result["loss_pct"] - result["true_loss_pct"]) <= result["U_pct"]
    assert result["hold_s"] >= 21_600.0


@pytest.mark.parametrize("bridge", ["nau7802", "hx711"])
def test_the_same_seed_gives_the_same_seconds_bit_for_bit(tmp_path: Path, bridge: str) -> None:
    tables = []
    for name in ("a.db", "b.db"):
        result = run(tmp_path / name, "hybrid", bridge, 5, loads_standard(SHORT))
        assert result["verdict"] != "INVALID", result["invalid_because"]
        rows = sqlite3.connect(tmp_path / name)
        tables.append(rows.execute("select * from seconds order by second").fetchall())
        rows.close()
    assert len(tables[0]) > 3600
    assert repr(tables[0]) == repr(tables[1])


def test_another_seed_gives_other_codes(tmp_path: Path) -> None:
    codes = []
    for seed in (1, 2):
        path = tmp_path / f"{seed}.db"
        run(path, "solid", "nau7802", seed, loads_standard(SHORT.replace("1200", "60")))
        codes.append(next(iter(chunks_of(open_readonly(path), 1))).code[:100].tolist())
    assert codes[0] != codes[1]


def test_the_raw_codes_of_a_run_give_its_seconds_and_events_again_bit_for_bit(whole: Any) -> None:
    _, path = whole("hybrid")
    db = open_readonly(path)
    course, rows, names, events = refold(db, 1)
    stored = list(db.table("seconds").rows_where(order_by="second"))
    assert len(stored) == len(rows) > 30_000
    for ours, column in (("mass_g", "mass_g"), ("sd_g", "sd_g"), ("temp_c", "temp_c"), ("cell_temp_c", "cell_temp_c"),
                         ("hold_s", "hold_s"), ("loss_pct", "loss_pct"), ("drift_g_per_h", "drift_g_per_h"),
                         ("zero_code", "zero_code"), ("t_s", "elapsed_s")):  # fmt: skip
        kept = np.array([np.nan if r[column] is None else r[column] for r in stored])
        assert kept.tobytes() == np.where(np.isnan(rows[ours]), np.nan, rows[ours]).tobytes(), column
    assert [r["phase"] for r in stored] == names
    logged = [(r["second"], r["kind"], json.loads(r["data_json"])) for r in db.table("events").rows_where()]
    assert logged == [(e.seq, e.kind, json.loads(json.dumps(e.data))) for e in events]
    assert course.phases.invalid_because == ""


def test_a_run_folded_frame_by_frame_and_in_whole_chunks_has_the_same_bits(whole: Any) -> None:
    _, path = whole("solid")
    db = open_readonly(path)
    course, _, _, _ = refold(db, 1)  # chunks of minutes; the station fed it second by second
    last = course.state.tobytes()
    stored = db.execute("select mass_g from seconds order by second desc limit 1").fetchone()[0]
    assert np.float64(stored).tobytes() == np.float64(course.state["last_g"][0]).tobytes()
    assert len(last) == fold.STATE.itemsize


def test_every_second_of_the_hold_has_its_raw_samples(whole: Any) -> None:
    _, path = whole("solid")
    db = open_readonly(path)
    frames = list(chunks_of(db, 1))
    seqs = np.concatenate([f.seq for f in frames])
    assert seqs.tolist() == list(range(len(seqs)))
    status = np.concatenate([f.status for f in frames])
    assert np.mean(status == Status.OK) > 0.999


def test_a_demo_by_the_command_shows_phases_verdict_and_where_the_data_lies(tmp_path: Path) -> None:
    (tmp_path / "short.toml").write_text(SHORT, encoding="utf-8")
    command = [sys.executable, "-m", "edge", "demo", "--standard", "short.toml", "--out", "kept"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert re.search(r"^PASS: loss 0\.\d+ % ± 0\.\d+ %", done.stdout, re.MULTILINE)
    assert "kept/halfpercent.db" in done.stdout
    for phase in ("tare -> load", "load -> m1", "m1 -> pump", "ramp -> hold", "hold -> cool", "m2 -> done"):
        assert phase in done.stderr
    listed = subprocess.run(
        [sys.executable, "-m", "edge", "runs", "--json"],
        cwd=tmp_path,
        env=os.environ | {"HALFPERCENT_DB": "kept/halfpercent.db"},
        capture_output=True,
        text=True,
        check=True,
    )
    (only,) = json.loads(listed.stdout)["runs"]
    assert only["verdict"] == "PASS"


def test_two_demos_in_one_database_are_two_runs(tmp_path: Path) -> None:
    path = tmp_path / "two.db"
    for scenario in ("solid", "liquid"):
        run(path, scenario, "nau7802", 1, loads_standard(SHORT.replace("1200", "60")))
    db: Database = open_readonly(path)
    assert [r["run_id"] for r in db.table("runs").rows] == [1, 2]
    assert len(list(chunks_of(db, 2))) > 0
