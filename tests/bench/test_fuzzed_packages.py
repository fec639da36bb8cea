"""Packages from somebody who means harm, in small: each is answered or refused, and none is believed."""

from __future__ import annotations

import pytest
from fuzzed_packages import HEAD, Fate, Judge, bytes_changed, fits_a_terminal, fuzzed
from hostile_packages import KINDS
from sealed_run import SealedRun


@pytest.fixture(scope="module")
def judge(sealed: SealedRun, tmp_path_factory: pytest.TempPathFactory) -> Judge:
    return Judge(sealed, tmp_path_factory.mktemp("judge"))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "sizes"])
def test_a_few_of_each_kind_are_answered_or_refused(judge: Judge, sealed: SealedRun, kind: str) -> None:
    fate = fuzzed(judge, sealed, kind, range(3))
    assert not fate.broken
    assert 0 < fate.tried == fate.refused + fate.altered + fate.no_seal + fate.no_effect


def test_each_changed_byte_is_found(judge: Judge, sealed: SealedRun) -> None:
    fate = bytes_changed(judge, sealed, range(10))
    assert fate.refused + fate.altered == fate.tried == 10
    assert not fate.broken
    assert len(fate.row("x")) == len(HEAD)


def test_what_is_no_line_for_a_terminal_is_seen_and_fates_add_up() -> None:
    assert fits_a_terminal("run 3, „°C“: is not what was sealed")
    assert not any(map(fits_a_terminal, ("a\nb", "\x1b[2J", "\u202ex")))
    fate = Fate(tried=1, worst_s=2.0)
    fate.add(Fate(tried=2, altered=2, worst_mb=3.0, broken="names 7: took 11.0 s"))
    assert fate == Fate(tried=3, altered=2, worst_s=2.0, worst_mb=3.0, broken="names 7: took 11.0 s")
