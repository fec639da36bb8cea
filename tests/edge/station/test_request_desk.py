"""What is asked is read beside the measurement, within quotas, and how long the loop is kept is known."""

from __future__ import annotations

import os
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulated_service import Rigged, order, rigged

from edge.control.protocol import Note, OperatorStep, Request, Start
from edge.database.reading import open_readonly
from edge.errors import BadInput, BadStandard, NoRun, StationBusy, TooMuch, WrongPhase
from edge.records.command import OperatorWord
from edge.replay.run_csv_judge import judge_run_csv
from edge.replay.run_csv_reader import read_run_csv
from edge.replay.run_csv_writer import run_as_csv
from edge.run.refold import refold
from edge.standards.standard import load_standard
from edge.station import start_beside
from edge.station.done_before import DoneBefore
from edge.station.loop_watch import RECENT_S, LoopWatch
from edge.station.quotas import RATES, RUN_TEXT_BYTES, Allowance, Quotas, Rate
from edge.station.start import ASKED_BYTES
from edge.station.start_beside import StartsBeside

S = 10**9


def start_later(it: Rigged, **args: Any) -> Any:
    """Ask for a start as somebody on the socket of a real station would."""
    return it.service._desk.start_later(Request("start", {"sample": "S-1", "operator": "Ada"} | args, "ada"))


def answered(later: Any) -> Any:
    """Wait for an answer, as the loop does not."""
    for _ in range(2000):
        if (answer := later.answer()) is not None:
            return answer
        time.sleep(0.005)
    raise AssertionError("it never came")


# two operators at once


def test_the_second_operator_is_told_what_the_first_did(tmp_path: Path) -> None:
    def asked(it: Rigged, command: str, who: str) -> Any:
        return it.service.handle(Request(command, {}, who))

    with rigged(tmp_path) as it:
        it.service.start(order(), "ada")
        it.run_s(2.0)
        asked(it, "tare", "Ada (pi)")
        it.run_s(200.0)  # it is taken
        with pytest.raises(
            WrongPhase, match=r"^tare comes later, or is done: .*; the tare was asked for by Ada \(pi\), 3 min"
        ):
            asked(it, "tare", "Bo (pi)")
        asked(it, "abort", "Ada (pi)")
        it.run_s(2.0)
        for command in ("abort", "load"):
            with pytest.raises(NoRun, match=rf"^{command}: no run .*; run 1 was aborted by Ada \(pi\), 2 s ago$"):
                asked(it, command, "Bo (pi)")
        it.simulated.chips.oven.unplug()
        it.run_s(3.0)
        assert asked(it, "ack", "Ada (pi)") == {"acknowledged": 1}
        assert asked(it, "ack", "Bo (pi)") == {"acknowledged": 0, "acknowledged_before": "Ada (pi), 0 s ago"}


def test_a_check_weight_before_the_sample_is_answered_with_the_rest_that_follows(tmp_path: Path) -> None:
    with rigged(tmp_path) as it:
        it.service.start(order(check_weight_g=100.0, check_before=True), "ada")
        it.run_s(2.0)
        it.service.handle(Request("tare", {}, "Ada (pi)"))
        it.run_s(200.0)
        it.simulated.rig.place_weight(100.0)
        it.run_s(30.0)
        rests_s = it.service.handle(Request("check", {}, "Ada (pi)"))["rests_s"]
        it.run_s(150.0)
        it.simulated.rig.place_weight(0.0)
        status = it.service.handle(Request("status", {}, "Ada (pi)"))["run"]
        assert (status["phase"], status["refused"]) == ("rest", None)
        assert "leave the holder empty" in status["asked"]
        it.run_s(rests_s - 60.0)
        assert it.service.handle(Request("status", {}, ""))["run"]["phase"] == "rest"
        it.run_s(120.0)
        assert it.service.handle(Request("status", {}, ""))["run"]["phase"] == "load"
        it.service.handle(Request("abort", {}, "Ada (pi)"))
        it.run_s(2.0)
        (tmp_path / "run.csv").write_text("".join(run_as_csv(it.database, "last")), encoding="utf-8")
        with closing(open_readonly(it.database)) as db:
            stored = refold(db, 1).folded
    again = judge_run_csv(read_run_csv(tmp_path / "run.csv"), tmp_path / "run.csv")
    assert (again.folded.phases, again.folded.events) == (stored.phases, stored.events)
    assert again.folded.rows.tobytes() == stored.rows.tobytes()
    assert again.ended.definition.parameters.plan.check_before


