"""The report's fourth page: the means, the limits, the proof.

Instrument, certificate and hash, software, samples by status, deviations, what is assumed and has no source, what the
result does not say, how to verify, and the end mark. This module must never call a thing verified that nobody verified.
"""

from __future__ import annotations

from msgspec import UNSET

from edge.records.report_facts import DeviceTold

from .assumed import assumed_name, assumed_value
from .contents import Page, lines, section, table
from .curve_scale import hms
from .decimals import decimals
from .markup import Html, el, joined, name, text
from .numbers import fixed, grouped

NO_SOURCE = "no source found"


def means_page(page: Page) -> Html:
    """Get the fourth page."""
    w = page.words
    instrument = section("means", w("instrument_heading"), _instrument(page))
    software = section("soft", w("software_heading"), _software(page))
    statuses = section("stat", w("statuses_heading"), _statuses(page))
    deviations = section("dev", w("deviations_heading"), _deviations(page))
    unsaid = section("not", w("unsaid_heading"), _unsaid(page))
    verify = section("how", w("verify_heading"), *_verify(page))
    return el(
        "section",
        page.head("part_means"),
        el("div", instrument, software, class_="two"),
        el("div", statuses, deviations, class_="two"),
        *_assumed(page),
        el("div", unsaid, verify, class_="two"),
        el("p", w("end"), " ", name(page.report.number), class_="end"),
        class_="part",
        aria_labelledby="means",
    )


def _hash(sha256: str | None, page: Page) -> Html:
    return page.none("none_recorded") if not sha256 else el("span", sha256, class_="mono long small")


def _instrument(page: Page) -> Html:
    w, c, r = page.words, page.facts.certificate, page.result
    devices = {d.role: d for d in page.facts.devices}
    none = page.none("none_recorded")
    if c is None:
        cell = certificate = span = weights = page.none("none_certificate")
    else:
        cell = w.html("instrument_cell", capacity=f"{c.capacity_g:g}", serial=name(c.serial))
        until = w("instrument_until", day=c.valid_until.isoformat()) if c.valid_until else ""
        certificate = lines(joined(name(c.name), ", ", c.made_at.isoformat(), until), _hash(c.sha256, page))
        places = decimals(2.0 * c.u_counts_per_g)
        span = w.html("instrument_span", span=fixed(c.counts_per_g, places), U=fixed(2.0 * c.u_counts_per_g, places))
        weights = (
            lines(
                *(
                    w.html("instrument_weight", mass=f"{x.mass_g:g}", u=f"{x.u_mass_g:.2g}", by=name(x.stated))
                    for x in c.weights
                )
            )
            if c.weights
            else page.none()
        )
    thermometers = [_thermometer(page, devices[role]) for role in ("oven", "cell") if role in devices]
    gauge = devices.get("vacuum") or devices.get("gauge")
    air = devices.get("barometer")
    no_zero = page.none("none_used")
    checked = [w("instrument_zero_used")] if r.zeros is not None else []
    checked += [w("instrument_check_used", mass=f"{r.check_weight.stated_g:g}")] if r.check_weight is not None else []
    rows = [
        ("kv_cell", cell),
        ("kv_converter", _converter(page, devices.get("bridge"))),
        ("kv_thermometers", lines(*thermometers) if thermometers else none),
        ("kv_gauge", page.none("none_none") if gauge is None else text(_settings(gauge))),
        ("kv_barometer", page.none("none_none") if air is None else text(_settings(air))),
        ("kv_certificate", certificate),
        ("kv_span", span),
        ("kv_weights", weights),
        ("kv_check", lines(*checked) if checked else no_zero),
        ("kv_blank", no_zero if r.blank is UNSET else name(r.blank.name)),
    ]
    return page.pairs(rows)


def _settings(device: DeviceTold) -> str:
    return ", ".join(f"{key} {value}" for key, value in sorted(device.settings.items()))


def _converter(page: Page, bridge: DeviceTold | None) -> Html:
    if bridge is None:
        return page.none("none_recorded")
    said = bridge.settings
    parts = [said.get("bridge", "?").upper()]
    if "gain" in said:
        parts.append(page.words("device_gain", gain=said["gain"]))
    if "rate_sps" in said:
        parts.append(page.words("device_rate", rate=said["rate_sps"]))
    if "address" in said:
        parts.append(f"I²C {said['address']}")
    resets = page.facts.converter_resets
    told = page.words("device_resets", n=str(resets)) if resets else page.words("device_no_resets")
    return text(page.words("list_comma").join([*parts, told]))


def _thermometer(page: Page, device: DeviceTold) -> Html:
    said = device.settings
    ohm = said.get("nominal_ohm", "?")
    parts = [page.words(f"device_{device.role}"), said.get("probe", "?").upper(), f"Pt{ohm}"]
    if "wires" in said:
        parts.append(page.words("device_wires", wires=said["wires"]))
    return text(page.words("list_comma").join(parts))


