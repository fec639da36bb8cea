"""The doctor: works without hardware, hangs on nothing, and never names a trouble without what to do."""

from __future__ import annotations

import json
import math
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from simulated_chips import RATIO, AdsRig, HxRig, MprRig, RtdRig

from edge.cli.main import cli, main
from edge.doctor import machine
from edge.doctor.finding import Finding
from edge.doctor.machine import examine
from hw.errors import HwError
from hw.protocols import Conversion, Reading, Status
from hw.supply import Supply

PROBE = "wires = 4\nref_ohm = 430\nmains_hz = 50\n"
NAU7802 = f'[bridge]\nchip = "nau7802"\n[oven_probe]\n{PROBE}[cell_probe]\n{PROBE}chip_select = 1\n'
HX711 = f'[bridge]\nchip = "hx711"\nsck_pin = "GPIO6"\ndout_pin = "GPIO5"\n[oven_probe]\n{PROBE}'
NO_PI = not any(Path(node).exists() for node in ("/dev/i2c-1", "/dev/spidev0.0", "/dev/gpiochip0"))
only_without_chips = pytest.mark.skipif(not NO_PI, reason="this machine has the buses that the test wants missing")


def findings(tmp_path: Path, config: str | None) -> list[Finding]:
    path = tmp_path / "config.toml"
    if config is not None:
        path.write_text(config, encoding="utf-8")
    return list(examine(path, tmp_path / "halfpercent.db"))


def named(found: list[Finding], check: str) -> Finding:
    (only,) = [f for f in found if f.check == check]
    return only


def test_without_settings_the_machine_itself_is_examined(tmp_path: Path) -> None:
    found = findings(tmp_path, None)
    assert {"python", "packages", "kernels", "sqlite", "I²C bus", "SPI port", "GPIO", "disk", "clock"} <= {
        f.check for f in found
    }
    config = named(found, "config")
    assert config.state == "absent"
    assert str(tmp_path / "config.toml") in config.do


@pytest.mark.parametrize("config", [None, NAU7802, HX711, "[bridge]\n", "no toml", NAU7802.replace("= 4", "= 9")])
def test_every_finding_that_is_not_ok_says_what_to_do(tmp_path: Path, config: str | None) -> None:
    for f in findings(tmp_path, config):
        assert f.state in ("ok", "warn", "fail", "absent")
        assert f.found
        assert f.state == "ok" or len(f.do.split()) >= 3, f
        for text in (f.check, f.found, f.do):
            assert len(text.splitlines()) <= 1


@only_without_chips
@pytest.mark.parametrize(
    ("config", "chips"), [(NAU7802, ["nau7802", "oven probe", "cell probe"]), (HX711, ["hx711", "oven probe"])]
)
def test_with_settings_and_no_devices_each_chip_fails_and_nothing_hangs(
    tmp_path: Path, config: str, chips: list[str]
) -> None:
    began = time.monotonic()
    found = findings(tmp_path, config)
    assert time.monotonic() - began < 10.0
    assert named(found, "config").state == "ok"
    for chip in chips:
        assert named(found, chip).state == "fail"
        assert named(found, chip).do


def test_settings_with_a_mistake_are_a_finding_and_the_rest_is_still_examined(tmp_path: Path) -> None:
    found = findings(tmp_path, NAU7802.replace("nau7802", "ads1232"))
    config = named(found, "config")
    assert config.state == "fail"
    assert "bridge.chip = 'ads1232'" in config.found
    assert "check-config" in config.do
    assert named(found, "python").state == "ok"


def test_settings_that_contradict_their_standard_are_a_finding(tmp_path: Path) -> None:
    config = named(findings(tmp_path, NAU7802 + '[test]\nstandard = "iso-1"\n'), "config")
    assert config.state == "fail"
    assert "test.standard" in config.found


def test_a_disk_without_room_and_a_folder_that_cannot_be_written_are_findings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "ROOM_BYTES", 2**80)
    disk = named(findings(tmp_path, None), "disk")
    assert (disk.state, disk.do[:9]) == ("fail", "make room")
    monkeypatch.setattr(os, "access", lambda *args, **more: False)
    disk = named(findings(tmp_path, None), "disk")
    assert disk.state == "fail"
    assert "cannot be written" in disk.found


class Fake:
    """A bridge or a probe that does one thing for ever."""

    name = "fake"
    rate_sps = 10.0

    def __init__(self, status: Status, opens: Exception | None = None) -> None:
        self.status, self.opens, self.closed = status, opens, 0

    def open(self) -> None:
        if self.opens:
            raise self.opens

    def close(self) -> None:
        self.closed += 1


class FakeBridge(Fake):
    def read(self, deadline_ns: int) -> Conversion:
        return Conversion(deadline_ns, 838_860, self.status)


