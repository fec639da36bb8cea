"""The panel: lamp, buzzer, button, and a relay that is energised only while someone says that all is well."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest
from gpiozero import Device
from repository import ROOT

from hw.clock import BootClock, SimClock
from hw.errors import BadSetting, BusError, NotOpen
from hw.panel import BOUNCE_S, FEED_WITHIN_S, HELD_FROM_S, START_FROM_S, TARE_FROM_S, Panel, Press, meaning
from hw.sim.pins import SimPinFactory

PINS = {"lamp_pin": 17, "buzzer_pin": 27, "button_pin": 22, "relay_pin": 23}


class Bench:
    """A panel on simulated lines."""

    def __init__(self, **settings: object) -> None:
        self.clock = SimClock()
        self.pins = SimPinFactory(self.clock, edge_ns=0)
        self.panel = Panel(self.clock, pin_factory=self.pins, **(PINS | settings))

    def level(self, name: str) -> bool:
        return bool(self.pins.pin(PINS[name]).state)

    def hold(self, seconds: float, every_s: float = 0.0) -> None:
        self.pins.drive(22, False)
        self.clock.sleep_s(seconds)
        self.pins.drive(22, True)
        self.clock.sleep_s(every_s)


@pytest.fixture
def bench() -> Bench:
    bench = Bench()
    bench.panel.open()
    yield bench
    bench.panel.close()


def test_everything_is_off_until_someone_says_that_all_is_well(bench: Bench) -> None:
    assert not bench.panel.energised
    assert not any(bench.level(name) for name in ("lamp_pin", "buzzer_pin", "relay_pin"))
    bench.panel.feed(True)
    assert bench.panel.energised
    assert bench.level("relay_pin")


def test_a_fault_opens_the_relay_at_once_lights_the_lamp_and_sounds(bench: Bench) -> None:
    bench.panel.feed(True)
    for _ in range(3):
        bench.panel.feed(False, alarm=True)
        assert [bench.level(n) for n in ("relay_pin", "lamp_pin", "buzzer_pin")] == [False, True, True]
    bench.panel.feed(False)
    assert not bench.level("buzzer_pin")
    bench.panel.feed(True)
    assert bench.panel.energised


def test_the_lamp_changes_at_each_feed_so_that_a_dead_one_shows(bench: Bench) -> None:
    seen = []
    for _ in range(6):
        bench.panel.feed(True)
        seen.append(bench.level("lamp_pin"))
    assert seen == [True, False] * 3


def test_a_loop_that_stops_feeding_loses_the_relay(bench: Bench) -> None:
    bench.panel.feed(True)
    bench.clock.sleep_s(FEED_WITHIN_S)
    bench.panel.check()
    assert bench.panel.energised
    bench.clock.sleep_s(0.001)
    bench.panel.check()
    assert not bench.panel.energised
    assert bench.level("lamp_pin")
    assert bench.panel.trips == 1
    bench.panel.check()
    assert bench.panel.trips == 1
    bench.panel.feed(True)
    assert bench.panel.energised


def test_the_watchdog_is_a_thread_of_its_own_in_real_time() -> None:
    pins = SimPinFactory(BootClock())
    with Panel(BootClock(), relay_pin=23, feed_within_s=0.1, pin_factory=pins) as panel:
        panel.feed(True)
        end_s = time.monotonic() + 5.0
        while panel.energised and time.monotonic() < end_s:
            time.sleep(0.01)
        assert not panel.energised
        assert panel.trips == 1


def test_an_exception_opens_the_relay() -> None:
    bench = Bench()
    seen: list[bool] = []

    def die() -> None:
        with bench.panel:
            bench.panel.feed(True)
            seen.append(bench.level("relay_pin"))
            raise KeyError("a bug in the loop")

    with pytest.raises(KeyError):
        die()
    seen.append(bench.level("relay_pin"))
    assert seen == [True, False]


def test_closing_leaves_nothing_on_and_the_pins_free(bench: Bench) -> None:
    bench.panel.feed(True, alarm=True)
    bench.panel.close()
    assert not any(bench.level(name) for name in ("lamp_pin", "buzzer_pin", "relay_pin"))
    assert bench.pins.pin(23).function == "input"
    bench.panel.close()
    with pytest.raises(NotOpen, match="call open"):
        bench.panel.feed(True)
    bench.panel.open()
    bench.panel.feed(True)
    assert bench.panel.energised


@pytest.mark.parametrize("end", ["", "sys.exit(3)", "raise RuntimeError", "os.kill(os.getpid(), signal.SIGTERM)"])
def test_the_interpreters_exit_opens_the_relay(end: str) -> None:
    # A killed process is the kernel's business; SIGTERM ends ours as any signal does that Python handles.
    program = f"""
