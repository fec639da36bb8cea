"""The fold: the same bits for any grouping, only good samples in a mean, and what it cannot work with."""

from __future__ import annotations

import math
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_fold import plain_fold
from random_blocks import columns, cut, digest, fold_all, random_block, random_params, seconds
from repository import HELPERS, RECORDINGS, ROOT

from calibration import iec60751
from calibration.rtdcheck import FULL_SCALE_CODE
from edge.fold import kernel, layout

GLITCHES = RECORDINGS / "glitches-reported.csv"
SEEDS = st.integers(0, 2**32 - 1)


# the same bits


@settings(max_examples=60, deadline=None)
@given(seed=SEEDS, n=st.integers(1, 40), data=st.data())
def test_rows_and_state_are_the_same_bits_for_any_grouping_of_frames(seed, n, data):
    rng = np.random.default_rng(seed)
    params = random_params(rng)
    block = random_block(rng, n, is_code=bool(params["rtd_is_code"][0]))
    cuts = data.draw(st.lists(st.integers(0, n), max_size=8))
    whole = fold_all(params, block)
    for grouping in (cuts, range(1, n)):
        state, rows = fold_all(params, block, grouping, through_bytes=True)
        assert state.tobytes() == whole[0].tobytes()
        assert rows.tobytes() == whole[1].tobytes()
    assert whole[1]["seq"].tolist() == block.seq.tolist()  # one row a frame, none lost


def test_the_given_state_is_left_as_it_was():
    rng = np.random.default_rng(3)
    block = random_block(rng, 30, is_code=False)
    params = random_params(rng, rtd_is_code=0)
    state, _ = kernel.advance(layout.new_state(), params, cut(block, 0, 20))
    before = state.tobytes()
    kernel.advance(state, params, cut(block, 20, 30))
    kernel.flush(state, params)
    assert state.tobytes() == before


def test_without_the_jit_the_bits_are_the_same_and_nothing_warns():
    command = [sys.executable, "-W", "error", str(HELPERS / "random_blocks.py"), "80", "50"]
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert done.stderr == ""
    assert done.stdout.strip() == digest(80, 50)


# an independent reading of the documented sums


@settings(max_examples=60, deadline=None)
@given(seed=SEEDS, n=st.integers(1, 40))
def test_the_rows_are_the_documented_sums_over_good_samples_alone(seed, n):
    rng = np.random.default_rng(seed)
    params = random_params(rng)
    block = random_block(rng, n, is_code=bool(params["rtd_is_code"][0]))
    rows = fold_all(params, block)[1]
    for row, told in zip(rows, plain_fold(params, block), strict=True):
        for name in ("seq", "n_ok", "n_bad", "n_spike", "bad_mask", "qualified"):
            assert row[name] == told[name], name
        for name in ("t_s", "mass_g", "zero_code", "temp_c", "cell_temp_c", "pressure_pa", "hold_s"):
            assert row[name] == pytest.approx(told[name], rel=1e-12, abs=1e-12, nan_ok=True), name
        # A spread, and a difference, are known to the precision of the masses they are made of.
        scale_g = abs(told["mass_g"])
        assert row["sd_g"] == pytest.approx(told["sd_g"], rel=1e-12, abs=1e-12 * scale_g, nan_ok=True)
        assert row["loss_pct"] == pytest.approx(told["loss_pct"], rel=1e-12, abs=1e-9, nan_ok=True)


@settings(max_examples=40, deadline=None)
@given(seed=SEEDS, n=st.integers(1, 30))
def test_what_a_bad_sample_says_changes_no_bit(seed, n):
    rng = np.random.default_rng(seed)
    params = random_params(rng)
    block = random_block(rng, n, is_code=bool(params["rtd_is_code"][0]))
    lies = np.where(block.status == 0, block.code, rng.choice([np.nan, np.inf, 8388607.0, 1e300], len(block.code)))
    slow = {
        name: np.where(getattr(block, f"{name}_status") == 0, getattr(block, name), np.nan)
        for name in ("oven", "cell", "pressure")
    }
    state, rows = fold_all(params, block)
    state_2, rows_2 = fold_all(params, block._replace(code=lies, **slow))
    assert (state.tobytes(), rows.tobytes()) == (state_2.tobytes(), rows_2.tobytes())


# what cannot be worked with


def test_a_reference_of_0_g_gives_no_loss_and_no_crash():
    for values in ({"base_g": 0.0}, {"base_g": 5.0, "reference_g": 0.0}, {"base_is_hold_start": 1, "armed": 1}):
        rows = fold_all(layout.new_params(**values), seconds([[0.0, 0.0, 0.0]] * 3))[1]
        assert np.all(np.isnan(rows["loss_pct"]))
        assert rows["mass_g"].tolist() == [0, 0, 0]


