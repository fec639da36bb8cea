"""Alarms: real drivers on chip models act faults out, and whatever the looks say, an alarm keeps its promises."""

from __future__ import annotations

import itertools
import math
from typing import Any

import msgspec
import pytest
from fault_scripts import FAULTS, NAMES, Fault
from hypothesis import given, settings
from hypothesis import strategies as st
from simulated_chips import AdsRig, HxRig, HxSpiRig, MprRig, NauRig, RtdRig

from edge.records.event import AlarmAcknowledged
from edge.records.phase import Phase
from edge.station.alarms import INTERLOCK, Alarm, Alarms, Change, Limits, Observation
from hw.clock import NS_PER_S
from hw.protocols import Reading, Status

EVERY_S = 0.25
OK, BAD, LATE, SETTLING, BUS = Status.OK, Status.DESYNC, Status.LATE, Status.SETTLING, Status.BUS_ERROR
LIMITS = Limits()
OPENS_WITHIN_S = 1.0
OFFSETS_S = {10: (0.0, 0.07, 0.13, 0.21), 80: (0.13,)}
"""A fault does not wait for a look. By the bridge's rate: the faster ones take long to act out."""

GLITCHES = (
    "bus error now and then", "brown-out", "gain changed behind our back", "torn read", "pulse stretched to 55 µs",
    "pulse stretched to 5 ms", "controller pauses for 5 ms in a word", "controller pauses for 40 ms in a word",
    "port fails once", "one bit damaged on the wire", "brown-out between two words", "brown-out in mid-word",
    "brown-out in mid-conversion",
)  # fmt: skip
"""What happens once and heals by itself: in the journal, not an alarm."""
HIDDEN = ("wrong reference resistor set", "the same code for ever")
"""What no look at a status can see within a second: docs/faults.md."""


def ids(value: Any) -> str:
    return NAMES[value] if isinstance(value, type) else value.name if isinstance(value, Fault) else str(value)


def faults(*makes: type, glitches: bool) -> list[tuple[type, Fault]]:
    return [
        (make, fault)
        for make in makes
        for fault in FAULTS[make]
        if (fault.name in GLITCHES) is glitches and fault.name not in HIDDEN
    ]


