"""A mass of the laboratory's balance in a run: typed or read by the station, stored with its own time, or refused."""

from __future__ import annotations

import importlib.util
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from balance_at_a_terminal import CERTIFICATE, at_a_terminal, certificate_file
from simulated_service import Rigged, order, rigged

from calibration.errors import BadCertificate
from edge.control.protocol import Request
from edge.database.journal import Journal
from edge.errors import BadInput, NoRun, WrongPhase
from edge.instrument.config import BalanceConfig
from edge.records.phase import Phase
from edge.records.weighing import WeighingKind
from edge.run.resume import resume
from edge.station import start
from edge.station.request_desk import RequestDesk
from hw.sim.balance import SimulatedBalance

needs_pyserial = pytest.mark.skipif(importlib.util.find_spec("serial") is None, reason="pyserial is not installed")


def begun(it: Rigged, folder: Path, **more: Any) -> None:
    it.service.start(order(balance=str(certificate_file(folder)), **more), "ada")
    it.run_s(3.0)


def desk_with(it: Rigged, balance: BalanceConfig) -> RequestDesk:
    config = msgspec.structs.replace(it.config, balance=balance)
    return RequestDesk(it.service.station, config, None, 10.0, lambda: None)


def test_a_typed_mass_is_an_event_of_its_own_time_with_who_and_photograph_and_a_resumed_run_has_it(
    tmp_path: Path,
) -> None:
    with rigged(tmp_path) as it:
        begun(it, tmp_path)
        photo = "a" * 64
        answer = it.ask(
            "weigh", which="m1", mass_g=196.354, balance="b1", who="Bo", weighed_ago_s=600.0, photograph_sha256=photo
        )
        assert answer == {"which": "m1", "mass_g": 196.354, "balance": "B1", "how": "typed"}
        it.run_s(3.0)
        live = it.service.station.live
        assert live is not None
        assert live.pipeline.phases.carrying.awaits_m2
        (mass,) = live.ended().on_balance
        assert (mass.which, mass.mass_g, mass.balance, mass.how, mass.who) == (
            WeighingKind.M1, 196.354, "B1", "typed", "Bo",
        )  # fmt: skip
        assert mass.photograph_sha256 == photo
        assert mass.said_s - mass.weighed_s == pytest.approx(600.0, abs=1.5)
        (stored,) = it.events("balance")
        assert stored["who"] == "ada"
        run_id, clock = live.run_id, it.simulated.clock
    with Journal(tmp_path / "halfpercent.db") as journal:
        again = resume(journal, run_id, clock, clock_set=True, batch_s=5)
        assert again.pipeline.phases.carrying.said == {WeighingKind.M1}
        assert again.definition.laboratory_balance == live.definition.laboratory_balance
        assert again.ended().on_balance == (mass,)


@needs_pyserial
def test_a_mass_is_read_at_the_port_of_the_settings_and_its_bytes_are_kept(tmp_path: Path) -> None:
    balance = SimulatedBalance("mt-sics", 196.354)
    with rigged(tmp_path) as it, at_a_terminal(balance) as (_, name):
        begun(it, tmp_path)
        desk = desk_with(it, BalanceConfig(port=name))
        later = desk.weigh_later(Request("weigh", {"which": "m1"}, "ada"))
        until_s = time.monotonic() + 10.0
        while (answer := later.answer()) is None and time.monotonic() < until_s:  # type: ignore[union-attr]  # it is Later
            time.sleep(0.01)
        assert answer == {"which": "m1", "mass_g": 196.354, "balance": "B1", "how": "read"}
        (mass,) = it.service.station.live.ended().on_balance  # type: ignore[union-attr]  # it is live
        assert (mass.how, mass.digit_g, mass.raw_hex) == ("read", 0.001, b"S S    196.354 g\r\n".hex())
        balance.state = "unstable"
        with pytest.raises(BadInput, match="weigh: balance: it is not stable, or busy: close its doors, wait"):
            desk.handle(Request("weigh", {"which": "m1"}, "ada"))
        assert len(it.events("balance")) == 1


