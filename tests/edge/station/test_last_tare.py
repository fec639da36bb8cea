"""A tare is held against the rig's last one: as far off as the rig moves by itself it is taken, and beyond refused."""

from __future__ import annotations

import contextlib
import math
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from scripted_seconds import PLAN, feed, jitter, row
from simulated_service import order, rigged
from written_run import CERTIFICATE, begin, event, write

from calibration.certificate import certificate_hash
from edge.database.journal import Journal
from edge.database.tares import last_tare
from edge.procedure.last_tare import LastTare, moves_by_itself_g, with_last_tare
from edge.procedure.phases import Phases
from edge.records.command import OperatorWord
from edge.records.event import TareRefused, WeighingTaken
from edge.records.phase import Phase
from edge.records.run import RunKind
from edge.records.weighing import WeighingKind
from edge.station.start import definition_from_order

SHA = certificate_hash(CERTIFICATE)
S = CERTIFICATE.span.counts_per_g
OURS = (RunKind.SIMULATED,)


def store(path: Path, *tares: tuple[float, bool], **more: Any) -> None:
    """Write a run for each tare (g); ``True``: it came to M1."""
    with Journal(path) as journal:
        for i, (g, loaded) in enumerate(tares):
            run = begin(journal, run_uid=f"u-{i}", **more)
            told = [event(1, WeighingTaken(WeighingKind.TARE, g * S, 1.0, 60.0, 1.0, 25.0))]
            if loaded:
                told.append(event(1, WeighingTaken(WeighingKind.M1, 196.0, 1e-3, 600.0, 900.0, 25.0)))
            write(run, range(5), {1: told})
            run.commit_all(1.75e9 + 10.0)


def taken(on_cell_g: float, last_g: float) -> str:
    """Say tare with so much on the cell; get why it was refused ('' where it was taken)."""
    plan = with_last_tare(replace(PLAN, tare_g=60.0, tare_within_g=40.0), CERTIFICATE, LastTare(7, last_g * S))
    phases = Phases(plan, Phase.TARE)
    feed(phases, [row(0)])
    phases.command(OperatorWord.TARE, 0, 0.0)
    events = feed(phases, (row(s, mass_g=on_cell_g + jitter(s, 0.001)) for s in range(1, 70)))
    return next((e.what.why for e in events if isinstance(e.what, TareRefused)), "")


def test_what_the_rig_does_by_itself_is_taken_and_a_small_sample_on_the_holder_is_not() -> None:
    by_itself_g = moves_by_itself_g(CERTIFICATE)
    assert CERTIFICATE.cell.capacity_g * 0.01 < by_itself_g < CERTIFICATE.cell.capacity_g * 0.03
    for off_g in (0.0, 0.9 * by_itself_g, -0.9 * by_itself_g):
        assert taken(62.0 + off_g, 62.0) == ""
    why = taken(62.0 + 20.0, 62.0)
    assert "+20 g against the tare of run 7" in why
    assert "take off what lies there" in why
    assert "the holder is new" in why
    assert "put the holder back" in taken(62.0 - 20.0, 62.0)


def test_the_certificate_is_asked_first_and_a_run_without_a_last_tare_is_asked_nothing_more() -> None:
    assert "of the certificate" in taken(160.0, 62.0)
    plan = with_last_tare(PLAN, CERTIFICATE, None)
    assert plan is PLAN
    assert plan.last_tare_run == 0


def test_the_newest_tare_that_bore_a_sample_counts(tmp_path: Path) -> None:
    path = tmp_path / "h.db"
    store(path, (61.0, True), (62.0, True), (258.0, False))
    found = last_tare(path, SHA, OURS)
    assert found is not None
    assert found[0] == 2
    assert found[1] == pytest.approx(62.0 * S)
    assert last_tare(path, SHA, (RunKind.TEST, RunKind.BLANK)) is None
    assert last_tare(path, "0" * 64, OURS) is None
    assert last_tare(tmp_path / "none.db", SHA, OURS) is None


def test_a_tare_that_does_not_follow_its_chain_is_none_and_no_reason_to_refuse(tmp_path: Path) -> None:
    path = tmp_path / "h.db"
    store(path, (61.0, True), (62.0, True))
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        db.execute("update events set data_json = replace(data_json, '\"tare\"', '\"TARE\"') where run_id = 2")
    found = last_tare(path, SHA, OURS)
    assert found is not None
    assert found[0] == 1
    path.write_bytes(b"no database at all")
    assert last_tare(path, SHA, OURS) is None


def test_a_start_looks_for_it_and_one_with_a_new_holder_does_not(tmp_path: Path) -> None:
    with rigged(tmp_path) as it:
        certificate = it.service.start(order(), "ada").definition.certificate
        earlier = tmp_path / "earlier.db"
        store(earlier, (61.5, True), certificate=certificate, kind=RunKind.TEST)
        none = definition_from_order(order(), it.config, it.database).parameters.plan
        held = definition_from_order(order(), it.config, earlier).parameters.plan
        new = definition_from_order(order(new_holder=True), it.config, earlier).parameters.plan
    assert (none.last_tare_run, held.last_tare_run, new.last_tare_run) == (0, 1, 0)
    assert math.isfinite(held.last_tare_g)
