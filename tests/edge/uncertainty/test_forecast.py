"""The forecast: the table of FACTS.md, and a smallest sample that is just worth burning."""

from __future__ import annotations

import math

import msgspec
import pytest
from balance_at_a_terminal import CERTIFICATE as BALANCE
from repository import ROOT

from calibration.balance_certificate import loads_balance
from calibration.certificate import Certificate, loads
from edge.errors import BadInput, BadValue
from edge.report.text import forecast_text
from edge.simulate.instrument import calibrated
from edge.standards.standard import load_standard, loads_standard
from edge.uncertainty.forecast import (
    BESIDE_HOLD_S,
    WORTH,
    expected,
    expected_on_balance,
    forecast,
    minimum_weight_g,
    smallest_sample_g,
)
from hw.sim.rig import RigTruth

NATIONAL = load_standard("gbt-48093-1-2026")
QUIET = calibrated(RigTruth(), "nau7802", 1)


def bar(capacity_g: float = 500.0) -> Certificate:
    """The cheap 500 g bar of FACTS.md, uncorrected: zero and span 0.05 %FS in 10 K each, as it stands there."""
    text = (ROOT / "docs" / "calibration.md").read_text(encoding="utf-8").split("```toml\n", 1)[1].split("```", 1)[0]
    c = loads(text)
    per_g = 4000.0
    zero_per_k = 0.0005 * capacity_g * per_g / 10.0
    return msgspec.structs.replace(
        c,
        cell=msgspec.structs.replace(c.cell, capacity_g=capacity_g),
        span=msgspec.structs.replace(c.span, counts_per_g=per_g, u_counts_per_g=1.0),
        temperature=msgspec.structs.replace(
            c.temperature, u_zero_counts_per_k=zero_per_k, u_span_per_k=5e-5, u_cell_temp_c=0.0
        ),
        stability=msgspec.structs.replace(c.stability, creep_pct_fs=0.0, zero_drift_g=0.0),
    )


@pytest.mark.parametrize("sample_g", [50.0, 100.0, 200.0])
@pytest.mark.parametrize("apart_k", [1.0, 5.0])
def test_the_temperature_part_of_facts_rough_budget(sample_g: float, apart_k: float) -> None:
    """±ΔT on an uncorrected cell: zero 0.05 %FS/10 K and span 0.05 %/10 K, taken as standard uncertainties here."""
    standard = loads_standard(
        f'id = "t"\ntitle = "t"\nlimit_pct = 0.5\ntemp_c = 120.0\nhold_s = 21600\ncold_temp_tolerance_c = {apart_k}\n'
    )
    zero_pct = 0.0005 * 500.0 / 10.0 * apart_k / sample_g * 100.0
    span_pct = 5e-5 * apart_k * 100.0
    found = {c.name: c.contribution_pct for c in expected(bar(), standard, sample_g).components}
    assert found["zero temperature coefficient"] == pytest.approx(zero_pct, rel=0.01)
    assert found["span temperature coefficient"] == pytest.approx(span_pct, rel=0.01)


def test_a_larger_sample_is_known_better() -> None:
    u = [expected(bar(), NATIONAL, g).expanded_pct for g in (20.0, 50.0, 100.0, 200.0, 400.0)]
    assert u == sorted(u, reverse=True)


def test_the_smallest_sample_is_just_worth_it() -> None:
    g = smallest_sample_g(bar(), NATIONAL)
    assert g is not None
    goal = WORTH * NATIONAL.limit_pct.value
    assert expected(bar(), NATIONAL, g).expanded_pct <= goal
    assert expected(bar(), NATIONAL, g * 0.99).expanded_pct > goal


