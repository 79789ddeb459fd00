"""A sheet of one of our own workbooks, cut into its rows once, so that cells are put in without parsing it.

Only for parts as openpyxl writes them: rows and cells in order, each with its address.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import ceil

from templates.cells import REFERENCE, column_number
from templates.prefill import SLOT, cell_text, filled, text_cell, xml_text

ROW = re.compile(rb'<row r="(\d+)"[^>]*?(?:/>|>.*?</row>)', re.DOTALL)
CELL = re.compile(rb'<c r="([A-Z]+)\d+"[^>]*?(?:/>|>.*?</c>)', re.DOTALL)
STYLE = re.compile(rb'<c [^>]*?( s="\d+")')
COLUMN = re.compile(rb"<col ([^>]*)/>")
ATTRIBUTE = re.compile(rb'(\w+)="([^"]*)"')
HEIGHT = re.compile(rb'<row [^>]*?\bht="([\d.]+)"')
FORMULA = re.compile(rb"<f\b.*?(?:/>|</f>)", re.DOTALL)
DEFAULT_WIDTH, DEFAULT_HEIGHT = 8.43, 15.0  # characters, points
MAX_HEIGHT = 409  # points: a row is no higher in Excel


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula to put in a cell; `shown` is the text it gives, for programs that do not calculate."""

    text: str
    shown: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """What the formula that a cell has already gives, for programs that do not calculate."""

    value: str | int


@dataclass(frozen=True, slots=True)
class ErrorValue:
    """An error such as #N/A, as a value and not from a formula."""

    code: str


Content = str | float | Formula | Shown | ErrorValue
Cells = Mapping[tuple[int, str], Content]
"""What to put in cells, by row and column."""


class SheetPart:
    """One sheet, and what is put in its cells."""

    def __init__(self, data: bytes) -> None:
        start, end = data.index(b"<sheetData>") + len(b"<sheetData>"), data.index(b"</sheetData>")
        self.head, self.tail = data[:start], data[end:]
        self.rows: dict[int, bytes] = {int(found[1]): found[0] for found in ROW.finditer(data, start, end)}
        self._slotted = {number for number, row in self.rows.items() if SLOT.search(row)}

    def written(self, cells: Cells, values: Mapping[str, str], last: bytes = b"") -> bytes:
        """The sheet with its slots filled by `values` and these cells put in; `last` ends it."""
        wanted: dict[int, dict[str, Content]] = {}
        for (number, column), content in cells.items():
            wanted.setdefault(number, {})[column] = content
        pieces = [self.head]
        for number in sorted(self.rows.keys() | wanted.keys()):
            row = self.rows.get(number) or b'<row r="%d"></row>' % number
            if number in self._slotted:
                row = filled(row, values)  # first: what an owner wrote may look like a slot
            pieces.append(self._with_cells(number, row, wanted[number]) if number in wanted else row)
        tail = filled(self.tail, values)
        return b"".join([*pieces, tail.replace(b"</worksheet>", last + b"</worksheet>")])

    def _with_cells(self, number: int, row: bytes, cells: Mapping[str, Content]) -> bytes:
        there = {found[1].decode(): found[0] for found in CELL.finditer(row)}
        made = {column: self._cell(f"{column}{number}", there.get(column), cells[column]) for column in cells}
        line = b"".join(cell for _, cell in sorted((there | made).items(), key=lambda one: column_number(one[0])))
        head = row[: row.index(b">")].removesuffix(b"/")
        if not HEIGHT.match(row):
            head += self._height(cells)
        return head + b">" + line + b"</row>"

    def _height(self, cells: Mapping[str, Content]) -> bytes:
        """How high a row must be for the texts put there, where no program has fitted it yet."""
        lines = [1]
        for column, content in cells.items():
            if isinstance(content, str):
                width = next(self.widths(column_number(column)))
                lines.append(sum(ceil(len(line) / max(width - 1, 1)) for line in content.split("\n")))
        return b' ht="%d"' % min(max(lines) * DEFAULT_HEIGHT, MAX_HEIGHT) if max(lines) > 1 else b""

    def _cell(self, ref: str, there: bytes | None, content: Content) -> bytes:
        found = STYLE.match(there) if there else None
        style = found[1] if found else b"" if there else self._column_style(ref)
        at = ref.encode()
        match content:
            case str():
                return text_cell(at, style, content)
            case Shown(value=value):
                formula = FORMULA.search(there or b"")
                return _result(at, style, formula[0] if formula else b"", value)
            case Formula(text=text, shown=shown):
                return _result(at, style, b"<f>%s</f>" % xml_text(text), shown)
            case ErrorValue(code=code):
                return b'<c r="%s"%s t="e"><v>%s</v></c>' % (at, style, xml_text(code))
        return b'<c r="%s"%s><v>%s</v></c>' % (at, style, _number(content))

    def style(self, ref: str) -> bytes:
        """The style of a cell that is there, as the attribute it is written with."""
        found = REFERENCE.fullmatch(ref)
        row = self.rows.get(int(found[2]), b"") if found else b""
        cell = next((one[0] for one in CELL.finditer(row) if found and one[1].decode() == found[1]), b"")
        match = STYLE.match(cell)
        return match[1] if match else b""

    # how it looks

    @cached_property
    def _columns(self) -> dict[int, dict[bytes, bytes]]:
        """The attributes of each column, by its number."""
        columns = {}
        for found in COLUMN.finditer(self.head):
            given = dict(ATTRIBUTE.findall(found[1]))
            for number in range(int(given[b"min"]), int(given[b"max"]) + 1):
                columns[number] = given
        return columns

    def _column_style(self, ref: str) -> bytes:
        number = self._columns.get(column_number(ref.rstrip("0123456789")), {}).get(b"style")
        return b' s="%s"' % number if number else b""

    def widths(self, column: int) -> Iterator[float]:
        """The widths of the columns from this number on, in characters."""
        while True:
            given = self._columns.get(column, {})
            yield 0.0 if b"hidden" in given else float(given.get(b"width", DEFAULT_WIDTH))
            column += 1

    def heights(self, row: int) -> Iterator[float]:
        """The heights of the rows from this number on, in points."""
        while True:
            found = HEIGHT.match(self.rows.get(row, b""))
            yield float(found[1]) if found else DEFAULT_HEIGHT
            row += 1


def _result(ref: bytes, style: bytes, formula: bytes, value: str | float) -> bytes:
    if isinstance(value, str):
        shown = b"<v>%s</v>" % xml_text(cell_text(value)) if value else b""
        return b'<c r="%s"%s%s>%s%s</c>' % (ref, style, b' t="str"' if value else b"", formula, shown)
    return b'<c r="%s"%s>%s<v>%s</v></c>' % (ref, style, formula, _number(value))


def _number(value: float) -> bytes:
    return repr(int(value) if value == int(value) else value).encode()
