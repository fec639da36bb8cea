"""The page as an application without a network: a database, a station that answers as it is told, and a client."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
from starlette.applications import Starlette

from edge.control import client
from edge.control.protocol import Request, parse
from edge.errors import Refused
from edge.web import act
from edge.web.app import WebSettings, build_app
from edge.web.look import Looker
from edge.web.requests import Page

TOKEN = "a-token-of-more-than-twenty-characters"
ORIGIN = "http://rig.test"
T = TypeVar("T")


@dataclass
class Station:
    """A station as the page hears it: what it answers, what it was told, and what it refuses with."""

    status: dict[str, Any] = field(default_factory=lambda: {"state": "idle"})
    told: list[Request] = field(default_factory=list)
    refuses: str = ""

    def ask(self, _socket: Path, command: str, args: dict[str, Any], *, timeout_s: float = 0.0) -> dict[str, Any]:
        """Answer as the socket does."""
        request = Request(command, args, "page")
        if command == "status":
            return self.status
        parse(request)
        if self.refuses:
            raise Refused(self.refuses)
        self.told.append(request)
        return {"run_id": 7}


@dataclass
class Served:
    """An application, its station, and a client with cookies."""

    app: Starlette
    station: Station
    client: httpx.AsyncClient

    @property
    def page(self) -> Page:
        """Get what it is made of."""
        page: Page = self.app.state.page
        return page

    @property
    def looker(self) -> Looker:
        """Get what looks."""
        return self.page.looker

    async def look(self) -> None:
        """Ask and read once, as every second."""
        await asyncio.gather(self.looker._ask_once(), self.looker._read_once())

    async def sign_in(self, operator: str = "Ada", token: str = TOKEN) -> httpx.Response:
        """Sign in."""
        return await self.post("/sign-in", operator=operator, token=token)

    async def post(self, path: str, *, origin: str | None = ORIGIN, **form: str) -> httpx.Response:
        """Send a form, as a browser does."""
        return await self.client.post(path, data=form, headers={} if origin is None else {"origin": origin})

    async def csrf(self, path: str = "/note") -> str:
        """Get the secret that a form carries."""
        found = re.search(r'name="csrf" value="([^"]+)"', (await self.client.get(path)).text)
        assert found is not None
        return found[1]


def on_page(
    monkeypatch: pytest.MonkeyPatch, database: Path, work: Callable[[Served], Coroutine[Any, Any, T]], **status: Any
) -> T:
    """Do ``work`` on a page over a database, with a station that answers ``status``."""
    station = Station({"state": "idle"} | status)
    monkeypatch.setattr(client, "ask", station.ask)
    monkeypatch.setattr(act, "ask", station.ask)
    monkeypatch.setattr(act, "SIGN_IN_TAKES_S", 0.0)

    async def run() -> T:
        app = build_app(WebSettings(database, database.with_name("none.sock"), lambda: TOKEN, "Rig"))
        transport = httpx.ASGITransport(app=app, client=("127.0.0.1", 1234))
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
            served = Served(app, station, client)
            await served.look()
            return await work(served)

    return asyncio.run(run())


def running(**run: Any) -> dict[str, Any]:
    """Get the status of a station that measures run 1 in its hold."""
    told = {
        "run_id": 1, "sample_id": "S-1", "operator": "Ada", "kind": "simulated", "phase": "hold", "elapsed_s": 9000.0,
        "hold_s": 300.0, "hold_required_s": 600.0, "mass_g": 197.1, "loss_pct": 0.21, "loss_as_weighed_pct": 0.16,
        "air_step_pct": 0.05, "u_air_step_pct": 0.001, "air": "air gone", "temp_c": 120.0,
    }  # fmt: skip
    return {"state": "running", "run": told | run, "readings": {"temp_c": 120.0, "bridge_status": "ok", "code": 9}}
