"""Which pin goes where, for the settings: one table, as text and as a drawing.

Every wire of an instrument is a row of :func:`wires`; nothing else in the project says where a wire goes. This
module must never open a device, and never name a header pin that it does not know.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from .config import BarometerConfig, BridgeConfig, Config, PanelConfig, ProbeConfig, VacuumConfig
from .pinout import I2C, PIN_OF, POWER, PULLED_UP, SPI, Wire, gpio, label
from .wiring_drawing import draw

_ADDRESS_TO = {0x48: "GND", 0x49: "VDD", 0x4A: "SDA", 0x4B: "SCL"}
_JUMPERS = "the board's jumpers set for {} wires"


DT = "boards say DT or DAT too"


class _Power:
    """Hands out the header's power pins in turn, so that the wires spread over them."""

    def __init__(self) -> None:
        self._used = dict.fromkeys(POWER, 0)

    def __call__(self, part: str, pin: str, name: str, note: str = "") -> Wire:
        pins = POWER[name]
        at = pins[self._used[name] % len(pins)]
        self._used[name] += 1
        return Wire(part, pin, name, at, note)


def wires(config: Config) -> list[Wire]:
    """Get every wire of the instrument that ``config`` describes, part after part."""
    power = _Power()
    out = list(_bridge_wires(config.bridge, power))
    if config.oven_probe is not None:
        out += _thermometer_wires("MAX31865 (oven)", config.oven_probe, power)
    if config.cell_probe is not None:
        out += _thermometer_wires("MAX31865 (load cell)", config.cell_probe, power)
    out += _gauge_wires(config.vacuum, power)
    if config.barometer is not None:
        out += _barometer_wires(config.barometer, power)
    out += _panel_wires(config.panel, power)
    return out


def conflicts(config: Config) -> list[str]:
    """Get one line for each header pin that two parts want, and for a relay that would close at power-on."""
    users: dict[int, list[str]] = {}
    for wire in wires(config):
        if wire.header is not None and label(wire.header) not in POWER:
            users.setdefault(wire.header, []).append(f"{wire.part} {wire.pin}")
    shared = {PIN_OF[n] for bus in (*SPI.values(), *I2C.values()) for k, n in bus.items() if k[:2] != "CE"}
    out = []
    for pin, names in sorted(users.items()):
        kinds = {name.rsplit(" ", 1)[1] for name in names}
        # Chips on one bus share its lines; an HX711 on an SPI port shares it with nobody.
        if len(names) > 1 and not (pin in shared and len(kinds) == 1):
            out.append(f"{label(pin)} (pin {pin}) is wanted by {' and '.join(names)}: give each its own")
    relay = config.panel.relay_pin
    if relay is not None and gpio(relay) in PULLED_UP:
        out.append(f"panel.relay_pin = {relay}: it is pulled up from power-on and may close the relay: use GPIO9 to 27")
    return out


def wiring_text(config: Config) -> str:
    """Get the table as text for a terminal."""
    rows = wires(config)
    width = max(len(w.pin) for w in rows)
    to_width = max(len(w.to) for w in rows)
    lines: list[str] = []
    part = ""
    for wire in rows:
        if wire.part != part:
            part = wire.part
            lines += ["", part] if lines else [part]
        where = f"pin {wire.header}" if wire.header is not None else ""
        note = f"  ({wire.note})" if wire.note else ""
        lines.append(f"  {wire.pin:<{width}}  ->  {wire.to:<{to_width}}  {where:<6}{note}".rstrip())
    lines += [f"WRONG: {line}" for line in conflicts(config)]
    return "\n".join(lines) + "\n"


def wiring_svg(config: Config) -> str:
    """Get the table as a drawing: the header, the parts, and a line for each wire between them."""
    return draw(wires(config))


def _bridge_wires(config: BridgeConfig, power: _Power) -> Iterator[Wire]:
    if config.chip == "nau7802":
        part = "NAU7802"
        yield power(part, "VIN", "3V3")
        yield power(part, "GND", "GND")
        yield from _i2c(part, config.i2c_bus)
    else:
        part = "HX711"
        yield power(part, "VDD", "3V3", "logic; a board with one supply pin: 3V3 only")
        yield power(part, "VCC", "5V", "bridge; never where the board has no VDD")
        yield power(part, "GND", "GND")
        if config.chip == "hx711":
            yield _to_gpio(part, "SCK", config.sck_pin)
            yield _to_gpio(part, "DOUT", config.dout_pin, DT)
        else:
            yield _to_spi(part, "SCK", config.spi_bus, "MOSI", "SCLK and CE of this port stay free")
            yield _to_spi(part, "DOUT", config.spi_bus, "MISO", f"{DT}; 10 kΩ from here to 3V3")
    for pin, wire in (("E+", "red"), ("E-", "black"), ("A+", "green"), ("A-", "white")):
        yield Wire(
            part, pin, f"load cell, {wire}", note="usual colour; the cell's sheet decides" if pin == "E+" else ""
        )


