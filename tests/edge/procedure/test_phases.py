"""The phases: what advances a run, what is refused, what ends it, and what is listed."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from scripted_seconds import PLAN, feed, jitter, row, to_hold, to_m1, why_invalid

from edge.procedure.phases import Phases
from edge.procedure.plan import Plan
from edge.procedure.transitions import DETOURS, TRANSITIONS
from edge.records.command import OperatorWord
from edge.records.event import Event, PhaseChanged
from edge.records.formatting import hours
from edge.records.phase import Phase
from edge.records.second import Second
from edge.records.weighing import WeighingKind


def test_a_whole_run_goes_through_every_phase_in_order() -> None:
    phases = Phases(PLAN, Phase.TARE)
    at = to_hold(phases)
    events = feed(phases, (row(s, temp_c=120.0, qualified=1, hold_s=s - at + 1.0) for s in range(at, at + 600)))
    assert [e.what.data()["to"] for e in events] == ["cool"]
    at += 600
    events = feed(
        phases, (row(s, temp_c=max(26.0, 120.0 - (s - at)), cell_c=26.0, mass_g=199.0) for s in range(at, at + 400))
    )
    assert [e.what.data()["to"] for e in events if e.kind == "phase"] == ["m2", "done"]
    assert why_invalid(phases) == ""
    assert phases.weighings[WeighingKind.M1].value.mean == pytest.approx(200.0, abs=0.002)
    assert phases.weighings[WeighingKind.M2].value.mean == 199.0
    assert phases.weighings[WeighingKind.TARE].value.mean == pytest.approx(1000.0, abs=2.0)


def test_nothing_is_tared_by_itself() -> None:
    phases = Phases(PLAN, Phase.TARE)
    assert feed(phases, (row(s) for s in range(1000))) == []
    assert phases.phase is Phase.TARE


@pytest.mark.parametrize("what", ["load", "zero"])
def test_a_word_out_of_place_is_refused_with_the_reason(what: str) -> None:
    phases = Phases(PLAN, Phase.TARE)
    event = phases.command(OperatorWord(what), 5, 5.0)
    assert event.kind == "refused"
    assert "tare" in event.what.data()["why"]
    assert phases.phase is Phase.TARE


def test_a_tare_on_a_moving_holder_is_refused_and_says_what_to_do() -> None:
    phases = Phases(PLAN, Phase.TARE)
    feed(phases, [row(0)])
    phases.command(OperatorWord.TARE, 0, 0.0)
    events = feed(phases, (row(s, zero_code=1000.0 + 50.0 * s, mass_g=0.012 * s) for s in range(1, 70)))
    assert [e.kind for e in events] == ["tare_refused"]
    assert "tare again" in events[0].what.data()["why"]
    assert phases.phase is Phase.TARE


def test_a_tare_made_of_too_few_good_seconds_is_refused() -> None:
    phases = Phases(PLAN, Phase.TARE)
    feed(phases, [row(0)])
    phases.command(OperatorWord.TARE, 0, 0.0)
    events = feed(phases, (row(s, n_ok=10 if s % 3 == 0 else 0) for s in range(1, 70)))
    assert [e.kind for e in events] == ["tare_refused"]


def test_a_mass_that_never_rests_ends_the_run_invalid() -> None:
    phases = Phases(PLAN, Phase.TARE)
    at = to_m1(phases)
    events = feed(phases, (row(s, mass_g=200.0 - 0.01 * (s - at)) for s in range(at, at + 1000)))
    assert phases.phase is Phase.DONE
    assert "M1 was never stable" in why_invalid(phases)
    assert events[-1].what.data()["to"] == "done"


def test_an_excursion_is_listed_with_its_length_reason_and_worst_temperature() -> None:
    phases = Phases(PLAN, Phase.TARE)
    at = to_hold(phases)
    temps = [120.0] * 100 + [123.0, 125.5, 124.0] + [120.0] * 100
    held = 0.0
    for i, temp_c in enumerate(temps):
        inside = abs(temp_c - 120.0) <= 2.0
        held += 1.0 if inside else 0.0
        phases.step(row(at + i, temp_c=temp_c, qualified=int(inside), hold_s=held))
    (excursion,) = phases.excursions
    assert excursion.from_s == at + 100
    assert excursion.length_s == 3.0
    assert excursion.why == "temperature out of band"
    assert excursion.worst_temp_c == 125.5


def test_too_long_without_readings_in_the_hold_cannot_be_judged() -> None:
    phases = Phases(PLAN, Phase.TARE)
    at = to_hold(phases)
    feed(phases, (row(s, temp_c=120.0, qualified=1, hold_s=s - at + 1.0) for s in range(at, at + 50)))
    feed(phases, (row(s, temp_c=120.0, n_ok=0, hold_s=50.0) for s in range(at + 50, at + 120)))
    feed(phases, [row(at + 120, temp_c=120.0, qualified=1, hold_s=50.0)])
    assert phases.phase is Phase.DONE
    assert "too few good samples for 70 s" in why_invalid(phases)


def test_a_short_loss_of_readings_only_pauses() -> None:
    phases = Phases(PLAN, Phase.TARE)
    at = to_hold(phases)
    feed(phases, (row(s, temp_c=120.0, qualified=1, hold_s=s - at + 1.0) for s in range(at, at + 50)))
    feed(phases, (row(s, temp_c=120.0, n_ok=0, hold_s=50.0) for s in range(at + 50, at + 90)))
    feed(phases, [row(at + 90, temp_c=120.0, qualified=1, hold_s=50.0)])
    assert phases.phase is Phase.HOLD
    assert [e.length_s for e in phases.excursions] == [40.0]


def test_a_gap_in_the_record_is_listed() -> None:
    phases = Phases(PLAN, Phase.TARE)
    at = to_hold(phases)
    feed(phases, (row(s, temp_c=120.0, qualified=1, hold_s=s - at + 1.0) for s in range(at, at + 50)))
    feed(phases, [row(at + 79, temp_c=120.0, qualified=1, hold_s=50.0)])
    assert [(e.why, e.length_s) for e in phases.excursions] == [("nothing was recorded", 30.0)]


@pytest.mark.parametrize(
    ("phase", "reason"),
    [("ramp", "never within 120 ± 2 °C"), ("hold", "0.00 h qualified of the 0.16 h"), ("pump", "in phase pump")],
)
def test_a_run_that_stops_early_says_where_and_what_is_missing(phase: str, reason: str) -> None:
    phases = Phases(PLAN, Phase(phase))
    feed(phases, (row(s, temp_c=60.0) for s in range(5)))
    events = phases.finish("the power was cut")
    assert reason in why_invalid(phases)
    assert "the power was cut" in why_invalid(phases)
    assert events[-1].what.data()["to"] == "done"


def test_an_abort_ends_the_run_and_is_said() -> None:
    phases = Phases(PLAN, Phase.TARE)
    to_m1(phases)
    assert phases.command(OperatorWord.ABORT, 300, 300.0).kind == "operator"
    assert phases.phase is Phase.DONE
    assert "aborted by the operator in phase m1" in why_invalid(phases)


def test_the_pump_phase_waits_for_a_measured_pressure() -> None:
    phases = Phases(replace(PLAN, pressure_needed=True, pressure_limit_pa=1000.0), Phase.PUMP)
    feed(phases, (row(s, pressure_pa=5000.0) for s in range(100)))
    assert phases.phase is Phase.PUMP
    feed(phases, [row(100, pressure_pa=900.0)])
    assert phases.phase is Phase.RAMP


def test_m2_waits_until_the_load_cell_is_as_cold_as_at_m1() -> None:
    phases = Phases(PLAN, Phase.TARE)
    at = to_hold(phases)
    feed(phases, (row(s, temp_c=120.0, qualified=1, hold_s=s - at + 1.0) for s in range(at, at + 600)))
    at += 600
    feed(phases, (row(s, temp_c=25.0, cell_c=28.0) for s in range(at, at + 300)))
    assert phases.phase is Phase.COOL
    feed(phases, (row(s, temp_c=25.0, cell_c=26.5) for s in range(at + 300, at + 302)))
    assert phases.phase is Phase.M2


def test_a_clock_is_never_shown_with_time_it_has_not_had() -> None:
    assert hours(21_599.0) == "5.99"
    assert hours(21_600.0) == "6.00"
    assert hours(21_208.0) == "5.89"


def test_m1_is_taken_from_what_there_was_when_the_heating_begins_early() -> None:
    phases = Phases(replace(PLAN, dwell_s=0.0), Phase.M1)
    events = feed(phases, (row(s, mass_g=200.0 + jitter(s, 0.002)) for s in range(60)))
    assert events == []
    events = feed(phases, [row(60, temp_c=28.0, mass_g=150.0)])
    assert [e.what.data().get("which") for e in events if e.kind == "weighing"] == ["m1"]
    assert phases.weighings[WeighingKind.M1].value.mean == pytest.approx(200.0, abs=0.002)
    assert phases.phase is Phase.PUMP


def test_a_heating_before_any_rest_cannot_be_judged() -> None:
    phases = Phases(PLAN, Phase.M1)
    feed(phases, (row(s, temp_c=25.0 + s) for s in range(10)))
    assert phases.phase is Phase.DONE
    assert "before M1 was taken" in why_invalid(phases)


def test_an_empty_holder_is_no_m1() -> None:
    phases = Phases(PLAN, Phase.M1)
    feed(phases, (row(s, mass_g=jitter(s, 0.002)) for s in range(400)))
    assert phases.phase is Phase.M1
    feed(phases, (row(s, mass_g=200.0 + jitter(s, 0.002)) for s in range(400, 800)))
    assert phases.weighings[WeighingKind.M1].value.mean == pytest.approx(200.0, abs=0.002)


def test_m2_is_taken_from_what_there_is_when_nothing_more_comes() -> None:
    phases = Phases(replace(PLAN, dwell_s=0.0), Phase.M2)
    feed(phases, (row(s, mass_g=199.0 + jitter(s, 0.002)) for s in range(40)))
    events = phases.finish("the recording ends")
    assert [e.kind for e in events] == ["weighing", "phase"]
    assert why_invalid(phases) == ""


def test_a_start_mass_of_one_second_is_as_uncertain_as_its_own_samples() -> None:
    phases = Phases(replace(PLAN, weigh="hot"), Phase.RAMP)
    feed(phases, [row(0, temp_c=120.0, qualified=1)])  # in band from the first second on: 10 samples, sd 0.001 g
    assert phases.weighings[WeighingKind.START].value.u == pytest.approx(0.001 / math.sqrt(10.0))
    assert phases.weighings[WeighingKind.START].value.dof == 9.0


class Watched(Phases):
    """Phases that remember from where to where they went."""

    def __init__(self, plan: Plan, first: Phase) -> None:
        super().__init__(plan, first)
        self.went: list[tuple[Phase, Phase]] = []

    def step(self, row: Second) -> list[Event]:
        events = super().step(row)
        self.went += [(e.what.left, e.what.entered) for e in events if isinstance(e.what, PhaseChanged)]
        return events


def whole_run(plan: Plan) -> Watched:
    """A run from the tare to its end, with the second zero and the check weight where the plan has them."""
    phases = Watched(plan, Phase.TARE)
    at = to_hold(phases)
    feed(phases, (row(s, temp_c=120.0, qualified=1, hold_s=s - at + 1.0) for s in range(at, at + 600)))
    at += 600
    cooling = (row(s, temp_c=max(26.0, 120.0 - (s - at)), cell_c=26.0, mass_g=199.0) for s in range(at, at + 400))
    feed(phases, cooling)
    at += 400
    for phase, word, mass_g in ((Phase.ZERO, OperatorWord.ZERO, 0.0), (Phase.CHECK, OperatorWord.CHECK, 100.0)):
        if phases.phase is phase:
            phases.command(word, at, float(at))
            feed(phases, (row(s, mass_g=mass_g + jitter(s, 1e-3), cell_c=26.0) for s in range(at, at + 400)))
            at += 400
    return phases


def test_each_transition_is_taken_by_some_run_and_no_other_is() -> None:
    with_zero = replace(PLAN, zero_after=True)
    runs = [whole_run(plan) for plan in (PLAN, with_zero, replace(with_zero, check_weight_g=100.0))]
    assert [run.phase for run in runs] == [Phase.DONE] * 3
    assert [why_invalid(run) for run in runs] == [""] * 3
    hot = Watched(replace(PLAN, weigh="hot"), Phase.RAMP)
    feed(hot, (row(s, temp_c=120.0, qualified=1, hold_s=s + 1.0) for s in range(601)))
    restless = Watched(PLAN, Phase.TARE)
    at = to_m1(restless)
    feed(restless, (row(s, mass_g=200.0 - 0.01 * (s - at)) for s in range(at, at + 1000)))
    assert hot.phase is restless.phase is Phase.DONE
    went = {pair for run in (*runs, hot, restless) for pair in run.went}
    assert {pair for pair in went if pair[1] is not Phase.DONE} == set(TRANSITIONS)


@pytest.mark.parametrize("left", [phase for phase in Phase if phase is not Phase.DONE])
@pytest.mark.parametrize("entered", [phase for phase in Phase if phase is not Phase.DONE])
def test_what_is_no_transition_cannot_be_taken(left: Phase, entered: Phase) -> None:
    phases = Phases(PLAN, left)
    if (left, entered) in {**TRANSITIONS, **DETOURS}:
        phases._enter(entered, row(0), "")
        assert phases.phase is entered
    else:
        with pytest.raises(AssertionError):
            phases._enter(entered, row(0), "")
        assert phases.phase is left


def test_the_vent_is_said_while_it_cools_and_nowhere_else() -> None:
    phases = Phases(PLAN, Phase.TARE)
    to_hold(phases)
    assert phases.command(OperatorWord.VENT, 1, 1.0).kind == "refused"
    phases.phase = Phase.COOL
    assert phases.command(OperatorWord.VENT, 2, 2000.0).kind == "operator"
    assert phases.vented_s == 2000.0


def test_a_gauge_sees_the_air_come_back() -> None:
    phases = Phases(PLAN, Phase.TARE)
    at = to_hold(phases)
    phases.phase = Phase.COOL
    feed(phases, (row(s, temp_c=90.0, cell_c=60.0, pressure_pa=200.0) for s in range(at, at + 10)))
    assert math.isnan(phases.vented_s)
    feed(phases, (row(s, temp_c=90.0, cell_c=60.0, pressure_pa=101_000.0) for s in range(at + 10, at + 20)))
    assert phases.vented_s == at + 10
