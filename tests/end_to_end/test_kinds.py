"""A number that cannot be true is never a verdict: what a recording does not hold, and windows that are too short."""

from __future__ import annotations

import numpy as np
import pytest
from judged_recording import (
    F8,
    HOLD_FROM_S,
    STEADY,
    T_S,
    Bench,
    holds,
    is_invalid,
    losing,
    oven,
)
from made_up_recordings import counts_test, example_certificate, example_with_tare, write

from edge.records.result import Result, Verdict, as_json
from edge.records.sample import Sample
from edge.replay.judge import NOTHING_DECLARED, Declared, ReplayOrder, replay
from edge.replay.recording import read
from edge.report.text import headline, text
from edge.standards.standard import loads_standard

# what a recording does not hold


def test_codes_without_a_tare_are_invalid_and_with_one_are_judged(bench: Bench) -> None:
    path = write(bench.folder / "c.csv", counts_test(0.4, 4), "t_s,counts,temp_c,cell_temp_c")
    bare = bench.of(path, certificate=example_certificate())
    assert is_invalid(bare, "tare_unknown")
    assert "tare_counts" in headline(bare)
    tared = bench.of(path, certificate=example_with_tare())
    assert tared.verdict is Verdict.PASS
    assert holds(tared, 0.2)


@pytest.mark.parametrize("temp_c", [-40.0, 25.0, 117.9, 122.1])
def test_a_declared_temperature_out_of_the_band_qualifies_nothing(bench: Bench, temp_c: float) -> None:
    r = bench.judge(losing(0.2), declared=Declared(temp_c=temp_c, u_mass_g=0.001))
    assert is_invalid(r, "declared_out_of_band")
    assert headline(r).startswith(f"INVALID: a declared temperature of {temp_c:g} °C qualifies no second")


@pytest.mark.parametrize("temp_c", [118.0, 120.0, 122.0])
def test_a_declared_temperature_in_the_band_is_judged_and_the_first_sentence_says_so(
    bench: Bench, temp_c: float
) -> None:
    r = bench.judge(losing(0.2), declared=Declared(temp_c=temp_c, u_mass_g=0.001))
    assert r.verdict is Verdict.PASS
    on = "a declared temperature and a declared drift of the balance"
    assert headline(r).startswith(f"PASS on {on}: mass criterion met; ")
    assert holds(r, 0.2)
    assert "on a declared temperature" not in headline(bench.judge(losing(0.2)))


def test_a_declared_drift_stands_beside_the_verdict_without_it(bench: Bench) -> None:
    r = bench.judge(losing(0.2))
    assert r.verdict is Verdict.PASS
    assert r.without_declared
    assert r.without_declared.verdict is Verdict.INCONCLUSIVE
    assert r.without_declared.U_pct > 0.9
    assert "; without what is declared: INCONCLUSIVE, ± 1." in headline(r)


def test_the_verdict_without_what_is_declared_is_by_the_same_rule(bench: Bench) -> None:
    """The simple rule asks the estimate alone: however wide U is, 0.3 % is below the limit."""
    np.savetxt(
        bench.folder / "r.csv",
        np.column_stack([T_S, losing(0.3), oven(T_S)]),
        "%.4f",
        ",",
        header="t_s,mass_g,temp_c",
        comments="",
    )
    rule = 'id = "s"\ntitle = "S"\nlimit_pct = 0.5\ntemp_c = 120.0\nhold_s = 21600.0\ndecision_rule = "simple"\n'
    recording = read(bench.folder / "r.csv", columns={}, use_counts=False, temp_declared_c=None)
    order = ReplayOrder(loads_standard(rule), None, "cold", Sample("made up"), 1.8e9, declared=STEADY)
    r = replay(recording, order)
    assert (r.verdict, r.one_sided_pct) == (Verdict.PASS, 0.0)
    assert r.without_declared
    assert r.without_declared.U_pct > 1.0
    assert r.without_declared.verdict is Verdict.PASS


def test_a_wet_sample_fails_whatever_its_balance_drifts(bench: Bench) -> None:
    r = bench.judge(losing(46.0), declared=NOTHING_DECLARED)
    assert r.verdict is Verdict.FAIL
    assert holds(r, 46.0)


def test_a_small_loss_on_a_balance_that_nobody_knows_says_what_to_declare(bench: Bench) -> None:
    r = bench.judge(losing(0.2), declared=NOTHING_DECLARED)
    assert r.verdict is Verdict.INCONCLUSIVE
    assert r.would_decide[0].startswith("state the balance's drift over the test (u_mass_g): without ")
    assert f"What would decide it: {r.would_decide[0]}" in text(r).splitlines()
    assert as_json(r)["would_decide"] == list(r.would_decide)


# hot: windows are bounded in time, in one piece, and hold enough rows


