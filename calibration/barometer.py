"""From a Bosch barometer's codes to the air's pressure in Pa, with the trimming values that the chip carries.

``+ − × ÷`` alone, so that a stored code is the same pressure everywhere and for ever. This module must never take a
pressure that no place with people in it has for one.

Source: Bosch BMP280 data sheet BST-BMP280-DS001, 3.11.2 (trimming), 3.11.3 and 8.1 (compensation in double precision),
table 2 (accuracy); the BME280's (BST-BME280-DS002, 4.2) is the same for pressure and temperature.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass

TRIMMING_BYTES = 24
PLACE_PA = (50_000.0, 110_000.0)
"""What the weather can be where people work: the highest town has 53 kPa, the highest pressure measured is 108.4."""
ERROR_PA = 100.0
"""The chip's absolute accuracy, a half-width in Pa (table 2: ±1 hPa)."""
CHANGE_ERROR_PA = 30.0
"""How far a change within a day may be off, a half-width in Pa: ±0.12 hPa of one reading against another, 1.5 Pa/K over
a room's 5 K twice (table 2), and 3 Pa of noise."""
_CODES = 1 << 20
_TRIMMING = struct.Struct("<HhhHhhhhhhhh")


@dataclass(frozen=True, slots=True)
class Trimming:
    """A chip's own coefficients: ``t`` of its thermometer (dig_T1 … 3), ``p`` of its pressure (dig_P1 … 9)."""

    t: tuple[int, int, int]
    p: tuple[int, int, int, int, int, int, int, int, int]


def trimming_from_bytes(raw: bytes) -> Trimming | None:
    """Get the coefficients in the 24 bytes from register 0x88 on; None where no chip can have them."""
    if len(raw) != TRIMMING_BYTES:
        return None
    t1, t2, t3, p1, p2, p3, p4, p5, p6, p7, p8, p9 = _TRIMMING.unpack(raw)
    if 0 in (t1, p1) or raw.count(0xFF) == TRIMMING_BYTES:
        return None
    return Trimming((t1, t2, t3), (p1, p2, p3, p4, p5, p6, p7, p8, p9))


def temperature_c(temp_code: int, trimming: Trimming) -> float:
    """Get the chip's own temperature in °C from its 20-bit code."""
    return _fine(temp_code, trimming) / 5120.0


def pressure_pa(pressure_code: int, temp_code: int, trimming: Trimming) -> float:
    """Get the pressure in Pa from the chip's two 20-bit codes; NaN where its coefficients give none."""
    p1, p2, p3, p4, p5, p6, p7, p8, p9 = trimming.p
    a = _fine(temp_code, trimming) / 2.0 - 64000.0
    b = a * a * p6 / 32768.0
    b = b + a * p5 * 2.0
    b = b / 4.0 + p4 * 65536.0
    a = (p3 * a * a / 524288.0 + p2 * a) / 524288.0
    a = (1.0 + a / 32768.0) * p1
    if a == 0.0:
        return math.nan
    p = (_CODES - pressure_code - b / 4096.0) * 6250.0 / a
    return p + (p9 * p * p / 2147483648.0 + p * p8 / 32768.0 + p7) / 16.0


def plausible_pa(pressure_code: int, temp_code: int, trimming: bytes) -> float:
    """Get the pressure in Pa; NaN where it is none that a laboratory has, or no chip has such coefficients."""
    own = trimming_from_bytes(trimming)
    if own is None:
        return math.nan
    pa = pressure_pa(pressure_code, temp_code, own)
    return pa if PLACE_PA[0] <= pa <= PLACE_PA[1] else math.nan


def _fine(temp_code: int, trimming: Trimming) -> float:
    """Get the temperature in 1/5120 °C."""
    t1, t2, t3 = trimming.t
    away = temp_code / 131072.0 - t1 / 8192.0
    return (temp_code / 16384.0 - t1 / 1024.0) * t2 + away * away * t3
