"""What needs no simulated clock, on the virtual Pi: its own time, other people's tools, lines without a chip.

Run on the virtual Pi; its answer is JSON in ``/out``.
"""

from __future__ import annotations

import errno
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from gpiozero import LED, Button
from smbus2 import SMBus

from hw.nau7802 import ADDRESS
from virtualpi.instrument import CONFIG, Far, far_end

CALLS = 2000


def bare() -> dict[str, Any]:
    """Look with i2cdetect, with the doctor, and at a chip that is not there; take the time of a call."""
    config = Path("config.toml")
    config.write_text(CONFIG % "nau7802", encoding="utf-8")
    with far_end("solid", "nau7802", 1, "--real-time") as folder, hand(folder) as wire, SMBus(1) as bus:
        detected = subprocess.run(["i2cdetect", "-y", "1"], capture_output=True, text=True, check=True).stdout
        doctor = subprocess.run(
            [sys.executable, "-m", "edge", "doctor", "--json", "--config", str(config)],
            capture_output=True,
            text=True,
            check=False,
        ).stdout
        began = time.perf_counter()
        for _ in range(CALLS):
            bus.read_i2c_block_data(ADDRESS, 0, 3)
        call_us = (time.perf_counter() - began) / CALLS * 1e6
        Far(wire, "bridge").unplug()
        try:
            bus.read_byte_data(ADDRESS, 0)
            absent = "it answered"
        except OSError as e:
            absent = errno.errorcode[e.errno or 0]
    return {"detected": detected, "doctor": json.loads(doctor), "absent": absent, "call_us": round(call_us, 1)}


def lines() -> dict[str, Any]:
    """Blink a LED and press a button, with gpiozero on lgpio."""
    seen: list[str] = []
    with far_end("solid", "hx711", 1, "--real-time") as folder, hand(folder) as wire:
        outside = Far(wire, "lines")
        with LED(17) as led, Button(27) as button:
            button.when_pressed = lambda: seen.append("pressed")
            button.when_released = lambda: seen.append("released")
            factory = type(led.pin_factory).__name__
            lit = []
            for _ in range(3):
                led.toggle()
                lit.append(led.value)
            for heard, level in enumerate((False, True, False), start=1):
                outside.do("drive", 27, level)
                end_s = time.monotonic() + 10.0  # lgpio's own thread hears it, when it gets the processor
                while len(seen) < heard and time.monotonic() < end_s:
                    time.sleep(0.05)
            info = subprocess.run(["gpioinfo", "gpiochip0"], capture_output=True, text=True, check=True).stdout
    return {"factory": factory, "lit": lit, "seen": seen, "info": info}


def hand(folder: Path) -> socket.socket:
    """Get the hand that pulls plugs."""
    wire = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    wire.connect(str(folder / "hand"))
    return wire


if __name__ == "__main__":
    Path("/out/answer.json").write_text(json.dumps({"bare": bare, "lines": lines}[sys.argv[1]]()), encoding="utf-8")
    os.sync()
