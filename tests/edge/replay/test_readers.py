"""Readers: a made-up sample of each format gives the numbers that stand in it, and what it leaves open is one line."""

from __future__ import annotations

from pathlib import Path

import pytest
from repository import CASES

from edge.errors import BadInput
from edge.replay.columns import parse_columns
from edge.replay.readers import READERS
from edge.replay.reading import How, ReadFile, read_file

MOF = "\tTime\tUnsubtracted\tProgram\tSample\n\t \tWeight\tTemperature\tTemperature\n"
UUID = "1c7ef7a0-9f0b-4d29-a0c6-0c0ffee0c0de"
SAMPLES: dict[str, tuple[str, tuple[str, ...], list[tuple[float, ...]]]] = {
    "NETZSCH Proteus text": (
        "#EXPORTTYPE:DATA SINGLE\n#FORMAT:NETZSCH5\n#DECIMAL:COMMA\n#SEPARATOR:SEMICOLON\n#SAMPLE MASS /mg:20,5\n\n"
        "##Temp./°C;Time/min;Mass/%\n 25,50000; 0,00000;100,00000\n 26,00000; 0,50000;99,00000\n",
        (),
        [(0.0, 0.0205, 25.5), (30.0, 0.020295, 26.0)],
    ),
    "Mettler STARe text": (
        "Curve Name:\n  x\nCurve Values:\n     Index        t       Ts       Tr    Value\n"
        "               [s]     [°C]     [°C]     [mg]\n      0     0   36.6   35.0  12.8009\n"
        "      1     2   37.1   36.0  12.8001\n",
        (),
        [(0.0, 0.0128009, 36.6), (2.0, 0.0128001, 37.1)],
    ),
    "TA Universal Analysis text": (
        "CLOSED\nSize\t7.5\tmg\nNsig\t3\nSig1\tTime (min)\nSig2\tTemperature (°C)\nSig3\tWeight (mg)\n"
        "Date\t2020-10-27\nOrgFile\tx\n.5 46.875 7.490540\n1.0 47.0 7.48\n",
        (),
        [(30.0, 0.00749054, 46.875), (60.0, 0.00748, 47.0)],
    ),
    "TA TRIOS text": (
        "Filename\tx.tri\nInstrument name\tTGA 550\nSample mass\t10.0 mg\n\n[step]\nRamp 10.0 °C/min to 120.0 °C\n"
        "Time\tTemperature\tWeight\nmin\t°C\tmg\n0.1\t30.0\t10.0\n0.2\t31.5\t9.99\n\n[step]\nIsothermal 360.0 min\n"
        "Time\tTemperature\tWeight\nmin\t°C\tmg\n0.3\t33.0\t9.98\n",
        (),
        [(6.0, 0.01, 30.0), (12.0, 0.00999, 31.5), (18.0, 0.00998, 33.0)],
    ),
    "PerkinElmer Pyris text": (
        "Filename:\tx.tg8d\nSample Weight:\t7.026 mg\nMethod Steps:\n1)\tHold for 1.0 min at 50.00°C\n\n"
        f"1) TGA Isothermal\n{MOF}\t0.0\t7.02\t50.0\t49.81\n2) TGA Temperature Scan\n\t0.5\t7.01\t60.0\t49.9\n",
        (),
        [(0.0, 0.00702, 49.81), (30.0, 0.00701, 49.9)],
    ),
    "PerkinElmer Pyris CSV": (
        "Time,Unsubtracted Weight,Baseline Weight,Program Temperature,Sample Temperature\n0,7.02,0,50,49.81\n"
        "0.5,7.01,0,60,49.9\n",
        (),
        [(0.0, 0.00702, 49.81), (30.0, 0.00701, 49.9)],
    ),
    "InfluxDB annotated CSV": (
        "#group,false,false,false,false,true\n#datatype,string,long,dateTime:RFC3339,double,string\n#default,_r,,,,\n"
        ",result,table,_time,_value,_field\n,,0,2026-03-14T00:00:00Z,10.5,mass_g\n,,0,2026-03-14T00:00:10Z,10.4,mass_g\n\n"
        "#group,false,false,false,false,true\n#datatype,string,long,dateTime:RFC3339,double,string\n#default,_r,,,,\n"
        ",result,table,_time,_value,_field\n,,1,2026-03-14T00:00:00.5Z,25,temp_c\n,,1,2026-03-14T00:00:10.5Z,26,temp_c\n",
        (),
        [(0.0, 10.5, 25.0), (10.0, 10.4, 26.0)],
    ),
    "ESPHome log": (
        "[23:59:55][I][app:100]: ESPHome version 2025.2.0\n"
        "[23:59:55][D][sensor:094]: 'Scale': Sending state 18043.50000 g with 1 decimals of accuracy\n"
        "[23:59:55][D][sensor:094]: 'Oven': Sending state 119.75000 °C with 2 decimals of accuracy\n"
        "[00:00:05][D][sensor:094]: 'Scale': Sending state 18043.40000 g with 1 decimals of accuracy\n"
        "[00:00:06][D][sensor:094]: 'Oven': Sending state 120.00000 °C with 2 decimals of accuracy\n",
        (),
        [(86_395.0, 18043.5, 119.75), (86_405.0, 18043.4, 120.0)],
    ),
    "beescale": (
        "Date,Gewicht Kiste1,Innentemperatur,Vin,Helligkeit,Gewicht Kiste2\n"
        "2017/03/07 00:03:12,17.971,20.50,0,0,11.086\n2017/03/07 00:05:12,17.975,20.56,0,0,11.090\n",
        ("mass_kg=Gewicht Kiste1",),
        [(0.0, 17971.0, 20.5), (120.0, 17975.0, 20.56)],
    ),
    "Mycodo export": (
        f"timestamp (UTC),Scale mass ({UUID}),temp_c\n2026-03-14 00:00:00.123,100.5,25\n"
        "2026-03-14 00:00:15.123,100.4,26\n",
        ("mass_g=#2",),
        [(0.0, 100.5, 25.0), (15.0, 100.4, 26.0)],
    ),
    "Home Assistant history": (
        "entity_id,state,last_changed\nsensor.scale,100.5,2026-03-14T00:00:00.000Z\n"
        "sensor.scale,100.4,2026-03-14T00:00:10.000Z\nsensor.oven,119.0,2026-03-14T00:00:00.000Z\n"
        "sensor.oven,120.0,2026-03-14T00:00:10.000Z\n",
        ("mass_g=sensor.scale", "temp_c=sensor.oven"),
        [(0.0, 100.5, 119.0), (10.0, 100.4, 120.0)],
    ),
    "LabVIEW measurement file": (
        "LabVIEW Measurement\t\nWriter_Version\t2\nSeparator\tTab\nDecimal_Separator\t,\nX_Columns\tOne\n"
        "***End_of_Header***\t\n\t\nChannels\t2\t\nY_Unit_Label\tg\tDeg C\nX_Dimension\tTime\tTime\n"
        "***End_of_Header***\t\t\nX_Value\tScale\tOven\tComment\n0,000000\t196,5\t25,5\n10,000000\t196,4\t26,5\t\n",
        ("mass_g=Scale", "temp_c=Oven"),
        [(0.0, 196.5, 25.5), (10.0, 196.4, 26.5)],
    ),
    "table of one value a row": (
        "sep=;\nSeries;Time;Value\nmass;2026-03-14T00:00:00+01:00;10.5\nmass;2026-03-14T00:00:10+01:00;10.4\n"
        "oven;2026-03-14T00:00:00+01:00;25\noven;2026-03-14T00:00:10+01:00;26\n",
        ("mass_g=mass", "temp_c=oven"),
        [(0.0, 10.5, 25.0), (10.0, 10.4, 26.0)],
    ),
    "serial monitor": (
        "12:00:01.125 -> Weight (g),Temp (C)\n12:00:02.125 -> 196.34,25.5\n12:00:03.125 -> 196.33,26.5\n",
        (),
        [(43_202.125, 196.34, 25.5), (43_203.125, 196.33, 26.5)],
    ),
    "CSV": (
        "Zeit/min;TG/%;Temp./°C\n0;100,0;25,5\n0,5;99,5;26,0\n",
        (),
        [(0.0, 100.0, 25.5), (30.0, 99.5, 26.0)],
    ),
}
HEADS = {
    "mettler_head.txt": ("Mettler STARe text", 28, (0.0, 0.0128009, 36.625), (27.0, 0.0128035, 47.914)),
    "netzsch_head.txt": ("NETZSCH Proteus text", 11, (0.0, 0.0089090627, 27.141), (267.4104, 0.0088363597, 52.141)),
    "trios_ta_head.txt": (
        "TA Universal Analysis text",
        28,
        (0.224, 0.00749054, 46.87907),
        (23.0, 0.007409462, 47.44597),
    ),
    "decimal_comma.csv": ("CSV", 3, (0.0, 0.999998, 120.03), (20.0, 1.00001, 120.03)),
    "hhmmss.csv": ("CSV", 5, (0.0, 0.999998, 120.03), (40.0, 0.999991, 120.09)),
    "tga.csv": ("CSV", 3456, (0.0, 100.0013, 25.0725), None),
    "trios_twice.csv": ("CSV", 1, (0.0, 0.005, 25.0), (0.0, 0.005, 25.0)),
}
"""Rows, and the first and the last of each, as they stand in the file, in s, g and °C: 99.98948 % of 8.91 mg."""


