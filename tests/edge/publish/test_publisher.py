"""The publisher against a broker: every row at least once and in order, whatever the broker does, and nothing back."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import msgspec
import published_rows
import pytest
from publishing import EVERY_S, came, publishing, settings, stored, until
from short_demo import Demo
from small_broker import SmallBroker

from edge.database import amending, correcting
from edge.database.correcting import Correction, run_to_correct
from edge.database.journal import Journal
from edge.database.outcome import sha256_of_text
from edge.records.balance import BalanceSaid
from edge.records.result import Result, Verdict
from edge.records.weighing import WeighingKind
from edge.seal.checkpoint import Checkpoint
from edge.seal.key import make_key, seal_folder
from edge.seal.rig_log import RigLog
from edge.seal.sealing import begin_log


@pytest.fixture
def two_runs(short_demo: Demo, tmp_path: Path) -> Path:
    return published_rows.two_runs(tmp_path, short_demo.path)


def test_every_row_of_two_runs_comes_in_order_and_each_says_what_it_is_of(two_runs: Path, tmp_path: Path) -> None:
    with SmallBroker() as broker, publishing(settings(broker, two_runs), tmp_path / "position.json"):
        assert until(lambda: set(came(broker)) == stored(two_runs))
    rows = came(broker)
    for kind, uid in {(k, u) for k, u, _ in rows}:
        numbers = [n for k, u, n in rows if (k, u) == (kind, uid)]
        assert numbers == sorted(set(numbers)), (kind, uid)
    ends = [i for i, (kind, _, _) in enumerate(rows) if kind == "result"]
    assert ends[0] < min(i for i, (_, uid, _) in enumerate(rows) if uid == "another")
    assert ends[1] == len(rows) - 1
    one = next(json.loads(p) for t, p, _ in broker.messages if t == "halfpercent/R1/second" and b'"hold"' in p)
    assert (one["version"], one["type"], len(one["certificate_sha256"])) == (1, "second", 64)
    assert 0.0 < one["u_mass_g"] < 0.1
    assert 0.0 < one["u_temp_c"] < 5.0
    assert broker.subscriptions == 0
    assert broker.will == ("halfpercent/R1/availability", b"offline")
    assert ("halfpercent/R1/availability", b"online", True) in broker.messages
    assert broker.messages[-1][:2] == ("halfpercent/R1/availability", b"offline")


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="no /proc: what is loaded is not seen")
def test_a_publisher_at_work_has_loaded_neither_arrays_nor_a_compiler(two_runs: Path, tmp_path: Path) -> None:
    with SmallBroker() as broker:
        config = tmp_path / "publish.toml"
        host = f'host = "127.0.0.1"\nport = {broker.port}\ntls = false\nrig = "R1"\nevery_s = {EVERY_S}\n'
        where = f"database = '{two_runs}'\nsocket = '{tmp_path / 'no.sock'}'\n"
        config.write_text(host + where, encoding="utf-8")
        argv = (sys.executable, "-m", "edge", "publish", "--settings", str(config), "--state", str(tmp_path / "p.json"))
        with subprocess.Popen(argv, stderr=subprocess.DEVNULL) as running:
            try:
                assert until(lambda: set(came(broker)) == stored(two_runs))
                loaded = Path(f"/proc/{running.pid}/maps").read_text(encoding="utf-8")
            finally:
                running.terminate()
    assert "libsqlite3" in loaded or "_sqlite3" in loaded
    assert not [name for name in ("numpy", "scipy", "llvmlite", "numba") if f"/{name}" in loaded]


def test_a_broker_that_lets_go_again_and_again_gets_every_row(two_runs: Path, tmp_path: Path) -> None:
    with SmallBroker(lets_go_after=150) as broker:
        with publishing(settings(broker, two_runs), tmp_path / "position.json"):
            assert until(lambda: set(came(broker)) == stored(two_runs))
        assert broker.connections > 3


def test_what_was_acknowledged_is_not_sent_again_and_what_was_not_is(two_runs: Path, tmp_path: Path) -> None:
    state = tmp_path / "position.json"
    with SmallBroker(acknowledges=False) as silent, publishing(settings(silent, two_runs), state):
        assert until(lambda: len(came(silent)) >= 18)  # and the discovery, and that the rig is there
        time.sleep(0.2)
        assert len(came(silent)) == 18  # no more in flight than these twenty
    with SmallBroker() as broker, publishing(settings(broker, two_runs), state):
        assert until(lambda: set(came(broker)) == stored(two_runs))
    with SmallBroker() as again, publishing(settings(again, two_runs), state):
        assert until(lambda: any(t.endswith("/state") for t, _, _ in list(again.messages)))
        time.sleep(0.2)
    assert came(again) == []


def test_another_database_is_published_from_its_beginning(two_runs: Path, short_demo: Demo, tmp_path: Path) -> None:
    state = tmp_path / "position.json"
    with SmallBroker() as broker, publishing(settings(broker, two_runs), state):
        assert until(lambda: set(came(broker)) == stored(two_runs))
    with SmallBroker() as broker, publishing(settings(broker, short_demo.path), state):
        assert until(lambda: set(came(broker)) == stored(short_demo.path))


def test_a_clock_that_is_set_back_costs_no_row_and_no_order(two_runs: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(two_runs)) as db:
        db.execute("update events set wall_utc = '1970-01-01T00:00:00.000+00:00' where event % 3 = 1")
        db.commit()
    with SmallBroker() as broker, publishing(settings(broker, two_runs), tmp_path / "p.json"):
        assert until(lambda: set(came(broker)) == stored(two_runs))
    for uid in {u for _, u, _ in came(broker)}:
        events = [n for kind, u, n in came(broker) if (kind, u) == ("event", uid)]
        assert events == sorted(set(events))


def amend(path: Path, run_id: int, verdict: str) -> None:
    """Amend a run's result as a late mass does, by the writer itself."""
    with Journal(path) as journal:
        (text,) = journal.db.execute("select result_json from runs where run_id = ?", [run_id]).fetchone()
        result = msgspec.structs.replace(msgspec.json.decode(text, type=Result), verdict=Verdict(verdict))
        said = BalanceSaid(WeighingKind.M2, 195.5, "B1", "typed", "Cy", 1e5, after_end_s=60.0)
        amending.amend(journal, amending.LateMass(run_id, said, result, sha256_of_text(text)), "Cy", 1.8e9)


