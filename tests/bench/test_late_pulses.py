"""Late pulses in small: with the interpreter busy, in this process and in one of its own, what is good is true."""

from __future__ import annotations

import pytest
from late_pulses import false_numbers, read, ways

from hw.protocols import Status


@pytest.mark.parametrize("where", ways())
def test_a_read_is_on_time_or_no_number(where: str) -> None:
    bridge, threads = ways()[where]
    samples = read(bridge, threads, reads=40)
    assert len(samples) == 40
    assert false_numbers(samples) == []
    assert {s.status for s in samples} <= {Status.OK, Status.LATE, Status.SETTLING, Status.NOT_READY}
    assert any(s.status is Status.OK for s in samples)