def test_what_nobody_did_or_long_ago_is_not_said() -> None:
    before = DoneBefore()
    assert before.said(OperatorWord.TARE, 1, 0) == before.who_acknowledged(0) == ""
    before.took(OperatorWord.TARE, "Ada", 1, 0)
    before.acknowledged("Ada", 0)
    assert before.said(OperatorWord.TARE, 2, S) == ""  # of another run
    assert before.said(OperatorWord.TARE, None, S) == ""
    assert before.said(OperatorWord.LOAD, 1, S) == ""
    assert before.said(OperatorWord.TARE, 1, S).endswith("by Ada, 1 s ago")
    assert before.said(OperatorWord.TARE, 1, 3700 * S) == before.who_acknowledged(3700 * S) == ""


# a start


def test_a_start_begins_at_the_look_after_all_was_read(tmp_path: Path) -> None:
    with rigged(tmp_path) as it:
        later = start_later(it)
        assert it.service.station.live is None
        assert answered(later) == {"run_id": 1}
        assert it.service.station.live is not None
        it.run_s(3.0)
        with pytest.raises(StationBusy, match=r"^run 1, begun by .+, is being measured: "):
            start_later(it)


def test_a_start_that_nobody_waits_for_begins_nothing(tmp_path: Path) -> None:
    with rigged(tmp_path) as it:
        later = start_later(it)
        later.nobody_waits()
        with pytest.raises(BadInput, match="nobody waited"):
            answered(later)
        assert it.service.station.live is None


def test_what_a_start_names_is_refused_in_one_line_and_the_next_one_begins(tmp_path: Path) -> None:
    (tmp_path / "dots.toml").write_text("a." * 10_000 + "b = 1", encoding="ascii")
    (tmp_path / "long.toml").write_text("#" * (ASKED_BYTES + 1), encoding="ascii")
    (tmp_path / "link.toml").symlink_to(tmp_path / "standard.toml")
    (tmp_path / "standard.toml").write_text(load_standard("gbt-48093-1-2026").text, encoding="utf-8")
    os.mkfifo(tmp_path / "pipe.toml")
    with rigged(tmp_path) as it:
        for what in ("standard", "certificate"):
            for name in ("dots", "long", "link", "pipe", "none"):
                with pytest.raises(ValueError, match=f"{name}.toml: ") as refused:
                    answered(start_later(it, **{what: str(tmp_path / f"{name}.toml")}))
                assert "\n" not in str(refused.value)
        assert it.journal.db.table("runs").count == 0
        assert answered(start_later(it, standard=str(tmp_path / "standard.toml"))) == {"run_id": 1}


def test_a_file_that_never_comes_keeps_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(start_beside, "LONGEST_READ_S", 0.0)
    come = threading.Event()
    starts = StartsBeside[int]()
    later = starts.ask(lambda: int(come.wait()), lambda found: {"found": found})
    time.sleep(0.01)
    with pytest.raises(BadInput, match="was not read within"):
        later.answer()
    with pytest.raises(StationBusy, match="still being read"):
        starts.ask(lambda: 1, lambda found: {})
    come.set()
    monkeypatch.setattr(start_beside, "LONGEST_READ_S", 8.0)
    while later.reads:
        time.sleep(0.001)
    with pytest.raises(BadInput, match="nobody waited"):
        later.answer()
    assert answered(starts.ask(lambda: 2, lambda found: {"found": found})) == {"found": 2}


