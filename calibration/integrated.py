"""A mean that was taken over a window, with what is known of it.

Apart from what takes it: whoever stores, sends or shows one needs no arrays. This module must never compute.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Integrated:
    """A mean over a window, with what is known of it.

    ``mean`` and its standard uncertainty ``u`` are in the unit of the values; the window holds ``n`` values
    from index ``start``; ``dof`` are the degrees of freedom of ``u``; ``n_seen`` values were looked at to
    choose it.
    """

    mean: float
    u: float
    dof: float
    n: int
    start: int
    n_seen: int
