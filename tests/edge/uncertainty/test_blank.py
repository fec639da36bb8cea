"""A blank: subtracted with its uncertainty where it matches, refused in one line where it does not."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import numpy as np
import pytest
from loss_inputs import budget_of

from calibration.certificate import certificate_hash
from calibration.integrated import Integrated
from edge.errors import BadInput, BlankDoesNotMatch
from edge.records.result import BudgetLine, Result, from_json
from edge.records.weighing import Weighing, WeighingKind
from edge.simulate.instrument import calibrated
from edge.uncertainty.blank import (
    Blank,
    CreepStated,
    blank_found,
    blank_from_result,
    check_blank,
    check_same_rig,
    mean_of_blanks,
)
from edge.uncertainty.budget import coverage_factor
from hw.sim.rig import RigTruth

CERTIFICATE = calibrated(RigTruth(), "nau7802", 1)


def line(name: str, contribution_pct: float, dof: float | None) -> dict[str, Any]:
    about = {"value": 0.0, "u": 0.0, "unit": "g", "distribution": "t", "origin": "measured", "why": ""}
    return about | {"name": name, "contribution_pct": contribution_pct, "dof": dof}


def run(**changed: Any) -> Result:
    """A run's result, as far as a blank looks at it, as an older version stored it."""
    made: dict[str, Any] = {
        "verdict": "PASS",
        "kind": "blank",
        "limit_pct": 0.5,
        "comparator": "<=",
        "standard": {"id": "s", "title": "s", "sha256": "0", "verified": False},
        "run_id": 7,
        "sample_id": "dummy",
        "blank_run": True,
        "loss_pct": -0.02,
        "reference_g": 200.0,
        "m1_g": 200.0,
        "invalid_because": None,
        "certificate": {"name": "cell", "sha256": certificate_hash(CERTIFICATE)},
        "temp_c": 120.0,
        "temp_band_c": 2.0,
        "hold_required_s": 21_600.0,
        "weigh": "cold",
        "budget": [
            line("zero walk", 0.003, 40.0),
            line("noise of M1", 0.004, None),
            line("creep", 0.03, None),
        ],
    }
    return from_json(made | changed)


def test_a_blank_is_its_run_s_loss_without_the_creep_that_it_measures() -> None:
    blank = blank_from_result(run())
    assert blank.loss_g == pytest.approx(-0.04)
    assert blank.u_g == pytest.approx(0.01)  # √(0.003² + 0.004²) % of 200 g
    assert blank.dof == pytest.approx(0.005**4 / (0.003**4 / 40.0))


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"blank_run": False}, "was a sample, not a blank"),
        ({"loss_pct": None, "invalid_because": "hold too short"}, "was INVALID"),
    ],
)
def test_what_is_no_blank_is_refused(changed: dict[str, Any], reason: str) -> None:
    with pytest.raises(BadInput, match=reason):
        blank_from_result(run(**changed))


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"m1_g": 120.0}, "within 20 %"),
        ({"temp_c": 130.0}, "the hold's temperature"),
        ({"hold_required_s": 3600.0}, "the hold's length"),
        ({"weigh": "hot"}, "the way of weighing"),
    ],
)
def test_a_blank_that_does_not_match_is_refused_in_one_line(changed: dict[str, Any], reason: str) -> None:
    with pytest.raises(BadInput, match=reason) as e:
        check_blank(run(**changed), run(blank_run=False, m1_g=201.0))
    assert "\n" not in str(e.value)


@pytest.mark.parametrize("certificate", [{"name": "cell", "sha256": "b"}, None])
def test_a_blank_of_another_rig_is_refused_in_one_line(certificate: dict[str, str] | None) -> None:
    with pytest.raises(BadInput, match="another rig or certificate") as e:
        check_same_rig(run(certificate=certificate), CERTIFICATE)
    assert "\n" not in str(e.value)
    with pytest.raises(BadInput, match="another rig or certificate"):
        check_same_rig(run(), None)
    check_same_rig(run(), CERTIFICATE)


def test_what_a_blank_run_found_is_read_and_not_worked_out_again() -> None:
    stored = run(blank_found={"loss_g": 0.1, "u_g": 0.02, "dof": None})
    assert blank_from_result(stored) == Blank("run 7 (dummy)", 0.1, 0.02, math.inf, 200.0)
    lines = [msgspec.convert(line("creep", 0.03, None), BudgetLine)]
    assert blank_found(0.5, 200.0, lines).u_g == 0.0


