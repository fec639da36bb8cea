"""What the fold is told, what it remembers and what it gives out: numpy records, field by field.

One place for every name that the kernel reads or writes. This module must never compute anything from a code.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

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


CVD_A, CVD_B, CVD_C = 3.9083e-3, -5.775e-7, -4.183e-12  # IEC 60751:2008, table 1 text: Callendar-Van Dusen


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
        **dict.fromkeys(("oven_a", "cell_a"), CVD_A),
        **dict.fromkeys(("oven_b", "cell_b"), CVD_B),
        "hold_band_c": np.inf,
        "pressure_limit_pa": np.inf,
        "max_gap_s": 1.5,
        "base_g": np.nan,
        "reference_g": np.nan,
    }
    return with_params(params, **(neutral | values))


def copied(state: Record) -> Record:
    """Get a copy of a state, all bytes at once: numpy's own goes field by field, and takes ten times as long."""
    return np.frombuffer(bytearray(state.tobytes()), STATE)


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