class Bench:
    """A device on its chip model, looked at four times a second as the station does."""

    def __init__(self, rig: Any, alarm: Alarm) -> None:
        self.rig = rig
        self.alarms = Alarms()
        self.seen: list[tuple[float, Change]] = []
        self._field = {Alarm.OVEN_PROBE: "oven", Alarm.GAUGE: "gauge"}.get(alarm)
        rig.late_s = 0.0
        rig.driver.open()
        self._look_ns = rig.clock.now_ns()
        self._samples: list[Status] = []

    @property
    def now_s(self) -> float:
        return float(self.rig.clock.now_ns() / NS_PER_S)

    def run(self, seconds: float) -> None:
        clock, driver = self.rig.clock, self.rig.driver
        end_ns = clock.now_ns() + round(seconds * NS_PER_S)
        while clock.now_ns() < end_ns:
            if self._field is None:
                clock.sleep_s(self.rig.late_s)
                self._samples.append(driver.read(clock.now_ns() + NS_PER_S // 2).status)
            else:
                clock.sleep_s(0.05)
            if clock.now_ns() >= self._look_ns:
                self._look_ns = clock.now_ns() + round(EVERY_S * NS_PER_S)
                slow = {} if self._field is None else {self._field: driver.read()}
                samples = tuple(self._samples) if self._field is None else (OK, OK)
                look = Observation(clock.now_ns(), samples, phase=Phase.HOLD, **slow)
                self._samples.clear()
                self.seen += [(self.now_s, change) for change in self.alarms.look(look)]


def bench(make: type, rate_sps: int) -> Bench:
    if make in (RtdRig, MprRig, AdsRig):
        return Bench(make(), Alarm.OVEN_PROBE if make is RtdRig else Alarm.GAUGE)
    chip = {} if make is NauRig else {"rate_sps": rate_sps}
    return Bench(make(driver_settings={"rate_sps": rate_sps}, chip_settings=chip), Alarm.LOAD_CELL)


BRIDGES, SLOW = (NauRig, HxRig, HxSpiRig), (RtdRig, MprRig, AdsRig)


@pytest.mark.parametrize("rate_sps", [10, 80])
@pytest.mark.parametrize(("make", "fault"), faults(*BRIDGES, glitches=False), ids=ids)
def test_a_fault_of_the_load_cell_opens_within_a_second_and_closes_again(
    make: type, fault: Fault, rate_sps: int
) -> None:
    opens_and_closes(make, fault, rate_sps, Alarm.LOAD_CELL)


@pytest.mark.parametrize(("make", "fault"), faults(*SLOW, glitches=False), ids=ids)
def test_a_fault_of_a_probe_or_gauge_opens_within_a_second_and_closes_again(make: type, fault: Fault) -> None:
    opens_and_closes(make, fault, 10, Alarm.OVEN_PROBE if make is RtdRig else Alarm.GAUGE)


def opens_and_closes(make: type, fault: Fault, rate_sps: int, alarm: Alarm) -> None:
    for offset_s in OFFSETS_S[rate_sps]:
        found = bench(make, rate_sps)
        found.run(2.5 + offset_s)
        assert not found.seen
        began_s = found.now_s
        fault.act(found.rig)
        found.run(1.25)
        (opened_s, opened), *more = found.seen
        assert (opened.what.kind, opened.what.alarm, more) == ("alarm_opened", alarm, [])
        assert opened_s - began_s <= OPENS_WITHIN_S
        assert found.alarms.sounding
        assert found.alarms.interlock_open is (alarm in INTERLOCK)
    if rate_sps > 10:
        return
    fault.undo(found.rig)
    ended_s = found.now_s
    found.run(9.0)
    closed_s, closed = found.seen[-1]
    assert [c.what.kind for _, c in found.seen] == ["alarm_opened", "alarm_closed"]
    assert closed.what.alarm == alarm
    assert LIMITS.clear_s <= closed_s - ended_s <= LIMITS.clear_s + 2.5  # what the chip takes to heal, and a look
    assert found.alarms.interlock_open is (alarm in INTERLOCK)  # closed, but nobody knows of it
    assert len(found.alarms.acknowledge(None, "Ada")) == 1
    assert not found.alarms.interlock_open


@pytest.mark.parametrize("rate_sps", [10, 80])
@pytest.mark.parametrize(("make", "fault"), faults(*BRIDGES, glitches=True), ids=ids)
def test_a_glitch_of_the_load_cell_is_no_alarm(make: type, fault: Fault, rate_sps: int) -> None:
    no_alarm(make, fault, rate_sps)


@pytest.mark.parametrize(("make", "fault"), faults(*SLOW, glitches=True), ids=ids)
def test_a_glitch_of_a_probe_or_gauge_is_no_alarm(make: type, fault: Fault) -> None:
    no_alarm(make, fault, 10)


def no_alarm(make: type, fault: Fault, rate_sps: int) -> None:
    for offset_s in OFFSETS_S[rate_sps]:
        found = bench(make, rate_sps)
        found.run(2.5 + offset_s)
        fault.act(found.rig)
        found.run(3.0)
        assert not found.seen


def test_every_scripted_fault_is_either_an_alarm_or_a_glitch_or_hidden() -> None:
    names = {fault.name for listed in FAULTS.values() for fault in listed}
    assert set(GLITCHES) | set(HIDDEN) <= names


# looks by hand


def reading(t_s: float, status: Status = OK, code: int = 9000) -> Reading:
    return Reading(round(t_s * NS_PER_S), code, 0, status)


def good(t_s: float, **more: Any) -> Observation:
    """A look at an instrument in the hold with which all is well."""
    values: dict[str, Any] = {
        "bridge": (OK, OK), "oven": reading(t_s), "oven_c": 120.0, "cell": reading(t_s), "cell_c": 25.0,
        "gauge": reading(t_s), "pressure_pa": 500.0, "pressure_limit_pa": 1000.0, "mass_g": 100.0,
        "loss_rate_pct_per_h": 0.1, "phase": Phase.HOLD, "armed": True, "hold_temp_c": 120.0, "hold_band_c": 2.0,
        "under_voltage": False,
    }  # fmt: skip
    return Observation(round(t_s * NS_PER_S), **values | more)


class Story:
    """Looks four times a second, and what came of them with its time."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.alarms = Alarms(limits)
        self.t_s = 0.0
        self.told: list[tuple[float, str, Alarm]] = []

    def go(self, seconds: float, every_s: float = EVERY_S, **more: Any) -> Story:
        for _ in range(round(seconds / every_s)):
            self.t_s += every_s
            values = {k: v(self.t_s) if callable(v) else v for k, v in more.items()}
            for change in self.alarms.look(good(self.t_s, **values)):
                self.told.append((self.t_s, change.what.kind.removeprefix("alarm_"), change.what.alarm))
        return self


CASES: list[tuple[Alarm, dict[str, Any], float]] = [
    (Alarm.LOAD_CELL, {"bridge": (Status.NOT_READY,)}, 0.25),
    (Alarm.LOAD_CELL, {"bridge": (BUS, BUS)}, 0.5),
    (Alarm.LOAD_CELL, {"bridge": (Status.SATURATED, Status.SATURATED)}, 0.5),
    (Alarm.LOAD_CELL, {"bridge": (Status.STUCK, Status.STUCK)}, 0.5),
    (Alarm.OVEN_PROBE, {"oven": lambda t: reading(t, Status.FAULT), "oven_c": math.nan}, 0.5),
    (Alarm.CELL_PROBE, {"cell": lambda t: reading(t, BUS), "cell_c": math.nan}, 0.5),
    (Alarm.GAUGE, {"gauge": lambda t: reading(t, Status.NOT_READY), "pressure_pa": math.nan}, 0.5),
    (Alarm.BAROMETER, {"barometer_wrong": "BUS_ERROR: check its plug"}, 0.25),
    (Alarm.OVER_TEMPERATURE, {"oven_c": 130.1, "hold_band_c": 50.0}, 0.5),
    (Alarm.OVER_TEMPERATURE, {"cell_c": 60.1}, 0.5),
    (Alarm.OUT_OF_BAND, {"oven_c": 122.1}, 0.5),
    (Alarm.OUT_OF_BAND, {"oven_c": 117.9}, 0.5),
    (Alarm.PRESSURE, {"pressure_pa": 1001.0}, 0.5),
    (Alarm.PRESSURE, {"pressure_pa": math.nan}, 0.5),
    (Alarm.LOSS_RATE, {"loss_rate_pct_per_h": 21.0}, 0.5),
    (Alarm.LOSS_RATE, {"loss_rate_pct_per_h": -21.0}, 0.5),
    (Alarm.STORAGE, {"storage_error": "h.db: disk full"}, 0.25),
    (Alarm.CLOCK, {"clock_step_s": -3.0}, 0.25),
    (Alarm.SUPPLY, {"under_voltage": True}, 0.25),
    (Alarm.GAP, {"gap_s": 42.0}, 0.25),
    (Alarm.RIG, {"rig_changed": "run 1 is ended: oven: wires is 3, was 4"}, 0.25),
]


@pytest.mark.parametrize(("alarm", "bad", "within_s"), CASES, ids=lambda v: str(v).partition("<function")[0][:40])
def test_each_alarm_is_opened_acknowledged_and_closed_each_with_its_reason(
    alarm: Alarm, bad: dict[str, Any], within_s: float
) -> None:
    assert within_s <= OPENS_WITHIN_S
    story = Story().go(10.0)
    assert story.told == []
    story.go(3.0, **bad)
    assert story.told == [(10.0 + within_s, "opened", alarm)]
    (standing,) = story.alarms.standing
    assert standing.why
    assert standing.why.isprintable()
    assert standing.opened_ns == round((10.0 + within_s) * NS_PER_S)
    assert (standing.closed, standing.acknowledged, story.alarms.sounding) == (False, False, True)
    assert story.alarms.acknowledge(alarm, "Ada") == [Change(AlarmAcknowledged(alarm, standing.why), "Ada")]
    assert story.alarms.acknowledge(None, "Ada") == []
    assert not story.alarms.sounding
    assert story.alarms.interlock_open is (alarm in INTERLOCK)
    story.go(10.0)
    assert [(kind, a) for _, kind, a in story.told[1:]] == [("closed", alarm)]
    assert 13.0 + LIMITS.clear_s <= story.told[-1][0] <= 13.0 + LIMITS.clear_s + 2.5
    assert not story.alarms.standing
    assert not story.alarms.interlock_open


def test_every_alarm_is_in_that_table() -> None:
    assert {alarm for alarm, _, _ in CASES} == set(Alarm)


@pytest.mark.parametrize("alarm", sorted(INTERLOCK))
def test_the_interlock_stays_open_until_its_alarm_is_closed_and_acknowledged(alarm: Alarm) -> None:
    bad = next(bad for a, bad, _ in CASES if a is alarm)
    for acknowledge_first in (True, False):
        story = Story().go(5.0).go(2.0, **bad)
        assert story.alarms.interlock_open
        if acknowledge_first:
            story.alarms.acknowledge(None, "Ada")
            assert story.alarms.interlock_open  # the fault is still there
            story.go(4.0)
            assert story.alarms.interlock_open  # it has not been gone for long enough
            story.go(4.0)
        else:
            story.go(120.0)
            assert story.alarms.standing[0].closed
            assert story.alarms.interlock_open  # nobody knows of it
            assert story.alarms.sounding
            story.alarms.acknowledge(alarm, "Ada")
        assert not story.alarms.interlock_open


def test_one_alarm_can_be_acknowledged_alone() -> None:
    story = Story().go(5.0).go(2.0, under_voltage=True, storage_error="full")
    assert [c.what.alarm for c in story.alarms.acknowledge(Alarm.SUPPLY, "Ada")] == [Alarm.SUPPLY]
    assert story.alarms.sounding
    assert [c.what.alarm for c in story.alarms.acknowledge(None, "Bo")] == [Alarm.STORAGE]
    assert story.alarms.acknowledge(Alarm.GAUGE, "Ada") == []


def test_an_alarm_that_comes_again_wants_to_be_acknowledged_again() -> None:
    story = Story().go(5.0)
    for _ in range(2):
        story.go(1.0, under_voltage=True)
        assert story.alarms.sounding
        assert len(story.alarms.acknowledge(None, "Ada")) == 1
        story.go(6.0)
    assert [kind for _, kind, _ in story.told] == ["opened", "closed"] * 2


def test_one_bad_reading_trips_nothing_but_what_says_it_is_sure() -> None:
    for alarm, bad, _ in CASES:
        sure = (Alarm.BAROMETER, Alarm.STORAGE, Alarm.CLOCK, Alarm.SUPPLY, Alarm.GAP, Alarm.RIG)
        if alarm in sure or bad.get("bridge") == (Status.NOT_READY,):
            continue
        once = {"bridge": (OK, bad["bridge"][0], OK)} if "bridge" in bad else bad
        assert Story().go(5.0).go(EVERY_S, **once).go(5.0).told == []


def test_the_same_reading_seen_twice_is_one_reading() -> None:
    story = Story().go(5.0)
    one = reading(5.2, Status.FAULT)
    story.go(0.5, oven=one, oven_c=math.nan)
    assert story.told == []


def test_a_conversion_that_did_not_come_and_then_came_is_no_alarm() -> None:
    assert Story().go(5.0).go(EVERY_S, bridge=(OK, Status.NOT_READY, SETTLING, OK)).go(5.0).told == []


def test_a_bridge_that_falls_silent_after_a_good_sample_alarms_in_that_look() -> None:
    story = Story().go(5.0).go(EVERY_S, bridge=(OK, Status.NOT_READY))
    assert [(t, a) for t, _, a in story.told] == [(5.25, Alarm.LOAD_CELL)]


def test_a_converter_that_keeps_being_reset_alarms_when_it_should_have_settled() -> None:
    story = Story().go(5.0).go(5.0, bridge=(SETTLING, SETTLING))
    assert [a for _, _, a in story.told] == [Alarm.LOAD_CELL]
    assert 1.3 < story.told[0][0] - 5.0 <= LIMITS.unseen_s + EVERY_S  # not within a second: docs/control.md


def test_a_bridge_that_gives_nothing_at_all_alarms() -> None:
    assert [a for _, _, a in Story().go(5.0).go(5.0, bridge=()).told] == [Alarm.LOAD_CELL]


def test_every_second_sample_bad_is_a_bad_cable() -> None:
    story = Story().go(5.0).go(5.0, bridge=(OK, BAD, OK, BAD))
    assert [a for _, _, a in story.told] == [Alarm.LOAD_CELL]
    assert story.told[0][0] <= 7.25
    assert Story().go(5.0).go(30.0, bridge=(OK, OK, OK, BAD, OK)).told == []


@pytest.mark.parametrize("phase", [None, Phase.TARE, Phase.LOAD, Phase.ZERO, Phase.CHECK, Phase.DONE])
def test_a_hand_on_the_holder_is_no_alarm(phase: Phase | None) -> None:
    hand = {"bridge": (BAD, Status.SATURATED), "phase": phase}
    assert Story().go(5.0, phase=phase).go(2.5, **hand).go(5.0, phase=phase).told == []
    # but a line that is stuck is one, and so at once is what no hand can do
    assert [a for _, _, a in Story().go(5.0, phase=phase).go(4.0, **hand).told] == [Alarm.LOAD_CELL]
    assert [t for t, _, _ in Story().go(5.0, phase=phase).go(1.0, bridge=(BUS, BUS), phase=phase).told] == [5.5]


def test_a_reading_that_grows_old_is_a_fault() -> None:
    story = Story().go(5.0).go(4.0, oven=reading(5.0), oven_c=120.0)
    assert [(t, a) for t, _, a in story.told] == [(6.25, Alarm.OVEN_PROBE)]


def test_what_is_not_fitted_is_never_an_alarm() -> None:
    bare = {"cell": None, "cell_c": math.nan, "gauge": None, "pressure_pa": math.nan, "under_voltage": None}
    assert Story().go(30.0, **bare).told == []


def test_the_temperature_is_looked_at_only_while_the_hold_clock_may_run() -> None:
    for more in ({"phase": Phase.RAMP}, {"phase": Phase.COOL}, {"phase": None}, {"armed": False}):
        assert Story().go(10.0, oven_c=80.0, **more).told == []


def test_the_pressure_is_looked_at_in_ramp_and_hold_where_a_gauge_is_and_a_limit() -> None:
    for more in ({"phase": Phase.PUMP}, {"phase": Phase.COOL}, {"phase": None}, {"pressure_limit_pa": math.inf}):
        assert Story().go(10.0, pressure_pa=1e5, **more).told == []
    assert [a for _, _, a in Story().go(2.0, pressure_pa=1e5, phase=Phase.RAMP).told] == [Alarm.PRESSURE]


def test_an_alarm_of_the_hold_closes_when_the_hold_is_over() -> None:
    story = Story().go(5.0).go(2.0, oven_c=110.0).go(10.0, oven_c=60.0, phase=Phase.COOL, armed=False)
    assert [(k, a) for _, k, a in story.told] == [("opened", Alarm.OUT_OF_BAND), ("closed", Alarm.OUT_OF_BAND)]


@pytest.mark.parametrize(
    ("alarm", "edge", "inside"),
    [
        (Alarm.OVER_TEMPERATURE, {"oven_c": 129.0, "hold_band_c": 50.0}, {"oven_c": 127.9, "hold_band_c": 50.0}),
        (Alarm.OUT_OF_BAND, {"oven_c": 121.9}, {"oven_c": 121.7}),
        (Alarm.PRESSURE, {"pressure_pa": 980.0}, {"pressure_pa": 949.0}),
    ],
)
def test_an_alarm_does_not_close_at_the_edge(alarm: Alarm, edge: dict[str, Any], inside: dict[str, Any]) -> None:
    bad = next(bad for a, bad, _ in CASES if a is alarm)
    story = Story().go(5.0, **inside).go(2.0, **bad).go(60.0, **edge)
    assert [k for _, k, _ in story.told] == ["opened"]
    assert [k for _, k, _ in story.go(10.0, **inside).told] == ["opened", "closed"]


def test_a_probe_that_fails_does_not_close_over_temperature() -> None:
    story = Story().go(5.0).go(2.0, oven_c=140.0, hold_band_c=50.0)
    story.go(60.0, oven=lambda t: reading(t, Status.FAULT), oven_c=20.0, hold_band_c=50.0)
    assert [(k, a) for _, k, a in story.told] == [("opened", Alarm.OVER_TEMPERATURE), ("opened", Alarm.OVEN_PROBE)]


def test_what_falls_off_is_seen_and_what_dries_is_not() -> None:
    story = Story().go(5.0).go(3.0, mass_g=94.0)
    assert [(t, a) for t, _, a in story.told] == [(5.5, Alarm.LOSS_RATE)]
    assert Story().go(3600.0, mass_g=lambda t: 100.0 - t / 600.0).told == []  # 6 % in an hour, slowly
    loading = Story().go(5.0, phase=Phase.LOAD, mass_g=0.0).go(5.0, phase=Phase.LOAD).go(5.0, phase=Phase.PUMP)
    assert loading.told == []


def test_a_time_in_which_nobody_looked_is_a_gap_and_neither_bad_nor_good() -> None:
    story = Story().go(5.0).go(2.0, under_voltage=True).go(3.0)
    story.t_s += 60.0
    story.go(3.0)
    assert [(k, a) for _, k, a in story.told] == [("opened", Alarm.SUPPLY), ("opened", Alarm.GAP)]
    story.go(5.0)
    assert [(k, a) for _, k, a in story.told[2:]] == [("closed", Alarm.SUPPLY), ("closed", Alarm.GAP)]


def test_limits_can_be_set() -> None:
    tight = Limits(over_temp_c=121.0, clear_s=1.0)
    story = Story(tight).go(5.0, oven_c=121.5).go(2.0, oven_c=118.5)
    assert [(k, a) for _, k, a in story.told] == [
        ("opened", Alarm.OVER_TEMPERATURE),
        ("closed", Alarm.OVER_TEMPERATURE),
    ]


# whatever comes

number = st.sampled_from([math.nan, -math.inf, math.inf, -20.0, 0.0, 25.0, 61.0, 118.0, 120.0, 122.3, 131.0, 1e3, 1e5])
status = st.sampled_from(Status)
looks = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "bridge": st.lists(status, max_size=4).map(tuple),
            "oven": st.none() | status,
            "oven_c": number,
            "cell": st.none() | status,
            "cell_c": number,
            "gauge": st.none() | status,
            "pressure_pa": number,
            "mass_g": number,
            "loss_rate_pct_per_h": number,
            "phase": st.none() | st.sampled_from(Phase),
            "armed": st.booleans(),
            "storage_error": st.sampled_from(["", "full"]),
            "clock_step_s": number,
            "under_voltage": st.none() | st.booleans(),
            "gap_s": st.sampled_from([0.0, 0.0, 0.0, 9.0]),
            "step_s": st.sampled_from([-1.0, 0.0, 0.1, 0.25, 0.25, 0.25, 1.0, 6.0]),
            "acknowledge": st.none() | st.sampled_from(Alarm),
        },
    ),
    max_size=60,
)


def played(steps: list[dict[str, Any]]) -> list[tuple[int, Change, bool]]:
    """Play looks and acknowledgements, and check after each what must hold at every moment."""
    alarms, t_s, told, newest_ns = Alarms(), 100.0, [], 0
    impossible: set[Alarm] = set()
    for step in steps:
        values = dict(step)
        t_s += values.pop("step_s", EVERY_S)
        acknowledge = "acknowledge" in values
        named = values.pop("acknowledge", None)
        for name in ("oven", "cell", "gauge"):
            if isinstance(values.get(name), Status):
                values[name] = reading(t_s, values[name])
        look = good(t_s, **values)
        newest_ns = max(newest_ns, look.t_ns)
        probes = {Alarm.OVEN_PROBE: look.oven, Alarm.CELL_PROBE: look.cell}
        impossible |= {alarm for alarm, probe in probes.items() if probe is not None and probe.status == Status.FAULT}
        changes = alarms.look(look)
        changes += alarms.acknowledge(named, "Ada") if acknowledge else []
        standing = {s.alarm: s for s in alarms.standing}
        unsafe = {alarm for alarm, s in standing.items() if s.unsafe}
        assert unsafe <= impossible  # only a probe that once told a value nothing can have
        assert alarms.interlock_open is bool(unsafe | INTERLOCK & set(standing))
        assert alarms.sounding is any(not s.acknowledged for s in standing.values())
        assert not any(s.closed and s.acknowledged for s in standing.values())
        assert all(s.why and s.opened_ns <= newest_ns for s in standing.values())
        told += [(newest_ns, change, alarms.interlock_open) for change in changes]
    return told


@settings(max_examples=120, deadline=None)
@given(looks)
def test_whatever_is_seen_alarms_open_close_and_are_acknowledged_in_order(steps: list[dict[str, Any]]) -> None:
    told = played(steps)
    assert told == played(steps)  # nothing but the looks decides
    for alarm in Alarm:
        mine = [(t_ns, change) for t_ns, change, _ in told if change.what.alarm == alarm]
        is_open = acknowledged = True  # before the first opening, nothing may be closed or acknowledged
        first, closed_ns = True, None
        opened_ns = 0
        for t_ns, change in mine:
            if change.what.kind == "alarm_opened":
                assert first or not is_open
                assert change.what.why
                is_open, acknowledged, first, opened_ns = True, False, False, t_ns
            elif change.what.kind == "alarm_closed":
                assert is_open
                assert not first
                assert t_ns - opened_ns >= LIMITS.clear_s * NS_PER_S
                is_open, closed_ns = False, t_ns
            else:
                assert not acknowledged
                assert change.who == "Ada"
                acknowledged = True
        assert closed_ns is None or closed_ns >= opened_ns or is_open


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([(alarm, tuple(bad.items())) for alarm, bad, _ in CASES]),
    st.lists(st.booleans(), min_size=40, max_size=240),
)
def test_no_alarm_chatters(case: tuple[Alarm, tuple[tuple[str, Any], ...]], pattern: list[bool]) -> None:
    story = Story().go(2.0)
    for bad in pattern:
        story.go(EVERY_S, **dict(case[1]) if bad else {})
    opened_s = [t for t, kind, _ in story.told if kind == "opened"]
    assert all(b - a >= LIMITS.clear_s for a, b in itertools.pairwise(opened_s))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(3, 9), min_size=1, max_size=40), st.sampled_from([BAD, LATE, BUS, Status.SATURATED]))
def test_single_bad_samples_among_good_ones_never_alarm(gaps: list[int], bad: Status) -> None:
    row = list(itertools.chain.from_iterable([*[OK] * n, bad] for n in gaps)) + [OK] * 3
    story = Story().go(2.0)
    for i in range(0, len(row), 3):
        story.go(EVERY_S, bridge=tuple(row[i : i + 3]))
    assert story.told == []


def test_time_that_goes_back_is_time_that_stands_still() -> None:
    alarms = Alarms()
    alarms.look(good(10.0, under_voltage=True))
    assert alarms.look(msgspec.structs.replace(good(3.0), t_ns=3)) == []
    assert alarms.standing[0].opened_ns == 10 * NS_PER_S
