"""The real-time clock: one that has kept the time counts as set, one that began anew does not."""

from __future__ import annotations

from pathlib import Path

import pytest

import hw.clock_sync
from hw.clock_sync import clock_is_set
from hw.rtc import battery_flags, kept_by_rtc

NOW_S = 1_767_225_600.0


def rtc(folder: Path, since_epoch: str) -> Path:
    folder.joinpath("since_epoch").write_text(since_epoch, encoding="ascii")
    return folder


@pytest.mark.parametrize(
    ("since_epoch", "flags", "kept"),
    [
        ("1767225603\n", 0, True),
        ("1767225603\n", None, True),
        ("1767225603\n", 0b010, True),
        ("1767225603\n", 0b100, False),
        ("1767225603\n", 0b001, False),
        ("1767000000\n", 0, False),
        ("12\n", 0, False),
        ("946684812\n", 0, False),
        ("", 0, False),
    ],
)
def test_a_clock_that_shows_the_system_s_time_and_has_a_battery_has_kept_it(
    tmp_path: Path, since_epoch: str, flags: int | None, kept: bool
) -> None:
    assert kept_by_rtc(NOW_S, rtc(tmp_path, since_epoch), lambda: flags) is kept


def test_an_unset_system_clock_is_not_kept_by_one_that_began_at_1970_with_it(tmp_path: Path) -> None:
    assert not kept_by_rtc(13.0, rtc(tmp_path, "12"), lambda: None)
    assert not kept_by_rtc(NOW_S, tmp_path / "none", lambda: None)


def test_a_device_that_cannot_be_asked_says_nothing(tmp_path: Path) -> None:
    assert battery_flags(tmp_path / "none") is None
    (tmp_path / "file").touch()
    assert battery_flags(tmp_path / "file") is None


@pytest.mark.parametrize(
    ("ntp", "kept", "is_set"),
    [(True, False, True), (False, True, True), (None, True, True), (False, False, False), (None, False, None)],
)
def test_the_clock_is_set_by_ntp_or_by_what_kept_it(
    ntp: bool | None, kept: bool, is_set: bool | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hw.clock_sync, "synchronised", lambda: ntp)
    monkeypatch.setattr(hw.clock_sync, "kept_by_rtc", lambda _: kept)
    assert clock_is_set() is is_set
