"""Encodings, digits and headers that are not ours: read right, or refused with a word that says what it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.errors import BadInput
from edge.replay.columns import parse_columns
from edge.replay.reading import How, ReadFile, read_file

TABLE = "Time/s;Mass/g;Temp./°C\n0;100.5;25\n10;100.25;26\n"
RUSSIAN = "Время (с);Масса (г);Температура (°C)\n0;100.5;25\n10;100.25;26\n"
KOREAN = "시간(s),무게(g),온도(℃)\n0,100.5,25\n10,100.25,26\n"
TRADITIONAL = "時間(s),重量(g),溫度(℃)\n0,100.5,25\n10,100.25,26\n"


def read(folder: Path, content: bytes, *pairs: str) -> ReadFile:
    path = folder / "r.csv"
    path.write_bytes(content)
    return read_file(path, parse_columns("", pairs), use_counts=False, temp_is_declared=False, how=How())


def refusal(folder: Path, content: bytes, *pairs: str) -> str:
    with pytest.raises(BadInput) as caught:
        read(folder, content, *pairs)
    line = str(caught.value)
    assert len(line.splitlines()) == 1
    return line


def masses(found: ReadFile) -> list[float]:
    return found.columns.table["mass_g"].tolist()


# encodings


@pytest.mark.parametrize("encoding", ["utf-32", "utf-32-le", "utf-32-be"])
def test_utf_32_is_read_with_and_without_its_mark(tmp_path: Path, encoding: str) -> None:
    found = read(tmp_path, TABLE.encode(encoding))
    assert masses(found) == [100.5, 100.25]
    assert ", UTF-32, " in found.read_as


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_still_known_from_it(tmp_path: Path, encoding: str) -> None:
    assert ", UTF-16, " in read(tmp_path, TABLE.encode(encoding)).read_as


@pytest.mark.parametrize(
    ("text", "encoding"),
    [(RUSSIAN, "cp1251"), (RUSSIAN, "koi8-r"), (KOREAN, "euc-kr"), (TRADITIONAL, "big5"), (RUSSIAN, "mac-cyrillic")],
)
def test_a_header_in_an_encoding_that_is_not_read_is_called_that_and_not_shown_garbled(
    tmp_path: Path, text: str, encoding: str
) -> None:
    for pairs in ((), ("mass_g=Масса (г)",)):
        line = refusal(tmp_path, text.encode(encoding), *pairs)
        assert "is not in UTF-8" in line
        assert "save it as UTF-8" in line
        assert line.removeprefix(str(tmp_path)).isascii(), line
    mapped = read(tmp_path, text.encode(encoding), "t_s=#1", "mass_g=#2", "temp_c=#3")
    assert masses(mapped) == [100.5, 100.25]  # as the line says


def test_where_the_header_is_plain_its_names_are_what_is_wrong(tmp_path: Path) -> None:
    line = refusal(tmp_path, "Time;Mass;Temp;Bemerkung\n0;100.5;25;größer\n".encode("cp1252"))
    assert "the header has Time, Mass, Temp, Bemerkung" in line
    assert "UTF-8" not in line


# digits

FULL_WIDTH = str.maketrans(
    "0123456789.:/", "\uff10\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18\uff19\uff0e\uff1a\uff0f"
)
ARABIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
TIMES = {
    "clock": ("10:00:00", "10:00:10"),
    "date and clock": ("2026/04/13 10:00:00", "2026/04/13 10:00:10"),
    "seconds since 1970": ("1776074400000", "1776074410000"),
    "day of a calendar": ("46000.5", "46000.500115740739"),
}
HEAD = "Datetime;Mass/g;Temp./°C\n"


@pytest.mark.parametrize("times", list(TIMES.values()), ids=list(TIMES))
def test_full_width_digits_are_digits_in_numbers_and_in_times(tmp_path: Path, times: tuple[str, str]) -> None:
    rows = "".join(f"{t};{m};25.5\n" for t, m in zip(times, ("100.5", "100.25"), strict=True))
    plain, wide = (read(tmp_path, (HEAD + r).encode()) for r in (rows, rows.translate(FULL_WIDTH)))
    assert masses(wide) == masses(plain) == [100.5, 100.25]
    assert wide.columns.table["t_s"].tolist() == plain.columns.table["t_s"].tolist()
    assert plain.columns.table["t_s"][1] - plain.columns.table["t_s"][0] == pytest.approx(10.0, abs=1e-3)
    assert wide.columns.digit == plain.columns.digit


@pytest.mark.parametrize("times", list(TIMES.values()), ids=list(TIMES))
def test_digits_of_another_script_are_refused_in_times(tmp_path: Path, times: tuple[str, str]) -> None:
    rows = "".join(f"{t};100.5;25.5\n" for t in times)
    assert refusal(tmp_path, (HEAD + rows.translate(ARABIC).replace("١٠٠.٥;٢٥.٥", "100.5;25.5")).encode())
    second = rows.splitlines()[1].split(";")[0]
    line = refusal(tmp_path, (HEAD + rows.replace(second, second.translate(ARABIC))).encode())
    assert "other digits than 0 to 9" in line


@pytest.mark.parametrize("cell", ["١٠٠٫٥", "١٠٠", "१००.५", "100.٥"])
def test_digits_of_another_script_are_refused_in_numbers(tmp_path: Path, cell: str) -> None:
    for rows in (f"0;{cell};25\n10;100.25;26\n", f"0;100.5;25\n10;{cell};26\n", f"0;{cell} g;25\n10;{cell} g;26\n"):
        line = refusal(tmp_path, ("Time/s;Mass/g;Temp./°C\n" + rows).encode())
        assert "other digits than 0 to 9" in line


# a word behind a unit


@pytest.mark.parametrize(
    ("header", "says"),
    [
        ("Time (s) since hold;Mass/g;Temp./°C", "Time (s) since hold would be t_s but for 'since hold'"),
        ("Time/s;Mass (g) sd;Temp./°C", "Mass (g) sd would be mass_g but for 'sd'"),
        ("Time/s;Mass/g;Temp (°C) setpoint", "Temp (°C) setpoint would be temp_c but for 'setpoint'"),
    ],
)
def test_a_word_behind_a_unit_is_named_where_it_is_why_a_column_is_not_read(
    tmp_path: Path, header: str, says: str
) -> None:
    line = refusal(tmp_path, f"{header}\n0;100.5;25\n10;100.25;26\n".encode())
    assert says in line
    assert ": map it" in line
