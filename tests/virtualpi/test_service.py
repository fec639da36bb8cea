"""The service really boots: installed by ``make install`` on a virtual Pi, started by systemd, and then treated badly.

Needs root, for the disk that is booted. ``make test-virtual-pi`` runs these; ``make test`` does not. Times are the
virtual Pi's, on a machine that may be busy: what is asserted of them is what the unit or the design promises.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from virtualpi import installed, machine

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="making a disk that boots needs root")

ENVIRONMENT = [
    "env",
    "PYTHONPATH=/halfpercent:/halfpercent/tests:/halfpercent/tests/helpers",
    "PYTHONDONTWRITEBYTECODE=1",
    "NUMBA_CACHE_DIR=/run/numba",
]
WATCHDOG_S, KILL_S, RESTART_S = 30.0, 5.0, 5.0
"""As in halfpercent.service."""
MEMORY_HIGH_MB = 260.0
"""As in halfpercent.service: what the station never needs by itself."""
STOPPED_S = 5.0
"""A stopped station's relay has fallen by then."""
RELAY_S = 3.0
"""As in the settings' default."""
BUSY_S = 10.0
"""What a busy machine may be late by: far from the watchdog's 30 s."""
SLACK_S = 30.0
"""What a busy machine may need to start Python and say that it is there."""


def booted(out: Path, what: str) -> dict[str, Any]:
    ran = machine.boot(installed.disk(), [*ENVIRONMENT, "python", "-m", "virtualpi.booted", what], out)
    assert ran.status == 0, ran.console
    answer: dict[str, Any] = json.loads((out / "answer.json").read_text(encoding="utf-8"))
    print(f"{what}: machine on for {ran.took_s:.0f} s: {json.dumps(answer, ensure_ascii=False)}")
    return answer


def test_make_install_on_a_pi_without_a_network_says_what_to_do_next() -> None:
    said = installed.said()
    assert "Creating user 'halfpercent'" in said
    assert "compiling, and trying it out" in said
    assert "sudo systemctl enable --now halfpercent" in said  # the example is untouched: it is not started


def test_it_becomes_ready_answers_the_group_is_restarted_by_the_watchdog_and_not_after_wrong_settings(
    tmp_path: Path,
) -> None:
    seen = booted(tmp_path, "life")
    assert seen["without_chips"]["ActiveState"] == "activating"
    assert seen["ready"]["ActiveState"] == "active"
    assert seen["ready"]["NRestarts"] == "0"

    assert "S-1" in seen["asked"]["lab"]
    assert len(seen["asked"]["stranger"].splitlines()) == 1
    assert "S-1" not in seen["asked"]["stranger"]
    assert "S-1" in seen["asked"]["boss"]
    assert seen["asked"]["boss acts"].strip() == "Written down."
    assert "S-1" in seen["asked"]["lab reads"]
    for refused in ("lab acts", "lab aborts"):
        assert "may look, not act" in seen["asked"][refused]
    assert seen["asked"]["still measured"]
    for refused in ("stranger acts", "stranger reads"):
        assert len(seen["asked"][refused].splitlines()) == 1
        assert not {"Written down", "S-1"} & {word.strip(".") for word in seen["asked"][refused].split()}
    assert set(seen["rights"].values()) <= {"0o750", "0o640"}

    assert "a test is being measured" in seen["upgrade"]
    assert len(seen["upgrade"].splitlines()) == 1

    # Stopped, it is ended by the process beside it, and the relay falls.
    assert seen["stopped_relay_open_after_s"] <= STOPPED_S + BUSY_S
    assert "was stopped (SIGSTOP)" in seen["said_of_stop"]

    # Hung, it is killed and started anew, and goes on with the same test; the relay did not wait for that.
    assert seen["relay_open_after_s"] <= WATCHDOG_S + KILL_S + SLACK_S
    assert seen["restart_after_s"] + seen["relay_open_after_s"] <= WATCHDOG_S + KILL_S + RESTART_S + SLACK_S
    assert seen["after_hang"]["ActiveState"] == "active"
    assert "Watchdog timeout" in seen["said_of_hang"]
    assert seen["gone_on"][0] == seen["gone_on"][1]

    # Stopped, hung and killed: what of the test nobody measured, its record says.
    assert len(seen["gaps"]) == 3
    assert seen["missing"] > 0
    assert seen["not_said"] == []
    print(f"memory in MB: {seen['memory_mb']}, after three starts {seen['memory_mb_at_the_end']}")
    for at in ("memory_mb", "memory_mb_at_the_end"):
        assert seen[at]["VmHWM"] < MEMORY_HIGH_MB

    assert seen["stopped"] == {"ActiveState": "inactive", "Result": "success", "ExecMainStatus": "0"}
    wrong = seen["wrong_settings"]
    assert (wrong["ActiveState"], wrong["Result"], wrong["ExecMainStatus"]) == ("failed", "exit-code", "78")
    assert "hx712" in seen["said_of_settings"]
    assert "Traceback" not in seen["said_of_settings"]
    assert "its settings are wrong; the relay is open" in seen["said_when_failed"]


