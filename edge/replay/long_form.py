"""Files of one value a row: each quantity's values are collected, and rows are made of what was there at one time.

Where the format writes changes only, a value stands until it changes, and is held so: no longer than stated, never over
an ``unavailable``, and every row that rests on it is counted. Elsewhere values are of one row only where they were
written within ``TOGETHER_S``. This module must never fill a gap.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from calibration.toml_file import one_line
from edge.errors import BadRecording

from .calendar_number import calendar_unit
from .clock import DAY_S, NoTime, Order, read_moment
from .columns import PCT_STANDS_FOR_G, QUANTITIES, UNITS, quantity_of
from .csv_table import LARGEST, LONGEST_OVER_MIDNIGHT_S, MAX_ROWS, MAX_SPAN_S, Facts, ReadColumns
from .headings import OTHER_UNITS, meaning_of_unit, plain_unit, unit_is_of
from .layout import Layout, LongForm
from .notation import MAX_DECIMALS, Notation

F8 = npt.NDArray[np.float64]

TOGETHER_S = 2.0
"""Readings of one round of a logger are written so close together."""
HELD_EVERY_S = 10.0
"""A held value is looked at so often."""
GONE = frozenset(("unavailable", "unknown", "none", "nan", "na", ""))
"""States that say that there is no value."""
VALUES = ("counts", "mass_g", "temp_c", "cell_temp_c", "pressure_pa")


@dataclass(slots=True)
class _Series:
    """One quantity's values in the order of the file, NaN where there was none."""

    name: str
    entity: str
    of: str = ""
    t_s: array[float] = field(default_factory=lambda: array("d"))
    value: array[float] = field(default_factory=lambda: array("d"))
    decimals: int = -MAX_DECIMALS


