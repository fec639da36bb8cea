"""A replay: somebody's recording through the same fold, phases and rule as a run on the instrument.

What the recording does not hold is declared by whoever replays it, and the result says so. This module must
never compute a mass or a time that the fold did not give.
"""

from __future__ import annotations

import datetime
import secrets
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from calibration.certificate import Certificate
from edge.database.journal import Journal, RunJournal
from edge.errors import BadInput
from edge.fold import layout
from edge.procedure.parameters import RunParameters, replay_parameters
from edge.procedure.pipeline import new_pipeline
from edge.records.event import Event
from edge.records.sample import Sample
from edge.records.second import Second
from edge.standards.standard import Standard
from edge.verdict.judge import COLUMNS, judge_run

from .observed import by_hour, observed
from .recording import PLAUSIBLE_C, Recording


@dataclass(frozen=True, slots=True)
class Declared:
    """What whoever replays a recording says of it: a temperature, the standard uncertainty of a mass difference."""

    temp_c: float | None = None
    u_mass_g: float | None = None


def parse_declared(pairs: tuple[str, ...]) -> Declared:
    """Get what ``--declare NAME=VALUE`` says. Raises ``BadInput``."""
    values: dict[str, float] = {}
    for pair in pairs:
        name, _, text = (part.strip() for part in pair.partition("="))
        if name not in ("temp_c", "u_mass_g"):
            raise BadInput(f"--declare {name}: unknown: use temp_c=… (°C) or u_mass_g=… (g)")
        try:
            values[name] = float(text)
        except ValueError:
            raise BadInput(f"--declare {name}: {text[:40]!r} is not a number: write NAME=NUMBER") from None
        low, high = (0.0, 1e6) if name == "u_mass_g" else PLAUSIBLE_C
        if not low <= values[name] <= high:
            raise BadInput(f"--declare {name}: {text[:40]} is not possible: give {low:g} to {high:g}")
    return Declared(**values)


def replay(
    recording: Recording,
    standard: Standard,
    certificate: Certificate | None,
    *,
    weigh: Literal["cold", "hot"],
    declared: Declared,
    journal: Journal | None,
    sample: Sample,
    wall_s: float,
    **judging: Any,
) -> dict[str, Any]:
    """Fold a recording, judge it, and then write it into ``journal`` where there is one. Returns the result.

    ``judging`` (``blank_run``, ``subtract``) is for :func:`edge.verdict.judge.judge_run`, and raises as it does.
    """
    terms = replay_parameters(
        standard,
        certificate,
        weigh=weigh,
        quantity=recording.quantity,
        interval_s=recording.interval_s,
        gate=recording.gate,
        temp_declared_c=None if recording.has_temp else declared.temp_c,
        has_cell_temp=recording.has_cell_temp,
        has_pressure=recording.has_pressure,
    )
    used = certificate if recording.quantity == "counts" else None
    frames = recording.frames
    t0_ns = int(frames.t_ns[0])
    course = new_pipeline(terms, t0_ns)
    rows, names, events = course.feed(frames)
    last, last_names, last_events = course.finish("the recording ends")
    rows, names, events = np.concatenate([rows, last]), names + last_names, events + last_events

    per_g = abs(terms.fold.get("span_code_per_g", 1.0))
    result = judge_run(
        course.phases,
        standard,
        used,
        **sample.said(),
        kind="replay",
        declared=terms.declared,
        on=datetime.datetime.fromtimestamp(wall_s, datetime.UTC).date(),
        resolution_g=recording.quantum / per_g,
        declared_u_g=declared.u_mass_g,
        **judging,
    )
    result["recording"] = {
        "file": recording.path.name,
        "rows": recording.rows,
        "interval_s": recording.interval_s,
        "quantity": recording.quantity,
        "gate_g": recording.gate / per_g,
        "refused_by_gate": int(np.sum(rows["n_spike"])),
        "not_numbers": int(np.sum(rows["n_bad"])),
    }
    result["observed"] = observed(rows, standard, temp_measured=terms.plan.temp_needed)
    result["hours"] = by_hour(rows, result["observed"])
    if journal:
        run = _begin(journal, recording, standard, used, terms, sample, wall_s, t0_ns)
        run.raw(frames)
        _end(run, rows, names, events, result, wall_s)
        result["run_id"] = run.run_id
    return result


def _begin(
    journal: Journal,
    recording: Recording,
    standard: Standard,
    certificate: Certificate | None,
    terms: RunParameters,
    sample: Sample,
    wall_s: float,
    t0_ns: int,
) -> RunJournal:
    return journal.begin(
        run_uid=secrets.token_hex(8),
        sample_id=sample.sample_id,
        operator="",
        kind="replay",
        wall_s=wall_s,
        t0_ns=t0_ns,
        boot_id="recording",
        standard=standard,
        certificate=certificate,
        settings=terms.as_settings()
        | {"recording": recording.path.name, "quantity": recording.quantity, "sample": sample.as_settings()},
        batch_s=3600,
    )


def _end(
    run: RunJournal,
    rows: layout.Record,
    names: list[str],
    events: list[Event],
    result: dict[str, Any],
    wall_s: float,
) -> None:
    run.derived([Second(*r) for r in rows.tolist()], names, events, wall_s)
    run.end(wall_s, result, {column: result.get(name) for column, name in COLUMNS.items()})
