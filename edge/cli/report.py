"""The commands that show what is stored: ``runs`` and ``report``.

This module must never change what it shows.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from edge.errors import BadDatabase

from .options import as_json_option, database_to_read, db_option
from .say import for_terminal, say, say_json, say_lines, say_text, say_wrapped
from .witness import signers_option

if TYPE_CHECKING:
    from edge.database.shown_runs import ShownRun
    from edge.evidence.verification import PersonSigned
    from edge.records.report_about import ProofTold
    from edge.records.result import Result
    from edge.report.contents import Report
    from edge.report.language import Language

PACKAGE = "The evidence package of the run: halfpercent verify checks it"


def show_result(result: Result, as_json: bool, database: Path | None = None) -> None:
    """Print a result as text, or as one JSON object; where it is stored also what is said of its seal."""
    if as_json:
        from edge.records.result import as_json as as_json_object
        from edge.report.seal_text import seal_json

        where = {} if database is None else {"database": str(database)} | seal_json(database, result)
        say_json(as_json_object(result) | where)
        return
    from edge.report.seal_text import seal_lines
    from edge.report.text import text

    sealed = () if database is None else seal_lines(database, result)
    say_text("\n".join((text(result), *sealed)))


# what is stored


@click.command()
@click.option("--before", type=click.IntRange(1, 2**53), metavar="RUN", help="Only runs before this one.")
@click.option("--most", type=click.IntRange(1, 1000), default=200, show_default=True, help="So many, the newest.")
@db_option
@as_json_option
def runs(before: int | None, most: int, db: Path | None, as_json: bool) -> None:
    """List the newest runs in the database, a page at a time."""
    from edge.database.shown_runs import page_of_runs, runs_without_a_row
    from edge.report.run_list import HEAD, as_json_list, run_lines

    path = database_to_read(db)
    page = page_of_runs(path, before=before, most=most + 1)
    found = page[-most:]
    earlier = found[0].listed.run_id if len(page) > most else None
    left_out = runs_without_a_row(path)
    if as_json:
        more: dict[str, object] = {} if earlier is None else {"earlier_before": earlier}
        if left_out:
            more["left_out"] = left_out
        say_json({"database": str(path), "runs": as_json_list(found)} | more)
        return
    say_wrapped(HEAD)
    for run in found:
        for line in run_lines(run):
            say_wrapped(line)
    if left_out:
        say_wrapped(
            f"ALTERED: left out of runs, though events of them are stored: {', '.join(map(str, left_out[:20]))}"
        )
    unchecked = sum(not run.checked for run in found)
    if unchecked:
        say_wrapped(
            f"{unchecked} of them were not held against their chains, for want of time: report RUN does that for one."
        )
    if earlier is not None:
        say(f"There are earlier ones: halfpercent runs --before {earlier}")


@click.command()
@click.argument("run", default="last")
@click.option("--format", "form", type=click.Choice(["text", "html", "pdf", "json"]), default="text", show_default=True)
@click.option("--lang", type=click.Choice(["en", "zh"]), default="en", show_default=True, help="Of text, html and pdf.")
@click.option(
    "--about",
    type=click.Path(path_type=Path),
    help="A TOML file: number, customer, what was received (docs/report.md).",
)
@click.option(
    "--signed",
    "signed_file",
    type=click.Path(path_type=Path),
    help="The run's package as people signed it: their signatures are shown.",
)
@signers_option
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write it into this file.")
@db_option
@as_json_option
def report(
    run: str,
    form: str,
    lang: str,
    about: Path | None,
    signed_file: Path | None,
    signers_file: Path | None,
    output: Path | None,
    db: Path | None,
    as_json: bool,
) -> None:
    """Show a run's result. RUN is its number, or `last`, which it is where none is given."""
    from edge.report.text import text

    form = "json" if as_json else form
    path = database_to_read(db)
    whole = form in ("html", "pdf") or (form == "text" and lang != "en")
    shown, made = stored_report(path, run, about, drawn=whole)
    package = None
    people: tuple[PersonSigned, ...] = ()
    if signed_file is not None:
        package, people = _signed(path, shown.result, signed_file, signers_file)
        made = None if made is None else replace(made, proof=_with_people(made.proof, people))
    if form == "json":
        give(_json_of(path, shown, made, people), output)
    elif form == "text" and lang != "en" and made is not None:
        from edge.report.language import Language
        from edge.report.plain import report_plain

        with _forged_numbers(path, run):
            lines = report_plain(made, Language(lang))
        give(lines if output is not None else for_terminal(lines), output)
    elif form == "text":
        from edge.evidence.verification import people_lines
        from edge.report.run_list import checked_lines
        from edge.report.seal_text import seal_lines
        from edge.report.text_header import header_lines

        header = () if made is None else map(_visible, header_lines(made))
        with _forged_numbers(path, run):
            told = (*checked_lines(shown), *header, text(shown.result), *seal_lines(path, shown.result))
        lines = "\n".join((*told, *people_lines(people)))
        give(lines if output is not None else for_terminal(lines), output)
    elif made is None:
        raise BadDatabase(
            f"{path}: run {run} is ALTERED: {shown.altered}: its text can be shown, no {form} is made of it"
        )
    else:
        _give_document(path, made, form, lang, output, package)


