"""The instrument's devices, opened together and always closed, and one second of what they say as a frame.

Samples of the bridge until the second is over; thermometers and gauge a few times in it, for alarms must not wait for
the second's end. This module must never compute anything from a code, and never decide what a bad reading means.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from edge.records.frame import NOT_FITTED, Frames, one_frame
from hw.clock import NS_PER_S, Clock
from hw.protocols import Bridge, Conversion, ConverterState, Probe, Reading, Status, Thermometer

PATIENCE_PERIODS = 5.0
"""So many conversion periods, and at least half a second, a bridge may take before it is not ready."""


class Glance(NamedTuple):
    """What came since the glance before: the bridge's samples, a reading of each other device (None: not fitted)."""

    t_ns: int
    samples: tuple[Conversion, ...]
    oven: Reading
    cell: Reading | None
    gauge: Reading | None


Seen = Callable[[Glance], None]


@dataclass(slots=True)
class _Slow:
    """A device that is read a few times a second, and of which a frame keeps one reading."""

    device: Probe | None
    kept: Reading = NOT_FITTED

    def read(self) -> Reading | None:
        if self.device is None:
            return None
        reading = self.device.read()
        # Nothing bad that was seen is forgotten; a thermometer says nothing while it settles.
        if self.kept is NOT_FITTED or _weight(reading) >= _weight(self.kept) < BAD:
            self.kept = reading
        return reading

    def take(self) -> Reading:
        kept, self.kept = self.kept, NOT_FITTED
        return kept


BAD = 2
_WEIGHTS = {Status.OK: 1, Status.SETTLING: 0}


def _weight(reading: Reading) -> int:
    """Get how much a reading is worth keeping: that something is wrong, a number, or neither."""
    return _WEIGHTS.get(reading.status, BAD)


class Instrument:
    """Bridge, and where fitted thermometers of oven and load cell and vacuum gauge, on one clock.

    ``looks`` a second (1 to 10) the slow devices are read, and whoever wants to know is called.
    """

    def __init__(
        self,
        bridge: Bridge,
        oven: Probe | None,
        cell: Probe | None,
        clock: Clock,
        *,
        gauge: Probe | None = None,
        looks: int = 1,
    ) -> None:
        self._bridge = bridge
        self._oven, self._cell, self._gauge = _Slow(oven), _Slow(cell), _Slow(gauge)
        self._clock = clock
        self._look_ns = NS_PER_S // looks
        self._patience_ns = max(NS_PER_S // 2, round(PATIENCE_PERIODS * NS_PER_S / bridge.rate_sps))
        self._early: list[Conversion] = []  # came after its frame's end: the next one's first
        self._looked_ns = 0
        self.failed = ""
        """The device that did not open ('' where all did)."""

    @property
    def rate_sps(self) -> float:
        """Get the bridge's nominal rate in samples per second."""
        return self._bridge.rate_sps

    def _devices(self) -> dict[str, Bridge | Probe]:
        named = {"bridge": self._bridge, "oven": self._oven.device, "cell": self._cell.device}
        named["gauge"] = self._gauge.device
        return {name: device for name, device in named.items() if device is not None}

    def open(self) -> None:
        """Open every device. Raises an ``HwError``, with everything closed again, where one fails."""
        try:
            for name, device in self._devices().items():
                self.failed = name
                device.open()
            self.failed = ""
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close everything; one that fails to close does not keep the others open."""
        errors = []
        for device in self._devices().values():
            try:
                device.close()
            except Exception as e:  # the others must still be closed
                errors.append(e)
        if errors:
            raise errors[0]

    def describe(self) -> dict[str, dict[str, str | int | float]]:
        """Get the settings in force of each device."""
        return {name: device.describe() for name, device in self._devices().items()}

    def read_rarely(self, place: str, *, rarely: bool) -> float | None:
        """Have current flow through the thermometer ``oven`` or ``cell`` only while it is read, or always (False).

        Returns for how long it then flows at each reading, in s; None where there is no such thermometer.
        """
        device = (self._oven if place == "oven" else self._cell).device
        return device.read_rarely(rarely=rarely) if isinstance(device, Thermometer) else None

    def converter(self) -> ConverterState:
        """Get what the bridge's converter is set up as."""
        return self._bridge.state()

    def frame(self, seq: int, t_ns: int, seen: Seen | None = None) -> Frames:
        """Measure one second from ``t_ns`` on: every conversion of the bridge, one reading of each other device.

        ``seen`` is called at each look with what came since the last. Of a slow device the frame keeps the first bad
        reading, else the newest.
        """
        end_ns = t_ns + NS_PER_S
        samples, self._early = self._early, []
        shown = len(samples)
        look_ns, apart_ns = t_ns + self._look_ns, self._look_ns // 2
        clock, bridge, patience_ns = self._clock, self._bridge, self._patience_ns
        while (now_ns := clock.now_ns()) < end_ns:
            # Two looks too near each other would find the thermometers settling from the first.
            if now_ns >= look_ns and min(now_ns - self._looked_ns, end_ns - now_ns) >= apart_ns:
                shown = self._look(samples, shown, seen)
                look_ns += self._look_ns
                now_ns = clock.now_ns()
            sample = bridge.read(now_ns + patience_ns)
            (samples if sample.t_ns < end_ns else self._early).append(sample)
        self._look(samples + self._early, shown, seen)
        return one_frame(seq, t_ns, samples, self._oven.take(), self._cell.take(), self._gauge.take())

    def _look(self, samples: list[Conversion], shown: int, seen: Seen | None) -> int:
        self._looked_ns = self._clock.now_ns()
        oven, cell, gauge = self._oven.read(), self._cell.read(), self._gauge.read()
        if seen is not None:
            seen(Glance(self._clock.now_ns(), tuple(samples[shown:]), oven or NOT_FITTED, cell, gauge))
        return len(samples)
