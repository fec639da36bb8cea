"""Recordings: what a CSV may be, what it is refused for, and that its numbers come through exactly."""

from __future__ import annotations

import io
import json
import math
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_up_recordings import example_with_tare

from calibration.certificate import load_certificate
from edge.cli.exit_status import error_line
from edge.cli.main import cli
from edge.errors import BadInput, HalfpercentError
from edge.records.result import as_json
from edge.records.sample import Sample
from edge.replay.columns import QUANTITIES, UNITS, parse_columns
from edge.replay.judge import Declared, ReplayOrder, parse_declared, replay
from edge.replay.layout import MAX_LINE_CHARS
from edge.replay.recording import Recording, read
from edge.standards.standard import loads_standard
from hw.protocols import Status

STANDARD = loads_standard('id = "short"\ntitle = "Short"\nlimit_pct = 0.5\ntemp_c = 120.0\nhold_s = 60\n')
GOOD = "t_s,mass_g,temp_c\n0,10.5,20\n1,10.25,21\n2,10,22\n"

Write = Callable[[str | bytes], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(content: str | bytes) -> Path:
        path = tmp_path / "r.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return written


def mass(path: Path, columns: str = "", **more: Any) -> Recording:
    return read(path, columns=parse_columns(columns), use_counts=False, **more)


def counts(path: Path) -> Recording:
    return read(path, columns={}, use_counts=True)


def refusal(path: Path, columns: str = "", use_counts: bool = False) -> str:
    with pytest.raises(BadInput) as caught:
        read(path, columns=parse_columns(columns), use_counts=use_counts)
    line = str(caught.value)
    assert len(line.splitlines()) == 1
    assert str(path) in line, "where"
    assert line.count(": ") >= 2, "what, and what to do"
    return line


# what is refused, and where the line points


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        ("t_s,mass_g,temp_c\n", "a header and no rows"),
        ("t_s,mass_g,temp_c", "a header and no rows"),
        ("t_s,mass_g,temp_c\r\n\r\n\r\n", "a header and no rows"),
        ("\n\n", "no column t_s"),
        ("mass_g,temp_c\n1,20\n", "no column t_s"),
        ("t_s,temp_c\n0,20\n", "no column mass_g"),
        ("t_s,mass_g\n0,1\n", "no column temp_c"),
        ("t_s,counts,temp_c\n0,5,20\n", "give the cell's certificate"),
        ("0,10.5,20\n1,10.25,21\n", "no column t_s"),  # no header at all
        ("t_s,mass_g,temp_c,t_s\n0,1,20,0\n", "stands twice"),
        ("t_s,mass_g,temp_c\n0,1,20\n1,abc,20\n", "line 3, column mass_g: 'abc' is not a number"),
        ("t_s,mass_g,temp_c\n0,1,20\n1,,20\n", "line 3, column mass_g: is empty"),
        ("t_s,mass_g,temp_c\n0,1,20\n1,1,nan\n", "line 3, column temp_c: nan is no reading"),
        ("t_s,mass_g,temp_c\n0,NaN,20\n", "line 2, column mass_g: NaN is no reading"),
        ("t_s,mass_g,temp_c\n0,-inf,20\n", "line 2, column mass_g: -inf is no reading"),
        ("t_s,mass_g,temp_c\n0,1e999,20\n", "line 2, column mass_g: 1e999 is no reading"),
        ("t_s,mass_g,temp_c\n0,1e308,20\n", "line 2, column mass_g: 1e308 is no reading"),
        ("t_s,mass_g,temp_c\n0,1_000,20\n", "line 2, column mass_g: '1_000' is not a number"),
        ("t_s,mass_g,temp_c\n0,٣,20\n", "line 2, column mass_g: '٣' is not a number"),
        ("t_s,mass_g,temp_c\nnan,1,20\n", "line 2, column t_s: nan is no reading"),
        ("t_s,mass_g,temp_c\n0,1,20\n5,1,20\n4.5,1,20\n", "line 4: t_s goes back from 5 to 4.5"),
        ("t_s,mass_g,temp_c\n1700000000.5,1,20\n1700000000.25,1,20\n", "from 1700000000.5 to 1700000000.25"),
        ("t_s,mass_g,temp_c\n0,1,20\n1,1\n", "line 3: 2 cells where the header has 3"),
        ("t_s,mass_g,temp_c\n0,1,20\n1,1,20,9\n", "line 3: 4 cells where the header has 3"),
        ("t_s,mass_g,temp_c\n0,1,20\n\n\n1,1\n", "line 5: 2 cells"),  # blank lines count as lines
        ('t_s,mass_g,temp_c\n0,"1\n', "line 2: 2 cells"),  # a quote that is never closed
        ("t_s,mass_g,temp_c\n0,1,20\n2e7,1,20\n", "map them as t_ms"),  # most of a year
        ("t_s,mass_g,temp_c\n1.7e12,1,20\n", "map them as t_ms"),  # ms since 1970
        ("t_s,mass_g,temp_c\n1.7e11,1,20\n", "map them as t_ms"),
        ("t_s;mass_g;temp_c\n0;1,5;20\n1;1.5;20\n", "'1.5' is not a number"),  # one way of writing a file
        (
            "t_s;mass_g;temp_c\n0;1,500;20\n1;1,501;20\n",
            "1,500 is 1500 with a decimal point and 1.5 with a decimal comma",
        ),
        ("t_s,mass_g,temp_c,status\n0,1,20,ok\n1,1,20,fine\n", "line 3, column status: 'fine'"),
        ("t_s,mass_g,temp_c,status\n0,1,20,10\n", "line 2, column status: '10'"),
        ("t_s,mass_g,temp_c,status\nx,1,20,fault\n", "line 2, column t_s"),  # no status makes a time unnecessary
    ],
)
def test_a_bad_table_is_refused_with_its_line_and_column(write: Write, text: str, says: str) -> None:
    assert says in refusal(write(text))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (GOOD.encode("utf-16")[:-1], "it is not: export it again"),
        (b"\xef\xbb\xbf" + GOOD.replace("temp_c", "t_°C").encode("latin-1"), "it is not: export it again"),
        (bytes(range(256)) * 40, "no column t_s"),
        (b"\x00" * 100_000, "no column t_s"),
        (b"SQLite format 3\x00" + b"\x00" * 5000, "is a database of runs, and no recording"),
        (GOOD.encode() + b"3,\x00,20\n", "line 5, column mass_g"),
    ],
)
def test_what_is_no_text_is_refused(write: Write, content: bytes, says: str) -> None:
    assert says in refusal(write(content))


