"""The page's viewers in small: each gets what changes, and the page's memory stays where it is. Nothing is timed."""

from __future__ import annotations

from pathlib import Path

from page_viewers import free_port, looked_at, many_runs, page, process, renewed


def test_who_looks_is_told_and_the_page_does_not_grow(tmp_path: Path) -> None:
    database = tmp_path / "halfpercent.db"
    many_runs(database, 3)
    port = free_port()
    with process(*page(tmp_path, database, port)) as served:
        seen, held = looked_at(served.pid, port, 3, 4.0)
    assert all(viewer.events >= 2 for viewer in seen)
    assert max(held) < 90.0


def test_looking_again_and_again_holds_no_more(tmp_path: Path) -> None:
    database = tmp_path / "halfpercent.db"
    many_runs(database, 3)
    held = renewed(database, 60)
    assert held[-1] - held[len(held) // 2] < 2.0
