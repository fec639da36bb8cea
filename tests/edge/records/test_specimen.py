"""A specimen's record: read, written once, held against clock and earlier runs; what cannot be is one line."""

from __future__ import annotations

import datetime
import json
from pathlib import Path

import msgspec
import pytest

from edge.errors import BadInput, BadSpecimen
from edge.records.sample import Sample
from edge.records.specimen import Specimen, masses_agree, recognised, with_specimen
from edge.records.specimen_file import load_specimen, loads_specimen, to_toml, write_new

ZONE = datetime.timezone(datetime.timedelta(hours=8))
NOW = datetime.datetime(2026, 11, 26, 12, 0, tzinfo=ZONE)
WHOLE = """
maker = "Example Cells"
model = "SSB-200"
serial = "0042"
claim = "semi-solid"
claimed_class = "solid-state"
chemistry = "Li | sulfide | NMC811"
composition = "sulfide"
dimensions_mm = [60.0, 40.0, 5.5]
m0_g = 201.35
u_m0_g = 0.004
open_circuit_v = 3.21
state_of_charge_pct = 0.0
activation = "3 cycles at C/10, \\"formation\\" of the maker's"

[[hand_overs]]
at = 2026-11-25T09:00:00+08:00
given_by = "Example Cells"
taken_by = "Bo"
condition = "dry, clean"

[[hand_overs]]
at = 2026-11-26T08:30:00+08:00
given_by = "Bo"
taken_by = "Ada"

[[seals]]
number = "S-1"
found = "intact"
where = "box"

[[photographs]]
sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
shows = "the cell as it came"

[opening]
opened_at = 2026-11-26T11:30:00+08:00
by = "Ada"
how = "scalpel"
where = "long edge"
area_mm2 = 400.0
surroundings = { kind = "glove_box", temp_c = 25.0, dew_point_c = -70.0 }

[visual_check]
liquid_seen = false
by = "Ada"
at = 2026-11-26T11:31:00+08:00
turned_over = true
"""
SHORT = 'maker = "M"\nmodel = "X"\nserial = "7"\n'


def test_a_file_is_read_stored_and_written_again_without_a_difference(tmp_path: Path) -> None:
    specimen = loads_specimen(WHOLE)
    assert specimen.opening is not None
    assert specimen.opening.opened_at == datetime.datetime(2026, 11, 26, 3, 30, tzinfo=datetime.UTC)
    assert Specimen.from_settings(json.loads(json.dumps(specimen.as_settings()))) == specimen
    path = tmp_path / "s.toml"
    write_new(path, specimen)
    assert load_specimen(path) == specimen
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_is_never_written_over_an_old_one(tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    path.write_text("a person's", encoding="utf-8")
    with pytest.raises(BadSpecimen, match="is there already, and is left as it is"):
        write_new(path, loads_specimen(SHORT))
    assert path.read_text(encoding="utf-8") == "a person's"
    assert list(tmp_path.iterdir()) == [path]


def test_what_nobody_said_is_not_written() -> None:
    assert to_toml(loads_specimen(SHORT)) == "format = 1\n" + SHORT


def test_a_time_without_a_zone_is_one_of_this_machine() -> None:
    specimen = loads_specimen(SHORT + '[opening]\nopened_at = 2026-11-26 09:40:00\nby = "Ada"\n')
    assert specimen.opening is not None
    assert specimen.opening.opened_at == datetime.datetime(2026, 11, 26, 9, 40).astimezone()


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ("[visual_check]\nliquid_seen = false\n", "visual_check.by is missing: add one line of text"),
        ('[visual_check]\nliquid_seen = false\nby = " "\n', "visual_check.by = ' ': give one line of text"),
        ('[visual_check]\nliquid_seen = "no"\nby = "A"\n', "visual_check.liquid_seen = 'no': give true or false"),
        ('[opening]\nopened_at = "09:40"\nby = "A"\n', "opening.opened_at = '09:40'"),
        ('[opening]\nopened_at = 2026-11-26\nby = "A"\n', "give a date with its time: 2026-11-26T09:40:00"),
        ("m0_g = -1\n", "m0_g = -1: give a mass in g, above 0"),
        ("m0_g = nan\n", "m0_g = nan: give a mass in g"),
        ("m0 = 200\n", "m0 is unknown: did you mean m0_g?"),
        ("state_of_charge_pct = 130\n", "state_of_charge_pct = 130: give a state of charge in %, 0 to 100"),
        ('[[photographs]]\nsha256 = "12"\nshows = "x"\n', "photographs[0].sha256 = '12': give a SHA-256"),
        ('[[seals]]\nnumber = "1"\nfound = "open"\n', "seals[0].found = 'open': give"),
        ('claim = "a\\u202eb"\n', "claim: "),
    ],
)
def test_a_mistake_is_one_line_with_field_and_what_would_be_right(change: str, line: str) -> None:
    with pytest.raises(BadSpecimen) as caught:
        loads_specimen(SHORT + change, "s.toml")
    message = str(caught.value)
    assert message.startswith("s.toml: ")
    assert line in message
    assert len(message.splitlines()) == 1


