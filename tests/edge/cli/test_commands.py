"""The small commands: budget and wiring, as a person types them."""

from __future__ import annotations

import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from repository import ROOT

from edge.cli.commands import WHERE, CommandsByName


def halfpercent(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "edge", *words], cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    text = (ROOT / "docs" / "calibration.md").read_text(encoding="utf-8").split("```toml\n", 1)[1].split("```", 1)[0]
    path = tmp_path / "cell.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_budget_says_what_to_expect_and_the_smallest_sample(tmp_path: Path, certificate: Path) -> None:
    done = halfpercent(tmp_path, "budget", "--sample-mass", "100", "--certificate", "cell.toml", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["limit_g"] == pytest.approx(0.5)
    assert found["U_pct"] == pytest.approx(found["k"] * found["u_pct"])
    assert found["worth_it"] == (found["U_pct"] <= 0.5 / 3.0)
    text = halfpercent(tmp_path, "budget", "--sample-mass", "100", "--certificate", "cell.toml").stdout
    assert "the limit of 0.5 % is 500 mg" in text
    assert "what weighs most" in text


@pytest.mark.parametrize("mass", ["0", "-5", "nan", "5000"])
def test_budget_refuses_a_mass_that_cannot_be(tmp_path: Path, certificate: Path, mass: str) -> None:
    done = halfpercent(tmp_path, "budget", "--sample-mass", mass, "--certificate", "cell.toml")
    assert done.returncode == 1
    assert done.stderr.startswith("halfpercent: --sample-mass")
    assert done.stderr.count("\n") == 1


def test_budget_without_a_certificate_asks_for_one(tmp_path: Path) -> None:
    done = halfpercent(tmp_path, "budget", "--sample-mass", "100")
    assert done.returncode == 1
    assert "which states its noise and drift: name one, or make one (halfpercent calibrate tare" in done.stderr
    assert "--certificate" in done.stderr


@pytest.mark.parametrize(("bridge", "pin"), [("nau7802", "SDA"), ("hx711", "GPIO6"), ("hx711_spi", "MOSI")])
def test_wiring_says_which_pin_goes_where_and_draws_it(tmp_path: Path, bridge: str, pin: str) -> None:
    done = halfpercent(tmp_path, "wiring", "--bridge", bridge, "--svg", "w.svg")
    assert done.returncode == 0, done.stderr
    assert pin in done.stdout
    assert "MAX31865 (oven)" in done.stdout
    assert ET.parse(tmp_path / "w.svg").getroot().tag.endswith("svg")


def test_wiring_of_a_config_is_of_that_config(tmp_path: Path) -> None:
    done = halfpercent(tmp_path, "wiring", "--config", str(ROOT / "systemd" / "config.example.toml"))
    assert done.returncode == 0, done.stderr
    refused = halfpercent(
        tmp_path, "wiring", "--config", str(ROOT / "systemd" / "config.example.toml"), "--bridge", "hx711_spi"
    )
    assert refused.returncode == 2


def test_every_command_is_where_the_table_says_and_has_its_name() -> None:
    commands = CommandsByName()
    assert len(commands) == len(WHERE)
    assert all(command.name == name for name, command in commands.items())
    assert "no-such" not in commands


def test_a_command_loads_no_other(tmp_path: Path) -> None:
    code = (
        "import sys\nsys.argv = ['halfpercent', 'web', '--help']\nfrom edge.cli.main import main\n"
        "try:\n    main()\nexcept SystemExit:\n    print(sorted(m for m in sys.modules if m.startswith('edge.cli.')))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "edge.cli.web" in done.stdout
    assert "edge.cli.demo" not in done.stdout
