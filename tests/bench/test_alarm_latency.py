"""Alarms in small: each kind of fault once, in the hold, is its alarm within a second, and the relay opens."""

from __future__ import annotations

import random

import pytest
from alarm_latency import Latencies, act_out, found


@pytest.fixture(scope="module")
def latencies(tmp_path_factory: pytest.TempPathFactory) -> Latencies:
    return act_out(tmp_path_factory.mktemp("alarms"), list, random.Random(1))


def test_every_fault_is_its_alarm_within_a_second(latencies: Latencies) -> None:
    assert latencies.missed == []
    assert len(latencies.to_event_s) == 12
    assert all(0.0 < t_s <= 1.0 for times_s in latencies.to_event_s.values() for t_s in times_s)


def test_the_relay_opens_with_the_alarms_of_the_interlock(latencies: Latencies) -> None:
    assert {"bridge unplugged", "oven probe unplugged", "oven at 140 °C"} <= set(latencies.to_relay_s)
    assert "wall clock set back by an hour" not in latencies.to_relay_s
    assert all(0.0 <= t_s <= 1.0 for times_s in latencies.to_relay_s.values() for t_s in times_s)


def test_what_is_said_of_them_has_a_row_a_fault(latencies: Latencies) -> None:
    said = found(latencies)
    assert "Of 12 faults 0 were no alarm; 100.0 % were within a second" in said
    assert all(f"| {name} " in said for name in latencies.to_event_s)
