"""A bridge read in a process of its own, where nothing else can be switched to in the middle of a pulse.

An HX711 on two GPIO lines powers down when a clock pulse is stretched past 60 µs, and in Python any other thread of the
process may do that. Here the driver runs alone: one thread, no garbage collection, real-time priority where the system
allows it; samples come over a pipe. Readiness is looked for by that one thread; an edge call-back would be a second
one. This module must never invent a sample: what did not come is ``NOT_READY``.
"""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import os
import struct
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.connection import Connection

from hw import errors
from hw.clock import NS_PER_S, BootClock
from hw.converter_pace import Counters
from hw.errors import BusError, HwError, NotOpen
from hw.protocols import Bridge, Conversion, ConverterState, Status

PRIORITY = 50
"""Real-time priority (SCHED_FIFO), below the kernel's own threads'."""

OPEN_S = 20.0
CLOSE_S = 2.0
_SAMPLE = struct.Struct("<qiBI")  # a conversion, and how often the chip was found reset until then
_PATIENCE_PERIODS = 5.0


class SubprocessBridge:
    """A :class:`hw.protocols.Bridge` that reads another one in a child process.

    ``make`` builds the driver there; it must be picklable (a module's function, or ``functools.partial`` of one).
    ``name`` and ``rate_sps`` are that driver's. A child that dies is started anew, which ``counters.resets`` counts.
    Times are CLOCK_BOOTTIME, which both processes share; it is not for a simulated clock.
    """

    def __init__(self, make: Callable[[], Bridge], *, name: str, rate_sps: float) -> None:
        self.counters = Counters()
        self.real_time = False
        """Whether the child got real-time priority."""
        self._make = make
        self._name = name
        self._rate_sps = rate_sps
        self._clock = BootClock()
        self._period_ns = round(NS_PER_S / rate_sps)
        self._child: multiprocessing.process.BaseProcess | None = None
        self._pipe: Connection | None = None
        self._settings: dict[str, str | int | float] = {}
        self._state = ConverterState(name, fresh=False, resets=0)
        self._resets_before = 0  # of children that have ended

    @property
    def name(self) -> str:
        """Get the chip's name."""
        return self._name

    @property
    def rate_sps(self) -> float:
        """Get the nominal conversion rate in samples per second."""
        return self._rate_sps

    def describe(self) -> dict[str, str | int | float]:
        """Get the driver's settings in force, and that it has a process of its own."""
        return self._settings | {"own_process": 1, "real_time": int(self.real_time)}

    def state(self) -> ConverterState:
        """Get what the driver says of its converter; a child that was started anew and had to reset it counts."""
        return self._state

    def open(self) -> None:
        """Start the child and open the driver in it. Raises what the driver raises there, or ``BusError``."""
        self.close()
        context = multiprocessing.get_context("spawn")  # a fork would take our threads' locks along
        ours, theirs = context.Pipe()
        self._child = context.Process(
            target=_serve, args=(theirs, self._make), name=f"halfpercent-{self._name}", daemon=True
        )
        self._child.start()
        theirs.close()
        self._pipe = ours
        answer = None
        with contextlib.suppress(EOFError, OSError):
            answer = ours.recv() if ours.poll(OPEN_S) else None
        if not isinstance(answer, dict):
            self.close()
            kind, message = answer if answer else ("BusError", f"{self._name}: its process ended or never answered")
            raise getattr(errors, kind, BusError)(message)
        self._settings, self.real_time = answer["settings"], answer["real_time"]
        self._state = replace(answer["state"], resets=self._resets_before)

    def read(self, deadline_ns: int) -> Conversion:
        """Get the next sample from the child, waiting for it until ``deadline_ns`` at the latest.

        ``NOT_READY`` where none came; then, or where the child has died and was started anew, no sooner than one
        conversion period after the call. Raises ``NotOpen`` before ``open``.
        """
        if self._pipe is None:
            raise NotOpen(f"{self._name}: open it first")
        begin_ns = self._clock.now_ns()
        try:
            if self._pipe.poll(max(0.0, (deadline_ns - begin_ns) / NS_PER_S)):
                t_ns, code, status, resets = _SAMPLE.unpack(self._pipe.recv_bytes())
                if (resets := self._resets_before + resets) > self._state.resets:
                    self._state = replace(self._state, fresh=True, resets=resets)
                return Conversion(t_ns, code, Status(status))
        except (EOFError, OSError):
            self._start_again()
        self._clock.sleep_s((begin_ns + self._period_ns - self._clock.now_ns()) / NS_PER_S)
        return Conversion(self._clock.now_ns(), 0, Status.NOT_READY)

    def close(self) -> None:
        """End the child. Safe to call twice and before ``open``."""
        child, pipe = self._child, self._pipe
        self._child = self._pipe = None
        if pipe is not None:
            pipe.close()  # the child sees it and ends by itself
        if child is not None:
            child.join(CLOSE_S)
            if child.is_alive():
                child.kill()
                child.join()
            child.close()

    def _start_again(self) -> None:
        self.counters.resets += 1
        before = self._state
        self._resets_before = before.resets
        try:
            self.open()
            if self._state.fresh:  # it did not find the chip as the last one had left it
                self._resets_before += 1
                self._state = replace(self._state, resets=self._resets_before)
            self._state = replace(self._state, fresh=self._state.fresh or before.fresh)
        except HwError:  # it is tried again at the next read
            self.counters.bus_errors += 1
            dead, self._pipe = multiprocessing.Pipe(duplex=False)[::-1]
            dead.close()


def _serve(pipe: Connection, make: Callable[[], Bridge]) -> None:
    """Read a bridge and send its samples, until the other end of the pipe is closed: the child's whole life."""
    gc.disable()  # a collection takes as long as a pulse may last; what is made here is freed by counting
    real_time = _take_real_time()
    bridge = None
    try:
        bridge = make()
        bridge.open()
        pipe.send({"settings": bridge.describe(), "state": bridge.state(), "real_time": real_time})
        clock = BootClock()
        patience_ns = round(_PATIENCE_PERIODS * NS_PER_S / bridge.rate_sps)
        while True:
            sample = bridge.read(clock.now_ns() + patience_ns)
            pipe.send_bytes(_SAMPLE.pack(*sample, bridge.state().resets))
    except HwError as e:
        with contextlib.suppress(OSError):
            pipe.send((type(e).__name__, str(e)))
    except (BrokenPipeError, ConnectionResetError, KeyboardInterrupt):
        pass
    except Exception as e:  # told to the instrument, which says it in one line; a child has nobody to show a trace to
        with contextlib.suppress(OSError):
            pipe.send(("BusError", f"{type(e).__name__}: {e}"))
    finally:
        if bridge is not None:
            bridge.close()


def _take_real_time() -> bool:
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(PRIORITY))
    except (OSError, AttributeError):  # not allowed here: the process of its own is most of the gain
        return False
    return True