import os, signal, sys
from hw.clock import SimClock
from hw.panel import Panel
from hw.sim.pins import SimPin, SimPinFactory
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
honest = SimPin._set_state
def watched(self, value):
    honest(self, value)
    print("relay", int(value), flush=True)
SimPin.state = property(SimPin._get_state, watched)
panel = Panel(SimClock(), relay_pin=23, pin_factory=SimPinFactory(SimClock()))
panel.open()
panel.feed(True)
{end}
"""
    root = ROOT
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=root, timeout=60)
    assert done.stdout.split("\n")[-2] == "relay 0", done.stderr
    assert "relay 1" in done.stdout


@pytest.mark.parametrize(
    ("length_s", "press"),
    [
        (BOUNCE_S / 2, None),
        (BOUNCE_S, Press.ACKNOWLEDGE),
        (0.3, Press.ACKNOWLEDGE),
        (TARE_FROM_S - 0.01, Press.ACKNOWLEDGE),
        (TARE_FROM_S, Press.TARE),
        (START_FROM_S - 0.01, Press.TARE),
        (START_FROM_S, Press.START),
        (HELD_FROM_S - 0.01, Press.START),
        (HELD_FROM_S, None),
        (3600.0, None),
    ],
)
def test_a_press_means_what_its_length_says(bench: Bench, length_s: float, press: Press | None) -> None:
    assert meaning(length_s) is press
    bench.hold(length_s + 1e-6, every_s=1.0)
    assert bench.panel.presses() == ([press] if press else [])
    assert bench.panel.presses() == []


def test_several_presses_come_in_their_order(bench: Bench) -> None:
    for length_s in (0.2, 2.0, 0.2, 4.0):
        bench.hold(length_s, every_s=0.2)
    assert bench.panel.presses() == [Press.ACKNOWLEDGE, Press.TARE, Press.ACKNOWLEDGE, Press.START]


def test_bouncing_contacts_are_one_press(bench: Bench) -> None:
    for _ in range(5):
        bench.hold(0.002, every_s=0.003)
    bench.hold(1.5, every_s=0.004)
    for _ in range(5):
        bench.hold(0.002, every_s=0.003)
    assert bench.panel.presses() == []  # it may still bounce
    bench.clock.sleep_s(BOUNCE_S)
    assert bench.panel.presses() == [Press.TARE]


def test_a_press_is_given_only_once_it_is_over(bench: Bench) -> None:
    bench.pins.drive(22, False)
    bench.clock.sleep_s(2.0)
    assert bench.panel.presses() == []
    bench.pins.drive(22, True)
    bench.clock.sleep_s(0.1)
    assert bench.panel.presses() == [Press.TARE]


def test_a_panel_may_lack_anything(bench: Bench) -> None:
    for name in PINS:
        with Panel(bench.clock, **{name: 5}, pin_factory=SimPinFactory(bench.clock)) as panel:
            panel.feed(True, alarm=True)
            assert panel.energised == (name == "relay_pin")
            assert panel.presses() == []
            assert panel.describe() == {name: 5, "feed_within_s": FEED_WITHIN_S}


def test_pins_that_cannot_be_had_and_bad_settings_say_what_to_do(bench: Bench) -> None:
    with pytest.raises(BusError, match="group gpio"):
        Panel(bench.clock, relay_pin=23, pin_factory=bench.pins).open()
    with pytest.raises(BadSetting, match="feed_within_s"):
        Panel(bench.clock, feed_within_s=0.0)


def test_where_lgpio_is_missing_the_line_says_which_package_of_the_system_has_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "lgpio")
    monkeypatch.setitem(sys.modules, "lgpio", None)
    monkeypatch.setattr(Device, "pin_factory", None)
    with pytest.raises(BusError, match=r"^panel: .*lgpio.*: sudo apt-get install python3-lgpio, then") as said:
        Panel(SimClock(), **PINS).open()
    assert "\n" not in str(said.value)
