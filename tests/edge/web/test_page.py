"""The page: looking needs nothing, names are never markup, nothing comes from elsewhere, and stale is said."""

from __future__ import annotations

import asyncio
import datetime
import json
import re
import shutil
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from served_page import Served, on_page, running
from short_demo import Demo
from sqlite_utils import Database

from edge.database.queries import RunListed
from edge.database.shown_runs import RunOnPage
from edge.database.so_far import AlarmOver
from edge.database.summaries import finished_runs
from edge.report.language import Language, Words
from edge.trends.rig_trends import rig_trends
from edge.web.render import LAYOUT
from edge.web.requests import POLICY
from edge.web.run_table import run_table

EVIL = "<script>alert(1)</script>\u202e" + "固" * 150
PAGES = ("/", "/runs", "/runs/1", "/calibration", "/rig", "/sign-in")
ACT = ({"alarm": "<b>gauge</b>", "why": "<i>x</i>", "opened_utc": "2026-01-02T03:04:05+00:00", "closed": False},)


async def all_pages(served: Served) -> dict[str, str]:
    found = {}
    for path in PAGES:
        answer = await served.client.get(path)
        assert answer.status_code == 200, path
        assert answer.headers["content-security-policy"] == POLICY
        assert answer.headers["x-content-type-options"] == "nosniff"
        found[path] = answer.text
    return found


