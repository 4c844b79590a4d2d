"""Dates and times of day, in UTC, of values that are seconds since the epoch."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from otelkit_stack.promql.arrays import Floats, Integers

_DAY = 86_400
_DAYS_OF_400_YEARS = 146_097
_EPOCH = 719_468
"""Days from the first of March of year 0 to the first of January 1970. A year that begins in March ends with its leap day."""
_NO_NUMBER = -(2**63)
"""What a processor makes of NaN, and of a float that is too large, when it converts it to an integer."""


def _seconds(values: Floats) -> Integers:
    fits = (values >= -(2.0**63)) & (values < 2.0**63)
    return np.where(fits, np.where(fits, values, 0.0).astype(np.int64), _NO_NUMBER)


def _civil(values: Floats) -> tuple[Integers, Integers, Integers]:
    """Year, month and day."""
    days = _seconds(values) // _DAY + _EPOCH
    era, day_of_era = np.divmod(days, _DAYS_OF_400_YEARS)
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    march_month = (5 * day_of_year + 2) // 153
    month = np.where(march_month < 10, march_month + 3, march_month - 9)
    year = year_of_era + era * 400 + (month <= 2)
    return year, month, day_of_year - (153 * march_month + 2) // 5 + 1


def _is_leap(year: Integers) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    return (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))


def _days_in_month(values: Floats) -> Floats:
    year, month, _ = _civil(values)
    usual = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])[month - 1]
    return (usual + ((month == 2) & _is_leap(year))).astype(np.float64)


def _day_of_year(values: Floats) -> Floats:
    year, month, day = _civil(values)
    before = np.array([0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334])[month - 1]
    return (before + day + ((month > 2) & _is_leap(year))).astype(np.float64)


CALENDAR: dict[str, Callable[[Floats], Floats]] = {
    "days_in_month": _days_in_month,
    "day_of_month": lambda values: _civil(values)[2].astype(np.float64),
    "day_of_week": lambda values: ((_seconds(values) // _DAY + 4) % 7).astype(np.float64),
    "day_of_year": _day_of_year,
    "hour": lambda values: (_seconds(values) % _DAY // 3600).astype(np.float64),
    "minute": lambda values: (_seconds(values) % 3600 // 60).astype(np.float64),
    "month": lambda values: _civil(values)[1].astype(np.float64),
    "year": lambda values: _civil(values)[0].astype(np.float64),
}
"""Functions of the seconds since the epoch; Sunday is day 0 of a week, and January month 1."""
