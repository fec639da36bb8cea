"""Air density: published values and relations, agreement of two formulas, and no answer for nonsense."""

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibration.air import buoyancy_factor, density_kg_m3, density_simplified_kg_m3
from calibration.errors import AboveDomain, BelowDomain, OutOfDomain

NAN = float("nan")


@pytest.mark.parametrize(
    ("temp_c", "pressure_pa", "humidity_pct", "rho"),
    [(20.0, 101325.0, 50.0, 1.1993), (25.0, 100000.0, 0.0, 1.1688), (15.0, 95000.0, 80.0, 1.1428)],
)
def test_known_values(temp_c, pressure_pa, humidity_pct, rho):
    assert density_kg_m3(temp_c, pressure_pa, humidity_pct) == pytest.approx(rho, abs=5.1e-5)
    assert density_simplified_kg_m3(temp_c, pressure_pa, humidity_pct) == pytest.approx(rho, rel=2e-4)


def test_simplified_formula_by_hand():
    # 0.34848·1000 / 298.15, and with 0.009·50·exp(1.22) = 1.524237 at 20 °C.
    assert density_simplified_kg_m3(25.0, 1e5, 0.0) == pytest.approx(348.48 / 298.15, rel=1e-12)
    assert density_simplified_kg_m3(20.0, 1e5, 50.0) == pytest.approx((348.48 - 1.524237) / 293.15, rel=1e-8)


def test_the_two_formulas_agree_as_oiml_r_111_says():
    # R 111 gives the simplified formula a relative *standard* uncertainty of 2e-4, against CIPM-81/91.
    grid = product(np.linspace(10.0, 30.0, 11), np.linspace(9e4, 11e4, 11), np.linspace(0.0, 80.0, 9))
    off = np.array([density_simplified_kg_m3(*at) / density_kg_m3(*at) - 1.0 for at in grid])
    assert np.sqrt(np.mean(off**2)) < 1e-4
    assert np.mean(np.abs(off) < 2e-4) > 0.93
    # At one corner (10 °C, 1100 hPa, 80 %) it is 2.9e-4, of which 7e-5 is CIPM-2007's newer argon content.
    assert np.max(np.abs(off)) < 3e-4


def test_dry_thin_air_is_the_papers_ideal_gas():
    # Picard et al. 2008, eq. 2: ρ·Z·T/p = [3.483740 + 1.4446·(xCO2 − 0.0004)]·1e-3 for dry air.
    thin = {co2: density_kg_m3(20.0, 1.0, 0.0, co2) * 293.15 for co2 in (400.0, 1400.0)}
    assert thin[400.0] == pytest.approx(3.483740e-3, rel=2e-7)
    assert thin[1400.0] == pytest.approx((3.483740 + 1.4446e-3) * 1e-3, rel=2e-7)


def test_dry_air_at_0_c_and_1_atm_is_the_textbooks():
    assert density_kg_m3(0.0, 101325.0, 0.0) == pytest.approx(1.2930, abs=2e-4)


def test_water_vapour_at_saturation_is_the_steam_tables():
    # ρ falls by 0.3780·xv (eq. 2); psv(20 °C) is 2339 Pa in the steam tables, times 1.004 in air; Z adds 1 %.
    dry, wet = (density_kg_m3(20.0, 101325.0, humidity) for humidity in (0.0, 100.0))
    assert (1.0 - wet / dry) / 0.3780 * 101325.0 == pytest.approx(2339.0 * 1.004, rel=1e-2)


@given(st.floats(10.0, 30.0), st.floats(6e4, 1.1e5), st.floats(0.0, 99.0))
def test_warmer_wetter_and_thinner_air_is_lighter(temp_c, pressure_pa, humidity_pct):
    rho = density_kg_m3(temp_c, pressure_pa, humidity_pct)
    assert density_kg_m3(temp_c + 0.1, pressure_pa, humidity_pct) < rho
    assert density_kg_m3(temp_c, pressure_pa, humidity_pct + 1.0) < rho
    assert density_kg_m3(temp_c, pressure_pa - 10.0, humidity_pct) < rho


@given(st.floats(), st.floats(), st.floats(), st.floats())
def test_any_numbers_give_a_density_or_a_domain_error(temp_c, pressure_pa, humidity_pct, co2_ppm):
    for call in (
        lambda: density_kg_m3(temp_c, pressure_pa, humidity_pct, co2_ppm),
        lambda: density_simplified_kg_m3(temp_c, pressure_pa, humidity_pct),
    ):
        try:
            rho = call()
        except OutOfDomain:
            continue
        assert math.isfinite(rho)
        assert 0.0 <= rho < 4.0


def test_pumping_out_the_air_adds_48_mg_to_100_g():
    factor = buoyancy_factor(1.2, 2500.0)
    assert 100.0 / factor * factor == pytest.approx(100.0)
    assert (1.0 - factor) * 100_000.0 == pytest.approx(48.0)
    assert buoyancy_factor(0.0, 2500.0) == 1.0


@pytest.mark.parametrize(
    ("error", "wrong", "field"),
    [
        (BelowDomain, lambda: density_kg_m3(20.0, -1.0, 50.0), "pressure_pa"),
        (BelowDomain, lambda: density_kg_m3(20.0, 0.0, 50.0), "pressure_pa"),
        (BelowDomain, lambda: density_kg_m3(20.0, 101325.0, -1.0), "humidity_pct"),
        (AboveDomain, lambda: density_kg_m3(20.0, 101325.0, 101.0), "humidity_pct"),
        (AboveDomain, lambda: density_simplified_kg_m3(20.0, 101325.0, 101.0), "humidity_pct"),
        (AboveDomain, lambda: density_kg_m3(293.15, 101325.0, 50.0), "temp_c"),
        (BelowDomain, lambda: density_kg_m3(20.0, 101325.0, 50.0, -1.0), "co2_ppm"),
        (OutOfDomain, lambda: density_kg_m3(NAN, 101325.0, 50.0), "temp_c"),
        (OutOfDomain, lambda: density_kg_m3(20.0, 1000.0, 50.0), "humidity_pct"),
        (BelowDomain, lambda: buoyancy_factor(1.2, 0.0), "sample_kg_m3"),
        (BelowDomain, lambda: buoyancy_factor(1.2, -2500.0), "sample_kg_m3"),
        (BelowDomain, lambda: buoyancy_factor(2.5, 2.5), "sample_kg_m3"),
        (BelowDomain, lambda: buoyancy_factor(-1.2, 2500.0), "air_kg_m3"),
        (OutOfDomain, lambda: buoyancy_factor(NAN, 2500.0), "air_kg_m3"),
    ],
)
def test_nonsense_is_refused_with_its_name(error, wrong, field):
    with pytest.raises(error, match=f"^{field} = "):
        wrong()
