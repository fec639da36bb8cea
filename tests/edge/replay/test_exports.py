"""What programs really write: each export gives the right numbers, or one line that says what was not understood."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.errors import BadInput
from edge.replay.columns import parse_columns
from edge.replay.reading import How, read_file

ROWS = [(0.0, 196.5, 25.5), (10.0, 196.25, 26.5)]
NETZSCH = (
    "#SEPARATOR:SEMICOLON\n#DECIMAL:POINT\n#RANGE:30°C/10.0(K/min)/120°C\n#SAMPLE MASS /mg:20.5\n"
    "##Temp./°C;Time/min;Mass/%\n 25.5; 0.0;100.0\n 26.5;0.5;99.0\n"
)
STAR = (
    "Curve Name:\n  TGA\nCurve Values:\n  Index  t  Ts  Tr  Value\n         [s]  [°C]  [°C]  [mg]\n"
    "  0  0  25.5  25.0  20.5\n  1  10  26.5  26.0  20.25\nResults:\n  Step  -5.1 %\n"
)
INFLUX = (
    "#group,false,false,false,false,true\n#datatype,string,long,dateTime:RFC3339,double,string\n#default,_r,,,,\n"
    ",result,table,_time,_value,_field\n,,0,2026-03-14T00:00:00Z,196.5,mass_g\n,,0,2026-03-14T00:00:10Z,196.25,mass_g\n"
    "\n#group,false,false,true,false,false,true\n#datatype,string,long,string,double,dateTime:RFC3339,string\n"
    "#default,_r,,,,,\n,result,table,host,_value,_time,_field\n,,1,pi,25.5,2026-03-14T00:00:00Z,temp_c\n"
    ",,1,pi,26.5,2026-03-14T00:00:10Z,temp_c\n"
)
HISTORY = (
    "entity_id,state,last_changed\nsensor.scale,unavailable,2026-03-13T23:59:50.000Z\n"
    "sensor.scale,196.5,2026-03-14T00:00:00.000Z\nsensor.scale,196.25,2026-03-14T00:00:10.000Z\n"
    "sensor.oven,25.5,2026-03-14T00:00:00.000Z\nsensor.oven,26.5,2026-03-14T00:00:10.000Z\n"
)
SCALE, OVEN = "mass_g=sensor.scale", "temp_c=sensor.oven"
TABLE = "Time/s;Mass/g;Temp./°C\n0;196.5;25.5\n10;196.25;26.5\n"
READ: dict[str, tuple[str, tuple[str, ...]]] = {
    "Influx, tables of different headers": (INFLUX, ()),
    "Influx, no annotations": (f"{INFLUX.split(chr(10) * 2)[0].partition('#default,_r,,,,')[2].strip()}\n"
                               ",,1,2026-03-14T00:00:00Z,25.5,temp_c\n,,1,2026-03-14T00:00:10Z,26.5,temp_c\n", ()),
    "Influx 1": ("name,time,mass_g,temp_c\nr,1773446400000000000,196.5,25.5\nr,1773446410000000000,196.25,26.5\n", ()),
    "Home Assistant": (HISTORY, (SCALE, OVEN)),
    "Home Assistant, saved by a spreadsheet": (HISTORY.replace(",", ";"), (SCALE, OVEN)),
    "Grafana, units in cells": (
        '"Time","mass","oven"\n"2026-03-14 00:00:00","196.5 g","25.5 °C"\n"2026-03-14 00:00:10","196.25 g","26.5 °C"\n',
        ("mass_g=mass", "temp_c=oven"),
    ),
    "Grafana, ms": ("Time,mass_g,temp_c\n1773446400000,196.5,25.5\n1773446410000,196.25,26.5\n", ()),
    "ESPHome, later": (
        "\x1b[0;36m[12:00:01.000][D][sensor:131]: 'Scale' >> 196.50 g\x1b[0m\n"
        "[12:00:01.001][D][sensor:131]: 'Oven' >> 25.5 °C\n"
        "[12:00:11.000][D][sensor:131]: 'Scale' >> 196.25 g\n[12:00:11.001][D][sensor:131]: 'Oven' >> 26.5 °C\n",
        (),
    ),
    "serial monitor without a header": (
        "12:00:01.000 -> 196.5\t25.5\n12:00:11.000 -> 196.25\t26.5\n", ("t_s=#1", "mass_g=#2", "temp_c=#3")
    ),
    "no header": ("0 196.5 25.5\n10 196.25 26.5\n", ("t_s=#1", "mass_g=#2", "temp_c=#3")),
    "a time and a unit before each value": (
        "10:00:00 196.5 g 25.5\n10:00:10 196.25 g 26.5\n", ("t_s=#1", "mass_g=#2", "temp_c=#4")
    ),
    "PuTTY": ("=~=~= PuTTY log 2026.03.14 10:00:00 =~=~=\nt_s,mass_g,temp_c\r\n0,196.5,25.5\r\n10,196.25,26.5\r\n", ()),
    "header again": (TABLE.replace("10;", "Time/s;Mass/g;Temp./°C\n10;"), ()),
    "a comment between": (TABLE.replace("10;", "# paused\n10;"), ()),
    "names with line ends": ('"Time\n(s)","Mass\n(g)","Temp.\n(°C)"\n0,196.5,25.5\n10,196.25,26.5\n', ()),
    "names with blanks, between blanks": ("Time (s)   Sample Mass (g)  T (°C)\n0  196.5  25.5\n10  196.25  26.5\n", ()),
    "a separator behind each row": (TABLE.replace("5\n", "5;\n"), ()),
    "units behind numbers": (TABLE.replace("6.5;", "6.5 g;").replace("6.25;", "6.25 g;"), ()),
    "full-width": ("时间（秒）,质量（克）,温度（℃）\n０,１９６．５,２５．５\n１０,１９６．２５,２６．５\n", ()),
    "a blank behind the sign": (TABLE.replace(";196", ";+ 196"), ()),
    "other minus signs": (TABLE.replace(";196", ";＋196"), ()),
    "German date of two digits": (
        "Datum;Uhrzeit;Masse (g);T (°C)\n31.12.25;23:59:55;196,5;25,5\n01.01.26;00:00:05;196,25;26,5\n", ()
    ),
    "a month's name": ("Time;m (g);T (°C)\n14-Mar-2026 23:59:55;196.5;25.5\n15-Mar-2026 00:00:05;196.25;26.5\n", ()),
    "Chinese afternoon": (
        "时间,质量(g),温度(℃)\n2026/3/14 上午 11:59:55,196.5,25.5\n2026/3/14 下午 12:00:05,196.25,26.5\n", ()
    ),
    "AM and PM": ("Time,m (g),T (°C)\n3/13/2026 11:59:55 PM,196.5,25.5\n3/14/2026 12:00:05 AM,196.25,26.5\n", ()),
    "MATLAB": (f"Date,m (g),T (°C)\n740055.5,196.5,25.5\n{740055.5 + 10 / 86400!r},196.25,26.5\n", ()),
    "a unit of its own": (
        "Time (s);Weight;Unit;T (°C)\n0;196.5;g;25.5\n10;196.25;g;26.5\n", ("mass_g=Weight",)
    ),
    "flags behind a mass": ("0;196.5;S;25.5\n10;196.25;D;26.5\n", ("t_s=#1", "mass_g=#2", "temp_c=#4")),
    "a row's number without a name": (",t_s,mass_g,temp_c\n0,0,196.5,25.5\n1,10,196.25,26.5\n", ()),
    "a day beside elapsed seconds": (
        "Date;Time (s);m (g);T (°C)\n14.03.2026;0;196.5;25.5\n14.03.2026;10;196.25;26.5\n", ()
    ),
}  # fmt: skip
REFUSED: dict[str, tuple[str, tuple[str, ...], str]] = {
    "ounces": (TABLE.replace("Mass/g", "Mass/oz"), (), "Mass/oz is in oz, which is not read: convert it"),
    "megagrams": (TABLE.replace("Mass/g", "Mass (Mg)"), (), "no column mass_g"),
    "a loss in %": (TABLE.replace("Mass/g", "Mass loss/%"), (), "no column mass_g"),
    "a change in %": (
        "Time/s;TG/%;Temp./°C\n0;0.001;25.5\n10;-0.45;26.5\n", (), "TG/% begins at 0.001 %: it is a change or a"
    ),
    "mapped in another unit": (TABLE.replace("Mass/g", "Mass/mg"), ("mass_g=Mass/mg",), "map it as mass_mg, or, where"),
    "cells in another unit": (TABLE.replace("6.5;", "6.5 mg;"), (), "Mass/g is read as mass_g, and its cells"),
    "a unit that changes": (TABLE.replace("6.5;", "6.5 g;"), (), "'196.25' is not in g, as the first row is"),
    "another unit in a log": (
        "[12:00:01][D][sensor:094]: 'Scale': Sending state 0.2 kg with 1 decimals of accuracy\n", ("mass_g=Scale",),
        "Scale is in kg and named mass_g: map it as mass_kg",
    ),
    "two things under one header": (
        "entity_id,start,mean,max\nscale,2026-03-14 00:00,196.5,9\noven,2026-03-14 01:00,120,9\n",
        ("t_s=start", "mass_g=mean", "temp_c=max"),
        "entity_id is oven here and scale above",
    ),
    "two balances, numbered": (
        "device,time,mass (g),temp (°C)\n1,2026-03-14 00:00:00,196.5,25.5\n2,2026-03-14 00:00:05,96.5,25.5\n", (),
        "line 3: device is 2 here and 1 above",
    ),
    "two samples": (TABLE.replace("\n", ";A\n").replace("Temp./°C;A", "Temp./°C;Sample") + "20;9;27;B\n", (),
                    "line 4: Sample is B here and A above"),
    "a scale behind the unit": (TABLE.replace("Temp./°C", "Temp (°C) x10"), (), "no column temp_c"),
    "seconds over sixty": (TABLE.replace("Time/s", "Time (s)/60"), (), "no column t_s"),
    "a setpoint": (TABLE.replace("Temp./°C", "Temp (°C) setpoint"), (), "no column temp_c"),
    "a scatter": (TABLE.replace("Mass/g", "Mass (g) sd"), (), "no column mass_g"),
    "what was lost": (TABLE.replace("Mass/g", "Mass/g, lost"), (), "no column mass_g"),
    "two units in one header": (TABLE.replace("Mass/g", "Mass [g] [%]"), (), "no column mass_g"),
    "a unit of its own that changes": (
        "Time (s);Weight;Unit;T (°C)\n0;196.5;g;25.5\n10;196250;mg;26.5\n", ("mass_g=Weight",),
        "line 3: Unit says mg, and Weight is read as mass_g",
    ),
    "a unit of its own, without a header": (
        "0;0.1965;kg;25.5\n10;0.19625;kg;26.5\n", ("t_s=#1", "mass_g=#2", "temp_c=#4"), "#3 says kg, and #2 is read"
    ),
    "a unit in a history": (
        HISTORY.replace("\n", ",kg\n").replace("changed,kg", "changed,unit_of_measurement"), (SCALE, OVEN),
        "sensor.scale is in kg and named mass_g: map it as mass_kg",
    ),
    "ounces in a log": (
        "[12:00:01][D][sensor:094]: 'Scale': Sending state 6.9 oz with 1 decimals of accuracy\n", ("mass_g=Scale",),
        "Scale is in oz, which is not read",
    ),
    "decimal commas between commas": (
        "t_s,mass_g,temp_c,,\n0,196,5,25,5\n10,196,25,26,5\n", (), "column 4 has no name and holds 25"
    ),
    "two specimens under a name": (
        TABLE.replace("\n", ";A\n").replace("Temp./°C;A", "Temp./°C;Name") + "20;196.9;27;B\n", (),
        "line 4: Name is B here and A above",
    ),
    "two topics without a header": (
        "10:00:00 rig/scale 196.5 25\n10:00:00 rig/oven 25.5 25\n", ("t_s=#1", "mass_g=#3", "temp_c=#4"),
        "#2 is rig/oven here and rig/scale above",
    ),
    "another header": (TABLE + "Time/s;Temp./°C;Mass/g\n20;27;196\n", (), "line 4: another header begins here"),
    "a zone in some rows": (
        "Time;m (g);T (°C)\n2026-10-25 02:59:55+02:00;196.5;25.5\n2026-10-25 03:00:05;196.25;26.5\n", (),
        "has no zone, unlike the rows above",
    ),
    "two orders of a date": (
        "Time,m (g),T (°C)\n03/04/2026 23:59:55,196.5,25.5\n04/04/2026 00:00:05,196.25,26.5\n", (),
        "03/04/2026 to 04/04/2026 may have the day first or the month first",
    ),
    "two orders in a table of one value a row": (
        "series,time,value\nmass_g,03/04/2026 10:00:00,1.5\nmass_g,04/04/2026 10:00:00,1.5\n", (), "the month first"
    ),
    "three orders of a date": (
        "Time,m (g),T (°C)\n01/02/03 23:59:55,196.5,25.5\n02/02/03 00:00:05,196.25,26.5\n", (), "may have the day first"
    ),
    "a date that is none": (
        "Date,Time,m (g),T (°C)\nSaturday,23:59:55,196.5,25.5\n", (), "Date begins with 'Saturday', which is no date"
    ),
    "minutes and tenths": ("Time,m (g),T (°C)\n59:55.0,196.5,25.5\n", (), "Time begins with '59:55.0', which is no"),
    "a decimal comma in a history": (HISTORY.replace("196.25", '"196,250"'), (SCALE, OVEN), "may have a decimal comma"),
    "ms under t_s": ("t_s,mass_g,temp_c\n1773446400000,1,20\n", (), "map them as t_ms (t_us, t_ns)"),
    "a table without a value": (INFLUX + "\n,error,reference\n,no,897\n", (), "3 cells where the header has 6"),
    "a line that is no row": (
        "12:00:01.000 -> t_s,mass_g,temp_c\n12:00:02.000 -> 1,2,3\nbrown-out\n12:00:03.000 -> 2,2,3\n", (),
        "line 3: 1 cells where the header has 4",
    ),
    "NETZSCH, the change of mass": (NETZSCH.replace("Mass/%", "Mass Change/%"), (), "no column mass_g"),
    "STARe, two curves": (STAR + STAR, (), "line 8: 1 cells where the header has 5"),
    "STARe, the reference's temperature alone": (
        "Index  t  Tr  Value\n  [s]  [°C]  [mg]\n0  0  25.5  20.5\n", (), "no column temp_c"
    ),
}  # fmt: skip


def read(folder: Path, text: str, pairs: tuple[str, ...], encoding: str = "utf-8") -> list[tuple[float, ...]]:
    path = folder / "export.txt"
    path.write_bytes(text.encode(encoding))
    table = read_file(path, parse_columns("", pairs), use_counts=False, temp_is_declared=False, how=How()).columns.table
    first_s = table["t_s"][0]
    rows = zip(table["t_s"], table["mass_g"], table["temp_c"], strict=True)
    return [(t_s - first_s, grams, temp) for t_s, grams, temp in rows]


@pytest.mark.parametrize("name", READ)
def test_what_a_program_writes_is_read_as_it_means_it(tmp_path: Path, name: str) -> None:
    text, pairs = READ[name]
    found = read(tmp_path, text, pairs)
    assert [row == pytest.approx(right, abs=1e-4) for row, right in zip(found, ROWS, strict=True)] == [True, True]


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_understood_is_one_line_that_says_what(tmp_path: Path, name: str) -> None:
    text, pairs, says = REFUSED[name]
    with pytest.raises(BadInput) as caught:
        read(tmp_path, text, pairs)
    assert len(str(caught.value).splitlines()) == 1
    assert says in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        NETZSCH,
        NETZSCH.replace(":", ":,", 4).replace("SEMICOLON", "COMMA").replace("; ", ",").replace(";", ","),
        "#EXPORTTYPE:DATA ALL\n#FORMAT:NETZSCH5\n" + NETZSCH,
    ],
)
def test_a_netzsch_file_states_its_sample_mass_however_its_preamble_is_written(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text, (), "cp1252") == [(0.0, 0.0205, 25.5), (30.0, pytest.approx(0.020295), 26.5)]


@pytest.mark.parametrize("order", ["t  Ts  Tr", "t  Tr  Ts", "t  Ts"])
def test_a_star_curve_has_the_samples_temperature_wherever_it_stands(tmp_path: Path, order: str) -> None:
    names = order.split()
    units = {"t": "[s]", "Ts": "[°C]", "Tr": "[°C]"}
    cells = ({"t": "0", "Ts": "25.5", "Tr": "99"}, {"t": "10", "Ts": "26.5", "Tr": "99"})
    rows = "".join(
        f"{i} {' '.join(c[n] for n in names)} {m}\n" for i, (c, m) in enumerate(zip(cells, (20.5, 20.25), strict=True))
    )
    text = f"Curve Values:\n Index {order} Value\n {' '.join(units[n] for n in names)} [mg]\n{rows}"
    assert read(tmp_path, text, ()) == [(0.0, pytest.approx(0.0205), 25.5), (10.0, pytest.approx(0.02025), 26.5)]


def test_a_japanese_export_is_read_in_its_encoding(tmp_path: Path) -> None:
    text = "[Data]\n時間\t温度\t質量\n[sec]\t[℃]\t[g]\n0\t25.5\t196.5\n10\t26.5\t196.25\n"
    assert read(tmp_path, text, (), "cp932") == ROWS


def test_another_header_ends_the_reading_even_where_bad_rows_are_skipped(tmp_path: Path) -> None:
    """Its rows would be read as the first header's columns."""
    path = tmp_path / "r.csv"
    path.write_text(TABLE + "Time/s;Temp./°C;Mass/g\n20;27;196\n", encoding="utf-8")
    with pytest.raises(BadInput, match="another header begins here"):
        read_file(path, {}, use_counts=False, temp_is_declared=False, how=How(skip_bad_rows=True))


