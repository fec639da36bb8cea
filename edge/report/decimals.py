"""How many decimals an uncertainty asks for.

This module must never know what the number is of.
"""

from __future__ import annotations

import math


def decimals(u: float) -> int:
    """Get how many decimals give an uncertainty two significant digits (JCGM 100, 7.2.6), 0 to 12."""
    if not (math.isfinite(u) and u > 0.0):
        return 4
    exponent = int(f"{u:.1e}".partition("e")[2])  # of the rounded value: 0.0996 is 0.10
    return min(12, max(0, 1 - exponent))
