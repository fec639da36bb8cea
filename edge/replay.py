"""A replay: somebody's recording through the same fold, phases and rule as a run on the instrument.

What the recording does not hold is declared by whoever replays it, and the result says so. This module must
never compute a mass or a time that the fold did not give.
"""

from __future__ import annotations

import datetime
import math
import secrets
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from calibration.certificate import Certificate
from edge.course import course_of
from edge.database.journal import Journal, RunJournal
from edge.errors import BadInput
from edge.fold import layout
from edge.recording import PLAUSIBLE_C, Recording
from edge.records.event import Event
from edge.records.sample import Sample
from edge.records.second import Second
from edge.result import COLUMNS, result_of
from edge.standards.standard import Standard
from edge.terms import Terms, replay_terms

RATE_WINDOW_S = 1800.0
FRAME_S = 1.0
MOST_PCT = 1e9  # beyond it a start mass was none


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

    ``judging`` (``blank_run``, ``subtract``) is for :func:`edge.result.result_of`, and raises as it does.
    """
    terms = replay_terms(
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
    course = course_of(terms, t0_ns)
    rows, names, events = course.feed(frames)
    last, last_names, last_events = course.finish("the recording ends")
    rows, names, events = np.concatenate([rows, last]), names + last_names, events + last_events

    per_g = abs(terms.fold.get("span_code_per_g", 1.0))
    result = result_of(
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


def observed(rows: layout.Record, standard: Standard, *, temp_measured: bool) -> dict[str, Any]:
    """Get what the recording holds, whatever the phases made of it.

    From the first second within the band to the last, both included: its length, the seconds in it that were within the
    band, the masses at both ends, and the loss in % of the record's first mass and of the mass at its start.
    """
    seen = rows[rows["n_ok"] > 0]
    off_c = np.abs(seen["temp_c"] - standard.temp_c.value)
    inside = off_c <= standard.temp_band_c.value if temp_measured else np.ones(len(seen), bool)
    out: dict[str, Any] = {
        "band_c": [
            standard.temp_c.value - standard.temp_band_c.value,
            standard.temp_c.value + standard.temp_band_c.value,
        ],
        "first_to_last_in_band_s": 0.0,
        "in_band_s": 0.0,
    }
    if not np.any(inside):
        return out
    at = np.flatnonzero(inside)
    t_s, mass_g = seen["t_s"], seen["mass_g"]
    first, last = at[0], at[-1]
    steps = np.diff(t_s)
    both = inside[1:] & inside[:-1]
    gap_s = max(1.5, 2.5 * float(np.median(steps))) if len(steps) else 1.5
    lost_g = float(mass_g[first] - mass_g[last])
    return out | {
        "first_to_last_in_band_s": float(t_s[last] - t_s[first]) + FRAME_S,
        "in_band_s": float(np.sum(steps[both & (steps <= gap_s)])),
        "from_s": float(t_s[first]),
        "to_s": float(t_s[last]),
        "start_mass_g": float(mass_g[0]),
        "mass_at_first_g": float(mass_g[first]),
        "mass_at_last_g": float(mass_g[last]),
        "loss_pct_of_start_mass": _pct(lost_g, float(mass_g[0])),
        "loss_pct_of_mass_at_first": _pct(lost_g, float(mass_g[first])),
    }


def by_hour(rows: layout.Record, seen: dict[str, Any]) -> list[dict[str, Any]]:
    """Get the mass at each full hour from the band's first second on, and at its last, with the rate of loss.

    The rate is the slope of a straight line through the half hour before, in % of the start mass per hour,
    with its standard uncertainty from the scatter about that line.
    """
    good = rows[rows["n_ok"] > 0]
    if seen["first_to_last_in_band_s"] <= 0.0 or _pct(_largest(good["mass_g"]), seen["start_mass_g"]) is None:
        return []
    t_s, pct = good["t_s"], good["mass_g"] / seen["start_mass_g"] * 100.0
    length_s: float = seen["to_s"] - seen["from_s"]
    marks = [h * 3600.0 for h in range(int(length_s // 3600.0) + 1)]
    if length_s > marks[-1]:
        marks.append(length_s)
    out = []
    for mark in marks:
        end_s = seen["from_s"] + mark
        window = (t_s >= max(seen["from_s"], end_s - RATE_WINDOW_S)) & (t_s <= end_s)
        i = min(int(np.searchsorted(t_s, end_s)), len(t_s) - 1)
        rate, u_rate = _slope(t_s[window] / 3600.0, pct[window])
        out.append(
            {
                "hour": mark / 3600.0,
                "elapsed_s": float(t_s[i]),
                "mass_g": float(good["mass_g"][i]),
                "mass_pct_of_start": float(pct[i]),
                "rate_pct_per_h": rate,
                "u_rate_pct_per_h": u_rate,
            }
        )
    return out


def _pct(part: float, whole: float) -> float | None:
    """Get a part in % of a whole; None where the whole is no mass, or too small to divide by."""
    pct = part / whole * 100.0 if whole > 0.0 else math.nan
    return pct if math.isfinite(pct) and abs(pct) < MOST_PCT else None


def _largest(values: layout.F8) -> float:
    return float(np.max(np.abs(values), initial=0.0))


def _slope(x: layout.F8, y: layout.F8) -> tuple[float | None, float | None]:
    """Get minus the slope of a least-squares line and its standard uncertainty (None with fewer than 3)."""
    if len(x) < 3:
        return None, None
    dx = x - x.mean()
    sxx = float(np.sum(dx * dx))
    slope = float(np.sum(dx * (y - y.mean()))) / sxx
    rest = y - y.mean() - slope * dx
    return -slope, math.sqrt(float(np.sum(rest * rest)) / (len(x) - 2) / sxx)


def _begin(
    journal: Journal,
    recording: Recording,
    standard: Standard,
    certificate: Certificate | None,
    terms: Terms,
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
