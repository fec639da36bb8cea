"""When the station is not started any more: what is said, and that the relay is open and the lamp lit."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from gpiozero.pins.mock import MockFactory

from edge.station.given_up import hold_open, what_happened
from hw.clock import BootClock
from hw.panel import Panel


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({}, "nobody says why"),
        ({"MONITOR_SERVICE_RESULT": "exit-code", "MONITOR_EXIT_CODE": "exited", "MONITOR_EXIT_STATUS": "78"},
         "its settings are wrong; the relay is open: halfpercent check-config"),
        ({"MONITOR_SERVICE_RESULT": "watchdog", "MONITOR_EXIT_CODE": "killed", "MONITOR_EXIT_STATUS": "ABRT"},
         "it failed too often, the last time by watchdog (killed ABRT); the relay is open: journalctl -u halfpercent"),
        ({"MONITOR_SERVICE_RESULT": "start-limit-hit"}, "by start-limit-hit; the relay"),
    ],
)  # fmt: skip
def test_what_became_of_the_station_is_said_in_one_line_with_what_to_do(told: dict[str, str], says: str) -> None:
    line = what_happened(told)
    assert says in line
    assert "sudo systemctl start halfpercent" in line
    assert "\n" not in line


def test_the_relay_is_open_and_the_lamp_lit_until_the_station_comes_back() -> None:
    pins, over = MockFactory(), threading.Event()
    panel = Panel(BootClock(), lamp_pin="GPIO22", relay_pin="GPIO25", buzzer_pin="GPIO23", pin_factory=pins)
    holding = threading.Thread(target=hold_open, args=(panel, over))
    holding.start()
    try:
        for _ in range(200):
            if pins.pin(22).state:
                break
            threading.Event().wait(0.01)
        assert [int(pins.pin(n).state) for n in (25, 22, 23)] == [0, 1, 0]
    finally:
        over.set()
        holding.join()


@pytest.mark.parametrize("settings", ["", "nonsense"])
def test_the_command_says_why_and_stays_until_it_is_stopped(tmp_path: Path, settings: str) -> None:
    (tmp_path / "config.toml").write_text(settings, encoding="ascii")
    command = [sys.executable, "-c", "from edge.cli.main import main; main()", "failed", "--config"]
    with subprocess.Popen(
        [*command, str(tmp_path / "config.toml")],
        env=os.environ | {"MONITOR_SERVICE_RESULT": "timeout"},
        stderr=subprocess.PIPE,
        text=True,
    ) as one:
        assert one.stderr is not None
        assert "by timeout" in one.stderr.readline()
        assert "no lamp is lit: " in one.stderr.readline()
        assert one.poll() is None
        one.send_signal(signal.SIGTERM)
        assert one.wait(10.0) == 0