def test_what_goes_wrong_beside_is_said_to_who_asked(caplog: pytest.LogCaptureFixture) -> None:
    def fails(error: Exception) -> Any:
        def read() -> int:
            raise error

        return StartsBeside[int]().ask(read, lambda found: {})

    with pytest.raises(BadStandard, match="not TOML"):
        answered(fails(BadStandard("not TOML")))
    with pytest.raises(BadInput, match="OSError: gone: check what it names"):
        answered(fails(OSError("gone")))
    assert "OSError: gone" in caplog.text


# quotas


def test_notes_are_written_down_up_to_a_rate_and_then_not(tmp_path: Path) -> None:
    rate = RATES[Note]
    with rigged(tmp_path) as it:
        it.ask("start", sample="S-1", operator="Ada")
        it.run_s(2.0)
        for i in range(rate.at_once):
            it.ask("note", text=f"n{i}")
        with pytest.raises(TooMuch, match="too often"):
            it.ask("note", text="too many")
        it.run_s(rate.every_s + 1.0)
        it.ask("note", text="later")
        assert len(it.events("note")) == rate.at_once + 1
        it.ask("status")  # looking is free
        it.ask("abort", reason="never refused for that")
        assert it.events("note")[-1]["data_json"] == '{"text":"never refused for that"}'


def test_a_step_that_is_refused_costs_nothing(tmp_path: Path) -> None:
    with rigged(tmp_path) as it:
        it.ask("start", sample="S-1", operator="Ada")
        it.run_s(2.0)
        for _ in range(RATES[OperatorStep].at_once + 5):
            with pytest.raises(WrongPhase):
                it.ask("load")
        it.ask("tare")


def test_words_of_a_run_are_bounded_and_the_next_run_has_its_own() -> None:
    quotas, note, taken = Quotas(), Note(text="x" * 2000), 0
    for i in range(10_000):
        try:
            quotas.take(note, note.text, 1, i * 100 * S)
            taken += 1
        except TooMuch as e:
            assert "500 kB of words" in str(e)  # noqa: PT017  # all the others were taken
            break
    assert taken == RUN_TEXT_BYTES // 2400
    quotas.take(note, note.text, 2, 10**6 * S)
    quotas.take(Start(sample="S", operator="A"), None, 1, 10**6 * S)


@given(st.lists(st.integers(0, 100 * S), max_size=200))
def test_no_more_is_allowed_than_the_rate_however_it_is_asked(steps: list[int]) -> None:
    rate = Rate(5, 10.0)
    allowance, now_ns, taken = Allowance(rate), 0, 0
    for step in steps:
        now_ns += step
        taken += allowance.take(now_ns)
    assert taken <= rate.at_once + now_ns / S / rate.every_s + 1e-6
    assert taken >= min(len(steps), rate.at_once)


# the loop


def test_the_longest_step_is_known_and_what_waited_for_the_disk_is_not_in_it() -> None:
    now_s = waited_s = 0.0
    watch = LoopWatch(lambda: waited_s, lambda: now_s)

    def step(took_s: float, of_it_waited_s: float = 0.0) -> None:
        nonlocal now_s, waited_s
        with watch.step():
            now_s += took_s
            waited_s += of_it_waited_s

    step(0.003)
    step(5.0, of_it_waited_s=4.999)
    assert watch.longest_s == pytest.approx(0.003)
    step(0.02)
    assert (watch.longest_s, watch.recent_s) == (pytest.approx(0.02), pytest.approx(0.02))
    now_s += RECENT_S
    step(0.001)
    assert watch.recent_s == pytest.approx(0.02)  # of the minute before
    now_s += RECENT_S
    step(0.002)
    assert watch.recent_s == pytest.approx(0.002)
    now_s += 10 * RECENT_S
    assert watch.recent_s == 0.0
    assert watch.longest_s == pytest.approx(0.02)


def test_status_says_how_long_the_loop_was_kept(tmp_path: Path) -> None:
    with rigged(tmp_path) as it:
        it.ask("start", sample="S-1", operator="Ada")
        it.run_s(3.0)
        loop = it.ask("status")["loop"]
        assert 0.0 < loop["recent_step_s"] <= loop["longest_step_s"]
        assert loop["longest_commit_s"] > 0.0
        assert loop["commit_under_way_s"] == 0.0
