"""What is declared of a sample on the command line: answered, corrected for, stored; what does not fit is one line."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from made_up_recordings import cold_test, counts_test, example_with_tare, write

from edge.cli.exit_status import error_line
from edge.cli.main import cli
from edge.errors import BadInput
from edge.records.result import from_json
from edge.report.text import text
from edge.standards.standard import load_standard
from edge.verdict.wording import NOT_MET

DRIFT = ("--declare", "u_mass_g=0.001")
"""What a balance drifts; where nobody states it, ±1 % of the load leaves neither PASS nor FAIL of these recordings."""
COUNTS = "t_s,counts,temp_c,cell_temp_c"
STANDARD = 'id = "c"\ntitle = "c"\nlimit_pct = {limit}\ntemp_c = {temp}\nhold_s = {hold}\nreplicates = {n}\n'


def standard(folder: Path, limit: float = 0.5, temp: float = 120.0, hold: float = 21_600.0, n: int = 1) -> str:
    path = folder / f"standard-{limit:g}-{temp:g}-{hold:g}-{n}.toml"
    path.write_text(STANDARD.format(limit=limit, temp=temp, hold=hold, n=n), encoding="utf-8")
    return str(path)


def certificate(folder: Path, name: str = "cell", zero_drift_g: float = 0.01) -> str:
    path = folder / f"{name}.toml"
    drift = f"zero_drift_g = {zero_drift_g} "
    path.write_text(example_with_tare().replace("zero_drift_g = 0.05 ", drift), encoding="utf-8")
    return str(path)


def command(*words: str) -> Result:
    return CliRunner().invoke(cli, ["replay", *words])


def replayed(*words: str) -> dict[str, Any]:
    done = command(*words, "--json")
    assert done.exit_code == 0, (done.output, done.exception)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def told(result: dict[str, Any]) -> str:
    """Show what the command printed as JSON, as the report does."""
    return text(from_json(result))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Recordings of masses that lost 0.1 % and 1 %, of a dummy and a sample in codes, and a database with a blank."""
    made = tmp_path_factory.mktemp("declared")
    write(made / "little.csv", cold_test(5.0, loss_g=0.1))
    write(made / "much.csv", cold_test(5.0, loss_g=1.0))
    write(made / "dummy.csv", counts_test(0.0, 1), COUNTS)
    write(made / "sample.csv", counts_test(0.6, 2), COUNTS)
    write(made / "heavier.csv", counts_test(0.6, 3, mass_g=420.0), COUNTS)
    how = ("--certificate", certificate(made), "--out", str(made), "--standard", standard(made))
    assert replayed(str(made / "dummy.csv"), *how, "--blank-run")["run_id"] == 1
    assert replayed(str(made / "sample.csv"), *how)["run_id"] == 2
    return made


def test_with_every_pass_comes_the_blind_spot_in_text_and_json(folder: Path) -> None:
    for name in ("gbt-48093-1-2026", "tcsae-434-2025", standard(folder)):
        result = replayed(str(folder / "little.csv"), "--standard", name, *DRIFT)
        assert result["verdict"] == "PASS"
        blind_spot = load_standard(name).blind_spot.value
        assert result["blind_spot"] == blind_spot
        own = result["visual_check"] is None  # the shipped ones ask for a visual check, and there is none
        met = "Criterion met." if own else "Mass criterion met; visual check not recorded."
        assert result["criterion"].startswith(f"{met} ")
        assert result["criterion"].endswith(f" {blind_spot}")
        assert own == (name not in ("gbt-48093-1-2026", "tcsae-434-2025"))
        assert result["criterion"] in told(result).splitlines()


def test_a_criterion_not_met_rules_out_solid_state_and_says_no_more_in_text_and_json(folder: Path) -> None:
    result = replayed(str(folder / "much.csv"), *DRIFT)
    assert result["verdict"] == "FAIL"
    assert result["criterion"] == NOT_MET
    assert NOT_MET in told(result).splitlines()
    assert "Not solid-state by this criterion" in NOT_MET
    assert "cannot tell a hybrid cell from a liquid one" in NOT_MET
    assert result["blind_spot"] is None


def test_what_cannot_be_judged_means_nothing(folder: Path) -> None:
    result = replayed(str(folder / "much.csv"), "--standard", standard(folder, hold=99_000.0))
    assert result["verdict"] == "INVALID"
    assert result["criterion"] is None
    assert not re.search(r"Criterion|olid-state by", told(result))


def test_a_composition_is_answered_beside_the_verdict_and_does_not_change_it(folder: Path) -> None:
    plain = replayed(str(folder / "little.csv"), *DRIFT)
    said = replayed(str(folder / "little.csv"), *DRIFT, "--composition", "oxide, liquid 3 %", "--claim", "solid-state")
    assert said["verdict"] == plain["verdict"] == "PASS"
    assert said["composition"]["declared"] == "oxide, liquid 3 %"
    shown = told(said)
    assert 'Declared to hold "oxide, liquid 3 %". By declaration, not by this test: ' in shown
    assert "hybrid solid-liquid whatever its mass loss" in shown
    assert '"solid-state" is a class of GB/T 48093.1-2026.' in shown
    assert plain["composition"] is None
    assert "Declared to hold" not in told(plain)