def test_a_barometer_is_promised_no_more_than_the_weather_lets_it() -> None:
    """By hand: 1/10000 of 500 g a kPa, rectangular, times the root mean square of ±1 kPa, which is 1/√3 kPa."""
    known, read = (expected(bar(), NATIONAL, 100.0, pressure_read=read) for read in (False, True))
    parts = [
        {c.name: c.contribution_pct for c in b.components}["air pressure on the cell's zero"] for b in (known, read)
    ]
    assert parts[0] == pytest.approx(0.05 / math.sqrt(3.0), rel=0.01)
    assert parts[1] == pytest.approx(0.05 / math.sqrt(3.0) * math.hypot(1.0, 0.03) / math.sqrt(3.0), rel=0.01)
    assert read.expanded_pct < known.expanded_pct
    told = forecast(bar(), NATIONAL, 100.0, pressure_read=True)
    assert told.U_pct == read.expanded_pct
    assert told.pressure_read
    assert "with the barometer of the settings" in forecast_text(told)
    assert "barometer" not in forecast_text(forecast(bar(), NATIONAL, 100.0))
    smallest, without = (smallest_sample_g(bar(), NATIONAL, pressure_read=read) for read in (True, False))
    assert smallest is not None
    assert without is None or smallest < without


def wandering(walk_g: float) -> Certificate:
    c = bar()
    return msgspec.structs.replace(c, stability=msgspec.structs.replace(c.stability, zero_walk_g=walk_g))


def test_a_zero_that_wanders_wanders_for_the_whole_night() -> None:
    found = {c.name: c.contribution_pct for c in expected(wandering(0.01), NATIONAL, 100.0).components}
    # 10 mg after an hour; six hours of hold and what lies beside it
    assert found["zero walk"] == pytest.approx(0.01 * math.sqrt(6.0 + BESIDE_HOLD_S / 3600.0), rel=0.01)


def test_a_second_zero_is_worth_what_the_forecast_says() -> None:
    cert = wandering(0.01)
    f = forecast(cert, NATIONAL, 100.0)
    assert f.U_pct_with_second_zero == expected(cert, NATIONAL, 100.0, zero_after=True).expanded_pct
    assert f.U_pct_with_second_zero < f.U_pct
    assert "with a second zero after M2: U = " in forecast_text(f)


def test_a_cell_that_cannot_judge_says_so() -> None:
    c = bar()
    wild = msgspec.structs.replace(c, stability=msgspec.structs.replace(c.stability, zero_drift_g=50.0))
    assert smallest_sample_g(wild, NATIONAL) is None
    assert forecast(wild, NATIONAL, 100.0).worth_it is False


@pytest.mark.parametrize("sample_g", [0.0, -1.0, math.nan, math.inf, 501.0])
def test_a_sample_that_cannot_be_is_refused(sample_g: float) -> None:
    with pytest.raises(BadInput, match="sample_mass"):
        expected(bar(), NATIONAL, sample_g)


def test_the_minimum_weight_is_the_smallest_sample_with_its_safety_factor() -> None:
    once, twice = (minimum_weight_g(QUIET, NATIONAL, safety) for safety in (1.0, 2.0))
    assert once == smallest_sample_g(QUIET, NATIONAL)
    assert once is not None
    assert twice is not None
    third = NATIONAL.limit_pct.value / 3.0
    assert 2.0 * expected(QUIET, NATIONAL, twice).expanded_pct <= third
    assert 2.0 * expected(QUIET, NATIONAL, 0.99 * twice).expanded_pct > third


def test_a_laboratory_s_balance_has_its_own_forecast_and_minimum_weight() -> None:
    balance = loads_balance(BALANCE)
    found = forecast(QUIET, NATIONAL, 100.0, balance=balance)
    assert found.on_balance is not None
    assert found.on_balance.U_pct == expected_on_balance(balance, NATIONAL, 100.0).expanded_pct
    assert found.on_balance.U_pct < found.U_pct
    least_g = found.on_balance.minimum_weight_g
    assert least_g is not None
    assert 2.0 * expected_on_balance(balance, NATIONAL, least_g).expanded_pct <= NATIONAL.limit_pct.value / 3.0
    assert f"minimum weight {least_g:.3g} g" in forecast_text(found)
    with pytest.raises(BadValue, match="balance B1 weighs up to 420 g"):
        expected_on_balance(balance, NATIONAL, 421.0)
