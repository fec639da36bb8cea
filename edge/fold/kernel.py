"""The fold: the only place where codes become grams, degrees and qualified seconds.

Live measurement, resume, replay and verification all call :func:`advance`, and the same frames give the same
bits however they are grouped, with or without the JIT, on x86-64 and on aarch64. So the kernel uses
``+ − × ÷ √`` and comparisons only: no fastmath, no libm, no objects, no I/O. This module must never learn what a phase
or a verdict is.

A frame's last two samples can only be gated once their right-hand neighbours are known; therefore a second's
row is given out when the next frame comes (or by :func:`flush`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from hw.compiled import call, compiled, compiled_inline

from .layout import CVD_C, PARAMS, ROW, STATE, Block, Record, copied

_DRIFT_TAU_S = 600.0


_OK, _STALE = 0, 9


_RTD_FULL = 32768.0


def advance(state: Record, params: Record, block: Block) -> tuple[Record, Record]:
    """Fold the frames of ``block`` in and give out the rows of the seconds that are now closed.

    ``state`` and ``params`` have shape (1,) and dtypes ``STATE`` and ``PARAMS``. Returns the new state (the
    given one is left as it was) and the rows, dtype ``ROW``: one a frame, one frame late. Raises
    ``ValueError`` where shapes, order or dtypes are wrong.
    """
    _check_shapes(state, params, block)
    new = copied(state)
    rows = np.empty(len(block.seq), ROW)
    scratch = np.empty(len(block.code) + 4, np.float64)
    n_rows = call(_advance, params, new, *block, rows, scratch)
    if n_rows < 0:
        raise ValueError(f"fold: {_WRONG[n_rows]}")
    return new, rows[:n_rows]


def flush(state: Record, params: Record) -> tuple[Record, Record]:
    """Give out the row of the last second, which no frame follows. Returns the state and 0 or 1 rows."""
    new = copied(state)
    rows = np.empty(1, ROW)
    return new, rows[: call(_flush, params, new, rows)]


def _check_shapes(state: Record, params: Record, block: Block) -> None:
    if state.dtype != STATE or state.shape != (1,) or params.dtype != PARAMS or params.shape != (1,):
        raise ValueError("fold: state and params must be one record each, of dtypes STATE and PARAMS")
    columns: tuple[npt.NDArray[Any], ...] = block
    frame, sample = (len(block.seq),), (len(block.code),)
    shapes = (frame, frame, (frame[0] + 1,), sample, sample, *[frame] * 6)
    for name, column, dtype, shape in zip(Block._fields, columns, _DTYPES, shapes, strict=True):
        if column.dtype != dtype or column.shape != shape:
            raise ValueError(f"fold: {name} is {column.dtype} {column.shape}, it must be {dtype} {shape}")


_I8, _F8, _U1 = map(np.dtype, (np.int64, np.float64, np.uint8))
_DTYPES = (_I8, _F8, _I8, _F8, _U1, _F8, _U1, _F8, _U1, _F8, _U1)
"""Of the columns of a block."""

_NO_FIRST, _NO_ORDER, _NO_STATUS, _BEFORE = -1, -2, -3, -4
_WRONG = {
    _NO_FIRST: "first must rise from 0 to the number of samples",
    _NO_ORDER: "frames must follow each other in seq and in time",
    _NO_STATUS: f"a status is above {_STALE}: there is none",
    _BEFORE: "a frame lies before the one that was folded last",
}


# The kernel. Below this line: + − × ÷ √ and comparisons, nothing else. Where a division by 0 could occur it is asked
# for, so that it does not warn where the kernel is not compiled.


@compiled_inline
def _rtd_c(value: Any, is_code: Any, ref_ohm: Any, r0_ohm: Any, lead_ohm: Any, a: Any, b: Any) -> Any:
    """Turn a ratio code into °C: Callendar-Van Dusen inverted, a quadratic above 0 °C, Newton's steps below."""
    if is_code == 0:
        return value
    w = (value / _RTD_FULL * ref_ohm - lead_ohm) / r0_ohm
    under_root = a * a - 4.0 * b * (1.0 - w)
    if not under_root >= 0.0:
        return np.nan
    t = (-a + np.sqrt(under_root)) / (2.0 * b)
    if w < 1.0:
        for _ in range(6):
            f = 1.0 + t * (a + t * (b + CVD_C * (t - 100.0) * t)) - w
            slope = a + t * (2.0 * b + CVD_C * t * (4.0 * t - 300.0))
            t = t - f / slope
    return t


