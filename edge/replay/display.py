"""What a display or a logger can show: its resolution, whether it is frozen, and how far a glitch is from a reading.

The smallest step in a file is not the resolution: a logger's means of a coarse display have fine steps that say
nothing. This module must never call a reading finer than the display behind it, nor a display alive that has stopped.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

F8 = npt.NDArray[np.float64]

MULTIPLES = (2, 5, 10, 20, 50, 100, 200, 500, 1000)
"""A display counts in 1, 2 or 5 of a decimal digit: steps this many times the file's own are looked at."""
LEAST_SHARE = 0.75  # of the values where it rests stand on a display's steps if they are its steps
LEAST_VISITED = 3  # fewer values where it rests say nothing of its steps
REST_ROWS = 3
REST_SHARE = 0.02  # of the longest rest: a value that is only passed stands for less
NOISE_SIGMAS = 12.0
GATE_Q90 = 6.0  # of the 90th percentile of the residuals: about nine standard deviations of white noise
GATE_LOAD = 2e-3  # relative to the load
STILL_S = 1800.0
"""A display that shows one value for so long is looked at."""
LONG_STILL_S = 3600.0
FINE = 2e-5
"""Relative to the load: no balance that shows so much stands still for an hour (its own drift is more)."""
NOT_COARSE = 1e-3
"""Relative to the load: a display so fine moves at least once in a whole test, or it is frozen."""
MOVES = 2.5e-4
"""Relative to the load: a coarser display, or means of one, may well stand still for hours."""
SUDDEN = 50.0
"""So many times as long as its last step took: then it has stopped at once, however the steps before it were."""
STEADY_SUDDEN = 10.0
STEADY_SHARE = 5.0
"""Its last ten steps took so many times what the last one did: it fell steadily, and ``STEADY_SUDDEN`` is sudden. On a
sample that dries each step takes longer than the one before, and the ten take about three times the last."""
CHANGES = 10  # so many changes elsewhere make a display that moves


def resolution(value: F8, digit: float) -> float:
    """Estimate the resolution of the display behind a file's values, in their unit.

    ``digit`` is the last digit in which they are written. The largest step of 1, 2 or 5 digits on which the display
    rests: where a value stands for several rows it is one that the display can show, and means of a coarse display
    pass between its steps and do not rest there.
    """
    step = np.abs(np.diff(value))
    smallest = float(np.min(step[step > 0.5 * digit], initial=np.inf))
    found = smallest if np.isfinite(smallest) and _share(value, smallest) == 1.0 else digit
    rests = _resting(value)
    if len(rests) < LEAST_VISITED:
        return found
    own = found
    for times in MULTIPLES:
        coarser = own * times
        by_chance = 1.0 / times
        if _share(rests, coarser) >= LEAST_SHARE and _share(value, coarser) >= (1.0 + by_chance) / 2.0:
            found = coarser
    return found


def _resting(value: F8) -> F8:
    """Get the different values that stand for ``REST_ROWS`` rows or more, and not only while passing."""
    edges = np.concatenate(([0], np.flatnonzero(value[1:] != value[:-1]) + 1, [len(value)]))
    lengths = np.diff(edges)
    long = lengths >= max(REST_ROWS, REST_SHARE * float(np.max(lengths)))
    return np.unique(value[edges[:-1][long]])


def _share(value: F8, step: float) -> float:
    """Get which share of values are multiples of a step."""
    count = value / step
    return float(np.mean(np.abs(count - np.round(count)) <= 1e-3))


def frozen(t_s: F8, value: F8, step: float) -> npt.NDArray[np.bool_]:
    """Say which rows come from a display that has stopped. ``step`` is its resolution.

    It has stopped where it never moves in a whole recording, though it is fine enough to (``NOT_COARSE``); where it is
    so fine that no balance stands still for an hour (``FINE``); or where it is fine (``MOVES``), moves elsewhere, and
    stops at once (``SUDDEN``, ``STEADY_SHARE``). The first ``STILL_S`` of such a run are believed. A coarse display, or
    a logger's means of one, may stand still for hours; so may any before it has moved, and on a sample that has dried.
    """
    n = len(value)
    out = np.zeros(n, bool)
    if n < 2:
        return out
    load = float(np.median(np.abs(value)))
    edges = np.concatenate(([0], np.flatnonzero(value[1:] != value[:-1]) + 1, [n]))
    lengths = np.diff(edges)
    never_moves = len(lengths) == 1 and step <= NOT_COARSE * load
    for first, length in zip(edges[:-1], lengths, strict=True):
        last = first + length - 1
        lasts_s = t_s[last] - t_s[first]
        if lasts_s < STILL_S:
            continue
        moves = step <= MOVES * load and len(lengths) > CHANGES
        last_s, ten_s = (_since_s(t_s, value, n * step, first) for n in (1, 10))
        sudden = SUDDEN if ten_s < STEADY_SHARE * last_s else STEADY_SUDDEN
        unusual = moves and lasts_s >= sudden * last_s
        fine = step <= FINE * load and lasts_s >= LONG_STILL_S
        if never_moves:
            out[first : last + 1] = True
        elif fine or unusual:
            out[first : last + 1] = t_s[first : last + 1] - t_s[first] > STILL_S
    return out


def _since_s(t_s: F8, value: F8, away: float, first: int) -> float:
    """Get how long ago, at the row ``first``, a value was last more than ``away`` from it (inf: it never was)."""
    far = np.flatnonzero(np.abs(value[:first] - value[first]) > 1.01 * away)
    return float(t_s[first] - t_s[far[-1]]) if len(far) else np.inf


def glitch_gate(value: F8, step: float, load: float = 0.0) -> float:
    """Get how far from its neighbours' median a reading may be before it is a glitch (0: no gate).

    Twelve robust standard deviations of the noise, or six times what nine of ten readings stay within, or twelve of the
    display's steps, or ``GATE_LOAD`` of the load, whichever is most: noise that collapses for a while must not make
    glitches of real readings, and so small a glitch in a single row moves no mean that is judged. ``load`` is 0 for
    codes, of which nobody knows how much is load.
    """
    if len(value) < 10 or step <= 0.0:
        return 0.0
    neighbours = np.lib.stride_tricks.sliding_window_view(value, 5)
    away = np.abs(value[2:-2] - np.median(neighbours, axis=1))
    change = np.diff(value)
    sigma = 1.4826 * float(np.median(np.abs(change - np.median(change)))) / np.sqrt(2.0)
    return float(max(NOISE_SIGMAS * sigma, GATE_Q90 * np.quantile(away, 0.9), NOISE_SIGMAS * step, GATE_LOAD * load))
