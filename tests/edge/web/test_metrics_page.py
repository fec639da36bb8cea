"""The page for a scraper: Prometheus's parser takes it, it is what the command prints, and stale is not up."""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from served_page import Served, on_page, running
from short_demo import Demo


def values(text: str) -> dict[str, float]:
    return {s.name: s.value for family in text_string_to_metric_families(text) for s in family.samples if not s.labels}


def test_a_scraper_gets_what_the_station_says_and_asks_it_nothing(
    short_demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scraped(served: Served) -> str:
        asked = len(served.station.told)
        answer = await served.client.get("/metrics")
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("application/openmetrics-text")
        assert answer.headers["cache-control"] == "no-store"
        assert len(served.station.told) == asked
        return answer.text

    text = on_page(monkeypatch, short_demo.path, scraped, **running())
    assert text.endswith("# EOF\n")
    found = values(text)
    assert found["halfpercent_station_up"] == 1.0
    assert found["halfpercent_hold_seconds"] == 300.0


def test_a_station_that_has_not_answered_for_a_while_is_not_up(
    short_demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scraped(served: Served) -> str:
        looker = served.looker
        looker.snapshot = replace(looker.snapshot, at_s=looker.snapshot.at_s + 60.0)
        return (await served.client.get("/metrics")).text

    found = values(on_page(monkeypatch, short_demo.path, scraped, **running()))
    assert found["halfpercent_station_up"] == 0.0
    assert "halfpercent_hold_seconds" not in found


def test_where_its_library_is_not_there_one_line_says_what_to_install(
    short_demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "edge.report.openmetrics", None)

    async def scraped(served: Served) -> tuple[int, str]:
        answer = await served.client.get("/metrics")
        return answer.status_code, answer.text

    code, text = on_page(monkeypatch, short_demo.path, scraped)
    assert (code, text.count("\n")) == (501, 1)
    assert "pip install 'halfpercent[fleet]'" in text
