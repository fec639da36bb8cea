"""The socket itself, and what a command says where it finds none, another's, or one that does not answer."""

from __future__ import annotations

import os
import socket
import stat
import tempfile
import threading
import time
from pathlib import Path

import pytest
from control_station import Station, client, line, said

from edge.control.client import ask
from edge.control.protocol import (
    MAX_LINE_BYTES,
)
from edge.control.server import Control, Groups
from edge.errors import BadInput

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
