"""Pages and their sections as HTML: templates that escape by themselves, and names that are never markup.

What cannot be seen in a text is shown as its code; a name stands in ``<bdi>``, whole. The sections of the page of now
are made once for all viewers of one kind. This module must never mark a text of somebody else's as safe.
"""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from calibration.visible_text import visible
from edge import __version__
from edge.records.status import StationStatus
from edge.records.weighing import WeighingKind
from edge.report.curve import page_curve, page_table, wider_scale
from edge.report.curve_parts import CLASSES, SHAPES
from edge.report.language import Language, Words
from edge.report.live_text import (
    course_line,
    result_clock,
    state_line,
    to_do,
)
from edge.report.numbers import fixed, forecast_digits, two_digits
from edge.seal.checkpoint import Checkpoint
from edge.trends.run_so_far import RunSoFar

from . import now
from .look import Snapshot
from .run_table import run_table

CSRF_PLACE = "@@csrf@@"
"""Stands in the sections for the secret of whoever they are sent to."""
LAYOUT = (
    ("hero", "hero"),
    ("yours", "yours"),
    ("plot", "plot"),
    ("clock", "clock"),
    ("readings", "now"),
    ("alarms", "alarms"),
    ("events", "events"),
    ("course", "course"),
    ("specimen", "specimen"),
    ("taken", "taken"),
    ("check", "check"),
    ("runs", "runs"),
)
"""The sections in their order, each with its class."""
NAMES = {
    "hero": "page_state",
    "yours": "live_nothing_to_do_now",
    "plot": "page_loss_title",
    "clock": "page_clock",
    "readings": "page_readings",
    "alarms": "page_alarms",
    "events": "page_happened",
    "course": "page_course",
    "specimen": "page_specimen",
    "taken": "page_taken",
    "check": "page_checkpoint",
    "runs": "page_recent",
}
SCALE_PX = 220.0
_OUTLINES = {CLASSES[kind]: way for kind, way in SHAPES.items()}


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks: in which language, and who may act ('': nobody)."""

    language: Language
    operator: str = ""

    @property
    def may_act(self) -> bool:
        """Get whether there are buttons to press."""
        return bool(self.operator)


def _shown(value: object) -> object:
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _named(value: object) -> Markup:
    return Markup("<bdi>{}</bdi>").format(visible(str(value)))


class Renderer:
    """Makes pages. ``rig`` is what the rig is called."""

    def __init__(self, rig: str) -> None:
        self._env = Environment(
            loader=PackageLoader("edge.web"),
            autoescape=True,
            finalize=_shown,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._env.filters["named"] = _named
        self._rig = rig
        self._words = {language: Words(language) for language in Language}
        self._kept: dict[tuple[Language, bool], tuple[Snapshot, Mapping[str, str]]] = {}
        self._drawn: dict[Language, tuple[RunSoFar, Markup, Markup, str]] = {}

    def words(self, viewer: Viewer) -> Words:
        """Get the words of a viewer's language."""
        return self._words[viewer.language]

    def page(self, template: str, viewer: Viewer, **context: object) -> str:
        """Get a whole page."""
        base: dict[str, object] = {
            "w": self.words(viewer),
            "lang": viewer.language.value,
            "lang_tag": viewer.language.tag,
            "operator": viewer.operator,
            "may_act": viewer.may_act,
            "rig": self._rig,
            "here": "",
            "lost": False,
            "version": __version__,
            "csrf": CSRF_PLACE,
            "outlines": _OUTLINES,
        }
        return self._env.get_template(template).render(base | context)

    def now_page(self, snapshot: Snapshot, viewer: Viewer) -> str:
        """Get the page of now, with all its sections."""
        w = self.words(viewer)
        classes = [(name, f"{c} {self.tone(snapshot, viewer)}" if name == "yours" else c) for name, c in LAYOUT]
        return self.page(
            "now.html",
            viewer,
            here="/",
            title=self.title(snapshot, viewer),
            now=clock_s(snapshot.at_s),
            lost=snapshot.is_stale,
            simulated=bool(snapshot.status and snapshot.status.simulated),
            layout=classes,
            names={name: w(key) for name, key in NAMES.items()},
            sections={name: Markup(html) for name, html in self.sections(snapshot, viewer).items()},
        )

    def title(self, snapshot: Snapshot, viewer: Viewer) -> str:
        """Get the window's title: where the test is."""
        return state_line(self.words(viewer), snapshot.status, snapshot.seen).rstrip(".。")

    def tone(self, snapshot: Snapshot, viewer: Viewer) -> str:
        """Get how the strip looks."""
        return to_do(self.words(viewer), snapshot.status, snapshot.seen).tone.value

    def sections(self, snapshot: Snapshot, viewer: Viewer) -> Mapping[str, str]:
        """Get the sections of the page of now by their names; made once for all viewers alike."""
        key = viewer.language, viewer.may_act
        kept = self._kept.get(key)
        if kept is None or kept[0] is not snapshot:
            kept = snapshot, self._sections(snapshot, viewer)
            self._kept[key] = kept
        return kept[1]

    def _sections(self, snapshot: Snapshot, viewer: Viewer) -> Mapping[str, str]:
        w, status, seen = self.words(viewer), snapshot.status or StationStatus(), snapshot.seen
        stored = snapshot.stored
        shown = seen if seen is not None or status.run is not None else stored.seen
        context: dict[str, object] = {
            "w": w,
            "lang": viewer.language.value,
            "csrf": CSRF_PLACE,
            "may_act": viewer.may_act,
            "outlines": _OUTLINES,
            "idle": status.run is None,
            "seen": shown,
            "state": state_line(w, snapshot.status, seen),
            "line": course_line(w, snapshot.status, seen, stored.last),
            "forecast": None if seen is None or not seen.curve.forecast else _forecast_scale(seen),
            "result_time": result_clock(seen),
            "todo": to_do(w, snapshot.status, seen),
            "ring": now.ring(status.run, seen),
            "rows": now.readings(w, status, seen),
            "written": now.written(w, status),
            "interlock": status.interlock if status.interlock in ("open", "closed") else "none",
            "alarms_list": now.alarms(w, status, seen),
            "happened": [] if shown is None else now.events(w, shown),
            "steps": [] if shown is None else now.course_rows(w, shown, status.run),
            "head": None if stored.checkpoint is None else checkpoint_drawn(stored.checkpoint),
            "recent": run_table(w, stored.recent),
            "curve": None,
        }
        if shown is not None:
            context |= self._of_run(shown, viewer.language)
        template = self._env.get_template("sections.html")
        return {name: template.render(context | {"section": name}).strip() for name, _ in LAYOUT}

    def _of_run(self, seen: RunSoFar, language: Language) -> dict[str, object]:
        w = self._words[language]
        taken = now.taken(seen, w)
        drawn = self._drawn.get(language)
        if drawn is None or drawn[0] is not seen:
            curve = seen.curve.recorded.columns
            svg = Markup(page_curve(seen.curve, w)) if curve else Markup("")  # escaped by its own builder
            table = Markup(page_table(seen.curve, w)) if curve else Markup("")
            drawn = seen, svg, table, wider_scale(seen.curve, w)
            self._drawn[language] = drawn
        caption = w("page_air_not_yet")
        m1 = seen.course.weighings.get(WeighingKind.M1)
        if seen.air is not None and m1 is not None:
            step, u = two_digits(seen.air.step_g / m1.value * 100.0, seen.air.u_g / m1.value * 100.0)
            caption = w("page_air_out", step=step, u=u)
        return {
            "curve": drawn[1],
            "curve_table": drawn[2],
            "scale": drawn[3],
            "caption": caption,
            "declared": taken.declared,
            "assumed": taken.assumed,
            "checked": now.is_checked(seen),
            "begun": day_and_time(seen.wall_s(0.0), language),
        }

    def check(self, checkpoint: Checkpoint | None, viewer: Viewer) -> Markup:
        """Get the section of the checkpoint by itself."""
        head = None if checkpoint is None else checkpoint_drawn(checkpoint)
        context = {
            "w": self.words(viewer),
            "lang": viewer.language.value,
            "head": head,
            "section": "check",
            "may_act": False,
            "csrf": "",
        }
        html = self._env.get_template("sections.html").render(context | {"outlines": _OUTLINES})
        return Markup(html)  # a template of ours, which escapes


