"""The command ``demo``: a whole test on the simulated rig.

This module must never know what is true of the sample but to print it beside the result.
"""

from __future__ import annotations

import datetime
import sys
from collections.abc import Callable, Sequence
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
)
from .report import show_result
from .say import say, say_wrapped
from .simulated import NIGHT_HELP, Simulate, night_of

if TYPE_CHECKING:
    from edge.records.event import Event
    from edge.records.result import Result
    from edge.records.second import Second
    from edge.run.live_run import Show
    from edge.standards.standard import Standard


@click.command()
@click.option("--scenario", help="solid, hybrid, liquid, borderline or drift [solid, or the night's].")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), help="Of all that is random [1, or the night's].")
@click.option("--bridge", help="nau7802 or hx711 [nau7802, or the night's].")
@click.option("--night", help=NIGHT_HELP)
@click.option("--sample", "sample_id", default="demo", show_default=True, callback=one_line, help="The sample's name.")
@click.option("--out", type=click.Path(path_type=Path), help=f"A folder: leaves {DB_NAME} there.")
@db_option
@as_json_option
@standard_option
@claim_option
@composition_option
@specimen_option
@click.option("--zero-after", is_flag=True, help="The zero is taken again after M2.")
@click.option("--check-weight", "check_weight_g", type=float, help="And this check weight, in g, put on.")
@click.option("--check-before", is_flag=True, help="And before the sample too, with a rest after it.")
def demo(
    scenario: str | None,
    seed: int | None,
    bridge: str | None,
    night: str | None,
    sample_id: str,
    out: Path | None,
    db: Path | None,
    as_json: bool,
    standard_name: str | None,
    claim: str | None,
    composition: str | None,
    specimen_path: Path | None,
    zero_after: bool,
    check_weight_g: float | None,
    check_before: bool,
) -> None:
    """Run a whole test on the simulated rig, through the real drivers, in seconds."""
    from edge.database.journal import Journal
    from edge.records.sample import Sample
    from edge.records.specimen import with_specimen
    from edge.records.specimen_file import load_specimen
    from edge.simulate.demo import DemoOrder, run_demo, run_night
    from edge.simulate.instrument import build
    from edge.standards.standard import load_standard

    standard = load_standard(NATIONAL if standard_name is None else standard_name)
    sample = Sample(sample_id, claim=claim, composition=composition)
    specimen = None if specimen_path is None else load_specimen(specimen_path)
    if specimen is not None:
        sample = with_specimen(sample, specimen, datetime.datetime.now().astimezone())
    if night is not None:
        what_happens = night_of(Simulate(seed, scenario, bridge, night=night))
        path = database_to_write(db, out)
        order = DemoOrder(standard, sample, what_happens.head.seed, zero_after, check_weight_g, specimen, check_before)
        tell = _say_nothing if as_json else _say
        result = _with_progress(as_json, standard, lambda show: run_night(what_happens, order, path, show, tell))
    else:
        seed = 1 if seed is None else seed
        simulated = build(scenario or "solid", bridge or "nau7802", seed)
        order = DemoOrder(standard, sample, seed, zero_after, check_weight_g, specimen, check_before)
        path = database_to_write(db, out)
        with no_circles(), Journal(path) as journal:
            result = _with_progress(as_json, standard, lambda show: run_demo(simulated, order, journal, show))
    show_result(result, as_json, path)
    if not as_json:
        say()
        say_wrapped(f"Run {result.run_id} is in {path}. Look at it: halfpercent report last --db {path}")


def _with_progress(as_json: bool, standard: Standard, act: Callable[[Show], Result]) -> Result:
    if as_json or not sys.stderr.isatty():
        return act(_Plain(quiet=as_json))
    from edge.report.progress import Progress

    with Progress(standard.hold_s.value) as bar:
        return act(bar)


def _say(line: str) -> None:
    say_wrapped(line, "  ", err=True)


def _say_nothing(_line: str) -> None:
    """Say nothing."""


class _Plain:
    """Progress where there is no terminal: a line at each change of phase."""

    def __init__(self, quiet: bool) -> None:
        from edge.report.text import event_line

        self._quiet = quiet
        self._line = event_line

    def __call__(self, second: Second, phase: str, events: Sequence[Event]) -> None:
        for event in () if self._quiet else events:
            if (line := self._line(event)) is not None:
                say_wrapped(line, err=True)
