"""Lines are as wide as the terminal that shows them, and nothing of them is lost."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edge.report.wrap import LEAST, width_of, wrapped


@given(st.text(st.sampled_from("ab 固x "), max_size=200), st.integers(1, 90))
def test_no_line_is_wider_and_nothing_is_lost(line: str, columns: int) -> None:
    out = wrapped(line, columns)
    assert all(width_of(part) <= max(LEAST, columns) for part in out.split("\n"))
    assert "".join(out.split()) == "".join(line.split())


def test_what_follows_stands_in_by_four() -> None:
    assert wrapped("  one two three four five", 20) == "  one two three four\n      five"
    assert wrapped("short", 80) == "short"


def test_a_number_keeps_its_unit() -> None:
    assert wrapped("now it holds to 1200 s and goes", 20).split("\n")[0] == "now it holds to"
    assert wrapped("free for the database, 25 GB in all", 25).split("\n")[1].strip() == "25 GB in all"
    assert wrapped("of 12 hold cells there are", 20).split("\n")[0] == "of 12 hold cells"
    assert wrapped("0.0528 % ± 0.0006 % (u) taken", 20).split("\n")[0] == "0.0528 % ± 0.0006 %"
