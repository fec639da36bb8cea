"""Events: what asks something of the operator is shown to them, wherever they look."""

from __future__ import annotations

import contextlib
import io
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest
from simulated_service import Rigged, rigged

from edge.cli.run import _Shown
from edge.procedure.plausibility import LOAD_ROWS
from edge.records.command import OperatorWord
from edge.records.event import (
    FROM_FRAMES,
    CheckRefused,
    CommandRefused,
    EventKind,
    Happening,
    LoadRefused,
    TareRefused,
    ZeroRefused,
)
from edge.records.phase import Phase
from edge.records.status import StationStatus
from edge.report.status_text import status_text
from edge.simulate.operator import COMMANDS_BY_PHASE, SimulatedOperator
from hw.sim.rig import Rig


def kinds_of(base: type[Happening]) -> Iterator[type[Happening]]:
    """Get every event's class, in whatever module (``slots=True`` leaves a twin of each behind that nobody uses)."""
    for kind in base.__subclasses__():
        if getattr(sys.modules[kind.__module__], kind.__name__) is kind:
            yield kind
        yield from kinds_of(kind)


ASKING = sorted((kind for kind in kinds_of(Happening) if kind.asks), key=lambda kind: kind.__name__)


AGAIN_S = COMMANDS_BY_PHASE[Phase.LOAD][2]


class Clumsy(SimulatedOperator):
    """Somebody who gets each step wrong once: sees from ``refused`` that it was, and does it right."""

    def __init__(self, rig: Rig) -> None:
        super().__init__(rig, check_weight_g=20.0)
        self.refused: set[type[Happening]] = set()
        self._said_s: dict[OperatorWord, float] = {}
        self._again_s: dict[OperatorWord, float] = {}

    def words(self, phase: Phase, t_s: float) -> list[OperatorWord]:
        said = super().words(phase, t_s)
        for word in said:
            self._said_s.setdefault(word, t_s)
        since_s = {word: t_s - at_s for word, at_s in self._said_s.items()}
        if phase is Phase.TARE and TareRefused not in self.refused:
            self._rig.place_weight(20.0 if since_s.get(OperatorWord.TARE, 0.0) > 30.0 else 0.0)  # leans on the holder
        elif phase is Phase.TARE:
            self._rig.place_weight(0.0)
        if phase is Phase.LOAD and since_s.get(OperatorWord.LOAD) == AGAIN_S + LOAD_ROWS:
            said = [OperatorWord.LOAD]  # types it twice: the run goes on in that second
        if phase is Phase.ZERO and ZeroRefused not in self.refused:
            self._rig.place_sample()  # leaves the sample on
        if phase is Phase.CHECK and CheckRefused in self.refused:
            self._check_weight_g = 100.0
        return said + self._again(phase, t_s)

    def place(self) -> None:
        if LoadRefused in self.refused:  # forgets the sample at first
            super().place()

    def _again(self, phase: Phase, t_s: float) -> list[OperatorWord]:
        """Say zero, or check, again a minute after it was refused."""
        word, refused = {
            Phase.ZERO: (OperatorWord.ZERO, ZeroRefused),
            Phase.CHECK: (OperatorWord.CHECK, CheckRefused),
        }.get(phase, (None, CommandRefused))
        if word is None or refused not in self.refused:
            return []
        again_s = self._again_s.setdefault(word, t_s + 60.0)
        return [word] if t_s == again_s else []


@dataclass
class Told:
    """What was shown of a whole test: on the terminal of `halfpercent run`, and to whoever asked for the status."""

    terminal: str = ""
    answers: dict[type[Happening], dict[str, Any]] = field(default_factory=dict)
    whys: dict[type[Happening], str] = field(default_factory=dict)
    stored: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


def clumsy_test(it: Rigged) -> Told:
    told, station, operator = Told(), it.service.station, Clumsy(it.simulated.rig)

    def words(phase: Phase, t_s: float) -> list[OperatorWord]:
        refusal = station.live.refusal if station.live is not None else None
        if refusal is not None and type(refusal) not in told.answers:
            told.answers[type(refusal)] = it.ask("status")
            told.whys[type(refusal)] = refusal.why
            operator.refused.add(type(refusal))
        return operator.words(phase, t_s)

    it.ask("start", sample="S-1", operator="Ada", zero_after=True, check_weight_g=100.0)
    with contextlib.redirect_stderr(io.StringIO()) as terminal:
        station.run(lambda: station.live is not None, words=words, show=_Shown(quiet=False))
    told.terminal = terminal.getvalue()
    for kind in EventKind:
        told.stored[kind] = [json.loads(e["data_json"]) for e in it.events(kind)]
    return told


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """A test in which each step is refused once."""
    with rigged(tmp_path_factory.mktemp("clumsy"), hold_s=300.0, looks=1) as it:
        told = clumsy_test(it)
        assert it.service.station.last is not None
        assert it.service.station.last.verdict == "PASS"  # each of them was done again, and well
        return told


@pytest.mark.parametrize("kind", ASKING)
def test_what_asks_something_of_the_operator_is_shown_in_all_three_places(told: Told, kind: type[Happening]) -> None:
    assert kind in told.answers, f"{kind.__name__} asks something: act it out here"
    why = told.whys[kind]
    assert why in [e["why"] for e in told.stored[kind.kind]]
    assert f"refused: {why}\n" in told.terminal  # halfpercent run
    answer = told.answers[kind]  # the socket
    assert answer["run"]["refused"] == why
    lines = status_text(msgspec.convert(answer, StationStatus)).splitlines()  # halfpercent status
    assert [line[12:] for line in lines if line.startswith("refused ")] == [why]


def test_all_that_can_be_refused_asks_something() -> None:
    assert {CommandRefused, TareRefused, LoadRefused, ZeroRefused, CheckRefused} <= set(ASKING)


def test_each_event_has_a_kind_of_its_own_and_each_kind_an_event() -> None:
    kinds = [kind.kind for kind in kinds_of(Happening) if not kind.__name__.startswith("_")]
    assert sorted(kinds) == sorted(EventKind)


def test_each_refusal_was_made_by_frames_and_comes_in_the_order_of_the_steps(told: Told) -> None:
    order = list(told.answers)
    assert order == [TareRefused, LoadRefused, CommandRefused, ZeroRefused, CheckRefused]
    assert {kind.kind for kind in order} <= FROM_FRAMES
