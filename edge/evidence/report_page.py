"""The report as a page that any browser shows, as it lies in a package: made again from that, byte for byte.

Its curve is drawn from the seconds, of which a package has none: they are folded again. This module must never say what
does not follow from the run's own database and its seal.
"""

from __future__ import annotations

import datetime
import tempfile
from contextlib import closing
from pathlib import Path

import msgspec

from edge.database.connection import Database, parsed_rows
from edge.database.curve import stored_curve
from edge.database.facts import run_facts
from edge.database.reading import open_readonly
from edge.database.run_file import write_whole_run
from edge.records.report_about import ProofTold
from edge.records.result import Result
from edge.report.contents import Report
from edge.report.html import report_html
from edge.report.language import Language
from edge.run.refold import RefoldedRun


def report_page(database: Path, run_id: int, result: Result, fingerprint: str | None) -> bytes:
    """Make the page from a database that has the run's seconds; ``fingerprint`` is that of the key that sealed it.

    It is dated on the day of the run's end. Raises ``BadDatabase``.
    """
    with closing(open_readonly(database)) as db:
        issued = _day(db, run_id)
    facts, curve = run_facts(database, run_id), stored_curve(database, run_id)
    report = Report(result, facts, curve, issued, proof=ProofTold(rig_key=fingerprint))
    return report_html(report, Language.ENGLISH).encode()


def report_page_again(
    database: Path, run_id: int, result: Result, fingerprint: str | None, again: RefoldedRun
) -> bytes:
    """Make it from a package's database and the seconds that were folded again. Raises as :func:`report_page`."""
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "whole.sqlite"
        write_whole_run(database, run_id, whole, zip(again.folded.seconds(), again.folded.phases, strict=True))
        return report_page(whole, run_id, result, fingerprint)


def _day(db: Database, run_id: int) -> datetime.date:
    (at,) = db.execute("select coalesce(ended_utc, started_utc) from runs where run_id = ?", [run_id]).fetchone()
    with parsed_rows(f"run {run_id}: its end"):
        return datetime.datetime.fromisoformat(msgspec.convert(at, str)).date()
