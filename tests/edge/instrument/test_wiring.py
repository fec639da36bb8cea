"""Which pin goes where: one table, and text, drawing and documentation that all show it.

python tests/edge/instrument/test_wiring.py --write      makes the tables and drawings in docs/ anew
"""

from __future__ import annotations

import itertools
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from edge.instrument.config import Config, loads_config
from edge.instrument.pinout import GPIO_OF, POWER, Wire, gpio, label
from edge.instrument.wiring import conflicts, wires, wiring_svg, wiring_text

DOCS = Path(__file__).resolve().parents[3] / "docs"
MARK = "## The instruments\n"
PROBE = "wires = 4\nref_ohm = 430\nmains_hz = 50\n"
BRIDGES = {
    "nau7802": 'chip = "nau7802"\n',
    "hx711": 'chip = "hx711"\nsck_pin = "GPIO6"\ndout_pin = "GPIO5"\n',
    "hx711_spi": 'chip = "hx711_spi"\n',
}
PROBES = {
    1: f"[oven_probe]\n{PROBE}",
    2: f"[oven_probe]\n{PROBE}[cell_probe]\n{PROBE}chip_select = 1\n",
}
GAUGES = {
    "declared": "",
    "mprls": '[vacuum]\ngauge = "mprls"\n[barometer]\nchip = "bmp280"\n',
    "ads1115": '[vacuum]\ngauge = "ads1115"\ndivider = 3.2\ncurve = [[2.0, 0.1], [8.0, 1e5]]\n',
}
PANELS = {
    False: "",
    True: '[panel]\nlamp_pin = "GPIO22"\nbuzzer_pin = "GPIO23"\nbutton_pin = "GPIO24"\nrelay_pin = "GPIO25"\n',
}
COMBINATIONS = list(itertools.product(BRIDGES, PROBES, GAUGES, PANELS))
SHOWN = {"nau7802": "mprls", "hx711": "mprls", "hx711_spi": "ads1115"}


def configured(bridge: str, probes: int, gauge: str, panel: bool) -> Config:
    return loads_config(f"[bridge]\n{BRIDGES[bridge]}{PROBES[probes]}{GAUGES[gauge]}{PANELS[panel]}")


def shown(bridge: str) -> Config:
    return configured(bridge, 2, SHOWN[bridge], True)


def svg_path(bridge: str) -> Path:
    return DOCS / ("wiring.svg" if bridge == "nau7802" else f"wiring-{bridge}.svg")


def alt(bridge: str) -> str:
    parts = list(dict.fromkeys(w.part for w in wires(shown(bridge))))
    return f"Wiring of {', '.join(parts)} to the 40-pin header; the table below says the same"


def section() -> str:
    """Get the generated end of docs/wiring.md."""
    out = [MARK]
    for bridge in BRIDGES:
        out += [f"### {bridge}", "", f"![{alt(bridge)}]({svg_path(bridge).name})", ""]
        out += ["| part | its pin | header pin | what that is | note |", "|---|---|---|---|---|"]
        for w in wires(shown(bridge)):
            out.append(f"| {w.part} | {w.pin} | {w.header or ''} | {w.to} | {w.note} |")
        out.append("")
    return "\n".join(out)


@pytest.mark.parametrize(("bridge", "probes", "gauge", "panel"), COMBINATIONS)
def test_every_supported_combination_has_a_table_without_conflicts(
    bridge: str, probes: int, gauge: str, panel: bool
) -> None:
    config = configured(bridge, probes, gauge, panel)
    rows = wires(config)
    assert conflicts(config) == []
    assert "WRONG" not in wiring_text(config)
    parts = {w.part for w in rows}
    assert ("NAU7802" if bridge == "nau7802" else "HX711") in parts
    assert sum(part.startswith("MAX31865") for part in parts) == probes
    assert (gauge.upper() in parts) == (gauge != "declared")
    assert ({"lamp", "buzzer", "button", "relay"} <= parts) == panel
    for part in parts - {"button"}:
        assert any(w.to == "GND" for w in rows if w.part == part), part
    assert len({(w.part, w.pin) for w in rows}) == len(rows)


@pytest.mark.parametrize(("bridge", "probes", "gauge", "panel"), COMBINATIONS)
def test_a_header_pin_is_what_its_row_says(bridge: str, probes: int, gauge: str, panel: bool) -> None:
    for wire in wires(configured(bridge, probes, gauge, panel)):
        if wire.header is not None:
            assert 1 <= wire.header <= 40
            assert wire.to.split(",")[0] == label(wire.header)


@pytest.mark.parametrize(("bridge", "probes", "gauge", "panel"), COMBINATIONS)
def test_text_and_drawing_have_every_row(bridge: str, probes: int, gauge: str, panel: bool) -> None:
    config = configured(bridge, probes, gauge, panel)
    text, drawing = wiring_text(config), ET.fromstring(wiring_svg(config))
    said = [e.text for e in drawing.iter("{http://www.w3.org/2000/svg}text")]
    lines = [e for e in drawing.iter("{http://www.w3.org/2000/svg}path") if "C" in e.get("d", "")]
    rows = wires(config)
    for w in rows:
        assert any(w.pin in line and w.to in line and w.note in line for line in text.splitlines()), w
        assert w.part in said
        assert w.pin in said
        assert (f"pin {w.header}: {w.to}" if w.header else w.to) in said
        assert not w.note or w.note in said
    assert len(lines) == sum(w.header is not None for w in rows)


def test_the_header_has_forty_pins_and_each_is_one_thing() -> None:
    power = [pin for pins in POWER.values() for pin in pins]
    assert sorted([*power, *GPIO_OF]) == list(range(1, 41))
    assert sorted(GPIO_OF.values()) == list(range(28))
    assert gpio("BOARD29") == gpio("GPIO5") == 5


def test_gpiozero_knows_the_same_header() -> None:
    from hw.clock import SimClock
    from hw.sim.pins import SimPinFactory

    factory = SimPinFactory(SimClock())
    for pin in range(1, 41):
        named = "GND" if pin in POWER["GND"] else label(pin)
        assert next(iter(factory.board_info.find_pin(f"BOARD{pin}")))[1].name in (named, label(pin))
    factory.close()


def test_a_bus_whose_pins_are_not_known_is_named_and_no_pin_is_made_up() -> None:
    config = loads_config(f'[bridge]\nchip = "nau7802"\ni2c_bus = 5\n{PROBES[1]}spi_bus = 4\n')
    unknown = [w for w in wires(config) if "bus 5" in w.to or "port 4" in w.to]
    assert len(unknown) == 6
    assert all(w.header is None for w in unknown)
    assert Wire("NAU7802", "SDA", "SDA of I²C bus 5", None, "its pin: see the overlay's README") in unknown


@pytest.mark.parametrize("bridge", BRIDGES)
def test_the_documented_drawing_is_up_to_date(bridge: str) -> None:
    stale = "run: python tests/edge/instrument/test_wiring.py --write"
    assert svg_path(bridge).read_text(encoding="utf-8") == wiring_svg(shown(bridge)), stale


def test_the_documented_tables_are_up_to_date() -> None:
    text = (DOCS / "wiring.md").read_text(encoding="utf-8")
    assert MARK + text.partition(MARK)[2] == section(), "run: python tests/edge/instrument/test_wiring.py --write"


if __name__ == "__main__" and "--write" in sys.argv:
    page = DOCS / "wiring.md"
    page.write_text(page.read_text(encoding="utf-8").partition(MARK)[0] + section(), encoding="utf-8")
    for chip in BRIDGES:
        svg_path(chip).write_text(wiring_svg(shown(chip)), encoding="utf-8")
