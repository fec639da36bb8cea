"""The control socket: real clients on a real socket, well-behaved and not, and an answer of one line for each."""

from __future__ import annotations

import json
import os
import pwd
import socket
import stat
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from repository import ROOT

from calibration.errors import BadCertificate
from edge.control.client import ask
from edge.control.peer import MOST_GROUPS, Peer, operators, peer_of
from edge.control.protocol import (
    COMMAND_NAMES,
    MAX_LINE_BYTES,
    PROTOCOL_VERSION,
    Abort,
    Ack,
    Answer,
    Later,
    Note,
    OperatorStep,
    Order,
    Request,
    Start,
    Status,
    Weigh,
    parse,
)
from edge.control.server import IDLE_S, MAX_CLIENTS, PER_POLL, Control, Groups
from edge.errors import BadInput, StorageFull
from hw.errors import BusError

ME = pwd.getpwuid(os.getuid()).pw_name


class Station:
    """Stands where the station will: it polls, and writes down what it was asked."""

    def __init__(self, path: Path, **more: Any) -> None:
        self.path = path
        self.asked: list[Request] = []
        self.now_s = 0.0
        self.peers = count(100_000)
        self.uid = os.getuid()
        self.gids = frozenset({os.getgid()})
        self.control = Control(path, now_s=lambda: self.now_s, peer_of=self.peer, **more)
        self.answer: Callable[[Request], Answer | Later] = lambda request: {"order": type(parse(request)).__name__}

    def peer(self, connection: socket.socket) -> Peer:
        """Take each connection for that of another process."""
        return Peer(next(self.peers), self.uid, self.gids)

    def handle(self, request: Request) -> Answer | Later:
        self.asked.append(request)
        return self.answer(request)

    def poll(self, times: int = 3) -> None:
        for _ in range(times):
            self.control.poll(self.handle)

    @contextmanager
    def polling(self) -> Iterator[None]:
        """Poll as the loop of the station does, while the test asks from outside."""
        over = threading.Event()

        def loop() -> None:
            while not over.wait(0.002):
                self.poll(1)

        thread = threading.Thread(target=loop)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    station = Station(tmp_path / "control.sock")
    station.control.open()
    yield station
    station.control.close()


