"""The HX711 load-cell converter clocked by an SPI port: MOSI is its PD_SCK, MISO its DOUT.

The port's shift register makes the pulses, so no scheduler can stretch one. SCLK and chip-select stay
unconnected, and the port carries nothing else: any transfer on it would clock the chip. This driver must
never clock a chip that is not ready, never leave MOSI high, and never call a word a number that may
have been shifted out of step.

A pulse is the bits 1, 0. At 1 MHz each is 1 µs long (T3 and T4 want 0.2 to 50 µs), and MISO, sampled in the
middle of each bit, shows the same data bit twice, 0.5 and 1.5 µs after the edge (T2: 0.1 µs). Every byte
ends in a 0, so the pause a controller makes between two bytes lengthens a low time, which may be as long as
it likes. A trailing zero byte leaves MOSI low on a controller that holds the last bit; one whose MOSI idles
high keeps the chip powered down, which is found by :meth:`Hx711Spi.open`.

Source: Avia HX711 data sheet (serial interface: T1 to T4, reset and power-down, table 2). The pause of one
clock after each byte on SPI0 of a Raspberry Pi up to 4: raspberrypi/linux#3844.
"""

from __future__ import annotations

from collections.abc import Callable

from hw.clock import Clock
from hw.errors import BusError
from hw.hx711_base import PULSES, Hx711Base, signed
from hw.protocols import Status
from hw.spi import SpiPort

MODE = 0
"""Any mode does, SCLK being unconnected; SPI1 of a Raspberry Pi up to 4 has no mode 1."""
FREQUENCY_HZ = 1_000_000
"""A bit of 1 µs. From 100 kHz to 2 MHz the pulses and the reset keep the data sheet's times."""

_RESET = b"\xff" * 32 + b"\x00"
"""256 µs at 1 MHz, 128 µs at 2 MHz; the chip asks for more than 60 µs. Under 64 bytes: raspberrypi/linux#6020."""
_LOOK = b"\x00"
_PULSE_BITS = 56
_ALL = 0x5555_5555_5555
"""The second of the two looks at each of 24 bits."""


class Hx711Spi(Hx711Base):
    """An HX711 as a :class:`hw.protocols.Bridge`, on an SPI port of its own.

    ``open_port`` returns the port when :meth:`open` asks for it, for example ``lambda: SpidevPort(1, 0,
    mode=MODE, frequency_hz=FREQUENCY_HZ)``. ``gain`` is 128 or 64 (channel A) or 32 (channel B),
    ``rate_sps`` what the board's RATE pin selects (10 or 80). MISO wants a pull-up of 10 kΩ: without it an
    unplugged chip is ``DESYNC`` instead of ``NOT_READY``. Raises ``BadSetting``.
    """

    def __init__(self, open_port: Callable[[], SpiPort], clock: Clock, *, gain: int = 128, rate_sps: int = 10) -> None:
        super().__init__(clock, gain=gain, rate_sps=rate_sps)
        self._open_port = open_port
        self._port: SpiPort | None = None
        pulses = int("10" * PULSES[gain], 2) << _PULSE_BITS - 2 * PULSES[gain]
        self._pattern = _LOOK + pulses.to_bytes(_PULSE_BITS // 8) + b"\x00"

    @property
    def name(self) -> str:
        """Get the chip's name; it is the same chip, so certificates for either way of clocking fit."""
        return "hx711"

    def describe(self) -> dict[str, str | int | float]:
        """Get the settings in force."""
        return {"bridge": self.name, "clocked_by": "spi", "gain": self._gain, "rate_sps": self._rate_sps}

    def close(self) -> None:
        """Release the port."""
        port, self._port = self._port, None
        if port is not None:
            port.close()

    @property
    def _is_open(self) -> bool:
        return self._port is not None

    @property
    def _where(self) -> str:
        return "DOUT (the port's MISO)"

    def _take(self) -> None:
        try:
            self._port = self._open_port()
        except OSError as e:
            raise BusError(
                f"HX711: SPI port: {e}; switch it on (dtoverlay=spi1-1cs for /dev/spidev1.0) and join the group spi"
            ) from e

    def _ready(self) -> bool:
        assert self._port is not None
        return self._port.transfer(_LOOK) == _LOOK

    def _hold_sck(self) -> None:
        assert self._port is not None
        self._port.transfer(_RESET)

    def _clock_word(self) -> tuple[int, Status]:
        assert self._port is not None
        seen = int.from_bytes(self._port.transfer(self._pattern))
        # Eight looks before the first pulse, two at each bit, sixteen from the 25th pulse on.
        before, both, after = seen >> 64, seen >> 16 & (1 << 48) - 1, seen & 0xFFFF
        late = both & _ALL
        code = signed(int(f"{late:048b}"[1::2], 2))
        # The two looks differ where an edge was lost or added by noise, or a conversion ended in mid-word.
        if before or after != 0xFFFF or both >> 1 & _ALL != late:
            return code, Status.DESYNC
        return code, Status.OK
