"""What happened between M1 and M2, in order of time: one list for text, JSON and every report.

Excursions, stops, resets, jumps, slopes and alarms. This module must never leave one out because the verdict does not
change.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from edge.procedure.definition import EndedRun
from edge.procedure.jumps import Jump
from edge.records.formatting import known, significant, with_u
from edge.records.result import HappenedKind, HappenedTold
from edge.records.weighing import WeighingKind
from edge.uncertainty.hold_rise import HoldRise
from edge.uncertainty.slopes import Slope

from .resets import UNSEEN_STEP, ResetStep


def what_happened(
    ended: EndedRun,
    jumps: tuple[Jump, ...],
    resets: tuple[ResetStep, ...],
    slopes: tuple[Slope, ...],
    rise: HoldRise | None = None,
) -> tuple[HappenedTold, ...]:
    """Get what happened, in order of time."""
    return tuple(
        sorted(
            (
                *_of_the_hold(ended),
                *_stops(ended),
                *_jumps(jumps),
                *_resets(ended, resets),
                *_slopes(ended, slopes),
                *_rise(rise),
                *_alarms(ended),
            ),
            key=lambda h: h.from_s,
        )
    )


def _of_the_hold(ended: EndedRun) -> Iterator[HappenedTold]:
    for e in ended.phases.excursions:
        worst_c = known(e.worst_temp_c)
        far = "" if worst_c is None else f", as far as {worst_c:.2f} °C"
        why = f"{e.why} for {e.length_s:.0f} s{far}: it does not count"
        yield HappenedTold(from_s=e.from_s, to_s=e.to_s, what=HappenedKind.EXCURSION, why=why)


def _alarms(ended: EndedRun) -> Iterator[HappenedTold]:
    """Tell the alarms while the sample hung: before M1 and after M2 they are no part of the loss."""
    found = ended.phases.weighings.get
    m1, m2 = found(WeighingKind.M1), found(WeighingKind.M2)
    from_s, to_s = -math.inf if m1 is None else m1.from_s, math.inf if m2 is None else m2.to_s
    yield from (a for a in ended.alarms if a.to_s >= from_s and a.from_s <= to_s)


def _stops(ended: EndedRun) -> Iterator[HappenedTold]:
    for stop in ended.stops or ():
        if stop.length_s is None:
            why = f"nothing was measured, for a time that is not known ({stop.at_least_s:.0f} s at least)"
        else:
            why = f"nothing was measured for {stop.length_s:.0f} s"
        to_s = stop.from_s + (stop.at_least_s if stop.length_s is None else stop.length_s)
        yield HappenedTold(from_s=stop.from_s, to_s=to_s, what=HappenedKind.STOP, why=why)


def _jumps(jumps: tuple[Jump, ...]) -> Iterator[HappenedTold]:
    for j in jumps:
        why = f"the indication jumped by {j.step_g:+.4g} g: no evaporation does that; something touched the holder"
        yield HappenedTold(from_s=j.t_s, to_s=j.t_s, what=HappenedKind.JUMP, why=why, step_g=j.step_g, u_g=j.u_g)


def _resets(ended: EndedRun, steps: tuple[ResetStep, ...]) -> Iterator[HappenedTold]:
    """Tell all resets, also those before M1 and after M2, whose step is in no loss."""
    by_time = {s.reset.at_s: s for s in steps}
    for r in ended.resets:
        why = f"the {r.chip} was reset ({r.cause})"
        s = by_time.get(r.at_s)
        kind = HappenedKind.CONVERTER_RESET
        if s is None:
            yield HappenedTold(from_s=r.from_s, to_s=r.at_s, what=kind, why=f"{why}: not between M1 and M2")
        elif s.seen:
            why += f": the indication stepped by {s.step_g:+.4g} ± {s.u_g:.2g} g, corrected"
            why += " (by the second zero and the check weight)" if s.by_weight else ""
            yield HappenedTold(from_s=r.from_s, to_s=r.at_s, what=kind, why=why, step_g=s.step_g, u_g=s.u_g)
        elif s.by_zero:
            why += (
                f": its step could not be seen; the second zero has it whole, and of the gain ±{s.u_g:.2g} g is assumed"
            )
            yield HappenedTold(from_s=r.from_s, to_s=r.at_s, what=kind, why=why, u_g=s.u_g)
        else:
            why += f": its step could not be seen, ±{UNSEEN_STEP * 100:g} % of the load is assumed"
            yield HappenedTold(from_s=r.from_s, to_s=r.at_s, what=kind, why=why, u_g=s.u_g)


def _slopes(ended: EndedRun, slopes: tuple[Slope, ...]) -> Iterator[HappenedTold]:
    for s in slopes:
        if not (s.toward_loss_g and s.counts):  # a gain at M1 is the cell's creep, a loss at M2 its return
            continue
        w = ended.phases.weighings[s.which]
        what = "loses" if s.rate_g_per_h < 0.0 else "gains"
        more = f": at least {significant(s.toward_loss_g * 1e3, 2)} mg are missing from the loss"
        rate = f"{with_u(s.rate_g_per_h * 1e3, s.u_g_per_h * 1e3)} mg/h"
        why = f"the sample still {what} at {s.which.upper()}, {rate}{more}"
        yield HappenedTold(from_s=w.from_s, to_s=w.to_s, what=HappenedKind.SLOPE, why=why)


def _rise(rise: HoldRise | None) -> Iterator[HappenedTold]:
    if rise is None or not rise.counts:
        return
    rate = f"{with_u(rise.rate_g_per_h * 1e3, rise.u_g_per_h * 1e3)} mg/h"
    hidden = f"at least {significant(rise.toward_loss_g * 1e3, 2)} mg are hidden"
    why = f"the indication rises in the hold, {rate}: no sample's, but the rig's: {hidden}"
    yield HappenedTold(from_s=rise.from_s, to_s=rise.to_s, what=HappenedKind.SLOPE, why=why)
