"""What is done to the installed service on a booted virtual Pi, one function a boot. Answers with JSON in ``/out``."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

from virtualpi import bench
from virtualpi.bench import DATABASE, FAILED, STATE, UNIT, do, show, status, wait
from virtualpi.instrument import far_end

STARTS = 3
SIZE_MB = 96
FLAKY = "vpi-flaky"
TROUBLE_S = 12.0
"""Longer than the station waits before it tries again."""


def life() -> dict[str, Any]:
    """Start it without chips, connect them, ask it as people, hang it, kill it, stop it, and spoil its settings."""
    out: dict[str, Any] = {}
    bench.configure()
    do("systemctl", "start", "--no-block", UNIT)
    wait(lambda: "devices do not open" in show("StatusText")["StatusText"], "word of the missing chips")
    out["without_chips"] = show("ActiveState", "StatusText")
    with far_end(bench.SCENARIO, bench.BRIDGE, bench.SEED, "--real-time"):
        out["ready_after_s"] = wait(lambda: show("ActiveState")["ActiveState"] == "active", "ready")
        out["ready"] = show("ActiveState", "SubState", "StatusText", "NRestarts", "WatchdogUSec")
        bench.begin()
        wait(lambda: all(bench.alarms().values()), "the alarms closed", 90.0)
        do("halfpercent", "ack")
        wait(bench.relay_energised, "the relay")
        out["memory_mb"] = bench.memory_mb()
        out["asked"] = _ask_as_people()
        out["upgrade"] = do("sh", "/halfpercent/systemd/install.sh", "install", ok=False)
        out["rights"] = {str(p): oct(p.stat().st_mode & 0o777) for p in (STATE, DATABASE, Path("/run/halfpercent"))}

        before, run = show("MainPID"), status()["run"]
        os.kill(int(before["MainPID"]), signal.SIGSTOP)
        out["stopped_relay_open_after_s"] = wait(lambda: not bench.relay_energised(), "the relay's fall", 90.0)
        wait(lambda: show("NRestarts")["NRestarts"] == "1", "the restart")
        out["said_of_stop"] = do("journalctl", "-q", "-u", UNIT, "--no-pager", "-o", "cat", "-g", "SIGSTOP")
        wait(lambda: show("ActiveState")["ActiveState"] == "active", "ready again")
        wait(lambda: all(bench.alarms().values()), "the alarms closed", 90.0)
        do("halfpercent", "ack")
        wait(bench.relay_energised, "the relay")

        # All of its processes at once, so that nobody is left who could end it: systemd's watchdog does.
        for pid in _processes():
            os.kill(pid, signal.SIGSTOP)
        out["relay_open_after_s"] = wait(lambda: not bench.relay_energised(), "the relay's fall", 90.0)
        out["restart_after_s"] = wait(lambda: show("NRestarts")["NRestarts"] == "2", "the watchdog", 90.0)
        wait(lambda: status()["run"]["elapsed_s"] > run["elapsed_s"], "the run going on", 90.0)
        wait(lambda: show("ActiveState")["ActiveState"] == "active", "ready again")
        out["gone_on"] = [run["run_id"], status()["run"]["run_id"]]
        out["after_hang"] = show("ActiveState", "NRestarts", "StatusText")
        out["said_of_hang"] = do("journalctl", "-q", "-u", UNIT, "--no-pager", "-o", "cat", "-g", "atchdog")

        os.kill(int(show("MainPID")["MainPID"]), signal.SIGKILL)
        out["killed_restart_after_s"] = wait(lambda: show("NRestarts")["NRestarts"] == "3", "the restart")
        wait(lambda: show("ActiveState")["ActiveState"] == "active", "ready again")
        time.sleep(8.0)  # until what was measured since is committed
        out["memory_mb_at_the_end"] = bench.memory_mb()

        do("systemctl", "stop", UNIT)
        out["gaps"], out["missing"], out["not_said"] = bench.gaps(), len(bench.seconds_missing()), bench.not_said()
        out["stopped"] = show("ActiveState", "Result", "ExecMainStatus")
        (bench.ETC / "config.toml").write_text("[bridge]\nchip = 'hx712'\n", encoding="utf-8")
        do("systemctl", "start", UNIT, ok=False)
        time.sleep(8.0)  # longer than RestartSec
        out["wrong_settings"] = show("ActiveState", "Result", "ExecMainStatus", "NRestarts")
        wait(lambda: _state(FAILED) == "active", "the unit that says so")
        out["said_when_failed"] = do("journalctl", "-q", "-u", FAILED, "--no-pager", "-o", "cat")
        out["said_of_settings"] = do("journalctl", "-q", "-u", UNIT, "--no-pager", "-o", "cat", "-g", "hx712")
    return out


def spent() -> dict[str, Any]:
    """Kill it in a test until systemd does not start it any more; look at relay and lamp, and start it again."""
    out: dict[str, Any] = {}
    drop_in = Path(f"/run/systemd/system/{UNIT}.d")
    with bench.measuring():
        wait(lambda: all(bench.alarms().values()), "the alarms closed", 90.0)
        do("halfpercent", "ack")
        wait(bench.relay_energised, "the relay")
        # As the unit has it, but sooner: three starts in its quarter of an hour instead of thirty.
        (drop_in / "sooner.conf").write_text(f"[Unit]\nStartLimitBurst={STARTS}\n", encoding="utf-8")
        do("systemctl", "daemon-reload")
        run, kills = status()["run"]["run_id"], 0
        while _state(UNIT) != "failed":
            main = show("MainPID")["MainPID"]
            if main != "0":
                os.kill(int(main), signal.SIGKILL)
                kills += 1
            wait(partial(_started_or_failed, main), "the next life")
        out["kills"], out["state"] = kills, show("ActiveState", "Result", "NRestarts")
        wait(lambda: _state(FAILED) == "active", "the unit that says so")
        out["lamp_lit_after_s"] = wait(lambda: bench.driven(bench.LAMP) == "hi", "the lamp")
        out["relay"] = bench.driven(bench.RELAY)
        out["said"] = do("journalctl", "-q", "-u", FAILED, "--no-pager", "-o", "cat")
        do("systemctl", "reset-failed", UNIT)
        do("systemctl", "start", UNIT)
        wait(lambda: status()["run"]["run_id"] == run, "the same run")
        out["afterwards"] = _state(FAILED)
        out["relay_again_s"] = wait(_well_again, "the relay", 90.0)
    return out


def _started_or_failed(before: str) -> bool:
    return _state(UNIT) == "failed" or show("MainPID")["MainPID"] not in ("0", before)


def _well_again() -> bool:
    if all(bench.alarms().values()):
        do("halfpercent", "ack", ok=False)
    return bench.relay_energised()


def _processes() -> list[int]:
    """Get the station's processes, itself first."""
    group = show("ControlGroup")["ControlGroup"]
    pids = Path(f"/sys/fs/cgroup{group}/cgroup.procs").read_text(encoding="ascii").split()
    main = int(show("MainPID")["MainPID"])
    return [main, *(int(pid) for pid in pids if int(pid) != main)]


