"""The terms of a run: what is stored gives them again, and what nobody measured is named."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from calibration.vacuum_gauge import MPRLS_ERROR_PA, VacuumGauge
from edge.errors import BadInput
from edge.fold.block import block_from_frames
from edge.instrument.config import VacuumConfig
from edge.procedure.parameters import RunParameters, live_parameters
from edge.records.frame import one_frame
from edge.simulate.instrument import calibrated
from edge.standards.standard import Standard, load_standard, loads_standard
from hw.protocols import Reading, Status
from hw.sim.rig import RigTruth

NATIONAL = load_standard("gbt-48093-1-2026")
CERTIFICATE = calibrated(RigTruth(), "nau7802", 1)
MPRLS = VacuumGauge(gauge="mprls", zero_pa=120.0)
PIRANI = VacuumGauge(gauge="ads1115", divider=3.2, curve=((2.0, 0.1), (5.0, 100.0), (8.0, 1e5)))


def standard(extra: str) -> Standard:
    return loads_standard(f'id = "t"\ntitle = "t"\nlimit_pct = 0.5\ntemp_c = 120.0\nhold_s = 21600\n{extra}')


@pytest.mark.parametrize("vacuum", [None, MPRLS, PIRANI])
def test_terms_are_stored_and_read_back_the_same(vacuum: VacuumGauge | None) -> None:
    terms = live_parameters(NATIONAL, CERTIFICATE, vacuum=vacuum, zero_after=True, check_weight_g=100.0)
    again = RunParameters.from_settings(json.loads(json.dumps(terms.as_settings(), allow_nan=False)))
    assert repr(again.plan) == repr(terms.plan)  # a NaN is not equal to itself
    assert again.vacuum == vacuum
    assert again.declared == terms.declared
    assert {k: v for k, v in again.fold.items() if math.isfinite(v)} == {
        k: v for k, v in terms.fold.items() if math.isfinite(v)
    }


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 0.0, -0.0, 1e-300])
def test_a_number_that_json_does_not_have_is_stored_and_read_back(value: float) -> None:
    terms = live_parameters(NATIONAL, CERTIFICATE)
    terms = replace(
        terms,
        plan=replace(terms.plan, pressure_limit_pa=value, weigh_max_s=value),
        fold=terms.fold | {"pressure_limit_pa": value, "base_g": value},
    )
    again = RunParameters.from_settings(json.loads(json.dumps(terms.as_settings(), allow_nan=False)))
    found = (
        again.plan.pressure_limit_pa,
        again.plan.weigh_max_s,
        again.fold["pressure_limit_pa"],
        again.fold["base_g"],
    )
    assert np.array(found).tobytes() == np.array([value] * 4).tobytes()
    assert repr(again) == repr(terms)  # the rest is as it was; NaN is not equal to itself


def test_what_was_stored_before_there_were_gauges_and_second_zeros_is_read() -> None:
    settings = live_parameters(NATIONAL, CERTIFICATE).as_settings()
    del settings["vacuum"]
    for name in ("zero_after", "check_weight_g", "zero_max_s", "check_before"):
        del settings["plan"][name]
    assert repr(RunParameters.from_settings(settings)) == repr(live_parameters(NATIONAL, CERTIFICATE))


def test_without_a_gauge_the_vacuum_is_declared() -> None:
    terms = live_parameters(NATIONAL, CERTIFICATE, vacuum=VacuumConfig().fitted())
    assert not terms.plan.pressure_needed
    assert terms.vacuum is None
    assert any(line.startswith("pressure: no gauge") for line in terms.declared)


def test_a_gauge_that_cannot_show_the_limit_only_contradicts_it_and_says_so() -> None:
    terms = live_parameters(NATIONAL, CERTIFICATE, vacuum=MPRLS)
    assert terms.plan.pressure_needed
    assert terms.plan.pressure_limit_pa == terms.fold["pressure_limit_pa"] == 1000.0 + MPRLS_ERROR_PA
    line = next(line for line in terms.declared if line.startswith("pressure"))
    assert "±2586 Pa" in line
    assert "the vacuum is declared" in line


def test_a_gauge_that_can_show_the_limit_must_read_below_it_by_its_error() -> None:
    coarse = standard('vacuum = "required"\npressure_limit_pa = 20000.0\n')
    terms = live_parameters(coarse, CERTIFICATE, vacuum=MPRLS)
    assert terms.plan.pressure_limit_pa == 20_000.0 - MPRLS_ERROR_PA
    assert not any(line.startswith("pressure") for line in terms.declared)


def test_a_curve_of_which_nobody_states_the_error_is_believed_and_says_so() -> None:
    terms = live_parameters(NATIONAL, CERTIFICATE, vacuum=PIRANI)
    assert terms.plan.pressure_limit_pa == 1000.0
    assert any("is not stated" in line for line in terms.declared)


def test_where_no_vacuum_is_required_a_gauge_is_not_needed() -> None:
    terms = live_parameters(standard(""), CERTIFICATE, vacuum=MPRLS)
    assert not terms.plan.pressure_needed
    assert not any(line.startswith("pressure") for line in terms.declared)


@pytest.mark.parametrize(("band_c", "says"), [(2.0, "is good to ±0.6 °C"), (0.5, "cannot show that band")])
def test_how_well_the_hold_s_temperature_is_known_is_said(band_c: float, says: str) -> None:
    terms = live_parameters(standard(f"temp_band_c = {band_c}\n"), CERTIFICATE)
    assert any(line.startswith("hold temperature") and says in line for line in terms.declared)


@pytest.mark.parametrize("grams", [0.0, -5.0, math.nan, math.inf, 501.0])
def test_a_check_weight_that_cannot_be_is_one_line(grams: float) -> None:
    with pytest.raises(BadInput, match="check weight") as e:
        live_parameters(NATIONAL, CERTIFICATE, check_weight_g=grams)
    assert "\n" not in str(e.value)


def test_a_check_weight_needs_the_second_zero() -> None:
    assert live_parameters(NATIONAL, CERTIFICATE, check_weight_g=100.0).plan.zero_after


def test_a_check_weight_before_the_sample_is_the_one_after_it() -> None:
    assert live_parameters(NATIONAL, CERTIFICATE, check_weight_g=100.0, check_before=True).plan.check_before
    with pytest.raises(BadInput, match="say which"):
        live_parameters(NATIONAL, CERTIFICATE, check_before=True)


def gauge(code: int, status: Status = Status.OK) -> Reading:
    return Reading(0, code, 0, status)


def test_the_gauge_s_codes_become_pascals_before_the_fold() -> None:
    frames = one_frame(0, 0, [], gauge=gauge(0x1999))
    assert block_from_frames(frames, 0).pressure[0] == 0x1999  # what a recording holds is Pa already
    assert block_from_frames(frames, 0, MPRLS).pressure[0] == pytest.approx(-120.0, abs=2.0)
    assert block_from_frames(frames, 0, MPRLS).pressure_status[0] == Status.OK


def test_a_code_outside_the_gauge_s_curve_is_a_fault_and_no_pressure() -> None:
    block = block_from_frames(one_frame(0, 0, [], gauge=gauge(0x8000)), 0, PIRANI)
    assert np.isnan(block.pressure[0])
    assert block.pressure_status[0] == Status.FAULT
    missing = block_from_frames(one_frame(0, 0, [], gauge=gauge(0x8000, Status.NOT_READY)), 0, PIRANI)
    assert missing.pressure_status[0] == Status.NOT_READY


def test_the_example_config_s_gauge_can_be_stored(tmp_path: Path) -> None:
    assert msgspec.convert(msgspec.to_builtins(PIRANI), VacuumGauge) == PIRANI
