"""A converter that is opened again keeps its zero; one that was reset says so; and a reset moves the model's zero."""

from __future__ import annotations

import os
import random
import signal
from typing import Any

import pytest
from child_bridges import hx711
from simulated_chips import RATIO, HxRig, HxSpiRig, NauRig, names, numbers, read

from hw.clock import NS_PER_S, BootClock
from hw.hx711 import Hx711
from hw.nau7802 import Nau7802
from hw.protocols import Bridge, ConverterState, Status
from hw.sim.nau7802 import Nau7802Model
from hw.subprocess_bridge import SubprocessBridge

RIGS = (NauRig, HxRig, HxSpiRig)
G = 1e-3 / 500.0
"""A gram on a cell of 500 g and 1 mV/V, in V/V."""


def gram_codes(gain: int = 128) -> float:
    return G * gain * (2 << 23)


def another_process(rig: Any) -> Bridge:
    """Get a driver that knows nothing of the one before."""
    if isinstance(rig, NauRig):
        return Nau7802(rig._open_bus, rig.clock, **rig.driver_settings)
    if isinstance(rig, HxRig):
        return Hx711(sck_pin=5, dout_pin=6, clock=rig.clock, pin_factory=rig.pins, **rig.driver_settings)
    return type(rig.driver)(lambda: rig.port, rig.clock, **rig.driver_settings)


def mean_code(rig: Any, driver: Bridge, count: int = 30) -> float:
    codes = [s.code for s in numbers(read(driver, rig.clock, count))]
    return sum(codes) / len(codes)


@pytest.mark.parametrize("make", RIGS)
@pytest.mark.parametrize("seed", range(8))
def test_a_restart_at_any_moment_leaves_the_code_where_it_is(make: Any, seed: int) -> None:
    rng = random.Random(seed)
    rig = make(chip_settings={"seed": seed})
    rig.driver.open()
    assert rig.driver.state().fresh
    read(rig.driver, rig.clock, 12)
    before = mean_code(rig, rig.driver)
    for _ in range(5):
        read(rig.driver, rig.clock, rng.randint(0, 4))
        if rng.random() < 0.5:  # a process that was killed closes nothing
            rig.driver.close()
        rig.clock.sleep_s(rng.uniform(0.15, 20.0))
        rig.driver = another_process(rig)
        rig.driver.open()
        assert not rig.driver.state().fresh
        samples = read(rig.driver, rig.clock, 20)
        assert names(samples) == ["SETTLING", "OK"]
        codes = [s.code for s in numbers(samples)]
        assert abs(sum(codes) / len(codes) - before) < 0.03 * gram_codes()
    assert rig.driver.state().resets == 0


@pytest.mark.parametrize("make", RIGS)
def test_a_driver_that_is_closed_and_opened_at_once_keeps_the_zero_too(make: Any) -> None:
    rig = make()
    rig.driver.open()
    read(rig.driver, rig.clock, 12)
    before = mean_code(rig, rig.driver)
    rig.driver.open()
    assert not rig.driver.state().fresh
    read(rig.driver, rig.clock, 12)
    assert abs(mean_code(rig, rig.driver) - before) < 0.03 * gram_codes()


@pytest.mark.parametrize(
    ("register", "value"),
    [(0x00, 0x86), (0x01, 0x2E), (0x02, 0x30), (0x11, 0x08), (0x15, 0x00), (0x1B, 0x01), (0x1C, 0x00)],
)
def test_a_nau7802_that_differs_in_one_register_is_set_up_anew(register: int, value: int) -> None:
    rig = NauRig()
    rig.driver.open()
    rig.driver.close()
    rig.chip.poke(register, value)
    rig.driver.open()
    assert rig.driver.state().fresh
    samples = read(rig.driver, rig.clock, 20)
    assert names(samples) == ["SETTLING", "OK"]
    assert all(abs(s.code - rig.chip.true_code(s.t_ns)) < 200 for s in numbers(samples))


