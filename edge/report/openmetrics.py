"""A rig's figures for a scraper: gauges with their unit in their name, made anew each time they are asked for.

The station is asked once; what it does not know is left out, never 0. Database and machine are looked at without
opening anything for writing. This module must never be waited for by the station.

Source: OpenMetrics 1.0 (names, units, ``# EOF``); Prometheus, "Metric and label naming": base units, so g and °C keep
their own since a balance has no other.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    GaugeMetricFamily,
    InfoMetricFamily,
    Metric,
    StateSetMetricFamily,
)
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST as CONTENT_TYPE
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics

from edge import __version__
from edge.database.feed import SecondRow, newest_second
from edge.errors import HalfpercentError
from edge.records.phase import Phase
from edge.records.result import Verdict
from edge.records.status import StationStatus

THERMAL = Path("/sys/class/thermal/thermal_zone0/temp")
__all__ = ["CONTENT_TYPE", "names", "openmetrics_text", "prometheus_text"]


class RigFigures:
    """A collector in prometheus_client's sense: the figures of one rig as they are when they are asked for.

    ``status`` is None where no station answers.
    """

    def __init__(self, status: StationStatus | None, database: Path, alarms: tuple[str, ...]) -> None:
        self._status = status
        self._database = database
        self._alarms = alarms

    def collect(self) -> Iterator[Metric]:
        """Get every family of figures that is known."""
        yield InfoMetricFamily("halfpercent_software", "What runs.", {"version": __version__})
        yield _gauge("station_up", "Whether the station answers.", float(self._status is not None))
        if self._status is not None:
            yield from _of_station(self._status, self._alarms)
        yield from _of_seconds(self._database)
        yield from _of_files(self._database)
        yield from _of_machine()


def openmetrics_text(status: StationStatus | None, database: Path, alarms: tuple[str, ...]) -> bytes:
    """Get the figures in the OpenMetrics format."""
    text: bytes = generate_openmetrics(_registry(status, database, alarms))  # type: ignore[no-untyped-call]  # theirs
    return text


def prometheus_text(status: StationStatus | None, database: Path, alarms: tuple[str, ...]) -> bytes:
    """Get the figures in the older format that node_exporter's text files have."""
    return generate_latest(_registry(status, database, alarms))


def _registry(status: StationStatus | None, database: Path, alarms: tuple[str, ...]) -> CollectorRegistry:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(RigFigures(status, database, alarms))
    return registry


def _gauge(name: str, what: str, value: float | None, unit: str = "") -> GaugeMetricFamily:
    full = f"halfpercent_{name}" + (f"_{unit}" if unit else "")
    family = GaugeMetricFamily(full, what, unit=unit)
    if value is not None:
        family.add_metric([], float(value))
    return family


