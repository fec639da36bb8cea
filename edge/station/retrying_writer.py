"""The station's hand on the database: what it does when the disk does not.

What cannot be written is kept and tried again; the newest half hour of a run stays in memory, and when the disk is back
a run that had to forget is folded again from what is stored. This module must never let a disk's error stop the
measurement, and never lose one silently.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path

from edge.database.backup import backup_attachments, backup_run
from edge.database.connection import SqliteError
from edge.database.journal import Journal
from edge.errors import (
    BadDatabase,
    DamagedDatabase,
    HalfpercentError,
    LostDatabase,
    StorageFull,
    StorageSlow,
)
from edge.records.event import Happening, StationEvent, StorageTold
from edge.records.station_event import BackupTold
from edge.run.live_run import LiveRun
from edge.run.resume import resume
from hw.clock import NS_PER_S, Clock

from .refill import Refill
from .storage_watch import StorageWatch

KEEP_S = 1800
"""So many seconds of frames are kept while nothing can be written."""
ROOM_S = 300  # are let go of at once, so that it is not done every second
RETRY_DISK_S = 5.0
LOG_MOST = 1000
NOTICE_S = 10.0
"""So long the alarm has a reason that is over: then it closes, and stands until somebody has seen it."""
DAMAGES_BELIEVED = 2
"""What a file says once may be the disk's mistake; what it says again on a new connection is in the file."""
STALL_S = 15.0
"""A commit that takes longer is an alarm: old cards take ten."""

_log = logging.getLogger("halfpercent")