@contextmanager
def client(path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(2.0)
        connection.connect(str(path))
        yield connection


def said(station: Station, *sent: bytes) -> list[dict[str, Any]]:
    """Send bytes, let the station poll, and get all that it answers until it ends the connection or is silent."""
    with client(station.path) as connection:
        for part in sent:
            connection.sendall(part)
            station.poll()
        return answers(station, connection)


def answers(station: Station, connection: socket.socket) -> list[dict[str, Any]]:
    connection.setblocking(False)
    came = b""
    for _ in range(10):
        station.poll()
        try:
            came += connection.recv(1_000_000)
        except BlockingIOError:
            continue
        except ConnectionResetError:
            break
    assert came.endswith(b"\n") or not came
    return [json.loads(line) for line in came.splitlines()]


def line(command: str, **args: Any) -> bytes:
    return json.dumps({"version": 1, "command": command, "args": args}).encode() + b"\n"


def refusal(found: list[dict[str, Any]]) -> str:
    assert len(found) == 1, found
    assert found[0]["version"] == PROTOCOL_VERSION
    assert found[0]["ok"] is False
    error = found[0]["error"]
    assert error
    assert error.isprintable()
    assert len(error) <= 400
    return str(error)


# one question, one answer


def test_a_command_comes_with_who_gave_it_and_is_answered(station: Station) -> None:
    with station.polling():
        assert ask(station.path, "note", {"text": "Tür geöffnet"}) == {"order": "Note"}
        ask(station.path, "start", {"sample": "S-1", "operator": "Ada"})
    assert station.asked == [
        Request("note", {"text": "Tür geöffnet"}, ME),
        Request("start", {"sample": "S-1", "operator": "Ada"}, f"Ada ({ME})"),
    ]


def test_a_connection_may_ask_several_times_and_is_answered_in_order(station: Station) -> None:
    found = said(station, line("status") + line("nonsense") + line("tare"))
    assert [a["ok"] for a in found] == [True, False, True]
    assert "nonsense is no command" in found[1]["error"]


def test_what_is_not_known_is_null_in_an_answer(station: Station) -> None:
    station.answer = lambda request: {"temp_c": float("nan")}
    assert said(station, line("status"))[0]["result"] == {"temp_c": None}


@pytest.mark.parametrize(
    "error",
    [BadInput("no such run"), BusError("no bus"), BadCertificate("no span"), StorageFull("no room"), ValueError()],
)
def test_what_the_station_refuses_reaches_the_person_as_its_line(station: Station, error: Exception) -> None:
    def refuse(request: Request) -> dict[str, Any]:
        raise error

    station.answer = refuse
    with station.polling(), pytest.raises(BadInput, match=str(error) or "ValueError"):
        ask(station.path, "status", {})


def test_a_mistake_of_ours_is_logged_and_answered_and_the_measurement_goes_on(
    station: Station, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(request: Request) -> dict[str, Any]:
        raise KeyError("ours")

    station.answer = broken
    with client(station.path) as connection:
        connection.sendall(line("status"))
        assert "KeyError" in refusal(answers(station, connection))
        assert "KeyError: 'ours'" in caplog.text
    station.answer = lambda request: {}
    assert said(station, line("status"))[0]["ok"]


# what a client may do wrong


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        (b"\n", "no request"),
        (b"hello\n", "no request"),
        (b"\xff\xfe\x00\n", "no request"),
        (b"[1]\n", "send an object"),
        (b'"status"\n', "send an object"),
        (b"{}\n", "version None is not spoken here"),
        (b'{"version":2,"command":"status","args":{}}\n', "version 2 is not spoken here"),
        (b'{"version":true,"command":"status"}\n', "version True"),
        (b'{"version":1}\n', "command is missing"),
        (b'{"version":1,"command":5}\n', "command = 5"),
        (b'{"version":1,"command":"status","args":[]}\n', "args"),
        (b'{"version":1,"command":"status","shell":"rm"}\n', "shell is unknown"),
        (b'{"version":1,"command":"sta\\u001b[31mtus"}\n', "command"),
        (b'{"version":1,"command":"note","args":{"text":NaN}}\n', "no request"),
        (b'{"version":1,"command":"note","args":{"text":"\\ud800"}}\n', "no request"),
        (b'{"version":1,"command":"note","args":{"text":["a"]}}\n', "note: text is a list or an object"),
        (b"[" * MAX_LINE_BYTES + b"\n", "nested too deeply"),
        (b'{"version":1,"command":"note","args":{"text":"' + b"a" * MAX_LINE_BYTES + b'"}}\n', "too long"),
        (b"a" * (MAX_LINE_BYTES + 1), "too long"),
    ],
)  # fmt: skip
def test_a_wrong_line_is_answered_with_one_line(station: Station, sent: bytes, says: str) -> None:
    assert says in refusal(said(station, sent))


@pytest.mark.parametrize("place", ["version", "command", "args", "text"])
def test_nesting_of_any_depth_in_any_place_is_refused(station: Station, place: str) -> None:
    for depth in [1, 10, *range(800, 1020, 7), 3000]:
        nest = "[" * depth + "]" * depth
        args = f'{{"text":{nest}}}' if place == "text" else nest if place == "args" else "{}"
        version, command = nest if place == "version" else 1, nest if place == "command" else '"note"'
        refusal(said(station, f'{{"version":{version},"command":{command},"args":{args}}}\n'.encode()))
    assert not station.asked


def test_the_longest_line_is_taken_and_one_byte_more_is_not(station: Station) -> None:
    station.answer = lambda request: {}
    head, tail = b'{"version":1,"command":"note","args":{"text":"', b'"}}'
    fits = head + b"a" * (MAX_LINE_BYTES - len(head) - len(tail)) + tail
    assert said(station, fits + b"\n")[0]["ok"]
    assert "too long" in refusal(said(station, fits + b" \n"))


def test_a_line_may_come_byte_by_byte_and_half_a_line_harms_nobody(station: Station) -> None:
    assert said(station, *(bytes([b]) for b in line("status")))[0]["ok"]
    assert said(station, line("status")[:-1]) == []
    assert len(station.asked) == 1
    assert said(station, line("status"))[0]["ok"]


