"""The weather on a cell's zero: by its class, or as a calibration under vacuum measured it."""

from __future__ import annotations

import math

import msgspec
import pytest

from edge.simulate.instrument import calibrated
from edge.uncertainty.components import weather_component
from edge.uncertainty.room_pressure import PressureChange
from edge.uncertainty.weather import per_kpa_g
from hw.sim.rig import RigTruth


def test_a_cell_that_was_measured_is_corrected_where_the_pressure_was_read_and_else_is_as_sure_as_it_is() -> None:
    plain = calibrated(RigTruth(), "nau7802", 1)
    own = msgspec.structs.replace(plain.stability, zero_g_per_kpa=0.02, u_zero_g_per_kpa=0.002)
    cert = msgspec.structs.replace(plain, stability=own)
    assert per_kpa_g(plain) == pytest.approx(0.05)
    assert per_kpa_g(cert) == pytest.approx(math.hypot(0.02, 0.002))
    unread, read = weather_component(cert, None), weather_component(cert, PressureChange(1.5, 0.1, "declared"))
    assert (unread.value, unread.origin) == (0.0, "assumed")
    assert unread.u == pytest.approx(per_kpa_g(cert) / math.sqrt(3.0))
    assert read.value == pytest.approx(-0.03), "the zero rose by 30 mg, and hid as much of the loss"
    assert read.u == pytest.approx(math.hypot(0.003, per_kpa_g(cert) * 0.1 / math.sqrt(3.0)))
    assert weather_component(plain, None).u > 2.0 * unread.u


def test_a_barometer_is_surer_than_what_somebody_typed() -> None:
    cert = calibrated(RigTruth(), "nau7802", 1)
    typed, measured = (
        weather_component(cert, PressureChange(0.05, half, how))
        for half, how in ((0.1, "declared"), (0.03, "measured"))
    )
    assert measured.u < typed.u < weather_component(cert, None).u / 5.0
    assert (typed.origin, measured.origin) == ("declared", "measured")
