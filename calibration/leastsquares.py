"""Weighted linear least squares with its covariance, solved in exact rational arithmetic.

A calibration has at most some thousand points and a handful of coefficients, so there is no need to trust a
condition number: the normal equations are solved over the rationals, and only the answers are rounded. Each number
is taken as the decimal that was written (0.1 is one tenth). This module must never hide that points do not fit: the
scatter about the fit is always given beside the stated uncertainties.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from calibration.errors import BadFit

Exact = list[list[Fraction]]


@dataclass(frozen=True, slots=True)
class Fit:
    """Coefficients b of y = X·b with their covariance.

    ``covariance`` (p × p) is for the stated weights' scale where uncertainties were given, else scaled by the scatter;
    ``residual_sd`` is the weighted standard deviation of the residuals (in units of ``u`` where uncertainties were
    given, else in those of y) with ``dof`` = n − p degrees of freedom; NaN where dof is 0.
    """

    coefficients: tuple[float, ...]
    covariance: tuple[tuple[float, ...], ...]
    residual_sd: float
    dof: int

    def u(self, i: int) -> float:
        """Get the standard uncertainty of coefficient ``i``."""
        return math.sqrt(self.covariance[i][i])

    def correlation(self, i: int, j: int) -> float:
        """Get the correlation coefficient of two coefficients."""
        return self.covariance[i][j] / (self.u(i) * self.u(j))


def fit(
    design: Sequence[Sequence[float | Fraction]],
    y: Sequence[float],
    u: Sequence[float] | None = None,
    *,
    scatter: bool = False,
) -> Fit:
    """Fit y = X·b by (weighted) least squares.

    ``design`` is X, n rows of p values; ``y`` has n values; ``u`` their standard uncertainties, all above 0 (None:
    equal and unknown). With ``u`` the covariance is that of the stated uncertainties, and with ``scatter`` the larger
    of it and what the residuals' scatter says (Birge); without ``u`` it is from the scatter (JCGM 100, H.3; NIST/
    SEMATECH e-Handbook, 4.4.3). Raises ``BadFit`` for fewer points than coefficients, values that are not finite,
    and points that leave a coefficient open (all x alike).
    """
    n, p = len(design), len(design[0]) if design else 0
    if n < p or p == 0:
        raise BadFit(f"{n} points cannot fix {p} coefficients: measure more")
    if len(y) != n or any(len(row) != p for row in design) or (u is not None and len(u) != n):
        raise BadFit("design, values and uncertainties differ in length")
    flat = [*(v for row in design for v in row), *y, *(u or ())]
    if not all(math.isfinite(v) for v in flat) or (u is not None and min(u) <= 0.0):
        raise BadFit("a value is not finite, or an uncertainty is not above 0")
    x = [[_exact(v) for v in row] for row in design]
    t = [_exact(v) for v in y]
    w = [Fraction(1)] * n if u is None else [1 / _exact(v) ** 2 for v in u]
    normal = [[sum(w[k] * x[k][i] * x[k][j] for k in range(n)) for j in range(p)] for i in range(p)]
    right = [sum(w[k] * x[k][i] * t[k] for k in range(n)) for i in range(p)]
    inverse = _inverse([[Fraction(v) for v in row] for row in normal])
    b = [sum(inverse[i][j] * right[j] for j in range(p)) for i in range(p)]
    chi2 = sum(w[k] * (t[k] - sum(x[k][i] * b[i] for i in range(p))) ** 2 for k in range(n))
    dof = n - p
    variance = chi2 / dof if dof else Fraction(0)
    scale = variance if u is None else max(Fraction(1), variance) if scatter else Fraction(1)
    return Fit(
        tuple(float(v) for v in b),
        tuple(tuple(float(scale * v) for v in row) for row in inverse),
        math.sqrt(variance) if dof else math.nan,
        dof,
    )


def fit_polynomial(
    x: Sequence[float], y: Sequence[float], degree: int, u: Sequence[float] | None = None, *, scatter: bool = False
) -> Fit:
    """Fit a polynomial of ``degree``, lowest coefficient first. As :func:`fit`; powers are exact too."""
    if not all(math.isfinite(v) for v in x):
        raise BadFit("a value is not finite")
    powers = [[_exact(v) ** i for i in range(degree + 1)] for v in x]
    return fit(powers, y, u, scatter=scatter)


def _exact(value: float | Fraction) -> Fraction:
    """Get a number as the decimal that was written: the shortest that gives this float."""
    return value if isinstance(value, Fraction) else Fraction(repr(float(value)))


def _inverse(a: Exact) -> Exact:
    """Invert a matrix by Gauss and Jordan. Raise ``BadFit`` where it is singular."""
    p = len(a)
    both = [row[:] + [Fraction(int(i == j)) for j in range(p)] for i, row in enumerate(a)]
    for i in range(p):
        pivot = next((k for k in range(i, p) if both[k][i] != 0), None)
        if pivot is None:
            raise BadFit("the points leave a coefficient open: they must differ in what it belongs to")
        both[i], both[pivot] = both[pivot], both[i]
        head = both[i][i]
        both[i] = [v / head for v in both[i]]
        for k in range(p):
            if k != i and both[k][i] != 0:
                factor = both[k][i]
                both[k] = [v - factor * w for v, w in zip(both[k], both[i], strict=True)]
    return [row[p:] for row in both]
