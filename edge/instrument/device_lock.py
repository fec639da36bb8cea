"""One program a chip: a lock on each bus address, chip-select and pin that a program of ours reads.

Another program that opens a chip disturbs what is measured with it, and may step its zero. The lock is advisory, lies
in a folder that service and people share whatever database they use, and goes with the process that holds it, however
that ends. This module must never open a chip, and never wait: a chip in use is said to be.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import stat
import sys
import tempfile
from pathlib import Path

from edge.errors import DeviceInUse
from hw.barometer import AirCodes, Barometer
from hw.protocols import Bridge, Conversion, ConverterState, Probe, Reading, Thermometer

SHARED = Path("/run/lock/halfpercent")
"""Made by systemd-tmpfiles, for everybody (systemd/halfpercent.tmpfiles)."""
VARIABLE = "HALFPERCENT_LOCKS"
_HOLDER = re.compile(r"([0-9]{1,10}) ([a-z][a-z-]{0,19})\s*\Z")
_WORD = re.compile(r"[a-z][a-z-]{0,19}")
_STATION = ("station", "run", "program")


def lock_folders() -> list[Path]:
    """Get where locks may lie, the best first: what ``HALFPERCENT_LOCKS`` names alone, or else the shared folder."""
    if given := os.environ.get(VARIABLE):
        return [Path(given)]
    own = (os.environ.get("RUNTIME_DIRECTORY", "").partition(":")[0], os.environ.get("XDG_RUNTIME_DIR", ""))
    runtime = [Path(folder) / "halfpercent-locks" for folder in own if folder]
    return [SHARED, *runtime, Path(tempfile.gettempdir()) / "halfpercent-locks"]


class DeviceLock:
    """The lock of one device that takes up some places, such as ``i2c-1-2a`` or ``gpio-5``."""

    def __init__(self, device: str, places: tuple[str, ...]) -> None:
        self.device = device
        self.places = places
        self._held: list[int] = []

    def take(self) -> None:
        """Take the lock. Raises ``DeviceInUse``, one line, where another program, or another driver, holds it."""
        self.drop()
        try:
            for place in self.places:
                self._held.append(self._take(place))
        except BaseException:
            self.drop()
            raise

    def drop(self) -> None:
        """Give the lock back. Safe to call twice, and before :meth:`take`."""
        while self._held:
            os.close(self._held.pop())

    def _take(self, place: str) -> int:
        file = _open(f"{place}.lock")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as e:
            holder = _HOLDER.match(os.read(file, 64).decode("ascii", "replace"))
            os.close(file)
            raise DeviceInUse(f"{self.device} ({place}): {_said_of(holder)}") from e
        word = sys.argv[1] if len(sys.argv) > 1 else ""
        told = f"{os.getpid()} {word if _WORD.fullmatch(word) else 'program'}"
        with contextlib.suppress(OSError):  # another's file: the lock is ours all the same
            os.ftruncate(file, 0)
            os.pwrite(file, told.encode(), 0)
        return file


def _said_of(holder: re.Match[str] | None) -> str:
    if holder is not None and holder[2] not in _STATION:
        return f"halfpercent {holder[2]} (process {holder[1]}) reads this chip: wait until it has ended, or end it"
    return (
        "the station reads this chip: ask it with halfpercent status, or stop it: sudo systemctl stop halfpercent "
        "(a halfpercent run in a terminal: end that)"
    )


def _open(name: str) -> int:
    """Open a lock's file in the first folder that can be used, and make both where they are not there."""
    error: OSError | None = None
    for folder in lock_folders():
        try:
            _make(folder)
            return _open_in(folder / name)
        except OSError as e:
            error = e
    raise DeviceInUse(f"{name}: no folder for the lock of a chip can be used ({error}): set {VARIABLE} to one")


def _make(folder: Path) -> None:
    try:
        folder.mkdir()
    except FileExistsError:
        if not stat.S_ISDIR(folder.lstat().st_mode):  # a link might lead anywhere
            raise
    else:
        folder.chmod(0o1777)  # everybody's, like the folder around it


