"""The pages of what is stored: runs with a search, one run with its report and files, calibration, and the rig.

Everything is read anew for each request, in a thread, through the bounded reader. This module must never hand out a
file that is not made from the run that was asked for.
"""

from __future__ import annotations

import asyncio
import datetime
import json
import re
import shutil
import sys
import tempfile
from base64 import b64encode
from contextlib import closing
from hashlib import sha256
from pathlib import Path

from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response

from calibration.certificate import Certificate
from calibration.certificate import loads as loads_certificate
from calibration.toml_file import one_line
from edge.database.queries import RunListed, list_runs
from edge.database.reading import open_readonly
from edge.database.shown_runs import RunOnPage, ShownRun, held_runs, shown_run
from edge.database.so_far import certificates_used, station_log
from edge.database.summaries import finished_runs
from edge.errors import HalfpercentError, NoSuchRun
from edge.records.result import as_json
from edge.report.language import Language, Words
from edge.report.live_text import span, verdict_line, wall_of
from edge.report.run_list import checked_lines
from edge.report.text import text as report_text
from edge.seal.key import find_key, seal_folder
from edge.trends.rig_trends import CalibrationDue, RigTrends, rig_trends

from .now import EventRow
from .render import day_and_time
from .requests import error, html, page_of, viewer_of
from .run_table import run_table

A_PAGE = 25
SEARCHED = 1000
"""So many of the newest runs are searched."""
SOON_DAYS = 30
EXPORTED = ("csv", "eln")
"""What ``halfpercent export`` makes, each in a process of its own."""
REPORTED = ("html", "pdf")
"""What ``halfpercent report`` makes, likewise."""
_STYLE = re.compile(rb"<style>(.*?)</style>", re.DOTALL)
EXPORT_WITHIN_S = 120.0


async def runs(request: Request) -> Response:
    """List runs, the newest first, a page at a time, or those that match."""
    page, viewer = page_of(request), viewer_of(request)
    w, asked = page.renderer.words(viewer), request.query_params.get("q", "")[:200].strip()
    before = _number(request.query_params.get("before", ""))
    try:
        rows, earlier = await run_in_threadpool(_found, page.looker.database, asked, before)
    except HalfpercentError as e:
        return error(request, str(e), 503)
    text = page.renderer.page(
        "runs.html",
        viewer,
        here="/runs",
        title=w("page_runs"),
        runs=run_table(w, rows),
        asked=asked,
        earlier=earlier,
        paged=before is not None,
    )
    return html(request, text)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def _found(database: Path, asked: str, before: int | None) -> tuple[list[RunOnPage], int | None]:
    """Get a page of runs, the newest first, held against their chains, and before which the next page is."""
    found = list_runs(database, before=before, most=SEARCHED if asked else A_PAGE + 1)[::-1]
    wanted = asked.casefold()
    kept = [r for r in found if not wanted or _matches(r, wanted)]
    rows = kept[:A_PAGE]
    return held_runs(database, rows), rows[-1].run_id if len(kept) > A_PAGE else None


def _matches(run: RunListed, wanted: str) -> bool:
    said = (
        run.sample_id,
        run.operator,
        run.verdict or run.state,
        run.invalid_because,
        run.standard_id,
        run.started_utc,
    )
    return wanted == str(run.run_id) or any(wanted in text.casefold() for text in said if text)


async def run(request: Request) -> Response:
    """Show one run: its verdict, its files, its report."""
    page, viewer = page_of(request), viewer_of(request)
    w, run_id = page.renderer.words(viewer), int(request.path_params["run_id"])
    shown: ShownRun | None = None
    trouble = ""
    try:
        shown = await run_in_threadpool(shown_run, page.looker.database, str(run_id))
        trouble = "; ".join(checked_lines(shown))
    except HalfpercentError as e:
        trouble = str(e)
    result = None if shown is None else shown.result
    line = None if shown is None or shown.altered is not None else verdict_line(w, shown.result)
    base = f"/runs/{run_id}"
    files = [(f"{base}.eln", "run_eln"), (f"{base}.csv", "run_csv")]
    if result is not None:
        other = "en" if viewer.language is Language.CHINESE else "zh"
        reports = [(f"{base}.html?lang={viewer.language}", "run_report_html")]
        reports.append((f"{base}.html?lang={other}", f"run_report_{other}"))
        files = [
            *reports,
            (f"{base}.txt?lang={viewer.language}", "run_report_text"),
            (f"{base}.json", "run_json"),
            *files,
        ]
    text = page.renderer.page(
        "run.html",
        viewer,
        here="/runs",
        title=w("run_title", run=str(run_id)),
        run_id=run_id,
        sample="" if result is None else result.sample_id,
        line=line,
        files=files,
        report=None if result is None or viewer.language is Language.CHINESE else report_text(result).split("\n"),
        trouble=trouble,
    )
    return html(request, text, 200 if result is not None else 404)


