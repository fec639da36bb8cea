"""A certificate is of cell and mount: another one, or a rig that was carried, voids it until a check weight agrees."""

from __future__ import annotations

import datetime
import math
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from guided_lab import Lab
from simulated_service import as_if_real, order, rigged

from calibration.certificate import certificate_hash, loads, to_toml
from calibration.integrated import Integrated
from edge.errors import BadInput
from edge.procedure.definition import EndedRun, RunDefinition
from edge.procedure.parameters import RunParameters, live_parameters
from edge.procedure.phases import Phases
from edge.records.phase import Phase
from edge.records.result import Result, Verdict
from edge.records.run import RunKind
from edge.records.sample import Sample
from edge.records.weighing import Weighing, WeighingKind
from edge.simulate.instrument import calibrated
from edge.standards.standard import load_standard
from edge.station.start import definition_from_order
from edge.verdict.judge import judge_run
from hw.sim.rig import RigTruth

NATIONAL = load_standard("gbt-48093-1-2026")
CERTIFICATE = calibrated(RigTruth(), "nau7802", 1)
WHY = "certificate C is of the mount arm A, and this is arm B"


def test_a_certificate_names_its_mount_and_one_without_keeps_its_hash(tmp_path: Path) -> None:
    named = msgspec.structs.replace(CERTIFICATE, mount="arm A")
    assert loads(to_toml(named)).mount == "arm A"
    assert "mount" not in to_toml(CERTIFICATE)
    assert certificate_hash(named) != certificate_hash(CERTIFICATE)
    lab = Lab(tmp_path)
    lab.done("tare", "--mount", "arm A")
    assert lab.session.mount == "arm A"
    assert "--mount arm B: this calibration was begun with arm A" in lab.calibrate("tare", "--mount", "arm B").line


def test_a_start_on_another_mount_or_after_a_transport_asks_for_a_check_weight(tmp_path: Path) -> None:
    with rigged(tmp_path) as it:
        own = msgspec.structs.replace(as_if_real(it.simulated.certificate), mount="arm A")
        path = tmp_path / "mounted.toml"
        path.write_text(to_toml(own), encoding="utf-8")

        def void(**said: object) -> str:
            asked = order(certificate=str(path), **said)
            return definition_from_order(asked, it.config, it.database).parameters.plan.void_because

        assert void() == void(mount="Arm a") == ""
        for said, why in (({"mount": "arm B"}, "mount arm A, and this is arm B"), ({"moved": True}, "was carried")):
            with pytest.raises(BadInput, match=why):
                void(**said)
            assert why in void(**said, check_weight_g=100.0)


def judged(*, void: str, shown_g: float | None) -> Result:
    """A quiet run that lost 0.3 %, with a second zero and, perhaps, a check weight of 100 g after it."""
    s = CERTIFICATE.span.counts_per_g
    parameters = live_parameters(NATIONAL, CERTIFICATE, check_weight_g=100.0)
    plan = replace(parameters.plan, void_because=void)
    phases = Phases(plan, Phase.DONE)
    values = [("tare", 3e5, 0.5), ("m1", 200.0, 1.0), ("m2", 199.4, 9.0), ("zero", 3e5 + 0.001 * s, 10.0)]
    for which, value, at_h in [*values, *([("check", shown_g, 10.5)] if shown_g is not None else [])]:
        u = 5e-4 * (s if which in ("tare", "zero") else 1.0)
        taken = Integrated(value, u, 50.0, 600, 0, 600)
        kind = WeighingKind(which)
        phases.weighings[kind] = Weighing(kind, taken, at_h * 3600.0, at_h * 3600.0 + 60.0, 25.0, 25.0, math.nan)
    definition = RunDefinition(
        Sample("S"), "Ada", RunKind.SIMULATED, NATIONAL, CERTIFICATE, RunParameters(plan, {}, Phase.TARE, ())
    )
    return judge_run(EndedRun(definition, phases, datetime.date(2026, 11, 26)))


def test_a_void_certificate_is_invalid_until_the_check_weight_agrees() -> None:
    assert judged(void="", shown_g=None).verdict is Verdict.PASS
    without, wrong, right = (judged(void=WHY, shown_g=g) for g in (None, 98.0, 100.001))
    for result in (without, wrong):
        assert result.verdict is Verdict.INVALID
        assert result.invalid_reason == "certificate_void"
        assert result.loss_pct is None
        assert "arm B" in str(result.invalid_because)
    assert right.verdict is Verdict.PASS
    assert any("the check weight agrees" in w for w in right.warnings)


def test_the_reason_is_stored_with_the_plan_and_read_back() -> None:
    parameters = live_parameters(NATIONAL, CERTIFICATE)
    parameters = replace(parameters, plan=replace(parameters.plan, void_because=WHY))
    back = RunParameters.from_settings(msgspec.json.decode(msgspec.json.encode(parameters.as_settings())))
    assert back.plan.void_because == WHY
