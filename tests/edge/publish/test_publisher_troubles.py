"""A publisher in trouble: broker, database, disk, certificate and settings are each told, and nothing is lost."""

from __future__ import annotations

import errno
import os
import shutil
import socket
import threading
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from publishing import came, publishing, settings, stored, until
from short_demo import Demo
from small_broker import UNASKED_MESSAGES, SmallBroker
from small_listener import certificate

from edge.errors import BadConfig
from edge.publish import position_file
from edge.publish.link import Link, LinkDown
from edge.publish.publisher import Publisher
from edge.publish.settings import loads_settings


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
