"""The page with many who look: does the station miss a second, does its longest step grow, what does the page hold?

A station on the simulated rig measures in real time, first alone, then with viewers on the page's live stream. Then the
page looks as often as it does in so many days, at a database of many runs. ``tests/bench/test_page_viewers.py`` is the
small form.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench_report import Section, table
from repository import ROOT

ENVIRONMENT = {
    "NUMBA_DISABLE_JIT": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_TRIM_THRESHOLD_": "65536",
    "MALLOC_MMAP_THRESHOLD_": "65536",
    "PYTHONNODEBUGRANGES": "1",
    "PYTHONOPTIMIZE": "2",
}
"""As halfpercent-web.service sets it."""
LOOK_EVERY_S = 5.0
RUNS = 40
ALONE_S = 150.0
"""What the loop says of its last minute or two is then without its start."""

SECTION = Section(
    "page_viewers",
    "## The page, and who looks at it",
    """
A station measures in real time on the simulated rig, first alone, then with viewers on the page's live stream
(server-sent events). *Longest step* is that of the station's loop. Then the page's own process looks and draws as often
as in so many days (a look every 5 s), at a database of 40 runs. Resident memory with the allocator set as in
`halfpercent-web.service`. Goals: no second missed, a step that does not grow, at most 60 MB (10⁶ bytes) and flat.
""",
    """
The line above says for how long and on how busy a machine: on a busy one the longest step is the machine's. The page's
process runs as its unit sets it up, without docstrings, and compiled before, as the installation does it.
""",
    packages=("numpy", "starlette", "uvicorn"),
)


@dataclass
class Viewer:
    """One who looks: how many events came, and the longest time between two of them."""

    events: int = 0
    longest_s: float = 0.0


def resident_mb(pid: int) -> float:
    """Get what a process holds, in 10⁶ bytes."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))) * 1024 / 1e6


def free_port() -> int:
    """Get a port on loopback that nobody has."""
    with closing(socket.socket()) as s:
        s.bind(("127.0.0.1", 0))
        port: int = s.getsockname()[1]
        return port


@contextmanager
def process(*words: str, ready: Path | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """Have a command run in a process of its own, and end it."""
    argv = (sys.executable, "-m", "edge", *words)
    quiet = subprocess.DEVNULL
    with subprocess.Popen(argv, cwd=ROOT, env=os.environ | ENVIRONMENT, stdout=quiet, stderr=quiet) as running:
        try:
            for _ in range(600):
                if ready is None or ready.exists():
                    break
                time.sleep(0.1)
            yield running
        finally:
            running.terminate()


def compiled() -> None:
    """Compile what the page loads, as ``systemd/install.sh`` does: the parser's memory is not given back."""
    argv = (sys.executable, "-c", "import edge.web.serve")
    subprocess.run(argv, cwd=ROOT, env=os.environ | ENVIRONMENT, check=True)


def page(folder: Path, database: Path, port: int) -> Sequence[str]:
    """Get the words that serve the page."""
    where = ("--db", str(database), "--socket", str(folder / "s"), "--port", str(port))
    return ("web", *where, "--token-file", str(folder / "token"), "--make-token")


def look(port: int, seconds: float, viewer: Viewer) -> None:
    """Be on the live stream for so long."""
    until = time.monotonic() + seconds
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/live", timeout=30.0) as stream:
        before = time.monotonic()
        for line in stream:
            if line.startswith(b"data:"):
                now = time.monotonic()
                viewer.events, viewer.longest_s, before = viewer.events + 1, max(viewer.longest_s, now - before), now
            if time.monotonic() >= until:
                return


def looked_at(pid: int, port: int, viewers: int, seconds: float) -> tuple[list[Viewer], list[float]]:
    """Have so many look for so long. Get what each saw, and what the page held every few seconds."""
    wait_for(port)
    seen = [Viewer() for _ in range(viewers)]
    threads = [threading.Thread(target=look, args=(port, seconds, v), daemon=True) for v in seen]
    for thread in threads:
        thread.start()
    held = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(min(LOOK_EVERY_S, seconds / 4.0))
        held.append(resident_mb(pid))
    for thread in threads:
        thread.join(30.0)
    return seen, held


def wait_for(port: int) -> None:
    """Wait until the page answers."""
    for _ in range(600):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=30.0).read()
        except OSError:
            time.sleep(0.1)
        else:
            return


