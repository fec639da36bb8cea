"""A recorded test, measured again by a process that may be killed at any moment.

The frames of a whole simulated test (a fast rig, the real fold) are recorded once, with the second at which each word
was said. :func:`measure` then feeds them to a run in a database, begun or resumed, as the station does, and says on a
file what was committed. Killed and called again it must end with the same bits. Used by
``tests/end_to_end/test_power_cut.py``, ``tests/bench/thousand_kills.py`` and, where the whole machine is
killed, on the virtual Pi.
"""

from __future__ import annotations

import datetime
import json
import pickle
import sqlite3
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fast_rig import QuickRig

from edge.database.codec import decode
from edge.database.journal import Journal
from edge.database.queries import interrupted_runs
from edge.procedure.definition import RunDefinition
from edge.procedure.parameters import live_parameters, stability_g
from edge.procedure.pipeline import OperatorCommand, Pipeline
from edge.records.command import OperatorWord
from edge.records.event import ClockChecked
from edge.records.frame import Frames, join
from edge.records.phase import Phase
from edge.records.result import as_json
from edge.records.run import RunKind
from edge.records.sample import Sample
from edge.run.live_run import Beginning, LiveRun, begin_run
from edge.run.refold import fold_again
from edge.run.resume import resume
from edge.simulate.instrument import calibrated, rig_of
from edge.simulate.operator import SimulatedOperator
from edge.standards.standard import load_standard, loads_standard
from edge.verdict.judge import judge_night
from hw.clock import NS_PER_S, SimClock

HOLD_S = 900
SPARE_S = 400
"""So much longer is heated in the recording: what is lost of the hold is made up for."""
BATCH_S = 5


class BootedClock(SimClock):
    """A simulated clock of one boot, that its owner sets."""

    def at(self, ns: int, wall_s: float) -> None:
        """Set both times."""
        self._now_ns = ns
        self._wall_start_s = wall_s - ns / NS_PER_S


@dataclass(frozen=True)
class Recorded:
    """The frames of a test, and what was said at which second."""

    frames: Frames
    words: tuple[tuple[int, str], ...]
    seed: int
    bridge: str = "nau7802"


def given(seed: int, hold_s: float = HOLD_S, bridge: str = "nau7802") -> RunDefinition:
    """Get what the run is of: the national standard with a short hold."""
    standard = load_standard("gbt-48093-1-2026")
    short = loads_standard(standard.text.replace("value = 21600.0", f"value = {hold_s:.1f}"))
    certificate = calibrated(rig_of("solid", seed).truth, bridge, seed)
    terms = live_parameters(short, certificate, stability_g=stability_g(certificate))
    return RunDefinition(Sample(f"S-{seed}"), "nobody", RunKind.TEST, short, certificate, terms)


def record(seed: int, bridge: str = "nau7802") -> Recorded:
    """Run a test on a fast rig, second by second, and keep its frames."""
    run = given(seed, HOLD_S + SPARE_S, bridge)
    rig = rig_of("solid", seed)
    quick, operator = QuickRig(rig, 20.0, seed), SimulatedOperator(rig)
    pipeline = Pipeline(run.parameters, 0)
    frames: list[Frames] = []
    words: list[tuple[int, str]] = []
    while pipeline.phases.phase is not Phase.DONE:
        seq = len(frames)
        frames.append(quick.frames(1))
        for word in operator.words(pipeline.phases.phase, float(seq)):
            pipeline.command(OperatorCommand(seq, word))
            words.append((seq, str(word)))
        pipeline.feed(frames[-1])
    return Recorded(join(frames), tuple(words), seed, bridge)


def recording(path: Path, seed: int) -> Path:
    """Make a recording where there is none yet."""
    if not path.exists():
        made = path.with_suffix(".new")
        made.write_bytes(pickle.dumps(record(seed)))
        made.rename(path)
    return path


