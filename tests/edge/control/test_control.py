"""The control socket: real clients on a real socket, well-behaved and not, and an answer of one line for each."""

from __future__ import annotations

import socket
import threading
import time
from typing import Any

import pytest
from control_station import ME, Station, answers, client, line, refusal, said
from hypothesis import given, settings
from hypothesis import strategies as st

from calibration.errors import BadCertificate
from edge.control.client import ask
from edge.control.protocol import (
    MAX_LINE_BYTES,
    Request,
)
from edge.control.server import IDLE_S, MAX_CLIENTS, PER_POLL
from edge.errors import BadInput, StorageFull
from hw.errors import BusError

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
