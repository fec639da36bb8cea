"""Whether the load cell's converter is the one that a run was begun on: told of each reset, once.

This module only compares what the driver and the run's record say; it must never ask a chip, nor say that a zero stayed
where it was when nobody knows.
"""

from __future__ import annotations

from edge.database.queries import RunAsLeft
from edge.records.event import ConverterReset, ResetCause
from hw.protocols import ConverterState


class ConverterWatch:
    """Follows one converter while a station measures. ``state`` is the newest that is known of it."""

    def __init__(self) -> None:
        self.state: ConverterState | None = None
        self._good_until_s = 0.0

    def begin(self, state: ConverterState, good_until_s: float = 0.0) -> None:
        """Take the converter as it is now: from now on it must not change."""
        self.state, self._good_until_s = state, good_until_s

    def changed(self, state: ConverterState, second: int, *, good: bool) -> ConverterReset | None:
        """Take the state after second ``second`` of a run, which gave a good sample or not; get the reset in it."""
        before, self.state = self.state, state
        from_s = min(self._good_until_s, float(second))
        if good:
            self._good_until_s = second + 1.0
        if before is None or state.resets <= before.resets:
            return None
        return ConverterReset(state.chip, ResetCause.FOUND_RESET, from_s, before.registers(), state.registers())


def reset_while_away(left: RunAsLeft, state: ConverterState, boot_id: str, from_s: float) -> ConverterReset | None:
    """Get the reset of the converter in the time in which nobody measured the run; None where it is as it was left.

    A chip without registers cannot tell: it is taken to have been reset where the machine started in between.
    """
    if left.boot_id is None:  # nothing was measured before
        return None
    after = state.registers()
    known = [name for name, value in left.registers.items() if value is not None and after[name] is not None]
    another_boot = left.boot_id != boot_id
    same = all(left.registers[name] == after[name] for name in known)
    if not state.fresh and same and not (another_boot and after["ocal"] is None):
        return None
    cause = ResetCause.POWER_CUT if another_boot else ResetCause.OPENED_ANEW
    return ConverterReset(state.chip, cause, from_s, left.registers, after)