def test_a_client_that_asked_and_closed_its_side_is_still_answered(station: Station) -> None:
    with client(station.path) as connection:
        connection.sendall(line("status") + line("tare"))
        connection.shutdown(socket.SHUT_WR)
        found = answers(station, connection)
    assert [a["ok"] for a in found] == [True, True]


def test_a_client_that_left_is_forgotten(station: Station) -> None:
    for sent in (b"", line("status"), line("status")[:5], line("status") * 50):
        with client(station.path) as connection:
            connection.sendall(sent)
        station.poll(60)
    assert said(station, line("status"))[0]["ok"]
    assert not station.control._clients[1:]  # all that is left is, at most, the one just asked


def test_twenty_clients_at_once_are_all_answered(station: Station) -> None:
    found: list[dict[str, Any]] = []
    threads = [
        threading.Thread(target=lambda i=i: found.append(ask(station.path, "note", {"text": f"n{i}"})))  # type: ignore[misc]
        for i in range(20)
    ]
    with station.polling():
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == [{"order": "Note"}] * 20
    assert {r.args["text"] for r in station.asked} == {f"n{i}" for i in range(20)}


def test_those_who_fill_the_room_and_say_nothing_are_let_go(station: Station) -> None:
    silent = [socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) for _ in range(MAX_CLIENTS)]
    try:
        for connection in silent:
            connection.connect(str(station.path))
            station.poll()
            station.now_s += 0.01
        assert said(station, line("status"))[0]["ok"]  # there is always room for one more who asks
        assert silent[0].recv(10) == b""  # in the place of who was silent for longest
        silent[1].setblocking(False)
        with pytest.raises(BlockingIOError):
            silent[1].recv(10)
        station.now_s += IDLE_S + 0.1
        station.poll()
        assert silent[1].recv(10) == b""
    finally:
        for connection in silent:
            connection.close()


def test_a_byte_now_and_then_does_not_keep_a_place(station: Station) -> None:
    with client(station.path) as connection:
        for _ in range(4):
            connection.sendall(b"{")
            station.poll()
            station.now_s += IDLE_S / 3.5
        station.poll()
        assert connection.recv(10) == b""


def test_one_that_never_reads_costs_one_answer_and_keeps_nobody_waiting(station: Station) -> None:
    station.answer = lambda request: {"text": "a" * 900_000}
    with client(station.path) as deaf:
        deaf.sendall(line("status") * 100)
        station.poll(50)
        assert len(station.asked) == 1  # no second answer before the first is taken
        station.answer = lambda request: {}
        assert said(station, line("status"))[0]["ok"]
        station.now_s += IDLE_S + 0.1
        station.poll()
        assert not station.control._clients


def test_an_answer_that_is_taken_slowly_arrives_whole(station: Station) -> None:
    station.answer = lambda request: {"text": "a" * 900_000}
    with station.polling():
        assert len(ask(station.path, "status", {})["text"]) == 900_000


def test_a_flood_is_spread_over_the_polls_and_over_the_clients(station: Station) -> None:
    with client(station.path) as loud, client(station.path) as quiet:
        loud.sendall(line("status") * 100)
        station.poll(1)
        quiet.sendall(line("tare"))
        for connection in (loud, quiet):
            connection.setblocking(False)
        station.poll(2)
        assert len(station.asked) <= 3 * PER_POLL
        assert "tare" in [r.command for r in station.asked]


def test_a_poll_waits_for_nobody(station: Station) -> None:
    with client(station.path) as half:
        half.sendall(b'{"version"')
        station.poll(10)
        start_s = time.perf_counter()
        station.poll(200)
        assert (time.perf_counter() - start_s) / 200 < 1e-3  # microseconds; the margin is for a busy machine


@settings(max_examples=150, deadline=None)
@given(st.lists(st.binary(max_size=200) | st.sampled_from([b"\n", line("status"), b"{", b'"']), max_size=8))
def test_no_bytes_whatever_break_it(tmp_path_factory: pytest.TempPathFactory, sent: list[bytes]) -> None:
    station = Station(tmp_path_factory.mktemp("s") / "c")
    station.control.open()
    try:
        found = said(station, *sent)
        assert len(found) == b"".join(sent).count(b"\n")
        for answer in found:
            assert answer["ok"] is True or refusal([answer])
        assert said(station, line("status"))[0]["ok"]
    finally:
        station.control.close()


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


