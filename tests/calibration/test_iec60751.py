"""IEC 60751: the standard's own values both ways, the round trip, and no answer outside the domain."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibration.errors import AboveDomain, BelowDomain, CalibrationError, OutOfDomain
from calibration.iec60751 import TOLERANCE_C, resistance_ohm, temperature_c, tolerance_c
from edge.qualify.references import PT100

TEMP_C = st.floats(-200.0, 850.0)


@pytest.mark.parametrize(("temp_c", "ohm"), PT100.items())
def test_gives_the_standards_resistance(temp_c, ohm):
    assert resistance_ohm(temp_c) == pytest.approx(ohm, abs=5.1e-5)
    assert resistance_ohm(temp_c, 1000.0) == pytest.approx(10.0 * ohm, abs=5.1e-4)


@pytest.mark.parametrize(("temp_c", "ohm"), PT100.items())
def test_gives_the_standards_temperature(temp_c, ohm):
    # The last printed digit, 5e-5 Ω, is at most 0.0002 °C.
    inside = min(max(ohm, resistance_ohm(-200.0)), resistance_ohm(850.0))
    assert temperature_c(inside) == pytest.approx(temp_c, abs=2.5e-4)


def test_sensitivity_at_120_c():
    slope = (resistance_ohm(120.5) - resistance_ohm(119.5)) / 1.0
    assert slope == pytest.approx(0.3770, abs=5e-5)


@given(TEMP_C, st.sampled_from([10.0, 100.0, 500.0, 1000.0]))
def test_round_trip_from_temperature(temp_c, r0_ohm):
    assert temperature_c(resistance_ohm(temp_c, r0_ohm), r0_ohm) == pytest.approx(temp_c, abs=1e-9)


@given(st.floats(resistance_ohm(-200.0), resistance_ohm(850.0)))
def test_round_trip_from_resistance(ohm):
    assert resistance_ohm(temperature_c(ohm)) == pytest.approx(ohm, abs=1e-9)


@given(st.tuples(TEMP_C, TEMP_C).filter(lambda pair: pair[0] - pair[1] > 1e-6))
def test_warmer_is_more_resistance(pair):
    assert resistance_ohm(pair[0]) > resistance_ohm(pair[1])


def test_arrays_of_any_shape_agree_with_scalars():
    temps = np.linspace(-200.0, 850.0, 12).reshape(3, 4)
    ohms = resistance_ohm(temps)
    back = temperature_c(ohms)
    assert ohms.shape == back.shape == (3, 4)
    assert [resistance_ohm(t) for t in temps.flat] == list(ohms.flat)
    assert [temperature_c(r) for r in ohms.flat] == list(back.flat)
    assert resistance_ohm(np.array([])).shape == (0,)
    assert isinstance(resistance_ohm(20), float)
    assert isinstance(temperature_c(np.float64(120.0)), float)


@pytest.mark.parametrize(
    ("tolerance_class", "at_0", "at_120", "at_minus_100"),
    [("AA", 0.10, 0.304, 0.27), ("A", 0.15, 0.39, 0.35), ("B", 0.30, 0.90, 0.80), ("C", 0.60, 1.80, 1.60)],
)
def test_tolerance_classes(tolerance_class, at_0, at_120, at_minus_100):
    given_c = tolerance_c(np.array([0.0, 120.0, -100.0]), tolerance_class)
    assert given_c == pytest.approx([at_0, at_120, at_minus_100], abs=1e-12)
    assert tolerance_c(120.0, tolerance_class) == pytest.approx(at_120)


def test_one_error_below_and_one_above():
    with pytest.raises(BelowDomain, match=r"temp_c = -200\.1"):
        resistance_ohm(-200.1)
    with pytest.raises(AboveDomain, match=r"temp_c = 850\.1"):
        resistance_ohm([20.0, 850.1])
    with pytest.raises(BelowDomain, match="resistance_ohm = 0 "):
        temperature_c(0.0)
    with pytest.raises(AboveDomain, match="resistance_ohm = 430"):
        temperature_c(430.0)
    with pytest.raises(AboveDomain):
        temperature_c(np.inf)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: resistance_ohm(float("nan")),
        lambda: temperature_c([100.0, float("nan")]),
        lambda: resistance_ohm(20.0, 0.0),
        lambda: temperature_c(100.0, -100.0),
        lambda: temperature_c(100.0, float("inf")),
        lambda: tolerance_c(20.0, "F0.3"),
        lambda: tolerance_c(900.0, "B"),
    ],
)
def test_what_is_no_input_is_refused_in_one_line(wrong):
    with pytest.raises(OutOfDomain) as caught:
        wrong()
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, CalibrationError)
    assert len(str(caught.value).splitlines()) == 1


def test_the_classes_are_the_standards():
    assert list(TOLERANCE_C) == ["AA", "A", "B", "C"]
