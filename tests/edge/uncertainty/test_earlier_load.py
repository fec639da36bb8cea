"""What a cell remembers of an earlier load, against rigs that superpose creep by other code."""

from __future__ import annotations

import math
from dataclasses import replace

import msgspec
import numpy as np
import pytest
from strange_physics import Physics, StrangeRig, draw

from calibration.certificate import Certificate
from calibration.creep import fit_creep
from calibration.integrated import Integrated
from calibration.thermal import WalkFit
from calibration.wander import Wander
from edge.records.earlier_load import EarlierLoad
from edge.records.weighing import Weighing, WeighingKind
from edge.simulate.instrument import calibrated
from edge.uncertainty.budget import loss_budget
from edge.uncertainty.components import ComponentName
from edge.uncertainty.earlier_load import ASSUMED_REST_S, Remembered, memory, remembered, undeclared
from edge.uncertainty.weighed import Corrections, Weighed
from hw.sim.rig import RigTruth

HOUR = 3600.0
M1_S, M2_S = 0.6 * HOUR, 9.4 * HOUR
PLAIN = replace(draw("plain", 1), span_per_k=0.0, bend_per_g=0.0)


def weighing(which: str, at_s: float, value: float = 150.0) -> Weighing:
    return Weighing(WeighingKind(which), Integrated(value, 0.0, 50.0, 1, 0, 1), at_s, at_s, 25.0, 25.0, math.nan)


MASSES = (weighing("m1", M1_S), weighing("m2", M2_S))
ZEROS = (weighing("tare", 0.05 * HOUR, 3e5), weighing("zero", 9.9 * HOUR, 3e5))


def crept_g(physics: Physics, loads: list[tuple[float, float]], at_s: list[float]) -> np.ndarray:
    """What loads (begin in s, change in g) have made a strange rig's cell creep at some times, by the rig's own law."""
    rig = StrangeRig(physics)
    rig._loads = [(int(s), g) for s, g in loads]
    return np.array([float(rig._crept_g(np.array([t]))[0]) for t in at_s])


def of_rig(physics: Physics) -> Certificate:
    """The certificate of a cell with that rig's creep, as the guided calibration finds it in two quiet hours."""
    since = np.arange(30.0, 7200.0, 60.0)
    code = crept_g(physics, [(0.0, 200.0)], since.tolist()) * 1000.0
    creep = fit_creep(since, code, 200_000.0, Wander(WalkFit(0.0, 1.0), None, None))
    cert = calibrated(RigTruth(), "nau7802", 1)
    stability = msgspec.structs.replace(
        cert.stability,
        creep_gained_pct=creep.gained_pct,
        u_creep_gained_pct=creep.u_pct,
        creep_whole_pct=creep.whole_pct,
    )
    return msgspec.structs.replace(cert, stability=stability)


@pytest.mark.parametrize("rest_h", [0.2, 1.0, 6.0])
@pytest.mark.parametrize("hung_h", [0.1, 3.0, 10.0])
def test_what_comes_back_of_a_load_is_within_what_is_said_whatever_the_law(rest_h: float, hung_h: float) -> None:
    for tau_s in (1200.0, 3600.0, 7200.0, 14_400.0, None):
        share = 1.5e-4
        of_law = {"creep": ((share, tau_s),)} if tau_s else {"creep": (), "log_creep": share}
        physics = replace(PLAIN, **of_law)  # type: ignore[arg-type]  # mixed kinds
        off_s = -rest_h * HOUR
        loads = [(off_s - hung_h * HOUR, 150.0), (off_s, -150.0)]
        begin = 20.0 * HOUR  # a rig's clock begins at 0
        at = crept_g(physics, [(begin + s, g) for s, g in loads], [begin + M1_S, begin + M2_S])
        true_g = float(at[1] - at[0])
        found = memory(of_rig(physics), [Remembered("x", 150.0, hung_h * HOUR, off_s, "measured")], MASSES)
        if found is None:
            assert abs(true_g) < 1e-5 * 150.0
        else:
            assert abs(found.gained_g - true_g) <= math.sqrt(3.0) * found.u_g * 1.1 + 1e-4
            assert math.copysign(1.0, found.gained_g) == -1.0  # what crept up comes down


