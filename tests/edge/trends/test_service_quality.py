"""How well a rig served: outages, maintenance, faults and alarms of made-up months, counted by hand."""

from __future__ import annotations

import datetime
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from short_demo import Demo

from edge.cli.main import cli
from edge.database.station_log import LoggedEvent, StationLog, station_log
from edge.records.event import EventKind
from edge.trends.service_quality import ServiceQuality, service_quality

ZERO = datetime.datetime(2026, 9, 1, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)
MONTH = (ZERO, ZERO + 720 * HOUR)


def at(hours: float) -> datetime.datetime:
    return ZERO + hours * HOUR


def event(hours: float, kind: EventKind, alarm: str = "", span: tuple[float, float] | None = None) -> LoggedEvent:
    begin, end = (None, None) if span is None else (at(span[0]), at(span[1]))
    return LoggedEvent(at=at(hours), kind=kind, alarm=alarm, from_utc=begin, until_utc=end)


def figures(*events: LoggedEvent, alive: tuple[float, ...] = ()) -> ServiceQuality:
    told = sorted([event(0.0, EventKind.STARTED), *events], key=lambda e: e.at)
    seen = sorted([*(e.at for e in told), *map(at, alive)])
    return service_quality("R1", StationLog(tuple(told), tuple(seen), 0, True), (), MONTH)


def test_a_rig_that_ran_all_month_was_there_all_month() -> None:
    found = figures()
    assert (found.availability_pct, found.outage_s, found.faults) == (100.0, 0.0, 0)
    assert (found.mean_time_between_faults_s, found.alarms, found.closure_rate) == (None, 0, None)


def test_a_stop_counts_until_the_next_start_and_a_cut_from_the_last_sign_of_life() -> None:
    stop = (event(100.0, EventKind.STOPPED), event(107.2, EventKind.STARTED))
    found = figures(*stop)
    assert found.availability_pct == pytest.approx(99.0)  # 7.2 h of 720 h
    assert not found.outage_at_most
    cut = figures(event(207.2, EventKind.STARTED), alive=(150.0, 200.0))
    assert cut.outage_s == pytest.approx(7.2 * 3600)
    assert cut.outage_at_most
    assert cut.faults == 1
    assert cut.mean_time_between_faults_s == pytest.approx(712.8 * 3600)


def test_an_alarm_under_which_nothing_can_be_tested_is_an_outage_and_overlaps_count_once() -> None:
    found = figures(
        event(10.0, EventKind.ALARM_OPENED, "load cell"),
        event(11.0, EventKind.ALARM_OPENED, "oven probe"),
        event(11.5, EventKind.ALARM_ACKNOWLEDGED, "load cell"),
        event(12.0, EventKind.ALARM_CLOSED, "load cell"),
        event(14.0, EventKind.ALARM_CLOSED, "oven probe"),
        event(20.0, EventKind.ALARM_OPENED, "gauge"),
        event(30.0, EventKind.ALARM_OPENED, "oven probe"),
        event(31.0, EventKind.ALARM_CLOSED, "oven probe"),
    )
    assert found.outage_s == pytest.approx((4.0 + 1.0) * 3600)
    assert (found.alarms, found.faults) == (4, 3)
    assert found.acknowledge_median_s == pytest.approx(1.5 * 3600)
    assert found.closure_rate == pytest.approx(3 / 4)
    assert found.recurrence_share == pytest.approx(1 / 4)  # the oven probe's, after 19 h


def test_maintenance_is_taken_out_from_its_declaration_on_and_no_sooner() -> None:
    stop = (event(100.0, EventKind.STOPPED), event(110.0, EventKind.STARTED))
    before = figures(event(90.0, EventKind.MAINTENANCE, span=(99.0, 106.0)), *stop)
    assert before.excluded_s == pytest.approx(6.0 * 3600)
    assert before.availability_pct == pytest.approx(100.0 * (720 - 4) / 720)
    late = figures(event(104.0, EventKind.MAINTENANCE, span=(99.0, 106.0)), *stop)
    assert late.excluded_s == pytest.approx(2.0 * 3600)
    over = figures(event(107.0, EventKind.MAINTENANCE, span=(99.0, 106.0)), *stop)
    assert over.excluded_s == 0.0


HOURS = st.integers(0, 720)