class LongReader:
    """Reads the rows of one file of one value a row."""

    def __init__(
        self,
        where: str,
        layout: Layout,
        mapped: dict[str, str],
        *,
        held_at_most_s: float,
        start_mass_g: float | None = None,
        skip_bad_rows: bool = False,
        decimal: str = "",
        order: Order = "day",
    ) -> None:
        """Take the file's name and layout, ``{name: entity}`` as mapped, and how long a value may be held in s.

        ``decimal`` is the mark that is stated ('' for none), ``order`` what comes first in a date of three numbers.
        """
        self.order = order
        self.is_stated = bool(decimal)
        self.where = where
        self.layout = layout
        self.mapped = {entity: name for name, entity in mapped.items()}
        self.held_at_most_s = held_at_most_s
        self.start_mass_g = start_mass_g
        self.skip_bad_rows = skip_bad_rows
        self.series: dict[str, _Series] = {}
        self.others: dict[str, str] = {}
        self.notation = Notation("," if decimal == "," else ".")
        self._zoned: bool | None = None
        self._bad: list[str] = []
        self._midnights = 0
        self._last_s = -math.inf

    def read(self, rows: Iterable[tuple[int, list[str]]], use_counts: bool, temp_is_declared: bool) -> ReadColumns:
        """Read all rows. Raises ``BadRecording``, one line."""
        long = self.layout.long
        assert long is not None
        between = self.layout.passes_over is not None
        for n, (line, cells) in enumerate(rows):
            if n > MAX_ROWS:
                raise BadRecording(f"{self.where}: has more than {MAX_ROWS} rows: thin it to a row a second")
            if between and self.layout.is_passed_over(cells):
                continue
            if long.restated and long.restated[2] in cells:
                long = _restated(long, cells)
                continue
            try:
                self._take(long, cells)
            except ValueError as e:
                if not self.skip_bad_rows:
                    raise BadRecording(one_line(f"{self.where}, line {line}: {e}: correct or remove the row")) from None
                self._bad.append(f"line {line}: {e}" if not self._bad else "")
        return self._joined(self._chosen(use_counts, temp_is_declared), long)

    def _take(self, long: LongForm, cells: list[str]) -> None:
        if len(cells) <= max(long.entity, long.value, long.time):
            raise ValueError(f"{len(cells)} cells where the header has {len(self.layout.columns)}")
        entity = cells[long.entity].strip()
        series = self._series_of(entity, cells, long)
        if series is None:
            if long.restated:
                self._time(cells[long.time])
            return
        state = cells[long.value].strip()
        t_s = self._time(cells[long.time])
        if series.t_s and t_s < series.t_s[-1]:
            raise ValueError(f"the time of {entity} goes back: sort the rows by time")
        value = math.nan
        if state.lower() not in GONE:
            _, factor, offset = UNITS.get(series.name, (series.name, 1.0, 0.0))
            if series.name == "mass_pct":
                factor = PCT_STANDS_FOR_G if self.start_mass_g is None else self.start_mass_g / 100.0
            if "," in state and not self.is_stated:
                raise ValueError(f"{state[:40]} may have a decimal comma: say which mark it is")
            value = self.notation.number(state) * factor + offset
            if not abs(value) <= LARGEST:
                raise ValueError(f"{state[:40]} is no reading")
            series.decimals = max(series.decimals, self.notation.decimals(state))
        series.t_s.append(t_s)
        series.value.append(value)

    def _series_of(self, entity: str, cells: list[str], long: LongForm) -> _Series | None:
        of = cells[long.series].strip() if 0 <= long.series < len(cells) else ""
        if (known := self.series.get(entity)) is not None:
            if known.of != of and (of or not long.has_units):  # a value that is gone has none
                raise ValueError(f"{entity} is of two series ({known.of[:20]} and {of[:20]}): export one of them")
            return known
        name = self.mapped.get(entity) or self._own_name(entity)
        if long.has_units and name and name not in (units := unit_is_of(of)) and units:
            raise ValueError(f"{entity} is in {of} and named {name}: map it as {units[0]}")
        if long.has_units and name and plain_unit(of) in OTHER_UNITS:
            raise ValueError(f"{entity} is in {of}, which is not read: convert it")
        if not name and long.has_units:
            name = meaning_of_unit(of)
            if quantity_of(name) in {quantity_of(n) for n in self.mapped.values()}:
                name = ""
        if not name:
            if len(self.others) < 1000:
                self.others.setdefault(entity, of)
            return None
        for other in self.series.values():
            if quantity_of(other.name) == quantity_of(name):
                raise ValueError(
                    f"{other.entity} and {entity} may both be {quantity_of(name)}: map one of them as {name}=NAME"
                )
        self.series[entity] = _Series(name, entity, of)
        return self.series[entity]

    @staticmethod
    def _own_name(entity: str) -> str:
        name = entity.rpartition(".")[2]
        return name if name in (*QUANTITIES, *UNITS) and quantity_of(name) in VALUES else ""

    def _time(self, cell: str) -> float:
        if name := calendar_unit(cell, is_date=True):
            return float(cell) * UNITS.get(name, (name, 1.0))[1]
        try:
            moment = read_moment(cell, self.order)
        except NoTime as e:
            raise ValueError(str(e)) from None
        if self._zoned is not moment.zoned:
            if self._zoned is not None:
                raise ValueError(f"{cell[:40]!r} has {'a' if moment.zoned else 'no'} zone, unlike the rows above")
            self._zoned = moment.zoned
        if moment.dated:
            return moment.t_s
        t_s = moment.t_s + self._midnights * DAY_S
        if t_s < self._last_s and 0.0 <= t_s + DAY_S - self._last_s <= LONGEST_OVER_MIDNIGHT_S:
            self._midnights += 1
            t_s += DAY_S
        self._last_s = t_s
        return t_s

    def _chosen(self, use_counts: bool, temp_is_declared: bool) -> list[_Series]:
        found = {quantity_of(s.name): s for s in self.series.values()}
        value = "counts" if use_counts and "counts" in found else "mass_g"
        missing = [q for q in (value, *(() if temp_is_declared else ("temp_c",))) if q not in found]
        if missing:
            there = ", ".join(list(self.others)[:12]) or "nothing else"
            raise BadRecording(
                one_line(
                    f"{self.where}: nothing is named as {' and '.join(missing)}: map it with its unit; there is {there}"
                ),
                *(f"map {q}=NAME" for q in missing),
            )
        found.pop("mass_g" if value == "counts" else "counts", None)
        return [found[q] for q in VALUES if q in found]

    def _joined(self, chosen: list[_Series], long: LongForm) -> ReadColumns:
        """Make rows: at the mass's times, and between them where values are held."""
        first = np.frombuffer(chosen[0].t_s)
        last_s = max(s.t_s[-1] for s in chosen if s.t_s)
        if last_s - first[0] > MAX_SPAN_S:
            raise BadRecording(f"{self.where}: lasts longer than {MAX_SPAN_S:g} s: export one test")
        at = first
        if long.changes_only:
            ticks = np.arange(first[0], last_s, HELD_EVERY_S)
            at = np.unique(np.concatenate([ticks, *(np.frombuffer(s.t_s) for s in chosen)]))
        table = {"t_s": at}
        held = np.zeros(len(at), bool)
        for s in chosen:
            values, age_s = _held(s, at, self.held_at_most_s) if long.changes_only else _together(s, at)
            table[quantity_of(s.name)] = values
            held |= age_s > 0.0
        mass = quantity_of(chosen[0].name)
        there = np.isfinite(table[mass])
        if not np.any(there):
            raise BadRecording(f"{self.where}: no value of {chosen[0].entity} is a number: export it again")
        temp = table.get("temp_c")
        if temp is not None and not np.any(np.isfinite(temp[there])):
            raise BadRecording(
                one_line(
                    f"{self.where}: no mass was written within {TOGETHER_S:g} s of a temperature: export both at the "
                    "same times"
                )
            )
        if len(self._bad) > np.count_nonzero(there):
            raise BadRecording(one_line(f"{self.where}: more rows are bad than good: the first is {self._bad[0]}"))
        facts = Facts(
            skipped=len(self._bad),
            first_skipped=self._bad[0] if self._bad else "",
            midnights=self._midnights,
            held_rows=int(np.count_nonzero(held & there)) if long.changes_only else 0,
            held_at_most_s=self.held_at_most_s if long.changes_only else 0.0,
        )
        _, factor, _ = UNITS.get(chosen[0].name, ("", 1.0, 0.0))
        out = {name: array("d", column[there].tobytes()) for name, column in table.items()}
        return ReadColumns(out, factor * 10.0 ** -chosen[0].decimals, facts)


