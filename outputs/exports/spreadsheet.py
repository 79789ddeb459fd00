"""Rows into an Excel workbook: every text as text, every number as a number, filters on every sheet."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from itertools import count
from pathlib import Path
from textwrap import wrap
from types import TracebackType
from typing import Any, Self

import xlsxwriter

from intake.notation import show_date
from outputs.exports.columns import DAY, DECIMAL, MOMENT, TEXT, WHOLE, Column, Shown
from templates.form import NO, YES
from templates.style import BAND, FONT, GOOD, INPUT, LINE, WHITE

LAST_ROW = 1_048_576  # of a sheet (Excel)
MAX_TEXT = 32_767  # characters in one cell (Excel)
TAB_LIMIT = 31  # characters in a sheet name (Excel)
FIRST_YEAR = 1900  # a spreadsheet has no earlier dates
MOST = 10**12
LINE_HEIGHT, HIGHEST = 15, 150  # points
ARROW = 3  # characters that the button of a filter covers
HEADING_LINES = 2
TEXT_WIDTH = 90  # characters
NARROWEST, BROADEST = 9, 34  # characters
A4, A3 = 9, 8  # paper sizes (Excel)
SAFE = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}


class Book:
    """A workbook that takes every text as text."""

    def __init__(self, path: Path, properties: Mapping[str, str] | None = None, made: datetime | None = None) -> None:
        self.file = xlsxwriter.Workbook(str(path), SAFE)
        if made is not None:  # so that the same export is the same file
            self.file.set_properties({"created": made.replace(tzinfo=None)})
        for name, value in (properties or {}).items():
            self.file.set_custom_property(name, value)
        self.formats: dict[tuple[str, bool, bool], Any] = {}
        self.header, self.input_header = self._header(BAND), self._header(GOOD)
        self.plain = self.file.add_format({"font_name": FONT, "text_wrap": True, "valign": "top"})
        self.heading = self.file.add_format({"font_name": FONT, "bold": True, "valign": "top"})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self.file.close()

    def _header(self, colour: str) -> Any:  # noqa: ANN401 - xlsxwriter ships no types
        return self.file.add_format({
            "bold": True, "font_name": FONT, "font_color": _rgb(WHITE), "bg_color": _rgb(colour),
            "text_wrap": True, "valign": "top", "border": 1, "border_color": _rgb(LINE),
        })  # fmt: skip

    def add_sheet(self, name: str) -> Any:  # noqa: ANN401 - xlsxwriter ships no types
        """Add a sheet; a number follows a name that is taken."""
        taken = {sheet.get_name().casefold() for sheet in self.file.worksheets()}
        for number in count(2):
            if name.casefold() not in taken:
                break
            name = f"{name.removesuffix(f' {number - 1}')[: TAB_LIMIT - len(str(number)) - 1]} {number}"
        return self.file.add_worksheet(name)

    def add_notes(self, name: str, lines: Sequence[tuple[str, str]]) -> None:
        """Add a sheet of headings and what is to be said under each."""
        sheet = self.add_sheet(name)
        sheet.set_column(0, 0, 28)
        sheet.set_column(1, 1, TEXT_WIDTH)
        for row, (heading, text) in enumerate(lines):
            sheet.set_row(row, LINE_HEIGHT * lines_in(text, TEXT_WIDTH))
            sheet.write_string(row, 0, heading, self.heading)
            sheet.write_string(row, 1, text, self.plain)
        _set_page(sheet, A4, wide=1)

    def format(self, number_format: str, *, wraps: bool = False, open_: bool = False) -> Any:  # noqa: ANN401 - as above
        """Give the look of a cell; `open_` is one that staff fill in."""
        kind = (number_format, wraps, open_)
        if kind not in self.formats:
            look = {"num_format": number_format, "font_name": FONT, "valign": "top", "text_wrap": wraps}
            look |= {"align": "left", "indent": 1} if number_format == TEXT else {}
            if open_:
                look |= {"bg_color": _rgb(INPUT), "border": 1, "border_color": _rgb(LINE)}
            self.formats[kind] = self.file.add_format(look)
        return self.formats[kind]


def _rgb(colour: str) -> str:
    return f"#{colour[-6:]}"


class Sheets:
    """One table of the workbook, which goes on in a new sheet where one is full."""

    def __init__(self, book: Book, name: str, columns: Sequence[Column]) -> None:
        self.book, self.name, self.columns = book, name, columns
        self._begin()

    def _begin(self) -> None:
        self.sheet = self.book.add_sheet(self.name)
        self.sheet.freeze_panes(1, 2)
        # An orgnr or a kommunenr is text, and no mistake.
        self.sheet.ignore_errors({"number_stored_as_text": f"A1:XFD{LAST_ROW}"})
        for place, column in enumerate(self.columns):
            self.sheet.set_column(place, place, column.width)
            look = self.book.input_header if column.filled_in else self.book.header
            self.sheet.write_string(0, place, column.label, look)
        tallest = max(lines_in(column.label, column.width - ARROW, bold=True) for column in self.columns)
        self.sheet.set_row(0, LINE_HEIGHT * tallest)
        _set_page(self.sheet, A3, wide=1 + (len(self.columns) > PER_PAGE))
        self.row = 1

    def add(self, values: Sequence[Shown]) -> None:
        """Write one row."""
        if self.row == LAST_ROW:
            self.end()
            self._begin()
        shown = [(column.shown(value), column) for value, column in zip(values, self.columns, strict=True)]
        tallest = max((lines_in(value, column.width) for value, column in shown if column.wrap), default=1)
        if tallest > 1:  # not every program works it out by itself
            self.sheet.set_row(self.row, min(LINE_HEIGHT * tallest, HIGHEST))
        for place, (value, column) in enumerate(shown):
            self._put(place, value, column)
        self.row += 1

    def _put(self, place: int, value: Shown, column: Column) -> None:
        at, sheet = (self.row, place), self.sheet
        if isinstance(value, bool):
            value = YES if value else NO
        if isinstance(value, date) and value.year < FIRST_YEAR:
            value = show_date(value)
        if isinstance(value, str) and value:
            sheet.write_string(*at, value[:MAX_TEXT], self._look(TEXT, column))
        elif isinstance(value, datetime):
            sheet.write_datetime(*at, value, self._look(MOMENT, column))
        elif isinstance(value, date):
            sheet.write_datetime(*at, value, self._look(DAY, column))
        elif isinstance(value, int | float) and math.isfinite(value):
            sheet.write_number(*at, value, self._look(_for_number(value, column.number_format), column))
        elif column.filled_in:
            sheet.write_blank(*at, None, self._look(column.number_format, column))

    def _look(self, number_format: str, column: Column) -> Any:  # noqa: ANN401 - xlsxwriter ships no types
        return self.book.format(number_format, wraps=column.wrap, open_=bool(column.filled_in))

    def end(self) -> None:
        """Put filters on all rows, and say what may be filled in."""
        self.sheet.autofilter(0, 0, self.row - 1, len(self.columns) - 1)
        for place, column in enumerate(self.columns):
            if column.filled_in:
                self.sheet.data_validation(1, place, max(self.row - 1, 1), place, _allowed(column))


def fitted(columns: Sequence[Column], rows: Sequence[Sequence[Shown]]) -> list[Column]:
    """Make each column as wide as what stands in it, within bounds; longer texts go on in a new line."""
    made = []
    for place, column in enumerate(columns):
        if column.filled_in:
            made.append(column)
            continue
        longest = max((_length(column.shown(row[place]), column.number_format) for row in rows), default=0)
        word = max(map(len, column.label.split())) + ARROW
        heading = -(-len(column.label) // HEADING_LINES) + ARROW
        width = min(max(longest + 2, word, heading, NARROWEST), BROADEST)
        made.append(replace(column, width=width, wrap=longest + 2 > BROADEST))
    return made


def _length(value: Shown, number_format: str) -> int:
    if isinstance(value, datetime):
        return len(MOMENT)
    if isinstance(value, date):
        return len(DAY)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return len(f"{value:,.0f}") if number_format != DECIMAL else len(f"{value:.1f}")
    return len(str(value or ""))


def lines_in(value: Shown, width: int, *, bold: bool = False) -> int:
    """Tell how many lines a text takes in a column of so many characters."""
    if not isinstance(value, str):
        return 1
    room = max(width - bold, 1)
    return sum(max(len(wrap(line, room)), 1) for line in value.splitlines()) or 1


PER_PAGE = 20  # columns that can be read on one printed page


def _allowed(column: Column) -> dict[str, Any]:
    told = {"input_title": column.label[:32], "input_message": column.hint[:255]}
    if column.filled_in == "choice":
        return {"validate": "list", "source": list(column.words.values()), "error_message": column.hint[:255], **told}
    if column.filled_in == "whole":
        limits = {"criteria": "between", "minimum": 0, "maximum": MOST, "error_message": column.hint[:255]}
        return {"validate": "integer", **limits, **told}
    return {"validate": "any", **told}


def _set_page(sheet: Any, paper: int, *, wide: int) -> None:  # noqa: ANN401 - xlsxwriter ships no types
    sheet.set_landscape()
    sheet.hide_gridlines(0)
    sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
    sheet.set_paper(paper)
    sheet.fit_to_pages(wide, 0)
    sheet.repeat_rows(0)
    sheet.set_footer("&L&A&R&P / &N")
    if wide > 1:
        sheet.repeat_columns(0, 1)


def _for_number(value: float, number_format: str) -> str:
    if number_format != TEXT:
        return number_format
    return WHOLE if isinstance(value, int) else DECIMAL
