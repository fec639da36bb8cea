"""What the station sees in a glance at its devices, in grams, degrees and pascals: for the alarms alone.

The fold's rows come a frame late, and an alarm must not wait. This module must never feed a result.
"""

from __future__ import annotations

import math
from functools import lru_cache

import msgspec

from calibration.errors import CalibrationError
from calibration.gauge_curve import pascals
from calibration.iec60751 import temperature_c
from calibration.vacuum_gauge import VacuumGauge
from edge.instrument.acquisition import Glance
from edge.instrument.config import ProbeConfig
from edge.records.phase import Phase
from edge.records.weighing import WeighingKind
from edge.run.live_run import LiveRun
from hw.protocols import Reading, Status

from .alarm_rules import Observation

_OK = Status.OK


def observe(
    glance: Glance, oven: ProbeConfig, cell: ProbeConfig | None, vacuum: VacuumGauge | None, live: LiveRun | None
) -> Observation:
    """Get what a glance shows, and where the run that is being measured is."""
    seen = Observation(
        t_ns=glance.t_ns,
        bridge=tuple([s.status for s in glance.samples]),
        oven=glance.oven,
        oven_c=celsius(glance.oven, oven),
        cell=glance.cell,
        cell_c=celsius(glance.cell, cell),
        gauge=glance.gauge,
        pressure_pa=_pressure_pa(glance, vacuum),
    )
    return seen if live is None else _in_run(seen, glance, live)


def _in_run(seen: Observation, glance: Glance, live: LiveRun) -> Observation:
    plan, phase, row = live.pipeline.phases.plan, live.phase, live.second
    base_g = live.pipeline.phases.weighings.get(WeighingKind.M1)
    rate = math.nan
    if row is not None and base_g is not None and phase is Phase.HOLD:
        rate = -row.drift_g_per_h / base_g.value.mean * 100.0
    return msgspec.structs.replace(
        seen,
        mass_g=_mass_g(glance, live),
        phase=phase,
        armed=phase is Phase.HOLD,
        hold_temp_c=plan.hold_temp_c,
        hold_band_c=plan.hold_band_c,
        pressure_limit_pa=plan.pressure_limit_pa if plan.pressure_needed else math.inf,
        loss_rate_pct_per_h=rate,
    )


def _mass_g(glance: Glance, live: LiveRun) -> float:
    """Get about what lies on the cell."""
    codes = sorted([s.code for s in glance.samples if s.status is _OK])
    if not codes:
        return math.nan
    told = live.pipeline.params[0]
    return float((codes[len(codes) // 2] - told["tare_code"]) / told["span_code_per_g"])


def _pressure_pa(glance: Glance, vacuum: VacuumGauge | None) -> float:
    gauge = glance.gauge
    if gauge is None or gauge.status is not _OK or vacuum is None:
        return math.nan
    return float(pascals([gauge.code], vacuum)[0])


def celsius(reading: Reading | None, probe: ProbeConfig | None) -> float:
    """Get what a reading of a probe says, in °C; NaN where it says nothing."""
    if reading is None or probe is None or reading.status is not _OK:
        return math.nan
    return _celsius(reading.code, probe.ref_ohm, probe.nominal_ohm)


@lru_cache(maxsize=4096)
def _celsius(code: int, ref_ohm: float, nominal_ohm: float) -> float:
    ohm = code / 32768.0 * ref_ohm
    try:
        return temperature_c(ohm, nominal_ohm)
    except CalibrationError:
        return math.inf if ohm > nominal_ohm else math.nan
