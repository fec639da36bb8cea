"""The Raspberry Pi's 40-pin header: which pin is what, and what a wire is.

Sources: Raspberry Pi documentation (GPIO and the 40-pin header; overlays README for spi1). The pull-ups of
GPIO0 to GPIO8 from power-on: BCM2835 ARM Peripherals, table 6-31; RP1 keeps them.
"""

from __future__ import annotations

from dataclasses import dataclass

GPIO_OF = {
    3: 2, 5: 3, 7: 4, 8: 14, 10: 15, 11: 17, 12: 18, 13: 27, 15: 22, 16: 23, 18: 24, 19: 10, 21: 9, 22: 25, 23: 11,
    24: 8, 26: 7, 27: 0, 28: 1, 29: 5, 31: 6, 32: 12, 33: 13, 35: 19, 36: 16, 37: 26, 38: 20, 40: 21,
}  # fmt: skip
"""GPIO number by header pin."""
PIN_OF = {gpio: pin for pin, gpio in GPIO_OF.items()}
POWER = {"3V3": (1, 17), "5V": (2, 4), "GND": (6, 9, 14, 20, 25, 30, 34, 39)}
PULLED_UP = range(9)
"""GPIOs that a pull-up holds high from power-on until a program sets them."""

SPI = {
    0: {"MOSI": 10, "MISO": 9, "SCLK": 11, "CE0": 8, "CE1": 7},
    1: {"MOSI": 20, "MISO": 19, "SCLK": 21, "CE0": 18, "CE1": 17, "CE2": 16},
}
I2C = {0: {"SDA": 0, "SCL": 1}, 1: {"SDA": 2, "SCL": 3}}


@dataclass(frozen=True, slots=True)
class Wire:
    """One wire: ``pin`` of ``part`` goes ``to`` a place, which is header pin ``header`` (None: elsewhere)."""

    part: str
    pin: str
    to: str
    header: int | None = None
    note: str = ""


def gpio(name: str) -> int:
    """Get the GPIO number of a pin name such as ``GPIO5`` or ``BOARD29``. Raises ``KeyError`` for a power pin."""
    if name.startswith("BOARD"):
        return GPIO_OF[int(name.removeprefix("BOARD"))]
    return int(name.removeprefix("GPIO"))


def label(pin: int) -> str:
    """Get what a header pin is: ``3V3``, ``GND`` or ``GPIO5``."""
    return next((name for name, pins in POWER.items() if pin in pins), f"GPIO{GPIO_OF.get(pin, '?')}")
