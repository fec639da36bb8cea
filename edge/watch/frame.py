"""One frame of the terminal's view: where the test is, the curve, the bar with its end, readings and alarms.

It is as wide as it is told, 40 characters at least, and says nothing by colour alone. This module must never read a
database or ask the station: it is handed what both gave.
"""

from __future__ import annotations

from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size
from rich.console import Group
from rich.text import Text

from calibration.visible_text import visible
from edge.records.result import Result
from edge.records.status import StationStatus
from edge.report.language import Words
from edge.report.live_text import Mark, Tone, clock, course_line, run_clock, span, state_line, to_do, wall_of
from edge.report.numbers import fixed
from edge.trends.run_so_far import RunSoFar

from .block_curve import block_curve

NARROWEST = 40
SIGNS = {Mark.NONE: " ", Mark.OK: "✓", Mark.NO: "✕", Mark.CLOSE: "≈", Mark.VOID: "⊘"}
AMBER = "black on yellow"
"""With its own ground: yellow letters cannot be read where a terminal is white."""
STYLES = {Mark.NONE: "", Mark.OK: "green", Mark.NO: "red", Mark.CLOSE: AMBER, Mark.VOID: "dim"}
TONES = {Tone.CALM: "", Tone.STEP: "bold", Tone.ALARM: AMBER, Tone.GRAVE: "bold red"}
CURVE_ROWS = 9


@dataclass(frozen=True, slots=True)
class Seen:
    """What there is to show: ``at_s`` is now (wall s), ``heard_s`` when the station answered last (None: never)."""

    at_s: float
    status: StationStatus | None
    stored: RunSoFar | None
    last: Result | None
    heard_s: float | None
    trouble: str = ""

    @property
    def run(self) -> RunSoFar | None:
        """Get the stored run, unless the station measures another one."""
        measured = None if self.status is None else self.status.run
        if self.stored is None or measured is None:
            return self.stored
        return self.stored if measured.tells_of(self.stored.head.run_id, self.stored.head.run_uid) else None

    @property
    def is_stale(self) -> bool:
        """Get whether the station was not heard for 3 s."""
        return self.heard_s is None or self.at_s - self.heard_s > 3.0


def frame(seen: Seen, w: Words, width: int, rows: int = CURVE_ROWS) -> Group:
    """Get a frame of at most ``width`` characters a line."""
    width = max(NARROWEST, width)
    status = seen.status
    run = seen.run
    live = run if status is not None and status.run is not None else None
    lines = [*_head(seen, w, width), Text("")]
    state = state_line(w, status, live)
    if seen.is_stale:
        age = "?" if seen.heard_s is None else span(seen.at_s - seen.heard_s)
        lines += _wrapped(w("live_no_data", age=age), width, "bold reverse")
        lines += _wrapped(seen.trouble, width, "") if seen.trouble else []
    lines += _wrapped(state, width, "dim" if seen.is_stale else "bold")
    course = course_line(w, status, live, seen.last)
    style = "dim" if seen.is_stale else STYLES[course.mark]
    lines += _wrapped(f"{SIGNS[course.mark]} {course.text}".strip(), width, style)
    if status is not None and status.run is not None:
        lines += [Text(""), _bar(status, live, w, width)]
    if status is not None:
        todo = to_do(w, status, live)
        sign = "▲ " if todo.tone in (Tone.ALARM, Tone.GRAVE) else "▸ "
        lines += [Text(""), *_wrapped(sign + todo.title, width, TONES[todo.tone]), *_wrapped(todo.why, width, "dim")]
    if run is not None:
        lines += [Text(""), *_curve(run, width, rows)]
    if status is not None:
        lines += [Text(""), *_readings(status, w, width), *_alarms(status, w, width)]
    return Group(*lines)


