"""A storm in small: no second is missed, nothing is a traceback, and who looks is answered. Nothing is timed."""

from __future__ import annotations

import pytest
from storm import STORMS, measured


@pytest.mark.parametrize("storm", ["starts", "idle", "stall"])
def test_a_station_measures_through_a_storm(storm: str) -> None:
    assert storm in STORMS
    found = measured(storm, 5.0)
    assert found.seconds >= 5
    assert found.missed == 0
    assert found.tracebacks == 0
    assert found.status_answered == found.status_asked > 0
    assert found.longest_commit_s >= 2.0 or storm != "stall"
