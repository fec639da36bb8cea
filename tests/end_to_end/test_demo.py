"""A whole test on the simulated rig, through the real drivers: the verdicts, the truth, and the same bits twice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from report_numbers import as_html, as_text, missing_numbers
from short_demo import SHORT, run

from edge.database.queries import stored_commands, stored_run
from edge.database.reading import open_readonly
from edge.database.stored_frames import stored_frames
from edge.fold import layout
from edge.procedure.parameters import RunParameters
from edge.procedure.pipeline import OperatorCommand, Pipeline
from edge.records.event import FROM_FRAMES
from edge.records.frame import join
from edge.records.phase import Phase
from edge.report.language import Language
from edge.run.refold import refold
from edge.standards.standard import load_standard, loads_standard
from hw.protocols import Status

SIX_HOURS = load_standard("gbt-48093-1-2026")
AN_HOUR = loads_standard(SHORT.replace("1200", "3600"))
EXPECTED = {
    "solid": ("PASS", SIX_HOURS),
    "borderline": ("INCONCLUSIVE", SIX_HOURS),
    "hybrid": ("FAIL", AN_HOUR),
    "liquid": ("FAIL", AN_HOUR),
    "drift": ("INCONCLUSIVE", AN_HOUR),
}
"""What comes of each scenario: two after six hours, the others, which an hour decides or nothing will, after one."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def whole(folder: Path) -> Iterator[Any]:
    """Tests of each scenario, one database each, run once."""

    @cache
    def of(scenario: str) -> tuple[dict[str, Any], Path]:
        path = folder / f"{scenario}.db"
        return run(path, scenario, "nau7802", 2, EXPECTED[scenario][1]), path

    return of


@pytest.mark.parametrize("scenario", list(EXPECTED))
def test_each_scenario_gets_its_verdict_and_the_truth_is_inside_the_interval(whole: Any, scenario: str) -> None:
    result, _ = whole(scenario)
    verdict, standard = EXPECTED[scenario]
    assert result["verdict"] == verdict, result["invalid_because"]
    assert abs(result["loss_pct"] - result["true_loss_pct"]) <= result["U_pct"]
    assert result["hold_s"] >= standard.hold_s.value
    assert SIX_HOURS.hold_s.value == 21_600.0


@pytest.mark.parametrize("scenario", list(EXPECTED))
def test_every_number_of_a_report_is_the_results_own(whole: Any, scenario: str) -> None:
    _, path = whole(scenario)
    for language in Language:
        for made in (as_text, as_html):
            assert missing_numbers(path, made(path, language)) == [], (language, made)


def test_the_loss_that_is_shown_at_the_holds_end_is_the_verdicts_and_not_off_by_the_air(whole: Any) -> None:
    result, path = whole("borderline")
    with closing(open_readonly(path)) as db:
        run = stored_run(db, 1)
        pipeline = Pipeline(RunParameters.from_settings(run.settings), run.t0_ns)
        for seq, command in stored_commands(db, 1):
            pipeline.command(OperatorCommand(seq, command))
        (end_s,) = db.execute("select max(elapsed_s) from seconds where phase = 'hold'").fetchone()
        seconds = pipeline.feed(join(list(stored_frames(db, 1))).cut(0, int(end_s))).seconds()
    told = pipeline.live_loss.now(seconds[-1], pipeline.phases)
    assert pipeline.phases.phase is Phase.HOLD
    assert told.loss_pct is not None
    assert told.as_weighed_pct is not None
    assert abs(told.loss_pct - result["loss_pct"]) <= result["U_pct"]
    assert abs(told.as_weighed_pct - result["loss_pct"]) > result["U_pct"]
    assert abs(told.loss_pct - result["true_loss_pct"]) < 0.02


def test_the_raw_codes_of_a_run_give_its_seconds_and_events_again_bit_for_bit(whole: Any) -> None:
    _, path = whole("borderline")
    db = open_readonly(path)
    again = refold(db, 1)
    rows = again.folded.rows
    stored = list(db.table("seconds").rows_where(order_by="second"))
    assert len(stored) == len(rows) > 30_000
    for ours, column in (("mass_g", "mass_g"), ("sd_g", "sd_g"), ("temp_c", "temp_c"), ("cell_temp_c", "cell_temp_c"),
                         ("hold_s", "hold_s"), ("loss_pct", "loss_pct"), ("drift_g_per_h", "drift_g_per_h"),
                         ("zero_code", "zero_code"), ("t_s", "elapsed_s")):  # fmt: skip
        kept = np.array([np.nan if r[column] is None else r[column] for r in stored])
        assert kept.tobytes() == np.where(np.isnan(rows[ours]), np.nan, rows[ours]).tobytes(), column
    assert [r["phase"] for r in stored] == list(again.folded.phases)
    logged = [
        (r["second"], r["kind"], json.loads(r["data_json"]))
        for r in db.table("events").rows_where()
        if r["kind"] in FROM_FRAMES
    ]
    assert logged == [(e.seq, e.kind, json.loads(json.dumps(e.what.data()))) for e in again.folded.events]
    assert again.pipeline.phases.invalid is None


def test_a_run_folded_frame_by_frame_and_in_whole_chunks_has_the_same_bits(whole: Any) -> None:
    _, path = whole("solid")
    db = open_readonly(path)
    pipeline = refold(db, 1).pipeline  # chunks of minutes; the station fed it second by second
    last = pipeline.state.tobytes()
    stored = db.execute("select mass_g from seconds order by second desc limit 1").fetchone()[0]
    assert np.float64(stored).tobytes() == np.float64(pipeline.state["last_g"][0]).tobytes()
    assert len(last) == layout.STATE.itemsize


def test_every_second_of_the_hold_has_its_raw_samples(whole: Any) -> None:
    _, path = whole("solid")
    db = open_readonly(path)
    frames = list(stored_frames(db, 1))
    seqs = np.concatenate([f.seq for f in frames])
    assert seqs.tolist() == list(range(len(seqs)))
    status = np.concatenate([f.status for f in frames])
    assert np.mean(status == Status.OK) > 0.999
