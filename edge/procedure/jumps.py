"""Jumps of the indicated mass that no evaporation makes: a lifted sample, a touched cable, a converter's step.

A loss by evaporation bends slowly; a jump is where the lines before and after do not meet. It is looked for at several
lengths, from seconds to minutes, whatever the rate of the recording. This
module must never take a jump out of a loss: it says when, how large, and how well that is known.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from .masses import F8

LOOKS_S = ((5.0, 0.0), (30.0, 0.0), (120.0, 60.0), (300.0, 150.0), (1200.0, 0.0))
"""So long are the lines on both sides, and so far from the jump they begin: what takes minutes is not a row's jump.
The longest finds what a coarse display or a logger of few rows hides in its noise."""
WHOLE_S = ((15.0, 10.0), (60.0, 30.0), (120.0, 60.0), (300.0, 150.0))
STEADY = 0.1  # of the jump: lines that scatter by more hold another one
ON_THE_WAY_S = 150.0
"""So far from where a jump is found its rows may be on their way."""
SLOW = 0.05  # of a jump: what longer looks see more of it
MORE = 3.0  # of what is usual: by so much a longer look must see more of a jump
APART = 4.0  # of what is usual
LEAST_ROWS = 5
SIGMAS = 8.0
"""So many robust standard deviations of what is usual between two means are a jump, if it matters."""
LOCAL_S = 900.0
"""What is usual is also asked of so long a part of the record..."""
OF_A_LOOK = 8  # ... or of so many times what a look spans, so that a jump is not usual at its own place
SHARE = 0.5
"""A jump is at least this share of all that changes around it: a curve that bends is no jump."""
AT_MOST = 3.0
"""A jump is at most so many times what its rows span: a line with a step in it, taken across a hole, leads anywhere."""
SHAPE = 0.15
"""Of a jump: what lies beside it and is less is its shape, not another one."""
BESIDE = 2  # times what a look spans
MOST = 50
"""More are not told one by one."""


@dataclass(frozen=True, slots=True)
class Jump:
    """A change of the indicated mass at once: when, in s since the run's start, and by how much, with its u."""

    t_s: float
    step_g: float
    u_g: float


def find_jumps(t_s: F8, mass_g: F8, matters_g: float) -> tuple[Jump, ...]:
    """Find the jumps of ``matters_g`` or more in a record of seconds, in order of time.

    ``t_s`` rises; both are finite and of one length. A jump that is found is taken out, with the rows that are on
    their way from one level to the other, before longer means are compared: so it is found once.
    """
    rest = mass_g.astype(np.float64).copy()
    found: list[Jump] = []
    interval_s = float(np.median(np.diff(t_s))) if len(t_s) > 1 else 1.0
    done: set[tuple[int, int]] = set()
    least_g = np.full(len(rest), matters_g)
    for length_s, away_s in LOOKS_S:
        rows, away = max(LEAST_ROWS, round(length_s / interval_s)), round(away_s / interval_s)
        if (rows, away) in done:
            continue
        done.add((rows, away))
        while len(found) < MOST and (jump := _largest(t_s, rest, (rows, away), least_g, interval_s)) is not None:
            at = int(np.searchsorted(t_s, jump.t_s))
            jump, slow = _whole(t_s, rest, jump, at, interval_s)
            way = slice(at, at)
            if away or slow:
                at, way = _on_the_way(rest, at, jump.step_g, interval_s)
                jump = replace(jump, t_s=float(t_s[at]))
            rest[at:] -= jump.step_g
            beside = slice(max(0, at - BESIDE * (rows + away)), at + BESIDE * (rows + away))
            least_g[beside] = np.maximum(least_g[beside], SHAPE * abs(jump.step_g))
            least_g[max(0, at - rows - 2 * away) : at + rows + 2 * away] = math.inf
            t_s, rest, least_g = np.delete(t_s, way), np.delete(rest, way), np.delete(least_g, way)
            found.append(jump)
    return tuple(sorted(found, key=lambda j: j.t_s))


def net_of_jumps(jumps: tuple[Jump, ...]) -> tuple[float, float]:
    """Get the sum of jumps in g, and its standard uncertainty."""
    return math.fsum(j.step_g for j in jumps), math.sqrt(math.fsum(j.u_g**2 for j in jumps))


