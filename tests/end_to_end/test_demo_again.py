"""The demo twice: the same seed gives the same bits, another seed others; and what the command shows."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from short_demo import SHORT, SHORTER, Demo, run
from sqlite_utils import Database

from edge.database.reading import open_readonly
from edge.database.stored_frames import stored_frames
from edge.records.frame import join
from edge.simulate.instrument import build
from edge.standards.standard import loads_standard
from hw.clock import NS_PER_S


def seconds(path: Path, run_id: int = 1) -> list[Any]:
    rows = sqlite3.connect(path)
    found = rows.execute("select * from seconds where run_id = ? order by second", [run_id]).fetchall()
    rows.close()
    return [row[1:] for row in found]


def test_the_same_seed_gives_the_same_seconds_on_the_other_bridge_too_and_in_a_database_with_another_run(
    tmp_path: Path, short_demo: Demo
) -> None:
    shutil.copy(short_demo.path, tmp_path / "b.db")
    for name in ("a.db", "b.db"):
        result = run(tmp_path / name, "hybrid", "hx711", 5, loads_standard(SHORT.replace("1200", "60")))
        assert result["verdict"] != "INVALID", result["invalid_because"]
    one, two = seconds(tmp_path / "a.db"), seconds(tmp_path / "b.db", 2)
    assert len(one) > 3600
    assert repr(one) == repr(two)
    db: Database = open_readonly(tmp_path / "b.db")
    assert [r["run_id"] for r in db.table("runs").rows] == [1, 2]
    assert len(list(stored_frames(db, 2))) > 0
    assert seconds(tmp_path / "b.db", 1) == seconds(short_demo.path)


@pytest.mark.parametrize("bridge", ["nau7802", "hx711"])
def test_another_seed_gives_other_codes(bridge: str) -> None:
    codes = []
    for seed in (1, 2, 1):
        simulated = build("solid", bridge, seed)
        simulated.instrument.open()
        begin_ns = simulated.clock.now_ns()
        frames = [simulated.instrument.frame(i, begin_ns + i * NS_PER_S) for i in range(10)]
        simulated.instrument.close()
        codes.append(join(frames).code.tolist())
    assert codes[0] == codes[2] != codes[1]


def test_a_demo_by_the_command_has_the_same_bits_and_shows_phases_verdict_and_where_the_data_lies(
    tmp_path: Path, short_demo: Demo
) -> None:
    (tmp_path / "short.toml").write_text(SHORTER, encoding="utf-8")
    command = [sys.executable, "-m", "edge", "demo", "--seed", "3", "--standard", "short.toml", "--out", "kept"]
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
    one, two = seconds(short_demo.path), seconds(tmp_path / "kept" / "halfpercent.db")
    assert len(one) > 3600
    assert repr(one) == repr(two)
