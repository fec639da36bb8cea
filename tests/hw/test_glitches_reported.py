"""Every glitch that others reported, acted out below our drivers: a status each time, never a number.

The list is ``shared/data/glitches-reported.csv`` beside the project. A row that cannot be acted out says
why; a new row fails here until someone has thought about it.
"""

from __future__ import annotations

import csv
from collections.abc import Callable

import pytest
from repository import RECORDINGS
from simulated_chips import HxRig, NauRig, RtdRig, names, numbers, read

from hw.converter_pace import STUCK_AFTER
from hw.errors import BadSetting
from hw.protocols import Status

CSV = RECORDINGS / "glitches-reported.csv"
NOISE = 50e-9 / 5.0 * 128 * (2 << 23)


def hx(code: int) -> HxRig:
    rig = HxRig(lambda t: code / 128 / (2 << 23), chip_settings={"power_up_step": 0.0})
    rig.driver.open()
    read(rig.driver, rig.clock, 12)
    return rig


def powers_of_two_less_one(row: dict[str, str]) -> None:
    # The chip is reset, or the line is lost, in mid-word: what is left of the word reads as ones.
    for pulse in range(2, 17):
        for break_line in (False, True):
            rig = hx(5_000)
            honest, count = rig.chip.sck, 0

            def act(level: bool, rig=rig, honest=honest, pulse=pulse, break_line=break_line) -> None:
                nonlocal count
                honest(level)
                count += level
                if level and count == pulse:
                    if break_line:
                        rig.chip.unplug()
                    else:
                        rig.chip.reset()

            rig.chip.sck = act
            samples = read(rig.driver, rig.clock, 15)
            if pulse <= 12:
                assert samples[0].code == (1 << (25 - pulse)) - 1  # 8388607, 4194303, 2097151, …
                assert samples[0].status != Status.OK
            # What is lost of the last bits alone is no more than 255.
            assert all(abs(s.code - 5_000) < 256 for s in numbers(samples[:1]))
            assert all(abs(s.code - 5_000) < 8 * NOISE for s in numbers(samples[1:]))
    # The other value, 0: the line is held low, so a word seems ready and is all zeros.
    rig = hx(5_000)
    rig.chip.short_dout(False)
    sample = read(rig.driver, rig.clock, 1)[0]
    assert (sample.code, sample.status) == (0, Status.DESYNC)


def a_stretched_pulse_and_a_late_conversion(row: dict[str, str]) -> None:
    for pulse in range(1, 26):
        rig = hx(171_000)
        rig.pins.preempt(80_000, pulse=pulse)
        samples = read(rig.driver, rig.clock, 15)
        assert names(samples) == ["LATE", "SETTLING", "OK"]
        assert all(abs(s.code - 171_000) < 8 * NOISE for s in numbers(samples))


def an_isolated_zero_with_a_delay(row: dict[str, str]) -> None:
    for us in (51, 59, 61, 100, 20_000):
        rig = hx(-459_750)
        for pulse in (2, 8, 17, 25):
            rig.pins.preempt(us * 1000, pulse=pulse)
            samples = read(rig.driver, rig.clock, 15)
            assert samples[0].status == Status.LATE
            assert all(abs(s.code + 459_750) < 8 * NOISE for s in numbers(samples))


def an_idle_line_is_not_data(row: dict[str, str]) -> None:
    # Read before ready, the line is high: -2, -12546, … begin with ones. We never clock an unready chip.
    rig = hx(100_000)
    rig.chip.stop()
    pulses: list[bool] = []
    rig.chip.sck = pulses.append
    samples = read(rig.driver, rig.clock, 5)
    assert names(samples) == ["NOT_READY"]
    assert pulses == []
    for code in (int(value) for value in row["raw_or_value"].split(";")):
        assert names(read(hx(code).driver, hx(code).clock, 1)) in (["OK"], ["NOT_READY"])


def steps_at_power_up(row: dict[str, str]) -> None:
    # No bus error makes the driver calibrate or power-cycle; a reset that happens is counted.
    rig = NauRig()
    rig.driver.open()
    rig.chip.nack_every(5)
    samples = read(rig.driver, rig.clock, 300)
    assert rig.driver.counters.resets == 0
    codes = [s.code for s in numbers(samples)]
    assert max(codes) - min(codes) < 0.001 * abs(codes[0])
    rig.chip.nack_every(0)
    calibration = rig.smbus.read_i2c_block_data(0x2A, 0x03, 7)
    rig.chip.reset()
    assert names(read(rig.driver, rig.clock, 30)) == ["SETTLING", "OK"]
    assert rig.driver.counters.resets == 1
    assert rig.smbus.read_i2c_block_data(0x2A, 0x03, 7) == calibration


