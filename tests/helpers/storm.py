"""A storm on a control socket, from processes of its own, and what became of a station that measured through it.

Lines that are valid and not, starts whose files are dear to read, connections that say nothing, no file descriptor
left, a disk that holds a commit up. ``measured`` runs a station (``real_time_station``) and one of them.
"""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import random
import resource
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from edge.control.client import ask
from edge.errors import HalfpercentError

STALL_SHARE = 0.6
"""Of the time that is measured, in the storm ``stall``."""


class Weathered(NamedTuple):
    """What came of a storm: seconds that should be stored and are not, steps in ms, commits in s, what was asked."""

    seconds: int
    missed: int
    longest_step_ms: float
    longest_processor_ms: float
    longest_commit_s: float
    sent: int
    status_asked: int
    status_answered: int
    status_longest_s: float
    tracebacks: int
    resident_mb: float


@dataclass
class Thrower:
    """One process's share of a storm."""

    path: Path
    folder: Path
    draw: random.Random
    until_s: float
    count: Any
    """What was sent, a number shared with the others."""

    @property
    def goes_on(self) -> bool:
        return time.monotonic() < self.until_s

    def sent(self, n: int = 1) -> None:
        with self.count.get_lock():
            self.count.value += n

    def wire(self, timeout_s: float) -> socket.socket:
        wire = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        wire.settimeout(timeout_s)
        return wire


def drawn_line(draw: random.Random, folder: Path) -> bytes:
    """Draw a line: of a command, of one that is spoiled, or of anything."""

    def request(command: object, **args: object) -> bytes:
        return json.dumps({"version": draw.choice([1, 1, 1, 2, None]), "command": command, "args": args}).encode()

    line = draw.choice(
        [
            request("status"),
            request("note", text="x" * draw.choice([1, 200, 2000, 3000])),
            request("note", text=draw.choice(["\x1b[31m", "\u202e", "\ud800", "", "\0", "ü" * 500])),
            request("start", sample=f"S{draw.random()}", operator="o", standard=str(folder / "dots.toml")),
            request("tare"),
            request("ack", alarm=draw.choice(["moon", None, "load cell"])),
            request("zero", more=1),
            request(draw.choice(["fly", 7, None, "st\x00atus", "x" * 300])),
            b"[" * draw.choice([1, 900, 16_000]),
            b'{"version":1,"command":"note","args":{"text":' + b"[" * 500 + b"]" * 500 + b"}}",
            draw.randbytes(draw.choice([0, 1, 100, 17_000])),
        ]
    )
    if draw.random() < 0.3 and line:
        at = draw.randrange(len(line))
        line = line[:at] + draw.randbytes(1) + line[at + draw.choice([0, 1, 5]) :]
    return bytes(line) + b"\n" * draw.choice([0, 1, 1, 1, 1, 2])


def throw_lines(self: Thrower) -> None:
    """Send lines, several on a connection, and take some of the answers: each is one JSON object."""
    draw = self.draw
    while self.goes_on:
        with contextlib.suppress(OSError), self.wire(draw.choice([0.05, 0.5])) as wire:
            wire.connect(str(self.path))
            n = draw.randrange(1, 12)
            wire.sendall(b"".join(drawn_line(draw, self.folder) for _ in range(n)))
            self.sent(n)
            if draw.random() < 0.7:
                came = wire.recv(200_000)
                assert all(isinstance(json.loads(line), dict) for line in came.split(b"\n")[:-1]), came
        time.sleep(0.001)


def throw_starts(self: Thrower) -> None:
    """Ask for starts that name what is dear to read, and wait for the answers."""
    names = ("dots.toml", "heads.toml", "long.toml", "none.toml", "pipe.toml", "deep.toml")
    while self.goes_on:
        named = {self.draw.choice(["standard", "certificate"]): str(self.folder / self.draw.choice(names))}
        with contextlib.suppress(HalfpercentError):
            ask(self.path, "start", {"sample": "S", "operator": "o"} | named, timeout_s=3.0)
        self.sent()


def throw_connections(self: Thrower) -> None:
    """Connect and connect, a hundred held at once, some with a few bytes."""
    held: list[socket.socket] = []
    while self.goes_on:
        held.append(self.wire(0.05))
        with contextlib.suppress(OSError):
            held[-1].connect(str(self.path))
            self.sent()
            if self.draw.random() < 0.5:
                held[-1].sendall(self.draw.randbytes(self.draw.randrange(200)))
        if len(held) > 100:
            held.pop(self.draw.randrange(len(held))).close()
        time.sleep(0.002)


def hold_idle(self: Thrower) -> None:
    """Be twenty-five processes that connect and say nothing."""
    held = []
    for _ in range(25):
        child = os.fork()
        if child == 0:
            try:
                with self.wire(1.0) as wire, contextlib.suppress(OSError):
                    wire.connect(str(self.path))
                    while self.goes_on:
                        time.sleep(0.1)
            finally:
                os._exit(0)
        held.append(child)
        self.sent()
    for child in held:
        os.waitpid(child, 0)


STORMS: dict[str, Callable[[Thrower], None] | None] = {
    "calm": None,
    "lines": throw_lines,
    "starts": throw_starts,
    "connections": throw_connections,
    "idle": hold_idle,
    "no files": throw_lines,
    "stall": None,
}
"""What may be thrown. In ``no files`` no file descriptor is left but one, in ``stall`` the disk holds a commit up."""


