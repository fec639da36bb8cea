"""Who may have a place at the control socket, and who may act: by the kernel's word, whatever others do there."""

from __future__ import annotations

import json
import os
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from control_station import ME, Station, client, line, said

from edge.control.client import ask
from edge.control.peer import MOST_GROUPS, Peer, operators, peer_of
from edge.control.protocol import (
    COMMAND_NAMES,
    MAX_LINE_BYTES,
)
from edge.control.server import MAX_CLIENTS, Groups
from edge.errors import BadInput

# who may have a place, and who may act


def one_answer(connection: socket.socket) -> dict[str, Any]:
    connection.settimeout(2.0)
    return dict(json.loads(connection.makefile().readline()))


@contextmanager
def clients(station: Station, n: int, sent: bytes = b"") -> Iterator[list[socket.socket]]:
    """Have so many clients connected, each after it has sent this."""
    made = []
    try:
        for _ in range(n):
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            made.append(connection)
            connection.connect(str(station.path))
            connection.sendall(sent)
            station.control._let_in(station.control._listener, station.now_s)  # type: ignore[arg-type]
        yield made
    finally:
        for connection in made:
            connection.close()


def test_a_thousand_silent_clients_do_not_keep_one_who_asks_waiting(station: Station) -> None:
    with clients(station, 300):
        assert len(station.control._clients) == MAX_CLIENTS
        assert said(station, line("status"))[0]["ok"]


def test_who_looks_and_is_let_go_asks_again_and_who_acts_does_not(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(tmp_path / "c"))
        listener.listen()
        asked: list[bytes] = []

        def serve() -> None:
            for answer in (b"", b'{"version":1,"ok":true,"result":{"state":"idle"}}\n', b""):
                connection, _ = listener.accept()
                with connection:
                    asked.append(connection.recv(MAX_LINE_BYTES))
                    connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        assert ask(tmp_path / "c", "status", {}) == {"state": "idle"}
        with pytest.raises(BadInput, match="left without an answer"):
            ask(tmp_path / "c", "tare", {})
        thread.join()
        assert [b"status" in line for line in asked] == [True, True, False]


def test_a_user_who_floods_does_not_keep_another_waiting(station: Station) -> None:
    with clients(station, MAX_CLIENTS, line("status") * 20):
        station.uid = 12345
        with client(station.path) as other:
            other.sendall(line("status"))
            station.poll(1)
            assert one_answer(other)["ok"]


def test_of_one_process_an_idle_connection_goes_as_it_makes_a_new_one(station: Station) -> None:
    station.peers = iter(lambda: 7, None)  # type: ignore[assignment]
    with client(station.path) as old, client(station.path) as owed:
        owed.sendall(line("status"))
        station.control._let_in(station.control._listener, 0.0)  # type: ignore[arg-type]
        with client(station.path) as new:
            new.sendall(line("status"))
            station.poll()
            assert old.recv(10) == b""
            assert one_answer(owed)["ok"]
            assert one_answer(new)["ok"]


def test_who_does_not_take_an_answer_loses_his_place_before_those_who_wait_for_one(station: Station) -> None:
    station.answer = lambda request: {"text": "a" * 900_000}
    with clients(station, MAX_CLIENTS, line("status")):
        station.poll(MAX_CLIENTS)
        station.answer = lambda request: {}
        station.now_s += 5.0
        assert said(station, line("status"))[0]["ok"]


@contextmanager
def no_file_descriptor_left() -> Iterator[None]:
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    probe = os.open("/dev/null", os.O_RDONLY)  # the lowest that is free is where the limit is
    os.close(probe)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (probe, hard))
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_out_of_file_descriptors_it_still_answers(station: Station) -> None:
    asking = [socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) for _ in range(3)]
    with clients(station, 5), no_file_descriptor_left():
        for connection in asking:
            connection.connect(str(station.path))
            connection.sendall(line("status"))
            station.poll()
            connection.settimeout(2.0)
            assert b'"ok":true' in connection.recv(1000)
    for connection in asking:
        connection.close()
    station.poll()
    assert station.control._spare is not None


