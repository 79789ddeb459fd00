"""Formulas that are the same seen from their cells, written once: long tables in a small file.

Where texts and numbers are all that a formula takes, an array formula works all rows out at once, and the file has
no more than its first cell. A shared formula has a cell in every row. openpyxl cannot write those, so each cell
gets a mark in place of its formula, and `shared` puts the format's own shared formulas there.
"""

import re
from collections.abc import Mapping

from openpyxl.worksheet.formula import ArrayFormula
from openpyxl.worksheet.worksheet import Worksheet

MARK = "~~"
FIRST = re.compile(rf"<f>{MARK}(\d+) ([A-Z]+\d+:[A-Z]+\d+){MARK}".encode())
REST = re.compile(rf"<f>{MARK}(\d+)</f>".encode())
# a text, the name of a sheet, or an address
ADDRESS = re.compile(r"""("(?:[^"]|"")*"|'(?:[^']|'')*')|(?<![\w.$])(\$?)([A-Z]{1,3})(\$?)([1-9]\d*)(?![\w(])""")


class Shared:
    """Writes formulas on one sheet."""

    def __init__(self, sheet: Worksheet) -> None:
        self.sheet = sheet
        self.number = 0

    def write(self, column: str, first: int, last: int, formula: str) -> None:
        """Write a formula, given as the first row has it, in these rows."""
        self._write(column, list(range(first, last + 1)), formula)

    def write_array(self, column: str, first: int, last: int, formula: str) -> None:
        """Write a formula, given as the first row has it, as an array of these rows.

        It is to be one that a spreadsheet works out row by row: without AND, OR, INDEX or SUMPRODUCT. LibreOffice
        (7.4) mixes the rows up where & joins two of its columns within IF or IFERROR.
        """
        spread = ADDRESS.sub(lambda found: found[0] if found[1] or found[4] else _down(found[0], last), formula)
        self.sheet[f"{column}{first}"] = ArrayFormula(f"{column}{first}:{column}{last}", f"={spread}")

    def write_alike(self, column: str, formulas: Mapping[int, str]) -> None:
        """Write the formulas of some rows of a column, those that are alike once."""
        alike: dict[str, list[int]] = {}
        for row in sorted(formulas):
            alike.setdefault(seen_from(row, formulas[row]), []).append(row)
        for rows in alike.values():
            formula = formulas[rows[0]]
            self._write(column, rows, formula if rows[1:] else _unfixed(formula))

    def _write(self, column: str, rows: list[int], formula: str) -> None:
        first, *rest = rows
        if not rest:
            self.sheet[f"{column}{first}"] = f"={formula}"
            return
        self.sheet[f"{column}{first}"] = f"={MARK}{self.number} {column}{first}:{column}{rows[-1]}{MARK}{formula}"
        for row in rest:
            self.sheet[f"{column}{row}"] = f"={MARK}{self.number}"
        self.number += 1


def _down(address: str, last: int) -> str:
    """The cells from an address down to the last row."""
    return f"{address}:{address.rstrip('0123456789')}{last}"


def _unfixed(formula: str) -> str:
    return ADDRESS.sub(lambda found: found[1] or f"{found[3]}{found[5]}", formula)


def seen_from(row: int, formula: str) -> str:
    """A formula with its addresses told from a row, as far as they move along."""
    return ADDRESS.sub(
        lambda found: found[0] if found[1] or found[4] else f"{found[3]}[{int(found[5]) - row}]", formula
    )


def shared(part: bytes) -> bytes:
    """A sheet's part with its marked formulas as the format's own shared ones."""
    part = FIRST.sub(rb'<f t="shared" ref="\2" si="\1">', part)
    return REST.sub(rb'<f t="shared" si="\1"/>', part)
