"""The command's end of the control socket: one question, one answer.

This module must never wait longer than it was told to, and never show a person more than one line of what is wrong.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping
from pathlib import Path

import msgspec

from calibration.toml_file import convert, one_line
from edge.errors import BadRequest, Refused, SocketTrouble
from edge.records.status import StationStatus

from .protocol import LOOKING, MAX_LINE_BYTES, PROTOCOL_VERSION, Answer, Argument

MAX_ANSWER_BYTES = 1_000_000
"""Bytes of an answer."""


def ask(path: Path, command: str, args: Mapping[str, Argument], *, timeout_s: float = 10.0) -> Answer:
    """Send one command to the station and get its answer, within ``timeout_s``.

    Raises ``SocketTrouble``, one line, where nobody listens, where the right is missing, where the other side speaks
    another version; ``BadRequest`` for what cannot be sent; ``Refused`` with the station's own line.
    """
    until_s = time.monotonic() + timeout_s
    try:
        line = msgspec.json.encode({"version": PROTOCOL_VERSION, "command": command, "args": args}) + b"\n"
    except UnicodeEncodeError as e:
        raise BadRequest(f"{command}: what you typed is no UTF-8 text: type it again") from e
    if len(line) > MAX_LINE_BYTES:
        raise BadRequest(f"{command}: longer than {MAX_LINE_BYTES} bytes: say it shorter")
    while (came := _asked(path, line, timeout_s, until_s)) is None:
        # Let go before an answer came. What changes nothing may be asked again; for all else a person decides.
        if command not in LOOKING or time.monotonic() > until_s - 1.0:
            raise SocketTrouble(f"{path}: the service left without an answer: see journalctl -u halfpercent")
        time.sleep(0.2)
    return _result(bytes(came), path)


def ask_status(path: Path, *, timeout_s: float = 10.0) -> StationStatus:
    """Ask the station how it is. Raises as :func:`ask`, and ``BadRequest`` for what is another version's answer."""
    return status_told(ask(path, "status", {}, timeout_s=timeout_s))


def status_told(answer: Answer) -> StationStatus:
    """Get what an answer to ``status`` says. Raises ``BadRequest`` where that is another version's."""
    return convert(dict(answer), StationStatus, "the station's answer", BadRequest)


def _asked(path: Path, line: bytes, timeout_s: float, until_s: float) -> bytearray | None:
    """Send a line and get what is answered; None where the other side left before."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        try:
            _connect(connection, path, until_s)
            connection.sendall(line)
            came = bytearray()
            while b"\n" not in came and len(came) <= MAX_ANSWER_BYTES:
                connection.settimeout(max(1e-3, until_s - time.monotonic()))
                if not (got := connection.recv(65_536)):
                    return None
                came += got
        except (ConnectionResetError, BrokenPipeError):
            return None
        except TimeoutError as e:
            raise SocketTrouble(f"{path}: no answer within {timeout_s:g} s: see journalctl -u halfpercent") from e
        except PermissionError as e:
            raise SocketTrouble(f"{path}: you may not: sudo usermod -aG halfpercent $USER, then log in again") from e
        except (FileNotFoundError, NotADirectoryError, ConnectionRefusedError) as e:
            raise SocketTrouble(
                f"{path}: the service is not running: sudo systemctl start halfpercent, or use halfpercent run"
            ) from e
        except OSError as e:
            raise SocketTrouble(one_line(f"{path}: cannot talk to the service ({e.strerror or e}): try again")) from e
    return came


def _connect(connection: socket.socket, path: Path, until_s: float) -> None:
    while True:
        connection.settimeout(max(1e-3, until_s - time.monotonic()))
        try:
            connection.connect(str(path))
            return
        except BlockingIOError:  # too many wait already
            if time.monotonic() >= until_s:
                raise TimeoutError from None
            time.sleep(0.05)


def _result(line: bytes, path: Path) -> Answer:
    try:
        answer = msgspec.json.decode(line)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        raise SocketTrouble(f"{path}: what answers there is not halfpercent: name its socket")
    if answer.get("version") != PROTOCOL_VERSION:
        raise SocketTrouble(
            one_line(
                f"{path}: the service speaks version {answer.get('version')!s:.20}, this command {PROTOCOL_VERSION}: "
                "after an update, sudo systemctl restart halfpercent"
            )
        )
    if answer.get("ok") is not True:
        raise Refused(one_line(str(answer.get("error", "")) or "refused, without a reason"))
    result = answer.get("result")
    return result if isinstance(result, dict) else {}