def read_text(tmp_path: Path, text: str, *pairs: str, how: How | None = None) -> ReadFile:
    path = tmp_path / "file.txt"
    path.write_text(text, encoding="utf-8")
    mapped = parse_columns("", pairs)
    return read_file(path, mapped, use_counts=False, temp_is_declared=False, how=how or How())


def refusal(tmp_path: Path, text: str, *pairs: str) -> str:
    with pytest.raises(BadInput) as caught:
        read_text(tmp_path, text, *pairs)
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


def numbers(read: ReadFile) -> list[tuple[float, ...]]:
    table = read.columns.table
    return list(zip(table["t_s"], table["mass_g"], table["temp_c"], strict=True))


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_of_each_format_gives_the_numbers_that_stand_in_it(tmp_path: Path, name: str) -> None:
    text, pairs, right = SAMPLES[name]
    read = read_text(tmp_path, text, *pairs)
    assert read.read_as.startswith(f"{name}, UTF-8, ")
    found = numbers(read)
    if right[0][0] == 0.0:  # a calendar's seconds are told by their differences
        found = [(t_s - found[0][0], grams, temp) for t_s, grams, temp in found]
    assert [row == pytest.approx(other, rel=1e-9) for row, other in zip(found, right, strict=True)] == [True] * len(
        right
    )


