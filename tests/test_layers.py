"""The rooms' doors: who may import whom, read from the code's own imports.

Imports go down the table or stay inside a package, no files import each other in a circle (imports inside functions
included), third-party packages stay behind their fences, and what measures reaches no judge, page or command through
any chain of imports. The table is the plan; a new package has to find its row here first.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
GROUND = ("hw", "calibration")
LAYERS = (
    ("errors",),
    ("records",),
    ("standards", "control"),
    ("instrument", "database", "fold"),
    ("procedure",),
    ("uncertainty",),
    ("run", "verdict"),
    ("seal", "trends"),
    ("report", "doctor"),
    ("station", "replay", "guided_calibration", "evidence"),
    ("simulate", "watch", "web", "publish", "escalate"),
    ("qualify",),
    ("cli",),
)
"""From the ground up; packages in one row are neighbours and do not know each other."""
TO_COME = set()
FENCES: dict[str, set[str]] = {
    "click": {"cli"},
    "rich": {"report", "watch"},
    "sqlite3": {"database"},
    "sqlite_utils": {"database"},
    "numba": set(),  # hw/compiled.py has it
    "hw.sim": {"simulate"},
    "smbus2": {"instrument"},
    "gpiozero": set(),
    "fcntl": {"database", "instrument"},
    "cryptography": {"seal"},
    "starlette": {"web"},
    "uvicorn": {"web"},
    "jinja2": {"web"},
    "markupsafe": {"web"},
    "weasyprint": {"report"},
    "serial": {"instrument"},
    "paho": {"publish"},
    "smtplib": {"escalate"},
    "http.client": {"escalate"},
    "prometheus_client": {"report"},
}
"""Only these packages of ``edge`` may import it."""
MEASURES = ("station/station.py", "run", "instrument", "fold", "procedure")
SHOWS = ("verdict", "report", "cli", "web", "watch", "publish", "escalate", "evidence")
"""What must not be reached from what measures."""
COMPOSITION_ROOT = "station/service.py"
"""The one file of ``station`` that may know the judge: it puts the parts together."""


@cache
def files() -> tuple[Path, ...]:
    return tuple(sorted(p for room in (*GROUND, "edge") for p in (ROOT / room).rglob("*.py")))


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def modules() -> dict[str, Path]:
    return {module_name(p): p for p in files()}


@cache
def imports(path: Path) -> frozenset[str]:
    """Every module that a file imports, inside functions too; ours down to the module, others as they are named."""
    return frozenset(_imports(path))


def _imports(path: Path) -> Iterator[str]:
    package = path.relative_to(ROOT).with_suffix("").parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level]) if node.level else ""
            source = ".".join(filter(None, (base, node.module or "")))
            for alias in node.names:
                deeper = f"{source}.{alias.name}"
                yield deeper if deeper in modules() else source


def room(path: Path) -> str:
    """The package of ``edge`` that a file is in; '' at its top."""
    parts = path.relative_to(ROOT).parts
    return parts[1] if len(parts) > 2 else Path(parts[1]).stem if parts[1] == "errors.py" else ""


def edge_files() -> list[Path]:
    return [p for p in files() if p.relative_to(ROOT).parts[0] == "edge"]


def test_every_package_has_one_row_and_every_row_exists() -> None:
    rows = [name for row in LAYERS for name in row]
    assert len(rows) == len(set(rows))
    there = {p.name for p in (ROOT / "edge").iterdir() if p.is_dir() and p.name != "__pycache__"} | {"errors"}
    assert there | TO_COME == set(rows)
    assert not there & TO_COME, "it has come: take it out of TO_COME"


def test_at_the_top_there_is_only_the_door() -> None:
    top = {p.name for p in (ROOT / "edge").iterdir() if p.is_file()}
    assert top == {"__init__.py", "__main__.py", "errors.py", "py.typed"}


def test_imports_go_down_or_stay_inside() -> None:
    level = {name: i for i, row in enumerate(LAYERS) for name in row}
    wrong = []
    for path in edge_files():
        here = room(path)
        if not here:  # __init__ and __main__
            continue
        for name in imports(path):
            parts = name.split(".")
            if parts[0] != "edge" or len(parts) < 2 or parts[1] == here:
                continue
            if level[parts[1]] >= level[here]:
                wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    assert not wrong, "\n".join(sorted(wrong))


@pytest.mark.parametrize("ground", GROUND)
def test_the_ground_knows_nothing_above_or_beside_it(ground: str) -> None:
    others = {"edge", *GROUND} - {ground}
    for path in (p for p in files() if p.relative_to(ROOT).parts[0] == ground):
        for name in imports(path):
            assert name.split(".")[0] not in others, f"{path.relative_to(ROOT)} imports {name}"


def test_no_files_import_each_other_in_a_circle() -> None:
    done: set[str] = set()

    def walk(name: str, way: tuple[str, ...]) -> None:
        assert name not in way, "a circle: " + " -> ".join((*way[way.index(name) :], name))
        if name in done:
            return
        for other in sorted(imports(modules()[name])):
            if other in modules() and other != name:
                walk(other, (*way, name))
        done.add(name)

    for name in modules():
        walk(name, ())


def test_third_party_packages_stay_behind_their_fences() -> None:
    wrong = []
    for path in edge_files():
        for name in imports(path):
            for fenced, allowed in FENCES.items():
                if (name == fenced or name.startswith(f"{fenced}.")) and room(path) not in allowed:
                    wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    assert not wrong, "\n".join(sorted(wrong))


def test_what_measures_reaches_no_judge_page_or_command() -> None:
    started = [p for p in edge_files() if p.relative_to(ROOT / "edge").as_posix().startswith(MEASURES)]
    assert {room(p) for p in started} == {"station", "run", "instrument", "fold", "procedure"}
    came_from: dict[Path, Path | None] = dict.fromkeys(started)
    waiting = list(started)
    while waiting:
        path = waiting.pop()
        for name in imports(path):
            other = modules().get(name)
            if other is None or other in came_from:
                continue
            came_from[other] = path
            assert room(other) not in SHOWS, f"{path.relative_to(ROOT)} imports {name}"
            waiting.append(other)


def test_only_the_composition_root_of_the_station_knows_the_judge() -> None:
    knowing = {
        p.relative_to(ROOT / "edge").as_posix()
        for p in edge_files()
        if room(p) == "station" and any(name.startswith("edge.verdict") for name in imports(p))
    }
    assert knowing == {COMPOSITION_ROOT}


def test_the_fold_imports_numpy_and_what_compiles_it_alone() -> None:
    allowed = {"__future__", "typing", "numpy", "hw.compiled", "edge.fold.layout"}
    for name in ("layout", "kernel"):
        found = imports(ROOT / "edge" / "fold" / f"{name}.py")
        assert {m if m.startswith(("edge", "hw")) else m.split(".")[0] for m in found} <= allowed


@pytest.mark.parametrize("path", files(), ids=lambda p: str(p.relative_to(ROOT)))
def test_every_module_says_what_it_is_for(path: Path) -> None:
    if path.stat().st_size:
        assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("path", files(), ids=lambda p: str(p.relative_to(ROOT)))
def test_no_module_is_longer_than_one_sitting(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


def test_the_simulated_chips_are_not_known_to_the_drivers() -> None:
    for path in (ROOT / "hw").glob("*.py"):
        assert not any(name.startswith("hw.sim") for name in imports(path)), path


@pytest.mark.parametrize("command", [["--help"], ["runs", "--db", "none.db"], ["demo", "--help"], ["--version"]])
def test_a_command_that_computes_nothing_loads_no_compiler(command: list[str], tmp_path: Path) -> None:
    code = (
        "import sys\n"
        f"sys.argv = ['halfpercent', *{command!r}]\n"
        "from edge.cli.main import main\n"
        "try:\n    main()\n"
        "except SystemExit:\n    pass\n"
        "loaded = {m.split('.')[0] for m in sys.modules} & {'numba', 'llvmlite', 'scipy', 'matplotlib'}\n"
        "assert not loaded, loaded\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
