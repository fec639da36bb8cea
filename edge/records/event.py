"""What happened in a run or at the station: one dataclass an event, in the words under which it is stored.

The kinds and the keys of :meth:`Happening.data` are on disk and hashed: frozen. This module must never act on an event.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum
from typing import ClassVar, NamedTuple

from .command import Command, OperatorWord, as_text
from .formatting import known
from .phase import Phase
from .weighing import Weighing, WeighingKind

PlainJson = dict[str, object]
"""An object of plain JSON by key, as it is stored or sent."""


class EventKind(StrEnum):
    """The kinds of events, as they are stored."""

    # made from frames, and made again when a run is folded again
    PHASE = "phase"
    OPERATOR = "operator"
    REFUSED = "refused"
    TARE_REFUSED = "tare_refused"
    LOAD_REFUSED = "load_refused"
    ZERO_REFUSED = "zero_refused"
    CHECK_REFUSED = "check_refused"
    WEIGHING = "weighing"
    EXCURSION = "excursion"
    GAP = "gap"
    # made by no frame
    SAID = "said"
    NOTE = "note"
    RESUMED = "resumed"
    CLOCK = "clock"
    STORAGE = "storage"
    CONVERTER_RESET = "converter_reset"
    BALANCE = "balance"
    BAROMETER = "barometer"
    HAND_OVER = "hand_over"
    RIG_CHANGED = "rig_changed"
    ENDED = "ended"
    DAMAGED = "damaged"
    CORRECTED = "corrected"
    AMENDED = "amended"
    JOINED = "joined"
    ALARM_OPENED = "alarm_opened"
    ALARM_ACKNOWLEDGED = "alarm_acknowledged"
    ALARM_CLOSED = "alarm_closed"
    # of the station's own log
    STARTED = "started"
    STOPPED = "stopped"
    BACKUP = "backup"
    SEAL = "seal"
    MAINTENANCE = "maintenance"


FROM_FRAMES = frozenset(
    {
        EventKind.PHASE,
        EventKind.OPERATOR,
        EventKind.REFUSED,
        EventKind.TARE_REFUSED,
        EventKind.LOAD_REFUSED,
        EventKind.ZERO_REFUSED,
        EventKind.CHECK_REFUSED,
        EventKind.WEIGHING,
        EventKind.EXCURSION,
        EventKind.GAP,
    }
)
"""Made from frames: they are not stored twice when a run is folded again. All others are written as they happen."""


@dataclass(frozen=True, slots=True)
class Happening:
    """What an event says. ``asks``: it asks something of the operator, and must be shown to them."""

    kind: ClassVar[EventKind]
    asks: ClassVar[bool] = False

    def data(self) -> PlainJson:
        """Get it as the plain JSON that is stored."""
        return {f.name: getattr(self, f.name) for f in fields(self)}


class Event(NamedTuple):
    """Something that happened in a run, at second ``seq`` of it, ``t_s`` after its start."""

    seq: int
    t_s: float
    what: Happening

    @property
    def kind(self) -> EventKind:
        """Get the kind under which it is stored."""
        return self.what.kind


class StationEvent(NamedTuple):
    """Something that happened where no run is measured: who did it, by which boot's clock, and the wall time."""

    what: Happening
    who: str
    boot_id: str
    uptime_s: float
    wall_s: float


# made from frames


@dataclass(frozen=True, slots=True)
class PhaseChanged(Happening):
    """The run went from one phase to another."""

    left: Phase
    entered: Phase
    why: str

    kind: ClassVar[EventKind] = EventKind.PHASE

    def data(self) -> PlainJson:
        """Get it as stored: ``from``, ``to``, ``why``."""
        return {"from": str(self.left), "to": str(self.entered), "why": self.why}


@dataclass(frozen=True, slots=True)
class CommandTaken(Happening):
    """The operator's command took effect."""

    command: Command

    kind: ClassVar[EventKind] = EventKind.OPERATOR

    def data(self) -> PlainJson:
        """Get it as stored: ``word``."""
        return {"word": as_text(self.command)}


@dataclass(frozen=True, slots=True)
class GapTold(CommandTaken):
    """How long a gap was became known, or that nobody knows."""

    kind: ClassVar[EventKind] = EventKind.GAP


@dataclass(frozen=True, slots=True)
class CommandRefused(Happening):
    """A command for which the run has no use now, or a weighing that came to nothing: why, and what to do."""

    command: Command
    why: str

    kind: ClassVar[EventKind] = EventKind.REFUSED
    asks: ClassVar[bool] = True

    def data(self) -> PlainJson:
        """Get it as stored: ``word``, ``why``."""
        return {"word": as_text(self.command), "why": self.why}


@dataclass(frozen=True, slots=True)
class TareRefused(CommandRefused):
    """The tare was not taken."""

    kind: ClassVar[EventKind] = EventKind.TARE_REFUSED


@dataclass(frozen=True, slots=True)
class LoadRefused(CommandRefused):
    """What was put on cannot be the sample."""

    kind: ClassVar[EventKind] = EventKind.LOAD_REFUSED


@dataclass(frozen=True, slots=True)
class ZeroRefused(CommandRefused):
    """The second zero was not taken."""

    kind: ClassVar[EventKind] = EventKind.ZERO_REFUSED


