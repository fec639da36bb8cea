"""The shipped nights in small: three of them, with a shorter hold, each with an accepted verdict, and none wrong."""

from __future__ import annotations

import pytest
from nights import found
from random_moments import STANDARD

from edge.qualify.acted_night import Acted, act
from edge.records.result import Verdict
from edge.standards.standard import loads_standard


@pytest.mark.parametrize(
    ("name", "bridge", "hold_s"),
    [("disk-full", "nau7802", 5400.0), ("wrong-command-order", "nau7802", 1200.0), ("gain-edited", "hx711", 5400.0)],
)
def test_a_shipped_night_has_a_verdict_that_it_may_have(name: str, bridge: str, hold_s: float) -> None:
    done = act(name, 1, bridge, loads_standard(STANDARD.format(hold_s=hold_s)))
    assert done.as_promised, done.line()
    assert done.verdict in done.accepted
    assert not done.wrong


def told(verdict: Verdict, loss_pct: float | None, true_pct: float) -> Acted:
    return Acted("n", ("INVALID",), 1, "nau7802", verdict, loss_pct, 0.02, true_pct)


def test_what_is_wrong_and_what_is_promised() -> None:
    assert told(Verdict.PASS, 0.51, 0.52).wrong
    assert not told(Verdict.PASS, 0.51, 0.52).as_promised
    assert told(Verdict.FAIL, 0.51, 0.49).wrong
    assert told(Verdict.PASS, 0.40, 0.41).as_promised
    assert not told(Verdict.PASS, 0.40, 0.45).as_promised
    assert told(Verdict.INVALID, None, 0.45).as_promised
    row = found([told(Verdict.PASS, 0.51, 0.52)]).splitlines()[-1]
    assert [cell.strip() for cell in row.split("|")[1:-1]] == ["n", "X", "1P", "1 of 1", "0 of 1", "1", "1"]
