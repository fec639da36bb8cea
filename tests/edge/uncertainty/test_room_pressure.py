"""What a barometer says of the air around M1 and M2: from raw codes, and only from those that are good."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibration.air import density_kg_m3
from calibration.integrated import Integrated
from calibration.vacuum_gauge import VacuumGauge
from edge.records.barometer import BarometerTold
from edge.records.sample import Air
from edge.records.weighing import Weighing, WeighingKind
from edge.uncertainty.buoyancy import air_around
from edge.uncertainty.room_pressure import BESIDE_S, NOT_READ, declared_change, room_air
from edge.verdict.warnings import air_beside_barometer
from hw.sim.barometer import EXAMPLE_TRIMMING, integer_pa

M1, M2 = (
    Weighing(WeighingKind(which), Integrated(100.0, 1e-3, 50.0, 600, 0, 600), at_s, at_s + 600.0, 23.0, 23.0, math.nan)
    for which, at_s in (("m1", 3_000.0), ("m2", 33_000.0))
)
TEMP = 519_888


def told(at_s: float, pa: float = 101_325.0, status: str = "OK") -> BarometerTold:
    """Get a reading whose code is found by the data sheet's integers, not by what is tested."""
    low, high = 0, (1 << 20) - 1
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if integer_pa(middle, TEMP, EXAMPLE_TRIMMING) > pa else (low, middle)
    return BarometerTold(
        at_s=at_s, chip="bmp280", status=status, pressure_code=low, temp_code=TEMP, trimming=EXAMPLE_TRIMMING.hex()
    )


def night(*pa: float) -> list[BarometerTold]:
    """Get readings every five minutes of a pressure that goes evenly from one value to the next over the night."""
    return [told(at_s, pa[0] + (pa[1] - pa[0]) * (at_s - 3_300.0) / 30_000.0) for at_s in range(0, 34_000, 300)]


def test_a_change_of_the_weather_is_what_was_measured() -> None:
    air = room_air(night(101_325.0, 99_825.0), M1, M2)
    assert air.change is not None
    assert air.change.kpa == pytest.approx(-1.5, abs=0.02)
    assert 0.03 <= air.change.half_kpa < 0.1
    assert (air.change.origin, air.unused) == ("measured", "")
    assert declared_change([Air(1013.25, 23, 50), Air(998.25, 23, 50)]) == replace(
        air.change, kpa=pytest.approx(-1.5), half_kpa=0.1, origin="declared"
    )


@pytest.mark.parametrize(
    ("readings", "says"),
    [
        ([told(3_100.0)], "no pressure at M2"),
        ([told(0.0), told(40_000.0)], "no pressure at M1 and at M2"),
        ([told(3_100.0), told(33_100.0, status="BUS_ERROR")], "no pressure at M2"),
        ([told(3_100.0), told(33_100.0, 9_000.0)], "no pressure at M2"),
        ([told(3_100.0, status="STUCK"), told(33_100.0)], "at M1"),
        ([told(3_100.0, 101_000.0), told(33_100.0, 60_000.0)], "is no weather"),
    ],
)
def test_what_it_does_not_say_of_both_is_not_used(readings: list[BarometerTold], says: str) -> None:
    air = room_air(readings, M1, M2)
    assert air.change is None
    assert says in air.unused


def test_without_a_barometer_nothing_is_said() -> None:
    assert room_air([], M1, M2) == NOT_READ


@given(st.lists(st.tuples(st.floats(0.0, 40_000.0), st.integers(0, (1 << 20) - 1), st.sampled_from(["OK", "FAULT"]))))
def test_whatever_was_read_the_change_is_some_weather_or_none(drawn: list[tuple[float, int, str]]) -> None:
    readings = [
        BarometerTold(at_s=t, chip="bmp280", status=s, pressure_code=c, temp_code=TEMP, trimming=EXAMPLE_TRIMMING.hex())
        for t, c, s in drawn
    ]
    change = room_air(readings, M1, M2).change
    assert change is None or abs(change.kpa) <= 8.0


def test_the_airs_density_is_that_of_the_pressure_that_was_measured() -> None:
    around = air_around(M1, M2, (), None, room_air(night(95_000.0, 94_000.0), M1, M2))
    assert around.m1_g_cm3 == pytest.approx(density_kg_m3(23.0, 95_000.0, 50.0) / 1e3, rel=1e-4)
    assert (around.origin, around.change_origin, around.differs) == ("measured", "measured", "")
    assert around.u_m1 < 0.01 * around.m1_g_cm3
    assert -1.1 < around.change_g_cm3 / around.m1_g_cm3 * 100.0 < -0.5, "weighted against the weather's 2 %"
    assert around.u_change < air_around(M1, M2).u_change
    masses = [replace(w, temp_c=math.nan) for w in (M1, M2)]
    assert "23 °C assumed" in air_around(*masses, (), None, room_air(night(95_000.0, 94_000.0), M1, M2)).why


def test_a_gauge_that_sees_a_vacuum_is_believed_and_one_that_sees_air_is_finer_with_the_barometer() -> None:
    room = room_air(night(95_000.0, 95_000.0), M1, M2)
    mprls = VacuumGauge(gauge="mprls")
    pumped = [replace(w, pressure_pa=50.0) for w in (M1, M2)]
    assert air_around(*pumped, (), mprls, room).m1_g_cm3 < 1e-6
    open_ = [replace(w, pressure_pa=96_000.0) for w in (M1, M2)]
    fine, coarse = air_around(*open_, (), mprls, room), air_around(*open_, (), mprls)
    assert fine.u_m1 < 0.6 * coarse.u_m1
    half = [replace(w, pressure_pa=70_000.0) for w in (M1, M2)]
    assert air_around(*half, (), mprls, room).m1_g_cm3 == air_around(*half, (), mprls).m1_g_cm3, "not open to the room"


def test_a_pressure_at_the_sea_that_somebody_declared_is_said_to_be_none_of_the_room_s() -> None:
    room = room_air(night(95_500.0, 95_400.0), M1, M2)
    (line,) = air_beside_barometer(room, [Air(1013.25, 23.0, 50.0)])
    assert "1013.25 hPa was declared, the barometer measured 955 hPa" in line
    assert air_beside_barometer(room, [Air(956.0, 23.0, 50.0)]) == []
    assert air_beside_barometer(room, []) == air_beside_barometer(NOT_READ, [Air(1013.25, 23.0, 50.0)]) == []


def test_readings_are_written_often_enough_for_every_weighing() -> None:
    from edge.station.barometer_watch import WRITTEN_EVERY_S

    assert WRITTEN_EVERY_S < BESIDE_S
