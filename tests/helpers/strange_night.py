"""A strange rig measured by the software: calibrated on its own readings, taken through a night, and judged.

Only what a person and a rig could give goes in: codes, temperatures, words. This module must never look at a rig's
laws, but for what is put on it.
"""

from __future__ import annotations

import copy
import datetime
import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from msgspec.structs import replace as with_fields
from strange_physics import CAPACITY_G, HOUR, T_REF_C, Seconds, StrangeRig

from calibration import certificate as cal
from calibration.calibration_record import Point, PressureRecord
from calibration.errors import CalibrationError
from calibration.loadcell import SpanPoint
from calibration.pressure import fit_pressure
from edge.errors import StillMoving
from edge.guided_calibration.certify import CELL_PROBE_U_C
from edge.guided_calibration.fits import CellTemperature, Night, Subject, fit_all, make_certificate
from edge.guided_calibration.readings import Readings, noise_code, span_point, steady_code
from edge.guided_calibration.steps import REST_S, TRIES, WEIGH_S
from edge.procedure.definition import EndedRun, RunDefinition
from edge.procedure.parameters import RunParameters, live_parameters, stability_g
from edge.procedure.pipeline import OperatorCommand, Pipeline
from edge.records.command import OperatorWord
from edge.records.earlier_load import EarlierLoad
from edge.records.frame import Channel, Frames
from edge.records.phase import Phase
from edge.records.result import Result
from edge.records.run import RunKind
from edge.records.sample import Air, Sample
from edge.records.weighing import WeighingKind
from edge.standards.standard import Standard
from edge.verdict.judge import judge_run

TODAY = datetime.date(2026, 11, 26)
REF_OHM = 430.0
RTD = cal.Rtd(ref_ohm=REF_OHM, r0_ohm=100.0, lead_ohm=0.0, wires=4, tolerance_class="A", u_temp_c=0.3)
SPS = 2
AFTER_S = 6 * HOUR
"""The cell rests so long, empty, before a night."""
PUMPED_S = 600
"""The cell is left alone so long after it was pumped down, or vented."""
VACUUM_HPA = 1.0
WEIGHTS_G = (0.0, 50.0, 100.0, 200.0, 300.0)
LONGEST_S = 30 * HOUR
CHUNK_S = {Phase.RAMP: 300, Phase.HOLD: 900, Phase.COOL: 120}


def codes(rig: StrangeRig, of: Seconds) -> np.ndarray:
    """Get the converter's codes: so many a second, with white noise, in whole numbers."""
    p = rig.physics
    white = rig.rng.standard_normal((len(of.code), SPS)) * p.white_g * abs(p.codes_per_g)
    return np.rint(of.code[:, None] + white)


def read(rig: StrangeRig, seconds: int, each_s: int = 60) -> Readings:
    """Record as the guided calibration does: means over a minute (or a second), with the noise of single samples."""
    of = rig.seconds(seconds)
    n = seconds // each_s

    def means(values: np.ndarray) -> np.ndarray:
        return values[: n * each_s].reshape(n, -1).mean(axis=1)

    raw = codes(rig, of)
    sd = np.std(raw, axis=1, ddof=1)
    noise = np.median(sd[: n * each_s].reshape(n, each_s), axis=1)
    t_s = np.arange(n) * float(each_s) + each_s / 2.0
    air_pa = means(rig.barometer_log(seconds))
    return Readings(t_s, means(raw), noise, means(_probe(rig, of.cell_c)), means(_probe(rig, of.oven_c)), air_pa)


def _probe(rig: StrangeRig, temp_c: np.ndarray) -> np.ndarray:
    return temp_c + 0.015 * rig.rng.standard_normal(len(temp_c))


def _then(*parts: Readings) -> Readings:
    begins = np.cumsum([0.0, *(60.0 * len(p.t_s) for p in parts[:-1])])
    t_s = np.concatenate([p.t_s + begin for p, begin in zip(parts, begins, strict=True)])
    rest = ([getattr(p, name) for p in parts] for name in ("code", "sd_code", "cell_c", "oven_c", "air_pa"))
    return Readings(t_s, *(np.concatenate(columns) for columns in rest))


