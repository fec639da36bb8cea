"""The report's first page: what was found, and may it be relied on.

The verdict as one sentence in the largest type, what it means, the scale, what happened, what is declared, who signed.
This module must never say more than the result does.
"""

from __future__ import annotations

import datetime
import re

from msgspec import UNSET

from edge.records.result import HappenedKind
from edge.records.run import RunKind

from .contents import Page, lines, section
from .curve_scale import hms
from .markup import Html, el, joined, name, text
from .numbers import fixed, signed
from .qr import qr_code
from .verdict_part import scale_part, verdict_part

NEVER_HAPPENED = (
    (HappenedKind.EXCURSION, "never_excursion"),
    (HappenedKind.STOP, "never_stop"),
    (HappenedKind.CONVERTER_RESET, "never_converter_reset"),
    (HappenedKind.JUMP, "never_jump"),
    (HappenedKind.ALARM, "never_alarm"),
)
COUNTS = 0.02
"""Of u: what is assumed and makes less than this stands in the budget alone."""
MOST_HAPPENED = 12
"""So many stand on the first page; the rest are counted there and listed with the curve."""


def first_page(page: Page) -> Html:
    """Get the first page."""
    return el(
        "section",
        _mast(page),
        _title(page),
        *_notices(page),
        _administration(page),
        verdict_part(page),
        scale_part(page),
        el("div", _happened(page), _declared(page), class_="two tight"),
        _signed(page),
        el(
            "div",
            el("p", el("b", page.words("only_item"))),
            el("p", page.words("only_full")),
            class_="only",
        ),
        class_="part",
        aria_labelledby="title",
    )


def _mast(page: Page) -> Html:
    w, laboratory, about = page.words, page.facts.laboratory, page.report.about.report
    given = None if laboratory is None else laboratory.address
    address = name(given) if given else joined(w("mast_address"), w("say_gap"), page.none())
    place = None if laboratory is None else laboratory.place
    where = page.none() if laboratory is None else name(place) if place else text(w("mast_same_place"))
    replaces = w("mast_first_issue") if about.issue == 1 and about.replaces is None else about.replaces
    because = [text(" (" + about.because + ")")] if about.because else []
    rows = [
        ("mast_report", el("dd", name(page.report.number), class_="number")),
        ("mast_issued", el("dd", page.report.day.isoformat())),
        ("mast_replaces", el("dd", page.or_none(replaces), *because)),
    ]
    if about.issue > 1:
        rows.insert(1, ("mast_issue", el("dd", str(about.issue))))
    return el(
        "header",
        el(
            "div",
            el(
                "p",
                name(laboratory.name) if laboratory else joined(w("mast_laboratory"), w("say_gap"), page.none()),
                class_="lab",
            ),
            el("p", lines(address, joined(w("mast_place"), w("say_gap"), where)), class_="soft"),
        ),
        el("dl", *(part for key, value in rows for part in (el("dt", w(key)), value))),
        class_="mast",
    )


def _title(page: Page) -> Html:
    w, r, standard = page.words, page.result, page.facts.standard
    checked = r.standard_checked
    if checked is not None and checked.verified:
        total = checked.verified + checked.unverified + checked.assumed
        by = w("title_by", who=", ".join(checked.by)) if checked.by else ""
        checked_said: Html = text(w("title_verified", n=str(checked.verified), total=str(total)) + by)
    else:
        checked_said = page.none("none_none")
    edition = joined(w("title_edition"), w("say_gap"), page.or_none(standard.edition)) if standard.edition else None
    named = r.standard.subject != r.standard.title  # its title begins with its number
    method = w.html(
        "title_method",
        number=joined(name(r.standard.designation), w("list_comma")) if named else text(""),
        title=el("bdi", *_upright(r.standard.subject)),
        edition=text("") if edition is None else joined(w("list_comma"), edition),
        limit=page.report.limit,
        hours=f"{r.hold_required_s / 3600.0:.4g}",
        checked=checked_said,
    )
    dates = w.html(
        "title_dates", published=page.or_none(standard.published), effective=page.or_none(standard.effective)
    )
    heading = w("title", temp=f"{r.temp_c:g}")
    return el("div", el("h1", heading, id="title"), el("p", method, w("say_gap"), dates), class_="title")


def _upright(title: str) -> list[str | Html]:
    """Get a title with what of it is Chinese marked as such: that has no italics."""
    parts = re.split("([\u2e80-\u9fff\uff00-\uffef]+)", title)
    return [el("span", part, lang="zh-Hans") if i % 2 else part for i, part in enumerate(parts)]


