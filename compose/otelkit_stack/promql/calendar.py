"""Dates and times of day, in UTC, of values that are seconds since the epoch."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from otelkit_stack.promql.arrays import Booleans, Floats, Integers

_DAY = 86_400
_DAYS_OF_400_YEARS = 146_097
_EPOCH = 719_468
"""Days from the first of March of year 0 to the first of January 1970. A year that begins in March ends with its leap day."""
_LENGTHS = np.array([31.0, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
"""Days of the months of a year that is not a leap year."""
_NO_MOMENT = 2**63
"""Seconds that Go's calendar ends up with for NaN and for what is too large for it."""


def _split(values: Floats) -> tuple[Integers, Integers]:
    """Days since the epoch, and seconds of the day."""
    fits = (values >= -(2.0**63)) & (values < 2.0**63)
    days, seconds = np.divmod(np.where(fits, values, 0.0).astype(np.int64), _DAY)
    return np.where(fits, days, _NO_MOMENT // _DAY), np.where(fits, seconds, _NO_MOMENT % _DAY)


def _civil(values: Floats) -> tuple[Integers, Integers, Integers]:
    """Year, month and day."""
    era, day_of_era = np.divmod(_split(values)[0] + _EPOCH, _DAYS_OF_400_YEARS)
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    march_month = (5 * day_of_year + 2) // 153
    month = np.where(march_month < 10, march_month + 3, march_month - 9)
    year = year_of_era + era * 400 + (month <= 2)
    return year, month, day_of_year - (153 * march_month + 2) // 5 + 1


def _is_leap(year: Integers) -> Booleans:
    leap: Booleans = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    return leap


def _days_in_month(values: Floats) -> Floats:
    year, month, _ = _civil(values)
    days: Floats = _LENGTHS[month - 1] + ((month == 2) & _is_leap(year))
    return days


def _day_of_year(values: Floats) -> Floats:
    year, month, day = _civil(values)
    before = np.cumsum(_LENGTHS) - _LENGTHS
    days: Floats = before[month - 1] + day + ((month > 2) & _is_leap(year))
    return days


CALENDAR: dict[str, Callable[[Floats], Floats]] = {
    "days_in_month": _days_in_month,
    "day_of_month": lambda values: _civil(values)[2].astype(np.float64),
    "day_of_week": lambda values: ((_split(values)[0] + 4) % 7).astype(np.float64),
    "day_of_year": _day_of_year,
    "hour": lambda values: (_split(values)[1] // 3600).astype(np.float64),
    "minute": lambda values: (_split(values)[1] % 3600 // 60).astype(np.float64),
    "month": lambda values: _civil(values)[1].astype(np.float64),
    "year": lambda values: _civil(values)[0].astype(np.float64),
}
"""Functions of the seconds since the epoch; Sunday is day 0 of a week, and January month 1."""
