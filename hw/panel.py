"""The panel, over gpiozero: a status lamp, a buzzer, one button, and the interlock relay.

The relay is energised only while someone says again and again that the instrument is healthy. It opens on a
fault, when nobody said so for a while (a thread of its own sees to that), on ``close``, on an exception
inside ``with``, and at the interpreter's exit. When the process is killed or its interpreter hangs for
good, the kernel takes the line back and makes it an input: so the relay's input must be active high with
a pull-down of its own (docs/wiring.md). This module must never energise the relay by itself.
"""

from __future__ import annotations

import atexit
import contextlib
import threading
from enum import StrEnum
from types import TracebackType
from typing import Any, Self

from gpiozero import Button, GPIOZeroError, OutputDevice

from hw.clock import NS_PER_S, Clock
from hw.errors import BadSetting, NotOpen, pins_do_not_open

FEED_WITHIN_S = 3.0
"""How long the relay stays energised after the last ``feed``: the station feeds it once a second."""
BOUNCE_S = 0.05
"""Contacts that part or meet for less than this bounce."""
TARE_FROM_S = 1.0
START_FROM_S = 3.0
HELD_FROM_S = 10.0
"""Longer than this nobody presses: something lies on the button."""


class Press(StrEnum):
    """What a press of the button means, by its length."""

    ACKNOWLEDGE = "acknowledge"
    TARE = "tare"
    START = "start"


def meaning(length_s: float) -> Press | None:
    """Get what a press of ``length_s`` means: up to 1 s, 1 to 3 s, 3 to 10 s; None for a bounce or beyond."""
    if not BOUNCE_S <= length_s < HELD_FROM_S:
        return None
    if length_s < TARE_FROM_S:
        return Press.ACKNOWLEDGE
    return Press.TARE if length_s < START_FROM_S else Press.START


class Panel:
    """What of lamp, buzzer, button and relay is wired; a pin that is None is not there.

    Pins are gpiozero's names (``"GPIO22"``). The button connects its pin to ground. ``feed_within_s`` is
    0.1 to 60. ``pin_factory`` is gpiozero's, by default the machine's own. Raises ``BadSetting``.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        lamp_pin: int | str | None = None,
        buzzer_pin: int | str | None = None,
        button_pin: int | str | None = None,
        relay_pin: int | str | None = None,
        feed_within_s: float = FEED_WITHIN_S,
        pin_factory: Any = None,  # a gpiozero Factory, which has no type information
    ) -> None:
        if not 0.1 <= feed_within_s <= 60.0:
            raise BadSetting(f"panel: feed_within_s = {feed_within_s}; use 0.1 to 60 s")
        self.trips = 0
        """How often the relay opened because nobody fed it."""
        self._clock = clock
        self._pins = {"lamp": lamp_pin, "buzzer": buzzer_pin, "button": button_pin, "relay": relay_pin}
        self._within_ns = round(feed_within_s * NS_PER_S)
        self._pin_factory = pin_factory
        self._outputs: dict[str, OutputDevice] = {}
        self._button: Button | None = None
        self._contacts = _Contacts(clock)
        self._lock = threading.RLock()
        self._fed_ns = 0
        self._closing = threading.Event()
        self._open = False

    def open(self) -> None:
        """Open the lines with everything off, the relay too. Raises ``BusError``."""
        self.close()
        self._closing = threading.Event()
        try:
            for name in ("relay", "lamp", "buzzer"):
                if (pin := self._pins[name]) is not None:
                    self._outputs[name] = OutputDevice(pin, initial_value=False, pin_factory=self._pin_factory)
            if (pin := self._pins["button"]) is not None:
                self._contacts = _Contacts(self._clock)
                self._button = Button(pin, pull_up=True, pin_factory=self._pin_factory)
                self._button.when_pressed = self._contacts.met
                self._button.when_released = self._contacts.parted
        except (GPIOZeroError, OSError, ImportError) as e:
            self.close()
            raise pins_do_not_open("panel", e) from e
        self._open = True
        atexit.register(self.close)
        if "relay" in self._outputs:
            threading.Thread(target=self._watch, args=(self._closing,), name="interlock", daemon=True).start()

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def feed(self, healthy: bool, alarm: bool = False) -> None:
        """Set relay, lamp and buzzer, and hold off the watchdog for ``feed_within_s``.

        ``healthy``: the relay is energised, and the lamp changes at each call, which shows that someone is
        there. Otherwise the relay opens and the lamp stays lit. ``alarm``: the buzzer sounds.
        """
        if not self._open:
            raise NotOpen("panel: not open; call open() first")
        with self._lock:
            self._fed_ns = self._clock.now_ns()
            self._set("relay", healthy)
            lamp = self._outputs.get("lamp")
            self._set("lamp", not healthy or (lamp is not None and not lamp.value))
            self._set("buzzer", alarm)

    def check(self) -> None:
        """Release the relay if nobody fed it in time: what the watchdog thread does by itself."""
        with self._lock:
            if self.energised and self._clock.now_ns() - self._fed_ns > self._within_ns:
                self.trips += 1
                self._set("relay", False)
                self._set("lamp", True)

    @property
    def energised(self) -> bool:
        """Get whether the relay is energised."""
        relay = self._outputs.get("relay")
        return relay is not None and bool(relay.value)

    def presses(self) -> list[Press]:
        """Get what the button said since the last call, oldest first."""
        return self._contacts.taken()

    def describe(self) -> dict[str, str | int | float]:
        """Get the settings in force."""
        pins = {f"{name}_pin": pin for name, pin in self._pins.items() if pin is not None}
        return pins | {"feed_within_s": self._within_ns / NS_PER_S}

    def close(self) -> None:
        """Release the relay, put lamp and buzzer out and release the lines."""
        self._closing.set()
        atexit.unregister(self.close)
        with self._lock:
            self._open = False
            outputs, self._outputs = self._outputs, {}
            button, self._button = self._button, None
            # The relay is the first; whatever fails there, the lines are released.
            for device in outputs.values():
                with contextlib.suppress(GPIOZeroError, OSError):
                    device.off()
            for device in (*outputs.values(), *([button] if button is not None else [])):
                device.close()

    def _set(self, name: str, on: bool) -> None:
        if (device := self._outputs.get(name)) is not None:
            device.value = on

    def _watch(self, closing: threading.Event) -> None:
        # Real time, whatever the clock: a simulated one stands still while nobody works.
        while not closing.wait(min(0.5, self._within_ns / 4 / NS_PER_S)):
            self.check()


class _Contacts:
    """The button's contacts, debounced: presses with their length."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._met_ns: int | None = None
        self._parted_ns: int | None = None
        self._done: list[Press] = []

    def met(self) -> None:
        with self._lock:
            now_ns = self._clock.now_ns()
            self._settle(now_ns)
            # Where the press before is not over yet, its contacts bounced and it goes on.
            self._parted_ns = None
            if self._met_ns is None:
                self._met_ns = now_ns

    def parted(self) -> None:
        with self._lock:
            if self._met_ns is not None:
                self._parted_ns = self._clock.now_ns()

    def taken(self) -> list[Press]:
        with self._lock:
            self._settle(self._clock.now_ns())
            done, self._done = self._done, []
            return done

    def _settle(self, now_ns: int) -> None:
        """Take a press for over once its contacts have been apart for long enough."""
        if self._met_ns is None or self._parted_ns is None or now_ns - self._parted_ns < BOUNCE_S * NS_PER_S:
            return
        press = meaning((self._parted_ns - self._met_ns) / NS_PER_S)
        self._met_ns = self._parted_ns = None
        if press is not None:
            self._done.append(press)
