"""The publisher against a broker: every row at least once and in order, whatever the broker does, and nothing back."""

from __future__ import annotations

import errno
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import msgspec
import published_rows
import pytest
from published_rows import Row
from short_demo import Demo
from small_broker import UNASKED_MESSAGES, SmallBroker
from small_listener import certificate

from edge.database import amending, correcting
from edge.database.correcting import Correction, run_to_correct
from edge.database.journal import Journal
from edge.database.outcome import sha256_of_text
from edge.errors import BadConfig
from edge.publish import position_file
from edge.publish.link import Link, LinkDown
from edge.publish.publisher import Publisher
from edge.publish.settings import PublishSettings, loads_settings
from edge.records.balance import BalanceSaid
from edge.records.result import Result, Verdict
from edge.records.weighing import WeighingKind
from edge.seal.checkpoint import Checkpoint
from edge.seal.key import make_key, seal_folder
from edge.seal.rig_log import RigLog
from edge.seal.sealing import begin_log

EVERY_S = 5


def settings(broker: SmallBroker, database: Path) -> PublishSettings:
    given = {"host": "127.0.0.1", "port": broker.port, "tls": False, "rig": "R1", "every_s": EVERY_S}
    where = {"database": str(database), "socket": str(database.parent / "no.sock")}
    return msgspec.convert(given | where, PublishSettings)


@contextmanager
def publishing(how: PublishSettings, state: Path) -> Iterator[Publisher]:
    publisher = Publisher(how, state)
    publisher._wait = lambda: time.sleep(0.01)  # type: ignore[method-assign]  # a test does not sit out back-offs
    thread = threading.Thread(target=publisher.run)
    thread.start()
    try:
        yield publisher
    finally:
        publisher.stop()
        thread.join(20.0)
        assert not thread.is_alive()


def until(is_so: Callable[[], bool], most_s: float = 20.0) -> bool:
    end = time.monotonic() + most_s
    while not is_so() and time.monotonic() < end:
        time.sleep(0.01)
    return is_so()


def came(broker: SmallBroker) -> list[Row]:
    out = []
    for topic, payload, _ in list(broker.messages):
        kind = topic.rsplit("/", 1)[1]
        if kind in ("second", "event", "result"):
            told = json.loads(payload)
            out.append((kind, told["run_uid"], told.get("sequence", 0)))
    return out


@pytest.fixture
def two_runs(short_demo: Demo, tmp_path: Path) -> Path:
    return published_rows.two_runs(tmp_path, short_demo.path)


def stored(path: Path) -> set[Row]:
    return published_rows.stored(path, EVERY_S)


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


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ({"answers": False}, "accepted the connection and does not answer"),
        ({"refuses": 0x87}, "the broker refused: Not authorized"),
        ({"takes": 0x97}, "the broker did not take a message: Quota exceeded"),
        ({"floods": UNASKED_MESSAGES}, "the broker sends messages, and none was asked for"),
        ({"acknowledges": False}, "takes messages and acknowledges none"),
    ],
)
def test_a_broker_in_trouble_is_said_and_nothing_is_taken_for_published(
    short_demo: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: dict[str, Any], says: str
) -> None:
    monkeypatch.setattr("edge.publish.link.CONNECT_S", 0.3)
    monkeypatch.setattr("edge.publish.publisher.ACKNOWLEDGED_WITHIN_S", 0.5)
    state, said = tmp_path / "position.json", []
    monkeypatch.setattr("edge.publish.position_file.save", lambda _, p: said.append(p.trouble) or "")
    with SmallBroker(**how) as broker, publishing(settings(broker, short_demo.path), state) as publisher:
        assert until(lambda: any(says in trouble for trouble in said))
    assert publisher.position == position_file.Published().position


