"""The command ``halfpercent``: words in, one line out where something is wrong.

Each command imports what it needs when it runs: ``--help`` and ``runs`` load no compiler. Exit status 0: the
command did its job, whatever the verdict; 1: it could not; 2: wrong use. No traceback is ever shown for what
a person, a disk or a chip did.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click
from click.core import ParameterSource

from edge import __version__, calibrating, controls, ending, running
from edge.errors import BadInput

if TYPE_CHECKING:
    from calibration.certificate import Certificate
    from edge.records.event import Event
    from edge.records.second import Second

DB_NAME = "halfpercent.db"
NATIONAL = "gbt-48093-1-2026"
_as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
_db = click.option(
    "--db", type=click.Path(path_type=Path), envvar="HALFPERCENT_DB", help="The database (or HALFPERCENT_DB)."
)
_claim = click.option("--claim", help='The name it is sold by, such as "semi-solid".')
_standard = click.option("--standard", "standard_name", help="A standard's name or its TOML file.")


@click.group(cls=ending.Commands, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="halfpercent")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Is this battery really solid-state? Mass loss after 6 h at 120 °C under vacuum, with its uncertainty."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def main() -> NoReturn:
    """Run the command and end the process with its exit status."""
    ending.run(cli)


def _named(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Take a name that a record can hold and a line can show."""
    if value is not None and not (value.strip() and value.isprintable() and len(value) <= 200):
        raise click.BadParameter("give one line of text, at most 200 characters")
    return value


_composition = click.option(
    "--composition", callback=_named, help='What it is said to hold, such as "oxide, liquid 3 %".'
)


def user_db() -> Path:
    """Get where a person's own runs are kept when nothing else is said."""
    try:
        home = os.environ.get("XDG_DATA_HOME") or Path("~/.local/share").expanduser()
    except RuntimeError as e:
        raise BadInput("you have no home folder: name the database with --db or HALFPERCENT_DB") from e
    return Path(home) / "halfpercent" / DB_NAME


def _reading(db: Path | None) -> Path:
    """Get the database to read: what was given, else the instrument's, else the person's own."""
    from edge.instrument.config import VAR

    return db or (VAR if os.access(VAR, os.R_OK) else user_db())


def _writing(db: Path | None, out: Path | None) -> Path:
    """Get the database to write, its folder made where it is ours to make. ``--out`` beats HALFPERCENT_DB."""
    by = click.get_current_context().get_parameter_source("db")
    if db and out and by is not ParameterSource.ENVIRONMENT:
        raise click.UsageError("--db and --out both name the database: give one")
    if db and not out:
        return db
    path = out / DB_NAME if out else user_db()
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _show(result: dict[str, Any], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(result, ensure_ascii=False, allow_nan=False))
        return
    from edge.report.text import text

    click.echo(text(result))


# demo and replay


@cli.command()
@click.option("--scenario", default="solid", show_default=True, help="solid, hybrid, liquid, borderline or drift.")
@click.option("--seed", default=1, show_default=True, type=click.IntRange(0, 2**31 - 1), help="Of all that is random.")
@click.option("--bridge", default="nau7802", show_default=True, help="nau7802 or hx711.")
@click.option("--sample", "sample_id", default="demo", show_default=True, callback=_named, help="The sample's name.")
@click.option("--out", type=click.Path(path_type=Path), help=f"A folder: leaves {DB_NAME} there.")
@_db
@_as_json
@_standard
@_claim
@_composition
@click.option("--zero-after", is_flag=True, help="The zero is taken again after M2.")
@click.option("--check-weight", "check_weight_g", type=float, help="And this check weight, in g, put on.")
def demo(
    scenario: str,
    seed: int,
    bridge: str,
    sample_id: str,
    out: Path | None,
    db: Path | None,
    as_json: bool,
    standard_name: str | None,
    claim: str | None,
    composition: str | None,
    zero_after: bool,
    check_weight_g: float | None,
) -> None:
    """Run a whole test on the simulated rig, through the real drivers, in seconds."""
    from edge.database.journal import Journal
    from edge.demo import run_demo
    from edge.records.sample import Sample
    from edge.simulated import build
    from edge.standards.standard import load_standard

    standard = load_standard(NATIONAL if standard_name is None else standard_name)
    simulated = build(scenario, bridge, seed)
    sample = Sample(sample_id, claim=claim, composition=composition)
    how: dict[str, Any] = {"seed": seed, "zero_after": zero_after, "check_weight_g": check_weight_g}
    path = _writing(db, out)
    with Journal(path) as journal:
        if as_json or not sys.stderr.isatty():
            show = _Plain(quiet=as_json)
            result = run_demo(simulated, standard, journal, sample, show=show, **how)
        else:
            from edge.report.progress import Progress

            with Progress(standard.hold_s.value) as bar:
                result = run_demo(simulated, standard, journal, sample, show=bar, **how)
    _show(result | {"database": str(path)}, as_json)
    if not as_json:
        click.echo(f"\nRun {result['run_id']} is in {path}. Look at it: halfpercent report last --db {path}")


