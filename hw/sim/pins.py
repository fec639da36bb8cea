"""Simulated GPIO lines: a gpiozero pin factory, and the face RPi.GPIO code knows the lines by.

Real gpiozero devices (``OutputDevice``, ``InputDevice``, ``LED``, ``Buzzer``, ``Button``, software SPI) work
on it. Each edge and each look takes ``edge_ns`` where the clock is simulated. Nothing is recorded, so a
test of nine hours does not fill the memory. Not modelled: PWM, debouncing, several drivers on one line.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Protocol

from gpiozero.exc import PinFixedPull, PinInvalidFunction, PinInvalidPull, PinSetInput
from gpiozero.mixins import SharedMixin
from gpiozero.pins.pi import PiFactory, PiPin
from gpiozero.pins.spi import SPISoftware

from hw.clock import NS_PER_S, Clock, real_time

_PI_5B = 0xC04170


class ClockedChip(Protocol):
    """A chip model with a clock input and a data output."""

    def sck(self, level: bool) -> None:
        """Take the level the host drives the clock line to."""

    @property
    def dout(self) -> bool:
        """Get the level of the data line, with the host's pull-up on it."""


class SimPin(PiPin):  # type: ignore[misc]  # gpiozero has no type information
    """One line. Its level is what the host drives, what a chip drives, or what the pull leaves it at."""

    def __init__(self, factory: SimPinFactory, info: Any) -> None:
        super().__init__(factory, info)
        self._sim = factory
        self._function = "input"
        self._pull = info.pull or "floating"
        self._level = self._pull == "up"
        self._edges = "both"
        self._clocks: ClockedChip | None = None
        self._reads: ClockedChip | None = None

    def close(self) -> None:
        """Release the line: an input again."""
        self.when_changed = None
        self._function = "input"

    def connect(self, *, clocks: ClockedChip | None, reads: ClockedChip | None) -> None:
        """Connect the line to a chip's clock input or data output."""
        self._clocks, self._reads = clocks, reads

    def drive(self, level: bool) -> None:
        """Drive an input from outside (a button, a contact), firing gpiozero's events."""
        changed, self._level = level != self._level, level
        wanted = self._edges == "both" or self._edges == ("rising" if level else "falling")
        if changed and wanted and self._when_changed is not None:
            self._call_when_changed(self._sim.ticks(), level)

    def _get_state(self) -> bool:
        sim = self._sim
        sim.advance_ns(sim.edge_ns)
        return self._level if self._reads is None else self._reads.dout

    def _set_state(self, value: float) -> None:
        if self._function != "output":
            raise PinSetInput(f"cannot set state of pin {self!r}")
        sim = self._sim
        sim.advance_ns(sim.edge_ns)
        level = self._level = bool(value)
        if self._clocks is not None:
            self._clocks.sck(level)
            if level and sim.preempting:
                sim.rose()

    # gpiozero's own property calls through two lambdas; a word of an HX711 is 75 accesses.
    state = property(_get_state, _set_state)

    def _get_function(self) -> str:
        return self._function

    def _set_function(self, value: str) -> None:
        if value not in ("input", "output"):
            raise PinInvalidFunction("function must be input or output")
        self._function = value

    def _get_pull(self) -> str:
        return self._pull

    def _set_pull(self, value: str) -> None:
        if self._function != "input" or (self._info.pull and value != self._info.pull):
            raise PinFixedPull(f"cannot set pull on pin {self!r}")
        if value not in ("floating", "up", "down"):
            raise PinInvalidPull("pull must be floating, up, or down")
        self._pull = value
        if value != "floating":
            self._level = value == "up"

    def _get_bounce(self) -> None:
        return None

    def _set_bounce(self, value: float | None) -> None:
        pass

    def _get_edges(self) -> str:
        return self._edges

    def _set_edges(self, value: str) -> None:
        self._edges = value

    def _enable_event_detect(self) -> None:
        pass

    def _disable_event_detect(self) -> None:
        pass


class SimPinFactory(PiFactory):  # type: ignore[misc]  # gpiozero has no type information
    """The header of a Raspberry Pi 5, for gpiozero's ``pin_factory=``.

    ``wire`` connects a chip model; ``drive`` sets an input from outside; ``preempt`` plays the operating
    system that takes the processor away while a clock line is high. One access to a line takes ``edge_ns``;
    ``advance_ns`` lets the time pass where it is simulated.
    """

    def __init__(self, clock: Clock, *, edge_ns: int = 1500) -> None:
        super().__init__()
        self.pin_class = SimPin
        self._clock = clock
        self.edge_ns = edge_ns
        self.advance_ns: Callable[[int], None] = getattr(clock, "advance_ns", real_time)
        self.preempting = False
        """Whether a pulse is still to come in which the processor is taken away."""
        self._preempt_in = 0
        self._preempt_ns = 0

    def wire(self, *, sck: int | str, dout: int | str, chip: ClockedChip) -> None:
        """Connect ``chip``'s clock input to pin ``sck`` and its data output to pin ``dout``."""
        self.pin(sck).connect(clocks=chip, reads=None)
        self.pin(dout).connect(clocks=None, reads=chip)

    def drive(self, pin: int | str, level: bool) -> None:
        """Drive the input ``pin`` from outside."""
        self.pin(pin).drive(level)

    def preempt(self, ns: int, *, pulse: int = 1) -> None:
        """Take the processor away for ``ns`` while SCK is high, in the ``pulse``-th pulse from now."""
        self._preempt_in, self._preempt_ns = pulse, ns
        self.preempting = pulse > 0

    def rose(self) -> None:
        """Take note of a rising edge on a clock line, while :attr:`preempting`."""
        self._preempt_in -= 1
        self.preempting = self._preempt_in > 0
        if not self.preempting:
            self._clock.sleep_s(self._preempt_ns / NS_PER_S)

    def ticks(self) -> float:
        """Get the clock's time in s, as gpiozero's events carry it."""
        return self._clock.now_ns() / NS_PER_S

    def ticks_diff(self, later: float, earlier: float) -> float:
        """Get the time between two ticks in s."""
        return later - earlier

    def _get_revision(self) -> int:
        return _PI_5B

    def _get_spi_class(self, shared: bool, hardware: bool) -> type[SPISoftware]:
        return _SharedSimSpi if shared else SPISoftware


