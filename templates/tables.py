"""The tables that staff make, CSV or Excel: their rows by the headings we know."""

import codecs
import csv
import io
import tomllib
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

HEADINGS: dict[str, dict[str, list[str]]] = tomllib.loads(
    (Path(__file__).parent / "headings.toml").read_text(encoding="utf-8")
)
NUMBERS = ("orgnr", "owner", "kommunenr", "county", "copies")
UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)  # what Excel's «Unicode-tekst» begins with
LEADING_ZEROS = {"kommunenr": 4, "county": 2}  # digits; a spreadsheet drops the zero of 0301


class TableError(Exception):
    """A file that cannot be read at all: one sentence that says what to do."""


@dataclass(frozen=True)
class BadRow:
    """A row that cannot be used: of the recipients, or of the file that is named."""

    row: int
    name: str
    reason: str
    file: str = ""

    def __str__(self) -> str:
        place = f"{self.file} row {self.row}" if self.file else f"row {self.row}"
        return f"{place}  {self.name or '(no name)'}  {self.reason}"


def read_rows(path: Path, kind: str, required: tuple[str, ...]) -> list[tuple[int, dict[str, str]]]:
    """The rows of a table with our column names, and their numbers as the file shows them.

    `kind` is a part of headings.toml. Raises TableError when the file or a required column is missing.
    """
    columns = HEADINGS[kind]
    if not path.exists():
        raise TableError(f"{path} does not exist; put your owners there, one row each")
    try:
        table = xlsx_table(path) if path.suffix.lower() == ".xlsx" else csv_table(path)
    except OSError as error:
        raise TableError(f"{path.name} cannot be read ({error.strerror}); close it in other programs") from error
    if not table:
        raise TableError(f"{path.name} is empty; the first row must name the columns: {', '.join(columns)}")
    headings = [heading.strip().casefold() for heading in table[0]]
    place = {
        name: headings.index(spelling) for name, known in columns.items() for spelling in known if spelling in headings
    }
    missing = [name for name in required if name not in place]
    if missing:
        raise TableError(f"{path.name} has no column {_with_hint(missing[0], columns, headings)}")
    return [
        (number, {name: _cell(cells, index, name) for name, index in place.items()})
        for number, cells in enumerate(table[1:], 2)
        if any(cell.strip() for cell in cells)
    ]


def _with_hint(name: str, columns: dict[str, list[str]], headings: list[str]) -> str:
    close = [match for spelling in columns[name] for match in get_close_matches(spelling, headings, cutoff=0.75)]
    found = f"; is «{close[0]}» meant?" if close else ""
    return f"«{name}» (also understood: {', '.join(columns[name])}){found}"


def _cell(cells: list[str], index: int, name: str) -> str:
    text = " ".join(cells[index].split()) if index < len(cells) else ""
    if name in NUMBERS:
        text = text.replace(" ", "").removesuffix(".0")
    return text.zfill(LEADING_ZEROS[name]) if name in LEADING_ZEROS and text.isdigit() else text


def csv_table(path: Path) -> list[list[str]]:
    """Give the cells as texts, whatever divides them. Raises TableError, OSError."""
    text = text_in(path)
    first = text.partition("\n")[0]
    delimiter = max(";,\t", key=first.count)
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error as error:
        raise TableError(f"{path.name} cannot be read as CSV; save it as .xlsx or .csv") from error


def text_in(path: Path) -> str:
    """Read a text that staff have saved, in whatever encoding. Raises OSError."""
    raw = path.read_bytes()
    try:
        return raw.decode("utf-16" if raw.startswith(UTF_16) else "utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")  # what Norwegian Excel saves as plain CSV


def xlsx_table(path: Path) -> list[list[str]]:
    """Give the cells of the first sheet as texts. Raises TableError."""
    from python_calamine import CalamineError, CalamineWorkbook  # noqa: PLC0415 - only for Excel files

    try:
        workbook = CalamineWorkbook.from_path(str(path))
        rows = workbook.get_sheet_by_index(0).to_python(skip_empty_area=False)
    except CalamineError as error:
        raise TableError(f"{path.name} cannot be opened as an Excel file; save it as .xlsx or .csv") from error
    return [[_as_text(cell) for cell in row] for row in rows]


def _as_text(cell: object) -> str:
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)