def _software(page: Page) -> Html:
    w, f, r = page.words, page.facts, page.result
    versions = [f"{n} {f.versions[n]}" for n in ("python", "numpy", "numba", "sqlite") if n in f.versions]
    checked = r.standard_checked
    verified = page.none("none_none")
    if checked is not None and checked.verified:
        verified = text(str(checked.verified))
    standard = lines(
        joined(
            name(r.standard.designation),
            w("list_comma"),
            name(r.standard.id),
            w("colon"),
            w("software_verified"),
            w("say_gap"),
            verified,
        ),
        _hash(r.standard.sha256, page),
    )
    series = [] if not f.series else [w("list_comma"), w("kv_series"), w("colon"), name(f.series)]
    rows = [
        ("kv_software", text(f"halfpercent {f.software}") if f.software else page.none("none_recorded")),
        ("kv_legal", page.none()),
        ("kv_versions", text(", ".join(versions)) if versions else page.none("none_recorded")),
        ("kv_validated", page.none()),
        (
            "kv_run",
            joined(
                str(f.run_id), w("list_comma"), name(f.run_uid), w("list_comma"), w(f"kind_{r.kind.value}"), *series
            ),
        ),
        ("kv_operator", page.or_none(f.operator, "none_recorded")),
        ("kv_standard", standard),
        ("kv_chain", _hash(f.last_event_sha256, page)),
        ("kv_clock", text(w("clock_" + f.clock.replace(" ", "_")))),
        ("kv_vented", _vented(page)),
    ]
    return page.pairs(rows)


def _vented(page: Page) -> Html:
    vent = page.result.vented
    if vent is UNSET:
        return page.none("none_recorded")
    return text(page.words("vented_told" if vent.told else "vented_seen", at=hms(vent.at_s)))


def _statuses(page: Page) -> Html:
    w, f = page.words, page.facts
    if not f.samples:
        return el("p", page.none("none_recorded"))

    def share(n: int) -> str:
        return f"{fixed(100.0 * n / f.samples, 3)} %" if n else "0 %"

    rows = [[text("ok"), text(grouped(f.samples_ok)), text(share(f.samples_ok)), text(w("status_throughout"))]]
    for s in f.statuses:
        when = w("status_when", n=grouped(s.seconds), first=hms(s.first_s))
        rows.append([text(s.because or "?"), text(grouped(s.samples)), text(share(s.samples)), text(when)])
    rows.append([text(w("status_spikes")), text(grouped(f.spikes)), text(share(f.spikes)), text("")])
    heads = [
        w.html("col_status"),
        Html(">" + w.html("col_samples")),
        Html(">" + w.html("col_share")),
        w.html("col_seen"),
    ]
    return table(list(heads), rows, caption=w.html("table_statuses"), class_="tight")


def _deviations(page: Page) -> Html:
    w, r = page.words, page.result
    if not r.deviations:
        return el("p", page.none("none_none" if r.visual_check is not None else "none_recorded"))
    items = [el("li", page.said(d.why), w("aside", said=w(f"asked_{d.asked}"))) for d in r.deviations]
    return el("ol", *items, class_="small")


def _assumed(page: Page) -> list[Html]:
    w, r = page.words, page.result
    if not r.assumed:
        return [el("h2", w("assumed_heading")), el("p", page.none("none_none"))]
    rows = [
        [
            text(assumed_name(a.field, w)),
            text(assumed_value(a.field, a.value, w)),
            el("code", a.field),
            _source(page, a.source),
        ]
        for a in r.assumed
    ]
    heads: list[str | Html] = [w.html(f"col_{key}") for key in ("what", "value", "field", "source")]
    listed = table(heads, rows, caption=w.html("table_assumed"), class_="tight one breaks")
    return [el("h2", w("assumed_heading")), listed]


def _source(page: Page, source: str) -> Html:
    if not source.startswith(NO_SOURCE):
        return page.said(source)
    rest = source.removeprefix(NO_SOURCE).lstrip(";:, ")
    none = page.none("none_source")
    return joined(none, page.words("semicolon"), page.said(rest)) if rest else none


def _unsaid(page: Page) -> Html:
    w, r = page.words, page.result
    items = []
    if page.report.judged:
        items.append(page.said(r.blind_spot) if isinstance(r.blind_spot, str) else text(w("unsaid_liquid")))
        items.append(w.html("unsaid_class"))
    else:
        items.append(text(w("unsaid_invalid")))
    items.append(text(w("unsaid_others")))
    return el("ul", *(el("li", item) for item in items))


def _verify(page: Page) -> list[Html]:
    w, proof = page.words, page.report.proof
    run = str(page.facts.run_id)
    if proof.package is None:
        return [
            el("p", w.html("verify_database", run=run), class_="small"),
            el("p", w("verify_package_none"), w("say_gap"), page.none("none_recorded"), class_="small"),
        ]
    commands = (
        "ssh-keygen -Y verify -f allowed_signers -I rig-1 \\\n  -n evidence@halfpercent -s manifest.json.sig \\\n"
        f"  < manifest.json\nhalfpercent verify {proof.package} --signers allowed_signers"
    )
    key = page.none("none_recorded") if proof.rig_key is None else el("span", proof.rig_key, class_="mono long")
    return [
        el("p", w.html("verify_package", package=name(proof.package)), class_="small"),
        el("pre", Html("\n".join(text(row) for row in commands.split("\n")))),
        el("p", w("verify_key"), w("say_gap"), key, class_="small"),
    ]
