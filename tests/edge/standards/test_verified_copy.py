"""A copy of a standard's file says who compared which value with the official text, and nothing else is changed."""

from __future__ import annotations

import datetime
import hashlib
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from calibration.toml_text import toml_value
from edge.cli.main import cli
from edge.errors import BadStandard
from edge.standards.standard import Field, available_standards, load_standard, loads_standard
from edge.standards.verified_copy import to_toml, verify_field, write_copy

DAY = datetime.date(2026, 11, 26)


@pytest.mark.parametrize("name", available_standards())
def test_a_copy_has_every_value_of_its_original_and_one_of_them_verified(name: str) -> None:
    before = load_standard(name)
    after = verify_field(before, "hold_s", source='clause "5.3", table 1', who="Ada Berg", on=DAY)
    for field in before.__struct_fields__:
        if field not in ("text", "checked_from", "hold_s"):
            assert getattr(after, field) == getattr(before, field), field
    assert after.hold_s == Field(
        value=before.hold_s.value,
        source='clause "5.3", table 1',
        verified=True,
        verified_by="Ada Berg",
        verified_on=DAY,
    )
    assert after.checked_from == hashlib.sha256(before.text.encode()).hexdigest()
    assert after.sha256 != before.sha256


def test_a_value_that_was_assumed_is_verified_where_the_text_has_it() -> None:
    before = load_standard("gbt-48093-1-2026")
    assert before.temp_band_c.assumed
    after = verify_field(before, "temp_band_c", source="clause 5", who="Ada", on=DAY)
    assert (after.temp_band_c.assumed, after.temp_band_c.verified, after.temp_band_c.value) == (False, True, 2.0)


def test_what_a_file_leaves_to_a_default_is_not_in_its_copy() -> None:
    own = loads_standard('id = "t"\ntitle = "t"\nlimit_pct = 0.5\ntemp_c = 120.0\nhold_s = 21600\n')
    text = to_toml(own)
    assert [line.partition(" ")[0] for line in text.splitlines()[1:]] == [
        "format", "id", "title", "limit_pct", "temp_c", "hold_s",
    ]  # fmt: skip
    named = verify_field(own, "comparator", source="clause 4", who="Ada", on=DAY)
    assert named.comparator.verified


@pytest.mark.parametrize(
    ("field", "right"),
    [
        ("limit", "did you mean limit_pct?"),
        ("id", "it has title"),
        ("text", "it has title"),
        ("aliases", "did you mean classes?"),
    ],
)
def test_what_is_no_value_cannot_be_verified(field: str, right: str) -> None:
    with pytest.raises(BadStandard) as caught:
        verify_field(load_standard("gbt-48093-1-2026"), field, source="x", who="Ada", on=DAY)
    assert f"{field} is no field of it that can be verified: " in str(caught.value)
    assert right in str(caught.value)


def test_who_and_when_belong_to_what_was_verified() -> None:
    body = (
        'id = "t"\ntitle = "t"\ntemp_c = 1\nhold_s = 1\nlimit_pct = { value = 1, source = "x", verified_by = "Ada" }\n'
    )
    with pytest.raises(BadStandard, match="verified_by and verified_on belong to verified = true"):
        loads_standard(body)


def test_a_file_that_a_person_wrote_is_never_written_over(tmp_path: Path) -> None:
    copy = verify_field(load_standard("gbt-48093-1-2026"), "hold_s", source="5.3", who="Ada", on=DAY)
    other = verify_field(load_standard("tcsae-434-2025"), "hold_s", source="5.3", who="Ada", on=DAY)
    path = tmp_path / "s.toml"
    for text in ("", "mine", load_standard("gbt-48093-1-2026").text, other.text):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(BadStandard, match="is there already, and not the copy that was verified: name a new file"):
            write_copy(path, copy)
        assert path.read_text(encoding="utf-8") == text
        assert list(tmp_path.iterdir()) == [path]


def invoke(*words: str) -> Result:
    return CliRunner().invoke(cli, ["standard", *words])


def test_value_after_value_is_verified_in_one_copy(tmp_path: Path) -> None:
    path = tmp_path / "checked.toml"
    first = ("verify", "gbt-48093-1-2026", "limit_pct", "--source", "clause 4.2", "--who", "Ada", "--out", str(path))
    assert invoke(*first).exit_code == 0
    made_first = load_standard(path).sha256
    assert invoke("verify", str(path), "temp_c", "--source", "clause 5.1", "--who", "Bo").exit_code == 0
    copy = load_standard(path)
    assert copy.checked_from == made_first
    shown = invoke("show", str(path)).output
    today = datetime.datetime.now().astimezone().date()
    assert f"  limit_pct = 0.5\n      checked on {today} by Ada: clause 4.2\n" in shown
    assert f"      checked on {today} by Bo: clause 5.1\n" in shown
    assert shown.endswith(" values checked against the official text: 2.\n")
    assert invoke(*first).exit_code == 1  # the copy has gone on since
    assert load_standard(path) == copy


def test_of_a_shipped_file_none_is_checked_and_the_command_says_so() -> None:
    shown = invoke("show", "tcsae-434-2025").output
    assert shown.endswith("values checked against the official text: none.\n")
    assert "assumed, not from the standard: no source found" in shown
    values = json.loads(invoke("show", "tcsae-434-2025", "--json").output)["values"]
    assert not any(value.get("verified") for value in values.values())


def test_text_is_written_so_that_it_is_read_back() -> None:
    said = 'a "b" \\ ü 固态 \t'
    assert toml_value((1.5, True, said, DAY)) == '[1.5, true, "a \\"b\\" \\\\ ü 固态 \\t", 2026-11-26]'
