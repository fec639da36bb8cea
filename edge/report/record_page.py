"""The report's second page: the record. Curve, phases, weighings with their slopes, the formula with its numbers.

This module must never round what the result is made of to fewer digits than its uncertainty has.
"""

from __future__ import annotations

from msgspec import UNSET

from edge.records.curve import PressureKnown
from edge.records.report_facts import PhaseTold
from edge.records.result import WeighingTold

from .balance_text import balance_lines
from .contents import Page, figure, table
from .curve import report_curve
from .curve_parts import air_steps, of_the_sample
from .curve_scale import hms
from .decimals import decimals
from .markup import Html, el, joined, text
from .numbers import fixed, grouped, signed, u_alone


def record_page(page: Page) -> Html:
    """Get the second page."""
    w = page.words
    return el(
        "section",
        page.head("part_record"),
        el("h2", w("curve_heading"), id="record"),
        _curve(page),
        el("h2", w("phases_heading")),
        _phases(page),
        el("h2", w("weighings_heading")),
        _weighings(page),
        *_formula(page),
        class_="part",
        aria_labelledby="record",
    )


def _curve(page: Page) -> Html:
    w, curve = page.words, page.report.weighed_curve()
    if not curve.recorded.columns:
        return el("p", page.none("none_curve"))
    air = air_steps(of_the_sample(curve.recorded))
    said: list[str | Html] = [w.html("figure_curve", n=grouped(page.facts.seconds))]
    if page.report.judged:
        said.append(w.html("figure_curve_band"))
    if page.result.weigh == "cold" and page.report.judged:
        said.append(w("figure_curve_support"))
    if air.step_pct is not None:
        told = "figure_air_told" if air.told else "figure_air_seen" if air.enters_s is not None else "figure_air_out"
        said += [w("figure_air", step=fixed(air.step_pct, 3)), w(told)]
    said.append(w("figure_pressure_" + page.facts.pressure.value.replace(" ", "_")))
    spaced = [part for i, one in enumerate(said) for part in ((w("say_gap"), one) if i else (one,))]
    return figure(report_curve(curve, w), joined(*spaced), scroll=True)


def _phases(page: Page) -> Html:
    w, facts = page.words, page.facts
    heads = ["phase", ">from", ">to", ">length", ">oven", ">cell_most", ">samples", ">not_ok", "pressure", "ended"]
    rows = [_phase(page, p) for p in facts.phases]
    if not rows:
        return el("p", page.none("none_recorded"))
    caption = w.html("table_phases", start=page.utc(facts.started_utc, seconds=True) or w("none_recorded"))
    return table([_head(page, h) for h in heads], rows, caption=caption, class_="one")


def _head(page: Page, key: str) -> str | Html:
    side, key = (">", key[1:]) if key.startswith(">") else ("", key)
    return Html(side + page.words.html(f"col_{key}"))


def _phase(page: Page, p: PhaseTold) -> list[Html]:
    w = page.words
    oven = page.none("none_measured")
    if p.oven_low_c is not None and p.oven_high_c is not None:
        oven = text(w("range", low=fixed(p.oven_low_c, 1), high=fixed(p.oven_high_c, 1)))
    cell = page.none("none_measured") if p.cell_most_c is None else text(fixed(p.cell_most_c, 1))
    return [
        text(w(f"phase_{p.phase.value.replace(' ', '_')}")),
        text(hms(p.from_s)),
        text(hms(p.to_s)),
        text(hms(p.to_s - p.from_s)),
        oven,
        cell,
        text(grouped(p.samples)),
        text(grouped(p.not_ok)),
        _pressure(page, p),
        page.said(p.why) if p.why else page.none("none_ended"),
    ]


def _pressure(page: Page, p: PhaseTold) -> Html:
    if p.pressure is PressureKnown.MEASURED and p.low_pa is not None and p.high_pa is not None:
        low, high = fixed(p.low_pa, 0), fixed(p.high_pa, 0)
        return text(page.words("range", low=low, high=high) + " Pa")
    return page.none("none_declared" if p.pressure is PressureKnown.DECLARED else "none_stated")


def _weighings(page: Page) -> Html:
    w = page.words
    if not page.result.weighings:
        return el("p", page.none("none_weighing"))
    heads = ["weighing", ">window", ">n", ">mean", ">u", "unit", ">slope", ">cell", ">oven", "pressure"]
    rows = [_weighing(page, x) for x in page.result.weighings]
    caption = w.html("table_weighings")
    if page.result.certificate is not None:
        caption = joined(caption, w.html("grams_of_load"))
    taken = table([_head(page, h) for h in heads], rows, caption=caption, class_="one")
    missing = [key for key in ("m1", "m2") if key not in {x.which for x in page.result.weighings}]
    if page.result.weigh != "cold" or not missing:
        return taken
    return joined(taken, el("p", page.none("none_" + missing[0]), class_="small"))


