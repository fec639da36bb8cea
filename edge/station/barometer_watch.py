"""The barometer while a station measures: read once a second, written into the run now and then, and what is wrong.

It is an aid: what it does never keeps a run from beginning or going on, and one that was not there is looked for again.
This module must never feed a result: that goes by what was written down.
"""

from __future__ import annotations

import math

from calibration.barometer import PLACE_PA, plausible_pa
from edge.errors import DeviceInUse
from edge.records.barometer import BarometerRead
from hw.barometer import AirCodes, Barometer
from hw.errors import HwError
from hw.protocols import Status

WRITTEN_EVERY_S = 300.0
"""The weather moves by some 10 Pa meanwhile; each weighing has a reading within it or beside it."""
LOOKED_FOR_EVERY_S = 10.0
SURE = 3
"""So many readings in a row must be bad before it is said: one may be a glitch, one follows each reset."""


class BarometerWatch:
    """Follows one barometer (None: none is fitted). ``wrong`` says what is the matter with it ('' where nothing is)."""

    def __init__(self, barometer: Barometer | None) -> None:
        self.wrong = ""
        self.pressure_pa = math.nan
        self._barometer = barometer
        self._opened = False
        self._try_at_s = -math.inf
        self._no_answer = ""
        self._bad = 0
        self._due_s = -math.inf
        self._newest: BarometerRead | None = None

    def describe(self) -> dict[str, dict[str, str | int | float]]:
        """Get the settings in force, under the device's name; nothing where none is fitted."""
        return {} if self._barometer is None else {"barometer": self._barometer.describe()}

    def begin(self) -> None:
        """Take that a run begins, or goes on: its first reading is due."""
        self._due_s = -math.inf

    def second(self, now_s: float) -> None:
        """Read it, at ``now_s`` of the boot clock."""
        barometer = self._barometer
        if barometer is None:
            return
        if not self._opened and now_s >= self._try_at_s:
            self._open(barometer, now_s)
        self._take(barometer, barometer.read())

    def due(self, now_s: float) -> BarometerRead | None:
        """Get the newest reading, where one is due to be written into the run."""
        if self._newest is None or now_s < self._due_s:
            return None
        if math.isnan(self.pressure_pa) and not self.wrong:  # a glitch, or it settles: the next one says
            return None
        self._due_s = now_s + WRITTEN_EVERY_S
        return self._newest

    def close(self) -> None:
        """Release it."""
        if self._barometer is not None:
            self._opened = False
            self._barometer.close()

    def _open(self, barometer: Barometer, now_s: float) -> None:
        try:
            barometer.open()
            self._opened, self._no_answer = True, ""
        except (HwError, DeviceInUse) as e:
            self._try_at_s, self._no_answer = now_s + LOOKED_FOR_EVERY_S, str(e)

    def _take(self, barometer: Barometer, codes: AirCodes) -> None:
        ok = codes.status is Status.OK
        pa = plausible_pa(codes.pressure_code, codes.temp_code, barometer.trimming) if ok else math.nan
        self.pressure_pa = pa
        if not math.isnan(pa):
            self._bad, self.wrong = 0, ""
        elif codes.status is not Status.SETTLING:
            self._bad += 1
        if self._bad >= SURE:
            self.wrong = self._why(codes, ok=ok)
        self._newest = BarometerRead(
            barometer.chip, codes.status.name, codes.pressure_code, codes.temp_code, barometer.trimming.hex()
        )

    def _why(self, codes: AirCodes, *, ok: bool) -> str:
        beside = "the weather is assumed while it says nothing"
        if self._no_answer:
            return f"{self._no_answer}: {beside}"
        if ok:
            low, high = (pa / 1000.0 for pa in PLACE_PA)
            return f"it shows what no place has ({low:g} to {high:g} kPa): change it: {beside}"
        return f"{codes.status.name}: check its plug and cable: {beside}"