def _state(unit: str) -> str:
    return do("systemctl", "is-active", unit, ok=False).strip()


def _ask_as_people() -> dict[str, Any]:
    """Ask for the status, and leave a note, as members of one group and of both, and as somebody else."""
    do("useradd", "-m", "-G", "halfpercent", "lab")
    do("useradd", "-m", "-G", "halfpercent,halfpercent-operators", "boss")
    do("useradd", "-m", "stranger")
    out: dict[str, Any] = {}
    for name in ("lab", "boss", "stranger"):
        for key, command in (
            ("", ["status"]),
            (" acts", ["note", "by hand"]),
            (" reads", ["runs", "--db", str(DATABASE)]),
        ):
            out[name + key] = do("runuser", "-u", name, "--", "halfpercent", *command, ok=False)
    out["lab aborts"] = do("runuser", "-u", "lab", "--", "halfpercent", "abort", ok=False)
    out["still measured"] = status()["run"]["run_id"]
    return out


def sandbox() -> dict[str, Any]:
    """Have the unit run a probe in the station's place, as its own account and as root."""
    bench.configure()
    text = Path("/usr/local/lib/systemd/system", UNIT).read_text(encoding="utf-8") + bench.DISGUISE
    probe = "/opt/halfpercent/bin/python -I /run/inside.py"
    Path("/run/inside.py").write_bytes(Path(__file__).with_name("inside.py").read_bytes())
    text = re.sub(r"^ExecStart=.*$", f"ExecStart={probe}\nStandardOutput=file:/run/vpi-%N.json", text, flags=re.M)
    text = re.sub(r"^Type=.*$", "Type=oneshot", text, flags=re.M)
    text = re.sub(r"^(WatchdogSec|Restart|StartLimit\w+)=.*$", "", text, flags=re.M)
    out = {}
    for name in ("as-service", "as-root"):
        as_whom = re.sub(r"^(User|Group)=.*$", "", text, flags=re.M) if name == "as-root" else text
        Path(f"/run/systemd/system/{name}.service").write_text(as_whom, encoding="utf-8")
        do("systemctl", "daemon-reload")
        do("systemctl", "start", name)
        out[name] = json.loads(Path(f"/run/vpi-{name}.json").read_text(encoding="utf-8"))
    return out