def test_a_blank_that_matches_is_taken() -> None:
    check_blank(run(m1_g=190.0), run(blank_run=False, m1_g=205.0))


def weighing(which: str, mean: float) -> Weighing:
    return Weighing(WeighingKind(which), Integrated(mean, 1e-4, 50.0, 100, 0, 600), 0.0, 99.0, 25.0, 25.0, math.nan)


@pytest.mark.parametrize(("u_blank_g", "weight"), [(1e-6, 1.0), (1e3, 0.0)])
def test_a_blank_counts_by_how_well_it_is_known_against_the_certificate_s_creep(
    u_blank_g: float, weight: float
) -> None:
    cert = CERTIFICATE
    m1, m2 = weighing("m1", 200.0), weighing("m2", 199.5)
    plain = budget_of(m1, m2, m1, coverage=0.9545, certificate=cert)
    blank = Blank("run 7", -0.04, u_blank_g, 50.0, 200.0)
    corrected = budget_of(m1, m2, m1, coverage=0.9545, certificate=cert, blank=blank)
    # 0.04 g of 200 g; the reference mass is that in vacuum, up to 0.12 % more (air at 1 g/cm³)
    assert corrected.loss_pct - plain.loss_pct == pytest.approx(weight * 0.02, rel=1.2e-3, abs=1e-6)
    assert corrected.first_order_u_pct <= plain.first_order_u_pct * (1.0 + 1e-9)


def of(*loss_g: float, u_g: float = 0.0, mass_g: float = 200.0, dof: float = math.inf) -> list[Blank]:
    return [Blank(f"run {i} (dummy)", g, u_g, dof, mass_g) for i, g in enumerate(loss_g, 1)]


def test_one_blank_is_as_it_was() -> None:
    (blank,) = of(-0.04, u_g=0.01)
    assert mean_of_blanks([blank], 230.0) is blank
    assert blank.again_u_g is None


def test_two_blanks_have_their_mean_and_say_how_far_nights_are_apart() -> None:
    """By hand: s² = 2·0.01² is more than 0.3²·0.04²/6; √(1 + 1/2) of it in this night."""
    found = mean_of_blanks(of(-0.03, -0.05), 200.0)
    assert found.loss_g == pytest.approx(-0.04)
    assert found.name == "run 1 (dummy), run 2 (dummy)"
    assert found.u_g == pytest.approx(0.0, abs=1e-12)
    assert found.again_u_g == pytest.approx(math.sqrt(2e-4 * 1.5))
    assert found.dof == pytest.approx(3.0)


def test_what_the_blanks_were_measured_with_is_no_difference_of_nights() -> None:
    found = mean_of_blanks(of(-0.03, -0.05, u_g=0.02, dof=40.0), 200.0)
    assert found.u_g == pytest.approx(0.02 / math.sqrt(2.0))
    assert found.again_u_g == pytest.approx(math.sqrt(2.0 * 2.4e-5 / 3.0 * 1.5))


def test_a_heavier_sample_takes_between_all_and_as_much_more_as_it_is_heavier() -> None:
    found = mean_of_blanks(of(-0.04, -0.04), 240.0)
    assert found.loss_g == pytest.approx(-0.044)
    assert found.u_g == pytest.approx(0.004 / math.sqrt(3.0))


def test_a_blank_that_is_named_twice_is_refused() -> None:
    with pytest.raises(BlankDoesNotMatch, match="named twice"):
        mean_of_blanks([*of(-0.04), *of(-0.04)], 200.0)


@pytest.mark.parametrize(("n", "nights_g"), [(2, 0.005), (3, 0.008), (6, 0.02)])
def test_this_night_s_own_is_in_the_interval_as_often_as_it_says(n: int, nights_g: float) -> None:
    """Nights that differ as was assumed of one blank, and more where there are enough blanks to say so."""
    rng, inside, u_g = np.random.default_rng(n), 0, 0.003
    for _ in range(1500):
        nights = -0.04 + nights_g * rng.standard_normal(n + 1)
        found = mean_of_blanks(of(*(nights[:n] + u_g * rng.standard_normal(n)).tolist(), u_g=u_g), 200.0)
        assert found.again_u_g is not None
        u = math.hypot(found.u_g, found.again_u_g)
        inside += abs(found.loss_g - nights[n]) <= coverage_factor(0.95, found.dof) * u
    assert 0.9 <= inside / 1500 <= 1.0