def test_out_of_file_descriptors_it_still_answers(station: Station) -> None:
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    asking = [socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) for _ in range(3)]
    with clients(station, 5):
        # None is left: the lowest that is free is where the limit is.
        probe = os.open("/dev/null", os.O_RDONLY)
        os.close(probe)
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (probe, hard))
            for connection in asking:
                connection.connect(str(station.path))
                connection.sendall(line("status"))
                station.poll()
                connection.settimeout(2.0)
                assert b'"ok":true' in connection.recv(1000)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            for connection in asking:
                connection.close()
    station.poll()
    assert station.control._spare is not None


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


# an answer that comes later


class Slow:
    """An answer that comes when it is let."""

    def __init__(self) -> None:
        self.found: dict[str, Any] | Exception | None = None
        self.waited_for = True

    def answer(self) -> dict[str, Any] | None:
        if isinstance(self.found, Exception):
            raise self.found
        return self.found

    def nobody_waits(self) -> None:
        self.waited_for = False


@pytest.mark.parametrize("found", [{"run_id": 3}, BadInput("no such file")])
def test_an_answer_may_come_later_and_keeps_nobody_else_waiting(station: Station, found: Any) -> None:
    slow = Slow()
    station.answer = lambda request: slow if request.command == "start" else {}
    with client(station.path) as connection:
        connection.sendall(line("start") + line("tare"))
        station.poll(20)
        assert said(station, line("status"))[0]["ok"]
        station.now_s += 3 * IDLE_S  # who waits for an answer is not idle
        station.poll()
        assert [r.command for r in station.asked] == ["start", "status"]  # and is answered in order
        slow.found = found
        came = answers(station, connection)
    assert [a["ok"] for a in came] == [not isinstance(found, Exception), True]
    assert slow.waited_for


def test_who_leaves_before_his_answer_comes_is_waited_for_no_more(station: Station) -> None:
    slow = Slow()
    station.answer = lambda request: slow
    with client(station.path) as connection:
        connection.sendall(line("start"))
        station.poll()
    station.control.close()
    assert not slow.waited_for


# the socket


def test_only_its_owner_and_its_group_may_use_it(station: Station) -> None:
    mode = station.path.lstat().st_mode
    assert stat.S_ISSOCK(mode)
    assert stat.S_IMODE(mode) == 0o660
    assert os.listdir(station.path.parent) == [station.path.name]  # noqa: PTH208  # hidden ones too


@pytest.mark.skipif(os.getuid() != 0, reason="only root may give a file to any group")
def test_the_group_gets_it_where_there_is_one(tmp_path: Path) -> None:
    import grp

    other = next(g for g in grp.getgrall() if g.gr_gid != os.getgid())
    for group, gid in ((other.gr_name, other.gr_gid), ("no-such-group-here", os.getgid()), (None, os.getgid())):
        control = Control(tmp_path / "c", Groups(look=group))
        control.open()
        assert (tmp_path / "c").lstat().st_gid == gid
        control.close()


def test_it_is_gone_after_closing_and_closing_twice_is_safe(station: Station) -> None:
    station.control.close()
    assert not station.path.exists()
    station.control.close()
    station.poll()


def test_a_socket_of_a_dead_process_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as dead:
        dead.bind(str(path))
        dead.listen()
    station = Station(path)
    station.control.open()
    assert said(station, line("status"))[0]["ok"]
    station.control.close()


def test_a_living_one_is_refused_and_goes_on(station: Station) -> None:
    with pytest.raises(BadInput, match="another halfpercent listens there: stop it"):
        Control(station.path).open()
    assert said(station, line("status"))[0]["ok"]


def test_one_that_took_our_name_is_left_alone(station: Station) -> None:
    station.path.unlink()
    other = Station(station.path)
    other.control.open()
    station.control.close()
    assert said(other, line("status"))[0]["ok"]
    other.control.close()