def clock() -> dict[str, Any]:
    """Set the clock back an hour while a test is measured."""
    with bench.measuring():
        before, uptime_s = status(), time.clock_gettime(time.CLOCK_BOOTTIME)
        time.clock_settime(time.CLOCK_REALTIME, time.time() - 3600.0)
        alarm_after_s = wait(lambda: "clock step" in bench.alarms(), "an alarm")
        time.sleep(10.0)
        after, later_s = status(), time.clock_gettime(time.CLOCK_BOOTTIME)
        pid = show("MainPID", "NRestarts")
        wait(lambda: bench.query("select max(second) from seconds")[0][0] > after["run"]["elapsed_s"], "the seconds")
        return {
            "alarm_after_s": alarm_after_s,
            "elapsed_s": after["run"]["elapsed_s"] - before["run"]["elapsed_s"],
            "passed_s": later_s - uptime_s,
            "missing": bench.seconds_missing(),
            "not_a_second": bench.query(
                "select a.second from seconds a join seconds b on b.second = a.second + 1 "
                "where b.elapsed_s - a.elapsed_s not between 0.99 and 1.01"
            ),
            "restarts": pid["NRestarts"],
        }


def disk() -> dict[str, Any]:
    """Fill the disk, make it read-only, have it fail for a moment, each while a test is measured; then for good."""
    out: dict[str, Any] = {}
    device = _flaky_disk()
    do("mke2fs", "-q", "-t", "ext4", "-m", "0", device)
    do("mount", device, str(STATE))
    do("chown", "halfpercent:halfpercent", str(STATE))
    with bench.measuring():
        filler = STATE / "filler"

        def fill() -> None:
            do("dd", "if=/dev/zero", f"of={filler}", "bs=64k", ok=False)
            do("dd", "if=/dev/zero", f"of={filler}", "bs=512", "oflag=append", "conv=notrunc", ok=False)

        out["full"] = _trouble(fill, filler.unlink)
        # What the kernel does to every disk in an emergency, such as an error in the file system.
        out["read-only"] = _trouble(
            lambda: Path("/proc/sysrq-trigger").write_text("u", encoding="ascii"),
            lambda: [do("mount", "-o", "remount,rw", at) for at in ("/", str(STATE))],
        )
        # Where writing its own journal fails, ext4 gives up for good: only a moment of it passes by itself.
        out["write errors"] = _trouble(lambda: _flakey(down=True), lambda: _flakey(down=False), for_s=1.0)
        out["restarts"] = show("NRestarts")["NRestarts"]
        time.sleep(6.0)  # until what was measured since is committed
        out["missing"] = bench.seconds_missing()
        out["for good"] = _failed_for_good(device)
    out["whole"] = bench.query("pragma integrity_check")[0][0]
    out["events"] = [kind for (kind,) in bench.query("select kind from events order by event")]
    return out


