"""What happens to a load cell while it is read, named: a tap, a finger, a load, a loose wire, swapped wires.

It looks at raw codes and statuses, by their own noise and the converter's range. These are quick looks for whoever
wires the cell: this module must never be asked by anything that measures.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from enum import StrEnum

import msgspec
import numpy as np
import numpy.typing as npt

from calibration.certificate import Certificate
from edge.instrument.config import BridgeConfig
from edge.records.frame import Frames
from hw.protocols import CODE_MAX, Status

F8 = npt.NDArray[np.float64]

AWAY_SIGMAS = 10.0
"""So far from where it rested a code has been moved, and is no noise."""
LEAST_AWAY_CODE = 40.0
TAP_SHARE = 0.7
"""A tap is over within so much of a second: the rest of its samples is where it was."""
HELD_SIGMAS = 4.0
"""What is held by a hand trembles so many times more than what lies."""
HANGS_LOOSE_CODE = CODE_MAX / 40.0
"""Between two samples no weight that a cell carries moves so much: 20 mV/V of a cell of 1 or 2."""
NEAR = 0.15
"""Of a certificate's empty holder: so near to its mirror image a code is one of swapped wires."""


class SeenKind(StrEnum):
    """What was seen of the cell."""

    TAP = "tap"
    HELD = "held"
    LOAD = "load"
    LIGHTER = "lighter"
    LET_GO = "let go"
    LOOSE = "loose wire"
    SWAPPED = "swapped wires"
    NOTHING = "no samples"


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was seen, and what it means in one line."""

    what: SeenKind
    say: str


LEGEND = (
    "A tap: a jolt that is over within the second. It reaches the cell: good.",
    "A finger, pressing: more, and restless until you let go. Less while you press down: A+ and A- are swapped.",
    "A loose wire: samples missing, at a rail, or leaping about. Touch one wire after the other until it stops.",
    "Swapped wires: a load makes the number fall (A+ with A-), or it stands at a rail (E with A).",
)

_ADVICE = {
    Status.NOT_READY: "no conversion comes: look at power and ground, on an HX711 at SCK and DOUT (may be swapped)",
    Status.BUS_ERROR: "no answer on the bus: look at power, ground, SDA and SCL (they may be swapped)",
    Status.SATURATED: "at the converter's rail: a wire of A+ or A- is loose, E and A are swapped, or it is overloaded",
    Status.STUCK: "the code does not move at all: look at the load cell's four wires",
    Status.DESYNC: "words out of step: look at SCK, DOUT and the ground between chip and Pi",
    Status.LATE: "the machine is too busy for this chip: end other programs",
    Status.FAULT: "the chip reports a fault: halfpercent doctor says which",
    Status.STALE: "the newest conversion is old: look at power and wires",
}


class Touches:
    """Follows a cell's codes and names what happens to it. Give it every second, once."""

    def __init__(self, bridge: BridgeConfig, certificate: Certificate | None) -> None:
        self._bridge = bridge
        self._certificate = certificate
        self._first: list[F8] = []
        self._noise = 0.0
        self._level = 0.0
        self._rest = self._previous = 0.0
        self._known = False
        self._away: list[F8] = []
        self._bad = False

    def look(self, frames: Frames) -> Iterator[Seen]:
        """Take a second's samples; give what is seen now that was not before."""
        ok = frames.status == Status.OK
        if self._bridge.chip != "nau7802":  # its driver doubts a code that the next one does not confirm: a hand's
            ok |= (frames.status == Status.DESYNC) & (np.abs(frames.code) < CODE_MAX)
        codes = frames.code[ok].astype(np.float64)
        bad = Counter(Status(s) for s in frames.status[~ok].tolist() if s != Status.SETTLING)
        if bad or not len(codes):
            yield from self._not_good(bad, len(codes))
            return
        leaps = np.abs(np.diff(codes))
        if len(leaps) and int(np.sum(leaps > HANGS_LOOSE_CODE)) >= 2:
            yield from self._once_bad(Seen(what=SeenKind.LOOSE, say=_leaping(float(leaps.max()))))
            return
        if self._bad:  # what it was before the wire came off says nothing of now
            self._bad, self._known, self._first, self._away = False, False, [], []
        if not self._known:
            yield from self._learn(codes)
        else:
            yield from self._moved(codes)

    def _not_good(self, bad: Counter[Status], n_ok: int) -> Iterator[Seen]:
        if not bad:
            yield from self._once_bad(Seen(what=SeenKind.NOTHING, say="no sample came: look at power and wires"))
            return
        status, n = bad.most_common(1)[0]
        if n_ok:
            say = f"a loose wire: {n} of {n + n_ok} samples are {_name(status)}, others are good; {_ADVICE[status]}"
            yield from self._once_bad(Seen(what=SeenKind.LOOSE, say=say))
        else:
            what = SeenKind.LOOSE if self._known or status is Status.SATURATED else SeenKind.NOTHING
            yield from self._once_bad(Seen(what=what, say=_ADVICE[status]))

    def _once_bad(self, seen: Seen) -> Iterator[Seen]:
        if not self._bad:
            self._bad = True
            yield seen

    def _learn(self, codes: F8) -> Iterator[Seen]:
        """Learn where the cell rests and how much it trembles, from its first seconds."""
        self._first.append(codes)
        joined = np.concatenate(self._first)
        if len(self._first) < 3 or len(joined) < 10:
            return
        steps = np.abs(np.diff(joined))
        self._noise = max(1.0, float(np.median(steps)) / 0.954)  # of two samples' difference: median = 0.954 sigma
        self._level = self._rest = self._previous = float(np.median(joined[-10:]))
        self._known = True
        if seen := self._mirrored(self._level):
            yield seen

    def _mirrored(self, code: float) -> Seen | None:
        """Say that the signal wires are swapped, where a certificate knows the empty holder and this is its mirror."""
        tare = None if self._certificate is None else self._certificate.tare_counts
        if tare is None or self._certificate is None:
            return None
        full = abs(self._certificate.span.counts_per_g) * self._certificate.cell.capacity_g
        if abs(tare) < NEAR * full or abs(code + tare) > NEAR * abs(tare):
            return None
        return Seen(
            what=SeenKind.SWAPPED,
            say=f"the code is {code:.0f} where the certificate's empty holder is {tare:.0f}: A+ and A- are swapped",
        )

    @property
    def _limit(self) -> float:
        return max(AWAY_SIGMAS * self._noise, LEAST_AWAY_CODE)

    def _moved(self, codes: F8) -> Iterator[Seen]:
        away = np.abs(codes - self._level) > self._limit
        back = not away[-1]
        if not self._away and back:
            if np.any(away) and float(np.mean(away)) <= TAP_SHARE:
                yield self._tap(codes)
            else:
                self._level += 0.5 * (float(np.median(codes)) - self._level)  # what drifts slowly is nothing
            return
        self._away.append(codes)
        if back:
            if len(self._away) == 2:  # it began in the second before: a tap lies across two
                yield self._tap(np.concatenate(self._away))
            self._away = []
            return
        if len(self._away) < 3:
            return
        yield self._stays(np.concatenate(self._away[1:]))
        self._away = []

    def _tap(self, codes: F8) -> Seen:
        most = float(np.max(np.abs(codes - self._level)))
        return Seen(what=SeenKind.TAP, say=f"a tap: {self._shown(most, sign=False)} at most, and back again")

    def _stays(self, codes: F8) -> Seen:
        """Name what moved and has stayed so for two seconds."""
        now = float(np.median(codes))
        moved, before = now - self._level, self._level - self._rest
        trembles = float(np.std(np.diff(codes))) / np.sqrt(2.0) > HELD_SIGMAS * self._noise
        home = min(abs(now - self._rest), abs(now - self._previous)) <= max(self._limit, 0.02 * abs(moved))
        self._previous, self._level = self._level, float(np.median(codes[-5:]))
        shown = self._shown(moved)
        if home:
            return Seen(what=SeenKind.LET_GO, say="let go: it is where it was before")
        if self._grows(moved):
            if trembles:
                return Seen(what=SeenKind.HELD, say=f"a finger, or a hand: {shown}, and it trembles")
            return Seen(what=SeenKind.LOAD, say=f"something lies on it: {shown}")
        if abs(before) > self._limit and self._grows(before):
            return Seen(what=SeenKind.LIGHTER, say=f"lighter: {shown}")
        if trembles:
            return Seen(what=SeenKind.SWAPPED, say=f"{shown} under a hand: {_PRESSED}")
        return Seen(what=SeenKind.LIGHTER, say=f"{shown}: {_LIGHTER}")

    def _grows(self, moved: float) -> bool:
        """Say whether a load makes the code go this way: by the certificate, else up."""
        up = self._certificate is None or self._certificate.span.counts_per_g > 0.0
        return (moved > 0.0) is up

    def _shown(self, codes: float, *, sign: bool = True) -> str:
        form = "+" if sign else ""
        if self._certificate is None:
            return f"{codes:{form}.0f} codes"
        per_g = self._certificate.span.counts_per_g
        return f"{codes / per_g if sign else abs(codes / per_g):{form}.3g} g"


_LIGHTER = "something was taken off; if you put something on, or pressed, A+ and A- are swapped"
_PRESSED = "a load makes the number fall: A+ and A- are swapped, or the cell hangs upside down"


def _leaping(most: float) -> str:
    return (
        f"a loose wire: it leaps by up to {most:.0f} codes from sample to sample; look at A+, A-, E+ and E-, and on an "
        "HX711 at SCK and DOUT"
    )


def _name(status: Status) -> str:
    return status.name.lower().replace("_", " ")
