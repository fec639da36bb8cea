"""How well a rig served in a span of time: availability, valid tests, time between faults, alarms and who answered.

``docs/service-metrics.md`` defines each figure. What cannot be known is null: a station that was cut off while idle was
last seen at its last row, so its outage is at most from there. This module must never count a maintenance that was
declared after it began.

Source of the availability: 23 CFR 680.116 (b): µ = (T − (T_outage − T_excluded))/T · 100 %; "up" means doing it.
"""

from __future__ import annotations

import datetime
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import pairwise
from statistics import median

import msgspec

from edge.database.station_log import LoggedEvent, StationLog
from edge.database.summaries import RunSummary
from edge.records.event import EventKind
from edge.records.invalid import InvalidReason
from edge.records.result import Verdict

CANNOT_WORK = frozenset({"load cell", "oven probe", "storage", "rig changed", "over-temperature"})
"""Alarms under which no test can be made: the rig is up and does not do its job."""
RECURS_WITHIN = datetime.timedelta(hours=24)

Span = tuple[datetime.datetime, datetime.datetime]


class ServiceQuality(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of one rig over a span, each defined in docs/service-metrics.md; null where nothing can be said.

    Times are ISO with zone, durations in s. ``availability_pct`` is at least so much where ``outage_at_most`` says that
    an outage's beginning was not seen.
    """

    rig: str
    from_utc: str
    until_utc: str
    availability_pct: float | None
    outage_s: float
    excluded_s: float
    outage_at_most: bool
    tests: int
    valid_tests: int
    aborted_tests: int
    valid_share: float | None
    faults: int
    mean_time_between_faults_s: float | None
    alarms: int
    acknowledge_median_s: float | None
    acknowledge_longest_s: float | None
    closure_rate: float | None
    recurrence_share: float | None
    calibration_due: str | None = None
    rows_left_out: int = 0


def service_quality(
    rig: str, log: StationLog, runs: Sequence[RunSummary], span: Span, calibration_due: str | None = None
) -> ServiceQuality:
    """Get a rig's figures over a span, cut to where the rig was seen: to its last row where nothing runs now."""
    begin = max(span[0], log.alive[0]) if log.alive else span[1]
    end = span[1] if log.runs_now or not log.alive else min(span[1], log.alive[-1])
    total_s = max(0.0, (end - begin).total_seconds())
    stops, unseen = _stops(log, end)
    outages = _joined(_cut([*stops, *_unable(log.events, end)], begin, end))
    excluded_s = _length_s(_common(outages, _joined(_cut(_maintenance(log.events), begin, end))))
    outage_s = _length_s(outages)
    tests = [r for r in runs if begin <= r.started < end and not r.result.blank_run]
    aborted = [r for r in tests if r.result.invalid_reason is InvalidReason.ABORTED]
    valid = [r for r in tests if r.result.verdict is not Verdict.INVALID]
    judged = len(tests) - len(aborted)
    faults = len(_cut(stops, begin, end)) + sum(
        e.kind is EventKind.ALARM_OPENED and e.alarm in CANNOT_WORK and begin <= e.at < end for e in log.events
    )
    alarms = _alarms([e for e in log.events if begin <= e.at < end])
    answered = [a.acknowledged_s for a in alarms if a.acknowledged_s is not None]
    up_share = 1.0 - (outage_s - excluded_s) / total_s if total_s else 0.0
    available = 100.0 * up_share if total_s and _ever_started(log) else None
    return ServiceQuality(
        rig=rig,
        from_utc=begin.isoformat(timespec="seconds"),
        until_utc=end.isoformat(timespec="seconds"),
        availability_pct=available,
        outage_s=outage_s,
        excluded_s=excluded_s,
        outage_at_most=unseen,
        tests=len(tests),
        valid_tests=len(valid),
        aborted_tests=len(aborted),
        valid_share=len(valid) / judged if judged else None,
        faults=faults,
        mean_time_between_faults_s=(total_s - outage_s) / faults if faults else None,
        alarms=len(alarms),
        acknowledge_median_s=median(answered) if answered else None,
        acknowledge_longest_s=max(answered, default=None),
        closure_rate=sum(a.closed for a in alarms) / len(alarms) if alarms else None,
        recurrence_share=_recurrence(alarms),
        calibration_due=calibration_due,
        rows_left_out=log.damaged,
    )


# outages


def _ever_started(log: StationLog) -> bool:
    return any(e.kind is EventKind.STARTED for e in log.events)


def _stops(log: StationLog, end: datetime.datetime) -> tuple[list[Span], bool]:
    """Get when no station ran, and whether one of them began unseen: at the last sign of life before a start."""
    out: list[Span] = []
    unseen = False
    stopped: datetime.datetime | None = None
    started = False
    for event in log.events:
        if event.kind is EventKind.STOPPED:
            stopped = event.at
        elif event.kind is EventKind.STARTED:
            if started:
                last = stopped or _last_before(log.alive, event.at)
                unseen = unseen or stopped is None
                if last is not None and last < event.at:
                    out.append((last, event.at))
            started, stopped = True, None
    if stopped is not None and stopped < end:
        out.append((stopped, end))
    return out, unseen


def _last_before(alive: Sequence[datetime.datetime], at: datetime.datetime) -> datetime.datetime | None:
    """Get the last of ``alive``, in order, before a time."""
    n = bisect_left(alive, at)
    return alive[n - 1] if n else None


def _unable(events: Iterable[LoggedEvent], end: datetime.datetime) -> list[Span]:
    """Get when an alarm was open under which nothing can be tested."""
    opened: dict[str, datetime.datetime] = {}
    out = []
    for event in events:
        if event.kind is EventKind.ALARM_OPENED and event.alarm in CANNOT_WORK:
            opened.setdefault(event.alarm, event.at)
        elif event.alarm in opened and event.kind is EventKind.ALARM_CLOSED:
            out.append((opened.pop(event.alarm), event.at))
        elif event.kind is EventKind.STARTED:  # the station's alarms begin anew with it
            out += [(at, event.at) for at in opened.values()]
            opened.clear()
    return out + [(at, end) for at in opened.values()]


def _maintenance(events: Iterable[LoggedEvent]) -> list[Span]:
    """Get when maintenance was declared, beforehand: from its declaration on at the earliest."""
    return [
        (max(e.from_utc, e.at), e.until_utc)
        for e in events
        if e.kind is EventKind.MAINTENANCE and e.from_utc is not None and e.until_utc is not None and e.until_utc > e.at
    ]


def _cut(spans: Iterable[Span], begin: datetime.datetime, end: datetime.datetime) -> list[Span]:
    cut = ((max(a, begin), min(b, end)) for a, b in spans)
    return [(a, b) for a, b in cut if a < b]


def _joined(spans: Iterable[Span]) -> list[Span]:
    """Get spans in order, those that touch as one."""
    out: list[Span] = []
    for a, b in sorted(spans):
        if out and a <= out[-1][1]:
            out[-1] = (out[-1][0], max(b, out[-1][1]))
        else:
            out.append((a, b))
    return out


def _common(one: Sequence[Span], other: Sequence[Span]) -> list[Span]:
    """Get what two joined lists of spans have in common: each is looked at once, however many they are."""
    out: list[Span] = []
    i = j = 0
    while i < len(one) and j < len(other):
        (a, b), (c, d) = one[i], other[j]
        if max(a, c) < min(b, d):
            out.append((max(a, c), min(b, d)))
        if b <= d:
            i += 1
        else:
            j += 1
    return out


def _length_s(spans: Iterable[Span]) -> float:
    return sum((b - a).total_seconds() for a, b in spans)


# alarms


class _Alarm(msgspec.Struct, kw_only=True):
    name: str
    opened: datetime.datetime
    closed: bool = False
    acknowledged_s: float | None = None


def _alarms(events: Iterable[LoggedEvent]) -> list[_Alarm]:
    out: list[_Alarm] = []
    standing: dict[str, _Alarm] = {}
    for event in events:
        if event.kind is EventKind.ALARM_OPENED:
            standing[event.alarm] = _Alarm(name=event.alarm, opened=event.at)
            out.append(standing[event.alarm])
            continue
        alarm = standing.get(event.alarm)
        if alarm is None:
            continue
        if event.kind is EventKind.ALARM_CLOSED:
            alarm.closed = True
        elif event.kind is EventKind.ALARM_ACKNOWLEDGED and alarm.acknowledged_s is None:
            alarm.acknowledged_s = (event.at - alarm.opened).total_seconds()
    return out


def _recurrence(alarms: Sequence[_Alarm]) -> float | None:
    """Get the share of alarms that came again within ``RECURS_WITHIN``."""
    if not alarms:
        return None
    by_name: dict[str, list[datetime.datetime]] = {}
    for alarm in alarms:
        by_name.setdefault(alarm.name, []).append(alarm.opened)
    again = sum(b - a <= RECURS_WITHIN for opened in by_name.values() for a, b in pairwise(opened))
    return again / len(alarms)
