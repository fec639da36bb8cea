"""A rig's figures: Prometheus's own parser takes them, what is unknown is left out, and the dashboard asks for them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text
from repository import ROOT
from short_demo import Demo

from edge.cli.main import cli
from edge.errors import BadInput
from edge.records.status import AlarmStatus, LastRun, ReadingsStatus, RunStatus, StationStatus, StorageStatus
from edge.report.openmetrics import names, openmetrics_text, prometheus_text
from edge.station.alarm_rules import Alarm

ALARMS = tuple(map(str, Alarm))
STATUS = StationStatus(
    state="running",
    run=RunStatus(run_id=3, phase="hold", mass_g=196.354, hold_s=3600.0, hold_required_s=21600.0, loss_pct=0.21),
    alarms=(AlarmStatus(alarm="storage", closed=False, acknowledged=False), AlarmStatus(alarm="gauge", closed=True)),
    interlock="closed",
    readings=ReadingsStatus(code=1_234_567, temp_c=120.1),
    storage=StorageStatus(free_bytes=10**9, pending_s=2.0),
    last_run=LastRun(verdict="PASS"),
)


def values(text: str, parse: object) -> dict[tuple[str, tuple[str, ...]], float]:
    families = parse(text)  # type: ignore[operator]
    return {(s.name, tuple(s.labels.values())): s.value for f in families for s in f.samples}


@pytest.mark.parametrize(("make", "parse"), [(openmetrics_text, parse_openmetrics), (prometheus_text, parse_text)])
def test_prometheus_s_own_parser_takes_them(short_demo: Demo, make: object, parse: object) -> None:
    found = values(make(STATUS, short_demo.path, ALARMS).decode(), parse)  # type: ignore[operator]
    assert found["halfpercent_station_up", ()] == 1.0
    assert found["halfpercent_oven_temperature_celsius", ()] == 120.1
    assert found["halfpercent_load_cell_code", ()] == 1_234_567
    assert found["halfpercent_loss_percent", ()] == 0.21
    assert found["halfpercent_alarm", ("storage",)] == 1.0
    assert found["halfpercent_alarm", ("gauge",)] == 0.0
    assert found["halfpercent_phase", ("hold",)] == 1.0
    assert found["halfpercent_last_verdict", ("PASS",)] == 1.0
    assert found["halfpercent_samples", ("ok",)] > 5
    assert found["halfpercent_database_size_bytes", ()] == short_demo.path.stat().st_size
    assert ("halfpercent_pressure_pascals", ()) not in found  # nobody measures it, and that is not 0 Pa


def test_without_a_station_or_a_database_only_that_is_said(tmp_path: Path) -> None:
    found = values(openmetrics_text(None, tmp_path / "none.db", ALARMS).decode(), parse_openmetrics)
    assert found["halfpercent_station_up", ()] == 0.0
    assert found["halfpercent_database_readable", ()] == 0.0
    assert not {name for name, _ in found} & {"halfpercent_mass_grams", "halfpercent_alarm", "halfpercent_noise_grams"}


def test_the_command_prints_them_and_writes_a_text_file_whole(short_demo: Demo, tmp_path: Path) -> None:
    where = ["--socket", str(tmp_path / "no.sock"), "--db", str(short_demo.path)]
    printed = CliRunner().invoke(cli, ["metrics", *where])
    assert printed.exit_code == 0
    assert printed.output.endswith("# EOF\n")
    file = tmp_path / "halfpercent.prom"
    assert CliRunner().invoke(cli, ["metrics", *where, "--textfile", str(file)]).exit_code == 0
    assert values(file.read_text(), parse_text)["halfpercent_station_up", ()] == 0.0
    refused = CliRunner().invoke(cli, ["metrics", *where, "--textfile", str(tmp_path / "none" / "a.prom")])
    assert isinstance(refused.exception, BadInput)


def test_the_dashboard_asks_only_for_what_there_is(short_demo: Demo) -> None:
    dashboard = json.loads((ROOT / "docs" / "grafana-dashboard.json").read_text(encoding="utf-8"))
    asked = {m for p in dashboard["panels"] for t in p["targets"] for m in re.findall(r"halfpercent_\w+", t["expr"])}
    there = {f.name for f in parse_openmetrics(openmetrics_text(STATUS, short_demo.path, ALARMS).decode())}
    of_a_pi = {"halfpercent_processor_temperature_celsius", "halfpercent_under_voltage"}
    assert asked <= there | names(ALARMS) | of_a_pi
    assert len(asked) >= 15
    ids = [p["id"] for p in dashboard["panels"]]
    assert len(ids) == len(set(ids))
