"""The pictures of README.md are there, are of what draws them now, and have words for who does not see them."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest
from repository import ROOT

pytest.importorskip("PIL", reason="Pillow (WeasyPrint's, extra pdf) is not installed")


def load_tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("draw_screens", ROOT / "docs" / "draw_screens.py")
    assert spec is not None
    assert spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = tool
    spec.loader.exec_module(tool)
    return tool


TOOL = load_tool()
MOST_BYTES = 150_000


@pytest.mark.parametrize("picture", TOOL.LOOKS, ids=lambda p: Path(p).name)
def test_a_picture_is_of_what_draws_it_now(picture: Path) -> None:
    assert TOOL.look_in(picture) == TOOL.look_of(picture), "make docs-pictures (with Chromium), and look at it"
    assert picture.stat().st_size <= MOST_BYTES


@pytest.mark.parametrize("picture", TOOL.LOOKS, ids=lambda p: Path(p).name)
def test_what_draws_a_picture_is_there(picture: Path) -> None:
    assert [pattern for pattern in TOOL.LOOKS[picture] if not list(ROOT.glob(pattern))] == []


def test_the_readme_shows_each_and_says_what_is_seen() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for picture in TOOL.LOOKS:
        assert picture.relative_to(ROOT).as_posix() in readme
    assert readme.count('alt="') == 2
    assert 'alt=""' not in readme


def test_where_there_is_no_picture_none_is_current(tmp_path: Path) -> None:
    assert TOOL.look_in(tmp_path / "none.png") == ""