def measure(
    database: Path,
    recorded: Recorded,
    *,
    boot_id: str = "boot-1",
    lost_s: int = 0,
    say: Callable[[str], None] = lambda line: None,
    trusted: bool | None = True,
    until: int | None = None,
    batch_s: int = BATCH_S,
) -> dict[str, Any]:
    """Measure the recording to its end into ``database``, from where the last process stopped.

    ``until``: stop, without a word, before that second. ``lost_s`` seconds of the recording are lost before a run is
    resumed. ``say`` gets ``committed N`` once second N is committed.
    """
    clock = BootedClock(boot_id=boot_id)
    with Journal(database) as journal:
        waiting = interrupted_runs(journal.db)
        if not waiting and journal.db.table("runs").count:
            return json.loads(journal.db.execute("select result_json from runs").fetchone()[0])
        if waiting:
            # Whoever takes the zero sees where it is refused and takes it again; a recording does not.
            lost_s = lost_s if newest_second(database) > recorded.words[-1][0] + 60 else 0
            live = _resumed(journal, waiting[0], clock, lost_s, trusted, batch_s)
        else:
            clock.at(0, 1_767_225_600.0)
            run = given(recorded.seed, bridge=recorded.bridge)
            live = begin_run(journal, run, clock, Beginning(f"cut-{recorded.seed}", 0, {}, batch_s))
            live.log_event(ClockChecked(trusted), "instrument")
        say("begun")
        said = {json.loads(d)["word"] for (d,) in journal.db.execute("select data_json from events where kind='said'")}
        said -= {"gap unknown"}
        zero_s = _zero_s(live, clock)
        while not live.done:
            seq = live.next_seq
            clock.at(live.pipeline.t0_ns + (seq + 1) * NS_PER_S, zero_s + seq + 1.0)
            for at, word in recorded.words:
                if at <= seq and word not in said:
                    live.command(OperatorWord(word), "nobody")
                    said.add(word)
            frame = recorded.frames.cut(seq, seq + 1)
            if not len(frame) or seq == until:
                break
            shift = live.pipeline.t0_ns + seq * NS_PER_S - int(frame.t_ns[0])
            live.add_frame(_moved(frame, shift))
            if not live.journal.waiting_s:
                say(f"committed {seq}")
        if not live.done:
            return {}
        live.close()
        result = judge_night(live.ended())
        live.save_result(result)
        say("ended")
        return as_json(result)


def _resumed(
    journal: Journal, run_id: int, clock: BootedClock, lost_s: int, trusted: bool | None, batch_s: int
) -> LiveRun:
    """Resume a run as if the process had stopped just after what it stored last, or ``lost_s`` seconds before now."""
    row = journal.db.execute(
        "select boot_id, wall_utc from what_is_in_each_chunk where run_id = ? order by chunk desc limit 1", [run_id]
    ).fetchone()
    again = fold_again(journal.db, run_id)
    if again.last < 0:
        clock.at(0, 1_767_225_600.0)
    elif again.boot_id == clock.boot_id:
        ns = again.t0_ns + (again.last + 1 + lost_s) * NS_PER_S
        clock.at(ns, 1_767_225_600.0 + ns / NS_PER_S)
    else:
        wall_s = datetime.datetime.fromisoformat(row[1]).timestamp()
        clock.at(0, wall_s + lost_s)
    return resume(journal, run_id, clock, clock_set=trusted, batch_s=batch_s)


def _zero_s(live: LiveRun, clock: BootedClock) -> float:
    """Get the wall time of the run's second 0, as the clock has it now."""
    return clock.wall_s() - (clock.now_ns() - live.pipeline.t0_ns) / NS_PER_S


def _moved(frame: Frames, by_ns: int) -> Frames:
    return replace(frame, t_ns=frame.t_ns + by_ns)


def seconds_of(database: Path) -> list[tuple[Any, ...]]:
    """Get every stored second of the only run."""
    db = sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro", uri=True)
    try:
        return db.execute("select * from seconds order by second").fetchall()
    finally:
        db.close()


def newest_second(database: Path) -> int:
    """Get the newest second whose raw frame is committed, -1 where there is none; the database must be whole."""
    db = sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro", uri=True)
    try:
        assert db.execute("pragma quick_check").fetchone() == ("ok",)
        found = db.execute("select raw from chunks order by chunk desc limit 1").fetchone()
        return int(decode(found[0]).seq[-1]) if found else -1
    finally:
        db.close()


def main() -> None:
    """``recorded_run.py DATABASE RECORDING BOOT_ID LOST_S``: measure, and print what is committed."""
    database, recording_path, boot_id, lost_s = sys.argv[1:5]
    if Path(database).exists():
        print(f"found {newest_second(Path(database))}", flush=True)
    recorded = pickle.loads(Path(recording_path).read_bytes())  # our own
    measure(
        Path(database),
        recorded,
        boot_id=boot_id,
        lost_s=int(lost_s),
        say=lambda line: print(line, flush=True),
    )


if __name__ == "__main__":
    main()