def _of_station(status: StationStatus, alarms: tuple[str, ...]) -> Iterator[Metric]:
    readings, storage, loop, run = status.readings, status.storage, status.loop, status.run
    for name, what, value, unit in (
        ("uptime", "Since the station's start.", status.uptime_s, "seconds"),
        ("load_cell_code", "The load cell's newest code.", readings.code, ""),
        ("oven_temperature", "The oven's temperature.", readings.temp_c, "celsius"),
        ("cell_temperature", "The load cell's temperature.", readings.cell_temp_c, "celsius"),
        ("pressure", "The pressure in the oven.", readings.pressure_pa, "pascals"),
        ("storage_free", "Room on the database's disk.", storage.free_bytes, "bytes"),
        ("storage_pending", "What is measured and not on the disk yet.", storage.pending_s, "seconds"),
        ("loop_longest_step", "Between two reads of a chip, since the start.", loop.longest_step_s, "seconds"),
        ("loop_recent_step", "The same in the last minute.", loop.recent_step_s, "seconds"),
        ("commit_longest", "The longest commit.", loop.longest_commit_s, "seconds"),
    ):
        yield _gauge(name, what, value, unit)
    if status.interlock in ("closed", "open"):
        yield _gauge("interlock_closed", "Whether the relay is held closed.", float(status.interlock == "closed"))
    if status.clock.synchronised is not None:
        yield _gauge("clock_synchronised", "Whether the wall clock is set.", float(status.clock.synchronised))
    family = GaugeMetricFamily("halfpercent_alarm", "Whether an alarm is open.", labels=["alarm"])
    opened = {a.alarm for a in status.alarms if not a.closed}
    for alarm in alarms:
        family.add_metric([alarm], float(alarm in opened))
    yield family
    unseen = GaugeMetricFamily("halfpercent_alarms_unacknowledged", "Alarms that nobody acknowledged.")
    unseen.add_metric([], float(sum(not a.acknowledged for a in status.alarms)))
    yield unseen
    phase = None if run is None else run.phase
    phases = {str(p): str(p) == phase for p in Phase} | {"idle": run is None}
    yield StateSetMetricFamily("halfpercent_phase", "Where in the test it is.", phases)
    if run is not None:
        yield _gauge("hold", "Qualified time of the hold so far.", run.hold_s, "seconds")
        yield _gauge("hold_required", "What the standard asks for.", run.hold_required_s, "seconds")
        yield _gauge("mass", "The sample's mass now.", run.mass_g, "grams")
        yield _gauge("loss_percent", "The loss so far, the air's step taken out.", run.loss_pct)
    if status.last_run is not None:
        last = status.last_run.verdict
        yield StateSetMetricFamily(
            "halfpercent_last_verdict", "What the last run came to.", {str(v): str(v) == last for v in Verdict}
        )


def _of_seconds(database: Path) -> Iterator[Metric]:
    """Get what the newest stored second says: noise, rate, statuses."""
    try:
        row = newest_second(database)
    except HalfpercentError:
        row = None
    yield _gauge("database_readable", "Whether the database can be read.", float(row is not None or database.is_file()))
    if row is None:
        return
    yield from _of_second(row)


def _of_second(row: SecondRow) -> Iterator[Metric]:
    yield _gauge("noise", "Scatter of the newest second's samples.", row.sd_g, "grams")
    yield _gauge("drift_grams_per_hour", "The indication's newest drift.", row.drift_g_per_h)
    family = GaugeMetricFamily("halfpercent_samples", "Samples of the newest second.", labels=["status"])
    for status, count in (("ok", row.samples_ok), ("bad", row.samples_bad), ("spike", row.samples_spike)):
        family.add_metric([status], float(count))
    yield family


def _of_files(database: Path) -> Iterator[Metric]:
    with suppress(OSError):
        yield _gauge("database_size", "The database's file.", float(database.stat().st_size), "bytes")
    log = database.with_name(f"{database.name}-wal")
    with suppress(OSError):
        yield _gauge("wal_size", "Its write-ahead log.", float(log.stat().st_size) if log.exists() else 0.0, "bytes")


def _of_machine() -> Iterator[Metric]:
    with suppress(OSError, ValueError):
        yield _gauge("processor_temperature", "The processor's.", int(THERMAL.read_text()) / 1000.0, "celsius")
    with suppress(OSError):
        yield _gauge("load_1m", "Processes that want a processor.", os.getloadavg()[0])
    low = _under_voltage()
    if low is not None:
        yield _gauge("under_voltage", "Whether the supply is too low now.", float(low))


def _under_voltage() -> bool | None:
    try:
        from hw.supply import under_voltage
    except ImportError:  # of Linux alone
        return None
    return under_voltage()


def names(alarms: tuple[str, ...]) -> frozenset[str]:
    """Get the name of every family that there may be: what a dashboard may ask for."""
    from edge.records.status import LastRun, RunStatus

    full = StationStatus(run=RunStatus(), last_run=LastRun(), interlock="open")
    return frozenset(m.name for m in RigFigures(full, Path("/nowhere"), alarms).collect())
