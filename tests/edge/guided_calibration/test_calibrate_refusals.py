"""What a guided calibration refuses: one line with what to do, and nothing that was read is lost."""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
import re
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner
from guided_lab import TWO_WIRES, Lab, halfpercent
from hypothesis import given, settings
from hypothesis import strategies as st

from calibration.calibration_record import Air, Weight
from calibration.certificate import BridgeChip, Cell, Rtd
from calibration.errors import OutOfDomain
from calibration.iec60751 import temperature_c
from calibration.rtdcheck import read_as
from calibration.weights import (
    ASSUMED_AIR,
    CLASSES,
    MPE_MG,
    declared_air,
    load_g,
    mpe_g,
    parse_weight,
    true_mass_g,
    u_load_g,
)
from edge.cli.calibration_bench import ask_at_terminal
from edge.cli.main import cli
from edge.errors import BadInput, CalibrationRefused
from edge.guided_calibration.bench import Bench
from edge.guided_calibration.place import Place
from edge.guided_calibration.session import (
    Piece,
    Series,
    Session,
    load_session,
    plan,
    save_session,
    session_path,
    steps_done,
    write_certificate,
)
from edge.instrument.acquisition import Instrument
from edge.instrument.config import usual
from edge.simulate.bench import SimulatedBench
from edge.simulate.instrument import BEGINS_WALL_S, build
from hw.protocols import Conversion, Status


@pytest.fixture(scope="module")
def tared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tared")
    Lab(folder).done("tare")
    return folder


def test_a_simulated_calibration_asks_as_a_real_one_does_where_it_is_told_to(tmp_path: Path) -> None:
    words = ["calibrate", "tare", "--simulate", "1", "--ask", "--db", str(tmp_path / "h.db")]
    asked = CliRunner().invoke(cli, words, input="\n")
    assert asked.exit_code == 0, asked.output
    assert "Take everything off the holder" in asked.stdout
    unheard = CliRunner().invoke(cli, [*words, "--restart"], input="")
    assert isinstance(unheard.exception, CalibrationRefused)
    real = CliRunner().invoke(cli, ["calibrate", "tare", "--ask"])
    assert real.exit_code == 2


@pytest.fixture
def lab(tared: Path, tmp_path: Path) -> Lab:
    """Get a calibration that was begun."""
    shutil.copytree(tared, tmp_path, dirs_exist_ok=True)
    return Lab(tmp_path)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--weight", "100:F1", "--weight", "100:F1"], "--weight: two weights are both 100 g: use different ones"),
        (["--weight", "200:F1"], "--weight: a span needs two different check weights or more: give another"),
        (["--weight", "0.1:u=0.0001", "--weight", "0.2:u=0.0001"], "(and enter grams, not kilograms)"),
        (["--weight", "1000:F1", "--weight", "2000:F1"], "enter grams, never overload a cell"),
        (["--weight", "100", "--weight", "200:F1"], "what is it good for? write MASS_G:CLASS"),
        (["--weight", "100:F9", "--weight", "200:F1"], "class F9: there is none: E2, F1"),
        (["--weight", "150:F1", "--weight", "200:F1"], "no weight of that size: give its uncertainty (150:u=0.005)"),
        (["--weight", "100:F1:density=0", "--weight", "200:F1"], "density = 0: give 1 to 25 g/cm³"),
        (["--weight", "100:F1:density=7950", "--weight", "200:F1"], "give 1 to 25 g/cm³ (steel: 7.95)"),
        (["--weight", "-5:F1", "--weight", "200:F1"], "more than 0 g"),
        (["--weight", "nan:F1", "--weight", "200:F1"], "no number"),
        (["--weight", "100:u=5", "--weight", "200:F1"], "below 1 % of the mass"),
        (["--weight", "100:colour=red", "--weight", "200:F1"], "colour is unknown"),
    ],
)
def test_weights_that_give_no_span_are_refused_before_any_is_put_on(lab: Lab, words: list[str], why: str) -> None:
    before = lab.session
    assert why in lab.calibrate("span", *words).line
    assert lab.session == before


def lying_there(monkeypatch: pytest.MonkeyPatch, grams: dict[float, float]) -> None:
    """Have another mass on the holder than the one that was entered."""
    put = SimulatedBench.put

    def another(self, weight) -> None:  # type: ignore[no-untyped-def]
        put(self, weight)
        if weight is not None and weight.mass_g in grams:
            self.rig.place_weight(grams[weight.mass_g])

    monkeypatch.setattr(SimulatedBench, "put", another)


