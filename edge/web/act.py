"""What somebody who may act does on the page: sign in, take a step, acknowledge, remark, abort, and a new test.

Everything goes over the control socket, with the same words and refusals as from the command. This module must never
do what it was not asked by a form of its own, and never say more of a wrong token than that it was not accepted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from calibration.visible_text import NotAName, name_from
from edge.control.client import ask
from edge.control.protocol import OPERATOR_STEPS, Answer, Argument, parse
from edge.control.protocol import Request as Order
from edge.errors import HalfpercentError
from edge.report.safety_text import SHORT

from .requests import (
    NotAllowed,
    error,
    form_of,
    html,
    page_of,
    session_of,
    signed_form_of,
    token_or_why,
    viewer_of,
)
from .sessions import COOKIE, LASTS_S
from .token import is_token

SIGN_IN_TAKES_S = 0.4
"""Every try to sign in is answered after so long, right or wrong."""
BUTTONS = (*OPERATOR_STEPS, "ack")


async def sign_in(request: Request) -> Response:
    """Show the form, or take a token."""
    page, viewer = page_of(request), viewer_of(request)
    w = page.renderer.words(viewer)
    token, missing = await run_in_threadpool(token_or_why, page)
    refusal, status, given = (w("sign_no_token", why=missing) if missing else ""), 200, ""
    if request.method == "POST":
        answered = asyncio.get_running_loop().time() + SIGN_IN_TAKES_S
        form = await form_of(request)
        given = form.get("operator", "")[:200]
        address = request.client.host if request.client is not None else "?"
        may = page.tries.may(address)
        right = is_token(form.get("token", ""), token or "no token at all") and bool(token)
        try:
            operator = name_from(given)
        except NotAName:
            operator = ""
        await asyncio.sleep(max(0.0, answered - asyncio.get_running_loop().time()))
        if may and right and operator:
            answer = RedirectResponse("/", 303)
            cookie = page.sessions.begin(operator)
            answer.set_cookie(
                COOKIE, cookie, max_age=int(LASTS_S), httponly=True, samesite="strict", secure=page.secure, path="/"
            )
            return answer
        refusal, status = refusal or w("sign_wrong"), 403 if may else 429
    text = page.renderer.page("sign_in.html", viewer, title=w("sign_title"), refusal=refusal, given=given)
    return html(request, text, status)


async def sign_out(request: Request) -> Response:
    """End the session: looking goes on."""
    page_of(request).sessions.end(request.cookies.get(COOKIE))
    answer = RedirectResponse("/", 303)
    answer.delete_cookie(COOKIE, path="/")
    return answer


async def tell(request: Request, command: str, operator: str, **args: Argument) -> Answer:
    """Tell the station something. Raises what it refuses with."""
    said = {name: value for name, value in args.items() if value not in (None, "")} | {"operator": operator}
    return await run_in_threadpool(ask, page_of(request).looker.socket, command, said, timeout_s=10.0)


async def press(request: Request) -> Response:
    """Take a press of a button: a step of the operator's, or an acknowledgement."""
    session, form = await signed_form_of(request)
    command = form.get("command", "")
    if command not in BUTTONS:
        w = page_of(request).renderer.words(viewer_of(request))
        return error(request, w("err_not_ours"), 400)
    try:
        more: dict[str, Argument] = {"alarm": form.get("alarm")} if command == "ack" else {}
        await tell(request, command, session.operator, **more)
    except HalfpercentError as e:
        return error(request, str(e), 409)
    return RedirectResponse("/", 303)


async def note(request: Request) -> Response:
    """Show the form of a remark, or write one down."""
    w = page_of(request).renderer.words(viewer_of(request))
    words = {"title": w("note_title"), "why": "", "label": w("note_text"), "button": w("note_write")}
    return await _say(request, "/note", words, "note", "text", w("note_written"))


async def abort(request: Request) -> Response:
    """Show what an abort means, or end the test."""
    w = page_of(request).renderer.words(viewer_of(request))
    words = {"title": w("abort_title"), "why": w("abort_why"), "label": w("abort_reason"), "button": w("abort_do")}
    return await _say(request, "/abort", words, "abort", "reason", "")


async def _say(
    request: Request, action: str, words: Mapping[str, str], command: str, argument: str, told: str
) -> Response:
    page, viewer = page_of(request), viewer_of(request)
    if session_of(request) is None:
        return RedirectResponse("/sign-in", 303)
    refusal, given, done = "", "", ""
    if request.method == "POST":
        session, form = await signed_form_of(request)
        given = form.get("text", "")
        try:
            await tell(request, command, session.operator, **{argument: given})
            if not told:
                return RedirectResponse("/", 303)
            given, done = "", told
        except HalfpercentError as e:
            refusal = str(e)
    grave = command == "abort"
    context = {"action": action, "refusal": refusal, "told": done, "given": given, "grave": grave, "must": not grave}
    text = page.renderer.page("say.html", viewer, **words, **context)
    return html(request, text, 409 if refusal else 200)


