"""Standards: the shipped ones name their sources, one's own loads, and what is wrong is named."""

import hashlib
import re

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from repository import ROOT

from edge.errors import BadInput, HalfpercentError
from edge.standards.standard import (
    DEFAULT,
    FOLDER,
    THIS_FILE,
    Field,
    Standard,
    available_standards,
    load_standard,
    loads_standard,
)

DOCS = ROOT / "docs" / "standards.md"
SHORT, FULL, CARRIERS = re.findall(r"```toml\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
SHIPPED = ["gbt-48093-1-2026", "tcsae-434-2025"]
NATIONAL = (FOLDER / "gbt-48093-1-2026.toml").read_text(encoding="utf-8")


def refusal(text: str) -> str:
    with pytest.raises(BadInput) as caught:
        loads_standard(text, "mine.toml")
    message = str(caught.value)
    assert message.startswith("mine.toml: ")
    assert len(message.splitlines()) == 1
    return message


def changed(line: str, text: str = SHORT) -> str:
    """Get ``text`` with the line of the same field replaced, or ``line`` put first."""
    name = line.split("=")[0].strip()
    new, count = re.subn(rf"^{name} = .*$", lambda _: line, text, count=1, flags=re.MULTILINE)
    return new if count else f"{line}\n{text}"


def test_both_standards_ship():
    assert list(available_standards()) == SHIPPED


def test_the_national_standard():
    std = load_standard("gbt-48093-1-2026")
    assert (std.limit_pct.value, std.comparator.value) == (0.5, "<=")
    assert (std.temp_c.value, std.hold_s.value, std.vacuum.value) == (120.0, 21600.0, "required")
    assert std.weigh.value == "cold"
    assert std.classes.value == ("liquid", "hybrid solid-liquid", "solid-state")
    notes = " ".join(note.value for note in std.notes)
    for reading in ("2026-08-28", "2028-01-01", "2026-07-01", "GB/T 43568-2026"):
        assert reading in notes + std.title.value
    assert "no liquid" in std.blind_spot.value


def test_the_group_standard():
    std = load_standard("tcsae-434-2025")
    assert (std.limit_pct.value, std.temp_c.value, std.hold_s.value) == (1.0, 120.0, 21600.0)
    assert std.balance_max_uncertainty_g is not None
    assert std.balance_max_uncertainty_g.value == 0.01
    assert "contested" in std.comparator.source


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_value_has_its_source_and_none_claims_to_be_verified(name):
    std = load_standard(name)
    assert std.id == name
    fields = dict(std.fields())
    for field in [*fields.values(), *std.notes]:
        assert field.source not in ("", DEFAULT, THIS_FILE)
        assert not field.verified
    assert all(alias.source for alias in std.aliases)
    # What no source gives must be marked, since the report prints it so.
    not_found = ["temp_band_c", "hold_starts", "excursion", "max_gap_s", "pressure_limit_pa", "replicates"]
    assert all(fields[name].assumed for name in [*not_found, "cold_temp_tolerance_c"])
    given_by_source = ["limit_pct", "comparator", "temp_c", "hold_s", "vacuum"]
    assert not any(fields[name].assumed for name in given_by_source)


@pytest.mark.parametrize("name", SHIPPED)
def test_the_text_is_the_file_and_reads_back_the_same(name):
    std = load_standard(name)
    data = (FOLDER / f"{name}.toml").read_bytes()
    assert std.text.encode() == data
    assert std.sha256 == hashlib.sha256(data).hexdigest()
    assert loads_standard(std.text) == std


@pytest.mark.parametrize(
    ("claimed", "answer"),
    [
        ("solid-state", '"solid-state" is a class'),
        ("Solid State battery", '"solid-state" is a class'),
        ("semi-solid", "not a class"),
        ("Semi-Solid-State", "not a class"),
        ("quasi-solid", "not a class"),
        ("near solid", "not a class"),
        ("半固态电池", "not a class"),
        ("all-solid-state", "another name for solid-state"),
        ("super\nsolid", '"super solid" is not a class of GB/T 48093.1-2026; its classes are: liquid, '),
        ("", '"" is not a class'),
    ],
)
def test_a_claimed_name_is_never_passed_off_as_a_class(claimed, answer):
    said = load_standard("gbt-48093-1-2026").answer_to_name(claimed)
    assert answer in said
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize("name", ["gbt-48093-1-2026", "tcsae-434-2025"])
@pytest.mark.parametrize(
    ("declared", "answer"),
    [
        ("oxide", "if it also meets the criterion"),
        ("Sulfide electrolyte, liquid 0 %", "if it also meets the criterion"),
        ("oxide, liquid 3 %", "hybrid solid-liquid whatever its mass loss"),
        ("polymer 60%, ionic liquid 0.5 %", "hybrid solid-liquid whatever its mass loss"),
        ("solvent", "a liquid alone"),
    ],
)
def test_a_declared_composition_is_answered_from_the_file_and_never_with_a_verdict(name, declared, answer):
    said = load_standard(name).answer_to_composition(declared)
    assert said.startswith("By declaration, not by this test: ")
    assert answer in said
    assert not any(word in said for word in ("PASS", "FAIL"))


@pytest.mark.parametrize("declared", ["gel", "oxide, gel 3 %", "", ",", "5 %", "oxide; liquid", "oxide 3 % liquid"])
def test_a_composition_that_the_file_does_not_know_is_said_to_be_unknown(declared):
    said = load_standard("gbt-48093-1-2026").answer_to_composition(declared)
    assert "is no carrier of ions that GB/T 48093.1-2026 knows" in said
    assert len(said.splitlines()) == 1


def test_nothing_declared_to_be_there_has_no_answer():
    assert "has no answer" in load_standard("gbt-48093-1-2026").answer_to_composition("liquid 0 %")
    assert "its file lists none" in loads_standard(SHORT).answer_to_composition("oxide")


def test_ones_own_in_six_lines(tmp_path):
    path = tmp_path / "wood.toml"
    path.write_text(SHORT, encoding="utf-8")
    std = load_standard(path)
    assert std == load_standard(str(path))
    assert (std.temp_c.value, std.hold_s.value, std.weigh.value) == (320.0, 20880.0, "hot")
    assert std.limit_pct == Field(value=5.0, source=THIS_FILE)
    assert std.temp_band_c == Field(value=2.0, source=DEFAULT, assumed=True)
    assert std.vacuum.value == "none"
    assert std.answer_to_name("stone") == '"stone" is not a class of wood-320c; its file lists no classes.'


def test_ones_own_carriers():
    std = loads_standard(SHORT + CARRIERS)
    assert std.answer_to_composition("oxide, solvent").endswith("it is hybrid, whatever its mass loss.")
    assert "has no answer" in std.answer_to_composition("oxide")


def test_ones_own_in_full():
    std = loads_standard(FULL)
    assert (std.temp_c.value, std.hold_s.value, std.weigh.value) == (320.0, 20880.0, "hot")
    assert std.limit_pct.verified
    assert std.excursion.value == "restart"
    assert "not a class" in std.answer_to_name("heat-proof")
    assert std.notes[0].source == "procedure 17, 4.3"


def test_only_what_bears_on_the_test_is_listed():
    names = [name for name, _ in loads_standard(FULL).fields()]
    assert "pressure_limit_pa" not in names
    assert names.index("limit_pct") < names.index("temp_c") < names.index("weigh")
    assert "pressure_limit_pa" in dict(load_standard("gbt-48093-1-2026").fields())
    assert "guard_factor" not in dict(loads_standard(changed('decision_rule = "simple"')).fields())


def test_the_documentation_gives_every_field_and_its_default():
    rows = DOCS.read_text(encoding="utf-8").partition("## Every field")[2]
    for field in msgspec.structs.fields(Standard):
        if field.name == "text":
            continue
        row = next(line for line in rows.splitlines() if f"`{field.name}`" in line.split(" | ")[0])
        default = row.rstrip(" |").rpartition("| ")[2].strip("`\"'")
        if field.required:
            assert default == "required"
        elif isinstance(field.default, Field) and field.name not in ("classes", "blind_spot"):
            assert default == str(field.default.value)


@pytest.mark.parametrize(
    ("line", "wrong", "right"),
    [
        ("hold_s = -1", "hold_s.value = -1", "a time in s, above 0"),
        ("hold_s = 0", "hold_s.value = 0", "above 0"),
        ('hold_s = "6 h"', "hold_s.value = '6 h'", "a time in s"),
        ("hold_s = nan", "hold_s.value = nan", "above 0"),
        ("hold_s = inf", "hold_s.value = inf", "at most 2592000"),
        ("limit_pct = 0", "limit_pct.value = 0", "above 0"),
        ("limit_pct = -0.5", "limit_pct.value = -0.5", "above 0"),
        ("limit_pct = 101", "limit_pct.value = 101", "at most 100"),
        ("limit_pct = nan", "limit_pct.value = nan", "a mass loss in %"),
        ("limit_pct = true", "limit_pct.value = true", "a mass loss in %"),
        ("limit_pct = [0.5]", "limit_pct.value = [0.5]", "a mass loss in %"),
        ("limit_pct = 2026-01-01", "limit_pct.value = ", "a mass loss in %"),
        ("limit_pct = { value = 0.5 }", "limit_pct.source is missing", "one line of text"),
        ('limit_pct = { source = "clause 4" }', "limit_pct.value is missing", "a mass loss in %"),
        ('limit_pct = { value = 0.5, source = "" }', "limit_pct.source = ''", "one line of text"),
        ('limit_pct = { value = 0.5, source = "x", unit = "%" }', "limit_pct.unit is unknown", "verified"),
        (
            'limit_pct = { value = 0.5, source = "x", verified = 1 }',
            "limit_pct.verified = 1",
            "true or false",
        ),
        (
            'limit_pct = { value = 1, source = "x", verified = true, assumed = true }',
            "limit_pct: ",
            "set one",
        ),
        ("temp_c = 1000", "temp_c.value = 1000", "-50 to 850"),
        ("temp_band_c = 0", "temp_band_c.value = 0", "above 0"),
        ("temp_band_c = -2", "temp_band_c.value = -2", "above 0"),
        ('comparator = ">="', "comparator.value = '>='", '"<" or "<="'),
        ('vacuum = "yes"', "vacuum.value = 'yes'", '"none" or "required"'),
        ('weigh = "warm"', "weigh.value = 'warm'", '"cold" or "hot"'),
        ('excursion = "ignore"', "excursion.value = 'ignore'", '"pause" or "restart"'),
        ('reference = "end"', "reference.value = 'end'", '"m1"'),
        ("pressure_limit_pa = 0", "pressure_limit_pa.value = 0", "a pressure in Pa"),
        ("max_gap_s = 1e9", "max_gap_s.value = 1000000000.0", "at most 86400"),
        ("replicates = 1.5", "replicates.value = 1.5", "whole number"),
        ("replicates = 0", "replicates.value = 0", "whole number"),
        ("guard_factor = -1", "guard_factor.value = -1", "0 to 3"),
        ("coverage_probability = 95.45", "coverage_probability.value = 95.45", "0.5 to 0.9999"),
        ("coverage_probability = 1", "coverage_probability.value = 1", "0.5 to 0.9999"),
        ('classes = "solid"', "classes.value = 'solid'", "a list in [ ]"),
        ('classes = ["solid", 1]', "classes.value[1] = 1", "one line of text"),
        ('title = "a\\nb"', "title.value = ", "one line of text"),
        ('id = "My Test"', "id = 'My Test'", "a short name of a-z"),
        ('id = { value = "x", source = "y" }', "id = a table", "a short name of a-z"),
        ("format = 2", "format = 2", "give 1"),
        ("limit = 0.5", "limit is unknown", "did you mean limit_pct?"),
        ('text = "x"', "text is unknown", ""),
        ('aliases = [ { name = "x", answer = "y" } ]', "aliases[0].source is missing", "one line of text"),
        ("aliases = 1", "aliases = 1", "a list"),
        ('notes = [ "fine", 1 ]', "notes[1].value = 1", "one line of text"),
        ("notes = 1", "notes = 1", "a list"),
    ],
)
def test_a_mistake_is_named_with_what_would_be_right(line, wrong, right):
    message = refusal(changed(line))
    assert wrong in message
    assert right in message


@pytest.mark.parametrize("name", ["id", "title", "limit_pct", "temp_c", "hold_s"])
def test_what_is_required_is_asked_for(name):
    assert f"{name} is missing: add" in refusal(re.sub(rf"^{name} = .*$", "", SHORT, flags=re.MULTILINE))


def test_what_is_no_standard_is_refused(tmp_path):
    (tmp_path / "not.toml").write_text("hold_s: 21600\n", encoding="utf-8")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    (tmp_path / "folder.toml").mkdir()
    for name, why in {
        "gbt-48093": "gbt-48093-1-2026, tcsae-434-2025 or a .toml file",
        "": "is unknown",
        "a\nb": "is unknown",
        "a\0b": "is unknown",
        str(tmp_path): "is a folder",
        str(tmp_path / "none.toml"): "no such file",
        str(tmp_path / "not.toml"): "not TOML",
        str(tmp_path / "bytes.toml"): "not UTF-8",
        str(tmp_path / "folder.toml"): "is a folder",
    }.items():
        with pytest.raises(BadInput, match=why) as caught:
            load_standard(name)
        assert len(str(caught.value).splitlines()) == 1
        assert isinstance(caught.value, HalfpercentError)
        assert isinstance(caught.value, ValueError)


def test_a_windows_editors_file_loads_and_keeps_its_bytes(tmp_path):
    data = b"\xef\xbb\xbf" + SHORT.replace("\n", "\r\n").encode()
    path = tmp_path / "wood.toml"
    path.write_bytes(data)
    std = load_standard(path)
    assert std.sha256 == hashlib.sha256(data).hexdigest()
    assert loads_standard(std.text) == std


def test_a_hostile_depth_is_refused():
    deep = "[" * 5000 + "]" * 5000
    assert "mine.toml: " in refusal(changed(f"classes = {deep}"))
    assert "mine.toml: " in refusal("a" + ".a" * 5000 + " = 1")
    assert "mine.toml: " in refusal(changed("limit_pct = " + "9" * 5000))
    assert "mine.toml: " in refusal(changed("limit_pct = " + "9" * 400))


LINES = st.sampled_from([*SHORT.splitlines(), *FULL.splitlines(), *NATIONAL.splitlines(), "[limit_pct]"])
VALUES = st.one_of(
    st.floats().map(str),
    st.integers().map(str),
    st.sampled_from(["true", "[]", "{}", "2026-01-01", "10:00:00", '"x"', "[[1]]", "{ value = 1 }", "1979"]),
)
NAMES = st.sampled_from([field.name for field in msgspec.structs.fields(Standard)])
PAIRS = st.builds("{} = {}".format, NAMES, VALUES)


@settings(deadline=None)  # nothing asserts how long the machine took
@given(st.text() | st.lists(LINES | PAIRS | st.text(max_size=20), max_size=40).map("\n".join))
def test_any_text_gives_a_standard_or_one_line(text):
    try:
        assert isinstance(loads_standard(text, "mine.toml"), Standard)
    except BadInput:
        refusal(text)


@settings(deadline=None)
@given(PAIRS)
def test_any_value_for_any_field_gives_a_standard_or_one_line_with_the_field(pair):
    try:
        assert isinstance(loads_standard(changed(pair), "mine.toml"), Standard)
    except BadInput:
        assert f"mine.toml: {pair.split(' = ')[0]}" in refusal(changed(pair))
