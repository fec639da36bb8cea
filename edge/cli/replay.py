"""The command ``replay``: somebody's recording, judged.

This module must never judge: it turns options into what ``edge.replay.observed`` is given.
"""

from __future__ import annotations

import contextlib
import datetime
import time
import unicodedata
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .no_circles import no_circles
from .options import (
    DB_NAME,
    NATIONAL,
    as_json_option,
    claim_option,
    composition_option,
    database_to_write,
    db_option,
    one_line,
    specimen_option,
    standard_option,
    typed,
)
from .report import show_result
from .say import say_json, say_wrapped

if TYPE_CHECKING:
    from calibration.certificate import Certificate
    from edge.records.sample import Air
    from edge.standards.standard import Standard


@click.command("replay")
@click.argument("file", type=click.Path(path_type=Path))
@standard_option
@click.option("--certificate", "certificate_path", type=click.Path(path_type=Path), help="Turns codes into grams.")
@click.option("--weigh", type=click.Choice(["cold", "hot"]), help="M1 and M2, or from the hold alone [standard's].")
@click.option("--columns", default="", help="Other headers or units: temp_c=T_C,mass_mg=m_mg.")
@click.option("--map", "pairs", multiple=True, help='A column by its header or number: "mass_g=Mass/g, TG", temp_c=#3.')
@click.option("--declare", multiple=True, help="What it lacks: temp_c=120, u_mass_g=0.001, start_mass_g=5.2.")
@click.option("--decimal", type=click.Choice(["point", "comma"]), help="How numbers are written [found out].")
@click.option("--held-at-most", type=click.FloatRange(0, 86_400), default=600.0, help="Hold a value so many s [600].")
@click.option("--skip-bad-rows", is_flag=True, help="Leave out rows that cannot be read; the result counts them.")
@click.option("--dry-run", is_flag=True, help="Only say how the file is read.")
@click.option("--sample", "sample_id", callback=one_line, help="The sample's name [the file's].")
@click.option("--blank-run", is_flag=True, help="The sample is an inert dummy.")
@click.option("--blank", "blanks", multiple=True, help="Subtract this blank run (its number); again: their mean.")
@claim_option
@composition_option
@specimen_option
@click.option("--density", help="The sample's density in g/cm³: 2.5 or 1.8..3.5 [1..10].")
@click.option("--density-u", type=float, help="Standard uncertainty of --density 2.5, in g/cm³ [±10 %].")
@click.option("--air", multiple=True, help="The room's air, hPa,°C,%: 1013.25,23.5,45; again where M2's was read.")
@click.option("--out", type=click.Path(path_type=Path), help=f"A folder: leaves {DB_NAME} there.")
@db_option
@as_json_option
@no_circles()
def replay_recording(
    file: Path,
    standard_name: str | None,
    certificate_path: Path | None,
    weigh: str | None,
    columns: str,
    pairs: tuple[str, ...],
    declare: tuple[str, ...],
    decimal: str | None,
    held_at_most: float,
    skip_bad_rows: bool,
    dry_run: bool,
    sample_id: str | None,
    blank_run: bool,
    blanks: tuple[str, ...],
    claim: str | None,
    composition: str | None,
    specimen_path: Path | None,
    density: str | None,
    density_u: float | None,
    air: tuple[str, ...],
    out: Path | None,
    db: Path | None,
    as_json: bool,
) -> None:
    """Judge a recording: time, mass (or raw codes) and temperature, as a balance, a TGA or a logger wrote them."""
    from calibration.certificate import load_certificate
    from edge.database.journal import Journal
    from edge.database.shown_runs import unaltered_result
    from edge.records.sample import Sample, parse_air, parse_density
    from edge.records.specimen import with_specimen
    from edge.records.specimen_file import load_specimen
    from edge.replay.columns import parse_columns
    from edge.replay.judge import ReplayOrder, parse_declared
    from edge.replay.judge import replay as judged
    from edge.replay.reading import How
    from edge.replay.recording import read
    from edge.replay.run_csv_reader import is_run_file
    from edge.standards.standard import load_standard

    standard = None if standard_name is None else load_standard(standard_name)
    certificate = None if certificate_path is None else load_certificate(certificate_path)
    if is_run_file(file):
        said = SaidOfRun(sample_id, claim, composition, parse_density(density, density_u), parse_air(air))
        path = None if db is None and out is None else database_to_write(db, out)
        _replay_run(file, said, standard, certificate, specimen_path, dry_run, path, as_json)
        return
    name = unicodedata.normalize("NFC", file.stem) if sample_id is None else sample_id
    sample = Sample(name, claim, composition, parse_density(density, density_u), parse_air(air))
    specimen = None if specimen_path is None else load_specimen(specimen_path)
    if specimen is not None:
        sample = with_specimen(sample, specimen, datetime.datetime.now().astimezone(), begins_now=False)
    standard = standard or load_standard(NATIONAL)
    declared = parse_declared(declare)
    mapping, use_counts = parse_columns(columns, pairs), certificate is not None
    mark = {"point": ".", "comma": ","}.get(decimal or "", "")
    how = How(declared.start_mass_g, mark, skip_bad_rows, held_at_most)
    recording = read(file, columns=mapping, use_counts=use_counts, temp_declared_c=declared.temp_c, how=how)
    if dry_run:
        read_as = {"verdict": None, "file": str(file), "read_as": recording.read_as, "notes": recording.notes}
        say_json(read_as) if as_json else say_wrapped(f"{file}: {recording.read_as}")
        return
    path = None if db is None and out is None else database_to_write(db, out)
    if blanks and path is None:
        raise click.UsageError("--blank names a run in a database: give --db or --out too")
    subtracted = tuple(unaltered_result(path, blank) for blank in blanks) if path is not None else ()
    order = ReplayOrder(
        standard,
        certificate,
        "hot" if (weigh or standard.weigh.value) == "hot" else "cold",
        sample,
        time.time(),
        declared,
        blanks=subtracted,
        is_blank=blank_run,
        specimen=specimen,
    )
    with contextlib.nullcontext() if path is None else Journal(path) as journal:
        result = judged(recording, order, journal)
    show_result(result, as_json, path)


