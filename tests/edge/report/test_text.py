"""The report as text: what it must show, what it must never show, and how many digits."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from short_demo import Demo

from edge.cli.main import cli
from edge.records.result import as_json, from_json
from edge.records.sample import Sample
from edge.replay.judge import ReplayOrder, replay
from edge.replay.recording import read
from edge.report import text as report
from edge.report.text import decimals, two_digits
from edge.standards.standard import load_standard, loads_standard

NATIONAL = load_standard("gbt-48093-1-2026")
NUMBERS = ("loss_pct", "u_pct", "U_pct", "k", "pc")


def text(result: dict[str, Any]) -> str:
    return report.text(from_json(result))


def headline(result: dict[str, Any]) -> str:
    return report.headline(from_json(result))


@pytest.fixture
def passed(short_demo: Demo) -> dict[str, Any]:
    return copy.deepcopy(short_demo.result)


@pytest.fixture
def replayed(tmp_path: Path) -> dict[str, Any]:
    """A recording that ends long before six hours are over."""
    rows = "".join(f"{i},{100 - i / 1000:.6f},{120 if i > 60 else 20 + i}\n" for i in range(2000))
    (tmp_path / "short.csv").write_text("t_s,mass_g,temp_c\n" + rows, encoding="utf-8")
    recording = read(tmp_path / "short.csv", columns={}, use_counts=False)
    return as_json(replay(recording, ReplayOrder(NATIONAL, None, weigh="hot", sample=Sample("short"), wall_s=1.75e9)))


def invalid(result: dict[str, Any], because: str) -> dict[str, Any]:
    """The result of a run that could not be judged, as edge.verdict.judge makes it."""
    return result | dict.fromkeys(NUMBERS) | {
        "verdict": "INVALID", "invalid_because": because, "rule": "", "budget": [], "blind_spot": None, "nu_eff": None,
    }  # fmt: skip


def test_readings_that_are_all_alike_do_not_say_how_well_a_mass_is_known(passed: dict[str, Any]) -> None:
    weighed = next(w for w in passed["weighings"] if w["which"] == "m1")
    weighed["u"] = 0.0
    noise = next(c for c in passed["budget"] if c["name"] == "noise of M1")
    noise["u"] = noise["contribution_pct"] = 0.0
    shown = text(passed)
    assert re.search(r"m1: [\d.]+ g, u not known \(its readings are all alike\), mean over", shown)
    assert re.search(r"noise of M1 +not known g", shown)
    assert "u = 0.0000 g" not in shown


def test_an_invalid_run_shows_its_reason_and_no_loss(passed: dict[str, Any]) -> None:
    shown = text(invalid(passed, "no good sample for 700 s of the hold"))
    assert shown.splitlines()[1] == "INVALID: no good sample for 700 s of the hold"
    assert "loss" not in shown.replace("the loss is in % of it", "").lower()
    assert "PASS" not in shown
    assert "Criterion met" not in shown
    assert "budget" not in shown
    assert not re.search(r"\d %(?! )", shown.split("Assumed")[0])


def test_an_invalid_run_shows_no_loss_even_if_its_record_holds_one(passed: dict[str, Any]) -> None:
    shown = text(passed | {"verdict": "INVALID", "invalid_because": "the probe broke", "budget": [], "rule": ""})
    digits = f"{passed['loss_pct']:.3f}"
    assert digits not in shown
    assert f"{passed['true_loss_pct']:.3f}" not in shown


def test_an_invalid_replay_shows_what_was_recorded_and_judges_nothing(replayed: dict[str, Any]) -> None:
    assert replayed["verdict"] == "INVALID"
    assert [replayed[n] for n in NUMBERS] == [None] * len(NUMBERS)
    shown = text(replayed)
    assert re.search(r"^INVALID: .*h qualified of the 6\.00 h that the standard asks for$", shown, re.MULTILINE)
    assert "2000 rows of mass_g, one every 1 s" in shown
    assert "Criterion" not in shown
    assert "solid-state by" not in shown


def test_a_pass_shows_the_blind_spot(passed: dict[str, Any]) -> None:
    assert passed["verdict"] == "PASS"
    shown = text(passed)
    assert "Criterion met. A liquid that does not evaporate in this test is not found by it" in shown
    national = text(passed | {"blind_spot": NATIONAL.blind_spot.value})
    assert "that does not say that the sample holds no liquid" in national


@pytest.mark.parametrize("verdict", ["FAIL", "INCONCLUSIVE"])
def test_what_is_no_pass_shows_no_blind_spot_and_no_criterion_met(passed: dict[str, Any], verdict: str) -> None:
    shown = text(passed | {"verdict": verdict, "blind_spot": None})
    assert "Criterion met" not in shown
    assert ("Mass loss alone cannot tell a hybrid cell from a liquid one." in shown) == (verdict == "FAIL")


@pytest.mark.parametrize(
    ("loss", "u", "shown"),
    [
        (0.061801, 0.017911, "loss 0.062 % ± 0.018 %"),
        (0.061801, 0.0996, "loss 0.06 % ± 0.10 %"),
        (0.4996, 0.00994, "loss 0.4996 % ± 0.0099 %"),
        (0.4996, 0.00996, "loss 0.500 % ± 0.010 %"),
        (1.68, 0.2, "loss 1.68 % ± 0.20 %"),
        (-0.004, 0.5, "loss -0.00 % ± 0.50 %"),
        (12.345, 1.25, "loss 12.3 % ± 1.2 %"),
        (12.345, 9.96, "loss 12 % ± 10 %"),
        (51.2, 23.4, "loss 51 % ± 23 %"),
        (0.0501234, 0.0000123, "loss 0.050123 % ± 0.000012 %"),
    ],
)
def test_the_expanded_uncertainty_has_two_significant_digits_and_the_loss_as_many_decimals(
    passed: dict[str, Any], loss: float, u: float, shown: str
) -> None:
    assert shown in headline(passed | {"loss_pct": loss, "U_pct": u})


@given(u=st.floats(1e-10, 99.0))
def test_any_uncertainty_is_written_with_two_significant_digits(u: float) -> None:
    for written in (f"{u:.{decimals(u)}f}", two_digits(u)):
        digits = written.partition("e")[0].replace(".", "").lstrip("0")
        assert len(digits) == 2
        assert float(written) == pytest.approx(u, rel=0.05)


def test_masses_have_the_digits_that_their_uncertainty_carries(passed: dict[str, Any]) -> None:
    passed["weighings"][1] |= {"which": "m1", "unit": "g", "value": 196.352418, "u": 0.000358, "cell_temp_c": 24.987}
    assert "m1: 196.35242 g, u = 0.00036 g" in text(passed)
    assert "load cell 24.99 °C" in text(passed)


def test_the_tare_is_no_mass_and_not_listed_as_one(passed: dict[str, Any]) -> None:
    assert any(w["unit"] == "code" for w in passed["weighings"])
    assert not re.search(r"^ *tare: ", text(passed), re.MULTILINE)


def test_what_was_declared_and_what_was_assumed_is_listed(passed: dict[str, Any]) -> None:
    passed["declared"] = ["pressure: no gauge", "temperature: 25 °C; the recording has none"]
    lines = text(passed).splitlines()
    at = lines.index("Declared, not measured:")
    assert lines[at + 1 : at + 3] == ["  pressure: no gauge", "  temperature: 25 °C; the recording has none"]
    at = lines.index("Assumed, not from the standard:")
    assumed = [line for line in lines[at + 1 :] if line.startswith("  ")]
    left_out = ["temperature band: ±2 °C", "an excursion: pauses the clock", "longest time unseen: 600 s"]
    for words in left_out:
        assert any(line.startswith(f"  {words} (default of halfpercent)") for line in assumed), words
    stated = ("limit_pct", "hold_s", "temp_c", "title")
    assert not any(line.strip().startswith(stated) for line in assumed)
    assert not any(key in "".join(assumed) for key in ("temp_band_c", "max_gap_s", "decision_rule"))  # no file's key


def test_nothing_is_listed_where_nothing_was_declared(passed: dict[str, Any]) -> None:
    assert "Declared" not in text(passed | {"declared": []})


@pytest.mark.parametrize("name", ["gbt-48093-1-2026", "tcsae-434-2025"])
def test_a_standard_that_nobody_checked_is_said_to_be_so(passed: dict[str, Any], name: str) -> None:
    assert not load_standard(name).limit_pct.verified
    said = "Not every value of this standard's file has been checked against the official text"
    assert said in text(passed)
    assert said not in text(passed | {"standard": passed["standard"] | {"verified": True}})


def test_what_happened_is_listed_with_its_times_and_the_hold_does_not_list_it_again(passed: dict[str, Any]) -> None:
    passed["excursions"] = [
        {"from_s": 3600.0, "length_s": 90.0, "why": "temperature out of band", "worst_temp_c": 117.5}
    ]
    passed["happened"] = [
        {"from_s": 3600.0, "to_s": 3690.0, "what": "excursion", "why": "temperature out of band for 90 s"},
        {"from_s": 7200.0, "to_s": 7260.0, "what": "converter_reset", "why": "the nau7802 was reset (power cut)"},
    ]
    shown = text(passed)
    assert "What happened between the two masses:\n    1.0000 h  excursion: temperature out of band for 90 s\n" in shown
    assert "    2.0000 h  converter reset: the nau7802 was reset (power cut)\n" in shown
    assert "not counted" not in shown


def test_a_hold_is_never_rounded_up_to_what_was_asked_for(passed: dict[str, Any]) -> None:
    asked = {"hold_required_s": 21_600.0}
    assert "Hold: 5.9999 h qualified of 6 h" in text(passed | asked | {"hold_s": 21_599.9})
    assert "Hold: 6.0000 h qualified of 6 h" in text(passed | asked | {"hold_s": 21_600.0})


def test_warnings_excursions_and_every_component_of_the_budget_are_printed(passed: dict[str, Any]) -> None:
    passed["warnings"] = ["certificate x was valid until 2025-01-01: calibrate again"]
    passed["excursions"] = [
        {"from_s": 3600.0, "length_s": 90.0, "why": "temperature out of band", "worst_temp_c": 117.5}
    ]
    passed["happened"] = []  # a result from before there was one list of all that happened
    shown = text(passed)
    assert "Warning: certificate x was valid until 2025-01-01: calibrate again" in shown
    assert "not counted: 90 s from 1.0000 h on: temperature out of band, as far as 117.50 °C" in shown
    assert len(passed["budget"]) >= 8
    for component in passed["budget"]:
        assert f"  {component['name']}" in shown
        assert component["why"] in shown


def test_no_number_that_is_none_or_nan_is_ever_printed(passed: dict[str, Any], replayed: dict[str, Any]) -> None:
    for result in (passed, replayed, invalid(passed, "x")):
        assert not re.search(r"\b(None|nan|NaN|inf %)\b", text(result))


def test_a_standard_without_a_name_of_its_own_for_things_is_printed_as_it_stands(passed: dict[str, Any]) -> None:
    odd = loads_standard('id = "x-1"\ntitle = "100 % {odd} \\\\ %s"\nlimit_pct = 1\ntemp_c = 20\nhold_s = 1\n')
    standard = {"id": odd.id, "title": odd.title.value, "sha256": odd.sha256, "verified": False}
    assert "by x-1: 100 % {odd} \\ %s" in text(passed | {"standard": standard})


def test_the_command_prints_the_stored_result_as_text(short_demo: Demo) -> None:
    done = CliRunner().invoke(cli, ["report", "last", "--db", str(short_demo.path)])
    assert done.exit_code == 0
    stored = {k: v for k, v in short_demo.result.items() if k != "run_id"}
    header, _, below = done.stdout.partition("\n\n")
    assert below.splitlines()[:2] == text(stored).splitlines()[:2]
    assert "Operator: simulated" in header.splitlines()
    assert "Run 1 (demo-S-1-3), 2026-11-02 00:00 UTC to " in header
    for said in ("Laboratory: not stated", "Instrument: load cell 500 g", "Software: halfpercent", "issued "):
        assert said in header
    unsealed = "Not sealed: the rig has no key: halfpercent key new makes one."
    assert below == f"{text(short_demo.result)}\n\n{unsealed}\n"
