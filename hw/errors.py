"""What can go wrong with a chip or a bus.

Every error inherits the package's base *and* a builtin, so that a caller may catch either. A message
is one line: what, where, what to do next.
"""


class HwError(Exception):
    """Base of every error that ``hw`` raises."""


class BadSetting(HwError, ValueError):
    """A setting the chip does not have."""


class BusError(HwError, OSError):
    """A bus did not do its part, also after the bounded retries."""


class ChipNotFound(HwError, LookupError):
    """Nothing answers where the chip should be, or something else does."""


class ChipNotReady(HwError, TimeoutError):
    """The chip answered but never got ready, or its own calibration failed."""


class NotOpen(HwError, RuntimeError):
    """The driver was used before ``open`` or after ``close``."""


class NotAMass(HwError, ValueError):
    """What a balance answered is no mass in grams."""


def pins_do_not_open(what: str, e: Exception) -> BusError:
    """Get the one line for GPIO lines that gpiozero does not give: which lines, why, and what to do."""
    if isinstance(e, ImportError) and "lgpio" in str(e):  # no wheel for this Python: the system has one
        return BusError(f"{what}: {e}: sudo apt-get install python3-lgpio, then sudo make install again")
    return BusError(f"{what}: {e}; check the pin numbers, the group gpio and GPIOZERO_PIN_FACTORY")
