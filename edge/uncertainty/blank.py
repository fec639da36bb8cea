"""A blank: a run with an inert dummy, whose apparent loss later runs subtract.

What an inert sample seems to lose is the rig's own creep and drift. It is subtracted with its uncertainty, and only
where it was measured on the same rig, by the same certificate, with about the same mass and temperature programme.
This module must never subtract a blank that does not match.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from edge.errors import BadInput

MASS_BAND = 0.2
"""How far (relative) the dummy's mass may be from the sample's."""

SAME = (
    ("temp_c", "the hold's temperature"),
    ("temp_band_c", "the band of the hold"),
    ("hold_required_s", "the hold's length"),
    ("weigh", "the way of weighing"),
)


@dataclass(frozen=True, slots=True)
class Blank:
    """An inert dummy's apparent loss in g, its standard uncertainty with dof, and the dummy's mass."""

    name: str
    loss_g: float
    u_g: float
    dof: float
    mass_g: float


def blank_of(result: dict[str, Any]) -> Blank:
    """Get the blank from the result of a blank run.

    Its uncertainty is that run's own without the creep, for creep is what a blank measures. Raises ``BadInput`` where
    the run was no blank or could not be judged.
    """
    name = f"run {result.get('run_id', '?')} ({result['sample_id']})"
    if not result.get("blank_run"):
        raise BadInput(f"--blank {name}: was a sample, not a blank: run an inert dummy with --blank-run")
    if result["loss_pct"] is None:
        raise BadInput(f"--blank {name}: was INVALID ({result['invalid_because']}): run the dummy again")
    per_pct = result["reference_g"] / 100.0
    parts = [c["contribution_pct"] for c in result["budget"] if c["name"] != "creep"]
    u_pct = math.sqrt(math.fsum(p * p for p in parts))
    weight = math.fsum(
        c["contribution_pct"] ** 4 / c["dof"] for c in result["budget"] if c["name"] != "creep" and c["dof"]
    )
    dof = u_pct**4 / weight if weight > 0.0 else math.inf
    return Blank(name, result["loss_pct"] * per_pct, u_pct * per_pct, dof, result["m1_g"])


def check_blank(blank_run: dict[str, Any], run: dict[str, Any]) -> None:
    """Raise ``BadInput`` where a blank run does not match the run that would subtract it: what, and what to do."""
    name = f"--blank run {blank_run.get('run_id', '?')}"
    theirs, ours = blank_run["certificate"], run["certificate"]
    if theirs is None or ours is None or theirs["sha256"] != ours["sha256"]:
        raise BadInput(f"{name}: was made with another rig or certificate: run the dummy on this rig, with this one")
    for field, words in SAME:
        if blank_run[field] != run[field]:
            raise BadInput(
                f"{name}: {words} was {blank_run[field]}, here it is {run[field]}: run the dummy through the same test"
            )
    if not abs(blank_run["m1_g"] - run["m1_g"]) <= MASS_BAND * run["m1_g"]:
        raise BadInput(
            f"{name}: the dummy weighed {blank_run['m1_g']:.1f} g, the sample {run['m1_g']:.1f} g: use a dummy within "
            f"{MASS_BAND * 100:g} % of the sample"
        )
