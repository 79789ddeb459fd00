"""The cells of a safe workbook, sheet by sheet, as rows of values.

What is written the plain way is read by `intake.plain`; all else is read by `intake.exact`. Either
way a cell whose answer cannot be known is a `Flaw`, and never an empty cell.
"""

import re
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache, partial
from xml.parsers.expat import ExpatError

from intake.exact import Shared, date_styles, read_exactly, read_strings
from intake.notes import notes_on
from intake.package import Package, PackageError, Sheet
from intake.plain import formula_in, hidden_columns, hidden_rows, merged_cells, plain_strings, read_plain, unescape

LARGE = 1 << 18  # bytes of styles; so many are not kept for the next file
PROPERTIES = ("docprops/custom.xml", "docprops/core.xml")
TAGS = re.compile(r"<[^>]+>")
BROKEN = (PackageError, ExpatError, zipfile.BadZipFile, zlib.error, OSError, ValueError, EOFError)
DRAWING, END_OF_BOX, BOX_TEXT = re.compile(r"xl/drawings/[^/]+\.xml"), ":txBody>", re.compile(r"<a:t>([^<]+)")
NAMES = re.compile(r'<definedName [^<>]*\bname="([^"]+)"[^<>]*>([^<!]+)!([^<]+)<')


class UnreadableWorkbookError(Exception):
    """The bytes are not a workbook that can be read."""


@dataclass(frozen=True, slots=True)
class SheetCells:
    """One sheet: `rows[r][c]` is the cell in row r+1, column c+1; rows may be of unequal length."""

    name: str
    rows: Sequence[Sequence[object]]
    formula: Callable[[str], str] = lambda _cell: ""  # the formula in a cell such as C31; empty where there is none
    is_shown: bool = True  # whether its tab can be seen
    notes: Mapping[str, str] = field(default_factory=dict)  # on its cells
    # found when asked for
    hidden: Callable[[], frozenset[int]] = frozenset  # rows that are not shown, by number
    hidden_columns: Callable[[], frozenset[int]] = frozenset  # counted from 0
    merged: Callable[[], Sequence[str]] = tuple  # areas that are one cell each: C10:C11

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
    """A workbook as read: its sheets, the text of its document properties, and how it counts days.

    `names` tells the tab and the cell that a defined name stands for, `boxes` what is written in text boxes.
    """

    sheets: list[SheetCells]
    properties: str
    is_1904: bool = False
    names: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    boxes: tuple[str, ...] = ()


def read_workbook(package: Package, wanted: Collection[str] | None = None) -> Workbook:
    """Read every sheet that may hold answers, or those of them that are named.

    Raises UnreadableWorkbookError when the package is not a readable workbook.
    """
    try:
        return _Reader(package).read(wanted)
    except BROKEN as error:
        raise UnreadableWorkbookError(str(error)) from error


class _Reader:
    """One workbook while it is read."""

    def __init__(self, package: Package) -> None:
        self._package = package

    def read(self, wanted: Collection[str] | None) -> Workbook:
        there = self._package.answer_sheets()
        sheets = [self._sheet(sheet) for sheet in there if wanted is None or sheet.name in wanted]
        return Workbook(sheets, self._properties(), self._package.is_1904, self._names(), tuple(self._boxes()))

    def _sheet(self, sheet: Sheet) -> SheetCells:
        xml = self._package.read(sheet.part)
        cells = SheetCells(
            name=sheet.name,
            rows=(),
            is_shown=sheet.is_shown,
            notes=notes_on(self._package, sheet.part),
            hidden=partial(hidden_rows, xml),
            hidden_columns=partial(hidden_columns, xml),
            merged=partial(merged_cells, xml),
        )
        rows = read_plain(xml, self._shared)
        if rows is not None:
            return replace(cells, rows=rows, formula=partial(formula_in, xml))
        exact = read_exactly(xml, self._shared)
        return replace(cells, rows=exact.rows(), formula=exact.formula)

    @cached_property
    def _shared(self) -> Shared:
        strings, styles = (self._package.related(kind) for kind in ("/sharedStrings", "/styles"))
        return Shared(
            self._strings(self._package.read(strings)) if strings else (),
            _date_styles(self._package.read(styles)) if styles in self._package.names() else frozenset(),
            self._package.is_1904,
        )

    def _strings(self, xml: bytes) -> Sequence[str]:
        found = plain_strings(xml)
        return read_strings(xml) if found is None else found

    def _names(self) -> dict[str, tuple[str, str]]:
        text = self._package.read(self._package.main_part).decode("utf-8", "replace")
        return {
            name: (unescape(tab).removeprefix("'").removesuffix("'").replace("''", "'"), cell)
            for name, tab, cell in NAMES.findall(text)
        }

    def _boxes(self) -> Iterator[str]:
        for part in sorted(name for name in self._package.names() if DRAWING.fullmatch(name)):
            boxes = self._package.read(part).decode("utf-8", "replace").split(END_OF_BOX)
            yield from filter(None, (unescape(" ".join(BOX_TEXT.findall(box))).strip() for box in boxes))

    def _properties(self) -> str:
        names = self._package.names()
        parts = [self._package.read(name).decode("utf-8", "replace") for name in PROPERTIES if name in names]
        return " ".join(TAGS.sub(" ", part) for part in parts)


def _date_styles(xml: bytes) -> frozenset[int]:
    return _known_date_styles(xml) if len(xml) < LARGE else date_styles(xml)


_known_date_styles = lru_cache(maxsize=16)(date_styles)  # one program gives all copies of a template the same styles
