"""The short form of the safety page is shown until the operator said yes, once per series, and no yes is made up."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import pytest
from repository import ROOT
from simulated_service import order, rigged

from edge.cli.safety import SHORT, show_until_said
from edge.errors import BadInput
from edge.run.live_run import LiveRun

PAGE = (ROOT / "docs" / "safety.md").read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))


def at_a_terminal(monkeypatch: pytest.MonkeyPatch, answer: bool) -> list[str]:
    """Sit somebody at a terminal who answers so. Returns what they are asked, as it grows."""
    asked: list[str] = []

    def confirm(question: str, **_more: object) -> bool:
        asked.append(question)
        return answer

    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr(click, "confirm", confirm)
    return asked


def test_who_said_yes_is_not_asked_again_in_that_series(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = at_a_terminal(monkeypatch, True)
    assert show_until_said("Ada", "A")
    assert capsys.readouterr().err.splitlines() == list(SHORT)
    assert show_until_said("Ada", "A")
    assert capsys.readouterr().err == ""
    assert len(asked) == 1
    assert show_until_said("Ada", "B")
    assert show_until_said("Bo", "A")
    assert len(asked) == 3


def test_a_no_begins_nothing_and_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = at_a_terminal(monkeypatch, False)
    for _ in range(2):
        with pytest.raises(BadInput, match=r"not begun: read docs/safety.md, and start again"):
            show_until_said("Ada", "A")
    assert len(asked) == 2


def test_where_nobody_can_be_asked_nobody_said_yes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False)
    for _ in range(2):
        assert not show_until_said("Ada", "A")


def test_a_folder_that_cannot_be_written_is_said_and_keeps_nobody_from_testing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "home").write_text("a file", encoding="utf-8")
    at_a_terminal(monkeypatch, True)
    assert show_until_said("Ada", "A")
    assert "cannot be remembered" in capsys.readouterr().err


def stored(live: LiveRun, folder: Path) -> dict[str, object]:
    from edge.database.queries import stored_run
    from edge.database.reading import open_readonly

    db = open_readonly(folder / "halfpercent.db")
    try:
        return {name: stored_run(db, live.run_id).settings.get(name) for name in ("series", "safety_said")}
    finally:
        db.close()


def test_series_and_yes_are_stored_with_the_run_and_no_yes_where_none_was_said(tmp_path: Path) -> None:
    with rigged(tmp_path) as it:
        live = it.service.start(order(series="A", safety_said=True), "ada")
        it.run_s(3.0)
        assert stored(live, tmp_path) == {"series": "A", "safety_said": True}
        it.ask("abort")
        it.run_s(5.0)
        live = it.service.start(order(), "ada")
        it.run_s(3.0)
        assert stored(live, tmp_path) == {"series": None, "safety_said": None}


@pytest.mark.parametrize(
    "word",
    ["State of charge", "Lithium metal", "vent", "H2S", "Solvent vapour", "Who", "independent", "Fuses", "contactor",
     "does not", "Do not open", "fire service", "measure the specimen"],
)  # fmt: skip
def test_the_page_speaks_of_it(word: str) -> None:
    assert word in PAGE