def test_every_page_is_there_with_its_policy_and_without_anything_from_elsewhere(
    short_demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = on_page(monkeypatch, short_demo.path, all_pages, **running())
    for path, text in pages.items():
        assert not re.search(r"\sstyle=|<style|\son\w+=|javascript:", text), path
        assert not re.search(r'(?:src|href|action)="(?!/|#)', text), path
        assert text.count("<script") == (1 if path == "/" else 0)
        assert '<html lang="en"' in text
    assert "Holding. 5\u00a0min of 10\u00a0min." in pages["/"]
    assert "temperature band: ±2\u00a0°C" in pages["/"]  # in the report's words: no key of a file
    assert "temp_band_c" not in pages["/"]
    assert re.search(r">zero [\d\u202f]+ codes<", pages["/"])
    assert "GB/T" not in pages["/"]  # its standard is somebody's own, without a number
    assert "S-1" in pages["/runs"]
    assert "PASS" in pages["/runs/1"]


def test_what_is_due_and_what_the_charts_say_is_what_the_commands_say(
    short_demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime.datetime.now(datetime.UTC)
    told = rig_trends(finished_runs(short_demo.path), now)

    async def both(served: Served) -> tuple[str, str]:
        english = (await served.client.get("/calibration")).text
        served.client.cookies.set("halfpercent-language", "zh")
        return english, (await served.client.get("/calibration")).text

    english, chinese = on_page(monkeypatch, short_demo.path, both)
    assert told.calibration_due is not None
    assert f"due on {told.calibration_due.on}" in english
    assert f"{told.calibration_due.rule}: " in re.sub("<[^>]*>", "", english)
    assert str(told.calibration_due.on) in chinese
    assert "ILAC-G24 方法 1" in chinese
    assert "试验次数太少" in chinese  # one run is no chart
    assert ' lang="en"' not in chinese.split("<main", 1)[1]


def test_a_name_is_text_and_whole(short_demo: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "halfpercent.db"
    shutil.copy(short_demo.path, path)
    with closing(Database(path)) as db:
        db.execute("update runs set sample_id = ?", [EVIL])
        db.conn.commit()

    async def see(served: Served) -> str:
        return "".join([(await served.client.get(p)).text for p in ("/", "/runs")])

    text = on_page(monkeypatch, path, see, alarms=ACT, interlock="closed")
    assert "<script>alert" not in text
    assert "<b>gauge" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;\\u202e" + "固" * 150 in text
    assert "\u202e" not in text


def test_a_page_says_when_the_station_was_not_heard(short_demo: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    async def see(served: Served) -> tuple[str, str]:
        live = (await served.client.get("/")).text
        old = served.looker.snapshot
        served.looker.snapshot = replace(old, at_s=old.at_s + 4.0)
        return live, (await served.client.get("/")).text

    live, lost = on_page(monkeypatch, short_demo.path, see, **running())
    assert 'data-link="lost"' not in live
    assert 'data-link="lost"' in lost


def test_another_database_s_run_of_the_same_number_is_not_shown_as_the_station_s(
    short_demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def see(served: Served) -> tuple[bool, str]:
        return served.looker.snapshot.seen is not None, (await served.client.get("/rig")).text

    another = running() | {"storage": {"database": "/elsewhere/halfpercent.db"}}
    another["run"] = another["run"] | {"run_uid": "another"}
    shown, rig = on_page(monkeypatch, short_demo.path, see, **another)
    assert not shown
    assert "writes another database /elsewhere/halfpercent.db" in " ".join(re.sub(r"<[^>]+>", " ", rig).split())
    same = running() | {"storage": {"database": str(short_demo.path)}}
    shown, rig = on_page(monkeypatch, short_demo.path, see, **same)
    assert shown
    assert "writes another" not in rig


def test_each_reading_has_its_age_beside_it(short_demo: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    told = running(mass_age_s=1.26)
    ages = {"code_age_s": 0.04, "temp_age_s": 12.9, "under_voltage": True}
    told["readings"] |= ages

    async def rows(served: Served) -> list[list[str]]:
        table = (await served.client.get("/")).text.split('class="readings"', 1)[1].split("</table>", 1)[0]
        cells = re.findall(r"<tr[^>]*>(.*?)</tr>", table.split("<tbody>", 1)[1])
        return [[re.sub("<[^>]*>", "", c) for c in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)] for row in cells]

    found = {
        row[0]: [said.replace("\u00a0", " ") for said in row[1:]]
        for row in on_page(monkeypatch, short_demo.path, rows, **told)
    }
    names = "Mass, Loss so far, As weighed, Loss rate, Oven, Load cell, Pressure, Noise, Supply, Converter"
    assert list(found) == names.split(", ")
    assert found["Mass"] == ["197.1000 g", "ok", "1.3 s"]
    assert found["Oven"][2] == "12 s"
    assert found["Load cell"] == ["?", "unknown", ""]
    assert re.fullmatch(r"[\d.]+ mg", found["Noise"][0])
    assert found["Supply"] == ["no voltmeter", "▲ low", ""]
    assert found["Converter"] == ["9", "ok", "0.0 s"]


def test_alarms_are_told_in_the_pages_language_and_those_that_are_over_too(
    short_demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    stands = {"alarm": "supply voltage", "why": "under-voltage: use the Pi's own supply and a short cable"}

    async def see(served: Served) -> tuple[str, str]:
        snapshot = served.looker.snapshot
        seen = snapshot.stored.seen
        assert seen is not None
        over = (AlarmOver("gap", seen.course.last_s - 600.0, seen.course.last_s - 540.0, "操作员 B", 41.0),)
        served.looker.snapshot = replace(
            snapshot, stored=replace(snapshot.stored, seen=replace(seen, alarms_over=over))
        )
        english = (await served.client.get("/")).text
        served.client.cookies.set("halfpercent-language", "zh")
        return english, (await served.client.get("/")).text

    told = running() | {"alarms": [stands | {"closed": False, "acknowledged": False}]}
    english, chinese = (
        re.sub("<[^>]*>", "", page.split('id="s-alarms"', 1)[1].split("</section>", 1)[0])
        for page in on_page(monkeypatch, short_demo.path, see, **told)
    )
    assert "▲ Supply voltage stands" in english
    assert re.search(r"Gap \d\d:\d\d–\d\d:\d\d, acknowledged by 操作员 B in 41\u00a0s", english)
    assert "▲ 供电电压 持续" in chinese
    assert "欠压：请用 Pi 原装电源与短线缆" in chinese
    assert re.search(r"数据缺口 \d\d:\d\d–\d\d:\d\d，操作员 B 于 41\u00a0s 内确认", chinese)
    assert "No alarm stands" not in english


def test_the_scale_of_a_list_of_runs_is_headed_by_their_own_limit() -> None:
    row = RunListed(
        run_id=1, sample_id="S", kind="sample", state="ended", verdict="PASS", loss_pct=0.2, u_pct=0.01, U_pct=0.02,
        limit_pct=1.0, invalid_because=None, standard_id="own", started_utc="", ended_utc=None,
    )  # fmt: skip
    w = Words(Language.ENGLISH)
    listed = [msgspec.structs.replace(row, limit_pct=limit) for limit in (1.0, 1.0, 0.5)]
    runs = [RunOnPage(one, None, None, checked=True) for one in listed]
    assert run_table(w, runs[:2]).scale == "0 to 2\u00a0%, limit 1"
    assert run_table(w, runs).scale == "0 to twice the run’s limit"
    assert [row.limit_x for row in run_table(w, runs).rows] == [75.0] * 3


async def first_messages(served: Served, count: int) -> list[dict[str, Any]]:
    """Get what the stream says first, looking anew between two of its words."""
    from starlette.requests import Request

    from edge.web.app import _told

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(3600.0)
        return {"type": "http.disconnect"}

    scope = {"type": "http", "app": served.app, "headers": [], "method": "GET", "path": "/live", "query_string": b""}
    stream, found = _told(Request(scope, receive)), []
    while len(found) < count:
        waiting = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0)
        if not waiting.done():
            await served.look()
        line = await asyncio.wait_for(waiting, 5.0)
        if line.startswith("data: "):
            found.append(json.loads(line.removeprefix("data: ")))
    await stream.aclose()
    return found


def test_the_stream_sends_all_once_and_then_what_changes(short_demo: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    async def follow(served: Served) -> list[dict[str, Any]]:
        told = await first_messages(served, 1)
        served.station.status = running(hold_s=360.0)
        return told + (await first_messages(served, 3))

    first, again, *later = on_page(monkeypatch, short_demo.path, follow, **running())
    assert first["whole"]
    assert again["whole"]
    assert list(first["sections"]) == [name for name, _ in LAYOUT]
    assert "<h1>Holding. 5\u00a0min" in first["sections"]["hero"]
    assert first["title"].startswith("Holding")
    assert all("plot" not in told["sections"] for told in later)
    assert any("6\u00a0min" in told["sections"].get("hero", "") for told in [again, *later])


def test_the_stream_says_that_nothing_is_heard(short_demo: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    async def follow(served: Served) -> list[dict[str, Any]]:
        served.looker.snapshot = replace(served.looker.snapshot, heard_s=served.looker.snapshot.at_s - 12.0)
        return await first_messages(served, 1)

    (told,) = on_page(monkeypatch, short_demo.path, follow)
    assert told["stale"]
    assert told["age_s"] == pytest.approx(12.0)


def test_a_browser_that_asks_for_chinese_has_it_and_may_choose(
    short_demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def see(served: Served) -> tuple[str, str]:
        asked = (await served.client.get("/", headers={"accept-language": "zh-CN,zh"})).text
        await served.client.get(f"/language/{Language.CHINESE}")
        return asked, (await served.client.get("/runs")).text

    for text in on_page(monkeypatch, short_demo.path, see):
        assert '<html lang="zh-Hans"' in text
    assert "符合" in text


def test_runs_are_searched_and_paged(short_demo: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "halfpercent.db"
    shutil.copy(short_demo.path, path)
    with closing(Database(path)) as db:
        row = next(iter(db.query("select * from runs")))
        db["runs"].insert_all(row | {"run_id": n, "run_uid": f"u{n}", "sample_id": f"Q-{n}"} for n in range(2, 31))
        db["runs"].update(21, {"operator": "Ada Löwe"})

    async def see(served: Served) -> list[str]:
        paths = ("/runs", "/runs?before=6", "/runs?q=q-17", "/runs?q=nothing&before=x", "/runs?q=ada%20l%C3%B6")
        return [(await served.client.get(p)).text for p in paths]

    newest, older, found, none, by_operator = on_page(monkeypatch, path, see)
    assert "Q-30" in newest
    assert "/runs?before=6" in newest
    assert "Q-5<" not in newest
    assert "Q-5<" in older
    assert re.findall(r">(Q-\d+)<", found) == ["Q-17"]
    assert re.findall(r">(Q-\d+)<", by_operator) == ["Q-21"]
    assert ">Ada Löwe<" in by_operator
    assert "Nothing matches" in none


def test_a_run_that_was_altered_is_said_to_be_wherever_it_is_shown(
    short_demo: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "halfpercent.db"
    shutil.copy(short_demo.path, path)
    with closing(Database(path)) as db:
        db.execute("update runs set loss_pct = 0.0123")
        db.conn.commit()

    async def get(served: Served) -> list[str]:
        return [(await served.client.get(p)).text for p in ("/", "/runs", "/runs/1", "/runs/1.txt", "/runs/1.json")]

    now, listed, one, text, as_json = on_page(monkeypatch, path, get)
    for shown in (now, listed):
        assert "ALTERED" in shown
        assert "loss_pct is 0.0123" in shown
        assert 'class="num res">0.0' not in shown
    assert "ALTERED: runs, run 1: loss_pct" in one
    assert 'class="verdict' not in one
    assert text.startswith("ALTERED: runs, run 1: loss_pct")
    assert "loss_pct" in json.loads(as_json)["altered"]


def test_a_runs_files_are_handed_out_and_no_others(short_demo: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    async def get(served: Served) -> list[Any]:
        paths = ("/runs/1.txt", "/runs/1.json", "/runs/9.txt", "/runs/1.db", "/static/../app.py", "/static/app.py")
        return [await served.client.get(p) for p in paths]

    text, as_json, *others = on_page(monkeypatch, short_demo.path, get)
    assert "attachment" in text.headers["content-disposition"]
    assert json.loads(as_json.text)["verdict"] == short_demo.result["verdict"]
    assert [o.status_code for o in others] == [404] * 4


def test_without_a_database_and_without_a_station_there_is_a_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def see(served: Served) -> tuple[str, int]:
        return (await served.client.get("/")).text, (await served.client.get("/runs")).status_code

    text, status = on_page(monkeypatch, tmp_path / "none.db", see)
    assert "No run yet." in text
    assert status == 503
