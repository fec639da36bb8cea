"""The doctor's look at the laboratory's balance: its port, its answer, and its certificate.

This module must never call a balance well that did not answer, and never store what it says.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from calibration.balance_certificate import load_balance, u_in_use_g
from calibration.errors import CalibrationError
from edge.errors import HalfpercentError
from edge.instrument.balance import read_configured
from edge.instrument.config import BalanceConfig
from hw.balance import Wire, tell_nobody
from hw.errors import HwError

from .finding import Finding

NAME = "balance"
SOON_DAYS = 30
PATIENCE_S = 5.0


def balance(config: BalanceConfig, wire: Wire = tell_nobody) -> Iterator[Finding]:
    """Look for the balance that the settings name, and at its certificate; nothing where they name neither."""
    if config.certificate is not None:
        yield _certificate(config.certificate)
    if config.port is None:
        if config.certificate is not None:
            yield Finding(NAME, "ok", "no port is set: masses are typed")
        return
    try:
        found = read_configured(config, wire, PATIENCE_S)
    except (HwError, HalfpercentError) as e:
        yield Finding(NAME, "fail", f"{config.port}: {e}", "halfpercent balance read shows the wire (docs/balance.md)")
    else:
        yield Finding(NAME, "ok", f"{config.port}, {config.protocol}: {found.mass_g:.10g} g, stable")


def _certificate(path: str) -> Finding:
    try:
        certificate = load_balance(path)
    except CalibrationError as e:
        return Finding(f"{NAME}'s certificate", "fail", str(e), "mend the file: docs/balance.md")
    today = datetime.datetime.now().astimezone().date()
    half_g = certificate.capacity_g / 2.0
    what = f"{certificate.name}, u = {u_in_use_g(certificate, half_g):.2g} g at {half_g:g} g"
    until = certificate.valid_until
    if until is not None and today > until:
        return Finding(f"{NAME}'s certificate", "fail", f"{what}, was valid until {until}", "have it calibrated")
    if until is not None and (until - today).days <= SOON_DAYS:
        return Finding(f"{NAME}'s certificate", "warn", f"{what}, valid until {until}", "have it calibrated soon")
    ends = "no end stated" if until is None else f"valid until {until}"
    return Finding(f"{NAME}'s certificate", "ok", f"{what}, {ends}")
