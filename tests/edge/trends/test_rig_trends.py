"""A rig's runs charted: what drifts and jumps is said in plain words, and charts stop at certificate and mount."""

from __future__ import annotations

import dataclasses
import datetime
import random
import re
from types import MappingProxyType

import msgspec
import pytest
from short_demo import Demo

from calibration.certificate import Certificate
from edge.database.summaries import RunSummary, Summaries, finished_runs
from edge.records.invalid import InvalidReason
from edge.records.result import Verdict
from edge.records.run import RunKind
from edge.records.zeros_told import ZerosTold
from edge.report.language import Language, Words
from edge.trends.night_risk import night_risk
from edge.trends.rig_trends import RigTrends, Trend, rig_trends

FIRST = datetime.datetime(2026, 5, 1, 20, tzinfo=datetime.UTC)
WEEK = datetime.timedelta(days=7)


@pytest.fixture
def one(short_demo: Demo) -> Summaries:
    return finished_runs(short_demo.path)


def weekly(one: Summaries, moved_g: list[float], *, limit_g: float = 0.05) -> Summaries:
    """A run a week, whose zero moved by so much; the certificate allows ``limit_g``."""
    template, (sha, certificate) = one.runs[0], next(iter(one.certificates.items()))
    stability = msgspec.structs.replace(certificate.stability, zero_drift_g=limit_g)
    allowed: Certificate = msgspec.structs.replace(certificate, stability=stability)
    runs = tuple(_run(template, i, template.result.verdict, zeros=moved) for i, moved in enumerate(moved_g))
    return Summaries(runs, 0, MappingProxyType({sha: allowed}))


def _run(template: RunSummary, i: int, verdict: Verdict, zeros: float = 0.0, mount: int = 0) -> RunSummary:
    told = ZerosTold(moved_g=zeros, expected_u_g=0.01, gained_between_m1_and_m2_g=0.0, u_g=0.001, weight=1.0)
    result = msgspec.structs.replace(template.result, zeros=told, verdict=verdict, run_id=i + 1)
    return RunSummary(
        i + 1, f"u{i}", RunKind.TEST, FIRST + i * WEEK, None, template.certificate_sha256, mount, {}, 10.0, result
    )  # fmt: skip


def of(found: RigTrends, quantity: str) -> Trend:
    return next(t for t in found.trends if t.quantity == quantity)


def test_a_zero_that_drifts_is_told_with_the_week_in_which_it_leaves_its_certificate(one: Summaries) -> None:
    random_ = random.Random(3)
    moved = [0.003 * i + random_.gauss(0.0, 0.001) for i in range(12)]  # 3 mg a week; 50 mg are reached in week 16.7
    now = FIRST + 11 * WEEK
    told = rig_trends(weekly(one, moved), now)
    zero = of(told, "second_zero_g")
    assert zero.drift_per_week == pytest.approx(0.003, rel=0.1)
    assert zero.leaves_earliest is not None
    assert zero.leaves_latest is not None
    true = (FIRST + 50 / 3 * WEEK).date().isoformat()
    assert zero.leaves_earliest <= true <= zero.leaves_latest
    assert "zero's movement over a test: drifts 3" in zero.said
    weeks = re.search(r"outside its certificate in about (\d) weeks \((\d) to (\d)\)", zero.said)
    assert weeks is not None, zero.said
    assert int(weeks[2]) <= int(weeks[1]) <= int(weeks[3])
    assert int(weeks[2]) <= 50 / 3 - 11 <= int(weeks[3])
    assert told.calibration_due is not None
    assert told.calibration_due.rule == "ILAC-G24 method 2, control chart"
    assert told.calibration_due.on == zero.leaves_earliest


def test_all_that_is_said_of_a_rig_has_chinese_words(one: Summaries) -> None:
    words, now = Words(Language.CHINESE), FIRST + 11 * WEEK
    noise = [random.Random(i).gauss(0.0, 0.001) for i in range(40)]
    rigs = {
        "drifts": [0.003 * i + noise[i] for i in range(12)],
        "left already": [0.02 * i + noise[i] for i in range(12)],
        "jumped": [*noise[:30], 0.02],
        "few": noise[:2],
        "slowly": [*noise[:20], *(0.0022 + n for n in noise[20:])],
    }
    said = set()
    for moved in rigs.values():
        told = rig_trends(weekly(one, moved), now)
        assert told.calibration_due is not None
        said |= {told.calibration_due.rule, told.calibration_due.why, *(t.said for t in told.trends)}
    assert any("drifts" in s for s in said)
    assert any("outside its certificate now" in s for s in said)
    assert any("jumped" in s for s in said)
    assert any("fewer than" in s for s in said)
    assert any("in control" in s for s in said)
    for sentence in sorted(said):
        chinese = words.sentence(sentence)
        assert chinese is not None, sentence
        left = re.sub(r"ILAC-G24|OCAL|M1|mg|code|K\b|1/s", "", chinese)
        assert not re.search("[A-Za-z]", left), chinese


