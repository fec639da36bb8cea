"""What hung on the cell before a run that begins: of the last runs, and of the calibration's night under load.

This module must never take a rest for longer than somebody saw or said: else the load hung until a moment ago.
"""

from __future__ import annotations

import datetime
from pathlib import Path

from calibration.certificate import Certificate, certificate_hash
from edge.database.earlier_loads import LoadOfRun, loads_of_runs
from edge.errors import BadInput
from edge.records.earlier_load import EarlierLoad, RestKnown
from edge.records.run import RunKind
from edge.uncertainty.earlier_load import ASSUMED_REST_S

FORGOTTEN_S = 72.0 * 3600.0
"""What ended longer ago was taken off meanwhile, and has rested for a day or so (assumed)."""
SETTLED_S = 7200.0  # under the calibration's weight before its warming begins, and after it with calibrate return


def earlier_loads(
    database: Path,
    certificate: Certificate,
    kinds: tuple[RunKind, ...],
    now_s: float,
    *,
    empty_s: float | None = None,
) -> tuple[EarlierLoad, ...]:
    """Get what hung on the cell in the last three days before a run that begins at ``now_s`` of the wall clock.

    ``empty_s``: for so long the holder was empty before it, as the operator says. Raises ``BadInput`` where a run says
    otherwise.
    """
    loads = loads_of_runs(database, certificate_hash(certificate), kinds)
    found = [load for i, of in enumerate(loads) if (load := _of_run(of, now_s, empty_s, newest=i == 0)) is not None]
    calibrated = _of_calibration(certificate, now_s, empty_s)
    return tuple(found) if calibrated is None else (*found, calibrated)


def _of_run(of: LoadOfRun, now_s: float, empty_s: float | None, *, newest: bool) -> EarlierLoad | None:
    """Get what a run hung on the cell (None: it is long ago, or of an older one nobody knows when)."""
    name = f"run {of.run_id}"
    unseen_s = None if of.last_s is None else now_s - of.last_s
    if unseen_s is None or unseen_s < 0.0:  # no clock says when: it may have been just now
        if not newest:
            return None
        rest: RestKnown = "assumed" if empty_s is None else "declared"
        rested_s = ASSUMED_REST_S if empty_s is None else empty_s
        return EarlierLoad(of=name, mass_g=of.mass_g, hung_s=of.seen_s, rested_s=rested_s, rest=rest)
    if unseen_s > FORGOTTEN_S:
        return None
    if of.off_s is not None:
        return EarlierLoad(of=name, mass_g=of.mass_g, hung_s=of.seen_s, rested_s=unseen_s, rest="measured")
    if empty_s is not None and empty_s > unseen_s:
        raise BadInput(
            f"empty for {empty_s / 3600.0:.2g} h: the sample of {name} was on {unseen_s / 3600.0:.2g} h ago: say since "
            "when the holder is empty, or leave that out"
        )
    rested_s = min(unseen_s, ASSUMED_REST_S if empty_s is None else empty_s)
    hung_s = of.seen_s + unseen_s - rested_s
    rest = "assumed" if empty_s is None else "declared"
    return EarlierLoad(of=name, mass_g=of.mass_g, hung_s=hung_s, rested_s=rested_s, rest=rest)


def _of_calibration(certificate: Certificate, now_s: float, empty_s: float | None) -> EarlierLoad | None:
    """Get the weight of the night under load (None: none, or long ago). Of its day only the end is known."""
    loaded = None if certificate.record is None else certificate.record.loaded_slope
    if loaded is None:
        return None
    next_day = datetime.datetime.combine(certificate.made_at, datetime.time()).astimezone() + datetime.timedelta(days=1)
    since_day_s = now_s - next_day.timestamp()
    if since_day_s > FORGOTTEN_S:
        return None
    returned = certificate.stability.u_creep_kept > 0.0  # then the holder was empty for two hours at its end
    seen_s = max(since_day_s, SETTLED_S if returned else 0.0)
    rested_s = max(seen_s, ASSUMED_REST_S if empty_s is None else empty_s)
    return EarlierLoad(
        of="the calibration",
        mass_g=loaded.weight_g,
        hung_s=60.0 * loaded.minutes + SETTLED_S,
        rested_s=rested_s,
        rest="measured" if rested_s == seen_s else "assumed" if empty_s is None else "declared",
    )