class RetryingWriter:
    """Writes into one journal for one station. ``error`` is what the disk said last, '' where all is well."""

    def __init__(self, journal: Journal, clock: Clock, batch_s: int, backup: Path | None = None) -> None:
        self.journal = journal
        self.error = ""
        self.batch_s = batch_s
        self.backup = backup
        self.told: deque[Happening] = deque(maxlen=LOG_MOST)
        """What is to go into the station's log as soon as it can."""
        self._clock = clock
        self._lines: deque[StationEvent] = deque(maxlen=LOG_MOST)
        self._again_ns = 0
        self._copying: threading.Thread | None = None
        self._watch = StorageWatch(journal.path, self._checkpoint)
        self._notice, self._notice_until_ns = "", 0
        self._damages = 0
        self._lost = False
        self._refill: Refill | None = None

    @property
    def trouble(self) -> str:
        """Get what the alarm ``storage`` says: an error, what was found, or what will hurt; '' for nothing."""
        notice = self._notice if self._clock.now_ns() < self._notice_until_ns else ""
        return self.error or notice or self._watch.concern

    def notice(self, why: str) -> None:
        """Raise the alarm ``storage`` for something that is over, and write it into the station's log."""
        _log.error("storage: %s", why)
        self._notice, self._notice_until_ns = why, self._clock.now_ns() + round(NOTICE_S * NS_PER_S)
        self.told.append(StorageTold(why))

    @property
    def not_written(self) -> str:
        """Get why what was said last is not on the disk yet; '' where it is."""
        if not self.error and self.journal.commits.busy_s:
            return "the disk is slow, and it is waited for"
        return self.error

    def back_up(self, run_id: int) -> None:
        """Copy an ended run to the second place, where one is set, while measuring goes on. A failure is said."""
        if self.backup is not None:
            self._copying = threading.Thread(target=self._back_up, args=(run_id, self.backup), daemon=True)
            self._copying.start()

    def finish(self) -> None:
        """Wait for a copy that is being made, a minute at most, and write down what it said."""
        if self._copying is not None:
            self._copying.join(60.0)
        self.retry(None, None)

    def _back_up(self, run_id: int, folder: Path) -> None:
        try:
            copy = backup_run(self.journal.path, run_id, folder)
        except (HalfpercentError, OSError, SqliteError) as e:
            _log.error("backup of run %d: %s", run_id, e)
            self.told.append(BackupTold(f"run {run_id} was not backed up: {e}"))
        else:
            self.told.append(BackupTold(f"run {run_id} is backed up: {copy}"))
            self._back_up_attachments(run_id, copy)

    def _back_up_attachments(self, run_id: int, copy: Path) -> None:
        try:
            n = backup_attachments(self.journal.path, run_id, copy)
        except (HalfpercentError, OSError, SqliteError) as e:
            _log.error("backup of the attachments of run %d: %s", run_id, e)
            self.told.append(BackupTold(f"of run {run_id} not all is backed up: {e}"))
        else:
            if n:
                self.told.append(BackupTold(f"attachments of run {run_id} are backed up: {n}"))

    def write(self, what: Callable[[], object]) -> bool:
        """Do what writes; where the disk fails, remember that. Returns whether it was written.

        What a slow disk holds up is no failure: False, and it is to be tried again.
        """
        try:
            what()
        except StorageSlow:
            return False
        except (BadDatabase, StorageFull, SqliteError, OSError) as e:
            self._damages += isinstance(e, DamagedDatabase)
            self._lost |= isinstance(e, LostDatabase)
            if not self.error:
                _log.error("storage: %s", e)
                self._wait()
                if isinstance(e, LostDatabase):  # there is nothing to wait for
                    self._again_ns = 0
            self.error = str(e) or type(e).__name__
            return False
        return True

    def failed(self, e: Exception) -> None:
        """Remember that the disk failed, as :meth:`write` does."""

        def fail() -> None:
            raise e

        self.write(fail)

    def _watch_commit(self) -> None:
        """Take what became of a commit that a slow disk held up; say so where that is for too long."""
        commits = self.journal.commits
        if self.write(commits.look) and commits.busy_s > STALL_S and not self.error:
            _log.error("storage: the disk has held up a commit for %.0f s", commits.busy_s)
            self._wait()
            self.error = f"the disk has held up a commit for more than {STALL_S:g} s"

    def _wait(self) -> None:
        self._again_ns = self._clock.now_ns() + round(RETRY_DISK_S * NS_PER_S)

    def log(self, what: Happening, who: str) -> None:
        """Write a line into the station's own log, for what happens where no run is measured."""
        clock = self._clock
        self._lines.append(StationEvent(what, who, clock.boot_id, clock.now_ns() / NS_PER_S, clock.wall_s()))
        if not self.error:
            self.write(self._write_lines)

    def _write_lines(self) -> None:
        while self._lines:
            self.journal.log(self._lines[0])
            self._lines.popleft()

    def resume(self, run_id: int, clock_set: bool | None) -> LiveRun | None:
        """Take a stored run up again (:func:`edge.run.resume.resume`); None where the disk fails."""
        out: list[LiveRun] = []

        def take_up() -> None:
            with self.journal.patiently():
                out.append(resume(self.journal, run_id, self._clock, clock_set=clock_set, batch_s=self.batch_s))

        self.write(take_up)
        return out[0] if out else None

    def retry(self, run: LiveRun | None, clock_set: bool | None) -> LiveRun | None:
        """Try again what could not be written, if it is time. Returns the run, resumed where it had to forget."""
        self._watch_commit()
        while self.told:
            self.log(self.told.popleft(), "instrument")
        if not self.error:
            if self._lines:  # a slow disk had no time for them
                self.write(self._write_lines)
            self._look_around(run)
            return run
        if run is not None and run.journal.waiting_s > KEEP_S:
            run.journal.forget(KEEP_S - ROOM_S)
        if self._clock.now_ns() < self._again_ns:
            return run
        self._wait()
        since, damaged, asides = self.error, self._damages >= DAMAGES_BELIEVED, list[Path | None]()

        def again() -> None:
            self.journal.commits.settle()
            writer = self.journal if run is None else run.journal
            asides.append(writer.recover(self._clock.wall_s(), damaged=damaged))
            self._write_lines()

        if not self.write(again):
            return run
        self.error = ""
        if self._lost or asides[0] is not None:
            self._damages, self._lost = 0, False
            went = "" if asides[0] is None else f"; what was found in its place is put aside as {asides[0].name}"
            self.notice(f"{since}{went}")
        _log.warning("storage: writing again, after: %s", since)
        if run is not None and run.journal.forgetful:
            return self.resume(run.run_id, clock_set) or run
        return run

    def _look_around(self, run: LiveRun | None) -> None:
        """Look, once a second, whether the file is still there, and what will hurt; go on filling in a new file."""
        if not self.write(self.journal.require_own_file):
            return
        self._watch.look(self._clock.now_ns() / NS_PER_S, lambda: self.journal.links)
        if run is None:
            self._refill = None
            return
        if run.journal.lacks_seconds:
            run.journal.lacks_seconds = False
            self._refill = Refill(self.journal.path, run.run_id)
        if self._refill is not None:
            self.write(lambda: self._fill_in(run))

    def _fill_in(self, run: LiveRun) -> None:
        refill = self._refill
        assert refill is not None  # it was asked
        if not refill.goes_on:
            self._refill = None
            return
        seconds, phases = refill.some()
        if seconds and run.journal.fill_in(seconds, phases):
            refill.done(len(seconds))

    def _checkpoint(self) -> None:
        self.write(self.journal.checkpoint)
