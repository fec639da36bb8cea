"""A number that cannot be true is never a verdict: what no sample does, what happened, and what a display can show."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from judged_recording import (
    STEADY,
    T_S,
    Bench,
    component,
    holds,
    is_invalid,
    losing,
    oven,
)

from edge.records.result import HappenedKind, Verdict, as_json
from edge.replay.judge import NOTHING_DECLARED, Declared
from edge.report.text import headline, text

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


@pytest.mark.parametrize("mg_per_h", [-20.0, 20.0])
def test_a_balance_that_drifts_at_both_weighings_is_taken_to_drift_between_them(bench: Bench, mg_per_h: float) -> None:
    drifted_g = mg_per_h * 1e-3 * T_S / 3600.0
    true_g = 0.5 + math.copysign(0.06, mg_per_h)  # 0.44 % that seem a FAIL, 0.56 % that seem a PASS
    r = bench.judge(losing(true_g) + drifted_g)
    assert r.verdict is Verdict.INCONCLUSIVE
    assert holds(r, true_g)
    assert "drift seen at M1 and M2" in {str(line.name) for line in r.budget}
    assert any("at M1 and at M2 alike" in warning for warning in r.warnings)


def test_a_sample_that_dries_before_m1_and_takes_up_moisture_before_m2_is_no_balance_that_drifts(bench: Bench) -> None:
    dries_g = np.interp(T_S, (0.0, 1800.0), (0.01, 0.0))
    takes_up_g = np.interp(T_S, (31_000.0, 36_000.0), (0.0, 0.02))
    r = bench.judge(losing(0.3) + dries_g + takes_up_g)
    assert "drift seen at M1 and M2" not in {str(line.name) for line in r.budget}
    assert r.one_sided_pct > 0.0


@pytest.mark.parametrize("over_s", [5.0, 300.0])
@pytest.mark.parametrize(("step_g", "at_s"), [(0.04, 2600.0), (0.04, 4000.0), (-0.04, 28_600.0)])
def test_a_step_beside_the_airs_own_does_not_hide_behind_it(
    bench: Bench, step_g: float, at_s: float, over_s: float
) -> None:
    went, came = (np.clip((T_S - t) / over_s, 0.0, 1.0) for t in (2500.0, 28_500.0))
    air_g = 0.06 * (went - came)  # a sample of 100 g and 2 g/cm³ in a vacuum
    quiet, stepped = (bench.judge(losing(0.4) + air_g + g) for g in (0.0, step_g * (at_s < T_S)))
    assert not any(h.what is HappenedKind.JUMP for h in quiet.happened)
    assert quiet.verdict is Verdict.PASS
    assert holds(stepped, 0.4)
    assert any(h.what is HappenedKind.JUMP for h in stepped.happened)


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


@pytest.mark.parametrize(("period_s", "phase"), [(5000.0, 0.0), (5000.0, 2.0), (9000.0, 1.0), (9000.0, 4.0)])
@pytest.mark.parametrize("hot_s", [None, 21_600.0])
def test_a_balance_that_goes_up_and_down_for_hours_is_seen_in_the_hold(
    bench: Bench, hot_s: float | None, period_s: float, phase: float
) -> None:
    waves_g = 0.2 * np.sin(2.0 * math.pi * T_S / period_s + phase)  # ten minutes see a slope, and no noise
    quiet, waving = (bench.judge(losing(0.4) + g, hot_s=hot_s) for g in (0.0, waves_g))
    assert "rise seen in the hold" not in {str(line.name) for line in quiet.budget}
    assert quiet.loss_pct is not None
    assert waving.verdict is not Verdict.FAIL  # which the truth is not
    assert waving.verdict is Verdict.INVALID or holds(waving, quiet.loss_pct)


def test_a_sample_that_only_loses_rises_nowhere_whatever_its_noise(bench: Bench) -> None:
    for noise_g in (1e-4, 0.01, 0.1):
        r = bench.judge(losing(0.4, noise_g=noise_g))
        assert "rise seen in the hold" not in {str(line.name) for line in r.budget}
