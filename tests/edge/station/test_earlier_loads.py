"""What hung on the cell before a run: from the runs before it, from the calibration's night, or as somebody says."""

from __future__ import annotations

import contextlib
import datetime
import sqlite3
from pathlib import Path
from typing import Any

import msgspec
import pytest
from simulated_service import order, rigged
from written_run import CERTIFICATE, begin, frame, row

from calibration.calibration_record import Air, Record, Slope, SpanRecord
from calibration.certificate import Certificate, certificate_hash
from edge.database.earlier_loads import loads_of_runs
from edge.database.journal import Journal
from edge.database.queries import stored_run
from edge.database.reading import open_readonly
from edge.errors import BadInput
from edge.records.command import OperatorWord
from edge.records.earlier_load import EarlierLoad
from edge.records.event import ClockChecked, CommandTaken, Event, Happening, PhaseChanged, WeighingTaken
from edge.records.phase import Phase
from edge.records.run import RunKind
from edge.records.weighing import WeighingKind
from edge.run.resume import stored_definition
from edge.station.earlier_loads import earlier_loads
from edge.station.start import definition_from_order
from edge.uncertainty.earlier_load import ASSUMED_REST_S

HOUR = 3600.0
BEGAN_S = 1.75e9
KINDS = (RunKind.TEST, RunKind.BLANK)
M1 = (0.3, PhaseChanged(Phase.LOAD, Phase.M1, "the sample is on"))


def weighed(which: WeighingKind, value: float) -> WeighingTaken:
    return WeighingTaken(which, value, 1e-3, 600.0, 0.0, 25.0)


LOADED: tuple[tuple[float, Happening], ...] = (
    M1, (0.7, weighed(WeighingKind.M1, 196.0)), (9.3, weighed(WeighingKind.M2, 195.0)),
)  # fmt: skip
UNLOADED = ((9.8, CommandTaken(OperatorWord.ZERO)), (10.3, weighed(WeighingKind.ZERO, 3e5)))


def store(
    path: Path, *happened: tuple[float, Happening], clock_set: bool | None = True, at_h: float = 0.0, **more: Any
) -> None:
    """Write a run of what happened, each so many hours after its begin."""
    with Journal(path) as journal:
        wall_s = BEGAN_S + at_h * HOUR
        run = begin(journal, wall_s=wall_s, run_uid=f"u-{at_h}", kind=RunKind.TEST, **more)
        run.log_event(Event(0, 0.0, ClockChecked(clock_set)), "instrument", wall_s)
        for seq, (hours, what) in enumerate(happened):
            run.raw(frame(seq))
            run.derived([row(seq)], ["hold"], [Event(seq, hours * HOUR, what)], wall_s + hours * HOUR)
        run.commit_all(wall_s + 12.0 * HOUR)


def found(
    path: Path, now_h: float, certificate: Certificate = CERTIFICATE, empty_h: float | None = None
) -> list[EarlierLoad]:
    empty_s = None if empty_h is None else empty_h * HOUR
    return list(earlier_loads(path, certificate, KINDS, BEGAN_S + now_h * HOUR, empty_s=empty_s))


def test_a_second_zero_says_when_the_sample_was_off(tmp_path: Path) -> None:
    path = tmp_path / "h.db"
    store(path, *LOADED, *UNLOADED)
    (load,) = found(path, 14.0)
    assert (load.of, load.mass_g, load.rest) == ("run 1", 196.0, "measured")
    assert load.hung_s == pytest.approx(9.5 * HOUR)
    assert load.rested_s == pytest.approx(4.2 * HOUR)


def test_without_one_it_hung_until_just_now_unless_somebody_says_since_when_the_holder_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "h.db"
    store(path, *LOADED)
    (load,) = found(path, 14.0)
    assert (load.rest, load.rested_s) == ("assumed", ASSUMED_REST_S)
    assert load.hung_s == pytest.approx(13.7 * HOUR - ASSUMED_REST_S)
    (said,) = found(path, 14.0, empty_h=4.0)
    assert (said.rest, said.rested_s) == ("declared", 4.0 * HOUR)
    assert said.hung_s == pytest.approx(9.7 * HOUR)
    with pytest.raises(BadInput, match=r"^empty for 5 h: the sample of run 1 was on 4.7 h ago: say since when"):
        found(path, 14.0, empty_h=5.0)
    assert found(path, 9.3 + 73.0) == []


