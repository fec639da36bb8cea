"""Who is told what and when: of openings, acknowledgements, and a station that does not answer."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from edge.escalate.escalation import MOST, Escalation, What
from edge.escalate.settings import SILENT, Level, Webhook
from edge.records.status import AlarmStatus, StationStatus

OPERATOR = Webhook(name="lab", url="https://lab.example/x")
ON_CALL = Webhook(name="night", url="https://night.example/x", level=Level.ON_CALL, alarms=("oven probe", SILENT))
GAP = AlarmStatus(alarm="gap", why="nothing was seen", opened_utc="2026-11-26T01:00:00Z")
PROBE = AlarmStatus(alarm="oven probe", why="OPEN", opened_utc="2026-11-26T01:00:00Z")


def saying(*alarms: AlarmStatus) -> StationStatus:
    return StationStatus(alarms=alarms)


def acknowledged(alarm: AlarmStatus) -> AlarmStatus:
    return msgspec.structs.replace(alarm, acknowledged=True)


def tell(escalation: Escalation, contact: Webhook, now_s: float) -> list[tuple[str, What]]:
    due = escalation.due(contact, now_s)
    escalation.told(contact, due)
    return [(notice.alarm, notice.what) for _, notice in due]


def test_the_operator_is_told_at_once_and_who_is_on_call_when_nobody_acknowledged_for_a_quarter_of_an_hour() -> None:
    told = Escalation((OPERATOR, ON_CALL), 120.0)
    told.look(saying(GAP, PROBE), 0.0)
    assert tell(told, OPERATOR, 0.0) == [("gap", What.OPEN), ("oven probe", What.OPEN)]
    assert tell(told, ON_CALL, 0.0) == tell(told, ON_CALL, 899.0) == []
    assert tell(told, OPERATOR, 899.0) == []  # each once
    assert tell(told, ON_CALL, 900.0) == [("oven probe", What.OPEN)]
    told.look(saying(GAP, acknowledged(PROBE)), 901.0)
    assert tell(told, ON_CALL, 901.0) == [("oven probe", What.ACKNOWLEDGED)]
    assert tell(told, OPERATOR, 901.0) == [("oven probe", What.ACKNOWLEDGED)]
    told.look(saying(), 902.0)
    assert tell(told, OPERATOR, 902.0) == [("gap", What.GONE)]
    told.look(saying(), 903.0)
    assert told.standing == ()


def test_what_is_acknowledged_in_time_reaches_nobody_further() -> None:
    told = Escalation((ON_CALL,), 120.0)
    told.look(saying(PROBE), 0.0)
    told.look(saying(acknowledged(PROBE)), 600.0)
    assert tell(told, ON_CALL, 2000.0) == []


def test_an_alarm_that_closed_by_itself_still_wants_somebody_to_know() -> None:
    told = Escalation((ON_CALL,), 120.0)
    told.look(saying(PROBE), 0.0)
    told.look(saying(msgspec.structs.replace(PROBE, closed=True)), 10.0)
    assert tell(told, ON_CALL, 900.0) == [("oven probe", What.OPEN)]


def test_a_silent_station_is_told_of_and_ends_no_alarm() -> None:
    told = Escalation((OPERATOR,), 120.0)
    told.look(saying(PROBE), 0.0)
    tell(told, OPERATOR, 0.0)
    told.look(None, 10.0)
    told.look(None, 129.0)
    assert tell(told, OPERATOR, 129.0) == []
    told.look(None, 130.0)
    assert tell(told, OPERATOR, 130.0) == [(SILENT, What.OPEN)]
    told.look(saying(PROBE), 140.0)
    assert tell(told, OPERATOR, 140.0) == [(SILENT, What.GONE)]
    for now_s in (150.0, 300.0):
        told.look(None, now_s)
    assert tell(told, OPERATOR, 300.0) == [(SILENT, What.OPEN)]  # and a second time


def test_a_restart_tells_nothing_twice_and_forgets_no_time() -> None:
    first = Escalation((OPERATOR, ON_CALL), 120.0)
    first.look(saying(PROBE), 0.0)
    tell(first, OPERATOR, 0.0)
    again = Escalation((OPERATOR, ON_CALL), 120.0, first.standing)
    again.look(saying(PROBE), 901.0)
    assert tell(again, OPERATOR, 901.0) == []
    assert tell(again, ON_CALL, 901.0) == [("oven probe", What.OPEN)]


_LOOKS = st.lists(
    st.one_of(st.none(), st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 300), st.booleans()), max_size=6)),
    max_size=40,
)


@given(_LOOKS)
def test_whatever_a_station_says_what_is_followed_is_bounded_and_nobody_is_told_twice(
    looks: list[list[tuple[str, int, bool]] | None],
) -> None:
    told, seen, now_s = Escalation((OPERATOR,), 1e9), set(), 0.0
    for look in looks:
        now_s += 10.0
        alarms = [AlarmStatus(alarm=a, opened_utc=str(n), acknowledged=k) for a, n, k in look or ()]
        told.look(None if look is None else saying(*alarms), now_s)
        due = told.due(OPERATOR, now_s)
        told.told(OPERATOR, due)
        assert not told.due(OPERATOR, now_s)
        seen |= {one.key for one, notice in due if notice.what is What.OPEN}
        assert len(told.standing) <= MOST + 18
    unacknowledged = {(a, str(n)) for look in looks for a, n, _ in look or ()}
    assert seen <= unacknowledged
