"""A series of cells: what they come to by the file's rule, how they scatter, and an outlier that is named and stays.

Grubbs' critical values are those of ISO 5725-2:1994, table 5 (one largest or one smallest); the example is that of
NIST/SEMATECH 1.3.5.17.1 (mass spectrometer: 199.31 … 245.57, G = 2.4687, critical value at 5 % of eight: 2.1266).
"""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner
from written_run import NOT_JUDGED, STANDARD, begin, write

from edge.cli.main import cli
from edge.database.journal import Journal
from edge.database.series import RunOfSeries, runs_of_series
from edge.errors import NoSuchRun
from edge.records.result import Result, Verdict
from edge.records.suitability import SuitabilityTold
from edge.report.series_text import series_text
from edge.standards.standard import Standard, load_standard, loads_standard
from edge.trends.series import SeriesTold, grubbs, grubbs_critical, series_told

NATIONAL = load_standard("gbt-48093-1-2026")


@pytest.mark.parametrize(
    ("n", "at_1_pct", "at_5_pct"),
    [
        (3, 1.155, 1.155), (4, 1.496, 1.481), (5, 1.764, 1.715), (6, 1.973, 1.887), (7, 2.139, 2.020),
        (8, 2.274, 2.126), (9, 2.387, 2.215), (10, 2.482, 2.290), (15, 2.806, 2.549), (20, 3.001, 2.709),
    ],
)  # fmt: skip
def test_critical_values_are_those_of_iso_5725_2(n: int, at_1_pct: float, at_5_pct: float) -> None:
    last_digit = 1e-3  # the table rounds some up and some down
    assert grubbs_critical(n, 0.01) == pytest.approx(at_1_pct, abs=last_digit)
    assert grubbs_critical(n, 0.05) == pytest.approx(at_5_pct, abs=last_digit)


def test_the_example_of_nist_comes_out() -> None:
    values = [199.31, 199.53, 200.19, 200.82, 201.92, 201.95, 202.18, 245.57]
    found = grubbs(values)
    assert found is not None
    assert (found.index, found.level) == (7, 0.01)
    assert found.g == pytest.approx(2.4687, abs=1e-4)  # the page cuts the last digit off
    assert grubbs_critical(8, 0.05) == pytest.approx(2.1266, abs=5e-5)


def test_too_few_or_equal_values_have_no_outlier() -> None:
    assert grubbs([0.1, 9.0]) is None
    assert grubbs([0.1, 0.1, 0.1, 0.1]) is None


def run(
    run_id: int, verdict: Verdict | None, loss_pct: float | None, standard: Standard = NATIONAL, **more: object
) -> RunOfSeries:
    result: Result | None = None
    if verdict is not None:
        used = msgspec.structs.replace(NOT_JUDGED.standard, sha256=standard.sha256)
        result = msgspec.structs.replace(
            NOT_JUDGED, verdict=verdict, loss_pct=loss_pct, u_pct=0.01, U_pct=0.02, k=2.0, standard=used, **more
        )
    return RunOfSeries(run_id, f"S-{run_id}", "2026-11-26T08:00:00", standard.text, result)


def told(*runs: RunOfSeries, standard: Standard = NATIONAL) -> SeriesTold:
    return series_told("week 48", runs, standard)


def test_each_cell_must_pass_and_that_is_assumed() -> None:
    passed = told(run(1, Verdict.PASS, 0.1), run(2, Verdict.PASS, 0.12), run(3, Verdict.PASS, 0.11))
    assert (passed.verdict, passed.combine, passed.combine_assumed) == (Verdict.PASS, "each", True)
    assert passed.mean_pct == pytest.approx(0.11)
    assert passed.sd_pct == pytest.approx(0.01)
    assert "(assumed, not from the standard)" in series_text(passed)
    for verdict, loss in ((Verdict.FAIL, 2.0), (Verdict.INCONCLUSIVE, 0.5)):
        other = told(run(1, Verdict.PASS, 0.1), run(2, verdict, loss))
        assert other.verdict is verdict
        assert "S-2" in other.why