def test_a_nau7802_whose_oscillator_has_stopped_is_set_up_anew() -> None:
    rig = NauRig()
    rig.driver.open()
    rig.clock.sleep_s(1.0)  # so that a conversion waits
    rig.chip.stop()
    rig.clock.at(rig.clock.now_ns() + NS_PER_S // 2, rig.chip.go)
    rig.driver.open()
    assert rig.driver.state().fresh


def test_a_nau7802_that_is_kept_keeps_its_calibration_and_tells_it() -> None:
    rig = NauRig(chip_settings={"offset_v": 2e-4})
    rig.driver.open()
    first = rig.driver.state()
    assert first == ConverterState("nau7802", True, 0, first.ocal, "00800000", "00", "0f")
    assert first.ocal not in (None, "000000")
    again = another_process(rig)
    again.open()
    assert again.state() == ConverterState("nau7802", False, 0, first.ocal, first.gcal, first.pga, first.revision)
    assert again.describe().items() >= {"ocal": first.ocal, "gcal": first.gcal, "pga": "00", "revision": "0f"}.items()


@pytest.mark.parametrize("make", RIGS)
def test_a_brown_out_while_it_is_read_is_counted_once_and_moves_the_zero(make: Any) -> None:
    moved = []
    for seed in range(12):
        rig = make(chip_settings={"seed": seed})
        rig.driver.open()
        read(rig.driver, rig.clock, 12)
        before = mean_code(rig, rig.driver)
        rig.chip.reset()
        read(rig.driver, rig.clock, 20)
        state = rig.driver.state()
        assert (state.fresh, state.resets) == (True, 1)
        moved.append(abs(mean_code(rig, rig.driver) - before) / gram_codes())
    assert 0.1 < sorted(moved)[6] < 1.0
    assert max(moved) < 4.0


@pytest.mark.parametrize("make", RIGS)
def test_a_plug_that_was_pulled_counts_as_a_reset(make: Any) -> None:
    rig = make()
    rig.driver.open()
    read(rig.driver, rig.clock, 12)
    rig.chip.unplug()
    read(rig.driver, rig.clock, 5)
    rig.chip.plug()
    assert names(read(rig.driver, rig.clock, 30))[-1] == "OK"
    assert rig.driver.state().fresh
    assert rig.driver.state().resets == 1


@pytest.mark.parametrize("make", [HxRig, HxSpiRig])
def test_an_hx711_that_was_powered_down_is_found_so_when_it_is_opened(make: Any) -> None:
    rig = make()
    rig.driver.open()
    read(rig.driver, rig.clock, 12)
    rig.driver.close()
    rig.chip.sck(True)  # as a pull-up does where nobody drives the line
    rig.clock.sleep_s(5.0)
    rig.chip.sck(False)
    rig.driver = another_process(rig)
    rig.driver.open()
    assert rig.driver.state().fresh


@pytest.mark.parametrize("make", [HxRig, HxSpiRig])
@pytest.mark.parametrize(("before", "after"), [(128, 64), (64, 128), (128, 32), (32, 128)])
def test_an_hx711_opened_with_another_gain_gives_no_number_of_the_old_one(make: Any, before: int, after: int) -> None:
    chip = {"signal_b": lambda t: -RATIO, "power_up_step": 0.0}
    rig = make(driver_settings={"gain": before}, chip_settings=chip)
    rig.driver.open()
    read(rig.driver, rig.clock, 12)
    rig.driver.close()
    rig.clock.sleep_s(1.0)
    rig.driver_settings = {"gain": after}
    rig.driver = another_process(rig)
    rig.driver.open()
    samples = read(rig.driver, rig.clock, 20)
    assert names(samples) == ["SETTLING", "OK"]
    assert all(abs(s.code - rig.chip.true_code(s.t_ns, after)) < 300 for s in numbers(samples))


def test_the_nau7802_s_model_steps_in_offset_and_gain_at_each_power_up_but_the_first() -> None:
    def empty_and_loaded(seed: int, power_ups: int) -> tuple[float, float]:
        load = [0.0]
        rig = NauRig(lambda t: load[0], chip_settings={"seed": seed, "noise_v": 0.0, "offset_v": 0.0})
        rig.driver.open()
        for _ in range(power_ups - 1):
            rig.chip.reset()
            rig.driver.open()
        empty = rig.chip.true_code(rig.clock.now_ns())
        load[0] = 200.0 * G
        return empty / gram_codes(), (rig.chip.true_code(rig.clock.now_ns()) - empty) / gram_codes() / 200.0 - 1.0

    first = [empty_and_loaded(seed, 1) for seed in range(20)]
    again = [empty_and_loaded(seed, 2) for seed in range(20)]
    assert all(abs(gain) < 1e-5 for _, gain in first)
    assert len({offset for offset, _ in first + again}) == 40
    assert 0.001 < sorted(abs(gain) for _, gain in again)[10] < 0.004
    assert 0.2 < sorted(abs(offset) for offset, _ in again)[10] < 1.0


def test_a_register_reset_alone_moves_nothing_in_the_model() -> None:
    rig = NauRig(chip_settings={"noise_v": 0.0})
    rig.driver.open()
    rig.chip.poke(0x00, 0x01)
    assert isinstance(rig.chip, Nau7802Model)
    assert rig.chip._powered_before
    step, gain = rig.chip._step, rig.chip._gain_step
    rig.chip.poke(0x00, 0x00)
    assert (rig.chip._step, rig.chip._gain_step) == (step, gain)


def test_a_child_process_passes_the_state_on_and_a_new_child_that_resets_the_chip_counts() -> None:
    clock = BootClock()
    bridge = SubprocessBridge(hx711, name="hx711", rate_sps=80.0)
    assert bridge.state() == ConverterState("hx711", False, 0)
    bridge.open()
    try:
        assert bridge.state() == ConverterState("hx711", True, 0)
        child = bridge._child
        assert child is not None
        assert child.pid is not None
        os.kill(child.pid, signal.SIGKILL)
        child.join()
        for _ in range(400):
            if bridge.read(clock.now_ns() + NS_PER_S).status is Status.OK:
                break
        assert bridge.state().fresh
        assert bridge.state().resets >= 1  # its chip is a new one, which had to be reset
    finally:
        bridge.close()