@compiled_inline
def _believed(work: Any, i: Any, hi: Any, gate: Any) -> Any:
    """Say whether ``work[i]`` lies within the gate of the median of itself and two neighbours on each side.

    So a lone glitch or a pair is refused, while a step and a steep slope pass whole. Without sorting: the
    value is beyond the median if too few of the window are as high, or as low, as it is.
    """
    if gate <= 0.0:
        return True
    x = work[i]
    low, high = x - gate, x + gate
    start, stop = max(0, i - 2), min(hi, i + 3)
    as_high = as_low = 0
    if stop - start == 5:  # nearly always: the compiler unrolls a loop whose length it knows
        for j in range(5):
            as_high += work[start + j] >= low
            as_low += work[start + j] <= high
        return as_high > 2 and as_low > 2
    for j in range(start, stop):
        as_high += work[j] >= low
        as_low += work[j] <= high
    half = (stop - start - 1) // 2
    return as_high > half and as_low > half


@compiled
def _gate_and_sum(s: Any, work: Any, start: Any, stop: Any, hi: Any, gate: Any) -> None:
    """Gate ``work[start:stop]`` among ``work[:hi]`` and add the believed ones to the open second's sums."""
    n, n_spike = s["n"], s["n_spike"]
    mean_g, m2, mean_code = s["mean_g"], s["m2_g2"], s["mean_code"]
    zero, divisor, linearity = s["zero"], s["divisor"], s["linearity"]
    for i in range(start, stop):
        if not _believed(work, i, hi, gate):
            n_spike += 1
            continue
        load = (work[i] - zero) / divisor
        g = load + linearity * load * load
        n += 1
        if n == 1:
            mean_g = g
            mean_code = work[i]
        else:  # Welford, Technometrics 4 (1962) 419
            d = g - mean_g
            mean_g += d / n
            m2 += d * (g - mean_g)
            mean_code += (work[i] - mean_code) / n
    s["n"], s["n_spike"] = n, n_spike
    s["mean_g"], s["m2_g2"], s["mean_code"] = mean_g, m2, mean_code


