"""The fold: the only place where codes become grams, degrees and qualified seconds.

Live measurement, resume, replay and verification all call :func:`advance`, and the same frames give the same
bits however they are grouped, with or without the JIT, on x86-64 and on aarch64. So the kernel uses
``+ − × ÷ √`` and comparisons only: no fastmath, no libm, no objects, no I/O. This module imports numpy and
numba and nothing else, and must never learn what a phase or a verdict is.

A frame's last two samples can only be gated once their right-hand neighbours are known; therefore a second's
row is given out when the next frame comes (or by :func:`flush`).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

F8 = npt.NDArray[np.float64]
Record = npt.NDArray[np.void]

PARAMS = np.dtype(
    [
        # codes to grams: certificate and tare
        ("tare_code", "f8"),  # zero of the empty holder at t_ref_c
        ("span_code_per_g", "f8"),  # S at t_ref_c, not 0
        ("linearity_per_g", "f8"),  # mass = load + linearity·load²
        ("t_ref_c", "f8"),
        ("zero_code_per_k", "f8"),  # positive: the zero rises with the cell's temperature
        ("span_per_k", "f8"),  # relative
        ("gate_code", "f8"),  # further than this from its neighbours is a glitch; 0: no gate
        # the load cell's temperature: 0 own probe, 1 lag of the oven's, 2 not known (not compensated)
        ("cell_source", "i8"),
        ("cell_lag_s", "f8"),
        ("cell_offset_c", "f8"),
        ("cell_per_oven", "f8"),
        # probe codes to degrees: IEC 60751 as a ratio of Rref; rtd_is_code 0: the value is in °C already
        ("rtd_is_code", "i8"),
        ("oven_ref_ohm", "f8"),
        ("oven_r0_ohm", "f8"),
        ("oven_lead_ohm", "f8"),
        ("cell_ref_ohm", "f8"),
        ("cell_r0_ohm", "f8"),
        ("cell_lead_ohm", "f8"),
        *((f"{where}_{name}", "f8") for where in ("oven", "cell") for name in "ab"),  # IEC 60751's, or a sensor's own
        # what qualifies a second
        ("armed", "i8"),  # 1 while the hold clock may run
        ("hold_temp_c", "f8"),
        ("hold_band_c", "f8"),
        ("temp_needed", "i8"),  # 0: the temperature is declared
        ("pressure_limit_pa", "f8"),
        ("pressure_needed", "i8"),  # 0: the pressure is declared
        ("restart_on_excursion", "i8"),  # 0: an excursion pauses the hold clock
        ("max_gap_s", "f8"),  # a longer time between frames was not seen and does not count
        # apparent loss: (base − mass) / reference
        ("base_g", "f8"),  # NaN: not known yet; in a hot run the mass at the hold's start
        ("reference_g", "f8"),  # NaN: the base itself
        ("base_is_hold_start", "i8"),
    ]
)
"""What the fold is told. One record; every change takes effect at a frame and is an event of the run."""

STATE = np.dtype(
    [
        ("work", "f8", (4,)),  # the newest good codes, oldest first: up to two of context, then the tail
        ("n_work", "i8"),
        ("n_tail", "i8"),  # how many of them are not gated yet
        ("open", "i8"),
        ("seq", "i8"),
        ("t_s", "f8"),
        # how the open second's codes become grams
        ("zero", "f8"),
        ("divisor", "f8"),
        ("linearity", "f8"),
        ("thermal_code", "f8"),
        # the open second's sums
        ("n", "i8"),
        ("n_bad", "i8"),
        ("n_spike", "i8"),
        ("bad_mask", "i8"),
        ("mean_g", "f8"),
        ("m2_g2", "f8"),
        ("mean_code", "f8"),
        ("temp_c", "f8"),
        ("cell_temp_c", "f8"),
        ("pressure_pa", "f8"),
        ("in_limits", "i8"),
        # the slow memory
        ("lag_c", "f8"),
        ("lag_known", "i8"),
        ("lag_t_s", "f8"),
        ("closed", "i8"),
        ("closed_t_s", "f8"),
        ("closed_qualified", "i8"),
        ("hold_s", "f8"),
        ("hold_start_g", "f8"),
        ("last_g", "f8"),
        ("last_g_t_s", "f8"),
        ("drift_g_per_h", "f8"),
    ]
)
"""What the fold remembers. Plain numbers: it can be stored, compared bit by bit and restored."""

ROW = np.dtype(
    [
        ("seq", "i8"),
        ("t_s", "f8"),
        ("n_ok", "i8"),
        ("n_bad", "i8"),  # not ok, as the driver says
        ("n_spike", "i8"),  # ok, but refused by the gate
        ("bad_mask", "i8"),  # bit s set: status s was seen
        ("mass_g", "f8"),
        ("sd_g", "f8"),
        ("zero_code", "f8"),  # mean code at t_ref_c before the tare is subtracted
        ("temp_c", "f8"),
        ("cell_temp_c", "f8"),
        ("pressure_pa", "f8"),
        ("qualified", "i8"),
        ("hold_s", "f8"),
        ("loss_pct", "f8"),
        ("drift_g_per_h", "f8"),
    ]
)
"""What the fold says of a second. What is not known is NaN."""

_NOT_ZERO = ("span_code_per_g", "oven_ref_ohm", "oven_r0_ohm", "cell_ref_ohm", "cell_r0_ohm", "oven_b", "cell_b")
_FINITE = (*_NOT_ZERO, "oven_a", "cell_a", "tare_code", "linearity_per_g", "t_ref_c", "zero_code_per_k", "span_per_k",
           "cell_offset_c", "cell_per_oven", "oven_lead_ohm", "cell_lead_ohm")  # fmt: skip
_NOT_NEGATIVE = ("gate_code", "cell_lag_s", "hold_band_c", "max_gap_s")

_DRIFT_TAU_S = 600.0
_OK, _STALE = 0, 9
_RTD_FULL = 32768.0
_A, _B, _C = 3.9083e-3, -5.775e-7, -4.183e-12  # IEC 60751:2008, table 1 text: Callendar-Van Dusen


class Block(NamedTuple):
    """The columns of F frames with N samples that the kernel sees.

    ``seq`` (F,) int64 rising; ``t_s`` (F,) float64, s since the run's start, rising; ``first`` (F+1,) int64
    offsets from 0 to N; ``code`` (N,) float64; ``status`` (N,) uint8, 0 is good; ``oven``, ``cell``: (F,)
    float64 codes or °C, ``pressure`` Pa, each with its status.
    """

    seq: npt.NDArray[np.int64]
    t_s: F8
    first: npt.NDArray[np.int64]
    code: F8
    status: npt.NDArray[np.uint8]
    oven: F8
    oven_status: npt.NDArray[np.uint8]
    cell: F8
    cell_status: npt.NDArray[np.uint8]
    pressure: F8
    pressure_status: npt.NDArray[np.uint8]


def new_state() -> Record:
    """Get the state before the first frame, shape (1,)."""
    state = np.zeros(1, STATE)
    for name in ("mean_g", "temp_c", "cell_temp_c", "pressure_pa", "lag_c", "hold_start_g", "last_g", "drift_g_per_h"):
        state[name] = np.nan
    return state


def new_params(**values: float) -> Record:
    """Get parameters, shape (1,): neutral ones (grams in, grams out, nothing compensated), changed by name.

    Raise ``ValueError`` for an unknown name or a value the kernel cannot work with.
    """
    params = np.zeros(1, PARAMS)
    neutral: dict[str, float] = {
        "span_code_per_g": 1.0,
        "cell_source": 2,
        "cell_per_oven": 1.0,
        **dict.fromkeys(("oven_ref_ohm", "cell_ref_ohm"), 430.0),
        **dict.fromkeys(("oven_r0_ohm", "cell_r0_ohm"), 100.0),
        **dict.fromkeys(("oven_a", "cell_a"), _A),
        **dict.fromkeys(("oven_b", "cell_b"), _B),
        "hold_band_c": np.inf,
        "pressure_limit_pa": np.inf,
        "max_gap_s": 1.5,
        "base_g": np.nan,
        "reference_g": np.nan,
    }
    return with_params(params, **(neutral | values))


def with_params(params: Record, **values: float) -> Record:
    """Get a copy of ``params`` with some values changed. Raise ``ValueError`` as :func:`new_params` does."""
    out = params.copy()
    for name, value in values.items():
        if name not in PARAMS.names:  # type: ignore[operator]  # numpy types names as optional
            raise ValueError(f"fold parameter {name}: there is none; they are {', '.join(PARAMS.names or ())}")
        if PARAMS[name].kind == "i" and value not in ((0, 1, 2) if name == "cell_source" else (0, 1)):
            raise ValueError(f"fold parameter {name} is {value}: 0 or 1; for cell_source 0 probe, 1 lag, 2 none")
        out[name] = value
    one = out[0]
    for name in _FINITE:
        if not np.isfinite(one[name]) or (name in _NOT_ZERO and one[name] == 0.0):
            raise ValueError(f"fold parameter {name} is {one[name]}: it must be finite, and a span or an Ω not 0")
    for name in _NOT_NEGATIVE:
        if not one[name] >= 0.0:
            raise ValueError(f"fold parameter {name} is {one[name]}: it must not be negative")
    return out


def advance(state: Record, params: Record, block: Block) -> tuple[Record, Record]:
    """Fold the frames of ``block`` in and give out the rows of the seconds that are now closed.

    ``state`` and ``params`` have shape (1,) and dtypes ``STATE`` and ``PARAMS``. Returns the new state (the
    given one is left as it was) and the rows, dtype ``ROW``: one a frame, one frame late. Raises
    ``ValueError`` where shapes, order or dtypes are wrong.
    """
    _check(state, params, block)
    new = state.copy()
    rows = np.empty(len(block.seq), ROW)
    longest = int(np.max(np.diff(block.first), initial=0))
    scratch = np.empty(longest + 4, np.float64)
    n_rows = _advance(params, new, *block, rows, scratch)
    return new, rows[:n_rows]


def flush(state: Record, params: Record) -> tuple[Record, Record]:
    """Give out the row of the last second, which no frame follows. Returns the state and 0 or 1 rows."""
    new = state.copy()
    rows = np.empty(1, ROW)
    return new, rows[: _flush(params, new, rows)]


def _check(state: Record, params: Record, block: Block) -> None:
    if state.dtype != STATE or state.shape != (1,) or params.dtype != PARAMS or params.shape != (1,):
        raise ValueError("fold: state and params must be one record each, of dtypes STATE and PARAMS")
    n_frames, n = len(block.seq), len(block.code)
    columns: dict[str, npt.NDArray[Any]] = block._asdict()
    for name, array in columns.items():
        wanted = {"seq": np.int64, "first": np.int64}.get(name, np.uint8 if name.endswith("status") else np.float64)
        length = n_frames + 1 if name == "first" else n if name in ("code", "status") else n_frames
        if array.dtype != wanted or array.shape != (length,):
            raise ValueError(f"fold: {name} is {array.dtype} {array.shape}, it must be {wanted.__name__} ({length},)")
    first, previous = block.first, state[0]
    if first[0] != 0 or first[-1] != n or np.any(np.diff(first) < 0):
        raise ValueError("fold: first must rise from 0 to the number of samples")
    if n_frames and (np.any(np.diff(block.seq) <= 0) or not np.all(np.diff(block.t_s) > 0.0)):
        raise ValueError("fold: frames must follow each other in seq and in time")
    if n and block.status.max() > _STALE:
        raise ValueError(f"fold: status {block.status.max()}: there is none above {_STALE}")
    begun = previous["open"] or previous["closed"]
    if n_frames and begun and not (block.seq[0] > previous["seq"] and block.t_s[0] > previous["t_s"]):
        raise ValueError("fold: a frame lies before the one that was folded last")


# The kernel. Below this line: + − × ÷ √ and comparisons, nothing else. "numpy": a division by 0 is IEEE 754's,
# as in C, and not an exception; where one could occur it is asked for, so that it does not warn without the JIT.
_jit = njit(cache=True, nogil=True, error_model="numpy")
_jit_inline = njit(cache=True, nogil=True, error_model="numpy", inline="always")


@_jit_inline
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
            f = 1.0 + t * (a + t * (b + _C * (t - 100.0) * t)) - w
            slope = a + t * (2.0 * b + _C * t * (4.0 * t - 300.0))
            t = t - f / slope
    return t


@_jit_inline
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


@_jit
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


@_jit
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


@_jit
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


@_jit
def _advance(params: Any, state: Any, seq: Any, t_s: Any, first: Any, code: Any, status: Any, oven: Any,
             oven_status: Any, cell: Any, cell_status: Any, pressure: Any, pressure_status: Any, rows: Any,
             work: Any) -> Any:  # fmt: skip
    p, s = params[0], state[0]
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


@_jit
def _flush(params: Any, state: Any, rows: Any) -> Any:
    p, s = params[0], state[0]
    if s["open"] == 0:
        return 0
    n_work = s["n_work"]
    _gate_and_sum(s, s["work"], n_work - s["n_tail"], n_work, n_work, p["gate_code"])
    s["n_tail"] = 0
    _close(p, s, rows[0])
    return 1
