"""What every driver of ``hw`` holds: one contract, plain errors, no hang, no spin, no false number."""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulated_chips import AdsRig, HxRig, HxSpiRig, MprRig, NauRig, RtdRig, names, numbers, read

import hw
from hw import errors
from hw.clock import NS_PER_S, BootClock
from hw.panel import Panel
from hw.protocols import CODE_MAX, CODE_MIN, Bridge, Probe, Status
from hw.sim.pins import SimPinFactory

BRIDGES = [NauRig, HxRig, HxSpiRig]
SAMPLE = np.dtype([("t_ns", "<i8"), ("code", "<i4"), ("status", "u1")])
PROBE = np.dtype([("t_ns", "<i8"), ("code", "<u2"), ("fault", "u1"), ("status", "u1")])
"""What must hold a conversion and a reading of any driver."""
PROBES = [RtdRig, MprRig, AdsRig]
RIGS = BRIDGES + PROBES
MODULES = [m.name for m in pkgutil.walk_packages(hw.__path__, "hw.")]
VERBS = ("Get", "Set", "Measure", "Open", "Release")


@pytest.mark.parametrize("make", RIGS)
def test_a_driver_has_every_method_of_its_protocol_with_its_signature(make: type) -> None:
    driver = make().driver
    protocol = Probe if make in PROBES else Bridge
    for name, member in inspect.getmembers(protocol, inspect.isfunction):
        if not name.startswith("_"):
            assert inspect.signature(getattr(type(driver), name)) == inspect.signature(member)
    if protocol is Bridge:
        assert isinstance(driver.name, str)
        assert driver.rate_sps == 10.0


@pytest.mark.parametrize("driver", [*(type(make().driver) for make in RIGS), Panel])
def test_public_docstrings_begin_with_what_the_method_does(driver: type) -> None:
    for name, member in inspect.getmembers(driver):
        if not name.startswith("_"):
            assert member.__doc__.split()[0] in VERBS, name


@pytest.mark.parametrize("name", MODULES)
def test_a_module_says_what_it_is_for_and_imports_nothing_above_it(name: str) -> None:
    module = importlib.import_module(name)
    assert module.__doc__
    source = inspect.getsource(module)
    assert not any(f"{word} {above}" in source for word in ("from", "import") for above in ("edge", "calibration"))


@pytest.mark.parametrize("make", RIGS)
def test_a_driver_is_used_only_while_open(make: type) -> None:
    rig = make()
    rig.driver.close()
    arguments = () if make in PROBES else (NS_PER_S,)
    with pytest.raises(errors.NotOpen, match="call open"):
        rig.driver.read(*arguments)
    rig.driver.open()
    rig.driver.read(*arguments)
    rig.driver.open()
    rig.driver.close()
    rig.driver.close()
    with pytest.raises(errors.NotOpen):
        rig.driver.read(*arguments)


@pytest.mark.parametrize("make", RIGS)
def test_describe_is_plain_and_says_the_same_before_and_after_open(make: type) -> None:
    rig = make()
    before = rig.driver.describe()
    rig.driver.open()
    after = rig.driver.describe()
    assert json.loads(json.dumps(after)) == after
    assert before.items() <= after.items()


def test_every_error_is_a_hw_error_and_a_builtin_one() -> None:
    for _, error in inspect.getmembers(errors, inspect.isclass):
        if error is not errors.HwError:
            assert issubclass(error, errors.HwError)
            assert any(base.__module__ == "builtins" for base in error.__bases__)


@pytest.mark.parametrize("make", RIGS)
def test_a_missing_chip_is_one_line_with_what_to_do(make: type) -> None:
    rig = make()
    rig.chip.unplug()
    with pytest.raises(errors.ChipNotFound) as caught:
        rig.driver.open()
    message = str(caught.value)
    assert "\n" not in message
    assert "check" in message
    assert rig.clock.now_ns() < 3 * NS_PER_S
    rig.chip.plug()
    rig.driver.open()


