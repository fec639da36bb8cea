"""What can go wrong in the instrument, outside the chips.

Every error inherits the package's base *and* a builtin, so that a caller may catch either. A message
is one line: what, where (file and field), what would be right.
"""


class HalfpercentError(Exception):
    """Base of every error that ``edge`` raises."""


class BadInput(HalfpercentError, ValueError):
    """A file, a name or a value given by a person that cannot be used."""


class BadConfig(HalfpercentError, ValueError):
    """A mistake in the instrument's settings."""


class BadDatabase(HalfpercentError, RuntimeError):
    """A database that is damaged, too new, or not one of ours."""


class StorageFull(HalfpercentError, OSError):
    """No room left to write what was measured."""
