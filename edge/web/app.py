"""The page as an application: its routes, its live stream, and what becomes of a mistake.

Looking needs nothing; acting needs a session (:mod:`edge.web.act`). This module must never open a file that is named by
who asks, and never let one viewer hold up another.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from edge.report.language import Language
from edge.station.alarm_rules import Alarm

from . import act, stored_pages
from .look import Looker
from .now import lost_age
from .render import CSRF_PLACE, Renderer, clock_s, etag
from .requests import (
    LANGUAGE_COOKIE,
    NotAllowed,
    Page,
    SecurityHeaders,
    error,
    html,
    page_of,
    session_of,
    viewer_of,
)
from .sessions import Sessions, Tries

MOST_VIEWERS = 200
A_YEAR_S = 365 * 86_400
STATIC = {
    "page.css": "text/css; charset=utf-8",
    "page.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}


@dataclass(frozen=True, slots=True)
class WebSettings:
    """Where the page reads and asks, what the rig is called, and by which names it may be called itself."""

    database: Path
    socket: Path
    token: Callable[[], str]
    rig: str
    hosts: tuple[str, ...] = ("*",)
    secure: bool = False


def build_app(settings: WebSettings) -> Starlette:
    """Get the application. It looks from its start on."""
    looker = Looker(settings.database, settings.socket)

    @asynccontextmanager
    async def looking(_app: Starlette) -> AsyncIterator[None]:
        await looker.start()
        try:
            yield
        finally:
            await looker.stop()

    app = Starlette(
        routes=[
            Route("/", now),
            Route("/live", live),
            Route("/static/{name}", static),
            Route("/language/{language}", language),
            Route("/runs", stored_pages.runs),
            Route("/runs/{run_id:int}", stored_pages.run),
            Route("/runs/{run_id:int}.{kind:str}", _known_file),
            Route("/calibration", stored_pages.calibration),
            Route("/rig", stored_pages.rig),
            Route("/metrics", figures),
            Route("/sign-in", act.sign_in, methods=["GET", "POST"]),
            Route("/sign-out", act.sign_out),
            Route("/act", act.press, methods=["POST"]),
            Route("/note", act.note, methods=["GET", "POST"]),
            Route("/abort", act.abort, methods=["GET", "POST"]),
            Route("/new", act.new_test, methods=["GET", "POST"]),
        ],
        middleware=[
            Middleware(SecurityHeaders),
            Middleware(TrustedHostMiddleware, allowed_hosts=list(settings.hosts), www_redirect=False),
        ],
        exception_handlers={NotAllowed: _not_allowed, HTTPException: _http_error},
        lifespan=looking,
    )
    app.state.page = Page(looker, Renderer(settings.rig), Sessions(), Tries(), settings.token, settings.secure)
    app.state.viewers = 0
    app.state.exporting = asyncio.Lock()
    return app


async def _not_allowed(_request: Request, e: Exception) -> Response:
    assert isinstance(e, NotAllowed)
    return e.response


async def _http_error(request: Request, e: Exception) -> Response:
    assert isinstance(e, HTTPException)
    why = page_of(request).renderer.words(viewer_of(request))("err_not_found") if e.status_code == 404 else e.detail
    return error(request, why, e.status_code)


async def _known_file(request: Request) -> Response:
    if request.path_params["kind"] not in ("txt", "json", *stored_pages.EXPORTED, *stored_pages.REPORTED):
        raise HTTPException(404)
    return await stored_pages.run_file(request)


async def now(request: Request) -> Response:
    """Show the page of now, whole, as it is without any script."""
    page = page_of(request)
    return html(request, page.renderer.now_page(page.looker.snapshot, viewer_of(request)))


async def live(request: Request) -> Response:
    """Send what changes on the page of now, as it changes, and once a second that all is well or that it is not."""
    state = request.app.state
    if state.viewers >= MOST_VIEWERS:
        return PlainTextResponse("too many look already", 503)
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(_told(request), media_type="text/event-stream", headers=headers)


async def _told(request: Request) -> AsyncIterator[str]:
    page, viewer, session = page_of(request), viewer_of(request), session_of(request)
    csrf = "" if session is None else session.csrf
    request.app.state.viewers += 1
    sent: dict[str, str] = {}
    try:
        yield "retry: 1000\n\n"
        while True:
            snapshot = page.looker.snapshot
            if snapshot.is_stale:
                sent.clear()
                told: dict[str, object] = {"stale": True, "age_s": lost_age(snapshot) or 0.0}
            else:
                whole = not sent
                sections = dict(page.renderer.sections(snapshot, viewer))
                changed = {name: part for name, part in sections.items() if sent.get(name) != part}
                sent = sections
                told = {
                    "whole": whole,
                    "sections": {name: part.replace(CSRF_PLACE, csrf) for name, part in changed.items()},
                    "tone": page.renderer.tone(snapshot, viewer),
                    "clock": clock_s(snapshot.at_s),
                    "title": f"{page.renderer.title(snapshot, viewer)} · halfpercent",
                }
            yield f"data: {json.dumps(told, ensure_ascii=False)}\n\n"
            await page.looker.changed()
            if await request.is_disconnected():
                return
    except asyncio.CancelledError:
        return
    finally:
        request.app.state.viewers -= 1


async def figures(request: Request) -> Response:
    """Give a scraper the rig's figures, as ``halfpercent metrics`` prints them; nobody is asked anew for it."""
    try:  # here: it is an extra, and takes memory only where somebody scrapes
        from edge.report.openmetrics import CONTENT_TYPE, openmetrics_text
    except ImportError:
        return PlainTextResponse("prometheus-client is not installed: pip install 'halfpercent[fleet]'\n", 501)
    looker = page_of(request).looker
    status = None if looker.snapshot.is_stale else looker.snapshot.status
    text = await asyncio.to_thread(openmetrics_text, status, looker.database, tuple(map(str, Alarm)))
    return Response(text, media_type=CONTENT_TYPE, headers={"cache-control": "no-store"})


@cache
def _static(name: str) -> bytes:
    return (files("edge.web") / "static" / name).read_bytes()


async def static(request: Request) -> Response:
    """Hand out style, script and icon."""
    kind = STATIC.get(request.path_params["name"])
    if kind is None:
        raise HTTPException(404)
    body = _static(request.path_params["name"])
    headers = {"etag": etag(body), "cache-control": "no-cache"}
    if request.headers.get("if-none-match") == headers["etag"]:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=kind, headers=headers)


async def language(request: Request) -> Response:
    """Choose a language, for a year."""
    chosen = request.path_params["language"]
    if chosen not in list(Language):
        raise HTTPException(404)
    answer = RedirectResponse("/", 303)
    answer.set_cookie(LANGUAGE_COOKIE, chosen, max_age=A_YEAR_S, httponly=True, samesite="strict", path="/")
    return answer
