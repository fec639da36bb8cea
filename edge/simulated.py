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
from typing import TYPE_CHECKING

import numpy as np

from calibration import certificate as cal
from edge.errors import BadInput
from edge.instrument.acquisition import Instrument
from edge.instrument.config import ProbeConfig
from edge.records.phase import Phase
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


PROBE = ProbeConfig(wires=4, ref_ohm=REF_OHM, mains_hz=50)
"""How both simulated thermometers are set."""


def build(scenario: str, bridge: str, seed: int, rate_sps: int = 10, looks: int = 1) -> Simulated:
    """Build a simulated instrument, ``looks`` of alarms a second. The same arguments give the same codes.

    Raises ``BadInput`` for a scenario or a bridge that does not exist.
    """
    clock = SimClock()
    rig = rig_of(scenario, seed)
    chips = chips_on(rig, bridge, clock, seed, rate_sps)

    def probe(chip: Max31865Model) -> Max31865Rtd:
        port = partial(SimSpiPort, chip, clock)
        return Max31865Rtd(port, clock, wires=PROBE.wires, ref_ohm=PROBE.ref_ohm, mains_hz=PROBE.mains_hz)

    driver = _driver(chips.bridge, clock, rate_sps)
    instrument = Instrument(driver, probe(chips.oven), probe(chips.cell), clock, looks=looks)
    return Simulated(clock, rig, chips, instrument, calibrated(rig.truth, bridge, seed, rate_sps))


def rig_of(scenario: str, seed: int) -> Rig:
    """Get the rig that ``seed`` draws. Raises ``BadInput`` for a scenario that does not exist."""
    if scenario not in SCENARIOS:
        raise BadInput(f"--scenario {scenario}: unknown: use {', '.join(SCENARIOS)}")
    return Rig(drawn(RigTruth(scenario=SCENARIOS[scenario]), seed), seed)


def chips_on(rig: Rig, bridge: str, clock: Clock, seed: int, rate_sps: int = 10) -> Chips:
    """Connect chip models to a rig. Raises ``BadInput`` for a bridge that does not exist."""
    if bridge not in BRIDGES:
        raise BadInput(f"--bridge {bridge}: unknown: use {', '.join(BRIDGES)}")
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


def _driver(chip: Nau7802Model | Hx711Model, clock: SimClock, rate_sps: int) -> Bridge:
    from hw.sim.nau7802 import Nau7802Model

    if isinstance(chip, Nau7802Model):
        from hw.nau7802 import ADDRESS, Nau7802
        from hw.sim.i2c import I2cBus, SimSMBus

        bus = I2cBus(clock)
        bus.attach(ADDRESS, chip)
        return Nau7802(lambda: SimSMBus(bus), clock, gain=GAIN, rate_sps=rate_sps)
    from hw.hx711 import Hx711
    from hw.sim.pins import SimPinFactory

    pins = SimPinFactory(clock)
    pins.wire(sck=SCK_PIN, dout=DOUT_PIN, chip=chip)
    return Hx711(
        sck_pin=f"GPIO{SCK_PIN}",
        dout_pin=f"GPIO{DOUT_PIN}",
        clock=clock,
        gain=GAIN,
        rate_sps=rate_sps,
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
        made_at=datetime.date(2025, 12, 1),
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


WORDS = {
    Phase.TARE: ("tare", 120.0, 120.0),
    Phase.LOAD: ("load", 60.0, 120.0),
    Phase.ZERO: ("zero", 60.0, math.inf),
    Phase.CHECK: ("check", 60.0, math.inf),
}
"""What is said in a phase, so many s after it began, and again after so many s."""


class SimulatedOperator:
    """Someone who does what the phase asks: tares, places the sample, and turns pump, oven and vent.

    It notes the sample's true mass when M1 and M2 are taken.
    """

    PLACE_AFTER_S = 60.0
    VENT_BELOW_C = 45.0

    def __init__(self, rig: Rig, check_weight_g: float = 0.0) -> None:
        self._rig = rig
        self._check_weight_g = check_weight_g
        self._phase: Phase | None = None
        self._since_s = 0.0
        self._asked_s = -math.inf
        self._true_g: dict[Phase, float] = {}

    def words(self, phase: Phase, t_s: float) -> list[str]:
        """Get what the operator says now."""
        if phase is not self._phase:
            self._leave(self._phase)
            self._phase, self._since_s, self._asked_s = phase, t_s, -math.inf
            self._rig.pump(phase in (Phase.PUMP, Phase.RAMP, Phase.HOLD, Phase.COOL))
            self._rig.heat(phase in (Phase.RAMP, Phase.HOLD))
        waited_s = t_s - self._since_s
        if phase is Phase.COOL and self._rig.oven_c < self.VENT_BELOW_C:
            self._rig.pump(False)
        if phase is Phase.LOAD and waited_s >= self.PLACE_AFTER_S / 2.0:
            self.place()
        if phase in (Phase.ZERO, Phase.CHECK) and waited_s >= self.PLACE_AFTER_S / 2.0:
            self._rig.place_sample(on=False)
            self._rig.place_weight(self._check_weight_g if phase is Phase.CHECK else 0.0)
        word, due_s, again_s = WORDS.get(phase, ("", math.inf, math.inf))
        if waited_s >= due_s and t_s - self._asked_s >= again_s:
            self._asked_s = t_s
            return [word]
        return []

    def place(self) -> None:
        """Put the sample on the holder."""
        self._rig.place_sample()

    def _leave(self, phase: Phase | None) -> None:
        if phase in (Phase.M1, Phase.M2):
            self._true_g[phase] = self._rig.sample_mass_g

    @property
    def true_loss_pct(self) -> float | None:
        """Get the sample's true loss between M1 and M2 in % of its true mass at M1."""
        before, after = self._true_g.get(Phase.M1), self._true_g.get(Phase.M2)
        if before is None or after is None:
            return None
        return (before - after) / before * 100.0