def _head(seen: Seen, w: Words, width: int) -> list[Text]:
    status = seen.status
    name = "" if status is None or status.run is None else visible(status.run.sample_id or "?")
    now = f"{w('page_lost') if seen.is_stale else w('page_live')} {clock(seen.at_s, seen.at_s)}"
    room = width - cell_len(now) - 1
    left = set_cell_size(f"halfpercent  {name}" if room > 20 else name, max(1, room))
    lines = [Text.assemble((left, "bold"), " ", (now, "reverse" if seen.is_stale else ""))]
    if status is not None and status.simulated:
        lines += _wrapped(w("page_simulated"), width, AMBER)
    return lines


def _wrapped(text: str, width: int, style: str) -> list[Text]:
    """Get a text in lines of at most ``width``, parted at spaces where that can be."""
    lines, line = [], ""
    for word in visible(text).split(" "):
        while cell_len(word) > width:
            head = set_cell_size(word, width).rstrip()
            lines += [line] if line else []
            lines.append(head)
            line, word = "", word[len(head) :]  # the rest of it
        joined = f"{line} {word}" if line else word
        if cell_len(joined) > width:
            lines.append(line)
            line = word
        else:
            line = joined
    return [Text(part, style=style) for part in [*lines, line] if part]


def _bar(status: StationStatus, run: RunSoFar | None, w: Words, width: int) -> Text:
    """Get the hold clock as a bar, with when it ends."""
    assert status.run is not None
    whole_s = status.run.hold_required_s or 0.0
    held_s = min(status.run.hold_s or 0.0, whole_s)
    ends = run_clock(run, None if run is None else run.planned.hold_end_s)
    beside = f" {span(held_s)} / {span(whole_s)}" + ("" if ends == "?" else f" → {ends}")
    across = max(8, width - cell_len(beside))
    done = int(across * held_s / whole_s) if whole_s else 0
    return Text.assemble(("█" * done, "blue"), ("░" * (across - done), "dim"), visible(beside))


def _curve(run: RunSoFar, width: int, rows: int) -> list[Text]:
    found = []
    for row in block_curve(run.curve, width, rows):
        cells = Text(row.cells, style="blue")
        cells.highlight_regex("─+", "red")
        found.append(Text.assemble((row.label, "dim"), cells))
    return found


def _readings(status: StationStatus, w: Words, width: int) -> list[Text]:
    run, now = status.run, status.readings
    loss = None if run is None else run.loss_pct
    weighed = None if run is None else run.loss_as_weighed_pct
    parts = [
        (w("page_loss_so_far"), _unit(loss, 3, "%")),
        (w("page_as_weighed"), _unit(weighed, 3, "%")),
        (w("page_mass"), _unit(None if run is None else run.mass_g, 4, "g")),
        (w("page_oven"), _unit(now.temp_c, 2, "°C")),
        (w("page_cell"), _unit(now.cell_temp_c, 2, "°C")),
        (w("page_pressure"), _unit(now.pressure_pa, 0, "Pa")),
    ]
    each = width if width < 60 else width // 2 - 1
    cells = []
    for name, value in parts if run is not None else parts[3:]:
        dots = max(1, each - cell_len(name) - cell_len(value))
        cells.append(f"{name}{' ' * dots}{value}")
    if width < 60:
        return [Text(cell) for cell in cells]
    pairs = [cells[i : i + 2] for i in range(0, len(cells), 2)]
    return [Text("  ".join(pair)) for pair in pairs]


def _unit(value: float | None, places: int, unit: str) -> str:
    return "?" if value is None else f"{fixed(value, places)} {unit}"


def _alarms(status: StationStatus, w: Words, width: int) -> list[Text]:
    lock = status.interlock if status.interlock in ("open", "closed") else "none"
    said = f"{w('page_interlock')}: {w(f'page_interlock_{lock}')}"
    lines = _wrapped(said, width, "bold red" if lock == "open" else "")
    for a in status.alarms:
        since = clock(wall_of(a.opened_utc))
        seen = w("page_closed_not_acknowledged") if a.closed else w("page_stands", time=since)
        what, why = w.said(a.alarm or "?"), w.said(a.why or "")
        lines += _wrapped(f"▲ {what} {seen}{w('colon')}{why}", width, AMBER)
    return lines
