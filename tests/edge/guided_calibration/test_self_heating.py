"""What a thermometer's own current does to it: found by its duty cycle, through the real driver, and carried."""

from __future__ import annotations

import math
from pathlib import Path

import msgspec
import numpy as np
import pytest
from guided_lab import Lab

from calibration.calibration_record import SelfHeating
from calibration.certificate import Rtd
from calibration.errors import BadFit
from calibration.rtdcheck import fit_rtd, power_mw, warmed_k
from hw.clock import NS_PER_S, SimClock
from hw.max31865 import Max31865Rtd
from hw.protocols import Status
from hw.sim.max31865 import Max31865Model
from hw.sim.spi import SimSpiPort

RTD = Rtd(ref_ohm=430.0, r0_ohm=100.0, lead_ohm=0.0, wires=4, tolerance_class="B", u_temp_c=0.0)
HOT_OHM = 146.068  # IEC 60751 at 120 °C
CODE_K = 0.3790 / 430.0 * 32768.0  # codes a kelvin there


def told(warmed: float, duty: float = 0.078, ohm: float = HOT_OHM, code_k: float = CODE_K) -> SelfHeating:
    """Get what is read of a thermometer that its current warms by so much where it always flows."""
    rests = ohm / 430.0 * 32768.0
    return SelfHeating(
        probe="oven", always_code=rests + warmed * code_k, u_always_code=0.2,
        rarely_code=rests + duty * warmed * code_k, u_rarely_code=0.3, duty=duty, wall_s=0.0,
    )  # fmt: skip


def test_the_power_is_that_of_two_volts_over_both_resistors() -> None:
    assert power_mw(100.0, 430.0) == pytest.approx((2.0 / 530.0) ** 2 * 100.0 * 1e3)
    assert power_mw(HOT_OHM, 430.0) == pytest.approx(1.76, abs=0.01)


@pytest.mark.parametrize("duty", [0.02, 0.078, 0.3])
def test_what_the_duty_leaves_of_it_is_taken_into_account(duty: float) -> None:
    warmed, u = warmed_k(told(0.5, duty), RTD)
    assert warmed == pytest.approx(0.5, rel=0.01)
    assert 0.0 < u < 0.03


def test_measured_cold_it_is_scaled_by_the_power_to_the_hold() -> None:
    cold = told(0.5, ohm=109.73, code_k=CODE_K * 0.3880 / 0.3790)  # IEC 60751: 0.388 Ω/K at 25 °C
    assert warmed_k(cold, RTD)[0] == pytest.approx(0.5 * power_mw(HOT_OHM, 430.0) / power_mw(109.73, 430.0), rel=0.02)


def test_it_is_part_of_the_hold_s_temperature_measured_or_assumed() -> None:
    assumed, lines = fit_rtd(RTD, (), None)
    small, none = fit_rtd(RTD, (), None, told(0.05))
    large, _ = fit_rtd(RTD, (), None, told(2.0))
    assert any("self-heating" in line and "0 to 0.7 K" in line for line in lines)
    assert not any("self-heating" in line for line in none)
    assert small.u_temp_c < assumed.u_temp_c < large.u_temp_c
    assert assumed.u_temp_c**2 - small.u_temp_c**2 == pytest.approx(0.704**2 / 3.0 - 0.05**2, abs=0.01)
    assert large.u_temp_c > 2.0
    pt1000 = msgspec.structs.replace(RTD, ref_ohm=4300.0, r0_ohm=1000.0)
    assert any("0 to 0.07 K" in line for line in fit_rtd(pt1000, (), None)[1]), "a tenth of the current's power"


@pytest.mark.parametrize("of", [told(-1.0), told(12.0), told(0.5, ohm=20.0)])
def test_what_no_current_does_is_refused(of: SelfHeating) -> None:
    with pytest.raises(BadFit, match="thermometer"):
        warmed_k(of, RTD)


def test_the_driver_lets_current_flow_for_78_ms_a_second() -> None:
    clock = SimClock(1.8e9)
    chip = Max31865Model(clock, lambda _t: HOT_OHM, noise_codes=0.0, heats_k=1.0)
    driver = Max31865Rtd(lambda: SimSpiPort(chip, clock), clock, wires=4, ref_ohm=430.0, mains_hz=50)
    driver.open()

    def mean(seconds: int) -> float:
        codes = []
        for second in range(seconds):
            clock.advance_ns(NS_PER_S - clock.now_ns() % NS_PER_S)
            reading = driver.read()
            if second > seconds // 2:
                assert reading.status is Status.OK
                codes.append(reading.code)
        return float(np.mean(codes))

    always = mean(120)
    flows_s = driver.read_rarely(rarely=True)
    rarely = mean(120)
    assert flows_s == pytest.approx(0.078, abs=0.001)
    assert (always - rarely) / CODE_K == pytest.approx(1.0 - 0.078, abs=0.05)
    chip.open_rtd()
    clock.advance_ns(NS_PER_S)
    assert driver.read().status is Status.FAULT
    chip.mend()
    driver.read_rarely(rarely=False)
    assert mean(120) == pytest.approx(always, abs=1.0)
    chip.unplug()
    driver.read_rarely(rarely=True)
    assert driver.read().status is Status.BUS_ERROR


def test_calibrate_rtd_measures_it_in_its_place(tmp_path: Path) -> None:
    lab = Lab(tmp_path, 2)
    lab.done("tare")
    said = lab.done("rtd", "--self-heating")
    (found,) = lab.session.self_heating
    true_k = (
        float(np.random.default_rng((2, 43)).uniform(0.2, 0.8)) * power_mw(HOT_OHM, 430.0) / power_mw(109.73, 430.0)
    )
    warmed, u = warmed_k(found, RTD)
    assert abs(warmed - true_k) < 3.0 * math.hypot(u, 0.02 * true_k)
    assert f"Its current warms it by {warmed:.2f} ± {u:.2f} K at 120 °C" in said.out
    assert "self-heating" not in said.out.partition("assumed")[2]
    assert "give one of" in lab.calibrate("rtd", "--self-heating", "--ice").line
