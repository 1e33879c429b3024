"""Every error that a user can meet, in one tree.

    SmartGridError                 something the person at the keyboard can act on (exit 1)
    |-- SettingsError              a setting or a command's value makes no sense
    |-- MisalignedError            two series that must share an index do not
    |-- DeliveryError              a delivered file cannot be read; it goes to quarantine
    |   `-- UnknownFormatError     no reader recognises the file
    |-- LakeError                  the store refuses
    |   |-- SchemaError            columns, types, null or repeated keys against domain/tables/
    |   |-- TimeZoneMismatchError  the lake was made for another time zone
    |   |-- LakeVersionError       the lake was made by a newer version of this code
    |   `-- LakeWriteError         disk full, no permission; the old partition is still whole
    |-- PlugInError                a plug-in file lacks its constant or breaks its contract
    |-- ForecastError              a model cannot be fitted or used; the ladder of fallbacks goes on
    `-- PlanError                  a fleet or a case cannot be understood

Bad data from outside is reported and kept, not raised. A bug of our own raises whatever Python raises.
"""

from __future__ import annotations


class SmartGridError(Exception):
    """Base of all errors whose message is written for the user: what was found, where, what to do next."""


class SettingsError(SmartGridError):
    """A setting or a command's value makes no sense."""


class MisalignedError(SmartGridError):
    """Two series that must share an index do not."""


class DeliveryError(SmartGridError):
    """A delivered file cannot be read; the caller quarantines it with this message."""


class UnknownFormatError(DeliveryError):
    """No reader recognises the file; the message lists what was seen and a mapping to start from."""


class LakeError(SmartGridError):
    """The store refuses to read or write."""


class SchemaError(LakeError):
    """Rows that do not fit their declaration in domain/tables/."""


class TimeZoneMismatchError(LakeError):
    """The lake was made for another market time zone."""


class LakeVersionError(LakeError):
    """The lake was made by a newer version of this code."""


class LakeWriteError(LakeError):
    """The file system refuses: disk full or no permission. The old partition is still whole."""


class PlugInError(SmartGridError):
    """A plug-in file lacks its one constant, or the constant breaks its contract."""


class ForecastError(SmartGridError):
    """A forecaster cannot be fitted or used on these data; the ladder of fallbacks goes on."""


class PlanError(SmartGridError):
    """A fleet or a published case cannot be understood."""
