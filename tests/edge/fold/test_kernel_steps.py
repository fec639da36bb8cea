"""The steps of the fold: gate, degrees, compensation, drift, and a hold clock that never overcounts."""

from __future__ import annotations

import csv
import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_blocks import columns, cut, fold_all, random_block, random_params, seconds
from repository import RECORDINGS

from calibration import iec60751
from edge.fold import kernel, layout

GLITCHES = RECORDINGS / "glitches-reported.csv"
SEEDS = st.integers(0, 2**32 - 1)


# the gate


def stream_rows(codes, gate, sizes=()):
    """Fold one stream of codes, cut into frames at ``sizes``; grams in, grams out."""
    edges = sorted({0, len(codes), *sizes})
    frames = [codes[a:b] for a, b in pairwise(edges)]
    return fold_all(layout.new_params(gate_code=gate), seconds(frames))[1]


@settings(max_examples=60, deadline=None)
@given(
    at=st.integers(2, 37),
    pair=st.booleans(),
    glitch=st.floats(-1e7, 1e7).filter(lambda x: abs(x) > 200),
    sizes=st.lists(st.integers(1, 39).map(lambda i: i // 5 * 5), max_size=5),
)
def test_a_lone_glitch_and_a_pair_are_refused_and_the_rest_is_kept(at, pair, glitch, sizes):
    codes = np.random.default_rng(at).normal(0, 10, 42).clip(-50, 50)
    codes[at : at + 1 + pair] = glitch
    rows = stream_rows(codes.tolist(), 100.0, sizes)
    assert rows["n_spike"].sum() == 1 + pair
    assert np.all(np.abs(rows["mass_g"]) <= 50)


@settings(max_examples=60, deadline=None)
@given(
    at=st.integers(3, 37),
    levels=st.tuples(st.floats(-8e6, 8e6), st.floats(-8e6, 8e6)),
    sizes=st.lists(st.integers(1, 39).map(lambda i: i // 5 * 5), max_size=5),
)
def test_a_step_of_any_size_passes_whole(at, levels, sizes):
    codes = np.random.default_rng(at).normal(0, 10, 40).clip(-20, 20)
    codes[:at] += levels[0]
    codes[at:] += levels[1]
    rows = stream_rows(codes.tolist(), 100.0, sizes)
    assert rows["n_spike"].sum() == 0
    assert rows["n_ok"].sum() == 40


@settings(max_examples=60, deadline=None)
@given(
    rises=st.lists(st.floats(0, 1e5), min_size=10, max_size=40),
    falling=st.booleans(),
    sizes=st.lists(st.integers(1, 9).map(lambda i: i * 4), max_size=4),
)
def test_a_slope_of_any_steepness_passes(rises, falling, sizes):
    codes = np.cumsum(rises) * (-1 if falling else 1)
    # At a stream's very ends a sample has no neighbours on one side: there it is at rest.
    codes = np.concatenate(([codes[0]] * 3, codes, [codes[-1]] * 3))
    assert stream_rows(codes.tolist(), 100.0, [s for s in sizes if s < len(codes) - 1])["n_spike"].sum() == 0


def reported():
    if not GLITCHES.exists():
        pytest.skip("../shared/data/glitches-reported.csv is not here")
    with GLITCHES.open(newline="") as f:
        return [row["raw_or_value"] for row in csv.DictReader(f) if row["chip"] == "HX711"]


def test_glitches_reported_as_streams_are_refused_and_their_neighbours_kept():
    streams = [[float(v) for v in raw.split()] for raw in reported() if " " in raw]
    assert [170.95, 171.04, -143.37, 171.36] in streams
    assert [-459753, -459702, -459744, 5307, -459832] in streams
    for codes in streams:
        middle = float(np.median(codes))
        gate = 0.01 * abs(middle)
        honest = [c for c in codes if abs(c - middle) <= gate]
        assert len(honest) == len(codes) - 1
        row = stream_rows(codes, gate)[0]
        assert (row["n_ok"], row["n_spike"]) == (len(honest), 1)
        assert row["mass_g"] == pytest.approx(math.fsum(honest) / len(honest), rel=1e-12)


def test_glitches_reported_as_values_are_refused_within_a_steady_stream():
    values = [float(v) for raw in reported() if ";" in raw for v in raw.split(";")]
    assert {8388607, 4194303, 2097151, 1048575, 0, -2, -12546} <= set(values)
    for value in values:
        codes = np.rint(400_000 + np.random.default_rng(1).normal(0, 30, 60)).tolist()
        codes[40] = value
        rows = stream_rows(codes, 300.0, [20, 30, 41])
        assert rows["n_spike"].tolist() == [0, 0, 1, 0]
        assert np.all(np.abs(rows["mass_g"] - 400_000) < 100)


# codes to degrees

IEC_60751_OHM = {
    -200.0: 18.5201, -100.0: 60.2558, 0.0: 100.0, 100.0: 138.5055, 120.0: 146.0680, 200.0: 175.856, 400.0: 247.092,
    600.0: 313.708, 850.0: 390.4811,
}  # fmt: skip
"""Pt100, IEC 60751:2008, table 1."""


def oven_c(codes, **params):
    rows = fold_all(layout.new_params(rtd_is_code=1, **params), seconds([[0.0]] * len(codes), oven=codes))[1]
    return rows["temp_c"]


def test_rtd_codes_become_the_degrees_of_iec_60751_within_half_a_code():
    temps_c = np.array(list(IEC_60751_OHM))
    ohm = np.array(list(IEC_60751_OHM.values()))
    codes = np.rint(ohm / 430 * 32768)
    half_code_ohm = 0.5 / 32768 * 430 + 0.0005  # and the table's last digit
    low, high = np.array([-200.5, *temps_c[1:] - 0.5]), np.array([*temps_c[:-1] + 0.5, 850.5])
    ohm_per_k = (two_sided_ohm(high) - two_sided_ohm(low)) / (high - low)
    assert np.all(np.abs(oven_c(codes) - temps_c) <= 1.01 * half_code_ohm / ohm_per_k)


def two_sided_ohm(t):
    """Evaluate IEC 60751:2008, 4.2, also just outside its ends."""
    return 100 * (1 + 3.9083e-3 * t - 5.775e-7 * t**2 - 4.183e-12 * (t - 100) * t**3 * (t < 0))


@pytest.mark.parametrize(
    ("r0_ohm", "ref_ohm", "lead_ohm"), [(100.0, 430.0, 0.0), (100.0, 400.0, 0.35), (1000.0, 4300.0, 0.0)]
)
def test_exact_ratios_become_degrees_from_minus_200_to_850(r0_ohm, ref_ohm, lead_ohm):
    temps_c = np.linspace(-200, 850, 4201)
    codes = (iec60751.resistance_ohm(temps_c, r0_ohm) + lead_ohm) / ref_ohm * 32768
    got = oven_c(codes, oven_r0_ohm=r0_ohm, oven_ref_ohm=ref_ohm, oven_lead_ohm=lead_ohm)
    assert np.max(np.abs(got - temps_c)) < 1e-9


def test_a_ratio_that_no_platinum_has_is_not_known():
    assert np.isnan(oven_c([32767.0], oven_r0_ohm=10.0)[0])
    block = seconds([[5.0] * 4], cell=[32767.0])
    row = fold_all(layout.new_params(rtd_is_code=1, cell_source=0, cell_r0_ohm=10.0), block)[1][0]
    assert (row["n_ok"], row["n_bad"], row["bad_mask"]) == (0, 4, 1 << 9)
    assert np.isnan(row["mass_g"])


# compensation


@pytest.mark.parametrize(("zero_code_per_k", "span_per_k"), [(45.0, 0.0), (-45.0, 0.0), (0.0, 2e-4), (12.0, -2e-4)])
def test_compensation_takes_the_temperature_of_the_cell_out_and_has_the_documented_sign(zero_code_per_k, span_per_k):
    temps_c = np.linspace(15, 45, 61)
    true_g, tare, span = 87.5, 8_000.0, 1500.0
    # A made-up cell: positive coefficients make its code rise when it gets warmer.
    codes = tare + zero_code_per_k * (temps_c - 20) + true_g * span * (1 + span_per_k * (temps_c - 20))
    block = seconds([[c] * 3 for c in codes], cell=temps_c)
    cell = {"tare_code": tare, "span_code_per_g": span, "t_ref_c": 20.0, "cell_source": 0}
    right = layout.new_params(**cell, zero_code_per_k=zero_code_per_k, span_per_k=span_per_k)
    assert fold_all(right, block)[1]["mass_g"] == pytest.approx(true_g, rel=1e-12)
    plain_g = fold_all(layout.new_params(**cell), block)[1]["mass_g"]
    wrong_g = (zero_code_per_k + true_g * span * span_per_k) / span * (temps_c - 20)
    assert plain_g - true_g == pytest.approx(wrong_g, rel=1e-9, abs=1e-9)
    assert np.ptp(plain_g) > 0.2  # half of what is looked for in such a sample


def test_without_the_temperature_of_the_cell_there_is_no_mass():
    block = seconds([[5.0] * 4] * 6, cell=[20.0, np.nan, np.nan, np.nan, 20.0, 20.0])
    rows = fold_all(layout.new_params(cell_source=0, max_gap_s=1.5), block)[1]
    assert rows["n_ok"].tolist() == [4, 4, 0, 0, 4, 4]  # a second's old temperature still holds, an older one not
    assert rows["n_bad"].tolist() == [0, 0, 4, 4, 0, 0]
    assert np.isnan(rows["mass_g"][2])


@pytest.mark.parametrize(("lag_s", "dt_s"), [(600.0, 1.0), (600.0, 10.0), (50.0, 1.0), (5.0, 1.0)])
def test_the_lag_answers_a_step_as_a_first_order_lag_does(lag_s, dt_s):
    n = int(8 * lag_s / dt_s)
    oven = np.where(np.arange(n) == 0, 20.0, 120.0)
    block = columns(range(n), np.arange(n) * dt_s, [[0.0]] * n, oven=oven)
    params = layout.new_params(cell_source=1, cell_lag_s=lag_s, max_gap_s=2 * dt_s)
    left = (120.0 - fold_all(params, block)[1]["cell_temp_c"]) / 100.0
    h = dt_s / lag_s
    x = np.arange(n) * h
    # Backward Euler leaves (1 + h)^−n, and h − h²/2 <= ln(1 + h) <= h.
    late = left - np.exp(-x)
    assert np.all(late >= -1e-12)
    assert np.all(late <= np.exp(-x) * np.expm1(x * h / 2) + 1e-12)


def test_the_lag_of_0_s_is_the_oven_itself_and_follows_any_gap_without_overshoot():
    oven = [20.0, 120.0, 60.0]
    block = columns([1, 2, 3], [0.0, 1.0, 1e6], [[0.0]] * 3, oven=oven)
    same = layout.new_params(cell_source=1, cell_lag_s=0.0, cell_offset_c=3.0, cell_per_oven=0.5, max_gap_s=2e6)
    assert fold_all(same, block)[1]["cell_temp_c"].tolist() == [13.0, 63.0, 33.0]
    slow = layout.new_params(cell_source=1, cell_lag_s=600.0, max_gap_s=2e6)
    cell = fold_all(slow, block)[1]["cell_temp_c"]
    assert cell[1] < cell[2] < 60.0


# drift


def test_the_drift_tends_to_the_slope_of_the_mass():
    slope_g_per_h, n = -0.36, 3 * 3600
    masses = 100 + slope_g_per_h * np.arange(n) / 3600
    rows = fold_all(layout.new_params(), seconds([[m] for m in masses]))[1]
    drift = rows["drift_g_per_h"]
    assert np.isnan(drift[0])
    x, h = np.arange(n)[1:] / 600, 1 / 600
    left = 1 - drift[1:] / slope_g_per_h  # one step later than the mass: a slope takes two
    assert np.all(np.abs(left) <= np.exp(-(x - h)) * (1 + np.expm1(x * h / 2)) + 1e-7)


def test_after_a_long_gap_the_drift_lies_between_the_old_one_and_the_new_slope():
    t_s = [0.0, 1.0, 2.0, 6002.0]
    rows = fold_all(layout.new_params(), columns(range(4), t_s, [[100.0], [100.0], [100.0], [99.0]]))[1]
    assert rows["drift_g_per_h"][2] == 0.0
    assert -1.0 / 6000 * 3600 < rows["drift_g_per_h"][3] < 0.0


# the hold clock

GOOD, COLD, BLIND = 120.0, 110.0, math.nan


def hold(temps_c, *, samples=None, t_s=None, pressure=None, **params):
    """Fold a hold second by second. Returns the rows."""
    n = len(temps_c)
    samples = [[50.0] * 4] * n if samples is None else samples
    block = columns(range(n), np.arange(n) if t_s is None else t_s, samples, oven=temps_c, pressure=pressure)
    told = {"armed": 1, "hold_temp_c": 120.0, "hold_band_c": 2.0, "temp_needed": 1}
    return fold_all(layout.new_params(**(told | params)), block)[1]


def test_the_hold_clock_pauses_at_an_excursion_where_the_standard_says_so():
    rows = hold([GOOD] * 4 + [COLD] * 2 + [GOOD] * 3)
    assert rows["hold_s"].tolist() == [0, 1, 2, 3, 3, 3, 3, 4, 5]
    assert rows["qualified"].tolist() == [1, 1, 1, 1, 0, 0, 1, 1, 1]


def test_the_hold_clock_restarts_at_an_excursion_where_the_standard_says_so():
    rows = hold([GOOD] * 4 + [COLD] * 2 + [GOOD] * 3, restart_on_excursion=1)
    assert rows["hold_s"].tolist() == [0, 1, 2, 3, 0, 0, 0, 1, 2]


@pytest.mark.parametrize("good_s", [1, 4])
def test_a_restarted_hold_starts_from_its_own_mass(good_s):
    temps_c = [GOOD] * good_s + [COLD] + [GOOD] * 3
    samples = [[50.0] * 4] * (good_s + 1) + [[40.0] * 4] * 3
    told = {"samples": samples, "base_is_hold_start": 1}
    assert hold(temps_c, restart_on_excursion=1, **told)["loss_pct"][-3:].tolist() == [0, 0, 0]
    assert hold(temps_c, restart_on_excursion=0, **told)["loss_pct"][-3:].tolist() == [20, 20, 20]


def test_the_end_of_the_hold_is_no_excursion():
    # Whoever disarms the clock has what it showed: it stays.
    block = columns(range(8), np.arange(8.0), [[50.0] * 4] * 8, oven=[GOOD] * 8)
    armed = layout.new_params(armed=1, temp_needed=1, hold_temp_c=120.0, hold_band_c=2.0, restart_on_excursion=1)
    state, rows = kernel.advance(layout.new_state(), armed, cut(block, 0, 5))
    _, after = kernel.advance(state, layout.with_params(armed, armed=0), cut(block, 5, 8))
    assert rows["hold_s"].tolist() == [0, 1, 2, 3]
    assert after["hold_s"].tolist() == [3, 3, 3]
    assert after["qualified"].tolist() == [0, 0, 0]


def test_a_gap_longer_than_allowed_does_not_count():
    t_s = [0, 1, 2, 60, 61, 62.4, 64]
    assert hold([GOOD] * 7, t_s=t_s, max_gap_s=1.5)["hold_s"].tolist() == pytest.approx([0, 1, 2, 2, 3, 4.4, 4.4])
    assert hold([GOOD] * 7, t_s=t_s, restart_on_excursion=1)["hold_s"].tolist() == pytest.approx(
        [0, 1, 2, 0, 1, 2.4, 0]
    )


@pytest.mark.parametrize("temp_c", [COLD, 122.1, 117.9, BLIND])
def test_a_temperature_outside_the_band_or_not_known_does_not_count(temp_c):
    assert hold([GOOD, temp_c, temp_c, GOOD])["hold_s"].tolist() == [0, 0, 0, 0]
    assert hold([GOOD, temp_c, temp_c, GOOD], temp_needed=0)["hold_s"].tolist() == [0, 1, 2, 3]


def test_the_band_includes_its_edges():
    assert hold([118.0, 122.0, 120.0])["hold_s"].tolist() == [0, 1, 2]


def test_a_pressure_above_the_limit_or_not_known_does_not_count_where_it_is_needed():
    pressure = [50.0, 100.0, 100.5, 50.0, math.nan, 50.0, 50.0]
    limit = {"pressure": pressure, "pressure_limit_pa": 100.0}
    assert hold([GOOD] * 7, pressure_needed=1, **limit)["hold_s"].tolist() == [0, 1, 1, 1, 1, 1, 2]
    assert hold([GOOD] * 7, pressure_needed=0, **limit)["hold_s"].tolist() == [0, 1, 2, 3, 4, 5, 6]


def test_a_second_without_enough_good_samples_counts_only_where_the_ones_around_it_are_near():
    samples = [[50.0] * 4, [50.0] * 4, [], [50.0] * 4]
    assert hold([GOOD] * 4, samples=samples, max_gap_s=1.5)["hold_s"].tolist() == [0, 1, 1, 1]
    assert hold([GOOD] * 4, samples=samples, max_gap_s=2.5)["hold_s"].tolist() == [0, 1, 1, 3]
    # Not where the oven was seen to be cold in that second.
    assert hold([GOOD, GOOD, COLD, GOOD], samples=samples, max_gap_s=2.5)["hold_s"].tolist() == [0, 1, 1, 1]


def test_an_unarmed_second_does_not_count():
    assert hold([GOOD] * 5, armed=0)["hold_s"].tolist() == [0] * 5


@settings(max_examples=80, deadline=None)
@given(seed=SEEDS, n=st.integers(2, 60), data=st.data())
def test_the_hold_clock_never_shows_time_in_which_nothing_was_seen_to_qualify(seed, n, data):
    rng = np.random.default_rng(seed)
    params = random_params(rng, base_g=100.0)
    block = random_block(rng, n, is_code=bool(params["rtd_is_code"][0]))
    edges = sorted({0, n, *data.draw(st.lists(st.integers(1, n - 1), max_size=4))})
    state, parts, armed = layout.new_state(), [], []
    for start, stop in pairwise(edges):
        params = layout.with_params(params, armed=int(rng.random() < 0.7))
        state, rows = kernel.advance(state, params, cut(block, start, stop))
        parts.append(rows)
        armed += [params["armed"][0]] * len(rows)  # a second is closed by what holds when the next one comes
    state, rows = kernel.flush(state, params)
    rows = np.concatenate([*parts, rows])
    armed = np.array([*armed, params["armed"][0]])
    p = params[0]

    in_band = np.abs(rows["temp_c"] - p["hold_temp_c"]) <= p["hold_band_c"] if p["temp_needed"] else np.full(n, True)
    low = rows["pressure_pa"] <= p["pressure_limit_pa"] if p["pressure_needed"] else np.full(n, True)
    enough = (rows["n_ok"] > 0) & (rows["n_ok"] >= rows["n_bad"] + rows["n_spike"])
    may = (armed == 1) & in_band & low
    assert rows["qualified"].tolist() == (may & enough).astype(int).tolist()

    speaks = np.flatnonzero(enough | ~may)  # the others say nothing for or against
    t_s, counts = rows["t_s"][speaks], (may & enough)[speaks]
    most_s = np.where(counts[1:] & counts[:-1] & (np.diff(t_s) <= p["max_gap_s"]), np.diff(t_s), 0.0)
    step_s = np.diff(rows["hold_s"][speaks])
    assert rows["hold_s"][0] == 0.0
    assert np.all(step_s <= most_s + 1e-9)
    silent = np.setdiff1d(np.arange(1, n), speaks)
    assert rows["hold_s"][silent].tolist() == rows["hold_s"][silent - 1].tolist()
    if not p["restart_on_excursion"]:
        assert rows["hold_s"][-1] == pytest.approx(most_s.sum(), abs=1e-9)
