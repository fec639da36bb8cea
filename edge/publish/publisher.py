"""From the database to a broker: every row at least once, in order, however long the broker was away.

There is no queue: rows stay where the station wrote them, and a position says how far the broker has acknowledged. So
memory is bounded by what is in flight, and days without a broker cost nothing. This module must never write to the
database, and never take anything that a broker says for a command.
"""

from __future__ import annotations

import datetime
import logging
import random
import time
from collections import deque
from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path

import msgspec

from calibration.certificate import Certificate
from edge.control.client import ask_status
from edge.database.feed import START, EventRow, Feed, FeedRun, Position, SecondRow, certificate_of, rows_after
from edge.errors import HalfpercentError
from edge.records.status import StationStatus
from edge.seal.sealing import shown_head

from . import position_file
from .discovery import discovery
from .findings import of_the_station, what_changes
from .link import Link, LinkDown
from .message import (
    UNREACHABLE,
    CheckpointMessage,
    DoctorMessage,
    Message,
    StateMessage,
    event_message,
    result_message,
    second_message,
    state_message,
)
from .past import Past
from .settings import PublishSettings
from .topics import Topics

LOOK_S = 1.0
"""Between two looks for new rows where the last one found none."""
BATCH = 200
WORK_S = 0.25
"""So long a connection on which nothing happens is waited at."""
TURN_S = 0.005
"""No turn is shorter: a broker that floods takes no whole processor."""
SAVE_S = 1.0
BEAT_S = 600.0
"""So often the position is written though it has not moved: its file's age says that all is well here."""
ACKNOWLEDGED_WITHIN_S = 60.0
"""A broker that takes messages and acknowledges none for so long is let go, and told of."""
FIRST_WAIT_S, MOST_WAIT_S = 1.0, 300.0
"""Before the connection is tried again: twice as long each time, and less by chance, so that ten rigs do not knock at
once."""
ASK_S = 2.0
_log = logging.getLogger("halfpercent")


class _Source(StrEnum):
    """Where a trouble comes from: each is over by itself."""

    BROKER = "broker"
    DATABASE = "database"


