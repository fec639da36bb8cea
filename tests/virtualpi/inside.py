"""What the unit's sandbox allows. Run by systemd in place of the station, with all that the unit says; prints JSON."""

import ctypes
import errno
import json
import os
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

DEVICES = ("i2c-1", "spidev0.0", "spidev0.1", "gpiochip0", "null", "urandom")
OTHERS = ("ubda", "mem", "kmsg", "vpibus", "loop-control", "watchdog", "fuse", "rtc0", "ttyS0")
PLACES = ("/etc/halfpercent", "/usr/local/bin", "/opt/halfpercent", "/var/lib/halfpercent", "/var/cache/halfpercent")


def tried(what: Callable[[], object]) -> str:
    """Get "ok", or the name of the error."""
    try:
        what()
    except OSError as e:
        return errno.errorcode[e.errno or 0]
    return "ok"


def opened(name: str) -> str:
    return tried(lambda: os.close(os.open(f"/dev/{name}", os.O_RDWR | os.O_NONBLOCK)))


def written(folder: str) -> str:
    def write() -> None:
        path = Path(folder, "tried")
        path.write_text("", encoding="ascii")
        path.unlink()

    return tried(write)


def real_time(priority: int) -> str:
    try:
        return tried(lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(priority)))
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def writable_code() -> str:
    import mmap

    return tried(lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC).close())


def main() -> None:
    """Try everything and say what came of it. What the sandbox does not forbid is done: never call this outside it."""
    libc = ctypes.CDLL(None, use_errno=True)
    answer = {
        "uid": os.getuid(),
        "devices": {name: opened(name) for name in DEVICES},
        "others": {name: opened(name) for name in OTHERS if Path("/dev", name).exists()},
        "inet": tried(lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM).close()),
        "inet6": tried(lambda: socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).close()),
        "packet": tried(lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close()),
        "unix": tried(lambda: socket.socket(socket.AF_UNIX, socket.SOCK_STREAM).close()),
        "interfaces": [line.split(":")[0].strip() for line in Path("/proc/net/dev").read_text().splitlines()[2:]],
        "written": {folder: written(folder) for folder in PLACES},
        "home": tried(lambda: list(Path("/root").iterdir())),
        "clock": tried(lambda: time.clock_settime(time.CLOCK_REALTIME, 0)),
        "mount": "ok" if libc.mount(b"none", b"/tmp", b"tmpfs", 0, None) == 0 else errno.errorcode[ctypes.get_errno()],
        "fifo_50": real_time(50),
        "fifo_51": real_time(51),
        "writable_code": writable_code(),
        "cpuinfo": "Raspberry Pi" in Path("/proc/cpuinfo").read_text(encoding="utf-8"),
        "boot_id": len(Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()),
    }
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
