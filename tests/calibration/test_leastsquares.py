"""Least squares against certified values: NIST StRD, and the straight line of GUM H.3."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibration.errors import BadFit
from calibration.leastsquares import fit, fit_polynomial

# NIST Statistical Reference Datasets, linear regression (itl.nist.gov/div898/strd)
NORRIS_X = [0.2, 337.4, 118.2, 884.6, 10.1, 226.5, 666.3, 996.3, 448.6, 777.0, 558.2, 0.4, 0.6, 775.5, 666.9, 338.0,
            447.5, 11.6, 556.0, 228.1, 995.8, 887.6, 120.2, 0.3, 0.3, 556.8, 339.1, 887.2, 999.0, 779.0, 11.1, 118.3,
            229.2, 669.1, 448.9, 0.5]  # fmt: skip
NORRIS_Y = [0.1, 338.8, 118.1, 888.0, 9.2, 228.1, 668.5, 998.5, 449.1, 778.9, 559.2, 0.3, 0.1, 778.1, 668.8, 339.3,
            448.9, 10.8, 557.7, 228.3, 998.0, 888.8, 119.6, 0.3, 0.6, 557.6, 339.3, 888.0, 998.5, 778.9, 10.2, 117.6,
            228.9, 668.4, 449.2, 0.2]  # fmt: skip
LONGLEY = [
    (60323, 83.0, 234289, 2356, 1590, 107608, 1947),
    (61122, 88.5, 259426, 2325, 1456, 108632, 1948),
    (60171, 88.2, 258054, 3682, 1616, 109773, 1949),
    (61187, 89.5, 284599, 3351, 1650, 110929, 1950),
    (63221, 96.2, 328975, 2099, 3099, 112075, 1951),
    (63639, 98.1, 346999, 1932, 3594, 113270, 1952),
    (64989, 99.0, 365385, 1870, 3547, 115094, 1953),
    (63761, 100.0, 363112, 3578, 3350, 116219, 1954),
    (66019, 101.2, 397469, 2904, 3048, 117388, 1955),
    (67857, 104.6, 419180, 2822, 2857, 118734, 1956),
    (68169, 108.4, 442769, 2936, 2798, 120445, 1957),
    (66513, 110.8, 444546, 4681, 2637, 121950, 1958),
    (68655, 112.6, 482704, 3813, 2552, 123366, 1959),
    (69564, 114.2, 502601, 3931, 2514, 125368, 1960),
    (69331, 115.7, 518173, 4806, 2572, 127852, 1961),
    (70551, 116.9, 554894, 4007, 2827, 130081, 1962),
]


def test_norris() -> None:
    f = fit_polynomial(NORRIS_X, NORRIS_Y, 1)
    assert f.coefficients == pytest.approx((-0.262323073774029, 1.00211681802045), rel=1e-13)
    assert (f.u(0), f.u(1)) == pytest.approx((0.232818234301152, 0.429796848199937e-03), rel=1e-13)
    assert f.residual_sd == pytest.approx(0.884796396144373, rel=1e-13)


def test_longley() -> None:
    f = fit([[1.0, *row[1:]] for row in LONGLEY], [float(row[0]) for row in LONGLEY])
    assert f.coefficients == pytest.approx(
        (-3482258.63459582, 15.0618722713733, -0.358191792925910e-01, -2.02022980381683, -1.03322686717359,
         -0.511041056535807e-01, 1829.15146461355), rel=1e-13)  # fmt: skip
    assert f.u(0) == pytest.approx(890420.383607373, rel=1e-13)
    assert f.residual_sd == pytest.approx(304.854073561965, rel=1e-13)


def test_no_intercept_1() -> None:
    x = [float(v) for v in range(60, 71)]
    f = fit([[v] for v in x], [v + 70.0 for v in x])
    assert f.coefficients == pytest.approx((2.07438016528926,), rel=1e-13)
    assert f.u(0) == pytest.approx(0.165289256198347e-01, rel=1e-13)
    assert f.residual_sd == pytest.approx(3.56753034006338, rel=1e-13)


@pytest.mark.parametrize("base", [1.0, 0.1])
def test_wampler_1_and_2(base: float) -> None:
    # y = Σ (base·x)^i, i = 0 … 5, x = 0 … 20; certified: coefficients base^i, standard deviations 0
    y = [math.fsum(round(base**i, 5) * x**i for i in range(6)) for x in range(21)]
    f = fit_polynomial([float(x) for x in range(21)], [round(v, 5) for v in y], 5)
    assert f.coefficients == pytest.approx([base**i for i in range(6)], rel=1e-12)
    assert f.residual_sd == 0.0


# JCGM 100:2008, H.3: readings t and corrections b of a thermometer
H3_T = [21.521, 22.012, 22.512, 23.003, 23.507, 23.999, 24.513, 25.002, 25.503, 26.010, 26.511]
H3_B = [-0.171, -0.169, -0.166, -0.159, -0.164, -0.165, -0.156, -0.157, -0.159, -0.161, -0.160]


def test_gum_h3() -> None:
    f = fit_polynomial([t - 20.0 for t in H3_T], H3_B, 1)
    assert f.coefficients == pytest.approx((-0.1712, 0.00218), abs=5e-5)
    assert f.coefficients[1] == pytest.approx(0.00218, abs=5e-6)
    assert f.u(0) == pytest.approx(0.0029, abs=5e-5)
    assert f.u(1) == pytest.approx(0.00067, abs=5e-6)
    assert f.correlation(0, 1) == pytest.approx(-0.930, abs=5e-4)
    assert f.residual_sd == pytest.approx(0.0035, abs=5e-5)
    at_30 = f.coefficients[0] + 10.0 * f.coefficients[1]
    u = math.sqrt(f.u(0) ** 2 + 100.0 * f.u(1) ** 2 + 20.0 * f.covariance[0][1])
    assert at_30 == pytest.approx(-0.1494, abs=5e-5)
    assert u == pytest.approx(0.0041, abs=5e-5)


def test_stated_uncertainties_weigh_the_points() -> None:
    # two values of one thing: the weighted mean and its uncertainty, by hand
    f = fit([[1.0], [1.0]], [10.0, 13.0], [1.0, 2.0])
    assert f.coefficients[0] == pytest.approx((10.0 / 1.0 + 13.0 / 4.0) / 1.25)
    assert f.u(0) == pytest.approx(1.0 / math.sqrt(1.25))


def test_scatter_beyond_the_stated_uncertainties_widens_the_result() -> None:
    x, y, u = [0.0, 1.0, 2.0, 3.0], [0.0, 1.5, 1.5, 3.0], [0.01] * 4
    assert fit_polynomial(x, y, 1, u, scatter=True).u(1) > 10.0 * fit_polynomial(x, y, 1, u).u(1)


@given(
    b=st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)),
    x=st.lists(st.integers(-1000, 1000), min_size=3, max_size=12, unique=True),
)
def test_a_straight_line_is_found_again(b: tuple[float, float], x: list[int]) -> None:
    y = [b[0] + b[1] * v for v in x]
    f = fit_polynomial([float(v) for v in x], y, 1)
    size = abs(b[0]) + 1000.0 * abs(b[1])
    assert f.coefficients == pytest.approx(b, abs=1e-11 * size + 1e-300)


@pytest.mark.parametrize(
    ("x", "y", "u"),
    [
        ([1.0], [1.0], None),
        ([1.0, 1.0, 1.0], [1.0, 2.0, 3.0], None),
        ([1.0, 2.0, math.nan], [1.0, 2.0, 3.0], None),
        ([1.0, 2.0, 3.0], [1.0, math.inf, 3.0], None),
        ([1.0, 2.0, 3.0], [1.0, 2.0, 3.0], [1.0, 0.0, 1.0]),
        ([1.0, 2.0, 3.0], [1.0, 2.0], None),
    ],
)
def test_what_cannot_be_fitted_is_refused(x: list[float], y: list[float], u: list[float] | None) -> None:
    with pytest.raises(BadFit):
        fit_polynomial(x, y, 1, u)
