"""What a thermometer in its place can show: outside it, a resistance is a fault and no temperature.

A Pt100 on a board for a Pt1000, a half-shorted element and another make of sensor all give a number without a fault
bit. This module must never make a temperature of a reading.
"""

from __future__ import annotations

from calibration.iec60751 import resistance_ohm

from .config import Config

OVEN_C = (-30.0, 400.0)
CELL_C = (-30.0, 85.0)
OVER_K = 25.0
"""A load cell whose alarm is set above that can be so much warmer than its limit."""


def oven_plausible_c(config: Config) -> tuple[float, float]:
    """Get what the oven's thermometer can show, in °C."""
    given = None if config.oven_probe is None else config.oven_probe.plausible_c
    return given or OVEN_C


def cell_plausible_c(config: Config) -> tuple[float, float]:
    """Get what the load cell's thermometer can show, in °C."""
    given = None if config.cell_probe is None else config.cell_probe.plausible_c
    return given or (CELL_C[0], max(CELL_C[1], config.alarms.cell_over_temp_c + OVER_K))


def plausible_ohm(nominal_ohm: float, plausible_c: tuple[float, float]) -> tuple[float, float]:
    """Get the resistances in Ω of a thermometer (``nominal_ohm`` at 0 °C) at the ends of a range in °C."""
    low_c, high_c = plausible_c
    return resistance_ohm(low_c, nominal_ohm), resistance_ohm(high_c, nominal_ohm)
