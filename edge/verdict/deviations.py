"""What a run did otherwise than the method asks: the specimen's record held against the standard's file.

Each deviation says who asks: the text as a person checked it, the file unchecked, or our own assumption. This module
must never change a verdict, and never take what nobody wrote down for done.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

from msgspec import UNSET

from edge.procedure.definition import EndedRun
from edge.records.balance import BalanceMass
from edge.records.deviation import Asked, DeviationKind, DeviationTold
from edge.records.result import HappenedKind, Result
from edge.records.specimen import AGREES, HandOver, Opening, SeenBefore, Specimen, VisualCheck, same_name
from edge.records.weighing import WeighingKind
from edge.standards.standard import Field, Standard

U_M1_REL = 0.001
"""Of M1: what a load cell's span may be off by when M1 is held against another balance's M0."""
KINDS_OF_PLACE = {"dry_room": "a dry room", "glove_box": "a glove box", "open_bench": "an open bench"}


def deviations(ended: EndedRun, result: Result) -> tuple[DeviationTold, ...]:
    """Get all deviations from the method, in the order of the test; none of a blank, whose dummy is no specimen."""
    definition = ended.definition
    if not definition.is_a_cell:
        return ()
    return (
        *_of_rig(ended),
        *_of_specimen(ended, result),
        *_of_weighing(ended, result),
        *_of_balance(ended, result),
    )


def _of_rig(ended: EndedRun) -> Iterator[DeviationTold]:
    """Tell where the rig was shown fit once, and is not any more."""
    for shown in ended.definition.rig_shown:
        if shown.fit and shown.lapsed is not None:
            why = f"run {shown.run_id} showed the rig fit ({shown.kind}), and it is not shown any more: {shown.lapsed}"
            yield DeviationTold(kind=DeviationKind.FITNESS_LAPSED, why=why, asked="assumed")


def _of_specimen(ended: EndedRun, result: Result) -> Iterator[DeviationTold]:
    definition = ended.definition
    standard, specimen = definition.standard, definition.specimen
    if specimen is None:
        asked = [
            name for name in ("visual_check", "opening", "activation", "mass_before_opening") if standard.asks(name)
        ]
        if asked:
            why = "nothing is recorded of who the specimen is, how it was opened, and what was seen"
            yield _told(DeviationKind.NO_SPECIMEN_RECORD, why, standard, asked[0])
        if standard.asks("visual_check"):
            yield _no_visual_check(standard)
        return
    yield from _of_identity(specimen, standard, definition.seen_before, ended.hand_overs)
    yield from _of_opening(specimen.opening, standard)
    yield from _of_check(specimen.visual_check, specimen.opening, standard)
    yield from _of_m0(specimen, ended, result)
    yield from _of_other_days(specimen, definition.seen_before, result)


def _of_identity(
    specimen: Specimen, standard: Standard, seen: Sequence[SeenBefore], in_test: Sequence[HandOver]
) -> Iterator[DeviationTold]:
    for other in (s for s in seen if not s.agrees):
        had = f"{other.maker} {other.model}, M0 " + ("not recorded" if other.m0_g is None else f"{other.m0_g:g} g")
        why = f"serial {specimen.serial} was on {had} in run {other.run_id}; said of it: {specimen.differs_because}"
        yield _contradiction(DeviationKind.SERIAL_CONTRADICTS, why, unexplained=specimen.differs_because is None)
    for seal in specimen.seals:
        if seal.found == "broken":
            at = f" ({seal.where})" if seal.where else ""
            why = f"seal {seal.number}{at} was broken" + _because(seal.because)
            yield _contradiction(DeviationKind.SEAL_BROKEN, why, unexplained=seal.because is None)
    hands = sorted((*specimen.hand_overs, *in_test), key=lambda h: h.at)
    for before, after in pairwise(hands):
        if not same_name(before.taken_by, after.given_by):
            why = f"{before.taken_by} had it from {before.at:%Y-%m-%d %H:%M} on, and {after.given_by} handed it over"
            why += _because(after.because)
            yield _contradiction(DeviationKind.HANDS_BROKEN, why, unexplained=after.because is None)
    if standard.asks("activation") and specimen.activation is None:
        yield _told(
            DeviationKind.NOT_ACTIVATED, "no activation by charge and discharge is recorded", standard, "activation"
        )
    if standard.asks("state_of_charge") and specimen.state_of_charge_pct is None:
        why = "the state of charge is not recorded"
        yield _told(DeviationKind.STATE_OF_CHARGE_UNKNOWN, why, standard, "state_of_charge")


def _of_opening(opening: Opening | None, standard: Standard) -> Iterator[DeviationTold]:
    if opening is None:
        if standard.asks("opening"):
            why = "no opening is recorded: from a sealed cell no vapour can leave, and it loses nothing"
            yield _told(DeviationKind.NOT_OPENED, why, standard, "opening")
        return
    least = standard.opening_min_mm2
    if least is not None and opening.area_mm2 is None:
        why = "how large the opening is was not measured"
        yield _told(DeviationKind.OPENING_NOT_MEASURED, why, standard, "opening_min_mm2")
    elif least is not None and opening.area_mm2 is not None and opening.area_mm2 < least.value:
        why = (
            f"the opening has {opening.area_mm2:g} mm², and {least.value:g} mm² are asked: vapour may not leave in time"
        )
        yield _told(DeviationKind.OPENING_SMALL, why, standard, "opening_min_mm2")
    yield from _of_place(opening, standard)


def _of_place(opening: Opening, standard: Standard) -> Iterator[DeviationTold]:
    place, allowed, dew = opening.surroundings, standard.surroundings, standard.dew_point_max_c
    if place is None:
        if allowed is not None:
            yield _told(
                DeviationKind.SURROUNDINGS_UNKNOWN, "where it was opened is not recorded", standard, "surroundings"
            )
        return
    if allowed is not None and place.kind not in allowed.value:
        asked = " or ".join(KINDS_OF_PLACE[kind] for kind in allowed.value)
        why = f"it was opened on {KINDS_OF_PLACE[place.kind]}, and {asked} is asked"
        yield _told(DeviationKind.OPEN_BENCH, why, standard, "surroundings")
    if dew is not None and place.dew_point_c is None:
        yield _told(DeviationKind.DEW_POINT_UNKNOWN, "the dew point there is not recorded", standard, "dew_point_max_c")
    elif dew is not None and place.dew_point_c is not None and place.dew_point_c > dew.value:
        why = f"the dew point there was {place.dew_point_c:g} °C, and {dew.value:g} °C at most is asked"
        yield _told(DeviationKind.WET_ROOM, why, standard, "dew_point_max_c")
    middle, band = standard.surroundings_temp_c, standard.surroundings_band_c
    if middle is None or band is None:
        return
    if place.temp_c is None or abs(place.temp_c - middle.value) > band.value:
        is_ = "is not recorded" if place.temp_c is None else f"was {place.temp_c:g} °C"
        why = f"the temperature there {is_}, and {middle.value:g} ± {band.value:g} °C is asked"
        yield _told(DeviationKind.ROOM_TEMPERATURE, why, standard, "surroundings_temp_c")


def _of_check(check: VisualCheck | None, opening: Opening | None, standard: Standard) -> Iterator[DeviationTold]:
    if check is None:
        if standard.asks("visual_check"):
            yield _no_visual_check(standard)
        return
    if standard.asks("turned_over") and check.turned_over is not True and not check.liquid_seen:
        said = "was not turned over" if check.turned_over is False else "may not have been turned over"
        why = f"the specimen {said} when a liquid was looked for"
        yield _told(DeviationKind.NOT_TURNED_OVER, why, standard, "turned_over")
    if standard.asks("photograph") and check.photograph_sha256 is None:
        why = "no photograph of the opening is recorded"
        yield _told(DeviationKind.NO_PHOTOGRAPH, why, standard, "photograph")
    within = standard.visual_check_within_s
    if within is None or opening is None:
        return
    if check.at is None:
        why = "when a liquid was looked for is not recorded"
        yield _told(DeviationKind.VISUAL_CHECK_UNTIMED, why, standard, "visual_check_within_s")
    elif (late_s := (check.at - opening.opened_at).total_seconds()) > within.value:
        asked = f"{within.value / 60.0:.0f} min is asked"
        why = f"a liquid was looked for {late_s / 60.0:.0f} min after the opening, and {asked}"
        yield _told(DeviationKind.VISUAL_CHECK_LATE, why, standard, "visual_check_within_s")


def _no_visual_check(standard: Standard) -> DeviationTold:
    why = "whether a liquid was seen at the opening is not recorded"
    return _told(DeviationKind.NO_VISUAL_CHECK, why, standard, "visual_check")


def _of_m0(specimen: Specimen, ended: EndedRun, result: Result) -> Iterator[DeviationTold]:
    standard = ended.definition.standard
    if specimen.m0_g is None:
        if standard.asks("mass_before_opening"):
            why = "the mass before the opening (M0) is not recorded"
            yield _told(DeviationKind.NO_M0, why, standard, "mass_before_opening")
        return
    if result.m1_g is not None:
        u_g = (specimen.u_m0_or_assumed_g**2 + (U_M1_REL * result.m1_g) ** 2) ** 0.5
        if result.m1_g - specimen.m0_g > AGREES * u_g:
            had = f"before it was opened it had {specimen.m0_g:g} g"
            why = f"M1 is {result.m1_g:.4f} g, and {had}: another cell, or a slip of the pen"
            yield _contradiction(DeviationKind.M0_BELOW_M1, why, unexplained=True)


def _of_other_days(specimen: Specimen, seen: Sequence[SeenBefore], result: Result) -> Iterator[DeviationTold]:
    """Tell where a serial is on a cell that weighs what the one of the days before cannot.

    A cell that was tested may have taken up again what it had lost, and no more, nor can less of it be there.
    """
    m1_g, newest = result.m1_g, max((s for s in seen if s.agrees), key=lambda s: s.run_id, default=None)
    if newest is None or m1_g is None:
        return
    known = [g for g in (newest.m1_g, newest.m2_g) if g is not None]
    apart_g = AGREES * math.sqrt(2.0) * U_M1_REL * m1_g
    if not known or min(known) - apart_g <= m1_g <= max(known) + apart_g:
        return
    had = " and ".join(f"{g:.4f} g" for g in known)
    why = f"M1 is {m1_g:.4f} g, and in run {newest.run_id} serial {specimen.serial} weighed {had}: another cell came"
    why += f" in between the days, or something was done to it{_because(specimen.differs_because)}"
    yield _contradiction(DeviationKind.OTHER_DAY, why, unexplained=specimen.differs_because is None)


def _of_weighing(ended: EndedRun, result: Result) -> Iterator[DeviationTold]:
    definition, found = ended.definition, ended.phases.weighings.get
    standard, m1, m2 = definition.standard, found(WeighingKind.M1), found(WeighingKind.M2)
    if definition.parameters.plan.weigh == "hot" and standard.weigh.value == "cold":
        why = "judged from the hold alone, while it was hot: the method weighs cold, before and after"
        yield _told(DeviationKind.JUDGED_HOT, why, standard, "weigh")
    if m1 is None:
        return
    on_balance = _masses_that_count(result)
    losing = any(h.what is HappenedKind.SLOPE and h.from_s == m1.from_s for h in result.happened)
    if losing:
        why = "M1 was taken early: the sample was still losing, and what had left by then is in no loss"
        yield _told(DeviationKind.M1_EARLY, why, standard, "reference")
    ago_s, within = definition.sample.opened_ago_s, standard.m1_within_s
    m1_s = on_balance[WeighingKind.M1].weighed_s if WeighingKind.M1 in on_balance else m1.from_s
    if ago_s is not None and within is not None and (late_s := m1_s + ago_s) > within.value:
        why = f"M1 was taken {late_s / 60.0:.0f} min after the opening, and {within.value / 60.0:.0f} min is asked"
        yield _told(DeviationKind.M1_LATE, why, standard, "m1_within_s")
    finest = standard.balance_max_uncertainty_g
    us = [m.u_g for m in on_balance.values() if m.u_g is not None] or [w.value.u for w in (m1, m2) if w is not None]
    worst_g = max(us)
    if finest is not None and worst_g > finest.value:
        why = f"a mass is known to u = {worst_g:.2g} g, and {finest.value:g} g at most is asked"
        yield _told(DeviationKind.WEIGHING_COARSE, why, standard, "balance_max_uncertainty_g")


def _masses_that_count(result: Result) -> dict[WeighingKind, BalanceMass]:
    """Get the masses of the laboratory's balance that a result rests on: both, or none."""
    found = {} if result.balance is UNSET else {m.which: m for m in result.balance.masses if m.counts}
    return found if {WeighingKind.M1, WeighingKind.M2} <= found.keys() else {}