@pytest.mark.parametrize(
    ("name", "says"),
    [("file", "is not a socket"), ("none/c", "no such folder"), ("c" * 200, "longer than 107 bytes")],
)
def test_a_place_that_cannot_be_is_refused_with_one_line(tmp_path: Path, name: str, says: str) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(BadInput, match=says):
        Control(tmp_path / name).open()
    assert (tmp_path / "file").read_text() == "mine"


# the command's end


def test_where_nobody_listens_it_says_what_to_do(tmp_path: Path) -> None:
    dead = tmp_path / "dead"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(dead))
    for path in (tmp_path / "none", tmp_path / "no" / "folder", dead):
        with pytest.raises(BadInput, match="not running: sudo systemctl start halfpercent, or use halfpercent run"):
            ask(path, "status", {})


@pytest.mark.skipif(os.getuid() != 0, reason="needs two users")
def test_who_is_not_in_the_group_is_told_how_to_get_in() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        station = Station(Path(folder) / "control.sock", groups=Groups(None, None))
        station.control.open()
        child = os.fork()
        if child == 0:
            status = 3
            try:
                os.setgroups([])
                os.setgid(65534)
                os.setuid(65534)
                ask(station.path, "status", {})
            except BadInput as e:
                status = 0 if "usermod -aG halfpercent" in str(e) else 2
            finally:
                os._exit(status)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        station.control.close()


def test_a_station_that_does_not_answer_is_not_waited_for(station: Station) -> None:
    start_s = time.monotonic()
    with pytest.raises(BadInput, match=r"no answer within 0\.2 s"):
        ask(station.path, "status", {}, timeout_s=0.2)
    assert time.monotonic() - start_s < 2.0


def test_too_many_who_wait_are_no_traceback(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(tmp_path / "c"))
        listener.listen(0)
        with client(tmp_path / "c"), pytest.raises(BadInput, match=r"no answer within 0\.2 s"):
            ask(tmp_path / "c", "status", {}, timeout_s=0.2)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (b'{"version":2,"ok":true,"result":{}}\n', "speaks version 2, this command 1"),
        (b"220 mail ready\n", "is not halfpercent"),
        (b"[]\n", "is not halfpercent"),
        (b"[" * 100_000 + b"\n", "is not halfpercent"),
        (b'{"version":1,"ok":false}\n', "refused, without a reason"),
        (b'{"version":1,"ok":false,"error":"no \\u001b[31m\\nroom"}\n', "no \\\\x1b\\[31m room"),
        (b"", "left without an answer"),
        (b"half", "left without an answer"),
    ],
)
def test_another_service_is_told_from_ours(tmp_path: Path, answer: bytes, says: str) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(tmp_path / "c"))
        listener.listen()

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(MAX_LINE_BYTES)
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(BadInput, match=says) as refused:
            ask(tmp_path / "c", "tare", {})
        thread.join()
    assert str(refused.value).isprintable()


def test_what_is_too_long_or_no_text_is_refused_before_it_is_sent(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="say it shorter"):
        ask(tmp_path / "none", "note", {"text": "a" * MAX_LINE_BYTES})
    with pytest.raises(BadInput, match="no UTF-8 text"):
        ask(tmp_path / "none", "note", {"text": "\udcff"})


# the arguments

FULL = {
    "sample": "S-1", "operator": "Ada", "standard": "my.toml", "certificate": "c.toml", "kind": "sample", "blank": 3,
    "claim": "semi-solid", "composition": "LFP", "density": "2.4", "zero_after": True, "check_weight_g": 100.0,
    "note": "first",
}  # fmt: skip


