"""A whole service on the simulated rig: the real drivers, station, database and panel, on a simulated clock."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from gpiozero.pins.mock import MockFactory

from calibration.certificate import Certificate, to_toml
from edge.control.protocol import Request, Start
from edge.database.journal import Journal
from edge.instrument.config import Config, loads_config
from edge.simulate.instrument import Simulated, build
from edge.simulate.operator import SimulatedOperator
from edge.standards.standard import load_standard
from edge.station.retrying_writer import RetryingWriter
from edge.station.service import LOOKS, Connections, Service
from hw.clock import NS_PER_S
from hw.panel import Panel

RELAY, LAMP, BUZZER = 25, 22, 23
CONFIG = """
[bridge]
chip = "nau7802"
[oven_probe]
wires = 4
ref_ohm = 430.0
mains_hz = 50
[cell_probe]
wires = 4
ref_ohm = 430.0
mains_hz = 50
chip_select = 1
[test]
standard = "{standard}"
certificate = "{certificate}"
"""


@dataclass
class Rigged:
    """A service, and what it stands on."""

    service: Service
    simulated: Simulated
    operator: SimulatedOperator
    config: Config
    database: Path
    pins: MockFactory

    @property
    def journal(self) -> Journal:
        """Get the database as the station writes it."""
        return self.service.station.writer.journal

    def relay(self) -> int:
        """Get the level of the relay's pin."""
        return int(self.pins.pin(RELAY).state)

    def events(self, kind: str) -> list[dict[str, Any]]:
        """Get the stored events of one kind, of runs and of the station's own log."""
        found: list[dict[str, Any]] = []
        for table in ("events", "station_events"):
            found += self.journal.db.query(f"select * from {table} where kind = ?", [kind])
        return found

    def ask(self, command: str, **args: Any) -> dict[str, Any]:
        """Say a command, as somebody on the socket would."""
        return self.service.handle(Request(command, args, "ada"))

    def run_s(self, seconds: float, words: Any = None) -> None:
        """Let the station measure for so long, simulated time."""
        end_ns = self.simulated.clock.now_ns() + round(seconds * NS_PER_S)
        self.service.station.run(lambda: self.simulated.clock.now_ns() < end_ns, words=words)


def as_if_real(certificate: Certificate) -> Certificate:
    """Get the certificate of a simulated load cell as one that a real station takes."""
    cell = msgspec.structs.replace(certificate.cell, serial="LC-1")
    return msgspec.structs.replace(certificate, made_by="Ada", cell=cell)


def settings(folder: Path, simulated: Simulated, hold_s: float | None = None) -> Config:
    """Write certificate and standard into ``folder``, and get the settings that name them."""
    certificate = folder / "certificate.toml"
    certificate.write_text(to_toml(as_if_real(simulated.certificate)), encoding="utf-8")
    spi = simulated.certificate.bridge.chip == "hx711"  # needs no pins in its settings
    standard = "gbt-48093-1-2026"
    if hold_s is not None:
        text = load_standard(standard).text.replace("value = 21600.0", f"value = {hold_s:.1f}")
        (folder / "standard.toml").write_text(text, encoding="utf-8")
        standard = str(folder / "standard.toml")
    return loads_config(
        (CONFIG.replace("nau7802", "hx711_spi") if spi else CONFIG).format(standard=standard, certificate=certificate)
    )


@contextmanager
def rigged(
    folder: Path,
    scenario: str = "solid",
    *,
    seed: int = 1,
    hold_s: float | None = None,
    looks: int = LOOKS,
    batch_s: int = 5,
    simulated: Simulated | None = None,
) -> Iterator[Rigged]:
    """Open a service with its devices; the caller lets it measure."""
    simulated = simulated or build(scenario, "nau7802", seed, looks=looks)
    config = settings(folder, simulated, hold_s)
    database = folder / "halfpercent.db"
    pins = MockFactory()
    clock = simulated.clock
    with Journal(database) as journal:
        panel = Panel(
            clock,
            relay_pin=f"GPIO{RELAY}",
            lamp_pin=f"GPIO{LAMP}",
            buzzer_pin=f"GPIO{BUZZER}",
            feed_within_s=60.0,
            pin_factory=pins,
        )
        service = Service(
            config, simulated.instrument, RetryingWriter(journal, clock, batch_s), clock, Connections(panel=panel)
        )
        with service:
            simulated.instrument.open()
            try:
                yield Rigged(service, simulated, SimulatedOperator(simulated.rig), config, database, pins)
            finally:
                simulated.instrument.close()


def order(sample: str = "S-1", **more: Any) -> Start:
    """Get an order to begin."""
    return Start(sample=sample, operator="Ada", **more)
