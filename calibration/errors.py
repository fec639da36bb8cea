"""What can go wrong with a calibration or a reference function.

Every error inherits the package's base *and* a builtin, so that a caller may catch either. A message
is one line: what, where (file and field), what would be right.
"""


class CalibrationError(Exception):
    """Base of every error that ``calibration`` raises."""


class BadCertificate(CalibrationError, ValueError):
    """A certificate that cannot be read, or that no load cell can have."""


class OutOfDomain(CalibrationError, ValueError):
    """A value for which the function does not hold."""


class BelowDomain(OutOfDomain):
    """A value under the lowest for which the function holds."""


class AboveDomain(OutOfDomain):
    """A value over the highest for which the function holds."""


class BadFit(CalibrationError, ValueError):
    """Points from which the coefficients cannot be found."""
