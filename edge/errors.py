"""What can go wrong in the instrument, outside the chips.

::

    HalfpercentError
    ├── BadInput (ValueError)              given by a person, and cannot be used
    │   ├── BadValue                       one value: its name, what was given, what would be right
    │   │   └── NotPlausible               a value or a reading that cannot be true
    │   ├── BadRecording                   a recording: file, line, column
    │   ├── BadStandard                    a test standard that is not known, or whose file is wrong
    │   ├── BadEvidence                    a key, a signature, a checkpoint or a package that cannot be read
    │   ├── BadSpecimen                    a specimen's record that cannot be read or written
    │   ├── BadRequest                     a line on the control socket
    │   ├── Refused                        what the running station refused, in its own words
    │   ├── NotAllowed                     a command of somebody who may look and not act
    │   ├── TooMuch                        more words or starts than are written down
    │   ├── NoSuchRun                      a run that is not there, or has no result yet
    │   ├── NoCertificate                  no load cell's certificate is named
    │   ├── BlankDoesNotMatch              a blank run that this run may not subtract
    │   ├── WrongPhase                     a command that the run has no use for now
    │   ├── StationBusy                    a run is being measured
    │   ├── AlarmStands                    something that has to wait until an alarm has closed
    │   ├── NoRun                          none is
    │   ├── SocketTrouble                  the control socket cannot be made, or nobody answers there
    │   └── CalibrationRefused             a step of a calibration that cannot be taken
    │       ├── NoCalibration              none of this name was begun
    │       ├── ReadingsNotGood            too few good samples
    │       └── StillMoving                a code that has not come to rest
    ├── DeviceInUse (BlockingIOError)      a chip that another program reads
    ├── BadConfig (ValueError)             the instrument's settings
    ├── BadDatabase (RuntimeError)         damaged, too new, in use, or not one of ours
    │   ├── DamagedDatabase                what it says cannot have been written by us
    │   │   └── BrokenChain                a row that does not follow from the one before it
    │   └── LostDatabase                   deleted, moved or replaced while it was written to
    ├── SealFailed (RuntimeError)          a run that cannot be sealed, or a seal that cannot be checked here
    ├── StorageFull (OSError)              no room left for what was measured
    └── StorageSlow (OSError)              a commit that the disk still holds up

Every error inherits the package's base *and* a builtin, so that a caller may catch either. A message is one line: what,
where (file and field), what would be right. It names no option of a command: the command adds its own.
"""

from __future__ import annotations


class HalfpercentError(Exception):
    """Base of every error that ``edge`` raises."""


class BadInput(HalfpercentError, ValueError):
    """A file, a name or a value given by a person that cannot be used."""


class BadValue(BadInput):
    """One value that cannot be used.

    ``what`` is its name as the domain spells it (``density_u``, ``sample_mass``), ``given`` the value as it was given
    ('' leaves it out), ``why`` what is wrong and what would be right. A command shows its option instead of the name.
    """

    def __init__(self, what: str, given: object, why: str) -> None:
        shown = f"{given}"[:40]
        super().__init__(f"{what} {shown}: {why}" if shown else f"{what}: {why}")
        self.what = what


class NotPlausible(BadValue):
    """A value or a reading that cannot be true."""


class BadRecording(BadInput):
    """A recording that cannot be read: which file, line and column, and what to do.

    ``remedies`` are the values that would help, by their names as the domain spells them (``columns t_ms=HEADER``).
    """

    def __init__(self, message: str, *remedies: str) -> None:
        super().__init__(message)
        self.remedies = remedies


class BadStandard(BadInput):
    """A test standard that is not known, or whose file is wrong."""


class BadSpecimen(BadInput):
    """A specimen's record that cannot be read or written."""


class BadEvidence(BadInput):
    """A key, a signature, a checkpoint or a package of evidence that cannot be read."""


class BadRequest(BadInput):
    """What came over the control socket and is no request."""


class Refused(BadInput):
    """A command that the running station refused, in its own words."""


class NotAllowed(BadInput):
    """A command of somebody who may look at the station and not act."""


class TooMuch(BadInput):
    """More words, or more starts, than anybody's run needs: they are not written down."""


class NoSuchRun(BadInput):
    """A run that the database does not hold, or that has no result yet."""


class NoCertificate(BadInput):
    """No certificate of the load cell is named, and none can be assumed."""


class BlankDoesNotMatch(BadInput):
    """A blank run that this run may not subtract."""


class WrongPhase(BadInput):
    """A command for which the run has no use in its phase."""


class StationBusy(BadInput):
    """Something that has to wait until the run that is being measured has ended."""


class AlarmStands(BadInput):
    """Something that has to wait until an alarm has closed: what it would be measured with is not well."""


class NoRun(BadInput):
    """Something that needs a run, where none is being measured."""


class SocketTrouble(BadInput):
    """A control socket that cannot be made, or at which no station answers."""


class CalibrationRefused(BadInput):
    """A step of a guided calibration that cannot be taken as things are."""


class NoCalibration(CalibrationRefused):
    """A guided calibration that was not begun, or not here."""


class ReadingsNotGood(CalibrationRefused):
    """Too few good samples for a reading."""


class StillMoving(CalibrationRefused):
    """A code that has not come to rest."""


class DeviceInUse(HalfpercentError, BlockingIOError):
    """A chip that another program reads, and that must be left alone."""


class BadConfig(HalfpercentError, ValueError):
    """A mistake in the instrument's settings."""


class BadDatabase(HalfpercentError, RuntimeError):
    """A database that is damaged, too new, in use, or not one of ours."""


class DamagedDatabase(BadDatabase):
    """A database that says what halfpercent never wrote: pages, a chain, a row."""


class BrokenChain(DamagedDatabase):
    """A row that does not follow from the one before it: which ``table``, and which ``row`` of which run."""

    def __init__(self, table: str, row: str, why: str = "") -> None:
        why = why or "does not fit its chain: it, or one before it, was changed"
        super().__init__(f"{row}: {why}; trust a copy that was exported earlier")
        self.table, self.row, self.why = table, row, why


class LostDatabase(BadDatabase):
    """A database's file that was deleted, moved or replaced while it was written to."""


class SealFailed(HalfpercentError, RuntimeError):
    """A run that cannot be sealed, or a signature that cannot be checked on this machine."""


class StorageFull(HalfpercentError, OSError):
    """No room left to write what was measured."""


class StorageSlow(HalfpercentError, OSError):
    """A commit that the disk still holds up: nothing is lost, and nothing more can be written now."""
