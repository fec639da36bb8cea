"""Under-voltage: from what Linux and the Pi's firmware say, and from nothing else."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import pytest

from hw.supply import ask_supply, under_voltage


class Firmware:
    """The mailbox behind /dev/vcio: it answers the tag 0x00030046, as the firmware's wiki describes."""

    def __init__(self, bits: int) -> None:
        self.bits = bits
        self.asked: list[int] = []

    def __call__(self, device: int, request: int, message: bytearray) -> None:
        assert request == 0xC0086400  # _IOWR(100, 0, char *) on a 64-bit machine
        size, code, tag, length, answered, clear, end = struct.unpack("7I", message)
        assert (size, code, length, answered, end) == (28, 0, 4, 0, 0)
        assert len(message) == size
        assert clear == 0  # a bit set here would clear what others want to see
        self.asked.append(tag)
        message[4:8] = struct.pack("I", 0x80000000)
        if tag == 0x00030046:
            message[16:24] = struct.pack("2I", 0x80000004, self.bits)


@pytest.fixture
def hwmon(tmp_path: Path) -> Path:
    """As on a Pi: the processor's temperature is one hwmon, the supply another."""
    for name, files in {
        "hwmon0": {"name": "cpu_thermal\n", "temp1_input": "48000\n"},
        "hwmon1": {"name": "rpi_volt\n", "in0_lcrit_alarm": "0\n"},
    }.items():
        folder = tmp_path / "hwmon" / name
        folder.mkdir(parents=True)
        for file, text in files.items():
            (folder / file).write_text(text)
    return tmp_path / "hwmon"


@pytest.fixture
def vcio(tmp_path: Path) -> Path:
    path = tmp_path / "vcio"
    path.touch()
    return path


def test_the_kernel_says_it(hwmon: Path, tmp_path: Path) -> None:
    assert under_voltage(hwmon, tmp_path / "none") is False
    (hwmon / "hwmon1" / "in0_lcrit_alarm").write_text("1\n")
    assert under_voltage(hwmon, tmp_path / "none") is True


@pytest.mark.parametrize(
    ("bits", "expected"),
    [
        (0x00000, False),
        (0x00001, True),  # under-voltage now
        (0x50005, True),  # and throttled, now and before
        (0x50000, False),  # was, since the start
        (0x00008, False),  # too hot is another matter
    ],
)
def test_the_firmware_says_it_at_once(tmp_path: Path, vcio: Path, bits: int, expected: bool) -> None:
    firmware = Firmware(bits)
    assert under_voltage(tmp_path / "none", vcio, ioctl=firmware) is expected
    assert firmware.asked == [0x00030046]


def test_the_firmware_tells_what_was_since_the_start_and_the_kernel_adds_what_it_saw_last(
    hwmon: Path, vcio: Path
) -> None:
    supply = ask_supply(hwmon, vcio, ioctl=Firmware(0x90008))
    assert (supply.under_voltage, supply.now(), supply.since_start()) == (
        False, ["too hot"], ["under-voltage", "too hot"]
    )  # fmt: skip
    (hwmon / "hwmon1" / "in0_lcrit_alarm").write_text("1\n")
    assert ask_supply(hwmon, vcio, ioctl=Firmware(0x90008)).now() == ["under-voltage", "too hot"]
    assert ask_supply(hwmon, vcio.with_name("none")).since_start() == []


def test_either_is_enough(hwmon: Path, vcio: Path) -> None:
    assert under_voltage(hwmon, vcio, ioctl=Firmware(1)) is True
    (hwmon / "hwmon1" / "in0_lcrit_alarm").write_text("1\n")
    assert under_voltage(hwmon, vcio, ioctl=Firmware(0)) is True


def test_where_nobody_knows_the_answer_is_not_no(tmp_path: Path, hwmon: Path, vcio: Path) -> None:
    def fails(*_: Any) -> None:
        raise OSError(25, "Inappropriate ioctl for device")

    def silent(*_: Any) -> None:
        pass

    none = tmp_path / "none"
    assert under_voltage(none, none) is None
    assert under_voltage(none, vcio, ioctl=fails) is None
    assert under_voltage(none, vcio, ioctl=silent) is None
    assert under_voltage(none, vcio) is None  # a file that is no such device
    (hwmon / "hwmon1" / "in0_lcrit_alarm").write_text("\n")
    assert under_voltage(hwmon, none) is None
    (hwmon / "hwmon1" / "in0_lcrit_alarm").unlink()
    assert under_voltage(hwmon, none) is None


def test_it_answers_on_this_machine() -> None:
    assert under_voltage() in (True, False, None)
