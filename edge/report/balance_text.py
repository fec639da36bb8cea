"""The laboratory's balance in a result, as lines of text: its masses, who typed them, and what the rig says beside it.

It shows the result's record and computes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import UNSET

from edge.records.balance import BalanceMass
from edge.records.result import Result


def balance_lines(r: Result) -> Iterator[str]:
    """Get the lines on the balance; none where it has said nothing."""
    b = r.balance
    if b is UNSET:
        return
    yield (
        f"Balance {b.name} ({b.model}, serial {b.serial}, calibrated {b.calibrated_on}, certificate "
        f"SHA-256 {b.certificate_sha256[:16]}…):"
    )
    for mass in b.masses:
        yield f"  {_mass(mass)}"
    if b.to_pump_s is not None:
        yield f"  in air for {b.to_pump_s / 60.0:.0f} min from M1 on the balance until the pump began"
    if b.in_air_s is not None:
        yield f"  off the rig, in air, for {b.in_air_s / 60.0:.0f} min before M2 was weighed"
    c = b.compared
    if c is not None:
        agree = "they agree" if c.agree else "they contradict each other"
        yield (
            f"  the rig's own curve says {c.loss_pct:.3g} ± {c.U_pct:.2g} %: difference {c.difference_pct:+.2g} %, "
            f"E_n = {c.e_n:.2f}: {agree} (ISO/IEC 17025, 7.7.1)"
        )
    elif b.rig_says is not None:
        yield f"  nothing to compare it with: {b.rig_says}"


def _mass(mass: BalanceMass) -> str:
    how = f"typed by {mass.who}" if mass.how == "typed" else f"read over its line, asked by {mass.who}"
    u = "" if mass.u_g is None else f", u = {mass.u_g:.2g} g"
    late_s = mass.said_s + (mass.after_end_s or 0.0) - mass.weighed_s
    late = f", told {late_s / 60.0:.0f} min later" if late_s > 60.0 else ""
    late += "" if mass.after_end_s is None else ", after the run's end"
    photo = "" if mass.photograph_sha256 is None else f", photograph SHA-256 {mass.photograph_sha256[:16]}…"
    again = "" if mass.counts else " (said again later: it does not count)"
    at = f"{mass.weighed_s / 3600.0:.4f} h"
    return f"{mass.which.upper()}: {mass.mass_g:.10g} g{u}, at {at}, {how}{late}{photo}{again}"