def test_when_all_its_starts_are_spent_the_relay_is_open_the_lamp_lit_and_the_reason_said(tmp_path: Path) -> None:
    seen = booted(tmp_path, "spent")
    assert (seen["state"]["ActiveState"], seen["state"]["Result"]) == ("failed", "signal")
    assert seen["kills"] >= 3
    assert seen["relay"] == "lo"
    assert "it failed too often, the last time by signal (killed KILL)" in seen["said"]
    assert "the relay is open" in seen["said"]
    assert "Traceback" not in seen["said"]
    assert seen["afterwards"] == "inactive"  # the station has its pins again, and goes on with the test


def test_inside_the_unit_buses_and_pins_are_allowed_and_other_devices_network_and_files_are_not(tmp_path: Path) -> None:
    seen = booted(tmp_path, "sandbox")
    for who in ("as-service", "as-root"):  # as root no file's mode forbids anything: what is refused the unit refuses
        inside = seen[who]
        assert set(inside["devices"].values()) == {"ok"}, who
        assert {"ubda", "mem", "vpibus"} <= set(inside["others"])
        assert set(inside["others"].values()) <= {"EPERM", "EACCES"}, who
        assert {inside[family] for family in ("inet", "inet6", "packet")} == {"EAFNOSUPPORT"}
        assert inside["unix"] == "ok"
        assert inside["written"] == {
            "/etc/halfpercent": "EROFS",
            "/usr/local/bin": "EROFS",
            "/opt/halfpercent": "EROFS",
            "/var/lib/halfpercent": "ok",
            "/var/cache/halfpercent": "ok",
        }
        assert inside["home"] == "EACCES"
        assert (inside["clock"], inside["mount"]) == ("EPERM", "EPERM")
        assert (inside["fifo_50"], inside["fifo_51"]) == ("ok", "EPERM")
        assert inside["writable_code"] == "ok"  # numba needs it
        assert inside["cpuinfo"]
        assert inside["boot_id"] == 36
    assert seen["as-service"]["uid"] != 0
    assert seen["as-root"]["uid"] == 0
    by_policy = {name: error for name, error in seen["as-root"]["others"].items() if name != "kmsg"}
    assert set(by_policy.values()) == {"EPERM"}  # the device policy's word; a file's mode would say EACCES


def test_a_clock_set_back_an_hour_is_an_alarm_and_no_second_is_lost_or_longer(tmp_path: Path) -> None:
    seen = booted(tmp_path, "clock")
    assert seen["alarm_after_s"] <= 5.0
    assert seen["elapsed_s"] == pytest.approx(seen["passed_s"], abs=3.0)
    assert seen["missing"] == []
    assert seen["not_a_second"] == []
    assert seen["restarts"] == "0"


def test_a_full_a_read_only_and_a_failing_disk_are_alarms_and_no_second_is_lost(tmp_path: Path) -> None:
    seen = booted(tmp_path, "disk")
    for trouble in ("full", "read-only", "write errors"):
        what = seen[trouble]
        assert what["error"], trouble
        assert what["measured_s"] > (1.0 if trouble == "write errors" else 11.0), trouble  # it went on measuring
        assert what["same_run"], trouble
    # A file system made read-only by force may take what lies within its files, and keep it in memory.
    assert min(seen[trouble]["pending_s"] for trouble in ("full", "write errors")) >= 5
    assert seen["restarts"] == "0"
    assert seen["missing"] == []

    # A file system that has given up is a person's to repair; then the test goes on, and says what it did not see.
    given_up = seen["for good"]
    assert given_up["still_alarm"]
    assert "storage" not in given_up["alarms"]
    lost = given_up["missing"]
    assert lost == list(range(lost[0], lost[-1] + 1))
    assert lost[0] > given_up["stored_before"]  # what was committed is there
    assert seen["whole"] == "ok"
    assert seen["events"].count("alarm_opened") >= 3
