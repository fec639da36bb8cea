"""What a loss is made of: its weighings, and what is known to correct them for.

Frozen records without behaviour, handed from one step of the judgement to the next. This module must never compute.
"""

from __future__ import annotations

from dataclasses import dataclass

from calibration.balance_certificate import BalanceCertificate
from calibration.certificate import Certificate
from edge.procedure.definition import NOTHING_STATED, BalanceStated
from edge.records.weighing import Weighing

from .blank import Blank
from .buoyancy import AirAround
from .earlier_load import Remembered
from .room_pressure import PressureChange
from .seen_drift import SeenDrift
from .zero_drift import NO_STEPS, ZeroSteps


@dataclass(frozen=True, slots=True)
class Weighed:
    """The weighings of w = (before − after) / reference · 100 %, in g, and the zeros around them, in codes.

    ``certificate`` gives what the load cell may do (None: masses were recorded, and ``balance`` says what is known of
    what indicated them). ``zero`` is the second zero, with which the drift is inferred where ``tare`` is known, and
    ``zero_steps`` what resets did to it; ``loaded_at_known``: the load was put on in the run, so that it is known how
    long it had crept at M1. ``laboratory`` is the certificate of the laboratory's balance, where that weighed both
    masses. The sample was taken off the rig and ``put_back`` so many times between the two.
    """

    before: Weighing
    after: Weighing
    reference: Weighing
    certificate: Certificate | None = None
    tare: Weighing | None = None
    zero: Weighing | None = None
    balance: BalanceStated = NOTHING_STATED
    loaded_at_known: bool = True
    zero_steps: ZeroSteps = NO_STEPS
    laboratory: BalanceCertificate | None = None
    put_back: int = 0


@dataclass(frozen=True, slots=True)
class Corrections:
    """What a loss is corrected for.

    ``air`` is the air around M1 and M2 (None: assumed), ``density_g_cm3`` bounds the sample's density (None: nothing is
    declared), ``blank`` is subtracted, ``span_change`` is by how much (relative) a check weight has shown the span to
    have changed at a time that nobody knows, ``jumps`` what the indication jumped by between the masses in all, in g,
    with its u (None: there were none). ``pressure_change`` is how far the room's pressure changed from M1 to M2
    (None: not known), ``resets`` what resets of the converter did to the indication in all, in g, with its u, and
    ``unseen_resets`` of how many of them that is assumed; ``seen_drift`` what M1 and M2 show alike (None: nothing, or a
    second zero says more), ``hold_rose_g`` what a recording's balance rose by within the hold;
    ``earlier`` are the loads that hung on the cell before.
    """

    air: AirAround | None = None
    density_g_cm3: tuple[float, float] | None = None
    blank: Blank | None = None
    span_change: float = 0.0
    jumps: tuple[float, float] | None = None
    pressure_change: PressureChange | None = None
    resets: tuple[float, float] | None = None
    unseen_resets: int = 0
    seen_drift: SeenDrift | None = None
    hold_rose_g: float = 0.0
    earlier: tuple[Remembered, ...] = ()
