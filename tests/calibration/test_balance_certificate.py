"""A balance's certificate: EURAMET cg-18's worked example to its digits, USP's minimum weight, files and refusals.

The example is that of cg-18 version 4.0, appendix H1, the point of 100 g (a balance of 220 g and 0.1 mg, weights of
class E2, buoyancy by 7.1.2-5d): E = 0.7 mg, u(E) = 0.900 mg, 15 538 degrees of freedom, U(E) = 1.80 mg. The guide
itself could not be had here; the figures are those that a public calibration program cites from its table. USP 41: with
s below 0.41 d the minimum weight for 0.10 % is 820 d.
"""

from __future__ import annotations

import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibration.balance_certificate import (
    BalanceCertificate,
    balance_hash,
    balance_toml,
    loads_balance,
    minimum_weight_g,
    minimum_weight_in_use_g,
    parts_in_use,
    u_buoyancy_rel,
    u_eccentricity_g,
    u_in_use_g,
)
from calibration.errors import BadCertificate
from calibration.propagation import Input, first_order
from calibration.weights import mpe_g

HEAD = """
name = "B1"
model = "XS 220"
serial = "B-0042"
calibrated_by = "A calibration laboratory"
calibrated_on = 2026-03-01
valid_until = 2027-03-01
capacity_g = 220.0
digit_g = 0.0001
"""
PARTS = "[repeatability]\ns_g = 0.000114\nn = 5\n[eccentricity]\nlargest_g = 0.0002\nat_g = 100.0\n"
IN_USE = "[in_use]\nalpha_g = 0.0006\nbeta = 1e-5\nk = 2.0\n"


def test_the_worked_example_of_cg_18_h1_at_100_g_comes_out_to_its_digits() -> None:
    read = [100.0006, 100.0003, 100.0005, 100.0004, 100.0005]
    indicated, reference = read[0], 99.9999
    nominal = 100.0
    u = {
        "repeatability": (statistics.stdev(read), len(read) - 1.0),
        "zero": (0.0001 / math.sqrt(12.0), math.inf),
        "load": (0.0001 / math.sqrt(12.0), math.inf),
        "eccentricity": (u_eccentricity_g(indicated, 0.0002, 100.0), math.inf),
        "weight": (0.00005 / 2.0, math.inf),
        "buoyancy": (nominal * u_buoyancy_rel(mpe_g(nominal, "E2"), nominal), math.inf),
        "drift": (0.000036, math.inf),
    }
    found = first_order(
        lambda x: indicated - reference - sum(x[name] for name in u),
        [Input(name, 0.0, each, "normal", dof) for name, (each, dof) in u.items()],
    )
    assert u["repeatability"][0] == pytest.approx(0.000114, abs=5e-7)
    assert u["buoyancy"][0] == pytest.approx(0.000889, abs=5e-7)
    assert found.y == pytest.approx(0.0007, abs=1e-9)
    assert found.u == pytest.approx(0.000900, abs=5e-7)
    assert found.dof == pytest.approx(15538.0, rel=2e-3)
    assert 2.0 * found.u == pytest.approx(0.00180, abs=5e-6)


def test_the_parts_of_a_certificate_are_those_of_the_example() -> None:
    certificate = loads_balance(HEAD + PARTS)
    parts = {p.name: p.u_g for p in parts_in_use(certificate, 100.0006)}
    assert parts["repeatability"] == 0.000114
    assert parts["rounding"] == pytest.approx(math.sqrt(2.0) * 0.0001 / math.sqrt(12.0))
    assert parts["eccentricity"] == pytest.approx(0.0000577, abs=1e-7)
    assert u_in_use_g(certificate, 100.0006) == pytest.approx(math.sqrt(sum(u * u for u in parts.values())))


def test_usp_41_asks_for_820_scale_intervals_where_a_balance_repeats_better_than_it_shows() -> None:
    d = 0.0001
    assert minimum_weight_g(0.41 * d, 0.0, 2.0, 0.001, 1.0) == pytest.approx(820.0 * d)
    exact = loads_balance(HEAD + "[repeatability]\ns_g = 0.0\nn = 10\n")
    assert parts_in_use(exact, 1.0)[0].u_g == pytest.approx(0.41 * d)


