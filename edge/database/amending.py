"""An amended result, written into the chain of a run that has ended: the mass that came late, and what it came to.

The result that stood until then stays whole in the link that amends it. This module must never judge, and never amend
a run that is not as its chain says.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlite_utils import Database

from edge.errors import BadValue, DamagedDatabase, NoSuchRun, TooMuch
from edge.records.balance import BalanceSaid
from edge.records.event import Event, Happening
from edge.records.result import Result, as_json
from edge.records.run_end import ResultAmended

from .connection import translated_errors
from .corrections import MOST_AMENDED, stored_amendments
from .hash_chain import ChainEnds, chain_ends
from .journal import Journal
from .linked_rows import linked_event
from .outcome import RESULT_COLUMNS, sha256_of_text
from .run_check import check_run
from .stored_json import canonical


@dataclass(frozen=True, slots=True)
class LateMass:
    """A mass of the laboratory's balance that came after a run's end, and what the run came to with it.

    ``was_sha256`` is of the result that it was judged beside: another one in the meantime is not amended by it.
    """

    run_id: int
    said: BalanceSaid
    result: Result
    was_sha256: str


def stored_result_sha256(db: Database, run_id: int) -> str:
    """Get the SHA-256 of a run's result as it is stored. Raises ``NoSuchRun`` where it has none."""
    return sha256_of_text(_result_text(db, run_id))


def amend(journal: Journal, late: LateMass, who: str, wall_s: float) -> ResultAmended:
    """Write a late mass and the amended result: both results stay, the new one names the old.

    Raises ``NoSuchRun`` where the run has no result, ``BadValue`` where that has changed since, ``TooMuch`` where it
    was amended too often, ``DamagedDatabase`` where the run is altered.
    """
    db, path, run_id, said = journal.db, journal.path, late.run_id, late.said
    with translated_errors(path):
        was = _result_text(db, run_id)
        if sha256_of_text(was) != late.was_sha256:
            raise BadValue("mass", f"{said.mass_g:g} g", "another mass came in between: say it again")
        if len(stored_amendments(db, run_id)) >= MOST_AMENDED:
            raise TooMuch(f"run {run_id} was amended {MOST_AMENDED} times: no more is written down")
        if altered := check_run(db, run_id, full=False):
            raise DamagedDatabase(f"{path}: run {run_id} is ALTERED: {altered}: it is not amended")
        journal.require_own_file()
        plain = as_json(late.result)
        text = canonical(plain)
        why = f"{said.which.upper()} of balance {said.balance} came after the run's end: {said.mass_g:.10g} g"
        told = ResultAmended(sha256_of_text(text), late.was_sha256, was, why)
        columns = {column: plain.get(field) for column, field in RESULT_COLUMNS.items()}
        with db.atomic():
            ends = chain_ends(db, run_id)
            for what in (said, told):
                ends = _link(db, run_id, what, who, wall_s, ends)
            db.table("runs").update(run_id, {"result_json": text, **columns})
    return told


def _link(db: Database, run_id: int, what: Happening, who: str, wall_s: float, ends: ChainEnds) -> ChainEnds:
    sql = "select second, elapsed_s from events where run_id = ? order by event desc limit 1"
    second, elapsed_s = db.execute(sql, [run_id]).fetchone()  # what is written after a run's end has its time
    row = linked_event(run_id, Event(int(second), float(elapsed_s), what), who, wall_s, ends)
    db.table("events").insert(row)
    return ChainEnds(ends.chunk, ends.event + 1, ends.link + 1, bytes.fromhex(row["sha256"]))


def _result_text(db: Database, run_id: int) -> str:
    found = db.execute("select result_json from runs where run_id = ?", [run_id]).fetchone()
    if found is None or not isinstance(found[0], str):
        raise NoSuchRun(f"run {run_id} has no result yet: a mass of a run that is measured is said to it")
    return str(found[0])
