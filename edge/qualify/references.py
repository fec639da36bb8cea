"""The published references: what guides and standards print, computed here by what judges runs.

JCGM 100:2008 (GUM) H.1 and H.2, JCGM 101:2008 9.3, JCGM 106:2012, IEC 60751, and NIST's Statistical Reference Datasets
(``nist.toml``). Each tolerance is half of the last digit that is printed, or the guide's own. This module must never
hold a figure that is ours.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from calibration.iec60751 import resistance_ohm, temperature_c
from calibration.leastsquares import Fit, fit, fit_polynomial
from calibration.propagation import Input, first_order, simulate
from edge.verdict.decision import conformance_probability

from .record import Check, compared

STRD_DIGITS = 2e-14
"""Relative: NIST certifies 15 digits, the last of them rounded."""
SEED = 1


def references() -> Iterator[Check]:
    """Compute all references, one check after another."""
    yield from gum_h1()
    yield from gum_h2()
    yield from jcgm_101()
    yield from jcgm_106()
    yield from iec_60751()
    yield from nist()


def end_gauge(x: Mapping[str, Any]) -> Any:
    """Get the length of JCGM 100, H.1: l = lS + d − lS·(δα·θ + αS·δθ), in nm."""
    return x["lS"] + x["d1"] + x["d2"] + x["d3"] - x["lS"] * (x["da"] * (x["th"] + x["De"]) + x["aS"] * x["dt"])


GUM_H1 = (
    Input("lS", 50_000_623.0, 25.0, "t", 18),
    Input("d1", 215.0, 5.8, "t", 24),  # repeated observations
    Input("d2", 0.0, 3.9, "t", 5),  # random effects of the comparator
    Input("d3", 0.0, 6.7, "t", 8),  # systematic effects of the comparator
    Input("aS", 11.5e-6, 1.2e-6, "rectangular"),
    Input("th", -0.1, 0.2),
    Input("De", 0.0, 0.35),  # cyclic variation (arcsine; first order asks only for u)
    Input("da", 0.0, 0.58e-6, "rectangular", 50),
    Input("dt", 0.0, 0.029, "rectangular", 2),
)


def gum_h1() -> Iterator[Check]:
    """Compute the calibration of an end gauge, in nm."""
    found = first_order(end_gauge, GUM_H1)
    source = "JCGM 100:2008, H.1"
    yield compared("end gauge: length", source, 50_000_838.0, found.y, 0.5, "nm")
    yield compared("end gauge: standard uncertainty", source, 32.0, found.u, 0.5, "nm")
    yield compared("end gauge: effective degrees of freedom", source, 16.0, float(math.floor(found.dof)), 0.0)


# table H.2: five sets of simultaneous readings of V, I and φ
V = (5.007, 4.994, 5.005, 4.990, 4.999)
I_MA = (19.663, 19.639, 19.640, 19.685, 19.678)
PHI = (1.0456, 1.0438, 1.0468, 1.0428, 1.0433)


def gum_h2() -> Iterator[Check]:
    """Compute resistance, reactance and impedance from simultaneous readings: correlated inputs."""
    data = np.array([V, [i / 1000.0 for i in I_MA], PHI])
    mean, u, r = data.mean(axis=1), data.std(axis=1, ddof=1) / math.sqrt(5.0), np.corrcoef(data)
    names = ("V", "I", "phi")
    inputs = [Input(n, float(m), float(s)) for n, m, s in zip(names, mean, u, strict=True)]
    correlations = {(names[i], names[j]): float(r[i, j]) for i in range(3) for j in range(i + 1, 3)}
    source = "JCGM 100:2008, H.2"
    for name, model, value, uncertainty in (
        ("resistance", lambda x: x["V"] / x["I"] * np.cos(x["phi"]), 127.732, 0.071),
        ("reactance", lambda x: x["V"] / x["I"] * np.sin(x["phi"]), 219.847, 0.295),
        ("impedance", lambda x: x["V"] / x["I"], 254.260, 0.236),
    ):
        found = first_order(model, inputs, correlations)
        yield compared(f"correlated inputs: {name}", source, value, float(found.y), 0.0006, "Ω")
        yield compared(f"correlated inputs: u of {name}", source, uncertainty, float(found.u), 0.0006, "Ω")


def buoyant_weight(x: Mapping[str, Any]) -> Any:
    """Get the deviation of JCGM 101, 9.3: of a 100 g weight from nominal in mg, with buoyancy."""
    air = (x["rho_a"] - 1.2) * (1.0 / x["rho_w"] - 1.0 / x["rho_r"])
    return (x["m_rc"] + x["dm_rc"]) * (1.0 + air) - 100_000.0


JCGM_101_9_3 = (
    Input("m_rc", 100_000.000, 0.050),
    Input("dm_rc", 1.234, 0.020),
    Input("rho_a", 1.20, 0.10 / math.sqrt(3.0), "rectangular"),
    Input("rho_w", 8000.0, 1000.0 / math.sqrt(3.0), "rectangular"),
    Input("rho_r", 8000.0, 50.0 / math.sqrt(3.0), "rectangular"),
)


def jcgm_101() -> Iterator[Check]:
    """Compute the weight of 100 g with buoyancy, by first order and by Monte Carlo, in mg."""
    source, delta = "JCGM 101:2008, 9.3", 0.0005
    linear = first_order(buoyant_weight, JCGM_101_9_3)
    drawn = simulate(buoyant_weight, JCGM_101_9_3, coverage=0.95, seed=SEED, digits=2)
    yield compared("100 g weight: deviation", source, 1.2340, linear.y, 5e-5, "mg")
    yield compared("100 g weight: u by first order, which misses", source, 0.0539, linear.u, 5e-5, "mg")
    yield compared("100 g weight: mean by Monte Carlo", source, 1.2341, drawn.y, delta, "mg")
    yield compared("100 g weight: u by Monte Carlo", source, 0.0754, drawn.u, delta, "mg")
    width = drawn.high - drawn.low  # the guide's interval is the shortest, ours the symmetric one: as wide
    yield compared("100 g weight: width of the 95 % interval", source, 1.3825 - 1.0834, width, 2.0 * delta, "mg")


def jcgm_106() -> Iterator[Check]:
    """Compute the guide's conformance probabilities, and its table of guard bands."""
    source = "JCGM 106:2012"
    for at, y, u, lower, upper, pc in (
        ("upper limit", -5.47, 0.05, -math.inf, -5.40, 0.91924),
        ("lower limit", 509.7, 8.6, 490.0, math.inf, 0.98901),
        ("interval", 13.6, 1.8, 12.5, 16.3, 0.66263),
    ):
        yield compared(f"conformance: {at}", source, pc, conformance_probability(y, u, lower, upper), 5e-6)
    for pc, z in ((0.80, 0.84), (0.90, 1.28), (0.95, 1.64), (0.99, 2.33), (0.999, 3.09)):
        found, beyond = (conformance_probability(0.0, 1.0, upper=z + d) for d in (0.0, 0.0051))
        yield compared(f"conformance: z = {z}", f"{source}, table 1", pc, found, beyond - found)


