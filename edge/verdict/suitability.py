"""A test of the rig: is what is known to leave recovered within its uncertainty, and is that small enough?

A positive control shows that a loss is found, a negative one that none is made up. Such a run judges no cell: as a
verdict it is INVALID, with what it says of the rig as its reason. This module must never call a rig fit whose
uncertainty would call anything fit.
"""

from __future__ import annotations

import datetime
import math

from msgspec.structs import replace as with_fields

from edge.procedure.definition import EndedRun
from edge.records.invalid import Invalid, InvalidReason
from edge.records.result import Result
from edge.records.suitability import Control, SuitabilityTold

from .conclude import without_numbers

FIT_DAYS = 30
"""So long a rig that was shown fit is taken to be: a month, assumed; a new certificate or mount ends it."""
WORTH = 1.0 / 3.0
"""U may be at most this part of the standard's limit: else it decides nothing."""
COVERAGE = 2.0


def with_suitability(ended: EndedRun, result: Result) -> Result:
    """Get a result with what it says of the rig, where the run was a test of it; else as it is."""
    control = ended.definition.suitability
    if control is None:
        return result
    told = _told(ended, result, control)
    because = Invalid(InvalidReason.TEST_OF_THE_RIG, told.in_a_line())
    return without_numbers(with_fields(result, suitability=told), because)


def _told(ended: EndedRun, result: Result, control: Control) -> SuitabilityTold:
    known_u = COVERAGE * control.u_known_g
    loss, expanded, m1 = result.loss_pct, result.U_pct, result.reference_g
    if loss is None or expanded is None or m1 is None:
        return SuitabilityTold(
            kind=control.kind,
            known_g=control.known_g,
            U_known_g=known_u,
            found_g=None,
            U_found_g=None,
            e_n=None,
            fit=False,
            fit_until=None,
            why=f"the run could not be judged: {result.invalid_because}",
        )
    found, found_u = loss / 100.0 * m1, expanded / 100.0 * m1
    e_n = abs(found - control.known_g) / math.hypot(found_u, known_u)
    limit = ended.definition.standard.limit_pct.value
    recovered, fine = e_n <= 1.0, expanded <= WORTH * limit
    if recovered and fine:
        why = f"{found:.4g} ± {found_u:.2g} g of {control.known_g:.4g} ± {known_u:.2g} g are recovered"
    elif recovered:
        why = f"U = {expanded:.2g} % is more than a third of the limit of {limit:g} %: it would find anything fit"
    else:
        why = f"{found:.4g} ± {found_u:.2g} g are found, and {control.known_g:.4g} ± {known_u:.2g} g left it"
    fit = recovered and fine
    return SuitabilityTold(
        kind=control.kind,
        known_g=control.known_g,
        U_known_g=known_u,
        found_g=found,
        U_found_g=found_u,
        e_n=e_n,
        fit=fit,
        fit_until=ended.on + datetime.timedelta(days=FIT_DAYS) if fit else None,
        why=why,
    )
