"""The budget: GUM's published figures for k and νeff, and that every component does what its name says."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from loss_inputs import budget_of

from calibration.certificate import Certificate
from calibration.integrated import Integrated
from edge.records.weighing import Weighing, WeighingKind
from edge.simulate.instrument import calibrated
from edge.uncertainty.budget import combine, coverage_factor
from edge.uncertainty.components import Component
from hw.sim.rig import RigTruth


@pytest.mark.parametrize(
    ("dof", "k"),  # JCGM 100:2008, table G.2, column p = 95.45 %
    [(1, 13.97), (2, 4.53), (3, 3.31), (5, 2.65), (10, 2.28), (20, 2.13), (50, 2.05), (100, 2.025), (math.inf, 2.000)],
)
def test_coverage_factor_of_gum_table_g2(dof: float, k: float) -> None:
    assert coverage_factor(0.9545, dof) == pytest.approx(k, abs=0.0051)


def weighing(which: str, mean: float, u: float = 1e-4, cell_c: float = 25.0, dof: float = 50.0) -> Weighing:
    return Weighing(WeighingKind(which), Integrated(mean, u, dof, 100, 0, 600), 0.0, 99.0, 25.0, cell_c, math.nan)


def certificate() -> Certificate:
    return calibrated(RigTruth(), "nau7802", 1)


def loss(m1: Weighing, m2: Weighing, cert: Certificate | None = None, **other: float) -> float:
    return budget_of(m1, m2, m1, coverage=0.9545, certificate=cert, **other).u_pct  # type: ignore[arg-type]  # by name


def test_the_loss_is_relative_to_m1() -> None:
    b = budget_of(
        weighing("m1", 200.0), weighing("m2", 199.0), weighing("m1", 200.0), coverage=0.9545, certificate=None
    )
    assert b.loss_pct == pytest.approx(0.5, rel=1e-12)


def test_noise_propagates_by_the_derivatives_of_the_loss() -> None:
    m1, m2 = weighing("m1", 100.0, u=0.01), weighing("m2", 90.0, u=0.02)
    b = budget_of(m1, m2, m1, coverage=0.9545, certificate=None)
    d = 1e-6
    by_m1 = ((100.0 + d - 90.0) / (100.0 + d) - 0.1) * 100.0 / d  # numerically, independent of the code
    by_m2 = ((100.0 - 90.0 - d) / 100.0 - 0.1) * 100.0 / d
    found = {c.name: c.contribution_pct for c in b.components}
    assert found["noise of M1"] == pytest.approx(abs(by_m1) * 0.01, rel=1e-4)
    assert found["noise of M2"] == pytest.approx(abs(by_m2) * 0.02, rel=1e-4)


def test_every_component_of_the_issue_is_there_with_where_it_came_from() -> None:
    b = budget_of(
        weighing("m1", 200.0),
        weighing("m2", 199.0),
        weighing("m1", 200.0),
        coverage=0.9545,
        certificate=certificate(),
        tare=weighing("tare", 300_000.0, u=2.0),
    )
    names = {c.name for c in b.components}
    assert {"noise of M1", "noise of M2", "tare", "zero drift", "creep", "span", "linearity"} <= names
    assert {"zero temperature coefficient", "span temperature coefficient", "cell temperature"} <= names
    assert {"air density", "change of the air's density", "specific volume of the sample"} <= names
    assert "volume of the holder" in names
    assert all(c.origin in ("measured", "certificate", "declared", "assumed") and c.why for c in b.components)


def test_tare_and_span_hardly_matter_because_they_divide_out() -> None:
    u_tare, c1, c2, zero = 50.0, 1_171_800.0, 1_167_500.0, 312_800.0

    def w(tare: float) -> float:
        return ((c1 - tare) - (c2 - tare)) / (c1 - tare) * 100.0

    by_hand = abs(w(zero + u_tare) - w(zero - u_tare)) / 2.0
    cert = certificate()
    s = cert.span.counts_per_g
    m1, m2 = weighing("m1", (c1 - zero) / s), weighing("m2", (c2 - zero) / s)
    b = budget_of(m1, m2, m1, coverage=0.9545, certificate=cert, tare=weighing("tare", zero, u=u_tare))
    found = {c.name: c.contribution_pct for c in b.components}
    assert found["tare"] == pytest.approx(by_hand, rel=1e-3)
    assert found["span"] == pytest.approx(0.0, abs=1e-9)


def test_a_cell_that_is_not_as_cold_as_at_m1_costs_certainty() -> None:
    cert = certificate()
    same = loss(weighing("m1", 200.0), weighing("m2", 199.0), cert)
    warm = loss(weighing("m1", 200.0), weighing("m2", 199.0, cell_c=30.0), cert)
    unknown = loss(weighing("m1", 200.0), weighing("m2", 199.0, cell_c=math.nan), cert)
    assert same < warm < unknown


def test_both_methods_are_there_and_agree_where_the_model_is_nearly_linear() -> None:
    m1, m2 = weighing("m1", 200.0), weighing("m2", 199.0)
    b = budget_of(m1, m2, m1, coverage=0.9545, certificate=certificate())
    assert b.simulated is not None
    assert b.simulated.stable
    assert b.simulated.u == pytest.approx(b.first_order_u_pct, rel=0.02)
    assert b.simulated.y == pytest.approx(b.loss_pct, abs=0.01 * b.u_pct)
    assert b.expanded_pct >= b.first_order_expanded_pct


def test_the_wider_method_is_used_where_they_disagree() -> None:
    # a sample of which nearly nothing is known, in air of which nearly nothing is known: a product of two inputs
    # whose estimates are zero, which first order cannot see (JCGM 101, 9.3)
    def model(x: Mapping[str, Any]) -> Any:
        return 0.2 + x["a"] * x["b"] + x["c"]

    lines = [
        Component("a", 0.0, 1.0, "1", 0.0, "assumed", "", "normal"),
        Component("b", 0.0, 1.0, "1", 0.0, "assumed", "", "normal"),
        Component("c", 0.0, 0.1, "1", 0.0, "assumed", "", "normal"),
    ]
    b = combine(model, lines, 0.9545, 1)
    assert b.first_order_u_pct == pytest.approx(0.1, rel=1e-9)
    assert b.method == "Monte Carlo"
    assert b.u_pct == pytest.approx(math.sqrt(1.01), rel=0.02)


@settings(deadline=None, max_examples=15)
@given(
    scale=st.floats(1.01, 10.0),
    name=st.sampled_from(["zero_drift_g", "creep_pct_fs"]),
)
def test_more_drift_never_makes_the_result_more_certain(scale: float, name: str) -> None:
    cert = certificate()
    worse = msgspec.structs.replace(
        cert, stability=msgspec.structs.replace(cert.stability, **{name: getattr(cert.stability, name) * scale})
    )
    m1, m2 = weighing("m1", 200.0), weighing("m2", 199.0)
    assert loss(m1, m2, worse) > loss(m1, m2, cert)


def test_a_certificate_of_the_rig_is_off_by_about_what_it_states() -> None:
    """The simulated calibration draws its errors: over many rigs their spread is the stated uncertainty."""
    truth = RigTruth()
    per_g = truth.cell.ratio_at_capacity / truth.cell.capacity_g * 128 * 2.0 * 2.0**23
    certs = [calibrated(truth, "nau7802", seed) for seed in range(400)]
    off = [(c.span.counts_per_g - per_g) / c.span.u_counts_per_g for c in certs]
    mean = math.fsum(off) / len(off)
    sd = math.sqrt(math.fsum((x - mean) ** 2 for x in off) / (len(off) - 1))
    assert abs(mean) < 4.0 / math.sqrt(len(off))
    assert sd == pytest.approx(1.0, abs=0.15)  # four standard deviations of a standard deviation of 400
