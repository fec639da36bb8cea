"""Draws the pictures of docs/architecture.md from the code itself, and writes the JSON Schema of a result.

``make docs-pictures`` writes them; tests/test_docs_pictures.py says whether what is committed is current. The layers
are those of tests/test_layers.py with the imports as they are; the phases are the table in edge/procedure/phases.py.
This tool must never hold a name of a package or a phase of its own.
"""

from __future__ import annotations

import ast
import json
import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from edge.escalate import deliver as notice
from edge.procedure.transitions import COMMANDS, DETOURS, TRANSITIONS
from edge.publish import message as publish_message
from edge.records.phase import ASKED, CARRIED, CHECKED_FIRST, Phase
from edge.records.result import RESULT_VERSION, json_schema

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"

LIGHT = {
    "page": "#ffffff",
    "ink": "#1f2328",
    "quiet": "#59636e",
    "band": "#f3f5f7",
    "box": "#ffffff",
    "line": "#7d8792",
}
DARK = {"page": "#0d1117", "ink": "#e6edf3", "quiet": "#9aa4af", "band": "#171d25", "box": "#0d1117", "line": "#768390"}
FONT = 'font-family="DejaVu Sans, Verdana, sans-serif" font-size="12"'


def drawn() -> dict[Path, str]:
    """Get every file that this tool writes, with its text."""
    return {
        DOCS / "layers.svg": layers_svg(*layer_table(ROOT / "tests" / "test_layers.py"), count_imports(ROOT)),
        DOCS / "phases.svg": phases_svg(TRANSITIONS),
        DOCS / "schema" / f"result-{RESULT_VERSION}.json": json.dumps(json_schema(), indent=2, sort_keys=True) + "\n",
        DOCS / "schema" / f"publish-{publish_message.VERSION}.json": (
            json.dumps(publish_message.json_schema(), indent=2, sort_keys=True) + "\n"
        ),
        DOCS / "schema" / f"notice-{notice.VERSION}.json": (
            json.dumps(notice.json_schema(), indent=2, sort_keys=True) + "\n"
        ),
    }


# what the code says


def layer_table(test: Path) -> tuple[list[tuple[str, ...]], set[str]]:
    """Get the rows of packages from the ground up, the ground first, and the names of those that are to come."""
    found: dict[str, Any] = {}
    for node in ast.parse(test.read_text(encoding="utf-8")).body:
        name = ast.unparse(node.targets[0]) if isinstance(node, ast.Assign) else ""
        if isinstance(node, ast.Assign) and name in ("GROUND", "LAYERS", "TO_COME"):
            found[name] = ast.literal_eval(node.value)
    return [found["GROUND"], *found["LAYERS"]], set(found["TO_COME"])


def count_imports(root: Path) -> Counter[tuple[str, str]]:
    """Count what each package of ``edge`` imports of another or of the ground: one a file and a module."""
    packages = ("edge", "hw", "calibration")
    files = {_module(p.relative_to(root)): p for name in packages for p in sorted((root / name).rglob("*.py"))}
    count: Counter[tuple[str, str]] = Counter()
    for module, path in files.items():
        here = _package(module)
        for name in set(_imported(path, path.relative_to(root).with_suffix("").parts, set(files))):
            there = _package(name) if name.split(".")[0] in packages else ""
            if module.startswith("edge") and here and there and there != here:
                count[here, there] += 1
    return count


