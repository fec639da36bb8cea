"""The rows of seconds that a new file lacks, folded again beside the measurement and handed over a few at a time.

This module must never write: whoever measures does, between two frames.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from edge.database.connection import SqliteError
from edge.database.reading import LONG_CPU_S, MOST_ROW_BYTES, open_readonly
from edge.errors import HalfpercentError
from edge.records.second import Second
from edge.run.refold import fold_again

AT_ONCE = 1000
"""Rows in one transaction: some 10 ms."""

_log = logging.getLogger("halfpercent")


class Refill:
    """Folds what is stored of a run again, in a thread of its own."""

    def __init__(self, path: Path, run_id: int) -> None:
        self._path, self._run_id = path, run_id
        self._seconds: Sequence[Second] = ()
        self._phases: Sequence[str] = ()
        self._at = 0
        self._thread = threading.Thread(target=self._fold, name="refill", daemon=True)
        self._thread.start()

    def _fold(self) -> None:
        try:
            with closing(open_readonly(self._path, cpu_s=LONG_CPU_S, most_bytes=MOST_ROW_BYTES)) as db:
                folded = fold_again(db, self._run_id).folded
        except (HalfpercentError, SqliteError, OSError) as e:  # a report can be made without these rows
            _log.error("run %d: the rows of its seconds cannot be made anew: %s", self._run_id, e)
            return
        self._phases = folded.phases
        self._seconds = folded.seconds()

    @property
    def goes_on(self) -> bool:
        """Say whether there is more to come."""
        return self._thread.is_alive() or self._at < len(self._seconds)

    def some(self) -> tuple[Sequence[Second], Sequence[str]]:
        """Get the next rows, none while they are being folded."""
        if self._thread.is_alive():
            return (), ()
        part = slice(self._at, self._at + AT_ONCE)
        return self._seconds[part], self._phases[part]

    def done(self, n: int) -> None:
        """Take note that so many were written."""
        self._at += n