def _open_in(path: Path) -> int:
    flags = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    while True:
        try:  # a lock does not ask for the right to write
            return os.open(path, flags | (os.O_RDWR if os.access(path, os.W_OK) else os.O_RDONLY))
        except FileNotFoundError:
            with contextlib.suppress(FileExistsError):
                made = os.open(path, flags | os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
                os.fchmod(made, 0o666)  # whatever the umask: the other side must be able to open it
                return made


class LockedBridge:
    """A bridge that is opened only with its lock, and gives it back when it is closed."""

    def __init__(self, bridge: Bridge, lock: DeviceLock) -> None:
        self._bridge = bridge
        self._lock = lock

    @property
    def name(self) -> str:
        """Get the chip's name."""
        return self._bridge.name

    @property
    def rate_sps(self) -> float:
        """Get the nominal conversion rate in samples per second."""
        return self._bridge.rate_sps

    def open(self) -> None:
        """Take the lock, then open the chip. Raises ``DeviceInUse``, or what the driver raises."""
        self.close()
        self._lock.take()
        try:
            self._bridge.open()
        except BaseException:
            self._lock.drop()
            raise

    def read(self, deadline_ns: int) -> Conversion:
        """Get the next conversion."""
        return self._bridge.read(deadline_ns)

    def describe(self) -> dict[str, str | int | float]:
        """Get the settings in force."""
        return self._bridge.describe()

    def state(self) -> ConverterState:
        """Get what the converter is set up as."""
        return self._bridge.state()

    def close(self) -> None:
        """Release the chip, then its lock."""
        try:
            self._bridge.close()
        finally:
            self._lock.drop()


class LockedProbe:
    """A thermometer or a gauge that is opened only with its lock, and gives it back when it is closed."""

    def __init__(self, probe: Probe, lock: DeviceLock) -> None:
        self._probe = probe
        self._lock = lock

    def open(self) -> None:
        """Take the lock, then open the chip. Raises ``DeviceInUse``, or what the driver raises."""
        self.close()
        self._lock.take()
        try:
            self._probe.open()
        except BaseException:
            self._lock.drop()
            raise

    def read(self) -> Reading:
        """Get the newest reading."""
        return self._probe.read()

    def describe(self) -> dict[str, str | int | float]:
        """Get the settings in force."""
        return self._probe.describe()

    def close(self) -> None:
        """Release the chip, then its lock."""
        try:
            self._probe.close()
        finally:
            self._lock.drop()


class LockedThermometer(LockedProbe):
    """A resistance thermometer that is opened only with its lock."""

    def __init__(self, thermometer: Thermometer, lock: DeviceLock) -> None:
        super().__init__(thermometer, lock)
        self._thermometer = thermometer

    def read_rarely(self, *, rarely: bool) -> float:
        """Have current flow only while it is read, or always."""
        return self._thermometer.read_rarely(rarely=rarely)


class LockedBarometer:
    """A barometer that is opened only with its lock, and gives it back when it is closed."""

    def __init__(self, barometer: Barometer, lock: DeviceLock) -> None:
        self._barometer = barometer
        self._lock = lock

    @property
    def chip(self) -> str:
        """Get the chip's name."""
        return self._barometer.chip

    @property
    def trimming(self) -> bytes:
        """Get the chip's own coefficients."""
        return self._barometer.trimming

    def open(self) -> None:
        """Take the lock, then open the chip. Raises ``DeviceInUse``, or what the driver raises."""
        self.close()
        self._lock.take()
        try:
            self._barometer.open()
        except BaseException:
            self._lock.drop()
            raise

    def read(self) -> AirCodes:
        """Get the newest pair of codes."""
        return self._barometer.read()

    def describe(self) -> dict[str, str | int | float]:
        """Get the settings in force."""
        return self._barometer.describe()

    def close(self) -> None:
        """Release the chip, then its lock."""
        try:
            self._barometer.close()
        finally:
            self._lock.drop()
