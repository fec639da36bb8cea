"""From the uncertainties of inputs to that of a result: GUM's first order, and Monte Carlo beside it.

JCGM 100:2008 (GUM) section 5 and annex G; JCGM 101:2008 sections 5 to 7 with the adaptive procedure of 7.9. The
model is any function of named inputs that also takes arrays. This module must never take one method's answer for
the other's: it gives both, and whether they agree.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

F8 = npt.NDArray[np.float64]
Distribution = Literal["normal", "rectangular", "triangular", "t"]
Model = Callable[[Mapping[str, Any]], Any]
"""A measurement model: inputs by name, floats or arrays of one length, to the result of that shape."""

LEAST_T_DOF = 3.0
"""A t distribution with fewer degrees of freedom has no variance that trials could settle (JCGM 101, 6.4.9.4): its
quantiles they do."""
U_AT_MOST = 1.02
"""The u of all trials is never so many times the mean of the u of their sequences."""
ONE_SIGMA = math.erf(1.0 / math.sqrt(2.0))  # of a normal distribution lies within one standard deviation


@dataclass(frozen=True, slots=True)
class Input:
    """One input quantity: its estimate, standard uncertainty (>= 0), distribution and degrees of freedom.

    A ``rectangular`` input of half-width a has u = a/√3, a ``triangular`` one u = a/√6; ``t`` is Student's,
    scaled by u, with ``dof`` degrees of freedom.
    """

    name: str
    value: float
    u: float
    distribution: Distribution = "normal"
    dof: float = math.inf


@dataclass(frozen=True, slots=True)
class FirstOrder:
    """GUM's result: estimate, standard uncertainty, effective degrees of freedom, and each input's c·u."""

    y: float
    u: float
    dof: float
    contributions: dict[str, float]


@dataclass(frozen=True, slots=True)
class Simulated:
    """Monte Carlo's result: mean, standard uncertainty, the probabilistically symmetric coverage interval.

    ``stable``: the adaptive procedure ended because all four numbers stand still within the numerical tolerance.
    ``below`` is the share of trials at or below the limit that was asked for (NaN: none was). Where an input has fewer
    than three degrees of freedom, mean and standard uncertainty are the median and half of the central 68.27 %.
    """

    y: float
    u: float
    low: float
    high: float
    trials: int
    stable: bool
    below: float = math.nan


def first_order(
    model: Model, inputs: Sequence[Input], correlations: Mapping[tuple[str, str], float] | None = None
) -> FirstOrder:
    """Propagate by the law of propagation of uncertainty (JCGM 100, 5.1.2 and, with correlations, 5.2.2).

    c·u of each input is half the change of the model over ±u (5.1.3, note 2). The degrees of freedom are
    Welch-Satterthwaite's (G.4.1), for which the inputs with finite dof must not be correlated.
    """
    at = {i.name: i.value for i in inputs}
    cu = {
        i.name: (float(model({**at, i.name: i.value + i.u})) - float(model({**at, i.name: i.value - i.u}))) / 2.0
        for i in inputs
    }
    variance = math.fsum(v * v for v in cu.values())
    for (a, b), r in (correlations or {}).items():
        variance += 2.0 * r * cu[a] * cu[b]
    u = math.sqrt(max(0.0, variance))
    weight = math.fsum(cu[i.name] ** 4 / i.dof for i in inputs if math.isfinite(i.dof))
    return FirstOrder(float(model(at)), u, u**4 / weight if weight > 0.0 else math.inf, cu)


def simulate(
    model: Model,
    inputs: Sequence[Input],
    *,
    coverage: float,
    seed: int,
    digits: int = 2,
    max_trials: int = 2_000_000,
    limit: float = math.nan,
) -> Simulated:
    """Propagate distributions by Monte Carlo, adaptively (JCGM 101, 7.9).

    Sequences of M = max(100/(1 − p), 10⁴) trials are added until estimate, u and both ends of the interval have
    twice their standard deviation of the mean within half a unit of the last of ``digits`` significant digits of u,
    or until ``max_trials``. The same ``seed`` gives the same result. The u of all trials is asked for only where that
    of their sequences lets it settle the question: to sort half a million trials takes longer than to draw them.
    """
    heavy = any(i.distribution == "t" and i.u > 0.0 and i.dof < LEAST_T_DOF for i in inputs)
    rng = np.random.default_rng(seed)
    block = max(math.ceil(100.0 / (1.0 - coverage)), 10_000)
    parts: list[F8] = []
    numbers: list[tuple[float, float, float, float]] = []
    while True:
        drawn = {i.name: _draw(i, rng, block) for i in inputs}
        part = np.broadcast_to(np.asarray(model(drawn), np.float64), (block,))
        parts.append(part)
        numbers.append(_summary(part, coverage, heavy))
        trials = block * len(parts)
        if len(parts) >= 2:
            of_sequences = np.array(numbers)
            twice = 2.0 * float(np.max(np.std(of_sequences, axis=0, ddof=1))) / math.sqrt(len(numbers))
            last = trials + block > max_trials
            if not last and twice > tolerance(U_AT_MOST * float(np.mean(of_sequences[:, 1])), digits):
                continue
            whole = np.concatenate(parts)
            stable = twice <= tolerance(_spread(whole, heavy), digits)
            if stable or last:
                below = math.nan if math.isnan(limit) else float(np.mean(whole <= limit))
                return Simulated(*_summary(whole, coverage, heavy), trials, stable, below)


def tolerance(u: float, digits: int) -> float:
    """Get the numerical tolerance δ of u given to so many significant digits (JCGM 101, 7.9.2)."""
    if not u > 0.0:
        return 0.0
    return float(0.5 * 10.0 ** (math.floor(math.log10(u)) - (digits - 1)))


def _summary(y: F8, coverage: float, heavy: bool) -> tuple[float, float, float, float]:
    ordered, tail = np.sort(y), (1.0 - coverage) / 2.0
    low, middle, high = _quantiles(ordered, tail, 0.5, 1.0 - tail)
    if heavy:
        return middle, _central_half(ordered), low, high
    return float(np.mean(y)), _spread(y, heavy), low, high


def _spread(y: F8, heavy: bool) -> float:
    """Get the standard uncertainty of trials; of heavy tails, half of what holds the central 68.27 %."""
    return _central_half(np.sort(y)) if heavy else float(np.std(y, ddof=1))


def _central_half(ordered: F8) -> float:
    one = (1.0 - ONE_SIGMA) / 2.0
    low, high = _quantiles(ordered, one, 1.0 - one)
    return (high - low) / 2.0


def _quantiles(ordered: F8, *shares: float) -> list[float]:
    """Get quantiles of sorted trials, interpolated linearly; numpy's own selects, which takes three times a sort."""
    at = np.array(shares) * (len(ordered) - 1)
    below = at.astype(np.intp)
    above = np.minimum(below + 1, len(ordered) - 1)
    return [float(q) for q in ordered[below] + (ordered[above] - ordered[below]) * (at - below)]


def _draw(of: Input, rng: np.random.Generator, n: int) -> F8:
    """Draw n values of an input (JCGM 101, 6.4)."""
    if of.u == 0.0:
        return np.full(n, of.value)
    if of.distribution == "rectangular":
        return of.value + of.u * math.sqrt(3.0) * rng.uniform(-1.0, 1.0, n)
    if of.distribution == "triangular":
        half = of.u * math.sqrt(6.0) / 2.0
        return of.value + half * (rng.uniform(-1.0, 1.0, n) + rng.uniform(-1.0, 1.0, n))
    if of.distribution == "t" and math.isfinite(of.dof):
        return of.value + of.u * rng.standard_t(of.dof, n)
    return of.value + of.u * rng.standard_normal(n)
