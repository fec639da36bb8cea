"""The station in real time, in small: a process of its own stores good samples and ends by itself."""

from __future__ import annotations

from pathlib import Path

from real_time import station


def test_a_station_on_the_machine_s_own_clock_stores_what_its_chips_give(tmp_path: Path) -> None:
    cost = station(tmp_path, seconds=1.0, warm_s=0.5)
    assert cost.start_to_first_stored_s > 0.0
    # the last second may be cut short and a busy machine may miss conversions, but it never makes any up
    assert 30.0 < cost.samples_per_s <= 88.0
    assert cost.ok_pct > 90.0
    assert cost.resident_mb > 0.0
