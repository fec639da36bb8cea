"""Numbers as a report writes them: digits by their uncertainty, a true minus, tabular and with a space before units.

U and u have two significant digits and the value ends at the same place (JCGM 100, 7.2.6). This module must never round
away that something is not known.
"""

from __future__ import annotations

import math

from .decimals import decimals

SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def fixed(value: float, places: int) -> str:
    """Write a number with so many decimals and a true minus; what rounds to 0 has no sign."""
    said = f"{value:.{places}f}"
    if not float(said):
        said = said.removeprefix("-")
    return said.replace("-", "−")


def signed(value: float, places: int) -> str:
    """Write a number with its sign, + or −."""
    said = fixed(value, places)
    return said if said.startswith("−") or not float(said) else f"+{said}"


def two_digits(value: float, U: float) -> tuple[str, str]:
    """Write a value and its uncertainty: U with two significant digits, the value to the same place."""
    places = decimals(U)
    return fixed(value, places), fixed(U, places)


def forecast_digits(loss_pct: float, half_pct: float) -> tuple[str, str]:
    """Write a forecast's loss and the half of its interval, in %: two decimals, three where the half needs them."""
    places = 2 if half_pct >= 0.01 else 3
    return fixed(loss_pct, places), fixed(half_pct, places)


def u_alone(u: float) -> str:
    """Write an uncertainty with two significant digits; far from 1 in powers of ten, as 1.4 × 10⁻⁵."""
    if u == 0.0 or not math.isfinite(u):
        return "0" if u == 0.0 else "∞"
    if 1e-4 <= u < 1e6:
        return fixed(u, decimals(u)) if u < 10 else f"{float(f'{u:.1e}'):.{decimals(u)}f}"
    return power(u)


def power(value: float) -> str:
    """Write a number with two significant digits and a power of ten."""
    mantissa, _, exponent = f"{value:.1e}".partition("e")
    return f"{mantissa.replace('-', '−')} × 10{str(int(exponent)).translate(SUPERSCRIPT)}"


def percent_of_one(p: float) -> str:
    """Write a probability in whole per cent; never as certain."""
    if p > 0.9999:
        return "> 99.99 %"
    if p < 0.0001:
        return "< 0.01 %"
    if not 0.01 <= p <= 0.99:
        return f"{p * 100.0:.2f} %"
    return f"{p * 100.0:.0f} %"


def grouped(count: int) -> str:
    """Write a count in groups of three, with a narrow space that never parts."""
    return f"{count:,}".replace(",", "\u202f")