class _Plain:
    """Progress where there is no terminal: a line at each change of phase."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet

    def __call__(self, row: Second, phase: str, events: list[Event]) -> None:
        if self._quiet:
            return
        for event in events:
            if event.kind == "phase":
                click.echo(
                    f"{event.t_s / 3600.0:6.2f} h  {event.data['from']} -> {event.data['to']}: {event.data['why']}",
                    err=True,
                )


@cli.command()
@click.argument("file", type=click.Path(path_type=Path))
@_standard
@click.option("--certificate", "certificate_path", type=click.Path(path_type=Path), help="Turns counts into grams.")
@click.option("--weigh", type=click.Choice(["cold", "hot"]), help="M1 and M2, or from the hold alone [standard's].")
@click.option("--columns", default="", help="Other headers or units: temp_c=T_C,mass_mg=m_mg.")
@click.option("--declare", multiple=True, help="What the recording lacks: temp_c=25, u_mass_g=0.001.")
@click.option("--sample", "sample_id", callback=_named, help="The sample's name [the file's].")
@click.option("--blank-run", is_flag=True, help="The sample is an inert dummy.")
@click.option("--blank", help="Subtract this blank run (its number in the database).")
@_claim
@_composition
@click.option("--density", help="The sample's density in g/cm³: 2.5 or 1.8..3.5 [1..10].")
@click.option("--density-u", type=float, help="Standard uncertainty of --density 2.5, in g/cm³ [±10 %].")
@click.option("--air", multiple=True, help="The room's air, hPa,°C,%: 1013.25,23.5,45; again where M2's was read.")
@click.option("--out", type=click.Path(path_type=Path), help=f"A folder: leaves {DB_NAME} there.")
@_db
@_as_json
def replay(
    file: Path,
    standard_name: str | None,
    certificate_path: Path | None,
    weigh: str | None,
    columns: str,
    declare: tuple[str, ...],
    sample_id: str | None,
    blank_run: bool,
    blank: str | None,
    claim: str | None,
    composition: str | None,
    density: str | None,
    density_u: float | None,
    air: tuple[str, ...],
    out: Path | None,
    db: Path | None,
    as_json: bool,
) -> None:
    """Judge a recording: a CSV with t_s, then counts or mass_g, and temp_c."""
    from edge.columns import parse_columns
    from edge.database.journal import Journal
    from edge.database.queries import result_of_run
    from edge.recording import read
    from edge.records.sample import Sample, parse_air, parse_density
    from edge.replay import parse_declared
    from edge.replay import replay as replayed
    from edge.standards.standard import load_standard

    sample = Sample(
        file.stem if sample_id is None else sample_id,
        claim,
        composition,
        parse_density(density, density_u),
        parse_air(air),
    )
    standard = load_standard(NATIONAL if standard_name is None else standard_name)
    certificate = _certificate(certificate_path)
    declared = parse_declared(declare)
    recording = read(
        file,
        columns=parse_columns(columns),
        use_counts=certificate is not None,
        temp_declared_c=declared.temp_c,
    )

    path = None if db is None and out is None else _writing(db, out)
    if blank is not None and path is None:
        raise click.UsageError("--blank names a run in a database: give --db or --out too")
    subtract = result_of_run(path, blank) if blank is not None and path is not None else None

    def judge(journal: Journal | None) -> dict[str, Any]:
        return replayed(
            recording,
            standard,
            certificate,
            weigh="hot" if (weigh or standard.weigh.value) == "hot" else "cold",
            declared=declared,
            journal=journal,
            sample=sample,
            wall_s=time.time(),
            blank_run=blank_run,
            subtract=subtract,
        )

    if path is None:
        _show(judge(None), as_json)
        return
    with Journal(path) as journal:
        result = judge(journal)
    _show(result | {"database": str(path)}, as_json)


def _certificate(path: Path | None) -> Certificate | None:
    if path is None:
        return None
    from calibration.certificate import load_certificate

    return load_certificate(path)


# what is stored


@cli.command()
@_db
@_as_json
def runs(db: Path | None, as_json: bool) -> None:
    """List the runs in the database."""
    from edge.database.queries import list_runs

    path = _reading(db)
    found = list_runs(path)
    if as_json:
        click.echo(json.dumps({"database": str(path), "runs": found}, ensure_ascii=False))
        return
    click.echo(f"{'run':>4}  {'verdict':12}  {'loss %':>9}  {'± %':>7}  {'kind':9}  {'started (UTC)':19}  sample")
    for run in found:
        loss = "" if run["loss_pct"] is None else f"{run['loss_pct']:.4f}"
        plus_minus = "" if run["U_pct"] is None else f"{run['U_pct']:.4f}"
        click.echo(
            f"{run['run_id']:>4}  {run['verdict'] or run['state']:12}  {loss:>9}  {plus_minus:>7}  {run['kind']:9}  "
            f"{run['started_utc'][:19]}  {run['sample_id']}"
        )


@cli.command()
@click.argument("run")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@_db
@_as_json
def report(run: str, form: str, db: Path | None, as_json: bool) -> None:
    """Show a run's result. RUN is its number, or `last`."""
    from edge.database.queries import result_of_run

    _show(result_of_run(_reading(db), run), as_json or form == "json")


