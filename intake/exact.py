"""The slow, exact way to read a sheet: every cell with what it really holds, or why nobody can say.

A sheet comes here when it is not written the plain way. What stands in a cell is text, a float, a
bool, a datetime or a time, or a `Flaw`.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from intake.package import PackageError, local, make_parser

MAX_DEPTH = 64  # elements within elements
MAX_SHOWN = 20  # characters of an error: #GETTING_DATA
MAX_CELLS = 400_000  # with something in them, in one sheet


@dataclass(frozen=True, slots=True)
class Flaw:
    """A cell whose answer cannot be known; `problem` is a code of a reading, `shown` what the owner sees there."""

    problem: str
    shown: str = ""


DAMAGED, NO_VALUE = Flaw("damaged_cell"), Flaw("formula_without_value")


def error_cell(shown: str) -> Flaw:
    """A cell that shows an error such as #REF!."""
    return Flaw("error_cell", shown[:MAX_SHOWN])


Cell = str | float | bool | datetime | date | time | Flaw
Spot = tuple[int, int]  # row and column, counted from 0


@dataclass(frozen=True, slots=True)
class Shared:
    """What the cells of a workbook refer to: its texts, the styles that show dates, its first day."""

    strings: Sequence[str] = ()
    date_styles: frozenset[int] = frozenset()
    is_1904: bool = False


@dataclass(frozen=True, slots=True)
class ExactSheet:
    """Every cell with something in it, and the text of every formula."""

    cells: Mapping[Spot, Cell]
    formulas: Mapping[Spot, str]

    def formula(self, cell: str) -> str:
        """The formula in a cell such as C31; empty where there is none."""
        row, column = place(cell)
        return self.formulas.get((row - 1, column - 1), "")

    def rows(self) -> list[list[object]]:
        """The same cells as rows of unequal length; "" where nothing is."""
        rows: list[list[object]] = [[] for _ in range(1 + max((row for row, _ in self.cells), default=-1))]
        for (row, column), cell in sorted(self.cells.items(), key=lambda item: item[0]):
            rows[row] += [""] * (column - len(rows[row]))
            rows[row].append(cell)
        return rows


def read_exactly(xml: bytes, shared: Shared) -> ExactSheet:
    """Read every cell of a sheet. Raises PackageError, ValueError or ExpatError for a broken one."""
    walk = _Walk(shared)
    _parse(xml, walk)
    return ExactSheet(walk.cells, walk.formulas)


def farthest(xml: bytes) -> Spot:
    """The last row and the last column that hold something, counted from 1. Raises as `read_exactly`."""
    cells = read_exactly(xml, Shared()).cells
    return max((row + 1 for row, _ in cells), default=0), max((column + 1 for _, column in cells), default=0)


def _parse(xml: bytes, walk: "_Walk | _Strings") -> None:
    parser = make_parser()
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = walk.start, walk.end
    parser.CharacterDataHandler = walk.text.append
    parser.Parse(xml, True)  # noqa: FBT003 - expat takes no keywords


# cells

REFERENCE = re.compile(r"([A-Za-z]{1,7})([1-9][0-9]{0,9})")
TEXTS = frozenset({"f", "v", "t"})  # the elements whose text is read
CELLS = frozenset({"c", "row"})
PARTS = frozenset({"f", "v", "is", "extLst"})  # what a cell may consist of


