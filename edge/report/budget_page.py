"""The report's third page: the uncertainty and the decision.

The budget as a table and as bars, the two propagations side by side, the rule with its risk, and how likely a loss
above the limit is. This module must never leave out a component because it is small.
"""

from __future__ import annotations

import math

from msgspec import UNSET

from edge.records.result import BudgetLine, MonteCarlo, Verdict
from edge.uncertainty.components import NOISE

from .budget_drawings import bars_drawing, density_drawing
from .budget_numbers import share_of, shared, thousandths
from .contents import Page, figure, table
from .decimals import decimals
from .markup import Html, el, joined, text
from .numbers import fixed, grouped, percent_of_one, power, u_alone


def budget_page(page: Page) -> Html:
    """Get the third page."""
    w = page.words
    body = _budget(page) if page.result.budget and page.report.judged else [el("p", page.none("none_budget"))]
    return el(
        "section",
        page.head("part_budget"),
        el("h2", w("budget_heading"), id="budget"),
        *body,
        class_="part",
        aria_labelledby="budget",
    )


def _budget(page: Page) -> list[Html]:
    w = page.words
    lines = sorted(page.result.budget, key=lambda c: -c.contribution_pct)
    out = [_table(page, lines), figure(bars_drawing(page, lines), _bars_said(page, lines), scroll=True)]
    out += [el("h2", w("two_ways_heading")), *_two_ways(page)]
    rule = el("section", el("h2", w("rule_heading"), id="rule"), *_rule(page), aria_labelledby="rule")
    density = figure(density_drawing(page), w.html("figure_density"))
    out.append(el("div", rule, density, class_="two wide-left"))
    return out


def _padded(said: str) -> Html:
    """Get a number with hidden digits behind it, so that decimal points stand in line."""
    _, _, after = said.partition(".")
    missing = 4 - len(after)
    return joined(said, el("span", "0" * missing, class_="pad")) if after and missing > 0 else text(said)


def _table(page: Page, lines: list[BudgetLine]) -> Html:
    w = page.words
    keys = ["component", ">u_x", "unit", "distribution", ">dof", "origin", "how", ">in_w", ">variance"]
    heads = [el("th", w.html(f"col_{k.lstrip('>')}"), scope="col", class_="r" if k[0] == ">" else None) for k in keys]
    body = []
    for c in lines:
        unknown = c.u == 0.0 and c.name in NOISE.values()
        cells = [
            el("td", page.none("none_known") if unknown else u_alone(c.u), class_="r"),
            el("td", w(f"unit_{c.unit}") if w.has(f"unit_{c.unit}") else c.unit, class_="w"),
            el(
                "td", w(f"distribution_{c.distribution}") if w.has(f"distribution_{c.distribution}") else c.distribution
            ),
            el("td", "∞" if c.dof is None else fixed(c.dof, 1), class_="r"),
            el("td", w(f"origin_{c.origin}")),
            el("td", page.said(c.why)),
            el("td", _padded(thousandths(c.contribution_pct)), class_="r"),
            el("td", shared(share_of(page, c)), class_="r"),
        ]
        body.append(el("tr", el("th", page.said(c.name), scope="row"), *cells))
    combined = math.sqrt(math.fsum(c.contribution_pct**2 for c in lines))
    foot = el(
        "tr",
        el("th", w.html("budget_combined", u=u_alone(combined)), scope="row", colspan=7),
        el("td", _padded(thousandths(combined)), class_="r"),
        el("td", "100", class_="r"),
    )
    table = el(
        "table",
        el("caption", w.html("table_budget")),
        el("thead", el("tr", *heads)),
        el("tbody", *body),
        el("tfoot", foot),
        class_="one budget",
    )
    return el("div", table, class_="scroll")


def _bars_said(page: Page, lines: list[BudgetLine]) -> Html:
    w, rest = page.words, lines[8:]
    out = [w.html("figure_bars")]
    if rest:
        together = math.sqrt(math.fsum(c.contribution_pct**2 for c in rest))
        out.append(text(w("figure_bars_rest", n=str(len(rest)), together=thousandths(together))))
    if share_of(page, lines[0]) > 50.0:
        out.append(joined(w("figure_bars_one"), page.said(lines[0].name), w("stop")))
    spaced = [part for i, one in enumerate(out) for part in ((text(w("say_gap")), one) if i else (one,))]
    return joined(*spaced)


