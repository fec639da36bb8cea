"""What is found out of a file is said in one line, what is open is a question, and what is left out is counted."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from made_up_recordings import cold_test

from edge.cli.exit_status import error_line
from edge.cli.main import cli
from edge.errors import BadInput, BadRecording
from edge.replay.columns import parse_columns
from edge.replay.reading import How, ReadFile, read_file
from edge.replay.run_csv_reader import read_run_csv

PLAIN = "Time/s;Mass/g, TG;Temp./°C\n0;100.5;25\n10;100.25;26\n"


def read_text(folder: Path, content: str | bytes, *pairs: str, how: How | None = None) -> ReadFile:
    path = folder / "r.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    mapped = parse_columns("", pairs)
    return read_file(path, mapped, use_counts=False, temp_is_declared=False, how=how or How())


def refusal(folder: Path, content: str | bytes, *pairs: str, how: How | None = None) -> str:
    with pytest.raises(BadInput) as caught:
        read_text(folder, content, *pairs, how=how)
    line = str(caught.value)
    assert len(line.splitlines()) == 1
    assert line.startswith(str(folder))
    return line


def command(*words: str) -> Result:
    return CliRunner().invoke(cli, ["replay", *words])


def in_percent(folder: Path, start_mass: str = "") -> Path:
    """A cold test of a sample that lost 0.3 %, in %."""
    rows = "".join(f"{t:g};{g:.4f};{c:.3f}\n" for t, g, c in cold_test(10.0, loss_g=0.3))
    path = folder / "percent.csv"
    path.write_text(f"{start_mass}Time/s;TG/%;Temp./°C\n{rows}", encoding="utf-8")
    return path


# one line


def test_dry_run_prints_one_line_and_judges_nothing(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text(PLAIN, encoding="cp1252")
    done = command(str(path), "--dry-run")
    assert done.exit_code == 0
    assert done.stdout == (
        f"{path}: CSV, Windows-1252, semicolon between cells, decimal point: t_s from Time/s; mass_g from Mass/g, TG; "
        "temp_c from Temp./°C; 2 rows over 10 s\n"
    )
    as_json = json.loads(command(str(path), "--dry-run", "--json").stdout)
    assert as_json["verdict"] is None
    assert f"{path}: {as_json['read_as']}\n" == done.stdout


def test_the_result_and_the_report_say_how_the_file_was_read(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text(PLAIN, encoding="utf-8")
    read_as = json.loads(command(str(path), "--json").stdout)["recording"]["read_as"]
    assert read_as.startswith("CSV, UTF-8, semicolon between cells, decimal point: t_s from Time/s")
    assert f"Read as {read_as}" in command(str(path)).stdout.splitlines()


# what is open is a question that names both


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Time;Weight/g;T/°C\n0;1;20\n", "(no unit is given for Time: map it as t_s or t_min or t_h)"),
        ("t/s;Weight;T/°C\n0;1;20\n", "(no unit is given for Weight: map it as mass_g or mass_mg or mass_pct)"),
        ("t/s;m/g;Temperature\n0;1;20\n", "(no unit is given for Temperature: map it as temp_c or temp_k or temp_f)"),
        (
            "t/s;m/g;Weight/mg;T/°C\n0;1;1000;20\n",
            "m/g and Weight/mg may both be mass_g: say which, mass_g=m/g or mass_mg",
        ),
        ("t/s;m/g;Oven temp./°C;Sample temp./°C\n0;1;20;21\n", "Oven temp./°C and Sample temp./°C may both be temp_c"),
        ("t/s;m/g;T/°C\n0;1,500;20\n", "1,500 is 1500 with a decimal point and 1.5 with a decimal comma"),
        (
            "Time,m (g),T (°C)\n03/04/2026 10:00:00,1.5,20\n04/04/2026 10:00:00,1.5,20\n",
            "the day first or the month first",
        ),
        ("Time,m (g),T (°C)\n00:10,1.5,20\n", "'00:10' may be hours and minutes or minutes and seconds"),
        (
            "Time,m (g),T (°C),m (g)\n00:00:10,1.5,20,1.5\n",
            "m (g) and m (g) may both be mass_g: say which, mass_g=#2 or",
        ),
    ],
)
def test_two_readings_that_both_fit_are_named(tmp_path: Path, text: str, says: str) -> None:
    assert says in refusal(tmp_path, text)


def test_a_decimal_mark_that_is_stated_decides(tmp_path: Path) -> None:
    text = "t/s;m/g;T/°C\n0;1,500;20\n"
    for mark, grams in ((".", 1500.0), (",", 1.5)):
        assert list(read_text(tmp_path, text, how=How(decimal=mark)).columns.table["mass_g"]) == [grams]
    path = tmp_path / "r.csv"
    done = command(str(path), "--dry-run")
    assert isinstance(done.exception, BadInput)
    assert error_line(done.exception, cli).endswith("(--decimal point or --decimal comma)")
    assert "decimal comma" in command(str(path), "--dry-run", "--decimal", "comma").stdout


def test_a_temperature_that_no_oven_has_decides_the_mark(tmp_path: Path) -> None:
    """25.125 °C: who takes the point for a mark of thousands reads 25125 °C."""
    read = read_text(tmp_path, "t/s;m/g;T/°C\n0;10.500;25.125\n")
    assert list(read.columns.table["mass_g"]) == [10.5]


def test_dates_are_read_by_the_one_order_that_fits(tmp_path: Path) -> None:
    row = "{} 10:00:00,1.5,20\n"
    read = read_text(tmp_path, "Time,m (g),T (°C)\n" + row.format("12/04/2026") + row.format("13/04/2026"))
    assert read.columns.table["t_s"][1] - read.columns.table["t_s"][0] == 86_400.0
    read = read_text(tmp_path, "Time,m (g),T (°C)\n" + row.format("04/12/2026") + row.format("04/13/2026"))
    assert read.columns.table["t_s"][1] - read.columns.table["t_s"][0] == 86_400.0


@pytest.mark.parametrize(
    ("header", "cells"),
    [
        ("Date,Time", ("2026-03-14,23:59:50", "2026-03-15,00:00:05")),
        ("Date,Time", ("14.03.2026,11:59:50 PM", "15.03.2026,12:00:05 AM")),
        ("Timestamp", ("1773532790", "1773532805")),
        ("Timestamp", ("1773532790000", "1773532805000")),
        ("Time", ("2026-03-14T23:59:50+01:00", "2026-03-14T23:00:05Z")),
        ("时间", ("2026年3月14日 23:59:50", "2026年3月15日 00:00:05")),
    ],
)
def test_dates_and_clocks_in_other_forms(tmp_path: Path, header: str, cells: tuple[str, str]) -> None:
    rows = "".join(f"{cell},1.5,20.5\n" for cell in cells)
    read = read_text(tmp_path, f"{header},m (g),T (°C)\n{rows}")
    assert read.columns.table["t_s"][1] - read.columns.table["t_s"][0] == pytest.approx(15.0, abs=1e-6)


def test_seconds_since_switching_on_are_not_taken_for_days(tmp_path: Path) -> None:
    """A hundred seconds must not become a hundred days in the band."""
    text = "Timestamp,m (g),T (°C)\n" + "".join(f"{25_000 + i},1.5,120.5\n" for i in range(100))
    assert "Timestamp may count a calendar's days or seconds since the logger was switched on" in refusal(
        tmp_path, text
    )
    read = read_text(tmp_path, text, "t_s=Timestamp")
    assert read.columns.table["t_s"][-1] - read.columns.table["t_s"][0] == 99.0


def test_a_clock_passes_midnight_and_never_goes_back(tmp_path: Path) -> None:
    read = read_text(tmp_path, "Time,m (g),T (°C)\n23:59:50,1.5,20\n00:00:05,1.5,20\n")
    assert read.columns.table["t_s"][1] - read.columns.table["t_s"][0] == 15.0
    assert "midnight passed 1 times" in read.read_as
    again = refusal(tmp_path, "Time,m (g),T (°C)\n23:00:00,1.5,20\n00:10:00,1.5,20\n")
    assert "t_s goes back" in again, "an hour and ten minutes without a row may be another day"
    dst = refusal(tmp_path, "Time,m (g),T (°C)\n2026-10-25 02:59:50,1.5,20\n2026-10-25 02:00:00,1.5,20\n")
    assert "t_s goes back" in dst


# columns named by a person


def test_a_header_with_a_comma_is_mapped_once_a_column(tmp_path: Path) -> None:
    text = "zeit;TG, roh;Ofen\n0;7.25;25.5\n"
    read = read_text(tmp_path, text, "t_min=zeit", "mass_mg=TG, roh", "temp_c=#3")
    assert [list(read.columns.table[q]) for q in ("t_s", "mass_g", "temp_c")] == [[0.0], [0.00725], [25.5]]
    path = tmp_path / "r.csv"
    words = ("--map", "t_min=zeit", "--map", "mass_mg=TG, roh", "--columns", "temp_c=Ofen", "--dry-run")
    assert "mass_mg from TG, roh" in command(str(path), *words).stdout


@pytest.mark.parametrize(
    ("pair", "says"),
    [
        ("mass_g", "map mass_g: write NAME=HEADER"),
        ("weight=a", "map weight: unknown: use t_s, "),
        ("mass_g=#9", "no column #9 (for mass_g): there are 3"),
        ("mass_g=none", "no column none (for mass_g): its header has "),
    ],
)
def test_a_mapping_that_cannot_be_is_one_line(tmp_path: Path, pair: str, says: str) -> None:
    with pytest.raises(BadInput) as caught:
        read_text(tmp_path, PLAIN, pair)
    assert says in str(caught.value)


def test_two_columns_of_one_name_are_mapped_by_number(tmp_path: Path) -> None:
    text = "t/s,W,W,T/°C\n0,5.25,99,25.5\n"
    assert "W: map it by its number, #2 or #3" in refusal(tmp_path, text, "mass_g=W")
    assert list(read_text(tmp_path, text, "mass_g=#2").columns.table["mass_g"]) == [5.25]


# what is left out is counted, what is cut off is not left out


def test_bad_rows_are_skipped_on_request_counted_and_said(tmp_path: Path) -> None:
    text = "t_s,mass_g,temp_c\n0,100.5,25\n1,Err,25\n2,100.5\n3,100.5,25\n4,,25\n5,100.5,25\n6,100.5,25\n"
    assert "line 3, column mass_g: 'Err' is not a number" in refusal(tmp_path, text)
    read = read_text(tmp_path, text, how=How(skip_bad_rows=True))
    assert list(read.columns.table["t_s"]) == [0.0, 3.0, 5.0, 6.0]
    said = "3 bad rows were skipped, the first: line 3, column mass_g: 'Err' is not a number"
    assert read.notes[0].startswith(said)
    result: dict[str, Any] = json.loads(command(str(tmp_path / "r.csv"), "--skip-bad-rows", "--json").stdout)
    assert any(line.startswith(said) for line in result["warnings"])


def test_a_file_of_more_bad_rows_than_good_is_refused(tmp_path: Path) -> None:
    text = "t_s,mass_g,temp_c\n0,1,25\n1,x,25\n2,x,25\n"
    assert "2 rows are bad and 1 are not" in refusal(tmp_path, text, how=How(skip_bad_rows=True))


@pytest.mark.parametrize("end", ["20,100.2", "20;100.2", "20;;25", ";100;25", "20;100.2;25;9", "end;100.2;"])
def test_a_last_row_that_is_cut_off_or_spoiled_is_no_footer(tmp_path: Path, end: str) -> None:
    assert "line 4" in refusal(tmp_path, f"{PLAIN}{end}\n")


UNITS = "Temp.;Weight;Time (s)\n0 C;1 g;1\n0.5 C;1 g;2\n"


@pytest.mark.parametrize("end", ["1 C;1 g;1x000", "1x C;;", "1 C;1 g", "1 C", "1 C;1 g;3 g;4", ";1 g;"])
def test_a_last_row_with_its_units_is_no_footer_either(tmp_path: Path, end: str) -> None:
    assert "line 4" in refusal(tmp_path, f"{UNITS}{end}\n")


def test_what_no_guessed_encoding_reads_is_no_footer(tmp_path: Path) -> None:
    text = f"{UNITS}1 C;1 g;1\xa0000\n".encode("gb18030")  # taken for Latin-1, in which its last cell is no number
    assert "line 4, column Time (s)" in refusal(tmp_path, text)


def test_a_row_after_a_footer_is_refused(tmp_path: Path) -> None:
    text = f"{PLAIN}Result\n\n20;100.1;27\n"
    assert "line 4: 1 cells where the header has 3" in refusal(tmp_path, text)
    read = read_text(tmp_path, f"{PLAIN}\nResult\nno; loss; at all\n")
    assert "2 lines of a footer left out" in read.read_as


# a mass in %


def test_a_loss_in_percent_is_judged_without_a_start_mass_and_says_so(tmp_path: Path) -> None:
    path = in_percent(tmp_path)
    result = json.loads(command(str(path), "--json").stdout)
    assert result["loss_pct"] == pytest.approx(0.3, abs=0.01)
    assert any(line.startswith("masses are in % of a start mass that nobody states") for line in result["warnings"])
    with_u = command(str(path), "--declare", "u_mass_g=0.001")
    assert isinstance(with_u.exception, BadInput)
    assert "declare start_mass_g too" in error_line(with_u.exception, cli)


def test_a_declared_start_mass_makes_grams_of_percent(tmp_path: Path) -> None:
    path = in_percent(tmp_path)
    words = ("--declare", "start_mass_g=50", "--declare", "u_mass_g=0.0001", "--json")
    result = json.loads(command(str(path), *words).stdout)
    assert result["m1_g"] == pytest.approx(50.0, abs=0.01)
    assert result["loss_pct"] == pytest.approx(0.3, abs=0.01)
    assert not any("nobody states" in line for line in result["warnings"])


# what is no file, or no text


@pytest.mark.parametrize("kind", ["pipe", "folder"])
def test_a_pipe_and_a_folder_are_refused_at_once(tmp_path: Path, kind: str) -> None:
    path = tmp_path / kind
    path.mkdir() if kind == "folder" else os.mkfifo(path)
    done = command(str(path), "--dry-run")
    assert isinstance(done.exception, BadInput)
    assert f"is a {kind}" in str(done.exception)


def test_a_file_that_becomes_a_pipe_once_it_was_looked_at_is_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "r.csv"
    os.mkfifo(pipe)
    with pytest.raises(BadRecording, match="is a pipe"):
        read_file(pipe, {}, use_counts=False, temp_is_declared=False, how=How())
    with pytest.raises(BadRecording, match="is a pipe"):
        read_run_csv(pipe)


def test_bytes_that_fit_two_encodings_are_read_where_both_say_the_same(tmp_path: Path) -> None:
    """°C in Windows-1252 is a Chinese character in GB 18030, and no unit there: one reading is left."""
    read = read_text(tmp_path, PLAIN.encode("cp1252"))
    assert ", Windows-1252, " in read.read_as
    read = read_text(tmp_path, PLAIN.replace("Temp./°C", "温度/℃").encode("gb18030"))
    assert ", GB 18030, " in read.read_as


@pytest.mark.parametrize(
    "text",
    [
        f"t_s,mass_g,temp_c\n0,1,20\n1,{'9' * 60_000}x,20\n",
        f"t_s,mass_g,temp_c\n0,1e{'0' * 60_000}1,20\n1,x,20\n",
        f"t/s,m/g,a{' ' * 60_000}b\n0,1,20\n",
        f"Time,m (g),T (°C)\n10:00:00,1.5,20\n10:00:10{' ' * 60_000}x,1.5,20\n",
        f"Sig{'1' * 60_000} Time (min)\n1 2 3\n",
        f"[00:00:00][D][sensor:094]: 'a': Sending state {'x' * 60_000}\n",
        f"[step]\nx\nTime\tTemperature\tWeight\nmin\t°C\tmg\n0.1\t30.0\t10.0\n{'y' * 60_000}\tx\n0.2\t30\t10\n",
    ],
)
def test_what_is_made_to_take_long_is_refused(tmp_path: Path, text: str) -> None:
    """Each of these would keep a careless pattern busy for minutes, or make Python refuse to count its digits."""
    assert refusal(tmp_path, text)
