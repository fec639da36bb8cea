"""The hash of a run's seconds, that goes along as they are written or is made of what is stored: the same bits.

Each row is hashed as its columns say it, in their order, but for the run's number (docs/evidence.md). This module must
never read a column otherwise than SQLite gives it back.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from operator import itemgetter

from sqlite_utils import Database

from .preimage import Value, value_bytes

SECONDS_SAY = (
    "second",
    "elapsed_s",
    "phase",
    "mass_g",
    "sd_g",
    "temp_c",
    "cell_temp_c",
    "pressure_pa",
    "qualified",
    "hold_s",
    "loss_pct",
    "drift_g_per_h",
    "zero_code",
    "samples_ok",
    "samples_bad",
    "samples_spike",
    "bad_because",
)
_INTEGERS = ("second", "qualified", "samples_ok", "samples_bad", "samples_spike")
_IS_REAL = tuple(name not in _INTEGERS for name in SECONDS_SAY)
_said = itemgetter(*SECONDS_SAY)


class SecondsHash:
    """The SHA-256 of rows of seconds, in their order; ``count`` is how many it has seen."""

    def __init__(self) -> None:
        self.count = 0
        self._sha = hashlib.sha256()

    def add(self, rows: Iterable[Mapping[str, Value]]) -> None:
        """Take rows as they are written. Raises ``ValueError``, ``TypeError`` for what no column holds."""
        for row in rows:
            self._sha.update(value_bytes(map(_as_stored, _said(row), _IS_REAL)))
            self.count += 1

    def add_stored(self, values: Iterable[Value]) -> None:
        """Take the columns of :data:`SECONDS_SAY` of a stored row. Raises as :meth:`add`."""
        self._sha.update(value_bytes(values))
        self.count += 1

    def hexdigest(self) -> str:
        """Get the hash of all rows so far, in hexadecimal."""
        return self._sha.hexdigest()


def _as_stored(value: Value, is_real: bool) -> Value:
    """Get a value as SQLite gives it back: a column of real numbers holds no integer."""
    return float(value) if is_real and isinstance(value, int) else value


def stored_seconds_hash(db: Database, run_id: int) -> SecondsHash:
    """Get the hash of a run's seconds as they are stored. Raises ``ValueError``, ``TypeError`` as :meth:`add`."""
    out = SecondsHash()
    sql = f"select {', '.join(SECONDS_SAY)} from seconds where run_id = ? order by second"
    for values in db.execute(sql, [run_id]):
        out.add_stored(values)
    return out