def write_dear_files(folder: Path) -> None:
    """Write files that are dear to read, or never end."""
    (folder / "dots.toml").write_text("a." * 10_000 + "b = 1", encoding="ascii")
    (folder / "heads.toml").write_text("".join(f"[a{i}.{'a.' * 9}a]\n" for i in range(2000)), encoding="ascii")
    (folder / "deep.toml").write_text("a = " + "[" * 60_000, encoding="ascii")
    (folder / "long.toml").write_text("a = 1\n" * 100_000, encoding="ascii")
    os.mkfifo(folder / "pipe.toml")


def measured(storm: str, seconds: float, *, rate_sps: int = 80, throwers: int = 2, seed: int = 1) -> Weathered:
    """Have a station measure through a storm, and somebody ask for its status all the while."""
    with tempfile.TemporaryDirectory(prefix="hp") as name:
        folder = Path(name)
        write_dear_files(folder)
        command = [sys.executable, __file__, name, str(seconds), str(rate_sps), storm]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        with (folder / "err").open("w+") as said, subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=said, text=True
        ) as station:  # fmt: skip
            while not (folder / "ready").exists() and station.poll() is None:
                time.sleep(0.01)
            until_s = time.monotonic() + seconds - 2.0  # then who still waits for an answer gets it
            count = multiprocessing.get_context("fork").Value("q", 0)
            thrown = [
                multiprocessing.get_context("fork").Process(
                    target=_throw, args=(storm, Thrower(folder / "s", folder, random.Random(seed + i), until_s, count))
                )
                for i in range(throwers if STORMS[storm] is not None else 0)
            ]
            for process in thrown:
                process.start()
            took = _ask_status(folder / "s", until_s - 0.5)
            for process in thrown:
                process.join()
            out = station.communicate()[0]
            said.seek(0)
            err = said.read()
        if station.returncode or any(process.exitcode for process in thrown):
            raise AssertionError(err)
        found = json.loads(out.splitlines()[-1])
        with contextlib.closing(sqlite3.connect(folder / "halfpercent.db")) as db:
            stored = {second for (second,) in db.execute("select second from seconds")}
            # Without a run no second is stored: then it counts how often nothing was seen for more than 1.5 s.
            opened = "select count(*) from station_events where kind = 'alarm_opened' and data_json like '%\"gap\"%'"
            (gaps,) = db.execute(opened).fetchone()
    answered = [took_s for took_s in took if took_s is not None]
    return Weathered(
        seconds=found["last"],
        missed=len(set(range(found["last"])) - stored) if stored else gaps,
        longest_step_ms=found["step_s"] * 1e3,
        longest_processor_ms=found["processor_s"] * 1e3,
        longest_commit_s=found["commit_s"],
        sent=count.value,
        status_asked=len(took),
        status_answered=len(answered),
        status_longest_s=max(answered, default=float("inf")),
        tracebacks=err.count("Traceback"),
        resident_mb=found["resident_mb"],
    )


def _throw(storm: str, thrower: Thrower) -> None:
    os.nice(10)
    throw = STORMS[storm]
    assert throw is not None
    throw(thrower)


def _ask_status(path: Path, until_s: float) -> list[float | None]:
    """Ask for the status as a person would, twice a second: how long each took in s, None where none came."""
    took: list[float | None] = []
    while time.monotonic() < until_s:
        begun_s = time.monotonic()
        try:
            ask(path, "status", {}, timeout_s=10.0)
            took.append(time.monotonic() - begun_s)
        except HalfpercentError:
            took.append(None)
        time.sleep(0.5)
    return took


def _be_the_station(folder: Path, seconds: float, rate_sps: int, storm: str) -> None:
    """Measure a run for some seconds, commit it, and say how it went."""
    from real_time_station import real_time_station

    from edge.control.protocol import Start

    with contextlib.suppress(PermissionError):  # as its unit says
        os.setpriority(os.PRIO_PROCESS, 0, -10)
    with real_time_station(folder, rate_sps) as (service, clock):
        station = service.station
        in_run = storm != "starts"  # in a run, a start is refused before anything is read
        if in_run:
            service.start(Start(sample="x", operator="y"), "y")
        end_ns = clock.now_ns() + 2_000_000_000
        station.run(lambda: clock.now_ns() < end_ns)  # all is loaded
        station.loop.longest_s = station.loop.longest_processor_s = 0.0
        if storm == "stall":
            _hold_one_commit_up(seconds * STALL_SHARE)
        if storm == "no files":
            most = max(int(path.name) for path in Path("/proc/self/fd").iterdir())
            resource.setrlimit(resource.RLIMIT_NOFILE, (most + 1, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
        (folder / "ready").mkdir()
        end_ns = clock.now_ns() + round(seconds * 1e9)
        station.run(lambda: clock.now_ns() < end_ns)
        live = station.live
        if live is not None:
            with station.writer.journal.patiently():
                live.journal.commit(clock.wall_s())
        found = {
            "last": round(seconds) if live is None else live.last_seq,
            "step_s": station.loop.longest_s,
            "processor_s": station.loop.longest_processor_s,
            "commit_s": station.writer.journal.commits.longest_s,
            "resident_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0,
        }
    print(json.dumps(found))


def _hold_one_commit_up(stall_s: float) -> None:
    """Hold the next commit up inside its thread, as a card would."""
    from edge.database.run_journal import RunJournal

    write, left = RunJournal._write, [1]

    def held_up(self: RunJournal, *args: Any) -> None:
        if left:
            left.pop()
            time.sleep(stall_s)
        write(self, *args)

    RunJournal._write = held_up  # type: ignore[method-assign]


if __name__ == "__main__":
    _be_the_station(Path(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
