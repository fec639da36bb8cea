"""What systemd is told: one datagram to the socket it names, and nothing that fails where there is none."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.station.systemd import notify


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """The socket that systemd would listen on."""
    monkeypatch.chdir(tmp_path)  # an address must be short
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as wire:
        wire.bind("notify")
        wire.settimeout(1.0)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield wire


def test_what_is_said_is_one_datagram_with_a_line_each(systemd: socket.socket) -> None:
    assert notify(READY=1, STATUS="run 3: hold, 120.0 °C")
    assert systemd.recv(4096).decode() == "READY=1\nSTATUS=run 3: hold, 120.0 °C"


def test_an_abstract_address_is_reached(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    name = f"halfpercent-{tmp_path.name}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as wire:
        wire.bind(f"\0{name}")
        wire.settimeout(1.0)
        monkeypatch.setenv("NOTIFY_SOCKET", f"@{name}")
        assert notify(WATCHDOG=1)
        assert wire.recv(4096) == b"WATCHDOG=1"


@pytest.mark.parametrize("address", [None, "", "notify", "/nobody/listens/here"])
def test_where_nobody_listens_nothing_fails(address: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    if address is not None:
        monkeypatch.setenv("NOTIFY_SOCKET", address)
    assert not notify(WATCHDOG=1)