def _notices(page: Page) -> list[Html]:
    w, r = page.words, page.result
    out = []
    if page.report.altered is not None:
        out.append(
            joined(el("b", w("notice_altered")), w("say_gap"), w.html("notice_differs", what=name(page.report.altered)))
        )
    if page.report.not_in_chain is not None:
        out.append(joined(el("b", w("notice_not_in_chain")), w("say_gap"), name(page.report.not_in_chain)))
    for a in r.amends or ():
        lost = "" if a.loss_pct is None else w("notice_amended_loss", loss=fixed(a.loss_pct, 3))
        said = w.html(
            "notice_amended",
            verdict=joined(el("b", name(a.verdict)), lost),
            who=name(a.who),
            at=name(page.utc(a.at_utc)),
        )
        out.append(joined(said, w("say_gap"), name(a.why)))
    for c in r.corrections or ():
        was = page.none() if c.was is None else name(c.was)
        said = w.html(
            "notice_corrected",
            field=name(c.field),
            was=was,
            now=name(c.now),
            who=name(c.who),
            at=name(page.utc(c.at_utc)),
        )
        out.append(joined(said, w("say_gap"), name(c.reason)))
    if page.report.simulated:
        true = r.true_loss_pct
        more = w("notice_true", loss=fixed(true, 3)) if isinstance(true, float) else ""
        seed = w("notice_seed", seed=str(r.seed)) if isinstance(r.seed, int) else ""
        night = w("notice_night", night=r.night) if isinstance(r.night, str) else ""
        out.append(joined(el("b", w("notice_simulated")), w("say_gap"), w("notice_nothing", more=seed + night + more)))
    if r.kind is RunKind.REPLAY:
        file = page.none("none_recorded") if r.recording is UNSET else name(r.recording.file)
        out.append(joined(el("b", w("notice_replay")), w("say_gap"), w.html("notice_recording", file=file)))
    if r.blank_run:
        out.append(joined(el("b", w("notice_blank")), w("say_gap"), w("notice_dummy")))
    if r.weigh == "hot":
        out.append(joined(el("b", w("notice_hot")), w("say_gap"), w("notice_hot_why")))
    return [el("p", said, class_="notice") for said in out]


def _administration(page: Page) -> Html:
    w, about, r = page.words, page.report.about, page.result
    item, customer, s = about.item, about.customer, r.specimen
    hand_over = s.hand_overs[-1] if s and s.hand_overs else None
    who = page.none() if customer is None else lines(name(customer.name), page.or_none(customer.address))
    specimen: list[str | Html] = [el("b", name(item.name or r.sample_id))]
    if item.name and item.name != r.sample_id:
        specimen.append(w.html("admin_in_record", name=name(r.sample_id)))
    if s is not None:
        specimen.append(joined(name(s.maker), " ", name(s.model), ", ", w("admin_serial"), " ", name(s.serial)))
    if r.claim is not None:
        specimen.append(w.html("admin_sold_as", name=name(r.claim.name)))
    condition = item.condition or (hand_over.condition if hand_over else None)
    seals = (
        [] if s is None else [w.html("admin_seal", number=name(x.number), found=w(f"seal_{x.found}")) for x in s.seals]
    )
    received = item.received or (hand_over.at.date() if hand_over else None)
    columns = (
        [("admin_customer", who), ("admin_external", page.or_none(item.external_providers))],
        [("admin_specimen", lines(*specimen)), ("admin_sampling", page.or_none(item.sampling))],
        [
            ("admin_condition", lines(page.or_none(condition, "none_recorded"), *seals)),
            ("admin_opened", lines(_opened(page), _visual_check(page))),
        ],
        [
            ("admin_received", page.or_none(None if received is None else received.isoformat(), "none_recorded")),
            ("admin_tested", _tested(page)),
            ("admin_surroundings", _surroundings(page)),
        ],
    )
    lists = (
        el("dl", *(part for key, value in column for part in (el("dt", w(key)), el("dd", value)))) for column in columns
    )
    return el("div", *lists, class_="admin")


def _opened(page: Page) -> Html:
    s = page.result.specimen
    o = None if s is None else s.opening
    if o is None:
        return page.none("none_recorded")
    area = f", {o.area_mm2:g} mm²" if o.area_mm2 is not None else ""
    return joined(name(page.utc(o.opened_at.isoformat())), ", ", name(o.by), area)


def _visual_check(page: Page) -> Html:
    s = page.result.specimen
    check = None if s is None else s.visual_check
    if check is None:
        return joined(page.words("admin_check"), page.words("say_gap"), page.none("none_recorded"))
    said = page.words("check_liquid" if check.liquid_seen else "check_none")
    return joined(said, ", ", name(check.by))


def _tested(page: Page) -> Html:
    began, ended = (_time(iso) for iso in (page.facts.started_utc, page.facts.ended_utc))
    if began is None:
        return page.none("none_recorded")
    if ended is None:
        return text(began.strftime("%Y-%m-%d %H:%M UTC"))
    until = ended.strftime("%H:%M UTC" if ended.date() == began.date() else "%Y-%m-%d %H:%M UTC")
    return lines(began.strftime("%Y-%m-%d"), page.words("admin_from_to", begin=began.strftime("%H:%M"), end=until))


def _time(iso: str | None) -> datetime.datetime | None:
    try:
        return None if not iso else datetime.datetime.fromisoformat(iso).astimezone(datetime.UTC)
    except (ValueError, OverflowError):
        return None


