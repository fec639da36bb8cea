"""A rig's charts: which quantity jumped or drifts, when it will leave its limits, and when a calibration is due.

A chart is of one certificate and one mount. Limits are the certificate's where it gives one, else those of the chart's
own baseline; each says which. This module must never change a verdict: it looks back, and ahead.

Source: ILAC-G24:2022 (recalibration intervals), methods 1 (calendar), 2 (control chart) and 4 (in-service checking).
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Sequence

import msgspec

from calibration.certificate import Certificate
from edge.database.summaries import RunSummary, Summaries
from edge.records.formatting import significant

from .control_charts import BASELINE, LEAST, Chart, ChartKind, chart
from .crossing import Crossing, Line, crossing, line_through
from .quantities import QUANTITIES, Quantity

_DAY_S = 86_400.0
_UNSET_BEFORE = datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)
"""A run that began before was measured on a clock that was not set: its date says nothing."""
ASSUMED_INTERVAL_DAYS = 365.0
"""Until the first recalibration, where the certificate gives no date (ILAC-G24: the first interval is a judgement)."""


class Trend(msgspec.Struct, frozen=True, kw_only=True):
    """One quantity's chart, in short: its baseline, its newest value, what it signals, and when it leaves its limits.

    Times are ISO dates; ``drift_per_week`` with its half-width (90 %) is null where nothing surely moves.
    """

    quantity: str
    name: str
    unit: str
    values: int
    baseline_n: int
    baseline_mean: float | None
    baseline_sd: float | None
    newest: float | None
    signals: tuple[str, ...] = ()
    signals_since_run: int | None = None
    drift_per_week: float | None = None
    drift_half_per_week: float | None = None
    limit: float | None = None
    limit_of: str | None = None
    leaves_on: str | None = None
    leaves_earliest: str | None = None
    leaves_latest: str | None = None
    said: str


class CalibrationDue(msgspec.Struct, frozen=True, kw_only=True):
    """When the next calibration is due (an ISO date; null where nobody can say), and by which rule."""

    on: str | None
    rule: str
    why: str


class RigTrends(msgspec.Struct, frozen=True, kw_only=True):
    """What a rig's finished runs say of it. ``left_out`` counts rows that could not be read."""

    runs: int
    left_out: int
    certificate: str | None
    trends: tuple[Trend, ...]
    calibration_due: CalibrationDue | None


def rig_trends(found: Summaries, now: datetime.datetime) -> RigTrends:
    """Chart the finished runs of one rig. ``now`` is the wall clock's, with its zone."""
    runs = found.runs
    newest = runs[-1] if runs else None
    certificate = None if newest is None else found.certificates.get(newest.certificate_sha256)
    trends = tuple(_trend(quantity, _series(quantity, runs), certificate, now) for quantity in QUANTITIES)
    return RigTrends(
        runs=len(runs),
        left_out=found.damaged,
        certificate=None if certificate is None else certificate.name,
        trends=tuple(t for t in trends if t.values),
        calibration_due=None if certificate is None else _due(certificate, trends, now),
    )


def _series(quantity: Quantity, runs: Sequence[RunSummary]) -> list[tuple[RunSummary, float]]:
    """Get the values of one chart: of the newest run's certificate and mount, where the quantity belongs to them."""
    if not runs:
        return []
    same = (runs[-1].certificate_sha256, runs[-1].mount)
    out = []
    for run in runs:
        value = quantity.value_of(run)
        ours = not quantity.of_mount or (run.certificate_sha256, run.mount) == same
        if ours and value is not None and math.isfinite(value):
            out.append((run, value))
    return out


def _trend(
    quantity: Quantity,
    series: Sequence[tuple[RunSummary, float]],
    certificate: Certificate | None,
    now: datetime.datetime,
) -> Trend:
    values = [value for _, value in series]
    found = chart(values)
    dated = [(run.started, value) for run, value in series if run.started > _UNSET_BEFORE]
    line = line_through([at.timestamp() / _DAY_S for at, _ in dated], [value for _, value in dated])
    limits, limit_of = _limits(quantity, found, certificate)
    leaves = None if line is None or limits is None else crossing(line, *limits)
    signals = () if found is None or not found.charted else tuple(str(s) for s in found.charted[-1].signals)
    return Trend(
        quantity=quantity.key,
        name=quantity.name,
        unit=quantity.unit,
        values=len(values),
        baseline_n=min(len(values), BASELINE) if found is not None else 0,
        baseline_mean=None if found is None else found.baseline.mean,
        baseline_sd=None if found is None else found.baseline.sd,
        newest=values[-1] if values else None,
        signals=signals,
        signals_since_run=_signals_since(found, series),
        drift_per_week=None if line is None or not line.moves else 7.0 * line.slope,
        drift_half_per_week=None if line is None or not line.moves else 7.0 * line.slope_half,
        limit=None if leaves is None else leaves.limit,
        limit_of=None if leaves is None else limit_of,
        leaves_on=None if leaves is None else _date(leaves.at),
        leaves_earliest=None if leaves is None else _date(leaves.earliest),
        leaves_latest=None if leaves is None else _date(leaves.latest),
        said=_said(quantity, found, signals, line, leaves, limit_of, now),
    )


