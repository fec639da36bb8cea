"""The commands on other people's certificates: a weight, a balance; asked for, written once, refused when run out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from simulated_service import order, rigged

from calibration.balance_certificate import load_balance
from calibration.errors import BadCertificate
from calibration.weight_record import load_weight, weight_hash
from edge.cli.main import cli
from edge.control.protocol import Request, parse
from edge.errors import BadRequest
from edge.station.start import definition_from_order

ANSWERS = "F1 100\n100.00003\n0.00016\n\n2026-0815\nLab\n2026-03-01\n{until}\n8.0\nF1\n"


def invoked(*args: str, answers: str = "") -> Result:
    return CliRunner().invoke(cli, list(args), input=answers)


@pytest.fixture
def weight(tmp_path: Path) -> Path:
    path = tmp_path / "w.toml"
    done = invoked("weight", "new", str(path), answers=ANSWERS.format(until="2099-03-01"))
    assert done.exit_code == 0, done.output
    return path


def test_weight_new_asks_and_writes_once_and_show_reads_it(weight: Path) -> None:
    record = load_weight(weight)
    assert (record.name, record.mass_g, record.k, record.weight_class) == ("F1 100", 100.00003, 2.0, "F1")
    shown = invoked("weight", "show", str(weight))
    assert json.loads(shown.stdout)["sha256"] == weight_hash(record)
    before = weight.read_text(encoding="utf-8")
    again = invoked("weight", "new", str(weight), answers=ANSWERS.format(until="2098-03-01"))
    assert again.exit_code == 1
    assert weight.read_text(encoding="utf-8") == before


def test_one_that_has_run_out_is_refused_by_show_start_and_calibration(tmp_path: Path) -> None:
    path = tmp_path / "old.toml"
    invoked("weight", "new", str(path), answers=ANSWERS.format(until="2026-03-02"))
    said = "weight F1 100: its certificate 2026-0815 was valid until 2026-03-02"
    with rigged(tmp_path) as it, pytest.raises(BadCertificate, match=said):
        definition_from_order(order(weight=str(path)), it.config, it.database)
    for args in (("weight", "show", str(path)), ("calibrate", "span", "--weight", str(path))):
        done = invoked(*args)
        assert done.exit_code == 1
        assert said in str(done.exception)
        assert len(str(done.exception).splitlines()) == 1


def test_a_run_that_names_a_record_weighs_it_at_the_end_and_keeps_it(weight: Path, tmp_path: Path) -> None:
    with rigged(tmp_path) as it:
        definition = definition_from_order(order(weight=str(weight)), it.config, it.database)
    assert definition.check_weight == load_weight(weight)
    assert definition.parameters.plan.check_weight_g == 100.00003
    assert definition.parameters.plan.zero_after
    assert definition.balance_settings()["check_weight"]
    with pytest.raises(BadRequest, match="weight is the record of the check weight: leave check_weight_g out"):
        parse(Request("start", {"sample": "S", "operator": "A", "weight": str(weight), "check_weight_g": 100.0}, "ada"))


@pytest.mark.parametrize(
    ("more", "has"),
    [
        ("y\n0.004\n1.2e-5\n\n", "in_use"),
        ("n\n100\n0.005\n\n200\n0.006\n\n\n", "points"),
        ("n\n\n0.001\n10\ny\n0.002\n100\n", "repeatability"),
    ],
)
def test_calibrate_balance_asks_for_what_its_certificate_states(tmp_path: Path, more: str, has: str) -> None:
    path = tmp_path / "b.toml"
    head = "B1\nXS 220\nB-0042\nLab\n\n2026-03-01\n\n220\n0.001\n0.002\n"
    done = invoked("calibrate", "balance", str(path), answers=head + more)
    assert done.exit_code == 0, done.output
    assert getattr(load_balance(path), has)
    assert "In use u = " in done.stdout
    assert invoked("calibrate", "balance", str(path), answers=head + more).exit_code == 1
