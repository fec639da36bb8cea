"""A zero that moves with temperature far beyond its cell's class is called the mount's."""

from __future__ import annotations

import math

import pytest

from calibration.loadcell import SpanFit, SpanPoint, fit_span
from calibration.thermal import TemperatureFit
from edge.guided_calibration.certify import _of_the_mount
from edge.guided_calibration.fits import CalibrationFits

CAPACITY_G, PER_G = 500.0, 1000.0


def span() -> SpanFit:
    return fit_span([SpanPoint(m, 0.003, PER_G * m, 1.0) for m in (0.0, 100.0, 200.0, 300.0)], CAPACITY_G)


def fits(zero_g_per_k: float | None) -> CalibrationFits:
    zero = None
    if zero_g_per_k is not None:
        zero = TemperatureFit(zero_g_per_k * PER_G, 1.0, 0.0, 1.0, 0.0, 1.0, 10.0, 1.0, 1.0)
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
    lines = _of_the_mount(fits(zero_g_per_k), CAPACITY_G)
    assert bool(lines) is said
    assert not said or ("8.4 times" in lines[0] and "mount" in lines[0])