def test_a_run_whose_clock_was_not_set_says_how_long_and_not_when(tmp_path: Path) -> None:
    path = tmp_path / "h.db"
    store(path, *LOADED, *UNLOADED, clock_set=None)
    (load,) = found(path, 2000.0)
    assert (load.rest, load.rested_s) == ("assumed", ASSUMED_REST_S)
    assert load.hung_s == pytest.approx(9.5 * HOUR)


def test_the_newest_come_first_and_a_run_that_was_never_loaded_is_none(tmp_path: Path) -> None:
    path = tmp_path / "h.db"
    store(path, *LOADED, *UNLOADED)
    store(path, *LOADED, *UNLOADED, at_h=24.0)
    store(path, (0.1, weighed(WeighingKind.TARE, 3e5)), at_h=48.0)
    assert [load.of for load in found(path, 49.0)] == ["run 2", "run 1"]
    assert loads_of_runs(path, certificate_hash(CERTIFICATE), (RunKind.SIMULATED,)) == ()
    assert loads_of_runs(path, "0" * 64, KINDS) == ()


def test_what_cannot_be_read_is_no_load_and_no_reason_to_refuse(tmp_path: Path) -> None:
    path = tmp_path / "h.db"
    assert found(path, 14.0) == []
    store(path, *LOADED)
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        db.execute("update events set data_json = replace(data_json, '196.0', '1.0')")
    assert found(path, 14.0) == []
    path.write_bytes(b"no database at all")
    assert found(path, 14.0) == []


def test_the_weight_of_the_calibrations_night_is_one_too(tmp_path: Path) -> None:
    made = datetime.datetime.fromtimestamp(BEGAN_S).date()
    night = Slope(
        weight_g=200.0, per_k=1.0, u_per_k=0.1, low_c=20.0, high_c=30.0, minutes=480, residual=1.0, drift_per_h=0.0,
        inflation=1.0,
    )  # fmt: skip
    span = SpanRecord(zero_code=0.0, quadratic=False, residual_g=0.0, covariance=((1.0, 0.0), (0.0, 1.0)))
    air = Air(density_kg_m3=1.2, u_density_kg_m3=0.01, origin="declared")
    record = Record(software="t", begun=made, air=air, weights=(), span=span, points=(), loaded_slope=night)
    certificate = msgspec.structs.replace(CERTIFICATE, made_at=made, record=record)
    (load,) = found(tmp_path / "none.db", 0.0, certificate)
    assert (load.of, load.mass_g, load.hung_s, load.rest) == ("the calibration", 200.0, 10 * HOUR, "assumed")
    assert load.rested_s == ASSUMED_REST_S
    kept = msgspec.structs.replace(certificate.stability, creep_kept=0.1, u_creep_kept=0.05)
    (rested,) = found(tmp_path / "none.db", 0.0, msgspec.structs.replace(certificate, stability=kept))
    assert (rested.rest, rested.rested_s) == ("measured", 2 * HOUR)
    (later,) = found(tmp_path / "none.db", 48.0, certificate)
    assert later.rest == "measured"
    assert 23.0 * HOUR < later.rested_s <= 48.0 * HOUR
    assert found(tmp_path / "none.db", 24.0 * 5, certificate) == []


def test_a_start_asks_for_it_and_stores_it_with_the_run(tmp_path: Path) -> None:
    with rigged(tmp_path) as it:
        certificate = it.service._desk.definition(order()).certificate
        earlier = tmp_path / "earlier.db"
        store(earlier, *LOADED, certificate=certificate)
        now_s = BEGAN_S + 10.0 * HOUR
        asked = order(empty_ago_s=600.0)
        definition = definition_from_order(asked, it.config, earlier, now_s=now_s)
        assert [load.rest for load in definition.earlier_loads] == ["declared"]
        assert definition_from_order(order(), it.config, it.database, now_s=now_s).earlier_loads == ()
        it.service._desk._station.begin(definition, "u-2", {})
        it.run_s(3.0)
        with contextlib.closing(open_readonly(it.database)) as db:
            assert stored_definition(db, stored_run(db, 1)).earlier_loads == definition.earlier_loads