def test_a_line_of_a_hundred_megabytes_is_refused_without_being_read_whole(write: Write) -> None:
    path = write("t_s,mass_g,temp_c\n0,1,20\n")
    with path.open("ab") as file:
        file.truncate(100_000_000)  # sparse: zeros without a line's end
    assert "line 3" in refusal(path)
    path = write("x" * (3 * MAX_LINE_CHARS))
    assert "no column t_s" in refusal(path)


def test_three_gigabytes_are_refused_at_once(write: Write) -> None:
    path = write(GOOD)
    os.truncate(path, 3_000_000_000)  # sparse
    assert "3.0 GB is more than" in refusal(path)


def test_no_file_a_folder_and_a_name_that_cannot_be_printed_are_refused(tmp_path: Path) -> None:
    assert "no such file" in refusal(tmp_path / "none.csv")
    assert "is a folder" in refusal(tmp_path)
    odd = tmp_path / "a\nb.csv"
    odd.write_text(GOOD, encoding="utf-8")
    with pytest.raises(BadInput, match="rename it") as caught:
        mass(odd)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ("temp_c", "write NAME=HEADER"),
        ("temp_c=", "write NAME=HEADER"),
        ("=T_C", "unknown"),
        ("T_C=temp_c", "unknown"),  # the wrong way round
        ("temp_c=a,temp_c=b", "named already"),
        ("temp_c=a,temp_k=b", "named already"),
        ("mass_g=a,mass_mg=b", "named already"),
        ("temp_c=a,mass_mg=a", "one column is one quantity"),
    ],
)
def test_a_mixed_up_mapping_is_refused(columns: str, says: str) -> None:
    with pytest.raises(BadInput, match=says) as caught:
        parse_columns(columns)
    assert str(caught.value).startswith("columns ")


