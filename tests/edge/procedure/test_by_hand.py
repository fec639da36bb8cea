"""The second zero, and the check weight before M1 and after M2: what the operator announces, and may never come to."""

from __future__ import annotations

from dataclasses import replace

import pytest
from scripted_seconds import PLAN, feed, jitter, row, to_hold, why_invalid

from edge.procedure.phases import Phases
from edge.procedure.plan import Plan
from edge.records.command import OperatorWord
from edge.records.event import Event
from edge.records.phase import Phase
from edge.records.weighing import WeighingKind

ZERO = replace(PLAN, zero_after=True, zero_max_s=2000.0)
BOTH = replace(ZERO, check_weight_g=100.0)


def to_zero(plan: Plan) -> tuple[Phases, int]:
    """A run whose M2 is taken; the second at which it was."""
    phases = Phases(plan, Phase.TARE)
    at = to_hold(phases)
    feed(phases, (row(s, temp_c=120.0, qualified=1, hold_s=s - at + 1.0) for s in range(at, at + 600)))
    at += 600
    for s in range(at, at + 600):
        feed(phases, [row(s, temp_c=max(26.0, 120.0 - (s - at)), cell_c=26.0, mass_g=199.0 + jitter(s, 0.001))])
        if "m2" in phases.weighings:
            return phases, s + 1
    raise AssertionError("M2 was never taken")


def empty(phases: Phases, start: int, seconds: int, mass_g: float = 0.01) -> list[Event]:
    rows = (row(s, mass_g=mass_g + jitter(s, 1e-3), zero_code=1040.0 + jitter(s, 2.0), cell_c=26.0)
            for s in range(start, start + seconds))  # fmt: skip
    return feed(phases, rows)


def test_without_an_announced_zero_the_run_ends_with_m2() -> None:
    phases, _ = to_zero(PLAN)
    assert phases.phase is Phase.DONE


def test_the_zero_is_taken_when_it_is_said_and_has_rested_as_long_as_m1() -> None:
    phases, at = to_zero(ZERO)
    assert phases.phase is Phase.ZERO
    assert empty(phases, at, 100) == []
    assert phases.command(OperatorWord.ZERO, at + 100, at + 100.0).kind == "operator"
    assert empty(phases, at + 100, 180) == []  # the dwell and the window
    events = empty(phases, at + 280, 20)
    assert [e.kind for e in events] == ["weighing", "phase"]
    assert events[0].what.data()["unit"] == "code"
    assert events[1].what.data()["to"] == "done"
    zero = phases.weighings[WeighingKind.ZERO]
    assert zero.value.mean == pytest.approx(1040.0, abs=1.0)
    assert zero.from_s >= at + 160.0
    assert why_invalid(phases) == ""


def test_a_check_weight_follows_the_zero() -> None:
    phases, at = to_zero(BOTH)
    phases.command(OperatorWord.ZERO, at, float(at))
    empty(phases, at, 200)
    assert phases.phase is Phase.CHECK
    assert phases.command(OperatorWord.ZERO, at + 200, at + 200.0).kind == "refused"
    phases.command(OperatorWord.CHECK, at + 210, at + 210.0)
    events = feed(phases, (row(s, mass_g=99.99 + jitter(s, 1e-3), cell_c=26.0) for s in range(at + 210, at + 350)))
    assert [e.kind for e in events] == ["weighing", "phase"]
    assert phases.weighings[WeighingKind.CHECK].value.mean == pytest.approx(99.99, abs=1e-3)
    assert phases.phase is Phase.DONE
    assert why_invalid(phases) == ""


@pytest.mark.parametrize("plan", [ZERO, BOTH])
def test_nobody_comes_and_the_run_ends_by_itself(plan: Plan) -> None:
    phases, at = to_zero(plan)
    events = empty(phases, at, 2010, mass_g=199.0)
    assert [e.kind for e in events] == ["phase"]
    assert "no word zero" in events[0].what.data()["why"]
    assert phases.phase is Phase.DONE
    assert why_invalid(phases) == ""
    assert "zero" not in phases.weighings


@pytest.mark.parametrize(("word", "mass_g", "what"), [("zero", 199.0, "take the sample off"), ("check", 20.0, "20 g")])
def test_what_does_not_belong_on_the_holder_is_refused_and_can_be_said_again(
    word: str, mass_g: float, what: str
) -> None:
    phases, at = to_zero(BOTH)
    if word == "check":
        phases.command(OperatorWord.ZERO, at, float(at))
        empty(phases, at, 200)
        at += 200
    phases.command(OperatorWord(word), at, float(at))
    events = empty(phases, at, 200, mass_g=mass_g)
    assert [e.kind for e in events] == [f"{word}_refused"]
    assert what in events[0].what.data()["why"]
    assert events[0].what.data()["why"].endswith(f"say {word} again")
    assert phases.command(OperatorWord(word), at + 200, at + 200.0).kind == "operator"


