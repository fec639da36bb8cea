"""The verdict of a report: one sentence in the largest type, what it means, what would decide it, and the scale.

This module must never say more than the result does.
"""

from __future__ import annotations

from msgspec import UNSET

from edge.records.deviation import VisualCheckFound
from edge.records.result import Verdict
from edge.verdict.wording import contradicted, whole_meaning

from .contents import Page, figure, floor_digits
from .markup import Html, el, joined
from .numbers import fixed, percent_of_one, u_alone
from .scale_drawing import scale_drawing


def first_sentence(page: Page) -> Html:
    """Get the verdict in one sentence, and after it what it rests on that nobody measured or looked at."""
    r, w = page.result, page.words
    word = el("b", w("say_head", verdict=w(f"verdict_{r.verdict.value}")))
    out: list[str | Html]
    liquid = r.visual_check is VisualCheckFound.LIQUID_SEEN
    if not page.report.judged:
        out = [word, w.html("say_INVALID", why=page.said(r.invalid_because or ""))]
    else:
        loss, U = page.pct()
        value = el("b", w("say_value", loss=loss, U=U))
        key = f"say_{r.verdict.value}"
        if liquid and isinstance(r.mass_verdict, Verdict):
            by_mass = w(f"verdict_{r.mass_verdict.value}")
            out = [word, w.html("say_liquid", value=value, by_mass=by_mass, limit=page.report.limit)]
        else:
            out = [word, w.html(key, value=value, limit=page.report.limit)]
    if r.visual_check is VisualCheckFound.NOT_RECORDED:
        out.append(joined(w("say_gap"), w("say_no_check")))
    if r.on_declared:
        on = w("say_and").join(page.words.sentence(d) or d for d in r.on_declared)
        out.append(joined(w("say_gap"), w("say_on", what=on)))
    if contradicted(r):
        out.append(joined(w("say_gap"), w("say_contradicted")))
    return joined(*out)


def verdict_part(page: Page) -> Html:
    """Get the verdict in one sentence, what it means, and by which rule."""
    w = page.words
    out = [
        el("h2", w("verdict_heading"), id="v"),
        el("p", first_sentence(page), class_="say"),
        el("p", _then(page), class_="then"),
    ]
    if page.report.judged:
        r, standard = page.result, page.facts.standard
        rule = "verdict_rule_guard" if standard.guard_factor > 0.0 else "verdict_rule_simple"
        coverage = f"{standard.coverage_probability * 100.0:g}"
        said = w.html("verdict_small", k=fixed(r.k or 2.0, 2), coverage=coverage, rule=w.html(rule))
        out.append(el("p", said, class_="small soft"))
    return el("section", *out, class_="verdict", aria_labelledby="v")


def _then(page: Page) -> Html:
    """Get what the verdict means, and what would decide it."""
    r, w = page.result, page.words
    out: list[str | Html] = []
    if not page.report.judged:
        return joined(w("then_INVALID"))
    if r.verdict is Verdict.INCONCLUSIVE:
        out.append(w("then_INCONCLUSIVE", pc=percent_of_one(r.pc or 0.0)))
    elif r.pc is not None and r.visual_check is not VisualCheckFound.LIQUID_SEEN:
        out.append(w("then_probability", pc=percent_of_one(r.pc)))
    means = whole_meaning(r)
    if means:
        out.append(page.sentence(means))
    if r.without_declared is not UNSET:
        beside = r.without_declared
        word = w(f"verdict_{beside.verdict.value}")
        out.append(w("then_without", verdict=word, U=u_alone(beside.U_pct)))
    if r.verdict is Verdict.INCONCLUSIVE:
        assert r.loss_pct is not None  # it is judged
        needed = floor_digits(abs(r.limit_pct - r.loss_pct))
        lead = (
            w.html("then_decide", needed=u_alone(needed), U=page.pct()[1]) if needed else el("b", w("then_decide_head"))
        )
        out += [lead, *(page.sentence(line) for line in r.would_decide)]
        if not r.blank_run:
            out.append(w("then_gone"))
    spaced = [part for i, one in enumerate(out) for part in ((w("say_gap"), one) if i else (one,))]
    return joined(*spaced)


def scale_part(page: Page) -> Html:
    """Get the result on its scale; nothing where there is no result."""
    if not page.report.judged:
        return Html("")
    return figure(scale_drawing(page), page.words.html("figure_scale"), scroll=True)
