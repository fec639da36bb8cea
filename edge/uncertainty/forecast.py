"""Before a sample is burnt: what uncertainty to expect, and the smallest sample that can be judged.

The same budget as after a run, with what the certificate says of the rig and the least favourable that the standard
allows. This module must never promise more than the certificate states.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import msgspec

from calibration.balance_certificate import BalanceCertificate, u_in_use_g
from calibration.barometer import CHANGE_ERROR_PA
from calibration.certificate import Certificate
from calibration.integrated import Integrated
from edge.errors import BadValue
from edge.procedure.parameters import LEAST_OF_CAPACITY, plan_from_standard
from edge.records.result import Origin
from edge.records.weighing import Weighing, WeighingKind
from edge.standards.standard import Standard

from .budget import NO_CORRECTIONS, Budget, loss_budget
from .room_pressure import PressureChange
from .weather import NIGHT_KPA
from .weighed import Corrections, Weighed

KG_FROM = 0.01
"""From here on a mass that is far too small may have been meant in kg."""
WORTH = 1.0 / 3.0
"""A result is worth having where U is at most this part of the limit."""

LEAST_G = 0.01
BESIDE_HOLD_S = 3.0 * 3600.0
"""Pumping, warming and cooling take about so long: what lies between M1 and M2 beside the hold."""
READ_CHANGE = Corrections(
    pressure_change=PressureChange(NIGHT_KPA / math.sqrt(3.0), CHANGE_ERROR_PA / 1000.0, "measured")
)
"""What a barometer will have read: a night's usual change, the root mean square of what is assumed where there is
none."""
WINDOW_DOF = 5.0  # what an Allan deviation over a third of a window leaves


def expected(
    certificate: Certificate,
    standard: Standard,
    sample_g: float,
    *,
    zero_after: bool = False,
    quick: bool = False,
    pressure_read: bool = False,
) -> Budget:
    """Get the budget to expect for a sample of ``sample_g`` that loses just the limit.

    M1 and M2 are means over the plan's window with the certificate's noise, at one sample a second (as many as any
    bridge gives), the hold and ``BESIDE_HOLD_S`` apart, and the load cell is as far from its temperature at M1 as the
    standard's tolerance lets it be. ``zero_after``: the zero is taken again after M2, and has not moved. ``quick``: U
    with k = 2, for whoever may not load scipy. ``pressure_read``: a barometer reads the air's pressure at both, which
    changes as much as it usually does in a night.
    Raises ``BadValue`` for a mass that is not above 0 or is beyond the capacity.
    """
    if not (math.isfinite(sample_g) and sample_g > 0.0):
        raise BadValue("sample_mass", f"{sample_g:g}", "give a mass in g, above 0")
    if sample_g > certificate.cell.capacity_g:
        carries = f"the load cell carries {certificate.cell.capacity_g:g} g: use a lighter sample"
        raise BadValue("sample_mass", f"{sample_g:g}", carries)
    if sample_g < LEAST_OF_CAPACITY * certificate.cell.capacity_g:
        were_kg = f" ({sample_g:g} kg are {1000.0 * sample_g:g} g)" if sample_g >= KG_FROM else ""
        why = f"is no sample for a cell of {certificate.cell.capacity_g:g} g: give grams{were_kg}"
        raise BadValue("sample_mass", f"{sample_g:g}", why)
    plan = plan_from_standard(standard, "cold", temp_measured=True, gauge=False)
    n = int(plan.window_s)
    u_g = certificate.stability.noise_counts / abs(certificate.span.counts_per_g) / math.sqrt(n)
    t_ref_c = certificate.temperature.t_ref_c

    per_g = abs(certificate.span.counts_per_g)

    def weighing(which: WeighingKind, value: float, cell_c: float, from_s: float) -> Weighing:
        u = u_g * per_g if which.is_zero else u_g
        taken = Integrated(value, u, WINDOW_DOF, n, 0, n)
        return Weighing(which, taken, from_s, from_s + plan.window_s, cell_c, cell_c, math.nan)

    m2_s, beside_s = plan.hold_s + BESIDE_HOLD_S, plan.dwell_s + plan.window_s
    warm_c = t_ref_c + standard.cold_temp_tolerance_c.value
    m1 = weighing(WeighingKind.M1, sample_g, t_ref_c, 0.0)
    weighed = Weighed(
        before=m1,
        after=weighing(WeighingKind.M2, sample_g * (1.0 - standard.limit_pct.value / 100.0), warm_c, m2_s),
        reference=m1,
        certificate=certificate,
        tare=weighing(WeighingKind.TARE, 0.0, t_ref_c, -beside_s) if zero_after else None,
        zero=weighing(WeighingKind.ZERO, 0.0, warm_c, m2_s + beside_s) if zero_after else None,
    )
    corrections = READ_CHANGE if pressure_read else NO_CORRECTIONS
    coverage = None if quick else standard.coverage_probability.value
    return loss_budget(weighed, corrections, coverage=coverage, seed=None)


def smallest_sample_g(certificate: Certificate, standard: Standard, *, pressure_read: bool = False) -> float | None:
    """Get the smallest sample in g for which U is at most a third of the limit (None: there is none on this cell)."""
    return minimum_weight_g(certificate, standard, 1.0, pressure_read=pressure_read)


SAFETY_FACTOR = 2.0
"""EURAMET cg-18's safety factor, for what a calibration does not see in daily use: two or more."""