def test_every_reader_has_a_sample_above() -> None:
    assert {reader.name for reader in READERS} == set(SAMPLES)


@pytest.mark.skipif(not CASES.is_dir(), reason="the inputs that were read wrongly (../shared/cases) are not here")
@pytest.mark.parametrize("name", HEADS)
def test_the_heads_of_real_files_are_read(name: str) -> None:
    kind, rows, first, last = HEADS[name]
    read = read_file(CASES / name, {}, use_counts=False, temp_is_declared=False, how=How())
    assert read.read_as.startswith(f"{kind}, ")
    found = numbers(read)
    assert len(found) == rows
    assert found[0] == pytest.approx(first, rel=1e-6)
    assert last is None or found[-1] == pytest.approx(last, rel=1e-6)


# changes only: held, and said

HISTORY = "entity_id,state,last_changed\n"


def history(entity: str, *states: tuple[float, str]) -> str:
    return "".join(
        f"sensor.{entity},{state},2026-03-14T{s // 3600:02.0f}:{s // 60 % 60:02.0f}:{s % 60:02.0f}.000Z\n"
        for s, state in states
    )


NAMED = ("mass_g=sensor.scale", "temp_c=sensor.oven")


def test_a_value_of_changes_only_is_held_until_the_next_and_no_longer_than_stated(tmp_path: Path) -> None:
    text = HISTORY + history("scale", (0, "100.5"), (2000, "100.4")) + history("oven", (0, "120"), (2000, "120.5"))
    read = read_text(tmp_path, text, *NAMED, how=How(held_at_most_s=50.0))
    start = read.columns.table["t_s"][0]
    times = [t_s - start for t_s in read.columns.table["t_s"]]
    assert times == [0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 2000.0]
    assert list(read.columns.table["mass_g"]) == [100.5] * 6 + [100.4]
    assert read.columns.facts.held_rows == 5
    assert (
        "writes changes only: values were held until the next, for at most 50 s (5 rows rest on one)" in read.notes[0]
    )
    assert read.notes[0] in read.read_as


