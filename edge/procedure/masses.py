"""The indicated masses of a run, second by second, for what can only be seen in all of them.

This module must never hold a second without a good sample.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge.records.second import Second

F8 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a run: times in s since its start, masses in g, the load cell's temperatures in °C (NaN: not known)."""

    t_s: F8
    mass_g: F8
    cell_c: F8

    def between(self, from_s: float, to_s: float) -> Stretch:
        """Get the part of it from ``from_s`` to ``to_s``, both included."""
        part = slice(*np.searchsorted(self.t_s, (from_s, np.nextafter(to_s, np.inf))))
        return Stretch(self.t_s[part], self.mass_g[part], self.cell_c[part])


class MassRecord:
    """Times in s since the run's start, masses in g and the load cell's temperatures in °C, 24 bytes a second."""

    def __init__(self) -> None:
        self._t_s = array("d")
        self._mass_g = array("d")
        self._cell_c = array("d")

    def add(self, row: Second) -> None:
        """Add a second, if it has a good sample."""
        if row.n_ok > 0:
            self._t_s.append(row.t_s)
            self._mass_g.append(row.mass_g)
            self._cell_c.append(row.cell_temp_c)

    def between(self, from_s: float, to_s: float) -> tuple[F8, F8]:
        """Get the times and masses from ``from_s`` to ``to_s``, both included."""
        part = self.stretch(from_s, to_s)
        return part.t_s, part.mass_g

    def stretch(self, from_s: float, to_s: float) -> Stretch:
        """Get the part of the run from ``from_s`` to ``to_s``, both included."""
        return Stretch(np.array(self._t_s), np.array(self._mass_g), np.array(self._cell_c)).between(from_s, to_s)
