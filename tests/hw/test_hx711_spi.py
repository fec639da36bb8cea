"""The HX711 driver on an SPI port, on the same chip model as the one on two GPIO lines."""

from __future__ import annotations

import itertools

import pytest
from simulated_chips import RATIO, HxRig, HxSpiRig, names, numbers, read

from hw.clock import NS_PER_S
from hw.errors import BadSetting, BusError, ChipNotFound, ChipNotReady
from hw.hx711_spi import Hx711Spi
from hw.protocols import Conversion

NOISE = 50e-9 / 5.0 * 128 * (2 << 23)


@pytest.fixture
def rig() -> HxSpiRig:
    return settled(HxSpiRig())


def settled(rig: HxSpiRig) -> HxSpiRig:
    rig.driver.open()
    read(rig.driver, rig.clock, 12)
    return rig


def near_truth(rig: HxSpiRig, samples: list[Conversion], gain: int = 128) -> bool:
    return all(abs(s.code - rig.chip.true_code(s.t_ns, gain)) < 12 * NOISE for s in numbers(samples))


@pytest.mark.parametrize("gain", [128, 64, 32])
@pytest.mark.parametrize("ratio", [RATIO, -2e-3, 0.0])
def test_a_code_is_the_one_that_two_gpio_lines_give(gain: int, ratio: float) -> None:
    chip = {"noise_v": 0.0, "signal_b": lambda t: ratio}
    codes = []
    for make in (HxSpiRig, HxRig):
        rig = make(lambda t: ratio, {"gain": gain}, chip)
        rig.driver.open()
        samples = read(rig.driver, rig.clock, 20)
        assert names(samples) == ["SETTLING", "OK"]
        codes.append({s.code for s in numbers(samples)})
    assert codes[0] == codes[1] == {round(ratio * gain * (2 << 23))}


