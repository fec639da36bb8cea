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
