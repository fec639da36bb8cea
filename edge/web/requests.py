"""What every request has in common: its viewer, its form, and the headers of every answer.

The policy lets a page load from here and from nowhere else, with no script or style in it. This module must never take
a body that is longer than it may be, and never answer a mistake with how it came about.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from edge.errors import BadInput
from edge.report.language import Language

from .look import Looker
from .render import CSRF_PLACE, Renderer, Viewer
from .sessions import COOKIE, Session, Sessions, Tries, is_from_here, is_own_form

MOST_BODY = 65_536
MOST_FIELDS = 40
LANGUAGE_COOKIE = "halfpercent-language"
POLICY = (
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'; "
    "img-src 'self'; connect-src 'self'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",  # without a referrer a browser sends "Origin: null" with a form
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    "cache-control": "no-store",
}


@dataclass(slots=True)
class Page:
    """What the page is made of. ``token`` gives the token that lets somebody act, or raises ``BadInput``."""

    looker: Looker
    renderer: Renderer
    sessions: Sessions
    tries: Tries
    token: Callable[[], str]
    secure: bool = False


def page_of(request: Request) -> Page:
    """Get the page that a request is for."""
    page: Page = request.app.state.page
    return page


def session_of(request: Request) -> Session | None:
    """Get who is signed in (None: somebody who looks)."""
    return page_of(request).sessions.find(request.cookies.get(COOKIE))


def viewer_of(request: Request) -> Viewer:
    """Get who looks, and in which language: as chosen, else as the browser asks for."""
    chosen = request.cookies.get(LANGUAGE_COOKIE)
    asked = request.headers.get("accept-language", "").lower()
    if chosen not in list(Language):
        chosen = "zh" if asked.startswith("zh") else "en"
    session = session_of(request)
    return Viewer(Language(chosen), "" if session is None else session.operator)


def html(request: Request, text: str, status: int = 200) -> HTMLResponse:
    """Answer with a page, in which forms have the secret of who asked for it."""
    session = session_of(request)
    return HTMLResponse(text.replace(CSRF_PLACE, "" if session is None else session.csrf), status)


def error(request: Request, why: str, status: int, to: str = "/") -> HTMLResponse:
    """Answer with one line of what is wrong, and a way back."""
    renderer, viewer = page_of(request).renderer, viewer_of(request)
    title = renderer.words(viewer)("err_title")
    return html(request, renderer.page("error.html", viewer, title=title, why=why, to=to), status)


class NotAllowed(Exception):
    """Why a request that would change something is not carried out: the answer for it."""

    def __init__(self, response: Response) -> None:
        super().__init__("not allowed")
        self.response = response


async def form_of(request: Request) -> Mapping[str, str]:
    """Get a form's fields, each once. Raises ``NotAllowed`` where it is not from here, or too long."""
    w = page_of(request).renderer.words(viewer_of(request))
    headers = request.headers
    if not is_from_here(headers.get("origin"), headers.get("host"), headers.get("sec-fetch-site")):
        raise NotAllowed(error(request, w("err_not_ours"), 403))
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MOST_BODY:
            raise NotAllowed(error(request, w("err_too_large"), 413))
    try:
        fields = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS, strict_parsing=bool(body))
    except (ValueError, UnicodeError) as e:
        raise NotAllowed(error(request, w("err_not_ours"), 400)) from e
    return {name: values[-1] for name, values in fields.items()}


async def signed_form_of(request: Request) -> tuple[Session, Mapping[str, str]]:
    """Get a form of somebody who may act. Raises ``NotAllowed`` where nobody is signed in or it is not theirs."""
    form = await form_of(request)
    w, session = page_of(request).renderer.words(viewer_of(request)), session_of(request)
    if session is None:
        raise NotAllowed(error(request, w("err_not_signed"), 403, "/sign-in"))
    if not is_own_form(form.get("csrf", ""), session):
        raise NotAllowed(error(request, w("err_not_ours"), 403))
    return session, form


def token_or_why(page: Page) -> tuple[str, str]:
    """Get the token and '', or '' and why there is none."""
    try:
        return page.token(), ""
    except BadInput as e:
        return "", str(e)


class SecurityHeaders:
    """Puts the policy and its like on every answer, but for what an answer says of itself."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                there = {name.lower() for name, _ in message["headers"]}
                more = [(n.encode(), v.encode()) for n, v in HEADERS.items() if n.encode() not in there]
                message["headers"] = [*message["headers"], *more]
            await send(message)

        await self._app(scope, receive, with_headers)
