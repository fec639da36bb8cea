"""The report as plain text: for a terminal, a mail, a printer.

It shows the result's record and computes nothing. An INVALID run shows its reason and no loss.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from msgspec import UNSET

from calibration.visible_text import visible
from edge.database.queries import RunListed
from edge.records.deviation import VisualCheckFound
from edge.records.event import CommandRefused, Event, PhaseChanged
from edge.records.result import Result, Verdict
from edge.records.run import RunKind
from edge.uncertainty.components import NOISE
from edge.uncertainty.forecast import Forecast
from edge.verdict.wording import came_late, contradicted, first_words, whole_meaning

from .assumed import NB, assumed_name, assumed_value
from .balance_text import balance_lines
from .decimals import decimals as decimals
from .language import Language, Words
from .specimen_text import checked_line, deviation_lines, specimen_lines

NOT_KNOWN, NOT_WEIGHED = "not known", "not weighed"


def text(result: Result) -> str:
    """Get a result as text of several lines."""
    return "\n".join(map(visible, _lines(result)))


def forecast_text(forecast: Forecast) -> str:
    """Get a forecast (:func:`edge.uncertainty.forecast.forecast`) as text of several lines."""
    f = forecast
    places = decimals(f.U_pct)
    smallest = f.smallest_sample_g
    lines = [
        f"A sample of {f.sample_mass_g:g} g, by {f.designation}, with {f.certificate}:",
        f"  the limit of {f.limit_pct:g} % is {f.limit_g * 1000.0:.4g} mg",
        f"  U = {f.U_pct:.{places}f} % (k = {f.k:.2f}): PASS up to {f.passes_below_pct:.{places}f} %, "
        f"FAIL from {f.fails_above_pct:.{places}f} % on, INCONCLUSIVE between",
        "  good enough: U is at most a third of the limit"
        if f.worth_it
        else "  not good enough: U is more than a third of the limit",
        "  no sample on this load cell can be judged that well: see what weighs most"
        if smallest is None
        else f"  the smallest sample that can be judged that well: {smallest:.3g} g",
        f"  minimum weight (EURAMET cg-18, safety factor {f.safety_factor:g}): {_minimum(f.minimum_weight_g)}",
        f"  with a second zero after M2: U = {f.U_pct_with_second_zero:.{places}f} %",
        "",
        "  what weighs most:",
    ]
    if f.pressure_read:
        lines[-2:-2] = ["  with the barometer of the settings, in a night of usual weather"]
    if f.on_balance is not None:
        b = f.on_balance
        lines[-2:-2] = [
            f"  with M1 and M2 on balance {b.name}: U = {b.U_pct:.{decimals(b.U_pct)}f} %, minimum weight "
            f"{_minimum(b.minimum_weight_g)}"
        ]
    lines += [
        f"    {c.contribution_pct:.2g} %  {c.name} ({c.origin}: {c.why})"
        for c in f.budget
        if c.contribution_pct >= 0.05 * f.u_pct
    ]
    return "\n".join(map(visible, lines))


def _minimum(mass_g: float | None) -> str:
    return "none on this one" if mass_g is None else f"{mass_g:.3g} g"


def headline(result: Result) -> str:
    """Get the verdict in one line, with what it rests on that was only declared."""
    if result.suitability is not UNSET:
        return f"No verdict on a cell, a {result.suitability.in_a_line()}"
    if result.verdict is Verdict.INVALID or result.loss_pct is None or result.U_pct is None:
        seen = first_words(result) if result.visual_check is VisualCheckFound.LIQUID_SEEN else ""
        return f"INVALID: {seen}{result.invalid_because}{contradicted(result)}{came_late(result)}"
    places = decimals(result.U_pct)
    true, beside = result.true_loss_pct, result.without_declared
    on = f" on {' and '.join(result.on_declared)}" if result.on_declared else ""
    line = (
        f"{result.verdict}{on}: {first_words(result)}loss {result.loss_pct:.{places}f} % ± {result.U_pct:.{places}f} % "
        f"(k = {result.k:.2f}), limit {result.comparator} {result.limit_pct:g} %, "
        f"conformance probability {probability(result.pc)}"
    )
    if (other := result.pc_otherwise) is not UNSET:
        line += f" ({probability(other.pc)} by {other.by})"
    if beside:
        line += f"; without what is declared: {beside.verdict}, ± {two_digits(beside.U_pct)} %"
    line += contradicted(result) + came_late(result)
    return line + (f"; true loss {true:.{places}f} %" if isinstance(true, float) else "")


def short_headline(result: Result) -> str:
    """Get what the first sentence says beside the verdict and its numbers, in short; '' where that is all it says."""
    on = f"on {' and '.join(result.on_declared)}" if result.on_declared and result.loss_pct is not None else ""
    words = first_words(result).removesuffix("; ")
    more = (contradicted(result) + came_late(result)).removeprefix("; ")
    return "; ".join(part for part in (on, words, more) if part)


def probability(p: float | None) -> str:
    """Write a probability with four decimals; never as certain."""
    if p is None:
        return "not known"
    return "> 0.9999" if p > 0.9999 else "< 0.0001" if p < 0.0001 else f"{p:.4f}"


def loss_and_expanded(result: Result | RunListed) -> tuple[str, str]:
    """Write a loss and its U in % with the digits that U gives them; '' where there is none."""
    if result.loss_pct is None or result.U_pct is None:
        return "", ""
    places = decimals(result.U_pct)
    return f"{result.loss_pct:.{places}f}", f"{result.U_pct:.{places}f}"


def event_line(event: Event) -> str | None:
    """Get the line that is shown at a change of phase, or where a step was not taken; None for other events."""
    at = f"{event.t_s / 3600.0:6.2f} h  "
    what = event.what
    if isinstance(what, PhaseChanged):
        return visible(f"{at}{what.left} -> {what.entered}: {what.why}")
    if isinstance(what, CommandRefused):
        return visible(f"{at}refused: {what.why}")
    return None


def two_digits(u: float) -> str:
    """Write an uncertainty with two significant digits."""
    return f"{u:.{decimals(u)}f}" if u == 0.0 or u >= 1e-4 else f"{u:.1e}"


def _lines(r: Result) -> Iterator[str]:
    standard = r.standard
    yield f"Sample {r.sample_id} ({r.kind}), weighed {r.weigh}, by {standard.designation}: {standard.subject}"
    yield headline(r)
    for a in r.amends or ():
        numbers = a.loss_pct is not None and a.U_pct is not None
        was = f"{a.verdict}, loss {a.loss_pct:.3g} ± {a.U_pct:.2g} %" if numbers else a.verdict
        said = f"by {a.who}, {a.at_utc[:19]} UTC; the old result's SHA-256 {a.was_sha256[:16]}…"
        yield f"Amended: this result replaces {was}, which stays in the record: {a.why} ({said})"
    for c in r.corrections or ():
        was = "not stated" if c.was is None else f"{c.was!r}"
        yield f"Corrected: {c.field} was {was}, is {c.now!r}: {c.reason} ({c.who}, {c.at_utc[:19]} UTC)"
    if r.kind is RunKind.SIMULATED:
        night = f", in the night {r.night}" if isinstance(r.night, str) else ""
        yield f"Simulated{night}: chips, oven and sample are models. This is no measurement."
    if r.rule:
        yield f"Rule: {r.rule}"
    means = whole_meaning(r)
    if means:
        yield means
    if r.claim:
        yield f'Claimed to be "{r.claim.name}": {r.claim.answer}'
    if r.claimed_class:
        yield f'Sold as of the class "{r.claimed_class.name}": {r.claimed_class.answer}'
    yield from (subclass.answer for subclass in r.subclasses)
    if r.composition:
        yield f'Declared to hold "{r.composition.declared}". {r.composition.answer}'
    if r.replicates > 1:
        yield f"The standard asks for {r.replicates} samples; this is the result of one."
    if r.blank_run:
        yield "A blank run: the sample is an inert dummy, and what it seems to lose is the rig's own."
    yield from specimen_lines(r)
    yield from deviation_lines(r)
    for line in r.would_decide:
        yield f"What would decide it: {line}"
    for warning in r.warnings:
        yield f"Warning: {warning}"
    if r.happened:
        yield "What happened between the two masses:"
    for h in r.happened:
        yield f"  {h.from_s / 3600.0:8.4f} h  {h.what.replace('_', ' ')}: {h.why}"
    yield ""
    yield from _hold(r)
    yield from _masses(r)
    yield from balance_lines(r)
    yield from _recording(r)
    yield from _budget(r)
    for head, items in (
        ("Declared, not measured", r.declared),
        ("Assumed, not from the standard", _assumed(r)),
    ):
        if items:
            yield ""
            yield f"{head}:"
            yield from (f"  {item}" for item in items)
    if not standard.verified:
        yield ""
        yield "Not every value of this standard's file has been checked against the official text; see its sources."
    yield from checked_line(r)


def _hold(r: Result) -> Iterator[str]:
    held_h = math.floor(r.hold_s / 0.36 + 1e-6) / 1e4  # rounded down: time that was not seen is not shown
    yield (f"Hold: {held_h:.4f} h qualified of {r.hold_required_s / 3600.0:g} h at {r.temp_c:g} ± {r.temp_band_c:g} °C")
    if not r.happened:  # an older result, or one that is INVALID: it has no such list
        yield from _not_counted(r)


def _not_counted(r: Result) -> Iterator[str]:
    for e in r.excursions:
        worst = f", as far as {e.worst_temp_c:.2f} °C" if e.worst_temp_c is not None else ""
        yield f"  not counted: {e.length_s:.0f} s from {e.from_s / 3600.0:.4f} h on: {e.why}{worst}"
    for stop in r.stops or ():
        long = f"{stop.length_s:.0f} s" if stop.length_s is not None else "a time that is not known"
        yield f"  stopped: nothing was measured for {long} from {stop.from_s / 3600.0:.4f} h on"


def _u_of(u_g: float) -> str:
    """Say a mass's noise: readings that are all alike, or a single one, do not say how well it is known."""
    return f"u = {two_digits(u_g)} g" if u_g > 0.0 else f"u {NOT_KNOWN} (its readings are all alike)"