def test_a_mapping_to_a_column_that_is_not_there_names_those_that_are(write: Write) -> None:
    line = refusal(write(GOOD), "temp_c=T_C")
    assert "no column T_C (for temp_c)" in line
    assert "t_s, mass_g, temp_c" in line


@pytest.mark.parametrize(
    "pair", ["temp_c=hot", "temp_c", "temp_c=nan", "temp_c=1e308", "temp_c=-300", "u_mass_g=-1", "u_mass_g=inf", "x=1"]
)
def test_a_declaration_that_is_not_possible_is_refused(pair: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_declared((pair,))
    assert error_line(caught.value, cli).startswith("--declare ")
    assert str(caught.value).count(": ") == 2


# what is taken


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        "\ufeff" + GOOD,
        GOOD.replace("\n", "\r\n"),
        GOOD.replace("\n", "\r"),
        GOOD.replace(",", ";"),
        GOOD.replace(",", "\t"),
        GOOD.replace(",", " , "),
        GOOD.rstrip("\n"),
        GOOD.replace("\n", "\n\n"),
        '"t_s","mass_g","temp_c"\n"0","10.5","20"\n"1","1.025e1","21"\n"2","+10.0","22"\n',
        "note;t_s;temp_c;mass_g\nhot, dry;0;20;10.5\n;1;21;10.25\nx;2;22;10\n",
        "t_s,mass_g,temp_c,,\n0,10.5,20,,\n1,10.25,21,,\n2,10,22,,\n",  # empty columns that a spreadsheet left
        "t_min,mass_mg,temp_k\n0,10500,293.15\n{1/60},10250,294.15\n{2/60},10000,295.15\n".replace(
            "{1/60}", repr(1 / 60)
        ).replace("{2/60}", repr(2 / 60)),
        "t_ms,mass_kg,temp_c\n0,.0105,20\n1000,.01025,21\n2000,.01,22\n",
    ],
)
def test_the_same_table_in_another_dress_gives_the_same_numbers(write: Write, text: str) -> None:
    recording = mass(write(text))
    frames = recording.frames
    assert recording.quantity == "mass_g"
    assert recording.rows == 3
    assert frames.seq.tolist() == [0, 1, 2]
    assert frames.t_ns.tolist() == [0, 10**9, 2 * 10**9]
    assert frames.code.tolist() == pytest.approx([10.5, 10.25, 10.0], abs=1e-12)
    assert frames.oven.value.tolist() == pytest.approx([20.0, 21.0, 22.0], abs=1e-9)
    assert frames.status.tolist() == [0, 0, 0]
    assert recording.interval_s == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("name", "cell", "quantity", "value"),
    [
        ("mass_g", "2.5", "code", 2.5),
        ("mass_mg", "2500", "code", 2.5),
        ("mass_kg", "0.0025", "code", 2.5),
        ("temp_c", "121.5", "oven", 121.5),
        ("mass_ug", "2500000", "code", 2.5),
        ("mass_pct", "2.5", "code", 2.5),
        ("temp_k", "394.65", "oven", 121.5),
        ("temp_f", "250.7", "oven", 121.5),
        ("cell_temp_f", "86.45", "cell", 30.25),
        ("pressure_kpa", "0.35", "gauge", 350.0),
        ("t_h", "0.025", "t", 90e9),
        ("t_days", "0.0010416666666666667", "t", 90e9),
        ("cell_temp_c", "30.25", "cell", 30.25),
        ("cell_temp_k", "303.40", "cell", 30.25),
        ("pressure_pa", "350", "gauge", 350.0),
        ("pressure_hpa", "3.5", "gauge", 350.0),
        ("t_s", "90", "t", 90e9),
        ("t_min", "1.5", "t", 90e9),
        ("t_ms", "90000", "t", 90e9),
        ("t_us", "90000000", "t", 90e9),
        ("t_ns", "90000000000", "t", 90e9),
    ],
)
def test_every_unit_that_can_be_mapped_is_converted(
    write: Write, name: str, cell: str, quantity: str, value: float
) -> None:
    rest = {"t_s": "0", "mass_g": "1", "temp_c": "20"}
    rest.pop(UNITS.get(name, (name,))[0], None)
    header = ",".join(["their own", *rest])
    row = ",".join([cell, *rest.values()])
    frames = mass(write(f"{header}\n{row}\n"), f"{name}=their own").frames
    got = {"code": frames.code, "t": frames.t_ns}.get(quantity)
    got = getattr(frames, quantity).value if got is None else got
    assert float(got[0]) == pytest.approx(value, rel=1e-12)


