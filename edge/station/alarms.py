"""Alarms: what is wrong now, who knows of it, and whether the oven may go on heating.

A pure state machine: looks in, changes out. It has no clock, no chips and no files of its own, so the same looks
give the same alarms. An alarm opens by what :mod:`edge.station.alarm_rules` finds wrong, closes when all has been
good for a while, and stands until it is closed and acknowledged. This module must never call a fault over
because nobody looked, and never let the interlock close while one of its alarms stands.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from edge.records.event import AlarmAcknowledged, AlarmClosed, AlarmOpened
from hw.clock import NS_PER_S

from .alarm_rules import Alarm, AlarmRules, Limits, Observation, RuleResult

INTERLOCK = frozenset({Alarm.LOAD_CELL, Alarm.OVEN_PROBE, Alarm.OVER_TEMPERATURE})
"""While one of these stands, the relay is open."""


@dataclass(frozen=True, slots=True)
class Change:
    """What became of an alarm, for the journal. ``who`` is empty where nobody did it."""

    what: AlarmOpened | AlarmAcknowledged | AlarmClosed
    who: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """An alarm that is open, or closed but not acknowledged yet. Times in ns since boot."""

    alarm: Alarm
    why: str
    opened_ns: int
    closed: bool = False
    acknowledged: bool = False
    unsafe: bool = False

    @property
    def interlock(self) -> bool:
        """Get whether it keeps the interlock open."""
        return self.unsafe or self.alarm in INTERLOCK


class Alarms:
    """All alarms of one instrument, from when it starts until it stops. Give it every look once, in order."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._standing: dict[Alarm, Standing] = {}
        self._good_since_ns: dict[Alarm, int] = {}
        self._watch: AlarmRules | None = None
        self._last_ns = 0

    @property
    def standing(self) -> tuple[Standing, ...]:
        """Get every alarm that is open or not acknowledged, the oldest first."""
        return tuple(sorted(self._standing.values(), key=lambda s: s.opened_ns))

    @property
    def interlock_open(self) -> bool:
        """Get whether the relay must be open.

        It must while over-temperature, the loss of load cell or oven probe, or a temperature that nothing in a probe's
        place can have stands.
        """
        return any(s.interlock for s in self._standing.values())

    @property
    def sounding(self) -> bool:
        """Get whether an alarm is not acknowledged yet."""
        return any(not s.acknowledged for s in self._standing.values())

    def look(self, look: Observation) -> list[Change]:
        """Take the next look. Most looks change nothing."""
        now_ns = max(look.t_ns, self._last_ns)
        unseen_s = 0.0 if self._watch is None else (now_ns - self._last_ns) / NS_PER_S
        self._last_ns = now_ns
        gap_s = max(unseen_s, look.gap_s)
        if self._watch is None:
            self._watch = AlarmRules(self.limits, now_ns)
        elif gap_s > self.limits.gap_s:
            self._good_since_ns.clear()
            self._watch.resume(now_ns)
        standing, changes = self._standing, []
        for found in self._watch.found(look, now_ns, gap_s):
            if found.why or found.alarm in standing:  # else there is nothing to open, and nothing to close
                changes.append(self._take(found, now_ns))
        return [change for change in changes if change is not None]

    def acknowledge(self, alarm: Alarm | None, who: str) -> list[Change]:
        """Take note that ``who`` knows of an alarm, or of all that stand. None is returned twice for one opening."""
        changes = []
        for standing in self.standing:
            if standing.acknowledged or alarm not in (None, standing.alarm):
                continue
            changes.append(Change(AlarmAcknowledged(str(standing.alarm), standing.why), who))
            if standing.closed:
                del self._standing[standing.alarm]
            else:
                self._standing[standing.alarm] = replace(standing, acknowledged=True)
        return changes

    def _take(self, found: RuleResult, now_ns: int) -> Change | None:
        alarm, standing = found.alarm, self._standing.get(found.alarm)
        if standing is None or standing.closed:
            if not found.why:
                return None
            self._standing[alarm] = Standing(alarm, found.why, now_ns, unsafe=found.unsafe)
            self._good_since_ns.pop(alarm, None)
            return Change(AlarmOpened(str(alarm), found.why))
        if found.unsafe and not standing.unsafe:
            self._standing[alarm] = replace(standing, unsafe=True)
        if not found.good:
            self._good_since_ns.pop(alarm, None)
            return None
        since_ns = self._good_since_ns.setdefault(alarm, now_ns)
        if now_ns - since_ns < self.limits.clear_s * NS_PER_S:
            return None
        del self._good_since_ns[alarm]
        if standing.acknowledged:
            del self._standing[alarm]
        else:
            self._standing[alarm] = replace(standing, closed=True)
        return Change(AlarmClosed(str(alarm), f"good for {self.limits.clear_s:g} s"))