@pytest.mark.parametrize(("interval_s", "rows"), [(300.0, 2), (120.0, 5)])
def test_a_logger_too_slow_for_the_windows_is_told_how_many_rows_it_takes(
    bench: Bench, interval_s: float, rows: int
) -> None:
    t_s = np.arange(0.0, 36_000.0, interval_s)
    r = bench.judge(losing(0.6, t_s=t_s), t_s=t_s, hot_s=21_600.0)
    assert is_invalid(r, "too_few_rows")
    why = f"has {rows} good rows in one piece of at most 540 s, and takes 6: record one every 90 s or oftener"
    assert why in headline(r)


def test_a_logger_as_fast_as_it_was_told_is_judged(bench: Bench) -> None:
    t_s = np.arange(0.0, 36_000.0, 90.0)
    r = bench.judge(losing(0.6, t_s=t_s), t_s=t_s, hot_s=21_600.0)
    assert holds(r, hot_truth_pct(r, losing(0.6, t_s=t_s, noise_g=0.0), t_s))


def hot_truth_pct(r: Result, mass_g: F8, t_s: F8) -> float:
    """What was lost from the first window's beginning to the last one's end, of the mass at the hold's start."""
    start, end = (next(w for w in r.weighings if w.which == which) for which in ("hold_start", "hold_end"))
    first, last = np.interp((start.from_s, end.to_s), t_s, mass_g)
    return float((first - last) / first * 100.0)


@pytest.mark.parametrize(("in_band_s", "judged"), [(20.0, False), (90.0, True)])
def test_an_oven_that_overshoots_leaves_a_first_window_as_long_as_it_was_in_band(
    bench: Bench, in_band_s: float, judged: bool
) -> None:
    """The hold begins with the first second in band; what is lost while the oven is too hot is lost in the hold."""
    at_s = (1800.0, 4695.0, 4700.0, 4700.0 + in_band_s, 4705.0 + in_band_s, 5300.0, 5305.0)
    temp_c = np.interp(T_S, at_s, (25.0, 117.5, 118.5, 121.5, 126.0, 126.0, 120.0))
    mass_g = losing(0.35, tau_s=1200.0)
    r = bench.judge(mass_g, temp_c=temp_c, hot_s=21_600.0)
    if judged:
        assert holds(r, hot_truth_pct(r, losing(0.35, tau_s=1200.0, noise_g=0.0), T_S))
        assert r.weighings[0].to_s <= 4705.0 + in_band_s
    else:
        assert is_invalid(r, "too_few_rows")


@pytest.mark.parametrize("hold_s", [900.0, 3600.0, 21_600.0])
@pytest.mark.parametrize("interval_s", [0.5, 2.0, 90.0])
def test_windows_never_overlap_nor_are_longer_than_a_fortieth_of_the_hold(
    bench: Bench, hold_s: float, interval_s: float
) -> None:
    t_s = np.arange(0.0, 28_000.0, interval_s)
    r = bench.judge(losing(0.2, t_s=t_s), t_s=t_s, hot_s=hold_s)
    if hold_s / 40.0 < 5.0 * interval_s:
        assert is_invalid(r, "too_few_rows")
        return
    start, end = (next(w for w in r.weighings if w.which == which) for which in ("hold_start", "hold_end"))
    assert start.to_s < end.from_s
    assert all(w.to_s - w.from_s <= hold_s / 40.0 for w in (start, end))
    assert end.to_s - start.from_s == pytest.approx(hold_s, abs=2.0 * max(1.0, interval_s))


def test_a_window_never_spans_a_second_that_does_not_count(bench: Bench) -> None:
    left_at_s, back_at_s = 26_100.0, 26_200.0  # of a hold that is complete a few minutes later
    out = (left_at_s <= T_S) & (back_at_s >= T_S)
    r = bench.judge(losing(0.2), temp_c=np.where(out, 127.0, oven(T_S)), hot_s=21_600.0)
    assert [e.why for e in r.excursions] == ["temperature out of band"]
    end = next(w for w in r.weighings if w.which == "hold_end")
    assert end.from_s > back_at_s
    assert holds(r, hot_truth_pct(r, losing(0.2, noise_g=0.0), T_S))


@pytest.mark.parametrize("interval_s", [1.0, 10.0, 30.0, 60.0, 90.0])
@pytest.mark.parametrize("tau_s", [300.0, 600.0, 1200.0, 3600.0])
@pytest.mark.parametrize("loss_g", [0.3, 5.0])
def test_a_steep_start_of_a_hot_hold_has_the_true_loss_in_the_interval(
    bench: Bench, loss_g: float, tau_s: float, interval_s: float
) -> None:
    t_s = np.arange(0.0, 27_500.0, interval_s)
    hot_s = np.maximum(0.0, t_s - HOLD_FROM_S)
    true_g = 100.0 - loss_g * (1.0 - np.exp(-hot_s / tau_s))
    noise = 5e-4 * np.random.default_rng(int(tau_s)).standard_normal(len(t_s))
    temp_c = np.where(t_s < HOLD_FROM_S, 100.0, 120.0)
    r = bench.judge(true_g + noise, t_s=t_s, temp_c=temp_c, hot_s=21_600.0)
    assert holds(r, hot_truth_pct(r, true_g, t_s)), (r.loss_pct, r.U_pct, hot_truth_pct(r, true_g, t_s))
