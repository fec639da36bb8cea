"""Looks at the station, and tells whom it concerns: each contact by a thread of its own, and none waits for another.

What was told is kept in a file under ``/run``: it outlives a restart and no boot, as alarms do, and a full disk does
not concern it. ``doctor`` reads it. This module must never wait for a contact before it looks again.
"""

from __future__ import annotations

import datetime
import logging
import os
import random
import threading
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from calibration.bounded_file import NotReadable, read_regular_file
from edge.control.client import ask_status
from edge.errors import HalfpercentError
from edge.records.status import RunStatus, StationStatus
from hw.clock import NS_PER_S, BootClock

from .deliver import Letter, Undelivered, deliver
from .escalation import Escalation, Notice, Standing
from .settings import EscalateSettings, Mail, Ntfy, Webhook

ASK_S = 2.0
FIRST_WAIT_S, MOST_WAIT_S = 5.0, 300.0
"""Before a contact is tried again: twice as long each time, less a part by chance."""
HEARTBEAT_S = 60.0
"""The file is written at least so often, so that whoever reads it sees that somebody is there."""
_MOST_BYTES = 262_144
_log = logging.getLogger("halfpercent")

Deliver = Callable[[Webhook | Ntfy | Mail, Letter], None]


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """A contact that could not be told."""

    contact: str
    why: str
    since_utc: str


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What the file holds, at ``at_s`` of the boot named by ``boot_id``."""

    boot_id: str = ""
    at_s: float = 0.0
    contacts: tuple[str, ...] = ()
    trouble: tuple[Trouble, ...] = ()
    standing: tuple[Standing, ...] = ()


class EscalationService:
    """Tells of one rig's alarms until told to stop. ``now_s`` is a clock that nobody can set, in s since boot."""

    def __init__(
        self,
        settings: EscalateSettings,
        state_file: Path,
        *,
        deliver_: Deliver = deliver,
        now_s: Callable[[], float] | None = None,
        sleep_s: Callable[[float], None] = time.sleep,
    ) -> None:
        clock = BootClock()
        self.settings = settings
        self.stopping = False
        self._file = state_file
        self._now_s = now_s or (lambda: clock.now_ns() / NS_PER_S)
        self._sleep_s = sleep_s
        self._boot_id = clock.boot_id
        kept = load(state_file)
        before = kept.standing if kept.boot_id == self._boot_id else ()
        self._escalation = Escalation(settings.contacts, settings.silent_after_s, before)
        self._posts = [_Post(contact, settings, deliver_) for contact in settings.contacts]
        self._saved: Kept | None = None
        self._saved_s = float("-inf")
        self._cannot_save = False

    def stop(self) -> None:
        """End with the next turn."""
        self.stopping = True

    def run(self) -> None:
        """Look and tell until told to stop."""
        while not self.stopping:
            self.turn()
            until_s = self._now_s() + self.settings.look_s
            while not self.stopping and self._now_s() < until_s:
                self._sleep_s(0.2)

    def turn(self) -> None:
        """Look once, and begin to tell whoever has to know."""
        status = self._status()
        now_s = self._now_s()
        self._escalation.look(status, now_s)
        for post in self._posts:
            post.work(self._escalation, status, now_s)
        self._save(now_s)

    def _status(self) -> StationStatus | None:
        try:
            return ask_status(Path(self.settings.socket), timeout_s=ASK_S)
        except HalfpercentError:
            return None

    def _save(self, now_s: float) -> None:
        kept = Kept(
            boot_id=self._boot_id,
            contacts=tuple(contact.name for contact in self.settings.contacts),
            trouble=tuple(post.trouble for post in self._posts if post.trouble is not None),
            standing=self._escalation.standing,
        )
        if kept == self._saved and now_s - self._saved_s < HEARTBEAT_S:
            return
        beside = self._file.with_name(f".{self._file.name}.new")
        try:
            beside.write_bytes(msgspec.json.encode(msgspec.structs.replace(kept, at_s=now_s)))
            beside.replace(self._file)
        except OSError as e:
            if not self._cannot_save:
                _log.warning("%s: cannot be written (%s): after a restart is told again", self._file, _of(e))
            self._cannot_save = True
            return
        self._cannot_save, self._saved, self._saved_s = False, kept, now_s


class _Post:
    """What goes to one contact: one message at a time, after a failure later and later."""

    def __init__(self, contact: Webhook | Ntfy | Mail, settings: EscalateSettings, deliver_: Deliver) -> None:
        self.trouble: Trouble | None = None
        self._contact = contact
        self._settings = settings
        self._deliver = deliver_
        self._thread: threading.Thread | None = None
        self._outcome = ""
        self._under_way: list[tuple[Standing, Notice]] = []
        self._not_before_s = float("-inf")
        self._waits_s = FIRST_WAIT_S

    def work(self, escalation: Escalation, status: StationStatus | None, now_s: float) -> None:
        """Take what came of the last message, and begin the next where one is due."""
        if self._thread is not None:
            if self._thread.is_alive():
                return
            self._thread = None
            self._ended(escalation, now_s)
        due = escalation.due(self._contact, now_s)
        if not due or now_s < self._not_before_s:
            return
        run = (status.run if status else None) or RunStatus()
        letter = Letter(
            rig=self._settings.rig_name,
            contact=self._contact.name,
            level=self._contact.level,
            notices=tuple(notice for _, notice in due),
            run_id=run.run_id,
            phase=run.phase,
        )
        self._under_way = due
        self._thread = threading.Thread(target=self._tell, args=(letter,), daemon=True)
        self._thread.start()

    def _tell(self, letter: Letter) -> None:
        self._outcome = "ended by what nobody thought of"  # of what raises else: the thread says it in the log
        try:
            self._deliver(self._contact, letter)
        except Undelivered as e:
            self._outcome = str(e)
        else:
            self._outcome = ""

    def _ended(self, escalation: Escalation, now_s: float) -> None:
        if not self._outcome:
            escalation.told(self._contact, self._under_way)
            self.trouble, self._waits_s = None, FIRST_WAIT_S
            self._not_before_s = now_s + self._settings.pause_s
            return
        if self.trouble is None or self.trouble.why != self._outcome:
            _log.warning("%s was not told: %s", self._contact.name, self._outcome)
            since = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
            self.trouble = Trouble(contact=self._contact.name, why=self._outcome, since_utc=since)
        self._not_before_s = now_s + random.uniform(0.5, 1.0) * self._waits_s
        self._waits_s = min(MOST_WAIT_S, 2.0 * self._waits_s)


def load(path: Path) -> Kept:
    """Get what a file says; nothing where there is none, or where it is not ours."""
    try:
        return msgspec.json.decode(read_regular_file(path, _MOST_BYTES), type=Kept)
    except (NotReadable, msgspec.DecodeError):
        return Kept()


def _of(e: OSError) -> str:
    return os.strerror(e.errno or 0)
