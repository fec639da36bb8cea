"""A barometer beside the calibration's nights: through the real driver, kept with its minutes, and no condition."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from guided_lab import Lab

from edge.guided_calibration.readings import Readings
from edge.guided_calibration.session import Piece, Series

CONFIG = (
    '[bridge]\nchip = "nau7802"\n[oven_probe]\nwires = 4\nref_ohm = 430\nmains_hz = 50\n'
    "[cell_probe]\nwires = 4\nref_ohm = 430\nmains_hz = 50\nchip_select = 1\n"
)


def lab(folder: Path, more: str = "") -> Lab:
    (folder / "config.toml").write_text(CONFIG + more, encoding="utf-8")
    return Lab(folder, 1, "--config", folder / "config.toml")


def test_each_minute_has_the_pressure_that_the_chip_showed(tmp_path: Path) -> None:
    it = lab(tmp_path, '[barometer]\nchip = "bmp280"\n')
    it.done("tare")
    it.done("temperature", "--hours", "0.5")
    assert it.session.empty is not None
    (piece,) = it.session.empty.pieces
    assert len(piece.air_pa) == len(piece.minutes) == 30
    assert all(pa is not None and 100_900.0 < pa < 101_800.0 for pa in piece.air_pa)
    of, _ = it.session.empty.readings()
    assert of.air_pa is not None
    assert float(np.ptp(of.air_pa)) > 5.0, "the weather moves"


def test_without_one_nothing_is_kept_of_it(tmp_path: Path) -> None:
    it = lab(tmp_path)
    it.done("tare")
    it.done("temperature", "--hours", "0.5")
    assert it.session.empty is not None
    of, _ = it.session.empty.readings()
    assert of.air_pa is None


def minutes(n: int) -> tuple[tuple[float, float, float, float | None, float | None], ...]:
    return tuple((60.0 * i, 1000.0, 10.0, 25.0, 25.0) for i in range(n))


def test_a_night_that_was_gone_on_with_by_an_older_version_is_read_all_the_same() -> None:
    new = Piece(boot_id="a", t0_ns=0, wall_s=1.8e9, minutes=minutes(3), air_pa=(101_000.0, None, 101_010.0))
    old = Piece(boot_id="b", t0_ns=0, wall_s=1.8e9 + 600.0, minutes=minutes(2))
    of, _ = Series(weight=None, pieces=(new, old)).readings()
    assert of.air_pa is not None
    assert [math.isnan(pa) for pa in of.air_pa] == [False, True, False, True, True]


def test_a_part_of_readings_keeps_its_pressure() -> None:
    column = np.arange(5.0)
    of = Readings(column, column, column, column, column, column + 1e5)
    part = of.part(column > 2.0)
    assert part.air_pa is not None
    assert part.air_pa.tolist() == [100_003.0, 100_004.0]
    assert part.t_s.tolist() == [3.0, 4.0]
