"""Buoyancy: the air around M1 and M2, measured, declared or assumed, and what it does to a loss."""

from __future__ import annotations

import math

import pytest
from loss_inputs import budget_of

from calibration.air import density_kg_m3
from calibration.integrated import Integrated
from calibration.vacuum_gauge import VacuumGauge
from edge.records.sample import Air
from edge.records.weighing import Weighing, WeighingKind
from edge.uncertainty.budget import Budget
from edge.uncertainty.buoyancy import ASSUMED_G_CM3, CHANGE, AirAround, air_around

MPRLS = VacuumGauge(gauge="mprls")
PIRANI = VacuumGauge(gauge="ads1115", curve=((1.0, 0.1), (9.0, 1e5)))
ROOM = Air(1013.25, 25.0, 50.0)


def weighing(which: str, mean: float = 100.0, pressure_pa: float = math.nan, temp_c: float = 25.0) -> Weighing:
    return Weighing(
        WeighingKind(which), Integrated(mean, 1e-5, 50.0, 100, 0, 600), 0.0, 99.0, temp_c, 25.0, pressure_pa
    )


def around(p1: float = math.nan, p2: float = math.nan, *air: Air, vacuum: VacuumGauge | None = None) -> AirAround:
    return air_around(weighing("m1", pressure_pa=p1), weighing("m2", pressure_pa=p2), air, vacuum)


def loss(before: Weighing, after: Weighing, air: AirAround, density: tuple[float, float] | None) -> Budget:
    """A balance that does not drift, which is declared: where nobody states it, ±1 % of the load drowns all else."""
    return budget_of(
        before, after, before, certificate=None, declared_u_g=0.0, air=air, density_g_cm3=density, seed=None
    )


def test_nothing_known_is_assumed_and_says_so() -> None:
    found = around()
    assert (found.m1_g_cm3, found.change_g_cm3) == (ASSUMED_G_CM3, 0.0)
    assert found.u_change == pytest.approx(CHANGE / math.sqrt(3.0) * ASSUMED_G_CM3)
    assert (found.origin, found.change_origin) == ("assumed", "assumed")


def test_air_declared_once_is_that_of_m1_and_may_move() -> None:
    found = around(math.nan, math.nan, ROOM)
    assert found.m1_g_cm3 == density_kg_m3(25.0, 101_325.0, 50.0) / 1e3
    assert (found.origin, found.change_origin, found.change_g_cm3) == ("declared", "assumed", 0.0)
    # ±1 hPa, 0.5 K, 5 % RH by hand: 1e-3, 1.7e-3 and about 0.6e-3 of it
    assert found.u_m1 / found.m1_g_cm3 == pytest.approx(math.sqrt(1e-3**2 + 1.7e-3**2 + 0.6e-3**2), rel=0.1)


def test_air_read_at_both_moves_by_what_was_read_as_far_as_that_is_known() -> None:
    lower = Air(1008.0, 25.0, 50.0)
    found = around(math.nan, math.nan, ROOM, lower)
    read = (density_kg_m3(25.0, 100_800.0, 50.0) - density_kg_m3(25.0, 101_325.0, 50.0)) / 1e3
    assert found.change_origin == "declared"
    assert 0.9 * abs(read) < abs(found.change_g_cm3) < abs(read)
    assert found.u_change < around().u_change


@pytest.mark.parametrize("vacuum", [MPRLS, PIRANI, None])
def test_air_at_m1_and_a_vacuum_at_m2_are_seen_to_differ(vacuum: VacuumGauge | None) -> None:
    found = around(101_325.0, 50.0, vacuum=vacuum)
    assert found.differs == "M1 at 101 kPa and M2 at 0.05 kPa"
    assert found.m1_g_cm3 + found.change_g_cm3 == pytest.approx(5.9e-7, abs=1e-8)


@pytest.mark.parametrize(("p1", "p2"), [(101_325.0, 100_800.0), (50.0, 60.0), (-900.0, 300.0)])
def test_two_weighings_in_the_same_air_or_none_do_not_differ(p1: float, p2: float) -> None:
    assert around(p1, p2, vacuum=MPRLS).differs == ""


def test_facts_100_g_at_2_5_g_cm3_gain_48_mg_when_the_air_goes() -> None:
    """FACTS.md, air of 1.2 kg/m³. A sample that truly lost nothing seems to have gained it, and has it taken away."""
    air = AirAround(1.2e-3, 0.0, -1.2e-3, 0.0, "measured", "", "measured", "")
    before, after = weighing("m1", 100.0 * (1.0 - 1.2e-3 / 2.5)), weighing("m2", 100.0)
    assert after.value.mean - before.value.mean == pytest.approx(0.048)
    assert loss(before, after, air, (2.5, 2.5)).loss_pct == pytest.approx(0.0, abs=1e-12)
    unlike = AirAround(1.2e-3, 0.0, 0.0, 0.0, "assumed", "", "assumed", "")
    assert loss(before, after, unlike, (2.5, 2.5)).loss_pct == pytest.approx(-0.048, rel=1e-3)


def test_an_unknown_density_makes_that_correction_uncertain() -> None:
    air = around(101_325.0, 50.0, vacuum=MPRLS)
    before, after = weighing("m1"), weighing("m2")
    known, unknown = (loss(before, after, air, d) for d in ((2.4, 2.6), None))
    # 1 to 10 g/cm³: 0.9 cm³/g of 1.2 mg/cm³ wide, a rectangle
    found = next(c for c in unknown.components if c.name == "specific volume of the sample")
    assert found.contribution_pct == pytest.approx(0.9 / 2.0 / math.sqrt(3.0) * 1.18e-3 * 100.0, rel=0.01)
    assert found.origin == "assumed"
    assert known.u_pct < unknown.u_pct / 5.0


def test_weather_counts_by_what_the_sample_displaces() -> None:
    b = loss(weighing("m1"), weighing("m2"), around(), (2.4999, 2.5001))
    found = next(c for c in b.components if c.name == "change of the air's density")
    assert found.contribution_pct == pytest.approx(0.02 / math.sqrt(3.0) * ASSUMED_G_CM3 / 2.5 * 100.0, rel=1e-3)
