"""The weather on a cell's zero: by its class, or as a calibration under vacuum measured it."""

from __future__ import annotations

import math
from dataclasses import replace

import msgspec
import pytest

from calibration.allan import Integrated
from edge.records.weighing import Weighing, WeighingKind
from edge.simulate.instrument import calibrated
from edge.uncertainty.components import weather_component
from edge.uncertainty.weather import per_kpa_g
from edge.uncertainty.weighed import Weighed
from hw.sim.rig import RigTruth

M1, M2 = (
    Weighing(WeighingKind(which), Integrated(g, 1e-3, 50.0, 600, 0, 600), at_s, at_s + 600.0, 25.0, 25.0, math.nan)
    for which, g, at_s in (("m1", 200.0, 0.0), ("m2", 199.0, 30_000.0))
)


def test_a_cell_that_was_measured_is_corrected_where_the_pressure_was_read_and_else_is_as_sure_as_it_is() -> None:
    plain = calibrated(RigTruth(), "nau7802", 1)
    own = msgspec.structs.replace(plain.stability, zero_g_per_kpa=0.02, u_zero_g_per_kpa=0.002)
    cert = msgspec.structs.replace(plain, stability=own)
    weighed = Weighed(M1, M2, M1, certificate=cert)
    assert per_kpa_g(plain) == pytest.approx(0.05)
    assert per_kpa_g(cert) == pytest.approx(math.hypot(0.02, 0.002))
    unread, read = weather_component(cert, weighed, None), weather_component(cert, weighed, 1.5)
    assert (unread.value, unread.origin) == (0.0, "assumed")
    assert unread.u == pytest.approx(per_kpa_g(cert) / math.sqrt(3.0))
    assert read.value == pytest.approx(-0.03), "the zero rose by 30 mg, and hid as much of the loss"
    assert read.u == pytest.approx(math.hypot(0.003, per_kpa_g(cert) * 0.1 / math.sqrt(3.0)))
    assert weather_component(plain, replace(weighed, certificate=plain), None).u > 2.0 * unread.u
