"""`halfpercent run`: the station in a terminal, and somebody who types."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TextIO

import pytest
from simulated_service import CONFIG, settings

import edge.instrument.drivers
import hw.clock
from calibration.errors import CalibrationError
from edge.cli.exit_status import error_line
from edge.cli.main import cli
from edge.database.queries import list_runs
from edge.errors import HalfpercentError
from edge.instrument.acquisition import Seen
from edge.records.frame import Frames
from edge.records.phase import CARRIED, CHECKED_FIRST, Phase
from edge.simulate.instrument import Simulated, build
from edge.simulate.operator import SimulatedOperator
from edge.station.service import Service


class Typist:
    """Somebody at the rig and at the terminal: does what the phase asks, and types the word."""

    def __init__(self, simulated: Simulated, write: int) -> None:
        self.operator = SimulatedOperator(simulated.rig)
        self._write = write
        self._frame = simulated.instrument.frame
        self.service: Service | None = None

    def frame(self, seq: int, t_ns: int, seen: Seen | None = None) -> Frames:
        """Measure a second, then act."""
        taken = self._frame(seq, t_ns, seen)
        assert self.service is not None
        live = self.service.station.live
        if live is not None:
            for word in self.operator.words(live.phase, float(seq)):
                os.write(self._write, f"{word}\n".encode())
        return taken


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Simulated]]:
    """Put the simulated rig's chips and clock where the command looks for the machine's own."""
    keyboards: list[TextIO] = []

    def make() -> Simulated:
        simulated = build("hybrid", "nau7802", 2)
        read, write = os.pipe()
        typist = Typist(simulated, write)
        begin = Service.__init__

        def init(self: Service, *given: Any, **more: Any) -> None:
            begin(self, *given, **more)
            typist.service = self

        monkeypatch.setattr(Service, "__init__", init)
        monkeypatch.setattr(simulated.instrument, "frame", typist.frame)
        monkeypatch.setattr(edge.instrument.drivers, "make_instrument", lambda *given, **more: simulated.instrument)
        monkeypatch.setattr(hw.clock, "BootClock", lambda: simulated.clock)
        keyboards.append(os.fdopen(read))
        monkeypatch.setattr(sys, "stdin", keyboards[0])
        config = settings(tmp_path, simulated, 300.0)
        (tmp_path / "config.toml").write_text(
            CONFIG.format(standard=config.test.standard, certificate=config.test.certificate), encoding="utf-8"
        )
        return simulated

    yield make
    for keyboard in keyboards:
        keyboard.close()


def test_a_test_typed_through_at_a_terminal(
    terminal: Callable[..., Simulated], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    simulated = terminal()
    words = ["run", "--sample", "S-7", "--operator", "Ada", "--claim", "semi-solid", "--density", "2.2..2.8", "--json"]
    where = ["--config", str(tmp_path / "config.toml"), "--db", str(tmp_path / "h.db")]
    cli.main([*words, *where], standalone_mode=False)
    result = json.loads(capsys.readouterr().out)
    assert result["verdict"] == "PASS"  # five minutes at 120 °C are not six hours
    assert result["kind"] == "test"
    assert result["claim"]["name"] == "semi-solid"
    assert result["density_g_cm3"] == [2.2, 2.8]
    assert abs(result["m1_g"] - simulated.rig.truth.sample_g) < 0.5
    (run,) = list_runs(tmp_path / "h.db")
    assert (run.sample_id, run.state, run.verdict) == ("S-7", "done", "PASS")


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--standard", "nonsense"], "nonsense"),
        (["--density", "0"], "density"),
        (["--air", "1013"], "--air"),
        (["--check-weight", "9999"], "check weight"),
        (["--blank", "3"], "3"),
        (["--certificate", "nowhere.toml"], "nowhere.toml"),
    ],
)
def test_what_is_wrong_is_said_before_a_chip_is_touched(
    more: list[str], says: str, terminal: Callable[..., Simulated], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulated = terminal()
    opened: list[bool] = []
    monkeypatch.setattr(simulated.instrument, "open", lambda: opened.append(True))
    where = ["--config", str(tmp_path / "config.toml"), "--db", str(tmp_path / "h.db")]
    with pytest.raises((HalfpercentError, CalibrationError)) as refused:
        cli.main(["run", "--sample", "S", "--operator", "A", *where, *more], standalone_mode=False)
    line = error_line(refused.value, cli)
    assert says in line
    assert "\n" not in line
    assert not opened
    assert list_runs(tmp_path / "h.db") == []


def test_phases_have_a_word_for_each_thing_that_is_asked() -> None:
    from edge.cli.run import _Shown

    assert set(_Shown.ASKED) == {
        str(p) for p in (Phase.TARE, *CHECKED_FIRST, Phase.LOAD, *CARRIED, Phase.ZERO, Phase.CHECK)
    }
