"""The parameters of a run: what standard, certificate and rig say, as the phases' plan and the fold's parameters.

Everything that was not measured or stated is named here, so that the report can say it. This module must
never make a number up silently.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Literal

import msgspec

from calibration.certificate import Certificate, Rtd
from calibration.vacuum_gauge import VacuumGauge, declared_of, qualifying_limit_pa
from edge.errors import BadInput
from edge.records.gate import GATE_SIGMAS
from edge.records.invalid import Invalid, InvalidReason
from edge.records.phase import Phase
from edge.standards.standard import Standard

from .plan import Plan

HOT_WINDOWS = 40.0
"""A window at an edge of a hot hold is at most this part of it: what is lost meanwhile is a straight line."""
SEVERAL_A_SECOND_S = 0.4  # rows so near: a second without any was not seen
LEAST_OF_CAPACITY = 0.002
"""A lighter sample is none: half a percent of it would be a hundred-thousandth of the capacity."""
TARE_WITHIN, HOLDER_WITHIN = 0.08, 0.5
"""Of the capacity: how far the empty holder may be from the certificate's; from zero, where that is not known."""
LIVE_GAP_S = 1.5  # frames come every second: a longer step was not seen


@dataclass(frozen=True, slots=True)
class RunParameters:
    """What a run goes by.

    ``fold`` are the fold's parameters by name, ``declared`` what nobody measured, ``vacuum`` the settings of the gauge
    whose raw codes the frames hold (None: there is none, or the frames hold Pa already).
    """

    plan: Plan
    fold: dict[str, float]
    first: Phase
    declared: tuple[str, ...]
    vacuum: VacuumGauge | None = None

    def as_settings(self) -> dict[str, object]:
        """Get the parameters as plain JSON: from it a run can be folded again."""
        plan = {name: getattr(self.plan, name) for name in Plan.__dataclass_fields__}
        return {
            "plan": {name: _as_stored(value) for name, value in plan.items()},
            "fold": {name: _as_stored(value) for name, value in self.fold.items()},
            "first_phase": str(self.first),
            "declared": list(self.declared),
            "vacuum": None if self.vacuum is None else msgspec.to_builtins(self.vacuum),
        }

    @staticmethod
    def from_settings(settings: dict[str, Any]) -> RunParameters:
        """Get the parameters back from :meth:`as_settings`."""
        plan = {name: _read_back(value) for name, value in settings["plan"].items()}
        fold = {name: _read_back(value) for name, value in settings["fold"].items()}
        gauge = settings.get("vacuum")
        vacuum = None if gauge is None else msgspec.convert(gauge, VacuumGauge)
        return RunParameters(Plan(**plan), fold, Phase(settings["first_phase"]), tuple(settings["declared"]), vacuum)


_NOT_FINITE = {"nan": math.nan, "-inf": -math.inf}
"""How numbers that JSON does not have are stored; infinity has been null since the first version."""


def _as_stored(value: Any) -> Any:
    if not isinstance(value, float) or math.isfinite(value):
        return value
    return None if value == math.inf else str(value)


def _read_back(value: Any) -> Any:
    if value is None:
        return math.inf
    return _NOT_FINITE.get(value, value) if isinstance(value, str) else value


def plan_from_standard(standard: Standard, weigh: Literal["cold", "hot"], *, temp_measured: bool, gauge: bool) -> Plan:
    """Get the phases' plan from a standard. ``gauge``: the pressure is measured."""
    vacuum = standard.vacuum.value == "required"
    return Plan(
        weigh=weigh,
        hold_s=standard.hold_s.value,
        hold_temp_c=standard.temp_c.value,
        hold_band_c=standard.temp_band_c.value,
        temp_needed=temp_measured,
        pressure_limit_pa=standard.pressure_limit_pa.value if vacuum else math.inf,
        pressure_needed=vacuum and gauge,
        gap_s=LIVE_GAP_S,
        reference="hold_start" if standard.reference.value == "hold_start" else "start",
        whole_window=True,
        blank_by_mass=True,
        cold_band_c=standard.cold_temp_tolerance_c.value,
        unseen_max_s=standard.max_gap_s.value,
    )