def test_what_cannot_be_its_mass_is_one_line_and_nothing_is_stored(tmp_path: Path) -> None:
    with rigged(tmp_path) as it:
        with pytest.raises(
            NoRun, match="weigh m1: no run is being measured: begin one, or name the run that has ended"
        ):
            it.ask("weigh", which="m1", mass_g=196.0)
        begun(it, tmp_path)
        for args, said in (
            ({"which": "m1", "mass_g": 421.0}, "balance B1 weighs up to 420 g"),
            ({"which": "m1", "mass_g": 196.0, "balance": "B2"}, "this run goes by balance B1, not B2"),
            ({"which": "m1"}, "the balance has no port: name it in the settings"),
            ({"which": "m2", "mass_g": 196.0}, "M2 on the balance is not for phase tare, but after carry out"),
            ({"which": "m3", "mass_g": 196.0}, 'which = \'m3\': give "m1" or "m2"'),
            ({"which": "m1", "mass_g": 0.0}, "give a mass in g, above 0"),
        ):
            with pytest.raises(BadInput) as refused:
                it.ask("weigh", **args)
            assert said in str(refused.value)
            assert len(str(refused.value).splitlines()) == 1
        assert it.events("balance") == []


def test_an_m1_that_comes_after_the_hold_began_needs_its_time_and_a_slip_of_the_pen_is_asked_again(
    tmp_path: Path,
) -> None:
    with rigged(tmp_path) as it:
        begun(it, tmp_path)
        phases = it.service.station.live.pipeline.phases  # type: ignore[union-attr]  # it is live
        phases.phase = Phase.HOLD
        with pytest.raises(WrongPhase, match="in phase hold it is no longer before the hold: say when it was weighed"):
            it.ask("weigh", which="m1", mass_g=196.354)
        it.ask("weigh", which="m1", mass_g=196.354, weighed_ago_s=7200.0)
        mean = type("Mean", (), {"mean": 196.3})()
        phases.weighings[WeighingKind.M1] = type("Rigs", (), {"value": mean})()
        with pytest.raises(BadInput, match=r"M1 169.354 g: the rig has 196.3 g: look at the display, and say it again"):
            it.ask("weigh", which="m1", mass_g=169.354, weighed_ago_s=7200.0)
        phases.phase = Phase.TARE


def test_a_run_without_a_balance_takes_no_mass_of_one(tmp_path: Path) -> None:
    with rigged(tmp_path) as it:
        it.service.start(order(), "ada")
        it.run_s(2.0)
        with pytest.raises(BadInput, match="this run has no balance: name its certificate at the start"):
            it.ask("weigh", which="m1", mass_g=196.0)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (CERTIFICATE.replace("capacity_g", "valid_until = 2026-03-02\ncapacity_g"), "valid until 2026-03-02: have it"),
        (CERTIFICATE.replace('"B-0042"', '"simulated 1"'), "its certificate is a model's: name the real one's"),
    ],
)
def test_a_certificate_that_has_run_out_or_is_a_model_s_begins_no_run(tmp_path: Path, text: str, said: str) -> None:
    with rigged(tmp_path) as it:
        with pytest.raises(BadInput) as refused:
            it.service.start(order(balance=str(certificate_file(tmp_path, text))), "ada")
        assert said in str(refused.value)
        with pytest.raises(BadCertificate, match="capacity_g is missing"):
            it.service.start(
                order(balance=str(certificate_file(tmp_path, text.replace("capacity_g = 420.0", "")))), "ada"
            )
        assert it.service.station.live is None


def test_a_file_that_is_asked_for_over_the_socket_is_bounded(tmp_path: Path) -> None:
    path = certificate_file(tmp_path, CERTIFICATE + "#" * start.ASKED_BYTES)
    with rigged(tmp_path) as it, pytest.raises(BadCertificate):
        start.definition_from_order(order(balance=str(path)), it.config, it.database, asked=True)
