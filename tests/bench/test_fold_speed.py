"""The fold beside the same sums in C and in NumPy, in small: the same bits, and no field that C has not heard of."""

from __future__ import annotations

import pytest
from fold_speed import CC, Fold, check_numpy, compiled, differing, hold, not_in_c

from edge.fold import kernel, layout


@pytest.fixture(scope="module")
def in_c(tmp_path_factory: pytest.TempPathFactory) -> Fold:
    if CC is None:
        pytest.skip("there is no C compiler (gcc or cc) to compare with")
    return compiled(tmp_path_factory.mktemp("c"))


def test_each_field_of_the_fold_s_records_has_its_part_in_the_sums_of_c() -> None:
    assert not_in_c() == []


def test_c_gives_the_same_bits_of_random_samples_with_every_kind_of_fault(in_c: Fold) -> None:
    assert differing(in_c, n_cases=50, n_frames=60) == []  # 3000 seconds, about 20 000 samples


def test_a_minute_of_a_hold_is_the_same_in_c_and_numpy(in_c: Fold) -> None:
    params, block = hold(60)
    state, rows = kernel.advance(layout.new_state(), params, block)
    state_c, rows_c = in_c(layout.new_state(), params, block)
    assert (state.tobytes(), rows.tobytes()) == (state_c.tobytes(), rows_c.tobytes())
    check_numpy(params, block, rows)
