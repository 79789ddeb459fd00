"""The cells of a safe workbook, sheet by sheet, as rows of values.

python-calamine reads what is written the plain way; all else is read by `intake.exact`. Either
way a cell whose answer cannot be known is a `Flaw`, and never an empty cell.
"""

import io
import re
import zipfile
import zlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property, partial
from typing import TypeVar
from xml.parsers.expat import ExpatError
from xml.sax.saxutils import unescape

from python_calamine import CalamineWorkbook

from intake.exact import Shared, Spot, date_styles, place, read_exactly, read_strings
from intake.package import Package, PackageError, Sheet, elements
from intake.plain import flaws, formulas, hidden_rows, is_plain

PROPERTIES = ("docprops/custom.xml", "docprops/core.xml")
TAGS = re.compile(r"<[^>]+>")
WORKBOOK, STRINGS, STYLES = "xl/workbook.xml", "xl/sharedstrings.xml", "xl/styles.xml"  # where calamine looks
BROKEN = (PackageError, ExpatError, zipfile.BadZipFile, zlib.error, OSError, ValueError, EOFError)


NAMES = re.compile(r'<definedName [^<>]*\bname="([^"]+)"[^<>]*>([^<!]+)!([^<]+)<')
TRUE = frozenset({"1", "true", "on"})
T = TypeVar("T")


class UnreadableWorkbookError(Exception):
    """The bytes are not a workbook that can be read."""


@dataclass(frozen=True, slots=True)
class SheetCells:
    """One sheet: `rows[r][c]` is the cell in row r+1, column c+1; rows may be of unequal length."""

    name: str
    rows: Sequence[Sequence[object]]
    formulas: Callable[[], Mapping[Spot, str]] = dict  # found when asked for
    hidden: Callable[[], frozenset[int]] = frozenset  # rows that are not shown, by number; found when asked for

    def at(self, row: int, column: int) -> object:
        """The cell at a row and column counted from 0; "" outside what was read."""
        if 0 <= row < len(self.rows) and 0 <= column < len(self.rows[row]):
            return self.rows[row][column]
        return ""

    def formula(self, cell: str) -> str:
        """The formula in a cell such as C31; empty where there is none."""
        row, column = place(cell)
        return self.formulas().get((row - 1, column - 1), "")

    def text(self, row: int, column: int) -> str:
        cell = self.at(row, column)
        return cell.strip() if isinstance(cell, str) else ""


@dataclass(frozen=True, slots=True)
class Workbook:
    """A workbook as read: its sheets, the text of its document properties, and how it counts days.

    `names` tells the tab and the cell that a defined name stands for.
    """

    sheets: list[SheetCells]
    properties: str
    is_1904: bool = False
    names: Mapping[str, tuple[str, str]] = field(default_factory=dict)


def read_workbook(data: bytes, wanted: Collection[str] | None = None) -> Workbook:
    """Read every sheet that may hold answers, or those of them that are named.

    Raises UnreadableWorkbookError when the bytes are not a readable workbook.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _Reader(data, Package(archive)).read(wanted)
    except BROKEN as error:
        raise UnreadableWorkbookError(str(error)) from error


class _Reader:
    """One workbook while it is read."""

    def __init__(self, data: bytes, package: Package) -> None:
        self._data = data
        self._package = package

    def read(self, wanted: Collection[str] | None) -> Workbook:
        there = self._package.answer_sheets()
        sheets = [self._sheet(sheet) for sheet in there if wanted is None or sheet.name in wanted]
        return Workbook(sheets, self._properties(), self._is_1904, self._names())

    def _sheet(self, sheet: Sheet) -> SheetCells:
        xml = self._package.read(sheet.part)
        rows = self._fast_rows(self._fast, sheet, xml) if self._fast and is_plain(xml) else None
        if rows is not None:
            return SheetCells(sheet.name, rows, cache(partial(formulas, xml)), partial(hidden_rows, xml))
        exact = read_exactly(xml, self._shared)
        return SheetCells(sheet.name, exact.rows(), lambda: exact.formulas, partial(hidden_rows, xml))

    def _fast_rows(self, fast: CalamineWorkbook, sheet: Sheet, xml: bytes) -> list[list[object]] | None:
        """The rows of a plain sheet; None when the fast reader gives up."""
        read = _tried(lambda: fast.get_sheet_by_name(sheet.name).to_python(skip_empty_area=False))
        if read is None:
            return None
        rows: list[list[object]] = [[*row] for row in read]
        for (row, column), flaw in flaws(xml).items():
            rows += [[] for _ in range(row + 1 - len(rows))]
            rows[row] += [""] * (column + 1 - len(rows[row]))
            rows[row][column] = flaw
        return rows

    @cached_property
    def _fast(self) -> CalamineWorkbook | None:
        """The fast reader, unless the package keeps its parts where that does not look for them."""
        package = self._package
        if package.main_part != WORKBOOK or package.related("/sharedStrings") not in (STRINGS, None):
            return None
        return _tried(lambda: CalamineWorkbook.from_filelike(io.BytesIO(self._data)))

    @cached_property
    def _shared(self) -> Shared:
        strings, styles = (self._package.related(kind) for kind in ("/sharedStrings", "/styles"))
        return Shared(
            read_strings(self._package.read(strings)) if strings else (),
            date_styles(self._package.read(styles)) if styles else frozenset(),
            self._is_1904,
        )

    @cached_property
    def _is_1904(self) -> bool:
        settings = elements(self._package.read(self._package.main_part), "workbookPr")
        return any(attributes.get("date1904") in TRUE for _, attributes in settings)

    def _names(self) -> dict[str, tuple[str, str]]:
        text = self._package.read(self._package.main_part).decode("utf-8", "replace")
        return {
            name: (unescape(tab).removeprefix("'").removesuffix("'").replace("''", "'"), cell)
            for name, tab, cell in NAMES.findall(text)
        }

    def _properties(self) -> str:
        names = self._package.names()
        parts = [self._package.read(name).decode("utf-8", "replace") for name in PROPERTIES if name in names]
        return " ".join(TAGS.sub(" ", part) for part in parts)


def _tried(read: Callable[[], T]) -> T | None:
    """What the fast reader gives; None where it gives up, for which it also has an exception of its own."""
    try:
        return read()
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException:  # noqa: BLE001 - a panic of the fast reader is no Exception; the exact reader tells what is wrong
        return None