PT100 = {
    -200.0: 18.5201,
    -100.0: 60.2558,
    0.0: 100.0,
    100.0: 138.5055,
    120.0: 146.0680,
    200.0: 175.856,
    400.0: 247.092,
    600.0: 313.708,
    850.0: 390.4811,
}
"""Ω by °C."""


def iec_60751() -> Iterator[Check]:
    """Compute a Pt100 both ways."""
    source = "IEC 60751"
    for temp_c, ohm in PT100.items():
        yield compared(f"Pt100 at {temp_c:g} °C", source, ohm, float(resistance_ohm(temp_c)), 5.1e-5, "Ω")
    yield compared("Pt100 of 146.0680 Ω", source, 120.0, float(temperature_c(146.0680)), 2.5e-4, "°C")


class DataSet(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A data set of NIST's with its certified values. ``degree`` 0: a line through the origin."""

    name: str
    degree: int
    x: tuple[float, ...]
    y: tuple[float, ...]
    coefficients: tuple[float, ...]
    u: tuple[float, ...]
    residual_sd: float

    def fitted(self) -> Fit:
        """Fit it by what fits our calibrations."""
        if self.degree == 0:
            return fit([[x] for x in self.x], list(self.y))
        return fit_polynomial(list(self.x), list(self.y), self.degree)


class _DataSets(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    set: tuple[DataSet, ...]


def data_sets() -> tuple[DataSet, ...]:
    """Get NIST's data sets that are shipped."""
    text = Path(__file__).with_name("nist.toml").read_bytes()
    return msgspec.toml.decode(text, type=_DataSets).set


def nist() -> Iterator[Check]:
    """Fit NIST's data sets: the certified value that is worst met, of each."""
    for one in data_sets():
        found = one.fitted()
        certified = (*one.coefficients, *one.u, one.residual_sd)
        ours = (*found.coefficients, *(found.u(i) for i in range(len(one.u))), found.residual_sd)
        worst = max(abs(a / b - 1.0) for a, b in zip(ours, certified, strict=True))
        what = f"{one.name}: largest relative deviation of {len(certified)} certified values"
        yield compared(what, "NIST StRD, linear regression", 0.0, worst, STRD_DIGITS)
