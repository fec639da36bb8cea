"""A simulated instrument: the real drivers on chip models on a rig, with a certificate of its own.

Only the bus, the pins, the SPI port and the clock are swapped. The certificate is what a calibration of this
rig could have found: near the truth, off by errors drawn from the uncertainties that it states. The truth
goes to the chips and to the check afterwards, never to what measures.
"""

from __future__ import annotations

import datetime
import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol

import numpy as np

from calibration import certificate as cal
from edge.errors import BadValue
from edge.instrument.acquisition import Instrument
from edge.instrument.config import BridgeConfig, ProbeConfig
from edge.instrument.plausible import CELL_C, OVEN_C, plausible_ohm
from hw.clock import Clock, SimClock
from hw.max31865 import Max31865Rtd
from hw.protocols import Bridge
from hw.sim.max31865 import Max31865Model
from hw.sim.rig import SCENARIOS, Rig, RigTruth, drawn
from hw.sim.spi import SimSpiPort

if TYPE_CHECKING:
    from hw.sim.hx711 import Hx711Model
    from hw.sim.nau7802 import Nau7802Model


BRIDGES = ("nau7802", "hx711")


REF_OHM = 430.0


GAIN = 128


NOISE_V = {"nau7802": 30e-9, "hx711": 50e-9}  # input noise at 10 SPS


EXCITATION_V = {"nau7802": 3.0, "hx711": 5.0}


SCK_PIN, DOUT_PIN = 6, 5


class Signals(Protocol):
    """What chips are connected to: a rig, or a rig to which something happens."""

    def bridge_ratio(self, t_ns: int) -> float:
        """Get the bridge's output in V/V of its excitation at ``t_ns``."""

    def oven_ohm(self, t_ns: int) -> float:
        """Get the resistance of the oven's thermometer in Ω at ``t_ns``."""

    def cell_ohm(self, t_ns: int) -> float:
        """Get the resistance of the load cell's thermometer in Ω at ``t_ns``."""


@dataclass(frozen=True, slots=True)
class Chips:
    """The chip models on one rig: what a plug is pulled from."""

    bridge: Nau7802Model | Hx711Model
    oven: Max31865Model
    cell: Max31865Model


@dataclass(frozen=True, slots=True)
class Simulated:
    """A rig with its chips, the instrument on it, its clock, and the certificate that a calibration of it gave."""

    clock: SimClock
    rig: Rig
    chips: Chips
    instrument: Instrument
    certificate: cal.Certificate


BEGINS_WALL_S = 1_793_577_600.0
"""2026-11-02T00:00:00 UTC: the wall clock of a simulated rig, after the date of the standard's publication."""
CALIBRATED_ON = datetime.date(2026, 10, 1)

PROBE = ProbeConfig(wires=4, ref_ohm=REF_OHM, mains_hz=50)
"""How both simulated thermometers are set."""


def build(
    scenario: str, bridge: str, seed: int, rate_sps: int = 10, looks: int = 1, *, any_ohm: bool = False
) -> Simulated:
    """Build a simulated instrument, ``looks`` of alarms a second. The same arguments give the same codes.

    ``any_ohm``: its thermometers take any resistance for one, as a calibration's do.

    Raises ``BadValue`` for a scenario or a bridge that does not exist.
    """
    clock = SimClock(BEGINS_WALL_S)
    rig = rig_of(scenario, seed)
    chips = chips_on(rig, bridge, clock, seed, rate_sps)
    wiring = Wiring(bridge_config(bridge, rate_sps), PROBE, PROBE, any_ohm)
    instrument = instrument_on(chips, wiring, clock, clock, looks)
    return Simulated(clock, rig, chips, instrument, calibrated(rig.truth, bridge, seed, rate_sps))


@dataclass(frozen=True, slots=True)
class Wiring:
    """How the drivers are set: what of an instrument's settings is about the simulated chips.

    ``any_ohm``: no resistance of a thermometer is a fault.
    """

    bridge: BridgeConfig
    oven: ProbeConfig
    cell: ProbeConfig
    any_ohm: bool = False


def bridge_config(bridge: str, rate_sps: int, gain: int = GAIN) -> BridgeConfig:
    """Get a bridge's settings. Raises ``BadValue`` for one that is not simulated."""
    if bridge == "nau7802":
        return BridgeConfig(chip="nau7802", gain=gain, rate_sps=rate_sps)  # type: ignore[arg-type]  # the driver checks
    if bridge == "hx711":
        sck, dout = f"GPIO{SCK_PIN}", f"GPIO{DOUT_PIN}"
        return BridgeConfig(chip="hx711", gain=gain, rate_sps=rate_sps, sck_pin=sck, dout_pin=dout)  # type: ignore[arg-type]
    raise BadValue("bridge", bridge, f"unknown: use {', '.join(BRIDGES)}")


def instrument_on(chips: Chips, wiring: Wiring, wires: SimClock, clock: Clock, looks: int) -> Instrument:
    """Get the real drivers on chip models: ``wires`` is the buses' and chips' time, ``clock`` the machine's."""

    def probe(chip: Max31865Model, set_as: ProbeConfig, usual_c: tuple[float, float]) -> Max31865Rtd:
        return Max31865Rtd(
            partial(SimSpiPort, chip, wires),
            clock,
            wires=set_as.wires,
            ref_ohm=set_as.ref_ohm,
            mains_hz=set_as.mains_hz,
            nominal_ohm=set_as.nominal_ohm,
            plausible_ohm=None if wiring.any_ohm else plausible_ohm(set_as.nominal_ohm, set_as.plausible_c or usual_c),
        )

    bridge = bridge_driver(chips.bridge, wiring.bridge, wires, clock)
    oven, cell = probe(chips.oven, wiring.oven, OVEN_C), probe(chips.cell, wiring.cell, CELL_C)
    return Instrument(bridge, oven, cell, clock, looks=looks)