def test_every_quantity_and_unit_is_in_the_test_above() -> None:
    assert {UNITS[unit][0] for unit in UNITS} <= set(QUANTITIES)
    assert len(UNITS) == 16


def test_what_is_mapped_wins_over_a_header_of_the_same_name(write: Write) -> None:
    recording = mass(write("t_s,mass_g,temp_c,dry_mg,oven\n0,1,20,7000,99\n"), "mass_mg=dry_mg,temp_c=oven")
    assert recording.frames.code.tolist() == [7.0]
    assert recording.frames.oven.value.tolist() == [99.0]


def test_counts_are_read_where_there_is_a_certificate_else_grams(write: Write) -> None:
    path = write("t_s,mass_g,counts,temp_c\n0,1.5,77,20\n")
    assert (mass(path).quantity, mass(path).frames.code.tolist()) == ("mass_g", [1.5])
    assert (counts(path).quantity, counts(path).frames.code.tolist()) == ("counts", [77.0])


def test_a_declared_temperature_stands_in_only_where_there_is_no_column(write: Write) -> None:
    without = mass(write("t_s,mass_g\n0,1\n1,1\n"), temp_declared_c=25.0)
    assert not without.has_temp
    assert without.frames.oven.value.tolist() == [25.0, 25.0]
    with_it = mass(write("t_s,mass_g,temp_c\n0,1,120\n"), temp_declared_c=25.0)
    assert with_it.has_temp
    assert with_it.frames.oven.value.tolist() == [120.0]


# time: whole seconds, and none that was not seen


def test_seconds_without_rows_have_no_frame(write: Write) -> None:
    frames = mass(write("t_s,mass_g,temp_c\n100.5,1,20\n101.4,2,20\n101.6,3,20\n104.5,4,20\n")).frames
    assert frames.seq.tolist() == [0, 1, 4]
    assert frames.first.tolist() == [0, 2, 3, 4]
    assert frames.sample_us.tolist() == [0, 900_000, 100_000, 0]
    assert frames.t_ns.tolist() == [100_500_000_000, 101_500_000_000, 104_500_000_000]


@pytest.mark.parametrize("start", ["0.1", "0.3", "7.7", "1700000000.1"])
def test_rows_a_second_apart_give_a_frame_each_though_their_decimals_are_not_binary(write: Write, start: str) -> None:
    whole, _, tenth = start.partition(".")
    rows = "".join(f"{int(whole) + i}.{tenth},1,20\n" for i in range(2000))
    frames = mass(write("t_s,mass_g,temp_c\n" + rows)).frames
    assert frames.seq.tolist() == list(range(2000))
    assert frames.sample_us.tolist() == [0] * 2000


