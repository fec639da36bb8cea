"""docs/faults.md is what the run gives, and what the run gives is what was promised."""

from __future__ import annotations

from functools import cache

import pytest
from fault_scripts import DOC, FAULTS, NAMES, Fault, Outcome, act_out, rendered

ALL = [(make, fault) for make, faults in FAULTS.items() for fault in faults]


@cache
def outcome_of(make: type, fault: Fault) -> Outcome:
    return act_out(make, fault)


@pytest.mark.parametrize(("make", "fault"), ALL, ids=[f"{NAMES[m]}, {f.name}" for m, f in ALL])
def test_a_fault_gives_a_status_no_false_number_and_heals_by_itself(make: type, fault: Fault) -> None:
    outcome = outcome_of(make, fault)
    assert outcome.false == 0 or fault.hidden == "wrong reference"
    assert outcome.heals_s is not None
    assert outcome.heals_s <= 1.5


def test_every_driver_is_acted_out() -> None:
    assert set(FAULTS) == set(NAMES)
    assert all(len({f.name for f in faults}) == len(faults) for faults in FAULTS.values())


def test_the_document_is_what_the_run_gives() -> None:
    assert DOC.read_text(encoding="utf-8") == rendered([(NAMES[m], f, outcome_of(m, f)) for m, f in ALL]), (
        "run: python tests/helpers/fault_scripts.py --write"
    )


def test_the_run_is_the_same_every_time() -> None:
    for make, faults in FAULTS.items():
        assert act_out(make, faults[0]) == act_out(make, faults[0])