def stored_report(
    database: Path, run: str, about: Path | None = None, *, drawn: bool = True
) -> tuple[ShownRun, Report | None]:
    """Get a stored run's result, and all that its report says, with its curve where it is ``drawn``.

    There is no report (None) of a run that is altered so that what is stored beside its result cannot be read.
    Raises ``NoSuchRun``, ``BadDatabase``, ``BadInput``.
    """
    import datetime

    from edge.database.curve import stored_curve
    from edge.database.facts import run_facts
    from edge.database.shown_runs import shown_run
    from edge.errors import DamagedDatabase
    from edge.records.curve import RecordedCurve
    from edge.records.report_about import NO_PROOF, NOTHING_SAID, load_about
    from edge.report.contents import Report
    from edge.report.seal_text import proof_of, sealed_head

    said = NOTHING_SAID if about is None else load_about(about)
    shown = shown_run(database, run, lambda run_id: sealed_head(database, run_id))
    result, run_id = shown.result, shown.result.run_id
    assert isinstance(run_id, int)  # it is stored
    try:
        facts = run_facts(database, run_id)
        curve = stored_curve(database, run_id) if drawn else RecordedCurve(())
    except DamagedDatabase:
        if shown.altered is None:
            raise
        return shown, None
    today = datetime.datetime.now().astimezone().date()
    altered = None if shown.altered is None else str(shown.altered)
    outside = shown.not_in_chain
    proof = proof_of(database, run_id) if drawn else NO_PROOF
    return shown, Report(result, facts, curve, today, said, proof, altered=altered, not_in_chain=outside)


def _forged_numbers(path: Path, run: str) -> AbstractContextManager[None]:
    """Turn what numbers that no judge wrote do to who words or draws them into one line."""
    from edge.database.connection import parsed_rows

    return parsed_rows(f"{path}: the result of run {run}")


def _json_of(path: Path, shown: ShownRun, made: Report | None, people: tuple[PersonSigned, ...] = ()) -> str:
    import json

    from calibration.visible_text import visible_json
    from edge.records.result import as_json as as_json_object
    from edge.report.seal_text import seal_json

    altered = None if shown.altered is None else str(shown.altered)
    whole = {"altered": altered, "not_in_chain": shown.not_in_chain} | as_json_object(shown.result)
    record = None if made is None else msgspec.to_builtins(made.facts)
    whole |= seal_json(path, shown.result)
    if people:
        whole["signatures"] = msgspec.to_builtins(people)
    return visible_json(json.dumps(whole | {"record": record}, ensure_ascii=False, allow_nan=False))


