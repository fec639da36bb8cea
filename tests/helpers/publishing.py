"""A publisher at work against a small broker, in a thread, and what came of it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import published_rows
from published_rows import Row
from small_broker import SmallBroker

from edge.publish.publisher import Publisher
from edge.publish.settings import PublishSettings

EVERY_S = 5


def settings(broker: SmallBroker, database: Path) -> PublishSettings:
    given = {"host": "127.0.0.1", "port": broker.port, "tls": False, "rig": "R1", "every_s": EVERY_S}
    where = {"database": str(database), "socket": str(database.parent / "no.sock")}
    return msgspec.convert(given | where, PublishSettings)


@contextmanager
def publishing(how: PublishSettings, state: Path) -> Iterator[Publisher]:
    publisher = Publisher(how, state)
    publisher._wait = lambda: time.sleep(0.01)  # type: ignore[method-assign]  # a test does not sit out back-offs
    thread = threading.Thread(target=publisher.run)
    thread.start()
    try:
        yield publisher
    finally:
        publisher.stop()
        thread.join(20.0)
        assert not thread.is_alive()


def until(is_so: Callable[[], bool], most_s: float = 20.0) -> bool:
    end = time.monotonic() + most_s
    while not is_so() and time.monotonic() < end:
        time.sleep(0.01)
    return is_so()


def came(broker: SmallBroker) -> list[Row]:
    out = []
    for topic, payload, _ in list(broker.messages):
        kind = topic.rsplit("/", 1)[1]
        if kind in ("second", "event", "result"):
            told = json.loads(payload)
            out.append((kind, told["run_uid"], told.get("sequence", 0)))
    return out


def stored(path: Path) -> set[Row]:
    return published_rows.stored(path, EVERY_S)