def _largest(t_s: F8, mass_g: F8, look: tuple[int, int], least_g: F8, interval_s: float) -> Jump | None:
    """Get the largest jump between lines of so many rows, of ``least_g`` at least; None where there is none."""
    rows, away = look
    at, step_g, bend_g, spread = _steps(t_s, mass_g, rows, away)
    if not len(step_g):
        return None
    size_g, reach = np.abs(step_g), rows + away
    around_g = np.abs(mass_g[2 * reach :] - mass_g[: -2 * reach])
    may_be = (size_g >= SHARE * around_g) & (size_g >= bend_g) & (size_g >= least_g[reach:-reach])
    if not np.any(may_be):  # mostly: what is usual need not be asked
        return None
    usual_g = _usual(size_g / spread, max(OF_A_LOOK * reach, round(LOCAL_S / interval_s))) * spread
    may_be &= size_g >= SIGMAS * usual_g
    for i in np.flatnonzero(may_be)[np.argsort(-size_g[may_be], kind="stable")].tolist():
        if size_g[i] <= AT_MOST * np.ptp(mass_g[i : i + 2 * reach + 1]):
            break
    else:
        return None
    return Jump(float(t_s[at[i]]), float(step_g[i]), max(float(usual_g[i]), float(size_g[i]) * 1e-6))