def _restated(long: LongForm, cells: list[str]) -> LongForm:
    """Get where the next table has its columns, by its header. Raises ``BadRecording`` where one is missing."""
    try:
        return LongForm.of_header(long.restated, cells)
    except ValueError:
        raise BadRecording(
            one_line(f"a table has no column {' or '.join(long.restated)}: export it with them")
        ) from None


def _held(series: _Series, at: F8, at_most_s: float) -> tuple[F8, F8]:
    """Get a series' last values at some times, NaN where the last is older than ``at_most_s``, and their age in s."""
    t_s, value = np.frombuffer(series.t_s), np.frombuffer(series.value)
    i = np.searchsorted(t_s, at, side="right") - 1
    age_s = np.where(i >= 0, at - t_s[np.maximum(i, 0)], np.inf)
    return np.where(age_s <= at_most_s, value[np.maximum(i, 0)], np.nan), age_s


def _together(series: _Series, at: F8) -> tuple[F8, F8]:
    """Get a series' nearest values at some times, NaN where the nearest is further than ``TOGETHER_S``, and how far."""
    t_s, value = np.frombuffer(series.t_s), np.frombuffer(series.value)
    right = np.minimum(np.searchsorted(t_s, at), len(t_s) - 1)
    left = np.maximum(right - 1, 0)
    i = np.where(np.abs(t_s[left] - at) <= np.abs(t_s[right] - at), left, right)
    far_s = np.abs(t_s[i] - at)
    return np.where(far_s <= TOGETHER_S, value[i], np.nan), far_s