def _signed(
    database: Path, result: Result, file: Path, signers_file: Path | None
) -> tuple[bytes, tuple[PersonSigned, ...]]:
    """Get a package that people signed, and who did. Raises ``BadEvidence`` where it is not of this run's own seal."""
    from calibration.bounded_file import NotReadable, read_regular_file
    from edge.errors import BadEvidence
    from edge.evidence.archive import MOST_BYTES
    from edge.evidence.package import MANIFEST, read_package
    from edge.evidence.people import people_who_signed
    from edge.report.seal_text import stored_seal
    from edge.seal.signers import Signers

    try:
        raw = read_regular_file(file, MOST_BYTES)
    except NotReadable as e:
        raise BadEvidence(f"{file}: {e}: give the file that was signed") from e
    package = read_package(raw, str(file))
    assert isinstance(result.run_id, int)  # it is stored
    seal = stored_seal(database, result.run_id)
    if isinstance(seal, str):
        raise BadEvidence(f"run {result.run_id} has no seal that people could have signed: {seal}")
    if package.files.get(MANIFEST) != seal.raw:
        raise BadEvidence(f"{file}: is not of run {result.run_id} as it is sealed: give the package of that run")
    return raw, people_who_signed(package, Signers() if signers_file is None else Signers.load(signers_file))


def _with_people(proof: ProofTold, people: tuple[PersonSigned, ...]) -> ProofTold:
    from edge.records.report_about import SignatureTold

    told = (SignatureTold(p.meaning, p.name, p.signed_utc, p.fingerprint, p.known) for p in people)
    return replace(proof, signatures=tuple(told))


def _visible(line: str) -> str:
    from calibration.visible_text import visible

    return visible(line)


def give(lines: str, output: Path | None) -> None:
    """Say lines that each are ours, or write them into a file."""
    if output is None:
        say_lines(lines)
    else:
        _write(output, (lines + "\n").encode())


def _pdf(path: Path, made: Report, language: Language, package: bytes | None) -> bytes:
    """Get the PDF of a report with its run's evidence package in it; without one, standard error says why."""
    from edge.errors import HalfpercentError
    from edge.evidence.package import make_package
    from edge.report.html import report_html
    from edge.report.pdf import Attached, report_pdf

    attached = []
    name = f"run-{made.facts.run_id}.eln"
    try:
        content = package or make_package(path, str(made.facts.run_id)).to_bytes()
    except HalfpercentError as e:
        say(f"no evidence package is attached: {e}", err=True)
    else:
        attached.append(Attached(name, content, PACKAGE))
        made = replace(made, proof=replace(made.proof, package=name))
    return report_pdf(report_html(made, language), attached)


def _give_document(path: Path, made: Report, form: str, lang: str, output: Path | None, package: bytes | None) -> None:
    import sys

    from edge.errors import BadInput
    from edge.report.html import report_html
    from edge.report.language import Language

    if form == "pdf" and output is None and sys.stdout.isatty():
        raise BadInput("a PDF is no text: name a file for it with -o")
    language = Language(lang)
    with _forged_numbers(path, str(made.facts.run_id)):
        content = report_html(made, language).encode() if form == "html" else _pdf(path, made, language, package)
    give_bytes(content, output)


def give_bytes(content: bytes, output: Path | None) -> None:
    """Write a file's content to standard output, or into a file."""
    import sys

    if output is None:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    else:
        _write(output, content)


def _write(output: Path, content: bytes) -> None:
    """Write a file whole or not at all, and say where it is."""
    import secrets

    from edge.errors import BadInput

    new = output.with_name(f".{output.name}.{secrets.token_hex(4)}")
    try:
        new.write_bytes(content)
        new.replace(output)
    except OSError as e:
        new.unlink(missing_ok=True)
        raise BadInput(f"{output}: {e.strerror}: choose another place") from e
    say(f"Written: {output} ({len(content) / 1000.0:.0f} kB)")
