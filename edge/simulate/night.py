"""A night, acted out: what its file says happens to rig, chips, machine and operator when its time has come.

This module must never tell the station what happened: it sees what its chips, its disk and its clocks show it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from edge.control.protocol import Argument, Request
from edge.database.writing import Disk
from edge.errors import HalfpercentError
from edge.instrument.config import Config
from edge.records.command import OperatorWord
from edge.records.phase import Phase
from edge.run.live_run import LiveRun
from edge.station.service import Service
from edge.station.simulation import PowerLost
from hw.clock import NS_PER_S
from hw.errors import HwError
from hw.sim.barometer import Bosch280Model

from . import night_file as night_events
from .instrument import Chips, bridge_config, bridge_driver
from .night_file import Happens, Night, NightEvent, edited
from .operator import SimulatedOperator
from .world import World

MOST_LOST_S = 5.0
"""A station that commits every five seconds loses no more in a power cut. A simulated one commits less often."""
READS = 5
"""Another program takes so many samples."""

Say = Callable[[str], None]


def power_up_anew(chips: Chips, barometer: Bosch280Model) -> None:
    """Let the chips start anew, as after their supply was gone: the one place where a night does that."""
    chips.bridge.reset()
    chips.oven.reset()
    chips.cell.reset()
    barometer.reset()


@dataclass(frozen=True, slots=True)
class _Later:
    """Something that ends at a time of the world's."""

    at_ns: int
    undo: Callable[[], None]


