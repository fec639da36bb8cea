"""What makes a station a simulated one: its runs say so, in their kind, their settings, their hash and their result.

This module must never make a real station simulated, nor a simulated one look real.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hw.balance import BalanceReading


@dataclass(frozen=True, slots=True)
class Simulation:
    """What makes a service a simulated one: its runs say so, in their kind, their settings and their result.

    ``seed`` drew the rig, ``night`` is what happens to it, ``truth_pct`` what the sample truly lost. ``look`` is called
    at each look, and ``clock_set`` says whether the wall clock is set. ``takes_up``: a run that was interrupted is gone
    on with, for its rig is still there. ``read_balance`` asks a model of the laboratory's balance for a mass.
    """

    seed: int
    truth_pct: Callable[[], float | None]
    look: Callable[[], None]
    clock_set: Callable[[], bool | None]
    night: str | None = None
    takes_up: bool = True
    read_balance: Callable[[], BalanceReading] | None = None

    def settings(self) -> dict[str, Any]:
        """Get what a run's header says of it."""
        return {"simulated": True, "seed": self.seed, "night": self.night}


class PowerLost(BaseException):
    """The simulated machine has lost its power: nothing more is written, nobody says goodbye."""


def not_known() -> bool | None:
    """Get whether the supply of a simulated machine is too low: nobody knows."""
    return None
