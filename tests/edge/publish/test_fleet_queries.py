"""The queries of docs/fleet.md, run by DuckDB over a thousand made-up results: they find what was put there."""

from __future__ import annotations

import datetime
import json
import random
import re
from pathlib import Path

import msgspec
import pytest
from repository import ROOT
from short_demo import Demo

from edge.publish.message import ResultMessage

SQL = re.findall(r"```sql\n(.*?)```", (ROOT / "docs" / "fleet.md").read_text(encoding="utf-8"), re.DOTALL)
FIRST = datetime.datetime(2026, 1, 5, 20, tzinfo=datetime.UTC)
DRIFTS = {"rig-007": 3.0, "rig-031": -5.0}
"""Of these rigs the zero drifts by so many mg a week."""


@pytest.fixture
def results(short_demo: Demo, tmp_path: Path) -> Path:
    random_ = random.Random(4)
    lines = []
    for number in range(1000):
        rig, week = f"rig-{number % 50:03}", number // 50
        moved_g = (DRIFTS.get(rig, 0.0) * week + random_.gauss(0.0, 2.0)) * 1e-3
        told = {
            "moved_g": moved_g,
            "expected_u_g": 0.01,
            "gained_between_m1_and_m2_g": 0.0,
            "u_g": 0.001,
            "weight": 1.0,
        }
        message = ResultMessage(
            rig=rig,
            run_uid=f"u{number}",
            run_id=week + 1,
            sample_id="CELL-7" if number % 100 == 0 else "other",
            kind="test",
            state="done",
            started_utc=(FIRST + week * datetime.timedelta(weeks=1)).isoformat(),
            certificate_sha256="ab" * 32,
            result=short_demo.result | {"zeros": told},
        )
        lines.append(msgspec.json.encode(message).decode())
    lines += random_.sample(lines, 100)  # what was sent twice
    amended = json.loads(lines[0]) | {"sequence": 1, "result": short_demo.result | {"verdict": "FAIL"}}
    lines.insert(0, json.dumps(amended))
    lines.append(json.dumps(json.loads(lines[1]) | {"run_uid": "cut", "result": None, "state": "interrupted"}))
    folder = tmp_path / "results"
    folder.mkdir()
    (folder / "all.jsonl").write_text("\n".join(lines) + "\n")
    return tmp_path


def test_the_queries_of_the_document_find_what_was_put_there(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    duckdb = pytest.importorskip("duckdb")
    monkeypatch.chdir(results)
    duckdb.sql(SQL[0])
    verdicts, drifting = (duckdb.sql(query).fetchall() for query in SQL[1:])
    assert len(verdicts) == 10
    assert [row[3] for row in verdicts if row[1] == 1 and row[3] == "FAIL"] == ["FAIL"]  # the amended one alone
    assert {row[0] for row in verdicts} == {"rig-000"}
    assert [row[2] for row in verdicts] == sorted((row[2] for row in verdicts), reverse=True)
    assert {row[0]: pytest.approx(row[2], rel=0.15) for row in drifting} == DRIFTS
