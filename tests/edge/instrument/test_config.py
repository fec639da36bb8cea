"""Settings: a right file loads, every mistake is a line of its own, and nothing else ever happens."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner
from hypothesis import example, given, settings
from hypothesis import strategies as st
from repository import ROOT

from edge.cli.main import cli
from edge.errors import BadConfig
from edge.instrument.config import Config, config_path, load_config, loads_config, mistakes
from edge.instrument.consistency import disagreements

DOC = (ROOT / "docs" / "config.md").read_text(encoding="utf-8")
EXAMPLE = (ROOT / "systemd" / "config.example.toml").read_text(encoding="utf-8")
UNCOMMENTED = re.sub(r"^# (\w+ = |\[)", r"\1", EXAMPLE, flags=re.MULTILINE)
CERTIFICATE = (ROOT / "docs" / "calibration.md").read_text(encoding="utf-8").split("```toml\n")[1].split("```")[0]

RIGHT = """
[bridge]
chip = "nau7802"
gain = 64
rate_sps = 80
i2c_bus = 3
ldo_v = 3.3

[oven_probe]
wires = 4
ref_ohm = 430
mains_hz = 50

[barometer]
chip = "bme280"

[cell_probe]
wires = 2
ref_ohm = 4300.0
mains_hz = 60
nominal_ohm = 1000.0
chip_select = 1

[storage]
database = "/srv/lab.db"
commit_every_s = 1

[test]
standard = "tcsae-434-2025"

