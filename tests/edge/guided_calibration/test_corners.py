"""One weight in the middle and near each edge: repeatability and eccentricity are in the certificate and the budget."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from guided_lab import Lab
from msgspec.structs import replace as with_fields

from calibration.calibration_record import Placing, Point
from calibration.certificate import certificate_hash, loads, to_toml
from calibration.errors import BadFit
from calibration.placing import placing_of
from edge.uncertainty.components import put_back_component


def point(code: float, mass_g: float = 200.0) -> Point:
    return Point(mass_g=mass_g, code=code, u_code=0.1, rising=True, noise_code=1.0, n=60, wall_s=0.0)


def test_what_creeps_between_the_placings_is_in_neither_number() -> None:
    edges, creep = (20.0, -50.0, 10.0, 0.0), 3.0
    codes = [20_000.0 + creep * i + (edges[i // 2] if i % 2 else 0.0) for i in range(9)]
    found = placing_of([point(0.0, 0.0), *map(point, codes)])
    per_code_g = 200.0 / (sum(codes[::2]) / 5)
    assert found.eccentricity_g == pytest.approx(50.0 * per_code_g)
    assert found.repeatability_g == pytest.approx(2 * creep / math.sqrt(2.0) * per_code_g), "all that it can be"
    assert (found.repeatability_n, found.weight_g) == (5, 200.0)


def test_the_repeatability_is_that_of_the_placings() -> None:
    rng = np.random.default_rng(1)
    found = [
        placing_of([point(0.0, 0.0), *(point(20_000.0 + float(rng.normal(0.0, 4.0))) for _ in range(9))])
        for _ in range(400)
    ]
    s2 = sum(f.repeatability_g**2 for f in found) / len(found)
    assert math.sqrt(s2) == pytest.approx(4.0 * 200.0 / 20_000.0, rel=0.05)


def test_a_weight_that_was_not_on_the_holder_is_no_corner() -> None:
    with pytest.raises(BadFit, match="does not show"):
        placing_of([point(0.0, 0.0), *(point(1.0) for _ in range(9))])


def test_the_command_finds_what_the_rig_hides_and_the_budget_of_a_sample_put_back_has_it(
    tmp_path: Path,
) -> None:
    lab = Lab(tmp_path)
    lab.done("tare")
    lab.done("span")
    before = lab.certificate
    said = lab.done("corners", "--weight", "200:F1")
    assert "near an edge it differs by " in said.out
    after = lab.certificate
    assert after.recorded
    assert after.placing is not None
    assert 0.0 < after.placing.eccentricity_g < 4 * 1e-4 * 200.0
    assert 0.0 < after.placing.repeatability_g < 4 * 0.002
    assert after.record is not None
    assert placing_of(after.record.placings) == after.placing
    assert loads(to_toml(after)) == after
    measured, assumed = put_back_component(after, 1, 200.0), put_back_component(before, 1, 200.0)
    assert (measured.origin, assumed.origin) == ("certificate", "assumed")
    assert measured.u < assumed.u
    assert put_back_component(after, 1, 100.0).u < measured.u
    assert "give 50 to 500 g" in lab.calibrate("corners", "--weight", "20:F1").line


def test_a_certificate_without_it_keeps_its_hash(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    lab.done("tare")
    lab.done("span")
    plain = lab.certificate
    assert "placing" not in to_toml(plain)
    placing = Placing(weight_g=200.0, repeatability_g=0.002, repeatability_n=5, eccentricity_g=0.02)
    assert certificate_hash(with_fields(plain, placing=placing)) != certificate_hash(plain)
