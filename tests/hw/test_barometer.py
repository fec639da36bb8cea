"""The barometer's driver on a chip model: the data sheet's start, and each way in which such a chip fails."""

from __future__ import annotations

import pytest

from calibration.barometer import plausible_pa
from hw.barometer import ADDRESSES, STUCK_AFTER, AirCodes, Bosch280
from hw.clock import NS_PER_S, SimClock
from hw.errors import BadSetting, BusError, ChipNotFound, ChipNotReady
from hw.protocols import Status
from hw.sim.barometer import Bosch280Model
from hw.sim.i2c import I2cBus, SimSMBus


class Rig:
    """A barometer on an I²C bus in air of ``pa``."""

    def __init__(self, pa: float = 101_325.0, *, chip: str = "bmp280", is_: str | None = None) -> None:
        self.clock = SimClock(1.8e9)
        self.pa = pa
        self.chip = Bosch280Model(self.clock, lambda _t: self.pa, chip=is_ or chip)
        self.bus = I2cBus(self.clock)
        self.bus.attach(ADDRESSES[0], self.chip)
        self.driver = Bosch280(lambda: SimSMBus(self.bus), self.clock, chip=chip)

    def read(self, seconds: int) -> list[AirCodes]:
        out = []
        for _ in range(seconds):
            self.clock.advance_ns(NS_PER_S)
            out.append(self.driver.read())
        return out

    def last(self, seconds: int) -> Status:
        return self.read(seconds)[-1].status


def opened(rig: Rig) -> Rig:
    rig.driver.open()
    return rig


@pytest.mark.parametrize("chip", ["bmp280", "bme280"])
@pytest.mark.parametrize("pa", [52_000.0, 95_000.0, 108_000.0])
def test_its_codes_are_the_pressure_to_the_noise(chip: str, pa: float) -> None:
    rig = opened(Rig(pa, chip=chip))
    reads = rig.read(20)
    assert {r.status for r in reads} == {Status.OK}
    found = [plausible_pa(r.pressure_code, r.temp_code, rig.driver.trimming) for r in reads]
    assert sum(found) / len(found) == pytest.approx(pa, abs=4.0)
    assert max(found) - min(found) < 30.0


def test_before_its_first_conversion_it_settles() -> None:
    rig = opened(Rig())
    assert rig.driver.read().status is Status.SETTLING


def test_unplugged_it_is_a_bus_error_and_plugged_in_it_is_set_up_again() -> None:
    rig = opened(Rig())
    rig.chip.unplug()
    begin_ns = rig.clock.now_ns()
    assert rig.driver.read().status is Status.BUS_ERROR
    assert rig.clock.now_ns() - begin_ns < NS_PER_S // 10
    rig.chip.plug()
    assert [r.status for r in rig.read(2)] == [Status.SETTLING, Status.OK]
    assert rig.driver.counters.resets == 1


def test_another_chip_in_its_place_gives_its_own_coefficients() -> None:
    rig = opened(Rig())
    other = bytearray(rig.driver.trimming)
    other[0] ^= 0x10
    rig.bus.attach(ADDRESSES[0], Bosch280Model(rig.clock, lambda _t: rig.pa, trimming=bytes(other)))
    rig.read(2)
    assert rig.driver.trimming == bytes(other)
    rig.bus.attach(ADDRESSES[0], Bosch280Model(rig.clock, lambda _t: rig.pa, chip="bme280"))
    assert rig.last(3) is Status.FAULT, "it is not the chip that the settings name"


def test_a_nack_now_and_then_is_retried_and_counted() -> None:
    rig = opened(Rig())
    rig.chip.nack_next(2)
    assert rig.last(1) is Status.OK
    assert rig.driver.counters.retries == 2


def test_a_chip_that_says_0_or_holds_one_code_gives_no_number() -> None:
    rig = opened(Rig())
    rig.chip.dead = True
    assert rig.last(1) is Status.FAULT
    rig.chip.dead = False
    rig.chip.saturate(-1)
    assert rig.last(1) is Status.FAULT
    rig.chip.saturate(0)
    assert rig.last(1) is Status.OK
    rig.chip.stop()
    rig.clock.advance_ns(NS_PER_S)
    assert rig.last(STUCK_AFTER + 1) is Status.STUCK
    rig.chip.go()
    assert rig.last(2) is Status.OK


def test_a_reset_between_two_readings_is_seen() -> None:
    rig = opened(Rig())
    rig.chip.reset()
    assert [r.status for r in rig.read(2)] == [Status.SETTLING, Status.OK]


@pytest.mark.parametrize(("is_", "says"), [("bme280", "set chip = bme280"), ("bmp280", "")])
def test_it_must_be_the_chip_that_is_named(is_: str, says: str) -> None:
    rig = Rig(is_=is_)
    if not says:
        return opened(rig).driver.close()
    with pytest.raises(ChipNotFound, match=says):
        rig.driver.open()
    assert rig.driver.read().status is Status.BUS_ERROR
    return None


def test_what_does_not_open_says_why() -> None:
    rig = Rig()
    rig.chip.unplug()
    with pytest.raises(ChipNotFound, match="no answer"):
        rig.driver.open()
    rig.chip.plug()
    rig.chip.stop()
    with pytest.raises(ChipNotReady, match="does not come up"):
        rig.driver.open()

    def no_bus() -> SimSMBus:
        raise FileNotFoundError(2, "No such file")

    with pytest.raises(BusError, match="i2c_arm"):
        Bosch280(no_bus, rig.clock, chip="bmp280").open()


@pytest.mark.parametrize("settings", [{"chip": "bmp180"}, {"chip": "bmp280", "address": 0x40}])
def test_what_no_such_chip_has_is_refused(settings: dict[str, object]) -> None:
    with pytest.raises(BadSetting):
        Bosch280(lambda: SimSMBus(I2cBus(SimClock(0.0))), SimClock(0.0), **settings)  # type: ignore[arg-type]  # wrong on purpose
