"""The vacuum gauges, through Adafruit's libraries, on chip models at register level."""

from __future__ import annotations

import pytest
from simulated_chips import AdsRig, MprRig, names

from hw.clock import NS_PER_S, SimClock
from hw.converter_pace import STUCK_AFTER
from hw.errors import BadSetting, BusError, ChipNotFound, ChipNotReady
from hw.protocols import Status
from hw.sim.i2c import I2cBus, SimSMBus
from hw.vacuum_gauge import FULL_SCALE_V, Ads1115Gauge, MprlsGauge

RIGS = [MprRig, AdsRig]


def opened(rig: MprRig | AdsRig) -> MprRig | AdsRig:
    rig.driver.open()
    return rig


def true_code(rig: MprRig | AdsRig) -> int:
    code = rig.chip.true_code(rig.clock.now_ns())
    return code >> 8 if isinstance(rig, MprRig) else code + 0x8000


def near_truth(rig: MprRig | AdsRig, samples: list) -> bool:
    return all(abs(s.code - true_code(rig)) <= 8 for s in samples if s.status == Status.OK)


@pytest.mark.parametrize("pa", [0.0, 50.0, 5_000.0, 101_325.0, 172_368.9])
def test_an_mpr_gives_its_code_less_eight_bits_of_noise(pa: float) -> None:
    rig = opened(MprRig(lambda t: pa, chip_settings={"noise_codes": 0.0}))
    samples = rig.read(5)
    assert names(samples) == ["OK"]
    assert {s.code for s in samples} == {round(0x19999A + pa / 172_368.9 * (0xE66666 - 0x19999A)) >> 8}
    assert {s.fault for s in samples} == {0}


@pytest.mark.parametrize("full_scale_v", sorted(FULL_SCALE_V))
@pytest.mark.parametrize("channel", range(4))
def test_an_ads1115_gives_its_code_above_its_zero(full_scale_v: float, channel: int) -> None:
    volts = 0.1 + 0.03 * channel
    rig = AdsRig(
        lambda c, t: 0.1 + 0.03 * c,
        {"channel": channel, "full_scale_v": full_scale_v},
        {"noise_codes": 0.0, "rate_error": -0.1},
    )
    samples = opened(rig).read(3)
    assert names(samples) == ["OK"]
    assert {s.code for s in samples} == {0x8000 + round(volts / full_scale_v * 0x8000)}


@pytest.mark.parametrize("make", RIGS)
def test_a_reading_is_as_old_as_its_conversion(make: type) -> None:
    rig = opened(make())
    begin_ns = rig.clock.now_ns()
    rig.driver.read()
    assert rig.clock.now_ns() - begin_ns < 20_000_000


@pytest.mark.parametrize("make", RIGS)
@pytest.mark.parametrize("nacks", [1, 2])
def test_a_nack_now_and_then_is_retried_and_counted(make: type, nacks: int) -> None:
    rig = opened(make())
    rig.chip.nack_next(nacks)
    assert names(rig.read(3)) == ["OK"]
    assert rig.driver.counters.retries == nacks
    assert rig.driver.counters.bus_errors == 0


@pytest.mark.parametrize("make", RIGS)
def test_an_unplugged_gauge_is_a_bus_error_and_recovers(make: type) -> None:
    rig = opened(make())
    rig.chip.unplug()
    begin_ns = rig.clock.now_ns()
    assert names(rig.read(4, 0.0)) == ["BUS_ERROR"]
    assert rig.clock.now_ns() - begin_ns < NS_PER_S
    assert rig.driver.counters.bus_errors == 4
    rig.chip.plug()
    samples = rig.read(3)
    assert names(samples) == ["OK"]
    assert near_truth(rig, samples)


@pytest.mark.parametrize("make", RIGS)
def test_a_chip_that_stays_busy_is_not_ready_within_a_bounded_time(make: type) -> None:
    rig = opened(make())
    rig.chip.stop()
    begin_ns = rig.clock.now_ns()
    assert names(rig.read(4, 0.0)) == ["NOT_READY"]
    assert rig.clock.now_ns() - begin_ns < 0.3 * NS_PER_S
    rig.chip.go()
    assert names(rig.read(3)) == ["OK"]


