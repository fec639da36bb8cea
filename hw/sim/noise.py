"""White noise, drawn in blocks because a draw at a time is slow."""

from __future__ import annotations

import numpy as np

_BLOCK = 4096


class Noise:
    """A stream of normal deviates with mean 0 and standard deviation 1, the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._block: list[float] = []

    def next(self) -> float:
        """Get the next deviate."""
        if not self._block:
            self._block = self._rng.standard_normal(_BLOCK).tolist()
        return self._block.pop()
