"""A real Mosquitto that goes and comes, and a publisher that is killed again and again: is any row missing?

The rows of a database with two runs are published by the command itself, which is killed (SIGKILL) at random moments,
while the broker is stopped and started; a subscriber with a session of its own writes down what it is given. ``make
publish-kills`` writes docs/fleet.md; ``tests/bench/test_publish_kills.py`` is the small form.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import paho.mqtt.client as paho
from bench_report import FLEET, ROOT, Section, table
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from published_rows import Row, stored, two_runs

NIGHT_H = 9.0
SECTION = Section(
    "publish_kills",
    "## Killed again and again",
    """
The command `publish` passes the rows of two runs on to a real Mosquitto (`max_queued_messages 0`, persistence on), and
is killed at random moments; the broker is stopped and started too. A subscriber with a session of its own gets them.
""",
    """
The second table is calculated from the message's size, for rigs that are all in a test of 9 h each night; a result with
its budget is one message more.

Each row came at least once and in order within its run, or the bench fails. An acknowledgement of the broker is not a
delivery: with its default of 1000 queued messages a subscriber that is away longer loses rows.
""",
    page=FLEET,
    packages=("paho-mqtt",),
)


def mosquitto() -> str | None:
    """Get where Mosquitto is; None where it is not."""
    return shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin")


@dataclass
class Broker:
    """A real Mosquitto on a free port, which can be stopped and started."""

    folder: Path
    port: int = 0
    more: str = ""
    """Further lines of its settings."""
    _process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        with closing(socket.create_server(("127.0.0.1", 0))) as free:
            self.port = int(free.getsockname()[1])
        (self.folder / "mosquitto.conf").write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\nmax_inflight_messages 0\n"
            f"persistence true\npersistence_location {self.folder}/\nautosave_interval 1\nuser root\n{self.more}"
        )

    def start(self) -> None:
        """Start it, and wait until it listens."""
        program = mosquitto()
        assert program is not None
        self._process = subprocess.Popen(
            [program, "-c", str(self.folder / "mosquitto.conf")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until = time.monotonic() + 10.0
        while time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", self.port), 0.2).close()
                return
            except OSError:
                time.sleep(0.05)
        raise TimeoutError("mosquitto does not listen")

    def stop(self) -> None:
        """Stop it as systemd does, so that it writes what it holds."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10.0)
            self._process = None


@dataclass
class Subscriber:
    """A receiver with a session of its own, that writes down what it is given."""

    port: int
    rows: list[Row] = field(default_factory=list)
    second_bytes: int = 0
    """Of the payloads and topics of seconds."""

    def start(self) -> None:
        """Connect, and again whenever the broker has been away."""
        client = paho.Client(CallbackAPIVersion.VERSION2, client_id="receiver", protocol=paho.MQTTv5)
        keeps = Properties(PacketTypes.CONNECT)
        keeps.SessionExpiryInterval = 3600
        client.on_connect = lambda c, *_: c.subscribe("halfpercent/#", qos=1)
        client.on_message = self._take
        client.reconnect_delay_set(0.1, 0.5)  # type: ignore[arg-type]  # it takes parts of a second too
        client.connect("127.0.0.1", self.port, clean_start=False, properties=keeps)
        client.loop_start()
        self._client = client

    def stop(self) -> None:
        """Let go."""
        self._client.disconnect()
        self._client.loop_stop()

    def _take(self, _client: object, _userdata: object, message: paho.MQTTMessage) -> None:
        kind = message.topic.rsplit("/", 1)[1]
        if kind in ("second", "event", "result"):
            told = json.loads(message.payload)
            self.rows.append((kind, told["run_uid"], told.get("sequence", 0)))
            self.second_bytes += len(message.payload) + len(message.topic) if kind == "second" else 0


@dataclass(frozen=True)
class Came:
    """What came of it."""

    stored: int
    missing: int
    repeated: int
    out_of_order: int
    kills: int
    stops: int
    bytes_a_second: float
    """Payload and topic of one second's message, on average."""