@compiled
def _begin(p: Any, s: Any, seq: Any, t_s: Any, oven: Any, oven_ok: Any, cell: Any, cell_ok: Any, pressure: Any,
           pressure_ok: Any) -> Any:  # fmt: skip
    """Open a second: its temperatures, its limits, what turns its codes into grams. False: nothing known does."""
    s["open"] = 1
    s["seq"] = seq
    s["t_s"] = t_s
    s["n"] = s["n_bad"] = s["n_spike"] = s["bad_mask"] = 0
    s["mean_g"] = np.nan
    s["m2_g2"] = 0.0
    s["mean_code"] = np.nan
    temp_c = np.nan
    if oven_ok:
        temp_c = _rtd_c(oven, p["rtd_is_code"], p["oven_ref_ohm"], p["oven_r0_ohm"], p["oven_lead_ohm"],
                        p["oven_a"], p["oven_b"])  # fmt: skip
    s["temp_c"] = temp_c
    s["pressure_pa"] = pressure if pressure_ok else np.nan

    # the load cell's own temperature
    known = True
    if p["cell_source"] == 0:
        cell_c = np.nan
        if cell_ok:
            cell_c = _rtd_c(cell, p["rtd_is_code"], p["cell_ref_ohm"], p["cell_r0_ohm"], p["cell_lead_ohm"],
                            p["cell_a"], p["cell_b"])  # fmt: skip
        if cell_c == cell_c:
            s["lag_c"] = cell_c
            s["lag_known"] = 1
            s["lag_t_s"] = t_s
    elif p["cell_source"] == 1 and temp_c == temp_c:
        target_c = p["cell_offset_c"] + p["cell_per_oven"] * temp_c
        if s["lag_known"] == 0:
            s["lag_c"] = target_c
            s["lag_known"] = 1
        else:  # backward Euler of lag·dT/dt = target − T: stable for any gap, and no exp
            dt = t_s - s["lag_t_s"]
            s["lag_c"] += dt / (p["cell_lag_s"] + dt) * (target_c - s["lag_c"])
        s["lag_t_s"] = t_s
    s["cell_temp_c"] = np.nan
    dt_c = 0.0
    if p["cell_source"] != 2:
        known = s["lag_known"] == 1 and t_s - s["lag_t_s"] <= p["max_gap_s"]
        if known:
            s["cell_temp_c"] = s["lag_c"]
            dt_c = s["lag_c"] - p["t_ref_c"]
    s["thermal_code"] = p["zero_code_per_k"] * dt_c
    s["zero"] = p["tare_code"] + s["thermal_code"]
    s["divisor"] = p["span_code_per_g"] * (1.0 + p["span_per_k"] * dt_c)
    s["linearity"] = p["linearity_per_g"]

    if s["divisor"] == 0.0:
        known = False

    inside = True
    if p["temp_needed"] == 1:
        off_c = temp_c - p["hold_temp_c"]
        inside = off_c <= p["hold_band_c"] and -off_c <= p["hold_band_c"]  # false for NaN
    if p["pressure_needed"] == 1:
        inside = inside and s["pressure_pa"] <= p["pressure_limit_pa"]
    s["in_limits"] = 1 if inside else 0
    return known


@compiled
def _close(p: Any, s: Any, row: Any) -> None:
    """Close the open second: clock, loss and drift, and its row."""
    n = s["n"]
    t_s = s["t_s"]
    mass_g = s["mean_g"]
    may_count = p["armed"] == 1 and s["in_limits"] == 1
    enough = n > 0 and n >= s["n_bad"] + s["n_spike"]
    qualified = 1 if may_count and enough else 0
    if enough or not may_count:  # else nothing was seen for or against: as if it were not there
        dt = t_s - s["closed_t_s"]
        seen = s["closed"] == 1 and dt <= p["max_gap_s"]
        if p["armed"] == 1 and p["restart_on_excursion"] == 1 and (qualified == 0 or not seen):
            s["hold_s"] = 0.0
            s["hold_start_g"] = np.nan
        if qualified == 1:
            if seen and s["closed_qualified"] == 1:
                s["hold_s"] += dt
            if s["hold_start_g"] != s["hold_start_g"]:
                s["hold_start_g"] = mass_g
        s["closed"], s["closed_t_s"], s["closed_qualified"] = 1, t_s, qualified

    if n > 0:
        if s["last_g"] == s["last_g"]:
            span_s = t_s - s["last_g_t_s"]
            slope = (mass_g - s["last_g"]) / span_s * 3600.0
            if s["drift_g_per_h"] == s["drift_g_per_h"]:
                s["drift_g_per_h"] += span_s / (_DRIFT_TAU_S + span_s) * (slope - s["drift_g_per_h"])
            else:
                s["drift_g_per_h"] = 0.0
        s["last_g"] = mass_g
        s["last_g_t_s"] = t_s

    base_g = s["hold_start_g"] if p["base_is_hold_start"] == 1 else p["base_g"]
    reference_g = p["reference_g"] if p["reference_g"] == p["reference_g"] else base_g
    row["seq"] = s["seq"]
    row["t_s"] = t_s
    row["n_ok"] = n
    row["n_bad"] = s["n_bad"]
    row["n_spike"] = s["n_spike"]
    row["bad_mask"] = s["bad_mask"]
    row["mass_g"] = mass_g
    row["sd_g"] = np.sqrt(s["m2_g2"] / (n - 1)) if n > 1 else np.nan
    row["zero_code"] = s["mean_code"] - s["thermal_code"]
    row["temp_c"] = s["temp_c"]
    row["cell_temp_c"] = s["cell_temp_c"]
    row["pressure_pa"] = s["pressure_pa"]
    row["qualified"] = qualified
    row["hold_s"] = s["hold_s"]
    row["loss_pct"] = (base_g - mass_g) / reference_g * 100.0 if reference_g != 0.0 else np.nan
    row["drift_g_per_h"] = s["drift_g_per_h"]
    s["open"] = 0


