"""What stands beside the columns that are read, and may say that they are not what they seem.

Whose rows they are, in which unit a value is, and digits of a decimal comma that a comma between cells cut off. This
module must never change a value: it lets a row pass, or ends the reading with one line.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from calibration.toml_file import one_line
from edge.errors import BadRecording

from .clock import looks_like_clock
from .columns import Wanted, quantity_of
from .headings import OTHER_UNITS, plain_name, plain_unit, unit_is_of
from .layout import Layout

THINGS = frozenset(
    (
        *("entityid", "entity", "statisticid", "series", "metric", "sensor", "sensorid", "device", "deviceid", "topic"),
        *("field", "channel", "node", "nodeid", "host", "rig", "name", "sample", "sampleid", "samplename", "crucible"),
    )
)
"""Names of a column that says whose value a row has. Where it is not read, all rows must be of one thing."""
LABELS = frozenset(("name", "sample", "samplename"))
"""Of these, what people also write for a row's own number, a step or a remark: then the mass runs on."""
RUNS_ON_SHARE, RUNS_ON_S = 5e-4, 600.0
"""A mass that runs on under another label changes by no more than a tenth of what is judged, in no longer time."""
NUMBERED = frozenset(("deviceid", "device", "sensorid", "channel", "node", "nodeid"))
"""Of the things also one that is a number; elsewhere a number is a reading."""
LEAST_NAME = 3
"""In a file without a header a shorter text that changes is a flag (``S``, ``D``) and no name."""
UNIT_NAMES = frozenset(("unit", "units", "unitofmeasurement", "uom", "einheit", "unité", "unidad", "单位", "単位"))


class Beside:
    """The columns of one file that are not read, looked at row by row."""

    def __init__(self, where: str, layout: Layout, wanted: tuple[Wanted, ...], number: Callable[[str], float]) -> None:
        """Take the file's name, its layout, what of it is read, and how its numbers are written."""
        self._where = where
        self._heads = layout.columns
        self._number = number
        self._wanted = wanted
        used = {c.at for c in wanted} | {c.date_at for c in wanted}
        left = {at: h for at, h in enumerate(self._heads) if at not in used}
        self._of = {at: "" for at, h in left.items() if is_thing(h.name)}
        self._units = {at: "" for at, h in left.items() if plain_name(h.name) in UNIT_NAMES or h.name.startswith("#")}
        last = max(used)
        self._unnamed = [at for at, h in left.items() if not h.name and at > last and layout.separator == ","]
        self._mass_at = next((i for i, c in enumerate(wanted) if c.name in ("mass_g", "mass_mg", "mass_kg")), -1)
        self._last = (math.nan, math.nan)
        self.labels: dict[str, str] = {}
        self.is_needed = bool(self._of or self._units or self._unnamed)

    def check(self, line: int, cells: list[str], values: list[float]) -> None:
        """Look at a row, whose ``values`` are those of what is wanted. Raises ``BadRecording``, one line."""
        for at in self._units:
            if (cell := cells[at].strip()) != self._units[at]:
                self._check_unit(line, at, cell)
                self._units[at] = cell
        for at in self._unnamed:
            if cells[at].strip().isdigit() and not any("." in cells[c.at] for c in self._wanted if not c.clock):
                raise self._bad(
                    line,
                    f"column {at + 1} has no name and holds {cells[at].strip()[:40]}, and no number has a point: where "
                    "these are decimal commas, write semicolons between the cells; else name the column",
                )
        mass = values[self._mass_at] if self._mass_at >= 0 else math.nan
        for at, before in self._of.items():
            cell = cells[at].strip()
            if cell == before:
                continue
            if before and cell and self._is_another(at, cell):
                self._check_runs_on(line, at, f"{cell[:40]} here and {before[:40]} above", values[0], mass)
            self._of[at] = cell or before
        self._last = (values[0], mass)

    def _is_another(self, at: int, cell: str) -> bool:
        name = self._heads[at].text
        if name.startswith("#") and (len(cell) < LEAST_NAME or looks_like_clock(cell)):
            return False
        if plain_name(name) in NUMBERED:
            return True
        try:
            self._number(cell)
        except ValueError:
            return True
        return False

    def _check_runs_on(self, line: int, at: int, both: str, t_s: float, mass: float) -> None:
        """Refuse rows of two things under one header; a label may change where the balance has seen no other thing."""
        head = self._heads[at]
        last_s, last = self._last
        runs_on = abs(mass - last) <= RUNS_ON_SHARE * abs(last) and t_s - last_s <= RUNS_ON_S
        if runs_on and plain_name(head.name) in LABELS:
            self.labels.setdefault(head.text, f"line {line}")
            return
        raise self._bad(
            line,
            f"{head.text} is {both}: these rows are of two things: export one of them, or each as a column; where it "
            "does not say whose rows these are, leave it out",
        )

    def _check_unit(self, line: int, at: int, cell: str) -> None:
        """Refuse a value whose unit stands in a column of its own, and is another than it is read in."""
        names = unit_is_of(cell)
        is_other = plain_unit(cell) in OTHER_UNITS
        for column in self._wanted:
            name = column.name.removeprefix("cell_")
            beside = column.at == at - 1
            if column.clock or column.quantity in ("counts", "status") or name in names:
                continue
            same = any(quantity_of(n) == quantity_of(name) for n in names)
            is_named = not self._heads[at].name.startswith("#")
            if (same and (beside or is_named)) or (is_other and beside and quantity_of(name) == "mass_g"):
                raise self._bad(
                    line,
                    f"{self._heads[at].text} says {cell[:40]}, and {column.header} is read as {column.name}: map it in "
                    "its unit, or write all rows in one",
                )

    def _bad(self, line: int, message: str) -> BadRecording:
        return BadRecording(one_line(f"{self._where}, line {line}: {message}"))


def is_thing(name: str) -> bool:
    """Say whether a column that is not read says whose value a row has; in a file without a header each may."""
    return plain_name(name) in THINGS or name.startswith("#")