def rig_of(scenario: str, seed: int) -> Rig:
    """Get the rig that ``seed`` draws. Raises ``BadValue`` for a scenario that does not exist."""
    if scenario not in SCENARIOS:
        raise BadValue("scenario", scenario, f"unknown: use {', '.join(SCENARIOS)}")
    return Rig(drawn(RigTruth(scenario=SCENARIOS[scenario]), seed), seed)


def chips_on(rig: Signals, bridge: str, clock: Clock, seed: int, rate_sps: int = 10) -> Chips:
    """Connect chip models to a rig. Raises ``BadValue`` for a bridge that does not exist."""
    if bridge not in BRIDGES:
        raise BadValue("bridge", bridge, f"unknown: use {', '.join(BRIDGES)}")
    chip: Nau7802Model | Hx711Model
    if bridge == "nau7802":
        from hw.sim.nau7802 import Nau7802Model

        chip = Nau7802Model(clock, rig.bridge_ratio, seed=seed, noise_v=NOISE_V[bridge])
    else:
        from hw.sim.hx711 import Hx711Model

        chip = Hx711Model(clock, rig.bridge_ratio, seed=seed, rate_sps=rate_sps, rate_error=0.16)
    oven = Max31865Model(clock, rig.oven_ohm, ref_ohm=REF_OHM, seed=seed + 1)
    cell = Max31865Model(clock, rig.cell_ohm, ref_ohm=REF_OHM, seed=seed + 2)
    return Chips(chip, oven, cell)


def bridge_driver(chip: Nau7802Model | Hx711Model, set_as: BridgeConfig, wires: SimClock, clock: Clock) -> Bridge:
    """Get the chip's own driver, on wires of its own. Raises ``BadSetting`` for what the chip does not have."""
    from hw.sim.nau7802 import Nau7802Model

    if isinstance(chip, Nau7802Model):
        from hw.nau7802 import Nau7802
        from hw.sim.i2c import I2cBus, SimSMBus

        bus = I2cBus(wires)
        bus.attach(set_as.address, chip)
        return Nau7802(
            lambda: SimSMBus(bus),
            clock,
            address=set_as.address,
            gain=set_as.gain,
            rate_sps=set_as.rate_sps,
            ldo_v=set_as.ldo_v,
        )
    from hw.hx711 import Hx711
    from hw.sim.pins import SimPinFactory

    sck_pin, dout_pin = set_as.sck_pin or f"GPIO{SCK_PIN}", set_as.dout_pin or f"GPIO{DOUT_PIN}"
    pins = SimPinFactory(wires)
    pins.wire(sck=int(sck_pin.removeprefix("GPIO")), dout=int(dout_pin.removeprefix("GPIO")), chip=chip)
    return Hx711(
        sck_pin=sck_pin,
        dout_pin=dout_pin,
        clock=clock,
        gain=set_as.gain,
        rate_sps=set_as.rate_sps,
        pin_factory=pins,
    )


def calibrated(truth: RigTruth, bridge: str, seed: int, rate_sps: int = 10) -> cal.Certificate:
    """Get a certificate for a rig: each value off by an error drawn from the uncertainty that it states."""
    rng = np.random.default_rng((seed, 13))
    cell = truth.cell
    codes_per_ratio = GAIN * 2.0 * 2.0**23
    per_g = cell.ratio_at_capacity / cell.capacity_g * codes_per_ratio

    def found(value: float, u: float) -> float:
        return float(value + u * rng.standard_normal())

    u_span = 2e-4 * per_g
    zero_per_k = cell.zero_ratio_per_k * codes_per_ratio
    u_zero = 0.05 * abs(zero_per_k) + 0.2
    u_bend = 5e-9
    u_span_per_k = 2e-6
    hours = 8.0
    noise_codes = NOISE_V[bridge] / EXCITATION_V[bridge] * codes_per_ratio * math.sqrt(rate_sps / 10.0)
    return cal.Certificate(
        format=1,
        name=f"simulated-{bridge}-{seed}",
        made_by="halfpercent, simulated calibration",
        made_at=CALIBRATED_ON,
        cell=cal.Cell(capacity_g=cell.capacity_g, serial=f"simulated {seed}"),
        bridge=cal.BridgeChip(chip=bridge, gain=GAIN),
        span=cal.Span(counts_per_g=found(per_g, u_span), u_counts_per_g=u_span),
        linearity=cal.Linearity(linearity_per_g=found(cell.linearity_per_g, u_bend), u_linearity_per_g=u_bend),
        temperature=cal.Temperature(
            t_ref_c=cell.t_ref_c,
            zero_counts_per_k=found(zero_per_k, u_zero),
            u_zero_counts_per_k=u_zero,
            span_per_k=found(cell.span_per_k, u_span_per_k),
            u_span_per_k=u_span_per_k,
            cell_source="probe",
            u_cell_temp_c=0.05,
        ),
        stability=cal.Stability(
            # half-widths that hold the walk's 2.5 sigma, and the tail of the creep after the dwell
            creep_pct_fs=100.0 * truth.scenario.creep,
            zero_drift_g=2.5 * truth.scenario.zero_walk_g * math.sqrt(hours),
            noise_counts=noise_codes,
        ),
        rtd=cal.Rtd(ref_ohm=REF_OHM, r0_ohm=100.0, lead_ohm=0.0, wires=4, tolerance_class="A", u_temp_c=0.3),
    )