def test_two_rows_at_one_time_are_both_kept(write: Write) -> None:
    frames = mass(write("t_s,mass_g,temp_c\n0,1,20\n0,2,20\n")).frames
    assert frames.code.tolist() == [1.0, 2.0]
    assert len(frames) == 1


# what is no number gets a status


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (8388607, Status.SATURATED),
        (-8388608, Status.SATURATED),
        (8388608, Status.FAULT),  # 2^23: no 24-bit converter gives it
        (-8388609, Status.FAULT),
        (-2147483648, Status.FAULT),  # INT32_MIN: a failed read of a common driver
        (8388606, Status.OK),
        (-8388607, Status.OK),
    ],
)
def test_rails_and_codes_that_no_converter_gives_are_not_numbers(write: Write, code: int, status: Status) -> None:
    frames = counts(write(f"t_s,counts,temp_c\n0,{code},20\n")).frames
    assert frames.status.tolist() == [status]
    assert frames.code.tolist() == [code], "what the file says is kept"


def test_a_long_run_of_one_code_is_stuck_from_its_fiftieth_on(write: Write) -> None:
    codes = [*range(10), *[77] * 60, 78, *[79] * 49]
    rows = "".join(f"{i / 10},{code},20\n" for i, code in enumerate(codes))
    status = counts(write("t_s,counts,temp_c\n" + rows)).frames.status
    assert np.flatnonzero(status == Status.STUCK).tolist() == list(range(10 + 49, 70))
    assert np.count_nonzero(status == Status.OK) == len(codes) - 11


def test_equal_masses_are_no_fault_since_a_balance_may_hold_its_display(write: Write) -> None:
    rows = "".join(f"{i},10.5,20\n" for i in range(80))
    assert not mass(write("t_s,mass_g,temp_c\n" + rows)).frames.status.any()


@pytest.mark.parametrize("temp", ["-242.02", "988.79", "-273.15", "1e6"])
def test_what_a_broken_thermometer_reads_is_a_fault(write: Write, temp: str) -> None:
    frames = mass(write(f"t_s,mass_g,temp_c,cell_temp_c\n0,1,120,{temp}\n1,1,{temp},20\n")).frames
    assert frames.oven.status.tolist() == [Status.OK, Status.FAULT]
    assert frames.cell.status.tolist() == [Status.FAULT, Status.OK]
    assert frames.status.tolist() == [Status.OK, Status.OK], "the mass is not to blame"


def test_what_is_not_recorded_is_not_ready(write: Write) -> None:
    recording = mass(write(GOOD))
    assert set(recording.frames.cell.status.tolist()) == {Status.NOT_READY}
    assert set(recording.frames.gauge.status.tolist()) == {Status.NOT_READY}
    assert not recording.has_cell_temp
    assert not recording.has_pressure


@pytest.mark.parametrize("status", list(Status))
def test_a_status_may_be_given_by_name_or_by_number(write: Write, status: Status) -> None:
    text = f"t_s,mass_g,temp_c,status\n0,1,20,{int(status)}\n1,1,20, {status.name.title()} \n"
    assert mass(write(text)).frames.status.tolist() == [status, status]


@pytest.mark.parametrize("cell", ["nan", "", "inf", "-1e999", "ERR", "---"])
def test_a_row_that_is_not_ok_may_hold_anything_and_is_kept_as_no_number(write: Write, cell: str) -> None:
    text = f"t_s,counts,temp_c,status\n0,5,20,ok\n1,{cell},{cell},bus_error\n2,6,20,ok\n"
    frames = counts(write(text)).frames
    assert frames.status.tolist() == [Status.OK, Status.BUS_ERROR, Status.OK]
    assert frames.code.tolist() == [5.0, 0.0, 6.0]
    assert frames.oven.status.tolist() == [Status.OK, Status.FAULT, Status.OK]


