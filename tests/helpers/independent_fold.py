"""The fold of a run's raw codes into seconds, once more in plain Python: no numpy, no numba, nothing of edge.

Written from docs/evidence.md and the equations that it names: doubles (IEEE 754) and + − × ÷ √ give the same bits
anywhere. It knows a cold run with a load cell's certificate and no vacuum gauge, and says so where it does not.
"""

from __future__ import annotations

import json
import math

from independent_codec import frames

NAN = math.nan
STATUS = ["ok", "not_ready", "late", "desync", "saturated", "settling", "stuck", "bus_error", "fault", "stale"]


def celsius(value, p, which):
    """Callendar-Van Dusen inverted (IEC 60751)."""
    a, b, c = p[f"{which}_a"], p[f"{which}_b"], -4.183e-12
    w = (value / 32768.0 * p[f"{which}_ref_ohm"] - p[f"{which}_lead_ohm"]) / p[f"{which}_r0_ohm"]
    root = a * a - 4.0 * b * (1.0 - w)
    if not root >= 0.0:
        return NAN
    t = (-a + math.sqrt(root)) / (2.0 * b)
    for _ in range(6 if w < 1.0 else 0):
        f = 1.0 + t * (a + t * (b + c * (t - 100.0) * t)) - w
        t = t - f / (a + t * (2.0 * b + c * t * (4.0 * t - 300.0)))
    return t


def believed(work, i, gate):
    window = work[max(0, i - 2) : i + 3]
    half = (len(window) - 1) // 2
    low, high = work[i] - gate, work[i] + gate
    return gate <= 0.0 or (sum(x >= low for x in window) > half and sum(x <= high for x in window) > half)


class Second:
    """An open second: what turns its codes into grams, and its sums (Welford)."""

    def __init__(self, p, number, t_s, slow, lag):
        ok = [slow[i + 2] == 0 for i in (0, 3)]
        self.number, self.t_s, self.n, self.bad, self.spikes, self.mask = number, t_s, 0, 0, 0, 0
        self.g = self.code = NAN
        self.m2 = 0.0
        self.temp = celsius(float(slow[0]), p, "oven") if ok[0] else NAN
        if p["cell_source"] == 0 and ok[1] and (cell := celsius(float(slow[3]), p, "cell")) == cell:
            lag[:] = cell, t_s
        elif p["cell_source"] == 1 and self.temp == self.temp:
            target = p["cell_offset_c"] + p["cell_per_oven"] * self.temp
            if lag:
                dt = t_s - lag[1]
                target = lag[0] + dt / (p["cell_lag_s"] + dt) * (target - lag[0])
            lag[:] = target, t_s
        self.known = p["cell_source"] == 2 or bool(lag and t_s - lag[1] <= p["max_gap_s"])
        self.cell = lag[0] if self.known and p["cell_source"] != 2 else NAN
        dt_c = self.cell - p["t_ref_c"] if self.cell == self.cell else 0.0
        self.thermal = p["zero_code_per_k"] * dt_c
        self.zero, self.divisor = p["tare_code"] + self.thermal, p["span_code_per_g"] * (1.0 + p["span_per_k"] * dt_c)
        off, self.linearity = self.temp - p["hold_temp_c"], p["linearity_per_g"]
        self.inside = not p["temp_needed"] or (off <= p["hold_band_c"] and -off <= p["hold_band_c"])

    def add(self, work, start, stop, gate):
        for i in range(start, stop):
            if not believed(work, i, gate):
                self.spikes += 1
                continue
            load = (work[i] - self.zero) / self.divisor
            g = load + self.linearity * load * load
            self.n += 1
            d = g - self.g if self.n > 1 else 0.0
            self.g = self.g + d / self.n if self.n > 1 else g
            self.m2 += d * (g - self.g)
            self.code = self.code + (work[i] - self.code) / self.n if self.n > 1 else work[i]


NEUTRAL = {
    "tare_code": 0.0, "span_code_per_g": 1.0, "linearity_per_g": 0.0, "t_ref_c": 0.0, "zero_code_per_k": 0.0,
    "span_per_k": 0.0, "gate_code": 0.0, "cell_source": 2, "cell_lag_s": 0.0, "cell_offset_c": 0.0,
    "cell_per_oven": 1.0, "rtd_is_code": 0, "hold_temp_c": 0.0, "hold_band_c": math.inf, "temp_needed": 0,
    "pressure_needed": 0, "restart_on_excursion": 0, "max_gap_s": 1.5, "base_g": NAN,
} | {
    f"{which}_{name}": value
    for which in ("oven", "cell")
    for name, value in (("ref_ohm", 430.0), ("r0_ohm", 100.0), ("lead_ohm", 0.0), ("a", 3.9083e-3), ("b", -5.775e-7))
}  # fmt: skip


