"""The MAX31865 driver, through Adafruit's library, on the chip model."""

from __future__ import annotations

import errno
import itertools
import os

import pytest
from simulated_chips import RtdRig, names

from hw.clock import NS_PER_S
from hw.errors import BadSetting, BusError, ChipNotFound
from hw.protocols import Status
from hw.sim.spi import SimSpiPort
from hw.spi import SpiBus, SpidevPort


@pytest.fixture
def rig() -> RtdRig:
    return opened(RtdRig())


def opened(rig: RtdRig) -> RtdRig:
    rig.driver.open()
    rig.clock.sleep_s(0.2)
    return rig


def near_truth(rig: RtdRig, samples: list) -> bool:
    return all(abs(s.code - rig.chip.true_code(s.t_ns)) <= 4 for s in samples if s.status == Status.OK)


@pytest.mark.parametrize("wires", [2, 3, 4])
@pytest.mark.parametrize("mains_hz", [50, 60])
@pytest.mark.parametrize("ref_ohm", [430.0, 400.0])
def test_the_code_is_the_ratio_to_the_reference(wires: int, mains_hz: int, ref_ohm: float) -> None:
    rig = RtdRig(
        driver_settings={"wires": wires, "mains_hz": mains_hz, "ref_ohm": ref_ohm},
        chip_settings={"wires": wires, "ref_ohm": ref_ohm, "noise_codes": 0.0, "lead_ohm": 0.1},
    )
    opened(rig)
    leads = 0.2 if wires == 2 else 0.0
    samples = rig.read(3)
    assert names(samples) == ["OK"]
    assert {s.code for s in samples} == {round((146.068 + leads) / ref_ohm * 32768)}


def test_three_wires_set_as_four_read_one_lead_too_much() -> None:
    settings = {"wires": 3, "lead_ohm": 0.1, "noise_codes": 0.0}
    rig = opened(RtdRig(driver_settings={"wires": 4}, chip_settings=settings))
    assert rig.read(1)[0].code == round(146.168 / 430 * 32768)


def test_no_conversion_counts_before_the_bias_has_settled() -> None:
    rig = RtdRig()
    rig.driver.open()
    samples = [rig.driver.read() for _ in range(10)]
    assert names(samples) == ["SETTLING", "OK"]
    assert near_truth(rig, samples)


@pytest.mark.parametrize(("mains_hz", "conversion_ns"), [(50, 20_000_000), (60, 16_700_000)])
def test_no_conversion_is_handed_out_twice(mains_hz: int, conversion_ns: int) -> None:
    rig = opened(RtdRig(driver_settings={"mains_hz": mains_hz}))
    samples = [rig.driver.read() for _ in range(50)]
    assert names(samples) == ["OK"]
    assert all(b.t_ns - a.t_ns > conversion_ns for a, b in itertools.pairwise(samples))
    assert rig.clock.now_ns() < 2 * NS_PER_S


@pytest.mark.parametrize(
    ("script", "bits", "code"),
    [("open_rtd", 0xA0, 0x7FFF), ("short_rtd", 0x40, 0), ("overvoltage", 0x04, None)],
)
def test_a_broken_thermometer_is_a_fault_with_its_bits_and_recovers(
    rig: RtdRig, script: str, bits: int, code: int | None
) -> None:
    rig.read(3)
    getattr(rig.chip, script)()
    samples = rig.read(5)
    assert names(samples) == ["FAULT"]
    assert all(s.fault == bits and code in (s.code, None) for s in samples)
    rig.chip.mend()
    samples = rig.read(5)
    assert names(samples)[-1] == "OK"
    assert near_truth(rig, samples)


def test_fast_polling_of_a_broken_thermometer_gives_no_number(rig: RtdRig) -> None:
    rig.chip.open_rtd()
    rig.clock.sleep_s(0.1)
    assert "OK" not in names([rig.driver.read() for _ in range(100)])
    rig.chip.mend()
    samples = [rig.driver.read() for _ in range(30)]
    assert names(samples)[-1] == "OK"
    assert near_truth(rig, samples)


