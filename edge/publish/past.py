"""What a rig's own past says, looked for in a process of its own: ``python -m edge.publish.past DATABASE``.

What charts are calculated with is twice what a publisher may hold all night; so it is held for a second, now and then.
This module must never be waited for: whoever began a look asks whether it is done.
"""

from __future__ import annotations

import datetime
import os
import subprocess
import sys
import time
from pathlib import Path

import msgspec

from edge.doctor.finding import Finding

WITHIN_S = 120.0
"""A look that takes longer is ended."""
MOST_BYTES = 60_000
"""Less than a pipe holds, so that it is written without anybody reading."""


class Past:
    """The looks at one database. ``found`` is what the last one gave."""

    def __init__(self, database: Path) -> None:
        self.found: tuple[Finding, ...] = ()
        self._database = database
        self._child: subprocess.Popen[bytes] | None = None
        self._until_s = 0.0

    def begin(self) -> None:
        """Begin a look."""
        self.end()
        argv = [sys.executable, "-m", "edge.publish.past", str(self._database)]
        env = os.environ | {"OPENBLAS_NUM_THREADS": "1", "NUMBA_DISABLE_JIT": "1"}
        try:
            self._child = subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        except OSError as e:
            self.found = _not_known(e.strerror or "no process could be begun")
        self._until_s = time.monotonic() + WITHIN_S

    def is_done(self) -> bool:
        """Say whether the look that was begun has ended; then ``found`` is its."""
        child = self._child
        if child is None:
            return True
        if child.poll() is None:
            if time.monotonic() < self._until_s:
                return False
            self.end()
            self.found = _not_known(f"it took longer than {WITHIN_S:.0f} s")
            return True
        self._child = None
        assert child.stdout is not None
        with child.stdout:
            said = child.stdout.read(MOST_BYTES)
        try:
            self.found = msgspec.json.decode(said, type=tuple[Finding, ...])
        except msgspec.DecodeError:
            self.found = _not_known(f"it ended with status {child.returncode}")
        return True

    def end(self) -> None:
        """End a look that is under way."""
        if self._child is not None:
            self._child.kill()
            self._child.communicate()
            self._child = None


def _not_known(why: str) -> tuple[Finding, ...]:
    return (Finding("trend", "warn", f"the rig's past was not looked at: {why}", "halfpercent trends"),)


def main(database: Path) -> None:
    """Print what the past of a database's rig says, as JSON."""
    from edge.doctor.over_time import its_past

    found = list(its_past(database, datetime.datetime.now(datetime.UTC)))
    while len(said := msgspec.json.encode(found)) > MOST_BYTES:
        found.pop()
    sys.stdout.buffer.write(said)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
