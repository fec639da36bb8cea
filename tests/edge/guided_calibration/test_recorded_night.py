"""A recorded night as the calibration: a dead load on a bad mount gives coefficient and lag, and no sure verdict."""

from __future__ import annotations

import datetime as dt
import json
import math
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from scipy.signal import lfilter

from calibration.calibration_record import Point, Weight
from calibration.certificate import BridgeChip, Cell, Rtd, load_certificate
from edge.cli.main import cli
from edge.errors import HalfpercentError
from edge.guided_calibration.session import Session, plan, save_session, session_path

PER_K_G, LAG_S, LOAD_G = -18.0, 1500.0, 22_000.0
PER_G = 35.0
RTD = Rtd(ref_ohm=430.0, r0_ohm=100.0, lead_ohm=0.0, wires=4, tolerance_class="B", u_temp_c=0.0)


def dead_load(seed: int, hours: float = 14.0, every_s: int = 120) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A load that nobody touches: time, air and indication in g; from 20 °C up to 38 °C and back, in 10 s steps.

    Nothing of it is the software's: the air has a memory of its own, the cell follows it, the zero walks.
    """
    rng, n = np.random.default_rng(seed), int(hours * 360)
    h = np.arange(n) / 360.0
    air = 20.0 + 18.0 * np.exp(-(((h - rng.uniform(0.35, 0.6) * hours) / (hours / 6.0)) ** 2))
    keeps = math.exp(-10.0 / 900.0)
    air = air + 0.4 * lfilter([1.0], [1.0, -keeps], rng.standard_normal(n) * math.sqrt(1.0 - keeps * keeps))
    left = math.exp(-10.0 / LAG_S)
    cell = lfilter([1.0 - left], [1.0, -left], air, zi=[left * float(rng.uniform(19.0, 21.0))])[0]
    walk = np.cumsum(rng.standard_normal(n)) * 2.0 / math.sqrt(360.0)
    shown = LOAD_G + PER_K_G * (cell - 25.0) + walk + rng.standard_normal(n)
    at = np.arange(0, n, every_s // 10)
    return h[at] * 3600.0, np.round(air[at] + 0.05 * rng.standard_normal(len(at)), 2), np.round(shown[at])


def write(path: Path, header: str, *columns: np.ndarray) -> Path:
    rows = "\n".join(",".join(f"{v:.10g}" for v in row) for row in zip(*columns, strict=True))
    path.write_text(f"{header}\n{rows}\n", encoding="utf-8")
    return path


def command(*args: object) -> tuple[int, str]:
    ran = CliRunner().invoke(cli, [str(a) for a in args])
    refused = isinstance(ran.exception, HalfpercentError)  # `main` makes one line of it
    return ran.exit_code, f"{ran.output}{ran.exception}" if refused else ran.output


@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5, 6])
def test_a_dead_load_on_a_bad_mount_gives_coefficient_and_lag_within_three_u(tmp_path: Path, seed: int) -> None:
    t_s, air_c, mass_g = dead_load(seed)
    file = write(tmp_path / "night.csv", "t_s,mass_g,temp_c", t_s, mass_g, air_c)
    code, out = command("calibrate", "temperature", "--from", file, "--db", tmp_path / "h.db", "--json")
    assert code == 0, out
    found = json.loads(out)
    assert abs(found["zero_per_k"] - PER_K_G) <= 3.0 * found["u_zero_per_k"]
    assert abs(found["lag_s"] - LAG_S) <= 3.0 * found["u_lag_s"]
    assert found["u_zero_per_k"] < 1.5
    assert found["u_lag_s"] < 400.0
    assert found["unit"] == "g"
    assert found["certificate"] is None
    assert list(tmp_path.iterdir()) == [file], "nothing is kept of what is no calibration's"


def test_it_is_told_in_words_and_gives_no_confident_verdict(tmp_path: Path) -> None:
    t_s, air_c, mass_g = dead_load(1)
    file = write(tmp_path / "night.csv", "t_s,mass_g,temp_c", t_s, mass_g, air_c)
    code, out = command("calibrate", "temperature", "--from", file, "--db", tmp_path / "h.db")
    assert code == 0
    assert "g per K, of zero and load together" in out
    assert "s behind the recorded temperature" in out
    assert "it holds grams" in out
    code, out = command("replay", file, "--json")
    assert json.loads(out)["verdict"] in ("INVALID", "INCONCLUSIVE")


def begun(folder: Path, cell_rtd: Rtd | None = None) -> Path:
    """A calibration whose span is done, in grams of load and ``PER_G`` codes each."""
    weights = tuple(Weight(mass_g=g, u_mass_g=0.5, stated="u") for g in (5000.0, 10_000.0, 20_000.0))
    points = tuple(
        Point(
            mass_g=mass_g, code=1000.0 + PER_G * mass_g * (1.0 - 1.2 / 7950.0), u_code=2.0, rising=rising,
            noise_code=30.0, n=60, wall_s=1.78e9, piece=0, cell_c=25.0, oven_c=25.0,
        )
        for mass_g, rising in plan(weights)
    )  # fmt: skip
    session = Session(
        name="cell",
        made_by="Ada",
        begun=dt.datetime.now(dt.UTC).date(),
        cell=Cell(capacity_g=50_000.0, serial="P-1"),
        bridge=BridgeChip(chip="hx711", gain=128),
        oven_rtd=RTD,
        cell_rtd=cell_rtd,
        tare=points[0],
        weights=weights,
        points=points,
    )
    path = session_path(folder, "cell")
    save_session(path, session)
    return path


def test_codes_become_the_night_of_a_calibration_that_was_begun(tmp_path: Path) -> None:
    begun(tmp_path)
    t_s, air_c, mass_g = dead_load(2)
    empty_code = 1000.0 + PER_G * (mass_g - LOAD_G)  # the same mount, with nothing on it
    file = write(tmp_path / "empty.csv", "t_s,counts,temp_c", t_s, np.round(empty_code), air_c)
    code, out = command("calibrate", "temperature", "--from", file, "--db", tmp_path / "h.db", "--json")
    assert code == 0, out
    certificate = load_certificate(json.loads(out)["certificate"])
    t = certificate.temperature
    assert t.cell_source == "oven_lag"
    assert t.lag_s is not None
    assert t.lag_s == pytest.approx(LAG_S, rel=0.25)
    assert abs(t.zero_counts_per_k - PER_G * PER_K_G) <= 3.0 * t.u_zero_counts_per_k
    assert certificate.record is not None
    assert any("it is the mount's" in line for line in certificate.record.assumed)
    assert certificate.stability.zero_walk_g == pytest.approx(2.0, rel=0.6)


def test_what_it_cannot_be_is_one_line(tmp_path: Path) -> None:
    t_s, air_c, mass_g = dead_load(3)
    short = write(tmp_path / "short.csv", "t_s,mass_g,temp_c", t_s[:20], mass_g[:20], air_c[:20])
    even = write(tmp_path / "even.csv", "t_s,mass_g,temp_c", t_s, mass_g, np.full(len(t_s), 22.0))
    no_cell = write(tmp_path / "no_cell.csv", "t_s,counts,temp_c", t_s, mass_g, air_c)
    begun(tmp_path, RTD)
    db = ("--db", tmp_path / "h.db")
    for args, said in (
        ((short,), "60"),
        ((even,), "5 K"),
        ((no_cell,), "has no cell_temp_c"),
        ((tmp_path / "none.csv",), "no such file"),
        ((no_cell, "--simulate", "1"), "give one of them"),
    ):
        code, out = command("calibrate", "temperature", "--from", *args, *db)
        assert code in (1, 2)
        assert said in out, out
        assert "Traceback" not in out
    assert command("calibrate", "temperature", "--json")[0] == 2


def weather(seed: int, t_s: np.ndarray) -> np.ndarray:
    """Pressures of a night in hPa: two slow waves, 15 hPa from low to high."""
    rng = np.random.default_rng((seed, 5))
    h = t_s / 3600.0
    waves = (np.sin(2.0 * np.pi * h / p + rng.uniform(0.0, 6.0)) for p in (9.0, 5.0))
    return np.round(1008.0 + 5.0 * sum(waves), 2)


def test_a_recorded_pressure_says_what_weather_does_to_the_zero(tmp_path: Path) -> None:
    begun(tmp_path)
    t_s, air_c, mass_g = dead_load(2)
    hpa, per_kpa_g = weather(2, t_s), 6.0  # of a cell of 50 kg, whose class lets it do 5
    code = np.round(1000.0 + PER_G * (mass_g - LOAD_G + per_kpa_g * (hpa - 1008.0) / 10.0))
    file = write(tmp_path / "empty.csv", "t_s,counts,temp_c,pressure_hpa", t_s, code, air_c, hpa)
    status, out = command("calibrate", "temperature", "--from", file, "--db", tmp_path / "h.db", "--json")
    assert status == 0, out
    told = json.loads(out)
    assert abs(told["zero_per_kpa"] - PER_G * per_kpa_g) <= 3.0 * told["u_zero_per_kpa"]
    certificate = load_certificate(told["certificate"])
    stability, record = certificate.stability, certificate.record
    assert record is not None
    assert record.weather is not None
    assert abs(record.weather.g_per_kpa - per_kpa_g) <= 3.0 * record.weather.u_g_per_kpa
    assert record.weather.high_hpa - record.weather.low_hpa == pytest.approx(float(np.ptp(hpa)), abs=0.5)
    assert stability.zero_g_per_kpa is not None
    assert stability.u_zero_g_per_kpa < 5.0 / math.sqrt(3.0)
    status, out = command("calibrate", "temperature", "--from", file, "--db", tmp_path / "h.db")
    assert "codes per kPa, of both together" in out
    t_s, air_c, mass_g = dead_load(2)
    vacuum = write(tmp_path / "vacuum.csv", "t_s,counts,temp_c,pressure_hpa", t_s, code, air_c, np.full(len(t_s), 2.0))
    status, out = command("calibrate", "temperature", "--from", vacuum, "--db", tmp_path / "h.db", "--json")
    assert json.loads(out)["zero_per_kpa"] is None, "an oven under vacuum is no weather"
