"""The HX711 driver on the chip model: right numbers, and a status instead of every wrong one."""

from __future__ import annotations

import itertools

import pytest
from simulated_chips import RATIO, HxRig, HxSpiRig, names, numbers, read

from hw.clock import NS_PER_S
from hw.converter_pace import STUCK_AFTER
from hw.errors import BadSetting, BusError, ChipNotFound, ChipNotReady
from hw.hx711 import Hx711
from hw.protocols import Conversion, Status

NOISE = 50e-9 / 5.0 * 128 * (2 << 23)


@pytest.fixture
def rig() -> HxRig:
    return settled(HxRig())


def settled(rig: HxRig) -> HxRig:
    rig.driver.open()
    read(rig.driver, rig.clock, 12)
    return rig


def near_truth(rig: HxRig, samples: list[Conversion], gain: int = 128) -> bool:
    return all(abs(s.code - rig.chip.true_code(s.t_ns, gain)) < 12 * NOISE for s in numbers(samples))


@pytest.mark.parametrize("gain", [128, 64, 32])
@pytest.mark.parametrize("ratio", [RATIO, -2e-3, 0.0])
@pytest.mark.parametrize("early", [False, True])
def test_a_code_is_the_ratio_times_the_gain(gain: int, ratio: float, early: bool) -> None:
    chip = {"noise_v": 0.0, "signal_b": lambda t: ratio, "ready_while_settling": early}
    rig = HxRig(lambda t: ratio, {"gain": gain}, chip)
    rig.driver.open()
    samples = read(rig.driver, rig.clock, 20)
    assert names(samples) == ["SETTLING", "OK"]
    assert {s.code for s in numbers(samples)} == {round(ratio * gain * (2 << 23))}


@pytest.mark.parametrize("make", [HxRig, HxSpiRig])
@pytest.mark.parametrize(("said_sps", "wired_sps", "level"), [(10, 80, "high"), (80, 10, "low")])
@pytest.mark.parametrize("rate_error", [-0.16, 0.16])
def test_a_rate_pin_that_is_wired_otherwise_is_named(
    make: type, said_sps: int, wired_sps: int, level: str, rate_error: float
) -> None:
    rig = make(driver_settings={"rate_sps": said_sps}, chip_settings={"rate_sps": wired_sps, "rate_error": rate_error})
    with pytest.raises(ChipNotFound, match=f"RATE pin is wired {level}; set rate_sps = {wired_sps}, not {said_sps}"):
        rig.driver.open()


@pytest.mark.parametrize("rate_sps", [10, 80])
@pytest.mark.parametrize("rate_error", [-0.05, 0.0, 0.004, 0.16])
def test_every_conversion_is_read_once_and_when_it_is_ready(rate_sps: int, rate_error: float) -> None:
    rig = HxRig(
        driver_settings={"rate_sps": rate_sps},
        chip_settings={"rate_sps": rate_sps, "rate_error": rate_error},
    )
    settled(rig)
    samples = read(rig.driver, rig.clock, 500)
    assert names(samples) == ["OK"]
    assert rig.driver.counters.missed == 0
    assert near_truth(rig, samples)
    period_ns = NS_PER_S / (rate_sps * (1 + rate_error))
    steps = [b.t_ns - a.t_ns for a, b in itertools.pairwise(samples)]
    assert sum(steps) / len(steps) == pytest.approx(period_ns, rel=0.001)
    assert all(abs(step - period_ns) < 0.03 * period_ns + 200_000 for step in steps)


def test_numbers_begin_after_the_settling_time() -> None:
    rig = HxRig(chip_settings={"ready_while_settling": True})
    rig.driver.open()
    samples = read(rig.driver, rig.clock, 20)
    assert names(samples) == ["SETTLING", "OK"]
    assert numbers(samples)[0].t_ns > 400_000_000
    assert near_truth(rig, samples)


@pytest.mark.parametrize("pulse", range(1, 26))
@pytest.mark.parametrize("us", [55, 80, 5000])
def test_a_stretched_pulse_is_late_and_the_next_numbers_are_true(rig: HxRig, pulse: int, us: int) -> None:
    rig.pins.preempt(us * 1000, pulse=pulse)
    samples = read(rig.driver, rig.clock, 20)
    assert names(samples) == ["LATE", "SETTLING", "OK"]
    assert samples[0].status == Status.LATE
    assert numbers(samples)[0].t_ns - samples[0].t_ns > 400_000_000
    assert near_truth(rig, samples)
    assert rig.driver.counters.resets == 1
    assert rig.driver.counters.missed == 0


