"""The NAU7802 driver on the chip model: right numbers, and a status instead of every wrong one."""

from __future__ import annotations

import errno
import itertools

import pytest
from simulated_chips import RATIO, NauRig, names, numbers, read

from hw.clock import NS_PER_S
from hw.converter_pace import STUCK_AFTER
from hw.errors import BadSetting, BusError, ChipNotFound, ChipNotReady
from hw.protocols import Status

NOISE = 30e-9 / 3.0 * 128 * (2 << 23)
STILL = {"power_up_step": 0.0, "power_up_gain": 0.0}
QUIET = STILL | {"noise_v": 0.0, "offset_v": 0.0}


@pytest.fixture
def rig() -> NauRig:
    rig = NauRig()
    rig.driver.open()
    return rig


def settled(rig: NauRig) -> NauRig:
    read(rig.driver, rig.clock, 6)
    return rig


def near_truth(rig: NauRig, samples: list) -> bool:
    return all(abs(s.code - rig.chip.true_code(s.t_ns)) < 6 * NOISE for s in numbers(samples))


def test_open_leaves_the_registers_as_the_data_sheet_says(rig: NauRig) -> None:
    registers = rig.smbus.read_i2c_block_data(0x2A, 0, 0x20)
    assert registers[0] & 0b1101_1111 == 0b1001_1110  # AVDDS, CS, PUR, PUA, PUD
    assert registers[1] == 0b0010_1111  # 3.0 V, gain 128
    assert registers[2] == 0  # channel 1, 10 SPS, no calibration going on, no error
    assert (registers[0x15], registers[0x1C]) == (0x30, 0x80)


def test_channel_2_leaves_the_capacitor_off_its_pins() -> None:
    rig = NauRig(driver_settings={"channel": 2}, chip_settings=QUIET | {"signal_2": lambda t: -1e-4})
    rig.driver.open()
    assert rig.smbus.read_byte_data(0x2A, 0x1C) == 0
    assert {s.code for s in numbers(read(rig.driver, rig.clock, 10))} == {round(-1e-4 * 128 * (2 << 23))}


@pytest.mark.parametrize("gain", [1, 2, 64, 128])
@pytest.mark.parametrize("ratio", [RATIO, -3e-3, 0.0])
def test_a_code_is_the_ratio_times_the_gain(gain: int, ratio: float) -> None:
    rig = NauRig(lambda t: ratio, {"gain": gain}, QUIET)
    rig.driver.open()
    samples = read(rig.driver, rig.clock, 20)
    assert names(samples) == ["SETTLING", "OK"]
    assert {s.code for s in numbers(samples)} == {round(ratio * gain * (2 << 23))}


def test_calibration_removes_the_chips_own_offset() -> None:
    rig = NauRig(chip_settings=STILL | {"offset_v": 2e-4})
    rig.driver.open()
    assert all(abs(s.code - RATIO * 128 * (2 << 23)) < 6 * NOISE for s in numbers(read(rig.driver, rig.clock, 50)))
    assert rig.driver.describe()["ocal"] != "000000"


def test_the_six_conversions_after_the_start_are_settling(rig: NauRig) -> None:
    samples = read(rig.driver, rig.clock, 200)
    assert [s.status for s in samples[:7]] == [Status.SETTLING] * 6 + [Status.OK]
    assert len(numbers(samples)) == 194
    assert near_truth(rig, samples)


@pytest.mark.parametrize("rate_sps", [10, 20, 40, 80, 320])
@pytest.mark.parametrize("rate_error", [-0.05, 0.0, 0.004, 0.16])
def test_every_conversion_is_read_once_and_when_it_is_ready(rate_sps: int, rate_error: float) -> None:
    rig = NauRig(driver_settings={"rate_sps": rate_sps}, chip_settings={"rate_error": rate_error})
    rig.driver.open()
    read(rig.driver, rig.clock, 30)
    samples = read(rig.driver, rig.clock, 500)
    assert names(samples) == ["OK"]
    assert rig.driver.counters.missed == 0
    period_ns = NS_PER_S / (rate_sps * (1 + rate_error))
    steps = [b.t_ns - a.t_ns for a, b in itertools.pairwise(samples)]
    assert sum(steps) / len(steps) == pytest.approx(period_ns, rel=0.001)
    assert all(abs(step - period_ns) < 0.03 * period_ns + 700_000 for step in steps)