def rtd_zero_with_the_low_threshold_bit(row: dict[str, str]) -> None:
    rig = RtdRig()
    rig.driver.open()
    rig.chip.short_rtd()
    rig.clock.sleep_s(0.5)
    sample = rig.driver.read()
    assert (sample.code, sample.fault, sample.status) == (0, 0x40, Status.FAULT)
    rig = RtdRig()
    rig.port.mode = 0
    with pytest.raises(BadSetting):
        rig.driver.open()


def rtd_zeros_and_ones_between_good_readings(row: dict[str, str]) -> None:
    rig = RtdRig()
    rig.driver.open()
    damage: list[Callable[[bytes], bytes] | None] = [
        None,
        lambda answer: bytes(len(answer)),
        lambda answer: b"\xff" * len(answer),
        lambda answer: answer[:1] + b"\xff" * (len(answer) - 1) if len(answer) == 3 else answer,
        lambda answer: bytes(3) if len(answer) == 3 else answer,
    ]
    good = 0
    for i in range(100):
        rig.port.garble = damage[i % 5]
        rig.clock.sleep_s(0.2)
        sample = rig.driver.read()
        if i % 5:
            assert sample.status in (Status.FAULT, Status.BUS_ERROR)
        elif sample.status == Status.OK:
            good += 1
            assert abs(sample.code - rig.chip.true_code(sample.t_ns)) <= 4
    assert good == 20


def a_good_register_stream_is_good(row: dict[str, str]) -> None:
    rig = RtdRig()
    rig.driver.open()
    rig.clock.sleep_s(0.2)
    lsbs = [88, 88, 90, 90, 92, 92, 92, 92, 92, 88, 90, 90, 86, 86, 84, 84, 86]
    for lsb in lsbs:
        rig.chip.stick((105 << 8 | lsb) >> 1)
        rig.clock.sleep_s(0.02)
        sample = rig.driver.read()
        assert (sample.code, sample.status) == ((105 << 8 | lsb) >> 1, Status.OK)
        assert 13482 <= sample.code <= 13486


def a_fault_bit_from_before_the_start(row: dict[str, str]) -> None:
    rig = RtdRig(chip_settings={"power_up_fault": 0x40})
    rig.driver.open()
    samples = [rig.driver.read() for _ in range(20)]
    assert names(samples) == ["SETTLING", "OK"]
    assert all(s.fault == 0 for s in samples if s.status == Status.OK)


def twelve_identical_words(row: dict[str, str]) -> None:
    # An ADS1231 and a DS18B20 are other chips, so their registers cannot be acted out here. What can
    # be: a frozen word becomes STUCK, if only after fifty (see STUCK_AFTER), and the line held low
    # that gives zeros is DESYNC from the first.
    rig = hx(100_000)
    rig.chip.stick(0)
    assert read(rig.driver, rig.clock, STUCK_AFTER)[-1].status == Status.STUCK


def an_open_input(row: dict[str, str]) -> None:
    # INT32_MIN and 1e9 were made by a logger's conversion from float, behind the chip. What the chip
    # gives for an open input can be acted out: a rail.
    rig = hx(100_000)
    for sign in (1, -1):
        rig.chip.saturate(sign)
        assert names(read(rig.driver, rig.clock, 5)) == ["SATURATED"]


ACTS: dict[str, Callable[[dict[str, str]], None]] = {
    "bogde/HX711/issues/83": powers_of_two_less_one,
    "bogde/HX711/issues/216": a_stretched_pulse_and_a_late_conversion,
    "dangrie158/opencushion/issues/11": an_isolated_zero_with_a_delay,
    "ggurov/hx711/issues/5": an_idle_line_is_not_data,
    "sparkfun/SparkFun_DataLogger/issues/22": steps_at_power_up,
    "adafruit/Adafruit_MAX31865/issues/4": rtd_zero_with_the_low_threshold_bit,
    "adafruit/Adafruit_CircuitPython_MAX31865/issues/42": rtd_zeros_and_ones_between_good_readings,
    "MarlinFirmware/Marlin/issues/21638": a_good_register_stream_is_good,
    "MarlinFirmware/Marlin/issues/23439": a_fault_bit_from_before_the_start,
    "bee-mois/beescale": twelve_identical_words,
    "xisphias/Lysimeter": an_open_input,
}


def rows() -> list[dict[str, str]]:
    if not CSV.exists():
        return []
    with CSV.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.skipif(not CSV.exists(), reason="shared/data/glitches-reported.csv is not beside the project")
def test_every_reported_row_is_known_here() -> None:
    assert {row["source"].removeprefix("https://github.com/") for row in rows()} == set(ACTS)


@pytest.mark.skipif(not CSV.exists(), reason="shared/data/glitches-reported.csv is not beside the project")
@pytest.mark.parametrize("source", ACTS)
def test_a_reported_glitch_gets_a_status_and_is_never_a_number(source: str) -> None:
    row = next(row for row in rows() if row["source"].endswith(source))
    ACTS[source](row)
