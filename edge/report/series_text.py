"""A series as plain text: its cells, what they come to, how they scatter, and an outlier by its name.

It shows the record and computes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from calibration.visible_text import visible
from edge.trends.series import CellOfSeries, SeriesTold

from .decimals import decimals


def series_text(told: SeriesTold) -> str:
    """Get a series as text of several lines."""
    return "\n".join(map(visible, _lines(told)))


def _lines(told: SeriesTold) -> Iterator[str]:
    assumed = "assumed, not from the standard" if told.combine_assumed else "as the standard's file says"
    yield f"Series {told.name}, by {told.designation}: {told.verdict or 'not complete'}: {told.why} ({assumed})"
    number = " (assumed)" if told.replicates_assumed else ""
    yield f"{told.replicates} cell{'s are' if told.replicates > 1 else ' is'} asked for{number}."
    for cell in told.cells:
        yield f"  {_cell(cell)}"
    if told.mean_pct is not None and told.U_mean_pct is not None:
        places = decimals(told.U_mean_pct)
        scatter = "" if told.sd_pct is None else f", s = {told.sd_pct:.2g} %"
        yield f"Mean loss {told.mean_pct:.{places}f} ± {told.U_mean_pct:.{places}f} %{scatter}"
    if told.outlier is not None:
        o = told.outlier
        what = "an outlier" if o.level < 0.02 else "a straggler"
        yield (
            f"{o.sample_id} (run {o.run_id}) is {what}: Grubbs' G = {o.g:.3f}, critical {o.critical:.3f} at "
            f"{o.level * 100:g} %. It is not taken out."
        )
    yield from told.said


def _cell(cell: CellOfSeries) -> str:
    head = f"run {cell.run_id:>4}  {cell.started_utc[:16].replace('T', ' ')}  {cell.sample_id}: "
    if not cell.counts or cell.loss_pct is None or cell.U_pct is None:
        return f"{head}does not count: {cell.why_not}"
    places = decimals(cell.U_pct)
    return f"{head}{cell.verdict}, {cell.loss_pct:.{places}f} ± {cell.U_pct:.{places}f} %"