def test_a_span_that_compensation_makes_0_gives_no_mass_and_no_crash():
    params = layout.new_params(cell_source=0, t_ref_c=20.0, span_per_k=-0.1)
    row = fold_all(params, seconds([[5.0] * 4], cell=[30.0]))[1][0]
    assert (row["n_ok"], row["n_bad"]) == (0, 4)


@pytest.mark.parametrize(
    "values",
    [
        {"spam_code_per_g": 1.0},
        {"span_code_per_g": 0.0},
        {"span_code_per_g": math.nan},
        {"oven_r0_ohm": 0.0},
        {"cell_ref_ohm": math.inf},
        {"tare_code": math.nan},
        {"zero_code_per_k": math.inf},
        {"cell_offset_c": math.nan},
        {"cell_per_oven": math.nan},
        {"oven_lead_ohm": math.nan},
        {"gate_code": -1.0},
        {"gate_code": math.nan},
        {"cell_lag_s": -1.0},
        {"hold_band_c": -0.1},
        {"max_gap_s": math.nan},
        {"cell_source": 3},
        {"armed": 2},
        {"armed": 0.5},
        {"restart_on_excursion": -1},
    ],
)
def test_parameters_that_make_no_sense_are_refused_by_name(values):
    (name,) = values
    with pytest.raises(ValueError, match=name):
        layout.new_params(**values)
    params = layout.new_params()
    before = params.tobytes()
    with pytest.raises(ValueError, match=name):
        layout.with_params(params, **values)
    assert params.tobytes() == before


def replaced(**changes):
    return seconds([[1.0, 2.0], [3.0], [4.0, 5.0]], oven=[20.0] * 3)._replace(**changes)


@pytest.mark.parametrize(
    "block",
    [
        replaced(code=np.zeros(5, np.float32)),
        replaced(code=np.zeros(4)),
        replaced(code=np.zeros((5, 1))),
        replaced(status=np.zeros(5, np.int64)),
        replaced(status=np.full(5, 10, np.uint8)),
        replaced(seq=np.array([1.0, 2.0, 3.0])),
        replaced(seq=np.array([1, 2, 2])),
        replaced(seq=np.array([1, 3, 2])),
        replaced(t_s=np.array([0.0, 1.0, 1.0])),
        replaced(t_s=np.array([0.0, math.nan, 2.0])),
        replaced(t_s=np.array([0.0, 1.0])),
        replaced(first=np.array([0, 2, 3])),
        replaced(first=np.array([1, 2, 3, 5])),
        replaced(first=np.array([0, 2, 3, 4])),
        replaced(first=np.array([0, 3, 2, 5])),
        replaced(oven=np.zeros(2)),
        replaced(oven_status=np.zeros(3)),
        replaced(cell=np.zeros(3, np.int64)),
        replaced(pressure=np.zeros(4)),
    ],
)
def test_columns_of_wrong_type_length_or_order_are_refused(block):
    with pytest.raises(ValueError, match="fold"):
        kernel.advance(layout.new_state(), layout.new_params(), block)


def test_state_and_parameters_of_another_kind_are_refused():
    block = replaced()
    for state, params in (
        (np.zeros(2, layout.STATE), layout.new_params()),
        (np.zeros(1, layout.PARAMS), layout.new_params()),
        (layout.new_state(), np.zeros(1, layout.STATE)),
        (layout.new_state()[0], layout.new_params()),
    ):
        with pytest.raises(ValueError, match="fold"):
            kernel.advance(state, params, block)


@pytest.mark.parametrize("flushed", [False, True])
def test_a_frame_before_the_last_one_is_refused(flushed):
    params = layout.new_params()
    state, _ = kernel.advance(layout.new_state(), params, replaced())
    if flushed:
        state, _ = kernel.flush(state, params)
    for seq, t_s in ((3, 5.0), (4, 2.0), (2, 1.0)):
        with pytest.raises(ValueError, match="before"):
            kernel.advance(state, params, columns([seq], [t_s], [[1.0]]))
    kernel.advance(state, params, columns([4], [2.5], [[1.0]]))


def test_no_frames_are_no_rows():
    params, state = layout.new_params(), layout.new_state()
    new, rows = kernel.advance(state, params, cut(replaced(), 1, 1))
    assert (len(rows), new.tobytes()) == (0, state.tobytes())
    assert len(kernel.flush(state, params)[1]) == 0


def test_the_kernel_repeats_the_constants_of_the_thermometers() -> None:
    assert (layout.CVD_A, layout.CVD_B, layout.CVD_C) == (iec60751.A, iec60751.B, iec60751.C)
    assert kernel._RTD_FULL == FULL_SCALE_CODE
