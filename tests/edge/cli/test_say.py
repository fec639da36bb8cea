"""The door to the terminal: nothing goes out beside it, and what somebody else wrote comes through shown."""

from __future__ import annotations

import ast
import json
import logging
import unicodedata
from pathlib import Path

import click
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from repository import ROOT
from written_run import NOT_JUDGED

from edge.cli.say import log_here, say, say_json
from edge.errors import BadDatabase
from edge.records.command import OperatorWord
from edge.records.event import CommandRefused, Event, PhaseChanged
from edge.records.phase import Phase
from edge.records.result import ClaimTold, HappenedKind, HappenedTold, Result, as_json
from edge.records.status import AlarmStatus, RunStatus, StationStatus, StorageStatus
from edge.report.status_text import status_text
from edge.report.text import event_line, text

FOREIGN = st.text(
    alphabet="\x00\x07\x1b[]mn\n\r\t\x7f\x9b\u200b\u200e\u202e\u2028\u2066\ufeff界", min_size=1, max_size=20
)
DOOR = ("edge/cli/say.py", "edge/cli/exit_status.py")
"""``exit_status`` shows the one line of an error, by the same function."""
REDRAWN = ("edge/report/progress.py", "edge/watch/loop.py")
"""They redraw a frame in place, and have made each text of it visible (tests/edge/watch)."""


def test_nothing_goes_to_the_terminal_beside_the_door() -> None:
    beside = []
    for path in sorted((ROOT / "edge").rglob("*.py")):
        where = str(path.relative_to(ROOT))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            name = node.func if isinstance(node, ast.Call) else None
            called = name.attr if isinstance(name, ast.Attribute) else name.id if isinstance(name, ast.Name) else ""
            if called in ("echo", "secho", "print", "basicConfig", "StreamHandler") and where not in DOOR:
                beside.append(f"{where}:{node.lineno}")
    assert [place for place in beside if not place.startswith(REDRAWN)] == []


def shown_as_it_should(out: str, lines: int) -> None:
    assert not [c for c in out if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp") and c != "\n"]
    assert len(out.splitlines()) == lines


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(foreign=FOREIGN)
def test_a_report_has_as_many_lines_whatever_its_names_hold(foreign: str) -> None:
    def lines(name: str) -> str:
        return text(_with(name))

    shown_as_it_should(lines(foreign), len(lines("x").splitlines()))


def _with(name: str) -> Result:
    return msgspec.structs.replace(
        NOT_JUDGED,
        sample_id=name,
        invalid_because=name,
        claim=ClaimTold(name=name, answer=name),
        warnings=(name,),
        would_decide=(name,),
        happened=(HappenedTold(what=HappenedKind.JUMP, from_s=0.0, to_s=1.0, why=name),),
    )


@given(foreign=FOREIGN)
def test_status_and_what_happened_have_as_many_lines_whatever_was_answered(foreign: str) -> None:
    def lines(name: str) -> str:
        alarm = AlarmStatus(alarm=name, why=name, opened_utc=name)
        run = RunStatus(sample_id=name, operator=name, phase=name, asked=name, refused=name)
        storage = StorageStatus(database=name, error=name)
        return status_text(StationStatus(run=run, alarms=(alarm,), storage=storage, interlock=name, software=name))

    shown_as_it_should(lines(foreign), len(lines("x").splitlines()))
    for what in (CommandRefused(OperatorWord.TARE, foreign), PhaseChanged(Phase.RAMP, Phase.HOLD, foreign)):
        shown_as_it_should(event_line(Event(1, 1.0, what)) or "", 1)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(foreign=FOREIGN)
def test_what_is_said_shows_all_and_json_means_the_same(foreign: str, capsys: pytest.CaptureFixture[str]) -> None:
    say_json(as_json(_with(foreign)))
    out = capsys.readouterr().out
    shown_as_it_should(out, 1)
    assert json.loads(out)["sample_id"] == foreign
    say(foreign.replace("\n", ""), err=True)
    shown_as_it_should(capsys.readouterr().err, 1)


def test_an_error_and_the_log_show_what_a_name_holds(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from edge.cli.exit_status import run_command

    @click.group()
    def cli() -> None:
        raise BadDatabase(f"{Path('a' + chr(27) + '[2J' + chr(0x202E))}: is damaged")

    cli.add_command(click.Command("x"))
    monkeypatch.setattr("sys.argv", ["halfpercent", "x"])
    with pytest.raises(SystemExit):
        run_command(cli)
    err = capsys.readouterr().err
    assert err == "halfpercent: a\\x1b[2J\\u202e: is damaged\n"
    root = logging.getLogger()
    before = root.handlers[:]
    root.handlers.clear()
    try:
        log_here()
        logging.getLogger("halfpercent").warning("%s", "note \x1b]0;owned\x07")
        assert capsys.readouterr().err == "note \\x1b]0;owned\\x07\n"
    finally:
        root.handlers[:] = before


def test_a_number_that_json_has_not_is_null_and_the_rest_stays(capsys: pytest.CaptureFixture[str]) -> None:
    say_json({"loss_pct": float("inf"), "k": 2.0, "rows": ({"u": float("nan")}, [float("-inf"), 1])})
    assert json.loads(capsys.readouterr().out) == {"loss_pct": None, "k": 2.0, "rows": [{"u": None}, [None, 1]]}
