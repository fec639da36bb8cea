"""The unit: systemd understands it, it is shut in, and it says what the station needs."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from repository import ROOT

from edge.control.server import MAX_CLIENTS

SYSTEMD = ROOT / "systemd"
UNIT = SYSTEMD / "halfpercent.service"
ON_THE_NETWORK = {"halfpercent-publish", "halfpercent-escalate", "halfpercent-web"}


def analyze(*argv: str | Path) -> subprocess.CompletedProcess[str]:
    tool = shutil.which("systemd-analyze")
    if tool is None:
        pytest.skip("systemd-analyze is not here")
    version = re.match(r"systemd (\d+)", subprocess.run([tool, "--version"], capture_output=True, text=True).stdout)
    if version is None or int(version[1]) < 252:
        pytest.skip("systemd-analyze is older than Debian 12's 252")
    return subprocess.run([tool, *argv], capture_output=True, text=True, check=False)


def settings(unit: Path = UNIT) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in unit.read_text(encoding="utf-8").splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


@pytest.mark.parametrize("unit", sorted(SYSTEMD.glob("*.service")), ids=lambda unit: unit.stem)
def test_systemd_has_nothing_to_say_about_a_unit(unit: Path, tmp_path: Path) -> None:
    program = tmp_path / "bin/halfpercent"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n", encoding="ascii")
    program.chmod(0o755)
    here = tmp_path / unit.name
    here.write_text(unit.read_text(encoding="utf-8").replace("/opt/halfpercent", str(tmp_path)), encoding="utf-8")
    done = analyze("verify", here)
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)


def test_a_mistake_in_a_unit_would_have_been_said(tmp_path: Path) -> None:
    wrong = tmp_path / UNIT.name
    text = UNIT.read_text(encoding="utf-8").replace("ProtectSystem=strict", "ProtectSystm=strict")
    wrong.write_text(text, encoding="utf-8")
    done = analyze("verify", wrong)
    assert "ProtectSystm" in done.stdout + done.stderr


@pytest.mark.parametrize("unit", sorted(SYSTEMD.glob("*.service")), ids=lambda unit: unit.stem)
def test_a_unit_is_exposed_by_no_more_than_its_work_needs(unit: Path) -> None:
    most = 1.5 if unit.stem in ON_THE_NETWORK else 0.8
    done = analyze("security", "--offline=true", f"--threshold={most * 10:.0f}", unit)
    level = re.search(rf"exposure level for {unit.name}: (\d+\.\d)", done.stdout)
    assert level is not None, done.stdout + done.stderr
    assert float(level[1]) <= most
    assert done.returncode == 0


def test_the_station_gets_three_classes_of_devices_and_no_network() -> None:
    unit = settings()
    assert unit["DevicePolicy"] == ["closed"]
    assert sorted(unit["DeviceAllow"]) == ["char-gpiochip rw", "char-i2c rw", "char-spi rw"]
    assert unit["PrivateNetwork"] == ["yes"]
    assert unit["RestrictAddressFamilies"] == ["AF_UNIX"]
    assert unit["CapabilityBoundingSet"] == unit["AmbientCapabilities"] == [""]


def test_a_wrong_clock_does_not_keep_the_station_from_starting() -> None:
    unit = settings()
    assert "time-sync.target" not in " ".join(unit["After"] + unit.get("Wants", []) + unit.get("Requires", []))


def test_wrong_settings_are_not_tried_again_and_everything_else_is_up_to_a_limit() -> None:
    unit = settings()
    assert unit["Restart"] == ["on-failure"]
    assert unit["RestartPreventExitStatus"] == ["78"]
    assert int(unit["StartLimitBurst"][0]) > 1
    assert "WatchdogSec" in unit


def test_what_the_station_may_take_is_bounded() -> None:
    unit = settings()
    assert {name for name in ("MemoryHigh", "MemoryMax", "TasksMax", "LimitNOFILE", "LimitRTTIME") if name in unit} == {
        "MemoryHigh", "MemoryMax", "TasksMax", "LimitNOFILE", "LimitRTTIME"
    }  # fmt: skip
    assert int(unit["LimitNOFILE"][0]) > 3 * MAX_CLIENTS
    assert "-/dev/shm" in unit["InaccessiblePaths"]


def test_when_it_is_not_started_any_more_a_unit_says_so_and_holds_the_relay_open() -> None:
    assert settings()["OnFailure"] == ["halfpercent-failed.service"]
    last = settings(SYSTEMD / "halfpercent-failed.service")
    assert last["Conflicts"] == ["halfpercent.service"]  # they cannot both have the pins
    assert last["ExecStart"] == ["/opt/halfpercent/bin/halfpercent failed"]
    assert last["DeviceAllow"] == ["char-gpiochip rw"]


def test_the_working_directory_is_one_that_lgpio_can_write_to() -> None:
    unit = settings()
    assert unit["WorkingDirectory"] == [f"/run/{unit['RuntimeDirectory'][0]}"]
    assert "GPIOZERO_PIN_FACTORY=lgpio" in unit["Environment"]
    assert f"NUMBA_CACHE_DIR=/var/cache/{unit['CacheDirectory'][0]}" in unit["Environment"]


def test_the_units_priority_is_what_the_hx711s_process_asks_for() -> None:
    from hw.subprocess_bridge import PRIORITY

    assert settings()["LimitRTPRIO"] == [str(PRIORITY)]
    assert "RestrictRealtime" not in settings()


def test_the_exit_status_that_is_not_tried_again_is_the_stations() -> None:
    from edge.cli.run import EX_CONFIG

    assert settings()["RestartPreventExitStatus"] == [str(EX_CONFIG)]


def test_the_account_may_use_buses_and_pins_and_the_groups_are_made_where_they_lack() -> None:
    lines = [line.split() for line in (SYSTEMD / "halfpercent.sysusers").read_text(encoding="utf-8").splitlines()]
    groups = {words[1] for words in lines if words[0] == "g"} - {"halfpercent-operators"}
    member_of = {words[2] for words in lines if words[:2] == ["m", "halfpercent"]}
    assert groups == member_of == {"gpio", "i2c", "spi"}
    rules = (SYSTEMD / "60-halfpercent.rules").read_text(encoding="utf-8")
    assert set(re.findall(r'GROUP="(\w+)"', rules)) == groups
