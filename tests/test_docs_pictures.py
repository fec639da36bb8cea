"""What docs/draw_pictures.py writes is what is committed; and the result's JSON Schema fits what was stored."""

from __future__ import annotations

import importlib.util
import json
import sys
from types import ModuleType
from typing import Any
from xml.etree import ElementTree

import pytest
from repository import ROOT, TESTS

from edge.procedure.transitions import COMMANDS, TRANSITIONS
from edge.records.phase import CARRIED, CHECKED_FIRST, Phase
from edge.records.result import RESULT_VERSION, as_json, from_json, json_schema

SVG = "{http://www.w3.org/2000/svg}"
STORED = TESTS / "data" / "before-the-house" / "nau7802.json"


def load_tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("draw_pictures", ROOT / "docs" / "draw_pictures.py")
    assert spec is not None
    assert spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = tool  # dataclasses look their module up
    spec.loader.exec_module(tool)
    return tool


TOOL = load_tool()
DRAWN: dict[str, str] = {path.relative_to(ROOT).as_posix(): text for path, text in TOOL.drawn().items()}


@pytest.mark.parametrize("path", DRAWN)
def test_what_is_committed_is_current(path: str) -> None:
    committed = (ROOT / path).read_text(encoding="utf-8")
    assert committed == DRAWN[path], "make docs-pictures, and look at what changed"


@pytest.mark.parametrize("path", [p for p in DRAWN if p.endswith(".svg")])
def test_a_picture_says_in_words_what_it_shows(path: str) -> None:
    picture = ElementTree.fromstring(DRAWN[path])
    title, desc = picture.find(f"{SVG}title"), picture.find(f"{SVG}desc")
    assert title is not None
    assert title.text
    assert desc is not None
    assert len(desc.text or "") > 200
    assert "prefers-color-scheme: dark" in DRAWN[path]


def test_every_phase_and_every_command_is_in_the_picture() -> None:
    shown = [text.text for text in ElementTree.fromstring(DRAWN["docs/phases.svg"]).iter(f"{SVG}text")]
    beside = (*CHECKED_FIRST, *CARRIED)
    assert {str(phase) for phase in Phase if phase not in beside} <= set(shown)
    assert {f"command: {word}" for word in COMMANDS.values()} <= set(shown)
    together = " ".join(filter(None, shown))
    assert [phase for phase in beside if f"Beside the way, {phase}: " not in together] == []
    assert [why for why in TRANSITIONS.values() if why not in together] == []


def test_every_import_between_packages_is_in_the_picture() -> None:
    count = TOOL.count_imports(ROOT)
    shown = [
        group.findtext(f"{SVG}title") for group in ElementTree.fromstring(DRAWN["docs/layers.svg"]).iter(f"{SVG}g")
    ]
    assert sorted(shown) == sorted(f"{here} imports {there}: {n}" for (here, there), n in count.items())


def test_phases_that_are_no_single_way_are_not_drawn_as_one() -> None:
    branched = dict(TRANSITIONS) | {(Phase.M1, Phase.COOL): "a short cut"}
    with pytest.raises(ValueError, match="one after the other"):
        TOOL.phases_svg(branched)


# the JSON Schema


def missing(value: Any, schema: dict[str, Any], defs: dict[str, Any], where: str = "result") -> list[str]:
    """Get which required keys a JSON value lacks, and which keys it has that the schema does not know."""
    if "$ref" in schema:
        return missing(value, defs[schema["$ref"].rsplit("/", 1)[1]], defs, where)
    if "anyOf" in schema:
        return min((missing(value, one, defs, where) for one in schema["anyOf"]), key=len)
    kind = {"object": dict, "array": list, "null": type(None), "string": str}.get(schema.get("type", ""))
    if kind is not None and not isinstance(value, kind):
        return [f"{where} is no {schema['type']}"]
    if isinstance(value, list):
        items = schema.get("items", {})
        return [lack for i, item in enumerate(value) for lack in missing(item, items or {}, defs, f"{where}[{i}]")]
    if isinstance(value, dict) and "properties" in schema:
        known = schema["properties"]
        lacks = [f"{where}.{key} is missing" for key in schema.get("required", ()) if key not in value]
        lacks += [f"{where}.{key} is not known" for key in value if key not in known]
        return lacks + [
            lack for key in value if key in known for lack in missing(value[key], known[key], defs, f"{where}.{key}")
        ]
    return []


def test_the_schema_in_the_docs_has_the_versions_number() -> None:
    schema = json.loads(DRAWN[f"docs/schema/result-{RESULT_VERSION}.json"])
    assert schema["version"] == RESULT_VERSION
    assert schema["$defs"]["Result"]["required"]


def test_a_result_as_it_was_stored_before_there_was_a_schema_fits_it() -> None:
    stored, schema = json.loads(STORED.read_text(encoding="utf-8")), json_schema()
    result = from_json(stored)
    assert str(result.verdict) == stored["verdict"]
    assert missing(stored, schema, schema["$defs"]) == []
    assert missing(json.loads(json.dumps(as_json(result))), schema, schema["$defs"]) == []


def test_a_result_without_one_of_its_keys_does_not_fit() -> None:
    stored, schema = json.loads(STORED.read_text(encoding="utf-8")), json_schema()
    del stored["standard"]["sha256"]
    stored["verdikt"] = stored.pop("verdict")
    assert missing(stored, schema, schema["$defs"]) == [
        "result.verdict is missing",
        "result.verdikt is not known",
        "result.standard.sha256 is missing",
    ]
