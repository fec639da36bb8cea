"""The list of runs, and what is said above a report of one: what first differs from the chain, before any verdict.

It shows what was checked (:mod:`edge.database.shown_runs`) and checks nothing. This module must never show the numbers
of a run that is altered as its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from calibration.visible_text import visible
from edge.database.shown_runs import RunOnPage, ShownRun

from .text import loss_and_expanded, short_headline

HEAD = f"{'run':>4}  {'verdict':12}  {'loss %':>9}  {'± %':>7}  {'kind':9}  {'started (UTC)':19}  sample"
ALTERED = "ALTERED"


def run_lines(run: RunOnPage) -> Iterator[str]:
    """Get a run's line in the list, and where it is altered a second one: what differs, and what it says of itself."""
    listed = run.listed
    loss, plus_minus = ("", "") if run.altered else loss_and_expanded(listed)
    verdict = ALTERED if run.altered else listed.verdict or listed.state
    line = (
        f"{listed.run_id:>4}  {verdict:12}  {loss:>9}  {plus_minus:>7}  {listed.kind:9}  "
        f"{listed.started_utc[:19]}  {listed.sample_id}"
    )
    words = "" if run.result is None else short_headline(run.result)
    yield visible(f"{line}  ({words})" if words else line)
    if run.altered:
        says = " ".join(part for part in (listed.verdict or listed.state, *loss_and_expanded(listed)) if part)
        yield visible(f"      {run.altered}; it says {says}")


def as_json_list(runs: Sequence[RunOnPage]) -> list[dict[str, object]]:
    """Get runs as plain JSON: as listed, with ``altered`` (null: no), ``checked``, and what its first sentence says."""
    return [
        {
            **msgspec.to_builtins(run.listed),
            "altered": None if run.altered is None else str(run.altered),
            "checked": run.checked,
            "says": None if run.result is None else short_headline(run.result) or None,
        }
        for run in runs
    ]


def checked_lines(shown: ShownRun) -> Iterator[str]:
    """Get what is said before a report: what is altered, and what of it is in no chain."""
    if shown.altered is not None:
        yield visible(f"{ALTERED}: {shown.altered}")
        yield "What follows is what is stored, and must not be relied on."
    if shown.not_in_chain is not None:
        yield f"Not in the chain: {shown.not_in_chain}"
