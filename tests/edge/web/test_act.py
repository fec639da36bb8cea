"""Acting on the page: only with the token, only from a form of its own, in the socket's words."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from served_page import TOKEN, Served, on_page, running
from short_demo import Demo

from edge.errors import BadInput
from edge.web import act
from edge.web.serve import Binding
from edge.web.sessions import COOKIE, LASTS_S, TRIES, Sessions, Tries, is_from_here
from edge.web.token import is_token, make_token, read_token, token_file


def test_who_only_looks_can_do_nothing(short_demo: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    async def try_all(served: Served) -> list[Any]:
        answers = [await served.post("/act", command=c, csrf="x") for c in ("tare", "ack", "abort")]
        answers += [await served.post(p, text="x", csrf="") for p in ("/note", "/abort", "/new")]
        assert served.station.told == []
        return answers

    for answer in on_page(monkeypatch, short_demo.path, try_all):
        assert answer.status_code in (303, 403)
        assert answer.headers.get("location", "/sign-in") == "/sign-in"


def test_who_only_looks_sees_each_button_dashed_and_why(short_demo: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    async def buttons(served: Served) -> list[tuple[str, str]]:
        strip = (await served.client.get("/")).text.split('id="s-yours"', 1)[1].split("</section>", 1)[0]
        assert '<p class="why" id="why">You are looking only. <a href="/sign-in">' in strip
        assert "<a class" not in strip.split('class="buttons"', 1)[1]
        return re.findall(r"<button([^>]*)>([^<]*)</button>", strip)

    dashed = ' disabled aria-describedby="why"'
    asked = on_page(monkeypatch, short_demo.path, buttons, **running(phase="tare"))
    assert asked == [
        (' class="primary"' + dashed, "Take the zero"),
        (dashed, "Note…"),
        (' class="grave"' + dashed, "Abort…"),
    ]
    assert [said for _, said in on_page(monkeypatch, short_demo.path, buttons)] == ["New test", "Note…"]


def test_with_the_token_a_step_reaches_the_station_with_who_took_it(
    short_demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def take(served: Served) -> None:
        answer = await served.sign_in("操作员 B")
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert TOKEN not in cookie
        page = (await served.client.get("/")).text
        assert "操作员 B may act" in page
        assert 'name="command" value="tare"' in page
        csrf = await served.csrf()
        assert (await served.post("/act", command="tare", csrf=csrf)).status_code == 303
        assert (await served.post("/act", command="ack", alarm="gauge", csrf=csrf)).status_code == 303
        assert (await served.post("/note", text="the door was open", csrf=csrf)).status_code == 200
        assert (await served.post("/abort", text="smoke", csrf=csrf)).status_code == 303

    def told(served: Served) -> list[tuple[str, dict[str, Any]]]:
        return [(r.command, dict(r.args)) for r in served.station.told]

    async def all_of_it(served: Served) -> list[tuple[str, dict[str, Any]]]:
        await take(served)
        return told(served)

    who = {"operator": "操作员 B"}
    assert on_page(monkeypatch, short_demo.path, all_of_it, **running(phase="tare")) == [
        ("tare", who),
        ("ack", {"alarm": "gauge"} | who),
        ("note", {"text": "the door was open"} | who),
        ("abort", {"reason": "smoke"} | who),
    ]


def test_a_form_that_is_not_ours_does_nothing(short_demo: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    async def forge(served: Served) -> list[int]:
        await served.sign_in()
        csrf = await served.csrf()
        answers = [
            await served.post("/act", origin="http://evil.test", command="tare", csrf=csrf),
            await served.post("/act", origin="null", command="tare", csrf=csrf),
            await served.post("/act", origin=None, command="tare", csrf=csrf),
            await served.post("/act", command="tare", csrf="wrong"),
            await served.post("/act", command="tare"),
            await served.post("/act", command="start", csrf=csrf),
            await served.post("/note", text="x" * 70_000, csrf=csrf),
        ]
        assert served.station.told == []
        return [a.status_code for a in answers]

    assert on_page(monkeypatch, short_demo.path, forge) == [403, 403, 403, 403, 403, 400, 413]


def test_a_refusal_is_shown_in_the_stations_words(short_demo: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    async def press(served: Served) -> tuple[int, str]:
        await served.sign_in()
        csrf = await served.csrf()
        served.station.refuses = "tare is not for phase load: say <load>"
        answer = await served.post("/act", command="tare", csrf=csrf)
        return answer.status_code, answer.text

    status, text = on_page(monkeypatch, short_demo.path, press)
    assert status == 409
    assert "tare is not for phase load: say &lt;load&gt;" in text


def test_a_wrong_token_has_one_answer_and_ten_tries_a_minute(short_demo: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    async def guess(served: Served) -> tuple[list[int], set[str], int]:
        wrong = ["", "x", TOKEN[:-1], TOKEN + "x", TOKEN.upper(), "固" * 30, *["y"] * 6]
        answers = [await served.sign_in(token=t) for t in wrong]
        late = await served.sign_in()
        return [a.status_code for a in answers], {a.text for a in answers}, late.status_code

    statuses, texts, late = on_page(monkeypatch, short_demo.path, guess)
    assert statuses == [403] * TRIES + [429] * 2
    assert len(texts) == 1
    assert late == 429  # the right one too: nothing is learnt by its answer


def test_every_try_takes_the_same_time(short_demo: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    async def guess(served: Served) -> None:
        monkeypatch.setattr(act, "SIGN_IN_TAKES_S", 0.4)
        monkeypatch.setattr(act.asyncio, "sleep", sleep)
        for token in ("x", TOKEN, "z" * 200):
            await served.sign_in(token=token)

    on_page(monkeypatch, short_demo.path, guess)
    assert len(waited) == 3
    assert all(0.0 < s <= 0.4 for s in waited)


def test_a_new_test_is_asked_for_question_by_question(short_demo: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    async def begin(served: Served) -> dict[str, Any]:
        await served.sign_in()
        csrf = await served.csrf("/new")
        form = {"csrf": csrf}
        bad = await served.post("/new", step="1", sample="\u202e", **form)
        assert bad.status_code == 409
        assert "start: sample" in bad.text
        heavy = await served.post("/new", step="5", sample="S-9", mass_g="a lot", **form)
        assert "mass_g" in heavy.text
        asked = next(i for i, q in enumerate(act.QUESTIONS, 1) if q.name == "check_before")
        alone = await served.post("/new", step=str(asked), sample="S-9", check_before="yes", **form)
        assert "check_before" in alone.text
        assert "check_weight_g" in alone.text
        both = await served.post(
            "/new", step=str(asked), sample="S-9", check_before="yes", check_weight_g="100", **form
        )
        assert both.status_code == 200
        form |= {"sample": "S-9", "claim": "solid-state", "mass_g": "198,2", "zero_after": "yes"}
        last = await served.post("/new", step=str(act.SAFETY), safety_said="yes", **form)
        assert "Is this right?" in last.text
        assert 'name="safety_said" value="yes"' in last.text
        started = await served.post("/new", step=str(act.LAST), safety_said="yes", **form)
        assert started.status_code == 303
        (told,) = served.station.told
        return {"command": told.command} | dict(told.args)

    assert on_page(monkeypatch, short_demo.path, begin) == {
        "command": "start", "sample": "S-9", "claim": "solid-state", "mass_g": 198.2, "zero_after": True,
        "safety_said": True, "operator": "Ada",
    }  # fmt: skip


def test_signing_out_ends_it(short_demo: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    async def leave(served: Served) -> int:
        await served.sign_in()
        csrf = await served.csrf()
        kept = served.client.cookies[COOKIE]
        await served.client.get("/sign-out")
        served.client.cookies.set(COOKIE, kept)
        return (await served.post("/act", command="tare", csrf=csrf)).status_code

    assert on_page(monkeypatch, short_demo.path, leave) == 403


def test_a_session_and_a_minute_of_tries_end() -> None:
    now = [0.0]
    sessions, tries = Sessions(lambda: now[0]), Tries(lambda: now[0])
    cookie = sessions.begin("Ada")
    assert all(tries.may("a") for _ in range(TRIES))
    assert not tries.may("a")
    assert tries.may("b")
    now[0] = 61.0
    assert tries.may("a")
    assert sessions.find(cookie) is not None
    now[0] = LASTS_S + 1.0
    assert sessions.find(cookie) is None
    assert sessions.find(None) is None


@pytest.mark.parametrize(
    ("origin", "site", "found"),
    [
        ("http://h", None, True),
        ("http://h", "same-origin", True),
        ("http://h", "cross-site", False),
        ("http://h.evil", None, False),
        ("http://h", "same-site", False),
        (None, None, False),
        ("", None, False),
        ("null", None, False),
    ],
)
def test_a_form_comes_from_here(origin: str | None, site: str | None, found: bool) -> None:
    assert is_from_here(origin, "h", site) is found


def test_a_token_is_its_owners_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "deep" / "token"
    token = make_token(file)
    assert file.stat().st_mode & 0o777 == 0o600
    assert read_token(file) == token
    assert is_token(token, read_token(file))
    assert not is_token(token + " ", token)
    with pytest.raises(BadInput, match="there already"):
        make_token(file)
    file.chmod(0o640)
    with pytest.raises(BadInput, match="chmod 600"):
        read_token(file)
    file.unlink()
    with pytest.raises(BadInput, match="halfpercent key token"):
        read_token(file)
    database = tmp_path / "x.db"
    assert token_file(None, database, of_service=False) == tmp_path / "page-token"
    monkeypatch.setattr("edge.web.token.SERVICE", tmp_path / "deep")
    assert token_file(None, database, of_service=True) == tmp_path / "deep" / "page-token"
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    assert token_file(None, database, of_service=True) == tmp_path / "page-token"
    assert token_file(file, database, of_service=True) == file


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "rig.local"])
def test_beyond_this_machine_it_wants_tls(host: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="in clear"):
        Binding(host).require_safe()
    Binding(host, behind_proxy=True).require_safe()
    with pytest.raises(BadInput, match="name both"):
        Binding(host, tls_certificate=tmp_path / "c.pem").require_safe()
    with pytest.raises(BadInput, match="no such file"):
        Binding(host, tls_certificate=tmp_path / "c.pem", tls_key=tmp_path / "k.pem").require_safe()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_on_this_machine_it_needs_none(host: str) -> None:
    Binding(host).require_safe()
