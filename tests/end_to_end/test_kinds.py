"""A number that cannot be true is never a verdict: each kind of it, from a file to the first page, and its other side.

The recordings are made here, and so the truth is known. Where a balance's drift is not what is asked about it is
declared to be small (``STEADY``), since ±1 % of the load is assumed of one that nobody knows.
"""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pytest
from made_up_recordings import counts_test, example_certificate, example_with_tare, write

from calibration.certificate import load_certificate
from edge.records.result import HappenedKind, Result, Verdict, as_json
from edge.records.sample import Sample
from edge.replay.judge import NOTHING_DECLARED, Declared, ReplayOrder, replay
from edge.replay.recording import read
from edge.report.text import headline, text
from edge.standards.standard import load_standard, loads_standard

F8 = npt.NDArray[np.float64]
STEADY = Declared(u_mass_g=0.001)
T_S = np.arange(0.0, 36_000.0, 5.0)
HOLD_FROM_S, COOL_FROM_S = 4800.0, 27_000.0
"""The oven is at 120 °C from the one to the other: 6.2 h."""
HOT = """
id = "hot"
title = "Judged hot"
limit_pct = 0.5
temp_c = 120.0
hold_s = {hold_s}
weigh = "hot"
reference = "hold_start"
"""


def oven(t_s: F8) -> F8:
    """Half an hour cold, up in 50 min, 120 °C, and down again in 50 min."""
    return np.interp(t_s, (1800.0, HOLD_FROM_S, COOL_FROM_S, COOL_FROM_S + 3000.0), (25.0, 120.0, 120.0, 25.0))


def losing(loss_g: float, *, load_g: float = 100.0, noise_g: float = 1e-3, t_s: F8 = T_S, tau_s: float = 3000.0) -> F8:
    """A sample that dries with one time constant from when it is hot until it cools."""
    warm_s = np.clip(t_s - HOLD_FROM_S + 600.0, 0.0, COOL_FROM_S - HOLD_FROM_S)
    whole = 1.0 - math.exp(-(COOL_FROM_S - HOLD_FROM_S) / tau_s)
    noise = noise_g * np.random.default_rng(10).standard_normal(len(t_s))
    return np.asarray(load_g - loss_g * (1.0 - np.exp(-warm_s / tau_s)) / whole + noise)


