"""All commands by their names, each with where it is: what is not asked for is not loaded.

The page is a process that stays: what the other fifty commands load would stay with it. This module must never know
what a command does.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from importlib import import_module

import click

WHERE = {
    "demo": "demo",
    "replay": "replay:replay_recording",
    "runs": "report:runs",
    "report": "report",
    "correct": "correct",
    "export": "export",
    "init": "init",
    "budget": "instrument:budget",
    "wiring": "instrument:wiring",
    "check-config": "instrument:check_config",
    "doctor": "instrument:doctor",
    "read": "read",
    "selftest": "selftest",
    "completion": "manual:completion",
    "man": "manual:manual",
    "run": "run",
    "station": "run:station",
    "failed": "run:failed",
    "calibrate": "calibrate",
    "compare": "compare",
    "series": "series",
    "specimen": "specimen",
    "balance": "balance",
    "weight": "certificates:weight",
    "standard": "standard",
    "key": "key",
    "verify": "evidence:verify",
    "sign": "evidence:sign",
    "checkpoint": "witness:checkpoint",
    "witness": "witness",
    "trends": "trends",
    "qualify": "qualify",
    "publish": "publish",
    "escalate": "escalate",
    "service-report": "service_report",
    "bundle": "bundle",
    "metrics": "metrics",
    "start": "station:start",
    "tare": "station:tell_tare",
    "load": "station:tell_load",
    "vent": "station:tell_vent",
    "zero": "station:tell_zero",
    "check": "station:tell_check",
    "note": "station:note",
    "hand-over": "station:hand_over",
    "maintenance": "station:maintenance",
    "ack": "station:ack",
    "abort": "station:abort",
    "status": "station:status",
    "weigh": "weigh",
    "carry": "weigh:carry",
    "watch": "watch",
    "web": "web",
}
"""A command's module in this package, and after a colon what it is called there if not as its module."""


class CommandsByName(MutableMapping[str, click.Command]):
    """The commands as a group of click wants them; one is loaded when it is asked for."""

    def __init__(self) -> None:
        self._loaded: dict[str, click.Command] = {}
        self._where = dict(WHERE)

    def __getitem__(self, name: str) -> click.Command:
        """Get a command. Raises ``KeyError`` where there is none of that name."""
        if name not in self._loaded:
            module, _, called = self._where[name].partition(":")
            found = getattr(import_module(f"{__package__}.{module}"), called or module)
            assert isinstance(found, click.Command), name
            self._loaded[name] = found
        return self._loaded[name]

    def __setitem__(self, name: str, command: click.Command) -> None:
        """Put a command under a name."""
        self._loaded[name] = command

    def __delitem__(self, name: str) -> None:
        """Take a command away."""
        self._loaded.pop(name, None)
        self._where.pop(name, None)

    def __iter__(self) -> Iterator[str]:
        """Go through the names."""
        return iter({**self._where, **self._loaded})

    def __len__(self) -> int:
        """Count the names."""
        return len({**self._where, **self._loaded})
