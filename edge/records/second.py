"""A second of a run, as the fold gives it out.

Plain numbers without behaviour. This module must never compute.
"""

from __future__ import annotations

from typing import NamedTuple


class Second(NamedTuple):
    """A second as the fold gives it out: the fields of ``fold.ROW``, as plain numbers."""

    seq: int
    t_s: float
    n_ok: int
    n_bad: int
    n_spike: int
    bad_mask: int
    mass_g: float
    sd_g: float
    zero_code: float
    temp_c: float
    cell_temp_c: float
    pressure_pa: float
    qualified: int
    hold_s: float
    loss_pct: float
    drift_g_per_h: float