def test_a_minimum_weight_has_its_safety_factor_and_there_may_be_none() -> None:
    certificate = loads_balance(HEAD + IN_USE)
    once, twice = (minimum_weight_in_use_g(certificate, 0.001, safety) for safety in (1.0, 2.0))
    assert once == pytest.approx(minimum_weight_g(0.0003, 0.5e-5, 2.0, 0.001, 1.0), rel=2e-4)
    assert twice == pytest.approx(minimum_weight_g(0.0003, 0.5e-5, 2.0, 0.001, 2.0), rel=2e-4)
    assert minimum_weight_in_use_g(certificate, 1e-6, 1.0) is None
    assert minimum_weight_g(0.0003, 0.5e-5, 2.0, 1e-6, 1.0) is None


@given(st.floats(1e-3, 200.0), st.floats(1e-3, 200.0))
def test_the_uncertainty_in_use_never_falls_with_the_mass(a_g: float, b_g: float) -> None:
    table = "[[points]]\nmass_g = 1.0\nU_g = 0.0004\n[[points]]\nmass_g = 200.0\nU_g = 0.002\n"
    for more in (PARTS, IN_USE, table):
        certificate = loads_balance(HEAD + more)
        low, high = sorted((a_g, b_g))
        assert u_in_use_g(certificate, low) <= u_in_use_g(certificate, high) * (1.0 + 1e-12)


def test_a_table_is_read_between_its_points() -> None:
    table = "[[points]]\nmass_g = 100.0\nU_g = 0.001\n[[points]]\nmass_g = 200.0\nU_g = 0.002\n"
    certificate = loads_balance(HEAD + table)
    assert [u_in_use_g(certificate, m) for m in (50.0, 100.0, 150.0, 200.0, 220.0)] == pytest.approx(
        [0.0005, 0.0005, 0.00075, 0.001, 0.0011]
    )


@pytest.mark.parametrize("more", [PARTS, IN_USE, "[[points]]\nmass_g = 100.0\nU_g = 0.001\n"])
def test_a_certificate_written_is_the_one_that_was_read(more: str) -> None:
    certificate = loads_balance(HEAD + more)
    assert loads_balance(balance_toml(certificate)) == certificate
    assert balance_hash(loads_balance("# a remark\n" + balance_toml(certificate))) == balance_hash(certificate)
    other = loads_balance((HEAD + more).replace("B-0042", "B-0043"))
    assert balance_hash(other) != balance_hash(certificate)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HEAD, "what is it good for? Give in_use"),
        (HEAD.replace("digit_g = 0.0001", "digit_g = 10.0") + IN_USE, "more than a hundredth of capacity_g"),
        (HEAD.replace("2027", "2025") + IN_USE, "valid_until 2025-03-01 is before calibrated_on"),
        (HEAD + IN_USE.replace("1e-5", "0.5"), "in_use.beta = 0.5: give a relative number, 0 to 0.01"),
        (HEAD + IN_USE.replace("alpha_g", "alfa_g"), "did you mean alpha_g?"),
        (HEAD + "[[points]]\nmass_g = 2.0\nU_g = 0.1\n" * 2, "the masses must rise"),
        (HEAD.replace('"B1"', '"B\u202e1"') + IN_USE, "name:"),
    ],
)
def test_a_mistake_is_one_line_that_says_what_would_be_right(text: str, said: str) -> None:
    with pytest.raises(BadCertificate) as caught:
        loads_balance(text, "b1.toml")
    assert str(caught.value).startswith("b1.toml: ")
    assert said in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_a_balance_is_a_record_without_defaults_for_what_it_is_good_for() -> None:
    assert not loads_balance(HEAD + IN_USE).is_simulated
    assert isinstance(loads_balance(HEAD + IN_USE), BalanceCertificate)
