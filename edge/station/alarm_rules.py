"""What the station sees a few times a second, and what is wrong with it, alarm by alarm.

Each rule says two things: why its alarm must open, and whether all is good. A single glitch, which chips and lines
make, is neither; docs/control.md says how soon each rule sees a fault. This module has no clock and no chips of
its own, and must never take what it does not know for good.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

import msgspec

from edge.records.phase import CARRIED, CHECKED_FIRST, Phase
from hw.clock import NS_PER_S
from hw.protocols import Reading, Status


class Alarm(StrEnum):
    """What an alarm is about."""

    LOAD_CELL = "load cell"
    OVEN_PROBE = "oven probe"
    CELL_PROBE = "cell probe"
    GAUGE = "gauge"
    BAROMETER = "barometer"
    OVER_TEMPERATURE = "over-temperature"
    OUT_OF_BAND = "temperature out of band"
    PRESSURE = "pressure lost"
    LOSS_RATE = "rate of loss implausible"
    STORAGE = "storage"
    CLOCK = "clock step"
    SUPPLY = "supply voltage"
    GAP = "gap"
    RIG = "rig changed"


APART_NS = 100_000_000
"""Two readings that are to confirm each other are at least so far apart."""
_RTD_FULL = 0x7FFF
HANDLED = (None, Phase.TARE, *CHECKED_FIRST, Phase.LOAD, *CARRIED, Phase.ZERO, Phase.CHECK, Phase.DONE)
"""The phases in which someone puts a load on or takes it off."""


@dataclass(frozen=True, slots=True)
class Limits:
    """From where on something is wrong."""

    over_temp_c: float = 130.0
    cell_over_temp_c: float = 60.0
    over_hysteresis_k: float = 2.0
    band_hysteresis_k: float = 0.2
    pressure_hysteresis: float = 0.05
    """As a share of the limit."""
    loss_rate_pct_per_h: float = 20.0
    mass_step_pct: float = 5.0
    mass_step_s: float = 2.0
    clock_step_s: float = 2.0
    gap_s: float = 1.5
    clear_s: float = 5.0
    """So long all must have been good before an alarm closes."""
    refused_s: float = 0.4
    """So long a bridge that gives samples may give no good one, if two of them were refused."""
    handled_s: float = 3.0
    """The same for jumps and rails while someone puts a load on or takes it off."""
    unseen_s: float = 1.5
    """So long there may be no good sample at all: the longest settling after a reset is 1.3 s."""
    stale_s: float = 1.0
    """A probe's reading must not be older."""


class Observation(msgspec.Struct, frozen=True):
    """What the station sees a few times a second, at ``t_ns`` (since boot).

    ``bridge`` are the statuses of the samples since the last look, in their order. A probe or a gauge that is not
    fitted is None; otherwise its newest reading. Quantities that are not known are NaN. ``phase`` is None while no
    run is on; ``armed``: the hold clock may run. ``clock_step_s`` is by how much wall time has moved against the
    time since boot since the last look; ``gap_s`` what is known not to have been recorded just before this look;
    ``rig_changed`` why a run was ended at once, in the first look after it; ``barometer_wrong`` what is the matter with
    the barometer.
    """

    t_ns: int
    bridge: tuple[Status, ...] = ()
    oven: Reading | None = None
    oven_c: float = math.nan
    cell: Reading | None = None
    cell_c: float = math.nan
    gauge: Reading | None = None
    pressure_pa: float = math.nan
    mass_g: float = math.nan
    loss_rate_pct_per_h: float = math.nan
    phase: Phase | None = None
    armed: bool = False
    hold_temp_c: float = math.nan
    hold_band_c: float = math.nan
    pressure_limit_pa: float = math.inf
    storage_error: str = ""
    clock_step_s: float = 0.0
    under_voltage: bool | None = None
    gap_s: float = 0.0
    rig_changed: str = ""
    barometer_wrong: str = ""


class RuleResult(NamedTuple):
    """What a look says about one alarm: ``why`` it must open ('' if not), and whether all is good.

    ``unsafe``: it opens the interlock, though another alarm of its kind does not.
    """

    alarm: Alarm
    why: str
    good: bool
    unsafe: bool = False


