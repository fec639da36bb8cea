"""Where in the test we are: tare, load, M1, pump, ramp, hold, cool, M2, perhaps zero and check weight, done.

The phases look at the rows that the fold gives out and at what the operator says, and at nothing else; so
the same rows and the same words give the same course again. Tare, load, zero and check weight are the
operator's; the rest advances by itself from signals, and from M2 on the run can be judged, whatever else comes.
This module must never judge, and never go on from a state it cannot name.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import ClassVar

from calibration.allan import Integrated, mean_over_stable_window
from edge.records.event import Event
from edge.records.formatting import hours
from edge.records.phase import Phase
from edge.records.second import Second
from edge.records.weighing import Excursion, Weighing

from .excursions import Excursions
from .plan import Plan

MIN_ROWS = 6  # fewer good seconds are no weighing
LOOK_EVERY_S = 10.0  # how often a stretch is looked at for a weighing
_WORDS = {"tare": Phase.TARE, "load": Phase.LOAD, "zero": Phase.ZERO, "check": Phase.CHECK}
"""What the operator says, and in which phase."""
HEAD_ROWS = 120  # at most so many rows at an edge of a hot hold are looked at for its mass
AFTER_M2 = (Phase.ZERO, Phase.CHECK)
NOT_EMPTY = 0.05  # of M2: more than this is no drift of the zero
NOT_THAT_WEIGHT = 0.2  # of the check weight: more than this is another weight


@dataclass(slots=True)
class _Stretch:
    """The newest rows that could become a weighing."""

    rows: deque[Second] = field(default_factory=deque)
    span_s: float = 0.0

    def add(self, row: Second, longest_s: float) -> None:
        self.rows.append(row)
        while row.t_s - self.rows[0].t_s > longest_s:
            self.rows.popleft()
        self.span_s = row.t_s - self.rows[0].t_s


class Phases:
    """Follow one run. Give it every row once, in order; it returns what happened."""

    def __init__(self, plan: Plan, first: Phase) -> None:
        self.plan = plan
        self.phase = first
        self.invalid_because = ""
        self.weighings: dict[str, Weighing] = {}
        self.hold_from_s = math.nan
        self.hold_to_s = math.nan
        self.hold_s = 0.0
        self._since_s = 0.0
        self._look_s = 0.0
        self._cold_c = math.nan
        self._tare_asked = False
        self._loaded = False
        self._asked_s = math.nan  # when the second zero, or the check weight, was said to be ready
        self._stretch = _Stretch()
        self._head: list[Second] = []
        self._hold_head: list[Second] = []
        self._tail: deque[Second] = deque(maxlen=HEAD_ROWS)
        self._out = Excursions(plan)
        self._last: Second | None = None

    @property
    def excursions(self) -> list[Excursion]:
        """Get the stretches of the hold that did not count."""
        return self._out.listed

    # what the operator says

    def ask(self, what: str, seq: int, t_s: float) -> Event:
        """Take a word at second ``seq``: the operator's, or the instrument's own.

        The operator's are ``tare``, ``load``, ``zero``, ``check`` and ``abort``; the instrument's are ``gap unknown``
        before the first second after a stop whose length nobody knows, and ``gap N`` when it turns out to have been N
        seconds. Returns the event: the word itself, or ``refused`` with the reason and what to do.
        """
        if what.startswith("gap "):
            self._out.gap(what.removeprefix("gap "), self.phase is Phase.HOLD)
            if self._out.too_long:
                self.invalid_because, self.phase = self._out.too_long, Phase.DONE
            return Event(seq, t_s, "gap", {"word": what})
        why = self.refusal(what)
        if why:
            return Event(seq, t_s, "refused", {"word": what, "why": why})
        if what == "tare":
            self._tare_asked = True
            self._stretch = _Stretch()
        elif what == "load":
            self._loaded = True
        elif what in ("zero", "check"):
            self._asked_s = t_s
            self._stretch = _Stretch()
        elif what == "abort":
            if self.phase not in AFTER_M2:
                self.invalid_because = f"aborted by the operator in phase {self.phase}"
            self.phase = Phase.DONE
        return Event(seq, t_s, "operator", {"word": what})

    @property
    def awaited(self) -> str:
        """Get the operator's word that this phase waits for ('' where it goes on by itself)."""
        return next((word for word, phase in _WORDS.items() if phase is self.phase), "")

    def refusal(self, what: str) -> str:
        """Say why a word would be refused now: '' where it would be taken."""
        if what.startswith("gap ") or (what == "abort" and self.phase is not Phase.DONE):
            return ""
        if what in _WORDS and self.phase is _WORDS[what]:
            return ""
        return f"{what} is not for phase {self.phase}"

    # what the rows say

    def step(self, row: Second) -> list[Event]:
        """Take the next row. Most rows change nothing and return no event."""
        last, self._last = self._last, row
        if last is None:
            self._since_s = row.t_s
        if self.plan.weigh == "hot" and "start" not in self.weighings and row.n_ok > 0:
            self._head.append(row)
        return list(self._steps[self.phase](self, row, last))

    def finish(self, why: str) -> list[Event]:
        """End the run where it is: ``why`` nothing more comes (a recording's end, a stop)."""
        events: list[Event] = []
        if self.phase is Phase.DONE:
            return events
        if self._last is not None:
            events += self._out.end(self._last)
        weighed = self._weigh_at_rest("m2") if self.phase is Phase.M2 else None
        if self._last is not None and (weighed is not None or self.phase in AFTER_M2):
            taken = [weighed] if weighed is not None else []
            return [*events, *taken, self._enter(Phase.DONE, self._last, f"M2 is taken; {why}")]
        if not self.invalid_because:
            self.invalid_because = self._what_is_missing(why)
        if self._last is not None:
            events.append(self._enter(Phase.DONE, self._last, self.invalid_because))
        return events

    def _what_is_missing(self, why: str) -> str:
        plan = self.plan
        if self.phase is Phase.HOLD:
            return (
                f"{why} in phase hold: {hours(self.hold_s)} h qualified of the {hours(plan.hold_s)} h that "
                f"the standard asks for"
            )
        if self.phase is Phase.RAMP:
            return f"{why} before the hold: never within {plan.hold_temp_c:g} ± {plan.hold_band_c:g} °C" + (
                f" and below {plan.pressure_limit_pa:g} Pa" if plan.pressure_needed else ""
            )
        return f"{why} in phase {self.phase}"

    def _enter(self, phase: Phase, row: Second, why: str) -> Event:
        event = Event(row.seq, row.t_s, "phase", {"from": str(self.phase), "to": str(phase), "why": why})
        self.phase = phase
        self._since_s = row.t_s
        self._cold_c = self._asked_s = math.nan
        self._stretch = _Stretch()
        return event

    def _fail(self, row: Second, why: str) -> Event:
        self.invalid_because = why
        return self._enter(Phase.DONE, row, why)

    def _in_phase_s(self, row: Second) -> float:
        return row.t_s - self._since_s

    # weighings

    def _weigh(self, which: str, rows: list[Second], value: Integrated) -> Event:
        window = rows[value.start : value.start + value.n]
        if len(rows) == 1 and rows[0].n_ok > 1:  # a single second: what its own samples say
            value = replace(value, u=rows[0].sd_g / math.sqrt(rows[0].n_ok), dof=rows[0].n_ok - 1.0)
        weighing = Weighing(
            which,
            value,
            window[0].t_s,
            window[-1].t_s,
            _mean([r.temp_c for r in window]),
            _mean([r.cell_temp_c for r in window]),
            _mean([r.pressure_pa for r in window]),
        )
        self.weighings[which] = weighing
        last = rows[-1]
        return Event(
            last.seq,
            last.t_s,
            "weighing",
            {
                "which": which,
                "value": value.mean,
                "u": value.u,
                "unit": "code" if which in ("tare", "zero") else "g",
                "window_s": window[-1].t_s - window[0].t_s,
                "from_s": weighing.from_s,
                "cell_temp_c": _or_none(weighing.cell_temp_c),
            },
        )

    def _steady(self, values: list[float], tolerance: float) -> bool:
        """Say whether two halves agree within their noise or within ``tolerance``, whichever is more."""
        half = len(values) // 2
        a, b = mean_over_stable_window(values[:half], "last"), mean_over_stable_window(values[half:], "last")
        apart = abs(math.fsum(values[:half]) / half - math.fsum(values[half:]) / (len(values) - half))
        return apart <= max(tolerance, 3.0 * math.hypot(a.u, b.u))

    def _step_tare(self, row: Second, last: Second | None) -> Iterator[Event]:
        if not self._tare_asked:
            return
        if row.n_ok > 0:
            self._stretch.add(row, self.plan.tare_s)
        if self._in_phase_s(row) > self.plan.weigh_max_s and not self._stretch.rows:
            yield self._fail(row, "no good sample to tare with: run halfpercent doctor")
            return
        if self._stretch.span_s < self.plan.tare_s - 1.0:
            return
        rows = list(self._stretch.rows)
        codes = [r.zero_code for r in rows]
        spread_g = _spread(rows)
        if len(rows) < 0.9 * self.plan.tare_s or not (
            spread_g <= self.plan.tare_stability_g or self._steady(codes, 0.0)
        ):
            self._tare_asked = False
            yield Event(
                row.seq,
                row.t_s,
                "tare_refused",
                {
                    "word": "tare",
                    "why": f"{len(rows)} good seconds that wander by {spread_g:.3g} g: leave the holder alone, "
                    "close the door, and tare again",
                },
            )
            return
        yield self._weigh("tare", rows, mean_over_stable_window(codes, "last"))
        yield self._enter(Phase.LOAD, row, "the zero is taken")

    def _step_load(self, row: Second, last: Second | None) -> Iterator[Event]:
        if self._loaded:
            yield self._enter(Phase.M1, row, "the sample is on")

    def _step_cold(self, row: Second, last: Second | None) -> Iterator[Event]:
        """Wait for a stable, cold mass: M1 or M2. Where the heating begins first, M1 is what there was until then."""
        plan, which = self.plan, str(self.phase)
        waited_s = self._in_phase_s(row)
        if not math.isfinite(self._cold_c):
            self._cold_c = row.temp_c
        heating = self.phase is Phase.M1 and row.temp_c - self._cold_c > plan.cold_band_c
        if row.n_ok > 0 and waited_s >= plan.dwell_s and not heating:
            self._stretch.add(row, plan.window_s)
        due = waited_s >= plan.dwell_s + plan.window_s and row.t_s >= self._look_s
        if due or heating:
            self._look_s = row.t_s + LOOK_EVERY_S
            weighed = self._weigh_at_rest(which)
            if weighed is not None:
                yield weighed
                if self.phase is Phase.M2:
                    yield self._enter(Phase.ZERO if plan.zero_after else Phase.DONE, row, "M2 is taken")
                else:
                    yield self._enter(Phase.PUMP, row, "M1 is taken")
                return
        if heating:
            yield self._fail(row, "the heating began before M1 was taken: let the sample rest cold on the cell first")
        elif waited_s > plan.weigh_max_s:
            yield self._fail(
                row,
                f"{which.upper()} was never stable within {hours(plan.weigh_max_s)} h: keep draughts, cables and "
                "vibration off the cell and let it rest longer",
            )

    def _weigh_at_rest(self, which: str) -> Event | None:
        """Take a mass from the newest rows if they are enough, at one temperature, at rest, and hold a load."""
        rows = list(self._stretch.rows)
        masses = [r.mass_g for r in rows]
        if not masses or not self._at_rest(rows, masses[-1]):
            return None
        value = mean_over_stable_window(masses, "last")
        loaded = abs(value.mean) > 10.0 * value.u
        return self._weigh(which, rows, value) if loaded else None

    def _at_rest(self, rows: list[Second], load_g: float) -> bool:
        """Say whether rows are enough, at one temperature, and steady for a load of ``load_g``."""
        plan = self.plan
        cells = [r.cell_temp_c for r in rows if math.isfinite(r.cell_temp_c)]
        cold = not cells or max(cells) - min(cells) <= plan.cold_band_c
        tolerance_g = max(plan.stability_g, plan.stability_pct / 100.0 * abs(load_g))
        return len(rows) >= MIN_ROWS and cold and self._steady([r.mass_g for r in rows], tolerance_g)

    # after M2: what the operator may still do

    def _step_after(self, row: Second, last: Second | None) -> Iterator[Event]:
        """Take the second zero, or the check weight, once the operator has said that it is ready.

        The zero rests as long as M1 did, so that what is left of the creep is as much as was left at M1.
        """
        plan, zero = self.plan, self.phase is Phase.ZERO
        which = "zero" if zero else "check"
        if not math.isfinite(self._asked_s):
            if self._in_phase_s(row) > plan.zero_max_s:
                yield self._enter(Phase.DONE, row, f"no word {which} within {hours(plan.zero_max_s)} h of waiting")
            return
        rest_s, length_s = (plan.dwell_s, plan.window_s) if zero else (plan.tare_s, plan.tare_s)
        waited_s = row.t_s - self._asked_s
        if row.n_ok > 0 and waited_s >= rest_s:
            self._stretch.add(row, length_s)
        if waited_s < rest_s + length_s or row.t_s < self._look_s:
            return
        self._look_s = row.t_s + LOOK_EVERY_S
        rows = list(self._stretch.rows)
        load_g = self.weighings["m2"].value.mean if zero else plan.check_weight_g
        if self._at_rest(rows, load_g):
            why = self._not_that_load(_mean([r.mass_g for r in rows]), load_g)
            if not why:
                yield self._weigh(
                    which, rows, mean_over_stable_window([r.zero_code if zero else r.mass_g for r in rows], "last")
                )
                more = zero and plan.check_weight_g > 0.0
                yield self._enter(Phase.CHECK if more else Phase.DONE, row, f"the {which} is taken")
                return
        elif waited_s > plan.weigh_max_s:
            why = f"never stable within {hours(plan.weigh_max_s)} h: keep draughts and cables off"
        else:
            return
        self._asked_s = math.nan
        yield Event(row.seq, row.t_s, f"{which}_refused", {"word": which, "why": f"{why}, and say {which} again"})

    def _not_that_load(self, mass_g: float, load_g: float) -> str:
        """Say why what lies on the holder is not what belongs there now ("" where it is)."""
        if self.phase is Phase.ZERO:
            on = abs(mass_g) > NOT_EMPTY * abs(load_g)
            return f"the holder still carries {mass_g:.4g} g: take the sample off" if on else ""
        off = abs(mass_g - load_g) > NOT_THAT_WEIGHT * load_g
        return f"{mass_g:.4g} g lie on the holder, not {load_g:g} g: put the check weight on" if off else ""

    def _step_pump(self, row: Second, last: Second | None) -> Iterator[Event]:
        if self.plan.pressure_needed:
            if row.pressure_pa <= self.plan.pressure_limit_pa:
                yield self._enter(Phase.RAMP, row, f"{row.pressure_pa:.3g} Pa reached")
            elif self._in_phase_s(row) > self.plan.ramp_max_s:
                yield self._fail(row, f"the pressure never fell to {self.plan.pressure_limit_pa:g} Pa")
        elif self._in_phase_s(row) >= self.plan.pump_wait_s:
            yield self._enter(Phase.RAMP, row, "vacuum declared, not measured")

    # the hold

    def _step_ramp(self, row: Second, last: Second | None) -> Iterator[Event]:
        if row.qualified:
            self.hold_from_s = row.t_s
            if self.plan.weigh == "hot" and self._head:
                yield self._weigh_head()
            yield self._enter(Phase.HOLD, row, "in band: the hold clock runs")
            yield from self._step_hold(row, None)
        elif self.plan.weigh == "hot" and len(self._head) == HEAD_ROWS:
            yield self._weigh_head()
        elif self._in_phase_s(row) > self.plan.ramp_max_s:
            yield self._fail(row, self._what_is_missing(f"{hours(self.plan.ramp_max_s)} h have passed"))

    def _weigh_head(self) -> Event:
        head, self._head = self._head, []
        return self._weigh("start", head, mean_over_stable_window([r.mass_g for r in head], "first"))

    def _step_hold(self, row: Second, last: Second | None) -> Iterator[Event]:
        plan = self.plan
        if row.hold_s < self.hold_s:  # the standard restarts the clock at an excursion
            self.hold_from_s = row.t_s
            self._hold_head = []
            self._tail.clear()
        self.hold_s = row.hold_s
        if row.qualified:
            self.hold_to_s = row.t_s
        yield from self._out.take(row, last)
        if self._out.too_long:
            yield self._fail(row, self._out.too_long)
            return
        if row.n_ok > 0 and row.qualified:
            if len(self._hold_head) < HEAD_ROWS:
                self._hold_head.append(row)
            self._tail.append(row)
        if row.hold_s >= plan.hold_s and self._out.at_the_end():
            yield self._fail(row, self._out.at_the_end())
        elif row.hold_s >= plan.hold_s:
            yield from self._end_hold(row)
        elif self._in_phase_s(row) > plan.hold_s + plan.hold_extra_s:
            yield self._fail(row, self._what_is_missing(f"{hours(self._in_phase_s(row))} h have passed"))

    def _end_hold(self, row: Second) -> Iterator[Event]:
        if self.plan.weigh == "hot":
            for which, rows, edge in (
                ("hold_start", self._hold_head, "first"),
                ("hold_end", list(self._tail), "last"),
            ):
                yield self._weigh(which, rows, mean_over_stable_window([r.mass_g for r in rows], edge))  # type: ignore[arg-type]  # a literal in a loop
            yield self._enter(Phase.DONE, row, "the hold is complete; judged hot")
        else:
            yield self._enter(Phase.COOL, row, "the hold is complete")

    def _step_cool(self, row: Second, last: Second | None) -> Iterator[Event]:
        m1 = self.weighings.get("m1")
        cold_c = m1.cell_temp_c if m1 is not None else math.nan
        oven_c = m1.temp_c if m1 is not None else math.nan
        near = not math.isfinite(cold_c) or abs(row.cell_temp_c - cold_c) <= self.plan.cold_band_c
        cool = not math.isfinite(oven_c) or row.temp_c - oven_c <= 2.0 * self.plan.cold_band_c
        if near and cool:
            yield self._enter(Phase.M2, row, "cold again")
        elif self._in_phase_s(row) > self.plan.cool_max_s:
            yield self._fail(row, f"not cold again after {hours(self.plan.cool_max_s)} h: open the oven's vent or wait")

    def _step_done(self, row: Second, last: Second | None) -> Iterator[Event]:
        yield from ()

    _steps: ClassVar = {
        Phase.TARE: _step_tare,
        Phase.LOAD: _step_load,
        Phase.M1: _step_cold,
        Phase.PUMP: _step_pump,
        Phase.RAMP: _step_ramp,
        Phase.HOLD: _step_hold,
        Phase.COOL: _step_cool,
        Phase.M2: _step_cold,
        Phase.ZERO: _step_after,
        Phase.CHECK: _step_after,
        Phase.DONE: _step_done,
    }


def _mean(values: list[float]) -> float:
    finite = [v for v in values if math.isfinite(v)]
    return math.fsum(finite) / len(finite) if finite else math.nan


def _spread(rows: list[Second]) -> float:
    masses = [r.mass_g for r in rows]
    half = len(masses) // 2
    return abs(math.fsum(masses[:half]) / half - math.fsum(masses[half:]) / (len(masses) - half)) if half else 0.0


def _or_none(value: float) -> float | None:
    return value if math.isfinite(value) else None