class _SharedSimSpi(SharedMixin, SPISoftware):  # type: ignore[misc]  # gpiozero has no type information
    @classmethod
    def _shared_key(
        cls, clock_pin: int, mosi_pin: int, miso_pin: int, select_pin: int, pin_factory: Any
    ) -> tuple[int, int]:
        return (clock_pin, select_pin)


class SimRpiGpio:
    """The lines with the functions and constants of the module ``RPi.GPIO`` that HX711 drivers use."""

    BOARD: ClassVar[int] = 10
    BCM: ClassVar[int] = 11
    RISING: ClassVar[int] = 31
    FALLING: ClassVar[int] = 32
    BOTH: ClassVar[int] = 33
    OUT: ClassVar[int] = 0
    IN: ClassVar[int] = 1
    LOW: ClassVar[int] = 0
    HIGH: ClassVar[int] = 1
    PUD_OFF: ClassVar[int] = 20
    PUD_DOWN: ClassVar[int] = 21
    PUD_UP: ClassVar[int] = 22

    def __init__(self, factory: SimPinFactory) -> None:
        self._factory = factory
        self._mode: int | None = None
        self._seen: dict[int, tuple[int, int]] = {}

    def setmode(self, mode: int) -> None:
        """Say how pins are numbered: as on the chip (BCM). Raise ``ValueError`` for another way."""
        if mode != self.BCM:
            raise ValueError("An invalid mode was passed to setmode()")
        self._mode = mode

    def getmode(self) -> int | None:
        """Get how pins are numbered; None before it was said."""
        return self._mode

    def setwarnings(self, on: bool) -> None:
        """Do nothing."""

    def setup(
        self,
        channel: int | Sequence[int],
        direction: int,
        pull_up_down: int = PUD_OFF,
        initial: int | Sequence[int] = -1,
    ) -> None:
        """Make a line, or each of some, an input or an output."""
        lines = _lines(channel)
        for line, level in zip(lines, _levels(initial, len(lines)), strict=True):
            pin = self._factory.pin(line)
            pin.function = "output" if direction == self.OUT else "input"
            if direction == self.OUT and level >= 0:
                pin.state = level

    def output(self, channel: int | Sequence[int], level: int | Sequence[int]) -> None:
        """Drive an output, or each of some: with one level, or a level each."""
        lines = _lines(channel)
        for line, each in zip(lines, _levels(level, len(lines)), strict=True):
            self._factory.pin(line).state = each

    def input(self, channel: int) -> int:
        """Get a line's level."""
        return int(self._factory.pin(channel).state)

    def add_event_detect(self, channel: int, edge: int) -> None:
        """Look for edges of an input from now on. Callbacks have no thread here: :meth:`event_detected` is asked."""
        if edge not in (self.RISING, self.FALLING, self.BOTH):
            raise ValueError("The edge must be set to RISING, FALLING or BOTH")
        if channel in self._seen:
            raise RuntimeError("Conflicting edge detection already enabled for this GPIO channel")
        self._seen[channel] = (edge, self.input(channel))

    def event_detected(self, channel: int) -> bool:
        """Say whether such an edge came since it was last asked, by the level: two edges hide each other."""
        if channel not in self._seen:
            return False
        edge, before = self._seen[channel]
        now = self.input(channel)
        self._seen[channel] = (edge, now)
        return (now > before and edge != self.FALLING) or (now < before and edge != self.RISING)

    def remove_event_detect(self, channel: int) -> None:
        """Look for edges no longer."""
        self._seen.pop(channel, None)

    def cleanup(self, channel: int | Sequence[int] | None = None) -> None:
        """Make a line, some, or all, inputs again."""
        if channel is None:
            self._mode = None
        pins = self._factory.pins.values() if channel is None else [self._factory.pin(n) for n in _lines(channel)]
        for pin in pins:
            pin.close()


def _lines(channel: int | Sequence[int]) -> tuple[int, ...]:
    return (channel,) if isinstance(channel, int) else tuple(channel)


def _levels(level: int | Sequence[int], lines: int) -> tuple[int, ...]:
    """Get a level for each of some lines. Raise ``RuntimeError`` as the module does where their numbers differ."""
    levels = (level,) * lines if isinstance(level, int) else tuple(level)
    if len(levels) != lines:
        raise RuntimeError("Number of channels != number of values")
    return levels
