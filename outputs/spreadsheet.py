"""Rows into an Excel workbook: every text as text, every number as a number, filters on every sheet."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import xlsxwriter

from intake.notation import show_date
from intake.submission import Value
from templates.form import NO, YES
from templates.style import BAND, FONT, WHITE

LAST_ROW = 1_048_576  # of a sheet (Excel)
MAX_TEXT = 32_767  # characters in one cell (Excel)
TAB_LIMIT = 31  # characters in a sheet name (Excel)
FIRST_YEAR = 1900  # a spreadsheet has no earlier dates
TEXT, WHOLE, DECIMAL, DAY, MOMENT = "@", "0", "0.0", "dd.mm.yyyy", "dd.mm.yyyy hh:mm"
SAFE = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}

Shown = Value | bool | datetime


@dataclass(frozen=True)
class Head:
    """The head of a column: its words, its width in characters and how its numbers are shown."""

    label: str
    width: int
    number_format: str = TEXT


class Book:
    """A workbook that takes every text as text."""

    def __init__(self, path: Path) -> None:
        self.file = xlsxwriter.Workbook(str(path), SAFE)
        self.header = self.file.add_format({
            "bold": True, "font_name": FONT, "font_color": f"#{WHITE[-6:]}", "bg_color": f"#{BAND[-6:]}",
            "text_wrap": True, "valign": "top",
        })  # fmt: skip
        self.formats: dict[str, Any] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self.file.close()

    def add_sheet(self, name: str) -> Any:  # noqa: ANN401 - xlsxwriter ships no types
        """Add a sheet; a number follows a name that is taken."""
        taken = {sheet.get_name().casefold() for sheet in self.file.worksheets()}
        for number in count(2):
            if name.casefold() not in taken:
                break
            name = f"{name.removesuffix(f' {number - 1}')[: TAB_LIMIT - len(str(number)) - 1]} {number}"
        return self.file.add_worksheet(name)

    def format(self, number_format: str) -> Any:  # noqa: ANN401 - xlsxwriter ships no types
        if number_format not in self.formats:
            look = {"num_format": number_format, "font_name": FONT}
            self.formats[number_format] = self.file.add_format(look)
        return self.formats[number_format]


class Sheets:
    """One table of the workbook, which goes on in a new sheet where one is full."""

    def __init__(self, book: Book, name: str, heads: Sequence[Head]) -> None:
        self.book, self.name, self.heads = book, name, heads
        self._begin()

    def _begin(self) -> None:
        self.sheet = self.book.add_sheet(self.name)
        self.sheet.freeze_panes(1, 2)
        # An orgnr or a kommunenr is text, and no mistake.
        self.sheet.ignore_errors({"number_stored_as_text": f"A1:XFD{LAST_ROW}"})
        for column, head in enumerate(self.heads):
            self.sheet.set_column(column, column, head.width)
            self.sheet.write_string(0, column, head.label, self.book.header)
        self.row = 1

    def add(self, values: Sequence[Shown]) -> None:
        """Write one row."""
        if self.row == LAST_ROW:
            self.end()
            self._begin()
        for column, (value, head) in enumerate(zip(values, self.heads, strict=True)):
            self._put(column, value, head.number_format)
        self.row += 1

    def _put(self, column: int, value: Shown, number_format: str) -> None:
        place, sheet = (self.row, column), self.sheet
        if isinstance(value, bool):
            value = YES if value else NO
        if isinstance(value, date) and value.year < FIRST_YEAR:
            value = show_date(value)
        if isinstance(value, str) and value:
            sheet.write_string(*place, value[:MAX_TEXT], self.book.format(TEXT))
        elif isinstance(value, datetime):
            sheet.write_datetime(*place, value, self.book.format(MOMENT))
        elif isinstance(value, date):
            sheet.write_datetime(*place, value, self.book.format(DAY))
        elif isinstance(value, int | float) and math.isfinite(value):
            sheet.write_number(*place, value, self.book.format(_for_number(value, number_format)))

    def end(self) -> None:
        """Put filters on all rows."""
        self.sheet.autofilter(0, 0, self.row - 1, len(self.heads) - 1)


def _for_number(value: float, number_format: str) -> str:
    if number_format != TEXT:
        return number_format
    return WHOLE if isinstance(value, int) else DECIMAL
