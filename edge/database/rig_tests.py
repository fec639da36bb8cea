"""Which tests of the rig itself a database holds, by the certificate they were made with: the newest of each control.

Read-only. This module must never say whether a rig is fit: the stored result says so.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from edge.records.run import RunState

from .connection import translated_errors
from .reading import open_readonly

MOST_TESTS = 100
"""The newest ones: of each control the newest counts."""


def tests_of_the_rig(path: Path, certificate_sha256: str) -> list[int]:
    """Get the numbers of the runs that may have tested the rig with a certificate, newest first.

    Raises ``BadDatabase``.
    """
    sql = (
        "select run_id from runs where certificate_sha256 = ? and state = ? and result_json is not null and "
        "settings_json like '%\"suitability\"%' order by run_id desc limit ?"
    )
    with closing(open_readonly(path)) as db, translated_errors(path):
        rows = db.execute(sql, [certificate_sha256, str(RunState.DONE), MOST_TESTS]).fetchall()
    return [run_id for (run_id,) in rows if isinstance(run_id, int)]
