"""Numbers and dates the way Norwegians write them: found in text, and written out again."""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

NBSP, MINUS = "\u00a0", "\u2212"

DASHES = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-"))


def one_line(text: str) -> str:
    """Put one space for every run of spaces of any kind and line breaks."""
    return " ".join(text.split())


def tidy(text: str) -> str:
    """Make one line with one kind of dash: programs change both on their own."""
    return one_line(text).translate(DASHES)


# numbers

MAX_NUMBER_TEXT = 60  # characters; anything longer is prose
SCALES = {"mill": 10**6, "million": 10**6, "millioner": 10**6, "millionar": 10**6, "tusen": 10**3, "'": 10**3}
AMOUNT = re.compile(
    r"""(?:(?:kr|nok)\.?\ ?)?
    (?P<sign>[-+]?)\ ?
    (?P<digits>\d[\d\ .,]*?)
    (?:\ ?(?P<scale>mill|million|millioner|millionar|tusen|')\.?)?
    (?:\ ?(?:kr|nok|kroner)\.?|[,.]\ ?--?)?
    (?P<percent>\ ?(?:%|prosent))?""",
    re.VERBOSE | re.ASCII,
)
PLAIN = re.compile(r"(?P<whole>\d+)(?:[.,](?P<decimals>\d+))?", re.ASCII)
GROUPED = re.compile(
    r"(?P<whole>[1-9]\d{0,2}(?P<mark>[ .,])\d{3}(?:(?P=mark)\d{3})*)(?:(?!(?P=mark))[.,](?P<decimals>\d+))?",
    re.ASCII,
)
AS_ANYONE_WRITES = re.compile(r"-?\d+(?:,\d+)?(?: ?%)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Number:
    """A written number, or the two numbers that it may be."""

    value: Decimal
    other: Decimal | None = None


def exact(number: float) -> Decimal:
    """Take the 15 digits that a spreadsheet shows, so that 0.1 + 0.2 is 0.3."""
    return Decimal(f"{number:.15g}")


def find_number(text: str, *, whole: bool, percent: bool) -> Number | None:
    """Find the one number that a text is, where a whole number or a percentage is asked for."""
    text = tidy(text).casefold().replace("\u2019", "'")
    found = AMOUNT.fullmatch(text) if len(text) <= MAX_NUMBER_TEXT else None
    if found is None or (found["percent"] and not percent):
        return None
    number = _find_digits(found["digits"], whole=whole and not found["scale"])
    if number is None:
        return None
    factor = Decimal(SCALES.get(found["scale"] or "", 1)) * (-1 if found["sign"] == "-" else 1)
    factor /= 100 if found["percent"] else 1
    return Number(number.value * factor, None if number.other is None else number.other * factor)


def _find_digits(digits: str, *, whole: bool) -> Number | None:
    """Read digits and their marks. «1.500» is grouped as well as plain, so it is ambiguous.

    «1,500» is so only where a whole number is asked for: a comma begins the decimals.
    """
    plain, grouped = PLAIN.fullmatch(digits), GROUPED.fullmatch(digits)
    if plain and grouped and (whole or "." in digits):
        return Number(_decimal(grouped), _decimal(plain))
    found = plain or grouped
    return Number(_decimal(found)) if found else None


def _decimal(found: re.Match[str]) -> Decimal:
    whole = re.sub("[ .,]", "", found["whole"])
    return Decimal(f"{whole}.{found['decimals'] or 0}")


def is_plain_number(text: str) -> bool:
    """Whether a number is written so that nobody can wonder how it was read."""
    return bool(AS_ANYONE_WRITES.fullmatch(tidy(text)))


def show_number(number: Decimal, *, percent: bool = False) -> str:
    """Write 1 250 000 or 42,5 %, with spaces that do not break the line."""
    scaled = (number * 100 if percent else number).normalize()
    text = f"{scaled:,f}".translate(str.maketrans(",.-", f"{NBSP},{MINUS}"))
    return f"{text}{NBSP}%" if percent else text


# dates

MONTHS = (
    "januar", "februar", "mars", "april", "mai", "juni",
    "juli", "august", "september", "oktober", "november", "desember",
)  # fmt: skip
SHORTEST_MONTH = 3  # letters
SHORT_YEAR = 2  # digits
CENTURY_TURN = 90  # a year written 89 is 2089, one written 90 is 1990
_TIME = r"(?:[ t]\d{1,2}[:.]\d\d(?:[:.]\d\d(?:\.\d+)?)?)?"
DOTTED = re.compile(r"(\d{1,2})\. ?(\d{1,2})\. ?(\d{4}|\d\d)\.?" + _TIME, re.ASCII)
YEAR_FIRST = re.compile(r"(\d{4})([-./])(\d{1,2})\2(\d{1,2})" + _TIME, re.ASCII)
DAY_SLASH_MONTH = re.compile(r"(\d{1,2})/(\d{1,2}) ?- ?(\d{4}|\d\d)", re.ASCII)  # «1/2-24», as by hand
ANY_ORDER = re.compile(r"(\d{1,2})([-/])(\d{1,2})\2(\d{4}|\d\d)" + _TIME, re.ASCII)
MONTH_NAMED = re.compile(r"(\d{1,2})\.? ?([a-z]+)\.?,? ?(\d{4})", re.ASCII)
AS_ASKED_FOR = re.compile(r"\d{1,2}\.\d{1,2}\.\d{4}|\d{4}-\d\d-\d\d", re.ASCII)


def find_days(text: str) -> list[date]:
    """Give the days that a text may mean: none, one, or those it is impossible to choose between."""
    text = tidy(text).casefold()
    if found := DOTTED.fullmatch(text) or DAY_SLASH_MONTH.fullmatch(text):
        day, month, year = found.groups()
        return _days((year, month, day))
    if found := YEAR_FIRST.fullmatch(text):
        year, _, month, day = found.groups()
        return _days((year, month, day))
    if found := ANY_ORDER.fullmatch(text):
        first, _, second, last = found.groups()
        return _days((last, second, first), (last, first, second), *_year_first(first, second, last))
    if found := MONTH_NAMED.fullmatch(text):
        day, name, year = found.groups()
        return _days((year, _month(name), day))
    return []


def _year_first(first: str, second: str, last: str) -> list[tuple[str, str, str]]:
    """Read «24-08-01» as a short 2024-08-01 too."""
    return [(first, second, last)] if len(first) == len(last) == SHORT_YEAR else []


def _month(name: str) -> str:
    """Find the number of a month by its name or the beginning of it; 0 when there is none."""
    found = (number for number, month in enumerate(MONTHS, 1) if month.startswith(name))
    number = next(found, 0) if len(name) >= SHORTEST_MONTH else 0
    return str(number)


def _days(*candidates: tuple[str, str, str]) -> list[date]:
    days = (_day(*candidate) for candidate in candidates)
    return list(dict.fromkeys(day for day in days if day))


def _day(year: str, month: str, day: str) -> date | None:
    try:
        return date(_full_year(year), int(month), int(day))
    except ValueError:
        return None


def _full_year(year: str) -> int:
    if len(year) > SHORT_YEAR:
        return int(year)
    return int(year) + (1900 if int(year) >= CENTURY_TURN else 2000)


def is_plain_date(text: str) -> bool:
    """Whether a date is written as 31.12.2024 or 2024-12-31."""
    return bool(AS_ASKED_FOR.fullmatch(tidy(text)))


def show_date(day: date) -> str:
    """Write 31.12.2024."""
    return f"{day.day:02}.{day.month:02}.{day.year:04}"
