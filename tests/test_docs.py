"""The documents name what is there: every path, every module, every test file and every helper."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from repository import HELPERS, ROOT, TESTS

PAGES = [ROOT / "README.md", TESTS / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
TOP = "calibration|docs|edge|hw|systemd|tests"
PATH = re.compile(rf"(?<![\w./~<-])(?:{TOP})/[\w./*-]*[\w/*]")
DOTTED = re.compile(r"`((?:calibration|edge|hw)(?:\.\w+)+)`")
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")
NOT_OURS = ("calibration/cell.session.json", "calibration/cell.toml")
"""What the guided calibration makes in the folder where a user calls it."""


def ids(pages: list[Path]) -> list[str]:
    return [str(page.relative_to(ROOT)) for page in pages]


@pytest.mark.parametrize("page", [*PAGES, ROOT / "Makefile"], ids=ids([*PAGES, ROOT / "Makefile"]))
def test_every_path_of_the_repository_that_a_page_names_exists(page: Path) -> None:
    named = set(PATH.findall(page.read_text(encoding="utf-8"))) - set(NOT_OURS)
    assert [path for path in sorted(named) if not any(ROOT.glob(path.rstrip("/")))] == []


@pytest.mark.parametrize("page", PAGES, ids=ids(PAGES))
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    links = LINK.findall(page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=ids(PAGES))
def test_every_name_in_code_that_a_page_gives_with_its_module_is_there(page: Path) -> None:
    assert [name for name in DOTTED.findall(page.read_text(encoding="utf-8")) if not is_there(name)] == []


def is_there(dotted: str) -> bool:
    """Whether this is a module, or a name in one, or a name in a class of one."""
    parts = dotted.split(".")
    for n in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:n]))
        except ModuleNotFoundError:
            continue
        for name in parts[n:]:
            if name not in {*dir(found), *getattr(found, "__annotations__", ())}:
                return False
            found = getattr(found, name, None)
        return True
    return False


def table(first: str) -> dict[str, list[str]]:
    """A table of tests/README.md by the heading of its first column: what is in backticks, row by row."""
    lines = iter((TESTS / "README.md").read_text(encoding="utf-8").splitlines())
    rows = {}
    for line in lines:
        if line.startswith(f"| {first} |"):
            next(lines)
            for row in lines:
                if not row.startswith("|"):
                    break
                name, *others = re.findall(r"`([^`]+)`", row)
                rows[name] = others
    return rows


def modules() -> Iterator[str]:
    for package in ("calibration", "hw", "edge"):
        for path in (ROOT / package).rglob("*.py"):
            if path.name != "__init__.py":
                yield str(path.relative_to(ROOT))


def test_each_module_has_its_row_with_the_tests_that_cover_it() -> None:
    rows, there = table("module"), set(modules())
    assert sorted(there - set(rows)) == [], "give each a row in tests/README.md"
    assert sorted(set(rows) - there) == [], "is not there any more"
    assert [module for module, covered_by in rows.items() if not covered_by] == []


def test_each_test_file_that_a_row_names_is_there_and_each_that_is_there_is_named() -> None:
    text = (TESTS / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(tests/[\w/]*test_\w+\.py)`", text))
    there = {str(path.relative_to(ROOT)) for path in TESTS.rglob("test_*.py")}
    assert sorted(named - there) == []
    assert sorted(there - named) == [], "say in tests/README.md what each covers"


def test_each_helper_is_described() -> None:
    there = {path.name for path in HELPERS.glob("*.py")}
    assert set(table("helper")) == there


def test_no_test_imports_a_test() -> None:
    for path in TESTS.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"^\s*(?:from|import) (?:test_|conftest|tests\b)", text, re.MULTILINE), path