@pytest.mark.parametrize("make", RIGS)
@pytest.mark.parametrize("sign", [1, -1])
def test_beyond_its_range_a_gauge_is_saturated(make: type, sign: int) -> None:
    rig = opened(make())
    rig.chip.saturate(sign)
    assert names(rig.read(4)) == ["SATURATED"]
    rig.chip.saturate(0)
    assert names(rig.read(3)) == ["OK"]


@pytest.mark.parametrize("make", RIGS)
@pytest.mark.parametrize("after_us", range(0, 9_000, 450))
def test_a_brown_out_in_the_middle_of_a_reading_gives_no_false_number(make: type, after_us: int) -> None:
    rig = opened(make())
    rig.clock.at(rig.clock.now_ns() + after_us * 1000, rig.chip.reset)
    samples = [rig.driver.read()]
    assert near_truth(rig, samples)
    assert names(samples)[0] in ("OK", "FAULT")
    assert names(rig.read(2)) == ["OK"]


def test_a_damaged_memory_is_a_fault_with_its_bit() -> None:
    rig = opened(MprRig())
    rig.chip.status_bits = 0x04
    assert {(s.status, s.fault) for s in rig.read(3)} == {(Status.FAULT, 0x04)}
    rig.chip.status_bits = 0
    assert names(rig.read(3)) == ["OK"]


def test_an_mpr_without_its_noise_is_stuck() -> None:
    rig = opened(MprRig())
    rig.chip.stick(2_000_000)
    samples = rig.read(STUCK_AFTER + 5, 1.0)
    assert names(samples) == ["OK", "STUCK"]
    rig.chip.stick(None)
    assert names(rig.read(3)) == ["OK"]


def test_an_input_below_ground_is_a_fault_and_a_small_offset_is_not() -> None:
    rig = opened(AdsRig(lambda c, t: -0.05))
    assert names(rig.read(2)) == ["FAULT"]
    rig = opened(AdsRig(lambda c, t: 0.0, chip_settings={"offset_codes": -3}))
    assert names(rig.read(5)) == ["OK"]


def test_settings_changed_in_mid_conversion_are_found_out() -> None:
    rig = opened(AdsRig())
    rig.clock.at(rig.clock.now_ns() + 3_000_000, lambda: rig.chip.poke(1, 0xC983))
    assert rig.driver.read().status == Status.FAULT
    assert names(rig.read(2)) == ["OK"]


class Constant:
    """Something else at the address, or a bus that is stuck: always the same byte."""

    def __init__(self, byte: int) -> None:
        self._byte = byte

    def acknowledges(self) -> bool:
        return True

    def write(self, data: bytes) -> None:
        pass

    def read(self, count: int) -> bytes:
        return bytes((self._byte,)) * count


@pytest.mark.parametrize("byte", [0x00, 0x55, 0xFF])
@pytest.mark.parametrize("make", RIGS)
def test_another_chip_at_the_address_is_refused_and_never_a_number(make: type, byte: int) -> None:
    rig = make()
    address = 0x18 if make is MprRig else 0x48
    rig.bus.attach(address, Constant(byte))
    with pytest.raises((ChipNotFound, ChipNotReady), match="supply"):
        rig.driver.open()
    rig.bus.attach(address, rig.chip)
    rig.driver.open()
    rig.bus.attach(address, Constant(byte))
    assert "OK" not in names(rig.read(5))
    rig.bus.attach(address, rig.chip)
    assert names(rig.read(3)) == ["OK"]


def test_a_bus_that_cannot_be_opened_or_fails_says_what_to_do() -> None:
    def no_bus() -> SimSMBus:
        raise PermissionError("/dev/i2c-1")

    clock = SimClock()
    with pytest.raises(BusError, match="group i2c"):
        MprlsGauge(no_bus, clock).open()
    bus = SimSMBus(I2cBus(clock))
    with pytest.raises(ChipNotFound, match="i2cdetect"):
        Ads1115Gauge(lambda: bus, clock, channel=0, full_scale_v=4.096).open()


@pytest.mark.parametrize("bad", [{"channel": 4}, {"full_scale_v": 5.0}])
def test_settings_the_chip_does_not_have_are_refused(bad: dict[str, object]) -> None:
    with pytest.raises(BadSetting, match=next(iter(bad))):
        AdsRig(driver_settings=bad)
