"""A run as whoever looks sees it, cut where it stood: the curve without the air's step, and what is planned."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path

import pytest
from short_demo import Demo
from sqlite_utils import Database
from written_run import begin

from edge.database.journal import Journal
from edge.database.reading import open_readonly
from edge.database.so_far import AlarmOver, alarms_over
from edge.records.event import AlarmAcknowledged, AlarmClosed, AlarmOpened, Event
from edge.records.phase import Phase
from edge.trends.forecast_live import Outlook
from edge.trends.run_so_far import RunSoFar, run_so_far


def cut(demo: Demo, path: Path, at_s: float) -> RunSoFar:
    """Get the demo's run as it stood at a time."""
    shutil.copy(demo.path, path)
    with closing(Database(path)) as db:
        db.execute("delete from seconds where elapsed_s > ?", [at_s])
        db.execute("delete from events where elapsed_s > ?", [at_s])
        db.execute("update runs set state = 'running', verdict = null")
        db.conn.commit()
    with closing(open_readonly(path)) as db:
        return run_so_far(db, 1)


def entered(demo: Demo) -> dict[Phase, float]:
    with closing(open_readonly(demo.path)) as db:
        return run_so_far(db, 1).course.entered_s


def test_in_the_hold_the_loss_has_no_air_in_it_and_the_end_is_planned(short_demo: Demo, tmp_path: Path) -> None:
    hold_s, end_s = (entered(short_demo)[p] for p in (Phase.HOLD, Phase.COOL))
    seen = cut(short_demo, tmp_path / "cut.db", hold_s + 300.0)
    assert seen.running
    assert seen.course.phase is Phase.HOLD
    assert seen.planned.hold_end_s == pytest.approx(end_s, abs=5.0)
    assert seen.air is not None
    assert seen.curve.air is not None
    assert 0.04 < seen.curve.air.at(hold_s) < 0.06
    assert seen.loss_pct is not None
    assert seen.expanded_pct is not None
    assert seen.outlook is Outlook.TOO_EARLY
    assert [p.phase for p in seen.curve.planned] == [Phase.HOLD, Phase.COOL, Phase.M2]


def test_alarms_that_are_over_say_when_who_knew_and_how_soon(tmp_path: Path) -> None:
    told = (
        (10, AlarmOpened("gap", "x"), ""), (12, AlarmClosed("gap", "x"), ""), (20, AlarmOpened("gauge", "y"), ""),
        (25, AlarmAcknowledged("gauge", "y"), "Bo"), (50, AlarmAcknowledged("gap", "x"), "Ada"),
        (60, AlarmOpened("gap", "x"), ""), (70, AlarmAcknowledged("storage", "of before the run"), "Bo"),
    )  # fmt: skip
    with Journal(tmp_path / "h.db") as journal:
        run = begin(journal)
        for at_s, what, who in told:
            run.log_event(Event(at_s, float(at_s), what), who, 1.75e9)
        over = alarms_over(journal.db, 1)
    assert over == (AlarmOver("gap", 10.0, 12.0, "Ada", 40.0),)  # the others stand still


def test_the_u_that_is_expected_is_about_the_verdicts(short_demo: Demo) -> None:
    with closing(open_readonly(short_demo.path)) as db:
        seen = run_so_far(db, 1)
    assert seen.expanded_pct == pytest.approx(short_demo.result["U_pct"], rel=0.2)


def test_where_the_air_has_come_back_nothing_is_added_any_more(short_demo: Demo) -> None:
    with closing(open_readonly(short_demo.path)) as db:
        seen = run_so_far(db, 1)
    assert not seen.running
    assert seen.curve.air is not None
    assert seen.curve.air.at(seen.course.entered_s[Phase.M2] + 700.0) == 0.0
    assert seen.curve.air.at(seen.course.entered_s[Phase.COOL]) > 0.04
    last = seen.curve.recorded.columns[-1].loss_pct
    assert last == pytest.approx(short_demo.result["loss_pct"], abs=short_demo.result["U_pct"])


def test_while_the_pump_runs_no_step_is_known(short_demo: Demo, tmp_path: Path) -> None:
    ramp_s = entered(short_demo)[Phase.RAMP]
    seen = cut(short_demo, tmp_path / "cut.db", ramp_s - 10.0)
    assert seen.air is None
    assert seen.curve.air is None
    assert seen.loss_pct is None
    assert seen.planned.result_s is not None


def test_of_one_second_there_is_nothing_to_say_and_it_says_so(short_demo: Demo, tmp_path: Path) -> None:
    seen = cut(short_demo, tmp_path / "cut.db", 1.0)
    assert seen.course.phase is Phase.TARE
    assert seen.planned.result_s is None
    assert seen.forecast is None
    assert seen.expanded_pct is None
