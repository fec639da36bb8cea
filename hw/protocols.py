"""What a load-cell reader, a thermometer and a gauge give: raw codes, each with a status.

The sample and its status are the first thing that is stored and the last thing anyone may doubt. This
module must never turn a code into a physical quantity, and must never encode a failure as a number.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple, Protocol, runtime_checkable


class Status(IntEnum):
    """What a sample is. Only ``OK`` is a number; every other sample says why it is none."""

    OK = 0
    NOT_READY = 1
    """No conversion within the deadline (unplugged, powered down, clock stopped)."""
    LATE = 2
    """A clock pulse was stretched: the chip may have powered down in mid-word."""
    DESYNC = 3
    """The word ended out of step (DOUT not high after the last pulse)."""
    SATURATED = 4
    """A rail of the converter: the true value is beyond it."""
    SETTLING = 5
    """A conversion after power-up, reset or a change of setting: not yet true."""
    STUCK = 6
    """The same code so often that noise alone forbids it."""
    BUS_ERROR = 7
    """The bus did not acknowledge, also after the bounded retries."""
    FAULT = 8
    """The chip itself reports a fault, or gives a code that only a fault gives."""
    STALE = 9
    """Older than it may be: the last good value must not be used any more."""


class Conversion(NamedTuple):
    """One conversion of a load-cell bridge.

    ``t_ns`` is the clock's time (CLOCK_BOOTTIME, ns) at which the conversion was found ready, ``code``
    the two's-complement code, −2²³ … 2²³−1. Where ``status`` is not ``OK`` the code is what the chip
    sent, for the record, or 0 where it sent nothing.
    """

    t_ns: int
    code: int
    status: Status


class Reading(NamedTuple):
    """One reading of a resistance thermometer.

    ``code`` is the 15-bit ratio code (R = code / 32768 · Rref), ``fault`` the chip's fault register as
    it was read with this sample (0 where nothing is wrong).
    """

    t_ns: int
    code: int
    fault: int
    status: Status


@dataclass(frozen=True, slots=True)
class ConverterState:
    """What a bridge's converter is set up as: a code from before a reset is not to be compared with one after it.

    ``fresh``: it was set up anew when it was opened, or was found reset since. ``resets`` counts how often it was found
    reset, or had to be, while it was open. The registers are hex strings: offset and gain calibration, amplifier,
    revision (None: the chip has none).
    """

    chip: str
    fresh: bool
    resets: int
    ocal: str | None = None
    gcal: str | None = None
    pga: str | None = None
    revision: str | None = None

    def registers(self) -> dict[str, str | None]:
        """Get the registers by their names."""
        return {name: getattr(self, name) for name in REGISTERS}


REGISTERS = ("ocal", "gcal", "pga", "revision")


CODE_MIN = -(1 << 23)
CODE_MAX = (1 << 23) - 1


class Bridge(Protocol):
    """A load-cell reader: an HX711 on two pins, a NAU7802 on I²C. These are interchangeable."""

    @property
    def name(self) -> str:
        """Get the chip's name, as the config and the certificate spell it."""

    @property
    def rate_sps(self) -> float:
        """Get the nominal conversion rate in samples per second (10 … 320)."""

    def open(self) -> None:
        """Find the chip; set it up where it is not yet as it should be. Raise an ``HwError`` where that fails."""

    def read(self, deadline_ns: int) -> Conversion:
        """Get the next conversion, waiting for it until ``deadline_ns`` at the latest.

        Never raises for what a chip or a bus does: that is a status. Returns at most one sample per
        conversion, and after a failure no sooner than about one conversion period, so that a caller
        that loops over it cannot spin.
        """

    def describe(self) -> dict[str, str | int | float]:
        """Get the settings in force, for the run's record: plain names with units."""

    def state(self) -> ConverterState:
        """Get what the converter is set up as, without asking it."""

    def close(self) -> None:
        """Release the bus or the pins, and leave the chip as it is. Safe to call twice and before ``open``."""


class Probe(Protocol):
    """A resistance thermometer's converter: a real MAX31865 or a recording's column."""

    def open(self) -> None:
        """Find and set up the chip. Raise an ``HwError`` where that fails."""

    def read(self) -> Reading:
        """Get the newest reading. Never raises for what a chip or a bus does: that is a status."""

    def describe(self) -> dict[str, str | int | float]:
        """Get the settings in force, for the run's record: plain names with units."""

    def close(self) -> None:
        """Release the bus. Safe to call twice and before ``open``."""


@runtime_checkable
class Thermometer(Probe, Protocol):
    """A resistance thermometer's converter whose current can be switched off between readings."""

    def read_rarely(self, *, rarely: bool) -> float:
        """Set whether current flows only while it is read, or always. Returns for how long it flows at a reading, s."""
