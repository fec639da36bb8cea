"""One program a chip: a second one gets one line, and the chip is left alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import edge.instrument.device_lock
from edge.errors import DeviceInUse, HalfpercentError
from edge.instrument.config import Config, loads_config
from edge.instrument.device_lock import SHARED, VARIABLE, DeviceLock, lock_folders
from edge.instrument.drivers import make_barometer, make_bridge, make_gauge, make_thermometer
from hw.clock import SimClock

PROBE = "wires = 4\nref_ohm = 430\nmains_hz = 50\n"
BRIDGES = {
    "nau7802": 'chip = "nau7802"\n',
    "hx711_spi": 'chip = "hx711_spi"\n',
    "hx711": 'chip = "hx711"\nsck_pin = "GPIO6"\ndout_pin = "BOARD29"\n',
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "locks"))
    monkeypatch.setattr(sys, "argv", ["halfpercent", "station"])
    return tmp_path / "locks"


@pytest.fixture(autouse=True)
def no_bus(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Have every bus open, and say that it was."""
    touched: list[str] = []

    def bus(*given: Any, **more: Any) -> Any:
        touched.append(str(given))
        raise OSError("no such bus here")

    monkeypatch.setattr("smbus2.SMBus", bus)
    monkeypatch.setattr("edge.instrument.drivers.SpidevPort", bus)
    monkeypatch.setattr("hw.hx711.OutputDevice", bus)
    return touched


def config(bridge: str = "nau7802") -> Config:
    return loads_config(
        f"[bridge]\n{BRIDGES[bridge]}[oven_probe]\n{PROBE}[cell_probe]\n{PROBE}chip_select = 1\n[vacuum]\n"
        'gauge = "mprls"\n[barometer]\nchip = "bmp280"\n'
    )


def devices(settings: Config) -> dict[str, Any]:
    clock = SimClock()
    assert settings.cell_probe is not None
    return {
        "bridge": make_bridge(settings.bridge, clock),
        "oven": make_thermometer(settings.oven_probe, clock),
        "cell": make_thermometer(settings.cell_probe, clock),
        "gauge": make_gauge(settings.vacuum, clock),
        "barometer": make_barometer(settings.barometer, clock),
    }


@pytest.mark.parametrize("bridge", BRIDGES)
@pytest.mark.parametrize("device", ["bridge", "oven", "cell", "gauge", "barometer"])
def test_a_device_that_is_read_is_not_opened_by_a_second_program(bridge: str, device: str, no_bus: list[str]) -> None:
    held = devices(config(bridge))[device]
    held._lock.take()
    for name, second in devices(config(bridge)).items():
        no_bus.clear()
        with pytest.raises(OSError) as refused:  # noqa: PT011  # the others: there is no bus here
            second.open()
        assert isinstance(refused.value, DeviceInUse) is (name == device)
        assert bool(no_bus) is (name != device), "a chip in use is not touched"
        if name == device:
            assert "the station reads this chip: ask it with halfpercent status" in str(refused.value)
            assert "sudo systemctl stop halfpercent" in str(refused.value)
            assert "\n" not in str(refused.value)
            assert isinstance(refused.value, HalfpercentError)
    held.close()
    with pytest.raises(OSError, match="no such bus here"):
        devices(config(bridge))[device].open()


def test_a_driver_that_does_not_open_gives_its_lock_back() -> None:
    for _ in range(2):
        with pytest.raises(OSError, match="no such bus here"):
            make_bridge(config().bridge, SimClock()).open()


def test_a_pin_is_the_same_by_either_name_and_two_chips_on_one_bus_are_two() -> None:
    assert make_bridge(config("hx711").bridge, SimClock())._lock.places == ("gpio-6", "gpio-5")  # type: ignore[attr-defined]
    places = [d._lock.places for d in devices(config("nau7802")).values()]
    assert places == [("i2c-1-2a",), ("spi-0.0",), ("spi-0.1",), ("i2c-1-18",), ("i2c-1-76",)]


HOLD = """
import sys
sys.argv = ["halfpercent", sys.argv[1]]
from edge.instrument.device_lock import DeviceLock
DeviceLock("nau7802", ("i2c-1-2a",)).take()
print("held", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("station", "the station reads this chip"),
        ("calibrate", r"halfpercent calibrate \(process [0-9]+\) reads this chip"),
    ],
)
def test_a_lock_names_its_holder_and_goes_with_its_process(word: str, says: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, word],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=dict(os.environ),
        text=True,
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        mine = DeviceLock("nau7802", ("i2c-1-2a",))
        with pytest.raises(DeviceInUse, match=says):
            mine.take()
        other.kill()
        other.wait()
        mine.take()
        mine.drop()


def test_of_two_pins_none_is_kept_where_one_is_taken() -> None:
    one = DeviceLock("hx711", ("gpio-5",))
    one.take()
    with pytest.raises(DeviceInUse):
        DeviceLock("hx711", ("gpio-6", "gpio-5")).take()
    six = DeviceLock("hx711", ("gpio-6",))
    six.take()
    six.drop()
    one.drop()


def test_what_stands_in_a_lock_s_file_is_not_shown_where_it_is_no_holder(folder: Path) -> None:
    lock = DeviceLock("nau7802", ("i2c-1-2a",))
    lock.take()
    (folder / "i2c-1-2a.lock").write_text("1 \x1b[31mcome here")
    with pytest.raises(DeviceInUse) as refused:
        DeviceLock("nau7802", ("i2c-1-2a",)).take()
    assert "\x1b" not in str(refused.value)
    lock.drop()


def test_folder_and_file_are_everybody_s_and_a_file_that_cannot_be_written_is_locked_all_the_same(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = DeviceLock("nau7802", ("i2c-1-2a",))
    lock.take()
    lock.drop()
    assert folder.stat().st_mode & 0o7777 == 0o1777
    assert (folder / "i2c-1-2a.lock").stat().st_mode & 0o777 == 0o666
    monkeypatch.setattr(os, "access", lambda *_: False)  # another's file: opened for reading alone
    lock.take()
    with pytest.raises(DeviceInUse):
        DeviceLock("nau7802", ("i2c-1-2a",)).take()
    lock.drop()


def test_the_first_folder_that_can_be_used_is_and_a_link_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    folders = [tmp_path / "no" / "such", tmp_path / "link", tmp_path / "last"]
    monkeypatch.setattr(edge.instrument.device_lock, "lock_folders", lambda: folders)
    lock = DeviceLock("nau7802", ("i2c-1-2a",))
    lock.take()
    assert (tmp_path / "last" / "i2c-1-2a.lock").exists()
    assert not list((tmp_path / "elsewhere").iterdir())
    lock.drop()
    monkeypatch.setattr(edge.instrument.device_lock, "lock_folders", lambda: folders[:2])
    with pytest.raises(DeviceInUse, match=VARIABLE):
        lock.take()


def test_service_and_people_look_in_the_same_folder_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE)
    assert lock_folders()[0] == SHARED
    monkeypatch.setenv("RUNTIME_DIRECTORY", "/run/halfpercent")
    assert lock_folders()[:2] == [SHARED, Path("/run/halfpercent/halfpercent-locks")]
    root = Path(__file__).resolve().parents[3]
    assert f"d {SHARED} 1777 " in (root / "systemd/halfpercent.tmpfiles").read_text(encoding="utf-8")
    assert f"ReadWritePaths=-{SHARED}\n" in (root / "systemd/halfpercent.service").read_text(encoding="utf-8")
