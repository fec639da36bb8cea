"""The station's end of the control socket: who asks what, and its answer.

One JSON object a line over a Unix socket (docs/control.md). The station polls it between two reads of a chip, so
this module must never wait for a client, never let one fill the memory, and never fail for what one sends. It must
never act on a command either: it hands it over, with who gave it.
"""

from __future__ import annotations

import contextlib
import errno
import grp
import logging
import os
import socket
import stat
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from calibration.errors import CalibrationError
from calibration.toml_file import convert, one_line
from edge.errors import BadRequest, HalfpercentError, NotAllowed, SocketTrouble
from hw.errors import HwError

from .connection import Client
from .peer import Peer, operators, peer_of
from .protocol import LOOKING, MAX_LINE_BYTES, PROTOCOL_VERSION, Answer, Argument, Later, Name, Request

MAX_CLIENTS = 64
"""So many are talked to at once; for one more, one is let go that is owed nothing and was silent for longest."""
LET_IN = 128
"""At most so many are let in between two reads of a chip, and so many may wait for that."""
LET_IN_S = 0.003
"""And for so long."""
OPERATORS = "halfpercent-operators"
"""The group whose members may act; those of the socket's own group may only look."""
IDLE_S = 30.0
"""A client that for so long neither ends a line nor takes its answer is let go."""
PER_POLL = 8
"""At most so many commands between two reads of a chip."""
MAX_PATH_BYTES = 107  # unix(7): sun_path, without its zero byte
_NO_MORE_FILES = (errno.EMFILE, errno.ENFILE)

Handler = Callable[[Request], Answer | Later]
"""Carries a command out and gives the answer, now or later."""

_log = logging.getLogger("halfpercent")


class _RequestLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: int
    command: Name
    args: dict[str, object] = {}


@dataclass(frozen=True, slots=True)
class Groups:
    """Who may use the socket besides its owner and root: the members of ``look`` look, those of both ``act``.

    A group that is not there has no members; None is nobody.
    """

    look: str | None = "halfpercent"
    act: str | None = OPERATORS


GROUPS = Groups()


