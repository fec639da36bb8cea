"""From a gauge's codes to pascals: by the MPR's transfer function, or along an analogue gauge's curve."""

from __future__ import annotations

import math
from decimal import Decimal, localcontext

import msgspec
import numpy as np
import pytest
from simulated_chips import AdsRig, MprRig

from calibration.gauge_curve import pascals
from calibration.vacuum_gauge import MPRLS_ERROR_PA, VacuumGauge, declared_of, error_pa, qualifying_limit_pa
from edge.instrument.config import VacuumConfig

MPRLS = VacuumGauge(gauge="mprls")
PIRANI = VacuumGauge(gauge="ads1115", divider=3.2, curve=((2.0, 0.1), (5.0, 100.0), (8.0, 1e5)))


@pytest.mark.parametrize("pa", [0.0, 50.0, 1_000.0, 101_325.0, 172_368.9])
def test_an_mprls_gives_back_the_pressure_it_saw(pa: float) -> None:
    rig = MprRig(lambda t: pa, chip_settings={"noise_codes": 0.0})
    rig.driver.open()
    assert pascals([rig.driver.read().code], MPRLS)[0] == pytest.approx(pa, abs=1.7)


def test_what_an_mprls_shows_at_nothing_is_taken_away() -> None:
    rig = MprRig(lambda t: 840.0 + 60.0)
    rig.driver.open()
    shifted = VacuumGauge(gauge="mprls", zero_pa=840.0)
    assert pascals([rig.driver.read().code], shifted)[0] == pytest.approx(60.0, abs=20.0)
    assert pytest.approx(2586, abs=1) == MPRLS_ERROR_PA


@pytest.mark.parametrize(
    ("volts", "pa"), [(2.0, 0.1), (3.5, math.sqrt(10.0)), (5.0, 100.0), (6.5, math.sqrt(1e7)), (8.0, 1e5)]
)
def test_a_curve_is_followed_in_the_logarithm_of_the_pressure(volts: float, pa: float) -> None:
    codes = [32768 + round(volts / 3.2 / 4.096 * 32768 + step) for step in (-1, 0, 1)]
    got = pascals(codes, PIRANI)
    assert got[np.isfinite(got)] == pytest.approx(pa, rel=0.005)
    assert np.isfinite(got).sum() >= 1


def test_a_falling_curve_is_followed_too() -> None:
    falling = VacuumGauge(gauge="ads1115", curve=((0.5, 1e5), (2.5, 10.0)))
    assert pascals([32768 + 12000], falling)[0] == pytest.approx(1e3, rel=0.001)  # 1.5 V


@pytest.mark.parametrize("volts", [0.0, 1.9, 8.1, -1.0])
def test_outside_the_curve_there_is_no_pressure(volts: float) -> None:
    assert np.isnan(pascals([32768 + round(volts / 3.2 / 4.096 * 32768)], PIRANI)[0])


def test_driver_chip_and_curve_agree() -> None:
    rig = AdsRig(lambda channel, t: 5.0 / 3.2)
    rig.driver.open()
    assert pascals([rig.driver.read().code], PIRANI)[0] == pytest.approx(100.0, rel=0.01)


def test_an_analogue_gauge_is_followed_to_the_last_digits_without_the_machine_s_own_exp() -> None:
    """Against 40 exact digits: the pressures qualify seconds, so no library may decide their last bits."""
    codes = list(range(32768 + 5001, 32768 + 19990, 97))
    got = pascals(codes, PIRANI)
    with localcontext() as context:
        context.prec = 40
        points = [(Decimal(v), Decimal(pa).ln()) for v, pa in PIRANI.curve]
        for code, pa in zip(codes, got, strict=True):
            volts = Decimal(code - 32768) * Decimal("4.096") / 32768 * Decimal("3.2")
            (v0, l0), (v1, l1) = (points[0], points[1]) if volts < points[1][0] else (points[1], points[2])
            exact = (l0 + (volts - v0) / (v1 - v0) * (l1 - l0)).exp()
            assert float(exact) == pytest.approx(float(pa), rel=2e-14)


def test_a_limit_that_a_gauge_can_show_is_shown_and_one_that_it_cannot_is_declared() -> None:
    assert error_pa(MPRLS) == MPRLS_ERROR_PA
    assert math.isnan(error_pa(PIRANI))
    assert qualifying_limit_pa(10_000.0, MPRLS) == 10_000.0 - MPRLS_ERROR_PA
    assert declared_of(10_000.0, MPRLS) == []
    assert qualifying_limit_pa(1_000.0, MPRLS) == 1_000.0 + MPRLS_ERROR_PA
    assert "below its error the vacuum is declared" in declared_of(1_000.0, MPRLS)[0]
    assert qualifying_limit_pa(1_000.0, PIRANI) == 1_000.0
    assert "not stated" in declared_of(1_000.0, PIRANI)[0]


def test_a_declared_pressure_is_no_gauge_and_a_fitted_one_keeps_the_keys_of_its_settings() -> None:
    assert VacuumConfig().fitted() is None
    settings = VacuumConfig(gauge="ads1115", divider=3.2, curve=((2.0, 0.1), (5.0, 100.0)))
    assert msgspec.to_builtins(settings.fitted()) == msgspec.to_builtins(settings)
