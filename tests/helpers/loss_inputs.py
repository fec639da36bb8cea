"""The budget of a loss from plain arguments, for tests that vary one of them."""

from __future__ import annotations

from calibration.certificate import Certificate
from edge.procedure.definition import BalanceStated
from edge.records.weighing import Weighing
from edge.uncertainty.blank import Blank
from edge.uncertainty.budget import Budget, loss_budget
from edge.uncertainty.buoyancy import AirAround
from edge.uncertainty.weighed import Corrections, Weighed


def budget_of(
    before: Weighing,
    after: Weighing,
    reference: Weighing,
    *,
    certificate: Certificate | None,
    coverage: float = 0.9545,
    tare: Weighing | None = None,
    zero: Weighing | None = None,
    span_change: float = 0.0,
    resolution_g: float = 0.0,
    declared_u_g: float | None = None,
    density_g_cm3: tuple[float, float] | None = None,
    air: AirAround | None = None,
    blank: Blank | None = None,
    seed: int | None = 1,
) -> Budget:
    balance = BalanceStated(resolution_g, declared_u_g)
    weighed = Weighed(before, after, reference, certificate, tare, zero, balance)
    return loss_budget(weighed, Corrections(air, density_g_cm3, blank, span_change), coverage=coverage, seed=seed)
