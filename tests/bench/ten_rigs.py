"""Ten stations in real time, ten publishers, one broker, one subscriber: what it costs, and what no broker can do.

Each station is a whole service on chip models by the machine's own clock, in a process of its own; each publisher is
the command, at the unit's priority. ``make ten-rigs`` writes docs/fleet.md; ``tests/bench/test_ten_rigs.py`` is the
small form.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import paho.mqtt.client as paho
from bench_report import FLEET, ROOT, Section, table
from paho.mqtt.enums import CallbackAPIVersion
from publish_kills import Broker, Subscriber, mosquitto
from published_rows import stored
from small_broker import UNASKED_MESSAGES, UNASKED_PONGS, SmallBroker

SECTION = Section(
    "ten_rigs",
    "## Ten rigs, and brokers that misbehave",
    """
Ten stations measure in real time on chip models at 10 SPS, each with its publisher as the unit starts it (each tenth
second, the state each 10 s); all of it, the broker and its subscriber share one machine. Then the same with brokers
that hang, never acknowledge, refuse, or flood with messages that nobody asked for and with answers to no question.
""",
    """
- No second is missing in any row, or the bench fails; samples are of all ten stations. A chip that is read late loses a
  conversion: on a busy machine (see the load) some per cent of the samples are the machine's, not the broker's.
- Bytes are what Mosquitto counted from ten publishers (`$SYS/broker/bytes/received`), without TCP's own.
- The last row: a whole simulated test is made while the command publishes it, and Mosquitto is stopped for one hour of
  the test's time; each row arrives.
