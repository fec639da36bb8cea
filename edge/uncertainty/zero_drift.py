"""What the second zero says after the test: how the zero moved, and what of it lies between M1 and M2.

The zero is taken before M1 and again after M2. What it moved between the two is measured, and what of it lies
between M1 and M2 is inferred; what cannot be inferred stays uncertain. This module must never take more from a
second zero than the certificate's drift and creep let it say.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from calibration.certificate import Certificate
from edge.records.weighing import Weighing

RETURN_U = 0.5 / math.sqrt(3.0)
"""A load that is taken off lets the cell creep back as it crept: assumed, to ±50 %."""
RETURN_AGAIN_U = 0.1 / math.sqrt(3.0)
"""What it did after the calibration's night it does after another: assumed, to ±10 % of the creep."""
UNKNOWN_FROM = 1.5
"""Of twice what was to be expected: a zero that moved by so much was not moved by what the certificate knows."""
WEIGHT_TOLERANCE = 1e-4


@dataclass(frozen=True, slots=True)
class Inert:
    """What an inert load seems to gain from M1 to M2 by creep, in g: an estimate, its u with dof, where it is from.

    ``whole_g`` is what it has crept since it was put on, of which the second zero may keep a share.
    """

    gained_g: float
    u_g: float
    dof: float
    why: str
    whole_g: float = 0.0


@dataclass(frozen=True, slots=True)
class Wander:
    """What the zero may do by itself over a time at one temperature: standard uncertainty in g, dof, how, and by what.

    What ``drifts`` goes straight, what ``walks`` goes on from where it is, what is ``bounded`` comes back in minutes.
    """

    u_g: float
    dof: float
    how: Literal["drifts", "walks", "is bounded"]
    why: str


def wander(certificate: Certificate, hours: float) -> Wander:
    """Get what a calibration saw the zero do, over ``hours``: drift and walk are two estimates of one thing.

    The larger counts. A drift of two nights has two degrees of freedom: nobody knows its sign in the third.
    """
    stability = certificate.stability
    walk_g = stability.zero_walk_g * math.sqrt(hours)
    drift_g = stability.zero_drift_g_per_h * hours
    if drift_g > walk_g:
        why = f"{stability.zero_drift_g_per_h:.3g} g an hour in {stability.zero_drift_dof:g} nights, over {hours:.2f} h"
        return Wander(drift_g, stability.zero_drift_dof, "drifts", why)
    if 0.0 < stability.zero_bound_g < walk_g:
        why = f"within {stability.zero_bound_g:.3g} g over hours, however long"
        return Wander(stability.zero_bound_g, stability.zero_bound_dof, "is bounded", why)
    why = f"{stability.zero_walk_g:.3g} g after one hour, by the root of {hours:.2f} h"
    return Wander(walk_g, stability.zero_walk_dof, "walks", why)


@dataclass(frozen=True, slots=True)
class ZeroSteps:
    """What resets of the converter between M1 and M2 did to its zero, in g: whole steps at known times.

    ``seen_g`` is the sum of those that were measured under the load, with the standard uncertainty ``u_g`` of as much
    of it as is the zero's; ``unseen_u_g`` what those that nobody saw may have, and of which the second zero has all.
    """

    seen_g: float = 0.0
    u_g: float = 0.0
    unseen_u_g: float = 0.0


NO_STEPS = ZeroSteps()


@dataclass(frozen=True, slots=True)
class Drift:
    """What the rig gained by itself from M1 to M2, inferred with the second zero.

    ``moved_g`` is what the zero moved, ``expected_u_g`` the standard uncertainty with which that was to be expected,
    ``surprising`` that it moved by more than twice as much; ``share`` is how much of a gram that it moved is taken for
    gained between M1 and M2.
    """

    gained_g: float
    u_g: float
    dof: float
    why: str
    moved_g: float
    expected_u_g: float
    share: float
    surprising: bool