def test_a_wire_shorted_before_the_start_is_found_by_the_detection_cycle() -> None:
    rig = RtdRig()
    rig.chip.short_wire(0x18)
    rig.driver.open()
    assert rig.driver._detect() == 0x18


@pytest.mark.parametrize("bits", [0x08, 0x10, 0x18, 0x20])
def test_a_wire_that_shorts_without_moving_a_code_is_found_and_heals(rig: RtdRig, bits: int) -> None:
    assert names(rig.read(5)) == ["OK"]
    rig.chip.short_wire(bits)
    samples = rig.read(6)
    assert names(samples) == ["OK", "FAULT"]
    assert sum(s.status == Status.OK for s in samples) == 1
    assert {s.fault for s in samples if s.status == Status.FAULT} == {bits}
    rig.chip.mend()
    assert names(rig.read(4)) == ["FAULT", "OK"]


def test_a_wire_that_is_shorted_from_the_start_never_gives_a_number() -> None:
    rig = RtdRig()
    rig.chip.short_wire(0x18)
    rig.driver.open()
    assert set(names(rig.read(6))) == {"FAULT"}


def test_a_fault_bit_left_from_power_up_does_not_spoil_good_readings() -> None:
    rig = opened(RtdRig(chip_settings={"power_up_fault": 0x40}))
    assert names(rig.read(5)) == ["OK"]


def test_thresholds_left_by_another_program_do_not_trip() -> None:
    rig = RtdRig()
    rig.port.transfer(bytes((0x83, 0x20, 0x00, 0x1F, 0x00)))
    opened(rig)
    assert names(rig.read(5)) == ["OK"]


@pytest.mark.parametrize("level", [0, 1])
def test_an_absent_chip_is_a_bus_error_and_is_set_up_again(rig: RtdRig, level: int) -> None:
    rig.chip.unplug(level)
    assert names(rig.read(4)) == ["BUS_ERROR"]
    rig.chip.plug()
    samples = rig.read(4)
    assert names(samples) == ["FAULT", "OK"]
    assert near_truth(rig, samples)
    assert rig.driver.counters.resets == 5


def test_a_brown_out_is_a_fault_and_is_set_up_again(rig: RtdRig) -> None:
    rig.chip.reset()
    samples = [rig.driver.read() for _ in range(12)]
    assert names(samples) == ["FAULT", "SETTLING", "OK"]
    assert near_truth(rig, samples)
    assert rig.driver.counters.resets == 1


def test_a_fault_between_the_look_and_the_read_gives_no_number(rig: RtdRig, monkeypatch: pytest.MonkeyPatch) -> None:
    # The library then does a one-shot conversion, waits 75 ms and leaves the bias off.
    honest, calls = rig.port.transfer, 0

    def late_fault(data: bytes, /) -> bytes:
        nonlocal calls
        calls += 1
        if calls == 2:
            rig.chip.fault(0x04)
        return honest(data)

    monkeypatch.setattr(rig.port, "transfer", late_fault)
    assert rig.driver.read().status != Status.OK
    monkeypatch.undo()
    samples = [rig.driver.read() for _ in range(12)]
    assert names(samples)[-1] == "OK"
    assert near_truth(rig, samples)


@pytest.mark.parametrize("frame", range(10))
@pytest.mark.parametrize("damage", [b"\x00", b"\xff", None])
def test_a_damaged_transfer_is_no_number(rig: RtdRig, frame: int, damage: bytes | None) -> None:
    count = 0

    def garble(answer: bytes) -> bytes:
        nonlocal count
        count += 1
        if count != frame + 1:
            return answer
        if damage is None:
            return (int.from_bytes(answer) >> 1).to_bytes(len(answer))
        return damage * len(answer)

    rig.port.garble = garble
    samples = rig.read(6)
    assert near_truth(rig, samples)
    assert samples[-1].status == Status.OK


