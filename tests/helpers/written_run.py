"""A run as the station writes it into a journal, second by second, with every kind of code in it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from repository import ROOT

from calibration.certificate import loads
from edge.database.journal import Journal, RunHeader
from edge.database.run_journal import RunJournal, Writing
from edge.records.event import Event, Happening, PhaseChanged
from edge.records.frame import Frames, one_frame
from edge.records.phase import Phase
from edge.records.result import Conditions, not_judged
from edge.records.run import RunKind
from edge.records.second import Second
from edge.records.standard_used import StandardUsed
from edge.standards.standard import load_standard
from hw.protocols import CODE_MAX, CODE_MIN, Conversion, Reading, Status

STANDARD = load_standard("gbt-48093-1-2026")
CERTIFICATE = loads(
    (ROOT / "docs" / "calibration.md").read_text(encoding="utf-8").split("```toml\n")[1].split("```")[0]
)
NS = 10**9
NOT_JUDGED = not_judged(
    "it was written by a test",
    conditions=Conditions(
        limit_pct=0.5,
        comparator="<=",
        weigh="cold",
        hold_required_s=600.0,
        temp_c=120.0,
        temp_band_c=2.0,
        standard=StandardUsed(id=STANDARD.id, title=STANDARD.title.value, sha256=STANDARD.sha256, verified=False),
    ),
    kind=RunKind.SIMULATED,
    sample_id="S 1",
    run_id=None,
)


def begin(journal: Journal, batch_s: int = 5, wall_s: float = 1.75e9, **more: Any) -> RunJournal:
    header = RunHeader(
        run_uid="u-1",
        sample_id="S 1",
        operator="A. Person",
        kind=RunKind.SIMULATED,
        standard=STANDARD,
        certificate=CERTIFICATE,
        settings={"plan": {"hold_s": 600.0}},
        t0_ns=7 * NS,
    )
    return journal.begin(replace(header, **more), Writing("boot", wall_s, batch_s))


def frame(seq: int, codes: tuple[int, ...] = (-1, 0, 1, CODE_MAX, CODE_MIN)) -> Frames:
    t_ns = 7 * NS + seq * NS
    samples = [Conversion(t_ns + i * 100_000_000, seq * 10 + code % 7, Status.OK) for i, code in enumerate(codes)]
    return one_frame(seq, t_ns, samples, Reading(t_ns, 9_000 + seq, 0, Status.OK))


def row(seq: int, mass_g: float = 1.5) -> Second:
    return Second(seq, float(seq), 5, 0, 0, 0, mass_g, 0.1, 0.0, 120.0, 25.0, float("nan"), 1, 0.0, 0.0, 0.0)


def event(seq: int, what: Happening | None = None) -> Event:
    return Event(seq, seq + 0.25, what or PhaseChanged(Phase.RAMP, Phase.HOLD, "in band: „°C“"))


def write(run: RunJournal, seconds: range, events: dict[int, list[Event]] | None = None) -> None:
    for seq in seconds:
        run.raw(frame(seq))
        run.derived([row(seq)], ["hold"], (events or {}).get(seq, []), 1.75e9 + seq)