def _limits(standard: Standard, plan: Plan) -> dict[str, float]:
    return {
        "hold_temp_c": plan.hold_temp_c,
        "hold_band_c": plan.hold_band_c,
        "temp_needed": int(plan.temp_needed),
        "pressure_limit_pa": plan.pressure_limit_pa,
        "pressure_needed": int(plan.pressure_needed),
        "restart_on_excursion": int(standard.excursion.value == "restart"),
        "max_gap_s": plan.gap_s,
    }


def _cell(certificate: Certificate) -> dict[str, float]:
    t = certificate.temperature
    return {
        "span_code_per_g": certificate.span.counts_per_g,
        "linearity_per_g": certificate.linearity.linearity_per_g,
        "t_ref_c": t.t_ref_c,
        "zero_code_per_k": t.zero_counts_per_k,
        "span_per_k": t.span_per_k,
        "cell_source": 0 if t.cell_source == "probe" else 1,
        "cell_lag_s": t.lag_s or 0.0,
        "cell_offset_c": t.cell_offset_c or 0.0,
        "cell_per_oven": 1.0 if t.cell_per_oven is None else t.cell_per_oven,
    }


def _probe(where: Literal["oven", "cell"], rtd: Rtd) -> dict[str, float]:
    found = {"ref_ohm": rtd.ref_ohm, "r0_ohm": rtd.r0_ohm, "lead_ohm": rtd.lead_ohm}
    if rtd.a_per_k is not None and rtd.b_per_k2 is not None:
        found |= {"a": rtd.a_per_k, "b": rtd.b_per_k2}
    return {f"{where}_{name}": value for name, value in found.items()}


def reading_parameters(certificate: Certificate) -> dict[str, float]:
    """Get the fold's parameters by name for a reading outside a test: the cell's and its thermometers', no gate."""
    probes = _probe("oven", certificate.rtd) | _probe("cell", certificate.cell_rtd or certificate.rtd)
    return _cell(certificate) | probes | {"rtd_is_code": 1}


def _vacuum_declared(standard: Standard, gauge: bool) -> list[str]:
    if standard.vacuum.value != "required" or gauge:
        return []
    return ["pressure: no gauge; vacuum during the hold, and the same pressure at M1 and M2, are declared"]


def _vacuum_measured(standard: Standard, vacuum: VacuumGauge) -> list[str]:
    return declared_of(standard.pressure_limit_pa.value, vacuum) if standard.vacuum.value == "required" else []


def _temperature_declared(standard: Standard, certificate: Certificate) -> str:
    """Say how well the hold's temperature is known: a second counts by what the probe indicates."""
    u_c, band_c = certificate.rtd.u_temp_c, standard.temp_band_c.value
    if 2.0 * u_c > band_c:
        return (
            f"hold temperature: within ±{band_c:g} °C as indicated; a probe good to ±{2.0 * u_c:.2g} °C (k = 2) cannot "
            "show that band: calibrate the probe, or declare it"
        )
    return f"hold temperature: within ±{band_c:g} °C as indicated; the probe is good to ±{2.0 * u_c:.2g} °C (k = 2)"