@dataclass(frozen=True, slots=True)
class CheckRefused(CommandRefused):
    """The check weight was not taken."""

    kind: ClassVar[EventKind] = EventKind.CHECK_REFUSED


_REFUSED: dict[OperatorWord, type[CommandRefused]] = {
    OperatorWord.TARE: TareRefused,
    OperatorWord.LOAD: LoadRefused,
    OperatorWord.ZERO: ZeroRefused,
    OperatorWord.CHECK: CheckRefused,
}


def step_refused(word: OperatorWord, why: str) -> CommandRefused:
    """Get the event that says of a step of the operator's that it was not taken."""
    return _REFUSED[word](word, why)


@dataclass(frozen=True, slots=True)
class WeighingTaken(Happening):
    """A mass in g, or a zero in codes, was taken as a mean over ``window_s`` from ``from_s`` on."""

    which: WeighingKind
    value: float
    u: float
    window_s: float
    from_s: float
    cell_temp_c: float | None

    kind: ClassVar[EventKind] = EventKind.WEIGHING

    @staticmethod
    def told(w: Weighing) -> WeighingTaken:
        """Get the event that says of a weighing that it was taken."""
        return WeighingTaken(w.which, w.value.mean, w.value.u, w.to_s - w.from_s, w.from_s, known(w.cell_temp_c))

    def data(self) -> PlainJson:
        """Get it as stored, with its unit."""
        unit = "code" if self.which.is_zero else "g"
        return Happening.data(self) | {"which": str(self.which), "unit": unit}


@dataclass(frozen=True, slots=True)
class ExcursionEnded(Happening):
    """A stretch of the hold did not count."""

    from_s: float
    to_s: float
    why: str
    worst_temp_c: float | None

    kind: ClassVar[EventKind] = EventKind.EXCURSION


# made by no frame


@dataclass(frozen=True, slots=True)
class CommandGiven(CommandTaken):
    """A command came, and is written down before it takes effect."""

    kind: ClassVar[EventKind] = EventKind.SAID


@dataclass(frozen=True, slots=True)
class NoteWritten(Happening):
    """A person's remark."""

    text: str

    kind: ClassVar[EventKind] = EventKind.NOTE


@dataclass(frozen=True, slots=True)
class HandedOver(Happening):
    """The specimen went from one hand to another while it was tested: who gave it, who took it, in what condition.

    ``because`` says why somebody else gave it than had taken it before.
    """

    given_by: str
    taken_by: str
    condition: str | None = None
    because: str | None = None

    kind: ClassVar[EventKind] = EventKind.HAND_OVER


@dataclass(frozen=True, slots=True)
class ClockChecked(Happening):
    """Whether the wall clock is set (None: not known)."""

    clock_set: bool | None

    kind: ClassVar[EventKind] = EventKind.CLOCK


@dataclass(frozen=True, slots=True)
class Resumed(Happening):
    """A run was taken up again: which boot measures now, from which ns of its clock on second 0 counts, and the gap."""

    boot_id: str
    t0_ns: int
    clock_set: bool | None
    from_s: float
    gap_s: float | None
    at_least_s: float

    kind: ClassVar[EventKind] = EventKind.RESUMED


@dataclass(frozen=True, slots=True)
class _AlarmChanged(Happening):
    """Something became of an alarm."""

    alarm: str
    why: str


@dataclass(frozen=True, slots=True)
class AlarmOpened(_AlarmChanged):
    """An alarm opened."""

    kind: ClassVar[EventKind] = EventKind.ALARM_OPENED


@dataclass(frozen=True, slots=True)
class AlarmAcknowledged(_AlarmChanged):
    """Somebody said that they know of an alarm."""

    kind: ClassVar[EventKind] = EventKind.ALARM_ACKNOWLEDGED


@dataclass(frozen=True, slots=True)
class AlarmClosed(_AlarmChanged):
    """All has been good for a while."""

    kind: ClassVar[EventKind] = EventKind.ALARM_CLOSED


@dataclass(frozen=True, slots=True)
class StorageTold(Happening):
    """Something about the database's file or its disk."""

    why: str

    kind: ClassVar[EventKind] = EventKind.STORAGE


class ResetCause(StrEnum):
    """How it is known that a converter was reset."""

    OPENED_ANEW = "opened anew"
    FOUND_RESET = "found reset"
    POWER_CUT = "power cut"


@dataclass(frozen=True, slots=True)
class ConverterReset(Happening):
    """The load cell's converter was reset: its zero and its gain may have stepped.

    What was measured until ``from_s`` is from before, what was measured after this event from after it. The registers
    are those of :class:`hw.protocols.ConverterState` (None: not known, or the chip has none).
    """

    chip: str
    cause: ResetCause
    from_s: float
    before: dict[str, str | None]
    after: dict[str, str | None]

    kind: ClassVar[EventKind] = EventKind.CONVERTER_RESET


@dataclass(frozen=True, slots=True)
class RigChanged(Happening):
    """The rig is set otherwise than when the run began, so the run cannot be gone on with."""

    why: str

    kind: ClassVar[EventKind] = EventKind.RIG_CHANGED
