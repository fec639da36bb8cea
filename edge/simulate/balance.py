"""The laboratory's balance of a simulated world: its model at the far end of a line, the real driver at the near one.

This module must never tell what measures what is true beyond what a balance shows.
"""

from __future__ import annotations

import datetime

import numpy as np

from calibration.balance_certificate import BalanceCertificate, Eccentricity, Repeatability
from hw.balance import Balance, BalanceProtocol, BalanceReading
from hw.sim.balance import SimulatedBalance
from hw.sim.disturbances import Disturbances

DIGIT_G = 0.001
S_G = 0.001
"""What its weighings scatter by: as much as its certificate says."""


class _Line:
    """A serial line whose far end is a model: what is asked is answered at once."""

    def __init__(self, balance: SimulatedBalance) -> None:
        self._balance = balance
        self._came = b""

    def write(self, data: bytes, /) -> int:
        """Send bytes to the model."""
        self._came += self._balance.feed(data)
        return len(data)

    def read(self, size: int = 1, /) -> bytes:
        """Get what it answered."""
        out, self._came = self._came[:size], self._came[size:]
        return out

    def reset_input_buffer(self) -> None:
        """Forget what came unasked."""
        self._came = b""


class WorldBalance:
    """A balance in the room of a rig. Each time the sample is weighed its place on the pan is another one."""

    def __init__(self, disturbances: Disturbances, seed: int) -> None:
        self._disturbances = disturbances
        self._rng = np.random.default_rng((seed, 16))
        self._model = SimulatedBalance("mt-sics", decimals=3)

    def display_g(self) -> float:
        """Weigh the sample, and get what the display shows, in g."""
        return self.read().mass_g

    def read(self) -> BalanceReading:
        """Weigh the sample, and ask the balance over its line by the real driver."""
        self._model.mass_g = self._disturbances.on_pan_g + S_G * float(self._rng.standard_normal())
        return Balance(_Line(self._model), BalanceProtocol.MT_SICS).read()


def simulated_balance(seed: int) -> BalanceCertificate:
    """Get the certificate of a simulated balance of 420 g and 1 mg."""
    return BalanceCertificate(
        name=f"simulated-balance-{seed}",
        model="a model of a balance",
        serial=f"simulated {seed}",
        calibrated_by="halfpercent, simulated calibration",
        calibrated_on=datetime.date(2025, 12, 1),
        capacity_g=420.0,
        digit_g=DIGIT_G,
        nonlinearity_g=0.002,
        repeatability=Repeatability(s_g=S_G, n=10),
        eccentricity=Eccentricity(largest_g=0.002, at_g=200.0),
    )
