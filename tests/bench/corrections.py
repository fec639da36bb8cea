"""What each correction is worth: the same rigs judged with one of them off at a time.

Rigs as in :mod:`thousand_rigs`. A variant folds the very same raw frames again by other terms, so what differs is the
correction alone; the true loss is the rig's. ``make corrections`` takes minutes and writes docs/benchmarks.md;
``tests/bench/test_corrections.py`` is the small form.
"""

from __future__ import annotations

import argparse
import contextlib
import math
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from typing import Any, NamedTuple

import msgspec
import numpy as np
from bench_report import Section, table
from drawn_rig import REST_S, Measured, Operator, calibrate, draw, exercise, judge, measure, rms, without_zero
from fast_rig import QuickRig

from calibration import certificate as cal
from calibration.errors import BadFit, CalibrationError
from calibration.vacuum_gauge import VacuumGauge
from edge.procedure.parameters import RunParameters, live_parameters
from edge.standards.standard import Standard, load_standard
from hw.sim.rig import Rig

MPRLS = VacuumGauge(gauge="mprls")
DENSITY_KNOWN = 0.05  # relative half-width of the density that is declared
NO_LAG_S = 1.0


SECTION = Section(
    "corrections",
    "## What each correction is worth",
    """
Rigs as above, one correction off at a time: the same raw frames folded again by other terms, so only the correction
differs. What is off is not known to be off: U stays what the certificate says. "The oven's lag" is the same rig
without a thermometer on its cell; "M2 under vacuum" is an operator who does not vent, with an MPRLS and the sample's
density declared to ±5 %. The error is that of the loss, in % of the sample.
""",
)


class Judged(NamedTuple):
    """One variant of one rig: the error of its loss, and U, in %. NaN where it could not be judged."""

    variant: str
    error_pct: float
    expanded_pct: float


def temperature_off(certificate: cal.Certificate, **off: float) -> cal.Certificate:
    """Get a certificate that corrects less, and does not know it."""
    return msgspec.structs.replace(certificate, temperature=msgspec.structs.replace(certificate.temperature, **off))


def terms_by(measured: Measured, standard: Standard, certificate: cal.Certificate) -> RunParameters:
    """Get the terms by which a test would have gone with another certificate."""
    by = live_parameters(standard, certificate)
    return replace(measured.terms, fold=by.fold | {"gate_code": measured.terms.fold["gate_code"]})