def _surroundings(page: Page) -> Html:
    said, s = page.report.about.item.surroundings, page.result.specimen
    if said:
        return name(said)
    place = s.opening.surroundings if s and s.opening else None
    if place is None:
        return page.none("none_recorded")
    temp = "" if place.temp_c is None else f", {place.temp_c:g} °C"
    dew = "" if place.dew_point_c is None else ", " + page.words("admin_dew", dew=f"{place.dew_point_c:g}")
    return text(page.words(f"place_{place.kind}") + temp.replace("-", "−") + dew.replace("-", "−"))


# what happened, what is declared


def _happened(page: Page) -> Html:
    w, r = page.words, page.result
    found = page.report.happened
    items = [el("li", w("happened_at", at=hms(h.from_s)), page.said(h.why), w("stop")) for h in found[:MOST_HAPPENED]]
    out = [el("ol", *items)] if items else [el("p", w("happened_nothing"))]
    if len(found) > MOST_HAPPENED:
        out.append(el("p", w("happened_more", n=str(len(found) - MOST_HAPPENED)), class_="small"))
    if moving := _slopes(page):
        out.append(el("p", moving, class_="small"))
    kinds = {h.what for h in found}
    never = [w(key) for kind, key in NEVER_HAPPENED if kind not in kinds]
    counted = w("happened_hold", held=_held(r.hold_s), asked=f"{r.hold_required_s / 3600.0:.4g}")
    none = w("happened_none", what=w("list_comma").join(never)) if never else ""
    out.append(el("p", none, w("say_gap") if none else "", counted, class_="small"))
    if r.warnings:
        out.append(
            el(
                "ul",
                *(el("li", el("b", w("warning")), w("say_gap"), page.said(line), w("stop")) for line in r.warnings),
            )
        )
    return section("happened", w("happened_heading"), *out)


def _held(hold_s: float) -> str:
    whole = int(hold_s / 0.36 + 1e-6)  # rounded down: time that was not seen is not shown
    return f"{whole / 1e4:.4f}"


def _slopes(page: Page) -> Html | None:
    """Get the slopes at the weighings in mg/h, with their standard uncertainties."""
    said = []
    for weighing in page.result.weighings:
        slope, u = weighing.slope_g_per_h, weighing.u_slope_g_per_h
        if weighing.which not in ("m1", "m2") or slope is UNSET or u is UNSET:
            continue
        value = f"{signed(slope * 1e3, 1)} ± {fixed(u * 1e3, 1)} mg/h"
        said.append(page.words("slope_at", value=value, which=weighing.which.upper()))
    return text(page.words("slopes", each=page.words("list_comma").join(said))) if said else None


def _declared(page: Page) -> Html:
    w, r = page.words, page.result
    items = [joined(w("declared_head"), w("say_gap"), page.said(line), w("stop")) for line in r.declared]
    assumed = sorted((c for c in r.budget if c.origin == "assumed"), key=lambda c: -c.contribution_pct)
    shown = [c for c in assumed if c.contribution_pct >= COUNTS * (r.u_pct or 0.0)]
    items += [
        joined(w("assumed_head"), w("say_gap"), page.said(c.name), w("colon"), page.said(c.why), w("stop"))
        for c in shown
    ]
    if len(assumed) > len(shown):
        items.append(text(w("assumed_small", n=str(len(assumed) - len(shown)))))
    if r.assumed:
        items.append(text(w("assumed_values", n=str(len(r.assumed)))))
    body = el("ul", *(el("li", item) for item in items)) if items else el("p", page.none("none_none"))
    return section("declared", w("declared_heading"), body)


# who signed, and the rig's checkpoint


def _signed(page: Page) -> Html:
    w, proof = page.words, page.report.proof
    people = page.report.about.people
    parts = []
    for role, key, who in (
        ("release", "sign_release", people.authorised_by),
        ("review", "sign_review", people.reviewed_by),
    ):
        found = next((s for s in reversed(proof.signatures) if s.role == role), None)
        rows = [
            ("signed_name", page.or_none(who if found is None else found.name)),
            ("signed_time", page.none("none_not_signed") if found is None else text(page.utc(found.at_utc))),
            (
                "signed_key",
                page.none("none_not_signed")
                if found is None
                else lines(el("span", found.key, class_="mono long"), w("key_known" if found.known else "key_unknown")),
            ),
        ]
        lists = el("dl", *(part for k, value in rows for part in (el("dt", w(k)), el("dd", value))))
        parts.append(el("div", el("h2", w(key)), el("div", class_="line"), lists))
    note = proof.checkpoint
    shown = el("p", page.none("none_recorded")) if note is None else el("pre", _whole(note))
    qr = Html("") if note is None else el("div", qr_code(note, w("qr_title")))
    parts.append(el("div", el("div", el("h2", w("sign_rig")), shown), qr, class_="rig"))
    return el("section", *parts, class_="sign", aria_label=w("sign_heading"))


def _whole(note: str) -> Html:
    return Html("\n".join(text(row) for row in note.split("\n")))