def test_missed_conversions_are_counted(rig: NauRig) -> None:
    settled(rig)
    for _ in range(5):
        rig.clock.sleep_s(0.35)
        read(rig.driver, rig.clock, 1)
    assert rig.driver.counters.missed == pytest.approx(5 * 3, abs=3)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("offset_v", [0.0, 2e-4, -2e-4])
def test_a_rail_is_saturated_whatever_the_offset(sign: int, offset_v: float) -> None:
    rig = settled(NauRigOpen(offset_v))
    rig.chip.saturate(sign)
    read(rig.driver, rig.clock, 1)
    assert names(read(rig.driver, rig.clock, 10)) == ["SATURATED"]
    rig.chip.saturate(0)
    samples = read(rig.driver, rig.clock, 10)
    assert samples[-1].status == Status.OK
    assert near_truth(rig, samples)


def NauRigOpen(offset_v: float) -> NauRig:  # noqa: N802  # a rig, opened
    rig = NauRig(chip_settings={"offset_v": offset_v})
    rig.driver.open()
    return rig


def test_the_same_code_fifty_times_is_stuck_until_it_changes(rig: NauRig) -> None:
    settled(rig)
    rig.chip.stick(430_000)
    samples = read(rig.driver, rig.clock, STUCK_AFTER + 20)
    stuck = [i for i, s in enumerate(samples) if s.status == Status.STUCK]
    assert stuck[0] in (STUCK_AFTER - 1, STUCK_AFTER)
    assert len(stuck) in (20, 21)
    rig.chip.stick(None)
    assert names(read(rig.driver, rig.clock, 20))[-1] == "OK"


def test_noise_alone_is_never_stuck() -> None:
    rig = NauRig(driver_settings={"gain": 1, "rate_sps": 320})
    rig.driver.open()
    assert names(read(rig.driver, rig.clock, 20_000)) == ["SETTLING", "OK"]


def test_a_stopped_oscillator_is_not_ready_and_recovers(rig: NauRig) -> None:
    settled(rig)
    rig.chip.stop()
    before_ns = rig.clock.now_ns()
    samples = read(rig.driver, rig.clock, 3, within_s=0.3)
    assert names(samples)[-1] == "NOT_READY"
    assert rig.clock.now_ns() - before_ns < NS_PER_S
    rig.chip.go()
    rig.clock.sleep_s(1)
    assert names(read(rig.driver, rig.clock, 10))[-1] == "OK"


def test_single_bus_errors_are_retried_and_counted(rig: NauRig) -> None:
    settled(rig)
    rig.chip.nack_next(2)
    assert names(read(rig.driver, rig.clock, 1)) == ["OK"]
    assert rig.driver.counters.retries == 2
    rig.chip.nack_every(7)
    assert names(read(rig.driver, rig.clock, 50)) == ["OK"]
    assert rig.driver.counters.retries > 2
    assert rig.driver.counters.bus_errors == 0


def test_an_unplugged_chip_is_a_bus_error_and_settles_when_it_is_back(rig: NauRig) -> None:
    settled(rig)
    calibration = rig.driver.describe()["ocal"]
    rig.chip.unplug()
    samples = read(rig.driver, rig.clock, 5)
    assert names(samples) == ["BUS_ERROR"]
    assert rig.driver.counters.bus_errors == 5
    rig.chip.plug()
    samples = read(rig.driver, rig.clock, 30)
    assert names(samples) == ["SETTLING", "OK"]
    assert rig.driver.counters.resets == 1
    assert near_truth(rig, samples)
    assert bytes(rig.smbus.read_i2c_block_data(0x2A, 0x03, 3)).hex() == calibration


