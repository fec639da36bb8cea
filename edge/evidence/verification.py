"""What verifying a run came to: one of five answers, what differs, who signed, and between which times it was.

This module must never soften an answer: whatever was not checked is named.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from enum import StrEnum

import msgspec

from calibration.visible_text import visible
from edge.database.run_check import Altered


class Answer(StrEnum):
    """The five answers, the gravest first."""

    ALTERED = "ALTERED"
    UNSIGNED = "UNSIGNED"
    UNKNOWN_SIGNER = "UNKNOWN SIGNER"
    OTHER_SOFTWARE = "OTHER SOFTWARE"
    VERIFIED = "VERIFIED"


EXIT_STATUS = {
    Answer.VERIFIED: 0,
    Answer.ALTERED: 3,
    Answer.UNSIGNED: 4,
    Answer.UNKNOWN_SIGNER: 5,
    Answer.OTHER_SOFTWARE: 6,
}
"""Of the command; 1 where nothing could be said, 2 for wrong use, as always."""
MEANS = {
    Answer.VERIFIED: "all that is stated follows from the raw codes, and whose key sealed it is known",
    Answer.ALTERED: "what is stored is not what was measured, or not what was sealed",
    Answer.UNSIGNED: "all that is stated follows from the raw codes, but nobody vouches for these",
    Answer.UNKNOWN_SIGNER: "all that is stated follows from the raw codes, and whose key sealed them is not known here",
    Answer.OTHER_SOFTWARE: "the seal holds, and other software made the result: its numbers were not computed anew",
}


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is not as it was: in which table or file, which row, and what."""

    table: str
    row: str
    what: str

    @staticmethod
    def of(altered: Altered) -> Difference:
        """Get it as the database's own check says it."""
        return Difference(table=altered.table, row=altered.row, what=altered.what)


class RunShown(msgspec.Struct, frozen=True, kw_only=True):
    """Which run it is, and what its row says."""

    number: int
    uid: str
    sample_id: str
    kind: str
    verdict: str | None
    loss_pct: float | None
    U_pct: float | None
    invalid_because: str | None


class PersonSigned(msgspec.Struct, frozen=True, kw_only=True):
    """Who signed a run, as what, and when by their own clock; ``known``: by a key that is known for that name."""

    name: str
    meaning: str
    signed_utc: str
    fingerprint: str
    known: bool


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    """What verifying came to.

    ``signer`` is whose key it is where that is known, ``fingerprint`` the key's ('' where nobody signed). ``notes`` are
    what was found besides, ``not_recomputed`` what was left out and why.
    """

    answer: Answer
    run: RunShown | None
    differs: tuple[Difference, ...]
    signer: str | None
    fingerprint: str
    people: tuple[PersonSigned, ...]
    not_before: tuple[str, ...]
    not_after: tuple[str, ...]
    checked: tuple[str, ...]
    not_recomputed: tuple[str, ...]
    notes: tuple[str, ...]


def people_lines(people: Iterable[PersonSigned]) -> list[str]:
    """Get who signed, a line each."""
    lines = []
    for person in people:
        known = "" if person.known else "; whose key it is is not known here"
        said = f"{person.meaning}: {person.name}, {person.signed_utc}, key {person.fingerprint}{known}"
        lines.append(visible(said))
    return lines


def verification_text(found: Verification) -> list[str]:
    """Get it in lines, the answer first."""
    lines = [f"{found.answer}: {MEANS[found.answer]}"]
    if found.run is not None:
        lines.append(_run_line(found.run))
    lines += [f"differs: {d.table}, {d.row}: {d.what}" for d in found.differs]
    if found.fingerprint:
        lines.append(f"sealed by: {found.signer or 'nobody who is known here'}, key {found.fingerprint}")
    lines += people_lines(found.people)
    for what, told in (
        ("not before", found.not_before or ("nothing says",)),
        ("not after", found.not_after or ("nothing says",)),
        ("checked", found.checked),
        ("not computed anew", found.not_recomputed),
        ("note", found.notes),
    ):
        lines += [f"{what}: {line}" for line in told]
    return [visible(line) for line in lines]  # none of what was found may look like a line of ours


def _run_line(run: RunShown) -> str:
    came = run.verdict or "no verdict"
    if run.loss_pct is not None and run.U_pct is not None:
        came += f", loss {run.loss_pct:.4g} % ± {run.U_pct:.2g} %"
    elif run.invalid_because:
        came += f" ({run.invalid_because})"
    return f"run {run.number} ({run.uid}), sample {run.sample_id}, {run.kind}: {came}"


def utc_of(at_s: int) -> str:
    """Get a time in s since 1970 as UTC, and one that no calendar has as it is."""
    try:
        return datetime.datetime.fromtimestamp(at_s, datetime.UTC).isoformat(timespec="seconds")
    except (OverflowError, ValueError, OSError):
        return f"{at_s} s since 1970"