def cell(seen_pct: float = 0.03) -> Certificate:
    cert = calibrated(RigTruth(), "nau7802", 1)
    stability = msgspec.structs.replace(
        cert.stability, creep_gained_pct=0.02, u_creep_gained_pct=0.0068, creep_whole_pct=seen_pct
    )
    return msgspec.structs.replace(cert, stability=stability)


LOAD = Remembered("run 7", 150.0, 10 * HOUR, -HOUR, "measured")


def test_a_longer_rest_leaves_less_and_a_long_one_nothing() -> None:
    found = [memory(cell(), [replace(LOAD, off_s=-h * HOUR)], MASSES) for h in (0.2, 1.0, 5.0, 20.0, 200.0)]
    sizes = [0.0 if m is None else abs(m.gained_g) for m in found]
    assert sizes == sorted(sizes, reverse=True)
    assert found[-1] is None


def test_a_load_that_may_long_have_been_off_may_have_left_nothing() -> None:
    known, assumed = (memory(cell(), [replace(LOAD, rest=rest)], MASSES) for rest in ("measured", "assumed"))
    assert known is not None
    assert assumed is not None
    assert abs(assumed.gained_g) < abs(known.gained_g)
    assert assumed.u_g > known.u_g
    assert assumed.gained_g + math.sqrt(3.0) * assumed.u_g >= 0.0


def test_a_second_zero_takes_most_of_it_out() -> None:
    plain, with_zero = memory(cell(), [LOAD], MASSES), memory(cell(), [LOAD], MASSES, ZEROS, 0.9)
    assert plain is not None
    assert with_zero is not None
    assert abs(with_zero.gained_g) < 0.2 * abs(plain.gained_g)


def test_of_a_cell_whose_creep_has_no_sign_nothing_is_corrected() -> None:
    found = memory(calibrated(RigTruth(), "nau7802", 1), [LOAD], MASSES)
    assert found is not None
    assert found.gained_g == 0.0
    assert found.u_g > 0.0


def test_a_check_weight_of_this_run_is_none_of_its_tares_memory() -> None:
    check = Remembered("the check weight", 100.0, 240.0, 0.25 * HOUR, "measured")
    alone, with_zero = memory(cell(), [check], MASSES), memory(cell(), [check], MASSES, ZEROS, 1.0)
    assert alone is not None
    assert with_zero is not None
    assert with_zero.gained_g == pytest.approx(alone.gained_g, rel=0.1)
    assert abs(alone.gained_g) < 2e-5 * 150.0  # the rest is as long as that


def test_it_is_a_line_of_the_budget_and_the_loss_is_corrected_for_it() -> None:
    cert = cell()
    m1, m2 = weighing("m1", M1_S, 200.0), weighing("m2", M2_S, 199.4)
    weighed = Weighed(m1, m2, m1, cert)
    plain = loss_budget(weighed, coverage=0.9545, seed=None)
    told = loss_budget(weighed, Corrections(earlier=(LOAD,)), coverage=0.9545, seed=None)
    assert told.memory is not None
    line = next(c for c in told.components if c.name is ComponentName.EARLIER_LOAD)
    assert "run 7: 150 g hung for 10 h, off for 1.6 h at M1" in line.why
    assert told.loss_pct - plain.loss_pct == pytest.approx(told.memory.gained_g / 200.0 * 100.0, rel=1e-3)
    assert plain.memory is None


def test_a_stored_load_is_on_the_runs_clock() -> None:
    stored = EarlierLoad(of="run 7", mass_g=150.0, hung_s=10 * HOUR, rested_s=HOUR, rest="measured")
    assert remembered([stored]) == (LOAD,)


def test_what_nobody_had_said_hung_until_just_before_the_run() -> None:
    declared = replace(LOAD, rest="declared")
    (plain,) = undeclared([declared])
    assert (plain.off_s, plain.rest) == (-ASSUMED_REST_S, "assumed")
    assert plain.hung_s - plain.off_s == declared.hung_s - declared.off_s
    soon = replace(declared, off_s=-60.0)
    assert undeclared([LOAD, soon]) == (LOAD, replace(soon, rest="assumed"))