@pytest.mark.parametrize("gain", [64, 32])
def test_a_reset_costs_one_settling_time_for_the_gain_too(gain: int) -> None:
    rig = settled(HxRig(driver_settings={"gain": gain}))
    rig.pins.preempt(80_000, pulse=12)
    samples = read(rig.driver, rig.clock, 20)
    assert names(samples) == ["LATE", "SETTLING", "OK"]
    assert numbers(samples)[0].t_ns - samples[0].t_ns < 1_100_000_000
    assert near_truth(rig, samples, gain)
    assert (rig.driver.counters.resets, rig.driver.counters.missed) == (1, 0)


def test_a_short_pulse_that_is_just_allowed_is_a_number(rig: HxRig) -> None:
    rig.pins.preempt(40_000, pulse=9)
    assert names(read(rig.driver, rig.clock, 5)) == ["OK"]


def test_a_data_line_shorted_to_ground_is_desync_and_recovers(rig: HxRig) -> None:
    rig.chip.short_dout(False)
    samples = read(rig.driver, rig.clock, 5)
    assert names(samples) == ["DESYNC"]
    rig.chip.short_dout(None)
    samples = read(rig.driver, rig.clock, 20)
    assert names(samples)[-2:] == ["SETTLING", "OK"]
    assert near_truth(rig, samples)


def test_an_unplugged_chip_is_never_clocked(rig: HxRig, monkeypatch: pytest.MonkeyPatch) -> None:
    pulses = []
    rig.chip.unplug()
    monkeypatch.setattr(rig.chip, "sck", pulses.append)
    assert names(read(rig.driver, rig.clock, 5)) == ["NOT_READY"]
    assert pulses == []
    monkeypatch.undo()
    rig.chip.plug()
    samples = read(rig.driver, rig.clock, 20)
    assert names(samples) == ["SETTLING", "OK"]
    assert near_truth(rig, samples)


@pytest.mark.parametrize("offset_ms", range(0, 400, 37))
def test_a_chip_that_comes_back_unsettled_gives_no_number_before_it_has_settled(offset_ms: int) -> None:
    rig = settled(HxRig(chip_settings={"ready_while_settling": True, "noise_v": 1e-9}))
    rig.chip.unplug()
    read(rig.driver, rig.clock, 3, within_s=0.3)
    rig.clock.at(rig.clock.now_ns() + offset_ms * 1_000_000, rig.chip.plug)
    samples = read(rig.driver, rig.clock, 20, within_s=0.3)
    assert names(samples)[-1] == "OK"
    assert near_truth(rig, samples)


@pytest.mark.parametrize("gain", [128, 64])
@pytest.mark.parametrize("early", [False, True])
@pytest.mark.parametrize("offset_ms", range(7, 100, 23))
def test_a_chip_that_resets_itself_is_found_out(gain: int, early: bool, offset_ms: int) -> None:
    rig = settled(HxRig(driver_settings={"gain": gain}, chip_settings={"ready_while_settling": early}))
    rig.clock.at(rig.clock.now_ns() + offset_ms * 1_000_000, rig.chip.reset)
    samples = read(rig.driver, rig.clock, 30)
    assert names(samples)[-2:] == ["SETTLING", "OK"]
    assert near_truth(rig, samples, gain)
    assert rig.driver.counters.resets == 1


def break_after(rig: HxRig, bits: int) -> None:
    """Unplug the chip after so many bits of its next word."""
    honest, count = rig.chip.sck, 0

    def sck(level: bool) -> None:
        nonlocal count
        honest(level)
        count += level
        if count == bits:
            rig.chip.unplug()

    rig.chip.sck = sck


@pytest.mark.parametrize("bits", range(1, 16))
def test_a_line_that_breaks_in_mid_word_is_no_number(bits: int) -> None:
    rig = HxRig(chip_settings={"noise_v": 0.0})
    settled(rig)
    break_after(rig, bits)
    samples = read(rig.driver, rig.clock, 3)
    assert samples[0].status in (Status.DESYNC, Status.SATURATED)  # 0x7FFFFF is a rail
    assert [s.status for s in samples[1:]] == [Status.NOT_READY, Status.NOT_READY]


@pytest.mark.parametrize("bits", range(12, 26))
@pytest.mark.parametrize("sign", [1, -1])
def test_a_line_that_breaks_while_the_input_is_at_a_rail_makes_no_number_of_it(bits: int, sign: int) -> None:
    rig = settled(HxRig())
    rig.chip.saturate(sign)
    read(rig.driver, rig.clock, 3)
    break_after(rig, bits)
    assert read(rig.driver, rig.clock, 1)[0].status is not Status.OK