def _weigh(rig: StrangeRig, mass_g: float, u_g: float, *, rising: bool, before: list[float]) -> SpanPoint:
    """Weigh a check weight as the guided calibration does: again where the code still moves."""
    rig.seconds(REST_S)
    for _ in range(TRIES - 1):
        try:
            return span_point(read(rig, WEIGH_S, 1), mass_g, u_g, rising=rising, before=before)
        except StillMoving:
            continue
    return span_point(read(rig, WEIGH_S, 1), mass_g, u_g, rising=rising, before=before)


def _pumped(rig: StrangeRig) -> PressureRecord | None:
    """Read the empty holder in air, under vacuum and in air again (None: it does not come to rest)."""
    air_hpa, points = rig.barometer()[0], list[Point]()
    rig.cell_inside = True
    try:
        for rig.vacuum in (False, True, False):
            rig.seconds(PUMPED_S)
            points.append(_point(read(rig, WEIGH_S, 1), float(rig.now_s)))
    except StillMoving:
        return None
    finally:
        rig.cell_inside = rig.vacuum = False
    before, vacuum, after = points
    return PressureRecord(air_hpa=air_hpa, vacuum_hpa=VACUUM_HPA, u_hpa=1.0, before=before, vacuum=vacuum, after=after)


def _point(of: Readings, wall_s: float) -> Point:
    value = steady_code(of)
    return Point(
        mass_g=0.0,
        code=value.mean,
        u_code=value.u,
        rising=True,
        noise_code=noise_code(of),
        n=value.n,
        wall_s=wall_s,
        cell_c=float(np.mean(of.cell_c)),
    )


@dataclass(frozen=True)
class Exercise:
    """What a rig showed in the guided calibration's steps; ``pumped`` belongs to none of the certificate's."""

    points: tuple[SpanPoint, ...]
    night: Night
    pumped: PressureRecord | None


def exercise(rig: StrangeRig) -> Exercise:
    """Put weights on, up and down, and take two cycles of the oven, one empty and one under 200 g.

    Raises what the guided calibration raises.
    """
    u_g = 0.003
    off_g = {m: u_g * float(rig.rng.standard_normal()) if m else 0.0 for m in WEIGHTS_G}
    points: list[SpanPoint] = []
    for rising, masses in ((True, WEIGHTS_G), (False, WEIGHTS_G[-2::-1])):
        for m in masses:
            rig.place(m + off_g[m])
            before = [p.code for p in points]
            points.append(_weigh(rig, m, u_g if m else 0.0, rising=rising, before=before))
    rig.place()
    cycles, settling = [], None
    for weight_g in (0.0, 200.0):
        rig.rest(AFTER_S)
        rig.begin(calibration=True)
        rig.place(weight_g + off_g[weight_g])
        settling = read(rig, 2 * HOUR)
        cold = read(rig, HOUR)
        rig.hot = True
        warm = read(rig, 3 * HOUR)
        rig.hot = False
        cycles.append(_then(cold, warm, read(rig, 4 * HOUR)))
    rig.place()
    returning = read(rig, 2 * HOUR)
    return Exercise(
        tuple(points), Night(cycles[0], cycles[1], settling, weight_g=200.0, returning=returning), _pumped(rig)
    )


def calibrate(rig: StrangeRig) -> cal.Certificate:
    """Make a certificate of a rig. Raises what the guided calibration raises."""
    return certified(exercise(rig))


def certified(shown: Exercise, *, air_read: bool = False) -> cal.Certificate:
    """Make the certificate of what a rig showed, with a barometer beside its nights or without.

    Raises what the guided calibration raises.
    """
    night = shown.night if air_read else _without_barometer(shown.night)
    found = fit_all(list(shown.points), night, capacity_g=CAPACITY_G, t_ref_c=T_REF_C)
    subject = Subject(
        name="strange",
        made_by="bench",
        made_at=TODAY,
        cell=cal.Cell(capacity_g=CAPACITY_G, serial="strange"),
        bridge=cal.BridgeChip(chip="nau7802", gain=128),
        rtd=RTD,
    )
    return make_certificate(found, subject, CellTemperature(CELL_PROBE_U_C))