def test_a_status_column_under_another_name_is_mapped(write: Write) -> None:
    recording = mass(write("t_s,mass_g,temp_c,state\n0,1,20,ok\n1,nan,20,late\n"), "status=state")
    assert recording.frames.status.tolist() == [Status.OK, Status.LATE]


# whatever is in the file


@pytest.fixture(scope="module")
def anywhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("any") / "any.csv"


def is_answered(path: Path, use_counts: bool, declared: float | None) -> bool:
    """Whether a file gives a recording, or one line that begins with its name."""
    try:
        return len(read(path, columns={}, use_counts=use_counts, temp_declared_c=declared).frames) > 0
    except BadInput as e:
        return str(e).startswith(str(path)) and len(str(e).splitlines()) == 1


CELL = st.one_of(
    st.integers(-(2**33), 2**33).map(str),
    st.floats().map(repr),
    st.sampled_from(["", "nan", "-inf", "1e999", "1e308", "-1e308", "8388607", "-8388608", "0x1F", "ok", "fault", "3"]),
    st.text(max_size=6),
)
CSVISH = st.builds(
    lambda header, rows, mark, end: end.join([mark.join(header), *(mark.join(r) for r in rows)]),
    st.permutations(QUANTITIES).flatmap(lambda p: st.integers(2, len(p)).map(lambda n: p[:n])),
    st.lists(st.lists(CELL, min_size=2, max_size=7), max_size=6),
    st.sampled_from(",;\t"),
    st.sampled_from(["\n", "\r\n", "\r"]),
)


@given(text=st.one_of(st.text(), CSVISH), use_counts=st.booleans(), declared=st.sampled_from([None, 25.0]))
@settings(max_examples=200, deadline=None)
def test_any_text_gives_a_recording_or_one_line(
    anywhere: Path, text: str, use_counts: bool, declared: float | None
) -> None:
    anywhere.write_bytes(text.encode("utf-8", "surrogatepass"))
    assert is_answered(anywhere, use_counts, declared)


@given(content=st.one_of(st.binary(max_size=300), st.binary(max_size=60).map(lambda b: GOOD.encode() + b)))
@settings(max_examples=100, deadline=None)
def test_any_bytes_give_a_recording_or_one_line(anywhere: Path, content: bytes) -> None:
    anywhere.write_bytes(content)
    assert is_answered(anywhere, False, None)


@st.composite
def tables(draw: st.DrawFn, rows: int = 40, steps_us: tuple[int, int] = (0, 3_000_000)) -> dict[str, list[Any]]:
    """A valid recording: time in whole µs, values, temperatures, a status for each row."""
    n = draw(st.integers(1, rows))
    start = draw(st.sampled_from([0, 500_000, 1_700_000_000_123_456]))
    steps = draw(st.lists(st.integers(*steps_us), min_size=n - 1, max_size=n - 1))
    number = st.floats(-1e9, 1e9)
    return {
        "us": [start + d for d in np.cumsum([0, *steps]).tolist()],
        "code": draw(st.lists(st.integers(-(2**31), 2**31), min_size=n, max_size=n)),
        "mass": draw(st.lists(number, min_size=n, max_size=n)),
        "temp": draw(st.lists(st.floats(-300, 1000), min_size=n, max_size=n)),
        "status": draw(st.lists(st.sampled_from(list(Status)), min_size=n, max_size=n)),
    }


def written(table: dict[str, list[Any]], value: str, path: Path) -> Path:
    out = io.StringIO()
    out.write(f"temp_c,t_s,status,{'counts' if value == 'code' else 'mass_g'}\n")
    for us, v, temp, status in zip(table["us"], table[value], table["temp"], table["status"], strict=True):
        out.write(f"{temp!r},{us // 10**6}.{us % 10**6:06d},{int(status)},{v!r}\n")
    path.write_text(out.getvalue(), encoding="utf-8")
    return path


