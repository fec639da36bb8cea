"""The demo twice: the same seed gives the same bits, another seed others; and what the command shows."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from short_demo import SHORT, run
from sqlite_utils import Database

from edge.database.reading import open_readonly
from edge.database.stored_frames import stored_frames
from edge.standards.standard import loads_standard


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
        codes.append(next(iter(stored_frames(open_readonly(path), 1))).code[:100].tolist())
    assert codes[0] != codes[1]


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
    assert len(list(stored_frames(db, 2))) > 0