class Publisher:
    """Publishes one rig's rows until told to stop. ``link`` makes a connection, ``now_s`` is a monotonic clock in s."""

    def __init__(
        self,
        settings: PublishSettings,
        state_file: Path,
        *,
        link: Callable[[PublishSettings], Link] = Link,
        now_s: Callable[[], float] = time.monotonic,
        sleep_s: Callable[[float], None] = time.sleep,
    ) -> None:
        self.settings = settings
        self.stopping = False
        self._state_file = state_file
        self._make_link = link
        self._now_s = now_s
        self._sleep_s = sleep_s
        self._topics = Topics(settings)
        self._published = position_file.load(state_file)
        self._saved = self._published
        self._saved_s = float("-inf")
        self._certificate: tuple[str, Certificate | None] = ("", None)
        self._waits_s = FIRST_WAIT_S
        self._troubles = {_Source.BROKER: self._published.trouble}  # until it is known to be over
        self._not_written = ""
        self._past = Past(Path(settings.database))
        self._looked_s = float("-inf")
        self._looking = False
        self._doctor: DoctorMessage | None = None

    def stop(self) -> None:
        """End with the next turn."""
        self.stopping = True

    def run(self) -> None:
        """Publish until told to stop; whatever the broker does, it is tried again."""
        while not self.stopping:
            link = self._make_link(self.settings)
            try:
                link.open()
                _Session(self, link).run()
            except LinkDown as e:
                self._trouble(_Source.BROKER, str(e))
                self._wait()
            finally:
                link.close()
        self._past.end()
        self.save(now=True)

    # what a session asks for

    @property
    def position(self) -> Position:
        """Get how far the broker has acknowledged."""
        return self._published.position

    def broker_works(self) -> None:
        """Note that the broker has acknowledged something: a connection alone says nothing."""
        self._trouble(_Source.BROKER, "")

    def acknowledged(self, position: Position) -> None:
        """Note how far the broker has acknowledged."""
        self._waits_s = FIRST_WAIT_S
        self._published = msgspec.structs.replace(self._published, position=position)
        self.save()

    def rows_beyond(self, position: Position) -> Feed:
        """Get the rows beyond a position; none where the database cannot be read now, which is noted."""
        try:
            found = rows_after(Path(self.settings.database), position, every_s=self.settings.every_s, most=BATCH)
        except HalfpercentError as e:
            self._trouble(_Source.DATABASE, str(e))
            return Feed(same=True)
        self._trouble(_Source.DATABASE, "")
        return found

    def certificate(self, run: FeedRun) -> Certificate | None:
        """Get the certificate of a run."""
        if self._certificate[0] != run.certificate_sha256:
            self._certificate = (run.certificate_sha256, certificate_of(Path(self.settings.database), run))
        return self._certificate[1]

    def checkpoint(self) -> CheckpointMessage | None:
        """Get the signed head of the rig's log of seals; None where there is none."""
        note = shown_head(Path(self.settings.database))
        return CheckpointMessage(rig=self.settings.rig_name, note=note) if note else None

    def state(self) -> StateMessage:
        """Ask the station how it is; it is not waited for long."""
        status = self._asked()
        if status is None:
            return StateMessage(rig=self.settings.rig_name, state=UNREACHABLE)
        return state_message(self.settings.rig_name, status)

    def doctor(self) -> DoctorMessage | None:
        """Get what the doctor finds, None until it has looked for the first time; it looks anew only now and then."""
        now_s = self._now_s()
        if not self._looking and now_s - self._looked_s >= self.settings.doctor_every_s:
            self._looked_s = now_s
            self._past.begin()
            self._looking = True
        if self._looking and self._past.is_done():
            self._looking = False
            when = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
            found = (*of_the_station(self._asked()), *self._past.found)
            self._doctor = DoctorMessage(rig=self.settings.rig_name, found_utc=when, findings=found)
        return self._doctor

    def _asked(self) -> StationStatus | None:
        try:
            return ask_status(Path(self.settings.socket), timeout_s=ASK_S)
        except HalfpercentError:
            return None

    def _trouble(self, source: _Source, why: str) -> None:
        if why == self._troubles.get(source, ""):
            return
        if why:
            _log.warning("%s", why)
        self._troubles[source] = why
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        told = "; ".join(filter(None, self._troubles.values()))
        self._published = msgspec.structs.replace(self._published, trouble=told, told_utc=now)
        self.save(now=True)

    def save(self, *, now: bool = False) -> None:
        """Write what changed, at most once a second, and every so often what did not."""
        since_s = self._now_s() - self._saved_s
        moved = self._published != self._saved
        if not (moved and (now or since_s >= SAVE_S)) and since_s < BEAT_S:
            return
        self._saved_s = self._now_s()
        why = position_file.save(self._state_file, self._published)
        if not why:
            self._saved = self._published
        elif why != self._not_written:
            _log.warning("%s; after a restart rows are sent again", why)
        self._not_written = why

    def _wait(self) -> None:
        until_s = self._now_s() + random.uniform(0.5, 1.0) * self._waits_s
        self._waits_s = min(MOST_WAIT_S, 2.0 * self._waits_s)
        while self._now_s() < until_s and not self.stopping:
            self.save()
            self._sleep_s(min(0.2, max(0.0, until_s - self._now_s())))


