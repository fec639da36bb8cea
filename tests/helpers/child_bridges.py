"""Bridges that a child process can build: simulated chips on the machine's own clock."""

from __future__ import annotations

from hw.clock import BootClock
from hw.errors import ChipNotFound
from hw.hx711 import Hx711
from hw.protocols import CODE_MAX
from hw.sim.hx711 import Hx711Model
from hw.sim.pins import SimPinFactory

RATIO = 1.0e-4
CODE = round(RATIO * 128 * 2 * (CODE_MAX + 1))


def ratio(_t_ns: int) -> float:
    return RATIO


def hx711(noise_v: float = 50e-9) -> Hx711:
    clock = BootClock()
    pins = SimPinFactory(clock)
    # A late pulse may power the chip down, and its offset then steps: what that does is asked elsewhere.
    chip = Hx711Model(clock, ratio, seed=1, rate_sps=80, noise_v=noise_v, power_up_step=0.0)
    pins.wire(sck=6, dout=5, chip=chip)
    return Hx711(sck_pin=6, dout_pin=5, clock=clock, rate_sps=80, pin_factory=pins)


class Absent(Hx711):
    def open(self) -> None:
        raise ChipNotFound("HX711: nothing there; check the wires")


def absent() -> Hx711:
    clock = BootClock()
    return Absent(sck_pin=6, dout_pin=5, clock=clock, rate_sps=80, pin_factory=SimPinFactory(clock))
