"""Chip models that look only when something is due: whatever is done to them, they answer as ones that always look."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from hw.clock import SimClock
from hw.sim.max31865 import Max31865Model
from hw.sim.nau7802 import Nau7802Model


class AlwaysLooks:
    """A model to which something is always due, and that works out anew what its registers set."""

    @property
    def _due_ns(self) -> int:
        return 0

    @_due_ns.setter
    def _due_ns(self, ns: int) -> None:
        """Forget it."""

    @property
    def _setting(self) -> None:
        return None

    @_setting.setter
    def _setting(self, setting: object) -> None:
        """Forget it."""


class WatchfulNau(AlwaysLooks, Nau7802Model):
    pass


class WatchfulMax(AlwaysLooks, Max31865Model):
    pass


def in_a_row(steps: list[tuple]) -> list[tuple]:
    return [part for step in steps for part in step]


waits = st.tuples(st.just("wait"), st.sampled_from((100_000, 999_000, 25_000_000, 101_000_000, 400_000_000)))
nau_writes = st.tuples(
    st.just("write"),
    st.sampled_from((0x00, 0x01, 0x02, 0x03, 0x11, 0x15)),
    st.sampled_from((0x00, 0x01, 0x02, 0x04, 0x08, 0x16, 0x27, 0x30, 0x86, 0x96, 0xB0)),
)
nau_reads = st.tuples(st.just("read"), st.sampled_from((0x00, 0x02, 0x12, 0x1E)), st.integers(1, 6))
nau_acts = st.tuples(st.sampled_from(("stop", "go", "reset", "unplug", "plug")))
POWERED = [("write", 0x00, 0x02), ("wait", 400_000), ("write", 0x00, 0x96)]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.one_of(nau_writes, nau_writes, nau_acts), waits, nau_reads), max_size=12).map(in_a_row))
def test_a_nau7802_answers_the_same_whether_it_looks_always_or_when_something_is_due(steps: list[tuple]) -> None:
    clock = SimClock()
    models = [kind(clock, lambda t_ns: 1e-6 * (t_ns // 1_000_000 % 97), seed=3) for kind in (Nau7802Model, WatchfulNau)]
    for what, *values in [*POWERED, *steps, ("wait", 400_000_000), ("read", 0x00, 32)]:
        if what == "wait":
            clock.advance_ns(values[0])
        elif what == "write":
            for model in models:
                model.write(bytes(values))
        elif what == "read":
            answers = []
            for model in models:
                model.write(bytes(values[:1]))
                answers.append(model.read(values[1]))
            assert answers[0] == answers[1]
        else:
            for model in models:
                getattr(model, what)()


max_writes = st.tuples(
    st.just("write"), st.sampled_from((0x80, 0x83)), st.sampled_from((0x00, 0x81, 0x84, 0x88, 0xA0, 0xC1, 0xC3, 0xD1))
)
max_reads = st.tuples(st.just("read"), st.sampled_from((0, 0, 0, 6)), st.integers(2, 9))
max_acts = st.tuples(st.sampled_from(("reset", "open_rtd", "mend", "short_rtd", "overvoltage", "unplug", "plug")))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.one_of(max_writes, max_writes, max_acts), waits, max_reads), max_size=12).map(in_a_row))
def test_a_max31865_answers_the_same_whether_it_looks_always_or_when_something_is_due(steps: list[tuple]) -> None:
    clock = SimClock()
    models = [kind(clock, lambda t_ns: 100.0 + t_ns / 1e9, seed=3) for kind in (Max31865Model, WatchfulMax)]
    for what, *values in [("write", 0x80, 0xC1), *steps, ("read", 0, 9)]:
        if what == "wait":
            clock.advance_ns(values[0])
        elif what == "write":
            assert len({model.exchange(bytes(values), 1) for model in models}) == 1
        elif what == "read":
            assert len({model.exchange(bytes([values[0], *bytes(values[1])]), 1) for model in models}) == 1
        else:
            for model in models:
                getattr(model, what)()
