"""Recordings of tests whose truth is known, written to a file and judged: what the tests of kinds begin with.

Where a balance's drift is not what is asked about it is declared to be small (``STEADY``), since ±1 % of the load is
assumed of one that nobody knows.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from calibration.certificate import load_certificate
from edge.records.result import Result, Verdict
from edge.records.sample import Sample
from edge.replay.judge import NOTHING_DECLARED, Declared, ReplayOrder, replay
from edge.replay.recording import read
from edge.standards.standard import load_standard

F8 = npt.NDArray[np.float64]
STEADY = Declared(u_mass_g=0.001)
T_S = np.arange(0.0, 36_000.0, 5.0)
HOLD_FROM_S, COOL_FROM_S = 4800.0, 27_000.0
"""The oven is at 120 °C from the one to the other: 6.2 h."""
HOT = """
id = "hot"
title = "Judged hot"
limit_pct = 0.5
temp_c = 120.0
hold_s = {hold_s}
weigh = "hot"
reference = "hold_start"
"""


def oven(t_s: F8) -> F8:
    """Half an hour cold, up in 50 min, 120 °C, and down again in 50 min."""
    return np.interp(t_s, (1800.0, HOLD_FROM_S, COOL_FROM_S, COOL_FROM_S + 3000.0), (25.0, 120.0, 120.0, 25.0))


def losing(loss_g: float, *, load_g: float = 100.0, noise_g: float = 1e-3, t_s: F8 = T_S, tau_s: float = 3000.0) -> F8:
    """A sample that dries with one time constant from when it is hot until it cools."""
    warm_s = np.clip(t_s - HOLD_FROM_S + 600.0, 0.0, COOL_FROM_S - HOLD_FROM_S)
    whole = 1.0 - math.exp(-(COOL_FROM_S - HOLD_FROM_S) / tau_s)
    noise = noise_g * np.random.default_rng(10).standard_normal(len(t_s))
    return np.asarray(load_g - loss_g * (1.0 - np.exp(-warm_s / tau_s)) / whole + noise)


class Bench:
    """A folder in which recordings are written down and judged."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def judge(
        self,
        mass_g: F8,
        *,
        t_s: F8 = T_S,
        temp_c: F8 | None = None,
        decimals: int = 4,
        declared: Declared = STEADY,
        hot_s: float | None = None,
        is_blank: bool = False,
    ) -> Result:
        """Judge masses as a file shows them. ``hot_s``: by a hold of so long, hot; else cold, by the national one."""
        columns = (
            [t_s, mass_g] if declared.temp_c is not None else [t_s, mass_g, oven(t_s) if temp_c is None else temp_c]
        )
        path = self.folder / "r.csv"
        header = ",".join(("t_s", "mass_g", "temp_c")[: len(columns)])
        formats = ("%.3f", f"%.{decimals}f", "%.2f")[: len(columns)]
        np.savetxt(path, np.column_stack(columns), formats, delimiter=",", header=header, comments="")
        return self.of(path, declared=declared, hot_s=hot_s, is_blank=is_blank)

    def of(
        self,
        path: Path,
        *,
        certificate: str | None = None,
        declared: Declared = NOTHING_DECLARED,
        hot_s: float | None = None,
        is_blank: bool = False,
    ) -> Result:
        """Judge a file."""
        weigh: Literal["cold", "hot"] = "cold" if hot_s is None else "hot"
        named = "gbt-48093-1-2026" if hot_s is None else str(self._written("hot.toml", HOT.format(hold_s=hot_s)))
        cell = None if certificate is None else load_certificate(self._written("cell.toml", certificate))
        temp_c = declared.temp_c
        recording = read(path, columns={}, use_counts=cell is not None, temp_declared_c=temp_c)
        order = ReplayOrder(
            load_standard(named), cell, weigh, Sample("made up"), 1.8e9, declared=declared, is_blank=is_blank
        )
        return replay(recording, order)

    def _written(self, name: str, body: str) -> Path:
        path = self.folder / name
        path.write_text(body, encoding="utf-8")
        return path


def is_invalid(r: Result, reason: str) -> bool:
    """Whether it is INVALID for that reason, with no number that could be taken for a loss."""
    return (r.verdict, r.invalid_reason, r.loss_pct, r.U_pct) == (Verdict.INVALID, reason, None, None)


def holds(r: Result, truth_pct: float) -> bool:
    """Whether a truth lies in the interval."""
    assert r.loss_pct is not None, r.invalid_because
    assert r.U_pct is not None
    return abs(r.loss_pct - truth_pct) <= r.U_pct


def component(r: Result, name: str) -> Any:
    return next(c for c in r.budget if c.name == name)
