"""What is begun, tared or loaded while an instrument is not well is refused; an abort never is, and is quick."""

from __future__ import annotations

from pathlib import Path

import pytest
from simulated_service import Rigged, order, rigged

from edge.errors import AlarmStands
from edge.records.event import EventKind
from edge.records.invalid import InvalidReason
from edge.records.phase import Phase
from edge.run.refold import refold
from edge.simulate.instrument import build
from hw.errors import ChipNotFound

TROUBLE = {
    "load cell": lambda it: it.simulated.chips.bridge.unplug(),
    "oven probe": lambda it: it.simulated.chips.oven.unplug(),
}


@pytest.mark.parametrize("alarm", TROUBLE)
def test_start_tare_and_load_are_refused_while_it_is_open(tmp_path: Path, alarm: str) -> None:
    with rigged(tmp_path) as it:
        it.service.start(order(), "ada")
        it.run_s(3)
        TROUBLE[alarm](it)
        it.run_s(2)
        for command in ("tare", "load"):
            with pytest.raises(AlarmStands, match=f"^{command}: the alarm {alarm} is open .*mend that first"):
                it.ask(command)
        it.ask("abort")
        it.run_s(2)
        with pytest.raises(AlarmStands, match=f"^start: the alarm {alarm} is open"):
            it.ask("start", sample="S-2", operator="Ada")
        assert it.journal.db.table("runs").count == 1
        (it.simulated.chips.bridge if alarm == "load cell" else it.simulated.chips.oven).plug()
        it.run_s(8)
        it.ask("start", sample="S-2", operator="Ada")  # closed, though nobody has acknowledged it
        it.run_s(1)
        it.ask("tare")


def test_an_alarm_of_something_else_refuses_nothing(tmp_path: Path) -> None:
    with rigged(tmp_path) as it:
        it.run_s(2)
        it.simulated.chips.cell.unplug()
        it.run_s(2)
        it.ask("start", sample="S-1", operator="Ada")
        it.run_s(2)
        it.ask("tare")


def dead(it: Rigged) -> None:
    it.simulated.chips.bridge.unplug()
    it.simulated.chips.oven.unplug()
    it.simulated.chips.cell.unplug()


@pytest.mark.parametrize("chips", [dead, lambda it: it.simulated.chips.bridge.stop(), lambda it: None])
def test_an_abort_ends_the_run_within_a_second_whatever_the_chips_do(tmp_path: Path, chips: object) -> None:
    with rigged(tmp_path) as it:
        it.service.start(order(), "ada")
        it.run_s(5)
        chips(it)
        it.run_s(3)
        begin_ns = it.simulated.clock.now_ns()
        station = it.service.station
        ended_ns = []
        looked = station.looked

        def asked(look: object, newest: object) -> None:
            if len(ended_ns) == 0 and station.live is not None:
                it.ask("abort", reason="it smells")
            looked(look, newest)
            if station.live is None:
                ended_ns.append(it.simulated.clock.now_ns())

        station.looked = asked
        it.run_s(2)
        assert ended_ns
        assert ended_ns[0] - begin_ns < 1_000_000_000
        assert station.last is not None
        assert station.last.invalid_reason is InvalidReason.ABORTED
        again = refold(it.journal.db, 1).pipeline.phases.invalid
        assert again is not None
        assert again.why == station.last.invalid_because
        (noted,) = it.events(EventKind.NOTE)
        assert "it smells" in noted["data_json"]


def test_an_abort_before_the_first_frame_is_one_too(tmp_path: Path) -> None:
    with rigged(tmp_path) as it:
        it.service.start(order(), "ada")
        it.ask("abort")
        it.run_s(1)
        assert it.service.station.last is not None
        assert it.service.station.last.invalid_reason is InvalidReason.ABORTED


def test_an_interrupted_run_is_aborted_though_no_device_opens(tmp_path: Path) -> None:
    simulated = build("solid", "nau7802", 1, looks=4)
    with rigged(tmp_path, simulated=simulated) as it:
        it.service.start(order(), "ada")
        it.run_s(5)
    with rigged(tmp_path, simulated=simulated) as it:
        service, said = it.service, []

        def no_chip() -> None:
            raise ChipNotFound("NAU7802: no answer at 0x2A; check SDA, SCL and power")

        def poll() -> None:
            if not said:
                said.append(it.ask("abort"))
                said.append(simulated.clock.now_ns())
            elif service.station.live is None and service.station.last is not None:
                said.append(simulated.clock.now_ns())
                service.stop()

        simulated.instrument.close()
        nothing = {"failed": "bridge", "open": staticmethod(no_chip), "close": staticmethod(lambda: None)}
        service._instrument = type("Dead", (), nothing)()
        service.station._hooks = service.station._hooks.__class__(poll=poll)
        assert service.run() is None
        assert said[2] - said[1] < 1_000_000_000
        assert service.station.last is not None
        assert service.station.last.invalid_reason is InvalidReason.ABORTED
        assert service.station.last.invalid_because == f"aborted by the operator in phase {Phase.TARE}"
