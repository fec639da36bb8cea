"""Readers: one module a format that people have, each behind :class:`edge.replay.layout.Reader`.

This room must never read a row: a reader says how a file is laid out, and one engine reads all of them.
"""

from __future__ import annotations

from edge.replay.layout import Head, Layout, Reader

from .beescale import BeescaleLog
from .esphome_log import EspHomeLog
from .home_assistant import HomeAssistantHistory
from .influxdb import InfluxAnnotatedCsv
from .labview import LabViewMeasurement
from .long_table import LongTable
from .mettler_star import MettlerStar
from .mycodo import MycodoExport
from .netzsch_proteus import NetzschProteus
from .perkinelmer_pyris import PerkinElmerCsv, PerkinElmerPyris
from .plain_table import PlainTable
from .serial_monitor import SerialMonitor
from .ta_universal import TaTrios, TaUniversalAnalysis

READERS: tuple[Reader, ...] = (
    NetzschProteus(),
    MettlerStar(),
    TaUniversalAnalysis(),
    TaTrios(),
    PerkinElmerPyris(),
    PerkinElmerCsv(),
    HomeAssistantHistory(),
    InfluxAnnotatedCsv(),
    MycodoExport(),
    EspHomeLog(),
    BeescaleLog(),
    LabViewMeasurement(),
    SerialMonitor(),
    LongTable(),
    PlainTable(),
)
"""In the order in which they are asked: the first that knows a file reads it."""


def find_layout(head: Head) -> Layout:
    """Get the layout of a file by its first lines. Where no reader knows it, that of a table whose header is wrong.

    Raises ``TwoReadings`` where two layouts fit.
    """
    for reader in READERS:
        if (layout := reader.layout(head)) is not None:
            return layout
    return PlainTable().fallback(head)
