"""Whether the empty holder and the sample can be what the operator says, asked before the night and not after it.

All is in g on the certificate's scale. This module must never refuse for a loss: only for what is no weighing.
"""

from __future__ import annotations

import math

from .plan import Plan

LOAD_ROWS = 10
"""So many good seconds after the word load are looked at: the newer half of them."""
A_THOUSAND = 500.0  # of grams and kilograms, the one for the other: a factor beyond this
NEAR = 0.05
"""How near to its declared mass a sample must be, of it: a kitchen scale will do."""
NEAR_OF_CAPACITY = 0.005


def why_not_tare(on_cell_g: float, plan: Plan) -> str:
    """Say why a cell that carries ``on_cell_g`` beyond its electrical zero has no empty holder on it ('' where it may).

    Where the certificate knows the empty holder (``plan.tare_g``) it must be near it; else at most so far from zero
    that what the sample needs of the scale is free. And it must be as near to the rig's last tare as it stays by
    itself.
    """
    return _why_not_calibrated(on_cell_g, plan) or _why_not_as_last(on_cell_g, plan)


def _why_not_as_last(on_cell_g: float, plan: Plan) -> str:
    off_g = on_cell_g - plan.last_tare_g
    if plan.last_tare_run == 0 or abs(off_g) <= plan.last_tare_within_g:
        return ""
    return (
        f"the cell carries {off_g:+.4g} g against the tare of run {plan.last_tare_run}, and by itself it moves by at "
        f"most {plan.last_tare_within_g:.2g} g: take off what lies there, or put the holder back; where holder, mount "
        "or cabling are new, abort, and say at the start that the holder is new"
    )


def _why_not_calibrated(on_cell_g: float, plan: Plan) -> str:
    if math.isfinite(plan.tare_g):
        off_g = on_cell_g - plan.tare_g
        if abs(off_g) <= plan.tare_within_g:
            return ""
        return (
            f"the cell carries {off_g:+.4g} g against the empty holder of the certificate: take the sample off, or for "
            "another holder, cell or wiring calibrate again"
        )
    if abs(on_cell_g) <= plan.tare_within_g:
        return ""
    return (
        f"the empty holder shows {on_cell_g:.4g} g of the cell's {plan.capacity_g:g} g: take the sample off; for so "
        "heavy a holder give its code as tare_counts in the certificate"
    )


def why_not_the_sample(mass_g: float, plan: Plan) -> str:
    """Say why what shows ``mass_g`` is not the sample that was to be put on ('' where it may be)."""
    if not math.isfinite(mass_g):
        return "the load cell gives no good reading: run halfpercent doctor"
    if abs(mass_g) < plan.least_g:
        return (
            f"the indication moved by {mass_g:.3g} g, and a sample has at least {plan.least_g:.3g} g: put it on; if it "
            "lay there at the tare, abort and begin again; if it is on, the bridge is dead: run halfpercent doctor"
        )
    if mass_g < 0.0:
        return (
            f"the indication fell by {-mass_g:.4g} g: the signal wires (A+, A-) are swapped, or the sample lay there "
            "at the tare: abort, mend it and begin again; if something was taken off, put the sample on"
        )
    if mass_g > plan.capacity_g:
        return (
            f"{mass_g:.4g} g is beyond the cell's {plan.capacity_g:g} g: another cell's certificate, or too heavy a "
            "sample: take it off"
        )
    return _why_not_declared(mass_g, plan)


def _why_not_declared(mass_g: float, plan: Plan) -> str:
    declared_g = plan.declared_g
    if declared_g <= 0.0 or abs(mass_g - declared_g) <= NEAR * declared_g + NEAR_OF_CAPACITY * plan.capacity_g:
        return ""
    if not 1.0 / A_THOUSAND < mass_g / declared_g < A_THOUSAND:
        return f"{mass_g:.4g} g lie on the holder, {declared_g:g} g were declared: kilograms for grams: begin again"
    return (
        f"{mass_g:.4g} g lie on the holder, {declared_g:g} g were declared: another sample, or another cell's "
        "certificate: put the right sample on, or abort and name the right certificate"
    )
