"""What a station is made of: instrument, sensors, writer, clock and panel; and what it calls beside measuring.

This module must never measure.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass

from calibration.vacuum_gauge import VacuumGauge
from edge.instrument.acquisition import Instrument
from edge.instrument.config import ProbeConfig
from edge.procedure.definition import EndedRun
from edge.records.result import Result
from hw.barometer import Barometer
from hw.clock import Clock
from hw.panel import Panel

from .alarm_rules import Limits
from .retrying_writer import RetryingWriter

LIMITS = Limits()

Judge = Callable[[EndedRun], "Future[Result]"]
"""Has a run judged, at once or beside the measurement. The station itself knows no judge."""


def _nothing() -> None:
    """Do nothing."""


def _nothing_of(_run_id: int) -> None:
    """Do nothing."""


def _not_known() -> None:
    """Know nothing."""
    return


@dataclass(frozen=True, slots=True)
class SensorSettings:
    """What the alarms need to read codes: the probes' settings, the gauge's, and the limits.

    ``clock_set`` says whether the wall clock is set, ``under_voltage`` whether the supply is too low (None: not known).
    """

    oven: ProbeConfig
    cell: ProbeConfig | None = None
    vacuum: VacuumGauge | None = None
    limits: Limits = LIMITS
    clock_set: Callable[[], bool | None] = _not_known
    under_voltage: Callable[[], bool | None] = _not_known


@dataclass(frozen=True, slots=True)
class Hooks:
    """What the station calls, besides measuring.

    ``alive`` once a frame, by the loop that measures; ``poll`` at each look, for whoever answers questions; ``ended``
    with the number of a run whose result is written; ``start_pressed`` for a long press of the button;
    ``simulated_truth_pct`` for what a simulated sample truly lost, ``seed`` is what drew it, and ``simulated`` says
    that there are no real chips.
    """

    alive: Callable[[], None] = _nothing
    poll: Callable[[], None] = _nothing
    start_pressed: Callable[[], None] = _nothing
    ended: Callable[[int], None] = _nothing_of
    simulated_truth_pct: Callable[[], float | None] = _not_known
    seed: int | None = None
    simulated: bool = False


NO_HOOKS = Hooks()


@dataclass(frozen=True, slots=True)
class Equipment:
    """What a station is made of: instrument and settings, who writes, whose time it is, panel and barometer."""

    instrument: Instrument
    sensors: SensorSettings
    writer: RetryingWriter
    clock: Clock
    panel: Panel | None = None
    barometer: Barometer | None = None


def at_once(judge: Callable[[EndedRun], Result]) -> Judge:
    """Have runs judged while nothing is measured, so that a simulated clock knows nothing of it."""

    def judged(ended: EndedRun) -> Future[Result]:
        done: Future[Result] = Future()
        try:
            done.set_result(judge(ended))
        except Exception as e:  # as a thread would
            done.set_exception(e)
        return done

    return judged