_GOOD = {alarm: RuleResult(alarm, "", good=True) for alarm in Alarm}
_NOT_GOOD = {alarm: RuleResult(alarm, "", good=False) for alarm in Alarm}
# Members that are asked for at each look: an enum's attribute takes as long as a comparison.
_OK, _SETTLING, _BY_HAND = Status.OK, Status.SETTLING, (Status.DESYNC, Status.SATURATED)
_HOLD = Phase.HOLD
_HEATED = frozenset((Phase.RAMP, Phase.HOLD))
_SHUT = frozenset((Phase.PUMP, Phase.RAMP, Phase.HOLD, Phase.COOL))
"""The phases in which no hand can be on the sample."""


def _silent(alarm: Alarm, *, good: bool) -> RuleResult:
    """Say that nothing is to be told, and whether all is good."""
    return (_GOOD if good else _NOT_GOOD)[alarm]


def _unless(alarm: Alarm, why: str) -> RuleResult:
    """Say that all is good, unless there is a reason why not."""
    return RuleResult(alarm, why, good=False) if why else _GOOD[alarm]


class AlarmRules:
    """The rules, with the few seconds that each of them remembers. Give it every look once, in order."""

    def __init__(self, limits: Limits, now_ns: int) -> None:
        self.limits = limits
        self._twice = {alarm: ConfirmedTwice() for alarm in Alarm}
        self._cell_over = ConfirmedTwice()
        self.resume(now_ns)

    def resume(self, now_ns: int) -> None:
        """Begin anew after a time in which nobody looked: it was neither bad nor good."""
        self._from_ns = now_ns
        self._bridge = _Bridge(self.limits, now_ns)
        self._masses: deque[tuple[int, float]] = deque()

    def found(self, look: Observation, now_ns: int, gap_s: float) -> Iterator[RuleResult]:
        """Say what a look means for each alarm. ``gap_s`` is for how long nobody looked before it."""
        limits = self.limits
        yield self._bridge.found(look, now_ns)
        yield self._probe(Alarm.OVEN_PROBE, look.oven, now_ns)
        yield self._probe(Alarm.CELL_PROBE, look.cell, now_ns)
        yield self._probe(Alarm.GAUGE, look.gauge, now_ns)
        yield _unless(Alarm.BAROMETER, look.barometer_wrong)
        yield self._over_temperature(look)
        yield self._out_of_band(look)
        yield self._pressure(look)
        yield self._loss_rate(look, now_ns)
        error = " ".join(look.storage_error.split())
        yield _unless(Alarm.STORAGE, error)
        why = ""
        if abs(look.clock_step_s) > limits.clock_step_s:
            why = f"wall time moved by {look.clock_step_s:+.1f} s: dates before it are off, durations are not"
        yield _unless(Alarm.CLOCK, why)
        why = "under-voltage: use the Pi's own supply and a short cable" if look.under_voltage else ""
        yield (
            RuleResult(Alarm.SUPPLY, why, good=False)
            if why
            else _silent(Alarm.SUPPLY, good=look.under_voltage is False)
        )
        why = f"nothing was seen for {gap_s:.1f} s: it does not count" if gap_s > limits.gap_s else ""
        yield _unless(Alarm.GAP, why)
        yield _unless(Alarm.RIG, look.rig_changed)

    def _probe(self, alarm: Alarm, sample: Reading | None, now_ns: int) -> RuleResult:
        twice = self._twice[alarm]
        if sample is None:
            return _GOOD[alarm]
        age_s = (now_ns - max(sample.t_ns, self._from_ns)) / NS_PER_S
        if age_s > self.limits.stale_s:
            return RuleResult(alarm, f"no reading for {age_s:.1f} s: run halfpercent doctor", False)
        bad = sample.status != _OK
        if not twice.seen(bad, sample.t_ns):
            return _silent(alarm, good=not bad)
        thermometer = alarm is not Alarm.GAUGE
        if thermometer and sample.status == Status.FAULT and not sample.fault and 0 < sample.code < _RTD_FULL:
            why = "FAULT: it shows what nothing in its place can have: halfpercent doctor names the likely cause"
            return RuleResult(alarm, why, False, unsafe=True)
        fault = f" (fault register 0x{sample.fault:02X})" if sample.fault else ""
        return RuleResult(alarm, f"{Status(sample.status).name}{fault}: check its plug and cable", False)

    def _over_temperature(self, look: Observation) -> RuleResult:
        limits, parts, good = self.limits, [], True
        for name, twice, sample, value_c, limit_c in (
            ("oven", self._twice[Alarm.OVER_TEMPERATURE], look.oven, look.oven_c, limits.over_temp_c),
            ("load cell", self._cell_over, look.cell, look.cell_c, limits.cell_over_temp_c),
        ):
            value_c = _known(sample, value_c)
            if twice.seen(value_c > limit_c, _stamp(look, sample)):
                parts.append(f"{name} at {value_c:.1f} °C, limit {limit_c:g} °C: switch the oven off")
            good &= value_c <= limit_c - limits.over_hysteresis_k or (sample is None and math.isnan(value_c))
        if not parts:
            return _silent(Alarm.OVER_TEMPERATURE, good=good)
        return RuleResult(Alarm.OVER_TEMPERATURE, "; ".join(parts), good)

    def _out_of_band(self, look: Observation) -> RuleResult:
        twice = self._twice[Alarm.OUT_OF_BAND]
        if look.phase is not _HOLD or not look.armed:
            twice.seen(False, look.t_ns)
            return _GOOD[Alarm.OUT_OF_BAND]
        # NaN is neither in nor out: the probe has an alarm of its own.
        off_k = abs(_known(look.oven, look.oven_c) - look.hold_temp_c)
        if twice.seen(off_k > look.hold_band_c, _stamp(look, look.oven)):
            why = f"{look.oven_c:.2f} °C, not {look.hold_temp_c:g} ± {look.hold_band_c:g} °C: it does not count"
            return RuleResult(Alarm.OUT_OF_BAND, why, False)
        inner_k = look.hold_band_c - min(self.limits.band_hysteresis_k, look.hold_band_c / 2.0)
        return _silent(Alarm.OUT_OF_BAND, good=off_k <= inner_k)

    def _pressure(self, look: Observation) -> RuleResult:
        twice = self._twice[Alarm.PRESSURE]
        gauge = look.gauge
        if gauge is None or look.phase not in _HEATED or not math.isfinite(look.pressure_limit_pa):
            twice.seen(False, look.t_ns)
            return _GOOD[Alarm.PRESSURE]
        if gauge.status != _OK:  # the gauge has an alarm of its own
            return _silent(Alarm.PRESSURE, good=False)
        limit_pa = look.pressure_limit_pa
        if not twice.seen(not look.pressure_pa <= limit_pa, gauge.t_ns):
            return _silent(Alarm.PRESSURE, good=look.pressure_pa <= (1.0 - self.limits.pressure_hysteresis) * limit_pa)
        seen = f"{look.pressure_pa:.3g} Pa" if math.isfinite(look.pressure_pa) else "outside the gauge's range"
        return RuleResult(Alarm.PRESSURE, f"{seen}, limit {limit_pa:g} Pa: check pump, valves and seals", False)

    def _loss_rate(self, look: Observation, now_ns: int) -> RuleResult:
        limits, why = self.limits, ""
        if look.phase is _HOLD and abs(look.loss_rate_pct_per_h) > limits.loss_rate_pct_per_h:
            why = f"{look.loss_rate_pct_per_h:.3g} % an hour: something leaks, drips or touches the holder"
        if look.phase not in _SHUT:
            self._masses.clear()  # a hand may be on it
        elif math.isfinite(look.mass_g):
            while self._masses and now_ns - self._masses[0][0] > limits.mass_step_s * NS_PER_S:
                self._masses.popleft()
            self._masses.append((now_ns, look.mass_g))
            before_g = self._masses[0][1]
            if abs(look.mass_g - before_g) > limits.mass_step_pct / 100.0 * abs(before_g):
                why = (
                    f"from {before_g:.3f} g to {look.mass_g:.3f} g within {limits.mass_step_s:g} s: "
                    "something fell off or was touched"
                )
        sure = self._twice[Alarm.LOSS_RATE].seen(bool(why), look.t_ns)
        return RuleResult(Alarm.LOSS_RATE, why if sure else "", False) if why else _GOOD[Alarm.LOSS_RATE]


