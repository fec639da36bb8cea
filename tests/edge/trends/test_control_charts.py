"""Control charts: a published example to its digits, drifts and jumps of a thousand rigs, and dates that hold."""

from __future__ import annotations

import math
import random
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.trends.control_charts import BASELINE, Baseline, ChartKind, baseline_of, chart, charted, ewma_variance
from edge.trends.crossing import crossing, line_through

NIST = (
    52.0, 47.0, 53.0, 49.3, 50.1, 47.0, 51.0, 50.1, 51.2, 50.5,
    49.6, 47.6, 49.9, 51.3, 47.8, 51.2, 52.6, 52.4, 53.6, 52.1,
)  # fmt: skip
NIST_EWMA = (
    50.60, 49.52, 50.56, 50.18, 50.16, 49.21, 49.75, 49.85, 50.26, 50.33,
    50.11, 49.36, 49.52, 50.05, 49.38, 49.92, 50.73, 51.23, 51.94, 51.99,
)  # fmt: skip
"""NIST/SEMATECH e-Handbook, 6.3.2.4: EWMA_0 = 50, s = 2.0539, λ = 0.3; limits 47.4115 and 52.5884."""


def test_the_handbook_s_example_comes_out_to_its_digits() -> None:
    known = Baseline(50.0, 2.0539, 10**9, None)
    averages = [one.ewma for one in charted(known, NIST, weight=0.3)]
    assert averages == pytest.approx(NIST_EWMA, abs=0.00501 + 0.3 * 0.005)  # its table carries two decimals on
    half = 3.0 * 2.0539 * math.sqrt(ewma_variance(0.3, 10**6, 10**9))
    assert (50.0 - half, 50.0 + half) == pytest.approx((47.4115, 52.5884), abs=1e-4)


def rigs(n: int, *, drift: float = 0.0, jump: float = 0.0, later: int = 40) -> list[list[float]]:
    random_ = random.Random(17)
    out = []
    for _ in range(n):
        values = [random_.gauss(3.0, 1.0) for _ in range(BASELINE + later)]
        out.append(
            [v + (max(0, i - BASELINE + 1) * drift + (jump if i >= BASELINE else 0)) for i, v in enumerate(values)]
        )
    return out


def signalled_after(values: list[float], sd: float | None) -> int:
    found = chart(values, sd=sd)
    assert found is not None
    first = found.first_signal
    return 10**6 if first is None else first + 1


def test_drifts_and_jumps_of_a_thousand_rigs_are_signalled_soon_and_nothing_else_often() -> None:
    quiet = [chart(values, sd=1.0) for values in rigs(1000)]
    shares = [sum(bool(one.signals) for one in c.charted) / len(c.charted) for c in quiet if c]
    assert sum(shares) / len(shares) <= 1 / 200
    assert median(signalled_after(values, 1.0) for values in rigs(1000, drift=0.1)) <= 15  # 2 σ in 20 runs
    assert median(signalled_after(values, 1.0) for values in rigs(1000, jump=3.0)) <= 2


def test_with_a_standard_deviation_from_the_baseline_itself_false_alarms_stay_as_rare() -> None:
    quiet = [chart(values) for values in rigs(1000)]
    shares = [sum(bool(one.signals) for one in c.charted) / len(c.charted) for c in quiet if c]
    assert sum(shares) / len(shares) <= 1 / 200
    assert median(signalled_after(values, None) for values in rigs(1000, jump=3.0)) <= 2


def test_a_jump_is_shewharts_and_a_slow_drift_the_averages() -> None:
    jumped = chart([0.0, 1.0, -1.0, 0.5, -0.5] * 4 + [9.0])
    assert jumped is not None
    assert ChartKind.SHEWHART in jumped.charted[0].signals
    crept = chart([0.0, 1.0, -1.0, 0.5, -0.5] * 4 + [1.4] * 12)
    assert crept is not None
    assert crept.charted[-1].signals == (ChartKind.EWMA,)


def test_too_few_values_are_no_baseline() -> None:
    assert baseline_of([1.0, 2.0, 3.0, 4.0]) is None
    assert chart([1.0] * 4) is None


@given(st.lists(st.floats(-1e6, 1e6), min_size=5, max_size=60), st.floats(0.1, 100.0), st.floats(-1e4, 1e4))
def test_unit_and_zero_of_a_quantity_do_not_matter(values: list[float], scale: float, offset: float) -> None:
    plain, other = chart(values), chart([scale * v + offset for v in values])
    assert plain is not None
    assert other is not None
    if plain.baseline.sd * scale > 1e-6 * (1.0 + abs(offset) + scale * abs(plain.baseline.mean)):
        near = 1e-6 * plain.baseline.sd
        for a, b in zip(plain.charted, other.charted, strict=True):
            if (
                min(abs(a.value - a.low), abs(a.value - a.high), abs(a.ewma - a.ewma_low), abs(a.ewma - a.ewma_high))
                > near
            ):
                assert a.signals == b.signals


def test_predicted_dates_hold_the_true_one_about_as_often_as_they_say() -> None:
    random_ = random.Random(5)
    inside = told = 0
    for _ in range(1500):
        slope, at = random_.uniform(0.5, 3.0), []
        times = sorted(random_.uniform(0.0, 60.0) for _ in range(random_.randint(8, 30)))
        at = [slope * t + random_.gauss(0.0, 10.0) for t in times]
        line = line_through(times, at)
        assert line is not None
        found = crossing(line, -300.0, 300.0)
        if found is None:
            continue
        told += 1
        inside += found.earliest <= 300.0 / slope <= found.latest
    assert told > 1000
    assert 0.85 <= inside / told <= 0.95


def test_what_does_not_surely_move_has_no_date() -> None:
    assert line_through([1.0, 2.0, 3.0], [1.0, 2.0, 3.0]) is None
    line = line_through([float(i) for i in range(10)], [(-1.0) ** i for i in range(10)])
    assert line is not None
    assert crossing(line, -10.0, 10.0) is None