def _of_balance(ended: EndedRun, result: Result) -> Iterator[DeviationTold]:
    """Tell how long the sample was carried in air, and where rig and balance weighed two things."""
    if result.balance is UNSET:
        return
    if result.balance.in_air_s is not None and _masses_that_count(result):
        minutes = result.balance.in_air_s / 60.0
        why = f"the sample was off the rig, in air, for {minutes:.0f} min before M2: what it took up there nobody saw"
        yield DeviationTold(kind=DeviationKind.CARRIED_IN_AIR, why=why, asked="assumed")
    for mass in (m for m in result.balance.masses if m.counts):
        if mass.after_end_s is not None:
            why = f"{mass.which.upper()} came {mass.after_end_s / 3600.0:.1f} h after the run's end, by {mass.who}"
            yield DeviationTold(kind=DeviationKind.MASS_AFTER_END, why=why, asked="record")
        rig = ended.phases.weighings.get(mass.which)
        if rig is None or mass.u_g is None:
            continue
        apart_g = mass.mass_g - rig.value.mean
        if abs(apart_g) > AGREES * math.hypot(U_M1_REL * mass.mass_g, rig.value.u, mass.u_g):
            why = (
                f"{mass.which.upper()} is {mass.mass_g:.10g} g on balance {mass.balance} and {rig.value.mean:.4f} g on "
                "the rig: another cell, a slip of the pen, or a wrong span"
            )
            yield _contradiction(DeviationKind.CELL_CHANGED, why, unexplained=True)


def _because(said: str | None) -> str:
    return "; nobody says why" if said is None else f"; said of it: {said}"


def _contradiction(kind: DeviationKind, why: str, *, unexplained: bool) -> DeviationTold:
    return DeviationTold(kind=kind, why=why, asked="record", unexplained=unexplained)


def _told(kind: DeviationKind, why: str, standard: Standard, asked_by: str) -> DeviationTold:
    return DeviationTold(kind=kind, why=why, asked=_who_asks(getattr(standard, asked_by)))


def _who_asks(field: Field[object]) -> Asked:
    return "assumed" if field.assumed else "verified" if field.verified else "unverified"
