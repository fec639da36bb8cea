"""Is the rig shown fit, when a test of a cell begins? What its newest tests with a control said, and whether it holds.

One that found it not fit refuses the start. This module must never judge a test of the rig anew.
"""

from __future__ import annotations

import datetime
from pathlib import Path

from msgspec import UNSET

from edge.database.rig_tests import tests_of_the_rig
from edge.database.shown_runs import unaltered_result
from edge.errors import BadInput
from edge.records.suitability import RigShown, SuitabilityTold


def rig_shown(
    database: Path, certificate_sha256: str, today: datetime.date, *, changed: str = "", required: bool = False
) -> tuple[RigShown, ...]:
    """Get what the newest test with a loss, and the newest without one, said of the rig: none where there was none.

    ``changed`` says what is another than in those tests ('': nothing); ``required``: the rig must be shown fit. Raises
    ``BadInput`` where one found it not fit, or where it must be shown fit and is not.
    """
    found: dict[bool, RigShown] = {}
    for run_id in [] if not database.exists() else tests_of_the_rig(database, certificate_sha256):
        told = unaltered_result(database, str(run_id)).suitability
        if told is not UNSET:
            found.setdefault(told.kind == "inert", _shown(run_id, told, today, changed))
        if len(found) == 2:
            break
    shown = tuple(found.values())
    for one in shown:
        if not one.fit and not changed:
            raise BadInput(
                f"run {one.run_id}, a test of the rig ({one.kind}), found it NOT fit: {one.why}: mend it, and test it "
                "again (docs/suitability.md), or calibrate anew"
            )
    lapsed = next((one.lapsed for one in shown if one.lapsed), None)
    if required and (not shown or lapsed):
        raise BadInput(
            f"the rig is not shown fit ({lapsed or 'no test of it with this certificate'}), and the settings ask for "
            "it, [test] suitability: test it first (docs/suitability.md)"
        )
    return shown


def _shown(run_id: int, told: SuitabilityTold, today: datetime.date, changed: str) -> RigShown:
    lapsed = changed or None
    if lapsed is None and told.fit_until is not None and today > told.fit_until:
        lapsed = f"it held until {told.fit_until}"
    return RigShown(run_id=run_id, kind=told.kind, fit=told.fit, fit_until=told.fit_until, why=told.why, lapsed=lapsed)