async def run_file(request: Request) -> Response:
    """Hand out a file of a run: its report as text, its result as JSON, or what ``halfpercent export`` makes of it."""
    database, run_id = page_of(request).looker.database, int(request.path_params["run_id"])
    kind = request.path_params["kind"]
    name = f"halfpercent-run-{run_id}.{kind}"
    disposition = {"content-disposition": f'attachment; filename="{name}"'}
    try:
        if kind in REPORTED:
            return await _report(request, run_id, kind, disposition)
        in_chinese = kind == "txt" and request.query_params.get("lang") == "zh"
        if kind in EXPORTED or in_chinese:
            exported = ("export", str(run_id), "--format", kind)
            words = ("report", str(run_id), "--format", "text", "--lang", "zh") if in_chinese else exported
            folder = await _made(request, name, *words)
            clean = BackgroundTask(shutil.rmtree, folder, ignore_errors=True)
            return FileResponse(Path(folder) / name, headers=disposition, background=clean)
        shown = await run_in_threadpool(shown_run, database, str(run_id))
    except HalfpercentError as e:
        return error(request, str(e), 404, "/runs")
    if kind == "json":
        said = {"altered": None if shown.altered is None else str(shown.altered), "not_in_chain": shown.not_in_chain}
        body = json.dumps(said | as_json(shown.result), ensure_ascii=False, allow_nan=False)
        return Response(body, media_type="application/json", headers=disposition)
    lines = [*checked_lines(shown), report_text(shown.result)]
    return PlainTextResponse("\n".join(lines) + "\n", headers=disposition)


async def _report(request: Request, run_id: int, kind: str, disposition: dict[str, str]) -> Response:
    """Hand out a report: HTML to be looked at, under a policy that lets its own style in and nothing else."""
    lang = "zh" if request.query_params.get("lang") == "zh" else "en"
    name = f"report.{kind}"
    folder = await _made(request, name, "report", str(run_id), "--format", kind, "--lang", lang)
    try:
        body = await run_in_threadpool((Path(folder) / name).read_bytes)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if kind == "pdf":
        return Response(body, media_type="application/pdf", headers=disposition)
    hashes = " ".join(f"'sha256-{b64encode(sha256(style).digest()).decode()}'" for style in _STYLE.findall(body))
    policy = f"default-src 'none'; style-src {hashes or chr(39) + 'none' + chr(39)}; img-src data:; base-uri 'none'"
    policy += "; form-action 'none'; frame-ancestors 'none'"
    return Response(body, media_type="text/html; charset=utf-8", headers={"content-security-policy": policy})


async def _made(request: Request, name: str, *words: str) -> str:
    """Have a file made by a command of its own, one at a time: what it loads is let go with it. Get its folder."""
    database = page_of(request).looker.database
    async with request.app.state.exporting:
        folder = tempfile.mkdtemp(prefix="halfpercent-")
        argv = (sys.executable, "-m", "edge", *words, "--db", str(database), "-o", str(Path(folder) / name))
        pipe, none = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
        made = await asyncio.create_subprocess_exec(*argv, stdin=none, stdout=none, stderr=pipe)
        try:
            _, said = await asyncio.wait_for(made.communicate(), EXPORT_WITHIN_S)
        except BaseException as e:  # too long, or nobody waits for it any more
            made.kill()
            await made.wait()
            shutil.rmtree(folder, ignore_errors=True)
            if isinstance(e, TimeoutError):
                raise NoSuchRun(f"{name}: was not made within {EXPORT_WITHIN_S:g} s: use the command") from e
            raise
        if made.returncode != 0:
            shutil.rmtree(folder, ignore_errors=True)
            why = said.decode(errors="replace").strip().removeprefix("halfpercent: ")
            raise NoSuchRun(one_line(why)[:300] or f"{name}: could not be made")
        return folder


# calibration and rig


