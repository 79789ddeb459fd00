"""The cells of a safe workbook, sheet by sheet, as rows of values."""

import io
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass

from python_calamine import CalamineError, CalamineWorkbook

from templates.layout import LISTS_SHEET, OWN_SHEET, RULES_SHEET

UNREAD = frozenset({LISTS_SHEET, OWN_SHEET, RULES_SHEET})  # our own: no answer ever stands there
PROPERTIES = ("docProps/custom.xml", "docProps/core.xml")
TAGS = re.compile(r"<[^>]+>")


class UnreadableWorkbookError(Exception):
    """The bytes are not a workbook that can be read."""


@dataclass(frozen=True, slots=True)
class SheetCells:
    """One sheet: `rows[r][c]` is the cell in row r+1, column c+1; rows may be of unequal length."""

    name: str
    rows: Sequence[Sequence[object]]

    def at(self, row: int, column: int) -> object:
        """The cell at a row and column counted from 0; "" outside what was read."""
        if 0 <= row < len(self.rows) and 0 <= column < len(self.rows[row]):
            return self.rows[row][column]
        return ""

    def text(self, row: int, column: int) -> str:
        cell = self.at(row, column)
        return cell.strip() if isinstance(cell, str) else ""


@dataclass(frozen=True, slots=True)
class Workbook:
    """A workbook as read: its sheets, and the text of its document properties."""

    sheets: list[SheetCells]
    properties: str


def read_workbook(data: bytes) -> Workbook:
    """Read every sheet that may hold answers.

    Raises UnreadableWorkbookError when the bytes are not a readable workbook.
    """
    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(data))
        sheets = [
            SheetCells(name, workbook.get_sheet_by_name(name).to_python(skip_empty_area=False))
            for name in workbook.sheet_names
            if name not in UNREAD
        ]
    except (CalamineError, OSError, ValueError) as error:
        raise UnreadableWorkbookError(str(error)) from error
    return Workbook(sheets, _properties(data))


def _properties(data: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = set(archive.namelist())
        parts = [archive.read(name).decode("utf-8", "replace") for name in PROPERTIES if name in names]
    return " ".join(TAGS.sub(" ", part) for part in parts)
