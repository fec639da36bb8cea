"""The devices together: what a second of them is, and what a look in between must not do to it."""

from __future__ import annotations

import pytest

from edge.instrument.acquisition import Glance
from edge.simulate.instrument import build
from hw.clock import NS_PER_S
from hw.protocols import Status


def taken(looks: int, rate_sps: int, seconds: int, begin_s: float) -> tuple[list[int], list[Glance], int]:
    """Measure some seconds. Returns the probes' statuses, the looks, and how many bridge samples were good."""
    simulated = build("solid", "nau7802", 1, rate_sps=rate_sps, looks=looks)
    seen: list[Glance] = []
    simulated.instrument.open()
    simulated.clock.sleep_s(begin_s)
    t0_ns = simulated.clock.now_ns()
    frames = [simulated.instrument.frame(i, t0_ns + i * NS_PER_S, seen.append) for i in range(seconds)]
    simulated.instrument.close()
    statuses = [int(f.oven.status[0]) for f in frames] + [int(f.cell.status[0]) for f in frames]
    return statuses, seen, sum(int((f.status == Status.OK).sum()) for f in frames[2:])


@pytest.mark.parametrize("rate_sps", [10, 80])
@pytest.mark.parametrize("begin_s", [0.0, 0.013, 0.031, 0.057, 0.083])
def test_looks_a_quarter_of_a_second_apart_leave_every_frame_its_temperatures(rate_sps: int, begin_s: float) -> None:
    statuses, seen, good = taken(4, rate_sps, 40, begin_s)
    assert set(statuses) <= {Status.OK}
    assert len(seen) >= 3 * 40
    assert good >= 0.95 * rate_sps * 38


def test_every_sample_is_shown_once() -> None:
    simulated = build("solid", "nau7802", 1, looks=4)
    simulated.instrument.open()
    shown: list[int] = []
    t0_ns = simulated.clock.now_ns()
    kept = 0
    for i in range(20):
        frames = simulated.instrument.frame(
            i, t0_ns + i * NS_PER_S, lambda glance: shown.extend(s.t_ns for s in glance.samples)
        )
        kept += len(frames.code)
    simulated.instrument.close()
    assert len(shown) == len(set(shown))
    assert kept <= len(shown) <= kept + 1  # the last one may be the next frame's first


def test_a_bad_reading_in_the_middle_of_a_second_is_what_its_frame_keeps() -> None:
    simulated = build("solid", "nau7802", 1, looks=4)
    simulated.instrument.open()
    t0_ns = simulated.clock.now_ns()

    def between(glance: Glance) -> None:
        """Unplug the oven's probe after the first look, and plug it in again after the second."""
        looks.append(glance)
        chip = simulated.chips.oven
        if len(looks) == 1:
            chip.unplug()
        elif len(looks) == 2:
            chip.plug()

    looks: list[Glance] = []
    frame = simulated.instrument.frame(0, t0_ns, between)
    simulated.instrument.close()
    assert len(looks) >= 3
    assert frame.oven.status[0] not in (Status.OK, Status.SETTLING)
    assert frame.cell.status[0] == Status.OK
