"""What came back before M2 is looked for from when the air came: by word, by gauge, or by the step of buoyancy."""

from __future__ import annotations

import datetime
import math

import msgspec
import numpy as np
import pytest
from scripted_seconds import PLAN, row

from calibration.integrated import Integrated
from edge.procedure.definition import EndedRun, RunDefinition
from edge.procedure.jumps import Jump
from edge.procedure.parameters import live_parameters
from edge.procedure.phases import Phases
from edge.records.command import OperatorWord
from edge.records.phase import Phase
from edge.records.run import RunKind
from edge.records.sample import Sample
from edge.records.weighing import Weighing, WeighingKind
from edge.simulate.instrument import calibrated
from edge.standards.standard import load_standard
from edge.uncertainty.slopes import Slope
from edge.uncertainty.weighed import Weighed
from edge.verdict.unseen import moved_unseen, vent_told
from hw.sim.rig import RigTruth

NATIONAL = load_standard("gbt-48093-1-2026")
CERTIFICATE = calibrated(RigTruth(), "nau7802", 1)
STILL = msgspec.structs.replace(
    CERTIFICATE,
    stability=msgspec.structs.replace(CERTIFICATE.stability, creep_pct_fs=0.0, zero_drift_g=0.0, zero_walk_g=0.0),
    cell=msgspec.structs.replace(CERTIFICATE.cell, capacity_g=300.0),
    temperature=msgspec.structs.replace(CERTIFICATE.temperature, u_cell_temp_c=0.0),
)
M1_S, COOL_S, VENT_S, M2_S, END_S = 100, 2000, 3000, 7500, 8100
AIR_G = 0.12


def weighed(which: str, mass_g: float, from_s: float, to_s: float) -> Weighing:
    value = Integrated(mass_g, 2e-4, 6.0, 600, 0, 600)
    return Weighing(WeighingKind(which), value, from_s, to_s, 25.0, 25.0, math.nan)


def night(
    *,
    takes_up_g_per_h: float = 0.05,
    air_g: float = AIR_G,
    said_s: int | None = None,
    gauge: bool = False,
    jump_g: float = 0.0,
    opened_ago_s: float | None = None,
    dries_g_per_h: float = 0.0,
    is_blank: bool = False,
) -> tuple[Slope, ...]:
    """A run that is judged from its rows: M1 from 100 s, cooling from 2000 s, the vent at 3000 s, M2 from 7500 s."""
    rng, phases = np.random.default_rng(3), Phases(PLAN, Phase.DONE)
    phases.entered_s = {Phase.M1: 0.0, Phase.COOL: float(COOL_S), Phase.M2: float(M2_S - 600)}

    def mass_g(t: int) -> float:
        if t < COOL_S:
            return 200.0 - dries_g_per_h * t / 3600.0
        in_air = t >= VENT_S
        came = takes_up_g_per_h * (t - VENT_S) / 3600.0 - air_g if in_air else 0.0
        return 199.2 + came + (jump_g if t >= 5000 else 0.0)

    for t in range(END_S + 1):
        phases.phase = Phase.COOL if t >= COOL_S else Phase.DONE
        if said_s == t:
            phases.command(OperatorWord.VENT, t, float(t))
        phases.phase = phases.phase if gauge and t >= COOL_S else Phase.DONE
        if phases.phase is Phase.COOL:
            phases.weighings[WeighingKind.M1] = weighed("m1", 200.0, 0.0, 1.0)
        pressure_pa = math.nan if not gauge else 101_300.0 if t >= VENT_S else 500.0
        phases.step(row(t, mass_g=mass_g(t) + float(rng.normal(0.0, 0.005)), cell_c=60.0, pressure_pa=pressure_pa))
    m1 = weighed("m1", 200.0 - dries_g_per_h * 700.0 / 3600.0, M1_S, M1_S + 1200)
    m2_mean = np.mean([mass_g(t) for t in range(M2_S, END_S + 1)])
    m2 = weighed("m2", float(m2_mean), M2_S, END_S)
    phases.weighings |= {WeighingKind.M1: m1, WeighingKind.M2: m2}
    definition = RunDefinition(
        Sample("S", opened_ago_s=opened_ago_s),
        "Ada",
        RunKind.TEST,
        NATIONAL,
        STILL,
        live_parameters(NATIONAL, STILL),
        is_blank=is_blank,
    )
    jumps = (Jump(5000.0, jump_g, 0.001),) if jump_g else ()
    ended = EndedRun(definition, phases, datetime.date(2026, 11, 26), stops=())
    return moved_unseen(ended, Weighed(m1, m2, m1, certificate=STILL), jumps, (), vent_told(ended))


def at(which: WeighingKind, slopes: tuple[Slope, ...]) -> Slope:
    return next(s for s in slopes if s.which is which)


TAKEN_UP_G = 0.05 * ((M2_S + END_S) / 2.0 - VENT_S) / 3600.0


@pytest.mark.parametrize("how", [{}, {"said_s": VENT_S, "air_g": 0.0}, {"gauge": True, "air_g": 0.0}])
def test_all_that_came_since_the_air_did_is_carried(how: dict[str, object]) -> None:
    found = at(WeighingKind.M2, night(**how))  # type: ignore[arg-type]  # of one of the three kinds
    assert found.counts
    assert found.over_h == pytest.approx((M2_S + 300.0 - VENT_S) / 3600.0, abs=0.01)
    assert found.toward_loss_g == pytest.approx(TAKEN_UP_G, rel=0.15)


def test_where_nothing_says_when_the_air_came_an_hour_of_the_rate_is_carried() -> None:
    found = at(WeighingKind.M2, night(air_g=0.0))
    assert found.over_h == 1.0
    assert found.toward_loss_g == pytest.approx(0.05 * (math.e - 1.0), rel=0.3)


def test_a_jump_that_is_told_by_itself_is_not_taken_for_moisture() -> None:
    assert at(WeighingKind.M2, night(jump_g=0.3)).toward_loss_g == pytest.approx(TAKEN_UP_G, rel=0.15)
    assert not at(WeighingKind.M2, night(jump_g=0.3, takes_up_g_per_h=0.0)).counts


def test_a_sample_that_stays_as_it_is_has_nothing_carried() -> None:
    assert not any(s.counts for s in night(takes_up_g_per_h=0.0))


def test_what_left_before_m1_is_carried_since_it_was_opened() -> None:
    an_hour = at(WeighingKind.M1, night(dries_g_per_h=0.3)).toward_loss_g
    assert an_hour == pytest.approx(0.3, rel=0.1)
    half = at(WeighingKind.M1, night(dries_g_per_h=0.3, opened_ago_s=1100.0)).toward_loss_g
    assert half == pytest.approx(0.15, rel=0.1)


def test_a_blank_is_inert() -> None:
    assert night(is_blank=True) == ()