def test_one_weight_entered_in_kilograms_is_named_and_the_others_are_kept(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["--weight", "0.2:u=0.00001", "--weight", "50:F1", "--weight", "100:F1"]
    with monkeypatch.context() as patched:
        lying_there(patched, {0.2: 200.0})
        line = lab.calibrate("span", *words).line
    assert "grams" in line
    assert "--restart" in line
    assert len(lab.session.points) in (1, 2, 3), "as soon as it can be said"
    lab.done("span", "--restart", "--weight", "50:F1", "--weight", "100:F1", "--weight", "200:F1")


@pytest.mark.parametrize("capacity_g", [2000.0, 5000.0])
def test_a_capacity_that_the_cell_s_own_codes_rule_out_is_named_at_the_first_weight(
    tmp_path: Path, capacity_g: float
) -> None:
    """The simulated cell carries 500 g and would fill the converter at 1950 g."""
    lab = Lab(tmp_path)
    lab.done("tare", "--capacity", f"{capacity_g:g}")
    assert f"said to carry {capacity_g:g} g" in lab.calibrate("span", "--weight", "100:F1", "--weight", "200:F1").line
    assert [p.mass_g for p in lab.session.points] == [0.0], "what was read of the empty holder is kept"


def test_another_weight_than_the_one_asked_for_is_asked_for_again(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["--weight", "50:F1", "--weight", "100:F1", "--weight", "200:F1"]
    with monkeypatch.context() as patched:
        lying_there(patched, {200.0: 150.0})
        assert "the weight entered as 200 g reads 150" in lab.calibrate("span", *words).line
    assert [p.mass_g for p in lab.session.points] == [0.0, 50.0, 100.0]
    lab.done("span")
    assert lab.certificate.recorded


def test_a_saturated_cell_is_refused_with_its_status(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    lying_there(monkeypatch, {100.0: 3000.0})
    line = lab.calibrate("span", "--weight", "100:F1", "--weight", "200:F1").line
    assert re.search(r"0 of \d+ samples are good \(\d+ saturated\): take the load off", line)
    assert "lower gain" in line
    assert [p.mass_g for p in lab.session.points] == [0.0]


def test_a_tare_without_enough_good_samples_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unplugged(self, weight) -> None:  # type: ignore[no-untyped-def]
        self.chips.bridge.unplug()

    monkeypatch.setattr(SimulatedBench, "put", unplugged)
    for bridge, what in (("nau7802", "bus error): check SDA, SCL"), ("hx711", "not ready): check its power and wires")):
        lab = Lab(tmp_path / bridge, 1, "--bridge", bridge)
        line = lab.calibrate("tare").line
        assert what in line, line
        assert " 0 of " in line
        assert not (tmp_path / bridge / "calibration").exists()


def test_a_tare_of_something_that_swings_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = SimulatedBench.record

    def swinging(self, seconds: int):  # type: ignore[no-untyped-def]
        self.rig.place_weight(self.rig._get("weight_g") + 1.0)  # someone pours
        return record(self, seconds // 2 or 1) if seconds < 60 else _joined(self, record, seconds)

    monkeypatch.setattr(SimulatedBench, "record", swinging)
    assert "wait until the cell is at rest" in Lab(tmp_path).calibrate("tare").line


def _joined(bench, record, seconds: int):  # type: ignore[no-untyped-def]
    from edge.records.frame import join

    parts = []
    for _ in range(6):
        bench.rig.place_weight(bench.rig._get("weight_g") + 1.0)
        parts.append(record(bench, seconds // 6))
    return join(parts)


def test_nothing_goes_before_the_tare(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    for step in ("span", "temperature", "rtd"):
        words = ["--ice"] if step == "rtd" else []
        assert "begun: halfpercent calibrate tare" in lab.calibrate(step, *words).line


def test_a_session_that_was_spoiled_is_put_aside_by_hand(lab: Lab) -> None:
    path = lab.folder / "calibration" / "cell.session.json"
    path.write_text(path.read_text(encoding="utf-8")[:-20], encoding="utf-8")
    assert "move it away" in lab.calibrate("span").line
    lab.done("tare", "--restart")
    assert len(list(path.parent.iterdir())) == 2  # what was there is still there


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["tare", "--bridge", "nau7802"], "--bridge belongs to --simulate"),
        (["tare", "--config", "none.toml"], "none.toml: there are no settings: halfpercent init"),
        (["rtd"], "give one of --resistor"),
        (["rtd", "--ice", "--short", "0"], "give one of --resistor"),
        (["rtd", "--resistor", "5"], "a resistor has 10 to 10000"),
        (["show"], "no calibration called cell"),
        (["show", "none.toml"], "none.toml: no such file"),
    ],
)
def test_wrong_use_is_one_line(tmp_path: Path, words: list[str], why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert why in halfpercent("calibrate", *words, "--db", tmp_path / "h.db").line


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["tare", "--air", "1013"], "--air '1013': give pressure in hPa"),
        (["tare", "--air", "1013,25,200"], "humidity_pct = 200: give 0 to 100"),
        (["tare", "--name", "../x"], "--name '../x': use letters"),
        (["tare", "--restart", "--capacity", "-5"], "--capacity, --serial: capacity_g = -5.0"),
        (["tare", "--capacity", "300"], "--capacity 300.0: this calibration was begun with 500"),
        (["tare", "--serial", "B-7"], "--serial B-7: this calibration was begun with simulated 1"),
        (["tare", "--who", "Bob"], "--who Bob: this calibration was begun with"),
        (["rtd", "--curve", "100,0.39,1"], "a_per_k = 0.39: give Callendar-Van Dusen's A"),
        (["rtd", "--curve", "100"], "write R0 in Ω, A and B"),
        (["rtd", "--short", "0"], "with 4 they are not in the reading"),
        (["temperature", "--weight", "1000:F1"], "the cell carries 500 g: give grams"),
    ],
)
def test_what_cannot_be_is_one_line_and_nothing_is_lost(lab: Lab, words: list[str], why: str) -> None:
    before = sorted((lab.folder / "calibration").iterdir())
    assert why in lab.calibrate(words[0], *words[1:]).line
    assert sorted((lab.folder / "calibration").iterdir()) == before


def test_other_settings_than_the_calibration_was_begun_with_are_refused(lab: Lab) -> None:
    config = lab.folder / "config.toml"
    config.write_text('[bridge]\nchip = "nau7802"\ngain = 64\n' + TWO_WIRES.split("\n", 2)[2], encoding="utf-8")
    lab.words += ["--config", config]
    assert "bridge.gain in the config is not what cell was begun with" in lab.calibrate("span").line


def test_a_calibration_of_long_ago_is_not_gone_on_with(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hw.clock.SimClock.wall_s", lambda self: BEGINS_WALL_S + 40 * 86_400.0)
    assert "was begun 40 days ago: begin again" in lab.calibrate("span").line


def test_a_calibration_that_was_begun_before_the_clock_was_set_is_gone_on_with(lab: Lab) -> None:
    replace = msgspec.structs.replace
    session = replace(lab.session, begun=dt.date(1970, 1, 1))
    config = usual("nau7802")
    place = Place(lab.folder, lab.folder / "x", config, _bench(20_783.0, None), None)
    place.check(session)
    for begun_set, now_set in ((False, True), (True, False)):
        dated = replace(lab.session, begun=dt.date(2026, 1, 1), begun_clock_set=begun_set)
        dataclasses.replace(place, bench=_bench(20_783.0, now_set)).check(dated)
    with pytest.raises(CalibrationRefused, match="begun 329 days ago"):
        place.check(replace(lab.session, begun=dt.date(2026, 1, 1), begun_clock_set=True))


def _bench(days: float, clock_set: bool | None) -> Any:
    return SimpleNamespace(clock=SimpleNamespace(wall_s=lambda: days * 86_400.0), clock_set=lambda: clock_set)


def test_a_second_process_is_refused_while_one_measures(lab: Lab) -> None:
    from edge.database import writer_lock

    held = writer_lock.take(lab.folder / "halfpercent.db")
    try:
        assert "another halfpercent" in lab.calibrate("span").line
    finally:
        writer_lock.drop(lab.folder / "halfpercent.db", held)


Simulated = SimulatedBench


class Asked(Simulated):
    """The simulated rig with a person before it, who is asked and then does it."""

    def ask(self, text: str) -> str:
        return ask_at_terminal(text)


def test_a_person_who_leaves_finds_everything_as_it_was(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.simulate.bench.SimulatedBench", Asked)
    said = lab.calibrate("span", stdin="\n\n")  # two prompts are answered, at the third there is nobody
    assert "nobody answered: what was read so far is kept" in said.line
    assert "Put 200 g on, and nothing else" in said.out
    assert [p.mass_g for p in lab.session.points] == [0.0, 100.0]
    assert lab.calibrate("span", stdin="\n" * 5).status == 0


def test_a_certificate_that_was_edited_by_hand_is_refused(lab: Lab) -> None:
    lab.done("span", "--weight", "100:F1", "--weight", "200:F1")
    path = lab.certificates[0]
    text = path.read_text(encoding="utf-8")
    edited = text.replace("u_zero_counts_per_k = ", "u_zero_counts_per_k = 0.0 # ", 1)
    path.write_text(edited, encoding="utf-8")
    for words in (["budget", "--sample-mass", "200", "--certificate", path], ["calibrate", "show", path]):
        line = halfpercent(*words).line
        assert "changed after it was made: put the original back or calibrate again" in line
        assert str(path) in line
    # who takes the seal off owns what it says: it counts as written by hand
    path.write_text("\n".join(line for line in edited.splitlines() if "sha256" not in line), encoding="utf-8")
    assert "none: written by hand" in halfpercent("calibrate", "show", path).out


# the thermometer


def test_a_resistor_finds_the_board_s_reference(lab: Lab) -> None:
    bench = SimulatedBench(_usual(), 1)
    said = lab.done("rtd", "--resistor", "146.07", "--u", "0.003")
    (check,) = lab.session.rtd_checks
    ref_ohm = 146.07 * 32768.0 / check.code
    assert f"reference {ref_ohm:.3f} Ω" in said.out
    # the model's converter and its half a code of noise: one code is 13 mΩ of 430 Ω at 146 Ω
    assert ref_ohm == pytest.approx(bench.chips.oven.ref_ohm, abs=4.0 * ref_ohm * check.u_code / check.code)
    assert "not checked" in said.out  # the sensor itself was not


def test_a_board_of_400_ohm_in_a_config_of_430_is_found_out(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    made = SimulatedBench.__init__

    def other_board(self, *args) -> None:  # type: ignore[no-untyped-def]
        made(self, *args)
        self.chips.oven.ref_ohm = 400.0

    monkeypatch.setattr(SimulatedBench, "__init__", other_board)
    before = lab.session
    line = lab.calibrate("rtd", "--resistor", "100", "--u", "0.005").line
    assert "100 Ω reads 107.5" in line
    assert "correct ref_ohm in the config" in line
    assert lab.session == before


def test_a_broken_thermometer_is_refused(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SimulatedBench, "connect", lambda self, kind, ohm, probe: self.chips.oven.open_rtd())
    assert "of the oven thermometer are good (fault): check its wires" in lab.calibrate("rtd", "--ice").line


def test_two_wires_a_short_finds_the_leads_and_ice_the_sensor(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(TWO_WIRES, encoding="utf-8")
    lab = Lab(tmp_path, 3, "--config", config)
    lab.done("tare")
    true = SimulatedBench(_config(config), 3).chips.oven
    lab.done("rtd", "--short", "0", "--u", "0")
    lab.done("rtd", "--resistor", "100", "--u", "0.002")
    said = lab.done("rtd", "--ice", "--u", "0.01")
    lab.done("span", "--weight", "100:F1", "--weight", "200:F1")
    rtd = lab.certificate.rtd
    code_ohm = 430.0 / 32768.0
    assert rtd.lead_ohm == pytest.approx(2.0 * true.lead_ohm, abs=1.5 * code_ohm)  # two leads
    assert rtd.ref_ohm == pytest.approx(true.ref_ohm, rel=2.0 * code_ohm / 100.0)
    assert rtd.r0_ohm == pytest.approx(100.0, abs=3.0 * code_ohm)
    assert "leads: two wires" not in said.out
    # and a code at 120 °C, leads and all, is 120 °C by the certificate
    code = (146.068 + 2.0 * true.lead_ohm) / true.ref_ohm * 32768.0
    ohm = code / 32768.0 * rtd.ref_ohm - rtd.lead_ohm
    assert (ohm / rtd.r0_ohm * 100.0 - 146.068) / 0.377 == pytest.approx(0.0, abs=0.1)


def test_the_sensor_s_own_curve_goes_into_the_fold(lab: Lab) -> None:
    """A platinum of other purity (A, B of its sheet): the fold gives its temperature, not IEC 60751's."""
    from edge.procedure.parameters import live_parameters
    from edge.standards.standard import load_standard

    r0, a, b = 100.012, 3.9739e-3, -5.870e-7
    lab.done("rtd", "--curve", f"{r0},{a},{b}", "--u", "0.03")
    lab.done("span", "--weight", "100:F1", "--weight", "200:F1")
    params = live_parameters(load_standard("gbt-48093-1-2026"), lab.certificate).fold
    assert (params["oven_a"], params["oven_b"]) == (a, b)
    assert "cell_a" not in params  # it is the oven's sensor
    code = r0 * (1.0 + a * 120.0 + b * 120.0**2) / 430.0 * 32768.0
    assert _temp_c(code, params) == pytest.approx(120.0, abs=1e-9)
    # by IEC 60751 the same resistance is 122 °C: more than a hold's band
    assert _temp_c(code, {k: v for k, v in params.items() if k not in ("oven_a", "oven_b")}) > 121.5


def _temp_c(code: float, params) -> float:  # type: ignore[no-untyped-def]
    from edge.fold import kernel, layout

    none = np.zeros(1, np.uint8)
    block = layout.Block(
        np.zeros(1, np.int64), np.zeros(1), np.array([0, 1]), np.zeros(1), none,
        np.array([code]), none, np.array([8000.0]), none, np.zeros(1), none,
    )  # fmt: skip
    state, _ = kernel.advance(layout.new_state(), layout.new_params(**params), block)
    return float(kernel.flush(state, layout.new_params(**params))[1]["temp_c"][0])


def _usual():  # type: ignore[no-untyped-def]
    from edge.instrument.config import usual

    return usual("nau7802")


def _config(path: Path):  # type: ignore[no-untyped-def]
    from edge.instrument.config import load_config

    return load_config(path)


def test_temperatures_read_before_a_check_count_as_the_check_says() -> None:
    """Codes of 25 °C and 120 °C, read with a nominal board and IEC 60751, as the checked thermometer has them."""
    nominal = Rtd(ref_ohm=430.0, r0_ohm=100.0, lead_ohm=0.0, wires=2, tolerance_class="B", u_temp_c=0.0)
    for checked in (
        Rtd(ref_ohm=429.6, r0_ohm=100.03, lead_ohm=0.8, wires=2, tolerance_class="B", u_temp_c=0.0),
        msgspec.structs.replace(nominal, r0_ohm=100.012, a_per_k=3.9739e-3, b_per_k2=-5.87e-7),
    ):
        a, b = checked.a_per_k or 3.9083e-3, checked.b_per_k2 or -5.775e-7
        true_c = np.array([25.0, 120.0, math.nan])
        code = (checked.r0_ohm * (1.0 + a * true_c + b * true_c**2) + checked.lead_ohm) / checked.ref_ohm * 32768.0
        read_c = np.array([_iec_c(c / 32768.0 * 430.0) for c in code])
        assert read_as(read_c, nominal, checked) == pytest.approx(true_c, abs=1e-9, nan_ok=True)
        assert abs(read_c[1] - 120.0) > 0.5


def _iec_c(ohm: float) -> float:
    return math.nan if math.isnan(ohm) else float(temperature_c(ohm))


# weights


def test_the_classes_are_those_of_oiml_r_111() -> None:
    # OIML R 111-1:2004, table 1
    for nominal, of_class, mg in (
        (100.0, "E2", 0.16), (100.0, "F1", 0.5), (200.0, "F2", 3.0), (500.0, "M1", 25.0), (1000.0, "M3", 500.0),
        (1.0, "F1", 0.10), (50.0, "M2", 10.0), (5000.0, "F1", 25.0),
    ):  # fmt: skip
        assert mpe_g(nominal, of_class) == pytest.approx(mg / 1000.0)
    for nominal, errors in MPE_MG.items():
        assert len(errors) == len(CLASSES)
        assert list(errors) == sorted(errors)  # a lower class allows more
        # from 100 g on each class allows a relative error of its own: R 111-1 rounds 1.6e-6 … 5e-4
        for error, relative in zip(errors, (1.6e-6, 5e-6, 1.6e-5, 5e-5, 1.6e-4, 5e-4), strict=True):
            if nominal >= 100.0:
                assert error / 1000.0 == pytest.approx(relative * nominal, rel=0.07)


def test_a_weight_of_8000_weighs_its_conventional_mass_in_conventional_air() -> None:
    air = Air(density_kg_m3=1.2, u_density_kg_m3=0.0, origin="declared")
    for density in (2.7, 7.95, 8.4, 21.5):
        weight = parse_weight(f"100:F1:density={density}")
        # by definition: it balances 100 g of 8000 kg/m³ there
        assert load_g(weight, air) == pytest.approx(100.0 * (1.0 - 1.2 / 8000.0), rel=1e-14)
        assert u_load_g(weight, air) == pytest.approx(0.0005 / math.sqrt(3.0), rel=1e-9)
    # JCGM 101, 9.3: a 100 g weight in air of 1.1 to 1.3; steel of 7950: m = 100·(1 − 1.2/8000)/(1 − 1.2/7950)
    assert true_mass_g(parse_weight("100:F1")) == pytest.approx(100.0 * 0.99985 / (1.0 - 1.2 / 7950.0), rel=1e-14)


def test_declared_air_is_cipm_s_with_its_uncertainty() -> None:
    air = declared_air(20.0, 101_325.0, 50.0)
    assert air.density_kg_m3 == pytest.approx(1.1993, abs=3e-4)  # OIML R 111-1, E.3, by hand
    assert 0.003 < air.u_density_kg_m3 < 0.008
    assert ASSUMED_AIR.u_density_kg_m3 > 10.0 * air.u_density_kg_m3
    assert declared_air(20.0, 101_325.0, 99.0).u_density_kg_m3 > 0.0
    with pytest.raises(OutOfDomain, match="pressure_pa"):
        declared_air(20.0, 1013.25 * 1e5, 50.0)


@given(st.text(max_size=30))
def test_any_text_is_a_weight_or_refused(text: str) -> None:
    try:
        weight = parse_weight(text)
    except OutOfDomain:
        return
    assert 0.0 < weight.mass_g <= 1e6
    assert 0.0 <= weight.u_mass_g < 0.01 * weight.mass_g


# what is kept

finite = st.floats(-1e7, 1e7)
positive = st.floats(0.0, 1e6)
optional = st.none() | st.floats(-50.0, 200.0)
minutes = st.lists(st.tuples(positive, finite, positive, optional, optional), max_size=5).map(tuple)
weights = st.builds(Weight, mass_g=positive, u_mass_g=positive, stated=st.just("class F1"))
pieces = st.lists(
    st.builds(Piece, boot_id=st.text(max_size=5), t0_ns=st.integers(0, 2**60), wall_s=positive, minutes=minutes),
    max_size=3,
).map(tuple)
RTD = Rtd(ref_ohm=430.0, r0_ohm=100.0, lead_ohm=0.0, wires=4, tolerance_class="B", u_temp_c=0.3)
sessions = st.builds(
    Session,
    name=st.just("cell"),
    made_by=st.text(min_size=1, max_size=10),
    begun=st.dates(),
    cell=st.just(Cell(capacity_g=500.0, serial="7")),
    bridge=st.just(BridgeChip(chip="nau7802", gain=128)),
    oven_rtd=st.just(RTD),
    cell_rtd=st.none() | st.just(RTD),
    weights=st.lists(weights, max_size=3).map(tuple),
    empty=st.none() | st.builds(Series, weight=st.none(), pieces=pieces),
    loaded=st.none() | st.builds(Series, weight=weights, pieces=pieces),
)


@settings(max_examples=50, deadline=None)
@given(sessions)
def test_a_session_is_read_back_as_it_was_kept(tmp_path_factory: pytest.TempPathFactory, session: Session) -> None:
    path = session_path(tmp_path_factory.getbasetemp() / "sessions", "cell")
    save_session(path, session)
    assert load_session(path) == session
    assert [p.name for p in path.parent.iterdir()] == ["cell.session.json"]


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_a_file_that_is_no_session_is_one_line(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.session.json"
    path.write_bytes(data)
    with pytest.raises(BadInput, match="move it away"):
        load_session(path)


@given(st.lists(weights, min_size=2, max_size=4, unique_by=lambda w: w.mass_g).map(tuple))
def test_weights_go_up_and_down_again_with_the_empty_holder_at_both_ends(of: tuple[Weight, ...]) -> None:
    masses = [m for m, _ in plan(of)]
    assert masses == masses[::-1]
    assert masses[0] == 0.0
    assert masses[: len(of) + 1] == sorted(masses[: len(of) + 1])


def test_pieces_of_two_boots_follow_each_other_in_time() -> None:
    row = (30.0, 1.0, 1.0, None, None)
    year_s = 1_767_225_600.0
    first = Piece(boot_id="a", t0_ns=0, wall_s=year_s + 1000.0, minutes=(row, (90.0, 2.0, 1.0, None, None)))
    later = Piece(boot_id="b", t0_ns=5, wall_s=year_s + 2000.0, minutes=(row,))
    clock_went_back = Piece(boot_id="c", t0_ns=5, wall_s=year_s + 10.0, minutes=(row,))
    of, which = Series(weight=None, pieces=(first, later, clock_went_back)).readings()
    assert of.t_s.tolist() == [30.0, 90.0, 1030.0, 1120.0]
    assert which.tolist() == [0.0, 0.0, 1.0, 2.0]
    assert all(math.isnan(c) for c in of.cell_c)
    not_set = msgspec.structs.replace(first, wall_s=12.0)  # 1970, then NTP: no gap of 56 years
    assert Series(weight=None, pieces=(not_set, later)).readings()[0].t_s.tolist() == [30.0, 90.0, 180.0]


def test_no_certificate_is_ever_written_over(tmp_path: Path) -> None:
    from edge.simulate.instrument import calibrated, rig_of

    certificate = calibrated(rig_of("solid", 1).truth, "nau7802", 1)
    paths = [write_certificate(tmp_path, "cell", certificate) for _ in range(3)]
    assert [p.name for p in paths] == ["cell-2026-10-01.toml", "cell-2026-10-01-2.toml", "cell-2026-10-01-3.toml"]
    assert {p.name for p in paths} == {p.name for p in (tmp_path / "certificates").iterdir()}


def test_every_bad_status_has_something_to_do() -> None:
    from edge.guided_calibration.readings import _ADVICE

    assert set(_ADVICE) == set(Status) - {Status.OK}


def test_steps_are_counted_without_the_empty_holder_of_each_start() -> None:
    from calibration.calibration_record import Point

    def point(piece: int) -> Point:
        return Point(mass_g=0.0, code=0.0, u_code=1.0, rising=True, noise_code=1.0, n=60, wall_s=0.0, piece=piece)

    assert steps_done(()) == 0
    assert steps_done((point(0), point(0), point(1), point(1), point(4))) == 3


def test_the_session_s_record_is_the_certificate_s() -> None:
    assert msgspec.to_builtins(Weight(mass_g=100.0, u_mass_g=0.001, stated="u = 0.001 g"))["stated"] == "u = 0.001 g"


class Waiting:
    """A bridge in a process of its own: while nobody reads, its samples wait in a pipe."""

    def __init__(self, bridge: Any) -> None:
        self._bridge = bridge
        self.waiting: list[Conversion] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._bridge, name)

    def read(self, deadline_ns: int) -> Conversion:
        return self.waiting.pop(0) if self.waiting else self._bridge.read(deadline_ns)


def test_what_was_read_while_a_person_was_away_is_thrown_away() -> None:
    simulated = build("solid", "nau7802", 1)
    bridge = Waiting(simulated.instrument._bridge)
    oven = simulated.instrument._oven.device
    assert oven is not None
    bench = Bench(
        lambda: Instrument(bridge, oven, None, simulated.clock), simulated.clock, bridge, lambda text: ""
    )  # fmt: skip
    with bench:
        bench.record(5)
        away_from_ns = simulated.clock.now_ns()
        simulated.clock.sleep_s(3600.0)
        bridge.waiting = [Conversion(away_from_ns + i * 100_000_000, 12345, Status.OK) for i in range(3000)]
        frames = bench.record(10)
    assert not bridge.waiting
    assert 12345 not in frames.code
    assert frames.sample_us.min() >= 0
    assert len(frames.code) >= 90
