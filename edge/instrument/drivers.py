"""From settings to drivers: the one place that opens the Pi's own buses.

Nothing is opened here; each driver opens its bus when it is opened itself, and only with the lock of its device.
"""

from __future__ import annotations

import os
from functools import partial

from hw.barometer import Barometer
from hw.clock import BootClock, Clock
from hw.max31865 import Max31865Rtd
from hw.panel import Panel
from hw.protocols import Bridge, Probe
from hw.spi import SpidevPort

from .acquisition import Instrument
from .config import BarometerConfig, BridgeConfig, Config, PanelConfig, ProbeConfig, VacuumConfig
from .device_lock import DeviceLock, LockedBarometer, LockedBridge, LockedProbe, LockedThermometer
from .pinout import gpio
from .plausible import cell_plausible_c, oven_plausible_c, plausible_ohm


def make_bridge(config: BridgeConfig, clock: Clock) -> Bridge:
    """Make the driver of the bridge that the settings name; an HX711 on GPIO lines gets a process of its own."""
    return LockedBridge(_bridge(config, clock), DeviceLock(config.chip, _places(config)))


def _places(config: BridgeConfig) -> tuple[str, ...]:
    """Get what of the machine a bridge takes up: an address, a chip-select, or pins."""
    if config.chip == "nau7802":
        return (_i2c_place(config.i2c_bus, config.address),)
    if config.chip == "hx711_spi":
        return (_spi_place(config.spi_bus, config.chip_select),)
    return tuple(f"gpio-{gpio(pin)}" for pin in (config.sck_pin, config.dout_pin) if pin is not None)


def _i2c_place(bus: int, address: int) -> str:
    return f"i2c-{bus}-{address:02x}"


def _spi_place(bus: int, chip_select: int) -> str:
    return f"spi-{bus}.{chip_select}"


def _bridge(config: BridgeConfig, clock: Clock) -> Bridge:
    if config.chip == "nau7802":
        from smbus2 import SMBus

        from hw.nau7802 import Nau7802

        return Nau7802(
            lambda: SMBus(config.i2c_bus),
            clock,
            address=config.address,
            gain=config.gain,
            rate_sps=config.rate_sps,
            ldo_v=config.ldo_v,
        )
    if config.chip == "hx711_spi":
        from hw.hx711_spi import FREQUENCY_HZ, MODE, Hx711Spi

        return Hx711Spi(
            lambda: SpidevPort(config.spi_bus, config.chip_select, mode=MODE, frequency_hz=FREQUENCY_HZ),
            clock,
            gain=config.gain,
            rate_sps=config.rate_sps,
        )
    if isinstance(clock, BootClock):
        from hw.subprocess_bridge import SubprocessBridge

        return SubprocessBridge(partial(_hx711, config), name="hx711", rate_sps=float(config.rate_sps))
    return _hx711(config, clock)  # a simulated clock is in this process


def make_instrument(config: Config, clock: Clock, *, looks: int) -> Instrument:
    """Make the instrument that the settings describe, with ``looks`` a second for its alarms."""
    oven = config.oven_probe
    return Instrument(
        make_bridge(config.bridge, clock),
        None if oven is None else make_thermometer(oven, clock, oven_plausible_c(config)),
        None if config.cell_probe is None else make_thermometer(config.cell_probe, clock, cell_plausible_c(config)),
        clock,
        gauge=make_gauge(config.vacuum, clock),
        looks=looks,
    )


def _use_lgpio() -> None:
    """Have gpiozero use lgpio, the only library that drives a Pi 5, and say so where it is missing.

    Left to itself it falls back to others one after the other, the last of which is not made for reading chips.
    """
    os.environ.setdefault("GPIOZERO_PIN_FACTORY", "lgpio")


def _hx711(config: BridgeConfig, clock: Clock | None = None) -> Bridge:
    from hw.hx711 import Hx711

    _use_lgpio()
    assert config.sck_pin is not None  # the config sees to it
    assert config.dout_pin is not None
    return Hx711(
        sck_pin=config.sck_pin,
        dout_pin=config.dout_pin,
        clock=clock or BootClock(),
        gain=config.gain,
        rate_sps=config.rate_sps,
    )


def make_thermometer(config: ProbeConfig, clock: Clock, plausible_c: tuple[float, float] | None = None) -> Probe:
    """Make the driver of the resistance thermometer that the settings describe.

    A value that is not ``plausible_c`` is a fault (None: every value of a resistor is taken).
    """
    driver = Max31865Rtd(
        lambda: SpidevPort(config.spi_bus, config.chip_select),
        clock,
        wires=config.wires,
        ref_ohm=config.ref_ohm,
        mains_hz=config.mains_hz,
        nominal_ohm=config.nominal_ohm,
        plausible_ohm=None if plausible_c is None else plausible_ohm(config.nominal_ohm, plausible_c),
    )
    return LockedThermometer(driver, DeviceLock("max31865", (_spi_place(config.spi_bus, config.chip_select),)))


def make_gauge(config: VacuumConfig, clock: Clock) -> Probe | None:
    """Make the driver of the vacuum gauge that the settings name; None where the pressure is declared."""
    if config.gauge == "declared":
        return None
    from hw.vacuum_gauge import ADS1115_ADDRESSES, MPRLS_ADDRESS

    usual = MPRLS_ADDRESS if config.gauge == "mprls" else ADS1115_ADDRESSES[0]
    place = _i2c_place(config.i2c_bus, config.address or usual)
    return LockedProbe(_gauge(config, clock), DeviceLock(config.gauge, (place,)))


def _gauge(config: VacuumConfig, clock: Clock) -> Probe:
    from smbus2 import SMBus

    from hw.vacuum_gauge import ADS1115_ADDRESSES, MPRLS_ADDRESS, Ads1115Gauge, MprlsGauge

    if config.gauge == "mprls":
        return MprlsGauge(lambda: SMBus(config.i2c_bus), clock, address=config.address or MPRLS_ADDRESS)
    return Ads1115Gauge(
        lambda: SMBus(config.i2c_bus),
        clock,
        channel=config.channel,
        full_scale_v=config.full_scale_v,
        address=config.address or ADS1115_ADDRESSES[0],
    )


def make_barometer(config: BarometerConfig | None, clock: Clock) -> Barometer | None:
    """Make the driver of the barometer that the settings name; None where they name none."""
    if config is None:
        return None
    from smbus2 import SMBus

    from hw.barometer import Bosch280

    driver = Bosch280(lambda: SMBus(config.i2c_bus), clock, chip=config.chip, address=config.address)
    return LockedBarometer(driver, DeviceLock(config.chip, (_i2c_place(config.i2c_bus, config.address),)))


def make_panel(config: PanelConfig, clock: Clock) -> Panel | None:
    """Make the panel that the settings describe; None where nothing of it is wired."""
    if not any((config.lamp_pin, config.buzzer_pin, config.button_pin, config.relay_pin)):
        return None
    _use_lgpio()
    return Panel(
        clock,
        lamp_pin=config.lamp_pin,
        buzzer_pin=config.buzzer_pin,
        button_pin=config.button_pin,
        relay_pin=config.relay_pin,
        feed_within_s=config.relay_within_s,
    )