@pytest.mark.parametrize("sign", [1, -1])
def test_a_rail_is_saturated(rig: HxRig, sign: int) -> None:
    rig.chip.saturate(sign)
    samples = read(rig.driver, rig.clock, 5)
    assert names(samples) == ["SATURATED"]
    assert {s.code for s in samples} == {(1 << 23) - 1 if sign > 0 else -(1 << 23)}
    rig.chip.saturate(0)
    assert names(read(rig.driver, rig.clock, 5)) == ["SETTLING", "OK"]


def test_the_same_code_fifty_times_is_stuck_until_it_changes(rig: HxRig) -> None:
    rig.chip.stick(430_000)
    samples = read(rig.driver, rig.clock, STUCK_AFTER + 20)
    assert [i for i, s in enumerate(samples) if s.status == Status.STUCK] == list(range(49, 70))
    rig.chip.stick(None)
    assert names(read(rig.driver, rig.clock, 5)) == ["OK"]


def test_a_step_is_a_number_once_the_next_code_confirms_it() -> None:
    rig = settled(HxRig(lambda t: RATIO if t < 3 * NS_PER_S else 2 * RATIO))
    samples = read(rig.driver, rig.clock, 30)
    assert names(samples) == ["OK", "DESYNC", "OK"]
    assert sum(s.status == Status.DESYNC for s in samples) == 1
    assert near_truth(rig, samples[-10:])
    assert rig.driver.counters.resets == 0


@pytest.mark.parametrize("bits", range(1, 25))
@pytest.mark.parametrize("level", [True, False])
def test_an_edge_too_many_or_too_few_is_no_number(bits: int, level: bool) -> None:
    # A disturbance gives the chip an extra pulse, or swallows one of ours.
    rig = settled(HxRig(lambda t: 0.7 * 1.2e-3, chip_settings={"noise_v": 1e-9}))
    honest, count = rig.chip.sck, 0

    def disturb(sck: bool) -> None:
        nonlocal count
        count += sck
        if count != bits:
            honest(sck)
        elif level and sck:
            honest(True)
            honest(False)
            honest(True)
        elif level:
            honest(False)

    rig.chip.sck = disturb
    samples = read(rig.driver, rig.clock, 40)
    assert all(abs(s.code - rig.chip.true_code(s.t_ns)) < 1024 for s in numbers(samples))
    assert names(samples)[-1] == "OK"


@pytest.mark.parametrize("code", [-1, 0, 255, 256, 65535, -65537])
def test_true_codes_that_end_in_ones_are_numbers(code: int) -> None:
    rig = settled(HxRig(lambda t: code / 128 / (2 << 23)))
    assert names(read(rig.driver, rig.clock, 400)) == ["OK"]


def test_a_late_read_never_tears_a_word() -> None:
    # The true code goes up and down over a boundary where every bit changes.
    rig = HxRig(
        lambda t: ((1 << 22) + (400 if t // 100_000_000 % 2 else -400)) / 128 / (2 << 23),
        chip_settings={"noise_v": 0.0},
    )
    settled(rig)
    true = {rig.chip.true_code(0), rig.chip.true_code(100_000_000)}
    for late_us in range(99_000, 101_000, 9):
        rig.clock.sleep_s(late_us / 1e6)
        for sample in numbers(read(rig.driver, rig.clock, 2)):
            assert sample.code in true


def test_missed_conversions_are_counted(rig: HxRig) -> None:
    for _ in range(5):
        rig.clock.sleep_s(0.25)
        read(rig.driver, rig.clock, 1)
    assert rig.driver.counters.missed == pytest.approx(5 * 2, abs=3)


def test_no_chip_and_busy_machines_are_named() -> None:
    rig = HxRig()
    rig.chip.unplug()
    with pytest.raises(ChipNotFound, match="stays high"):
        rig.driver.open()
    rig = HxRig()
    rig.chip.short_dout(False)
    with pytest.raises(ChipNotFound, match="shorted"):
        rig.driver.open()
    rig = HxRig()
    rig.pins.edge_ns = 40_000
    with pytest.raises(ChipNotReady, match="busy"):
        rig.driver.open()


def test_pins_that_are_taken_say_what_to_do(rig: HxRig) -> None:
    other = Hx711(sck_pin=5, dout_pin=6, clock=rig.clock, pin_factory=rig.pins)
    with pytest.raises(BusError, match="group gpio"):
        other.open()
    assert names(read(rig.driver, rig.clock, 3)) == ["OK"]
    rig.driver.close()
    other.open()


@pytest.mark.parametrize("bad", [{"gain": 1}, {"rate_sps": 20}])
def test_settings_the_chip_does_not_have_are_refused(bad: dict[str, object]) -> None:
    with pytest.raises(BadSetting, match=next(iter(bad))):
        HxRig(driver_settings=bad)
