"""What is declared of a sample: read from words, stored, read back; what cannot be is one line."""

from __future__ import annotations

import datetime
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import BadInput, BadValue
from edge.records.sample import PLAUSIBLE_DENSITY_G_CM3, Air, Sample, parse_air, parse_density, parse_opened

PARTS = st.one_of(st.none(), st.text(min_size=1, max_size=20))
DENSITIES = st.floats(*PLAUSIBLE_DENSITY_G_CM3)
AIRS = st.builds(Air, st.floats(300.0, 1200.0), st.floats(-20.0, 60.0), st.floats(0.0, 100.0))


@given(
    sample=st.builds(
        Sample,
        st.text(min_size=1),
        claim=PARTS,
        composition=PARTS,
        density_g_cm3=st.one_of(st.none(), st.tuples(DENSITIES, DENSITIES)),
        air=st.lists(AIRS, max_size=2).map(tuple),
    )
)
def test_what_is_stored_with_a_run_is_read_back_the_same(sample: Sample) -> None:
    assert Sample.from_settings(json.loads(json.dumps(sample.as_settings()))) == sample


def test_an_older_run_said_less() -> None:
    assert Sample.from_settings({"sample_id": "S-1", "claim": None}) == Sample("S-1")


@pytest.mark.parametrize(
    ("text", "u", "bounds"),
    [
        ("2.5", None, (2.25, 2.75)),
        ("2.5", 0.1, (2.5 - math.sqrt(3.0) * 0.1, 2.5 + math.sqrt(3.0) * 0.1)),
        ("1.8..3.5", None, (1.8, 3.5)),
        ("2..2", None, (2.0, 2.0)),
    ],
)
def test_a_density_is_a_number_or_its_bounds(text: str, u: float | None, bounds: tuple[float, float]) -> None:
    assert parse_density(text, u) == pytest.approx(bounds)


def test_no_density_is_none() -> None:
    assert parse_density(None) is None


@pytest.mark.parametrize(
    ("text", "u", "says"),
    [
        ("0", None, "give g/cm³"),
        ("-2.5", None, "give g/cm³"),
        ("2500", None, "2500 kg/m³ is 2.5 g/cm³"),
        ("nan", None, "give g/cm³"),
        ("inf", None, "give g/cm³"),
        ("two", None, "not a number"),
        ("3..2", None, "wrong way round"),
        ("..2", None, "not a number"),
        ("1..0", None, "give g/cm³"),
        ("2.5", -0.1, "density_u"),
        ("2.5", 2.0, "density_u"),
        ("2.5", math.nan, "density_u"),
        ("1..3", 0.1, "bounds"),
        (None, 0.1, "give that too"),
    ],
)
def test_a_density_that_cannot_be_is_one_line(text: str | None, u: float | None, says: str) -> None:
    with pytest.raises(BadInput, match=says) as e:
        parse_density(text, u)
    assert "\n" not in str(e.value)


def test_the_air_is_read_at_m1_and_perhaps_again() -> None:
    assert parse_air(()) == ()
    assert parse_air(("1013.25,23.5,45", "1009, 24, 40")) == (Air(1013.25, 23.5, 45.0), Air(1009.0, 24.0, 40.0))


@pytest.mark.parametrize(
    ("texts", "says"),
    [
        (("1013,23",), "give pressure in hPa"),
        (("high,23,45",), "give pressure in hPa"),
        (("101325,23,45",), "no room's air"),
        (("1013,296,45",), "no room's air"),
        (("1013,23,145",), "humidity_pct"),
        (("1013,23,-1",), "humidity_pct"),
        (("nan,23,45",), "no room's air"),
        (("1013,23,nan",), "humidity_pct"),
        (("1013,23,45",) * 3, "3 times"),
    ],
)
def test_air_that_cannot_be_is_one_line(texts: tuple[str, ...], says: str) -> None:
    with pytest.raises(BadInput, match=says) as e:
        parse_air(texts)
    assert "\n" not in str(e.value)


NOON = datetime.datetime(2026, 11, 26, 12, 0, tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("11:30", 0.5),
        ("12:00", 0.0),
        ("12:01", 24.0 - 1.0 / 60.0),
        ("2026-11-25 12:00", 24.0),
        ("2026-11-26T11:00+00:00", 1.0),
    ],
)
def test_when_a_sample_was_opened_is_so_long_ago(text: str, hours: float) -> None:
    assert parse_opened(text, NOON) == pytest.approx(hours * 3600.0)


@pytest.mark.parametrize("text", ["2026-11-26 12:01", "2026-09-26 12:00", "25:00", "noon", "", "2026-13-01 10:00"])
def test_a_time_of_opening_that_cannot_be_is_refused_with_what_would_be_right(text: str) -> None:
    with pytest.raises(BadValue, match="09:40"):
        parse_opened(text, NOON)
