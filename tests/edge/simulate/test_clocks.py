"""The times of a simulated night."""

from __future__ import annotations

import pytest

from edge.simulate import clocks
from edge.simulate.clocks import BOOT_S, MachineClock, PacedClock
from hw.clock import NS_PER_S, SimClock


def test_a_machine_that_boots_begins_its_time_anew_and_keeps_the_wall_time() -> None:
    world = SimClock()
    machine = MachineClock(world, "simulated x")
    machine.sleep_s(100.0)
    before, wall_s = machine.boot_id, machine.wall_s()
    assert machine.now_ns() == world.now_ns() == 100 * NS_PER_S
    machine.boot(is_set=False)
    assert machine.now_ns() == round(BOOT_S * NS_PER_S)
    assert machine.boot_id != before
    assert not machine.is_set
    assert machine.wall_s() == pytest.approx(wall_s + BOOT_S)


def test_somebody_moves_the_wall_clock_and_no_other() -> None:
    machine = MachineClock(SimClock(), "simulated x")
    wall_s = machine.wall_s()
    machine.move_wall(-3600.0)
    assert machine.wall_s() == wall_s - 3600.0
    assert machine.now_ns() == 0


class Host:
    """A host's clock that moves when it is slept on."""

    def __init__(self) -> None:
        self.now_s = 50.0
        self.slept_s = 0.0

    def monotonic(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds
        self.slept_s += seconds


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Host:
    made = Host()
    monkeypatch.setattr(clocks, "time", made)
    return made


def test_a_paced_clock_goes_so_many_times_as_fast_as_the_host_s(host: Host) -> None:
    clock = PacedClock(60.0)
    for _ in range(60_000):
        clock.advance_ns(10_000_000)
    assert host.slept_s == pytest.approx(10.0, abs=0.001)
    clock.sleep_s(60.0)
    assert host.slept_s == pytest.approx(11.0, abs=0.001)


def test_a_host_that_was_late_does_not_make_it_good(host: Host) -> None:
    clock = PacedClock(1.0)
    clock.sleep_s(1.0)
    host.now_s += 100.0
    clock.sleep_s(1.0)
    slept_s = host.slept_s
    clock.sleep_s(5.0)
    assert host.slept_s == pytest.approx(slept_s + 5.0, abs=0.001)


def test_without_a_pace_nobody_sleeps(host: Host) -> None:
    clock = PacedClock(0.0)
    clock.sleep_s(1000.0)
    assert host.slept_s == 0.0
    assert clock.now_ns() == 1000 * NS_PER_S
