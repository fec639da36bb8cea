"""A laboratory shows its rig fit before it begins a cell: a whole test with a known loss, on its own balance.

The control is half a gram that leaves 200 g of steel; the same station then asks what it had found.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from unittest import mock

import pytest
from balance_at_a_terminal import at_a_terminal, certificate_file
from simulated_service import CONFIG, as_if_real, order

from calibration.certificate import to_toml
from edge.control.protocol import Request
from edge.database.journal import Journal
from edge.instrument.config import loads_config
from edge.records.command import OperatorWord
from edge.records.phase import Phase
from edge.records.result import Verdict
from edge.report.text import headline
from edge.simulate.instrument import build
from edge.simulate.operator import SimulatedOperator
from edge.station.retrying_writer import RetryingWriter
from edge.station.service import Service
from hw.sim.balance import SimulatedBalance
from hw.sim.rig import SCENARIOS, Scenario, Volatile

pytestmark = pytest.mark.skipif(importlib.util.find_spec("serial") is None, reason="pyserial is not installed")
STANDARD = (
    'id = "short"\ntitle = "A short test"\nlimit_pct = 0.5\ntemp_c = 120.0\nhold_s = 60\ncold_temp_tolerance_c = 40.0\n'
)
CONTROL = Scenario("control", "half a gram in 200 g that is gone when it is hot", (Volatile(0.0025, 4000.0, 130.0),))


class AtTheBalance(SimulatedOperator):
    """Someone who weighs on the laboratory's balance before the rig, and after it."""

    def weighs_with(self, balance: SimulatedBalance, service: Service) -> None:
        """Name the balance, and the station that reads it."""
        self._balance, self._service, self._said = balance, service, set[Phase]()

    def words(self, phase: Phase, t_s: float) -> list[OperatorWord]:
        """Weigh where the phase lets it, and do all else as anybody."""
        if phase in (Phase.LOAD, Phase.CARRY_M2) and phase not in self._said:
            self._said.add(phase)
            if phase is Phase.CARRY_M2:
                self._rig.place_sample(on=False)
            self._balance.mass_g = self._rig.sample_mass_g
            self._service.handle(Request("weigh", {"which": "m1" if phase is Phase.LOAD else "m2"}, "Bo"))
        return super().words(phase, t_s)


def test_a_control_is_recovered_and_what_came_of_it_is_asked_before_a_cell_is_begun(tmp_path: Path) -> None:
    with mock.patch.dict(SCENARIOS, {"control": CONTROL}):
        simulated, balance = build("control", "nau7802", 5, looks=1), SimulatedBalance("sbi")
    (tmp_path / "certificate.toml").write_text(to_toml(as_if_real(simulated.certificate)), encoding="utf-8")
    (tmp_path / "standard.toml").write_text(STANDARD, encoding="utf-8")
    with at_a_terminal(balance) as (_, port), Journal(tmp_path / "h.db") as journal:
        text = CONFIG.format(standard=tmp_path / "standard.toml", certificate=tmp_path / "certificate.toml")
        text += f'[balance]\ncertificate = "{certificate_file(tmp_path)}"\nport = "{port}"\nprotocol = "sbi"\n'
        service = Service(
            loads_config(text), simulated.instrument, RetryingWriter(journal, simulated.clock, 300), simulated.clock
        )
        operator = AtTheBalance(simulated.rig)
        operator.weighs_with(balance, service)
        known_g = 0.0025 * simulated.rig.truth.sample_g
        control = order("water", suitability="liquid", known_loss_g=known_g, known_loss_u_g=0.001)
        with service:
            result = service.run(control, until_done=True, words=operator.words)
            assert result is not None
            told = result.suitability
            assert told
            assert (told.fit, result.verdict, result.loss_pct) == (True, Verdict.INVALID, None)
            assert told.found_g == pytest.approx(known_g, abs=0.01)
            assert "the rig is fit until" in headline(result)
            (shown,) = service._desk.definition(order()).rig_shown
            assert (shown.run_id, shown.kind, shown.fit) == (1, "liquid", True)