def known(value):
    return value if math.isfinite(value) else None


def seconds(db, events, most=None):
    """The rows of seconds (at most ``most``) that a run's codes make, as they are hashed."""
    text, t0_ns = db.execute("select settings_json, t0_ns from runs").fetchone()
    settings = json.loads(text)
    p, armed, phase = NEUTRAL | settings["fold"], False, settings["first_phase"]
    if settings["vacuum"] or p["pressure_needed"] or settings["plan"]["weigh"] != "cold" or p["rtd_is_code"] != 1:
        raise ValueError("a run that this fold does not know")
    told = [(e["kind"], json.loads(e["data_json"]), e["second"]) for e in events]
    zeros = {d["boot_id"]: d["t0_ns"] for kind, d, _ in told if kind == "resumed"}
    told = [e for e in told if e[0] in ("phase", "weighing")]
    all_frames = []
    for boot, raw in db.execute("select boot_id, raw from chunks join boots using (boot) order by chunk"):
        all_frames += [(n, (t - zeros.get(boot, t0_ns)) / 1e9, c, s) for n, t, c, s in frames(raw)]
        if most is not None and len(all_frames) > most:
            break
    rows, due, work, tail, lag, was, held = [], [], [], 0, [], None, [0.0, NAN, NAN, NAN]
    now = None
    for index, frame in enumerate([*all_frames, None]):
        while due and due[0][0] <= index - 2:  # what a row changes holds with the frame after the one that closed it
            _, kind, data = due.pop(0)
            if kind == "phase":
                armed = data["to"] in ("ramp", "hold")
            elif data["which"] in ("tare", "m1"):
                p["tare_code" if data["which"] == "tare" else "base_g"] = data["value"]
        kept = len(work)
        work = work + ([] if frame is None else [float(code) for code, status in frame[2] if status == 0])
        if now is not None:
            now.add(work, kept - tail, kept, p["gate_code"])
            rows.append(closed(now, p, armed, phase, was, held))
            was = (now.t_s, rows[-1][8]) if rows[-1][8] or not (armed and now.inside) else was
            while told and told[0][2] <= now.number:
                kind, data, _ = told.pop(0)
                due.append((index - 1, kind, data))
                phase = data["to"] if kind == "phase" else phase
        if frame is None:
            return rows if most is None else rows[: most - 1]
        now = Second(p, frame[0], frame[1], frame[3], lag)
        bad = [status for _, status in frame[2] if status]
        now.bad, now.mask, tail = len(bad), sum(1 << s for s in set(bad)), min(2, len(work) - kept)
        if now.known and now.divisor:
            now.add(work, kept, len(work) - tail, p["gate_code"])
        elif len(work) > kept:
            now.bad, now.mask, tail = now.bad + len(work) - kept, now.mask | 1 << 9, 0
        work = work[-4:]
    return rows


def closed(now, p, armed, phase, was, held):
    """Close a second: its clock, loss and drift. ``held``: hold_s, the last mass and its time, the drift."""
    may = armed and now.inside
    enough = now.n > 0 and now.n >= now.bad + now.spikes
    qualified = int(may and enough)
    if enough or not may:
        dt = now.t_s - was[0] if was else NAN
        seen = was is not None and dt <= p["max_gap_s"]
        if armed and p["restart_on_excursion"] and not (qualified and seen):
            held[0] = 0.0
        if qualified and seen and was[1]:
            held[0] += dt
    if now.n > 0:
        if held[1] == held[1]:
            span = now.t_s - held[2]
            slope = (now.g - held[1]) / span * 3600.0
            held[3] = held[3] + span / (600.0 + span) * (slope - held[3]) if held[3] == held[3] else 0.0
        held[1], held[2] = now.g, now.t_s
    base = p["base_g"]
    return (
        now.number, now.t_s, phase, known(now.g), known(math.sqrt(now.m2 / (now.n - 1)) if now.n > 1 else NAN),
        known(now.temp), known(now.cell), None, qualified, held[0],
        known((base - now.g) / base * 100.0 if base else NAN), known(held[3]), known(now.code - now.thermal),
        now.n, now.bad, now.spikes, ", ".join(name for i, name in enumerate(STATUS) if i and now.mask >> i & 1),
    )  # fmt: skip
