"""The fold once more, from the documentation alone: simple and slow, whole lists, nothing updated."""

from __future__ import annotations

import math

import numpy as np

from calibration import iec60751
from edge.fold import layout


def plain_temp_c(value, params, where):
    p = params[0]
    if p["rtd_is_code"] == 0:
        return float(value)
    ohm = float(value / 32768 * p[f"{where}_ref_ohm"] - p[f"{where}_lead_ohm"])
    r0_ohm, a, b = (float(p[f"{where}_{name}"]) for name in ("r0_ohm", "a", "b"))
    if (a, b) == (iec60751.A, iec60751.B):
        return iec60751.temperature_c(ohm, r0_ohm)
    low_c, high_c = -200.0, 850.0
    for _ in range(60):  # a sensor's own curve, by halving
        t = (low_c + high_c) / 2.0
        curve = 1.0 + a * t + b * t * t + (iec60751.C * (t - 100.0) * t**3 if t < 0.0 else 0.0)
        low_c, high_c = (t, high_c) if curve * r0_ohm < ohm else (low_c, t)
    return t


def plain_believed(window, x, gate):
    """Within the gate of the median; of an even number, of the nearer of the two middle ones."""
    ordered = sorted(window)
    return gate <= 0 or ordered[(len(window) - 1) // 2] - gate <= x <= ordered[len(window) // 2] + gate


def plain_fold(params, block):
    """Get one dict a second, from the documentation, simple and slow: the lists are whole, nothing is updated."""
    p = {name: params[name][0].item() for name in layout.PARAMS.names}
    n_frames = len(block.seq)
    frames = [slice(block.first[f], block.first[f + 1]) for f in range(n_frames)]
    good = [[c for c, s in zip(block.code[at], block.status[at], strict=True) if s == 0] for at in frames]
    ends = np.cumsum([len(g) for g in good])
    every = [c for g in good for c in g]
    cell = None  # its last known temperature, and when
    evidence = []  # of each second that speaks for or against: when, whether it qualifies, its mass
    hold_s, out = 0.0, []
    for f in range(n_frames):
        t_s = block.t_s[f]
        oven_c = plain_temp_c(block.oven[f], params, "oven") if block.oven_status[f] == 0 else math.nan
        pressure_pa = block.pressure[f] if block.pressure_status[f] == 0 else math.nan
        if p["cell_source"] == 0 and block.cell_status[f] == 0:
            cell = (plain_temp_c(block.cell[f], params, "cell"), t_s)
        if p["cell_source"] == 1 and not math.isnan(oven_c):
            target_c = p["cell_offset_c"] + p["cell_per_oven"] * oven_c
            if cell is not None:
                weight = (t_s - cell[1]) / (p["cell_lag_s"] + t_s - cell[1])
                target_c = (1 - weight) * cell[0] + weight * target_c
            cell = (target_c, t_s)
        known = p["cell_source"] == 2 or (cell is not None and t_s - cell[1] <= p["max_gap_s"])
        cell_c = cell[0] if known and p["cell_source"] != 2 else math.nan
        off_k = 0.0 if math.isnan(cell_c) else cell_c - p["t_ref_c"]

        statuses = [int(s) for s in block.status[frames[f]] if s != 0]
        if not known:
            statuses += [9] * len(good[f])  # the cell's temperature is stale: these are no masses
        kept, n_spike = [], 0
        seen_to = ends[min(f + 1, n_frames - 1)]
        for i in range(ends[f] - len(good[f]), ends[f]) if known else ():
            if plain_believed(every[max(0, i - 2) : min(seen_to, i + 3)], every[i], p["gate_code"]):
                kept.append(every[i])
            else:
                n_spike += 1
        load = [
            (c - p["tare_code"] - p["zero_code_per_k"] * off_k) / (p["span_code_per_g"] * (1 + p["span_per_k"] * off_k))
            for c in kept
        ]
        mass = [x + p["linearity_per_g"] * x**2 for x in load]
        n = len(mass)
        mean = math.fsum(mass) / n if n else math.nan
        sd = math.sqrt(math.fsum((g - mean) ** 2 for g in mass) / (n - 1)) if n > 1 else math.nan

        ok_temp = not p["temp_needed"] or abs(oven_c - p["hold_temp_c"]) <= p["hold_band_c"]
        ok_pressure = not p["pressure_needed"] or pressure_pa <= p["pressure_limit_pa"]
        may_count = p["armed"] and ok_temp and ok_pressure
        enough = n > 0 and n >= len(statuses) + n_spike
        qualified = bool(may_count and enough)
        if enough or not may_count:
            evidence.append((t_s, qualified, mean))
            seen = len(evidence) > 1 and t_s - evidence[-2][0] <= p["max_gap_s"]
            if p["armed"] and p["restart_on_excursion"] and not (qualified and seen):
                hold_s = 0.0
                evidence = evidence[-1:]
            elif seen and qualified and evidence[-2][1]:
                hold_s += t_s - evidence[-2][0]
        base_g = next((g for _, q, g in evidence if q), math.nan) if p["base_is_hold_start"] else p["base_g"]
        reference_g = base_g if math.isnan(p["reference_g"]) else p["reference_g"]
        out.append(
            {
                "seq": int(block.seq[f]),
                "t_s": t_s,
                "n_ok": n,
                "n_bad": len(statuses),
                "n_spike": n_spike,
                "bad_mask": sum(1 << s for s in set(statuses)),
                "mass_g": mean,
                "sd_g": sd,
                "zero_code": math.fsum(kept) / n - p["zero_code_per_k"] * off_k if n else math.nan,
                "temp_c": oven_c,
                "cell_temp_c": cell_c,
                "pressure_pa": pressure_pa,
                "qualified": int(qualified),
                "hold_s": hold_s,
                "loss_pct": (base_g - mean) / reference_g * 100 if reference_g else math.nan,
            }
        )
    return out
