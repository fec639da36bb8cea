"""The lines of a running test: in words that are no verdict's, with what is not known said to be so."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from edge.records.result import Verdict
from edge.records.status import StationStatus
from edge.report.language import Language, Words, glossary
from edge.report.live_text import NB, Mark, Tone, clock, course_line, span, state_line, to_do
from edge.trends.forecast_live import Expected, LiveForecast, Outlook

W = Words(Language.ENGLISH)


def status(**run: Any) -> StationStatus:
    return msgspec.convert({"state": "running", "run": {"run_id": 1, "phase": "hold"} | run}, StationStatus)


def seen(outlook: Outlook, loss: float = 0.21, half: float = 0.02) -> Any:
    end = Expected(6.0, loss - half, loss, loss + half)
    return SimpleNamespace(forecast=LiveForecast(end, (end,)), outlook=outlook)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 s"), (59.9, "59 s"), (3599, "59 min"), (13_210, "3 h 40 min"), (7200, "2 h"), (None, "?")],
)
def test_a_length_is_rounded_down(seconds: float | None, said: str) -> None:
    assert span(seconds) == said.replace(" s", "\u00a0s").replace(" min", "\u00a0min").replace(" h", "\u00a0h")


def test_a_clock_far_away_says_its_day() -> None:
    assert len(clock(1e9, 1e9 + 60.0)) == 5
    assert "," in clock(1e9, 1e9 + 86_400.0)
    assert clock(None) == "?"


def test_where_the_test_is() -> None:
    told = state_line(W, status(hold_s=13_210.0, hold_required_s=21_600.0), None)
    assert told == "Holding. 3\u00a0h 40\u00a0min of 6\u00a0h."
    assert state_line(W, None, None) == "The station does not answer."
    assert state_line(W, StationStatus(), None) == "No test is running."
    assert "put the sample on" in state_line(W, status(phase="load"), None)
    assert state_line(W, status(phase="of another version"), None) == "No test is running."


@pytest.mark.parametrize(
    ("outlook", "said", "mark"),
    [
        (Outlook.PASS, "On course to pass: 0.21 % ± 0.02", Mark.OK),
        (Outlook.FAIL, "On course to fail: 0.21 % ± 0.02", Mark.NO),
        (Outlook.CLOSE, "On course: 0.21 % ± 0.02, too close to call", Mark.CLOSE),
        (Outlook.TOO_EARLY, "Too early to say", Mark.NONE),
    ],
)
def test_on_which_course(outlook: Outlook, said: str, mark: Mark) -> None:
    line = course_line(W, status(), seen(outlook), None)
    assert (line.text.replace(NB, " "), line.mark) == (said, mark)
    assert "± " not in line.text  # a number never parts from its unit, nor its uncertainty from its sign


def test_no_line_of_a_running_test_has_a_verdicts_word_in_it() -> None:
    for key in ("live_pass", "live_fail", "live_close", "live_early", "live_at_end"):
        for verdict in Verdict:
            assert verdict.value not in glossary()[key]["en"]
            assert glossary()[f"verdict_{verdict}"]["zh"] != glossary()[key]["zh"].partition("：")[0]


def test_an_alarm_comes_before_a_step_and_one_that_opened_the_interlock_before_others() -> None:
    alarms = [
        {"alarm": "gauge", "why": "no answer", "closed": False, "acknowledged": False, "interlock": False},
        {"alarm": "load cell", "why": "no conversion", "closed": False, "acknowledged": False, "interlock": True},
    ]
    told = {"state": "running", "run": {"phase": "tare"}, "alarms": alarms}
    todo = to_do(W, msgspec.convert(told, StationStatus), None)
    assert (todo.tone, todo.command, todo.alarm) == (Tone.GRAVE, "ack", "load cell")
    assert "no conversion" in todo.why
    told["alarms"] = []
    todo = to_do(W, msgspec.convert(told, StationStatus), None)
    assert (todo.tone, todo.command) == (Tone.STEP, "tare")


@pytest.mark.parametrize("mass", ["m1", "m2"])
def test_a_sample_at_the_balance_is_the_operator_s_and_nothing_goes_on_by_itself(mass: str) -> None:
    for language in ("en", "zh"):
        words = Words(Language(language))
        todo = to_do(words, status(phase=f"carried for {mass}"), None)
        assert (todo.tone, todo.command) == (Tone.STEP, "")
        assert f"weigh {mass}" in todo.why
    assert to_do(W, status(phase="carried for m2", refused="x"), None).why == "Not taken: x"


def test_a_step_that_was_refused_says_why() -> None:
    todo = to_do(W, status(phase="tare", refused="it wanders: close the door"), None)
    assert todo.why == "Not taken: it wanders: close the door"
