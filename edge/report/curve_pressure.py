"""The pressure under a report's curve: the gauge's own, or a bar that says what is declared and what is not stated.

This module must never show as measured what nobody measured.
"""

from __future__ import annotations

import math

from edge.records.curve import PressureKnown, RecordedCurve
from edge.records.phase import Phase

from .curve_parts import span_of
from .curve_scale import Scale, outline, stretches
from .ink import DATA, HAIR, INK, box, hatch, line, say, variable_of
from .language import Words
from .markup import Html, el, path

FLOOR_PA = 1e-3
"""Less than any gauge of ours shows: a logarithm wants more than nothing."""
LABEL_PX = 70.0


def pressure_bar(
    recorded: RecordedCurve, known: PressureKnown, words: Words, x: Scale, y: float, height: float
) -> Html:
    """Get the pressure's part of the drawing, ``height`` px high from ``y`` on."""
    head = say(0, y + 12, variable_of("p"))
    if known is PressureKnown.MEASURED:
        return Html(head + _gauge(recorded, x, y, height))
    return Html(head + _bar(recorded, known, words, x, y, height))


def _gauge(recorded: RecordedCurve, x: Scale, y: float, height: float) -> Html:
    seen = stretches(
        recorded.columns,
        lambda c: None if c.low_pa is None else math.log10(max(c.low_pa, FLOOR_PA)),
        lambda c: None if c.high_pa is None else math.log10(max(c.high_pa, FLOOR_PA)),
    )
    every = [v for s in seen for _, low, high in s for v in (low, high)]
    low = math.floor(min(every, default=0.0))
    scale = Scale(low, max(math.ceil(max(every, default=5.0)), low + 1), y + height, y)
    out: list[Html] = []
    for v in (scale.low, scale.high):
        out += [line(x.at_low, scale(v), x.at_high, scale(v), HAIR, 0.6)]
        out += [say(35, scale(v) + (9 if v == scale.high else 0), f"{10.0**v:g} Pa", anchor="end", size=9)]
    for s in seen:
        way = path(((px * 10.0, py * 10.0) for px, py in outline(s, x, scale)), closed=True)
        out.append(el("path", d=way, transform="scale(.1)", fill=DATA, stroke=DATA, stroke_width=9))
    return Html("".join(out))


def _bar(recorded: RecordedCurve, known: PressureKnown, words: Words, x: Scale, y: float, height: float) -> Html:
    """Get the bar: white is declared, hatched is not stated."""
    out: list[Html] = []
    declared = known is PressureKnown.DECLARED
    spans = {phase: span_of(recorded.phases, phase) for phase in (Phase.PUMP, Phase.HOLD, Phase.M2)}
    pump, hold, m2 = spans[Phase.PUMP], spans[Phase.HOLD], spans[Phase.M2]
    if not recorded.phases:
        return Html("")
    end_s = recorded.phases[-1].to_s
    air_until_s = pump.from_s if pump is not None else hold.from_s if hold is not None else end_s
    air_from_s = m2.from_s if m2 is not None else end_s
    stated = [(0.0, air_until_s, "curve_air"), (air_from_s, end_s, "curve_air")] if declared else []
    if declared and hold is not None:
        stated.append((hold.from_s, hold.to_s, "curve_vacuum_declared"))
    whole_from, whole_to = x(recorded.phases[0].from_s), x(end_s)
    out += [box(whole_from, y, whole_to - whole_from, height, "#fff", None)]
    out += [hatch(whole_from, y, whole_to - whole_from, height, "#999", stroke=0.5)]
    for from_s, to_s, key in stated:
        left, right = x(from_s), x(to_s)
        if right - left < 0.5:
            continue
        out.append(box(left, y, right - left, height, "#fff"))
        said = words(key)
        if right - left > 6.0 * len(said):
            out.append(say((left + right) / 2, y + 12, said, anchor="middle"))
    out.append(box(whole_from, y, whole_to - whole_from, height, "none", INK))
    if not declared:
        out.append(box((whole_from + whole_to) / 2 - LABEL_PX / 2, y + 1, LABEL_PX, height - 2, "#fff", None))
        out.append(say((whole_from + whole_to) / 2, y + 12, words("curve_not_stated"), anchor="middle"))
    return Html("".join(out))