@given(table=tables(), value=st.sampled_from(["code", "mass"]))
@settings(max_examples=150, deadline=None)
def test_any_valid_table_comes_back_with_exactly_its_numbers(
    anywhere: Path, table: dict[str, list[Any]], value: str
) -> None:
    frames = read(written(table, value, anywhere), columns={}, use_counts=value == "code").frames
    since = [us - table["us"][0] for us in table["us"]]
    assert frames.code.tolist() == [float(v) for v in table[value]]
    seconds = sorted({us // 10**6 for us in since})
    assert frames.seq.tolist() == seconds
    of_row = np.repeat(frames.seq, np.diff(frames.first))
    assert (of_row * 10**6 + frames.sample_us).tolist() == since
    first_rows = [next(i for i, us in enumerate(since) if us // 10**6 == s) for s in seconds]
    assert frames.oven.value.tolist() == [table["temp"][i] for i in first_rows]
    assert np.max(np.abs(frames.t_ns - [table["us"][0] * 1000 + s * 10**9 for s in seconds])) < 1000  # a double's ns
    for got, given_, code in zip(frames.status.tolist(), table["status"], table["code"], strict=True):
        real = value == "mass" or -(2**23) < code < 2**23 - 1
        assert got == given_ if given_ is not Status.OK or real else got in (Status.SATURATED, Status.FAULT)


@given(
    table=tables(rows=90, steps_us=(0, 20_000_000)),
    value=st.sampled_from(["code", "mass"]),
    weigh=st.sampled_from(["cold", "hot"]),
    clean=st.booleans(),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_valid_table_can_be_judged_and_its_result_is_plain_json(
    anywhere: Path, table: dict[str, list[Any]], value: str, weigh: Any, clean: bool
) -> None:
    if clean:
        table = table | {"status": [Status.OK] * len(table["us"]), "temp": [120.0] * len(table["us"])}
    certificate = load_certificate(certificate_file(anywhere.parent))
    recording = read(written(table, value, anywhere), columns={}, use_counts=value == "code")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        judged = replay(
            recording,
            ReplayOrder(
                STANDARD,
                certificate,
                weigh=weigh,
                declared=Declared(u_mass_g=0.001),
                sample=Sample("any"),
                wall_s=0.0,
            ),
        )
        result = as_json(judged)
    assert json.loads(json.dumps(result, allow_nan=False))["verdict"] in ("PASS", "FAIL", "INCONCLUSIVE", "INVALID")
    assert (result["loss_pct"] is None) == (result["verdict"] == "INVALID")


def certificate_file(folder: Path) -> Path:
    """The certificate that docs/calibration.md prints, with a tare: codes without one are not judged."""
    path = folder / "bar.toml"
    if not path.exists():
        path.write_text(example_with_tare(), encoding="utf-8")
    return path


@given(text=st.text(max_size=60))
def test_any_mapping_is_a_mapping_or_one_line(text: str) -> None:
    try:
        right = all(name in QUANTITIES or name in UNITS for name in parse_columns(text))
    except HalfpercentError as e:
        right = str(e).startswith("columns ")
    assert right


def test_the_gate_is_twelve_standard_deviations_of_the_recordings_own_noise_or_more(write: Write) -> None:
    """Or 0.2 % of the load, whichever is more: noise that collapses makes no glitches of real readings (issue 10)."""
    noise = np.random.default_rng(3).normal(0.0, 0.01, 4000)

    def gate_of(load_g: float) -> float:
        return mass(write("".join(["t_s,mass_g,temp_c\n", *rows_of(load_g)]))).gate

    def rows_of(load_g: float) -> list[str]:
        return [f"{i},{load_g - 1e-5 * i + x:.9f},20\n" for i, x in enumerate(noise)]

    assert gate_of(10.0) == pytest.approx(0.12, rel=0.1)
    assert gate_of(100.0) == pytest.approx(0.2, rel=0.01)
    assert math.isclose(mass(write(GOOD)).gate, 0.0), "three rows have no noise to speak of"