# taken to the sample's mass


def test_at_the_dummys_own_mass_a_blank_is_as_it_was_and_says_what_is_not_the_loads() -> None:
    (blank,) = of(-0.04, u_g=0.01)
    found = mean_of_blanks([blank], 200.0, by_mass=True)
    assert (found.loss_g, found.u_g, found.dof) == (blank.loss_g, blank.u_g, blank.dof)
    assert found.fixed_g == pytest.approx(-0.02)


def test_without_a_measured_creep_half_of_it_goes_with_the_load_give_or_take_half() -> None:
    (blank,) = of(-0.04)
    found = mean_of_blanks([blank], 300.0, by_mass=True)
    assert found.loss_g == pytest.approx(-0.05)
    assert found.u_g == pytest.approx(0.01 / math.sqrt(3.0))
    pair = mean_of_blanks(of(-0.04, -0.04), 240.0, by_mass=True)
    plain = mean_of_blanks(of(-0.04, -0.04), 240.0)
    assert (pair.loss_g, pair.u_g) == pytest.approx((plain.loss_g, plain.u_g))


@pytest.mark.parametrize("load_g", [100.0, 150.0, 260.0, 400.0])
def test_a_creep_that_is_known_is_scaled_and_the_holder_is_not(load_g: float) -> None:
    """A made-up rig: 0.01 % of the load creeps, 7 mg dry in the holder; the certificate knows the creep to 0.001 %."""
    creep, holder_g, dummy_g = 1e-4, 0.007, 200.0
    blank = Blank("run 7", -creep * dummy_g + holder_g, 0.0, math.inf, dummy_g)
    found = mean_of_blanks([blank], load_g, by_mass=True, creep=CreepStated(creep, 1e-5))
    assert found.loss_g == pytest.approx(-creep * load_g + holder_g, abs=2.0 * found.u_g + 1e-12)
    assert found.u_g < 1e-5 * dummy_g * abs(load_g / dummy_g - 1.0) * 1.01
    assert found.fixed_g == pytest.approx(holder_g)


def test_how_much_of_a_blank_is_creep_is_inside_as_often_as_it_says() -> None:
    rng, inside, n = np.random.default_rng(4), 0, 2000
    for _ in range(n):
        creep, u = float(rng.normal(0.0, 2e-4)), 5e-5
        stated = CreepStated(creep + u * float(rng.standard_normal()), u)
        holder_g = float(rng.uniform(-0.02, 0.02))
        blank = Blank("run 7", -creep * 200.0 + holder_g, 0.0, math.inf, 200.0)
        found = mean_of_blanks([blank], 320.0, by_mass=True, creep=stated)
        inside += abs(found.loss_g - (-creep * 320.0 + holder_g)) <= 2.0 * found.u_g
    assert inside / n >= 0.93, inside / n


def test_a_dummy_of_half_to_twice_the_samples_mass_is_taken() -> None:
    for dummy_g in (101.0, 205.0, 399.0):
        check_blank(run(m1_g=dummy_g), run(blank_run=False, m1_g=200.0), by_mass=True)
    for dummy_g in (99.0, 401.0, None):
        with pytest.raises(BlankDoesNotMatch, match="half to twice the sample's mass"):
            check_blank(run(m1_g=dummy_g), run(blank_run=False, m1_g=200.0), by_mass=True)
    with pytest.raises(BlankDoesNotMatch, match="within 20 %"):
        check_blank(run(m1_g=101.0), run(blank_run=False, m1_g=200.0))


def test_what_is_not_in_proportion_is_named_in_the_budget() -> None:
    m1, m2 = weighing("m1", 200.0), weighing("m2", 199.5)
    blank = mean_of_blanks([Blank("run 7", -0.04, 0.001, 50.0, 180.0)], 200.0, by_mass=True)
    told = budget_of(m1, m2, m1, coverage=0.9545, certificate=CERTIFICATE, blank=blank)
    why = next(c.why for c in told.components if c.name == "blank")
    assert "(-0.0200 g of it the zero's and the holder's), weight" in why