def live_parameters(
    standard: Standard,
    certificate: Certificate,
    *,
    stability_g: float = 0.0,
    vacuum: VacuumGauge | None = None,
    zero_after: bool = False,
    check_weight_g: float | None = None,
    check_before: bool = False,
) -> RunParameters:
    """Get the terms of a run on the instrument, which starts with the tare and is weighed as the standard says.

    ``stability_g``: how far a weighing's halves may be apart beyond their noise, where the cell wanders more
    than the plan's default allows. ``vacuum``: the settings of the gauge, where one is fitted. ``zero_after``: the
    operator takes the zero again after M2; ``check_weight_g``: and then puts this weight (g) on, which needs that zero;
    ``check_before``: and before the sample too. Raises ``BadInput`` for a check weight that is none, or beyond the
    capacity.
    """
    most_g = certificate.cell.capacity_g
    if check_weight_g is not None and not 0.0 < check_weight_g <= most_g:
        raise BadInput(f"check weight {check_weight_g:g} g: give grams, above 0 and at most the cell's {most_g:g}")
    if check_before and check_weight_g is None:
        raise BadInput("a check weight before M1: say which, in g; it is compared with itself after M2")
    tare = certificate.tare_counts
    plan = plan_from_standard(standard, "cold", temp_measured=True, gauge=vacuum is not None)
    plan = replace(
        plan,
        stability_g=max(plan.stability_g, stability_g),
        zero_after=zero_after or check_weight_g is not None,
        check_weight_g=check_weight_g or 0.0,
        check_before=check_before,
        tare_g=math.nan if tare is None else tare / certificate.span.counts_per_g,
        tare_within_g=(TARE_WITHIN if tare is not None else HOLDER_WITHIN) * most_g,
        least_g=LEAST_OF_CAPACITY * most_g,
        capacity_g=most_g,
    )
    if vacuum is not None and plan.pressure_needed:
        plan = replace(plan, pressure_limit_pa=qualifying_limit_pa(plan.pressure_limit_pa, vacuum))
    probe = _probe("oven", certificate.rtd) | _probe("cell", certificate.cell_rtd or certificate.rtd)
    fold = _cell(certificate) | probe | _limits(standard, plan)
    fold |= {"rtd_is_code": 1, "gate_code": GATE_SIGMAS * certificate.stability.noise_counts}
    said = _vacuum_declared(standard, gauge=False) if vacuum is None else _vacuum_measured(standard, vacuum)
    return RunParameters(plan, fold, Phase.TARE, (*said, _temperature_declared(standard, certificate)), vacuum)


def with_declared_mass(parameters: RunParameters, mass_g: float | None) -> RunParameters:
    """Get the terms of a run with what its sample is said to have in g, as a kitchen scale shows it (None: nothing).

    Raises ``BadInput`` for a mass that the cell cannot weigh.
    """
    plan = parameters.plan
    if mass_g is None:
        return parameters
    if not plan.least_g <= mass_g <= plan.capacity_g:
        grams = 1000.0 * mass_g
        were_kg = f" ({mass_g:g} kg are {grams:g} g)" if plan.least_g <= grams <= plan.capacity_g else ""
        raise BadInput(f"mass {mass_g:g}: give grams, from {plan.least_g:g} to the cell's {plan.capacity_g:g}{were_kg}")
    return replace(parameters, plan=replace(plan, declared_g=mass_g))


def stability_g(certificate: Certificate) -> float:
    """Get how far the halves of a weighing may be apart, beyond their noise, on a cell that wanders."""
    stability = certificate.stability
    return max(stability.zero_drift_g / 5.0, 4.0 * stability.zero_walk_g, stability.zero_drift_g_per_h)


@dataclass(frozen=True, slots=True)
class RecordingShape:
    """What a recording holds: its quantity (``counts``, ``mass_g``), its median interval, and which columns it has.

    ``gate`` is how far from its neighbours' median a value may be (0: no gate), in the quantity's unit;
    ``temp_declared_c`` stands in for a temperature that was not recorded (None: it was).
    """

    quantity: str
    interval_s: float
    gate: float
    temp_declared_c: float | None
    has_cell_temp: bool
    has_pressure: bool


def unjudgeable(standard: Standard, certificate: Certificate | None, shape: RecordingShape) -> Invalid | None:
    """Say why a recording cannot be judged, whatever it holds (None: it can)."""
    temp_c = shape.temp_declared_c
    if temp_c is not None and not _in_band(standard, temp_c):
        band = f"{standard.temp_c.value:g} ± {standard.temp_band_c.value:g} °C"
        why = f"a declared temperature of {temp_c:g} °C qualifies no second of a hold at {band}: record the oven's"
        return Invalid(InvalidReason.DECLARED_OUT_OF_BAND, why)
    if certificate is not None and shape.quantity == "counts" and certificate.tare_counts is None:
        why = (
            "codes without a tare: the code of the empty holder is not known, and so no mass; give it as tare_counts "
            "in the certificate"
        )
        return Invalid(InvalidReason.TARE_UNKNOWN, why)
    return None