def _masses(r: Result) -> Iterator[str]:
    for w in r.weighings:
        if w.unit == "g":
            places = decimals(w.u)
            cell = f", load cell {w.cell_temp_c:.2f} °C" if w.cell_temp_c is not None else ""
            yield (
                f"{w.which:>10}: {w.value:.{places}f} g, {_u_of(w.u)}, mean over "
                f"{w.to_s - w.from_s + 1.0:.0f} s from {w.from_s / 3600.0:.4f} h on{cell}"
            )
    weighed = {w.which for w in r.weighings}
    for which in ("m1", "m2") if r.weigh == "cold" else ():
        if which not in weighed:
            yield f"{which:>10}: {NOT_WEIGHED}"
    if r.reference_g is not None:
        yield f"{'reference':>10}: {r.reference_g:.8g} g ({r.reference}); the loss is in % of it"
    if r.zeros:
        z = r.zeros
        places = decimals(z.u_g)
        yield (
            f"The zero moved by {z.moved_g:+.{places}f} g between the tare and the second zero: the rig is taken to "
            f"have gained {z.gained_between_m1_and_m2_g:+.{places}f} g ± {two_digits(z.u_g)} g (u) from M1 to M2"
        )
    if r.check_weight:
        c = r.check_weight
        places = decimals(c.u_g)
        changed = f"the span has changed by {c.span_changed_pct:+.3g} %" if c.span_changed_pct else "as it should"
        yield (
            f"Check weight: {c.indicated_g:.{places}f} g instead of {c.stated_g:g} g, "
            f"u = {two_digits(c.u_g)} g: {changed}" + (f" ({c.weight})" if c.weight else "")
        )
        if c.before_g is not UNSET and c.since_before_pct is not UNSET and c.u_since_before_pct is not UNSET:
            u_pct = c.u_since_before_pct
            yield (
                f"    before M1 it showed {c.before_g:.{places}f} g: since then the span changed by "
                f"{c.since_before_pct:+.{decimals(u_pct)}f} % (u = {two_digits(u_pct)} %)"
            )


