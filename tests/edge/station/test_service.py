"""The service on simulated chips: asked, alarmed, stopped and taken up again."""

from __future__ import annotations

import json
import resource
import signal
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from simulated_service import order, rigged

import edge.station.retrying_writer
from edge.database import hash_chain
from edge.database.queries import list_runs
from edge.errors import BadInput
from edge.evidence.verification import Answer
from edge.evidence.verify import verify_run
from edge.procedure.definition import EndedRun
from edge.records.phase import Phase
from edge.records.result import Result
from edge.records.weighing import WeighingKind
from edge.run.refold import refold
from edge.seal.key import make_key
from edge.seal.sealing import begin_log
from edge.station.equipment import at_once
from edge.station.service import Service
from edge.verdict.judge import judge_night


def test_a_whole_test_through_commands_gives_a_verdict(tmp_path: Path) -> None:
    (tmp_path / "stick").mkdir()
    head = begin_log(make_key(tmp_path / "seal", "rig-7")).to_note()
    with rigged(tmp_path, hold_s=300.0, looks=1) as it:
        it.service.station.writer.backup = tmp_path / "stick"
        started = it.ask("start", sample="S-1", operator="Ada", note="from the top shelf", nonce="4711")
        live = it.service.station.live
        assert live is not None
        assert started == {"run_id": live.run_id, "checkpoint": head}
        station = it.service.station
        station._hooks = replace(station._hooks, simulated_truth_pct=lambda: it.operator.true_loss_pct)
        it.service.station.run(lambda: it.service.station.live is not None, words=it.operator.words)
        result = it.service.station.last
        assert result is not None
        assert result.verdict == "PASS"
        it.operator.words(Phase.DONE, 0.0)
        truth = it.operator.true_loss_pct
        assert truth is not None
        assert result.loss_pct is not None
        assert result.U_pct is not None
        assert abs(result.loss_pct - truth) <= result.U_pct
        said = [(e["kind"], e["who"], json.loads(e["data_json"])) for e in hash_chain.events(it.journal.db, 1)]
        assert ("note", "ada", {"text": "from the top shelf"}) in said
        assert ("said", "operator", {"word": "tare"}) in said
        # It was sealed when it ended, and a stranger gets the same from its codes.
        verified = verify_run(it.journal.path, "1")
        assert (verified.answer, verified.signer) == (Answer.VERIFIED, "rig-7"), verified
        assert [line.split()[1] for line in verified.not_before] == ["nonce", "rig's"]
        # Folded again from what is stored, words and all, it is the same.
        again = refold(it.journal.db, 1)
        rows = again.folded.rows
        stored = it.journal.db.execute("select second, mass_g, hold_s from seconds order by second").fetchall()
        assert [r[0] for r in stored] == rows["seq"].tolist()
        assert [r[2] for r in stored] == rows["hold_s"].tolist()
        assert again.pipeline.phases.weighings[WeighingKind.M2].value.mean == result.m2_g
    assert [r.state for r in list_runs(it.database)] == ["done"]
    (copy,) = (tmp_path / "stick").glob("*.db")
    assert list_runs(copy) == list_runs(it.database)
    assert {json.loads(e["data_json"])["why"] for e in station_log(it.database, "backup")} == {
        f"run 1 is backed up: {copy}",
        f"the seal of run 1 is backed up: {tmp_path / 'stick' / 'seal'}",
    }
    copied = verify_run(copy, "1")
    assert (copied.answer, copied.signer) == (Answer.VERIFIED, "rig-7"), copied


def station_log(database: Path, kind: str) -> list[dict[str, Any]]:
    """Get the events of one kind in the station's own log."""
    with closing(sqlite3.connect(database)) as db:
        db.row_factory = sqlite3.Row
        return [dict(r) for r in db.execute("select * from station_events where kind = ?", [kind])]