@compiled
def _wrong(s: Any, seq: Any, t_s: Any, first: Any, status: Any) -> Any:
    """Say what is wrong with a block's values: a key of ``_WRONG``, or 0."""
    n_frames = len(seq)
    if first[0] != 0 or first[n_frames] != len(status):
        return _NO_FIRST
    for i in range(n_frames):
        if first[i] > first[i + 1]:
            return _NO_FIRST
        if i > 0 and not (seq[i] > seq[i - 1] and t_s[i] > t_s[i - 1]):
            return _NO_ORDER
    unknown = False
    for i in range(len(status)):  # to its end, for then many are compared at once
        unknown |= status[i] > _STALE
    if unknown:
        return _NO_STATUS
    begun = s["open"] == 1 or s["closed"] == 1
    if n_frames > 0 and begun and not (seq[0] > s["seq"] and t_s[0] > s["t_s"]):
        return _BEFORE
    return 0


@compiled
def _advance(params: Any, state: Any, seq: Any, t_s: Any, first: Any, code: Any, status: Any, oven: Any,
             oven_status: Any, cell: Any, cell_status: Any, pressure: Any, pressure_status: Any, rows: Any,
             work: Any) -> Any:  # fmt: skip
    p, s = params[0], state[0]
    wrong = _wrong(s, seq, t_s, first, status)
    if wrong != 0:
        return wrong
    gate = p["gate_code"]
    n_rows, n_work, n_tail = 0, s["n_work"], s["n_tail"]
    for i in range(n_work):
        work[i] = s["work"][i]
    for f in range(seq.shape[0]):
        # this frame's good codes behind what is kept of the last ones
        m = n_work
        n_bad = bad_mask = 0
        for i in range(first[f], first[f + 1]):
            if status[i] == _OK:
                work[m] = code[i]
                m += 1
            else:
                n_bad += 1
                bad_mask |= 1 << int(status[i])
        if s["open"] == 1:
            _gate_and_sum(s, work, n_work - n_tail, n_work, m, gate)
            _close(p, s, rows[n_rows])
            n_rows += 1
        known = _begin(p, s, seq[f], t_s[f], oven[f], oven_status[f] == _OK, cell[f], cell_status[f] == _OK,
                       pressure[f], pressure_status[f] == _OK)  # fmt: skip
        s["n_bad"] = n_bad
        s["bad_mask"] = bad_mask
        n_tail = min(2, m - n_work)
        if known:
            _gate_and_sum(s, work, n_work, m - n_tail, m, gate)
        elif m > n_work:  # without the cell's temperature these codes are no masses
            s["n_bad"] += m - n_work
            s["bad_mask"] |= 1 << _STALE
            n_tail = 0
        keep = min(m, 4)
        for i in range(keep):
            work[i] = work[m - keep + i]
        n_work = keep
    for i in range(n_work):
        s["work"][i] = work[i]
    s["n_work"], s["n_tail"] = n_work, n_tail
    return n_rows


@compiled
def _flush(params: Any, state: Any, rows: Any) -> Any:
    p, s = params[0], state[0]
    if s["open"] == 0:
        return 0
    n_work = s["n_work"]
    _gate_and_sum(s, s["work"], n_work - s["n_tail"], n_work, n_work, p["gate_code"])
    s["n_tail"] = 0
    _close(p, s, rows[0])
    return 1