def _thermometer_wires(part: str, config: ProbeConfig, power: _Power) -> Iterator[Wire]:
    yield power(part, "VIN", "3V3")
    yield power(part, "GND", "GND")
    for pin, line in (("SDI", "MOSI"), ("SDO", "MISO"), ("CLK", "SCLK")):
        yield _to_spi(part, pin, config.spi_bus, line)
    yield _to_spi(part, "CS", config.spi_bus, f"CE{config.chip_select}")
    terminals = {2: "RTD+, RTD-", 3: "F+, RTD+, RTD-", 4: "F+, RTD+, RTD-, F-"}[config.wires]
    kind = f"Pt{config.nominal_ohm:g}"
    yield Wire(part, terminals, f"{kind}, {config.wires} wires", note=_JUMPERS.format(config.wires))


def _gauge_wires(config: VacuumConfig, power: _Power) -> Iterator[Wire]:
    if config.gauge == "declared":
        return
    part = config.gauge.upper()
    yield power(part, "VIN" if config.gauge == "mprls" else "VDD", "3V3")
    yield power(part, "GND", "GND")
    yield from _i2c(part, config.i2c_bus)
    if config.gauge == "mprls":
        yield Wire(part, "port", "vacuum hose", note="outside the oven")
        return
    yield Wire(part, "ADDR", _ADDRESS_TO[config.address or 0x48], note="on the board")
    note = "100 kΩ from here to GND"
    if config.divider > 1:
        note = f"divider {config.divider:g} : 1 before it; {note}"
    yield Wire(part, f"A{config.channel}", "gauge's output", note=note)


def _barometer_wires(config: BarometerConfig, power: _Power) -> Iterator[Wire]:
    part = config.chip.upper()
    yield power(part, "VIN", "3V3")
    yield power(part, "GND", "GND")
    for wire in _i2c(part, config.i2c_bus):
        yield replace(wire, note=wire.note or ("boards say SDI too" if wire.pin == "SDA" else "boards say SCK too"))
    address = {0x76: "GND", 0x77: "VIN"}[config.address]
    yield Wire(part, "SDO", address, note="its address; CSB, where there is one, to 3V3")


def _panel_wires(config: PanelConfig, power: _Power) -> Iterator[Wire]:
    if config.lamp_pin:
        yield _to_gpio("lamp", "anode", config.lamp_pin, "330 Ω in series")
        yield power("lamp", "cathode", "GND")
    if config.buzzer_pin:
        yield _to_gpio("buzzer", "+", config.buzzer_pin, "active, 3.3 V, at most 10 mA")
        yield power("buzzer", "-", "GND")
    if config.button_pin:
        yield _to_gpio("button", "one side", config.button_pin)
        yield power("button", "other side", "GND")
    if config.relay_pin:
        yield _to_gpio("relay", "IN", config.relay_pin, "active high; 10 kΩ from here to GND")
        yield power("relay", "VCC", "5V")
        yield power("relay", "GND", "GND")
        yield Wire("relay", "COM, NO", "oven's interlock", note="closed only while all is well")


def _i2c(part: str, bus: int) -> Iterator[Wire]:
    for pin in ("SDA", "SCL"):
        yield _bus_wire(Wire(part, pin, f"{pin} of I²C bus {bus}"), I2C.get(bus, {}).get(pin))


def _to_spi(part: str, pin: str, bus: int, line: str, note: str = "") -> Wire:
    return _bus_wire(Wire(part, pin, f"{line} of SPI port {bus}", note=note), SPI.get(bus, {}).get(line))


def _bus_wire(wire: Wire, number: int | None) -> Wire:
    """Get a bus's wire with the GPIO that it is on, and its header pin (None: a bus that an overlay puts elsewhere)."""
    if number is None:
        return replace(wire, note=wire.note or "its pin: see the overlay's README")
    return replace(wire, to=f"GPIO{number}, {wire.to}", header=PIN_OF[number])


def _to_gpio(part: str, pin: str, name: str | None, note: str = "") -> Wire:
    assert name is not None  # the config sees to it
    return Wire(part, pin, f"GPIO{gpio(name)}", PIN_OF[gpio(name)], note)
