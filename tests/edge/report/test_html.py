"""The report as one HTML file: whole, well-formed, nothing from elsewhere, no name a tag, what is missing says so."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner
from msgspec.structs import replace as with_fields
from report_numbers import missing_numbers, report_of, shown
from short_demo import Demo

from edge.cli.main import cli
from edge.records.curve import RecordedCurve
from edge.records.deviation import VisualCheckFound
from edge.records.report_about import About, CustomerSaid, ItemSaid, PeopleSaid, ProofTold, ReportSaid, SignatureTold
from edge.records.report_facts import LaboratoryTold
from edge.records.result import HappenedKind, HappenedTold, Result, Verdict
from edge.records.run import RunKind
from edge.records.specimen import Specimen
from edge.report.contents import Report
from edge.report.html import report_html
from edge.report.language import Language

EN, ZH = Language.ENGLISH, Language.CHINESE
HOSTILE = ("<script>alert(1)</script>", "固" * 200, "abc\u202egnp.exe", "a\x1b[31mb", "&amp;\"'><b>")


@pytest.fixture(scope="module")
def made(short_demo: Demo) -> Report:
    return report_of(short_demo.path)


def changed(made: Report, **fields: Any) -> Report:
    return replace(made, result=with_fields(made.result, **fields))


def invalid(made: Report) -> Report:
    empty: dict[str, Any] = dict.fromkeys(
        ("loss_pct", "u_pct", "U_pct", "k", "pc", "criterion", "blind_spot", "nu_eff")
    )
    why = "aborted by the operator in phase m1"
    return changed(made, verdict=Verdict.INVALID, invalid_because=why, budget=(), rule="", happened=(), **empty)


def nothing(made: Report) -> Report:
    """A run that ended before anything was weighed or recorded."""
    left = invalid(made)
    weighed: dict[str, Any] = dict.fromkeys(("m1_g", "m2_g", "reference_g", "certificate"))
    bare = with_fields(left.result, weighings=(), hold_s=0.0, vented=msgspec.UNSET, **weighed)
    facts = with_fields(
        made.facts,
        phases=(),
        statuses=(),
        samples=0,
        seconds=0,
        certificate=None,
        devices=(),
        ended_utc=None,
        operator="",
    )
    return replace(made, result=bare, facts=facts, curve=RecordedCurve(()))


def variants(made: Report) -> dict[str, Report]:
    liquid = {"visual_check": VisualCheckFound.LIQUID_SEEN, "mass_verdict": Verdict.PASS, "verdict": Verdict.FAIL}
    many = tuple(
        HappenedTold(from_s=100.0 * i, to_s=100.0 * i + 5, what=kind, why=f"number {i}")
        for i, kind in enumerate(list(HappenedKind) * 5)
    )
    return {
        "pass": made,
        "fail": changed(made, verdict=Verdict.FAIL, loss_pct=2.41),
        "inconclusive": changed(made, verdict=Verdict.INCONCLUSIVE, loss_pct=0.5, would_decide=("a larger sample",)),
        "gained": changed(made, verdict=Verdict.INCONCLUSIVE, loss_pct=-3.0),
        "liquid": changed(made, **liquid),
        "invalid": invalid(made),
        "nothing": nothing(made),
        "blank": changed(made, blank_run=True, kind=RunKind.BLANK, true_loss_pct=msgspec.UNSET),
        "hot": changed(made, weigh="hot"),
        "replay": changed(made, kind=RunKind.REPLAY, true_loss_pct=msgspec.UNSET),
        "much": changed(made, happened=many),
        "first order": changed(made, monte_carlo=None),
        "no u": changed(made, u_pct=0.0, U_pct=0.0, k=2.0),
    }


NAMES = ["pass", "fail", "inconclusive", "gained", "liquid", "invalid", "nothing", "blank", "hot", "replay", "much"]
NAMES += ["first order", "no u"]


@pytest.mark.parametrize("language", [EN, ZH])
@pytest.mark.parametrize("name", NAMES)
def test_each_kind_of_report_is_well_formed_and_whole(made: Report, name: str, language: Language) -> None:
    tinyhtml5 = pytest.importorskip("tinyhtml5.parser", reason="WeasyPrint's parser (extra pdf) is not installed")
    html = report_html(variants(made)[name], language)
    parser = tinyhtml5.HTMLParser(namespace_html_elements=False)
    document = parser.parse(html)
    assert parser.errors == []
    ids = [e.get("id") for e in document.iter() if e.get("id")]
    assert len(ids) == len(set(ids))
    named = {i for e in document.iter() for i in (e.get("aria-labelledby") or "").split()}
    assert named <= set(ids)
    assert "nan" not in shown(html).split()
    assert not re.search(r"\bNone\b(?! recorded)", shown(html))
    assert len([e for e in document.iter("section") if e.get("class") == "part"]) == 4
    assert shown(html).count("Test report" if language is EN else "检测报告") >= 1
    assert ("End of report" if language is EN else "报告结束") in shown(html)


@pytest.mark.parametrize("language", [EN, ZH])
def test_nothing_is_fetched_scripted_or_styled_in_place(made: Report, language: Language) -> None:
    html = report_html(made, language)
    assert not re.search(r"\s(style|on\w+|src)=", html)
    assert "<script" not in html
    assert "<link" not in html
    assert "url(" not in html
    (css,) = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
    (policy,) = re.findall(r"sha256-([A-Za-z0-9+/=]+)", html)
    assert base64.b64decode(policy) == hashlib.sha256(css.encode()).digest()


@pytest.mark.parametrize("said", HOSTILE)
def test_a_name_is_text_whole_and_never_a_tag(made: Report, said: str) -> None:
    from calibration.visible_text import visible

    facts = with_fields(made.facts, operator=said, laboratory=LaboratoryTold(name=said, address=said, place=said))
    about = About(
        report=ReportSaid(number=said, replaces=said, because=said),
        customer=CustomerSaid(name=said, address=said),
        item=ItemSaid(name=said, sampling=said, condition=said, external_providers=said, surroundings=said),
        people=PeopleSaid(authorised_by=said, reviewed_by=said),
    )
    proof = ProofTold((SignatureTold("release", said, said, said),), said, said, said)
    specimen = Specimen(maker=said, model=said, serial=said) if said.isprintable() else None
    result = with_fields(made.result, sample_id=said, specimen=specimen, warnings=(said,), declared=(said,))
    hostile = replace(made, result=result, facts=facts, about=about, proof=proof)
    plain = report_html(made, EN)
    for language in (EN, ZH):
        html = report_html(hostile, language)
        assert "<script" not in html
        assert html.count("<b>") <= plain.count("<b>") + 2
        assert "\u202e" not in html
        assert "\x1b" not in html
        assert " ".join(shown(html).split()).count(" ".join(visible(said).split())) >= 15


def test_what_nobody_said_is_not_stated_and_never_disappears(made: Report) -> None:
    html = shown(report_html(nothing(made), EN))
    assert html.count("not stated") >= 8
    assert html.count("not recorded") >= 8
    for said in (
        "Address",
        "Customer",
        "External providers",
        "Sampling",
        "Received",
        "Authorised by",
        "Replaces",
        "Surroundings",
    ):
        assert said in html
    assert "no weighing was taken" in html
    assert "no certificate" in html
    assert "INVALID: no loss is stated, because aborted by the operator in phase m1." in re.sub(
        r"\s+", " ", html
    ).replace(" :", ":")


def test_a_run_without_m2_says_so(made: Report) -> None:
    left = invalid(made)
    only = with_fields(left.result, weighings=tuple(w for w in left.result.weighings if w.which != "m2"), m2_g=None)
    assert "M2 is missing" in shown(report_html(replace(left, result=only), EN))


@pytest.mark.parametrize(
    ("name", "english", "chinese"),
    [
        ("fail", "; with its uncertainty it is above the limit of 0.5 %.", "；计入不确定度后高于限值 0.5 %。"),
        ("pass", "; with its uncertainty it is below the limit of 0.5 %.", "；计入不确定度后低于限值 0.5 %。"),
        ("inconclusive", "; the limit of 0.5 % lies inside the interval.", "；限值 0.5 % 位于该区间之内。"),
        ("liquid", "by its mass alone PASS.", "仅按质量为符合。"),
    ],
)
def test_the_first_sentence_is_the_verdicts(made: Report, name: str, english: str, chinese: str) -> None:
    for language, said in ((EN, english), (ZH, chinese)):
        html = report_html(variants(made)[name], language)
        (sentence,) = re.findall(r'<p class="say">(.*?)</p>', html)
        assert said in re.sub(r"<[^>]*>", "", sentence).replace("\u00a0", " ")


def test_a_simulated_run_says_so_on_each_page(made: Report) -> None:
    html = report_html(made, EN)
    assert html.count("Simulated run") == 4
    assert '<p class="notice"><b>Simulated run.</b>' in html


def test_every_number_is_the_results_own(made: Report, short_demo: Demo) -> None:
    for language in (EN, ZH):
        assert missing_numbers(short_demo.path, shown(report_html(made, language))) == []


def test_what_people_say_of_a_report_stands_in_it(short_demo: Demo, tmp_path: Path) -> None:
    about = tmp_path / "about.toml"
    about.write_text(
        '[report]\nnumber = "LAB-7"\nissue = 2\nissued = 2026-12-01\nreplaces = "LAB-6"\nbecause = "wrong customer"\n'
        '[customer]\nname = "A & B"\n[item]\nreceived = 2026-11-01\n',
        encoding="utf-8",
    )
    out = tmp_path / "report.html"
    words = ["report", "1", "--db", str(short_demo.path), "--format", "html", "--about", str(about), "-o", str(out)]
    done = CliRunner().invoke(cli, words)
    assert (done.exit_code, done.stdout.startswith("Written: ")) == (0, True)
    html = re.sub(r"\s+", " ", shown(out.read_text(encoding="utf-8")))
    for said in ("LAB-7", "2026-12-01", "LAB-6", "(wrong customer)", "A & B", "2026-11-01", "Issue 2"):
        assert said in html
    about.write_text("[report]\nnumbr = 1\n", encoding="utf-8")
    refused = CliRunner().invoke(cli, words)
    assert str(refused.exception).endswith("about.toml: report.numbr is unknown: did you mean number?")


def test_json_has_the_result_and_what_is_stored_beside_it(short_demo: Demo) -> None:
    done = CliRunner().invoke(cli, ["report", "1", "--db", str(short_demo.path), "--format", "json"])
    plain = msgspec.json.decode(done.stdout)
    record = plain.pop("record")
    assert (plain.pop("altered"), plain.pop("not_in_chain")) == (None, None)
    assert plain.pop("seal")["sealed"] is False
    assert plain == short_demo.result | {"run_id": 1}
    assert record["samples_ok"] > 1000
    assert {p["phase"] for p in record["phases"]} >= {"hold", "m1"}
    assert isinstance(msgspec.convert(plain, Result, strict=False), Result)
