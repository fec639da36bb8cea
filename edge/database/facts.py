"""What a report says of a run beside its result, read from what is stored.

Nothing is believed before its chain was followed. This module must never write, and never name what nobody recorded.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from calibration.certificate import Certificate
from edge.errors import NoSuchRun
from edge.records.curve import PhaseSpan, PressureKnown
from edge.records.event import EventKind
from edge.records.phase import CHECKED_FIRST, Phase
from edge.records.report_facts import (
    CertificateTold,
    ClockKnown,
    DeviceTold,
    LaboratoryTold,
    PhaseTold,
    RunFacts,
    StandardTold,
    StatusTold,
    WeightTold,
)
from edge.standards.standard import Field, Standard, loads_standard

from . import hash_chain
from .connection import Database, parsed_rows, translated_errors
from .curve import told_phases
from .queries import stored_certificate, stored_run
from .reading import open_readonly
from .stored_json import decoded, require_finite
from .two_chains import StoredRow

VACUUM = (Phase.RAMP, Phase.HOLD)
"""The phases whose vacuum is declared where there is no gauge; before and after the same air is."""
AIR = (Phase.TARE, *CHECKED_FIRST, Phase.LOAD, Phase.M1, Phase.M2, Phase.ZERO, Phase.CHECK)
MOST_STATUSES = 100


class _Header(msgspec.Struct, frozen=True, kw_only=True):
    """Columns of ``runs`` that :class:`edge.database.queries.StoredRun` leaves out."""

    run_uid: str
    started_utc: str
    ended_utc: str | None
    software_version: str | None


class _Seen(msgspec.Struct, frozen=True, array_like=True):
    """What a phase's seconds hold together, in the order of ``_SUMS``."""

    phase: Phase
    seconds: int
    ok: int
    bad: int
    spikes: int
    oven_low_c: float | None
    oven_high_c: float | None
    cell_most_c: float | None
    low_pa: float | None
    high_pa: float | None


_SUMS = (
    "select phase, count(*), coalesce(sum(samples_ok), 0), coalesce(sum(samples_bad), 0), "
    "coalesce(sum(samples_spike), 0), min(temp_c), max(temp_c), max(cell_temp_c), min(pressure_pa), max(pressure_pa) "
    "from seconds where run_id = ? group by phase"
)


def run_facts(path: Path, run_id: int) -> RunFacts:
    """Get what is stored of a run beside its result. Raises ``NoSuchRun``, ``BadDatabase``."""
    with closing(open_readonly(path)) as db, translated_errors(path):
        return read_facts(db, run_id)


def read_facts(db: Database, run_id: int) -> RunFacts:
    """Get a run's facts from an open database. Raises as :func:`run_facts`."""
    columns = ", ".join(_Header.__struct_fields__)
    found = list(db.query(f"select {columns} from runs where run_id = ?", [run_id]))
    if not found:
        raise NoSuchRun(f"no run {run_id}: halfpercent runs lists them")
    run = stored_run(db, run_id)
    with parsed_rows(f"run {run_id}: what is stored of it"):
        header = msgspec.convert(found[0], _Header)
        events = list(hash_chain.events(db, run_id))
        told = [(float(e["elapsed_s"]), str(e["kind"]), decoded(e["data_json"])) for e in events]
        standard = loads_standard(run.standard_toml, f"run {run_id}: its standard")
        last = db.execute("select max(elapsed_s) from seconds where run_id = ?", [run_id]).fetchone()[0]
        spans = tuple(told_phases(db, run_id, told, float(last or 0.0)))
        pressure = _pressure(db, run_id, standard, run.settings)
        sums = _sums(db, run_id)
        whole = [sums[phase] for phase in sums]
        return RunFacts(
            run_id=run_id,
            run_uid=header.run_uid,
            operator=run.operator,
            started_utc=header.started_utc,
            ended_utc=header.ended_utc,
            laboratory=_optional(run.settings, "laboratory", LaboratoryTold),
            standard=_standard(standard),
            certificate=_certificate(stored_certificate(db, run), run.certificate_sha256)
            if run.certificate_sha256
            else None,
            devices=tuple(_devices(run.settings.get("devices", {}))),
            software=header.software_version or "",
            versions=_optional(run.settings, "versions", dict[str, str]) or {},
            series=_optional(run.settings, "series", str),
            clock=_clock(told),
            pressure=pressure,
            seconds=sum(s.seconds for s in whole),
            samples=sum(s.ok + s.bad + s.spikes for s in whole),
            samples_ok=sum(s.ok for s in whole),
            spikes=sum(s.spikes for s in whole),
            statuses=tuple(_statuses(db, run_id)),
            phases=tuple(
                _phase(
                    span,
                    _of_span(db, run_id, span, sums, again=sum(s.phase is span.phase for s in spans) > 1),
                    pressure,
                    header.started_utc if span.from_s == 0.0 else _wall_of(span, events),
                )
                for span in spans
            ),
            converter_resets=sum(kind == EventKind.CONVERTER_RESET for _, kind, _ in told),
            last_event_sha256=str(events[-1]["sha256"]) if events else None,
        )


def _optional(settings: StoredRow, name: str, kind: Any) -> Any:
    return None if settings.get(name) is None else msgspec.convert(settings[name], kind)