def _failed_for_good(device: str) -> dict[str, Any]:
    """Have the disk fail until its file system gives up; then repair it as a person would, and start again."""
    before, stored = status()["run"], bench.query("select max(second) from seconds")[0][0]
    _flakey(down=True)
    out: dict[str, Any] = {"alarm_after_s": wait(lambda: bench.alarms().get("storage") is False, "the alarm")}
    do("sync", ok=False)
    _flakey(down=False)
    time.sleep(TROUBLE_S)
    out["still_alarm"] = bench.alarms().get("storage") is False
    do("systemctl", "stop", UNIT)
    do("umount", str(STATE))
    do("e2fsck", "-p", device, ok=False)  # its exit status says what it repaired
    do("e2fsck", "-n", device)
    do("mount", device, str(STATE))
    do("systemctl", "start", UNIT)
    wait(lambda: status()["run"]["run_id"] == before["run_id"], "the run")
    out["alarms"] = list(bench.alarms())
    wait(lambda: bench.query("select max(second) from seconds")[0][0] > status()["run"]["elapsed_s"] - 5, "new seconds")
    out["stored_before"], out["missing"] = stored, bench.seconds_missing()
    return out


def _trouble(begin: Any, end: Any, for_s: float = TROUBLE_S) -> dict[str, Any]:
    """Bring trouble to the disk, wait for the alarm, take the trouble away, wait until all is written and well."""
    before = status()["run"]
    begin()
    out: dict[str, Any] = {"alarm_after_s": wait(lambda: bench.alarms().get("storage") is False, "the alarm")}
    time.sleep(for_s)
    hurt = status()
    out["error"], out["pending_s"] = hurt["storage"]["error"], hurt["storage"]["pending_s"]
    out["measured_s"] = hurt["run"]["elapsed_s"] - before["elapsed_s"]
    out["same_run"] = hurt["run"]["run_id"] == before["run_id"]
    end()
    out["well_after_s"] = wait(lambda: bench.alarms()["storage"], "the alarm's end")
    do("halfpercent", "ack")
    wait(lambda: "storage" not in bench.alarms(), "its acknowledgement")
    return out


def _flaky_disk() -> str:
    """Make a small disk that can be told to fail. Returns its device."""
    image = Path("/run/small.ext4")
    with image.open("wb") as file:
        file.truncate(SIZE_MB << 20)
    loop = do("losetup", "--show", "-f", str(image)).strip()
    Path("/run/flaky-loop").write_text(loop, encoding="ascii")
    do("dmsetup", "create", FLAKY, "--noudevsync", "--table", _table(down=False))
    do("dmsetup", "mknodes", FLAKY)
    return f"/dev/mapper/{FLAKY}"


def _table(down: bool) -> str:
    """Get the device-mapper table: dm-flakey, up for ever, or down for ever with every write an error."""
    loop = Path("/run/flaky-loop").read_text(encoding="ascii")
    up_s, down_s, more = (0, 1, "1 error_writes") if down else (1, 0, "")
    return f"0 {SIZE_MB << 11} flakey {loop} 0 {up_s} {down_s} {more}".strip()


def _flakey(down: bool) -> None:
    do("dmsetup", "suspend", "--nolockfs", "--noudevsync", FLAKY)
    do("dmsetup", "load", FLAKY, "--table", _table(down))
    do("dmsetup", "resume", "--noudevsync", FLAKY)


if __name__ == "__main__":
    try:
        answer = {f.__name__: f for f in (life, spent, sandbox, clock, disk)}[sys.argv[1]]()
        Path("/out/answer.json").write_text(json.dumps(answer), encoding="utf-8")
    finally:
        Path("/out/journal").write_text(
            do("journalctl", "-q", "--no-pager", "-u", UNIT, "-u", FAILED, ok=False), encoding="utf-8"
        )
        os.sync()
