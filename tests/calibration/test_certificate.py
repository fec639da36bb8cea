"""Certificates: what the documentation shows loads, what is wrong is named, the hash means the content."""

import datetime as dt
import re
import tomllib

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from repository import ROOT

from calibration.calibration_record import Air, Lag, Point, Record, RtdCheck, Slope, SpanRecord, Weight
from calibration.certificate import (
    Certificate,
    certificate_hash,
    load_certificate,
    loads,
    out_of_range,
    sealed,
    to_toml,
)
from calibration.errors import BadCertificate, CalibrationError

DOCS = ROOT / "docs" / "calibration.md"
EXAMPLE, OVEN_LAG = re.findall(r"```toml\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
WITH_LAG = re.sub(r"\[temperature\].*?(?=\[stability\])", OVEN_LAG, EXAMPLE, flags=re.DOTALL)


def changed(line: str, text: str = EXAMPLE) -> str:
    """Get the example with the line of the same field replaced by ``line``."""
    name = line.split("=")[0].strip()
    new, count = re.subn(rf"^{name} = .*$", lambda _: line, text, count=1, flags=re.MULTILINE)
    assert count == 1
    return new


def refusal(text: str) -> str:
    with pytest.raises(BadCertificate) as caught:
        loads(text, "cell.toml")
    message = str(caught.value)
    assert message.startswith("cell.toml: ")
    assert len(message.splitlines()) == 1
    return message


def test_the_documented_example_loads(tmp_path):
    path = tmp_path / "cell.toml"
    path.write_text(EXAMPLE, encoding="utf-8")
    certificate = load_certificate(path)
    assert certificate == load_certificate(str(path)) == loads(EXAMPLE)
    assert certificate.span.counts_per_g == 1540.32
    assert certificate.cell.capacity_g == 1000.0
    assert certificate.made_at == dt.date(2026, 9, 1)
    assert certificate.tare_counts is None
    assert certificate.temperature.lag_s is None


def test_the_documented_oven_lag_loads():
    temperature = loads(WITH_LAG).temperature
    assert (temperature.lag_s, temperature.cell_offset_c, temperature.cell_per_oven) == (2400.0, 20.0, 0.1)


def test_the_documentation_names_every_field():
    text = DOCS.read_text(encoding="utf-8").partition("## Every field")[2]
    certificate = loads(WITH_LAG)
    for name in certificate.__struct_fields__:
        table = getattr(certificate, name)
        assert f"`{name}`" in text
        for field in getattr(table, "__struct_fields__", ()):
            assert f"`{field}`" in text, field


def test_a_certificate_is_frozen():
    with pytest.raises(AttributeError):
        loads(EXAMPLE).span.counts_per_g = 1.0  # type: ignore[misc]


@pytest.mark.parametrize("text", [EXAMPLE, WITH_LAG, changed("counts_per_g = -1540.32")])
def test_a_good_certificate_is_taken(text):
    assert isinstance(loads(text), Certificate)


@pytest.mark.parametrize(
    ("line", "field", "right"),
    [
        ("format = 2", "format = 2", "give 1"),
        ('name = ""', "name = ''", "one line of text"),
        ('name = "a\\nb"', "name = ", "one line of text"),
        ("made_by = 7", "made_by = 7", "one line of text"),
        ('made_at = "yesterday"', "made_at", "give a date"),
        ("made_at = 2026-09-01T10:00:00", "made_at = ", "a date"),
        ("valid_until = 2025-01-01", "valid_until = 2025-01-01", "after made_at"),
        ("capacity_g = -1.0", "cell.capacity_g = -1.0", "above 0"),
        ("capacity_g = 0", "cell.capacity_g = 0", "above 0"),
        ("capacity_g = nan", "cell.capacity_g = nan", "above 0"),
        ("capacity_g = inf", "cell.capacity_g = inf", "above 0"),
        ('capacity_g = "1 kg"', "cell.capacity_g = '1 kg'", "a mass in g"),
        ("capacity_g = true", "cell.capacity_g = true", "a mass in g"),
        ("gain = 100", "gain = 100", "128, 64, 32"),
        ("gain = 0", "bridge.gain = 0", "whole number"),
        ("gain = 128.5", "bridge.gain = 128.5", "whole number"),
        ("counts_per_g = 0.0", "counts_per_g = 0", "negative"),
        ("counts_per_g = 1540320.0", "span.counts_per_g", "codes per gram"),
        ("u_counts_per_g = -0.1", "span.u_counts_per_g", "from 0"),
        ("u_counts_per_g = 2000.0", "u_counts_per_g = 2000", "less than"),
        ("linearity_per_g = 0.01", "linearity.linearity_per_g", "at most 0.1"),
        ("zero_counts_per_k = nan", "temperature.zero_counts_per_k", "not nan"),
        ("span_per_k = 0.05", "temperature.span_per_k", "0.05 % in 10 K is 5e-5"),
        ('cell_source = "guess"', "temperature.cell_source", '"oven_lag" or "probe"'),
        ('cell_source = "oven_lag"', "temperature: lag_s is missing", "needs it"),
        ("u_cell_temp_c = -1.0", "temperature.u_cell_temp_c", "0 to 50"),
        ("creep_pct_fs = 50.0", "stability.creep_pct_fs", "0 to 5"),
        ("zero_drift_g = 2000.0", "stability.zero_drift_g", "capacity_g"),
        ("noise_counts = -30.0", "stability.noise_counts", "0"),
        ("ref_ohm = 43.0", "ref_ohm = 43", "430 or 400"),
        ("wires = 5", "rtd.wires", "2 or 3 or 4"),
        ('tolerance_class = "D"', "rtd.tolerance_class", '"A" or "AA" or "B" or "C"'),
        ("lead_ohm = -1.0", "rtd.lead_ohm", "0 to 100"),
    ],
)
def test_a_mistake_is_named_with_what_would_be_right(line, field, right):
    message = refusal(changed(line))
    assert field in message
    assert right in message


def test_a_probe_has_no_lag():
    assert 'lag_s belongs to cell_source = "oven_lag"' in refusal(changed('cell_source = "probe"', text=WITH_LAG))


def test_tare_beyond_the_converter_is_refused():
    assert "tare_counts = 8388608" in refusal("tare_counts = 8388608\n" + EXAMPLE)
    assert loads("tare_counts = 84210\n" + EXAMPLE).tare_counts == 84210.0


def test_a_missing_field_is_named():
    assert "span.counts_per_g is missing: add a number" in refusal(EXAMPLE.replace("counts_per_g = 1540.32", "", 1))
    assert "rtd is missing: add a table with ref_ohm" in refusal(EXAMPLE.partition("[rtd]")[0])
    assert "rtd = 1: give a table" in refusal("rtd = 1\n" + EXAMPLE.partition("[rtd]")[0])


def test_an_unknown_field_is_answered_with_the_nearest():
    assert "span.count_per_g is unknown: did you mean counts_per_g?" in refusal(
        EXAMPLE.replace("\ncounts_per_g", "\ncount_per_g = 1.0\ncounts_per_g")
    )
    assert "spam is unknown: did you mean span?" in refusal("spam = 1\n" + EXAMPLE)
    assert "cell.colour is unknown: use capacity_g, serial" in refusal(
        EXAMPLE.replace("[cell]", '[cell]\ncolour = "red"')
    )


def test_what_is_no_file_is_refused(tmp_path):
    (tmp_path / "latin.toml").write_bytes(b'name = "\xb5"')
    (tmp_path / "long.toml").write_bytes(b"#" * 1_000_001)
    (tmp_path / "table.toml").write_text("t_s,counts\n0.0,5\n", encoding="utf-8")
    for name, why in {
        "none.toml": "no such file",
        "": "is a folder",
        "latin.toml": "not UTF-8",
        "long.toml": "longer than",
        "table.toml": "not TOML",
        "a\0b": "no such file",
    }.items():
        with pytest.raises(BadCertificate, match=why) as caught:
            load_certificate(f"{tmp_path}/{name}")
        assert len(str(caught.value).splitlines()) == 1
        assert isinstance(caught.value, CalibrationError)
        assert isinstance(caught.value, ValueError)


def test_a_windows_editors_file_loads(tmp_path):
    path = tmp_path / "cell.toml"
    path.write_bytes(b"\xef\xbb\xbf" + EXAMPLE.replace("\n", "\r\n").encode())
    assert load_certificate(path) == loads(EXAMPLE)


def test_the_hash_is_over_the_content_and_not_the_layout():
    bare = re.sub(r"\s+#.*", "", EXAMPLE).replace("capacity_g = 1000.0", "capacity_g = 1000")
    first = certificate_hash(loads(EXAMPLE))
    assert re.fullmatch("[0-9a-f]{64}", first)
    assert certificate_hash(loads(bare)) == first
    assert certificate_hash(loads("tare_counts = 0\n" + EXAMPLE)) != first


def numbers(table: dict, path: tuple[str, ...] = ()):
    for name, value in table.items():
        if isinstance(value, dict):
            yield from numbers(value, (*path, name))
        elif isinstance(value, float):
            yield (*path, name)


@pytest.mark.parametrize("path", sorted(numbers(tomllib.loads(WITH_LAG))), ids=".".join)
def test_any_number_changes_the_hash(path):
    tables = tomllib.loads(WITH_LAG)
    at = tables
    for name in path[:-1]:
        at = at[name]
    at[path[-1]] = at[path[-1]] * (1.0 + 1e-12) + 1e-15
    changed_one = msgspec.convert(tables, Certificate)
    assert certificate_hash(changed_one) != certificate_hash(loads(WITH_LAG))


@given(
    st.sampled_from([EXAMPLE, WITH_LAG]),
    st.floats(-8000.0, 8000.0).filter(lambda counts: abs(counts) > 1.0),
    st.text(min_size=1, max_size=40).filter(str.isprintable).filter(str.strip),
    st.dates(min_value=dt.date(1000, 1, 1)),
    st.none() | st.floats(-(2.0**23), 2.0**23 - 1),
)
def test_what_is_written_reads_back_the_same(text, counts_per_g, name, made_at, tare_counts):
    certificate = loads(text)
    certificate = msgspec.structs.replace(
        certificate,
        name=name,
        made_at=made_at,
        valid_until=None,
        tare_counts=tare_counts,
        span=msgspec.structs.replace(certificate.span, counts_per_g=counts_per_g),
    )
    assert loads(to_toml(certificate)) == certificate


LINES = st.sampled_from([*EXAMPLE.splitlines(), *OVEN_LAG.splitlines(), "[cell.x]", "[[cell]]", "a.b = nan"])


@given(st.text() | st.lists(LINES | st.text(max_size=20), max_size=60).map("\n".join))
def test_any_text_gives_a_certificate_or_one_line(text):
    try:
        assert isinstance(loads(text, "cell.toml"), Certificate)
    except BadCertificate:
        refusal(text)


# the record that a guided calibration leaves, and its seal


OLD = """\
format = 1
name = "bar-1kg-07"
made_by = "A. Person, Lab B"
made_at = 2026-09-01
valid_until = 2027-09-01

[cell]
capacity_g = 1000.0
serial = "TAL220-0007"

[bridge]
chip = "hx711"
gain = 128

[span]
counts_per_g = 1540.32
u_counts_per_g = 0.31

[linearity]
linearity_per_g = 0.0
u_linearity_per_g = 2.9e-07

[temperature]
t_ref_c = 23.0
zero_counts_per_k = 0.0
u_zero_counts_per_k = 44.5
span_per_k = 0.0
u_span_per_k = 2.9e-05
cell_source = "probe"
u_cell_temp_c = 0.5

[stability]
creep_pct_fs = 0.05
zero_drift_g = 0.05
noise_counts = 30.0

[rtd]
ref_ohm = 430.0
r0_ohm = 100.0
lead_ohm = 0.0
wires = 4
tolerance_class = "A"
u_temp_c = 0.3
"""


def test_the_hash_of_a_certificate_of_old_is_what_it_was() -> None:
    """Fields that came later are not in the hash of one that lacks them: this is what 0.1.0 gave at its beginning."""
    assert certificate_hash(loads(OLD)) == "82105a9414aa2f01632eb025aa6d326146d5e3a5a9bfcd50d7d12eedabd2e20b"


NUMBER = st.floats(-1e12, 1e12)
AMOUNT = st.floats(0.0, 1e12)
LINE_OF_TEXT = st.text(min_size=1, max_size=20).filter(str.isprintable).filter(str.strip)
AIR = st.builds(Air, density_kg_m3=AMOUNT, u_density_kg_m3=AMOUNT, origin=st.sampled_from(["declared", "assumed"]))
POINT = st.builds(
    Point, mass_g=AMOUNT, code=NUMBER, u_code=AMOUNT, rising=st.booleans(), noise_code=AMOUNT, n=st.integers(0, 60),
    wall_s=NUMBER, piece=st.integers(0, 3), cell_c=st.none() | NUMBER, oven_c=st.none() | NUMBER,
)  # fmt: skip
SLOPE = st.builds(
    Slope, weight_g=AMOUNT, per_k=NUMBER, u_per_k=AMOUNT, low_c=NUMBER, high_c=NUMBER, minutes=st.integers(0, 999),
    residual=AMOUNT, drift_per_h=NUMBER, inflation=AMOUNT,
)  # fmt: skip
SPAN = st.builds(
    SpanRecord, zero_code=NUMBER, quadratic=st.booleans(), residual_g=AMOUNT, hysteresis_g=st.none() | AMOUNT,
    covariance=st.lists(st.lists(NUMBER, max_size=3).map(tuple), max_size=3).map(tuple),
)  # fmt: skip
CHECK = st.builds(
    RtdCheck, kind=st.sampled_from(["resistor", "short", "ice"]), probe=st.sampled_from(["oven", "cell"]), ohm=NUMBER,
    u_ohm=AMOUNT, code=AMOUNT, u_code=AMOUNT, wall_s=NUMBER,
)  # fmt: skip
RECORD = st.builds(
    Record,
    software=LINE_OF_TEXT,
    begun=st.dates(min_value=dt.date(1000, 1, 1)),
    air=AIR,
    weights=st.lists(
        st.builds(Weight, mass_g=AMOUNT, u_mass_g=AMOUNT, stated=LINE_OF_TEXT, density_kg_m3=AMOUNT), max_size=3
    ).map(tuple),
    span=SPAN,
    points=st.lists(POINT, max_size=3).map(tuple),
    zero_slope=st.none() | SLOPE,
    loaded_slope=st.none() | SLOPE,
    lag=st.none() | st.builds(Lag, lag_s=AMOUNT, u_lag_s=AMOUNT),
    rtd_checks=st.lists(CHECK, max_size=2).map(tuple),
    assumed=st.lists(LINE_OF_TEXT, max_size=3).map(tuple),
)


@settings(deadline=None)
@given(st.sampled_from([EXAMPLE, WITH_LAG]), RECORD)
def test_a_recorded_certificate_reads_back_the_same_and_sealed(text: str, record: Record) -> None:
    certificate = sealed(msgspec.structs.replace(loads(text), record=record))
    assert loads(to_toml(certificate)) == certificate
    assert certificate.recorded
    assert certificate_hash(certificate) == certificate.sha256


RECORDED = Record(
    software="halfpercent",
    begun=dt.date(2026, 9, 1),
    air=Air(density_kg_m3=1.2, u_density_kg_m3=0.07, origin="assumed"),
    weights=(Weight(mass_g=200.0, u_mass_g=0.001, stated="class F1"),),
    span=SpanRecord(zero_code=84000.0, quadratic=False, residual_g=0.001, covariance=((1.0, 0.0), (0.0, 1.0))),
    points=(Point(mass_g=200.0, code=4e5, u_code=1.0, rising=True, noise_code=30.0, n=60, wall_s=0.0),),
    zero_slope=Slope(
        weight_g=0.0, per_k=61.0, u_per_k=1.0, low_c=20.0, high_c=35.0, minutes=480, residual=5.0, drift_per_h=0.0,
        inflation=3.0,
    ),
)  # fmt: skip


def test_a_sealed_certificate_that_was_changed_is_refused_and_without_its_seal_counts_as_written_by_hand() -> None:
    text = to_toml(sealed(msgspec.structs.replace(loads(EXAMPLE), record=RECORDED)))
    assert loads(text).recorded
    edited = text.replace("counts_per_g = 1540.32", "counts_per_g = 1540.33", 1)
    assert "changed after it was made: put the original back or calibrate again" in refusal(edited)
    assert "changed after it was made" in refusal(text.replace("u_per_k = 1.0", "u_per_k = 0.5", 1))
    bare = "\n".join(line for line in edited.splitlines() if not line.startswith("sha256"))
    assert not loads(bare).recorded
    assert not loads(EXAMPLE).recorded
    commented = "# copied from the lab\n" + text.replace(" = ", "   =   ")
    assert loads(commented).recorded  # layout is not content
    assert "sha256 = 'abc': give a SHA-256" in refusal('sha256 = "abc"\n' + EXAMPLE)


def test_own_coefficients_belong_together_and_to_platinum() -> None:
    assert loads(EXAMPLE + "a_per_k = 3.9739e-3\nb_per_k2 = -5.87e-7\n").rtd.a_per_k == 3.9739e-3
    assert "a_per_k and b_per_k2 belong together" in refusal(EXAMPLE + "a_per_k = 3.9739e-3\n")
    assert "rtd.a_per_k = 0.0393: give Callendar-Van Dusen's A" in refusal(EXAMPLE + "a_per_k = 0.0393\n")


@pytest.mark.parametrize(
    ("mass_g", "cell_c", "says"),
    [
        (200.0, 25.0, None),
        (215.0, 25.0, None),  # within a tenth above the heaviest weight
        (200.0, float("nan"), None),
        (230.0, 25.0, "230.0 g is more than certificate bar-1kg-07 was calibrated for (weights up to 200 g)"),
        (1200.0, 25.0, "more than the cell's capacity of 1000 g"),
        (200.0, 38.0, "the load cell was at 38.0 °C, certificate bar-1kg-07 holds from 20.0 to 35.0 °C"),
        (200.0, 15.0, "the load cell was at 15.0 °C"),
    ],
)
def test_what_lies_outside_the_calibration_is_said(mass_g: float, cell_c: float, says: str | None) -> None:
    found = out_of_range(msgspec.structs.replace(loads(EXAMPLE), record=RECORDED), mass_g, cell_c)
    assert (found is None) == (says is None), found
    if says is not None and found is not None:
        assert found.startswith(says) or says in found
        assert "\n" not in found


def test_of_a_certificate_without_a_record_only_the_capacity_is_known() -> None:
    assert out_of_range(loads(EXAMPLE), 900.0, 80.0) is None
    assert "capacity" in str(out_of_range(loads(EXAMPLE), 1100.0, 25.0))
