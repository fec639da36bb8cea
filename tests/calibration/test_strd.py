"""Least squares against the harder of NIST's Statistical Reference Datasets, to their certified digits.

Linear regression, itl.nist.gov/div898/strd (public domain), as ``halfpercent qualify`` ships them. Norris, Longley,
NoInt1, Wampler1 and 2 are in test_leastsquares.py.
"""

from __future__ import annotations

import pytest

from edge.qualify.references import STRD_DIGITS, DataSet, data_sets


@pytest.mark.parametrize("one", data_sets(), ids=lambda one: one.name)
def test_a_data_set_has_its_certified_values(one: DataSet) -> None:
    found = one.fitted()
    assert found.coefficients == pytest.approx(one.coefficients, rel=STRD_DIGITS)
    assert [found.u(i) for i in range(len(one.u))] == pytest.approx(one.u, rel=STRD_DIGITS)
    assert found.residual_sd == pytest.approx(one.residual_sd, rel=STRD_DIGITS)


def test_the_residual_deviations_are_those_of_the_certified_sums_of_squares() -> None:
    certified = {"Pontius": (0.155761768796992e-05, 37), "Filip": (0.795851382172941e-03, 71)}
    for one in data_sets():
        if one.name in certified:
            squares, dof = certified[one.name]
            assert one.residual_sd == pytest.approx((squares / dof) ** 0.5, rel=STRD_DIGITS)
