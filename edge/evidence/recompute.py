"""A run's numbers once more, from its raw codes: seconds, events, weighings, budget and verdict, and where they differ.

The codes go through the same fold, phases and rule as when it was measured. Seconds are compared bit for bit; a figure
of the result to 1 part in 10⁹, for sums of a whole window are made by a library that may order them as its machine
likes (docs/evidence.md). This module must never take a number of the result for granted.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from edge.database import hash_chain
from edge.database.connection import Database, parsed_rows
from edge.database.linked_rows import second_row
from edge.database.outcome import newest_ended
from edge.database.queries import stored_run
from edge.database.run_check import Altered
from edge.database.seconds_hash import SECONDS_SAY, SecondsHash
from edge.database.stored_json import canonical, decoded
from edge.errors import BlankDoesNotMatch
from edge.records.event import FROM_FRAMES, Event
from edge.records.result import Result, as_json, from_json
from edge.records.run import RunKind
from edge.run.ended_again import ended_at, ended_run, why_it_ended
from edge.run.refold import RefoldedRun, refold
from edge.run.resume import stored_definition
from edge.verdict.judge import judge_night

CLOSE = 1e-9
"""Relative: by so much a figure of the result may differ on another machine."""
NOT_MEASURED = frozenset({"night", "true_loss_pct", "seed", "run_id"})
"""Fields of a result that no code says: a simulated rig's, and the run's number."""
DECIDES = (
    "verdict",
    "invalid_reason",
    "loss_pct",
    "u_pct",
    "U_pct",
    "k",
    "pc",
    "limit_pct",
    "comparator",
    "nu_eff",
    "method",
    "first_order",
    "monte_carlo",
    "budget",
    "m1_g",
    "m2_g",
    "reference_g",
    "weighings",
    "zeros",
    "check_weight",
    "hold_s",
    "hold_required_s",
    "excursions",
    "stops",
    "one_sided_pct",
    "visual_check",
)
"""Fields of a result that are the legally relevant part; the others word it, and a later version may word it better."""
_WORDS = "why"


@dataclass(frozen=True, slots=True)
class Recomputed:
    """What came of it: the first thing that differs (None: nothing does), and what was not computed anew.

    ``worded`` is what this version only says in other words, ``again`` the run as it was folded again.
    """

    differs: Altered | None
    left_out: tuple[str, ...] = ()
    worded: str | None = None
    again: RefoldedRun | None = None


def recompute(db: Database, run_id: int) -> Recomputed:
    """Compute a run anew. Raises ``BadDatabase`` where its chain is broken or what it says cannot be read."""
    stored = _stored_result(db, run_id)
    again = refold(db, run_id, ends=why_it_ended(db, run_id))
    for differs in _seconds(db, run_id, again):
        return Recomputed(differs)
    for differs in _events(db, run_id, again.folded.events):
        return Recomputed(differs)
    if stored is None:
        return Recomputed(None, ("it has no result",), again=again)
    if stored_run(db, run_id).kind is RunKind.REPLAY:
        left = ("the verdict of a replay: it is computed from the recording, halfpercent replay",)
        return Recomputed(None, left, again=again)
    return _result(db, run_id, again, stored)


def _stored_result(db: Database, run_id: int) -> Result | None:
    (text,) = db.execute("select result_json from runs where run_id = ?", [run_id]).fetchone()
    if text is None:
        return None
    with parsed_rows(f"run {run_id}: its result"):
        return from_json(decoded(text) | {"run_id": run_id})


# seconds: bit for bit


def _seconds(db: Database, run_id: int, again: RefoldedRun) -> Iterator[Altered]:
    rows = (second_row(run_id, s, p) for s, p in zip(again.folded.seconds(), again.folded.phases, strict=True))
    ended = newest_ended(db, run_id)
    stored = db.execute(f"select {', '.join(SECONDS_SAY)} from seconds where run_id = ? order by second", [run_id])
    found = stored.fetchall()
    if not found and ended is not None:  # a package has none: their hash is in the chain
        told = SecondsHash()
        told.add(rows)
        if (told.count, told.hexdigest()) != (ended.told.seconds, ended.told.seconds_sha256):
            yield Altered("seconds", f"run {run_id}", "folded again they have another hash than its chain says")
        return
    for has, row in zip_longest(found, rows):
        if has is None or row is None:
            where = f"second {row['second'] if row is not None else has[0]}"
            yield Altered("seconds", where, "is missing" if has is None else "is of no frame")
            return
        for name, value in zip(SECONDS_SAY, has, strict=True):
            if not _same_value(value, row[name]):
                yield Altered(
                    "seconds", f"second {row['second']}", f"{name} is {_shown(value)}, folded again {_shown(row[name])}"
                )
                return


def _same_value(a: object, b: object) -> bool:
    """Say whether two values of a column are one, to the bit; SQLite gives a whole number back as it was declared."""
    return a == b


# events that frames make


def _events(db: Database, run_id: int, events: Sequence[Event]) -> Iterator[Altered]:
    stored = [e for e in hash_chain.events(db, run_id) if e["kind"] in FROM_FRAMES]
    for has, event in zip_longest(stored, events):
        if has is None:
            yield Altered("events", f"second {event.seq}", f"{event.kind} is missing")
            return
        where = f"event {has['event']}"
        if event is None:
            yield Altered("events", where, f"{has['kind']} came of no frame")
            return
        said = (event.seq, str(event.kind), canonical(event.what.data()))
        if (has["second"], has["kind"]) != said[:2] or not _close(decoded(has["data_json"]), decoded(said[2])):
            yield Altered("events", where, f"{_shown(has['data_json'])}, folded again {_shown(said[2])}")
            return


# the result


def _result(db: Database, run_id: int, again: RefoldedRun, stored: Result) -> Recomputed:
    says = as_json(stored)
    decides = {name: says[name] for name in DECIDES if name in says}
    found: Recomputed | None = None
    try:
        for _, result in rejudged(db, run_id, again):
            anew = as_json(result)
            place = _first_difference(decides, anew, "")
            if place is None:
                return Recomputed(None, worded=_first_difference(says, anew, ""), again=again)
            found = found or Recomputed(Altered("runs", f"run {run_id}, result", place))
    except (BlankDoesNotMatch, ArithmeticError, ValueError) as e:
        return Recomputed(Altered("runs", f"run {run_id}", f"cannot be judged again ({e})"))
    assert found is not None  # there is a day
    return found


def rejudged(db: Database, run_id: int, again: RefoldedRun) -> Iterator[tuple[datetime.date, Result]]:
    """Judge a run that was folded again, for each of the days on which it may have been judged, with that day.

    Raises ``BadDatabase`` where what it goes by cannot be read.
    """
    definition = stored_definition(db, stored_run(db, run_id))
    for day in _days(db, run_id):
        yield day, judge_night(ended_run(db, run_id, again, day, definition))


def _days(db: Database, run_id: int) -> list[datetime.date]:
    """Get the days on which it may have been judged: that of its end, and of the minute before."""
    at = ended_at(db, run_id)
    return sorted({at.date(), (at - datetime.timedelta(minutes=1)).date()}, reverse=True)


def _first_difference(has: object, anew: object, where: str) -> str | None:
    """Get what of a stored value is not in the one that was computed anew, in words; what is new does not count."""
    if isinstance(has, Mapping) and isinstance(anew, Mapping):
        for name in has:
            if name == _WORDS or (not where and name in NOT_MEASURED):
                continue
            place = f"{where}.{name}" if where else str(name)
            if name not in anew:
                return f"{place} is {_shown(has[name])}, computed again it is not there"
            if found := _first_difference(has[name], anew[name], place):
                return found
        return None
    if isinstance(has, list) and isinstance(anew, list) and len(has) == len(anew):
        for i, (a, b) in enumerate(zip(has, anew, strict=True)):
            if found := _first_difference(a, b, f"{where}[{i}]"):
                return found
        return None
    return None if _close(has, anew) else f"{where} is {_shown(has)}, computed again {_shown(anew)}"


def _close(a: object, b: object) -> bool:
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return a.keys() == b.keys() and all(_close(a[name], b[name]) for name in a)
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(map(_close, a, b))
    if isinstance(a, float) and isinstance(b, int | float) and not isinstance(b, bool):
        return math.isclose(a, b, rel_tol=CLOSE, abs_tol=1e-12)
    return a == b


def _shown(value: object) -> str:
    return f"{value}"[:60]