""",
    page=FLEET,
    packages=("paho-mqtt", "numba"),
)
SETTLED_S = 5
"""From then on a chip that was begun anew has settled."""
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Found:
    """What ten stations stored and what their publishers cost, in a window of ``seconds``."""

    what: str
    seconds: float
    rows: int
    missed: int
    samples: int
    bad: int
    station_pct: float
    publisher_pct: float
    publisher_mb: float
    sent_bytes: int | None

    @property
    def samples_per_s(self) -> float:
        """Samples in a stored second, of one station."""
        return self.samples / self.rows


def child(folder: Path) -> None:
    """Be a station until told to end."""
    from real_time_station import real_time_station

    from edge.control.protocol import Start

    ended: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: ended.append(number))
    with real_time_station(folder, 10) as (service, _clock):
        service.start(Start(sample="x", operator="y"), "y")
        service.station.run(lambda: not ended)


def _started(argv: list[str], nice: int = 0) -> subprocess.Popen[bytes]:
    env = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    return subprocess.Popen(["nice", "-n", str(nice), *argv], cwd=ROOT, env=env, stderr=subprocess.DEVNULL)


@contextmanager
def _ended(processes: list[subprocess.Popen[bytes]]) -> Iterator[None]:
    try:
        yield
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(30.0)


def _used_s(processes: list[subprocess.Popen[bytes]]) -> float:
    """Processor time of processes so far, in s."""
    ticks = 0
    for process in processes:
        fields = Path(f"/proc/{process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / TICKS


def _resident_mb(process: subprocess.Popen[bytes]) -> float:
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{process.pid}/status").read_text(encoding="ascii"))
    return 0.0 if found is None else int(found[1]) * 1024 / 1e6


def _publish(folder: Path, rig: str, port: int) -> list[str]:
    how = folder / "publish.toml"
    how.write_text(
        f'host = "127.0.0.1"\nport = {port}\ntls = false\nrig = "{rig}"\ndatabase = "{folder}/halfpercent.db"\n'
        f'socket = "{folder}/s"\n',
        encoding="utf-8",
    )
    state = str(folder / "position.json")
    return [sys.executable, "-m", "edge", "publish", "--settings", str(how), "--state", state]


@dataclass
class _Counted:
    """What Mosquitto says of the bytes that it received."""

    port: int
    bytes_: int = 0

    def __enter__(self) -> _Counted:
        client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        client.on_connect = lambda c, *_: c.subscribe("$SYS/broker/bytes/received")
        client.on_message = self._take
        client.connect("127.0.0.1", self.port)
        client.loop_start()
        self._client = client
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _take(self, _client: object, _userdata: object, message: paho.MQTTMessage) -> None:
        self.bytes_ = int(message.payload)


def _window(what: str, seconds: float, folders: list[Path], port: int | None, counted: _Counted | None) -> Found:
    """Let stations measure, with publishers where there is a port, and say what came of one window."""
    stations: list[subprocess.Popen[bytes]] = []
    publishers: list[subprocess.Popen[bytes]] = []
    with _ended(stations), ExitStack() as also:
        for some in (folders[:1], folders[1:]):  # the first one compiles where that was not done yet
            stations += [_started([sys.executable, __file__, "--child", str(folder)]) for folder in some]
            until = time.monotonic() + 180.0
            while not all(map(_seconds, some)):
                assert time.monotonic() < until, "a station does not begin"
                time.sleep(0.5)
        if port is not None:
            publishers += [_started(_publish(f, f"rig-{i}", port), 10) for i, f in enumerate(folders)]
            also.enter_context(_ended(publishers))
        time.sleep(min(10.0, seconds))
        began_s, stations_s, publishers_s = time.monotonic(), _used_s(stations), _used_s(publishers)
        sent = counted.bytes_ if counted else 0
        time.sleep(seconds)
        took_s = time.monotonic() - began_s
        shares = [(_used_s(stations) - stations_s) / took_s, (_used_s(publishers) - publishers_s) / took_s]
        sent_bytes = counted.bytes_ - sent if counted else None
        most_mb = max(map(_resident_mb, publishers), default=0.0)
    rows, missed, samples, bad = (sum(one) for one in zip(*map(_stored, folders), strict=True))
    each = [share * 100.0 / len(folders) for share in shares]
    return Found(what, took_s, rows, missed, samples, bad, each[0], each[1], most_mb, sent_bytes)


def _seconds(folder: Path) -> int:
    try:
        with closing(sqlite3.connect(f"file:{folder}/halfpercent.db?mode=ro", uri=True)) as db:
            return int(db.execute("select count(*) from seconds").fetchone()[0])
    except sqlite3.Error:
        return 0


def _stored(folder: Path) -> tuple[int, int, int, int]:
    """Rows, seconds missed between the first settled one and the last, samples, and those that were no numbers."""
    with closing(sqlite3.connect(folder / "halfpercent.db")) as db:
        rows, missed, samples, bad = db.execute(
            "select count(*), max(second) - min(second) + 1 - count(*), sum(samples_ok + samples_bad), sum(samples_bad)"
            f" from seconds where second >= {SETTLED_S}"
        ).fetchone()
    return rows, missed, samples, bad


BROKERS = ("no publisher", "mosquitto", "hung", "never acknowledges", "refuses", "floods: messages", "floods: answers")


def measured(what: str, rigs: int, seconds: float) -> Found:
    """Measure with one kind of broker; "no publisher" is without."""
    misbehave = {
        "hung": {"answers": False},
        "never acknowledges": {"acknowledges": False},
        "refuses": {"refuses": 0x87},
        "floods: messages": {"floods": UNASKED_MESSAGES},
        "floods: answers": {"floods": UNASKED_PONGS},
    }
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folders = [Path(name) / f"rig-{i}" for i in range(rigs)]
        for folder in folders:
            folder.mkdir()
        port, counted = None, None
        if what == "mosquitto":
            broker = Broker(Path(name), more="sys_interval 1\n")
            broker.start()
            stack.callback(broker.stop)
            receiver = Subscriber(broker.port)
            receiver.start()
            stack.callback(receiver.stop)
            port, counted = broker.port, stack.enter_context(_Counted(broker.port))
        elif what in misbehave:
            port = stack.enter_context(SmallBroker(**misbehave[what])).port  # type: ignore[arg-type]  # each has its own
        return _window(what, seconds, folders, port, counted)


def hour_away(folder: Path, standard: Path | None = None, *, away_s: float = 3600.0) -> tuple[int, int, float]:
    """Publish a test while it is made, with the broker away for so much of its time: rows, missing, and time away."""
    (folder / "mq").mkdir()
    broker = Broker(folder / "mq")
    broker.start()
    receiver = Subscriber(broker.port)
    receiver.start()
    database = folder / "halfpercent.db"
    argv = [sys.executable, "-m", "edge", "demo", "--db", str(database)]
    demo = subprocess.Popen(
        argv + (["--standard", str(standard)] if standard else []),
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while demo.poll() is None and _elapsed_s(database) < 600.0:
            time.sleep(0.02)
        publisher = _started([*_publish(folder, "R1", broker.port)])
        with _ended([publisher]):
            began_s = _elapsed_s(database)
            broker.stop()
            while demo.poll() is None and _elapsed_s(database) < began_s + away_s:
                time.sleep(0.02)
            gone_s = _elapsed_s(database) - began_s
            broker.start()
            demo.wait(300.0)
            wanted, until = stored(database, 10), time.monotonic() + 120.0
            while not wanted <= set(receiver.rows) and time.monotonic() < until:
                time.sleep(0.1)
        return len(wanted), len(wanted - set(receiver.rows)), gone_s
    finally:
        receiver.stop()
        broker.stop()
        demo.wait(300.0)


def _elapsed_s(database: Path) -> float:
    try:
        with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as db:
            return float(db.execute("select max(elapsed_s) from seconds").fetchone()[0] or 0.0)
    except sqlite3.Error:
        return 0.0


def main() -> None:
    """Measure with each broker, and say what came of it."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--rigs", type=int, default=10)
    asked.add_argument("--seconds", type=float, default=60.0)
    asked.add_argument("--child", type=Path)
    asked.add_argument("--write", action="store_true", help="write the section of docs/fleet.md")
    args = asked.parse_args()
    if args.child:
        child(args.child)
        return
    if mosquitto() is None:
        raise SystemExit("mosquitto is not here: apt install mosquitto")
    began = time.monotonic()
    all_of_it = [measured(what, args.rigs, args.seconds) for what in BROKERS]
    assert not any(found.missed for found in all_of_it), all_of_it
    good = next(found for found in all_of_it if found.sent_bytes is not None)
    with tempfile.TemporaryDirectory() as name:
        rows, missing, away_s = hour_away(Path(name))
    assert (missing, away_s >= 3600.0) == (0, True), (rows, missing, away_s)
    found = table(
        (
            "broker",
            "seconds stored",
            "missed",
            "samples a second",
            "no numbers",
            "a station",
            "a publisher",
            "its memory",
        ),
        *(
            (
                one.what,
                one.rows,
                one.missed,
                f"{one.samples_per_s:.3f}",
                one.bad,
                f"{one.station_pct:.2f} %",
                f"{one.publisher_pct:.2f} %",
                f"{one.publisher_mb:.0f} MB" if one.publisher_mb else "",
            )
            for one in all_of_it
        ),
    )
    per_hour = 3600.0 / good.seconds / args.rigs
    cost = table(
        ("a rig-hour", ""),
        ("sent", f"{(good.sent_bytes or 0) * per_hour / 1e3:.0f} kB"),
        ("publisher's processor time", f"{good.publisher_pct * 36.0:.0f} s"),
        ("station's, with the models' work", f"{good.station_pct * 36.0:.0f} s"),
        (f"rows that came of a test with the broker away for {away_s:.0f} s of it", f"{rows - missing} of {rows}"),
    )
    SECTION.report(f"{found}\n\n{cost}", took_s=time.monotonic() - began, write=args.write)


if __name__ == "__main__":
    main()
