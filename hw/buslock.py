"""The lock of a bus, as Adafruit's bus devices ask for it; nobody waits for it."""

from __future__ import annotations


class BusLock:
    """One owner at a time. All that talk to one bus do so in one thread."""

    def __init__(self) -> None:
        self._locked = False

    def try_lock(self) -> bool:
        """Take the bus; False where it is taken."""
        if self._locked:
            return False
        self._locked = True
        return True

    def unlock(self) -> None:
        """Give the bus back."""
        self._locked = False
