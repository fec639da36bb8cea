"""What a recording holds, whatever the phases made of it: masses and rates by the hour.

This module must never judge.
"""

from __future__ import annotations

import math

import numpy as np
from msgspec import UNSET

from edge.fold import layout
from edge.records.recording_told import HourTold, Observed
from edge.standards.standard import Standard

RATE_WINDOW_S = 1800.0


FRAME_S = 1.0


MOST_PCT = 1e9  # beyond it a start mass was none


def what_it_holds(rows: layout.Record, standard: Standard, *, temp_measured: bool) -> Observed:
    """Get what the recording holds, whatever the phases made of it.

    From the first second within the band to the last, both included: its length, the seconds in it that were within the
    band, the masses at both ends, and the loss in % of the record's first mass and of the mass at its start.
    """
    seen = rows[rows["n_ok"] > 0]
    temp_c, band_c = standard.temp_c.value, standard.temp_band_c.value
    inside = np.abs(seen["temp_c"] - temp_c) <= band_c if temp_measured else np.ones(len(seen), bool)
    bounds_c = (temp_c - band_c, temp_c + band_c)
    if not np.any(inside):
        return Observed(band_c=bounds_c, first_to_last_in_band_s=0.0, in_band_s=0.0)
    at = np.flatnonzero(inside)
    t_s, mass_g = seen["t_s"], seen["mass_g"]
    first, last = at[0], at[-1]
    steps = np.diff(t_s)
    both = inside[1:] & inside[:-1]
    gap_s = max(1.5, 2.5 * float(np.median(steps))) if len(steps) else 1.5
    lost_g = float(mass_g[first] - mass_g[last])
    return Observed(
        band_c=bounds_c,
        first_to_last_in_band_s=float(t_s[last] - t_s[first]) + FRAME_S,
        in_band_s=float(np.sum(steps[both & (steps <= gap_s)])),
        from_s=float(t_s[first]),
        to_s=float(t_s[last]),
        start_mass_g=float(mass_g[0]),
        mass_at_first_g=float(mass_g[first]),
        mass_at_last_g=float(mass_g[last]),
        loss_pct_of_start_mass=_pct(lost_g, float(mass_g[0])),
        loss_pct_of_mass_at_first=_pct(lost_g, float(mass_g[first])),
    )


def masses_by_hour(rows: layout.Record, held: Observed) -> tuple[HourTold, ...]:
    """Get the mass at each full hour from the band's first second on, and at its last, with the rate of loss.

    The rate is the slope of a straight line through the half hour before, in % of the start mass per hour,
    with its standard uncertainty from the scatter about that line.
    """
    good = rows[rows["n_ok"] > 0]
    from_s, to_s, start_g = held.from_s, held.to_s, held.start_mass_g
    if from_s is UNSET or to_s is UNSET or start_g is UNSET or _pct(_largest(good["mass_g"]), start_g) is None:
        return ()
    t_s, pct = good["t_s"], good["mass_g"] / start_g * 100.0
    length_s = to_s - from_s
    marks = [h * 3600.0 for h in range(int(length_s // 3600.0) + 1)]
    if length_s > marks[-1]:
        marks.append(length_s)
    out = []
    for mark in marks:
        end_s = from_s + mark
        window = (t_s >= max(from_s, end_s - RATE_WINDOW_S)) & (t_s <= end_s)
        i = min(int(np.searchsorted(t_s, end_s)), len(t_s) - 1)
        rate, u_rate = _slope(t_s[window] / 3600.0, pct[window])
        out.append(
            HourTold(
                hour=mark / 3600.0,
                elapsed_s=float(t_s[i]),
                mass_g=float(good["mass_g"][i]),
                mass_pct_of_start=float(pct[i]),
                rate_pct_per_h=rate,
                u_rate_pct_per_h=u_rate,
            )
        )
    return tuple(out)


def _pct(part: float, whole: float) -> float | None:
    """Get a part in % of a whole; None where the whole is no mass, or too small to divide by."""
    pct = part / whole * 100.0 if whole > 0.0 else math.nan
    return pct if math.isfinite(pct) and abs(pct) < MOST_PCT else None


def _largest(values: layout.F8) -> float:
    return float(np.max(np.abs(values), initial=0.0))


def _slope(x: layout.F8, y: layout.F8) -> tuple[float | None, float | None]:
    """Get minus the slope of a least-squares line and its standard uncertainty (None with fewer than 3)."""
    if len(x) < 3:
        return None, None
    dx = x - x.mean()
    sxx = float(np.sum(dx * dx))
    slope = float(np.sum(dx * (y - y.mean()))) / sxx
    rest = y - y.mean() - slope * dx
    return -slope, math.sqrt(float(np.sum(rest * rest)) / (len(x) - 2) / sxx)
