"""On which days a deadline may fall."""

from datetime import date, timedelta

import pytest

from outputs.letters.workdays import easter_sunday, holidays, next_working_day

EASTER = [
    "1961-04-02",
    "2000-04-23",
    "2008-03-23",
    "2024-03-31",
    "2025-04-20",
    "2026-04-05",
    "2038-04-25",
    "2049-04-18",
]


@pytest.mark.parametrize("day", EASTER)
def test_easter_is_on_the_day_the_almanac_says(day: str) -> None:
    easter = date.fromisoformat(day)

    assert easter_sunday(easter.year) == easter


def test_the_public_holidays_of_2024_are_those_of_the_almanac() -> None:
    days = ["01-01", "03-28", "03-29", "03-31", "04-01", "05-01", "05-09", "05-17", "05-19", "05-20", "12-25", "12-26"]

    assert sorted(holidays(2024)) == [date.fromisoformat(f"2024-{day}") for day in days]


@pytest.mark.parametrize(
    ("day", "moved"),
    [
        ("2024-02-16", "2024-02-16"),  # a Friday
        ("2024-02-17", "2024-02-19"),  # a Saturday
        ("2024-03-28", "2024-04-02"),  # all of Easter
        ("2024-05-17", "2024-05-21"),  # a national day before Whitsun
        ("2026-12-25", "2026-12-28"),  # Christmas before a weekend
        ("2027-12-31", "2027-12-31"),
        ("2028-01-01", "2028-01-03"),  # a Saturday and New Year's Day
    ],
)
def test_a_day_off_moves_to_the_next_working_day(day: str, moved: str) -> None:
    assert next_working_day(date.fromisoformat(day)) == date.fromisoformat(moved)


def test_a_deadline_never_moves_back_nor_more_than_a_week() -> None:
    days = [date(2023, 1, 1) + timedelta(days=number) for number in range(3000)]

    assert all(timedelta(0) <= next_working_day(day) - day < timedelta(weeks=1) for day in days)
