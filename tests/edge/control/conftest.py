"""What the control socket's tests share: a station that is polled by hand, on a socket of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from control_station import Station


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    station = Station(tmp_path / "control.sock")
    station.control.open()
    yield station
    station.control.close()
