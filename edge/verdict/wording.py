"""What a verdict means for a sample's name, in words: no more than a loss of mass can say.

This module must never call a sample free of liquid, nor hybrid, nor liquid: mass loss alone cannot tell.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

from edge.records.deviation import CONTRADICTIONS, DeviationKind, VisualCheckFound
from edge.records.result import Result, Verdict
from edge.uncertainty.budget import Budget
from edge.uncertainty.components import ComponentName

NOT_MET = "Not solid-state by this criterion. Mass loss alone cannot tell a hybrid cell from a liquid one."


def meaning(verdict: Verdict, weigh: str, blind_spot: str | None) -> str | None:
    """Get what PASS or FAIL means (None for the other verdicts). ``blind_spot`` belongs to every PASS.

    ``weigh``: a loss over the hold alone, judged hot, decides nothing about a name.
    """
    if verdict is Verdict.PASS:
        return f"Criterion met. {blind_spot}" if blind_spot else "Criterion met."
    if verdict is Verdict.FAIL:
        return NOT_MET if weigh == "cold" else "Criterion not met."
    return None


def whole_meaning(result: Result) -> str | None:
    """Get what a result means by the whole method; None where it decides nothing and no liquid was seen.

    Where neither a visual check nor a liquid belongs to it that is what its mass says (:func:`meaning`).
    """
    check = None if result.specimen is None else result.specimen.visual_check
    if check is not None and check.liquid_seen:
        return (
            f"Not solid-state: a liquid was seen when it was opened, by {check.by}. The mass loss does not change that."
        )
    if result.verdict is not Verdict.PASS or result.visual_check is None:
        return meaning(result.verdict, result.weigh, result.blind_spot or None)
    blind_spot = f" {result.blind_spot}" if result.blind_spot else ""
    if check is None:
        undecided = "The method is two steps, and without the first it does not say solid-state."
        return f"Mass criterion met; visual check not recorded. {undecided}{blind_spot}"
    return f"Criterion met, and no liquid was seen when it was opened, by {check.by}.{blind_spot}"


def first_words(result: Result) -> str:
    """Get what a result's first sentence says before its numbers: of the visual check, and of a record in doubt."""
    check = None if result.specimen is None else result.specimen.visual_check
    if check is not None and check.liquid_seen:
        by_mass = f"; by its mass alone {result.mass_verdict}" if isinstance(result.mass_verdict, Verdict) else ""
        return f"not solid-state, a liquid was seen when it was opened (by {check.by}){by_mass}; "
    if result.visual_check is not VisualCheckFound.NOT_RECORDED:
        return ""
    met = "mass criterion met; " if result.verdict is Verdict.PASS else ""
    return f"{met}visual check not recorded; "


def contradicted(result: Result) -> str:
    """Get what the first sentence says where the specimen's record contradicts itself or an earlier one ('': not)."""
    kinds = [d.kind.replace("_", " ") for d in result.deviations if d.kind in CONTRADICTIONS]
    return f"; the specimen's record is contradicted ({', '.join(dict.fromkeys(kinds))})" if kinds else ""


def came_late(result: Result) -> str:
    """Get what the first sentence says of masses that came after the run's end, and of a fitness that lapsed."""
    found = {d.kind for d in result.deviations}
    late = "; amended after the run's end" if DeviationKind.MASS_AFTER_END in found else ""
    return late + ("; the rig is not shown fit any more" if DeviationKind.FITNESS_LAPSED in found else "")


WOULD_HELP: Mapping[ComponentName, str] = MappingProxyType(
    {
        ComponentName.BALANCE_DRIFT: "state the balance's drift over the test (u_mass_g)",
        ComponentName.MASS_DIFFERENCE: "a balance that drifts less",
        ComponentName.BALANCE_M1: "a finer balance, or a larger sample",
        ComponentName.BALANCE_M2: "a finer balance, or a larger sample",
        ComponentName.RESOLUTION: "a balance with a finer display",
        ComponentName.JUMPS: "a test that nobody touches",
        ComponentName.ZERO_DRIFT: "a second zero after M2",
        ComponentName.ZERO_WALK: "a second zero after M2",
        ComponentName.WEATHER: "a barometer, or the room's air read at M1 and M2, or a second zero after M2",
        ComponentName.CREEP: "a second zero after M2, or a blank run",
        ComponentName.DRIFT_BETWEEN_ZEROS: "a longer rest before M1 and the second zero, or a larger sample",
        ComponentName.BLANK: "a second blank run, or a second zero after M2",
        ComponentName.SPECIFIC_VOLUME: "the sample's density, declared",
        ComponentName.AIR_CHANGE: "the room's air, declared at M1 and M2",
        ComponentName.CELL_TEMP: "a thermometer on the load cell, or a longer cooling",
        ComponentName.ZERO_PER_K: "a calibration of the cell's temperature",
        ComponentName.SPAN_SINCE: "a new calibration of the span",
    }
)
"""What makes a component smaller."""


def what_would_decide(budget: Budget) -> tuple[str, ...]:
    """Get what would make U smaller, for the largest components, with the U to expect without each."""
    out = []
    for c in sorted(budget.components, key=lambda c: -c.contribution_pct)[:2]:
        left = budget.u_pct**2 - c.contribution_pct**2
        if c.contribution_pct < 0.5 * budget.u_pct:
            continue
        help_ = WOULD_HELP.get(c.name, "a larger sample, and a longer rest before each weighing")
        out.append(f"{help_}: without the {c.name}, U would be {budget.k * math.sqrt(max(0.0, left)):.2g} %")
    return tuple(out) or ("a larger sample",)
