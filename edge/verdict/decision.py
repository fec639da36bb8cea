"""The verdict: PASS, FAIL, INCONCLUSIVE or INVALID, by the rule that the standard's file states.

JCGM 106:2012 and ILAC-G8:09/2019. The rule is fixed before the test. This module must never turn a run that
cannot be judged into a number that looks like a result.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

from edge.records.result import OtherProbability, Verdict
from edge.standards.standard import Standard
from edge.uncertainty.budget import Budget

DIFFERS = 0.01
"""Probabilities that differ by less are told as one."""


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict with the probability that the true value conforms, and the rule in words.

    That probability is by the budget's own shape or by a normal curve, whichever is less confident; ``otherwise`` is
    the other one, where they differ by more than ``DIFFERS``.
    """

    verdict: Verdict
    conformance_probability: float
    rule: str
    otherwise: OtherProbability | None = None


def conformance_probability(estimate: float, u: float, lower: float = -math.inf, upper: float = math.inf) -> float:
    """Get the probability that the true value lies within [lower, upper] (JCGM 106:2012, 7.2 to 7.4).

    ``estimate`` with standard uncertainty ``u`` > 0, normally distributed. Raises ``ValueError`` otherwise.
    """
    if not u > 0.0:
        raise ValueError(f"a conformance probability needs a standard uncertainty above 0, not {u}")
    phi = NormalDist().cdf
    return phi((upper - estimate) / u) - phi((lower - estimate) / u)


def decide(budget: Budget, standard: Standard) -> Decision:
    """Judge a loss against the standard's upper limit by the standard's own rule.

    ``guarded``: guard band r·U on either side (PASS at ``w + r·U <= limit``, FAIL at ``w − r·U > limit``, else
    INCONCLUSIVE); ``simple``: the estimate alone. With the comparator ``<`` a value at the limit fails.
    """
    limit, comparator = standard.limit_pct.value, standard.comparator.value
    if standard.decision_rule.value == "simple":
        guard, rule = 0.0, f"simple acceptance: w {comparator} {limit:g} %"
    else:
        r = standard.guard_factor.value
        guard = r * budget.expanded_pct
        band = "U" if r == 1.0 else f"{r:g} U"
        rule = (
            f"guard band {band}: PASS at w + {band} {comparator} {limit:g} %, FAIL beyond w − {band}, else INCONCLUSIVE"
        )

    def within(value: float) -> bool:
        return value <= limit if comparator == "<=" else value < limit

    w = budget.loss_pct
    if within(w + guard):
        verdict = Verdict.PASS
    elif not within(w - guard):
        verdict = Verdict.FAIL
    else:
        verdict = Verdict.INCONCLUSIVE
    pc = conformance_probability(w, budget.u_pct, upper=limit) if budget.u_pct > 0.0 else float(within(w))
    if budget.simulated is None or math.isnan(budget.simulated.below):
        return Decision(verdict, pc, rule)
    own = budget.simulated.below
    if abs(own - pc) <= DIFFERS:
        return Decision(verdict, pc, rule)
    if abs(own - 0.5) <= abs(pc - 0.5):
        return Decision(verdict, own, rule, OtherProbability(pc=pc, by="a normal curve"))
    return Decision(verdict, pc, rule, OtherProbability(pc=own, by="Monte Carlo"))