def results(broker: SmallBroker) -> list[tuple[str, int, str]]:
    told = [json.loads(payload) for topic, payload, _ in list(broker.messages) if topic.endswith("/result")]
    return [(one["run_uid"], one["sequence"], one["result"]["verdict"]) for one in told]


def test_an_amended_result_is_sent_again_with_what_amends_it(short_demo: Demo, tmp_path: Path) -> None:
    path, state = tmp_path / "h.db", tmp_path / "position.json"
    shutil.copy(short_demo.path, path)
    with SmallBroker() as broker, publishing(settings(broker, path), state):
        assert until(lambda: len(results(broker)) == 1)
        amend(path, 1, "FAIL")
        assert until(lambda: len(results(broker)) == 2)
        time.sleep(0.1)
    uid = results(broker)[0][0]
    assert results(broker) == [(uid, 0, short_demo.result["verdict"]), (uid, 1, "FAIL")]
    rows = [json.loads(payload) for topic, payload, _ in broker.messages if topic.endswith(("/event", "/result"))]
    new = rows[-3:]
    assert [one.get("kind") for one in new[:2]] == ["balance", "amended"]
    assert new[2]["amends_sha256"] == new[1]["data"]["was_sha256"]
    with SmallBroker() as again, publishing(settings(again, path), state):  # and that is remembered
        amend(path, 1, "PASS")
        assert until(lambda: len(results(again)) == 1)
    assert results(again) == [(uid, 2, "PASS")]
    with SmallBroker() as late, publishing(settings(late, path), tmp_path / "new.json"):  # amended before it was sent
        assert until(lambda: len(results(late)) == 1)
        time.sleep(0.3)
    assert results(late) == [(uid, 2, "PASS")]


def test_a_fact_that_is_corrected_later_is_sent_once_and_is_no_new_result(short_demo: Demo, tmp_path: Path) -> None:
    path, state = tmp_path / "h.db", tmp_path / "position.json"
    shutil.copy(short_demo.path, path)

    def correct(value: str) -> None:
        run_id, uid = run_to_correct(path, "last")
        with Journal(path) as journal:
            correcting.correct(journal, Correction(run_id, uid, "operator", value, "a slip"), "Ada", 1.8e9)

    def corrected(broker: SmallBroker) -> list[str]:
        rows = [json.loads(payload) for topic, payload, _ in list(broker.messages) if topic.endswith("/event")]
        return [row["data"]["now"] for row in rows if row["kind"] == "corrected"]

    with SmallBroker() as broker, publishing(settings(broker, path), state) as publisher:
        assert until(lambda: len(results(broker)) == 1 and publisher.position.told)
        correct("Bea")
        assert until(lambda: corrected(broker) == ["Bea"])
        assert until(lambda: publisher.position.amendments == 1)
        assert len(results(broker)) == 1
    with SmallBroker() as again, publishing(settings(again, path), state):
        time.sleep(0.3)
        assert corrected(again) == []  # and that is remembered
        amend(path, 1, "FAIL")
        assert until(lambda: len(results(again)) == 1)
        correct("Cleo")
        assert until(lambda: corrected(again)[-1:] == ["Cleo"])
        assert len(results(again)) == 1


def test_the_head_of_the_log_of_seals_is_told_and_told_anew_when_it_has_grown(short_demo: Demo, tmp_path: Path) -> None:
    path = tmp_path / "h.db"
    shutil.copy(short_demo.path, path)
    key = make_key(seal_folder(path))
    first = begin_log(key).to_note()

    def heads(broker: SmallBroker) -> list[str]:
        came_retained = [p for t, p, retained in list(broker.messages) if t.endswith("/checkpoint") and retained]
        return [json.loads(p)["note"] for p in came_retained]

    with SmallBroker() as broker:
        how = msgspec.structs.replace(settings(broker, path), state_every_s=1.0)
        with publishing(how, tmp_path / "p.json"):
            assert until(lambda: heads(broker) == [first])
            log = RigLog(seal_folder(path))
            log.append(b"a seal")
            second = log.sign_head(key).to_note()
            assert until(lambda: heads(broker) == [first, second])
    assert Checkpoint.from_note(second, "a message").size == 1
