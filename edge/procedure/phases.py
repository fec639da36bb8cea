"""Where in the test we are: tare, load, M1, pump, ramp, hold, cool, M2, perhaps zero and check weight, done.

The phases look at the rows that the fold gives out and at what the operator commands, and at nothing else; so
the same rows and the same commands give the same course again. Tare, load, zero and check weight are the
operator's; the rest advances by itself from signals, and from M2 on the run can be judged, whatever else comes.
This module must never judge, and never go on from a state it cannot name.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Literal

from edge.records.command import Command, ConverterWasReset, GapLength, OperatorWord, WeighedOnBalance
from edge.records.event import CommandRefused, CommandTaken, Event, GapTold, PhaseChanged, WeighingTaken, step_refused
from edge.records.formatting import hours
from edge.records.invalid import Invalid, InvalidReason
from edge.records.phase import Phase
from edge.records.second import Second
from edge.records.weighing import Excursion, Weighing, WeighingKind

from .by_hand import AFTER_M2, LOOK_EVERY_S, TAKEN, ByHand, CheckBefore
from .carrying import Carrying
from .excursions import Excursions
from .hot_windows import HotWindows
from .masses import MassRecord
from .plan import HEATED_BEFORE_M1, Plan
from .plausibility import LOAD_ROWS, why_not_tare, why_not_the_sample
from .transitions import BEFORE_HOLD, BETWEEN_MASSES, COMMANDS, DETOURS, TRANSITIONS, refusal
from .weighing_window import Window, is_at_rest, is_cold, mean_of_known, weighing, why_not_steady, window_mean

AIR_PA = 50_000.0  # a gauge that rises beyond it has seen the air come back


class Phases:
    """Follow one run. Give it every row once, in order; it returns what happened."""

    def __init__(self, plan: Plan, first: Phase) -> None:
        self.plan = plan
        self.phase = first
        self.invalid: Invalid | None = None
        self.weighings: dict[WeighingKind, Weighing] = {}
        self.entered_s: dict[Phase, float] = {}
        self.hold_from_s = self.hold_to_s = math.nan
        self.hold_s = 0.0
        self.vented_s = math.nan  # when the air came back, by the operator's word or a gauge
        self._since_s = self._look_s = 0.0
        self._cold_c = math.nan
        self._tare_asked = False
        self._loaded = False
        self._asked_s = math.nan  # when the sample was said to be on
        self._by_hand: ByHand | None = None
        self.check_before = CheckBefore(plan.check_weight_g)
        self._window = Window()
        self.masses = MassRecord()
        self.carrying = Carrying()
        self._restless: Weighing | None = None  # how cold it was where the rig had no M1, and the balance had
        self._carry: OperatorWord | None = None  # what of it was said, and takes effect with the next row
        self.told_start: Weighing | None = None  # what the fold's own loss is divided by; the judge weighs anew
        self._hot = HotWindows(plan)
        self._out = Excursions(plan)
        self._last: Second | None = None
        self._steps: Mapping[Phase, Callable[[Second, Second | None], Iterator[Event]]] = {
            Phase.TARE: self._step_tare,
            Phase.LOAD: self._step_load,
            Phase.PUMP: self._step_pump,
            Phase.RAMP: self._step_ramp,
            Phase.HOLD: self._step_hold,
            Phase.COOL: self._step_cool,
            **dict.fromkeys((Phase.M1, Phase.M2), self._step_cold),
            **dict.fromkeys((Phase.CARRY_M1, Phase.CARRY_M2), self._step_carried),
            **dict.fromkeys(TAKEN, self._step_by_hand),
            Phase.REST: self._step_rest,
        }

    @property
    def excursions(self) -> list[Excursion]:
        """Get the stretches of the hold that did not count."""
        return self._out.listed

    # what is commanded

    def command(self, command: Command, seq: int, t_s: float) -> Event:
        """Take a command at second ``seq``: the operator's, or the instrument's own about a gap.

        The instrument says that a gap's length is unknown before the first second after such a stop, and how long it
        was when it turns out. Returns what became of it: taken, or refused with the reason and what to do.
        """
        if isinstance(command, GapLength):
            self._out.gap(command.length_s, self.phase is Phase.HOLD)
            if self._out.too_long is not None:
                self.invalid, self.phase = self._out.too_long, Phase.DONE
            return Event(seq, t_s, GapTold(command))
        if why := self.refusal(command):
            return Event(seq, t_s, CommandRefused(command, why))
        if isinstance(command, ConverterWasReset):
            self._begin_weighing_anew(t_s)
        elif isinstance(command, WeighedOnBalance):
            self.carrying.said.add(command.which)
        elif command is OperatorWord.TARE:
            self._tare_asked, self._window = True, Window()
        elif command is OperatorWord.LOAD:
            self._loaded, self._asked_s, self._window = True, t_s, Window()
        elif command is OperatorWord.ABORT:
            if not self._m2_is_taken:
                self.invalid = Invalid(InvalidReason.ABORTED, f"aborted by the operator in phase {self.phase}")
            self.phase = Phase.DONE
        elif command is OperatorWord.VENT:
            self.vented_s = t_s
        elif self._by_hand is not None and command is self._by_hand.word:
            self._by_hand.ask(t_s)
        else:
            self._carry = OperatorWord(command)
        return Event(seq, t_s, CommandTaken(command))

    @property
    def awaited(self) -> OperatorWord | None:
        """Get the operator's command that this phase waits for (None where it goes on by itself)."""
        return COMMANDS.get(self.phase)

    def refusal(self, command: Command) -> str:
        """Say why a command would be refused now: '' where it would be taken."""
        return refusal(command, self.phase)

    # what the rows say

    def step(self, row: Second) -> list[Event]:
        """Take the next row. Most rows change nothing and return no event."""
        last, self._last = self._last, row
        if last is None:
            self._since_s = row.t_s
        if self._carry is not OperatorWord.CARRY_OUT and self.carrying.on_rig(self.phase, row.t_s):
            self.masses.add(row)
        if last is not None and last.pressure_pa < AIR_PA <= row.pressure_pa and self.phase in (Phase.COOL, Phase.M2):
            self.vented_s = row.t_s
        if self.plan.weigh == "hot" and row.n_ok > 0:
            self._hot.seen(row)
        carried = [] if self._carry is None else list(self._carried(row))
        return [*carried, *self._steps[self.phase](row, last)] if self.phase is not Phase.DONE else []

    def finish(self, why: str) -> list[Event]:
        """End the run where it is: ``why`` nothing more comes (a recording's end, a stop)."""
        if self.phase is Phase.DONE:
            return []
        events = [] if self._last is None else list(self._out.end(self._last))
        weighed = self._weigh_at_rest(WeighingKind.M2, empty=True) if self.phase is Phase.M2 else None
        if self._last is not None and (weighed is not None or self._m2_is_taken):
            taken = [weighed] if weighed is not None else []
            return [*events, *taken, self._enter(Phase.DONE, self._last, f"M2 is taken; {why}")]
        if self.invalid is None:
            self.invalid = self._what_is_missing(why)
        if self._last is not None:
            events.append(self._enter(Phase.DONE, self._last, self.invalid.why))
        return events

    def _what_is_missing(self, why: str) -> Invalid:
        return self.plan.what_is_missing(self.phase, why, self.hold_s, len(self._window.rows))

    def _enter(self, phase: Phase, row: Second, why: str) -> Event:
        assert phase is Phase.DONE or (self.phase, phase) in TRANSITIONS.keys() | DETOURS.keys(), (self.phase, phase)
        event = Event(row.seq, row.t_s, PhaseChanged(self.phase, phase, why))
        self.phase = phase
        self._since_s = self.entered_s[phase] = row.t_s
        self._cold_c = self._asked_s = math.nan
        self._by_hand = ByHand(phase, row.t_s) if phase in TAKEN else None
        self._window = Window()
        return event

    def _fail(self, row: Second, because: Invalid) -> Event:
        self.invalid = because
        return self._enter(Phase.DONE, row, because.why)

    def _in_phase_s(self, row: Second) -> float:
        return row.t_s - self._since_s

    # carried to the laboratory's balance and back

    @property
    def _m2_is_taken(self) -> bool:
        """Get whether the run can be judged as it stands: what comes after M2 is a convenience."""
        at_balance = self.phase is Phase.CARRY_M2 and (self.carrying.has_m2 or WeighingKind.M2 in self.weighings)
        return at_balance or self.phase in AFTER_M2

    def _carried(self, row: Second) -> Iterator[Event]:
        """Let the sample be where the operator has said that it is. What the rig weighed of it is weighed anew."""
        word, self._carry = self._carry, None
        before = self.phase in BEFORE_HOLD
        if word is OperatorWord.CARRY_OUT:
            self.carrying.out(row.t_s, before_hold=before)
            self.weighings.pop(WeighingKind.M1 if before else WeighingKind.M2, None)
            yield self._enter(Phase.CARRY_M1 if before else Phase.CARRY_M2, row, "the sample is carried out")
        elif word is OperatorWord.CARRY_BACK:
            self.carrying.back(row.t_s)
            yield self._enter(Phase.M1 if before else Phase.M2, row, "the sample is back")

    def _step_carried(self, row: Second, last: Second | None) -> Iterator[Event]:
        """Wait until the sample is back, or until the balance has said M2."""
        over, at_most = self._in_phase_s(row) > self.plan.zero_max_s, f"within {hours(self.plan.zero_max_s)} h"
        if self.phase is Phase.CARRY_M2 and self.carrying.has_m2:
            yield self._enter(self.plan.then(Phase.M2), row, "M2 is weighed on the balance")
        elif over and self._m2_is_taken:
            yield self._enter(self.plan.then(Phase.M2), row, f"no M2 of the balance {at_most}")
        elif over:
            why = f"the sample was carried out and was not back {at_most}"
            yield self._fail(row, Invalid(InvalidReason.NOT_CARRIED_BACK, why))

    # weighings

    def _begin_weighing_anew(self, t_s: float) -> None:
        """Let no weighing span a reset of the converter; one between the masses asks for a second zero after M2."""
        self._window = Window()
        if self.phase in (Phase.M1, Phase.M2):
            self._since_s = t_s
        if self.phase in BETWEEN_MASSES:
            self.plan = replace(self.plan, zero_after=True)

    def _take(self, taken: Weighing, last: Second) -> Event:
        self.weighings[taken.which] = taken
        return Event(last.seq, last.t_s, WeighingTaken.told(taken))

    def _weigh(self, which: WeighingKind, rows: list[Second], edge: Literal["first", "last"] = "last") -> Event:
        values = [r.zero_code if which.is_zero else r.mass_g for r in rows]
        return self._take(weighing(which, rows, window_mean(values, edge, self.plan)), rows[-1])

    def _step_tare(self, row: Second, last: Second | None) -> Iterator[Event]:
        if not self._tare_asked:
            return
        plan, window = self.plan, self._window
        if row.n_ok > 0:
            window.add(row, plan.tare_s)
        if self._in_phase_s(row) > plan.weigh_max_s and not window.rows:
            yield self._fail(row, Invalid(InvalidReason.NO_TARE, "no good sample to tare with: run halfpercent doctor"))
            return
        if window.span_s < plan.tare_s - 1.0:
            return
        rows = list(window.rows)
        if why := why_not_steady(rows, plan) or why_not_tare(mean_of_known([r.mass_g for r in rows]), plan):
            self._tare_asked, why = False, f"{why}, and tare again"
            yield Event(row.seq, row.t_s, step_refused(OperatorWord.TARE, why))
            return
        yield self._weigh(WeighingKind.TARE, rows)
        yield self._enter(plan.then(Phase.TARE), row, "the zero is taken")

    def _step_load(self, row: Second, last: Second | None) -> Iterator[Event]:
        """Go on to M1 once what lies on the holder can be the sample: asked now, and not after the night."""
        if not self._loaded:
            return
        if self.plan.asks_load:
            if row.n_ok > 0:
                self._window.add(row, LOAD_ROWS)
            if len(self._window.rows) < LOAD_ROWS and row.t_s - self._asked_s < 6.0 * LOAD_ROWS:
                return
            mass_g = mean_of_known([r.mass_g for r in list(self._window.rows)[-LOAD_ROWS // 2 :]])
            if why := why_not_the_sample(mass_g, self.plan):
                self._loaded = False
                yield Event(row.seq, row.t_s, step_refused(OperatorWord.LOAD, f"{why}, and say load again"))
                return
        yield self._enter(Phase.M1, row, "the sample is on")

    def _step_cold(self, row: Second, last: Second | None) -> Iterator[Event]:
        """Wait for a stable, cold mass: M1 or M2. Where the heating begins first, M1 is what there was until then."""
        plan = self.plan
        which = WeighingKind.M1 if self.phase is Phase.M1 else WeighingKind.M2
        waited_s = self._in_phase_s(row)
        if not math.isfinite(self._cold_c):
            self._cold_c = row.temp_c
        heating = self.phase is Phase.M1 and row.temp_c - self._cold_c > plan.cold_band_c
        if row.n_ok > 0 and waited_s >= plan.dwell_s and not heating:
            self._window.add(row, plan.window_s)
        due = waited_s >= plan.dwell_s + plan.window_s and row.t_s >= self._look_s
        if due or heating:
            self._look_s = row.t_s + LOOK_EVERY_S
            weighed = self._weigh_at_rest(which)
            if weighed is not None:
                yield weighed
                yield self._leave_cold(row, f"{which.upper()} is taken")
                return
        if heating:
            yield self._fail(row, HEATED_BEFORE_M1)
        elif waited_s > plan.weigh_max_s:
            yield self._never_at_rest(which, row)

    def _never_at_rest(self, which: WeighingKind, row: Second) -> Event:
        """Go on without the rig's own mass where the laboratory's balance has said M1; else there is no mass."""
        rows = list(self._window.rows)
        if WeighingKind.M1 not in self.carrying.said or not rows:
            return self._fail(row, self.plan.never_stable(which.upper()))
        if which is WeighingKind.M1:
            self._restless = weighing(which, rows, window_mean([r.mass_g for r in rows], "last", self.plan))
        return self._leave_cold(row, f"the rig never came to rest, {which.upper()} is the balance's")

    def _leave_cold(self, row: Second, why: str) -> Event:
        """Go on from M1 or M2: to the pump, to a balance that has said M1 alone, or to what comes after M2."""
        if self.phase is Phase.M1:
            return self._enter(Phase.PUMP, row, why)
        if self.carrying.awaits_m2:
            self.carrying.out(row.t_s, before_hold=False)
            return self._enter(Phase.CARRY_M2, row, f"{why}; the balance's comes now")
        return self._enter(self.plan.then(Phase.M2), row, why)

    def _weigh_at_rest(self, which: WeighingKind, *, empty: bool = False) -> Event | None:
        """Take a mass from the newest rows if they are enough, at one temperature, at rest, and loaded or ``empty``."""
        rows = list(self._window.rows)
        if not rows or not is_at_rest(rows, rows[-1].mass_g, self.plan):
            return None
        value = window_mean([r.mass_g for r in rows], "last", self.plan)
        loaded = empty or abs(value.mean) > 10.0 * value.u
        return self._take(weighing(which, rows, value), rows[-1]) if loaded else None

    # what the operator says of zero and check weight

    def _step_by_hand(self, row: Second, last: Second | None) -> Iterator[Event]:
        """Take the second zero, or a check weight, once the operator has said that it is ready."""
        step, plan = self._by_hand, self.plan
        assert step is not None  # the phase began with it
        if self.phase is Phase.CHECK_BEFORE:
            self.check_before.take(row)
        m = self.weighings.get(WeighingKind.M2) or self.weighings.get(WeighingKind.M1)
        found = step.step(row, plan, plan.check_weight_g if m is None or step.is_check else m.value.mean)
        if found is None:
            return
        if found.over:
            yield self._enter(Phase.DONE, row, found.over)
        elif found.refused:
            yield Event(row.seq, row.t_s, step_refused(step.word, found.refused))
        else:
            yield self._weigh(step.which, found.rows)
            yield self._enter(plan.then(self.phase), row, f"the {step.word} is taken")

    def _step_rest(self, row: Second, last: Second | None) -> Iterator[Event]:
        """Wait with the holder empty until little is left of what the check weight made the cell creep."""
        self.check_before.take(row)
        if self.check_before.is_rested(row, self.plan):
            yield self._enter(Phase.LOAD, row, f"the holder has rested for {self.check_before.rest_s(self.plan):.0f} s")

    # pump, ramp, hold, cool

    def _step_pump(self, row: Second, last: Second | None) -> Iterator[Event]:
        pumped = self.plan.pumped(row.pressure_pa, self._in_phase_s(row))
        if isinstance(pumped, Invalid):
            yield self._fail(row, pumped)
        elif pumped:
            yield self._enter(Phase.RAMP, row, pumped)

    def _step_ramp(self, row: Second, last: Second | None) -> Iterator[Event]:
        if row.qualified:
            self.hold_from_s = row.t_s
            yield from self._tell_start()
            yield self._enter(Phase.HOLD, row, "in band: the hold clock runs")
            yield from self._step_hold(row, None)
        elif self._hot.may_tell:
            yield from self._tell_start()
        elif self._in_phase_s(row) > self.plan.ramp_max_s:
            yield self._fail(row, self._what_is_missing(f"{hours(self.plan.ramp_max_s)} h have passed"))

    def _tell_start(self) -> Iterator[Event]:
        if self.plan.weigh == "hot" and (rows := self._hot.told()):
            yield self._weigh(WeighingKind.START, rows, "first")
            self.told_start = self.weighings[WeighingKind.START]

    def _step_hold(self, row: Second, last: Second | None) -> Iterator[Event]:
        plan = self.plan
        if row.hold_s < self.hold_s:  # the standard restarts the clock at an excursion
            self.hold_from_s = row.t_s
            self._hot.restart()
        self.hold_s = row.hold_s
        if row.qualified:
            self.hold_to_s = row.t_s
        yield from self._out.take(row, last)
        if self._out.too_long is not None:
            yield self._fail(row, self._out.too_long)
            return
        if plan.weigh == "hot":
            self._hot.of_hold(row)
        if row.hold_s >= plan.hold_s and (because := self._out.at_the_end()) is not None:
            yield self._fail(row, because)
        elif row.hold_s >= plan.hold_s:
            yield from self._end_hold(row)
        elif self._in_phase_s(row) > plan.hold_s + plan.hold_extra_s:
            yield self._fail(row, self._what_is_missing(f"{hours(self._in_phase_s(row))} h have passed"))

    def _end_hold(self, row: Second) -> Iterator[Event]:
        if self.plan.weigh == "cold":
            yield self._enter(Phase.COOL, row, "the hold is complete")
            return
        for taken in self._hot.weigh():
            if isinstance(taken, Invalid):
                yield self._fail(row, taken)
                return
            yield self._take(taken, row)
        yield self._enter(Phase.DONE, row, "the hold is complete; judged hot")

    def _step_cool(self, row: Second, last: Second | None) -> Iterator[Event]:
        m1, plan = self.weighings.get(WeighingKind.M1, self._restless), self.plan
        if is_cold(row, m1, plan):
            yield self._enter(Phase.M2, row, "cold again")
        elif self._in_phase_s(row) > plan.cool_max_s:
            yield self._fail(row, plan.not_cold_again)
