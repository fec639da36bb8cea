"""Options that several commands share.

This module must never act on what it reads.
"""

from __future__ import annotations

import datetime
import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from edge.errors import BadInput, BadValue

DB_NAME = "halfpercent.db"


NATIONAL = "gbt-48093-1-2026"


as_json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


db_option = click.option(
    "--db", type=click.Path(path_type=Path), envvar="HALFPERCENT_DB", help="The database (or HALFPERCENT_DB)."
)


standard_option = click.option("--standard", "standard_name", help="A standard's name or its TOML file.")


def one_line(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Take a name that a record can hold and a line can show, in its normal form (NFC)."""
    from calibration.visible_text import NotAName, name_from

    try:
        return None if value is None else name_from(value)
    except NotAName as e:
        raise click.BadParameter(str(e)) from e


claim_option = click.option("--claim", callback=one_line, help='The name it is sold by, such as "semi-solid".')


specimen_option = click.option(
    "--specimen", "specimen_path", type=click.Path(path_type=Path), help="Its record: a TOML file (docs/specimen.md)."
)


composition_option = click.option(
    "--composition", callback=one_line, help='What it is said to hold, such as "oxide, liquid 3 %".'
)


def typed(option: str) -> bool:
    """Say whether a parameter of the running command was typed, and is neither a default nor of the environment."""
    return click.get_current_context().get_parameter_source(option) is ParameterSource.COMMANDLINE


def user_db() -> Path:
    """Get where a person's own runs are kept when nothing else is said."""
    try:
        home = os.environ.get("XDG_DATA_HOME") or Path("~/.local/share").expanduser()
    except RuntimeError as e:
        raise BadValue("db", "", "you have no home folder: name a database, here or in HALFPERCENT_DB") from e
    return Path(home) / "halfpercent" / DB_NAME


def database_to_read(db: Path | None) -> Path:
    """Get the database to read: what was given, else the instrument's, else the person's own."""
    from edge.instrument.config import VAR

    if db is not None:
        return in_folder(db)
    return VAR if os.access(VAR, os.R_OK) else user_db()


def in_folder(db: Path) -> Path:
    """Get the database that a path names: of a folder, as ``demo`` leaves one, the database in it."""
    inside = db / DB_NAME
    return inside if db.is_dir() and inside.exists() else db


def database_to_write(db: Path | None, out: Path | None) -> Path:
    """Get the database to write, its folder made where it is ours to make. ``--out`` beats HALFPERCENT_DB."""
    by = click.get_current_context().get_parameter_source("db")
    if db and out and by is not ParameterSource.ENVIRONMENT:
        raise click.UsageError("--db and --out both name the database: give one")
    if db and not out:
        return in_folder(db)
    path = out / DB_NAME if out else user_db()
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


_OF_A_TEST = (
    click.option("--sample", required=True, callback=one_line, help="The sample's name."),
    click.option("--operator", required=True, callback=one_line, help="Who runs the test."),
    click.option("--standard", help="A standard's name or its TOML file [the config's]."),
    click.option("--certificate", type=click.Path(path_type=Path), help="The load cell's [the config's]."),
    click.option("--blank-run", is_flag=True, help="The sample is an inert dummy."),
    click.option(
        "--blank", multiple=True, type=click.IntRange(min=1), help="Subtract this blank run; again: their mean."
    ),
    click.option("--claim", callback=one_line, help='The name it is sold by, such as "semi-solid".'),
    click.option("--composition", callback=one_line, help="What it is declared to be made of."),
    click.option("--density", help="Its density in g/cm³, or bounds: 2.5 or 1.8..3.5."),
    click.option("--air", multiple=True, help="The air at M1, and again at M2: hPa,°C,% (1013.25,23.5,45)."),
    click.option("--zero-after", is_flag=True, help="Take the zero again after M2."),
    click.option("--check-weight", "check_weight_g", type=float, help="Weigh a check weight of so many g at the end."),
    click.option("--weight", type=click.Path(path_type=Path), help="And this one: its record, a TOML file."),
    click.option("--check-before", is_flag=True, help="And before the sample too, with a rest after it."),
    click.option("--mass", "mass_g", type=float, help="What the sample weighs in g; a kitchen scale will do."),
    click.option("--specimen", type=click.Path(path_type=Path), help="Its record: a TOML file (docs/specimen.md)."),
    click.option(
        "--balance", type=click.Path(path_type=Path), help="The laboratory's balance's certificate [config's]."
    ),
    click.option("--suitability", type=click.Choice(["liquid", "hydrate", "inert"]), help="A test of the rig itself."),
    click.option("--known-loss", "known_loss_g", type=float, help="What leaves a liquid or a hydrate, in g."),
    click.option("--known-loss-u", "known_loss_u_g", type=float, help="Its standard uncertainty in g [0.1 %]."),
    click.option("--series", callback=one_line, help="The series of tests that it belongs to."),
    click.option("--opened-at", help="When the sample was opened: 09:40, or 2026-11-26 09:40."),
    click.option("--empty-since", help="Since when the holder is empty: 09:40, or 2026-11-26 09:40."),
    click.option("--mount", callback=one_line, help="What the load cell is mounted by, as its calibration named it."),
    click.option("--moved", is_flag=True, help="The rig was carried since its calibration: a check weight must agree."),
    click.option("--new-holder", is_flag=True, help="Holder, mount or cabling are others than in the run before."),
    click.option("--nonce", callback=one_line, help="An auditor's word: the run was not before it was given."),
    click.option("--note", help="A remark for the record."),
)


_WHERE = ("config_file", "db", "socket", "as_json", "simulated")
"""What such a command may have besides."""


def of_a_test(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of a start; its ``ordered`` are then the arguments of ``control.protocol.Start``."""

    @functools.wraps(command)
    def ordering(
        blank_run: bool,
        blank: tuple[int, ...],
        air: tuple[str, ...],
        zero_after: bool,
        check_before: bool,
        new_holder: bool,
        moved: bool,
        certificate: Path | None,
        opened_at: str | None,
        empty_since: str | None,
        specimen: Path | None,
        balance: Path | None,
        weight: Path | None,
        **given: Any,
    ) -> None:
        from edge.records.sample import parse_opened

        now = datetime.datetime.now().astimezone()
        where = {name: given.pop(name) for name in _WHERE if name in given}
        standard = given.pop("standard")
        # A station may have another working directory: a file is named by its whole path.
        named = standard is not None and Path(standard).is_file()
        ordered = given | {
            "standard": str(Path(standard).absolute()) if named else standard,
            "certificate": None if certificate is None else str(certificate.absolute()),
            "specimen": None if specimen is None else str(specimen.absolute()),
            "weight": None if weight is None else str(weight.absolute()),
            "balance": None if balance is None else str(balance.absolute()),
            "kind": "blank" if blank_run else None,
            "blank": blank[0] if blank else None,
            "more_blanks": ";".join(map(str, blank[1:])) or None,
            "zero_after": zero_after or None,
            "check_before": check_before or None,
            "new_holder": new_holder or None,
            "moved": moved or None,
            "air": ";".join(air) or None,
            "opened_ago_s": None if opened_at is None else parse_opened(opened_at, now),
            "empty_ago_s": None if empty_since is None else parse_opened(empty_since, now, "empty_since"),
        }
        command(**where, ordered={name: value for name, value in ordered.items() if value is not None})

    for option in reversed(_OF_A_TEST):
        ordering = option(ordering)
    return ordering


def photograph_hash(path: Path) -> str:
    """Get the SHA-256 of a photograph's file. Raises ``BadInput`` where it cannot be read."""
    from calibration.bounded_file import NotReadable, sha256_of_file

    try:
        return sha256_of_file(path)
    except NotReadable as e:
        raise BadInput(f"{path}: {e}: name a photograph's file") from e


def user_name() -> str:
    """Get who runs this, as the machine knows them."""
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a user without an entry in passwd
        return "a user without a name"