class _Session:
    """What happens on one connection: rows are sent beyond what was acknowledged, and acknowledgements followed."""

    def __init__(self, publisher: Publisher, link: Link) -> None:
        self._publisher = publisher
        self._link = link
        self._topics = publisher._topics
        self._sent = publisher.position
        self._in_flight: deque[tuple[int, Position]] = deque()
        self._waiting: Iterator[tuple[str, Message, Position]] = iter(())
        self._look_at_s = self._state_at_s = float("-inf")
        self._moved_s = publisher._now_s()
        self._head: CheckpointMessage | None = None
        self._found: DoctorMessage | None = None

    def run(self) -> None:
        """Send and follow until told to stop. Raises ``LinkDown``."""
        settings = self._publisher.settings
        if settings.discovery:
            topic, message = discovery(settings)
            self._link.send(topic, msgspec.json.encode(message), retain=True)
        while not self._publisher.stopping:
            self._fill()
            self._tell_state()
            began_s = self._publisher._now_s()
            self._link.work(WORK_S)
            self._follow()
            self._publisher.save()
            self._publisher._sleep_s(max(0.0, TURN_S - (self._publisher._now_s() - began_s)))

    def _fill(self) -> None:
        """Send rows as long as few enough are in flight."""
        while len(self._in_flight) < self._publisher.settings.most_in_flight:
            found = next(self._waiting, None)
            if found is None:
                if self._publisher._now_s() < self._look_at_s:
                    return
                feed = self._publisher.rows_beyond(self._sent)
                if not feed.same:
                    _log.warning("the database is another one: it is published from its beginning")
                    self._sent = Position()
                    continue
                self._waiting = self._messages(feed)
                found = next(self._waiting, None)
                if found is None:
                    self._look_at_s = self._publisher._now_s() + LOOK_S
                    return
            topic, message, after = found
            number = self._link.send(topic, msgspec.json.encode(message))
            self._in_flight.append((number, after))
            self._sent = after

    def _messages(self, feed: Feed) -> Iterator[tuple[str, Message, Position]]:
        """Get each message of a feed with the position that it leads to."""
        rig = self._publisher.settings.rig_name
        at = msgspec.structs.replace(self._sent, amendments=feed.amendments)
        for row in feed.station:
            at = msgspec.structs.replace(at, station_event=row.event)
            yield self._topics.event, event_message(rig, None, row), at
        if (amended := feed.amended) is not None:
            dealt_with = msgspec.structs.replace(at, amendments=at.amendments + 1)
            for row in amended.events:
                last = row is amended.events[-1] and not amended.result
                yield self._topics.event, event_message(rig, amended.run, row), dealt_with if last else at
            at = dealt_with
            if amended.result:
                yield self._topics.result, result_message(rig, amended.run), at
        run = feed.run
        if run is None:
            return
        if run.run_uid != at.run_uid:
            at = msgspec.structs.replace(
                at, run_id=run.run_id, run_uid=run.run_uid, second=START, event=START, told=False
            )
        certificate = self._publisher.certificate(run)
        for one in _in_order(feed):
            if isinstance(one, SecondRow):
                at = msgspec.structs.replace(at, second=one.second)
                yield self._topics.second, second_message(rig, run, one, certificate), at
            else:
                at = msgspec.structs.replace(at, event=one.event)
                yield self._topics.event, event_message(rig, run, one), at
        if run.ended and len(feed.seconds) < BATCH and len(feed.events) < BATCH:
            at = msgspec.structs.replace(at, told=True)
            yield self._topics.result, result_message(rig, run), at

    def _tell_state(self) -> None:
        now_s = self._publisher._now_s()
        if now_s < self._state_at_s:
            return
        self._state_at_s = now_s + self._publisher.settings.state_every_s
        self._link.send(self._topics.state, msgspec.json.encode(self._publisher.state()), retain=True, qos=0)
        head = self._publisher.checkpoint()
        if head is not None and head != self._head:
            self._link.send(self._topics.checkpoint, msgspec.json.encode(head), retain=True)
            self._head = head
        found, last = self._publisher.doctor(), self._found
        if found and (last is None or what_changes(found.findings) != what_changes(last.findings)):
            self._link.send(self._topics.doctor, msgspec.json.encode(found), retain=True)
            self._found = found

    def _follow(self) -> None:
        """Note how far messages were acknowledged without a gap. Raises ``LinkDown`` where none are any more."""
        reached, now_s = None, self._publisher._now_s()
        if self._link.acknowledged:
            self._publisher.broker_works()
        while self._in_flight and self._in_flight[0][0] in self._link.acknowledged:
            number, reached = self._in_flight.popleft()
            self._link.acknowledged.discard(number)
        if not self._in_flight:
            self._link.acknowledged.clear()  # of what is not followed: discovery, availability
        if reached is not None or not self._in_flight:
            self._moved_s = now_s
        elif now_s - self._moved_s > ACKNOWLEDGED_WITHIN_S:
            raise LinkDown(f"{self._link.where}: takes messages and acknowledges none: see the broker's log and quota")
        if reached is not None:
            self._publisher.acknowledged(reached)


def _in_order(feed: Feed) -> Iterator[SecondRow | EventRow]:
    """Get the seconds and events of a run in the order in which they came about: an event before its second's row.

    Only as far as both kinds are known: beyond the last row of a full batch of one kind the other has to wait.
    """
    seconds, events = deque(feed.seconds), deque(feed.events)
    while seconds or events:
        if not seconds and len(feed.seconds) == BATCH:
            return
        if not events and len(feed.events) == BATCH:
            return
        if not seconds or (events and (events[0].second or 0) <= seconds[0].second):
            yield events.popleft()
        else:
            yield seconds.popleft()
