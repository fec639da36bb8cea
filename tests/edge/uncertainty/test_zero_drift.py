"""The second zero and the check weight: what they let one infer, and never more than that."""

from __future__ import annotations

import datetime
import math

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from loss_inputs import budget_of

from calibration.calibration_record import Air, Record, SpanRecord, Weight
from calibration.certificate import Certificate
from calibration.integrated import Integrated
from edge.records.weighing import Weighing, WeighingKind
from edge.simulate.instrument import calibrated
from edge.uncertainty.blank import Blank
from edge.uncertainty.components import creep_and_blank
from edge.uncertainty.span_check import check_span
from edge.uncertainty.zero_drift import RETURN_U, Inert, drift_between, wander
from hw.sim.rig import RigTruth

HOUR = 3600.0


def weighing(which: str, value: float, at_h: float, u: float = 0.0, cell_c: float = 25.0) -> Weighing:
    taken = Integrated(value, u, 50.0, 100, 0, 600)
    return Weighing(WeighingKind(which), taken, at_h * HOUR, at_h * HOUR, 25.0, cell_c, math.nan)


def certificate(walk_g: float = 0.0, drift_g: float = 0.0, creep_pct: float = 0.0) -> Certificate:
    cert = calibrated(RigTruth(), "nau7802", 1)
    stability = msgspec.structs.replace(
        cert.stability, zero_walk_g=walk_g, zero_walk_dof=1e6, zero_drift_g=drift_g, creep_pct_fs=creep_pct
    )
    temperature = msgspec.structs.replace(cert.temperature, u_cell_temp_c=0.0)
    return msgspec.structs.replace(cert, stability=stability, temperature=temperature)


M1, M2 = weighing("m1", 200.0, 1.0), weighing("m2", 199.5, 9.0)
NO_CREEP = Inert(0.0, 0.0, math.inf, "")


def zeros(cert: Certificate, moved_g: float, u_g: float = 0.0) -> tuple[Weighing, Weighing]:
    s = cert.span.counts_per_g
    tare = weighing("tare", 300_000.0, 0.5, u_g * abs(s) / math.sqrt(2.0))
    return tare, weighing("zero", 300_000.0 + moved_g * s, 10.5, u_g * abs(s) / math.sqrt(2.0))


def test_of_a_walk_alone_the_straight_line_is_taken_and_a_brownian_bridge_is_left() -> None:
    cert = certificate(walk_g=0.01)
    found = drift_between(cert, M1, M2, *zeros(cert, 0.02), NO_CREEP)
    assert found.gained_g == pytest.approx(0.02 * 8.0 / 10.0)
    assert found.u_g**2 == pytest.approx(0.01**2 * 8.0 * (1.0 - 8.0 / 10.0))
    assert not found.surprising


def test_zeros_that_are_all_noise_leave_what_the_certificate_says() -> None:
    cert = certificate(walk_g=0.01)
    found = drift_between(cert, M1, M2, *zeros(cert, 0.5, u_g=10.0), NO_CREEP)
    assert found.gained_g == pytest.approx(0.0, abs=1e-4)
    assert found.u_g == pytest.approx(0.01 * math.sqrt(8.0), rel=1e-3)


def test_a_creep_that_returns_is_inferred_as_well_as_its_return_is_known() -> None:
    cert = certificate(creep_pct=0.1)
    found = drift_between(cert, M1, M2, *zeros(cert, 0.05), Inert(0.0, 0.1, math.inf, ""))
    share = 1.0 / (1.0 + RETURN_U**2)
    assert found.gained_g == pytest.approx(share * 0.05)
    assert found.u_g == pytest.approx(0.1 * math.sqrt(1.0 - share))


def with_return(cert: Certificate, kept: float, u: float) -> Certificate:
    stability = msgspec.structs.replace(cert.stability, creep_kept=kept, u_creep_kept=u, creep_whole_pct=0.05)
    return msgspec.structs.replace(cert, stability=stability)


