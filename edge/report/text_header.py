"""What stands above a report as text: number and date, laboratory, run and operator, instrument, software.

It shows what is stored and computes nothing. What nobody recorded says so; it never disappears.
"""

from __future__ import annotations

from collections.abc import Iterator

from .contents import Page, Report
from .language import Language, Words

NOT_STATED, NOT_RECORDED = "not stated", "not recorded"


def header_lines(report: Report) -> Iterator[str]:
    """Get the lines that stand above a report as text."""
    page, f = Page(report, Words(Language.ENGLISH)), report.facts
    laboratory, about = f.laboratory, report.about
    replaces = f", replaces {about.report.replaces}" if about.report.replaces else ""
    yield f"Report {report.number}, issued {report.day.isoformat()}{replaces}"
    if laboratory is None:
        yield f"Laboratory: {NOT_STATED}"
    else:
        place = f"; place of the test: {laboratory.place}" if laboratory.place else ""
        yield f"Laboratory: {laboratory.name}, {laboratory.address or f'address {NOT_STATED}'}{place}"
    yield f"Customer: {NOT_STATED if about.customer is None else about.customer.name}"
    ended = page.utc(f.ended_utc) or NOT_RECORDED
    yield f"Run {f.run_id} ({f.run_uid}), {page.utc(f.started_utc) or NOT_RECORDED} to {ended}"
    yield f"Operator: {f.operator or NOT_RECORDED}"
    yield f"Instrument: {_instrument(report)}"
    versions = ", ".join(f"{name} {version}" for name, version in sorted(f.versions.items()))
    measured = f" ({versions})" if versions else f"; measured with: {NOT_RECORDED}"
    yield f"Software: halfpercent {f.software or NOT_RECORDED}{measured}"
    yield ""


def _instrument(report: Report) -> str:
    c = report.facts.certificate
    bridge = next((d.settings for d in report.facts.devices if d.role == "bridge"), None)
    chip = NOT_RECORDED if bridge is None else f"{bridge.get('bridge', '?')}, gain {bridge.get('gain', '?')}"
    if c is None:
        return f"load cell {NOT_RECORDED}; converter {chip}"
    return f"load cell {c.capacity_g:g} g, serial {c.serial}; converter {chip}; certificate {c.name} of {c.made_at}"