def _recording(r: Result) -> Iterator[str]:
    rec, seen = r.recording, r.observed
    if rec is UNSET or seen is UNSET:
        return
    yield ""
    yield (
        f"Recording {rec.file}: {rec.rows} rows of {rec.quantity}, one every {rec.interval_s:g} s; "
        f"glitch gate {rec.gate_g:.3g} g: {rec.refused_by_gate} refused, {rec.not_numbers} no numbers"
    )
    if rec.read_as:
        yield f"Read as {rec.read_as}"
    low, high = seen.band_c
    yield (
        f"Within {low:g} to {high:g} °C: {seen.first_to_last_in_band_s / 60.0:.1f} min "
        f"({seen.first_to_last_in_band_s / 3600.0:.2f} h) from the first second to the last, "
        f"{seen.in_band_s / 60.0:.1f} min of it in the band"
    )
    if seen.loss_pct_of_start_mass is not UNSET and seen.loss_pct_of_start_mass is not None:
        yield (
            f"  in that time the mass went from {seen.mass_at_first_g:.8g} g to {seen.mass_at_last_g:.8g} g: "
            f"{seen.loss_pct_of_start_mass:.3f} % of the start mass ({seen.start_mass_g:.8g} g)"
        )
        if seen.loss_pct_of_mass_at_first is not None:
            yield f"  or {seen.loss_pct_of_mass_at_first:.3f} % of the mass at the band's first second"
    if r.hours:
        yield "  hour of the hold      mass g   % of start   %/h over the last 30 min"
    for h in r.hours or ():
        rate = "" if h.rate_pct_per_h is None else f"{h.rate_pct_per_h:.3f} ± {h.u_rate_pct_per_h:.3f}"
        yield f"  {h.hour:16.2f}  {h.mass_g:10.8g}   {h.mass_pct_of_start:10.4f}   {rate}"


