"""What a standard is called where people read: by its number, where its title begins with one."""

from __future__ import annotations

import pytest

from edge.records.standard_used import StandardUsed, designation
from edge.standards.standard import load_standard


@pytest.mark.parametrize(
    ("title", "said"),
    [
        ("GB/T 48093.1-2026, Solid-state battery for electric vehicles, Part 1", "GB/T 48093.1-2026"),
        ("T/CSAE 434-2025，全固态电池判定方法", "T/CSAE 434-2025"),
        ("Our own isothermal test of wood", "own-1"),
        ("Our own test, of wood", "own-1"),
        ("A method of 2026 " * 10 + ", own", "own-1"),
        (", Part 1", "own-1"),
    ],
)
def test_a_standard_is_called_as_people_call_it(title: str, said: str) -> None:
    assert designation(title, "own-1") == said


def test_the_number_and_the_rest_are_the_whole_title() -> None:
    for name in ("gbt-48093-1-2026", "tcsae-434-2025"):
        s = load_standard(name)
        used = StandardUsed(id=s.id, title=s.title.value, sha256=s.sha256, verified=False)
        assert used.designation == s.designation != name
        assert f"{used.designation}, {used.subject}" == used.title
    own = StandardUsed(id="own-1", title="Our own test, of wood", sha256="", verified=False)
    assert own.subject == own.title
