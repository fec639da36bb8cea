"""``trends``: a rig's charts, the next calibration and tonight's odds, in words and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner
from short_demo import Demo

from edge.cli.main import cli
from edge.errors import BadDatabase


def test_trends_say_what_is_charted_and_what_is_due(short_demo: Demo) -> None:
    done = CliRunner().invoke(cli, ["trends", "--db", str(short_demo.path)])
    assert done.exit_code == 0
    assert done.output.startswith("1 finished runs, certificate simulated-nau7802-")
    assert "code of the empty holder: fewer than 5 values, nothing can be said" in done.output
    assert "Next calibration: " in done.output
    assert "Tonight: 1 tests so far are too few" in done.output
    told = json.loads(CliRunner().invoke(cli, ["trends", "--json", "--db", str(short_demo.path)]).output)
    assert told["calibration_due"]["rule"].startswith("ILAC-G24 method 1")
    assert {t["quantity"] for t in told["trends"]} >= {"noise_g", "rate_sps", "U_pct"}
    assert 0.0 < told["tonight"]["p_invalid"] < 1.0


def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    done = CliRunner().invoke(cli, ["trends", "--db", str(tmp_path / "none.db")])
    assert isinstance(done.exception, BadDatabase)