def _gap_s(interval_s: float) -> float:
    """Get from which distance of two seconds on something was not seen: one refused reading is no gap."""
    if interval_s < SEVERAL_A_SECOND_S:
        return LIVE_GAP_S
    return 2.5 * max(1.0, interval_s)  # frames are whole seconds


def _in_band(standard: Standard, temp_c: float) -> bool:
    return abs(temp_c - standard.temp_c.value) <= standard.temp_band_c.value


def commanded_parameters(
    standard: Standard, certificate: Certificate, shape: RecordingShape, *, zero_after: bool
) -> RunParameters:
    """Get the parameters of a recording of codes that says what was commanded: a live run's plan, rests and all.

    ``zero_after``: the zero was taken again after M2. What the recording does not hold is declared, as of any other.
    """
    recorded = replay_parameters(standard, certificate, "cold", shape)
    live = live_parameters(standard, certificate, stability_g=stability_g(certificate), zero_after=zero_after)
    plan = replace(
        live.plan,
        gap_s=recorded.plan.gap_s,
        temp_needed=recorded.plan.temp_needed,
        pressure_limit_pa=recorded.plan.pressure_limit_pa,
        pressure_needed=recorded.plan.pressure_needed,
    )
    fold = {name: value for name, value in recorded.fold.items() if name != "tare_code"} | _limits(standard, plan)
    declared = tuple(line for line in recorded.declared if not line.startswith("tare: "))
    return RunParameters(plan, fold, Phase.TARE, declared)


def replay_parameters(
    standard: Standard, certificate: Certificate | None, weigh: Literal["cold", "hot"], shape: RecordingShape
) -> RunParameters:
    """Get the parameters of a replay: what the recording holds decides what is measured and what declared."""
    temp_declared_c = shape.temp_declared_c
    outside = temp_declared_c is not None and not _in_band(standard, temp_declared_c)
    # A declared temperature qualifies nothing outside the band: it is then looked at like one that was measured.
    measured = temp_declared_c is None or outside
    plan = plan_from_standard(standard, weigh, temp_measured=measured, gauge=shape.has_pressure)
    # A recording is as long as it is: nothing is waited for that nobody would wait for again.
    plan = replace(
        plan,
        gap_s=_gap_s(shape.interval_s),
        hot_window_s=min(plan.window_s, plan.hold_s / HOT_WINDOWS),
        dwell_s=0.0,
        pump_wait_s=0.0,
        weigh_max_s=math.inf,
        ramp_max_s=math.inf,
        hold_extra_s=math.inf,
        cool_max_s=math.inf,
    )
    declared = _vacuum_declared(standard, shape.has_pressure)
    if temp_declared_c is not None:
        declared.append(f"temperature: {temp_declared_c:g} °C; the recording has none")
    fold = _limits(standard, plan) | {"gate_code": shape.gate, "rtd_is_code": 0}
    if certificate is not None and shape.quantity != "counts":
        declared.append(f"certificate: {certificate.name} was not used; the recording is of masses")
    elif certificate is not None:
        fold |= _cell(certificate)
        from_oven = certificate.temperature.cell_source == "oven_lag" and temp_declared_c is None
        if not shape.has_cell_temp and not from_oven:
            fold["cell_source"] = 2
            declared.append("load cell temperature: not recorded, so nothing is compensated")
        if certificate.tare_counts is not None:
            fold["tare_code"] = certificate.tare_counts
            declared.append(f"tare: {certificate.tare_counts:.0f} codes, as the certificate has it; none was recorded")
    return RunParameters(plan, fold, Phase.RAMP if weigh == "hot" else Phase.M1, tuple(declared))