def test_a_quiet_rig_is_due_by_the_calendar(one: Summaries) -> None:
    random_ = random.Random(4)
    told = rig_trends(weekly(one, [random_.gauss(0.0, 0.004) for _ in range(26)]), FIRST + 26 * WEEK)
    zero = of(told, "second_zero_g")
    assert (zero.signals, zero.said) == ((), "zero's movement over a test: in control")
    assert told.calibration_due is not None
    assert "calendar" in told.calibration_due.rule


def test_a_jump_is_said_and_from_which_run_on_and_makes_a_calibration_due_now(one: Summaries) -> None:
    random_ = random.Random(5)
    moved = [random_.gauss(0.0, 0.001) for _ in range(24)] + [0.02, 0.021]
    now = FIRST + 26 * WEEK
    told = rig_trends(weekly(one, moved), now)
    zero = of(told, "second_zero_g")
    assert "shewhart" in zero.signals
    assert zero.signals_since_run == 25
    assert told.calibration_due is not None
    assert told.calibration_due.on == now.date().isoformat()


def test_a_chart_begins_anew_with_another_mount(one: Summaries) -> None:
    found = weekly(one, [0.001] * 10)
    moved = _run(one.runs[0], 10, Verdict.PASS, zeros=0.2, mount=1)
    told = rig_trends(Summaries((*found.runs, moved), 0, found.certificates), FIRST + 11 * WEEK)
    assert of(told, "second_zero_g").values == 1
    assert of(told, "rate_sps").values == 11  # the converter's is the same


def test_a_clock_that_was_not_set_dates_nothing(one: Summaries) -> None:
    found = weekly(one, [0.003 * i for i in range(10)])
    old = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
    unset = (old + (r.started - FIRST) for r in found.runs)
    runs = tuple(dataclasses.replace(r, started=at) for r, at in zip(found.runs, unset, strict=True))
    told = rig_trends(Summaries(runs, 0, found.certificates), FIRST)
    assert of(told, "second_zero_g").leaves_on is None


def test_no_runs_are_no_trends() -> None:
    told = rig_trends(Summaries((), 2, MappingProxyType({})), FIRST)
    assert (told.runs, told.left_out, told.trends, told.calibration_due) == (0, 2, (), None)


def ended(one: Summaries, words: str) -> list[RunSummary]:
    verdicts = {"P": Verdict.PASS, "F": Verdict.FAIL, "I": Verdict.INVALID, "?": Verdict.INCONCLUSIVE}
    return [_run(one.runs[0], i, verdicts[word]) for i, word in enumerate(words)]


def test_the_odds_of_tonight_are_the_share_of_the_last_tests_and_scored_by_those_before(one: Summaries) -> None:
    risk = night_risk(ended(one, "PPPPPPPPPPPPPPPPPPP"))
    assert risk.p_invalid == pytest.approx(0.5 / 20)  # Jeffreys: (0 + 1/2)/(19 + 1)
    assert risk.brier_invalid is not None
    assert risk.brier_invalid < 0.01
    worse = night_risk(ended(one, "PPPPIPPI?P"))
    assert worse.p_invalid == pytest.approx(2.5 / 11)
    assert worse.p_inconclusive == pytest.approx(1.5 / 11)
    assert "INVALID" in worse.said
    assert worse.brier_invalid == pytest.approx(
        sum((p - o) ** 2 for p, o in ((1.5 / 6, 0), (1.5 / 7, 0), (1.5 / 8, 1), (2.5 / 9, 0), (2.5 / 10, 0))) / 5
    )


def test_a_test_that_was_aborted_says_nothing_of_the_rig(one: Summaries) -> None:
    runs = ended(one, "PPPPPPPP")
    aborted = msgspec.structs.replace(runs[0].result, verdict=Verdict.INVALID, invalid_reason=InvalidReason.ABORTED)
    runs.append(RunSummary(9, "u", RunKind.TEST, FIRST, None, "x", 0, {}, None, aborted))
    assert night_risk(runs).tests == 8
    assert "too few" in night_risk(runs[:2]).said