def test_every_pulse_is_one_microsecond_and_the_line_is_low_afterwards(
    rig: HxSpiRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    edges: list[tuple[bool, int]] = []
    honest = rig.chip.sck

    def watch(level: bool) -> None:
        if level != (edges[-1][0] if edges else False):
            edges.append((level, rig.clock.now_ns()))
        honest(level)

    monkeypatch.setattr(rig.chip, "sck", watch)
    assert names(read(rig.driver, rig.clock, 1)) == ["OK"]
    assert len(edges) == 2 * 25
    assert not edges[-1][0]
    assert {fall[1] - rise[1] for rise, fall in zip(edges[::2], edges[1::2], strict=True)} == {1000}


@pytest.mark.parametrize("frequency_hz", [100_000, 500_000, 2_000_000])
@pytest.mark.parametrize("gain", [128, 64])
def test_it_works_from_100_khz_to_2_mhz(frequency_hz: int, gain: int) -> None:
    rig = settled(HxSpiRig(driver_settings={"gain": gain}, port_settings={"frequency_hz": frequency_hz}))
    samples = read(rig.driver, rig.clock, 20)
    assert names(samples) == ["OK"]
    assert near_truth(rig, samples, gain)


@pytest.mark.parametrize("rate_sps", [10, 80])
@pytest.mark.parametrize("rate_error", [-0.05, 0.0, 0.16])
def test_every_conversion_is_read_once_and_when_it_is_ready(rate_sps: int, rate_error: float) -> None:
    settings = {"rate_sps": rate_sps, "rate_error": rate_error}
    rig = settled(HxSpiRig(driver_settings={"rate_sps": rate_sps}, chip_settings=settings))
    samples = read(rig.driver, rig.clock, 300)
    assert names(samples) == ["OK"]
    assert rig.driver.counters.missed == 0
    period_ns = NS_PER_S / (rate_sps * (1 + rate_error))
    steps = [b.t_ns - a.t_ns for a, b in itertools.pairwise(samples)]
    assert sum(steps) / len(steps) == pytest.approx(period_ns, rel=0.001)


@pytest.mark.parametrize("after_byte", range(1, 9))
@pytest.mark.parametrize("us", [5, 70, 2000])
def test_a_pause_of_the_controller_between_two_bytes_does_no_harm(rig: HxSpiRig, after_byte: int, us: int) -> None:
    rig.port.stretch(us * 1000, after_byte=after_byte)
    samples = read(rig.driver, rig.clock, 5)
    assert names(samples) == ["OK"]
    assert near_truth(rig, samples)


def test_a_word_that_takes_too_long_is_late_and_recovers(rig: HxSpiRig) -> None:
    rig.port.stretch(40_000_000, after_byte=3)
    samples = read(rig.driver, rig.clock, 20)
    assert names(samples) == ["LATE", "SETTLING", "OK"]
    assert near_truth(rig, samples)
    assert rig.driver.counters.resets == 1


def test_a_port_that_idles_high_is_found_at_once() -> None:
    rig = HxSpiRig(port_settings={"idle": True})
    with pytest.raises(ChipNotFound, match="stays high"):
        rig.driver.open()


def test_an_unplugged_chip_is_not_ready_with_a_pull_up_and_desync_without(rig: HxSpiRig) -> None:
    rig.chip.power_up_step = 0.0
    rig.chip.unplug()
    assert names(read(rig.driver, rig.clock, 5)) == ["NOT_READY"]
    rig.chip.plug()
    samples = read(rig.driver, rig.clock, 20)
    assert names(samples) == ["SETTLING", "OK"]
    rig.chip.short_dout(False)
    assert names(read(rig.driver, rig.clock, 5)) == ["DESYNC"]
    rig.chip.short_dout(None)
    samples += read(rig.driver, rig.clock, 20)
    assert names(samples)[-2:] == ["SETTLING", "OK"]
    assert near_truth(rig, samples)


@pytest.mark.parametrize("bit", range(8, 56))
def test_one_damaged_look_at_a_bit_is_no_number(rig: HxSpiRig, bit: int) -> None:
    def garble(answer: bytes) -> bytes:
        flipped = int.from_bytes(answer) ^ 1 << 71 - bit if len(answer) == 9 else int.from_bytes(answer)
        return flipped.to_bytes(len(answer))

    rig.port.garble = garble
    assert names(read(rig.driver, rig.clock, 1)) == ["DESYNC"]
    rig.port.garble = None
    samples = read(rig.driver, rig.clock, 20)
    assert names(samples)[-1] == "OK"
    assert near_truth(rig, samples)


@pytest.mark.parametrize("transfers", [1, 2, 3, 40])
def test_a_port_that_fails_is_a_bus_error_and_the_chip_is_reset_before_it_counts(rig: HxSpiRig, transfers: int) -> None:
    rig.port.fail_next(transfers)
    samples = read(rig.driver, rig.clock, transfers + 20)
    assert names(samples) == ["BUS_ERROR", "SETTLING", "OK"]
    assert near_truth(rig, samples)
    assert rig.driver.counters.bus_errors >= 1


def test_a_port_that_fails_between_look_and_word_leaves_no_number_out_of_step(
    rig: HxSpiRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = rig.port.transfer

    def cut(data: bytes, /) -> bytes:
        if len(data) == 9:
            honest(data[:4])
            raise OSError("cut")
        return honest(data)

    monkeypatch.setattr(rig.port, "transfer", cut)
    assert names(read(rig.driver, rig.clock, 3)) == ["BUS_ERROR"]
    monkeypatch.undo()
    samples = read(rig.driver, rig.clock, 20)
    assert names(samples) == ["SETTLING", "OK"]
    assert near_truth(rig, samples)


@pytest.mark.parametrize("offset_ms", range(7, 100, 31))
def test_a_chip_that_resets_itself_is_found_out(rig: HxSpiRig, offset_ms: int) -> None:
    rig.clock.at(rig.clock.now_ns() + offset_ms * 1_000_000, rig.chip.reset)
    samples = read(rig.driver, rig.clock, 30)
    assert names(samples)[-2:] == ["SETTLING", "OK"]
    assert near_truth(rig, samples)
    assert rig.driver.counters.resets == 1


def test_a_missing_port_a_failing_port_and_a_slow_one_are_named(rig: HxSpiRig) -> None:
    def no_port() -> None:
        raise FileNotFoundError("/dev/spidev1.0: not there")

    with pytest.raises(BusError, match="spi1-1cs"):
        Hx711Spi(no_port, rig.clock).open()
    rig.port.fail_next(1)
    with pytest.raises(BusError, match="check DOUT"):
        rig.driver.open()
    slow = HxSpiRig(port_settings={"gap_ns": 10_000_000})
    with pytest.raises(ChipNotReady, match="busy"):
        slow.driver.open()
    shorted = HxSpiRig()
    shorted.chip.short_dout(False)
    with pytest.raises(ChipNotFound, match="pull-up"):
        shorted.driver.open()


@pytest.mark.parametrize("bad", [{"gain": 1}, {"rate_sps": 20}])
def test_settings_the_chip_does_not_have_are_refused(bad: dict[str, object]) -> None:
    with pytest.raises(BadSetting, match=next(iter(bad))):
        HxSpiRig(driver_settings=bad)


def test_the_ratio_is_the_rigs(rig: HxSpiRig) -> None:
    mean = sum(s.code for s in read(rig.driver, rig.clock, 100)) / 100
    assert mean == pytest.approx(RATIO * 128 * (2 << 23), abs=4 * NOISE / 10)