# before a test


@cli.command()
@click.option("--sample-mass", "sample_g", type=float, required=True, help="The sample's mass in g.")
@click.option("--certificate", "certificate_path", type=click.Path(path_type=Path), help="The load cell's [config's].")
@_standard
@_as_json
def budget(sample_g: float, certificate_path: Path | None, standard_name: str | None, as_json: bool) -> None:
    """Say what uncertainty to expect, and the smallest sample that can be judged."""
    from edge.forecast import forecast
    from edge.instrument.config import config_path, load_config
    from edge.report.text import forecast_text
    from edge.standards.standard import load_standard

    if certificate_path is None:
        path = config_path(None)
        named = load_config(path).test.certificate if path.exists() else None
        if named is None:
            raise BadInput("no certificate: name the load cell's with --certificate")
        certificate_path = Path(named)
    certificate = _certificate(certificate_path)
    assert certificate is not None  # a path was given
    standard = load_standard(NATIONAL if standard_name is None else standard_name)
    found = forecast(certificate, standard, sample_g)
    click.echo(json.dumps(found, ensure_ascii=False) if as_json else forecast_text(found))


@cli.command()
@click.option("--config", "config_file", type=click.Path(path_type=Path), help="The settings [/etc/halfpercent].")
@click.option("--bridge", type=click.Choice(["nau7802", "hx711", "hx711_spi"]), help="Another bridge, usual pins.")
@click.option("--svg", type=click.Path(path_type=Path), help="Draw it into this file.")
def wiring(config_file: Path | None, bridge: str | None, svg: Path | None) -> None:
    """Say which pin goes where, for these settings."""
    from edge.instrument.config import config_path, load_config, usual
    from edge.instrument.wiring import wiring_svg, wiring_text

    path = config_path(config_file)
    known = config_file is not None or (bridge is None and path.exists())
    config = load_config(path) if known else usual(bridge or "nau7802")
    if config_file is not None and bridge is not None and bridge != config.bridge.chip:
        raise click.UsageError(f"--bridge {bridge}: {path} says {config.bridge.chip}: give one of the two")
    if svg is not None:
        svg.write_text(wiring_svg(config), encoding="utf-8")
    click.echo(wiring_text(config).rstrip())


# the machine


@cli.command("check-config")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@_as_json
def check_config(file: Path | None, as_json: bool) -> None:
    """Check the instrument's settings: one line per mistake."""
    from calibration.toml_file import read_text
    from edge.errors import BadConfig
    from edge.instrument.config import config_path, loads_config, mistakes
    from edge.instrument.consistency import disagreements

    path = config_path(file)
    text = read_text(path, BadConfig)
    wrong = mistakes(text, str(path))
    if not wrong:
        wrong = disagreements(loads_config(text, str(path)), str(path))
    if as_json:
        click.echo(json.dumps({"config": str(path), "mistakes": wrong}, ensure_ascii=False))
    elif wrong:
        for line in wrong:
            click.echo(line, err=True)
    else:
        click.echo(f"{path}: right")
    if wrong:
        sys.exit(1)


@cli.command()
@click.option("--config", "config_file", type=click.Path(path_type=Path), help="The settings [/etc/halfpercent].")
@_db
@_as_json
def doctor(config_file: Path | None, db: Path | None, as_json: bool) -> None:
    """Look at buses, rights, chips, clock, disk and versions: what is wrong, and what to do."""
    from edge.doctor import examine
    from edge.instrument.config import config_path

    found = list(examine(config_path(config_file), _reading(db)))
    if as_json:
        click.echo(json.dumps({"findings": [f.as_json() for f in found]}, ensure_ascii=False))
        return
    for f in found:
        click.echo(f"{f.state:6}  {f.check}: {f.found}" + (f"\n        -> {f.do}" if f.do else ""))


# the instrument

cli.add_command(running.run)
cli.add_command(running.station)
cli.add_command(calibrating.calibrate)
for _command in controls.COMMANDS:
    cli.add_command(_command)
