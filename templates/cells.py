"""Cell addresses: columns count from 0 in rows of values, letters stand in what people read."""

import re

REFERENCE = re.compile(r"\$?([A-Z]{1,3})\$?([1-9][0-9]{0,6})")


def letter(column: int) -> str:
    """The letters of a column counted from 0: 0 is A, 26 is AA."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def address(row: int, column: int) -> str:
    """The address of a cell whose row and column count from 0."""
    return f"{letter(column)}{row + 1}"


def spot_of(cell: str) -> tuple[int, int] | None:
    """The row and the column, counted from 0, of an address such as C31 or $C$31; None for anything else."""
    found = REFERENCE.fullmatch(cell)
    return (int(found[2]) - 1, column_number(found[1]) - 1) if found else None


def column_number(letters: str) -> int:
    """The number of a column counted from 1: A is 1, AA is 27."""
    number = 0
    for character in letters:
        number = number * 26 + ord(character) - ord("A") + 1
    return number
