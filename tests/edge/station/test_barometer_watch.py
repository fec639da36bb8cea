"""The barometer beside a running station: an aid that may be missing, come back, or lie, and never stops anything."""

from __future__ import annotations

import math

import pytest

from edge.instrument.same_rig import differences
from edge.station.barometer_watch import LOOKED_FOR_EVERY_S, SURE, WRITTEN_EVERY_S, BarometerWatch
from hw.barometer import ADDRESSES, Bosch280
from hw.clock import NS_PER_S, SimClock
from hw.sim.barometer import Bosch280Model
from hw.sim.i2c import I2cBus, SimSMBus


class Room:
    """A watch on a real driver on a chip model, a second at a time."""

    def __init__(self, *, plugged: bool = True) -> None:
        self.clock = SimClock(1.8e9)
        self.pa = 97_000.0
        self.chip = Bosch280Model(self.clock, lambda _t: self.pa)
        if not plugged:
            self.chip.unplug()
        bus = I2cBus(self.clock)
        bus.attach(ADDRESSES[0], self.chip)
        self.watch = BarometerWatch(Bosch280(lambda: SimSMBus(bus), self.clock, chip="bmp280"))
        self.written: list[tuple[float, str]] = []

    def go(self, seconds: float) -> Room:
        for _ in range(round(seconds)):
            self.clock.advance_ns(NS_PER_S)
            now_s = self.clock.now_ns() / NS_PER_S
            self.watch.second(now_s)
            if (read := self.watch.due(now_s)) is not None:
                self.written.append((now_s, read.status))
        return self


def test_it_is_written_at_once_and_every_five_minutes() -> None:
    room = Room().go(3.0 * WRITTEN_EVERY_S)
    assert [status for _, status in room.written] == ["OK"] * 3
    assert room.written[0][0] <= 3.0
    assert room.watch.wrong == ""
    assert room.watch.pressure_pa == pytest.approx(97_000.0, abs=20.0)


def test_unplugged_it_says_so_within_seconds_and_plugged_in_it_is_good_again() -> None:
    room = Room().go(10)
    room.chip.unplug()
    room.go(SURE)
    assert "BUS_ERROR: check its plug" in room.watch.wrong
    assert math.isnan(room.watch.pressure_pa)
    room.go(WRITTEN_EVERY_S)
    assert room.written[-1][1] == "BUS_ERROR", "that it was there and said nothing is in the record"
    room.chip.plug()
    room.go(3)
    assert room.watch.wrong == ""


def test_one_bad_reading_is_neither_said_nor_written() -> None:
    room = Room().go(WRITTEN_EVERY_S)
    room.chip.nack_next(3)
    room.go(1)
    assert room.watch.wrong == ""
    assert {status for _, status in room.go(20).written} == {"OK"}


def test_one_that_was_not_there_is_looked_for_again() -> None:
    room = Room(plugged=False).go(5)
    assert "no answer" in room.watch.wrong
    room.chip.plug()
    assert room.go(LOOKED_FOR_EVERY_S + 3).watch.wrong == ""


@pytest.mark.parametrize(("pa", "says"), [(20_000.0, "what no place has"), (109_000.0, "")])
def test_what_no_place_has_is_said(pa: float, says: str) -> None:
    room = Room()
    room.pa = pa
    assert says in room.go(10).watch.wrong
    assert bool(says) is bool(room.watch.wrong)


def test_a_chip_that_stands_still_or_says_0_is_said() -> None:
    room = Room().go(5)
    room.chip.dead = True
    assert "FAULT" in room.go(5).watch.wrong
    room.chip.dead = False
    room.go(5)
    room.chip.stop()
    assert "STUCK" in room.go(40).watch.wrong


def test_none_is_fitted() -> None:
    watch = BarometerWatch(None)
    watch.second(1.0)
    assert (watch.due(1.0), watch.wrong, watch.describe()) == (None, "", {})
    watch.close()


def test_one_that_came_or_went_is_no_other_rig() -> None:
    room = Room().go(3)
    assert room.watch.describe()["barometer"]["trimming"]
    assert differences(room.watch.describe(), {}) == []
    room.watch.close()
