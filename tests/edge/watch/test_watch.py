"""The terminal's view: as wide as the terminal, plain without colour, and nothing that drives it comes through."""

from __future__ import annotations

import io
import os
import pty
import select
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console
from short_demo import Demo

from edge.database.reading import open_readonly
from edge.records.curve import Column, CurveTerms, ForecastAt, LiveCurve, PressureKnown, RecordedCurve
from edge.records.status import StationStatus
from edge.report.language import Language, Words
from edge.trends.run_so_far import RunSoFar, run_so_far
from edge.watch import loop
from edge.watch.block_curve import LABEL, block_curve
from edge.watch.frame import Seen, frame

TERMS = CurveTerms(0.5, 120.0, 2.0, 21_600.0, PressureKnown.DECLARED)
STATUS: dict[str, Any] = {
    "state": "running",
    "run": {
        "run_id": 1, "sample_id": "QT-7 \x1b[2J\u202e" + "固" * 60, "phase": "hold", "hold_s": 3600.0,
        "hold_required_s": 21_600.0, "mass_g": 197.1, "loss_pct": 0.2, "loss_as_weighed_pct": 0.15, "air": "air gone",
    },
    "alarms": [{"alarm": "gauge", "why": "no answer: check its plug", "closed": False, "acknowledged": False}],
    "interlock": "open", "readings": {"temp_c": 120.0}, "simulated": True,
}  # fmt: skip


def drawn(width: int, seen: Seen, language: Language = Language.ENGLISH, *, colour: bool = False) -> str:
    console = Console(width=width, file=io.StringIO(), record=True, force_terminal=colour)
    console.print(frame(seen, Words(language), width))
    return console.export_text(styles=colour)


@pytest.fixture(scope="module")
def run(short_demo: Demo) -> RunSoFar:
    with closing(open_readonly(short_demo.path)) as db:
        return run_so_far(db, 1)


def seen(run: RunSoFar | None, *, heard: bool = True) -> Seen:
    return Seen(1000.0, msgspec.convert(STATUS, StationStatus), run, None, 1000.0 if heard else 988.0)


@pytest.mark.parametrize("width", [40, 80, 132])
@pytest.mark.parametrize("language", list(Language))
def test_no_line_is_wider_than_the_terminal_and_nothing_in_it_drives_one(
    run: RunSoFar, width: int, language: Language
) -> None:
    text = drawn(width, seen(run), language)
    assert max(map(cell_len, text.splitlines())) <= width
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "1\u00a0h / 6\u00a0h" in text
    assert "▲" in text


def test_what_is_said_in_colour_is_said_without(run: RunSoFar) -> None:
    assert "\x1b[" in drawn(80, seen(run), colour=True)
    plain = drawn(80, seen(run))
    for word in ("Holding. 1\u00a0h of 6\u00a0h.", "Gauge, since", "Interlock: open", "0.200 %", "0.150 %"):
        assert word in plain


def test_old_is_said_first() -> None:
    text = drawn(80, seen(None, heard=False))
    assert text.index("No data for 12\u00a0s.") < text.index("Holding")
    assert "Lost" in text.splitlines()[0]


def curve(losses: list[float | None], forecast: tuple[ForecastAt, ...] = ()) -> LiveCurve:
    columns = tuple(Column(60.0 * i, 60.0 * i + 59.0, v, v, None, None, None, None, None) for i, v in enumerate(losses))
    return LiveCurve(RecordedCurve(columns), TERMS, forecast=forecast)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.none() | st.floats(-0.2, 6.0), max_size=200), st.integers(14, 120), st.integers(3, 20))
def test_a_curve_is_as_large_as_it_is_told(losses: list[float | None], width: int, height: int) -> None:
    rows = block_curve(curve(losses), width, height)
    assert len(rows) in (0, height)
    assert all(len(r.label) == LABEL and len(r.label + r.cells) <= width for r in rows)


def test_a_curve_rises_to_its_value_with_the_limit_above_and_dots_ahead() -> None:
    ahead = (ForecastAt(119 * 60.0, 0.28, 0.3, 0.32),)
    rows = block_curve(curve([0.3] * 60, ahead), 46, 6)
    assert [r.label.strip() for r in rows] == ["0.60", "0.5", "", "", "", "0"]
    assert rows[1].cells == "─" * 40  # the limit's own row, above the loss
    assert rows[3].cells.startswith("█" * 19)
    assert rows[2].cells.strip() == ""
    assert rows[3].cells.endswith("·")


def test_where_nothing_was_seen_there_is_nothing() -> None:
    row = block_curve(curve([0.5] * 20 + [None] * 20 + [0.5] * 20), 66, 6)[-1]
    assert " " * 15 in row.cells.strip()


def test_another_database_s_run_of_the_same_number_is_not_shown_as_the_station_s(run: RunSoFar) -> None:
    told = msgspec.convert(STATUS, StationStatus)
    assert told.run is not None
    for uid, there in ((run.head.run_uid, run), ("another", None), (None, run)):
        measured = msgspec.structs.replace(told, run=msgspec.structs.replace(told.run, run_uid=uid))
        assert Seen(1000.0, measured, run, None, 1000.0).run is there


def test_it_reads_the_database_that_the_station_writes_unless_told_another(
    short_demo: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = msgspec.convert(STATUS | {"storage": {"database": str(short_demo.path)}, "run": None}, StationStatus)
    monkeypatch.setattr(loop, "ask_status", lambda *_, **__: told)
    own = tmp_path / "none.db"
    assert loop.Watcher(None, tmp_path / "s", own).look().run is not None
    assert loop.Watcher(own, tmp_path / "s", own).look().run is None
    told = msgspec.convert(STATUS | {"storage": {"database": str(tmp_path / "gone.db")}}, StationStatus)
    assert loop.Watcher(None, tmp_path / "s", short_demo.path).look().stored is not None


def test_one_frame_is_printed_without_a_station(short_demo: Demo, tmp_path: Path) -> None:
    words = ("watch", "--once", "--db", str(short_demo.path), "--socket", str(tmp_path / "none.sock"))
    done = subprocess.run(
        [sys.executable, "-m", "edge", *words],
        env=os.environ | {"COLUMNS": "40", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "The station does not answer." in done.stdout
    assert max(map(cell_len, done.stdout.splitlines())) <= 40


def test_q_ends_it_and_leaves_the_terminal_as_it_was(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    words = ("watch", "--db", str(tmp_path / "none.db"), "--socket", str(tmp_path / "none.sock"))
    child = subprocess.Popen([sys.executable, "-m", "edge", *words], stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    came, until = b"", time.monotonic() + 30.0
    while b"station" not in came and time.monotonic() < until:
        if select.select([ours], [], [], 0.2)[0]:
            came += os.read(ours, 65_536)
    os.write(ours, b"q")
    try:
        while child.poll() is None and time.monotonic() < until:
            if select.select([ours], [], [], 0.1)[0]:
                came += os.read(ours, 65_536)
    except OSError:  # the other end is closed
        pass
    assert child.wait(10.0) == 0
    os.close(ours)
    assert b"\x1b[?1049l" in came  # back from the other screen