@pytest.mark.parametrize(
    ("command", "args", "order"),
    [
        ("start", {"sample": "S", "operator": "A"}, Start(sample="S", operator="A")),
        ("start", FULL, Start(**FULL)),  # type: ignore[arg-type]  # a plain dict
        ("start", {"sample": "S", "operator": "A", "kind": "blank"}, Start(sample="S", operator="A", kind="blank")),
        *[
            (word, {}, OperatorStep(word=word))
            for word in ("tare", "load", "vent", "carry out", "carry back", "zero", "check")
        ],
        ("weigh", {"which": "m1", "mass_g": 196.354}, Weigh(which="m1", mass_g=196.354)),
        ("note", {"text": "door open"}, Note(text="door open")),
        ("ack", {}, Ack()),
        ("ack", {"alarm": "gauge"}, Ack(alarm="gauge")),
        ("abort", {}, Abort()),
        ("abort", {"reason": "power"}, Abort(reason="power")),
        ("status", {}, Status()),
    ],
)
def test_arguments_become_a_record(command: str, args: dict[str, Any], order: Order) -> None:
    assert parse(Request(command, args, "me")) == order


@pytest.mark.parametrize(
    ("command", "args", "says"),
    [
        ("dance", {}, "dance is no command: use start, weigh, note"),
        ("start", {}, "start: sample is missing"),
        ("start", {"sample": "S"}, "start: operator is missing"),
        ("start", {"sample": "", "operator": "A"}, "start: sample"),
        ("start", {"sample": "a\nb", "operator": "A"}, "start: sample"),
        ("start", {"sample": "a" * 201, "operator": "A"}, "start: sample"),
        ("start", {"sample": 1, "operator": "A"}, "start: sample = 1: give one line of text"),
        ("start", {"sample": "S", "operator": "A", "blank": 0}, "start: blank = 0: give a run's number"),
        ("start", {"sample": "S", "operator": "A", "kind": "blank", "blank": 1}, "a blank run subtracts no other"),
        ("start", {"sample": "S", "operator": "A", "kind": "dummy"}, "start: kind = 'dummy'"),
        ("start", {"sample": "S", "operator": "A", "check_weight_g": -1}, "start: check_weight_g = -1: give a mass"),
        ("start", {"sample": "S", "operator": "A", "zero_after": "yes"}, "start: zero_after = 'yes': give true"),
        ("start", {"sample": "S", "operator": "A", "operater": "B"}, "operater is unknown: did you mean operator?"),
        ("tare", {"now": True}, "tare: now is unknown"),
        ("note", {}, "note: text is missing"),
        ("note", {"text": "a" * 2001}, "note: text"),
        ("ack", {"alarm": ["gauge"]}, "ack: alarm"),
        ("status", {"verbose": 1}, "status: verbose is unknown"),
    ],
)
def test_wrong_arguments_are_refused_by_name(command: str, args: dict[str, Any], says: str) -> None:
    with pytest.raises(BadInput) as refused:
        parse(Request(command, args, "me"))
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(COMMAND_NAMES) | st.text(max_size=20),
    st.dictionaries(st.sampled_from(sorted(FULL)) | st.text(max_size=9), anything, max_size=5),
)
def test_any_arguments_are_a_record_or_one_line(command: str, args: dict[str, Any]) -> None:
    try:
        parse(Request(command, args, "me"))
        said_so = "taken"
    except BadInput as e:
        said_so = str(e)
    assert said_so.isprintable()
    assert 0 < len(said_so) <= 400


# what docs/control.md promises

DOC = (ROOT / "docs" / "control.md").read_text(encoding="utf-8")


def test_the_examples_of_the_document_are_accepted(station: Station) -> None:
    examples = DOC.split("```json\n", 1)[1].split("```", 1)[0]
    found = said(station, examples.encode())
    assert [a["result"]["order"] for a in found] == ["Start", "Note", "Status"]


def test_the_document_names_every_command_argument_and_bound() -> None:
    for name in COMMAND_NAMES:
        assert f"`halfpercent {name}" in DOC, name
    for record in (Start, Weigh, Note, Ack, Abort):
        assert all(f"`{field}`" in DOC for field in record.__struct_fields__), record
    for bound in (
        f"{MAX_LINE_BYTES} bytes",
        f"{MAX_CLIENTS} clients",
        f"{IDLE_S:.0f} s without",
        f"version {PROTOCOL_VERSION}",
    ):
        assert bound in DOC
    assert PER_POLL == 8
    assert "eight commands between" in DOC
    error = DOC.split('"error": "', 1)[1].split('"}', 1)[0]
    with pytest.raises(BadInput) as refused:
        parse(Request("start", {"sample": "S-1"}, "me"))
    assert str(refused.value) == error
