"""The air's step at the pump and at the vent, and a cell that creeps meanwhile: no jump, unless something is hidden."""

from __future__ import annotations

import datetime
import math

import numpy as np
import pytest
from msgspec.structs import replace
from scripted_seconds import PLAN, row

from calibration.integrated import Integrated
from edge.procedure.definition import EndedRun, RunDefinition
from edge.procedure.jumps import Jump, net_of_jumps
from edge.procedure.parameters import live_parameters
from edge.procedure.phases import Phases
from edge.records.phase import Phase
from edge.records.run import RunKind
from edge.records.sample import Sample
from edge.records.weighing import Weighing, WeighingKind
from edge.simulate.instrument import calibrated
from edge.standards.standard import load_standard
from edge.uncertainty.weighed import Weighed
from edge.verdict.plausible import jumps_between
from hw.sim.rig import RigTruth

NATIONAL = load_standard("gbt-48093-1-2026")
PLAIN = calibrated(RigTruth(), "nau7802", 1)
LOAD_G, AIR_G, LENGTH_S = 100.0, 0.08, 12_000
PUMP_S, HOLD_S, COOL_S, VENT_S = 700, 3000, 9000, 11_000
CREEP_S = 3000.0


def found(*, creep_pct: float, u_pct: float, hidden_g: float = 0.0) -> tuple[Jump, ...]:
    """Take a night on a cell that creeps by so much after M1, and whose certificate knows that to ``u_pct``."""
    rng, creep_g = np.random.default_rng(5), creep_pct / 100.0 * LOAD_G
    stability = replace(
        PLAIN.stability, creep_gained_pct=creep_pct, u_creep_gained_pct=u_pct, zero_walk_g=1e-3, zero_drift_g_per_h=0.0
    )
    certificate = replace(PLAIN, stability=stability)
    t = np.arange(LENGTH_S, dtype=np.float64)
    mass_g = LOAD_G + creep_g * (1.0 - np.exp(-t / CREEP_S)) + rng.normal(0.0, 0.003, LENGTH_S)
    mass_g += np.where((t >= PUMP_S) & (t < VENT_S), AIR_G, 0.0) + np.where(t >= PUMP_S, hidden_g, 0.0)
    mass_g -= 0.4 * (1.0 - np.exp(-np.maximum(0.0, t - HOLD_S) / 2000.0))
    phases = Phases(PLAN, Phase.DONE)
    for second, g in enumerate(mass_g.tolist()):
        phases.step(row(second, mass_g=g))
    phases.entered_s |= {Phase.PUMP: float(PUMP_S), Phase.HOLD: float(HOLD_S), Phase.COOL: float(COOL_S)}
    phases.hold_to_s = float(COOL_S)

    def weighed(which: str, from_s: int) -> Weighing:
        mean = float(np.mean(mass_g[from_s : from_s + 500]))
        value = Integrated(mean, 0.0003, 50.0, 500, 0, 500)
        return Weighing(WeighingKind(which), value, float(from_s), from_s + 500.0, 25.0, 25.0, math.nan)

    m1, m2 = weighed("m1", 100), weighed("m2", LENGTH_S - 500)
    terms = live_parameters(NATIONAL, certificate)
    definition = RunDefinition(Sample("S"), "Ada", RunKind.TEST, NATIONAL, certificate, terms)
    ended = EndedRun(definition, phases, datetime.date(2026, 11, 26))
    return jumps_between(ended, Weighed(m1, m2, m1, certificate=certificate))


@pytest.mark.parametrize("creep_pct", [-0.02, -0.008, 0.0, 0.008, 0.02, 0.04])
def test_a_creep_that_the_certificate_knows_is_no_step_behind_the_airs(creep_pct: float) -> None:
    assert found(creep_pct=creep_pct, u_pct=0.2 * abs(creep_pct) + 1e-4) == ()


@pytest.mark.parametrize("creep_pct", [-0.008, 0.0, 0.008])
@pytest.mark.parametrize("hidden_g", [0.05, 0.06])
def test_a_step_behind_the_airs_is_still_found(creep_pct: float, hidden_g: float) -> None:
    net_g, _ = net_of_jumps(found(creep_pct=creep_pct, u_pct=0.001, hidden_g=hidden_g))
    assert net_g == pytest.approx(hidden_g, abs=0.02)


def test_where_nobody_saw_the_creep_it_is_as_before() -> None:
    assert found(creep_pct=0.0, u_pct=0.0, hidden_g=0.03)
