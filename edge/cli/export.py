"""The command ``export``: a run as a file that stands alone.

This module must never write over a file, and never leave half a file where one is named.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from .options import database_to_read, db_option
from .say import say

FORMATS = ("eln", "csv", "parquet", "sqlite")


@click.command()
@click.argument("run")
@click.option("--format", "form", type=click.Choice(FORMATS), help="What to write [by the file's name].")
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="The new file.")
@click.option("--attach", type=click.Path(path_type=Path), multiple=True, help="Into an eln: a photograph.")
@click.option("--cosigned", type=click.Path(path_type=Path), help="Into an eln: a checkpoint that a witness cosigned.")
@db_option
def export(
    run: str, form: str | None, output: Path, attach: tuple[Path, ...], cosigned: Path | None, db: Path | None
) -> None:
    """Write a run into a new file. RUN is its number, or `last`.

    eln: all of it with its seal, for a stranger to check (halfpercent verify) and for lab notebooks. csv: raw samples
    with what was commanded, which replay judges again. parquet: the same, where pyarrow is there. sqlite: its
    tables with foreign keys, and the views, for datasette and others.
    """
    form = form or output.suffix.removeprefix(".").lower()
    if form not in FORMATS:
        raise click.UsageError(f"{output}: name it .{' or .'.join(FORMATS)}, or give --format")
    path = database_to_read(db)
    if form == "eln":
        _eln(path, run, output, attach, cosigned)
    elif attach or cosigned:
        raise click.UsageError("--attach, --cosigned: only an eln has room for other files")
    else:
        _WRITERS[form](path, run, output)
    say(f"{output}: {output.stat().st_size / 1e6:.1f} MB")


def _csv(database: Path, run: str, output: Path) -> None:
    from edge.records.durable_file import new_file
    from edge.replay.run_csv_writer import run_as_csv

    pieces = run_as_csv(database, run)
    begin = next(pieces)  # what is wrong with the run is said before a file is made
    with new_file(output) as file:
        for piece in (begin, *pieces):
            file.write(piece.encode())


def _parquet(database: Path, run: str, output: Path) -> None:
    from edge.records.durable_file import new_file
    from edge.replay.run_csv_writer import run_as_parquet

    with new_file(output) as file:
        run_as_parquet(database, run, file)


def _sqlite(database: Path, run: str, output: Path) -> None:
    from edge.database.linked_copy import linked_copy
    from edge.records.durable_file import new_file

    raw = linked_copy(database, run)
    with new_file(output) as file:
        file.write(raw)


def _eln(database: Path, run: str, output: Path, attach: tuple[Path, ...], cosigned: Path | None) -> None:
    from edge.evidence.package import MANIFEST, make_package
    from edge.records.durable_file import new_file

    package = make_package(database, run, attach, cosigned)
    raw = package.to_bytes()
    with new_file(output) as file:
        file.write(raw)
    if MANIFEST not in package.files:
        say(f"{output}: nobody has sealed this run (halfpercent key new, for the next one)", err=True)


_WRITERS: dict[str, Callable[[Path, str, Path], None]] = {"csv": _csv, "parquet": _parquet, "sqlite": _sqlite}
