"""What people say of a sample: its name, what it is sold as, what it is made of, its density, the air around it.

Nothing here was measured. It is stored with the run, so that a run which is resumed or judged again has it, and the
result says that it was declared. This module must never guess what was not said.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import msgspec

from calibration.air import density_kg_m3
from calibration.errors import CalibrationError
from edge.errors import BadValue, NotPlausible

PLAUSIBLE_DENSITY_G_CM3 = (0.2, 25.0)
"""Beyond it nothing that one weighs is: foam and osmium."""
BARE_DENSITY_REL = 0.1
"""How far (relative) a density that is given as one number may be off."""
PA_PER_HPA = 100.0
FRACTION_PCT = (0.1, 1.0)
"""In between, a humidity may be meant as a share of 1: rooms have 20 to 70 %, dry rooms less than 0.1 %."""
OPENED_AT_MOST_S = 30.0 * 86_400.0


@dataclass(frozen=True, slots=True)
class Air:
    """The air of the room as somebody read it: pressure in hPa, temperature in °C, relative humidity in %."""

    pressure_hpa: float
    temp_c: float
    humidity_pct: float


@dataclass(frozen=True, slots=True)
class Sample:
    """A sample, as it is declared.

    ``density_g_cm3`` are bounds; ``air`` that at M1, and at M2 where it was read; it was opened ``opened_ago_s`` before
    the run began (None: nobody said when).
    """

    sample_id: str
    claim: str | None = None
    composition: str | None = None
    density_g_cm3: tuple[float, float] | None = None
    air: tuple[Air, ...] = ()
    opened_ago_s: float | None = None

    def as_settings(self) -> dict[str, object]:
        """Get it as plain JSON."""
        return asdict(self)

    @staticmethod
    def from_settings(settings: Mapping[str, object]) -> Sample:
        """Get it back from :meth:`as_settings`; settings of older runs say less."""
        return msgspec.convert(settings, Sample)


def parse_density(text: str | None, u: float | None = None) -> tuple[float, float] | None:
    """Get a density's bounds in g/cm³ from ``2.5``, ``2.5`` with its standard uncertainty ``u``, or ``1.8..3.5``.

    A rectangle has the standard uncertainty ``u`` where its half-width is √3·u. Raises ``BadValue``.
    """
    if text is None:
        if u is not None:
            raise BadValue("density_u", "", "belongs to a density: give that too")
        return None
    low_text, dots, high_text = text.partition("..")
    low = _density(low_text)
    if dots:
        if u is not None:
            raise BadValue("density_u", "", "belongs to a density that is one number: bounds such as 1.8..3.5 say it")
        high = _density(high_text)
        if not low <= high:
            raise BadValue("density", text, "the bounds are the wrong way round: give the smaller one first")
        return low, high
    half = BARE_DENSITY_REL * low if u is None else math.sqrt(3.0) * u
    if not (math.isfinite(half) and 0.0 <= half < low):
        raise BadValue("density_u", f"{u:g}", "give a standard uncertainty in g/cm³, 0 or more, well below the density")
    return low - half, low + half


def _density(text: str) -> float:
    least, most = PLAUSIBLE_DENSITY_G_CM3
    right = f"give g/cm³ from {least:g} to {most:g}, such as 2.5 or 1.8..3.5"
    try:
        value = float(text)
    except ValueError:
        raise BadValue("density", repr(text), f"is not a number: {right}") from None
    if not least <= value <= most:
        kilograms = " (2500 kg/m³ is 2.5 g/cm³)" if value > most else ""
        raise NotPlausible("density", text, f"nothing weighs that: {right}{kilograms}")
    return value


def parse_opened(text: str, now: datetime.datetime, name: str = "opened_at") -> float:
    """Get how long before ``now`` (with its time zone) something was, in s.

    ``text`` is 09:40, the latest one before now, or 2026-11-26 09:40. Raises ``BadValue`` for the value ``name``.
    """
    right = "give the time on this machine's clock: 09:40, or 2026-11-26 09:40"
    try:
        if len(text) <= len("09:40:00"):
            clock = f"0{text}" if text[1:2] == ":" else text
            at = datetime.datetime.combine(now.date(), datetime.time.fromisoformat(clock), now.tzinfo)
            at -= datetime.timedelta(days=at > now)
        elif _is_a_day(text):
            raise BadValue(name, text, f"is a day without a time: {right}")
        else:
            at = datetime.datetime.fromisoformat(text)
            at = at if at.tzinfo is not None else at.replace(tzinfo=now.tzinfo)
    except BadValue:
        raise
    except ValueError:
        raise BadValue(name, repr(text), right) from None
    ago_s = (now - at).total_seconds()
    if ago_s < 0.0:
        here = at.astimezone(now.tzinfo)
        raise BadValue(name, text, f"{here:%H:%M %z} is still to come, here it is {now:%H:%M %z}: {right}")
    if ago_s > OPENED_AT_MOST_S:
        raise BadValue(name, text, f"is more than {OPENED_AT_MOST_S / 86_400.0:.0f} days ago: {right}")
    return ago_s


def _is_a_day(text: str) -> bool:
    try:
        datetime.date.fromisoformat(text)
    except ValueError:
        return False
    return True


def parse_air(texts: tuple[str, ...]) -> tuple[Air, ...]:
    """Get air from ``1013.25,23.5,45`` (hPa, °C, %): at M1, and at M2 where it was read again. Raises ``BadValue``."""
    if len(texts) > 2:
        raise BadValue("air", "", f"given {len(texts)} times: give it for M1, and for M2 where it was read again")
    return tuple(parse_air_reading(text) for text in texts)


def parse_air_reading(text: str) -> Air:
    """Get the air of a room from ``1013.25,23.5,45`` (hPa, °C, %). Raises ``BadValue``."""
    parts = text.split(",")
    try:
        pressure_hpa, temp_c, humidity_pct = (float(part.removesuffix("%")) for part in parts)
    except ValueError:
        raise BadValue("air", repr(text), "give pressure in hPa, °C and % humidity: 1013.25,23.5,45") from None
    if not (300.0 <= pressure_hpa <= 1200.0 and -20.0 <= temp_c <= 60.0):
        raise NotPlausible("air", text, "is no room's air: give hPa (300 to 1200), °C (-20 to 60) and %")
    if FRACTION_PCT[0] < humidity_pct <= FRACTION_PCT[1] and not parts[2].endswith("%"):
        share = f"{humidity_pct:g}"
        why = f"is {share} a share or % humidity? write {100.0 * humidity_pct:g}, or {share}% of a very dry room"
        raise BadValue("air", text, why)
    try:
        density_kg_m3(temp_c, pressure_hpa * PA_PER_HPA, humidity_pct)
    except CalibrationError as e:
        raise BadValue("air", text, str(e)) from e
    return Air(pressure_hpa, temp_c, humidity_pct)