def test_a_return_that_was_measured_to_be_whole_leaves_less_than_one_that_is_assumed() -> None:
    crept = Inert(0.08, 0.05, math.inf, "", whole_g=0.1)
    assumed, measured, hardly = (
        drift_between(cert, M1, M2, *zeros(cert, 0.09), crept)
        for cert in (certificate(), with_return(certificate(), 0.0, 0.05), with_return(certificate(), 0.0, 2.0))
    )
    assert measured.u_g < 0.5 * assumed.u_g
    assert hardly.u_g == pytest.approx(assumed.u_g, rel=0.05)
    assert "measured, weight 0.97" in measured.why
    assert "assumed" in assumed.why


@given(kept=st.floats(0.0, 0.6), gained=st.floats(-0.1, 0.1).filter(lambda g: abs(g) > 0.01))
def test_what_a_cell_keeps_of_its_creep_is_not_taken_for_drift(kept: float, gained: float) -> None:
    """Made by hand: a load creeps, and when it is taken off the share that is kept is in the zero beside the rest."""
    whole_pct = 1.2 * gained / 200.0 * 100.0
    cert = with_return(certificate(), kept, 0.02)
    cert = msgspec.structs.replace(cert, stability=msgspec.structs.replace(cert.stability, creep_whole_pct=whole_pct))
    moved_g = gained + kept * 1.2 * gained
    crept = Inert(0.0, 0.1, math.inf, "", whole_g=abs(1.2 * gained))
    found = drift_between(cert, M1, M2, *zeros(cert, moved_g), crept)
    assert abs(found.gained_g - gained) <= 2.0 * found.u_g


def test_a_zero_that_moved_by_more_than_the_certificate_lets_expect_widens_and_is_said() -> None:
    cert = certificate(walk_g=0.01)
    expected_g = 0.01 * math.sqrt(10.0)
    calm, more, wild = (drift_between(cert, M1, M2, *zeros(cert, g), NO_CREEP) for g in (0.05, 0.0645, 0.4))
    assert not calm.surprising
    assert more.surprising
    assert more.u_g == pytest.approx(calm.u_g * 0.0645 / (2.0 * expected_g))
    assert wild.u_g == pytest.approx(0.8 * 0.4 / math.sqrt(3.0))  # weight 0.8; nothing to all of it, rectangular


@given(moved=st.floats(3.0, 100.0), at=st.floats(0.0, 1.0), sign=st.sampled_from([-1.0, 1.0]))
def test_a_zero_that_one_touch_moved_leaves_the_gain_in_the_interval_whenever_that_was(
    moved: float, at: float, sign: float
) -> None:
    cert = certificate(walk_g=0.01)
    moved_g = sign * moved * 0.01 * math.sqrt(10.0)
    found = drift_between(cert, M1, M2, *zeros(cert, moved_g), NO_CREEP)
    between = 0.5 + at * 10.0  # from the tare to the zero
    truth_g = moved_g if M1.from_s < between * HOUR < M2.from_s else 0.0
    assert abs(found.gained_g - truth_g) <= 2.0 * found.u_g


@given(
    walk_g=st.floats(0.0, 0.1),
    drift_g=st.floats(0.0, 0.1),
    creep_g=st.floats(0.0, 0.2),
    noise_g=st.floats(1e-6, 0.1),
    far=st.floats(-2.0, 2.0),
)
def test_a_second_zero_never_makes_an_expected_drift_less_certain(
    walk_g: float, drift_g: float, creep_g: float, noise_g: float, far: float
) -> None:
    cert = certificate(walk_g, drift_g)
    inert = Inert(0.0, creep_g, math.inf, "")
    prior_g = math.sqrt(walk_g**2 * 8.0 + drift_g**2 / 3.0 + creep_g**2)
    size = drift_between(cert, M1, M2, *zeros(cert, 0.0, noise_g), inert).expected_u_g
    found = drift_between(cert, M1, M2, *zeros(cert, far * size, noise_g), inert)
    assert found.u_g <= prior_g * (1.0 + 1e-9) + 1e-12
    assert abs(found.gained_g) <= abs(found.moved_g) * (1.0 + 1e-9)