def publish_through(database: Path, folder: Path, kills: int, stops: int, seed: int) -> Came:
    """Publish a database through a broker, with so many kills of the publisher and stops of the broker."""
    random_ = random.Random(seed)
    broker = Broker(folder)
    broker.start()
    receiver = Subscriber(broker.port)
    receiver.start()
    how = folder / "publish.toml"
    how.write_text(
        f'host = "127.0.0.1"\nport = {broker.port}\ntls = false\nrig = "R1"\nevery_s = 1\ndatabase = "{database}"\n'
        f'socket = "{folder}/no.sock"\nstate_every_s = 3600\n'
    )
    try:
        breaks = ["kill"] * kills + ["stop"] * stops
        random_.shuffle(breaks)
        for what in breaks:
            publisher = _publisher(how, folder)
            time.sleep(random_.uniform(0.4, 0.9))
            if what == "stop":
                broker.stop()
                time.sleep(random_.uniform(0.0, 0.3))
                broker.start()
            publisher.send_signal(signal.SIGKILL)
            publisher.wait()
        publisher = _publisher(how, folder)
        wanted, until = stored(database, 1), time.monotonic() + 120.0
        while not wanted <= set(receiver.rows) and time.monotonic() < until:
            time.sleep(0.1)
        publisher.terminate()
        publisher.wait(10.0)
    finally:
        receiver.stop()
        broker.stop()
    seconds = max(1, sum(row[0] == "second" for row in receiver.rows))
    return _compared(receiver.rows, wanted, kills, stops, receiver.second_bytes / seconds)


def _publisher(how: Path, folder: Path) -> subprocess.Popen[bytes]:
    argv = [sys.executable, "-m", "edge", "publish", "--settings", str(how), "--state", str(folder / "position.json")]
    return subprocess.Popen(argv, cwd=ROOT, stderr=subprocess.DEVNULL)


def _compared(rows: list[Row], wanted: set[Row], kills: int, stops: int, bytes_a_second: float) -> Came:
    """Compare what came with what is stored: each row's first coming in order within its run and kind."""
    seen: set[Row] = set()
    newest: dict[tuple[str, str | None], int] = {}
    out_of_order = 0
    for row in rows:
        if row not in seen:
            seen.add(row)
            out_of_order += row[2] < newest.get(row[:2], -1)
            newest[row[:2]] = row[2]
    return Came(len(wanted), len(wanted - seen), len(rows) - len(seen), out_of_order, kills, stops, bytes_a_second)


def main() -> None:
    """Publish, kill, and say what came of it."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--kills", type=int, default=200)
    asked.add_argument("--stops", type=int, default=20)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--write", action="store_true", help="write the section of docs/fleet.md")
    args = asked.parse_args()
    if mosquitto() is None:
        raise SystemExit("mosquitto is not here: apt install mosquitto")
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        came = publish_through(two_runs(Path(name)), Path(name), args.kills, args.stops, args.seed)
    assert came.missing == came.out_of_order == 0, came
    found = table(
        ("", "rows"),
        ("stored", came.stored),
        ("missing at the receiver", came.missing),
        ("out of order in their run", came.out_of_order),
        ("given more than once", came.repeated),
        ("the publisher was killed", f"{came.kills} times"),
        ("the broker was stopped", f"{came.stops} times"),
        ("a second's message, with its topic", f"{came.bytes_a_second:.0f} bytes"),
    )
    fleets = calculated(came.bytes_a_second)
    SECTION.report(f"{found}\n\n{fleets}", took_s=time.monotonic() - began, write=args.write)


def calculated(bytes_a_second: float) -> str:
    """Get what the seconds of a fleet come to, where each rig is in a test of ``NIGHT_H`` at once: from one message."""
    rows: list[tuple[object, ...]] = [
        ("rigs", "each", "messages a second", "to the broker", "a rig-hour", "stored a night, as JSON")
    ]
    for rigs in (1, 50, 10_000):
        for every_s in (10, 60):
            rate = rigs / every_s
            bytes_a_s = rate * bytes_a_second
            stored_mb = bytes_a_s * 3600 * NIGHT_H / 1e6
            rows.append(
                (
                    f"{rigs}",
                    f"{every_s} s",
                    f"{rate:.0f}" if rate >= 1.0 else f"{rate:.3g}",
                    f"{bytes_a_s / 1e3:.3g} kB/s",
                    f"{bytes_a_second * 3600 / every_s / 1e3:.3g} kB",
                    f"{stored_mb:.3g} MB" if stored_mb < 1e3 else f"{stored_mb / 1e3:.3g} GB",
                )
            )
    return table(*rows)


if __name__ == "__main__":
    main()
