"""The station's end of the control socket: who asks what, and its answer.

One JSON object a line over a Unix socket (docs/control.md). The station polls it between two reads of a chip, so
this module must never wait for a client, never let one fill the memory, and never fail for what one sends. It must
never act on a command either: it hands it over, with who gave it.
"""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
import socket
import stat
import struct
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from calibration.errors import CalibrationError
from calibration.toml_file import convert, one_line
from edge.errors import BadRequest, HalfpercentError, SocketTrouble
from hw.errors import HwError

from .protocol import MAX_LINE_BYTES, PROTOCOL_VERSION, Answer, Argument, Name, Request

MAX_CLIENTS = 16
"""So many are talked to at once; the others wait to be let in."""
IDLE_S = 30.0
"""A client that for so long neither ends a line nor takes its answer is let go."""
PER_POLL = 4
"""At most so many commands between two reads of a chip."""
MAX_PATH_BYTES = 107  # unix(7): sun_path, without its zero byte

Handler = Callable[[Request], Answer]
"""Carries a command out and gives the answer."""


class _RequestLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: int
    command: Name
    args: dict[str, object] = {}


class Control:
    """The station's end of the socket. ``group`` may use it besides its owner, where there is such a group."""

    def __init__(
        self, path: Path, group: str | None = "halfpercent", *, now_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._path = path
        self._group = group
        self._now_s = now_s
        self._listener: socket.socket | None = None
        self._file = (0, 0)
        self._clients: list[_Client] = []  # the one served last is the last

    def open(self) -> None:
        """Make the socket, mode 0660. One of a dead process is replaced.

        Raises ``SocketTrouble`` where a living one listens, where something else has that name, and where there
        is no such folder.
        """
        self.close()
        _make_way(self._path)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        beside = self._path.with_name(f".{os.getpid()}")
        try:
            # It gets its name when its rights are set, and takes that of a dead one in a single step.
            beside.unlink(missing_ok=True)
            listener.bind(str(beside))
            beside.chmod(0o660)
            self._share(beside)
            listener.listen(MAX_CLIENTS)
            listener.setblocking(False)
            beside.replace(self._path)
            found = self._path.lstat()
        except OSError as e:
            listener.close()
            with contextlib.suppress(OSError):
                beside.unlink()
            raise SocketTrouble(one_line(f"{self._path}: cannot listen there ({e.strerror or e}): name another")) from e
        self._file = (found.st_dev, found.st_ino)
        self._listener = listener

    def poll(self, handle: Handler) -> None:
        """Let in who waits, read what came, answer up to ``PER_POLL`` commands. Never waits.

        What ``handle`` refuses (an error of this package, or ``ValueError``) is answered with its line; any other
        error of it is a mistake of ours, and raised.
        """
        if self._listener is None:
            return
        now_s, left = self._now_s(), PER_POLL
        self._let_in(self._listener, now_s)
        for client in list(self._clients):
            client.receive()
            client.send()
            line = client.line() if left else None
            if line is not None:
                left -= 1
                self._clients.remove(client)
                self._clients.append(client)
                try:
                    client.answer(_answer_line(line, client.who, handle), now_s)
                except BaseException:
                    self._drop(client)
                    raise
            if client.gone or now_s - client.since_s > IDLE_S:
                self._drop(client)

    def close(self) -> None:
        """Let everyone go and remove the socket, unless another has taken its name. Safe to call twice."""
        for client in list(self._clients):
            self._drop(client)
        if self._listener is None:
            return
        self._listener.close()
        self._listener = None
        with contextlib.suppress(OSError):
            found = self._path.lstat()
            if (found.st_dev, found.st_ino) == self._file:
                self._path.unlink()

    def _share(self, path: Path) -> None:
        if self._group is not None:
            with contextlib.suppress(KeyError, PermissionError):  # then it is its owner's alone
                os.chown(path, -1, grp.getgrnam(self._group).gr_gid)

    def _let_in(self, listener: socket.socket, now_s: float) -> None:
        while len(self._clients) < MAX_CLIENTS:
            try:
                connection, _ = listener.accept()
            except OSError:  # nobody waits, or has gone again, or no more files may be open
                return
            self._clients.append(_Client(connection, now_s))

    def _drop(self, client: _Client) -> None:
        self._clients.remove(client)
        client.connection.close()


class _Client:
    """One connection. It holds at most one unread answer, and no line longer than it may be."""

    def __init__(self, connection: socket.socket, now_s: float) -> None:
        connection.setblocking(False)
        self.connection = connection
        self.who = _peer(connection)
        self.since_s = now_s
        self._came = bytearray()
        self._to_send = bytearray()
        self._ended = False
        self._lost = False

    @property
    def gone(self) -> bool:
        """Get whether nothing more can be said to it, or it has nothing more to say."""
        return self._lost or (self._ended and not self._to_send and b"\n" not in self._came)

    def receive(self) -> None:
        """Take what came, unless a whole line is waiting to be answered."""
        if self._ended or b"\n" in self._came:
            return
        try:
            got = self.connection.recv(MAX_LINE_BYTES)
        except BlockingIOError:
            return
        except OSError:
            self._lost = True
            return
        self._ended = not got
        self._came += got

    def line(self) -> bytes | None:
        """Get the next whole line, once the answer before it has been taken. One too long ends the connection."""
        if self._to_send:
            return None
        line, newline, rest = self._came.partition(b"\n")
        if len(line) > MAX_LINE_BYTES:
            self._came.clear()
            self._ended = True
            return bytes(line)
        if not newline:
            return None
        self._came = rest
        return bytes(line)

    def answer(self, line: bytes, now_s: float) -> None:
        """Send an answer, as much as the client takes now."""
        self.since_s = now_s
        self._to_send += line
        self.send()

    def send(self) -> None:
        """Send on what the client has not taken yet."""
        if not self._to_send:
            return
        try:
            del self._to_send[: self.connection.send(self._to_send)]
        except BlockingIOError:
            pass
        except OSError:
            self._lost = True


def _answer_line(line: bytes, who: str, handle: Handler) -> bytes:
    try:
        result = handle(_request(line, who))
        return msgspec.json.encode({"version": PROTOCOL_VERSION, "ok": True, "result": result}) + b"\n"
    except (HalfpercentError, CalibrationError, HwError, ValueError) as e:
        error = one_line(str(e)) or type(e).__name__
        return msgspec.json.encode({"version": PROTOCOL_VERSION, "ok": False, "error": error}) + b"\n"


def _request(line: bytes, who: str) -> Request:
    """Get what a line asks. Raises ``BadRequest``. No argument is a list or an object, so none is nested."""
    if len(line) > MAX_LINE_BYTES:
        raise BadRequest(f"the line is too long: send at most {MAX_LINE_BYTES} bytes")
    try:
        command, args = _command(msgspec.json.decode(line))
    except (msgspec.DecodeError, UnicodeError) as e:
        raise BadRequest(f"no request ({e}): send one JSON object a line, in UTF-8") from e
    except RecursionError as e:
        raise BadRequest("no request: nested too deeply") from e
    operator = args.get("operator")
    if isinstance(operator, str) and operator.strip():
        who = f"{one_line(operator)[:200]} ({who})"
    return Request(command, args, who)


def _command(given: object) -> tuple[str, dict[str, Argument]]:
    """Get the command and its arguments, each a single value. Raises ``BadRequest``."""
    if not isinstance(given, dict):
        raise BadRequest('no request: send an object such as {"version":1,"command":"status","args":{}}')
    version = given.get("version")
    if type(version) is not int or version != PROTOCOL_VERSION:
        raise BadRequest(
            one_line(
                f"version {version!s:.20} is not spoken here, but {PROTOCOL_VERSION}: "
                "use the halfpercent of this machine"
            )
        )
    line = convert(given, _RequestLine, "request", BadRequest)
    args: dict[str, Argument] = {}
    for name, value in line.args.items():
        if not isinstance(value, str | int | float | None):
            raise BadRequest(one_line(f"{line.command}: {name} is a list or an object: give a single value"))
        args[name] = value
    return line.command, args


def _peer(connection: socket.socket) -> str:
    """Get the user name of who connected, as the kernel knows it (unix(7), SO_PEERCRED)."""
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("iII"))
    uid = struct.unpack("iII", credentials)[1]
    try:
        return pwd.getpwuid(uid).pw_name
    except (KeyError, OverflowError):
        return f"uid {uid}"


def _make_way(path: Path) -> None:
    """See that a socket can get this name. Raises ``SocketTrouble``."""
    if len(os.fsencode(path)) > MAX_PATH_BYTES:
        raise SocketTrouble(one_line(f"{path}: longer than {MAX_PATH_BYTES} bytes: name another"))
    if not path.parent.is_dir():
        raise SocketTrouble(
            one_line(
                f"{path.parent}: no such folder: the service makes it (sudo systemctl start halfpercent); "
                "by hand, name another"
            )
        )
    try:
        mode = path.lstat().st_mode
    except OSError:
        return  # there is none; or binding will say what is wrong
    if not stat.S_ISSOCK(mode):
        raise SocketTrouble(one_line(f"{path}: is not a socket: remove it, or name another"))
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as knock:
        knock.setblocking(False)
        try:
            knock.connect(str(path))
        except ConnectionRefusedError:
            return  # nobody has it open any more
        except OSError:
            pass  # its owner is busy, or not ours to ask
    raise SocketTrouble(one_line(f"{path}: another halfpercent listens there: stop it, or name another"))
