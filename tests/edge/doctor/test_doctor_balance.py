"""The doctor on the laboratory's balance: found at its port, its certificate looked at, the wire shown."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from balance_at_a_terminal import CERTIFICATE, at_a_terminal, certificate_file
from click.testing import CliRunner

from edge.cli.main import cli
from edge.doctor.balance import balance
from edge.instrument.config import BalanceConfig
from hw.sim.balance import SimulatedBalance

needs_pyserial = pytest.mark.skipif(importlib.util.find_spec("serial") is None, reason="pyserial is not installed")


def states(config: BalanceConfig) -> dict[str, str]:
    return {f.check: f.state for f in balance(config)}


def test_without_settings_there_is_nothing_to_say() -> None:
    assert states(BalanceConfig()) == {}


def test_a_certificate_is_looked_at_and_masses_are_typed_where_no_port_is_set(tmp_path: Path) -> None:
    config = BalanceConfig(certificate=str(certificate_file(tmp_path)))
    assert states(config) == {"balance's certificate": "ok", "balance": "ok"}
    out = CERTIFICATE.replace("capacity_g", "valid_until = 2026-03-02\ncapacity_g")
    assert states(BalanceConfig(certificate=str(certificate_file(tmp_path, out))))["balance's certificate"] == "fail"
    assert states(BalanceConfig(certificate=str(tmp_path / "none.toml")))["balance's certificate"] == "fail"


@needs_pyserial
def test_it_is_found_at_its_port_and_the_wire_is_shown(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    with at_a_terminal(SimulatedBalance("mt-sics", 100.0)) as (_, port):
        probe = "[oven_probe]\nwires = 4\nref_ohm = 430.0\nmains_hz = 50\n"
        file.write_text(f'[bridge]\nchip = "nau7802"\n{probe}[balance]\nport = "{port}"\n', encoding="utf-8")
        args = ["doctor", "--config", str(file), "--db", str(tmp_path / "h.db"), "--wire"]
        done = CliRunner().invoke(cli, args)
    assert f"ok      balance: {port}, mt-sics: 100 g, stable" in done.stdout
    assert "  > 53 0d 0a" in done.stderr


@needs_pyserial
@pytest.mark.parametrize("state", ["unstable", "overload"])
def test_one_that_gives_no_mass_is_a_fault_with_what_to_do(state: str) -> None:
    model = SimulatedBalance("sbi", 100.0)
    model.state = state  # type: ignore[assignment]  # one of them
    with at_a_terminal(model) as (_, port):
        (found,) = balance(BalanceConfig(port=port, protocol="sbi"))
    assert found.state == "fail"
    assert port in found.found
    assert found.do