RENEWED = """
import sys, time
from dataclasses import replace
from pathlib import Path
sys.path[:0] = [sys.argv[4]]
from page_viewers import resident_mb
import os
from edge.report.language import Language
from edge.web.look import Looker
from edge.web.render import Renderer, Viewer
looker, renderer, looks = Looker(Path(sys.argv[1]), Path(sys.argv[2])), Renderer("rig"), int(sys.argv[3])
held = []
for i in range(looks):
    looker.snapshot = replace(looker.snapshot, at_s=time.time(), stored=looker._stored())
    for language in Language:
        renderer.now_page(looker.snapshot, Viewer(language))
    if i % max(1, looks // 20) == 0:
        held.append(resident_mb(os.getpid()))
print(held)
"""


def renewed(database: Path, looks: int) -> list[float]:
    """Look and draw so often. Get what was held on the way, in 10⁶ bytes."""
    argv = (sys.executable, "-c", RENEWED, str(database), "none.sock", str(looks), str(Path(__file__).parent))
    paths = os.pathsep.join((str(ROOT), str(ROOT / "tests" / "helpers")))
    environment = os.environ | ENVIRONMENT | {"PYTHONPATH": paths}
    done = subprocess.run(argv, capture_output=True, text=True, check=True, cwd=ROOT, env=environment)
    found: list[float] = json.loads(done.stdout)
    return found


def many_runs(path: Path, runs: int = RUNS) -> None:
    """Write a database of short runs, the last one still running."""
    from written_run import NOT_JUDGED, begin, write

    from edge.database.journal import Journal

    with Journal(path) as journal:
        for number in range(runs):
            run = begin(journal, run_uid=f"u-{number}")
            write(run, range(60))
            if number < runs - 1:
                run.save_result(NOT_JUDGED, 1.75e9 + 60.0)


def missed(database: Path) -> tuple[int, int]:
    """Get how many seconds the newest run has, and how many between its first and its last it lacks."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as db:
        sql = (
            "select count(*), max(second) - min(second) + 1 from seconds where run_id = (select max(run_id) from runs)"
        )
        n, whole = db.execute(sql).fetchone()
    return n, (whole or 0) - n


def asked(folder: Path, *words: str) -> str:
    """Ask the station."""
    argv = (sys.executable, "-m", "edge", *words, "--socket", str(folder / "s"))
    return subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def longest_step_ms(folder: Path) -> float:
    """Get the longest step of the loop in the last minute or two."""
    status = json.loads(asked(folder, "status", "--json"))
    return float(status["loop"]["recent_step_s"]) * 1000.0


def measured(viewers: int, minutes: float, looks: int) -> list[tuple[object, ...]]:
    """Measure all of it."""
    rows: list[tuple[object, ...]] = []
    compiled()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        database, port = folder / "db" / "halfpercent.db", free_port()
        station = (
            "station",
            "--simulate",
            "--seed",
            "2",
            "--speed",
            "1",
            "--folder",
            str(folder / "db"),
            "--socket",
            str(folder / "s"),
        )
        with process(*station, ready=folder / "s"):
            time.sleep(2.0)
            asked(folder, "start", "--sample", "S-1", "--operator", "bench", "--claim", "solid-state")
            time.sleep(ALONE_S if minutes >= 1.0 else 5.0)
            rows.append(("alone", *missed(database), f"{longest_step_ms(folder):.1f} ms", "", ""))
            with process(*page(folder, database, port)) as served:
                seen, held = looked_at(served.pid, port, viewers, minutes * 60.0)
                events = sum(v.events for v in seen) / (viewers * minutes * 60.0)
                rows.append(
                    (
                        f"{viewers} viewers, {minutes:g} min",
                        *missed(database),
                        f"{longest_step_ms(folder):.1f} ms",
                        f"{held[len(held) // 5]:.1f} to {max(held):.1f} MB, {held[-1]:.1f} at the end",
                        f"{events:.2f} each s, {max(v.longest_s for v in seen):.1f} s apart at most",
                    )
                )
        many = folder / "many.db"
        many_runs(many)
        held = renewed(many, looks)
        days = looks * LOOK_EVERY_S / 86_400.0
        said = f"{held[len(held) // 5]:.1f} to {max(held):.1f} MB, {held[-1]:.1f} at the end"
        rows.append((f"{looks} looks ({days:.2g} days), {RUNS} runs", "", "", "", said, ""))
    return rows


def main() -> None:
    """Let them look, and say what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--viewers", type=int, default=20)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--looks", type=int, default=120_960, help="a week's")
    parser.add_argument("--write", action="store_true", help="write the section of docs/benchmarks.md")
    args = parser.parse_args()
    began = time.monotonic()
    rows = measured(args.viewers, args.minutes, args.looks)
    columns = ("", "seconds", "missed", "longest step", "page holds", "events")
    SECTION.report(table(columns, *rows), took_s=time.monotonic() - began, write=args.write)


if __name__ == "__main__":
    main()
