"""Formulas that stand in every row of a column, written once in the file.

openpyxl cannot write them, so each cell gets a mark in place of its formula, and `shared`
puts the format's own shared formulas there. It keeps a workbook with long tables small.
"""

import re

from openpyxl.worksheet.worksheet import Worksheet

MARK = "~~"
FIRST = re.compile(rf"<f>{MARK}(\d+) ([A-Z]+\d+:[A-Z]+\d+){MARK}".encode())
REST = re.compile(rf"<f>{MARK}(\d+)</f>".encode())


class Shared:
    """Writes formulas on one sheet, the same one down a column."""

    def __init__(self, sheet: Worksheet, number: int = 0) -> None:
        self.sheet = sheet
        self.number = number

    def write(self, column: str, first: int, last: int, formula: str) -> None:
        """Write a formula, given as the first row has it, in these rows."""
        if first == last:
            self.sheet[f"{column}{first}"] = f"={formula}"
            return
        self.sheet[f"{column}{first}"] = f"={MARK}{self.number} {column}{first}:{column}{last}{MARK}{formula}"
        for row in range(first + 1, last + 1):
            self.sheet[f"{column}{row}"] = f"={MARK}{self.number}"
        self.number += 1


def shared(part: bytes) -> bytes:
    """A sheet's part with its marked formulas as the format's own shared ones."""
    part = FIRST.sub(rb'<f t="shared" ref="\2" si="\1">', part)
    return REST.sub(rb'<f t="shared" si="\1"/>', part)