def minimum_weight_g(
    certificate: Certificate, standard: Standard, safety: float = SAFETY_FACTOR, *, pressure_read: bool = False
) -> float | None:
    """Get the smallest sample in g for which ``safety`` times U is at most a third of the limit (None: there is none).

    cg-18's minimum weight, with the loss in place of a mass: what is to be known is how U stands to the limit.
    """

    def budget_of(sample_g: float) -> Budget:
        return expected(certificate, standard, sample_g, pressure_read=pressure_read)

    return _smallest(budget_of, certificate.cell.capacity_g, standard, safety)


def expected_on_balance(balance: BalanceCertificate, standard: Standard, sample_g: float) -> Budget:
    """Get the budget to expect where M1 and M2 are weighed on the laboratory's balance, of a loss at the limit.

    Raises ``BadValue`` for a mass that is not above 0 or that it cannot weigh.
    """
    if not (math.isfinite(sample_g) and 0.0 < sample_g <= balance.capacity_g):
        raise BadValue("sample_mass", f"{sample_g:g}", f"balance {balance.name} weighs up to {balance.capacity_g:g} g")

    def weighing(which: WeighingKind, mass_g: float, at_s: float) -> Weighing:
        taken = Integrated(mass_g, u_in_use_g(balance, mass_g), math.inf, 1, 0, 1)
        return Weighing(which, taken, at_s, at_s, math.nan, math.nan, math.nan)

    m1 = weighing(WeighingKind.M1, sample_g, 0.0)
    after_g = sample_g * (1.0 - standard.limit_pct.value / 100.0)
    m2 = weighing(WeighingKind.M2, after_g, standard.hold_s.value + BESIDE_HOLD_S)
    weighed = Weighed(m1, m2, m1, laboratory=balance)
    return loss_budget(weighed, coverage=standard.coverage_probability.value, seed=None)


def _smallest(budget_of: Callable[[float], Budget], most_g: float, standard: Standard, safety: float) -> float | None:
    goal_pct = WORTH * standard.limit_pct.value / safety

    def good(sample_g: float) -> bool:
        return budget_of(sample_g).expanded_pct <= goal_pct

    if not good(most_g):
        return None
    low, high = LEAST_G, most_g
    while high / low > 1.001:
        middle = math.sqrt(low * high)
        low, high = (low, middle) if good(middle) else (middle, high)
    return high


class BalanceForecast(msgspec.Struct, frozen=True, kw_only=True):
    """What to expect where M1 and M2 are weighed on the laboratory's balance."""

    name: str
    U_pct: float
    worth_it: bool
    minimum_weight_g: float | None


class ForecastLine(msgspec.Struct, frozen=True, kw_only=True):
    """A component of the budget to expect, and what it makes in the loss."""

    name: str
    contribution_pct: float
    origin: Origin
    why: str


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """What to expect before a sample is burnt: U, the smallest sample that is worth it, and what weighs most."""

    sample_mass_g: float
    limit_pct: float
    limit_g: float
    u_pct: float
    U_pct: float
    k: float
    passes_below_pct: float
    fails_above_pct: float
    U_pct_with_second_zero: float
    worth_it: bool
    smallest_sample_g: float | None
    minimum_weight_g: float | None
    safety_factor: float
    pressure_read: bool = False
    on_balance: BalanceForecast | None = None
    certificate: str
    standard: str
    designation: str
    budget: tuple[ForecastLine, ...]


def _on_balance(balance: BalanceCertificate, standard: Standard, sample_g: float, safety: float) -> BalanceForecast:
    found = expected_on_balance(balance, standard, sample_g)
    return BalanceForecast(
        name=balance.name,
        U_pct=found.expanded_pct,
        worth_it=found.expanded_pct <= WORTH * standard.limit_pct.value,
        minimum_weight_g=_smallest(
            lambda g: expected_on_balance(balance, standard, g), balance.capacity_g, standard, safety
        ),
    )


def forecast(
    certificate: Certificate,
    standard: Standard,
    sample_g: float,
    *,
    balance: BalanceCertificate | None = None,
    safety: float = SAFETY_FACTOR,
    pressure_read: bool = False,
) -> Forecast:
    """Get the forecast for a sample of ``sample_g``, also on a laboratory's ``balance``. Raises as :func:`expected`."""
    budget = expected(certificate, standard, sample_g, pressure_read=pressure_read)
    limit = standard.limit_pct.value
    return Forecast(
        sample_mass_g=sample_g,
        limit_pct=limit,
        limit_g=sample_g * limit / 100.0,
        u_pct=budget.u_pct,
        U_pct=budget.expanded_pct,
        k=budget.k,
        passes_below_pct=max(0.0, limit - budget.expanded_pct),
        fails_above_pct=limit + budget.expanded_pct,
        U_pct_with_second_zero=expected(certificate, standard, sample_g, zero_after=True).expanded_pct,
        worth_it=budget.expanded_pct <= WORTH * limit,
        smallest_sample_g=smallest_sample_g(certificate, standard, pressure_read=pressure_read),
        minimum_weight_g=minimum_weight_g(certificate, standard, safety, pressure_read=pressure_read),
        pressure_read=pressure_read,
        safety_factor=safety,
        on_balance=None if balance is None else _on_balance(balance, standard, sample_g, safety),
        certificate=certificate.name,
        standard=standard.id,
        designation=standard.designation,
        budget=tuple(
            ForecastLine(name=c.name, contribution_pct=c.contribution_pct, origin=c.origin, why=c.why)
            for c in sorted(budget.components, key=lambda c: -c.contribution_pct)
        ),
    )
