"""Each sentence that the software composes for a report has its Chinese; the next one that has none fails here.

The composers' own code is read: every constant and f-string in them is looked up, a piece of a longer sentence by its
words. Then whole sentences, as they are composed, must leave no English behind.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from msgspec.structs import replace as with_fields
from pdf_checks import untranslated
from report_numbers import report_of
from repository import ROOT
from short_demo import Demo

from edge.records.deviation import DeviationKind, DeviationTold
from edge.records.result import AssumedValue, HappenedKind, HappenedTold, Verdict
from edge.report.html import report_html
from edge.report.language import Language, Words, sentences
from edge.standards.standard import Standard, load_standard
from edge.uncertainty.components import ComponentName
from edge.uncertainty.room_pressure import RoomAir
from edge.uncertainty.seen_drift import SeenDrift
from edge.verdict import warnings

ALL = ("",)
COMPOSERS = {
    "edge/procedure/by_hand.py": ("step",),
    "edge/procedure/excursions.py": ALL,
    "edge/procedure/hot_windows.py": ALL,
    "edge/procedure/parameters.py": ("_temperature_declared", "unjudgeable", "replay_parameters"),
    "edge/procedure/phases.py": ALL,
    "edge/procedure/plan.py": ALL,
    "edge/replay/judge.py": ("_unjudgeable",),
    "edge/replay/reading.py": ("_notes",),
    "edge/report/balance_text.py": ALL,
    "edge/report/compare_text.py": ("remarks",),
    "edge/station/alarm_rules.py": ALL,
    "edge/station/rig_shown.py": ("_shown",),
    "edge/trends/rig_trends.py": ("_said", "_weeks", "_due", "_limits"),
    "edge/station/start.py": ("_void_because", "_rig_shown"),
    "calibration/balance_certificate.py": ("parts_in_use",),
    "calibration/certificate.py": ("out_of_range",),
    "calibration/rtdcheck.py": ("_heating_parts", "_parts"),
    "calibration/vacuum_gauge.py": ("declared_of",),
} | {
    str(path.relative_to(ROOT)): ALL
    for room in ("verdict", "uncertainty")
    for path in sorted((ROOT / "edge" / room).glob("*.py"))
    if path.name not in ("forecast.py",)  # of the rig before a test: no report has it
}
"""Who composes what a report shows, in which functions; new files of the judging rooms come by themselves."""
NOT_SHOWN = {
    "decide": "the page words the rule itself (verdict_rule_guard, verdict_rule_simple)",
    "first_words": "of the text report; the page has its own words",
    "contradicted": "as first_words",
    "came_late": "as first_words",
    "_step_after": "a refusal, to the operator",
}
NO_SENTENCES = {
    "…, and tare again",  # a refusal, to the operator
    "…, and say load again",
    "…, and say … again",
    "never stable within … h: keep draughts and cables off",
    "first order",  # values of enums, which the glossary has
    "Monte Carlo",
    "is bounded",
    "a check weight",  # an argument's name, in an error
}
ENGLISH = re.compile(r"\b(?!cm|mg)[a-z]{2,} [a-z]{2,}\b")


def _functions(tree: ast.Module, names: tuple[str, ...]) -> Iterator[ast.AST]:
    if names == ALL:
        yield tree
        return
    found = {n.name: n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)}
    for name in names:
        yield found[name]  # a KeyError: it was renamed, and its sentences are looked for in vain


def _without(node: ast.AST) -> set[int]:
    """Get the nodes that no report has: docstrings, errors but a blank's, what is not shown, the parts of f-strings."""
    out: set[int] = set()
    for n in ast.walk(node):
        raised = isinstance(n, ast.Raise) and "BlankDoesNotMatch" not in ast.unparse(n)
        hidden = isinstance(n, ast.FunctionDef) and n.name in NOT_SHOWN
        typed = isinstance(n, ast.Subscript) and "Literal" in ast.unparse(n.value)
        if raised or hidden or typed or (isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant)):
            out |= {id(c) for c in ast.walk(n)}
        if isinstance(n, ast.JoinedStr):
            out |= {id(v) for v in n.values if isinstance(v, ast.Constant)}
            out |= {
                id(c)
                for v in n.values
                if isinstance(v, ast.FormattedValue) and v.format_spec
                for c in ast.walk(v.format_spec)
            }
    return out