@pytest.mark.parametrize("make", BRIDGES)
@pytest.mark.parametrize("fault", ["unplug", "stop"])
@pytest.mark.parametrize("within_s", [-1.0, 0.0, 0.05, 0.3])
def test_a_failing_read_neither_spins_nor_hangs(make: type, fault: str, within_s: float) -> None:
    rig = make()
    rig.driver.open()
    read(rig.driver, rig.clock, 15)
    getattr(rig.chip, fault)()
    read(rig.driver, rig.clock, 2)
    for _ in range(5):
        begin_ns = rig.clock.now_ns()
        sample = read(rig.driver, rig.clock, 1, within_s)[0]
        took_s = (rig.clock.now_ns() - begin_ns) / NS_PER_S
        assert sample.status in (Status.NOT_READY, Status.BUS_ERROR)
        assert 0.0999 < took_s < max(0.1, within_s) + 0.02


@pytest.mark.parametrize("make", BRIDGES)
def test_samples_fit_their_stored_form(make: type) -> None:
    rig = make(lambda t: -2e-3)
    rig.driver.open()
    samples = read(rig.driver, rig.clock, 20)
    assert np.array(samples, dtype=SAMPLE).tolist() == [tuple(s) for s in samples]
    assert all(CODE_MIN <= s.code <= CODE_MAX for s in samples)


@pytest.mark.parametrize(
    ("make", "fault"),
    [
        (RtdRig, lambda c: c.open_rtd()),
        *((make, lambda c, sign=sign: c.saturate(sign)) for make in (MprRig, AdsRig) for sign in (-1, 0, 1)),
    ],
)
def test_a_probes_samples_fit_their_stored_form(make: type, fault: Callable) -> None:
    rig = make()
    rig.driver.open()
    fault(rig.chip)
    samples = rig.read(5)
    assert np.array(samples, dtype=PROBE).tolist() == [tuple(s) for s in samples]


@pytest.mark.parametrize("make", PROBES)
def test_a_probe_that_fails_takes_a_bounded_time(make: type) -> None:
    rig = make()
    rig.driver.open()
    rig.chip.unplug()
    for _ in range(5):
        begin_ns = rig.clock.now_ns()
        assert rig.driver.read().status in (Status.BUS_ERROR, Status.FAULT)
        assert rig.clock.now_ns() - begin_ns < 0.2 * NS_PER_S


@pytest.mark.parametrize("make", BRIDGES)
def test_the_same_seed_gives_the_same_samples(make: type) -> None:
    def once() -> list:
        rig = make()
        rig.driver.open()
        return read(rig.driver, rig.clock, 100)

    assert once() == once()


def test_drivers_and_models_run_on_the_machines_own_clock_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulated_chips.ScriptedClock", BootClock)
    rig = NauRig(driver_settings={"rate_sps": 320})
    rig.driver.open()
    assert "OK" in names(read(rig.driver, rig.clock, 12))
    hx = HxRig(driver_settings={"rate_sps": 80}, chip_settings={"rate_sps": 80})
    hx.driver.open()
    samples = read(hx.driver, hx.clock, 10)
    assert set(names(samples)) <= {"OK", "SETTLING", "LATE"}  # this machine may be busy
    rtd = RtdRig()
    rtd.driver.open()
    assert names([rtd.driver.read() for _ in range(8)])[-1] == "OK"


def test_gpiozeros_own_devices_work_on_the_simulated_lines() -> None:
    from gpiozero import LED, Button, Buzzer, DigitalInputDevice

    rig = HxRig()
    factory = SimPinFactory(rig.clock)
    with LED(17, pin_factory=factory) as led, Buzzer(27, pin_factory=factory) as buzzer:
        led.on()
        buzzer.on()
        assert factory.pin(17).state
        assert factory.pin(27).state
        led.off()
        assert not factory.pin(17).state
    pressed = []
    with Button(22, pin_factory=factory) as button, DigitalInputDevice(23, pin_factory=factory) as contact:
        button.when_pressed = lambda: pressed.append("pressed")
        button.when_released = lambda: pressed.append("released")
        assert not button.is_pressed
        factory.drive(22, False)
        assert button.is_pressed
        factory.drive(22, True)
        factory.drive(23, True)
        assert contact.value == 1
    assert pressed == ["pressed", "released"]
    factory.close()