def _signals_since(found: Chart | None, series: Sequence[tuple[RunSummary, float]]) -> int | None:
    """Get the run from which on the chart has signalled without a pause; None where it does not now."""
    if found is None or not found.charted or not found.charted[-1].signals:
        return None
    since = len(found.charted) - 1
    while since and found.charted[since - 1].signals:
        since -= 1
    return series[len(series) - len(found.charted) + since][0].run_id


def _limits(
    quantity: Quantity, found: Chart | None, certificate: Certificate | None
) -> tuple[tuple[float, float] | None, str]:
    if quantity.key == "second_zero_g" and certificate is not None and certificate.stability.zero_drift_g > 0.0:
        half = certificate.stability.zero_drift_g
        return (-half, half), "its certificate"
    if found is None or found.baseline.sd == 0.0:
        return None, "its baseline"
    half = found.baseline.k * found.baseline.sd * math.sqrt(1.0 + 1.0 / found.baseline.n)
    return (found.baseline.mean - half, found.baseline.mean + half), "its baseline"


def _said(
    quantity: Quantity,
    found: Chart | None,
    signals: tuple[str, ...],
    line: Line | None,
    leaves: Crossing | None,
    limit_of: str,
    now: datetime.datetime,
) -> str:
    """Say a chart in plain words."""
    if found is None:
        return f"{quantity.name}: fewer than {LEAST} values, nothing can be said"
    if line is not None and line.moves and leaves is not None:
        today = now.timestamp() / _DAY_S
        drift = f"{quantity.name}: drifts {_amount(7.0 * line.slope, quantity.unit)} a week"
        if leaves.at <= today:
            return f"{drift}: outside {limit_of} now"
        return f"{drift}: outside {limit_of} in about {_weeks(leaves, today)}"
    if ChartKind.SHEWHART in signals:
        return f"{quantity.name}: the newest value jumped out of its baseline"
    if ChartKind.EWMA in signals:
        return f"{quantity.name}: moved slowly out of its baseline"
    return f"{quantity.name}: in control"


def _weeks(leaves: Crossing, today: float) -> str:
    first, about, last = (max(0.0, (t - today) / 7.0) for t in (leaves.earliest, leaves.at, leaves.latest))
    if about > 520.0:
        return "more than ten years"
    unit, per = ("weeks", 1.0) if about >= 1.5 else ("days", 7.0)
    return f"{about * per:.0f} {unit} ({first * per:.0f} to {last * per:.0f})"


def _amount(value: float, unit: str) -> str:
    return f"{significant(value * 1e3, 2)} mg" if unit == "g" else f"{significant(value, 2)} {unit}"


def _date(days: float) -> str | None:
    """Get the ISO date of so many days since 1970; None where no calendar has it."""
    if not math.isfinite(days) or not 0.0 < days < 2_900_000.0:
        return None
    return (datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC) + datetime.timedelta(days=days)).date().isoformat()


def _due(certificate: Certificate, trends: Sequence[Trend], now: datetime.datetime) -> CalibrationDue:
    """Get when the next calibration is due: by its charts where they say sooner than the calendar."""
    charted = [t for t in trends if t.quantity in ("check_weight_error_g", "second_zero_g", "empty_holder_code")]
    for trend in charted:
        if trend.signals:
            return CalibrationDue(on=now.date().isoformat(), rule="ILAC-G24 method 2, control chart", why=trend.said)
    if certificate.valid_until is not None:
        on, rule, why = certificate.valid_until, "ILAC-G24 method 1, calendar", "the certificate is valid until then"
    else:
        on = certificate.made_at + datetime.timedelta(days=ASSUMED_INTERVAL_DAYS)
        rule, why = "ILAC-G24 method 1, calendar", "the certificate gives no date: a year is assumed"
    for trend in charted:
        if trend.leaves_earliest is not None and trend.leaves_earliest < on.isoformat():
            on = max(now.date(), datetime.date.fromisoformat(trend.leaves_earliest))
            rule, why = "ILAC-G24 method 2, control chart", trend.said
    return CalibrationDue(on=on.isoformat(), rule=rule, why=why)
