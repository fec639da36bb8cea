"""What the doctor says of a barometer: its pressure, or what is wrong with it and what to do."""

from __future__ import annotations

import pytest

from edge.doctor.chips import barometer_finding
from edge.instrument.config import BarometerConfig
from hw.barometer import ADDRESSES, Bosch280
from hw.clock import SimClock
from hw.sim.barometer import Bosch280Model
from hw.sim.i2c import I2cBus, SimSMBus


@pytest.mark.parametrize(
    ("pa", "happens", "state", "says"),
    [
        (98_230.0, "", "ok", "982."),
        (98_230.0, "unplug", "fail", "no answer"),
        (20_000.0, "", "fail", "a pressure that no place has"),
        (98_230.0, "dead", "fail", "fault"),
        (98_230.0, "stop", "fail", "does not come up"),
    ],
)
def test_each_state_of_it_is_told(
    monkeypatch: pytest.MonkeyPatch, pa: float, happens: str, state: str, says: str
) -> None:
    clock = SimClock(1.8e9)
    chip = Bosch280Model(clock, lambda _t: pa)
    bus = I2cBus(clock)
    bus.attach(ADDRESSES[0], chip)
    driver = Bosch280(lambda: SimSMBus(bus), clock, chip="bmp280")
    monkeypatch.setattr("edge.instrument.drivers.make_barometer", lambda *_given: driver)
    if happens == "dead":
        chip.dead = True
    elif happens:
        getattr(chip, happens)()
    found = barometer_finding(BarometerConfig(chip="bmp280"), clock)
    assert (found.check, found.state) == ("barometer", state), found
    assert says in found.found
    assert found.do