def _without_barometer(night: Night) -> Night:
    def bare(of: Readings | None) -> Readings | None:
        return None if of is None else replace(of, air_pa=None)

    return replace(
        night,
        empty=bare(night.empty),
        loaded=bare(night.loaded),
        settling=bare(night.settling),
        returning=bare(night.returning),
    )


def with_pressure(certificate: cal.Certificate, shown: Exercise) -> cal.Certificate | None:
    """Get the certificate with what the air's pressure does to the zero (None: that was not to be seen)."""
    if shown.pumped is None:
        return None
    t = certificate.temperature
    found = fit_pressure(shown.pumped, certificate.span.counts_per_g, t.zero_counts_per_k, t.u_zero_counts_per_k)
    stability = with_fields(certificate.stability, zero_g_per_kpa=found.g_per_kpa, u_zero_g_per_kpa=found.u_g_per_kpa)
    return with_fields(certificate, stability=stability)


class _Recorder:
    """A rig's frames: seconds numbered from 0, some of them never seen."""

    def __init__(self, rig: StrangeRig) -> None:
        self._rig = rig
        self._second = 0
        self._hole_to = -1

    def frames(self, seconds: int) -> Frames:
        rig = self._rig
        of = rig.seconds(seconds)
        raw = codes(rig, of)
        seq = np.arange(self._second, self._second + seconds)
        self._second += seconds
        seen = self._seen(seq)

        def probe(temp_c: np.ndarray) -> Channel:
            t = _probe(rig, temp_c)[seen]
            ohm = 100.0 * (1.0 + 3.9083e-3 * t - 5.775e-7 * t * t)  # IEC 60751, above 0 °C
            n = len(t)
            code = np.rint(ohm / REF_OHM * 32768.0 + 0.5 * rig.rng.standard_normal(n))
            return Channel(code.astype("<u2"), np.zeros(n, "u1"), np.zeros(n, "u1"))

        n = int(np.count_nonzero(seen))
        return Frames(
            seq=seq[seen].astype("<i8"),
            t_ns=(seq[seen] * 1_000_000_000).astype("<i8"),
            first=np.arange(n + 1, dtype="<i8") * SPS,
            sample_us=np.tile(((np.arange(SPS) + 0.5) / SPS * 1e6).astype("<i4"), n),
            code=raw[seen].ravel().astype("<i4"),
            status=np.zeros(n * SPS, "u1"),
            oven=probe(of.oven_c),
            cell=probe(of.cell_c),
            gauge=Channel(np.zeros(n, "<u2"), np.zeros(n, "u1"), np.ones(n, "u1")),
        )

    def _seen(self, seq: np.ndarray) -> np.ndarray:
        rig = self._rig
        seen = seq > self._hole_to
        if rig.physics.holes_per_h:
            for begin in seq[rig.rng.random(len(seq)) < rig.physics.holes_per_h / HOUR].tolist():
                self._hole_to = max(self._hole_to, begin + int(rig.rng.integers(2, 90)))
                seen &= (seq < begin) | (seq > self._hole_to)
        seen[-1] = True
        return seen


@dataclass(frozen=True)
class Taken:
    """A night that was taken, and what was true: masses in the middle of M1 and M2, dry and as they were."""

    pipeline: Pipeline
    day: datetime.date
    opened_g: float
    m1_g: float
    m2_g: float
    m2_dry_g: float
    air: tuple[Air, ...]
    earlier: tuple[EarlierLoad, ...] = ()

    @property
    def loss_pct(self) -> float:
        """Get the loss against what was opened, dry."""
        return (self.opened_g - self.m2_dry_g) / self.opened_g * 100.0

    @property
    def weighed_pct(self) -> float:
        """Get the loss between the two weighings, water and all."""
        return (self.m1_g - self.m2_g) / self.m1_g * 100.0


def _earlier_loads(rig: StrangeRig) -> tuple[EarlierLoad, ...]:
    """Get what a station knows of the runs before, and of the calibration: what hung, how long, and since when not."""
    long = [(on_s, off_s, g) for on_s, off_s, g in rig.hung() if off_s - on_s > HOUR]
    return tuple(
        EarlierLoad(of="run 1", mass_g=g, hung_s=off_s - on_s, rested_s=rig.now_s - off_s, rest="measured")
        for on_s, off_s, g in reversed(long[-4:])
    )


