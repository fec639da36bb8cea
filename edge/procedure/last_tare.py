"""The tare of the run before: what an empty holder shows by itself from one run to the next, and what it does not.

The certificate's empty holder is of the day of the calibration, and its bound is wide. This module must never take a
tare of another certificate for one of this rig.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from calibration.certificate import Certificate

from .plan import Plan

POWER_UP = 0.01
"""Of the capacity: what a converter that is powered up anew may show otherwise. Its users report 0.5 to 1 % (FACTS)."""
ROOM_K = 10.0
"""So far apart may the cell's temperatures of two runs be; the certificate's coefficient is known to ``3 u``."""
MONTH_H = 720.0
"""A zero walks on between two runs: for so long at most; a longer pause is one for a new calibration."""


@dataclass(frozen=True, slots=True)
class LastTare:
    """The newest tare of a rig before this run: of which run, and the code of the empty holder."""

    run_id: int
    code: float


def moves_by_itself_g(certificate: Certificate) -> float:
    """Get how far the empty holder of a rig may be from its last tare, in g, though nobody touched it.

    A power-up of the converter, the zero's walk (3 u after a month), its drift over a night, and what the temperature's
    coefficient leaves at another temperature of the room (3 u): added up, for none of them is to be a refusal.
    """
    stability, per_g = certificate.stability, abs(certificate.span.counts_per_g)
    walk_g = 3.0 * stability.zero_walk_g * math.sqrt(MONTH_H)
    drift_g = max(stability.zero_drift_g, 24.0 * stability.zero_drift_g_per_h)
    warm_g = 3.0 * certificate.temperature.u_zero_counts_per_k / per_g * ROOM_K
    return POWER_UP * certificate.cell.capacity_g + walk_g + drift_g + warm_g


def with_last_tare(plan: Plan, certificate: Certificate, last: LastTare | None) -> Plan:
    """Get the plan of a run whose tare is held against the rig's last one (None: there is none to be held against)."""
    if last is None:
        return plan
    return replace(
        plan,
        last_tare_g=last.code / certificate.span.counts_per_g,
        last_tare_within_g=moves_by_itself_g(certificate),
        last_tare_run=last.run_id,
    )