@dataclass(frozen=True, slots=True)
class SaidOfRun:
    """What is said of a run's sample instead of what its file says. None and (): as the file says."""

    sample_id: str | None
    claim: str | None
    composition: str | None
    density_g_cm3: tuple[float, float] | None
    air: tuple[Air, ...]


_SAYS_ITSELF = ("columns", "pairs", "declare", "decimal", "weigh", "skip_bad_rows", "blanks", "blank_run")
"""What a run's own file says, or has no use for."""


def _replay_run(
    file: Path,
    said: SaidOfRun,
    standard: Standard | None,
    certificate: Certificate | None,
    specimen_path: Path | None,
    dry_run: bool,
    path: Path | None,
    as_json: bool,
) -> None:
    """Judge a run that ``export`` wrote, as the instrument did."""
    from edge.database.journal import Journal
    from edge.records.specimen import with_specimen
    from edge.records.specimen_file import load_specimen
    from edge.replay.run_csv_judge import Instead, judge_run_csv, read_as, store_run_csv
    from edge.replay.run_csv_reader import read_run_csv

    ctx = click.get_current_context()
    given = [p for p in ctx.command.params if p.name in _SAYS_ITSELF and typed(str(p.name))]
    if given:
        raise click.UsageError(f"{given[0].opts[0]} is for other recordings: a run that was exported says it itself")
    read = read_run_csv(file)
    if dry_run:
        told = {"verdict": None, "file": str(file), "read_as": read_as(read), "notes": ()}
        say_json(told) if as_json else say_wrapped(f"{file}: {read_as(read)}")
        return
    sample = replace(
        read.head.sample, **{name: value for name in SaidOfRun.__slots__ if (value := getattr(said, name))}
    )
    specimen = None if specimen_path is None else load_specimen(specimen_path)
    if specimen is not None:
        sample = with_specimen(sample, specimen, datetime.datetime.now().astimezone(), begins_now=False)
    judged = judge_run_csv(read, file, Instead(standard, certificate, sample, specimen))
    with contextlib.nullcontext() if path is None else Journal(path) as journal:
        result = judged.result if journal is None else store_run_csv(journal, read, judged, time.time())
    show_result(result, as_json, path)
