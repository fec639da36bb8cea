"""What a cell remembers of an earlier load: creep that comes back under the next one, and seems a loss or a gain.

Loads superpose (Boltzmann): what hung for T and was taken off t ago still has c(t + T) − c(t) of its creep c in the
indication. Which law c follows nobody knows beyond two hours, so that it is bounded by three that fit what was seen of
it. This module must never call a load gone because nobody saw it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from calibration.certificate import Certificate
from calibration.creep import FIRST_S, MEAN_S, NIGHT, NIGHT_HALF
from edge.records.earlier_load import EarlierLoad, RestKnown
from edge.records.weighing import Weighing

HOUR = 3600.0
FAST_S, SLOW_S, LOG_S = 20.0 * 60.0, 4.0 * HOUR, 60.0
LAWS: tuple[Callable[[float], float], ...] = (
    lambda t: 1.0 - math.exp(-t / FAST_S),
    lambda t: math.log1p(t / LOG_S),
    lambda t: 1.0 - math.exp(-t / SLOW_S),
)
"""An exponential of 20 min, a logarithm of time, an exponential of 4 h: those between which the calibration takes the
creep from M1 to M2 to lie."""
SEEN_S = (sum(FIRST_S) / 2.0, 2.0 * HOUR - MEAN_S / 2.0)
"""Between these times after loading the calibration saw it."""
ASSUMED_REST_S = 600.0
"""A load of which nobody knows when it was taken off hung until so long before the run: as long as a person needs to
take it off, to write down what is tested next and to start."""
MATTERS = 2e-6
"""Of the sample: a memory that makes less is none."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """A load of ``mass_g`` that hung for ``hung_s``, off at ``off_s`` of the run's clock (before the run: less than 0).

    ``of`` names it, ``rest`` says who knows when it was taken off.
    """

    of: str
    mass_g: float
    hung_s: float
    off_s: float
    rest: RestKnown


@dataclass(frozen=True, slots=True)
class Memory:
    """What the indication gains from M1 to M2 by earlier loads, in g with its u: the load that makes most, and others.

    A load creeps up and comes back down: then it is a loss that is none.
    """

    gained_g: float
    u_g: float
    chief: Remembered
    others: int


def remembered(loads: Iterable[EarlierLoad]) -> tuple[Remembered, ...]:
    """Get loads from before a run on the run's own clock."""
    return tuple(Remembered(x.of, x.mass_g, x.hung_s, -x.rested_s, x.rest) for x in loads)


def undeclared(loads: Iterable[Remembered]) -> tuple[Remembered, ...]:
    """Get loads as they would be if nobody had said since when they were off: they hung until just before the run."""

    def assumed(x: Remembered) -> Remembered:
        off_s = max(x.off_s, -ASSUMED_REST_S)
        return replace(x, hung_s=x.hung_s + off_s - x.off_s, off_s=off_s, rest="assumed")

    return tuple(assumed(x) if x.rest == "declared" else x for x in loads)


def memory(
    certificate: Certificate,
    loads: Sequence[Remembered],
    masses: tuple[Weighing, Weighing],
    zeros: tuple[Weighing, Weighing] | None = None,
    share: float = 0.0,
) -> Memory | None:
    """Get what comes back of earlier loads from the first of ``masses`` to the second (None: it does not matter).

    The middle of what the three laws say of it, and half their range (rectangular, JCGM 100, 4.3.7); a load that may
    have been off for longer than is assumed may have left nothing. With ``zeros``, of what they moved by the ``share``
    that was subtracted went with it.
    """
    if not loads:
        return None
    each = [_by_each_law(certificate, [load], masses, zeros, share) for load in loads]
    chief = loads[max(range(len(loads)), key=lambda i: max(map(abs, each[i])))]
    told = _by_each_law(certificate, loads, masses, zeros, share)
    if max(map(abs, told)) < MATTERS * abs(masses[0].value.mean):
        return None
    seen, u_seen = _creep_seen(certificate)
    ends = [*told, 0.0] if chief.rest == "assumed" else told
    if seen == 0.0:  # how far it may creep is known, and not whether up or down
        ends = [*told, *(-g for g in told)]
    middle_g, half_g = (max(ends) + min(ends)) / 2.0, (max(ends) - min(ends)) / 2.0
    u_of_seen = u_seen / abs(seen) * abs(middle_g) if seen else 0.0
    return Memory(middle_g, math.hypot(half_g / math.sqrt(3.0), u_of_seen), chief, len(loads) - 1)


def _creep_seen(certificate: Certificate) -> tuple[float, float]:
    """Get what a load crept in the calibration's two hours, as a share of it, with its u by the zero's wander.

    (0, what it may creep) where it was not measured.
    """
    stability = certificate.stability
    if not stability.u_creep_gained_pct > 0.0:
        return 0.0, stability.creep_pct_fs / 100.0
    late_pct = stability.creep_gained_pct / NIGHT  # from the 20th minute on
    u2 = stability.u_creep_gained_pct**2 - (NIGHT_HALF * late_pct) ** 2 / 3.0
    seen_pct = stability.creep_whole_pct - (NIGHT - 1.0) * late_pct
    if abs(seen_pct) < abs(late_pct):
        seen_pct = late_pct
    return seen_pct / 100.0, math.sqrt(max(0.0, u2)) / NIGHT / 100.0


def _by_each_law(
    certificate: Certificate,
    loads: Sequence[Remembered],
    masses: tuple[Weighing, Weighing],
    zeros: tuple[Weighing, Weighing] | None,
    share: float,
) -> list[float]:
    """Get what the indication gains from M1 to M2 in g, by each of the laws."""
    seen, most = _creep_seen(certificate)
    out = []
    for law in LAWS:
        per_g = (seen or most) / (law(SEEN_S[1]) - law(SEEN_S[0]))

        def left(w: Weighing, law: Callable[[float], float] = law) -> float:
            past = ((x, w.middle_s - x.off_s) for x in loads)
            return math.fsum(x.mass_g * (law(t + x.hung_s) - law(t)) for x, t in past if t > 0.0)

        gained = left(masses[1]) - left(masses[0])
        if zeros is not None:
            gained -= share * (left(zeros[1]) - left(zeros[0]))
        out.append(per_g * gained)
    return out
