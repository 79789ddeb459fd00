"""Formulas that stand in every row of a column, written once in the file.

openpyxl cannot write them, so each cell gets a mark in place of its formula, and `with_shared`
puts the format's own shared formulas there. It keeps a workbook with long tables small.
"""

import io
import re
import zipfile

from openpyxl.worksheet.worksheet import Worksheet

MARK = "~~"
FIRST = re.compile(rf"<f>{MARK}(\d+) ([A-Z]+\d+:[A-Z]+\d+){MARK}".encode())
REST = re.compile(rf"<f>{MARK}(\d+)</f><v ?/?>(?:</v>)?".encode())
NO_VALUE = re.compile(rb"</f><v ?/>|</f><v></v>")
CHARACTER = re.compile(rb"&#(\d{3,});")  # not of ASCII, written by its number


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


def with_shared(workbook: bytes) -> bytes:
    """The same workbook with its marked formulas shared, and written in fewer bytes."""
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(workbook)) as source,
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for entry in source.infolist():
            data = source.read(entry)
            if entry.filename.startswith("xl/worksheets/"):
                data = FIRST.sub(rb'<f t="shared" ref="\2" si="\1">', data)
                data = REST.sub(rb'<f t="shared" si="\1"/>', data)
                data = NO_VALUE.sub(b"</f>", data)
                data = CHARACTER.sub(lambda found: chr(int(found[1])).encode(), data)
            target.writestr(entry, data)
    return buffer.getvalue()
