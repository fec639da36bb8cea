"""A blank: a run with an inert dummy, whose apparent loss later runs subtract.

What an inert sample seems to lose is the rig's own creep and drift. It is subtracted with its uncertainty, and only
where it was measured on the same rig, by the same certificate, with half to twice the mass and the same programme.
This module must never subtract a blank that does not match.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from msgspec import UNSET

from calibration.certificate import Certificate, certificate_hash
from edge.errors import BlankDoesNotMatch
from edge.records.result import BlankFound, BudgetLine, Result

MASS_BAND = 0.2
"""How far (relative) the dummy's mass may be from the sample's where it is not taken to it."""
MOST_TIMES = 2.0
"""A dummy has at least half of the sample's mass, and at most twice it: beyond, what a blank says is mostly guessed."""

SAME = (
    ("temp_c", "the hold's temperature"),
    ("temp_band_c", "the band of the hold"),
    ("hold_required_s", "the hold's length"),
    ("weigh", "the way of weighing"),
)

REPRODUCES = 0.3
"""Of what one blank run found: as much may not come back in the next night (creep of another history, a holder that
dries otherwise). Assumed; two blanks or more would say."""
ASSUMED_DOF = 2.0
"""How well that assumption is known: to a half (GUM G.4.2), which is as much as three blanks would say."""

CREEP = "creep"
"""The component that a blank measures, and that its own uncertainty therefore leaves out."""


@dataclass(frozen=True, slots=True)
class Blank:
    """An inert dummy's apparent loss in g, its standard uncertainty with dof, and the dummy's mass.

    ``u_g`` is what the blank was measured with; ``again_u_g`` how far it may not come back in another night (None: one
    blank does not say, and it is assumed); ``fixed_g`` of ``loss_g`` is not in proportion to the load (None: that was
    not asked).
    """

    name: str
    loss_g: float
    u_g: float
    dof: float
    mass_g: float
    again_u_g: float | None = None
    fixed_g: float | None = None


@dataclass(frozen=True, slots=True)
class CreepStated:
    """What a certificate says a load gains from M1 to M2 by creep, as a share of it, with its standard uncertainty."""

    gained: float
    u: float


def creep_stated(certificate: Certificate | None) -> CreepStated | None:
    """Get what a certificate says of creep (None: it was not measured)."""
    if certificate is None or not certificate.stability.u_creep_gained_pct > 0.0:
        return None
    stability = certificate.stability
    return CreepStated(stability.creep_gained_pct / 100.0, stability.u_creep_gained_pct / 100.0)


def blank_found(loss_pct: float, reference_g: float, budget: Iterable[BudgetLine]) -> BlankFound:
    """Get what a blank run found: its loss in g, with its uncertainty without the creep, for creep is what it measures.

    The components are combined and the degrees of freedom found after Welch-Satterthwaite (JCGM 100, G.4.1).
    """
    per_pct = reference_g / 100.0
    lines = [line for line in budget if line.name != CREEP]
    u_pct = math.sqrt(math.fsum(line.contribution_pct**2 for line in lines))
    weight = math.fsum(line.contribution_pct**4 / line.dof for line in lines if line.dof)
    return BlankFound(loss_g=loss_pct * per_pct, u_g=u_pct * per_pct, dof=u_pct**4 / weight if weight > 0.0 else None)


def blank_from_result(result: Result) -> Blank:
    """Get the blank from the result of a blank run. Raises ``BlankDoesNotMatch`` for one that is none, or INVALID."""
    name = _name(result)
    if not result.blank_run:
        raise BlankDoesNotMatch(f"blank {name}: was a sample, not a blank: run an inert dummy as a blank run")
    if result.loss_pct is None or result.reference_g is None or result.m1_g is None:
        raise BlankDoesNotMatch(f"blank {name}: was INVALID ({result.invalid_because}): run the dummy again")
    found = result.blank_found
    if found is UNSET:  # stored by a version that left this to whoever subtracts it
        found = blank_found(result.loss_pct, result.reference_g, result.budget)
    return Blank(name, found.loss_g, found.u_g, math.inf if found.dof is None else found.dof, result.m1_g)


def taken_to(blank: Blank, load_g: float, creep: CreepStated | None) -> Blank:
    """Get a blank as it would be with ``load_g`` on.

    What of it goes with the load is creep, by what the certificate measured of it; what the zero does with temperature
    and what dries in the holder is the rest, and stays. They may have opposite signs, so that the blank itself does not
    bound either. Where no creep was measured half of the blank is taken for creep, and anywhere between nothing and all
    of it (GUM 4.3.7). The u of that share goes with the scaling.
    """
    if creep is None:
        share_g, u_g = blank.loss_g / 2.0, abs(blank.loss_g) / 2.0 / math.sqrt(3.0)
    else:
        share_g, u_g = -creep.gained * blank.mass_g, creep.u * blank.mass_g
    more = load_g / blank.mass_g - 1.0
    u_scaled_g = math.hypot(blank.u_g, u_g * more)
    return replace(blank, loss_g=blank.loss_g + share_g * more, u_g=u_scaled_g, fixed_g=blank.loss_g - share_g)