def composed(path: str) -> Iterator[tuple[str, ...]]:
    """Get what a file composes: the words of each of its strings, apart where something is filled in."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    for node in _functions(tree, COMPOSERS[path]):
        without = _without(node)
        for n in ast.walk(node):
            if id(n) in without:
                continue
            if isinstance(n, ast.JoinedStr):
                yield tuple(str(v.value) if isinstance(v, ast.Constant) else "\0" for v in n.values)
            elif isinstance(n, ast.Constant) and isinstance(n.value, str):
                yield (n.value,)


@cache
def _english() -> str:
    """All sentences in one, a line each, what is filled in as a mark."""
    return "\n".join(re.sub(r"\{\w+\}", "\0", english) for _, english, _ in sentences())


def has_chinese(parts: tuple[str, ...]) -> bool:
    """Say whether a string is a sentence that is known, or each of its pieces stands in one."""
    if Words(Language.CHINESE).sentence("".join(parts).replace("\0", "X7")) is not None:
        return True
    return all(p.strip() in _english() for p in parts if re.search("[A-Za-z]", p))


@pytest.mark.parametrize("path", sorted(COMPOSERS))
def test_what_a_file_composes_for_a_report_has_its_chinese(path: str) -> None:
    strings = {p for p in composed(path) if any(" " in part.strip() for part in p)}
    said = sorted({"".join(p).replace("\0", "…") for p in strings if not has_chinese(p)} - NO_SENTENCES)
    assert not said, f"give them a [[sentence]] in edge/report/sentences.toml: {said}"


def test_it_sees_a_sentence_that_is_new() -> None:
    assert not has_chinese(
        (
            "the sample has turned ",
            "\0",
            " and nobody knows why",
        )
    )
    assert has_chinese((" (by the second zero and the check weight)",))


@pytest.mark.parametrize("name", [n.value for n in ComponentName])
def test_each_component_of_the_budget_has_its_chinese(name: str) -> None:
    assert Words(Language.CHINESE).sentence(name) is not None


def test_no_sentence_is_taken_for_another_and_each_fills_in_the_same() -> None:
    words = Words(Language.CHINESE)
    seen = set()
    for _, english, chinese in sentences():
        assert english not in seen
        seen.add(english)
        assert set(re.findall(r"\{\w+\}", english)) == set(re.findall(r"\{\w+\}", chinese)), english
        filled = (re.sub(r"\{\w+\}", "X7", said) for said in (english, chinese))
        assert words.sentence(next(filled)) == next(filled), english


@pytest.fixture(scope="module")
def standard() -> Standard:
    return load_standard("gbt-48093-1-2026")


def test_what_the_standards_files_say_of_what_they_assume_has_its_chinese(standard: Standard) -> None:
    words = Words(Language.CHINESE)
    for each in (standard, load_standard("tcsae-434-2025")):
        for name, field in each.fields():
            rest = field.source.removeprefix("no source found").lstrip(";:, ")
            assert not field.assumed or not rest or words.sentence(rest) is not None, name


WHOLE = (
    "temperature out of band for 61 s, as far as 123.1 °C: it does not count",
    "the nau7802 was reset (power cut): the indication stepped by +0.012 ± 0.001 g, corrected",
    "the nau7802 was reset (found reset): its step could not be seen, ±0.1 % of the load is assumed",
    "the sample still loses at M1, -1.2 ± 0.1 mg/h: at least 0.3 mg are missing from the loss",
    "the indication rises in the hold, +1.2 ± 0.1 mg/h: no sample's, but the rig's: at least 2 mg are hidden",
    "alarm oven probe: OPEN (fault register 0x80): check its plug and cable",
    "alarm pressure lost: 230 Pa, limit 100 Pa: check pump, valves and seals",
    "alarm rate of loss implausible: from 80.1 g to 79.2 g within 10 s: something fell off or was touched",
    "aborted by the operator in phase hold: 3 h qualified of the 6 h that the standard asks for",
    "the recording ends before the hold: never within 120 ± 2 °C and below 100 Pa",
    "M1 is 80.1 g, and in run 3 serial S7 weighed 90.1 g and 90.0 g: another cell came in between the days, or "
    "something was done to it; nobody says why",
    "it was opened on an open bench, and a dry room or a glove box is asked",
    "0.05 g a kPa, measured, +0.4 kPa from M1 to M2, corrected",
    "CIPM-2007 at M2: 101325 Pa, 25 °C assumed, 50 % RH assumed, less that at M1, weight 0.93 against ±1 % between M1 "
    "and M2",
    "the zero moved by +0.0012 g in 7.50 h, weight 0.65; certificate: 0.002 g of drift; creep ±0.02 % of the load "
    "after the dwell; creep returns to ±50 % (assumed)",
    "the zero moved by +0.0012 g in 7.50 h, weight 0.65; certificate: 0.002 g of drift; creep +0.004 ± 0.002 % of the "
    "load, corrected; of the creep 12 % ± 8 % does not come back (measured, weight 0.87)",
    "M1: 80.1234 g, u = 0.0003 g, at 0.1200 h, typed by Ada, told 12 min later, photograph SHA-256 0123456789abcdef…",
    "run 3 showed the rig fit (inert), and it is not shown any more: the rig was carried since certificate C was made",
    "a barometer, or the room's air read at M1 and M2, or a second zero after M2: without the air pressure on the "
    "cell's zero, U would be 0.1 %",
    "nothing was subtracted: blank run 3 (dummy): the hold's length was 3600, here it is 21600: run the dummy through "
    "the same test",
    "the check weight was in its way, and the check weight reads 99.1 g instead of 100 g: calibrate again",
)


@pytest.mark.parametrize("said", WHOLE)
def test_a_sentence_that_is_put_together_leaves_no_english(said: str) -> None:
    found = Words(Language.CHINESE).sentence(said)
    assert found is not None
    assert not ENGLISH.search(found.replace("the check weight was in its way", "")), found


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("0.05 g a kPa, ±1 kPa from M1 to M2", "每 kPa 0.05 g，M1 至 M2 之间 ±1 kPa"),
        ("M2 is taken; the balance's comes now", "M2 已取；接着由天平称量"),
        ("aborted by the operator in phase cool", "操作员在阶段“冷却”中止"),
    ],
)
def test_a_sentence_that_holds_another_has_its_words_in_their_order(said: str, wanted: str) -> None:
    assert Words(Language.CHINESE).sentence(said) == wanted


def today() -> list[str]:
    """Get sentences from those who compose them."""
    unread = RoomAir(unused="it gave no pressure at M1 and at M2")
    return [
        warnings.drift_at_both(SeenDrift(-0.0012, -0.008)),
        warnings.barometer_unused(unread, ()),
        warnings.zero_across_reset(),
        warnings.still_moving(0.02),
        warnings.rig_rises(0.001, 0.01),
        warnings.mount_agrees("the rig was carried since certificate C was made"),
        warnings.display_too_coarse(0.01, 0.4),
    ]


def filled(english: str) -> str:
    return re.sub(r"\{\w+\}", "X7", english)


def test_a_chinese_report_marks_nothing_as_untranslated(short_demo: Demo) -> None:
    made = report_of(short_demo.path)
    all_said = [filled(english) for _, english, _ in sentences()]
    line = made.result.budget[0]
    fields: dict[str, Any] = {
        "warnings": (*today(), *all_said),
        "would_decide": tuple(all_said[:3]),
        "verdict": Verdict.INCONCLUSIVE,
        "declared": tuple(all_said),
        "happened": tuple(HappenedTold(from_s=1.0, to_s=2.0, what=HappenedKind.STOP, why=s) for s in all_said[:5]),
        "deviations": tuple(DeviationTold(kind=DeviationKind.NOT_OPENED, why=s, asked="record") for s in all_said),
        "budget": tuple(with_fields(line, name=n.value, why=s) for n, s in zip(ComponentName, all_said, strict=False)),
        "assumed": (AssumedValue(field="weigh", value="cold", source=f"no source found; {all_said[-1]}"),),
    }
    html = report_html(replace(made, result=with_fields(made.result, **fields)), Language.CHINESE)
    assert untranslated(html) == []
    marked = replace(made, result=with_fields(made.result, warnings=("a sentence that nobody knows",)))
    assert untranslated(report_html(marked, Language.CHINESE)) == ["not in Chinese: a sentence that nobody knows"]