async def calibration(request: Request) -> Response:
    """Show what is due and by which rule, what the charts of past runs say, and the certificates, the newest first."""
    page, viewer = page_of(request), viewer_of(request)
    w = page.renderer.words(viewer)
    try:
        used = await run_in_threadpool(_certificates, page.looker.database)
        told = await run_in_threadpool(_trends, page.looker.database)
    except HalfpercentError as e:
        return error(request, str(e), 503)
    due, tone = _due(w, told.calibration_due)
    rule = () if told.calibration_due is None else (told.calibration_due.rule, told.calibration_due.why)
    text = page.renderer.page(
        "calibration.html",
        viewer,
        here="/calibration",
        title=w("cal_title"),
        certificates=[{"name": c.name, "rows": _certificate_rows(w, c, sha256, n)} for c, sha256, n in used],
        due=due,
        tone=tone,
        rule=[_said(w, part) for part in rule],
        trends=[(_said(w, t.said), bool(t.signals or t.leaves_on)) for t in told.trends if t.baseline_n],
    )
    return html(request, text)


def _certificates(database: Path) -> list[tuple[Certificate, str, int]]:
    with closing(open_readonly(database)) as db:
        return [(loads_certificate(c.toml, c.name), c.sha256, c.runs) for c in certificates_used(db)]


def _trends(database: Path) -> RigTrends:
    return rig_trends(finished_runs(database), datetime.datetime.now(datetime.UTC))


def _said(w: Words, english: str) -> tuple[str, bool]:
    """Get a sentence in the page's language, and whether it is English for want of other words."""
    found = w.sentence(english)
    return english if found is None else found, found is None


def _due(w: Words, due: CalibrationDue | None) -> tuple[str, str]:
    """Say when a calibration is due, by the same rule as ``halfpercent trends`` and doctor."""
    if due is None or due.on is None:
        return w("cal_nothing_due"), "calm"
    left = (datetime.date.fromisoformat(due.on) - datetime.datetime.now(datetime.UTC).date()).days
    if left <= 0:
        return w("cal_due_now"), "alarm"
    return w("cal_due_on", day=due.on), "step" if left < SOON_DAYS else "calm"


def _certificate_rows(w: Words, c: Certificate, sha256: str, count: int) -> list[tuple[str, str]]:
    return [
        (w("cal_made"), str(c.made_at)),
        (w("cal_valid"), w("cal_no_end") if c.valid_until is None else str(c.valid_until)),
        (w("cal_by"), c.made_by),
        (w("cal_converter"), c.bridge.chip),
        (w("cal_capacity"), f"{c.cell.capacity_g:g} g"),
        (w("cal_used_by"), w("cal_runs", count=str(count))),
        (w("cal_hash"), sha256),
    ]


async def rig(request: Request) -> Response:
    """Show the rig: station, storage, clock, key, checkpoint, and its own log."""
    page, viewer = page_of(request), viewer_of(request)
    w, snapshot = page.renderer.words(viewer), page.looker.snapshot
    status, head = snapshot.status, snapshot.stored.checkpoint
    try:
        key = await run_in_threadpool(find_key, seal_folder(page.looker.database))
        said_key = w("rig_no_key") if key is None else key.public.fingerprint
    except HalfpercentError as e:
        said_key = str(e)
    rows = [(w("rig_station"), w("rig_answers") if not snapshot.is_stale else snapshot.trouble or w("page_unknown"))]
    if status is not None:
        step_s = status.loop.longest_step_s
        rows += [
            (w("rig_software"), f"halfpercent {status.software or '?'}"),
            (w("rig_up"), span(status.uptime_s)),
            (w("rig_loop"), "?" if step_s is None else f"{step_s * 1000.0:.0f} ms"),
        ]
    rows += [(w("rig_database"), str(page.looker.database)), (w("rig_key"), said_key)]
    written = None if status is None else status.storage.database
    if written and Path(written).resolve() != page.looker.database.resolve():
        rows.append((w("rig_writes"), written))
    log = await run_in_threadpool(_station_log, page.looker.database, viewer.language)
    text = page.renderer.page(
        "rig.html",
        viewer,
        here="/rig",
        title=w("rig_title"),
        rows=rows,
        check=page.renderer.check(head, viewer),
        note="" if head is None else head.to_note(),
        log=log,
    )
    return html(request, text)


def _station_log(database: Path, language: Language) -> list[EventRow]:
    try:
        with closing(open_readonly(database)) as db:
            found = station_log(db)
    except HalfpercentError as e:
        return [EventRow(0, "", "", "", str(e))]
    rows = []
    for logged in found:
        at_s = wall_of(logged.wall_utc)
        when = "?" if at_s is None else day_and_time(at_s, language)
        rows.append(EventRow(0, "", when, logged.kind.replace("_", " "), f"{logged.what} {logged.why}".strip()))
    return rows