def night(
    rig: StrangeRig, standard: Standard, certificate: cal.Certificate, place: Callable[[], None], *, zero_after: bool
) -> Taken:
    """Take a whole test of what ``place`` puts on: tare, load, M1, pump, heat, hold, cool, vent, M2, second zero."""
    rig.rest(AFTER_S)
    rig.begin()
    earlier = _earlier_loads(rig)
    recorder = _Recorder(rig)
    terms = live_parameters(standard, certificate, stability_g=stability_g(certificate), zero_after=zero_after)
    frames = recorder.frames(60)
    pipeline = Pipeline(terms, int(frames.t_ns[0]))
    phase, since, second, track, opened_g = Phase.TARE, 0, 60, [], 0.0
    air: dict[Phase, Air] = {}
    pipeline.feed(frames)
    while pipeline.phases.phase is not Phase.DONE and second < LONGEST_S:
        if pipeline.phases.phase is not phase:
            phase, since = pipeline.phases.phase, second
        waited = second - since
        rig.hot = phase in (Phase.RAMP, Phase.HOLD)
        rig.vacuum = phase in (Phase.PUMP, Phase.RAMP, Phase.HOLD) or (phase is Phase.COOL and rig.oven_c > 45.0)
        if phase is Phase.LOAD and waited == 0:
            place()
            opened_g = rig.opened_g
        if phase is Phase.ZERO and waited == 0:
            rig.place()
        word = {Phase.TARE: OperatorWord.TARE, Phase.LOAD: OperatorWord.LOAD, Phase.ZERO: OperatorWord.ZERO}.get(phase)
        if word is not None and waited >= 60 and (waited - 60) % 1800 == 0:
            pipeline.command(OperatorCommand(int(frames.seq[-1]) + 1, word))
        frames = recorder.frames(CHUNK_S.get(phase, 60))
        second += CHUNK_S.get(phase, 60)
        if phase in (Phase.M1, Phase.M2):
            track.append((second, rig.sample_g, rig.dry_g))
            air[phase] = Air(*rig.barometer())
        pipeline.feed(frames)
    pipeline.finish("the night was over")
    weighings = pipeline.phases.weighings
    true: dict[WeighingKind, tuple[float, float]] = {}
    for kind in (WeighingKind.M1, WeighingKind.M2):
        if (w := weighings.get(kind)) is not None and track:
            middle_s = (w.from_s + w.to_s) / 2.0
            at, wet, dry = zip(*track, strict=True)
            true[kind] = (float(np.interp(middle_s, at, wet)), float(np.interp(middle_s, at, dry)))
    nothing = (math.nan, math.nan)
    m1, m2 = true.get(WeighingKind.M1, nothing), true.get(WeighingKind.M2, nothing)
    return Taken(pipeline, TODAY, opened_g, m1[0], m2[0], m2[1], tuple(air.values()), earlier)


def judge(
    taken: Taken,
    standard: Standard,
    certificate: cal.Certificate,
    *,
    is_blank: bool = False,
    blank: Result | None = None,
    with_zero: bool = True,
    air_read: bool = False,
) -> Result:
    """Judge a night, with or without its second zero, a blank, and the room's air read at M1 and M2."""
    phases = copy.copy(taken.pipeline.phases)
    if not with_zero:
        phases.plan = replace(phases.plan, zero_after=False)
        phases.weighings = {k: w for k, w in phases.weighings.items() if k is not WeighingKind.ZERO}
    definition = RunDefinition(
        Sample("strange", air=taken.air if air_read else ()),
        operator="",
        kind=RunKind.SIMULATED,
        standard=standard,
        certificate=certificate,
        parameters=RunParameters(phases.plan, {}, Phase.TARE, ()),
        blank=blank,
        is_blank=is_blank,
        earlier_loads=taken.earlier,
    )
    return judge_run(EndedRun(definition, phases, TODAY))


REFUSED = (CalibrationError, ValueError)
"""What the guided calibration raises where it refuses."""
