"""A zero that moves with temperature far beyond its cell's class is called the mount's."""

from __future__ import annotations

import math

import pytest

from calibration.loadcell import SpanFit, SpanPoint, fit_span
from calibration.thermal import TemperatureFit
from edge.guided_calibration.fits import CalibrationFits
from edge.guided_calibration.mount import of_the_mount

CAPACITY_G, PER_G = 500.0, 1000.0


def span() -> SpanFit:
    return fit_span([SpanPoint(m, 0.003, PER_G * m, 1.0) for m in (0.0, 100.0, 200.0, 300.0)], CAPACITY_G)


def slope(g_per_k: float) -> TemperatureFit:
    return TemperatureFit(g_per_k * PER_G, 1.0, 0.0, 1.0, 0.0, 1.0, 10.0, 1.0, 1.0)


def fits(zero_g_per_k: float | None) -> CalibrationFits:
    zero = None if zero_g_per_k is None else slope(zero_g_per_k)
    return CalibrationFits(span(), zero, None, None, 5.0, 25.0, math.nan, None, None)


@pytest.mark.parametrize(
    ("zero_g_per_k", "said"),
    [
        (None, False),
        (0.007, False),  # what R 60 allows: 0.7 · 0.05 g in 5 K
        (-0.02, False),
        (0.0588, True),  # 8.4 times, as one mount was measured
        (-0.0588, True),
    ],
)
def test_a_zero_beyond_its_class_is_the_mounts(zero_g_per_k: float | None, said: bool) -> None:
    lines = of_the_mount(fits(zero_g_per_k), CAPACITY_G)
    assert bool(lines) is said
    assert not said or ("8.4 times" in lines[0] and "mount" in lines[0])


@pytest.mark.parametrize(
    ("per_k", "said"),
    [
        (1.17e-5, False),  # what R 60 allows
        (-5e-5, False),  # a cheap cell's 0.05 % in 10 K
        (1.75e-4, True),  # 15 times
        (-1.75e-4, True),
    ],
)
def test_a_span_far_beyond_any_cell_s_is_the_mounts(per_k: float, said: bool) -> None:
    zero, loaded = slope(0.002), slope(0.002 + per_k * 200.0)
    found = CalibrationFits(span(), zero, loaded, None, 5.0, 25.0, 200.0, None, None)
    lines = of_the_mount(found, CAPACITY_G)
    assert bool(lines) is said
    assert not said or ("15 times" in lines[0] and "mount" in lines[0])
