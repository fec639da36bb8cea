"""A long bench in pieces: what was found is appended to a file, and a later run on the same commit goes on there.

Each line is one task's findings, written as soon as it is done: a bench that is killed loses what it had in hand. This
module must never mix two commits, nor what no commit holds.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

MIXED = "it is of another commit ({old}; this is {new}): take another file"
CHANGED = "there are changes that no commit holds: commit first"


class Pieces:
    """A file of findings by task (any JSON value). Raises ``ValueError`` where it cannot be gone on with."""

    def __init__(self, path: Path, commit: str) -> None:
        if commit.endswith("with changes"):
            raise ValueError(f"{path}: {CHANGED}")
        self.found: dict[str, Any] = {}
        self.took_s = 0.0
        self._path, self._began = path, time.monotonic()
        for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
            try:
                one = json.loads(line)
                of, task, took_s, found = one["commit"], one["task"], one["took_s"], one["found"]
            except (ValueError, KeyError, TypeError):
                continue  # a line that a kill has cut
            if of != commit:
                raise ValueError(f"{path}: {MIXED.format(old=of, new=commit)}")
            self.took_s += took_s
            self.found[task] = found
        self._commit = commit
        with path.open("a", encoding="utf-8") as file:
            file.write("\n")  # behind a line that was cut

    def add(self, task: str, found: Any) -> None:
        """Append what a task found, with the time since the last one."""
        now = time.monotonic()
        took_s, self._began = round(now - self._began, 3), now  # what the line says, or a sum would not be the lines'
        self.took_s += took_s
        self.found[task] = found
        line = json.dumps({"commit": self._commit, "task": task, "took_s": took_s, "found": found})
        with self._path.open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")