def test_the_truth_is_inside_as_often_as_stated() -> None:
    """A random walk and a creep of unknown size, ten thousand times; the creep returns more or less as it went."""
    rng = np.random.default_rng(5)
    n, walk_g, creep_g, noise_g = 10_000, 0.01, 0.03, 0.002
    cert = certificate(walk_g=walk_g)
    start, between, end = (walk_g * math.sqrt(h) * rng.standard_normal(n) for h in (0.5, 8.0, 1.5))
    creep = creep_g * math.sqrt(3.0) * rng.uniform(-1.0, 1.0, n)
    noise = noise_g * rng.standard_normal(n)
    returns = rng.uniform(0.5, 1.5, n)
    inside = 0
    for true_g, moved_g in zip(between + creep, start + between + end + returns * creep + noise, strict=True):
        found = drift_between(cert, M1, M2, *zeros(cert, moved_g, noise_g), Inert(0.0, creep_g, math.inf, ""))
        inside += abs(found.gained_g - true_g) <= 2.0 * found.u_g
    assert inside / n >= 0.9545 - 3.0 * math.sqrt(0.9545 * 0.0455 / n)


def test_the_budget_subtracts_what_was_inferred_and_drops_what_it_replaces() -> None:
    cert = certificate(walk_g=0.01, creep_pct=0.01)
    tare, zero = zeros(cert, 0.05, 0.001)
    plain = budget_of(M1, M2, M1, coverage=0.9545, certificate=cert, tare=tare)
    zeroed = budget_of(M1, M2, M1, coverage=0.9545, certificate=cert, tare=tare, zero=zero)
    assert zeroed.drift is not None
    # the zero rose, so M2 seems too heavy: the loss was larger. The reference is that in vacuum (up to 0.12 % more).
    assert zeroed.loss_pct - plain.loss_pct == pytest.approx(zeroed.drift.gained_g / 200.0 * 100.0, rel=1.3e-3)
    assert zeroed.u_pct < plain.u_pct
    names = {c.name for c in zeroed.components}
    assert "drift between the zeros" in names
    assert names.isdisjoint({"zero drift", "zero walk", "creep", "blank"})


def test_a_blank_and_a_second_zero_are_taken_together() -> None:
    cert = certificate(walk_g=0.001, creep_pct=0.1)
    blank = Blank("run 7", -0.04, 0.005, 50.0, 200.0)
    tare, zero = zeros(cert, 0.04, 0.001)
    with_blank = budget_of(M1, M2, M1, coverage=0.9545, certificate=cert, tare=tare, blank=blank)
    with_both = budget_of(M1, M2, M1, coverage=0.9545, certificate=cert, tare=tare, blank=blank, zero=zero)
    assert with_both.loss_pct == pytest.approx(with_blank.loss_pct, abs=with_blank.u_pct)
    assert with_both.u_pct < with_blank.u_pct


def test_zeros_at_two_temperatures_share_the_coefficient_with_the_weighings() -> None:
    """What the zero coefficient does between M1 and M2, it does between the zeros: with both 2 K apart it cancels."""
    cert = certificate(walk_g=1.0)
    s = cert.span.counts_per_g
    zero = weighing("zero", 300_000.0, 10.5, 1e-6, cell_c=27.0)
    tare = weighing("tare", 300_000.0, 0.5, 1e-6)
    warm = weighing("m2", 199.5, 9.0, cell_c=27.0)
    without = budget_of(M1, warm, M1, coverage=0.9545, certificate=cert, tare=tare, seed=None)
    with_zero = budget_of(M1, warm, M1, coverage=0.9545, certificate=cert, tare=tare, zero=zero, seed=None)
    part = {c.name: c.contribution_pct for c in without.components}["zero temperature coefficient"]
    left = {c.name: c.contribution_pct for c in with_zero.components}["zero temperature coefficient"]
    assert part == pytest.approx(cert.temperature.u_zero_counts_per_k * 2.0 / s / 200.0 * 100.0, rel=0.01)
    assert left == pytest.approx(part * (1.0 - 0.8), rel=0.01)  # 8 of 10 hours lie between M1 and M2


