"""The indicated masses of a run, second by second, for what can only be seen in all of them.

This module must never hold a second without a good sample.
"""

from __future__ import annotations

from array import array

import numpy as np
import numpy.typing as npt

from edge.records.second import Second

F8 = npt.NDArray[np.float64]


class MassRecord:
    """Times in s since the run's start and masses in g, 16 bytes a second."""

    def __init__(self) -> None:
        self._t_s = array("d")
        self._mass_g = array("d")

    def add(self, row: Second) -> None:
        """Add a second, if it has a good sample."""
        if row.n_ok > 0:
            self._t_s.append(row.t_s)
            self._mass_g.append(row.mass_g)

    def between(self, from_s: float, to_s: float) -> tuple[F8, F8]:
        """Get the times and masses from ``from_s`` to ``to_s``, both included."""
        t_s = np.array(self._t_s)
        low, high = np.searchsorted(t_s, from_s, "left"), np.searchsorted(t_s, to_s, "right")
        return t_s[low:high], np.array(self._mass_g)[low:high]