class Course:
    """A night as it goes. ``service`` is who measures now, None while nobody does; ``config`` its next one's settings.

    ``stop`` is why the service was stopped, until :meth:`off` has let the time pass.
    """

    def __init__(self, night: Night, world: World, operator: SimulatedOperator, config: Config, say: Say) -> None:
        self.service: Service | None = None
        self.config = config
        self.stop: night_events.Restart | night_events.PowerCut | None = None
        self._night = night
        self._world = world
        self._operator = operator
        self._say = say
        self._rng = np.random.default_rng((night.head.seed, 15))
        self._run_id: int | None = None
        self._waiting: list[NightEvent] = []
        self._began_ns: dict[Phase, int] = {}
        self._later: list[_Later] = []
        self._disk = Disk.GOOD
        self._commit_ahead_s: float | None = None

    def attach(self, service: Service) -> None:
        """Let a service measure from now on."""
        self.service, self.stop = service, None
        if self._disk is not Disk.GOOD:
            service.station.writer.journal.simulate_disk(self._disk)

    def look(self) -> None:
        """Let everything happen whose time has come. Raises ``PowerLost`` at a power cut."""
        service, now_ns = self.service, self._world.clock.now_ns()
        live = None if service is None else service.station.live
        if live is not None:
            if live.run_id != self._run_id:  # each new run has the whole night before it
                self._run_id, self._waiting, self._began_ns = live.run_id, list(self._night.events), {}
            self._began_ns.setdefault(live.phase, now_ns)
        for later in [one for one in self._later if one.at_ns <= now_ns]:
            self._later.remove(later)
            later.undo()
        if not self._waiting:
            return
        self._commit_before_a_cut(live, now_ns)
        for event in [one for one in self._waiting if self._is_due(one, now_ns)]:
            if self.service is None and isinstance(event.happens, _NEEDS_SERVICE):
                continue
            self._waiting.remove(event)
            self._say(f"night: {event}")
            self._do(event.happens, now_ns)

    def _due_ns(self, event: NightEvent) -> int | None:
        began_ns = self._began_ns.get(event.phase)
        return None if began_ns is None else began_ns + round(event.after_s * NS_PER_S)

    def _is_due(self, event: NightEvent, now_ns: int) -> bool:
        due_ns = self._due_ns(event)
        return due_ns is not None and due_ns <= now_ns

    def _commit_before_a_cut(self, live: LiveRun | None, now_ns: int) -> None:
        """Write what a station that commits every few seconds would have written when the power goes."""
        cuts = (self._due_ns(one) for one in self._waiting if isinstance(one.happens, night_events.PowerCut))
        left_s = min(((due - now_ns) / NS_PER_S for due in cuts if due is not None), default=np.inf)
        if left_s > MOST_LOST_S or live is None or self.service is None:
            self._commit_ahead_s = None
            return
        if self._commit_ahead_s is None:
            self._commit_ahead_s = float(self._rng.uniform(0.0, MOST_LOST_S))
        if left_s <= self._commit_ahead_s:
            self._commit_ahead_s = -1.0  # once
            self.service.station.writer.write(lambda: live.journal.commit(self._world.machine.wall_s()))

    def off(self) -> None:
        """Let the time pass in which no service runs; after a power cut boot the machine anew."""
        stop, world = self.stop, self._world
        self.service = None
        if stop is None:
            return
        cut = isinstance(stop, night_events.PowerCut)
        heating = world.rig.heating
        if cut:
            world.rig.heat(False)
        end_ns = world.clock.now_ns() + round(stop.off_s * NS_PER_S)
        while (left_s := (end_ns - world.clock.now_ns()) / NS_PER_S) > 0.0:
            world.pass_s(min(1.0, left_s))
            self.look()
        if isinstance(stop, night_events.PowerCut):
            power_up_anew(world.chips, world.barometer_chip)
            world.rig.heat(heating)
            world.machine.boot(is_set=stop.clock_set)

    # what happens

    def _do(self, what: Happens, now_ns: int) -> None:
        match what:
            case night_events.Restart():
                self.stop = what
                self._service().stop()
            case night_events.PowerCut():
                self.stop = what
                raise PowerLost
            case night_events.DiskFull():
                self._spoil(Disk.FULL)
                self._after(now_ns, what.for_s, lambda: self._spoil(Disk.GOOD))
            case night_events.ReadOnly():
                self._spoil(Disk.READ_ONLY)
                self._after(now_ns, what.for_s, lambda: self._spoil(Disk.GOOD))
            case night_events.Settings():
                self.config = edited(self.config, what)
            case night_events.ClockStep():
                self._world.machine.move_wall(what.step_s)
            case night_events.Command():
                self._command(what)
            case night_events.Weigh():
                self._weigh(what)
            case _:
                self._do_to_rig(what, now_ns)

    def _do_to_rig(self, what: Happens, now_ns: int) -> None:
        rig, air = self._world.rig, self._world.disturbances
        match what:
            case night_events.LiftSample():
                rig.place_sample(on=False)
                self._after(now_ns, what.for_s, rig.place_sample)
            case night_events.DropSample():
                rig.place_sample(on=False)
            case night_events.PlaceSample():
                rig.place_sample()
            case night_events.Step():
                air.step(what.mg / 1000.0)
            case night_events.ZeroDrift():
                air.drift(what.mg_per_h / 1000.0)
            case night_events.Draught():
                air.draught(what.mg / 1000.0, what.tau_s)
                self._after(now_ns, what.for_s, lambda: air.draught(None))
            case night_events.Regain():
                air.regain(what.mg_per_h / 1000.0)
            case night_events.Dry():
                air.dry(what.mg_per_h / 1000.0)
            case night_events.Weather():
                air.weather(what.hpa, what.zero_effect_vmin_per_kpa)
            case night_events.Oven():
                rig.turn_oven_to(what.temp_c)
                self._after(now_ns, what.for_s, lambda: rig.turn_oven_to(None))
            case _:
                self._do_to_wires(what, now_ns)

    def _do_to_wires(self, what: Happens, now_ns: int) -> None:
        chips, signals = self._world.chips, self._world.disturbances
        match what:
            case night_events.BrownOut():
                power_up_anew(chips, self._world.barometer_chip)
            case night_events.Unplug(device="bridge"):
                chips.bridge.unplug()
                self._after(now_ns, what.for_s, chips.bridge.plug)
            case night_events.Unplug(device="barometer"):
                self._world.barometer_chip.unplug()
                self._after(now_ns, what.for_s, self._world.barometer_chip.plug)
            case night_events.Unplug():
                chip = chips.oven if what.device == "oven" else chips.cell
                chip.open_rtd()
                self._after(now_ns, what.for_s, chip.mend)
            case night_events.SwapWires():
                signals.swap_wires()
            case night_events.Thermometer():
                signals.oven_element(what.ohm)
                if what.for_s is not None:
                    self._after(now_ns, what.for_s, lambda: signals.oven_element(None))
            case night_events.WrongBoard():
                chips.oven.ref_ohm = what.ref_ohm
            case night_events.SecondProgram():
                self._second_program(what.gain)
            case _:
                raise AssertionError(f"a night has no {what}")

    def _after(self, now_ns: int, for_s: float, undo: Callable[[], None]) -> None:
        self._later.append(_Later(now_ns + round(for_s * NS_PER_S), undo))

    def _service(self) -> Service:
        assert self.service is not None  # what needs one waits for one
        return self.service

    def _spoil(self, disk: Disk) -> None:
        self._disk = disk
        if self.service is not None:
            self.service.station.writer.journal.simulate_disk(disk)

    def _command(self, what: night_events.Command) -> None:
        if what.skip is not None:
            self._operator.skips.add(OperatorWord(what.skip))
        taken = what.command is not None and self._ask(Request(what.command, {}, "operator"))
        if taken and what.command in (OperatorWord.CARRY_OUT, OperatorWord.CARRY_BACK):
            self._operator.told(OperatorWord(what.command), 0.0)

    def _weigh(self, what: night_events.Weigh) -> None:
        """Weigh the sample on the laboratory's balance, and type what it shows, or have it read."""
        args: dict[str, Argument] = {"which": what.mass}
        if what.how == "typed":
            args["mass_g"] = round(self._world.balance.display_g() + what.off_mg / 1000.0, 3)
        self._ask(Request("weigh", args, "operator"))

    def _ask(self, request: Request) -> bool:
        try:
            self._service().handle(request)
        except HalfpercentError as e:
            self._say(f"night: {request.command} is refused: {e}")
            return False
        return True

    def _second_program(self, gain: int) -> None:
        """Open the load-cell chip with another driver, as a program does that knows nothing of this one."""
        world = self._world
        bridge = world.chips.bridge
        named = "nau7802" if self._night.head.bridge == "nau7802" else "hx711"
        set_as = bridge_config(named, 10, gain)
        other = bridge_driver(bridge, set_as, world.clock, world.machine)
        try:
            other.open()
            for _ in range(READS):
                other.read(world.machine.now_ns() + NS_PER_S)
        except HwError as e:
            self._say(f"night: the second program cannot: {e}")
        finally:
            other.close()


_NEEDS_SERVICE = (
    night_events.Restart,
    night_events.PowerCut,
    night_events.Command,
    night_events.Weigh,
    night_events.SecondProgram,
)
"""What waits until somebody measures again."""
