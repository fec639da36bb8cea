"""What a load makes a cell creep, from the first two hours under a weight: how far, and how fast where M1 is weighed.

What a cell creeps is in proportion to its load (OIML R 60-1, 5.3.1 states it for a load). This module must never take
the wander of a zero for creep without saying how much of it that may be.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from calibration.errors import BadFit
from calibration.thermal import BIN_S, F8, minute_means
from calibration.wander import Wander

FROM_S = 1200.0  # M1 is taken about so long after the load is on
MEAN_S = 600.0
LEAST_S = 3540.0
FIRST_S = (60.0, 180.0)
"""In the first minute the weight may still be on its way."""
M1_S = 960.0
"""The middle of M1's window, after its rest."""
M1_ROWS_S = (60.0, 1320.0)
NIGHT = 1.7
"""From M1 to M2 a cell creeps so many times what it does between the 20th minute and the end of the second hour: 1.3
times for an exponential of 20 min, 1.9 for one of 2 h, 2.8 for one of 4 h, 2.0 for a logarithm of time; ..."""
NIGHT_HALF = 1.0
"""... within so much either way."""
BENDS = 2.0
SEEN = 2.0
"""A creep of less than so many standard uncertainties of what the zero does meanwhile says nothing of its return."""


@dataclass(frozen=True, slots=True)
class CreepFit:
    """Creep in % of the load, with its sign: positive where the indication rises.

    ``gained_pct`` from M1 to M2 with its standard uncertainty and degrees of freedom; ``whole_pct`` since the load was
    put on, rather too much; ``rate_pct_per_h`` and ``bend_pct_per_h2`` in the middle of M1.
    """

    gained_pct: float
    u_pct: float
    dof: float
    whole_pct: float
    rate_pct_per_h: float
    bend_pct_per_h2: float


def fit_creep(t_s: F8, code: F8, load_code: float, wander: Wander) -> CreepFit:
    """Fit creep to the codes of the first two hours under a load, from the moment it is on, at one temperature.

    ``load_code`` is the load in codes, ``wander`` what the zero does meanwhile. Raises ``BadFit`` for less than an
    hour of record, or a load of nothing.
    """
    minute, value = minute_means(t_s, code)
    if not len(minute) or minute[-1] - minute[0] < LEAST_S:
        raise BadFit("less than an hour of readings under load: leave the weight on for two hours")
    if load_code == 0.0:
        raise BadFit("the load is nothing: put a weight on")
    since = minute - minute[0] + BIN_S / 2.0
    early = np.abs(since - FROM_S) <= MEAN_S / 2.0
    soon = (since >= FIRST_S[0]) & (since <= FIRST_S[1])
    first = float(np.mean(value[soon])) if np.any(soon) else float(np.mean(value[early]))
    late = float(np.mean(value[since >= since[-1] - MEAN_S]))
    per_pct = load_code / 100.0
    seen = (late - float(np.mean(value[early]))) / per_pct
    wandered = wander.over((since[-1] - MEAN_S / 2.0 - FROM_S) / 3600.0)
    rate, bend = _at_m1(since, value)
    return CreepFit(
        gained_pct=NIGHT * seen,
        u_pct=math.hypot(NIGHT_HALF * abs(seen) / math.sqrt(3.0), NIGHT * wandered.rms / abs(per_pct)),
        dof=wandered.dof,
        whole_pct=(late - first) / per_pct + (NIGHT - 1.0) * seen,
        rate_pct_per_h=rate / per_pct,
        bend_pct_per_h2=bend / per_pct,
    )


@dataclass(frozen=True, slots=True)
class ReturnFit:
    """What of its creep a cell keeps when a load is taken off that hung long: a share, with its standard uncertainty.

    0: all comes back, as fast as it came; 1: nothing does.
    """

    kept: float
    u: float


def fit_return(on: tuple[F8, F8], off: tuple[F8, F8], wander: Wander) -> ReturnFit | None:
    """Hold the first two hours after a load was taken off against those after it was put on: times in s, and codes.

    What crept and what crept back in the same time are compared (OIML R 60, the return of the minimum dead
    load output, asks the same after half an hour). ``wander`` is what the zero does meanwhile, in each. None where the
    creep is too small against that to say anything. Raises ``BadFit`` for less than an hour of either record.
    """
    records = [minute_means(*record) for record in (on, off)]
    if any(not len(minute) or minute[-1] - minute[0] < LEAST_S for minute, _ in records):
        raise BadFit("less than an hour of readings: leave the empty holder alone for two hours")
    since = [minute - minute[0] + BIN_S / 2.0 for minute, _ in records]
    end_s = min(float(s[-1]) for s in since)
    came, went = (_crept(s, value, end_s) for s, (_, value) in zip(since, records, strict=True))
    wandered = wander.over((end_s - MEAN_S / 2.0 - sum(FIRST_S) / 2.0) / 3600.0).rms
    if not abs(came) > SEEN * wandered:
        return None
    return ReturnFit(1.0 + went / came, math.hypot(wandered, went / came * wandered) / abs(came))


def _crept(since_s: F8, code: F8, end_s: float) -> float:
    """Get what a code moved by from the second minute to the ten minutes before ``end_s``."""
    soon = (since_s >= FIRST_S[0]) & (since_s <= FIRST_S[1])
    late = (since_s >= end_s - MEAN_S) & (since_s <= end_s)
    return float(np.mean(code[late])) - float(np.mean(code[soon if np.any(soon) else since_s <= FROM_S]))


def _at_m1(since_s: F8, code: F8) -> tuple[float, float]:
    """Get the rate (codes/h) and bend (codes/h²) in the middle of M1, by a parabola over rest and window of M1.

    A bend that is within its uncertainty is none.
    """
    low, high = M1_ROWS_S
    part = (since_s >= low) & (since_s <= high)
    hours, y = (since_s[part] - M1_S) / 3600.0, code[part]
    if len(y) < 6:
        return 0.0, 0.0
    for columns in (3, 2):
        design = np.column_stack([np.ones_like(hours), hours, hours * hours / 2.0][:columns])
        inverse = np.linalg.inv(design.T @ design)
        b = inverse @ (design.T @ (y - y.mean()))
        rest = y - y.mean() - design @ b
        if columns == 3 and abs(b[2]) > BENDS * math.sqrt(inverse[2, 2] * float(rest @ rest) / (len(y) - 3)):
            return float(b[1]), float(b[2])
    return float(b[1]), 0.0
