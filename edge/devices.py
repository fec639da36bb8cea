"""From settings to drivers: the one place that opens the Pi's own buses.

Nothing is opened here; each driver opens its bus when it is opened itself.
"""

from __future__ import annotations

from hw.bridge import Bridge
from hw.clock import Clock
from hw.rtd import Max31865Rtd
from hw.spi import SpidevPort

from .config import BridgeConfig, ProbeConfig


def bridge_of(config: BridgeConfig, clock: Clock) -> Bridge:
    """Get the load-cell reader that the settings name."""
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
    from hw.hx711 import Hx711

    assert config.sck_pin is not None  # the config sees to it
    assert config.dout_pin is not None
    return Hx711(
        sck_pin=config.sck_pin,
        dout_pin=config.dout_pin,
        clock=clock,
        gain=config.gain,
        rate_sps=config.rate_sps,
    )


def probe_of(config: ProbeConfig, clock: Clock) -> Max31865Rtd:
    """Get the resistance thermometer that the settings describe."""
    return Max31865Rtd(
        lambda: SpidevPort(config.spi_bus, config.chip_select),
        clock,
        wires=config.wires,
        ref_ohm=config.ref_ohm,
        mains_hz=config.mains_hz,
        nominal_ohm=config.nominal_ohm,
    )