def test_one_of_several_samples_says_so(folder: Path) -> None:
    result = replayed(str(folder / "little.csv"), "--standard", standard(folder, n=3))
    assert result["replicates"] == 3
    assert "The standard asks for 3 samples; this is the result of one." in told(result).splitlines()
    assert "this is the result of one" not in told(replayed(str(folder / "little.csv")))


def test_a_certificate_that_a_person_wrote_is_said_to_be(folder: Path) -> None:
    how = ("--certificate", certificate(folder), "--standard", standard(folder))
    result = replayed(str(folder / "sample.csv"), *how)
    assert any("has no recorded calibration: it was written by hand" in line for line in result["warnings"])
    heavy = replayed(str(folder / "heavier.csv"), *how)
    assert [line for line in heavy["warnings"] if "capacity" in line] == []


def test_density_and_air_are_in_the_budget_as_declared(folder: Path) -> None:
    said = ("--density", "2.5", "--density-u", "0.05", "--air", "1013.25,25,50", "--air", "1011,25.5,48")
    result = replayed(str(folder / "little.csv"), *said)
    found = {c["name"]: c for c in result["budget"]}
    for name in ("air density", "change of the air's density", "specific volume of the sample"):
        assert found[name]["origin"] == "declared"
    assert found["specific volume of the sample"]["value"] == pytest.approx(0.4, rel=0.01)
    assert "CIPM-2007: 1013.25 hPa" in told(result)
    plain = {c["name"]: c for c in replayed(str(folder / "little.csv"))["budget"]}
    assert plain["specific volume of the sample"]["origin"] == "assumed"
    assert found["change of the air's density"]["u"] < plain["change of the air's density"]["u"]


def test_a_recorded_pressure_that_differs_between_m1_and_m2_needs_a_density(folder: Path) -> None:
    rows = [(*r, 101_325.0 if r[0] < 1800.0 else 50.0) for r in cold_test(5.0, loss_g=0.1)]
    path = write(folder / "pumped.csv", rows, "t_s,mass_g,temp_c,pressure_pa")
    refused = replayed(str(path))
    assert refused["verdict"] == "INVALID"
    assert refused["invalid_because"].startswith("M1 at 101 kPa and M2 at 0.05 kPa: a sample of unknown density seems ")
    assert "0.012 to 0.12 % heavier" in refused["invalid_because"]
    known = replayed(str(path), "--density", "2.5..2.5")
    # 0.1 g of 100 g, and what the air carried at M1: 1.18 mg/cm³ of 40 cm³
    assert known["loss_pct"] == pytest.approx(0.1 + 0.0474, abs=0.001)


@pytest.mark.parametrize(
    "words",
    [
        ("--density", "0"),
        ("--density", "-1"),
        ("--density", "2500"),
        ("--density", "heavy"),
        ("--density-u", "0.1"),
        ("--density", "2.5", "--density-u", "9"),
        ("--air", "1013"),
        ("--air", "101325,25,50"),
        ("--air", "1013,25,150"),
    ],
)
def test_what_cannot_be_declared_is_one_line(folder: Path, words: tuple[str, ...]) -> None:
    done = command(str(folder / "little.csv"), *words)
    assert isinstance(done.exception, BadInput)
    line = error_line(done.exception, cli)
    assert line.startswith(words[-2])
    assert "give" in line
    assert "\n" not in line


def test_a_composition_of_two_lines_is_wrong_use(folder: Path) -> None:
    done = command(str(folder / "little.csv"), "--composition", "oxide\nPASS")
    assert done.exit_code == 2


@pytest.mark.parametrize(
    ("recording", "blank", "other", "what", "do"),
    [
        ("sample.csv", "2", {}, "was a sample, not a blank", "run an inert dummy as a blank run"),
        ("sample.csv", "1", {"name": "rig-b", "zero_drift_g": 0.02}, "another rig or certificate", "on this rig"),
        ("heavier.csv", "1", {}, "dummy and sample weighed 200.", "use a dummy of half to twice"),
        ("sample.csv", "1", {"hold": 18_000.0}, "the hold's length was 21600.0", "through the same test"),
        ("sample.csv", "1", {"temp": 119.0}, "the hold's temperature was 120.0", "through the same test"),
        ("little.csv", "1", {}, "another rig or certificate", "on this rig"),
        ("sample.csv", "7", {}, "no run 7", "halfpercent runs lists them"),
    ],
)
def test_a_blank_that_does_not_match_is_one_line(
    folder: Path, recording: str, blank: str, other: dict[str, Any], what: str, do: str
) -> None:
    by = standard(folder, **{k: v for k, v in other.items() if k in ("hold", "temp")})
    cell = certificate(folder, **{k: v for k, v in other.items() if k in ("name", "zero_drift_g")})
    how = ("--standard", by, "--out", str(folder), "--blank", blank)
    done = command(str(folder / recording), *how, *(("--certificate", cell) if recording != "little.csv" else ()))
    assert isinstance(done.exception, BadInput)
    assert what in str(done.exception)
    assert do in str(done.exception)
    assert "\n" not in str(done.exception)
