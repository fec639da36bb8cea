"""A look at the site: a pump that shakes and somebody who walks by are seen, and a quiet one is called quiet."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from edge.cli.main import cli
from edge.errors import ReadingsNotGood
from edge.guided_calibration.bench import Bench
from edge.guided_calibration.site import STEPS, SiteCheck, check_site
from edge.records.frame import Frames, join, one_frame
from hw.clock import NS_PER_S, SimClock
from hw.protocols import Conversion, Reading, Status

OVEN = Reading(0, 9000, 0, Status.OK)


class Shaken(Bench):
    """A bench whose codes scatter by so much in each step."""

    def __init__(self, *sd: float, status: Status = Status.OK) -> None:
        self.asked: list[str] = []
        super().__init__(lambda: None, SimClock(), None, lambda text: self.asked.append(text) or "")  # type: ignore[arg-type,return-value,func-returns-value]  # no chips
        self._sd, self._status, self._rng = list(sd), status, np.random.default_rng(5)

    def record(self, seconds: int) -> Frames:
        """Get seconds of ten samples each."""
        sd = self._sd.pop(0)
        frames = []
        for s in range(seconds):
            codes = 300_000 + sd * self._rng.standard_normal(10)
            samples = [Conversion(s * NS_PER_S + i * 10**8, round(float(c)), self._status) for i, c in enumerate(codes)]
            frames.append(one_frame(s, s * NS_PER_S, samples, OVEN))
        return join(frames)


def looked(bench: Bench, **more: float) -> SiteCheck:
    lines: list[str] = []
    found = check_site(bench, 60, say=lines.append, **more)  # type: ignore[arg-type]  # numbers
    assert [line.split(":")[0] for line in lines] == [name for name, _ in STEPS]
    return found


def test_each_step_is_asked_for_and_a_quiet_site_is_quiet() -> None:
    bench = Shaken(30.0, 30.0, 30.0)
    found = looked(bench)
    assert [what in asked for (_, what), asked in zip(STEPS, bench.asked, strict=True)] == [True] * 3
    assert (found.quiet, found.said) == (True, ())
    assert found.steps[0].sd_code == pytest.approx(30.0 / np.sqrt(10.0), rel=0.3)


def test_a_pump_that_shakes_it_and_somebody_who_walks_by_are_named_with_what_to_do() -> None:
    found = looked(Shaken(30.0, 200.0, 300.0), codes_per_g=4000.0)
    assert [s.quiet for s in found.steps] == [True, False, False]
    assert found.said[0].startswith("pump on: set the pump on rubber")
    assert found.steps[1].sd_g == pytest.approx(found.steps[1].sd_code / 4000.0)
    assert found.steps[1].times is not None
    assert found.steps[1].times > 4.0


def test_a_site_that_is_worse_at_rest_than_the_certificate_is_not_quiet() -> None:
    assert not looked(Shaken(300.0, 300.0, 300.0), noise_code=30.0).steps[0].quiet
    assert looked(Shaken(30.0, 30.0, 30.0), noise_code=30.0).quiet


def test_a_bridge_without_a_good_sample_is_refused() -> None:
    with pytest.raises(ReadingsNotGood, match="pump off: 0 good seconds of 60: run halfpercent doctor"):
        looked(Shaken(30.0, status=Status.SATURATED))


def test_the_command_looks_at_the_simulated_site(tmp_path: Path) -> None:
    args = ["calibrate", "site", "--simulate", "1", "--seconds", "20", "--db", str(tmp_path / "h.db"), "--json"]
    found = json.loads(CliRunner().invoke(cli, args, catch_exceptions=False).stdout.splitlines()[-1])
    assert [s["name"] for s in found["steps"]] == ["pump off", "pump on", "walking by"]
    assert found["steps"][0]["seconds"] == 20