def _weighing(page: Page, x: WeighingTold) -> list[Html]:
    w = page.words
    places = decimals(x.u) if x.u > 0.0 else 5 if x.unit == "g" else 1
    slope = text("—")
    if x.slope_g_per_h is not UNSET and x.u_slope_g_per_h is not UNSET:
        slope = text(f"{signed(x.slope_g_per_h * 1e3, 1)} ± {fixed(x.u_slope_g_per_h * 1e3, 1)}")
    elif x.unit == "g":
        slope = page.none("none_recorded")
    pressure: Html
    if x.pressure_pa is not None:
        pressure = text(f"{fixed(x.pressure_pa, 0)} Pa")
    else:
        declared = page.facts.pressure is PressureKnown.DECLARED and x.unit == "g"
        pressure = page.none("none_declared" if declared else "none_measured")
    return [
        text(w(f"weighing_{x.which}")),
        text(w("range", low=hms(x.from_s), high=hms(x.to_s))),
        page.none("none_recorded") if x.n is UNSET else text(str(x.n)),
        text(fixed(x.value, places)),
        text(u_alone(x.u)) if x.u > 0.0 else page.none("none_known"),
        text(w(f"unit_{x.unit}")),
        slope,
        page.none("none_measured") if x.cell_temp_c is None else text(fixed(x.cell_temp_c, 2)),
        page.none("none_measured") if x.temp_c is None else text(fixed(x.temp_c, 2)),
        pressure,
    ]


def _formula(page: Page) -> list[Html]:
    """Get the formula with its numbers: what the masses alone say, and the loss where corrections are in it."""
    r, w = page.result, page.words
    if r.m1_g is None or r.m2_g is None or not r.reference_g:
        return []
    us = {x.which: x.u for x in r.weighings}
    before, after = ("m1", "m2") if r.weigh == "cold" else ("hold_start", "hold_end")
    places = min((decimals(u) for key in (before, after) if (u := us.get(key, 0.0)) > 0.0), default=5)
    raw = (r.m1_g - r.m2_g) / r.reference_g * 100.0
    shown = 4 if r.u_pct is None else max(4, decimals(r.u_pct) + 1)
    symbols = w.html("formula_cold" if r.weigh == "cold" else "formula_hot")
    numbers = w.html(
        "formula",
        symbols=symbols,
        before=fixed(r.m1_g, places),
        after=fixed(r.m2_g, places),
        reference=fixed(r.reference_g, places),
        raw=fixed(raw, shown),
    )
    out: list[str | Html] = [el("span", numbers, class_="w")]
    reference = r.reference or before
    out.append(w("formula_reference", which=w(f"weighing_{reference}")))
    if page.report.judged and r.loss_pct is not None and abs(raw - r.loss_pct) >= 0.5 * 10.0**-shown:
        out.append(w.html("formula_corrected", loss=fixed(r.loss_pct, shown)))
    m1, m2 = (next((x for x in r.weighings if x.which == key), None) for key in (before, after))
    if m1 and m2 and m1.cell_temp_c is not None and m2.cell_temp_c is not None:
        out.append(w("formula_cell", k=signed(m2.cell_temp_c - m1.cell_temp_c, 2)))
    if not page.report.judged:
        out.append(el("b", w("formula_invalid")))
    spaced = [part for i, one in enumerate(out) for part in ((w("say_gap"), one) if i else (one,))]
    return [el("p", *spaced, class_="small"), *_beside(page)]


def _beside(page: Page) -> list[Html]:
    """Get what the second zero, the check weight and the blank said."""
    r, w = page.result, page.words
    out = []
    if r.zeros is not None:
        z, places = r.zeros, decimals(r.zeros.u_g)
        moved, gained = signed(z.moved_g, places), signed(z.gained_between_m1_and_m2_g, places)
        out.append(w("beside_zero", moved=moved, gained=gained, u=u_alone(z.u_g)))
    if r.check_weight is not None:
        c = r.check_weight
        shown = fixed(c.indicated_g, decimals(c.u_g))
        out.append(w("beside_check", shown=shown, stated=f"{c.stated_g:g}", u=u_alone(c.u_g)))
        if c.before_g is not UNSET and c.since_before_pct is not UNSET and c.u_since_before_pct is not UNSET:
            u_pct = c.u_since_before_pct
            shown, change = fixed(c.before_g, decimals(c.u_g)), signed(c.since_before_pct, decimals(u_pct))
            out.append(w("beside_check_before", shown=shown, change=change, u=u_alone(u_pct)))
    if r.blank is not UNSET:
        b, places = r.blank, decimals(r.blank.u_g)
        out.append(w("beside_blank", name=b.name, loss=fixed(b.loss_g, places), u=u_alone(b.u_g)))
    balance = [page.said(line.strip()) for line in balance_lines(r) if line.strip()]
    return [el("p", said, class_="small") for said in (*out, *balance)]
