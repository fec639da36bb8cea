"""What of a run is charted: one number a quantity and run, with its unit, from what is stored of the run.

A quantity that a run does not have is left out, never taken for nothing. This module must never read a database.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from edge.database.summaries import RunSummary
from edge.records.result import Verdict, WeighingTold


@dataclass(frozen=True, slots=True)
class Quantity:
    """A quantity that is charted: its name in words, its unit, and where it is taken from.

    ``of_mount``: it belongs to certificate and mount together, and begins anew with either; else it is the converter's
    or a thermometer's, and goes on.
    """

    key: str
    name: str
    unit: str
    value_of: Callable[[RunSummary], float | None]
    of_mount: bool = True


def _weighing(run: RunSummary, which: str) -> WeighingTold | None:
    return next((w for w in run.result.weighings if w.which == which), None)


def _check_weight(run: RunSummary) -> float | None:
    check = run.result.check_weight
    return None if check is None else check.indicated_g - check.stated_g


def _second_zero(run: RunSummary) -> float | None:
    zeros = run.result.zeros
    return None if zeros is None else zeros.moved_g


def _noise(run: RunSummary) -> float | None:
    m1 = _weighing(run, "m1")
    return None if m1 is None or m1.u <= 0.0 else m1.u


def _holder(run: RunSummary) -> float | None:
    tare = _weighing(run, "tare")
    return None if tare is None else tare.value


def _blank(run: RunSummary) -> float | None:
    found = run.result.blank_found
    return getattr(found, "loss_g", None)


def _thermometers(run: RunSummary) -> float | None:
    m1 = _weighing(run, "m1")
    if m1 is None or m1.temp_c is None or m1.cell_temp_c is None:
        return None
    return m1.temp_c - m1.cell_temp_c


def _ocal(run: RunSummary) -> float | None:
    text = run.registers.get("ocal")
    if text is None:
        return None
    try:
        value = int(text, 16)
    except ValueError:
        return None
    return float(value - (1 << 24) if value & 1 << 23 else value)


def _expanded(run: RunSummary) -> float | None:
    return None if run.result.verdict is Verdict.INVALID else run.result.U_pct


QUANTITIES = (
    Quantity("check_weight_error_g", "error of the check weight", "g", _check_weight),
    Quantity("second_zero_g", "zero's movement over a test", "g", _second_zero),
    Quantity("noise_g", "standard uncertainty of M1", "g", _noise),
    Quantity("empty_holder_code", "code of the empty holder", "code", _holder),
    Quantity("blank_loss_g", "loss of the blank", "g", _blank),
    Quantity("thermometers_apart_c", "thermometers apart at rest", "K", _thermometers, of_mount=False),
    Quantity("offset_calibration_code", "converter's offset calibration (OCAL)", "code", _ocal, of_mount=False),
    Quantity("rate_sps", "converter's rate", "1/s", lambda run: run.rate_sps, of_mount=False),
    Quantity("U_pct", "expanded uncertainty of the loss", "%", _expanded),
)
"""Each has a chart of its own."""