def test_a_zero_that_never_rests_is_refused_with_what_to_do_and_the_run_still_ends() -> None:
    phases, at = to_zero(ZERO)
    phases.command(OperatorWord.ZERO, at, float(at))
    rows = (row(s, mass_g=0.5 * (s - at) / 100.0, zero_code=1000.0 + s, cell_c=26.0) for s in range(at, at + 2200))
    events = feed(phases, rows)
    assert [e.kind for e in events] == ["zero_refused", "phase"]
    assert "keep draughts" in events[0].what.data()["why"]
    assert why_invalid(phases) == ""


def test_an_abort_after_m2_loses_nothing() -> None:
    phases, at = to_zero(ZERO)
    assert phases.command(OperatorWord.ABORT, at, float(at)).kind == "operator"
    assert phases.phase is Phase.DONE
    assert why_invalid(phases) == ""


def test_a_run_that_is_stopped_while_it_waits_is_judged_by_m2() -> None:
    phases, at = to_zero(BOTH)
    empty(phases, at, 10)
    events = phases.finish("the run was stopped")
    assert [e.what.data()["to"] for e in events] == ["done"]
    assert why_invalid(phases) == ""


@pytest.mark.parametrize("word", ["zero", "check"])
def test_the_words_are_for_their_phases_alone(word: str) -> None:
    phases = Phases(BOTH, Phase.TARE)
    assert phases.command(OperatorWord(word), 0, 0.0).kind == "refused"


# the check weight before M1

FIRST = replace(BOTH, check_before=True, tare_s=20.0, dwell_s=40.0)


def holder(phases: Phases, start: int, seconds: int, mass_g: float) -> list[Event]:
    return feed(phases, (row(s, mass_g=mass_g + jitter(s, 1e-3)) for s in range(start, start + seconds)))


def tared(plan: Plan) -> tuple[Phases, int]:
    phases = Phases(plan, Phase.TARE)
    holder(phases, 0, 1, 0.0)
    phases.command(OperatorWord.TARE, 1, 1.0)
    holder(phases, 1, 40, 0.0)
    return phases, 41


def checked(lies_s: int) -> tuple[Phases, int]:
    """A run whose check weight lies there for so long, of which the last 41 s are its weighing; and the second."""
    phases, at = tared(FIRST)
    assert phases.phase is Phase.CHECK_BEFORE
    holder(phases, at, 30, 0.0)
    holder(phases, at + 30, lies_s - 41, 99.99)
    at += 30 + lies_s - 41
    assert phases.command(OperatorWord.CHECK, at, float(at)).kind == "operator"
    events = holder(phases, at, 41, 99.99)
    assert [e.kind for e in events] == ["weighing", "phase"]
    assert events[0].what.data()["which"] == "check_before"
    return phases, at + 41


@pytest.mark.parametrize("lies_s", [60, 200])
def test_the_holder_rests_four_times_as_long_as_the_weight_lay_before_the_sample_is_asked_for(lies_s: int) -> None:
    phases, at = checked(lies_s)
    assert phases.phase is Phase.REST
    assert phases.command(OperatorWord.LOAD, at, float(at)).kind == "refused"
    holder(phases, at, 10, 99.99)  # until it is taken off
    at += 10
    assert holder(phases, at, 4 * (lies_s + 10) - 10, 0.0) == []
    events = holder(phases, at + 4 * (lies_s + 10) - 10, 20, 0.0)
    assert [e.what.data()["to"] for e in events] == ["load"]
    assert phases.weighings[WeighingKind.CHECK_BEFORE].value.mean == pytest.approx(99.99, abs=1e-3)
    assert "rested" in events[0].what.data()["why"]


def test_a_weight_that_stays_on_keeps_the_holder_from_resting() -> None:
    phases, at = checked(60)
    assert holder(phases, at, 2000, 99.99) == []
    assert phases.phase is Phase.REST


def test_another_weight_before_m1_is_refused_and_nobody_is_sent_on_without_one() -> None:
    phases, at = tared(FIRST)
    phases.command(OperatorWord.CHECK, at, float(at))
    events = holder(phases, at, 100, 20.0)
    assert [e.kind for e in events] == ["check_refused"]
    assert "say check again" in events[0].what.data()["why"]
    assert holder(phases, at + 100, 5000, 0.0) == []  # longer than anybody waits after M2
    assert phases.phase is Phase.CHECK_BEFORE


def test_an_abort_before_m1_is_one() -> None:
    phases, at = checked(60)
    phases.command(OperatorWord.ABORT, at, float(at))
    assert "aborted" in why_invalid(phases)


def test_how_long_the_holder_will_rest_is_known_when_the_weight_is_said_to_be_on() -> None:
    phases, at = tared(FIRST)
    assert phases.check_before.rest_to_come_s(at + 30.0, FIRST) == pytest.approx(4 * (2 * 20 + 30))
    holder(phases, at, 50, 99.99)
    assert phases.check_before.rest_to_come_s(at + 50.0, FIRST) == pytest.approx(4 * (50 + 2 * 20 + 30))
    assert phases.check_before.rest_to_come_s(at, replace(FIRST, dwell_s=3000.0)) == 3000.0


def test_a_run_without_a_check_weight_before_goes_to_the_load_at_once() -> None:
    phases, _ = tared(replace(BOTH, tare_s=20.0))
    assert phases.phase is Phase.LOAD