@pytest.mark.parametrize(("moved_g", "shown_g", "changed"), [(0.0, 100.0, 0.0), (0.3, 100.3, 0.0), (0.0, 99.2, -0.008)])
def test_a_check_weight_is_compared_above_the_second_zero(moved_g: float, shown_g: float, changed: float) -> None:
    cert = certificate(creep_pct=0.01)
    found = check_span(cert, *zeros(cert, moved_g), weighing("check", shown_g, 11.0), 100.0)
    assert found.changed == pytest.approx(changed, abs=1e-12)
    assert found.u_g >= 100.0 * cert.span.u_counts_per_g / abs(cert.span.counts_per_g)


def test_a_span_that_changed_at_an_unknown_time_costs_as_much_certainty() -> None:
    cert = certificate()
    same, changed = (
        budget_of(M1, M2, M1, coverage=0.9545, certificate=cert, span_change=by, seed=None) for by in (0.0, -0.008)
    )
    assert changed.loss_pct == same.loss_pct
    found = next(c for c in changed.components if c.name == "span since the calibration")
    # 0.8 % of M2, in % of M1, as the half-width of a rectangle
    assert found.contribution_pct == pytest.approx(0.8 * 199.5 / 200.0 / math.sqrt(3.0), rel=1e-6)
    assert changed.expanded_pct > 0.8


def with_stability(**stability: float) -> Certificate:
    cert = certificate()
    return msgspec.structs.replace(cert, stability=msgspec.structs.replace(cert.stability, **stability))


def test_of_a_drift_two_zeros_take_out_all() -> None:
    cert = with_stability(zero_drift_g_per_h=0.005, zero_drift_dof=2.0)
    found = drift_between(cert, M1, M2, *zeros(cert, 0.05), NO_CREEP)
    assert found.gained_g == pytest.approx(0.05 * 8.0 / 10.0)
    assert found.u_g == pytest.approx(0.0, abs=1e-9)


def test_what_walks_about_a_drift_is_left_as_a_bridge() -> None:
    cert = with_stability(zero_drift_g_per_h=0.1, zero_drift_dof=2.0, zero_walk_g=0.01, zero_walk_dof=50.0)
    found = drift_between(cert, M1, M2, *zeros(cert, 1.0), NO_CREEP)
    assert found.u_g**2 == pytest.approx(0.01**2 * 8.0 * (1.0 - 8.0 / 10.0), rel=0.02)
    assert found.dof > 40.0


def test_of_what_is_bounded_a_second_zero_says_nothing() -> None:
    cert = with_stability(zero_walk_g=0.1, zero_bound_g=0.02, zero_bound_dof=3.0)
    found = drift_between(cert, M1, M2, *zeros(cert, 0.03), NO_CREEP)
    assert found.gained_g == 0.0
    assert found.u_g == pytest.approx(0.02)
    assert found.dof == pytest.approx(3.0)


@pytest.mark.parametrize(
    ("stability", "u_g", "dof", "how"),
    [
        ({"zero_walk_g": 0.01, "zero_walk_dof": 46.0}, 0.02, 46.0, "walks"),
        ({"zero_walk_g": 0.01, "zero_drift_g_per_h": 0.004}, 0.02, 1e6, "walks"),
        ({"zero_walk_g": 0.01, "zero_drift_g_per_h": 0.01, "zero_drift_dof": 2.0}, 0.04, 2.0, "drifts"),
        ({"zero_walk_g": 0.01, "zero_bound_g": 0.005, "zero_bound_dof": 3.0}, 0.005, 3.0, "is bounded"),
        ({"zero_walk_g": 0.01, "zero_bound_g": 0.05, "zero_bound_dof": 3.0}, 0.02, 1e6, "walks"),
    ],
)
def test_walk_and_drift_are_two_estimates_of_one_thing(
    stability: dict[str, float], u_g: float, dof: float, how: str
) -> None:
    found = wander(with_stability(**stability), 4.0)
    assert (found.u_g, found.dof, found.how) == (pytest.approx(u_g), dof, how)


