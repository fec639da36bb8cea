"""The process that tells: a contact that hangs holds up no other, and doctor hears of what could not be told."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import msgspec
import pytest

from edge.doctor.escalation_kept import escalation_kept
from edge.errors import SocketTrouble
from edge.escalate import service as escalating
from edge.escalate.deliver import Letter, Undelivered
from edge.escalate.service import EscalationService, load
from edge.escalate.settings import Webhook, loads_settings
from edge.records.status import AlarmStatus, StationStatus
from hw.clock import BootClock

SETTINGS = loads_settings(
    'rig = "R1"\n'
    + "".join(f'[[webhook]]\nname = "{n}"\nurl = "https://{n}.example/s3cret"\n' for n in ("hangs", "lab"))
)
PROBE = AlarmStatus(alarm="oven probe", why="OPEN", opened_utc="2026-11-26T01:00:00Z")


class Contacts:
    """Contacts of which one never answers until it is let go, and one fails as long as it is told to."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []
        self.let_go, self.fails = threading.Event(), False

    def __call__(self, contact: Webhook, letter: Letter) -> None:
        if contact.name == "hangs":
            self.let_go.wait(20.0)
        elif self.fails:
            raise Undelivered("lab.example: Name or service not known")
        else:
            self.letters.append(letter)


@pytest.fixture
def contacts() -> Contacts:
    return Contacts()


@pytest.fixture(autouse=True)
def station(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(escalating, "ask_status", lambda _path, timeout_s: StationStatus(alarms=(PROBE,)))


def turns(service: EscalationService, done: str, most_s: float = 5.0) -> None:
    """Let it work until what it has begun for ``lab`` has ended."""
    end = time.monotonic() + most_s
    service.turn()
    while any(p._contact.name == done and p._thread is not None and p._thread.is_alive() for p in service._posts):
        assert time.monotonic() < end
        time.sleep(0.005)
    service.turn()


def test_a_contact_that_hangs_holds_up_no_other_and_a_restart_tells_nothing_twice(
    contacts: Contacts, tmp_path: Path
) -> None:
    state, now = tmp_path / "state.json", [1000.0]
    service = EscalationService(SETTINGS, state, deliver_=contacts, now_s=lambda: now[0])
    turns(service, "lab")
    assert [(one.rig, one.contact, one.notices[0].alarm) for one in contacts.letters] == [("R1", "lab", "oven probe")]
    now[0] += 3600.0
    turns(service, "lab")
    assert len(contacts.letters) == 1
    turns(EscalationService(SETTINGS, state, deliver_=contacts, now_s=lambda: now[0]), "lab")
    assert len(contacts.letters) == 1
    contacts.let_go.set()


def test_trouble_is_tried_again_later_and_later_and_doctor_says_it(contacts: Contacts, tmp_path: Path) -> None:
    state, now = tmp_path / "state.json", [BootClock().now_ns() / 1e9]
    contacts.fails = True
    contacts.let_go.set()
    service = EscalationService(SETTINGS, state, deliver_=contacts, now_s=lambda: now[0])
    turns(service, "lab")
    (found,) = escalation_kept(state)
    assert (found.check, found.state) == ("escalation", "warn")
    assert "lab was not told since" in found.found
    assert found.found.endswith("lab.example: Name or service not known")
    assert "s3cret" not in state.read_text(encoding="utf-8")
    contacts.fails = False
    service.turn()
    assert contacts.letters == []  # not before its wait is over
    now[0] += 10.0
    turns(service, "lab")
    assert len(contacts.letters) == 1
    assert [one.state for one in escalation_kept(state)] == ["ok"]
    old = msgspec.structs.replace(load(state), at_s=load(state).at_s - 3600.0)
    state.write_bytes(msgspec.json.encode(old))
    assert "nobody is told of alarms" in next(escalation_kept(state)).found


def test_a_clock_set_back_and_a_full_disk_change_nothing_of_what_is_told(
    contacts: Contacts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contacts.let_go.set()
    monkeypatch.setattr(time, "time", lambda: 0.0)
    service = EscalationService(SETTINGS, Path("/dev/full/state.json"), deliver_=contacts)
    turns(service, "lab")
    turns(service, "lab")
    assert len(contacts.letters) == 1


def test_a_station_that_does_not_answer_is_told_of(
    contacts: Contacts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody(_path: Path, timeout_s: float) -> StationStatus:
        raise SocketTrouble("nobody listens")

    contacts.let_go.set()
    monkeypatch.setattr(escalating, "ask_status", nobody)
    now = [0.0]
    service = EscalationService(SETTINGS, tmp_path / "state.json", deliver_=contacts, now_s=lambda: now[0])
    turns(service, "lab")
    now[0] = 121.0
    turns(service, "lab")
    assert contacts.letters[0].notices[0].alarm == "station silent"


def test_what_is_no_file_of_ours_is_the_beginning(tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text("{", encoding="utf-8")
    assert load(tmp_path / "state.json").standing == ()
    assert list(escalation_kept(tmp_path / "state.json")) == []