class FakeProbe(Fake):
    def read(self) -> Reading:
        return Reading(0, 8_500, 0, self.status)


@pytest.fixture
def devices(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    made: dict[str, Any] = {}
    monkeypatch.setattr("edge.instrument.drivers.make_bridge", lambda config, clock: made["bridge"])
    monkeypatch.setattr("edge.instrument.drivers.make_thermometer", lambda config, clock: made["probe"])
    clock = Hurried()
    monkeypatch.setattr(machine, "BootClock", lambda: clock)
    return made


class Hurried:
    """A clock on which sleeping takes no time."""

    t_ns = 0

    def now_ns(self) -> int:
        return self.t_ns

    def sleep_s(self, seconds: float) -> None:
        self.t_ns += round(seconds * 1e9)


@pytest.mark.parametrize(
    ("status", "state"),
    [(Status.OK, "ok"), (Status.NOT_READY, "fail"), (Status.STUCK, "fail"), (Status.SETTLING, "fail")],
)
def test_a_chip_that_answers_is_judged_by_what_it_reads_and_always_closed(
    tmp_path: Path, devices: dict[str, Any], status: Status, state: str
) -> None:
    devices |= {"bridge": FakeBridge(status), "probe": FakeProbe(status)}
    found = findings(tmp_path, HX711)
    assert named(found, "fake").state == state
    assert named(found, "oven probe").state == state, "also one that settles for ever: nothing hangs"
    if state == "ok":
        assert "at most 10.0 % of full scale" in named(found, "fake").found  # 838860 of 2^23 codes
        assert "111.54 Ω" in named(found, "oven probe").found  # 8500 / 32768 · 430 Ω
    assert (devices["bridge"].closed, devices["probe"].closed) == (1, 1)


@pytest.mark.parametrize(
    "error", [HwError("no chip answers at 0x2A"), PermissionError(13, "Permission denied"), ImportError("x")]
)
def test_a_chip_that_cannot_be_opened_is_a_finding_and_closed(
    tmp_path: Path, devices: dict[str, Any], error: Exception
) -> None:
    devices |= {"bridge": FakeBridge(Status.OK, error), "probe": FakeProbe(Status.OK, error)}
    found = findings(tmp_path, HX711)
    assert {named(found, "fake").state, named(found, "oven probe").state} == {"fail"}
    assert (devices["bridge"].closed, devices["probe"].closed) == (1, 1)


def test_the_command_prints_one_json_object(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text(HX711, encoding="utf-8")
    words = ["doctor", "--json", "--config", "c.toml", "--db", "x/y.db"]
    done = subprocess.run(
        [sys.executable, "-m", "edge", *words], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )
    found = json.loads(done.stdout)["findings"]
    assert (done.returncode, done.stderr) == (int(any(f["state"] == "fail" for f in found)), "")
    assert all(set(f) == {"check", "state", "found", "do"} for f in found)
    assert {"python", "config", "hx711", "oven probe"} <= {f["check"] for f in found}
    assert not (tmp_path / "x").exists(), "it never changes anything"


def test_the_command_prints_a_line_for_each_finding_and_what_to_do_below(tmp_path: Path) -> None:
    done = CliRunner().invoke(cli, ["doctor", "--config", str(tmp_path / "none.toml"), "--db", str(tmp_path / "a.db")])
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert any(line.startswith("ok      python: Python 3") for line in lines)
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        if not line.startswith(("ok", " ")):
            assert following.startswith("        -> "), line


# the machine


def put(tmp_path: Path, path: str, text: str) -> None:
    at = tmp_path / "sys" / path
    at.parent.mkdir(parents=True, exist_ok=True)
    at.write_text(text, encoding="ascii")


@pytest.fixture
def sysfs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(machine, "SYS", tmp_path / "sys")
    return tmp_path


@pytest.mark.parametrize(
    ("supply", "state", "says"),
    [
        (Supply(False, 0), "ok", "never"),
        (Supply(False, None), "ok", "not under-voltage now"),
        (Supply(True, 0x50005), "fail", "now: under-voltage, throttled"),
        (Supply(True, 0x50000), "fail", "now: under-voltage"),  # the kernel saw it last
        (Supply(True, None), "fail", "now: under-voltage"),
        (Supply(False, 0x50000), "warn", "since it started: under-voltage, throttled"),
        (Supply(False, 0x8), "fail", "now: too hot"),
        (Supply(None, None), "absent", "supply voltage"),
    ],
)
def test_what_firmware_and_kernel_say_of_the_supply_is_told(
    sysfs: Path, monkeypatch: pytest.MonkeyPatch, supply: Supply, state: str, says: str
) -> None:
    monkeypatch.setattr(machine, "ask_supply", lambda: supply)
    power = named(findings(sysfs, None), "power")
    assert power.state == state
    assert says in power.found


@pytest.mark.parametrize(
    ("life", "state"), [("0x01 0x02", "ok"), ("0x09 0x01", "warn"), ("0x0B 0x0B", "warn"), ("0x00 0x00", "absent")]
)
def test_a_memory_card_that_says_how_worn_it_is_is_believed(sysfs: Path, life: str, state: str) -> None:
    put(sysfs, "block/mmcblk0/device/life_time", life + "\n")
    assert named(findings(sysfs, None), "card wear").state == state


def test_a_file_system_that_recorded_errors_is_a_failure(sysfs: Path) -> None:
    put(sysfs, "fs/ext4/mmcblk0p2/errors_count", "0\n")
    assert not [f for f in findings(sysfs, None) if f.check == "file system"]
    put(sysfs, "fs/ext4/mmcblk0p2/errors_count", "3\n")
    broken = named(findings(sysfs, None), "file system")
    assert (broken.state, "mmcblk0p2" in broken.found) == ("fail", True)


@pytest.mark.parametrize(("disciplined", "state"), [(True, "ok"), (False, "warn"), (None, "warn")])
def test_a_clock_that_nobody_keeps_right_is_a_warning(
    sysfs: Path, monkeypatch: pytest.MonkeyPatch, disciplined: bool | None, state: str
) -> None:
    monkeypatch.setattr(machine, "synchronised", lambda: disciplined)
    assert named(findings(sysfs, None), "clock").state == state


# the chips, real drivers on their models


class Bench:
    """The drivers of a config on chip models."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, signal: Any = None, **chip: Any) -> None:
        self.bridge = HxRig(signal or (lambda t: RATIO), chip_settings={"rate_error": 0.16} | chip)
        self.probes = {
            0: RtdRig(lambda t: 109.73),  # 25 °C
            1: RtdRig(lambda t: 109.73),
        }
        self.gauge: MprRig | AdsRig = MprRig(lambda t: 101_325.0)
        monkeypatch.setattr("edge.instrument.drivers.make_bridge", lambda config, clock: self.bridge.driver)
        monkeypatch.setattr(
            "edge.instrument.drivers.make_thermometer", lambda config, clock: self.probes[config.chip_select].driver
        )
        monkeypatch.setattr(
            "edge.instrument.drivers.make_gauge",
            lambda config, clock: None if config.gauge == "declared" else self.gauge.driver,
        )
        # Each rig has a clock of its own; the probes' and the gauge's reading needs none.
        monkeypatch.setattr(machine, "BootClock", lambda: self.bridge.clock)


TWO = HX711 + f"[cell_probe]\n{PROBE}chip_select = 1\n"


def test_a_quiet_instrument_is_ok_throughout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(monkeypatch, noise_v=50e-9)
    for rig in bench.probes.values():
        rig.clock = bench.bridge.clock
    found = {f.check: f for f in findings(tmp_path, TWO) if f.check.startswith(("hx711", "oven", "cell", "probes"))}
    assert found["hx711"].state == "ok"
    assert "112 of 115 conversions good" in found["hx711"].found or "conversions good" in found["hx711"].found
    assert found["hx711 noise"].state == "ok", found["hx711 noise"]
    assert found["hx711 mains hum"].state == "ok", found["hx711 mains hum"]
    assert "probes together" not in found


@pytest.mark.parametrize(("hz", "mains_hz"), [(50, 50), (60, 60), (100, 50)])
def test_mains_hum_is_found_where_the_sampling_folds_it_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hz: int, mains_hz: int
) -> None:
    # 50 codes of 21 codes of noise
    amplitude = 50 / 128 / (2 << 23)
    Bench(monkeypatch, lambda t: RATIO + amplitude * math.sin(2 * math.pi * hz * t / 1e9))
    hum = named(findings(tmp_path, HX711.replace("mains_hz = 50", f"mains_hz = {mains_hz}")), "hx711 mains hum")
    assert hum.state == "warn", hum
    assert hum.found.startswith(f"{hz} Hz")
    (codes,) = re.findall(r"(\d+) codes", hum.found)
    assert int(codes) == pytest.approx(50, abs=12)


def test_drift_and_noise_alone_are_not_called_hum(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(20):
        Bench(monkeypatch, lambda t: RATIO * (1.0 + t / 1e12), seed=seed)
        assert named(findings(tmp_path, HX711), "hx711 mains hum").state == "ok"


def test_hum_that_folds_onto_zero_is_not_called_absent_from_the_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Bench(monkeypatch, rate_error=0.0)
    hum = named(findings(tmp_path, HX711), "hx711 mains hum")
    assert hum.state == "absent"
    assert "cannot be seen" in hum.found


@pytest.mark.parametrize(("noise_v", "says"), [(1e-6, "codes rms"), (1e-9, "too quiet")])
def test_noise_that_is_not_the_converters_is_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, noise_v: float, says: str
) -> None:
    Bench(monkeypatch, noise_v=noise_v)
    noise = named(findings(tmp_path, HX711), "hx711 noise")
    assert noise.state == "warn"
    assert says in noise.found


@pytest.mark.parametrize(
    ("fault", "state", "says"),
    [
        (lambda rig: rig.chip.saturate(1), "fail", "saturated"),
        (lambda rig: rig.clock.at(4 * 10**9, rig.chip.reset), "warn", "conversions good"),
        (lambda rig: rig.chip.unplug(), "fail", "stays high"),
    ],
)
def test_a_bridge_in_trouble_says_what_kind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Any, state: str, says: str
) -> None:
    bench = Bench(monkeypatch)
    if state == "warn":
        bench.bridge.clock.at(4 * 10**9, lambda: bench.bridge.chip.short_dout(False))
        bench.bridge.clock.at(5 * 10**9, lambda: bench.bridge.chip.short_dout(None))
    else:
        fault(bench.bridge)
    bridge = named(findings(tmp_path, HX711), "hx711")
    assert bridge.state == state
    assert says in bridge.found
    assert bridge.do


@pytest.mark.parametrize(
    ("ohm", "state", "says"),
    [(109.73, "ok", "25.0 °C"), (250.0, "fail", "not in a laboratory"), (10.0, "fail", "no Pt100 has that")],
)
def test_a_resistance_that_no_thermometer_here_has_is_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ohm: float, state: str, says: str
) -> None:
    bench = Bench(monkeypatch)
    bench.probes[0] = RtdRig(lambda t: ohm)
    probe = named(findings(tmp_path, HX711), "oven probe")
    assert probe.state == state, probe
    assert says in probe.found


def test_two_thermometers_that_disagree_are_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(monkeypatch)
    bench.probes[1] = RtdRig(lambda t: 118.0)
    together = named(findings(tmp_path, TWO), "probes together")
    assert together.state == "warn"
    assert "K apart" in together.found


@pytest.mark.parametrize(
    ("gauge", "rig", "state", "says"),
    [
        ("mprls", MprRig(lambda t: 101_325.0), "ok", "1.01e+05 Pa"),
        ("ads1115", AdsRig(lambda c, t: 2.0), "ok", "1e+03 Pa"),
        ("ads1115", AdsRig(lambda c, t: 0.0), "fail", "outside the gauge's curve"),
        ("ads1115", AdsRig(lambda c, t: 9.0), "fail", "saturated"),
    ],
)
def test_a_gauge_is_read_and_its_pressure_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gauge: str, rig: Any, state: str, says: str
) -> None:
    Bench(monkeypatch).gauge = rig
    curve = "" if gauge == "mprls" else "curve = [[1.0, 10.0], [3.0, 1e5]]\n"
    found = named(findings(tmp_path, HX711 + f'[vacuum]\ngauge = "{gauge}"\n{curve}'), "gauge")
    assert found.state == state, found
    assert says in found.found
    assert found.do


def test_a_gauge_that_is_not_there_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Bench(monkeypatch).gauge.chip.unplug()
    found = named(findings(tmp_path, HX711 + '[vacuum]\ngauge = "mprls"\n'), "gauge")
    assert (found.state, "no answer" in found.found) == ("fail", True)


@pytest.mark.parametrize(
    ("version", "state"), [("3.40.1", "warn"), ("3.51.2", "warn"), ("3.51.3", "ok"), ("3.52.0", "ok")]
)
def test_an_sqlite_that_can_damage_a_database_is_named(
    version: str, state: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "sqlite_version", lambda: version)
    found = named(findings(tmp_path, None), "sqlite")
    assert found.state == state
    assert version in found.found
    assert bool(found.do) is (state == "warn")


@pytest.mark.parametrize(("state", "status"), [("fail", 1), ("warn", 0), ("absent", 0), ("ok", 0)])
@pytest.mark.parametrize("words", [(), ("--json",)])
def test_it_ends_with_1_where_it_found_a_fault(
    state: str, status: int, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "examine", lambda *_: [Finding("chip", state, "what", "do")])
    monkeypatch.setattr("sys.argv", ["halfpercent", "doctor", "--config", "none", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    assert int(ended.value.code or 0) == status


def test_kernels_that_are_not_compiled_are_a_warning_and_no_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.doctor.machine.why_python", lambda: "no llvmlite")
    (kernels,) = [f for f in machine.examine(tmp_path / "none.toml", tmp_path / "x.db") if f.check == "kernels"]
    assert kernels.state == "warn"
    assert "in Python, not compiled (no llvmlite)" in kernels.found
