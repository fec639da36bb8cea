"""Who has to be told what: a pure state machine, looks in, notices out.

It has no clock, no socket and no file, so the same looks give the same notices. Times are of a clock that nobody can
set. This module must never call an alarm over because the station did not answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum

import msgspec

from edge.records.status import StationStatus

from .settings import SILENT, Contact


class What(StrEnum):
    """What has become of an alarm."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    GONE = "no longer there"


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """What a contact has to know of an alarm. ``unacknowledged_s``: for so long nobody has taken note of it, in s."""

    alarm: str
    what: What
    why: str
    opened_utc: str | None
    unacknowledged_s: float


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """An alarm as it was first seen, at ``since_s`` of the boot's clock, and who has been told of it and of its end."""

    alarm: str
    opened_utc: str | None
    why: str
    since_s: float
    ended: What | None = None
    ended_s: float = 0.0
    told: tuple[str, ...] = ()
    told_end: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, str | None]:
        """Get what one opening is known by."""
        return self.alarm, self.opened_utc


FORGOTTEN_S = 3600.0
"""An end that could not be told for so long is not told any more."""
MOST = 100
"""Openings that are followed; beyond it those go first that have ended."""


class Escalation:
    """All alarms that somebody is to be told of. Give it every look once, in order."""

    def __init__(self, contacts: Sequence[Contact], silent_after_s: float, standing: Iterable[Standing] = ()) -> None:
        self._contacts = contacts
        self._silent_after_s = silent_after_s
        self._standing = {one.key: one for one in standing}
        self._silent_since_s: float | None = None

    @property
    def standing(self) -> tuple[Standing, ...]:
        """Get what is followed, for a file that outlives a restart."""
        return tuple(self._standing.values())

    def look(self, status: StationStatus | None, now_s: float) -> None:
        """Take what the station says; None where it did not answer."""
        if status is None:
            self._silent(now_s)
            return
        self._silent_since_s = None
        open_now = {(a.alarm, a.opened_utc): a for a in status.alarms if a.alarm is not None}
        for (alarm, opened_utc), found in open_now.items():
            if not found.acknowledged and (alarm, opened_utc) not in self._standing:
                new = Standing(alarm=str(alarm), opened_utc=opened_utc, why=found.why or "", since_s=now_s)
                self._standing[new.key] = new
        for key, one in self._standing.items():
            now = open_now.get(key)
            if one.ended is None and (now is None or now.acknowledged):
                what = What.GONE if now is None else What.ACKNOWLEDGED
                self._standing[key] = msgspec.structs.replace(one, ended=what, ended_s=now_s)
        self._forget(now_s)

    def due(self, contact: Contact, now_s: float) -> list[tuple[Standing, Notice]]:
        """Get what a contact has to know and was not told yet, the oldest first."""
        return [
            (
                one,
                Notice(
                    alarm=one.alarm,
                    what=one.ended or What.OPEN,
                    why=one.why,
                    opened_utc=one.opened_utc,
                    unacknowledged_s=round((now_s if one.ended is None else one.ended_s) - one.since_s, 1),
                ),
            )
            for one in self._standing.values()
            if self._is_due(one, contact, now_s)
        ]

    def told(self, contact: Contact, notices: Iterable[tuple[Standing, Notice]]) -> None:
        """Take note that a contact has been told."""
        for was, notice in notices:
            one = self._standing.get(was.key)
            if one is None:
                continue
            if notice.what is What.OPEN:
                one = msgspec.structs.replace(one, told=(*one.told, contact.name))
            else:
                one = msgspec.structs.replace(one, told_end=(*one.told_end, contact.name))
            self._standing[one.key] = one

    def _is_due(self, one: Standing, contact: Contact, now_s: float) -> bool:
        if contact.alarms and one.alarm not in contact.alarms:
            return False
        if one.ended is not None:
            return contact.name in one.told and contact.name not in one.told_end
        return contact.name not in one.told and now_s - one.since_s >= contact.waits_s

    def _silent(self, now_s: float) -> None:
        if self._silent_since_s is None:
            self._silent_since_s = now_s
        for_s = now_s - self._silent_since_s
        known = self._standing.get((SILENT, None))
        if not self._silent_after_s or for_s < self._silent_after_s or (known is not None and known.ended is None):
            return
        why = f"nobody has answered for {for_s:.0f} s: what the rig does is not known"
        self._standing[SILENT, None] = Standing(alarm=SILENT, opened_utc=None, why=why, since_s=now_s)

    def _forget(self, now_s: float) -> None:
        done = [k for k, one in self._standing.items() if self._is_done(one, now_s)]
        beyond = len(self._standing) - len(done) - MOST
        ended = [k for k, one in self._standing.items() if one.ended is not None and k not in done]
        for key in done + (ended or list(self._standing))[: max(0, beyond)]:
            self._standing.pop(key, None)

    def _is_done(self, one: Standing, now_s: float) -> bool:
        if one.ended is None:
            return False
        return set(one.told) <= set(one.told_end) or now_s - one.ended_s > FORGOTTEN_S