def drift_between(
    certificate: Certificate,
    before: Weighing,
    after: Weighing,
    tare: Weighing,
    zero: Weighing,
    inert: Inert,
    steps: ZeroSteps = NO_STEPS,
) -> Drift:
    """Infer what the rig gained from M1 to M2 from what its zero moved from the tare to the second zero.

    The zero wanders as a random walk (variance V over the whole time, of which the share f lies between M1 and M2), and
    carries what is left of the creep. With X the gain and Z what the zero moved, ``E[X|Z] = E[X] + C/S·(Z − E[Z])`` and
    ``u²(X|Z) = Var X − C²/S``, with C = f·V + u²(creep) and S = V·1 + u²(creep)·(1 + u²(return)) + noise: for a walk
    alone Z·f, the straight line between the zeros, and what a Brownian bridge leaves, V·f·(1 − f). A drift is a
    straight line in both, with D/f in C and D/f² in S: next to nothing of it is left. What is bounded is in S and in X
    alike, and in C not at all. A step of the converter between M1 and M2 is whole in X and in Z: what was seen of it is
    taken off Z, what was not has its variance in Var X, C and S. Where the zero moved by more than twice √S, the
    certificate says too little of this rig and the uncertainty is widened in proportion; and where it moved by three
    times √S, nothing that the certificate knows moved it, and nobody saw when it did: a cable that was touched before
    M1, a draught over the tare. Then all of X from nothing to Z is as likely (rectangular, JCGM 100, 4.3.7).
    """
    t, s = certificate.temperature, abs(certificate.span.counts_per_g)
    span_h = after.middle_s / 3600.0 - before.middle_s / 3600.0
    whole_h = max(zero.middle_s / 3600.0 - tare.middle_s / 3600.0, span_h)
    f = span_h / whole_h
    own = wander(certificate, span_h)
    walk2, straight2, apart2 = certificate.stability.zero_drift_g**2 / 3.0, 0.0, 0.0
    if own.how == "drifts":
        straight2 = own.u_g**2
        walk2 += certificate.stability.zero_walk_g**2 * span_h
    elif own.how == "is bounded":
        apart2 = own.u_g**2
    else:
        walk2 += own.u_g**2
    noise2 = (zero.value.u**2 + tare.value.u**2 + 2.0 * (t.zero_counts_per_k * t.u_cell_temp_c) ** 2) / s**2
    kept_g, u_kept, kept_why = _kept(certificate, before.value.mean)
    back2 = (max(inert.whole_g**2, inert.gained_g**2) + inert.u_g**2) * u_kept**2
    stepped2 = steps.unseen_u_g**2
    prior2 = straight2 + walk2 + apart2 + inert.u_g**2 + stepped2
    common2 = straight2 / f + walk2 + inert.u_g**2 + stepped2
    seen2 = straight2 / f**2 + walk2 / f + apart2 + inert.u_g**2 + back2 + noise2 + stepped2 + steps.u_g**2
    moved_g = (zero.value.mean - tare.value.mean) / certificate.span.counts_per_g
    surprise_g = moved_g - steps.seen_g - inert.gained_g - kept_g
    share = common2 / seen2 if seen2 > 0.0 else 0.0
    walks = (
        own.how == "walks" and steps == NO_STEPS
    )  # then C is Var X, and the sum is as it has always been, to the last bit
    u_g = math.sqrt(max(0.0, prior2 * (1.0 - share) if walks else prior2 - common2 * share))
    widened = abs(surprise_g) / (2.0 * math.sqrt(seen2)) if seen2 > 0.0 else 1.0
    unknown = min(1.0, max(0.0, widened - 1.0) / (UNKNOWN_FROM - 1.0))
    anywhere_u_g = unknown * max(share, 1.0 - share) * abs(surprise_g) / math.sqrt(3.0)
    if walks:
        prior_dof = own.u_g**4 / own.dof + inert.u_g**4 / inert.dof
        dof = prior2**2 / prior_dof if prior_dof > 0.0 else math.inf
    else:  # what each leaves in X − share·Z (Welch-Satterthwaite): of a drift next to nothing
        left = (
            (straight2 * (1.0 - share / f) ** 2, certificate.stability.zero_drift_dof),
            (walk2 * ((1.0 - share) ** 2 + share**2 * (1.0 / f - 1.0)), certificate.stability.zero_walk_dof),
            (apart2 * (1.0 + share**2), certificate.stability.zero_bound_dof),
            (inert.u_g**2 * (1.0 - share) ** 2, inert.dof),
        )
        weight = math.fsum(part**2 / part_dof for part, part_dof in left)
        dof = u_g**4 / weight if weight > 0.0 else math.inf
    stepped = "" if steps == NO_STEPS else f", resets by {steps.seen_g:+.4f} g of it and what nobody saw"
    return Drift(
        gained_g=inert.gained_g + share * surprise_g,
        u_g=max(u_g * max(1.0, widened), anywhere_u_g),
        dof=dof,
        why=f"the zero moved by {moved_g:+.4f} g in {whole_h:.2f} h{stepped}, weight {share:.2f}; certificate: "
        f"{math.sqrt(straight2 + walk2 + apart2):.3g} g of drift; {inert.why}; {kept_why}",
        moved_g=moved_g,
        expected_u_g=math.sqrt(seen2),
        share=share,
        surprising=widened > 1.0,
    )


def _kept(certificate: Certificate, load_g: float) -> tuple[float, float, str]:
    """Get what a load that is taken off leaves behind in g, the u of the share of its creep that this is, and how.

    What was measured and the assumption are two statements about one share: their weighted mean (by 1/u²). Half of it
    may be creep so slow that it had not come to its end when the load was taken off.
    """
    stability = certificate.stability
    if not stability.u_creep_kept > 0.0:
        return 0.0, RETURN_U, "creep returns to ±50 % (assumed)"
    weight = RETURN_U**2 / (RETURN_U**2 + stability.u_creep_kept**2)
    share = weight * stability.creep_kept
    u = math.hypot(math.sqrt(weight) * stability.u_creep_kept, RETURN_AGAIN_U, share / 2.0 / math.sqrt(3.0))
    why = f"of the creep {share * 100.0:.2g} % ± {u * 100.0:.2g} % does not come back (measured, weight {weight:.2f})"
    return share * stability.creep_whole_pct / 100.0 * load_g, u, why