def mean_of_blanks(
    blanks: Sequence[Blank], load_g: float, *, by_mass: bool = False, creep: CreepStated | None = None
) -> Blank:
    """Get the mean of blanks for a sample of ``load_g``; one alone as it is, or ``by_mass`` taken to that load.

    Creep goes with the load and what dries in the holder does not, so each counts half as in proportion to its dummy's
    mass, and anywhere between the two (GUM 4.3.7). What is common to all nights, such as that, is not averaged away;
    what they were measured with is. How far a night is from another is from their scatter about the mean, less what
    they were measured with, and from what is assumed of one blank: two estimates of one variance, each with its degrees
    of freedom, of which the assumption never makes less. This night differs from their mean by √(1 + 1/n) of it. Raises
    ``BlankDoesNotMatch`` for one that is there twice.
    """
    if len(blanks) == 1:
        return taken_to(blanks[0], load_g, creep) if by_mass else blanks[0]
    names = [b.name for b in blanks]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise BlankDoesNotMatch(f"blank {twice}: is named twice: each counts once")
    n = len(blanks)
    scaled = [b.loss_g * (1.0 + load_g / b.mass_g) / 2.0 for b in blanks]
    loss_g = math.fsum(scaled) / n
    between_u_g = math.fsum(abs(b.loss_g * (load_g / b.mass_g - 1.0)) for b in blanks) / n / 2.0 / math.sqrt(3.0)
    fixed_g = None
    if by_mass:
        taken = [taken_to(b, load_g, creep) for b in blanks]
        scaled, loss_g = [b.loss_g for b in taken], math.fsum(b.loss_g for b in taken) / n
        pairs = zip(taken, blanks, strict=True)
        between_u_g = math.fsum(math.sqrt(max(0.0, t.u_g**2 - b.u_g**2)) for t, b in pairs) / n
        fixed_g = math.fsum(b.fixed_g or 0.0 for b in taken) / n
    measured2 = [b.u_g**2 for b in blanks]
    scatter2 = math.fsum((x - loss_g) ** 2 for x in scaled) / (n - 1)
    nights2 = max(0.0, scatter2 - math.fsum(measured2) / n)
    assumed2 = (REPRODUCES * loss_g) ** 2 / 6.0  # of one night: two differ by √2 times as much
    again2 = max(nights2, (ASSUMED_DOF * assumed2 + (n - 1) * nights2) / (ASSUMED_DOF + n - 1))
    u_g = math.hypot(math.sqrt(math.fsum(measured2)) / n, between_u_g)
    again_u_g = math.sqrt(again2 * (1.0 + 1.0 / n))
    weight = math.fsum((m / n**2) ** 2 / b.dof for m, b in zip(measured2, blanks, strict=True))
    weight += again_u_g**4 / (ASSUMED_DOF + n - 1)
    dof = (u_g**2 + again_u_g**2) ** 2 / weight if weight > 0.0 else math.inf
    return Blank(", ".join(names), loss_g, u_g, dof, math.fsum(b.mass_g for b in blanks) / n, again_u_g, fixed_g)


def check_same_rig(blank_run: Result, certificate: Certificate | None) -> None:
    """Raise ``BlankDoesNotMatch`` where a blank was not measured on the rig and by the certificate of this run."""
    theirs = None if blank_run.certificate is None else blank_run.certificate.sha256
    if certificate is None or theirs != certificate_hash(certificate):
        raise BlankDoesNotMatch(
            f"blank {_name(blank_run)}: was made with another rig or certificate: run the dummy on this rig, with this "
            "one"
        )


def check_blank(blank_run: Result, run: Result, *, by_mass: bool = False) -> None:
    """Raise ``BlankDoesNotMatch`` where a blank does not match the run that would subtract it: what, and what to do.

    ``run`` is that run's result as far as it is known before anything is subtracted; ``by_mass``: the blank is taken to
    its sample's mass.
    """
    name = f"blank {_name(blank_run)}"
    for field, words in SAME:
        theirs, ours = getattr(blank_run, field), getattr(run, field)
        if theirs != ours:
            raise BlankDoesNotMatch(
                f"{name}: {words} was {theirs}, here it is {ours}: run the dummy through the same test"
            )
    theirs_g, ours_g = blank_run.m1_g, run.m1_g
    weighed = " and ".join("nothing" if m is None else f"{m:.1f} g" for m in (theirs_g, ours_g))
    if by_mass:
        if theirs_g is None or ours_g is None or not ours_g <= MOST_TIMES * theirs_g <= MOST_TIMES**2 * ours_g:
            raise BlankDoesNotMatch(
                f"{name}: dummy and sample weighed {weighed}: use a dummy of half to twice the sample's mass"
            )
    elif theirs_g is None or ours_g is None or not abs(theirs_g - ours_g) <= MASS_BAND * ours_g:
        raise BlankDoesNotMatch(
            f"{name}: dummy and sample weighed {weighed}: use a dummy within {MASS_BAND * 100:g} % of the sample"
        )


def _name(result: Result) -> str:
    return f"run {'?' if result.run_id is UNSET else result.run_id} ({result.sample_id})"