@pytest.mark.parametrize("column", ["name", "Sample"])
def test_a_label_that_changes_while_the_mass_runs_on_is_left_and_said(tmp_path: Path, column: str) -> None:
    path = tmp_path / "labelled.csv"
    labels = ("heating", "heating", "", "hold", "p5", "p6")
    rows = "".join(f"{10 * i},{196.5 - i / 100:.2f},25,{label}\n" for i, label in enumerate(labels))
    path.write_text(f"t_s,mass_g,temp_c,{column}\n{rows}", encoding="utf-8")
    read = read_file(path, {}, use_counts=False, temp_is_declared=False, how=How())
    assert len(read.columns.table["t_s"]) == len(labels)
    assert f"not used: {column}" in read.read_as
    assert read.notes == (
        f"{column} changes from line 5 on and is not used: the mass runs on, so all rows are taken for one sample's",
    )


@pytest.mark.parametrize(
    ("head", "row"),
    [
        ("t_s,mass_g,temp_c,name", "20,196.2,25,B"),  # another mass
        ("t_s,mass_g,temp_c,name", "900,196.5,25,B"),  # after a pause in which it can have been changed
        ("t_s,mass_pct,temp_c,name", "20,196.5,25,B"),  # each specimen begins at 100 %
        ("t_s,mass_g,temp_c,sample_id", "20,196.5,25,B"),  # who calls it an id means another
    ],
)
def test_a_label_that_may_be_of_another_specimen_is_refused(tmp_path: Path, head: str, row: str) -> None:
    path = tmp_path / "labelled.csv"
    path.write_text(f"{head}\n0,196.5,25,A\n10,196.5,25,A\n{row}\n", encoding="utf-8")
    with pytest.raises(BadInput, match=r"line 4: .* is B here and A above: these rows are of two things"):
        read_file(path, {}, use_counts=False, temp_is_declared=False, how=How())