def test_a_brown_out_is_set_up_again_with_the_first_calibration() -> None:
    rig = NauRig(chip_settings=STILL | {"offset_v": 1e-4})
    rig.driver.open()
    settled(rig)
    before = numbers(read(rig.driver, rig.clock, 20))
    rig.chip.reset()
    samples = read(rig.driver, rig.clock, 40)
    assert names(samples) == ["SETTLING", "OK"]
    first = numbers(samples)[0]
    assert first.t_ns - before[-1].t_ns > 1.2 * NS_PER_S  # the excitation's 0.6 s, then six conversions
    assert abs(first.code - before[-1].code) < 8 * NOISE
    assert rig.driver.counters.resets == 1


@pytest.mark.parametrize(("register", "value"), [(0x01, 0x2E), (0x02, 0x30), (0x00, 0x02)])
def test_a_changed_setting_is_found_and_undone(rig: NauRig, register: int, value: int) -> None:
    settled(rig)
    rig.chip.poke(register, value)
    samples = read(rig.driver, rig.clock, 40)
    assert names(samples) == ["SETTLING", "OK"]
    assert near_truth(rig, samples)


def test_a_reset_between_the_look_and_the_read_is_no_zero(rig: NauRig, monkeypatch: pytest.MonkeyPatch) -> None:
    settled(rig)
    honest = rig.smbus.read_i2c_block_data

    def reset_first(address: int, register: int, length: int) -> list[int]:
        if register == 0x12:
            monkeypatch.undo()
            rig.chip.reset()
        return honest(address, register, length)

    monkeypatch.setattr(rig.smbus, "read_i2c_block_data", reset_first)
    samples = read(rig.driver, rig.clock, 40)
    assert names(samples) == ["NOT_READY", "SETTLING", "OK"]


def test_never_more_than_one_sample_per_period_and_no_hang(rig: NauRig) -> None:
    settled(rig)
    rig.chip.unplug()
    begin_ns = rig.clock.now_ns()
    for _ in range(10):
        rig.driver.read(rig.clock.now_ns())  # a deadline that has passed already
    assert 0.9 * NS_PER_S < rig.clock.now_ns() - begin_ns < 1.5 * NS_PER_S


def test_no_chip_wrong_chip_and_dead_chips_are_named() -> None:
    rig = NauRig()
    rig.bus.detach(0x2A)
    with pytest.raises(ChipNotFound, match="0x2A"):
        rig.driver.open()
    rig = NauRig()
    rig.chip._regs[0x1F] = 0x03  # another chip
    rig.chip._reset = lambda: None
    with pytest.raises(ChipNotFound, match="0x03"):
        rig.driver.open()
    for script, words in (
        ("fail_calibration", "calibration failed"),
        ("hang_calibration", "does not end"),
    ):
        rig = NauRig()
        setattr(rig.chip, script, True)
        with pytest.raises(ChipNotReady, match=words):
            rig.driver.open()


def test_a_bus_that_cannot_be_opened_says_what_to_do() -> None:
    def no_bus() -> None:
        raise FileNotFoundError(errno.ENOENT, "No such file or directory", "/dev/i2c-1")

    rig = NauRig()
    rig.driver._open_bus = no_bus
    with pytest.raises(BusError, match="dtparam"):
        rig.driver.open()


def test_a_bus_that_dies_in_open_is_released() -> None:
    rig = NauRig()
    rig.clock.at(400_000_000, rig.chip.unplug)
    with pytest.raises(BusError):
        rig.driver.open()
    with pytest.raises(OSError, match="Bad file descriptor"):
        rig.smbus.read_byte(0x2A)


@pytest.mark.parametrize("bad", [{"gain": 3}, {"rate_sps": 15}, {"ldo_v": 5.0}, {"channel": 3}])
def test_settings_the_chip_does_not_have_are_refused(bad: dict[str, object]) -> None:
    with pytest.raises(BadSetting, match=next(iter(bad))):
        NauRig(driver_settings=bad)