NAU_FAULTS: dict[str, Callable] = {
    "unplug": lambda c: c.unplug(),
    "plug": lambda c: c.plug(),
    "brown-out": lambda c: c.reset(),
    "nacks": lambda c: c.nack_next(2),
    "many nacks": lambda c: c.nack_next(40),
    "gain": lambda c: c.poke(0x01, 0x2C),
    "rate": lambda c: c.poke(0x02, 0x30),
    "rail": lambda c: c.saturate(1),
    "signal": lambda c: c.saturate(0),
    "stop": lambda c: c.stop(),
    "go": lambda c: c.go(),
}
HX_FAULTS: dict[str, Callable] = {
    "unplug": lambda c: c.unplug(),
    "plug": lambda c: c.plug(),
    "brown-out": lambda c: c.reset(),
    "ground": lambda c: c.short_dout(False),
    "supply": lambda c: c.short_dout(True),
    "free": lambda c: c.short_dout(None),
    "rail": lambda c: c.saturate(-1),
    "signal": lambda c: c.saturate(0),
    "stop": lambda c: c.stop(),
    "go": lambda c: c.go(),
}
RATIOS = st.floats(-3.5e-3, 3.5e-3)


def script(faults: dict[str, Callable]) -> st.SearchStrategy:
    return st.lists(st.tuples(st.integers(1_500, 6_000), st.sampled_from(sorted(faults))), max_size=6)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(ratio=RATIOS, slope=st.floats(-1e-4, 1e-4), events=script(NAU_FAULTS))
def test_nau7802_whatever_happens_a_number_is_true(ratio: float, slope: float, events: list) -> None:
    rig = NauRig(lambda t: ratio + slope * t / NS_PER_S, chip_settings={"power_up_step": 0.0, "power_up_gain": 0.0})
    rig.driver.open()
    for t_ms, name in events:
        rig.clock.at(t_ms * 1_000_000, lambda name=name: NAU_FAULTS[name](rig.chip))
    noise = 30e-9 / 3.0 * 128 * (2 << 23)
    while rig.clock.now_ns() < 7 * NS_PER_S:
        for s in numbers(read(rig.driver, rig.clock, 1)):
            wobble = abs(slope) * 0.03 * 128 * (2 << 23)  # a sample's time may be some ms off
            true = (ratio + slope * s.t_ns / NS_PER_S) * 128 * (2 << 23)
            assert abs(s.code - true) < 8 * noise + wobble


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    make=st.sampled_from([HxRig, HxSpiRig]),
    ratio=RATIOS,
    slope=st.floats(-1e-4, 1e-4),
    events=script(HX_FAULTS),
    preemptions=st.lists(st.tuples(st.integers(1, 500), st.integers(1, 5_000)), max_size=4),
    rate_error=st.sampled_from([-0.04, 0.0, 0.16]),
)
def test_hx711_whatever_happens_a_number_is_true(
    make: type, ratio: float, slope: float, events: list, preemptions: list, rate_error: float
) -> None:
    rig = make(lambda t: ratio + slope * t / NS_PER_S, chip_settings={"rate_error": rate_error, "power_up_step": 0.0})
    rig.driver.open()
    for t_ms, name in events:
        rig.clock.at(t_ms * 1_000_000, lambda name=name: HX_FAULTS[name](rig.chip))
    for i, (pulse, us) in enumerate(preemptions):
        disturb = {
            HxRig: lambda p=pulse, us=us: rig.pins.preempt(us * 1000, pulse=p),
            HxSpiRig: lambda p=pulse, us=us: rig.port.stretch(us * 1000, after_byte=1 + p % 9),
        }[make]
        rig.clock.at((1 + i) * NS_PER_S, disturb)
    noise = 50e-9 / 5.0 * 128 * (2 << 23)
    while rig.clock.now_ns() < 7 * NS_PER_S:
        for s in numbers(read(rig.driver, rig.clock, 1)):
            wobble = abs(slope) * 0.06 * 128 * (2 << 23)  # found up to half a period after it was ready
            true = (ratio + slope * s.t_ns / NS_PER_S) * 128 * (2 << 23)
            assert abs(s.code - true) < 8 * noise + wobble + 255  # 255: see Hx711.read