@given(st.lists(HOURS, unique=True, max_size=24), st.lists(st.tuples(HOURS, HOURS), max_size=12))
def test_what_is_excluded_is_every_hour_that_is_both(turns: list[int], declared: list[tuple[int, int]]) -> None:
    turns = sorted(turns)[: len(turns) // 2 * 2]
    stops = list(zip(turns[::2], turns[1::2], strict=True))
    events = [event(a, EventKind.STOPPED) for a, _ in stops] + [event(b, EventKind.STARTED) for _, b in stops]
    found = figures(*events, *(event(0.0, EventKind.MAINTENANCE, span=span) for span in declared))
    out = {h for a, b in stops for h in range(a, b)}
    assert found.outage_s == pytest.approx(3600.0 * len(out))
    assert found.excluded_s == pytest.approx(3600.0 * len(out & {h for a, b in declared for h in range(a, b)}))


def test_a_log_of_a_hundred_thousand_restarts_and_maintenances_is_looked_at_once() -> None:
    """An enemy's log: held each against each it took minutes, and nobody would wait for this test."""
    n = 100_000
    hours = [600.0 * i / n for i in range(n)]
    found = figures(
        *(event(h, EventKind.STARTED) for h in hours),
        *(event(0.0, EventKind.MAINTENANCE, span=(h, h + 0.003)) for h in hours),
    )
    assert found.faults == n - 1  # the first is at the same moment as the start that all have
    assert found.excluded_s == pytest.approx(found.outage_s / 2, rel=1e-3)


def test_a_rig_whose_station_never_ran_has_no_availability(short_demo: Demo) -> None:
    found = service_quality("R1", StationLog((), (), 0, False), (), MONTH)
    assert (found.availability_pct, found.tests) == (None, 0)
    done = CliRunner().invoke(cli, ["service-report", str(short_demo.path), "--days", "3660"])
    assert "available         not known" in done.output
    assert "valid tests       1 of 1" in done.output


KINDS = st.sampled_from([EventKind.STARTED, EventKind.STOPPED, EventKind.ALARM_OPENED, EventKind.ALARM_CLOSED])


@given(st.lists(st.tuples(st.floats(0.0, 720.0), KINDS, st.sampled_from(["load cell", "gauge"])), max_size=30))
def test_whatever_happened_the_figures_are_possible(events: list[tuple[float, EventKind, str]]) -> None:
    found = figures(*(event(h, kind, alarm if "alarm" in kind else "") for h, kind, alarm in events))
    assert found.availability_pct is not None
    assert 0.0 <= found.availability_pct <= 100.0
    assert 0.0 <= found.excluded_s <= found.outage_s <= 720 * 3600 + 1e-6
    assert found.closure_rate is None or 0.0 <= found.closure_rate <= 1.0
    assert found.recurrence_share is None or 0.0 <= found.recurrence_share <= 1.0


def test_a_log_is_read_in_order_of_time_and_bad_rows_are_counted(short_demo: Demo, tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    path.write_bytes(short_demo.path.read_bytes())
    rows = (
        (7, "started", '{"devices": {}}', "2026-09-01T00:00:00+00:00"),
        (8, "alarm_opened", '{"alarm": "gauge", "why": "x"}', "2026-09-02T00:00:00+00:00"),
        (9, "maintenance", '{"from_utc": 7}', "2026-09-03T00:00:00+00:00"),
        (10, "stopped", "{", "2026-09-04T00:00:00+00:00"),
    )
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        for number, kind, data, wall in rows:
            db.execute(
                "insert into station_events (event, kind, data_json, wall_utc) values (?, ?, ?, ?)",
                (number, kind, data, wall),
            )
    log = station_log(path)
    assert [e.kind for e in log.events] == [EventKind.STARTED, EventKind.ALARM_OPENED]
    assert (log.damaged, log.runs_now) == (2, False)
    assert list(log.alive) == sorted(log.alive)
    csv = CliRunner().invoke(cli, ["service-report", str(path), "--format", "csv", "--days", "3660"]).output
    assert csv.startswith("rig,from_utc,until_utc,availability_pct,")
    assert csv.count("\n") == 2


def test_the_table_for_a_browser_has_a_row_a_rig_and_a_path_is_no_tag(short_demo: Demo, tmp_path: Path) -> None:
    evil = tmp_path / "<b>x&.db"
    evil.write_bytes(short_demo.path.read_bytes())
    words = ["service-report", str(short_demo.path), str(evil), "--days", "3660", "--format", "html"]
    html = CliRunner().invoke(cli, words).output
    parser = pytest.importorskip("tinyhtml5.parser", reason="WeasyPrint's parser (extra pdf) is not installed")
    made = parser.HTMLParser(namespace_html_elements=False)
    document = made.parse(html)
    assert made.errors == []
    rows = list(document.iter("tr"))
    assert len(rows) == 3
    assert "".join(rows[2][0].itertext()) == str(evil)
    assert {len(row) for row in rows} == {10}
    assert "1 of 1" in "".join(rows[1].itertext())
    assert "default-src" in html
    assert "<script" not in html