def test_a_trouble_is_over_when_the_broker_acknowledges_and_not_when_it_connects(
    short_demo: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.publish.publisher.ACKNOWLEDGED_WITHIN_S", 0.2)
    state = tmp_path / "position.json"
    with SmallBroker(acknowledges=False) as silent, publishing(settings(silent, short_demo.path), state):
        assert until(lambda: silent.connections > 3)
        assert "acknowledges none" in position_file.load(state).trouble
    assert "acknowledges none" in position_file.load(state).trouble
    with SmallBroker() as broker, publishing(settings(broker, short_demo.path), state):
        assert until(lambda: position_file.load(state).trouble == "")


def test_a_database_in_trouble_and_a_broker_in_trouble_are_both_told_and_each_is_over_by_itself(
    short_demo: Demo, tmp_path: Path
) -> None:
    state, database = tmp_path / "position.json", tmp_path / "away.db"
    with SmallBroker(lets_go_after=3) as broker, publishing(settings(broker, database), state):
        assert until(lambda: "no such database" in position_file.load(state).trouble)
        shutil.copy(short_demo.path, database)
        assert until(lambda: broker.connections > 5)
        assert "no such database" not in position_file.load(state).trouble


def test_the_position_is_written_now_and_then_though_nothing_moves(
    short_demo: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.publish.publisher.BEAT_S", 0.05)
    written = []
    monkeypatch.setattr("edge.publish.position_file.save", lambda _, p: written.append(p) or "")
    with SmallBroker() as broker, publishing(settings(broker, short_demo.path), tmp_path / "p.json") as publisher:
        assert until(lambda: publisher.position.told)
        n = len(written)
        assert until(lambda: len(written) > n + 5)
    assert {p.trouble for p in written} == {""}


def test_a_disk_that_takes_no_position_is_said_once_and_costs_no_row(
    short_demo: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("edge.publish.publisher.SAVE_S", 0.01)

    def full(path: Path, _data: bytes) -> Path:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("edge.publish.position_file.write_beside", full)
    with SmallBroker() as broker, publishing(settings(broker, short_demo.path), tmp_path / "p.json"):
        assert until(lambda: set(came(broker)) == stored(short_demo.path))
        time.sleep(0.3)
    said = [r.getMessage() for r in caplog.records if "cannot be written" in r.getMessage()]
    assert said == [
        f"{tmp_path / 'p.json'}: cannot be written (No space left on device); after a restart rows are sent again"
    ]


def test_a_clock_that_is_set_back_costs_no_row_and_no_order(two_runs: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(two_runs)) as db:
        db.execute("update events set wall_utc = '1970-01-01T00:00:00.000+00:00' where event % 3 = 1")
        db.commit()
    with SmallBroker() as broker, publishing(settings(broker, two_runs), tmp_path / "p.json"):
        assert until(lambda: set(came(broker)) == stored(two_runs))
    for uid in {u for _, u, _ in came(broker)}:
        events = [n for kind, u, n in came(broker) if (kind, u) == ("event", uid)]
        assert events == sorted(set(events))


@pytest.mark.filterwarnings("ignore:Exception ignored in. <ssl.SSLSocket")  # paho's, of a refused handshake
def test_over_tls_a_broker_is_who_its_certificate_says_or_nothing_is_sent(short_demo: Demo, tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("right", "other", "unknown")]
    for folder in folders:
        folder.mkdir()
    right, other, unknown = (
        certificate(folder, name) for folder, name in zip(folders, ("localhost", "elsewhere", "localhost"), strict=True)
    )
    with SmallBroker(certificate=right) as broker:
        how = msgspec.structs.replace(settings(broker, short_demo.path), host="localhost", tls=True, ca_file=str(right))
        with publishing(how, tmp_path / "p.json"):
            assert until(lambda: set(came(broker)) == stored(short_demo.path))
    for pem, known, says in ((other, other, "not valid for 'localhost'"), (unknown, right, "self.signed certificate")):
        with SmallBroker(certificate=pem) as broker:
            wrong = msgspec.structs.replace(how, port=broker.port, ca_file=str(known))
            with pytest.raises(LinkDown, match=rf"^localhost:\d+: .*certificate verify failed.*{says}"):
                Link(wrong).open()
        assert broker.messages == []


def test_a_host_that_there_is_not_is_one_line(short_demo: Demo) -> None:
    with SmallBroker() as broker:
        how = msgspec.structs.replace(settings(broker, short_demo.path), host="no-such-broker.invalid")
    with pytest.raises(LinkDown, match=r"^no-such-broker\.invalid:\d+: [^\n]+$"):
        Link(how).open()


def test_a_station_of_another_version_is_unreachable_and_ends_no_publisher(short_demo: Demo, tmp_path: Path) -> None:
    with SmallBroker() as broker, socket.socket(socket.AF_UNIX) as station:
        how = settings(broker, short_demo.path)
        station.bind(str(tmp_path / "s"))
        station.listen()

        def answer() -> None:
            with station.accept()[0] as connection:
                connection.recv(65_536)
                connection.sendall(b'{"version": 1, "ok": true, "result": {"state": 7}}\n')

        thread = threading.Thread(target=answer)
        thread.start()
        publisher = Publisher(msgspec.structs.replace(how, socket=str(tmp_path / "s")), tmp_path / "position.json")
        assert publisher.state().state == "unreachable"
        thread.join()


def test_nobody_there_is_one_line(short_demo: Demo) -> None:
    with SmallBroker() as broker:
        how = settings(broker, short_demo.path)
    with pytest.raises(LinkDown, match=r"^127\.0\.0\.1:\d+: Connection refused$"):
        Link(how).open()


def test_a_position_that_cannot_be_read_or_written_costs_repeats_alone(short_demo: Demo, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    state = tmp_path / "file" / "position.json"
    with SmallBroker() as broker, publishing(settings(broker, short_demo.path), state):
        assert until(lambda: set(came(broker)) == stored(short_demo.path))
    for bad in (b"", b"{", b'{"position": {"second": "x"}}', b"x" * 10_000):
        (tmp_path / "bad.json").write_bytes(bad)
        assert position_file.load(tmp_path / "bad.json") == position_file.Published()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('host = "b"\nprot = 1', "prot"),
        ("port = 1883", "host"),
        ('host = "b"\nport = 0', "a port, 1 to 65535"),
        ('host = "b"\nrig = "a/b"', "letters, digits"),
        ('host = "b"\ntopic = "a/#"', "a topic without"),
        ('host = "b"\ntls = false\nuser = "u"\npassword_file = "/p"', "in the clear"),
        ('host = "b"\nclient_certificate = "/c"', "belong together"),
    ],
)
def test_a_mistake_in_the_settings_is_one_line_that_names_it(text: str, says: str) -> None:
    with pytest.raises(BadConfig, match=says) as e:
        loads_settings(text)
    assert "\n" not in str(e.value)


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