def test_creep_that_a_calibration_saw_is_corrected_with_its_sign() -> None:
    cert = with_stability(creep_gained_pct=0.01, u_creep_gained_pct=0.002)
    found = budget_of(M1, M2, M1, certificate=cert, seed=None)
    plain = budget_of(M1, M2, M1, certificate=certificate(), seed=None)
    assert found.loss_pct - plain.loss_pct == pytest.approx(0.01, rel=1e-3)  # a rise has hidden as much
    creep = next(c for c in found.components if c.name == "creep")
    assert creep.contribution_pct == pytest.approx(0.002, rel=1e-2)


def test_where_nobody_knows_when_the_load_was_put_on_nothing_is_corrected() -> None:
    cert = with_stability(creep_gained_pct=0.01, u_creep_gained_pct=0.002, creep_whole_pct=0.015)
    inert = creep_and_blank(cert, M1, None, loaded_at_known=False)
    assert inert.gained_g == 0.0
    assert inert.u_g == pytest.approx(200.0 / 100.0 * math.hypot(0.002, 0.015 / math.sqrt(3.0)))
    assert "not known" in inert.why


def test_one_blank_reproduces_to_an_assumed_share_of_what_it_found() -> None:
    cert = with_stability(creep_gained_pct=0.0, u_creep_gained_pct=5.0)  # says nothing beside the blank
    inert = creep_and_blank(cert, M1, Blank("b", -0.1, 0.001, 50.0, 200.0))
    assert inert.gained_g == pytest.approx(0.1, rel=1e-3)
    assert inert.u_g == pytest.approx(math.hypot(0.001, 0.3 * 0.1 / math.sqrt(3.0)), rel=1e-3)


def test_a_check_weight_is_compared_in_grams_of_load_with_a_guided_calibration() -> None:
    air = Air(density_kg_m3=1.2, u_density_kg_m3=0.01, origin="declared")
    fit = SpanRecord(zero_code=0.0, quadratic=False, residual_g=0.0, covariance=((1.0, 0.0), (0.0, 1.0)))
    record = Record(software="t", begun=datetime.date(2026, 1, 1), air=air, weights=(), span=fit, points=())
    cert = msgspec.structs.replace(certificate(), record=record)
    found = check_span(cert, *zeros(cert, 0.0), weighing("check", 99.985, 11.0), 100.0)
    assert found.load_g == pytest.approx(100.0 * (1.0 - 1.2 / 8000.0), abs=1e-4)
    assert found.changed == 0.0


def test_a_check_weight_with_a_record_is_as_good_as_its_certificate_and_as_dense() -> None:
    cert = certificate(creep_pct=0.0)
    plain = check_span(cert, *zeros(cert, 0.0), weighing("check", 100.0, 11.0), 100.0)
    coarse = Weight(mass_g=100.0, u_mass_g=0.05, stated="a record", density_kg_m3=2700.0)
    fine = Weight(mass_g=100.0, u_mass_g=0.00005, stated="a record")
    found = [check_span(cert, *zeros(cert, 0.0), weighing("check", 100.0, 11.0), 100.0, w) for w in (coarse, fine)]
    assert found[0].u_g > 0.05
    assert found[1].u_g < plain.u_g < found[0].u_g
    assert found[0].u_g ** 2 - found[1].u_g ** 2 == pytest.approx(
        0.05**2 - 0.00005**2 + (100.0 * 0.12 / math.sqrt(3.0)) ** 2 * (1.0 / 2700.0**2 - 1.0 / 7950.0**2), rel=1e-6
    )
