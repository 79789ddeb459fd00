"""Cell addresses: columns count from 0 in rows of values, letters stand in what people read."""


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


def column_number(letters: str) -> int:
    """The number of a column counted from 1: A is 1, AA is 27."""
    number = 0
    for character in letters:
        number = number * 26 + ord(character) - ord("A") + 1
    return number