def test_what_is_no_cell_does_not_count_and_is_listed_with_why() -> None:
    rig = SuitabilityTold(
        kind="inert",
        known_g=0.0,
        U_known_g=0.0,
        found_g=0.0,
        U_found_g=0.01,
        e_n=0.0,
        fit=True,
        fit_until=None,
        why="x",
    )
    other = loads_standard('id = "t"\ntitle = "t"\nlimit_pct = 0.5\ntemp_c = 120.0\nhold_s = 21600\n')
    found = told(
        run(1, Verdict.PASS, 0.1),
        run(2, Verdict.INVALID, None, invalid_because="the oven stayed cold"),
        run(3, None, None),
        run(4, Verdict.PASS, 0.1, blank_run=True),
        run(5, Verdict.INVALID, None, suitability=rig),
        run(6, Verdict.PASS, 0.1, other),
    )
    assert [c.counts for c in found.cells] == [True, False, False, False, False, False]
    assert found.said == ("5 runs do not count: see each",)
    shown = series_text(found)
    for why in ("the oven stayed cold", "it has no result", "it is no test of a cell", "it is a test of the rig"):
        assert why in shown


def test_a_series_is_not_complete_until_it_has_as_many_cells_as_the_file_asks_and_a_fail_is_one_before() -> None:
    text = NATIONAL.text.replace("replicates = { value = 1", "replicates = { value = 3")
    three = loads_standard(text)
    few = told(run(1, Verdict.PASS, 0.1, three), standard=three)
    assert (few.verdict, few.why) == (None, "1 of 3 cells: not complete")
    assert "not complete" in series_text(few)
    assert told(run(1, Verdict.FAIL, 2.0, three), standard=three).verdict is Verdict.FAIL


def test_where_the_file_says_the_mean_it_is_judged_with_what_is_common_and_what_scatters() -> None:
    mean = loads_standard(
        NATIONAL.text.replace('replicates_combine = { value = "each"', 'replicates_combine = { value = "mean"')
    )
    found = told(run(1, Verdict.INCONCLUSIVE, 0.49, mean), run(2, Verdict.PASS, 0.41, mean), standard=mean)
    assert found.mean_pct == pytest.approx(0.45)
    assert found.U_mean_pct is not None
    assert found.U_mean_pct > 0.02
    assert found.verdict is Verdict.INCONCLUSIVE  # two cells that far apart say little of their mean
    alike = told(*(run(i, Verdict.PASS, 0.44 + 0.001 * (i % 2), mean) for i in range(1, 5)), standard=mean)
    assert alike.verdict is Verdict.PASS


def test_an_outlier_is_named_and_stays_in_the_mean() -> None:
    losses = [0.10, 0.11, 0.10, 0.12, 0.11, 0.10, 0.11, 0.45]
    found = told(*(run(i, Verdict.PASS, loss) for i, loss in enumerate(losses, 1)))
    assert found.outlier is not None
    assert (found.outlier.run_id, found.outlier.level) == (8, 0.01)
    assert found.mean_pct == pytest.approx(sum(losses) / 8)
    assert "S-8 (run 8) is an outlier: Grubbs' G = " in series_text(found)
    assert any("they are not alike" in line for line in found.said)


def test_the_command_finds_the_runs_by_their_series_in_text_and_json(tmp_path: Path) -> None:
    path = tmp_path / "h.db"
    passed = run(1, Verdict.PASS, 0.1, STANDARD).result
    assert passed is not None
    with Journal(path) as journal:
        for number, series in enumerate(("Week 48", "another"), 1):
            one = begin(journal, run_uid=f"u-{number}", settings={"plan": {}, "series": series})
            write(one, range(3))
            one.save_result(passed, 1.75e9)
    assert [r.run_id for r in runs_of_series(path, "week 48")] == [1]
    with pytest.raises(NoSuchRun, match="no run of a series 'week 49'"):
        runs_of_series(path, "week 49")
    done = CliRunner().invoke(cli, ["series", "week 48", "--db", str(path), "--json"], catch_exceptions=False)
    found = json.loads(done.stdout)
    assert (found["name"], found["verdict"], [c["counts"] for c in found["cells"]]) == ("week 48", "PASS", [True])
    shown = CliRunner().invoke(cli, ["series", "week 48", "--db", str(path)], catch_exceptions=False).stdout
    assert shown.startswith("Series week 48, by GB/T 48093.1-2026: PASS: each cell must pass, and each did")
