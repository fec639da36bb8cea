"""A mass of the laboratory's balance, from what somebody asks to the event that is stored.

This module must never take a mass of another balance, or one that it cannot weigh, and never guess when it was weighed.
"""

from __future__ import annotations

from calibration.balance_certificate import BalanceCertificate
from edge.control.protocol import Weigh
from edge.errors import BadInput, NoRun, WrongPhase
from edge.procedure.transitions import BEFORE_HOLD
from edge.records.balance import BalanceSaid
from edge.records.phase import Phase
from edge.records.specimen import same_name
from edge.records.weighing import WeighingKind
from edge.run.live_run import LiveRun
from hw.balance import BalanceReading

EARLY = (Phase.TARE, Phase.LOAD, *BEFORE_HOLD)
"""M1 that is said in these phases is weighed now; later it was weighed before, and somebody must say when."""


def balance_said(
    order: Weigh, live: LiveRun | None, reading: BalanceReading | None, who: str, t_s: float
) -> BalanceSaid:
    """Get what the balance said, typed or as ``reading``, in a run at ``t_s`` of it; ``who`` is who asks.

    Raises ``NoRun``, ``WrongPhase`` for an M1 of which nobody says when it was weighed, and as
    :func:`said_by_balance`.
    """
    which = WeighingKind(order.which)
    if live is None:
        raise NoRun(f"weigh {which}: no run is being measured: begin one, or name the run that has ended")
    said = said_by_balance(order, live.definition.laboratory_balance, reading, who, t_s)
    if which is WeighingKind.M1 and order.weighed_ago_s is None and live.phase not in EARLY:
        raise WrongPhase(
            f"weigh {which}: in phase {live.phase} it is no longer before the hold: say when it was weighed"
        )
    return said


def said_by_balance(
    order: Weigh,
    certificate: BalanceCertificate | None,
    reading: BalanceReading | None,
    who: str,
    t_s: float,
    after_end_s: float | None = None,
) -> BalanceSaid:
    """Get what the balance said at ``t_s`` of a run, ``after_end_s`` after its end (None: in it).

    Raises ``BadInput`` where the run has no balance, for another balance or more than it can weigh.
    """
    which = WeighingKind(order.which)
    if certificate is None:
        raise BadInput(
            f"weigh {which}: this run has no balance: name its certificate at the start, or in the settings, [balance]"
        )
    if order.balance is not None and not same_name(order.balance, certificate.name):
        raise BadInput(f"weigh {which}: this run goes by balance {certificate.name}, not {order.balance}: look again")
    mass_g = reading.mass_g if reading is not None else order.mass_g
    assert mass_g is not None  # the caller has read it
    if not 0.0 < mass_g <= certificate.capacity_g:
        most = f"balance {certificate.name} weighs up to {certificate.capacity_g:g} g"
        raise BadInput(f"weigh {which}: {mass_g:g} g: give grams above 0; {most}")
    return BalanceSaid(
        which=which,
        mass_g=mass_g,
        balance=certificate.name,
        how="typed" if reading is None else "read",
        who=order.who or who,
        weighed_s=t_s - (order.weighed_ago_s or 0.0),
        digit_g=None if reading is None else reading.digit_g,
        raw_hex=None if reading is None else reading.raw.hex(),
        photograph_sha256=order.photograph_sha256,
        after_end_s=after_end_s,
    )
