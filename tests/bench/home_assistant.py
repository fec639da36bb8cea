"""A real Home Assistant and a rig: does it find it, and hold what the station says, with its unit and its class?

A station on the simulated rig, the command ``publish``, a real Mosquitto, and Home Assistant in an environment and a
process of its own (tests/helpers/in_home_assistant.py). Then the station ends, then the publisher. ``make
home-assistant`` writes docs/fleet.md; ``tests/bench/test_home_assistant.py`` is the small form.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench_report import FLEET, ROOT, Section, table
from page_viewers import free_port
from publish_kills import Broker, mosquitto

from edge.control.client import ask_status
from edge.errors import HalfpercentError
from edge.publish.discovery import discovery
from edge.publish.settings import PublishSettings

RIG = "lab-3"
SECTION = Section(
    "home_assistant",
    "## In a real Home Assistant",
    """
Home Assistant with its MQTT integration alone, a real Mosquitto, the command `publish`, and a station on the simulated
rig in a running test. What it holds of the rig: found by itself, from one retained message.
""",
    """
The bench fails where an entity is missing, has another unit or class than the rig gave it, or a state that is not the
station's; and where anything is said to be known of a station, or of a rig, that does not answer.
""",
    page=FLEET,
    packages=("paho-mqtt",),
)
KNOWN_NOTHING = {"unknown", "unavailable"}
Held = dict[str, dict[str, Any]]


def wrong_entities(held: Held, settings: PublishSettings) -> list[str]:
    """Say where what Home Assistant holds is not what the rig described: an entity, its unit, class or options."""
    wrong = []
    for one in discovery(settings)[1].components.values():
        found = held.get(one.unique_id)
        if found is None:
            wrong.append(f"{one.unique_id}: is not there")
            continue
        for key, given in (("unit_of_measurement", one.unit_of_measurement), ("device_class", one.device_class)):
            if found[key] != given:
                wrong.append(f"{one.unique_id}: {key} is {found[key]}, not {given}")
        if found["options"] is not None and list(one.options or ()) != list(found["options"]):
            wrong.append(f"{one.unique_id}: other options")
    return wrong


def known(held: Held) -> list[str]:
    """Get which entities have a state."""
    return sorted(name for name, one in held.items() if one["state"] not in KNOWN_NOTHING)


@contextmanager
def ended_with(argv: list[str], **how: Any) -> Iterator[subprocess.Popen[str]]:
    """Have a process run, and end it."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(argv, cwd=ROOT, text=True, **(quiet | how)) as running:
        try:
            yield running
        finally:
            running.terminate()


def until(is_so: Callable[[], bool], what: str, most_s: float = 90.0) -> None:
    """Wait for something, or give up."""
    end_s = time.monotonic() + most_s
    while not is_so():
        if time.monotonic() > end_s:
            raise SystemExit(f"in vain: {what}")
        time.sleep(0.2)


def state_of(sock: Path) -> str:
    """Get in which phase the station is; nothing where it does not answer."""
    try:
        status = ask_status(sock, timeout_s=2.0)
    except HalfpercentError:
        return ""
    return "" if status.run is None else str(status.run.phase)


def measured(python: Path, folder: Path) -> tuple[list[str], Held]:
    """Have all of it run. Get what is wrong, and what Home Assistant held of a running test."""
    sock, wrong = folder / "s", []
    broker = Broker(folder)
    broker.start()
    settings = PublishSettings(host="127.0.0.1", port=broker.port, tls=False, rig=RIG, state_every_s=1.0)
    config = folder / "publish.toml"
    text = f'host = "127.0.0.1"\nport = {broker.port}\ntls = false\nrig = "{RIG}"\nstate_every_s = 1\n'
    where = f"database = '{folder / 'db' / 'halfpercent.db'}'\nsocket = '{sock}'\n"
    config.write_text(text + where, encoding="utf-8")
    us = [sys.executable, "-m", "edge"]
    station = [*us, "station", "--simulate", "--seed", "2", "--speed", "60", "--folder", str(folder / "db")]
    publisher = [*us, "publish", "--settings", str(config), "--state", str(folder / "position.json")]
    there = [str(python), str(ROOT / "tests" / "helpers" / "in_home_assistant.py"), str(broker.port), str(free_port())]
    lines: list[Held] = []
    with ended_with([*there, "300"], stdout=subprocess.PIPE) as assistant:

        def newest() -> Held:
            assert assistant.stdout is not None
            lines.append(json.loads(assistant.stdout.readline())["entities"])
            return lines[-1]

        with ended_with(publisher):
            with ended_with([*station, "--socket", str(sock)]):
                until(sock.exists, "the station listens")
                for words in (["start", "--sample", "S-1", "--operator", "bench"], ["tare"], ["load"]):
                    said = [*us, *words, "--socket", str(sock)]
                    until(
                        lambda said=said: subprocess.run(said, cwd=ROOT, capture_output=True).returncode == 0, words[0]
                    )
                until(lambda: state_of(sock) == "m1", "M1")
                until(lambda: newest().get(f"{RIG}_phase", {}).get("state") == "m1", "Home Assistant knows of M1")
                running = newest()
                wrong += wrong_entities(running, settings)
                wrong += [f"{name}: not known" for name in sorted(set(running) - set(known(running)) - NOT_FITTED)]
                on = [name for name, one in running.items() if one["state"] == "on"]
                wrong += [f"{name}: on" for name in on]
            until(lambda: not known(newest()), "nothing is known of a station that has ended")
        until(
            lambda: {one["state"] for one in newest().values()} == {"unavailable"}, "a rig that has left is unavailable"
        )
    broker.stop()
    return wrong, running


NOT_FITTED = {f"{RIG}_pressure_pa", f"{RIG}_loss_pct"}
"""Of the simulated rig, and before the hold."""


def main() -> None:
    """Have it run, and say what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", type=Path, default=os.environ.get("HOME_ASSISTANT_PYTHON"))
    parser.add_argument("--write", action="store_true", help="write the section of docs/fleet.md")
    args = parser.parse_args()
    if args.python is None or mosquitto() is None:
        raise SystemExit("a Python with Home Assistant (--python) and Mosquitto are needed: make home-assistant")
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        wrong, held = measured(args.python, Path(name))
    rows = [
        (one["entity"], one["state"], one["unit_of_measurement"] or "", one["device_class"] or "")
        for one in sorted(held.values(), key=lambda one: str(one["entity"]))
        if not one["entity"].startswith("binary_sensor.")
    ]
    alarms = sum(one["entity"].startswith("binary_sensor.") for one in held.values())
    found = (
        table(("entity", "state in M1", "unit", "class"), *rows)
        + f"\n\nAnd {alarms} alarms, all off. Wrong: {len(wrong)}."
    )
    SECTION.report(found, took_s=time.monotonic() - began, write=args.write and not wrong)
    if wrong:
        raise SystemExit("\n".join(wrong))


if __name__ == "__main__":
    main()