def by_certificate(
    sample: Measured, dummy: Measured, standard: Standard, certificate: cal.Certificate
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Judge a test and its blank again by another certificate: with the second zero, and as if there were none."""
    blank = judge(dummy.again(terms_by(dummy, standard, certificate)), standard, certificate, blank_run=True)
    subtract = blank if blank["loss_pct"] is not None else None
    pipeline = sample.again(terms_by(sample, standard, certificate))
    with_zero = judge(pipeline, standard, certificate, subtract=subtract)
    pipeline.phases.weighings.pop("zero", None)
    return with_zero, judge(pipeline, standard, certificate, subtract=subtract)


def variants(
    shown: Any, truth: Any, quick: QuickRig, standard: Standard, certificate: cal.Certificate, seed: int
) -> Iterator[tuple[str, dict[str, Any], float | None]]:
    """Measure a blank, a test and one with M2 under vacuum, and judge each way. Yields (variant, result, true loss)."""
    rng = np.random.default_rng((seed, 33))
    quick.frames(REST_S)
    dummy = measure(quick, standard, certificate, Operator(quick.rig, truth.sample_g * float(rng.uniform(0.9, 1.1))))
    quick.rig.place_weight(0.0)
    quick.frames(REST_S)
    operator = Operator(quick.rig)
    sample = measure(quick, standard, certificate, operator, zero_after=True)
    true_pct = operator.true_loss_pct
    blank = judge(dummy.pipeline, standard, certificate, blank_run=True)
    subtract = blank if blank["loss_pct"] is not None else None
    cold = without_zero(sample)
    plain = judge(cold, standard, certificate)
    yield "all on", judge(sample.pipeline, standard, certificate, subtract=subtract), true_pct
    yield "second zero off", judge(cold, standard, certificate, subtract=subtract), true_pct
    yield "blank off", judge(sample.pipeline, standard, certificate), true_pct
    yield "second zero and blank off", plain, true_pct
    for name, off in (
        ("zero temperature off", {"zero_counts_per_k": 0.0}),
        ("span temperature off", {"span_per_k": 0.0}),
    ):
        with_zero, without = by_certificate(sample, dummy, standard, temperature_off(certificate, **off))
        yield name, with_zero, true_pct
        yield f"{name}, second zero off", without, true_pct

    # the same rig without a thermometer on its cell: no blank, no second zero
    with contextlib.suppress(BadFit):  # to some rigs' readings no lag can be fitted
        behind = calibrate(shown, truth.cell.capacity_g, from_oven=True)
        rig = Rig(truth, seed + 2_000_000)
        lagging, operator = QuickRig(rig, quick.noise_code, seed), Operator(rig)
        lagging.frames(REST_S)
        sample = measure(lagging, standard, behind, operator)
        yield "oven's lag, no blank", judge(sample.pipeline, standard, behind), operator.true_loss_pct
        no_lag = temperature_off(behind, lag_s=NO_LAG_S)
        off = judge(sample.again(terms_by(sample, standard, no_lag)), standard, no_lag)
        yield "the same, lag off", off, operator.true_loss_pct

    # another sample of the same make, weighed under vacuum at M2 with a gauge fitted
    rig = Rig(truth, seed + 1_000_000)
    pumped = QuickRig(rig, quick.noise_code, seed, gauge=True)
    operator = Operator(rig, vents=False)
    pumped.frames(REST_S)
    sample = measure(pumped, standard, certificate, operator, vacuum=MPRLS)
    rho = truth.sample_density_g_cm3 * (1.0 + DENSITY_KNOWN * float(rng.uniform(-1.0, 1.0)))
    density = (rho * (1.0 - DENSITY_KNOWN), rho * (1.0 + DENSITY_KNOWN))
    corrected = judge(sample.pipeline, standard, certificate, subtract=subtract, density=density, vacuum=MPRLS)
    yield "M2 under vacuum, buoyancy corrected", corrected, operator.true_loss_pct
    blind = sample.again(replace(sample.terms, vacuum=None, plan=_no_gauge(sample), fold=_no_limit(sample)))
    off = judge(blind, standard, certificate, subtract=subtract, density=density)
    yield "the same, buoyancy off", off, operator.true_loss_pct


def _no_gauge(measured: Measured) -> Any:
    return replace(measured.terms.plan, pressure_needed=False)


def _no_limit(measured: Measured) -> dict[str, float]:
    return measured.terms.fold | {"pressure_needed": 0}


def one(seed: int) -> list[Judged]:
    """Judge one rig in all variants."""
    standard = load_standard("gbt-48093-1-2026")
    truth, noise_code = draw(seed)
    quick = QuickRig(Rig(truth, seed), noise_code, seed)
    try:
        shown = exercise(quick, np.random.default_rng((seed, 32)))
        certificate = calibrate(shown, truth.cell.capacity_g)
        return [
            Judged(name, result["loss_pct"] - true_pct, result["U_pct"])
            if result["loss_pct"] is not None and true_pct is not None
            else Judged(name, math.nan, math.nan)
            for name, result, true_pct in variants(shown, truth, quick, standard, certificate, seed)
        ]
    except (CalibrationError, ValueError) as e:
        return [Judged(f"refused: {e}", math.nan, math.nan)]


def found(outcomes: list[Judged]) -> str:
    """What each variant gave, as a table."""
    rows = []
    for name in dict.fromkeys(o.variant for o in outcomes):
        there = [o for o in outcomes if o.variant == name and math.isfinite(o.error_pct)]
        if not there:
            rows.append((name, 0, *["–"] * 5))
            continue
        size = np.abs([o.error_pct for o in there])
        inside = sum(abs(o.error_pct) <= o.expanded_pct for o in there) / len(there)
        shown = (
            rms(size.tolist()),
            np.median(size),
            np.quantile(size, 0.95),
            np.median([o.expanded_pct for o in there]),
        )
        rows.append((name, len(there), *(f"{value:.4f} %" for value in shown), f"{inside * 100.0:.1f} %"))
    heading = ("", "rigs", "rms error", "median error", "95 % of errors within", "median U", "truth within U")
    return table(heading, *rows)


def main() -> None:
    """Judge rigs in all variants, and say what each is worth."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rigs", type=int, default=300)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--write", action="store_true", help="write the section of docs/benchmarks.md")
    args = parser.parse_args()
    began = time.monotonic()
    with ProcessPoolExecutor(args.workers) as pool:
        seeds = range(args.first, args.first + args.rigs)
        outcomes = [o for judged in pool.map(one, seeds, chunksize=2) for o in judged]
    SECTION.report(found(outcomes), took_s=time.monotonic() - began, write=args.write)


if __name__ == "__main__":
    main()