class Bench:
    """A folder in which recordings are written down and judged."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def judge(
        self,
        mass_g: F8,
        *,
        t_s: F8 = T_S,
        temp_c: F8 | None = None,
        decimals: int = 4,
        declared: Declared = STEADY,
        hot_s: float | None = None,
        is_blank: bool = False,
    ) -> Result:
        """Judge masses as a file shows them. ``hot_s``: by a hold of so long, hot; else cold, by the national one."""
        columns = (
            [t_s, mass_g] if declared.temp_c is not None else [t_s, mass_g, oven(t_s) if temp_c is None else temp_c]
        )
        path = self.folder / "r.csv"
        header = ",".join(("t_s", "mass_g", "temp_c")[: len(columns)])
        formats = ("%.3f", f"%.{decimals}f", "%.2f")[: len(columns)]
        np.savetxt(path, np.column_stack(columns), formats, delimiter=",", header=header, comments="")
        return self.of(path, declared=declared, hot_s=hot_s, is_blank=is_blank)

    def of(
        self,
        path: Path,
        *,
        certificate: str | None = None,
        declared: Declared = NOTHING_DECLARED,
        hot_s: float | None = None,
        is_blank: bool = False,
    ) -> Result:
        """Judge a file."""
        weigh: Literal["cold", "hot"] = "cold" if hot_s is None else "hot"
        named = "gbt-48093-1-2026" if hot_s is None else str(self._written("hot.toml", HOT.format(hold_s=hot_s)))
        cell = None if certificate is None else load_certificate(self._written("cell.toml", certificate))
        temp_c = declared.temp_c
        recording = read(path, columns={}, use_counts=cell is not None, temp_declared_c=temp_c)
        order = ReplayOrder(
            load_standard(named), cell, weigh, Sample("made up"), 1.8e9, declared=declared, is_blank=is_blank
        )
        return replay(recording, order)

    def _written(self, name: str, body: str) -> Path:
        path = self.folder / name
        path.write_text(body, encoding="utf-8")
        return path


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def is_invalid(r: Result, reason: str) -> bool:
    """Whether it is INVALID for that reason, with no number that could be taken for a loss."""
    return (r.verdict, r.invalid_reason, r.loss_pct, r.U_pct) == (Verdict.INVALID, reason, None, None)


def holds(r: Result, truth_pct: float) -> bool:
    """Whether a truth lies in the interval."""
    assert r.loss_pct is not None, r.invalid_because
    assert r.U_pct is not None
    return abs(r.loss_pct - truth_pct) <= r.U_pct


def component(r: Result, name: str) -> Any:
    return next(c for c in r.budget if c.name == name)


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


# what no sample does


@pytest.mark.parametrize(("gain_g", "verdict"), [(0.02, "PASS"), (0.06, "INCONCLUSIVE"), (0.15, "INVALID")])
def test_a_gain_beyond_u_is_no_plain_pass_and_beyond_twice_u_no_result(
    bench: Bench, gain_g: float, verdict: str
) -> None:
    """U is 0.04 % here."""
    r = bench.judge(losing(-gain_g), declared=Declared(u_mass_g=0.02))
    assert r.verdict == verdict
    warned = any(w.startswith("the sample gained ") for w in r.warnings)
    assert warned == (verdict == "INCONCLUSIVE")
    assert bool(r.blind_spot) == (verdict == "PASS")
    if verdict == "INVALID":
        assert is_invalid(r, "gained")
        assert headline(r).startswith("INVALID: the sample gained 0.15 g (0.15 %), more than twice U: ")


def test_a_blank_may_gain(bench: Bench) -> None:
    r = bench.judge(losing(-0.15), declared=Declared(u_mass_g=0.02), is_blank=True)
    assert r.verdict is Verdict.PASS
    assert holds(r, -0.15)


@pytest.mark.parametrize("load_g", [0.02, -0.02, 0.3])
def test_an_empty_pan_is_no_sample(bench: Bench, load_g: float) -> None:
    r = bench.judge(losing(0.0, load_g=load_g, noise_g=0.01), declared=NOTHING_DECLARED)
    assert r.verdict is Verdict.INVALID, (r.loss_pct, r.U_pct)
    assert r.loss_pct is None


@pytest.mark.parametrize("left_g", [0.0, 0.05])
@pytest.mark.parametrize("declared", [NOTHING_DECLARED, STEADY])
def test_a_sample_that_falls_off_has_lost_nothing(bench: Bench, declared: Declared, left_g: float) -> None:
    fell = np.where(T_S < 15_000.0, losing(0.2), left_g + losing(0.0, load_g=0.0))
    assert is_invalid(bench.judge(fell, declared=declared), "holder_empty")


def test_half_a_sample_that_falls_off_is_a_jump_and_no_loss(bench: Bench) -> None:
    assert is_invalid(bench.judge(np.where(T_S < 15_000.0, losing(0.2), losing(0.2) - 50.0)), "jumped")


# what happened


def test_a_holder_touched_for_two_hours_is_two_jumps_on_the_first_page(bench: Bench) -> None:
    touched = (T_S >= 10_000.0) & (T_S < 17_200.0)
    r = bench.judge(losing(0.3) + 3.0 * touched)
    assert r.verdict is Verdict.PASS
    assert holds(r, 0.3)
    assert [(h.what, round(h.step_g or 0.0, 2)) for h in r.happened] == [("jump", 3.0), ("jump", -3.0)]
    assert [h.from_s for h in r.happened] == pytest.approx([10_000.0, 17_200.0], abs=10.0)
    first_page = text(r).split("Hold: ")[0]
    lines = re.findall(r"(\d\.\d{4}) h  jump: the indication jumped by ([+-][23]\.?\d*) g", first_page)
    assert [(float(at_h), round(float(step_g))) for at_h, step_g in lines] == [(2.7778, 3), (4.7778, -3)]
    told = as_json(r)["happened"]
    assert [(h["what"], h["step_g"]) for h in told] == [(h.what, h.step_g) for h in r.happened]
    assert bench.judge(losing(0.3)).happened == ()


def test_a_step_that_may_hide_a_loss_leaves_no_pass(bench: Bench) -> None:
    stepped = losing(0.55) + 0.09 * (T_S >= 12_000.0)
    r = bench.judge(stepped)
    assert r.verdict is Verdict.INCONCLUSIVE
    assert holds(r, 0.55)
    assert component(r, "jumps of the indication").u == pytest.approx(0.09 / math.sqrt(3.0), rel=0.1)
    assert bench.judge(losing(0.46)).verdict is Verdict.PASS, "the same indication, and nothing jumped"


@pytest.mark.parametrize("at_s", [6000.0, 15_000.0, 28_000.0])
@pytest.mark.parametrize("step_g", [-0.3, -0.09, -0.03, 0.03, 0.06, 0.09, 0.2])
def test_the_truth_is_in_the_interval_whatever_a_step_between_the_masses_was(
    bench: Bench, step_g: float, at_s: float
) -> None:
    for loss_g in (0.47, 0.53):
        r = bench.judge(losing(loss_g) + step_g * (at_s <= T_S))
        assert r.verdict is not (Verdict.PASS if loss_g > 0.5 else Verdict.FAIL)
        assert r.verdict is Verdict.INVALID or holds(r, loss_g)
        assert HappenedKind.JUMP in {h.what for h in r.happened}


def test_what_did_not_count_is_listed_in_order_of_time(bench: Bench) -> None:
    out = (T_S >= 14_000.0) & (T_S < 14_200.0)
    r = bench.judge(losing(0.3) + 3.0 * ((T_S >= 9_000.0) & (T_S < 20_000.0)), temp_c=np.where(out, 126.0, oven(T_S)))
    assert [h.what for h in r.happened] == [HappenedKind.JUMP, HappenedKind.EXCURSION, HappenedKind.JUMP]


# what the display can show


def test_a_display_of_whole_grams_cannot_show_half_a_percent_of_100_g(bench: Bench) -> None:
    r = bench.judge(np.round(losing(0.8)), decimals=0)
    assert r.verdict is Verdict.INCONCLUSIVE
    assert holds(r, 0.8)
    assert [w for w in r.warnings if w.startswith("a display of 1 g cannot show a limit of 0.5 g: use one of 0.05 g")]
    fine = bench.judge(np.round(losing(0.8), 2), decimals=2)
    assert fine.verdict is Verdict.FAIL
    assert not [w for w in fine.warnings if "display" in w]


def test_means_of_ten_readings_are_not_finer_than_the_display(bench: Bench) -> None:
    true_g = losing(1.2, load_g=250.0, noise_g=0.0)
    jitter = 0.002 * np.random.default_rng(3).standard_normal((len(T_S), 10))
    means = np.round(true_g[:, None] + jitter, 1).mean(axis=1)
    r = bench.judge(means, decimals=2)
    assert component(r, "resolution of the readings").u >= 0.099 / math.sqrt(6.0)
    assert r.verdict is Verdict.INCONCLUSIVE
    assert holds(r, 0.48)
    fine = bench.judge(np.round(losing(1.2, load_g=250.0), 2), decimals=2)
    assert component(fine, "resolution of the readings").u == pytest.approx(0.01 / math.sqrt(6.0))
    assert fine.verdict is Verdict.PASS


@pytest.mark.parametrize("hot_s", [None, 21_600.0])
def test_a_fine_display_that_never_moves_is_stuck_and_whole_grams_are_not(bench: Bench, hot_s: float | None) -> None:
    stuck = bench.judge(np.full(len(T_S), 100.123), decimals=3, hot_s=hot_s)
    assert is_invalid(stuck, "display_stuck")
    assert "the display never moved" in headline(stuck)
    assert bench.judge(np.full(len(T_S), 100.0), decimals=0, hot_s=hot_s).verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize("hot_s", [None, 21_600.0])
def test_a_display_that_freezes_in_mid_hold_is_not_believed(bench: Bench, hot_s: float | None) -> None:
    mass_g = np.round(losing(0.8), 3)
    r = bench.judge(np.where(T_S < 12_000.0, mass_g, mass_g[T_S == 12_000.0]), decimals=3, hot_s=hot_s)
    assert r.verdict is Verdict.INVALID, (r.loss_pct, r.U_pct)
    assert r.hold_s < 21_600.0


@pytest.mark.parametrize("interval_s", [1.0, 5.0])
def test_a_glitch_that_is_the_only_reading_of_its_second_is_told_and_is_no_excursion(
    bench: Bench, interval_s: float
) -> None:
    t_s = np.arange(0.0, 36_000.0, interval_s)
    struck = (np.arange(len(t_s)) % 500 == 250) & (t_s > 6000.0) & (t_s < 25_000.0)
    r = bench.judge(losing(0.3, t_s=t_s) + 40.0 * struck, t_s=t_s)
    assert r.excursions == ()
    assert r.recording
    assert r.recording.refused_by_gate == np.sum(struck)
    assert r.verdict is Verdict.PASS
    assert holds(r, 0.3)
    assert [w for w in r.warnings if w.startswith(f"{np.sum(struck)} readings were refused as glitches")]
    assert not [w for w in bench.judge(losing(0.3, t_s=t_s), t_s=t_s).warnings if "glitches" in w]


def test_masses_that_look_like_kilograms_are_asked_about(bench: Bench) -> None:
    asked = bench.judge(losing(0.3) / 1000.0, decimals=7, declared=Declared(u_mass_g=1e-6))
    assert [w for w in asked.warnings if "if these are kilograms, say so (mass_kg)" in w]
    assert not [w for w in bench.judge(losing(0.3)).warnings if "kilograms" in w]
