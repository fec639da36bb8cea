"""A converter that was reset in a run, or while nobody measured it, is an event of the run; a restart is none."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from simulated_service import Rigged, order, rigged

from edge.database.queries import RunAsLeft, converter_resets, run_as_left
from edge.records.event import ResetCause
from edge.records.phase import Phase
from edge.records.result import ConverterResetTold
from edge.simulate.instrument import Simulated, build
from edge.station.converter_watch import ConverterWatch, reset_while_away
from hw.protocols import ConverterState
from hw.sim.nau7802 import Nau7802Model

BRIDGES = ("nau7802", "hx711")


def resets(it: Rigged) -> list[dict[str, Any]]:
    return [json.loads(e["data_json"]) for e in it.events("converter_reset")]


def codes(it: Rigged, seconds: int = 20) -> float:
    """Get the mean code of some seconds, as the station sees them."""
    samples = []
    look = it.service.station._look

    def seen(glance: Any) -> None:
        samples.extend(s.code for s in glance.samples if s.status == 0)
        look(glance)

    it.service.station._look = seen
    it.run_s(seconds)
    it.service.station._look = look
    return sum(samples) / len(samples)


def begun(it: Rigged) -> None:
    it.service.start(order(), "ada")
    it.run_s(5)


@pytest.mark.parametrize("bridge", BRIDGES)
def test_a_brown_out_is_one_event_at_its_second_with_the_registers(tmp_path: Path, bridge: str) -> None:
    with rigged(tmp_path, simulated=build("solid", bridge, 1, looks=4)) as it:
        begun(it)
        it.run_s(20.5)
        at_s = it.simulated.clock.now_ns() / 1e9 - it.service.station.live.pipeline.t0_ns / 1e9
        it.simulated.chips.bridge.reset()
        it.run_s(10)
        (told,) = resets(it)
        assert told["cause"] == "found reset"
        assert told["chip"] == bridge
        assert told["before"].keys() == {"ocal", "gcal", "pga", "revision"}
        assert (told["before"]["ocal"] is None) is (bridge == "hx711")
        (of_run,) = converter_resets(it.journal.db, 1)
        assert isinstance(of_run, ConverterResetTold)
        assert of_run.from_s <= at_s <= of_run.at_s <= at_s + 2.5
        assert it.service.station.live.ended().resets == (of_run,)


@pytest.mark.parametrize("bridge", BRIDGES)
def test_a_plug_that_is_out_for_a_minute_is_a_reset_whose_before_ends_when_it_was_pulled(
    tmp_path: Path, bridge: str
) -> None:
    with rigged(tmp_path, simulated=build("solid", bridge, 1, looks=4)) as it:
        begun(it)
        it.run_s(20)
        out_s = it.service.station.live.next_seq
        it.simulated.chips.bridge.unplug()
        it.run_s(60)
        it.simulated.chips.bridge.plug()
        it.run_s(10)
        (of_run,) = converter_resets(it.journal.db, 1)
        assert out_s - 1 <= of_run.from_s <= out_s + 1
        assert out_s + 59 <= of_run.at_s <= out_s + 64


@pytest.mark.parametrize("bridge", BRIDGES)
@pytest.mark.parametrize("seed", range(3))
def test_restarts_at_random_moments_leave_the_codes_and_are_no_events(tmp_path: Path, bridge: str, seed: int) -> None:
    rng, simulated = random.Random(seed), build("solid", bridge, seed, looks=4)
    with rigged(tmp_path, simulated=simulated) as it:
        begun(it)
        before = codes(it)
    for _ in range(4):
        simulated.clock.sleep_s(rng.uniform(0.5, 30.0))
        with rigged(tmp_path, simulated=simulated) as it:
            it.service._take_up()
            it.run_s(rng.uniform(1.0, 6.0))
            assert abs(codes(it) - before) < 200  # 0.05 g
            assert resets(it) == []


@pytest.mark.parametrize("bridge", BRIDGES)
def test_a_power_cut_is_an_event_of_the_run_at_its_resume(tmp_path: Path, bridge: str) -> None:
    simulated = build("solid", bridge, 1, looks=4)
    with rigged(tmp_path, simulated=simulated) as it:
        begun(it)
        last_s = it.service.station.live.next_seq
    cut(simulated)
    with rigged(tmp_path, simulated=simulated) as it:
        it.service._take_up()
        it.run_s(5)
        (told,) = resets(it)
        assert (told["cause"], told["from_s"]) == ("power cut", float(last_s))
    simulated.clock.sleep_s(10.0)
    with rigged(tmp_path, simulated=simulated) as it:  # a plain restart after it
        it.service._take_up()
        it.run_s(5)
        assert len(resets(it)) == 1
        assert run_as_left(it.journal.db, 1).registers == told["after"]


def cut(simulated: Simulated, off_s: float = 60.0) -> None:
    """Cut the power: the chip loses it, and another boot follows."""
    simulated.clock.sleep_s(off_s)
    simulated.clock._boot_id = "another"
    simulated.chips.bridge.reset()


def test_a_chip_that_another_program_has_set_up_anew_is_an_event_opened_anew(tmp_path: Path) -> None:
    simulated = build("solid", "nau7802", 1, looks=4)
    with rigged(tmp_path, simulated=simulated) as it:
        begun(it)
    chip = simulated.chips.bridge
    assert isinstance(chip, Nau7802Model)
    chip.poke(0x02, 0x30)  # another rate
    with rigged(tmp_path, simulated=simulated) as it:
        it.service._take_up()
        it.run_s(2)
        (told,) = resets(it)
        assert told["cause"] == "opened anew"


LEFT = RunAsLeft({}, {"ocal": "000010", "gcal": "00800000", "pga": "00", "revision": "0f"}, "boot", "")
STATE = ConverterState("nau7802", False, 0, "000010", "00800000", "00", "0f")
BLIND = RunAsLeft({}, dict.fromkeys(LEFT.registers), "boot", "")


@pytest.mark.parametrize(
    ("left", "state", "boot", "cause"),
    [
        (LEFT, STATE, "boot", None),
        (LEFT, STATE, "another", None),  # its registers say that it never lost its power
        (LEFT, ConverterState("nau7802", True, 0, "000010", "00800000", "00", "0f"), "boot", ResetCause.OPENED_ANEW),
        (LEFT, ConverterState("nau7802", False, 0, "000011", "00800000", "00", "0f"), "boot", ResetCause.OPENED_ANEW),
        (LEFT, ConverterState("nau7802", True, 0, "000011", "00800000", "00", "0f"), "another", ResetCause.POWER_CUT),
        (BLIND, ConverterState("hx711", False, 0), "boot", None),
        (BLIND, ConverterState("hx711", True, 0), "boot", ResetCause.OPENED_ANEW),
        (BLIND, ConverterState("hx711", False, 0), "another", ResetCause.POWER_CUT),
    ],
)
def test_what_a_resume_makes_of_a_converter(
    left: RunAsLeft, state: ConverterState, boot: str, cause: ResetCause | None
) -> None:
    found = reset_while_away(left, state, boot, 7.0)
    assert (None if found is None else found.cause) == cause


def test_a_run_of_which_nothing_was_measured_has_no_zero_to_lose() -> None:
    left = RunAsLeft({}, LEFT.registers, None, "")
    assert reset_while_away(left, ConverterState("nau7802", True, 0), "another", 0.0) is None


def test_the_watch_tells_each_reset_once_and_what_was_good_before_it() -> None:
    watch, calm = ConverterWatch(), ConverterState("hx711", False, 2)
    assert watch.changed(calm, 0, good=True) is None  # nobody began
    watch.begin(calm)
    assert watch.changed(calm, 0, good=True) is None
    assert watch.changed(calm, 1, good=False) is None
    found = watch.changed(ConverterState("hx711", True, 4), 2, good=True)
    assert found is not None
    assert found.from_s == 1.0
    assert watch.changed(ConverterState("hx711", True, 4), 3, good=True) is None


def test_a_whole_night_with_a_reset_says_so_to_the_judge(tmp_path: Path) -> None:
    with rigged(tmp_path, hold_s=120.0, looks=1) as it:
        it.service.start(order(), "ada")
        station = it.service.station
        judged: list[Any] = []
        judge = station._judge

        def asked(ended: Any) -> Any:
            judged.append(ended)
            return judge(ended)

        station._judge = asked
        station.run(lambda: station.live is not None and station.live.phase is not Phase.HOLD, words=it.operator.words)
        it.simulated.chips.bridge.reset()
        station.run(lambda: station.live is not None, words=it.operator.words)
        (ended,) = judged
        assert [r.cause for r in ended.resets] == ["found reset"]