[laboratory]
name = "Example Laboratory"
place = "室 0"
"""
HX711 = '[bridge]\nchip = "hx711"\nsck_pin = "GPIO6"\ndout_pin = "BOARD29"\n'
PROBE = "[oven_probe]\nwires = 4\nref_ohm = 430\nmains_hz = 50\n"
ADS1115 = '[vacuum]\ngauge = "ads1115"\n'
CURVE = "curve = [[2.0, 0.1], [5.0, 100.0], [8.0, 1e5]]\n"
SMALLEST = '[bridge]\nchip = "nau7802"\n' + PROBE


def changed(text: str, old: str, new: str) -> str:
    assert text.count(old) == 1
    return text.replace(old, new)


# what is right


def test_a_right_file_gives_what_it_says() -> None:
    config = loads_config(RIGHT)
    assert (config.bridge.chip, config.bridge.gain, config.bridge.rate_sps) == ("nau7802", 64, 80)
    assert (config.bridge.i2c_bus, config.bridge.ldo_v, config.bridge.address) == (3, 3.3, 0x2A)
    assert (config.oven_probe.wires, config.oven_probe.ref_ohm, config.oven_probe.mains_hz) == (4, 430.0, 50)
    assert config.cell_probe is not None
    assert (config.cell_probe.nominal_ohm, config.cell_probe.chip_select) == (1000.0, 1)
    assert (config.storage.database, config.storage.commit_every_s) == ("/srv/lab.db", 1.0)
    assert (config.test.standard, config.test.certificate) == ("tcsae-434-2025", None)
    assert config.laboratory is not None
    assert (config.laboratory.name, config.laboratory.address, config.laboratory.place) == (
        "Example Laboratory",
        None,
        "室 0",
    )


def test_the_smallest_file_and_an_hx711_are_right() -> None:
    assert loads_config(SMALLEST).cell_probe is None
    assert loads_config(HX711 + PROBE).bridge.dout_pin == "BOARD29"
    assert loads_config("\ufeff" + SMALLEST).bridge.chip == "nau7802"  # as Windows' editors save it


def test_an_hx711_on_spi_gauges_and_a_panel_are_right() -> None:
    config = loads_config('[bridge]\nchip = "hx711_spi"\nrate_sps = 80\n' + PROBE)
    assert (config.bridge.spi_bus, config.bridge.chip_select) == (1, 0)
    assert loads_config(SMALLEST + ADS1115 + CURVE).vacuum.curve == ((2.0, 0.1), (5.0, 100.0), (8.0, 1e5))
    assert loads_config(SMALLEST + ADS1115 + "curve = [[1, 1e5], [2, 10]]\n").vacuum.address is None
    assert loads_config(SMALLEST + '[vacuum]\ngauge = "mprls"\nzero_pa = -800\n').vacuum.zero_pa == -800.0
    assert loads_config(SMALLEST + '[panel]\nrelay_pin = "GPIO25"\n').panel.relay_within_s == 3.0


def test_what_gives_plausible_nonsense_when_wrong_has_no_default() -> None:
    for field in ("wires", "ref_ohm", "mains_hz"):
        text = "\n".join(line for line in SMALLEST.splitlines() if not line.startswith(field))
        assert mistakes(text, "c") == [f"c: oven_probe.{field} is missing: add it"]


def test_settings_cannot_be_changed_by_the_machine() -> None:
    with pytest.raises(AttributeError):
        loads_config(SMALLEST).bridge.gain = 64  # type: ignore[misc]  # that it is refused is the test


# the example


def test_the_shipped_example_is_the_documented_one_and_loads() -> None:
    (documented,) = re.findall(r"```toml\n(.*?)```", DOC, re.DOTALL)
    assert documented == EXAMPLE
    assert loads_config(EXAMPLE) == loads_config(SMALLEST.replace("430", "430.0"))


def test_what_the_example_comments_out_is_the_default() -> None:
    shown = tomllib.loads(UNCOMMENTED)
    defaults = msgspec.to_builtins(loads_config(EXAMPLE))
    not_defaults = {("bridge", "sck_pin"), ("bridge", "dout_pin"), ("test", "certificate")}
    not_defaults |= {("vacuum", "address"), ("vacuum", "curve"), ("storage", "backup"), ("oven_probe", "plausible_c")}
    not_defaults |= {("balance", "certificate"), ("balance", "port")}
    not_defaults |= {("panel", f"{name}_pin") for name in ("lamp", "buzzer", "button", "relay")}
    for table, values in shown.items():
        for name, value in values.items():
            if table not in ("cell_probe", "barometer", "laboratory") and (table, name) not in not_defaults:
                assert defaults[table][name] == value, f"{table}.{name}"
    assert loads_config(UNCOMMENTED).cell_probe is not None


def test_example_and_documentation_have_every_setting() -> None:
    shown = tomllib.loads(UNCOMMENTED)
    fields = {f.name: f.type for f in msgspec.structs.fields(Config)}
    assert set(shown) == set(fields)
    for table, given_ in msgspec.to_builtins(loads_config(RIGHT)).items():
        for name in given_:
            assert f"`{name}`" in DOC, f"{table}.{name} is not in docs/config.md"
            if table != "cell_probe":
                assert name in shown[table], f"{table}.{name} is not in the example"


# mistakes


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            changed(RIGHT, '"nau7802"', '"ads1232"'),
            'bridge.chip = \'ads1232\': give "hx711" or "hx711_spi" or "nau7802"',
        ),
        (changed(RIGHT, "gain = 64", "gain = 16"), "bridge.gain = 16: give 32 or 64 or 128"),
        (changed(RIGHT, "gain = 64", "gain = true"), "bridge.gain = true: give"),
        (changed(RIGHT, "gain = 64", 'gain = "64"'), "bridge.gain = '64': give"),
        (changed(RIGHT, "gain = 64", "gian = 64"), "bridge.gian is unknown: did you mean gain?"),
        (changed(RIGHT, "gain = 64", "colour = 64"), "bridge.colour is unknown: use chip, gain"),
        (changed(RIGHT, "i2c_bus = 3", "i2c_bus = 99"), "bridge.i2c_bus = 99: give a bus number, 0 to 31"),
        (changed(RIGHT, "i2c_bus = 3", "i2c_bus = 1.5"), "bridge.i2c_bus = 1.5: give a bus number"),
        (changed(RIGHT, "ldo_v = 3.3", "ldo_v = 5.0"), "bridge.ldo_v = 5.0: give the excitation in V, 2.4 to 4.5"),
        (changed(RIGHT, "ldo_v = 3.3", "ldo_v = 3.2"), "bridge: ldo_v = 3.2: the NAU7802 has 2.4, 2.7, 3.0"),
        (changed(RIGHT, "ldo_v = 3.3", "ldo_v = nan"), "bridge.ldo_v = nan: give the excitation"),
        (
            changed(RIGHT, "ref_ohm = 430\n", "ref_ohm = 100\n"),
            "oven_probe: ref_ohm = 100: must be more than 1.5 times",
        ),
        (changed(RIGHT, "ref_ohm = 430\n", "ref_ohm = nan\n"), "oven_probe.ref_ohm = nan: give what the board's"),
        (changed(RIGHT, "ref_ohm = 430\n", "ref_ohm = -430\n"), "oven_probe.ref_ohm = -430: give what the board's"),
        (changed(RIGHT, "ref_ohm = 4300.0", "ref_ohm = 430.0"), "cell_probe: ref_ohm = 430: must be more than 1.5"),
        (changed(RIGHT, "wires = 2", "wires = 5"), "cell_probe.wires = 5: give 2 or 3 or 4"),
        (changed(RIGHT, "mains_hz = 50", "mains_hz = 55"), "oven_probe.mains_hz = 55: give 50 or 60"),
        (
            changed(RIGHT, "commit_every_s = 1", "commit_every_s = 0.1"),
            "storage.commit_every_s = 0.1: give a time in s",
        ),
        (
            changed(RIGHT, "commit_every_s = 1", "commit_every_s = inf"),
            "storage.commit_every_s = inf: give a time in s",
        ),
        (changed(RIGHT, '"/srv/lab.db"', '""'), "storage.database = '': give one line of text"),
        (changed(RIGHT, '"/srv/lab.db"', '"a\\nb"'), "storage.database = 'a\\nb': give one line of text"),
        (changed(RIGHT, '"tcsae-434-2025"', "3"), "test.standard = 3: give one line of text"),
        (
            changed(RIGHT, "chip_select = 1", "chip_select = 0"),
            "oven_probe and cell_probe share spi_bus 0, chip_select 0",
        ),
        (RIGHT + '[vacuum]\ngauge = "pirani"\n', 'vacuum.gauge = \'pirani\': give "ads1115" or "declared" or'),
        (RIGHT + '[vacuum]\ngauge = "ads1115"\n', "vacuum: curve is missing: give the gauge's points"),
        (RIGHT + ADS1115 + "curve = [[1.0, 10.0]]\n", "vacuum: curve is missing"),
        (RIGHT + ADS1115 + "curve = [[2.0, 10.0], [1.0, 20.0]]\n", "vacuum: curve: the volts must rise"),
        (
            RIGHT + ADS1115 + "curve = [[1, 1], [2, 9], [3, 5]]\n",
            "vacuum: curve: the pressures must all rise or all fall",
        ),
        (RIGHT + ADS1115 + "curve = [[1.0, 0.0], [2.0, 9.0]]\n", "vacuum: curve: give volts from -100 to 100"),
        (RIGHT + ADS1115 + "curve = [[1.0, nan], [2.0, 9.0]]\n", "vacuum: curve: give volts from -100 to 100"),
        (RIGHT + ADS1115 + "curve = 3\n", "vacuum.curve = 3: give pairs such as"),
        (RIGHT + ADS1115 + CURVE + "full_scale_v = 5.0\n", "vacuum: full_scale_v = 5: the ADS1115 has 0.256, 0.512"),
        (RIGHT + ADS1115 + CURVE + "address = 0x18\n", "vacuum: address = 0x18: the ADS1115 has 0x48 to 0x4B"),
        (RIGHT.replace('chip = "bme280"', ""), "barometer.chip is missing: add it"),
        (RIGHT.replace("bme280", "bmp180"), 'barometer.chip = \'bmp180\': give "bme280" or "bmp280"'),
        (RIGHT.replace('"bme280"', '"bme280"\naddress = 0x70'), "barometer.address = 112: give 118 or 119"),
        (RIGHT + ADS1115 + CURVE + "channel = 4\n", "vacuum.channel = 4: give an input of the ADS1115, 0 to 3"),
        (RIGHT + '[panel]\nrelay_pin = "BOARD1"\n', "panel.relay_pin = 'BOARD1': give a pin such as"),
        (RIGHT + "[panel]\nrelay_within_s = 0\n", "panel.relay_within_s = 0: give a time in s, 1 to 60"),
        ('[bridge]\nchip = "hx711_spi"\nrate_sps = 40\n' + PROBE, "bridge: rate_sps = 40: the HX711 has 10 or 80"),
        (RIGHT + "[bridg]\n", "bridg is unknown: did you mean bridge?"),
        (RIGHT + "[mqtt]\n", "mqtt is unknown: use bridge, oven_probe"),
        ("test = 3\n" + SMALLEST, "test is not a table: write [test]"),
        ('chip = "nau7802"\n' + SMALLEST, "chip is unknown: use bridge"),
        (PROBE, "the table [bridge] is missing: add it"),
        ("[[bridge]]\n" + PROBE, "bridge is not a table: write [bridge]"),
        (changed(HX711, 'sck_pin = "GPIO6"\n', "") + PROBE, "bridge: sck_pin is missing: an HX711 needs the pin"),
        (changed(HX711, '"GPIO6"', '"GPIO28"') + PROBE, "bridge.sck_pin = 'GPIO28': give a pin such as \"GPIO5\""),
        (changed(HX711, '"GPIO6"', "6") + PROBE, "bridge.sck_pin = 6: give a pin such as"),
        (changed(HX711, '"BOARD29"', '"GPIO6"') + PROBE, "bridge: sck_pin and dout_pin are both GPIO6: give two pins"),
        (HX711 + "rate_sps = 20\n" + PROBE, "bridge: rate_sps = 20: the HX711 has 10 or 80"),
        ("[bridge", "not TOML"),
        ('[bridge]\nchip = "a"\nchip = "b"\n', "not TOML"),
        ("\x00", "not TOML"),
        ("x = " + "[" * 5000, "not "),
    ],
)
def test_a_mistake_is_one_line_with_table_key_and_what_would_be_right(text: str, line: str) -> None:
    (only,) = mistakes(text, "c.toml")
    assert only.startswith(f"c.toml: {line}"), only
    assert len(only.splitlines()) == 1
    with pytest.raises(BadConfig) as caught:
        loads_config(text, "c.toml")
    assert str(caught.value) == only


def test_all_mistakes_are_found_at_once() -> None:
    text = """
    [bridge]
    chip = "nau7801"
    gain = 100
    colour = "red"
    [oven_probe]
    wires = 5
    mains_hz = "50 Hz"
    [storage]
    commit_every_s = 0
    [vaccum]
    """
    lines = mistakes(text, "c.toml")
    for where in (
        "bridge.chip",
        "bridge.gain",
        "bridge.colour",
        "oven_probe.wires",
        "oven_probe.mains_hz",
        "oven_probe.ref_ohm is missing",
        "storage.commit_every_s",
        "vaccum is unknown: did you mean vacuum?",
    ):
        assert sum(line.startswith(f"c.toml: {where}") for line in lines) == 1, where
    assert len(lines) == 8
    with pytest.raises(BadConfig, match=r"and 7 more: run halfpercent check-config") as caught:
        loads_config(text, "c.toml")
    assert len(str(caught.value).splitlines()) == 1


def test_an_empty_file_lacks_what_is_required() -> None:
    assert mistakes("", "c") == [
        "c: the table [bridge] is missing: add it",
    ]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"\xff\xfe[\x00", "not UTF-8 text"),
        (b" " * 1_000_001, "longer than"),
        (None, "there are no settings: halfpercent init"),
        (0, "is a folder"),
    ],
)
def test_what_is_no_settings_file_is_one_line(tmp_path: Path, content: Any, says: str) -> None:
    path = tmp_path / "c.toml"
    if content == 0:
        path.mkdir()
    elif content is not None:
        path.write_bytes(content)
    with pytest.raises(BadConfig, match=says) as caught:
        load_config(path)
    assert str(caught.value).startswith(f"{path}: ")


# whatever is in the file


NAMES = st.sampled_from(
    [
        "bridge",
        "oven_probe",
        "cell_probe",
        "vacuum",
        "barometer",
        "panel",
        "storage",
        "test",
        "gauge",
        "curve",
        "relay_pin",
        "chip",
        "gain",
        "rate_sps",
        "wires",
        "ref_ohm",
        "mains_hz",
        "ldo_v",
        "sck_pin",
        "dout_pin",
        "chip_select",
        "database",
        "commit_every_s",
        "standard",
        "other",
        "x-1",
    ]
)
LITERAL = st.sampled_from(
    [
        "1",
        "4",
        "-1",
        "50",
        "128",
        "430",
        "4300.0",
        "0.0",
        "nan",
        "inf",
        "-inf",
        "1e999",
        "true",
        '"nau7802"',
        '"hx711"',
        '"ads1115"',
        "[[1, 2], [2, 3]]",
        '"GPIO5"',
        '"GPIO6"',
        '""',
        '"\\u0000"',
        '"\\u2028"',
        "[]",
        "[1, [2]]",
        "{}",
        "{ a = 1 }",
        "2026-01-01",
        "07:32:00",
        "9" * 30,
        "0x2A",
        '"""\n"""',
    ]
)
TOMLISH = st.lists(
    st.one_of(
        st.builds("[{}]".format, NAMES),
        st.builds("[[{}]]".format, NAMES),
        st.builds("{} = {}".format, NAMES, LITERAL),
        st.builds("{}.{} = {}".format, NAMES, NAMES, LITERAL),
        st.text(max_size=10),
    ),
    max_size=20,
).map("\n".join)


@given(text=st.one_of(TOMLISH, TOMLISH.map(lambda t: SMALLEST + t), st.text()))
@example("bridge.chip.x = 1")
@settings(max_examples=400, deadline=None)
def test_any_text_gives_settings_or_lines(text: str) -> None:
    lines = mistakes(text, "c.toml")
    assert all(line.startswith("c.toml: ") and len(line.splitlines()) == 1 for line in lines)
    assert len(set(lines)) == len(lines)
    if lines:
        with pytest.raises(BadConfig):
            loads_config(text, "c.toml")
    else:
        assert isinstance(loads_config(text, "c.toml"), Config)


# settings against certificate and standard


def with_certificate(tmp_path: Path, text: str = CERTIFICATE, bridge: str = HX711, rest: str = "") -> list[str]:
    (tmp_path / "cell.toml").write_text(text, encoding="utf-8")
    probe = PROBE if "[oven_probe]" not in rest else ""
    extra = f'[test]\ncertificate = "{tmp_path / "cell.toml"}"\n'
    return disagreements(loads_config(bridge + probe + rest + extra), "c.toml")


CELL = PROBE.replace("oven_probe", "cell_probe") + "chip_select = 1\n"


def test_settings_as_the_certificate_was_made_with_agree(tmp_path: Path) -> None:
    assert with_certificate(tmp_path, rest=CELL) == []


def test_without_a_certificate_there_is_nothing_to_contradict() -> None:
    assert disagreements(loads_config(SMALLEST), "c.toml") == []


@pytest.mark.parametrize(
    ("bridge", "rest", "says"),
    [
        (
            HX711,
            PROBE.replace("430", "400") + CELL,
            "oven_probe.ref_ohm = 400.0, but certificate bar-1kg-07 was made with 430.0",
        ),
        (HX711, PROBE.replace("= 4\n", "= 3\n") + CELL, "oven_probe.wires = 3, but"),
        (HX711, PROBE.replace("430", "4300") + "nominal_ohm = 1000.0\n" + CELL, "oven_probe.nominal_ohm = 1000.0, but"),
        (HX711 + "gain = 64\n", PROBE + CELL, "bridge.gain = 64, but"),
        ('[bridge]\nchip = "nau7802"\n', PROBE + CELL, "bridge.chip = nau7802, but"),
        (HX711, PROBE, "wants a thermometer on the load cell: add [cell_probe]"),
    ],
)
def test_what_contradicts_the_certificate_is_a_line(tmp_path: Path, bridge: str, rest: str, says: str) -> None:
    lines = with_certificate(tmp_path, bridge=bridge, rest=rest)
    assert any(says in line for line in lines), lines
    assert all(line.startswith("c.toml: ") and len(line.splitlines()) == 1 for line in lines)


def test_a_certificate_or_standard_that_cannot_be_read_is_a_line_each(tmp_path: Path) -> None:
    text = SMALLEST + f'[test]\nstandard = "iso-1"\ncertificate = "{tmp_path}/none.toml"\n'
    lines = disagreements(loads_config(text), "c.toml")
    assert [line.split(": ")[1] for line in lines] == ["test.standard", "test.certificate"]
    assert "none.toml: no such file" in lines[1]


def test_a_certificate_is_the_converters_however_it_is_clocked(tmp_path: Path) -> None:
    assert with_certificate(tmp_path, bridge='[bridge]\nchip = "hx711_spi"\n', rest=CELL) == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (HX711 + PROBE + '[panel]\nlamp_pin = "GPIO5"\n', "GPIO5 (pin 29) is wanted by HX711 DOUT and lamp anode"),
        (SMALLEST + '[panel]\nlamp_pin = "BOARD15"\nbutton_pin = "GPIO22"\n', "GPIO22 (pin 15) is wanted by"),
        (SMALLEST + '[panel]\nlamp_pin = "GPIO10"\n', "GPIO10 (pin 19) is wanted by MAX31865 (oven) SDI and lamp"),
        ('[bridge]\nchip = "hx711_spi"\nspi_bus = 0\n' + PROBE, "GPIO10 (pin 19) is wanted by HX711 SCK and"),
        (SMALLEST + '[panel]\nrelay_pin = "GPIO6"\n', "panel.relay_pin = GPIO6: it is pulled up from power-on"),
    ],
)
def test_a_pin_that_two_parts_want_or_that_would_close_the_relay_is_a_line(text: str, says: str) -> None:
    assert any(says in line for line in disagreements(loads_config(text), "c.toml"))


# the command


def test_check_config_says_right_or_each_mistake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "c.toml"
    runner = CliRunner()
    path.write_text(RIGHT, encoding="utf-8")
    done = runner.invoke(cli, ["check-config", str(path)])
    assert (done.exit_code, done.stdout, done.stderr) == (0, f"{path}: right\n", "")

    path.write_text(RIGHT + "[mqtt]\n[page]\n", encoding="utf-8")
    done = runner.invoke(cli, ["check-config", str(path)])
    assert (done.exit_code, done.stdout, len(done.stderr.splitlines())) == (1, "", 2)
    done = runner.invoke(cli, ["check-config", str(path), "--json"])
    assert done.exit_code == 1
    assert len(json.loads(done.stdout)["mistakes"]) == 2

    path.write_text(SMALLEST + '[test]\nstandard = "iso-1"\n', encoding="utf-8")
    done = runner.invoke(cli, ["check-config", str(path)])
    assert (done.exit_code, done.stdout) == (1, "")
    assert "test.standard: standard 'iso-1' is unknown" in done.stderr

    monkeypatch.setenv("HALFPERCENT_CONFIG", str(path))
    assert config_path(None) == path
    assert "iso-1" in runner.invoke(cli, ["check-config"]).stderr


def test_checking_never_writes_the_file(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text(RIGHT, encoding="utf-8")
    path.chmod(0o444)
    before = (path.read_bytes(), path.stat().st_mtime_ns)
    CliRunner().invoke(cli, ["check-config", str(path)])
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before
    assert [p.name for p in tmp_path.iterdir()] == ["c.toml"]


@pytest.mark.parametrize("table", ["", "[bridge]\n"])
def test_a_file_of_very_many_names_that_are_none_of_ours_is_some_lines(table: str) -> None:
    wrong = mistakes(table + "".join(f"key_{i} = 1\n" for i in range(60_000)), "c.toml")
    assert len(wrong) < 30
    assert any("59980 more" in line for line in wrong)
