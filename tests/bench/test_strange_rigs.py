"""Strange rigs in small: two of two families are calibrated and judged in every way, and told in a table.

How often the truth is inside needs hundreds, and is the bench's to say.
"""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path

import pytest
from bench_pieces import Pieces
from strange_night import calibrate
from strange_physics import FAMILIES, StrangeRig, draw
from strange_rigs import WAYS, Outcome, found, made_of, one, read_outcomes, told_outcomes, wide

LIMIT_PCT = 0.5
FEW = ("plain", "moisture")


@cache
def outcomes(family: str) -> list[Outcome]:
    return [o for seed in (1, 2) for o in one(family, seed)]


@pytest.mark.parametrize("family", FEW)
def test_every_test_of_a_rig_is_judged_in_every_way(family: str) -> None:
    of = outcomes(family)
    assert [o.way for o in of] == [*WAYS] * 4
    assert [o.why for o in of if not o.judged] == []
    assert all(0.3 < o.true_pct < 0.7 and o.expanded_pct > 0.0 for o in of)
    assert all(math.isclose(o.true_pct, LIMIT_PCT, abs_tol=1e-4) for o in of if o.at_limit)


def test_the_table_has_a_row_for_each_family_and_way() -> None:
    text = found([o for family in FEW for o in outcomes(family)], LIMIT_PCT)
    lines = [line for line in text.splitlines()[2:] if line.startswith("|")]
    rows = [[cell.strip() for cell in line.split("|")[1:3]] for line in lines]
    told = [[family, way] for family in FEW for way in WAYS]
    assert rows == [*told, ["moisture, as weighed", "plain"], ["moisture, as weighed", "zero"]]


def test_where_all_are_inside_it_is_said_of_what_u_is_made() -> None:
    def judged(loss_pct: float, **budget: float) -> Outcome:
        return Outcome("plain", 1, "zero", False, "PASS", 0.4, 0.4, loss_pct, 0.02, 0.01, budget=tuple(budget.items()))

    narrow, odd = judged(0.4, walk=0.6, creep=0.8, noise=0.0), judged(0.5, walk=1.0)
    assert wide([narrow]) == ["plain, zero: creep (64 %)"]
    assert made_of([narrow, odd]) == "walk (68 %)"
    assert wide([narrow, odd]) == [], "one of two is outside"


def test_a_bench_that_was_cut_goes_on_where_it_was(tmp_path: Path) -> None:
    file, of = tmp_path / "pieces", outcomes("plain")
    began = Pieces(file, "0123abc")
    began.add("plain 1 2", told_outcomes(of))
    with file.open("a", encoding="utf-8") as line:
        line.write('{"commit": "0123abc", "task": "plain 2 2", "fou')
    Pieces(file, "0123abc").add("plain 3 2", told_outcomes(of[:1]))
    again = Pieces(file, "0123abc")
    assert {task: read_outcomes(found) for task, found in again.found.items()} == {"plain 1 2": of, "plain 3 2": of[:1]}
    assert again.took_s >= began.took_s
    for other in ("4567def", "0123abc with changes"):
        with pytest.raises(ValueError, match="commit"):
            Pieces(file, other)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_rig_of_each_family_gives_codes_that_a_converter_can_have(family: str) -> None:
    rig = StrangeRig(draw(family, 3))
    rig.place_sample(0.5)
    of = rig.seconds(120)
    assert all(abs(code) < 2**23 for code in of.code)
    assert all(math.isfinite(c) for c in of.cell_c)


def test_what_a_cell_keeps_of_its_creep_is_seen_where_the_creep_can_be() -> None:
    rigs = [draw("creep kept", seed) for seed in range(1, 13)]
    seen = [(p.kept, calibrate(StrangeRig(p)).stability) for p in rigs]
    measured = [(kept, s.creep_kept, s.u_creep_kept) for kept, s in seen if s.u_creep_kept > 0.0]
    assert len(measured) >= 6
    assert all(abs(found - kept) <= 3.0 * u for kept, found, u in measured)