def test_what_cannot_be_is_refused_in_one_line_and_nothing_begins(tmp_path: Path) -> None:
    with rigged(tmp_path) as it:
        for command, args, says in (
            ("tare", {}, "no run"),
            ("start", {"sample": "x"}, "operator"),
            ("start", {"sample": "x", "operator": "y", "standard": "nonsense"}, "nonsense"),
            ("start", {"sample": "x", "operator": "y", "density": "0"}, "density"),
            ("start", {"sample": "x", "operator": "y", "blank": 7}, "no run 7"),
            ("ack", {"alarm": "moon"}, "moon"),
            ("fly", {}, "fly"),
        ):
            with pytest.raises(BadInput) as refused:
                it.ask(command, **args)
            assert says in str(refused.value)
            assert "\n" not in str(refused.value)
        assert it.journal.db.table("runs").count == 0
        it.ask("start", sample="x", operator="y")
        with pytest.raises(BadInput, match="is being measured"):
            it.ask("start", sample="z", operator="y")
        with pytest.raises(BadInput, match="the test is at tare and waits for you: leave the holder empty, then tare"):
            it.ask("load")


def test_an_unplugged_bridge_opens_the_interlock_within_a_second_and_it_stays_open_until_acknowledged(
    tmp_path: Path,
) -> None:
    with rigged(tmp_path) as it:
        it.service.start(order(), "ada")
        it.run_s(5)
        assert it.relay() == 1
        it.simulated.chips.bridge.unplug()
        it.run_s(1.0)
        assert it.relay() == 0
        (opened,) = it.events("alarm_opened")
        assert json.loads(opened["data_json"])["alarm"] == "load cell"
        it.simulated.chips.bridge.plug()
        it.run_s(12.0)
        assert len(it.events("alarm_closed")) == 1
        assert it.relay() == 0  # nobody has said yet that it was seen
        assert it.ask("ack")["acknowledged"] == 1
        it.run_s(1.0)
        assert it.relay() == 1
        (acknowledged,) = it.events("alarm_acknowledged")
        assert acknowledged["who"] == "ada"


def test_alarms_without_a_run_go_into_the_stations_own_log(tmp_path: Path) -> None:
    with rigged(tmp_path) as it:
        it.run_s(3)
        it.simulated.chips.oven.unplug()
        it.run_s(2)
        assert [json.loads(e["data_json"])["alarm"] for e in it.events("alarm_opened")] == ["oven probe"]
        assert it.journal.db.table("events").count == 0
        status = it.ask("status")
        assert status["state"] == "idle"
        assert [a["alarm"] for a in status["alarms"]] == ["oven probe"]
        assert status["interlock"] == "open"


def test_status_says_where_the_run_is_and_leaves_unknown_null(tmp_path: Path) -> None:
    with rigged(tmp_path) as it:
        it.service.start(order(), "ada")
        it.run_s(5)
        status = it.ask("status")
        json.dumps(status, allow_nan=False)
        assert status["run"]["phase"] == "tare"
        assert status["run"]["pressure_pa"] is None
        assert abs(status["readings"]["temp_c"] - it.simulated.rig.oven_c) < 0.2
        assert status["readings"]["bridge_status"] == "ok"
        for age_s in (status["run"]["mass_age_s"], *(status["readings"][f"{of}_age_s"] for of in ("code", "temp"))):
            assert 0.0 <= age_s < 2.0
        assert status["readings"]["pressure_age_s"] is None  # there is no gauge
        it.simulated.chips.oven.unplug()
        it.run_s(4)
        readings = it.ask("status")["readings"]
        assert readings["temp_c"] is None
        assert readings["temp_age_s"] == pytest.approx(4.5, abs=0.6)  # how long it is unknown
        assert readings["code_age_s"] < 1.0


def test_a_stopped_service_goes_on_with_the_run_by_itself_with_the_same_tare(tmp_path: Path) -> None:
    with rigged(tmp_path, hold_s=300.0, looks=1) as it:
        it.service.start(order(), "ada")
        it.service.station.run(lambda: _phase(it.service) is not Phase.HOLD, words=it.operator.words)
        it.run_s(60, it.operator.words)
        live = it.service.station.live
        assert live is not None
        tare, m1 = (live.pipeline.phases.weighings[w].value.mean for w in (WeighingKind.TARE, WeighingKind.M1))
        simulated = it.simulated
    simulated.clock.sleep_s(40.0)
    with rigged(tmp_path, hold_s=300.0, simulated=simulated) as again, ThreadPoolExecutor(1) as judges:
        again.service.station._judge = partial(
            judges.submit, judge_night
        )  # as where the clock is real: measuring goes on meanwhile
        again.operator = it.operator
        again.service._take_up()
        live = again.service.station.live
        assert live is not None
        assert live.pipeline.phases.weighings[WeighingKind.TARE].value.mean == tare
        assert live.pipeline.phases.weighings[WeighingKind.M1].value.mean == m1
        again.service.station.run(lambda: again.service.station.live is not None, words=it.operator.words)
        result = again.service.station.last
        assert result is not None
        assert result.verdict == "PASS"
        gaps = [e for e in result.excursions if "nothing was recorded" in e.why]
        assert len(gaps) == 1
        assert 40.0 <= gaps[0].length_s <= 45.0
        (resumed,) = again.events("resumed")
        assert 40.0 <= json.loads(resumed["data_json"])["gap_s"] <= 42.0
        refolded = refold(again.journal.db, 1)
        rows = refolded.folded.rows
        assert refolded.pipeline.phases.weighings[WeighingKind.M2].value.mean == result.m2_g
        stored = again.journal.db.execute("select second from seconds order by second").fetchall()
        assert [s for (s,) in stored] == rows["seq"].tolist()