@pytest.mark.parametrize(("sent", "leave"), [(line("status") * 12, True), (b"", False), (b"{", False)])
def test_the_one_place_that_is_left_is_not_for_who_is_gone_or_says_nothing(
    station: Station, sent: bytes, leave: bool
) -> None:
    before = [socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) for _ in range(100)]
    asking = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    for connection in before:
        connection.connect(str(station.path))
        connection.sendall(sent)
    for connection in before if leave else []:
        connection.shutdown(socket.SHUT_RDWR)  # closed, but for its number, which the station would get
    asking.connect(str(station.path))
    asking.sendall(line("status"))
    asking.settimeout(2.0)
    with no_file_descriptor_left():
        station.poll(8)  # two seconds of a station
        assert b'"ok":true' in asking.recv(1000)
    for connection in [*before, asking]:
        connection.close()


def test_who_only_sends_no_more_is_answered_though_one_place_is_left(station: Station) -> None:
    with client(station.path) as asking:
        asking.sendall(line("status"))
        asking.shutdown(socket.SHUT_WR)
        with no_file_descriptor_left():
            station.poll()
            assert one_answer(asking)["ok"]


ACTS = [name for name in COMMAND_NAMES if name != "status"]


@pytest.mark.parametrize(("uid", "gids", "may"), [(0, (), True), (os.geteuid(), (), True), (4711, (), False),
                                                  (4711, (42,), False), (4711, (42, 43), True)])  # fmt: skip
def test_those_of_the_operators_group_act_and_the_others_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, uid: int, gids: tuple[int, ...], may: bool
) -> None:
    import grp

    real = grp.getgrnam

    def named(name: str) -> grp.struct_group:
        known = {"look": 42, "act": 43}
        return grp.struct_group((name, "x", known[name], [])) if name in known else real(name)

    monkeypatch.setattr(grp, "getgrnam", named)
    monkeypatch.setattr(os, "chown", lambda *_: None)
    station = Station(tmp_path / "c", groups=Groups("look", "act"))
    station.uid, station.gids = uid, frozenset(gids)
    station.control.open()
    try:
        assert said(station, line("status"))[0]["ok"]
        for command in ACTS:
            needed = {
                "start": {"sample": "S", "operator": "A"},
                "note": {"text": "x"},
                "hand-over": {"given_by": "A", "taken_by": "B"},
                "maintenance": {"why": "x", "hours": 1},
                "weigh": {"which": "m1"},
                "correct": {"run": 1, "uid": "u", "field": "sample", "value": "S", "reason": "x"},
            }
            args: dict[str, Any] = needed.get(command, {})
            (found,) = said(station, line(command, **args))
            assert found["ok"] is may
            assert may or "may look, not act: sudo usermod -aG act uid 4711" in found["error"]
        assert [r.command for r in station.asked] == ["status", *(ACTS if may else [])]
    finally:
        station.control.close()


def test_a_group_that_is_not_there_has_no_members() -> None:
    for group in ("no-such-group-here", None):
        assert not operators(group).include(Peer(1, 4711, frozenset({0, 1, 2**32 - 1})))


def test_the_kernel_says_who_asks_with_his_supplementary_groups() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    with ours, theirs:
        peer = peer_of(ours)
    assert (peer.pid, peer.uid, peer.name) == (os.getpid(), os.getuid(), ME)
    assert peer.gids == {os.getgid(), *os.getgroups()}


@pytest.mark.skipif(os.getuid() != 0, reason="only root may become somebody else")
@pytest.mark.parametrize(("n", "known"), [(1, True), (MOST_GROUPS - 1, True), (MOST_GROUPS + 1, False)])
def test_supplementary_groups_count_as_they_were_when_somebody_connected(n: int, known: bool) -> None:
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        Path(folder).chmod(0o755)
        path = Path(folder) / "c"
        listener.bind(str(path))
        os.chown(path, 4711, -1)
        listener.listen()
        listener.settimeout(10.0)
        child = os.fork()
        if child == 0:
            try:
                os.setgroups(range(70_000, 70_000 + n))
                os.setgid(4711)
                os.setuid(4711)
                with client(path) as connection:
                    connection.recv(1)
            finally:
                os._exit(0)
        try:
            connection, _ = listener.accept()
            with connection:
                peer = peer_of(connection)
        finally:
            os.waitpid(child, 0)
    assert peer == Peer(child, 4711, frozenset({4711, *(range(70_000, 70_000 + n) if known else ())}))
    assert peer.name == "uid 4711"
