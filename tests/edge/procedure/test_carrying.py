"""The sample on its way to the laboratory's balance: announced, it is no lifted one, and is weighed anew after it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from scripted_seconds import PLAN, feed, from_pump, jitter, row, to_hold, to_m1, why_invalid

from edge.procedure.phases import Phases
from edge.records.command import OperatorWord, WeighedOnBalance, as_text, from_text
from edge.records.event import CommandRefused, PhaseChanged
from edge.records.invalid import InvalidReason
from edge.records.phase import Phase
from edge.records.weighing import WeighingKind

OUT, BACK = OperatorWord.CARRY_OUT, OperatorWord.CARRY_BACK
M1, M2 = WeighedOnBalance(WeighingKind.M1), WeighedOnBalance(WeighingKind.M2)


def loaded(phases: Phases, at: int, seconds: int, mass_g: float = 200.0) -> int:
    feed(phases, (row(s, mass_g=mass_g + jitter(s, 0.002)) for s in range(at, at + seconds)))
    return at + seconds


def to_m2(phases: Phases) -> int:
    at = to_hold(phases)
    feed(phases, [row(at, temp_c=120.0, qualified=1, hold_s=600.0)])
    assert phases.phase is Phase.COOL
    at += 1
    feed(phases, [row(at)])
    assert phases.phase is Phase.M2
    return at + 1


def test_carried_out_before_the_hold_the_rig_weighs_m1_anew_when_it_is_back_and_the_way_is_in_no_mass() -> None:
    phases = Phases(PLAN, Phase.TARE)
    at = loaded(phases, to_m1(phases), 200)
    assert phases.phase is Phase.PUMP
    phases.command(OUT, at, float(at))
    (moved,) = feed(phases, [row(at, mass_g=100.0)])
    assert isinstance(moved.what, PhaseChanged)
    assert (moved.what.left, moved.what.entered) == (Phase.PUMP, Phase.CARRY_M1)
    assert WeighingKind.M1 not in phases.weighings
    feed(phases, (row(s, mass_g=0.0) for s in range(at + 1, at + 100)))
    phases.command(M1, at + 50, at + 50.0)
    phases.command(BACK, at + 100, at + 100.0)
    feed(phases, [row(at + 100)])
    assert phases.phase is Phase.M1
    loaded(phases, at + 101, 200, 200.5)
    assert phases.phase is Phase.PUMP
    assert phases.weighings[WeighingKind.M1].value.mean == pytest.approx(200.5, abs=0.01)
    t_s, mass_g = phases.masses.between(at - 50.0, at + 300.0)
    assert mass_g.min() > 199.0
    assert not ((t_s >= at) & (t_s < at + 160)).any(), "on the way, and a minute of hands"


def test_where_the_balance_has_said_m1_the_rig_s_m2_is_support_and_the_run_waits_for_the_balance_s() -> None:
    phases = Phases(PLAN, Phase.TARE)
    phases.command(M1, 0, 0.0)
    at = loaded(phases, to_m2(phases), 200)
    assert phases.phase is Phase.CARRY_M2
    assert WeighingKind.M2 in phases.weighings
    feed(phases, [row(at, mass_g=0.0)])
    phases.command(M2, at + 1, at + 1.0)
    feed(phases, [row(at + 1, mass_g=0.0)])
    assert phases.phase is Phase.DONE
    assert why_invalid(phases) == ""
    (stay,) = phases.carrying.for_m2
    assert stay.out_s == at - 1 or stay.out_s < at


def test_without_a_mass_of_the_balance_m2_ends_the_run_as_it_always_did() -> None:
    phases = Phases(PLAN, Phase.TARE)
    loaded(phases, to_m2(phases), 200)
    assert phases.phase is Phase.DONE


@pytest.mark.parametrize("zero", [False, True])
def test_carried_out_before_the_rig_weighed_m2_the_balance_s_is_enough(zero: bool) -> None:
    phases = Phases(replace(PLAN, zero_after=zero), Phase.TARE)
    at = to_m2(phases)
    phases.command(OUT, at, float(at))
    feed(phases, [row(at, mass_g=0.0)])
    assert phases.phase is Phase.CARRY_M2
    phases.command(M2, at + 1, at + 1.0)
    feed(phases, [row(at + 1, mass_g=0.0)])
    assert phases.phase is (Phase.ZERO if zero else Phase.DONE)
    assert WeighingKind.M2 not in phases.weighings
    assert why_invalid(phases) == ""
    if zero:  # what is taken off is then what M1 was
        phases.command(OperatorWord.ZERO, at + 2, at + 2.0)
        feed(phases, (row(s, mass_g=jitter(s, 0.001), zero_code=1000.0) for s in range(at + 2, at + 220)))
        assert phases.phase is Phase.DONE
        assert WeighingKind.ZERO in phases.weighings


def test_who_does_not_come_back_ends_the_run_and_says_so() -> None:
    phases = Phases(replace(PLAN, zero_max_s=100.0), Phase.TARE)
    at = to_m2(phases)
    phases.command(OUT, at, float(at))
    feed(phases, (row(s, mass_g=0.0) for s in range(at, at + 102)))
    assert phases.phase is Phase.DONE
    assert phases.invalid is not None
    assert phases.invalid.reason is InvalidReason.NOT_CARRIED_BACK
    assert "was not back within 0.02" in phases.invalid.why


def test_a_balance_that_never_says_m2_costs_no_run_that_has_the_rig_s() -> None:
    phases = Phases(replace(PLAN, zero_max_s=100.0), Phase.TARE)
    phases.command(M1, 0, 0.0)
    at = loaded(phases, to_m2(phases), 200)
    feed(phases, (row(s, mass_g=0.0) for s in range(at, at + 102)))
    assert (phases.phase, why_invalid(phases)) == (Phase.DONE, "")


def test_an_abort_at_the_balance_after_m2_is_no_reason_for_invalid_and_before_it_is() -> None:
    with_m2, without = Phases(PLAN, Phase.TARE), Phases(PLAN, Phase.TARE)
    with_m2.command(M1, 0, 0.0)
    at = loaded(with_m2, to_m2(with_m2), 200)
    with_m2.command(OperatorWord.ABORT, at, float(at))
    assert (with_m2.phase, why_invalid(with_m2)) == (Phase.DONE, "")
    at = to_m2(without)
    without.command(OUT, at, float(at))
    feed(without, [row(at, mass_g=0.0)])
    without.command(OperatorWord.ABORT, at + 1, at + 1.0)
    assert "aborted" in why_invalid(without)


@pytest.mark.parametrize("phase", [p for p in Phase if p is not Phase.DONE])
def test_each_way_is_only_where_the_sample_can_go_it(phase: Phase) -> None:
    phases = Phases(PLAN, phase)
    taken = {word: not phases.refusal(word) for word in (OUT, BACK, M1, M2)}
    assert taken == {
        OUT: phase in (Phase.M1, Phase.PUMP, Phase.COOL, Phase.M2),
        BACK: phase in (Phase.CARRY_M1, Phase.CARRY_M2),
        M1: True,
        M2: phase in (Phase.CARRY_M2, Phase.ZERO, Phase.CHECK),
    }
    refused = phases.command(M2, 0, 0.0)
    if not taken[M2]:
        assert isinstance(refused.what, CommandRefused)
        assert refused.what.why == f"M2 on the balance is not for phase {phase}, but after carry out"


def test_its_words_are_stored_and_read_back() -> None:
    assert [as_text(c) for c in (OUT, BACK, M1, M2)] == ["carry out", "carry back", "balance m1", "balance m2"]
    assert [from_text(as_text(c)) for c in (OUT, BACK, M1, M2)] == [OUT, BACK, M1, M2]
    with pytest.raises(ValueError, match="m3"):
        from_text("balance m3")


def restless(phases: Phases, at: int, seconds: int, cell_c: float = 25.0) -> int:
    """A rig whose indication never stops rising."""
    feed(phases, (row(s, mass_g=200.0 + 0.01 * (s - at), cell_c=cell_c) for s in range(at, at + seconds)))
    return at + seconds


def test_a_rig_that_never_rests_costs_no_run_whose_masses_the_balance_has() -> None:
    phases = Phases(replace(PLAN, weigh_max_s=600.0), Phase.TARE)
    phases.command(M1, 0, 0.0)
    at = restless(phases, to_m1(phases), 601)
    assert (phases.phase, why_invalid(phases)) == (Phase.PUMP, "")
    assert WeighingKind.M1 not in phases.weighings
    at = from_pump(phases, at)
    feed(phases, [row(at, temp_c=120.0, qualified=1, hold_s=600.0), row(at + 1, temp_c=120.0, cell_c=40.0)])
    assert phases.phase is Phase.COOL, "as cold as at the M1 that the rig did not have"
    feed(phases, [row(at + 2)])
    at = restless(phases, at + 3, 602)
    assert phases.phase is Phase.CARRY_M2
    phases.command(M2, at, float(at))
    feed(phases, [row(at, mass_g=0.0)])
    assert (phases.phase, why_invalid(phases)) == (Phase.DONE, "")


def test_a_rig_that_never_rests_has_no_mass_where_nobody_else_has_one() -> None:
    phases = Phases(replace(PLAN, weigh_max_s=600.0), Phase.TARE)
    restless(phases, to_m1(phases), 601)
    assert phases.invalid is not None
    assert phases.invalid.reason is InvalidReason.NEVER_STABLE
