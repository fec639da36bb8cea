"""A zero or a span that moves with temperature far beyond any cell's class is the mount's: a certificate is of both.

This module must never change a coefficient: it says whose it is.
"""

from __future__ import annotations

import math

from calibration.thermal import TemperatureFit

from .fits import CalibrationFits

MOUNTS = 3.0
"""A zero that moves with temperature by so many times what its cell's class allows is the mount's doing."""
C3_ZERO_PER_K = 0.7 / 10_000.0 / 5.0
"""Of the capacity: OIML R 60-1 allows 0.7 vmin in 5 K at no load; vmin is taken for 1/10000 of the capacity."""


C3_SPAN_PER_K = 0.7 * 1.5 / 3000.0 / 30.0
"""OIML R 60-1 lets a C3 cell be off by 0.7 · 1.5 of 3000 intervals anywhere from -10 to 40 °C: 30 K from 20 °C."""
SPANS = 10.0
"""Cheap cells are off by four times that (0.05 % in 10 K), and are no mount's doing."""


def of_the_mount(found: CalibrationFits, capacity_g: float) -> list[str]:
    """Say where zero or span move with temperature by more than a cell's may: another mount is another rig."""
    if found.zero is None:
        return []
    return [*_zero_of_the_mount(found, found.zero, capacity_g), *_span_of_the_mount(found, found.zero)]


def _span_of_the_mount(found: CalibrationFits, zero: TemperatureFit) -> list[str]:
    if found.loaded is None:
        return []
    load_code = abs(found.span.counts_per_g * found.weight_g)
    per_k = abs(found.loaded.per_k - zero.per_k) / load_code
    times, u = per_k / C3_SPAN_PER_K, math.hypot(found.loaded.u_per_k, zero.u_per_k) / load_code
    if times <= SPANS or per_k <= 3.0 * u:
        return []
    return [
        f"span: changes by {times:.2g} times what OIML R 60 allows a C3 cell in a kelvin: the load is carried by the "
        "mount too, or the cell is none of that kind; mounted anew the certificate is void until a check weight says "
        "otherwise"
    ]


def _zero_of_the_mount(found: CalibrationFits, zero: TemperatureFit, capacity_g: float) -> list[str]:
    times = abs(zero.per_k / found.span.counts_per_g) / capacity_g / C3_ZERO_PER_K
    if times <= MOUNTS:
        return []
    return [
        f"zero: moves by {times:.2g} times what OIML R 60 allows a C3 cell in a kelvin: it is the mount's; the "
        "certificate is of cell and mount together, and mounted anew void until a check weight says otherwise"
    ]