def _budget(r: Result) -> Iterator[str]:
    if not r.budget:
        return
    yield ""
    yield "Uncertainty budget (standard uncertainties):"
    yield f"  {'component':32} {'u':>10} {'unit':8} {'in the loss':>12}  {'dof':>6}  origin: how"
    for c in sorted(r.budget, key=lambda c: -c.contribution_pct):
        dof = "inf" if c.dof is None else f"{c.dof:.1f}"
        u = NOT_KNOWN if c.u == 0.0 and c.name in NOISE.values() else f"{c.u:.3g}"
        yield (f"  {c.name:32} {u:>10} {c.unit:8} {c.contribution_pct:10.2g} %  {dof:>6}  {c.origin}: {c.why}")
    nu = "inf" if r.nu_eff is None or r.nu_eff > 1e6 else f"{r.nu_eff:.1f}"
    gum, mc = r.first_order, r.monte_carlo
    if gum is UNSET or r.u_pct is None or r.U_pct is None:
        return
    yield f"  {'first order (GUM)':32} {'':10} {'':8} {gum.u_pct:10.2g} %  {nu:>6}  U = {two_digits(gum.U_pct)} %"
    if mc:
        half = (mc.high_pct - mc.low_pct) / 2.0
        yield (
            f"  {'Monte Carlo (JCGM 101)':32} {'':10} {'':8} {mc.u_pct:10.2g} %  {'':6}  U = {two_digits(half)} %, "
            f"{mc.trials} trials" + ("" if mc.stable else ", not stable yet")
        )
    yield f"  used: {r.method}: u = {two_digits(r.u_pct)} %, U = {r.k:.2f} · u = {two_digits(r.U_pct)} %"


def _assumed(r: Result) -> list[str]:
    w = Words(Language.ENGLISH)
    return [
        f"{assumed_name(a.field, w)}: {assumed_value(a.field, a.value, w).replace(NB, ' ')} ({a.source})"
        for a in r.assumed
    ]
