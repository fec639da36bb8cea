"""A rig's name to others: the one given, else what its machine's name leaves that a topic can hold."""

from __future__ import annotations

import socket

import pytest

from edge.records.rig_name import rig_name


@pytest.mark.parametrize(
    ("host", "name"),
    [("pi-lab", "pi-lab"), ("pi.lab example/7", "pi-lab-example-7"), ("", "rig"), ("x" * 70, "x" * 64)],
)
def test_this_machine_lends_its_name(host: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: host)
    assert rig_name(None) == name
    assert rig_name("R-1") == "R-1"