def _usual(size: F8, rows: int) -> F8:
    """Get what is usual at each place, as a standard deviation: over all, or near by where that is more.

    ``size``: of a row's noise, so that a line taken over a gap knows less. A draught of half an hour is not usual in a
    night, and no jump either.
    """
    usual, every = np.full(len(size), np.median(size)), max(1, rows // 2)
    whole = sliding_window_view(size, rows)[::every] if len(size) >= rows else size[:0].reshape(0, rows)
    medians = np.median(whole, axis=1).tolist()
    for i, start in enumerate(range(0, len(size), every)):
        part = slice(start, start + rows)
        usual[part] = np.maximum(usual[part], medians[i] if i < len(medians) else np.median(size[part]))
    return 1.4826 * usual


def _whole(t_s: F8, mass_g: F8, jump: Jump, at: int, interval_s: float) -> tuple[Jump, bool]:
    """Get a jump with its whole size: what comes up in seconds or minutes is more to lines that begin farther away.

    More than what such a look makes of the noise beside it: in a draught the largest of four looks is a gust's.
    Returns also whether it is so much more that rows are on their way.
    """
    best = jump
    for length_s, away_s in WHOLE_S:
        rows, away = max(LEAST_ROWS, round(length_s / interval_s)), max(1, round(away_s / interval_s))
        low, high = at - rows - away, at + rows + away
        if low < 0 or high >= len(t_s):
            break
        _, step_g, bend_g, _ = _steps(t_s[low : high + 1], mass_g[low : high + 1], rows, away)
        if not abs(step_g[0]) <= AT_MOST * np.ptp(mass_g[low : high + 1]):
            continue
        quiet = max(_scatter(mass_g[low : low + rows]), _scatter(mass_g[high - rows : high])) <= STEADY * abs(step_g[0])
        if not (quiet and step_g[0] * jump.step_g > 0.0 and abs(step_g[0]) > max(abs(best.step_g), bend_g[0])):
            continue
        usual_g = _usual_beside(t_s, mass_g, at, (rows, away), interval_s)
        if abs(step_g[0]) - abs(jump.step_g) > MORE * math.hypot(usual_g, jump.u_g):
            best = replace(jump, step_g=float(step_g[0]), u_g=max(jump.u_g, usual_g))
    return best, abs(best.step_g) > (1.0 + SLOW) * abs(jump.step_g)


def _usual_beside(t_s: F8, mass_g: F8, at: int, look: tuple[int, int], interval_s: float) -> float:
    """Get what is usual of such a look on both sides of a jump, as a standard deviation (0: too few rows there)."""
    rows, away = look
    reach = rows + away
    near = max(OF_A_LOOK * reach, round(LOCAL_S / interval_s))
    sides = (slice(max(0, at - near), max(0, at - 1)), slice(at + 1, at + near))
    size_g = [np.abs(_steps(t_s[part], mass_g[part], rows, away)[1]) for part in sides]
    beside_g = np.concatenate(size_g)
    return 1.4826 * float(np.median(beside_g)) if len(beside_g) >= reach else 0.0


def _on_the_way(mass_g: F8, at: int, step_g: float, interval_s: float) -> tuple[int, slice]:
    """Get the rows near ``at`` that are on their way from one level to the other, and the middle one of them.

    A jump is taken out as if at one row; what comes up within seconds would leave other jumps there to a longer look.
    """
    near, half = max(LEAST_ROWS, round(ON_THE_WAY_S / interval_s)), 2 * LEAST_ROWS
    sums = np.concatenate(([0.0], np.cumsum(mass_g - mass_g[0])))
    all_g = (sums[2 * half :] - 2.0 * sums[half:-half] + sums[: -2 * half]) / half
    low, high = max(half, at - near), min(len(mass_g) - half, at + near)
    if low >= high:
        return at, slice(at, at)
    move_g = all_g[low - half : high - half] * math.copysign(1.0, step_g)
    moves = move_g > APART * 1.4826 * float(np.median(np.abs(all_g)))
    first = last = int(np.argmax(move_g))
    if not move_g[first] > 0.0:  # nothing near moves that way: a longer look has seen it, over rows that were not seen
        return at, slice(at, at)
    while first > 0 and moves[first - 1]:
        first -= 1
    while last < len(moves) - 1 and moves[last + 1]:
        last += 1
    weight = np.maximum(move_g[first : last + 1], 0.0)
    middle = low + first + round(float(np.average(np.arange(len(weight)), weights=weight)))
    return middle, slice(low + first - half, low + last + half)


def _scatter(mass_g: F8) -> float:
    """Get the standard deviation of rows about a straight line through them."""
    x = np.arange(len(mass_g), dtype=np.float64)
    return float(np.std(mass_g - np.polyval(np.polyfit(x, mass_g, 1), x)))


def _steps(t_s: F8, mass_g: F8, rows: int, away: int) -> tuple[npt.NDArray[np.intp], F8, F8, F8]:
    """Get, for each row, by how much the line through the rows after it differs there from that through those before.

    Least squares on both sides, extrapolated to the row. Returns also how much a mere bend within reach could make of
    it: the two rates' difference times the reach; and by how many standard deviations of a row the lines scatter there.
    """
    reach = rows + away
    at = np.arange(reach, len(t_s) - reach)
    n = len(at)
    if n < 1:
        return at, np.empty(0), np.empty(0), np.empty(0)
    t = t_s - t_s[0]
    of = _lines(t, mass_g - mass_g[0], rows)
    before_g, rate_before, w_before = _line_at(of[:, :n], rows, t[reach : reach + n])
    after_g, rate_after, w_after = _line_at(of[:, reach + away : reach + away + n], rows, t[reach : reach + n])
    bend_g = np.abs(rate_after - rate_before) * (t_s[2 * reach :] - t_s[:n]) / 2.0
    return at, after_g - before_g, bend_g, np.sqrt(w_before + w_after)


def _lines(t: F8, x: F8, rows: int) -> F8:
    """Get the least-squares line through each window of so many rows: mean times, means, variances of time, rates."""

    def mean(values: F8) -> F8:
        sums = np.concatenate(([0.0], np.cumsum(values)))
        found: F8 = (sums[rows:] - sums[:-rows]) / rows
        return found

    mean_t, mean_x = mean(t), mean(x)
    var_t = mean(t * t) - mean_t * mean_t
    return np.stack([mean_t, mean_x, var_t, (mean(t * x) - mean_t * mean_x) / var_t])


def _line_at(of: F8, rows: int, t: F8) -> tuple[F8, F8, F8]:
    """Get lines through ``rows`` rows at times ``t``: values, rates, and the values' variances in that of a row."""
    mean_t, mean_x, var_t, rate = of
    away_s = t - mean_t
    line: F8 = mean_x + rate * away_s
    return line, rate, (1.0 + away_s * away_s / var_t) / rows
