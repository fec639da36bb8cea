"""What a kilopascal does to a zero, from a pump-down: against cells drawn by laws that the fit does not assume."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from calibration.calibration_record import Point, PressureRecord
from calibration.errors import BadFit
from calibration.pressure import fit_pressure

PER_G = 6000.0
GAS = 287.05


def point(code: float, cell_c: float | None) -> Point:
    return Point(
        mass_g=0.0, code=code, u_code=3.0, rising=True, noise_code=20.0, n=60, wall_s=1.78e9, cell_c=cell_c, oven_c=None
    )  # fmt: skip


def pumped(seed: int, g_per_kpa: float, *, read: bool = True) -> PressureRecord:
    """A holder of any volume on a cell that follows the air, not quite in proportion, cools and drifts meanwhile."""
    rng = np.random.default_rng(seed)
    air_hpa, vacuum_hpa = float(rng.uniform(940.0, 1030.0)), float(rng.uniform(1.0, 100.0))
    holder_cm3, bend, drift_g = rng.uniform(1.0, 19.0), rng.uniform(-0.25, 0.25), rng.normal(0.0, 0.004)
    per_k, points = 30.0, []
    for i, hpa in enumerate((air_hpa, vacuum_hpa, air_hpa)):
        cell_c = 25.0 - (0.6 if i == 1 else 0.0)
        rho_g_cm3 = hpa * 100.0 / (GAS * 298.0) / 1000.0
        kpa = hpa / 10.0
        g = g_per_kpa * kpa * (1.0 + bend * (1.0 - kpa / (air_hpa / 10.0))) - rho_g_cm3 * holder_cm3 + drift_g * i
        code = 1e5 + PER_G * g + per_k * (cell_c - 25.0) + 3.0 * rng.standard_normal()
        points.append(point(float(code), cell_c if read else None))
    said = (air_hpa + float(rng.normal(0.0, 5.0)), vacuum_hpa)
    return PressureRecord(
        air_hpa=said[0], vacuum_hpa=said[1], u_hpa=5.0, before=points[0], vacuum=points[1], after=points[2]
    )


@pytest.mark.parametrize("g_per_kpa", [0.0, 0.05, -0.02])
@pytest.mark.parametrize("read", [True, False])
def test_the_coefficient_is_inside_what_is_said_of_it(g_per_kpa: float, read: bool) -> None:
    off = []
    for seed in range(200):
        found = fit_pressure(pumped(seed, g_per_kpa, read=read), PER_G, 30.0, 1.0)
        assert found.u_g_per_kpa < 2e-4 + 0.3 * abs(g_per_kpa), "a tenth of its class's 50 mg at least"
        off.append(abs(found.g_per_kpa - g_per_kpa) / found.u_g_per_kpa)
    assert np.mean(np.array(off) <= 2.0) >= 0.95


def test_a_pressure_that_hardly_fell_is_refused() -> None:
    record = msgspec.structs.replace(pumped(1, 0.0), vacuum_hpa=900.0, air_hpa=1000.0)
    with pytest.raises(BadFit, match="20 kPa"):
        fit_pressure(record, PER_G, 30.0, 1.0)