class ConfirmedTwice:
    """Says yes from the second of two bad readings in a row on: one alone, or one moment, may be a glitch."""

    def __init__(self) -> None:
        self._since_ns: int | None = None

    def seen(self, bad: bool, t_ns: int) -> bool:
        """Take a reading made at ``t_ns``; the same reading again changes nothing."""
        if not bad:
            self._since_ns = None
        elif self._since_ns is None:
            self._since_ns = t_ns
        return self._since_ns is not None and t_ns - self._since_ns >= APART_NS


def _stamp(look: Observation, sample: Reading | None) -> int:
    """Get the time of a reading; of the look, where there is no such probe."""
    return look.t_ns if sample is None else sample.t_ns


def _known(sample: Reading | None, value: float) -> float:
    """Get what a reading says; NaN where it is not ok. A value without a probe is an estimate, and taken."""
    return value if sample is None or sample.status == _OK else math.nan


@dataclass(slots=True)
class _Bridge:
    """What the last two seconds of the load cell's samples say."""

    limits: Limits
    from_ns: int
    """When the last good sample was seen, or watching began."""
    refused: int = 0
    """Samples refused since then; settling ones, which follow a reset, are not."""
    last_refused: Status = Status.OK
    newest: Status = Status.SETTLING  # nothing is known to be good before it was seen
    window: deque[tuple[int, int, int]] = field(default_factory=deque)
    """Of each look: its time, how many samples counted, how many of them were refused."""
    counted_in_window: int = 0
    refused_in_window: int = 0

    def found(self, look: Observation, now_ns: int) -> RuleResult:
        """Say what the newest samples mean for the load cell's alarm."""
        limits = self.limits
        self._count(look.bridge, now_ns)
        without_s = (now_ns - self.from_ns) / NS_PER_S
        counted, refused = self.counted_in_window, self.refused_in_window
        # A hand that puts a load on makes jumps and hits the rails.
        handled = self.last_refused in _BY_HAND and look.phase in HANDLED
        patience_s = limits.handled_s if handled else limits.refused_s
        why = ""
        if look.bridge and self.newest is Status.NOT_READY:
            why = "NOT_READY: no conversion comes; check its plug, cable and supply"
        elif self.refused >= 2 and without_s >= patience_s:
            why = f"{self.last_refused.name}: no good sample for {without_s:.1f} s; check its plug and cable"
        elif self.refused < 2 and without_s >= limits.unseen_s:
            why = f"no good sample for {without_s:.1f} s: its converter keeps being reset; check its supply"
        elif refused >= 2 and 2 * refused >= counted and not handled:
            why = f"{self.last_refused.name}: half of its samples are bad; check its plug and cable"
        if why:
            return RuleResult(Alarm.LOAD_CELL, why, good=False)
        return _silent(Alarm.LOAD_CELL, good=self.newest is _OK and 4 * refused <= counted)

    def _count(self, statuses: tuple[Status, ...], now_ns: int) -> None:
        refused = counted = 0
        for status in statuses:
            self.newest = status
            if status is _OK:
                self.from_ns, self.refused = now_ns, 0
                counted += 1
            elif status is not _SETTLING:
                self.last_refused = status
                self.refused += 1
                refused += 1
                counted += 1
        self.window.append((now_ns, counted, refused))
        self.counted_in_window += counted
        self.refused_in_window += refused
        while now_ns - self.window[0][0] > 2 * NS_PER_S:
            _, counted, refused = self.window.popleft()
            self.counted_in_window -= counted
            self.refused_in_window -= refused