def test_a_mistake_of_ours_in_judging_makes_the_run_invalid_and_the_station_goes_on(tmp_path: Path) -> None:
    with rigged(tmp_path) as it:
        it.service.start(order(), "ada")
        it.run_s(5)
        it.service.station._judge = at_once(broken_once(judge_night))
        it.ask("abort")
        it.run_s(3)
        assert it.service.station.live is None
        result = it.service.station.last
        assert result is not None
        assert result.verdict == "INVALID"
        assert "ZeroDivisionError" in (result.invalid_because or "")
        it.service.start(order("S-2"), "ada")
        it.run_s(2)
        assert it.service.station.live is not None


def broken_once(judge: Callable[[EndedRun], Result]) -> Callable[[EndedRun], Result]:
    """Get a judge that fails at its first run."""
    times = [0]

    def judged(ended: EndedRun) -> Result:
        times[0] += 1
        assert times[0] > 1 or 1 / 0
        return judge(ended)

    return judged


def _phase(service: Service) -> Phase | None:
    return None if service.station.live is None else service.station.live.phase


@contextmanager
def failing_disk() -> Iterator[None]:
    """Let nothing be written beyond the first bytes of a file: what a disk does that fails."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_failing_disk_alarms_and_nothing_is_lost_when_it_is_back(tmp_path: Path) -> None:
    with rigged(tmp_path) as it:
        it.service.start(order(), "ada")
        it.run_s(30)
        live = it.service.station.live
        assert live is not None
        with failing_disk():
            it.run_s(60)
            assert it.service.station.writer.error
            assert [a.alarm for a in it.service.station.alarms.standing] == ["storage"]
            assert live.journal.waiting_s >= 50
            assert it.relay() == 1  # no reason to stop the oven
        it.run_s(20)
        assert not it.service.station.writer.error
        live.journal.commit(0.0)
        first = it.journal.db.execute("select min(second), max(second), count(*) from seconds").fetchone()
        assert first[0] == 0
        assert first[2] == first[1] + 1
        refold(it.journal.db, 1)  # its chains are whole
        kinds = [json.loads(e["data_json"])["alarm"] for e in it.events("alarm_opened")]
        assert kinds == ["storage"]


def test_a_disk_that_does_not_come_back_costs_the_oldest_minutes_and_the_run_is_folded_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edge.station.retrying_writer, "KEEP_S", 60)
    monkeypatch.setattr(edge.station.retrying_writer, "ROOM_S", 10)
    with rigged(tmp_path) as it:
        it.service.start(order(), "ada")
        it.run_s(30)
        with failing_disk():
            it.run_s(200)
            live = it.service.station.live
            assert live is not None
            assert live.journal.waiting_s <= 61
        it.run_s(20)
        assert it.service.station.live is not None
        assert it.service.station.live is not live  # taken up again from what is stored
        it.service.station.live.journal.commit(0.0)
        seconds = [s for (s,) in it.journal.db.execute("select second from seconds order by second").fetchall()]
        missing = sorted(set(range(seconds[-1])) - set(seconds))
        assert 100 <= len(missing) <= 180
        assert missing == list(range(missing[0], missing[-1] + 1))
        rows = refold(it.journal.db, 1).folded.rows
        assert rows["seq"].tolist()[: len(seconds)] == seconds


def test_the_word_for_a_gap_is_not_the_operators_to_say(tmp_path: Path) -> None:
    with rigged(tmp_path) as it:
        it.service.start(order(), "ada")
        with pytest.raises(BadInput):
            it.ask("gap unknown")