class Control:
    """The station's end of the socket. ``peer_of`` says who is at the other end of a connection."""

    def __init__(
        self,
        path: Path,
        groups: Groups = GROUPS,
        *,
        now_s: Callable[[], float] = time.monotonic,
        peer_of: Callable[[socket.socket], Peer] = peer_of,
    ) -> None:
        self._path = path
        self._groups = groups
        self._now_s = now_s
        self._peer_of = peer_of
        self._operators = operators(None)
        self._listener: socket.socket | None = None
        self._spare: int | None = None  # a file descriptor for who comes when there is none left
        self._file = (0, 0)
        self._clients: list[Client] = []  # the one served last is the last
        self._served: dict[int, int] = {}
        self._turn = 0

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
            listener.listen(LET_IN)
            listener.setblocking(False)
            beside.replace(self._path)
            found = self._path.lstat()
        except OSError as e:
            listener.close()
            with contextlib.suppress(OSError):
                beside.unlink()
            raise SocketTrouble(one_line(f"{self._path}: cannot listen there ({e.strerror or e}): name another")) from e
        self._file = (found.st_dev, found.st_ino)
        self._operators = operators(self._groups.act)
        self._listener = listener
        self._keep_spare()

    def poll(self, handle: Handler) -> None:
        """Let in who waits, read what came, answer up to ``PER_POLL`` commands. Never waits.

        What ``handle`` refuses (an error of this package, or ``ValueError``) is answered with its line. Any other
        error of it is a mistake of ours: it is logged, and answered, for nobody who asks may stop the measurement.
        """
        if self._listener is None:
            return
        now_s = self._now_s()
        self._let_in(self._listener, now_s)
        for client in list(self._clients):
            client.receive()
            client.send()
            if client.later is not None:
                self._answer_later(client, client.later, now_s)
            if client.gone or (client.later is None and now_s - client.since_s > IDLE_S):
                self._drop(client)
        for _ in range(PER_POLL):
            waiting = [c for c in self._clients if c.asks]
            if not waiting:
                break
            # One user's flood does not keep another waiting; of one user, who was served longest ago comes first.
            client = min(waiting, key=lambda c: self._served.get(c.peer.uid, 0))
            self._turn += 1
            if len(self._served) > 4 * MAX_CLIENTS:
                self._served.clear()
            self._served[client.peer.uid] = self._turn
            self._clients.remove(client)
            self._clients.append(client)
            self._answer(client, client.line(), handle, now_s)
            if client.gone:
                self._drop(client)

    def _answer(self, client: Client, line: bytes, handle: Handler, now_s: float) -> None:
        def told() -> Answer | None:
            request = _request(line, client.who)
            if request.command not in LOOKING and not self._operators.include(client.peer):
                raise NotAllowed(
                    f"{request.command}: {client.who} may look, not act: sudo usermod -aG {self._groups.act} "
                    f"{client.who}, then log in again"
                )
            answer = handle(request)
            if isinstance(answer, Mapping):
                return answer
            client.later, client.since_s = answer, now_s
            return None

        if (said := _said(told)) is not None:
            client.answer(said, now_s)

    def _answer_later(self, client: Client, later: Later, now_s: float) -> None:
        if (said := _said(later.answer)) is not None:
            client.later = None
            client.answer(said, now_s)

    def close(self) -> None:
        """Let everyone go and remove the socket, unless another has taken its name. Safe to call twice."""
        for client in list(self._clients):
            self._drop(client)
        if self._listener is None:
            return
        self._listener.close()
        self._listener = None
        self._give_spare()
        with contextlib.suppress(OSError):
            found = self._path.lstat()
            if (found.st_dev, found.st_ino) == self._file:
                self._path.unlink()

    def _share(self, path: Path) -> None:
        if self._groups.look is not None:
            with contextlib.suppress(KeyError, PermissionError):  # then it is its owner's alone
                os.chown(path, -1, grp.getgrnam(self._groups.look).gr_gid)

    def _let_in(self, listener: socket.socket, now_s: float) -> None:
        """Let in who waits, for a few ms at most. Who came in before and is owed nothing makes room for them.

        With no file descriptor left there may be one place alone, and a long queue for it: who has gone away again, or
        says nothing, is let go at once.
        """
        self._keep_spare()
        until_s = time.perf_counter() + LET_IN_S
        free = self._free_places(now_s)
        idle_of: dict[int, list[Client]] = {}
        for client in free:
            idle_of.setdefault(client.peer.pid, []).append(client)
        starved = False
        for _ in range(LET_IN):
            if time.perf_counter() > until_s:
                return
            try:
                connection, _ = listener.accept()
            except OSError as e:
                if e.errno in _NO_MORE_FILES and (self._give_spare() or self._drop_one(free)):
                    starved = True
                    continue
                return  # nobody waits, or has gone again
            try:
                client = Client(connection, self._peer_of(connection), now_s)
            except OSError:
                connection.close()
                continue
            client.receive()
            if starved and client.has_left:
                client.close()
                continue
            for other in idle_of.pop(client.peer.pid, []):
                self._drop(other)
            if len(self._clients) < MAX_CLIENTS or self._drop_one(free) or self._drop_of_a_crowd(client.peer.uid):
                self._clients.append(client)
                if starved and not client.is_owed(now_s):
                    free.append(client)
            else:
                client.close()

    def _free_places(self, now_s: float) -> list[Client]:
        """Get who is owed nothing. The last of them goes first: of a user with many, who may only look, silent long."""
        count = Counter(c.peer.uid for c in self._clients)
        return sorted(
            (c for c in self._clients if not c.is_owed(now_s)),
            key=lambda c: (count[c.peer.uid], not self._operators.include(c.peer), -c.since_s),
        )

    def _drop_one(self, free: list[Client]) -> bool:
        """Let the last of ``free`` go. False: none is left."""
        while free:
            client = free.pop()
            if not client.closed:
                self._drop(client)
                return True
        return False

    def _drop_of_a_crowd(self, uid: int) -> bool:
        """Let one go of another user who has more than half the places, owed an answer or not. False: nobody has."""
        (user, n), *_ = Counter(c.peer.uid for c in self._clients).most_common(1)
        if user == uid or n <= MAX_CLIENTS // 2:
            return False
        self._drop(next(c for c in reversed(self._clients) if c.peer.uid == user))
        return True

    def _keep_spare(self) -> None:
        if self._spare is None:
            with contextlib.suppress(OSError):
                self._spare = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)

    def _give_spare(self) -> bool:
        """Give the spare file descriptor up. False: it was given."""
        spare, self._spare = self._spare, None
        if spare is not None:
            os.close(spare)
        return spare is not None

    def _drop(self, client: Client) -> None:
        if not client.closed:
            self._clients.remove(client)
            client.close()


def _said(told: Callable[[], Answer | None]) -> bytes | None:
    """Get an answer's line, or that of what was refused; None where there is no answer yet."""
    try:
        result = told()
        if result is None:
            return None
        return msgspec.json.encode({"version": PROTOCOL_VERSION, "ok": True, "result": result}) + b"\n"
    except (HalfpercentError, CalibrationError, HwError, ValueError) as e:
        error = one_line(str(e)) or type(e).__name__
    except Exception as e:  # a mistake of ours must not cost what is being measured
        _log.exception("control socket: a request was not carried out")
        error = f"not carried out ({type(e).__name__}), a mistake of halfpercent's: see journalctl -u halfpercent"
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