def _module(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _package(module: str) -> str:
    """Get the room of a module: a package of ``edge`` or of the ground; '' for the door of ``edge``."""
    top, _, rest = module.partition(".")
    room = rest.split(".")[0]
    return top if top != "edge" else "" if room == "__main__" else room


def _imported(path: Path, parts: tuple[str, ...], modules: set[str]) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = parts[: len(parts) - node.level] if node.level else ()
            source = ".".join((*base, *filter(None, [node.module])))
            yield from (d if (d := f"{source}.{alias.name}") in modules else source for alias in node.names)


# the layers: each package imports down its own line and to the right

STEP, ROW, PAD, LEFT, TOP = 40, 34, 7, 28, 84
BOX_H = 24
SIZES = ((12, 12.5, 2.8), (6, 11.0, 2.0), (3, 9.5, 1.4), (1, 8.5, 0.8))
"""From how many imports on: the radius of the disc that counts them, and the thickness of its edge."""


@dataclass(frozen=True, slots=True)
class _Box:
    name: str
    x: float
    y: float  # of its middle

    @property
    def width(self) -> float:
        return 8.0 * len(self.name) + 24.0

    @property
    def line_x(self) -> float:
        return self.x + 14.0


def layers_svg(rows: Sequence[tuple[str, ...]], to_come: set[str], count: Mapping[tuple[str, str], int]) -> str:
    """Get the picture of the layers: the highest row at the top, the ground at the bottom."""
    boxes: list[_Box] = []
    back: list[str] = []
    y = float(TOP)
    width = LEFT + STEP * (sum(name not in to_come for row in rows for name in row) - 1) + 190
    for number, row in reversed(list(enumerate(rows))):
        here = [name for name in row if name not in to_come]
        high = ROW * len(here) + PAD if here else 26
        kind = "ground" if number == 0 else "band"
        back.append(f'<rect class="{kind}" x="8" y="{y:g}" width="{width - 16}" height="{high - 3}" rx="5"/>')
        for i, name in enumerate(here):
            boxes.append(_Box(name, LEFT + STEP * len(boxes), y + (high - 3) / 2 + ROW * (i - (len(here) - 1) / 2)))
        if later := [name for name in row if name in to_come]:
            beside = boxes[-len(here)] if here else None
            x = beside.x + beside.width + 16 if beside else LEFT + STEP * len(boxes)
            middle = beside.y if beside else y + (high - 3) / 2
            back.append(_text(x, middle + 4, f"to come: {', '.join(later)}", "quiet"))
        if number == 0:
            back.append(_text(LEFT, y + high + 12, "the ground knows neither edge nor each other", "quiet"))
        y += high
    arrows = [part for box in boxes for part in _arrows_into(box, boxes, count)]
    lines = [_line_down(box, boxes, count) for box in boxes]
    return _svg(
        (width, y + 34),
        "The packages of halfpercent, in layers, with the imports between them",
        "Each row holds the packages of one layer of the code, the command at the top, the ground at the bottom. From "
        "each package a line goes down; where it meets the line of a package that it imports, a disc counts the "
        "imports, with a thicker edge for more. All go down, none between packages of one row. " + _in_words(count),
        [
            ".band{fill:BAND} .ground{fill:BAND;stroke:LINE;stroke-dasharray:5 4} .line{fill:none;stroke:LINE}",
            ".disc{fill:PAGE;stroke:INK} .n{font-size:10px;text-anchor:middle;fill:INK}",
        ],
        [
            _text(LEFT - 14, 30, "Who imports whom", "title"),
            _text(
                LEFT - 14, 50, "down its own line and to the right: the disc counts the imports; none goes up,", "quiet"
            ),
            _text(LEFT - 14, 67, "and none goes to a neighbour in the same row", "quiet"),
            *back,
            *lines,
            *arrows,
            *(_named_box(box) for box in boxes),
        ],
    )


def _in_words(count: Mapping[tuple[str, str], int]) -> str:
    importers = dict.fromkeys(here for here, _ in sorted(count))
    each = "; ".join(
        f"{h} imports " + ", ".join(f"{t} {count[h, t]}" for a, t in sorted(count) if a == h) for h in importers
    )
    return each + "."


def _line_down(box: _Box, boxes: Sequence[_Box], count: Mapping[tuple[str, str], int]) -> str:
    lowest = max((other.y for other in boxes if (box.name, other.name) in count), default=box.y)
    return f'<path class="line" d="M{box.line_x:g} {box.y:g}V{lowest:g}"/>' if lowest > box.y else ""


def _arrows_into(box: _Box, boxes: Sequence[_Box], count: Mapping[tuple[str, str], int]) -> Iterator[str]:
    importers = [other for other in boxes if (other.name, box.name) in count]
    if not importers:
        return
    assert all(other.y < box.y for other in importers), f"{box.name} is imported from below"
    yield f'<path class="line" d="M{importers[0].line_x:g} {box.y:g}H{box.x - 7:g}"/>'
    yield f'<path class="head" d="M{box.x - 1:g} {box.y:g}l-8 -4v8z"/>'
    for other in importers:
        n = count[other.name, box.name]
        radius, thick = next((r, t) for least, r, t in SIZES if n >= least)
        yield (
            f'<g><title>{other.name} imports {box.name}: {n}</title><circle class="disc" cx="{other.line_x:g}" '
            f'cy="{box.y:g}" r="{radius:g}" stroke-width="{thick:g}"/>'
            + _text(other.line_x, box.y + 3.6, str(n), "n")
            + "</g>"
        )


def _named_box(box: _Box) -> str:
    return (
        f'<rect class="box" x="{box.x:g}" y="{box.y - BOX_H / 2:g}" width="{box.width:g}" height="{BOX_H}" rx="4"/>'
        + _text(box.x + box.width / 2, box.y + 4.2, box.name, "name mid")
    )


# the phases: two columns, read downwards

PHASE_W, PHASE_H, GAP, COLUMN = 292, 48, 54, 500


def phases_svg(transitions: Mapping[tuple[Phase, Phase], str]) -> str:
    """Get the picture of the phases. Raises ``ValueError`` where they are no single way: it needs a new one then."""
    way = _single_way(transitions)
    half = (len(way) + 1) // 2
    places = {p: (LEFT + COLUMN * (i // half), 104 + (PHASE_H + GAP) * (i % half)) for i, p in enumerate(way)}
    asked_in = {phase: str(word) for phase, word in COMMANDS.items()}
    bottom = 104 + (PHASE_H + GAP) * half - GAP + 30
    width = LEFT + COLUMN + PHASE_W + LEFT
    all_of_them = (
        "From every phase a run may also be done: judged, aborted by the operator, or INVALID with the reason."
    )
    told = [f"{left} to {entered}: {why}" for (left, entered), why in (transitions | DETOURS).items()]
    ways = [_detour(phase) for phase in (*CHECKED_FIRST, *CARRIED)]
    operators = ", ".join(f"{phase} (command {word})" for phase, word in asked_in.items())
    return _svg(
        (width, bottom + 52 + 20 + 22 * len(ways)),
        "The phases of a run, and what leads from one to the next",
        f"{'; '.join(told)}. {all_of_them} The operator's phases, with a double frame, are {operators}; "
        "the others go on by themselves.",
        [".frame{fill:none;stroke:INK;stroke-width:1} .line{fill:none;stroke:LINE;stroke-width:1.4}"],
        [
            _text(LEFT, 32, "From the empty holder to the verdict", "title"),
            f'<rect class="box" x="{LEFT}" y="47" width="34" height="22" rx="5"/>'
            f'<rect class="frame" x="{LEFT + 3}" y="50" width="28" height="16" rx="3"/>',
            _text(LEFT + 44, 62, "the operator's: goes on at a command", "quiet"),
            f'<rect class="box" x="{LEFT + COLUMN}" y="47" width="34" height="22" rx="5"/>',
            _text(LEFT + COLUMN + 44, 62, "goes on by itself, from signals", "quiet"),
            *(part for pair, why in transitions.items() for part in _step(places[pair[0]], places[pair[1]], why)),
            *(_phase(phase, places[phase], asked_in.get(phase)) for phase in way),
            f'<rect class="band" x="{LEFT}" y="{bottom}" width="{width - 2 * LEFT}" height="52" rx="26"/>',
            _text(width / 2, bottom + 22, str(Phase.DONE), "name mid"),
            _text(width / 2, bottom + 40, all_of_them, "quiet mid"),
            *(_text(LEFT, bottom + 76 + 22 * i, line, "why") for i, line in enumerate(ways)),
        ],
    )


def _single_way(transitions: Mapping[tuple[Phase, Phase], str]) -> list[Phase]:
    after = dict(transitions.keys())
    way = [next(left for left in after if left not in after.values())]
    while way[-1] in after:
        way.append(after[way[-1]])
    if len(way) != len(transitions) + 1 or {*way, *CHECKED_FIRST, *CARRIED, Phase.DONE} != set(Phase):
        raise ValueError("the phases are not one after the other any more: draw them in another way")
    return way


def _detour(phase: Phase) -> str:
    """Get the line that says what a phase beside the way is, where from, and where to."""
    out = " or ".join(str(left) for left, entered in DETOURS if entered is phase)
    on = " or ".join(str(entered) for left, entered in DETOURS if left is phase)
    if phase in CARRIED:
        return f"Beside the way, {phase}: at the laboratory's balance, from {out}; then {on}."
    command = f" (command: {COMMANDS[phase]})" if phase in COMMANDS else ""
    return f"Beside the way, {phase}: where a check weight before M1 was announced{command}, from {out}; then {on}."


def _phase(phase: Phase, place: tuple[float, float], command: str | None) -> str:
    x, y = place
    parts = [f'<rect class="box" x="{x:g}" y="{y:g}" width="{PHASE_W}" height="{PHASE_H}" rx="6"/>']
    if command is not None:
        parts.append(
            f'<rect class="frame" x="{x + 3.5:g}" y="{y + 3.5:g}" width="{PHASE_W - 7}" height="{PHASE_H - 7}" rx="4"/>'
        )
        parts.append(_text(x + PHASE_W - 16, y + 21, f"command: {command}", "quiet end"))
    parts.append(_text(x + 16, y + 21, str(phase), "name"))
    parts.append(_text(x + 16, y + 37, ASKED.get(phase, "goes on by itself"), "quiet"))
    return "".join(parts)


def _step(left: tuple[float, float], entered: tuple[float, float], why: str) -> Iterator[str]:
    (x, y), (to_x, to_y) = left, entered
    if x == to_x:
        down = x + 30
        yield f'<path class="line" d="M{down:g} {y + PHASE_H:g}V{to_y - 7:g}"/>'
        yield f'<path class="head" d="M{down:g} {to_y - 1:g}l-4 -8h8z"/>'
        middle, lines, at = y + PHASE_H + GAP / 2, textwrap.wrap(why, 42), down + 16
    else:
        bend = (x + PHASE_W + to_x) / 2
        y, to_y = y + PHASE_H / 2, to_y + PHASE_H / 2
        yield f'<path class="line" d="M{x + PHASE_W:g} {y:g}H{bend:g}V{to_y:g}H{to_x - 7:g}"/>'
        yield f'<path class="head" d="M{to_x - 1:g} {to_y:g}l-8 -4v8z"/>'
        middle, lines, at = (y + to_y) / 2, textwrap.wrap(why, 12), bend + 10
    for i, line in enumerate(lines):
        yield _text(at, middle + 4 + 15 * (i - (len(lines) - 1) / 2), line, "why")


# what both are made of


def _svg(size: tuple[float, float], title: str, desc: str, style: Sequence[str], body: Sequence[str]) -> str:
    """Get an SVG document that follows the reader's light or dark scheme; it is readable without any colour."""
    rules = " ".join(
        [
            ".page{fill:PAGE} text{fill:INK} .title{font-size:16px;font-weight:bold} .name{font-weight:bold}",
            ".quiet{fill:QUIET;font-size:11px} .why{font-size:11.5px} .mid{text-anchor:middle} .end{text-anchor:end}",
            ".box{fill:BOX;stroke:INK;stroke-width:1.2} .head{fill:LINE} .band{fill:BAND}",
            *style,
        ]
    )
    width, height = size
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" '
            f'height="{height:g}" role="img" aria-labelledby="title desc" {FONT}>',
            f'<title id="title">{escape(title)}</title>',
            f'<desc id="desc">{escape(desc)}</desc>',
            f"<style>{_coloured(rules, LIGHT)}",
            f"@media (prefers-color-scheme: dark) {{ {_coloured(rules, DARK)} }}</style>",
            '<rect class="page" width="100%" height="100%"/>',
            *filter(None, body),
            "</svg>",
            "",
        ]
    )


def _coloured(rules: str, colours: Mapping[str, str]) -> str:
    for name, colour in colours.items():
        rules = rules.replace(name.upper(), colour)
    return rules


def _text(x: float, y: float, text: str, kind: str) -> str:
    return f'<text x="{x:g}" y="{y:g}" class="{kind}">{escape(text)}</text>'


def main() -> None:
    """Write every file, and say which."""
    for path, text in drawn().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