# a new test


@dataclass(frozen=True, slots=True)
class Question:
    """A question of the guided start: the argument that it fills, whether it must be answered, whether yes or no."""

    name: str
    must: bool = False
    choice: bool = False
    number: bool = False


QUESTIONS = (
    Question("sample", must=True),
    Question("claim"),
    Question("composition"),
    Question("specimen"),
    Question("mass_g", number=True),
    Question("opened_ago_s", number=True),
    Question("air"),
    Question("zero_after", choice=True),
    Question("check_weight_g", number=True),
    Question("check_before", choice=True),
)
SAFETY, LAST = len(QUESTIONS) + 1, len(QUESTIONS) + 2
"""The steps after the questions: safety, and the summary that starts."""


async def new_test(request: Request) -> Response:
    """Ask one question a screen, each with its refusal in the socket's words, and start the test at the end."""
    if session_of(request) is None:
        return RedirectResponse("/sign-in", 303)
    if request.method == "GET":
        return _asked(request, 1, {}, "")
    session, form = await signed_form_of(request)
    answers = {q.name: form.get(q.name, "").strip() for q in QUESTIONS} | {"safety": form.get("safety_said", "")}
    step = int(form["step"]) if form.get("step", "").isdecimal() and len(form["step"]) < 3 else 1
    step = min(max(step, 1), LAST)
    if form.get("back"):
        return _asked(request, max(1, step - 1), answers, "")
    try:
        args = _arguments(answers, session.operator)
        if step <= len(QUESTIONS):
            _check(args, QUESTIONS[step - 1].name)
        elif step == LAST:
            await tell(request, "start", **args)  # type: ignore[arg-type]  # the operator is among them
            return RedirectResponse("/", 303)
    except HalfpercentError as e:
        return _asked(request, step, answers, str(e), 409)
    return _asked(request, step + 1, answers, "")


def _arguments(answers: Mapping[str, str], operator: str) -> dict[str, Argument]:
    """Get the arguments of a start; what was left empty is left out, and a number that is none goes as it was typed."""
    args: dict[str, Argument] = {"operator": operator}
    for question in QUESTIONS:
        given = answers.get(question.name, "")
        if question.choice:
            args |= {question.name: True} if given == "yes" else {}
        elif given:
            args[question.name] = _number(given) if question.number else given
    if answers.get("safety"):
        args["safety_said"] = True
    return args


def _number(text: str) -> float | str:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return text


def _check(args: Mapping[str, Argument], name: str) -> None:
    """Hold one answer against what the socket takes. Raises ``BadRequest`` in its words."""
    others: dict[str, Argument] = {"sample": "S", "operator": "O"}
    if name in args:
        others[name] = args[name]
        if name == "check_before" and "check_weight_g" in args:
            others["check_weight_g"] = args["check_weight_g"]
    elif name == "sample":
        del others["sample"]
    parse(Order("start", others, ""))


def _asked(request: Request, step: int, answers: Mapping[str, str], refusal: str, status: int = 200) -> Response:
    page, viewer = page_of(request), viewer_of(request)
    w, session = page.renderer.words(viewer), session_of(request)
    question = QUESTIONS[step - 1] if step <= len(QUESTIONS) else None
    kept = {name: value for name, value in answers.items() if value and name != "safety"}
    if answers.get("safety") and step != SAFETY:
        kept["safety_said"] = "yes"
    summary = [(w(f"new_{q.name}"), answers[q.name] or w("new_no")) for q in QUESTIONS if answers.get(q.name)]
    summary.append((w("page_operator"), "" if session is None else session.operator))
    status_now = page.looker.snapshot.status
    text = page.renderer.page(
        "new.html",
        viewer,
        here="/new",
        title=w("new_title"),
        step=step,
        steps=LAST,
        question=question,
        given="" if question is None else answers.get(question.name, ""),
        answers=kept,
        refusal=refusal,
        safety=[line.strip() for line in SHORT[1:]] if step == SAFETY else None,
        summary=summary,
        busy=status_now is not None and status_now.run is not None,
    )
    return html(request, text, status)


__all__ = ["NotAllowed", "abort", "new_test", "note", "press", "sign_in", "sign_out"]