def _sums(db: Database, run_id: int) -> dict[Phase, _Seen]:
    rows = db.execute(_SUMS, [run_id]).fetchall()
    for row in rows:
        require_finite(row)
    return {seen.phase: seen for seen in msgspec.convert(rows, list[_Seen])}


def _of_span(db: Database, run_id: int, span: PhaseSpan, sums: dict[Phase, _Seen], *, again: bool) -> _Seen:
    """Get what a phase's seconds hold; of one that came more than once, those of this time."""
    seen = sums.get(span.phase, _Seen(span.phase, 0, 0, 0, 0, None, None, None, None, None))
    if not again:
        return seen
    asked = f"{_SUMS.partition(' group by')[0]} and phase = ? and elapsed_s >= ? and elapsed_s < ? group by phase"
    row = db.execute(asked, [run_id, str(span.phase), span.from_s, span.to_s]).fetchone()
    return _Seen(span.phase, 0, 0, 0, 0, None, None, None, None, None) if row is None else msgspec.convert(row, _Seen)


def _phase(span: PhaseSpan, seen: _Seen, pressure: PressureKnown, began: str) -> PhaseTold:
    known = PressureKnown.NOT_STATED
    if seen.low_pa is not None:
        known = PressureKnown.MEASURED
    elif pressure is PressureKnown.DECLARED and span.phase in (*VACUUM, *AIR) and span.phase is not Phase.RAMP:
        known = PressureKnown.DECLARED
    return PhaseTold(
        phase=span.phase,
        from_s=span.from_s,
        to_s=span.to_s,
        began_utc=began,
        why=span.why,
        oven_low_c=seen.oven_low_c,
        oven_high_c=seen.oven_high_c,
        cell_most_c=seen.cell_most_c,
        pressure=known,
        low_pa=seen.low_pa,
        high_pa=seen.high_pa,
        samples=seen.ok + seen.bad + seen.spikes,
        not_ok=seen.bad,
        spikes=seen.spikes,
    )


def _wall_of(span: PhaseSpan, events: list[StoredRow]) -> str:
    """Get the wall time at which a phase began: that of the event that says so."""
    for e in events:
        if e["kind"] == EventKind.PHASE and e["elapsed_s"] == span.from_s:
            return str(e["wall_utc"])
    return ""


def _pressure(db: Database, run_id: int, standard: Standard, settings: StoredRow) -> PressureKnown:
    """Get from where the pressure is known: measured where a second has one, declared where the run says so."""
    sql = "select second from seconds where run_id = ? and pressure_pa is not null limit 1"
    if db.execute(sql, [run_id]).fetchone() is not None:
        return PressureKnown.MEASURED
    declared = msgspec.convert(settings.get("declared", []), list[str])
    return PressureKnown.DECLARED if any(d.startswith("pressure") for d in declared) else PressureKnown.NOT_STATED


def _statuses(db: Database, run_id: int) -> Iterator[StatusTold]:
    sql = (
        "select bad_because, sum(samples_bad), count(*), min(elapsed_s) from seconds where run_id = ? and "
        "samples_bad > 0 group by bad_because order by 2 desc limit ?"
    )
    for because, samples, seconds, first_s in db.execute(sql, [run_id, MOST_STATUSES]).fetchall():
        told = {"because": because or "", "samples": samples, "seconds": seconds, "first_s": first_s}
        yield msgspec.convert(told, StatusTold)


def _stated(value: Field[str]) -> str | None:
    return None if value.assumed else value.value


def _standard(standard: Standard) -> StandardTold:
    return StandardTold(
        edition=_stated(standard.edition),
        published=_stated(standard.published),
        effective=_stated(standard.effective),
        coverage_probability=standard.coverage_probability.value,
        guard_factor=standard.guard_factor.value if standard.decision_rule.value == "guarded" else 0.0,
    )


def _certificate(c: Certificate, sha256: str) -> CertificateTold:
    record = c.record
    return CertificateTold(
        name=c.name,
        sha256=sha256,
        made_by=c.made_by,
        made_at=c.made_at,
        valid_until=c.valid_until,
        capacity_g=c.cell.capacity_g,
        serial=c.cell.serial,
        chip=c.bridge.chip,
        gain=c.bridge.gain,
        counts_per_g=c.span.counts_per_g,
        u_counts_per_g=c.span.u_counts_per_g,
        u_temp_c=None if c.rtd is None else c.rtd.u_temp_c,
        tolerance_class=None if c.rtd is None else c.rtd.tolerance_class,
        wires=None if c.rtd is None else c.rtd.wires,
        weights=()
        if record is None
        else tuple(WeightTold(mass_g=w.mass_g, u_mass_g=w.u_mass_g, stated=w.stated) for w in record.weights),
    )


def _devices(told: object) -> Iterator[DeviceTold]:
    for role, settings in msgspec.convert(told, dict[str, dict[str, str | int | float]]).items():
        yield DeviceTold(role=role, settings={name: _plain(value) for name, value in settings.items()})


def _plain(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def _clock(told: list[tuple[float, str, StoredRow]]) -> ClockKnown:
    """Get whether the wall clock was set: at every time at which the run says something of it."""
    said = [data.get("clock_set") for _, kind, data in told if kind in (EventKind.CLOCK, EventKind.RESUMED)]
    if any(s is False for s in said):
        return "not set"
    return "set" if said and said[-1] is True else "not known"
