"""Working days in Norway: on which day a deadline may fall."""

from datetime import date, timedelta
from functools import cache

SATURDAY = 5
FIXED = ((1, 1), (5, 1), (5, 17), (12, 25), (12, 26))  # month and day
MOVABLE = (-3, -2, 0, 1, 39, 49, 50)  # days after Easter Sunday
DAY = timedelta(days=1)


def next_working_day(day: date) -> date:
    """Give the day itself, or the first day after it that is neither in a weekend nor a public holiday."""
    while day.weekday() >= SATURDAY or day in holidays(day.year):
        day += DAY
    return day


@cache
def holidays(year: int) -> frozenset[date]:
    """List the public holidays of a year (lov 24. februar 1995 nr. 12 om helligdager og helgefred; 1. og 17. mai)."""
    easter = easter_sunday(year)
    return frozenset([date(year, *day) for day in FIXED] + [easter + days * DAY for days in MOVABLE])


def easter_sunday(year: int) -> date:
    """Compute the day by Butcher's rule for the Gregorian calendar (J. Meeus, Astronomical Algorithms, chapter 8)."""
    golden = year % 19
    century, in_century = divmod(year, 100)
    leap, rest = divmod(century, 4)
    moon = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * golden + century - leap - moon + 15) % 30
    quarter, left = divmod(in_century, 4)
    weekday = (32 + 2 * rest + 2 * quarter - epact - left) % 7
    late = (golden + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * late + 114, 31)
    return date(year, month, day + 1)