def test_a_dying_port_is_a_bus_error(rig: RtdRig, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(data: bytes, /) -> bytes:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(rig.port, "transfer", fail)
    assert names(rig.read(3)) == ["BUS_ERROR"]
    assert rig.driver.counters.bus_errors == 3
    monkeypatch.undo()
    assert names(rig.read(3)) == ["OK"]


@pytest.mark.parametrize("level", [0, 1])
def test_no_chip_and_no_port_are_named(level: int) -> None:
    rig = RtdRig()
    rig.chip.unplug(level)
    with pytest.raises(ChipNotFound, match="no answer"):
        rig.driver.open()

    def no_port() -> SimSpiPort:
        raise FileNotFoundError(errno.ENOENT, "No such file or directory", "/dev/spidev0.0")

    rig.driver._open_port = no_port
    with pytest.raises(BusError, match="dtparam=spi"):
        rig.driver.open()


def test_a_port_in_the_wrong_mode_is_refused() -> None:
    rig = RtdRig()
    rig.port.mode = 0
    with pytest.raises(BadSetting, match="mode 1"):
        rig.driver.open()


def test_a_chip_spoken_to_in_the_wrong_mode_makes_no_sense() -> None:
    rig = RtdRig()
    assert rig.port.transfer(bytes(9))[4:6] == b"\xff\xff"
    rig.port.mode = 0
    assert rig.port.transfer(bytes(9))[4:6] != b"\xff\xff"


@pytest.mark.parametrize("bad", [{"wires": 5}, {"mains_hz": 55}, {"ref_ohm": 99.0}, {"ref_ohm": float("nan")}])
def test_settings_the_chip_does_not_have_are_refused(bad: dict[str, object]) -> None:
    with pytest.raises(BadSetting, match=next(iter(bad))):
        RtdRig(driver_settings=bad)


def test_a_write_and_a_read_under_one_selection_are_one_transfer() -> None:
    class Recorder:
        mode = 1

        def __init__(self) -> None:
            self.sent: list[bytes] = []

        def transfer(self, data: bytes, /) -> bytes:
            self.sent.append(data)
            return bytes(range(len(data)))

        def close(self) -> None:
            pass

    port = Recorder()
    bus = SpiBus(port)
    bus.select.switch_to_output(value=True)
    assert bus.try_lock()
    assert not bus.try_lock()
    bus.configure(baudrate=500_000, polarity=0, phase=1)
    bus.select.value = False
    bus.write(b"\x01\x02\x03", start=0, end=1)
    answer = bytearray(4)
    bus.readinto(answer, start=1, end=3, write_value=0xAA)
    bus.select.value = True
    bus.unlock()
    assert port.sent == [b"\x01\xaa\xaa"]
    assert answer == b"\x00\x01\x02\x00"
    bus.select.value = False
    bus.write(b"\x80\xc1")
    bus.select.value = True
    assert port.sent[1:] == [b"\x80\xc1"]


def test_the_real_port_is_opened_in_mode_1_at_500_khz_and_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    opened_with = []
    handle, other = os.pipe()

    class FakeSpi:
        def __init__(self, device: tuple[int, int], **settings: object) -> None:
            opened_with.append((device, settings))
            self.handle = handle

        def transfer(self, data: bytes) -> list[int]:
            return [byte ^ 0xFF for byte in data]

    monkeypatch.setattr("Adafruit_PureIO.spi.SPI", FakeSpi)
    port = SpidevPort(0, 1)
    settings = {"max_speed_hz": 500_000, "bits_per_word": 8, "phase": 1, "polarity": 0}
    assert opened_with == [((0, 1), settings)]
    assert port.mode == 1
    assert port.transfer(b"\x00\x0f") == b"\xff\xf0"
    port.close()
    port.close()
    os.close(other)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.close(handle)


def test_a_port_that_does_not_exist_says_what_to_do() -> None:
    rig = RtdRig()
    rig.driver._open_port = lambda: SpidevPort(9, 9)
    with pytest.raises(BusError, match=r"spidev9\.9.*dtparam=spi=on"):
        rig.driver.open()