@dataclass(slots=True)
class _Walk:
    """The cell that is being read, and those that have been."""

    shared: Shared
    cells: dict[Spot, Cell] = field(default_factory=dict)
    formulas: dict[Spot, str] = field(default_factory=dict)
    by_group: dict[str, str] = field(default_factory=dict)  # the text of formulas that cells share
    text: list[str] = field(default_factory=list)
    depth: int = 0
    is_data: bool = False  # within the sheet's data
    is_text: bool = False  # within an element that has text alone
    within: int = 0  # how many elements, from the cell on
    row: int = 0
    column: int = 0
    kind: str = "n"
    style: str = "0"
    value: str | None = None
    inline: str | None = None
    formula: str | None = None
    group: str | None = None
    phonetic: int = 0  # within how many elements that say how a text is pronounced

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        tag = local(name)
        is_lost = self.is_text or (self.within and tag in CELLS) or (self.within == 1 and tag not in PARTS)
        if self.depth > MAX_DEPTH or is_lost:
            raise PackageError(name)
        if self.within:
            self._start_part(tag, attributes)
        elif tag == "sheetData":
            self.is_data = True
        elif tag == "c" and self.is_data:
            self._start_cell(attributes)
        elif tag == "row":
            self.row, self.column = _whole(attributes.get("r", str(self.row + 1))), 0

    def end(self, name: str) -> None:
        self.depth -= 1
        tag = local(name)
        if not self.within:
            self.is_data = self.is_data and tag != "sheetData"
            return
        self.within -= 1
        self.is_text = False
        if not self.within:
            self._end_cell()
        elif self.within == 1 and tag == "f":
            self.formula = (self.formula or "") + "".join(self.text)
        elif self.within == 1 and tag == "v":
            self.value = (self.value or "") + "".join(self.text)
        elif tag == "t" and self.inline is not None and not self.phonetic:
            self.inline += "".join(self.text)
        elif tag == "rPh":
            self.phonetic -= 1

    def _start_part(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "is" and self.within == 1:
            self.inline = self.inline or ""
        elif tag == "f" and self.within == 1:
            self.group = attributes.get("si")
        elif tag == "rPh":
            self.phonetic += 1
        self.within += 1
        self.is_text = tag in TEXTS
        self.text.clear()

    def _start_cell(self, attributes: dict[str, str]) -> None:
        reference = attributes.get("r")
        self.row, self.column = place(reference) if reference else (self.row, self.column + 1)
        self.kind, self.style = attributes.get("t", "n"), attributes.get("s", "0")
        self.value = self.inline = self.formula = self.group = None
        self.within = 1

    def _end_cell(self) -> None:
        spot = self.row - 1, self.column - 1
        if self.formula is not None:
            self._keep_formula(spot)
        cell = self._cell()
        if cell == "":
            return
        if self.cells.setdefault(spot, cell) != cell:
            self.cells[spot] = DAMAGED  # one cell written twice: programs choose differently
        elif len(self.cells) > MAX_CELLS:
            raise PackageError(MAX_CELLS)

    def _keep_formula(self, spot: Spot) -> None:
        text = self.formula or ""
        if self.group is not None and text:
            self.by_group[self.group] = text
        self.formulas[spot] = text or self.by_group.get(self.group or "", "")

    def _cell(self) -> Cell:
        if self.kind == "inlineStr":
            text = self.inline if self.inline is not None else self.value
            return DAMAGED if self.inline is not None and self.value else unescaped(text or "")
        if self.inline:
            return DAMAGED
        if self.formula is not None and not self.value and (self.kind != "str" or self.value is None):
            return NO_VALUE
        return "" if self.value is None else typed(self.kind, self.style, self.value, self.shared)


def _whole(text: str) -> int:
    if not INDEX.fullmatch(text):
        raise PackageError(text)
    return int(text)


def place(reference: str) -> Spot:
    """Give the row and the column of a cell, counted from 1. Raises PackageError."""
    found = REFERENCE.fullmatch(reference)
    if found is None:
        raise PackageError(reference)
    column = 0
    for letter in found[1].upper():
        column = column * 26 + ord(letter) - ord("@")
    return int(found[2]), column


# what stands in a cell

INDEX = re.compile(r"\d{1,9}", re.ASCII)
NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?", re.ASCII)
ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")
HALVES = range(0xD800, 0xE000)  # half a character is none
TRUTH = {"1": True, "0": False, "true": True, "false": False}
EPOCH, DAYS_TO_1904, LAST_SERIAL = datetime(1899, 12, 30), 1462, 2_958_465  # noqa: DTZ001 - a spreadsheet has no zone


def unescaped(text: str) -> str:
    """A text with its _x000A_ read as the character it stands for."""
    return ESCAPED.sub(_character, text) if "_x" in text else text


def _character(escaped: re.Match[str]) -> str:
    code = int(escaped[1], 16)
    return "\ufffd" if code in HALVES else chr(code)


def typed(kind: str, style: str, value: str, shared: Shared) -> Cell:  # noqa: PLR0911 - one for each type
    """What a cell of this type (ECMA-376, 18.18.11) and style holds, by what is written in it."""
    bare = value.strip(" \t\r\n")
    match kind:
        case "str":
            return unescaped(value)
        case "s":
            number = int(bare) if INDEX.fullmatch(bare) else len(shared.strings)
            return shared.strings[number] if number < len(shared.strings) else DAMAGED
        case "e":
            return error_cell(bare)
        case "b":
            return TRUTH.get(bare, DAMAGED)
        case "d":
            return _iso(bare)
        case "n":
            return _number(bare, style, shared) if bare else ""
        case _:
            return DAMAGED


def _iso(text: str) -> Cell:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return DAMAGED


def _number(text: str, style: str, shared: Shared) -> Cell:
    number = float(text) if NUMBER.fullmatch(text) else math.nan
    if not math.isfinite(number):
        return DAMAGED
    is_date = style.isdigit() and int(style[:6]) in shared.date_styles
    return moment(number, is_1904=shared.is_1904) if is_date else number


def moment(serial: float, *, is_1904: bool) -> Cell:
    """The time that a number shows where it is shown as one; the number where it can be none."""
    if 0 <= serial < 1:
        return (EPOCH + timedelta(days=serial)).time()
    days = serial + (DAYS_TO_1904 if is_1904 else 0)
    if not 1 <= days < LAST_SERIAL + 1:
        return serial
    seconds = round(days % 1 * 86_400, 3)
    return EPOCH + timedelta(days=int(days), seconds=seconds)


# what cells refer to


@dataclass(slots=True)
class _Strings:
    """The texts that cells share, without how they are pronounced."""

    found: list[str] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    current: list[str] = field(default_factory=list)
    phonetic: int = 0

    def start(self, name: str, _attributes: dict[str, str]) -> None:
        match local(name):
            case "si":
                self.current.clear()
            case "t":
                self.text.clear()
            case "rPh":
                self.phonetic += 1

    def end(self, name: str) -> None:
        match local(name):
            case "si":
                self.found.append(unescaped("".join(self.current)))
            case "t" if not self.phonetic:
                self.current.append("".join(self.text))
            case "rPh":
                self.phonetic -= 1


def read_strings(xml: bytes) -> list[str]:
    """The texts that cells refer to by number. Raises ExpatError or DoctypeError."""
    strings = _Strings()
    _parse(xml, strings)
    return strings.found


# what shows a number as a date

BUILT_IN_DATES = frozenset({*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)})  # ECMA-376, 18.8.30
NOT_SHOWN = re.compile(r'\[(?![hms]+\])[^\]]*\]|"[^"]*"|\\.|[_*].')  # colours, languages, texts, blanks
DATE_LETTERS = re.compile("[dmyhs]", re.IGNORECASE)


def date_styles(xml: bytes) -> frozenset[int]:
    """The cell styles that show a number as a date or time. Raises PackageError or ExpatError."""
    dates, shown = set(BUILT_IN_DATES), []
    is_cells = False

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal is_cells
        match local(name):
            case "numFmt":
                number = _whole(attributes.get("numFmtId", "0"))
                is_date = DATE_LETTERS.search(NOT_SHOWN.sub("", attributes.get("formatCode", "").partition(";")[0]))
                (dates.add if is_date else dates.discard)(number)
            case "cellXfs" | "cellStyleXfs":
                is_cells = local(name) == "cellXfs"
            case "xf" if is_cells:
                shown.append(_whole(attributes.get("numFmtId", "0")))

    parser = make_parser()
    parser.StartElementHandler = start
    parser.Parse(xml, True)  # noqa: FBT003 - expat takes no keywords
    return frozenset(style for style, number in enumerate(shown) if number in dates)
