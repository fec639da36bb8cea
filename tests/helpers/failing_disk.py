"""A disk that gives errors: what is written to one file, or synced, fails with an errno of one's choice.

Run as a program, it measures a run on the simulated rig while the disk fails for a time, and prints what came of it.
The C beside it is preloaded, so that SQLite itself gets the error.
"""

from __future__ import annotations

import json
import mmap
import os
import shutil
import struct
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from repository import HELPERS, ROOT

WRITES, SYNCS = 1, 2


@dataclass(frozen=True)
class Told:
    """What came of it: the seconds that are stored, the alarms, whether one stood while the disk failed, and notes."""

    seconds: list[int]
    alarms: list[str]
    alarmed_while: bool
    error_while: str
    error_after: str | None
    notes: list[str]
    relay_closed: bool


def compiled(folder: Path) -> Path | None:
    """Compile the C. None where there is no compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    library = folder / "failing_disk.so"
    words = [compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(HELPERS / "failing_disk.c"), "-ldl"]
    subprocess.run(words, check=True, capture_output=True)
    return library


def measured(folder: Path, library: Path, what: int, number: int) -> Told:
    """Measure sixty seconds of a run; from the twentieth to the fortieth the disk fails with this errno."""
    control = folder / "control"
    control.write_bytes(struct.pack("ii", 0, 0))
    env = os.environ | {
        "LD_PRELOAD": str(library),
        "FAILING_DISK": str(control),
        "FAILING_FILE": "halfpercent.db",
        "PYTHONPATH": f"{ROOT}:{HELPERS}",
    }
    words = [sys.executable, __file__, str(folder), str(what), str(number)]
    done = subprocess.run(words, env=env, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return Told(**json.loads(done.stdout.splitlines()[-1]))


def main(folder: Path, what: int, number: int) -> None:
    """Do it, in a process under which the library is preloaded."""
    from simulated_service import rigged

    from edge.database import hash_chain
    from edge.database.stored_frames import stored_frames
    from edge.run.refold import refold

    with (
        (folder / "control").open("r+b") as file,
        mmap.mmap(file.fileno(), 8) as control,
        rigged(folder, looks=2) as it,
    ):
        it.ask("start", sample="S-1", operator="Ada")
        it.run_s(20.0)
        control[:] = struct.pack("ii", what, number)
        it.run_s(2.0)
        it.ask("note", text="while it fails")
        it.run_s(18.0)
        alarmed_while = [str(a.alarm) for a in it.service.station.alarms.standing if not a.closed] == ["storage"]
        error_while = it.ask("status")["storage"]["error"] or ""
        relay = it.relay()
        control[:] = struct.pack("ii", 0, 0)
        it.run_s(20.0)
        live = it.service.station.live
        assert live is not None
        live.journal.commit(it.simulated.clock.wall_s())
        seconds = [int(s) for frames in stored_frames(it.journal.db, 1) for s in frames.seq]
        notes = [json.loads(e["data_json"])["text"] for e in hash_chain.events(it.journal.db, 1) if e["kind"] == "note"]
        refold(it.journal.db, 1)
        alarms = [str(a.alarm) for a in it.service.station.alarms.standing]
        error_after = it.ask("status")["storage"]["error"]
        told = Told(seconds, alarms, alarmed_while, error_while, error_after, notes, relay == 1)
    print(json.dumps(asdict(told)))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