def _two_ways(page: Page) -> list[Html]:
    r, w = page.result, page.words
    gum, mc = r.first_order, r.monte_carlo
    if gum is UNSET or r.loss_pct is None:
        return [el("p", page.none("none_recorded"))]
    coverage = f"{page.facts.standard.coverage_probability * 100.0:g} %"
    places = decimals(gum.U_pct)
    used_gum = r.method != "Monte Carlo"
    nu = "∞" if r.nu_eff is None else power(r.nu_eff) if r.nu_eff > 1e4 else fixed(r.nu_eff, 1)
    k_gum = gum.U_pct / gum.u_pct if gum.u_pct > 0.0 else 2.0
    rows = [
        [
            _used(page, w("way_gum"), used_gum),
            text(fixed(r.loss_pct, places + 1)),
            text(u_alone(gum.u_pct)),
            text(w("range", low=fixed(r.loss_pct - gum.U_pct, places), high=fixed(r.loss_pct + gum.U_pct, places))),
            el("b", u_alone(gum.U_pct)) if used_gum else text(u_alone(gum.U_pct)),
            w.html("way_k", k=fixed(k_gum, 2), coverage=coverage),
            w.html("way_nu", nu=nu),
        ]
    ]
    if isinstance(mc, MonteCarlo):
        half = (mc.high_pct - mc.low_pct) / 2.0
        seed = page.none("none_recorded") if mc.seed is UNSET else text(str(mc.seed))
        rows.append(
            [
                _used(page, w("way_mc"), not used_gum),
                text(fixed(mc.loss_pct, places + 1)),
                text(u_alone(mc.u_pct)),
                text(w("range", low=fixed(mc.low_pct, places), high=fixed(mc.high_pct, places))),
                text(u_alone(half)) if used_gum else el("b", u_alone(half)),
                text(coverage),
                w.html(
                    "way_trials", n=grouped(mc.trials), stable=w("stable" if mc.stable else "not_stable"), seed=seed
                ),
            ]
        )
    else:
        rows.append([text(w("way_mc")), *(page.none("none_made") for _ in range(6))])
    keys = ["method", ">w", ">u_w", ">interval", ">half", "coverage", "remarks"]
    heads: list[str | Html] = [Html((">" if k[0] == ">" else "") + w.html(f"col_{k.lstrip('>')}")) for k in keys]
    used = w("way_gum_short" if used_gum else "way_mc")
    return [table(heads, rows, caption=w.html("table_ways", used=used), class_="tight")]


def _used(page: Page, said: str, used: bool) -> Html:
    return el("b", page.words("way_used", way=said)) if used else text(said)


def _rule(page: Page) -> list[Html]:
    r, w, standard = page.result, page.words, page.facts.standard
    assert r.U_pct is not None  # the caller has looked
    guard = standard.guard_factor * r.U_pct
    places = decimals(r.U_pct)
    inside, outside = fixed(r.limit_pct - guard, places), fixed(r.limit_pct + guard, places)
    to, off = ("≤", ">") if r.comparator == "<=" else ("<", "≥")
    own = standard.guard_factor == 1.0
    risk = f"{(1.0 - standard.coverage_probability) / 2.0 * 100.0:.1f} %"
    risks = [w("risk_most", p=risk), w("risk_none"), w("risk_less", p=risk)] if own else [w("risk_other")] * 3
    band = w.html("rule_simple" if not guard else "rule_guard", r=f"{standard.guard_factor:g}", limit=page.report.limit)
    simple = not guard
    conditions = (
        (Verdict.PASS, w.html("when_pass_simple" if simple else "when_pass", to=to), f"{to} {inside} %"),
        (Verdict.INCONCLUSIVE, text(w("when_else")), w("when_between")),
        (Verdict.FAIL, w.html("when_fail_simple" if simple else "when_fail", off=off), f"{off} {outside} %"),
    )
    rows = []
    for (verdict, when, here), may in zip(conditions, risks, strict=True):
        if simple and verdict is Verdict.INCONCLUSIVE:
            continue
        word = w(f"verdict_{verdict.value}")
        mass = r.mass_verdict if isinstance(r.mass_verdict, Verdict) else r.verdict
        rows.append([el("b", word) if verdict is mass else text(word), when, text(here), text(may)])
    keys = ["statement", "when", "here", "risk"]
    heads: list[str | Html] = [w.html(f"col_{k}") for k in keys]
    out = [table(heads, rows, caption=band, class_="tight")]
    if r.pc is not None:
        wrong = percent_of_one(1.0 - r.pc)
        said: list[str | Html] = [w.html("pc", pc=percent_of_one(r.pc), wrong=wrong)]
        if r.pc_otherwise is not UNSET:
            by = w("by_normal" if r.pc_otherwise.by == "a normal curve" else "by_mc")
            said.append(w("pc_otherwise", pc=percent_of_one(r.pc_otherwise.pc), by=by))
        if any(a.field == "decision_rule" for a in r.assumed):
            said.append(w("rule_assumed"))
        spaced = [part for i, one in enumerate(said) for part in ((w("say_gap"), one) if i else (one,))]
        out.append(el("p", *spaced, class_="small"))
    return out