def test_the_opening_of_the_record_is_that_of_the_sample() -> None:
    sample = with_specimen(Sample("S-1"), loads_specimen(WHOLE), NOW, mass_g=200.0)
    assert (sample.opened_ago_s, sample.claim, sample.composition) == (1800.0, "semi-solid", "sulfide")
    same = with_specimen(Sample("S-1", opened_ago_s=1790.0), loads_specimen(WHOLE), NOW)
    assert same.opened_ago_s == 1800.0
    recorded = with_specimen(Sample("S-1"), loads_specimen(WHOLE), NOW + datetime.timedelta(days=90), begins_now=False)
    assert recorded.opened_ago_s is None  # how long before a recording it was opened nobody knows


@pytest.mark.parametrize(
    ("sample", "hours", "mass_g", "line"),
    [
        (Sample("S"), -1.0, None, "opening.opened_at 2026-11-26 11:30 +0800: is still to come: correct it"),
        (Sample("S"), -24.0, None, "hand_overs[1].at 2026-11-26 08:30 +0800: is still to come"),
        (Sample("S"), 24.0 * 31, None, "is more than 30 days ago"),
        (Sample("S", opened_ago_s=60.0), 0.0, None, "opened_at: the specimen's record says 2026-11-26 11:30 +0800"),
        (Sample("S", claim="solid"), 0.0, None, "claim solid: the specimen's record says 'semi-solid'"),
        (Sample("S"), 0.0, 250.0, "m0_g 201.35: the sample weighs 250 g now, more than before it was opened"),
    ],
)
def test_what_contradicts_the_record_is_one_line(sample: Sample, hours: float, mass_g: float | None, line: str) -> None:
    with pytest.raises(BadInput) as caught:
        with_specimen(sample, loads_specimen(WHOLE), NOW + datetime.timedelta(hours=hours), mass_g=mass_g)
    assert line in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_a_visual_check_before_the_opening_is_refused() -> None:
    specimen = loads_specimen(WHOLE.replace("11:31:00", "11:29:00"))
    with pytest.raises(BadSpecimen, match=r"visual_check.at .*: is before the opening"):
        with_specimen(Sample("S"), specimen, NOW)


def other(specimen: Specimen, **changes: object) -> Specimen:
    return msgspec.structs.replace(specimen, **changes)


def test_the_same_specimen_is_recognised_by_its_serial_and_its_mass() -> None:
    now = loads_specimen(WHOLE)
    earlier = {
        4: ("S-0", other(now, serial="0043")),
        3: ("S-1", other(now, m0_g=201.355, serial=" 00 42", maker="example cells")),
        2: ("S-2", other(now, m0_g=None)),
    }
    assert [(s.run_id, s.sample_id, s.m0_g, s.agrees) for s in recognised(now, earlier)] == [
        (2, "S-2", None, True),
        (3, "S-1", 201.355, True),
    ]


@pytest.mark.parametrize("changes", [{"m0_g": 201.38}, {"model": "SSB-300"}, {"maker": "Other Cells"}])
def test_a_serial_that_was_seen_on_another_cell_is_refused_until_somebody_says_why(changes: dict[str, object]) -> None:
    now = loads_specimen(WHOLE)
    earlier = {3: ("S-1", other(now, **changes))}
    with pytest.raises(BadSpecimen) as caught:
        recognised(now, earlier)
    assert str(caught.value).startswith("serial 0042: run 3 had it on ")
    assert str(caught.value).endswith("or say why in differs_because")
    said = other(now, differs_because="the maker uses a serial twice")
    assert [s.agrees for s in recognised(said, earlier)] == [False]


def test_masses_agree_within_twice_their_combined_uncertainty() -> None:
    # u = 0.003 g and 0.004 g make 0.005 g: 0.010 g is just within twice that
    assert masses_agree(100.0, 0.003, 100.0099, 0.004)
    assert not masses_agree(100.0, 0.003, 100.0101, 0.004)