def clock_s(wall_s: float) -> str:
    """Write a wall time with seconds."""
    return f"{datetime.datetime.fromtimestamp(wall_s):%H:%M:%S}"


def day_and_time(wall_s: float, language: Language) -> str:
    """Write a day and a time as a language does."""
    at = datetime.datetime.fromtimestamp(wall_s)
    return f"{at:%Y-%m-%d %H:%M}" if language is Language.CHINESE else f"{at:%d %b %Y, %H:%M}"


@dataclass(frozen=True, slots=True)
class ScaleDrawn:
    """A forecast on a scale around the limit: texts, and places in px."""

    low: str
    high: str
    limit: str
    left: str
    right: str
    limit_x: float
    low_x: float
    high_x: float
    x: float


def _forecast_scale(seen: RunSoFar) -> ScaleDrawn | None:
    if seen.forecast is None:
        return None
    end, limit = seen.forecast.end, seen.curve.terms.limit_pct
    reach = max(0.2 * limit, *(1.1 * abs(v - limit) for v in (end.low_pct, end.high_pct)))

    def x(pct: float) -> float:
        return round(SCALE_PX / 2.0 * (1.0 + (pct - limit) / reach), 1)

    places = len(forecast_digits(end.loss_pct, seen.forecast.half_pct)[0].partition(".")[2])
    return ScaleDrawn(
        fixed(end.low_pct, places),
        fixed(end.high_pct, places),
        fixed(limit, 2) if round(limit, 2) == limit else f"{limit:g}",
        fixed(limit - reach, 2),
        fixed(limit + reach, 2),
        x(limit),
        x(end.low_pct),
        x(end.high_pct),
        x(end.loss_pct),
    )


@dataclass(frozen=True, slots=True)
class HeadDrawn:
    """A checkpoint: its first 64 bits, how many runs it covers, and its QR code as one path."""

    short: str
    size: str
    side: int
    path: str


def checkpoint_drawn(checkpoint: Checkpoint) -> HeadDrawn:
    """Get a checkpoint with its QR code, a border of four squares around it."""
    import segno

    rows = [[bool(dark) for dark in row] for row in segno.make(checkpoint.to_note(), micro=False).matrix_iter(border=4)]
    way = "".join(f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, dark in enumerate(row) if dark)
    digits = checkpoint.head.hex()[:16]
    return HeadDrawn(" ".join(digits[i : i + 4] for i in range(0, 16, 4)), str(checkpoint.size), len(rows), way)


def etag(text: bytes) -> str:
    """Get the tag by which a browser knows a file that it has."""
    return f'"{hashlib.sha256(text).hexdigest()[:16]}"'