def test_nothing_is_held_over_unavailable(tmp_path: Path) -> None:
    text = HISTORY + history("scale", (0, "100.5"), (15, "unavailable"), (40, "100.4")) + history("oven", (0, "120"))
    read = read_text(tmp_path, text, *NAMED)
    start = read.columns.table["t_s"][0]
    assert [t_s - start for t_s in read.columns.table["t_s"]] == [0.0, 10.0, 40.0]


def test_a_history_without_units_names_its_entities(tmp_path: Path) -> None:
    text = HISTORY + history("scale", (0, "100.5")) + history("oven", (0, "120"))
    line = refusal(tmp_path, text)
    assert "nothing is named as mass_g and temp_c: map it with its unit; there is sensor.scale, sensor.oven" in line


def test_a_state_that_is_no_number_is_one_line(tmp_path: Path) -> None:
    text = HISTORY + history("scale", (0, "heavy")) + history("oven", (0, "120"))
    assert "line 2: 'heavy' is not a number" in refusal(tmp_path, text, *NAMED)


def test_values_that_were_not_written_together_are_not_joined(tmp_path: Path) -> None:
    """A log that does not say that it writes changes only: 3 s apart are two moments."""
    line = "[00:00:{:02d}][D][sensor:094]: '{}': Sending state {} {} with 1 decimals of accuracy\n"
    text = line.format(0, "Scale", 100, "g") + line.format(3, "Oven", 120, "°C")
    assert "no mass was written within 2 s of a temperature" in refusal(tmp_path, text)


def test_two_sensors_of_masses_are_a_question(tmp_path: Path) -> None:
    line = "[00:00:00][D][sensor:094]: '{}': Sending state {} {} with 1 decimals of accuracy\n"
    text = line.format("Scale", 100, "g") + line.format("Other", 5, "g") + line.format("Oven", 120, "°C")
    assert "Scale and Other may both be mass_g" in refusal(tmp_path, text)
    read = read_text(tmp_path, text, "mass_g=Other")
    assert list(read.columns.table["mass_g"]) == [5.0]


def test_two_series_of_one_field_are_not_mixed(tmp_path: Path) -> None:
    text, _, _ = SAMPLES["InfluxDB annotated CSV"]
    assert "mass_g is of two series (0 and 2)" in refusal(tmp_path, text + ",,2,2026-03-14T00:00:20Z,3,mass_g\n")


def test_two_hives_are_a_question(tmp_path: Path) -> None:
    text, _, _ = SAMPLES["beescale"]
    line = refusal(tmp_path, text)
    assert "Gewicht Kiste1 and Gewicht Kiste2 may both be mass_g: say which, mass_kg=Gewicht Kiste1 or" in line


def test_steps_with_other_columns_are_refused(tmp_path: Path) -> None:
    text, _, _ = SAMPLES["TA TRIOS text"]
    other = text + "\n[step]\nx\nTime\tWeight\tTemperature\nmin\tmg\t°C\n0.4\t9.97\t35.0\n"
    assert "line 20: another header begins here: cut the file there" in refusal(tmp_path, other)
