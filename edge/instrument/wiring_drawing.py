"""The drawing of a wiring table: the header in the middle, the parts beside it, a line for each wire.

It draws what it is given and decides nothing. Text is text, so the drawing can be searched and read aloud; its
colours are those of the wires' kinds and never the only sign of one: each wire has a number at both ends, and each pin
says where its wire goes.
"""

from __future__ import annotations

from collections import Counter
from itertools import groupby
from xml.sax.saxutils import escape

from .pinout import Wire, label

_ROW = 19
_GAP = 26
_TOP_PX = 70
_BOX_W = 660
_HEADER_X = 60
_PIN_W = 78
_PIN_H = 40
_BOX_X = _HEADER_X + 2 * _PIN_W + 260
_COLOURS = {
    "3V3": "#c4500a", "5V": "#c01c28", "GND": "#3d3846", "I²C": "#1a5fb4", "SPI": "#26734d", "GPIO": "#813d9c",
}  # fmt: skip


def draw(wires: list[Wire]) -> str:
    """Get an SVG 1.1 document of ``wires``."""
    body: list[str] = []
    lines: list[str] = []
    ends: list[str] = []
    shared: Counter[int] = Counter()
    y, number = _TOP_PX, 0
    for part, rows in groupby(wires, key=lambda w: w.part):
        own = list(rows)
        height = (len(own) + 1) * _ROW + 10
        body.append(f'<rect class="part" x="{_BOX_X}" y="{y}" width="{_BOX_W}" height="{height}" rx="6"/>')
        body.append(_text(_BOX_X + 12, y + 18, part, "name"))
        for i, wire in enumerate(own, 1):
            at = y + 18 + i * _ROW
            number += wire.header is not None
            body.append(_row(wire, at, number))
            if wire.header is not None:
                lines.append(_wire_path(wire, at - 4))
                beside = _HEADER_X + 2 * _PIN_W + 8 + 17 * shared[wire.header]
                ends.append(_number(beside, _from_y(wire.header), number, wire))
                shared[wire.header] += 1
        y += height + _GAP
    bottom = max(y, _TOP_PX + 20 * _PIN_H) + 20
    used = {w.header for w in wires if w.header is not None}
    pins = [_pin(pin, used) for pin in range(1, 41)]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_BOX_X + _BOX_W + 30} {bottom}" '
            'font-family="DejaVu Sans, Verdana, sans-serif" font-size="12">',
            "<title>Wiring</title>",
            "<desc>The Raspberry Pi's 40-pin header on the left, pin 1 in a thick frame, each part's pins on the "
            "right. A wire has the same number at both ends.</desc>",
            "<style>.part{fill:#f6f5f4;stroke:#77767b} .name{font-weight:bold;font-size:13px} "
            ".pin{stroke:#77767b} .free{fill:#fff} .note{fill:#5e5c64;font-size:10.5px} "
            ".wire{fill:none;stroke-width:1.8} .number{fill:#fff;font-size:9.5px;font-weight:bold} "
            ".first{fill:none;stroke:#1f2328;stroke-width:3}</style>",
            '<rect width="100%" height="100%" fill="#fff"/>',
            _text(_HEADER_X, 34, "Raspberry Pi, 40-pin header", "name"),
            _text(_HEADER_X, 54, "pin 1 (thick frame) is at the end away from the USB sockets", "note"),
            *_legend(),
            *lines,
            *ends,
            *pins,
            _FIRST_PIN,
            *body,
            "</svg>",
            "",
        ]
    )


def kind(wire: Wire) -> str:
    """Get what a wire carries, which is its colour: ``3V3``, ``5V``, ``GND``, ``I²C``, ``SPI`` or ``GPIO``."""
    if wire.to in _COLOURS:
        return wire.to
    return next((name for name in ("I²C", "SPI") if name in wire.to), "GPIO")


def _legend() -> list[str]:
    out, x = [], _BOX_X
    for name, colour in _COLOURS.items():
        out.append(f'<path class="wire" stroke="{colour}" d="M{x} 34h26"/>')
        out.append(_text(x + 32, 38, name))
        x += 84
    return out


def _number(x: float, y: float, number: int, wire: Wire) -> str:
    """Get the mark at one end of a wire: its number on its colour."""
    dot = f'<circle cx="{x}" cy="{y}" r="8" fill="{_COLOURS[kind(wire)]}"/>'
    return dot + f'<text class="number" x="{x}" y="{y + 3.5}" text-anchor="middle">{number}</text>'


def _row(wire: Wire, y: float, number: int) -> str:
    where = f"pin {wire.header}: {wire.to}" if wire.header is not None else wire.to
    dot = _number(_BOX_X, y - 4, number, wire) if wire.header is not None else ""
    out = dot + _text(_BOX_X + 12, y, wire.pin) + _text(_BOX_X + 140, y, where)
    return out + (_text(_BOX_X + 370, y, wire.note, "note") if wire.note else "")


def _wire_path(wire: Wire, y: float) -> str:
    """Get a wire's path: from its header pin, an odd one's under the even pin beside it, to its part."""
    assert wire.header is not None
    right = _HEADER_X + 2 * _PIN_W
    from_y = _from_y(wire.header)
    if wire.header % 2:
        start = f"M{right - _PIN_W - 6} {_pin_y(wire.header)} l10 {_PIN_H / 2} L{right + 8} {from_y}"
    else:
        start = f"M{right - 4} {from_y} h12"
    middle = (right + 8 + _BOX_X) / 2
    path = f"{start} C{middle} {from_y} {middle} {y} {_BOX_X} {y}"
    return f'<path class="wire" stroke="{_COLOURS[kind(wire)]}" d="{path}"/>'


def _from_y(pin: int) -> float:
    """Get the height at which a wire leaves the header: an odd pin's under the even one beside it."""
    return _pin_y(pin) + (_PIN_H / 2 if pin % 2 else 0)


def _pin_y(pin: int) -> int:
    return _TOP_PX + 12 + (pin - 1) // 2 * _PIN_H


def _pin(pin: int, used: set[int]) -> str:
    x, y = _HEADER_X + (0 if pin % 2 else _PIN_W), _pin_y(pin)
    name = label(pin)
    fill = {"3V3": "#ffd9b8", "5V": "#f9c0c0", "GND": "#d0cfd4"}.get(name, "#dbe9f6") if pin in used else ""
    shape = f'fill="{fill}" class="pin"' if fill else 'class="pin free"'
    box = f'<rect {shape} x="{x + 1}" y="{y - 11}" width="{_PIN_W - 2}" height="22" rx="3"/>'
    return box + _text(x + 6, y + 4, f"{pin}  {name}")


def _text(x: float, y: float, text: str, style: str = "") -> str:
    style = f' class="{style}"' if style else ""
    return f'<text x="{x}" y="{y}"{style}>{escape(text)}</text>'


_FIRST_PIN = f'<rect class="first" x="{_HEADER_X + 1}" y="{_pin_y(1) - 11}" width="{_PIN_W - 2}" height="22"/>'
"""On a board pin 1 is the square one."""
