"""The recipients of a round: who gets a workbook, read from CSV or Excel."""

import csv
import io
import re
import tomllib
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from templates.orgnr import DIGITS, is_orgnr

HEADINGS: dict[str, dict[str, list[str]]] = tomllib.loads(
    (Path(__file__).parent / "headings.toml").read_text(encoding="utf-8")
)
REQUIRED = ("orgnr", "name", "type", "email", "language")
EMAIL = re.compile(r"[^@\s,;<>\"()\[\]]+@[^@\s,;<>\"()\[\]]+\.[^@\s,;<>\"()\[\].]{2,}")
COPIES = re.compile(r"[1-9][0-9]?")


@dataclass(frozen=True)
class Unit:
    """A unit (kindergarten, school) that a recipient is known to own."""

    orgnr: str
    name: str
    type: str = ""
    kommunenr: str = ""
    owner: str = ""


@dataclass(frozen=True)
class Recipient:
    """One who gets a workbook."""

    orgnr: str
    name: str
    type: str
    email: str
    language: str
    kommunenr: str = ""
    county: str = ""
    contact: str = ""
    phone: str = ""
    copies: int = 1
    units: tuple[Unit, ...] = ()


@dataclass(frozen=True)
class BadRow:
    """A row of the recipients file that cannot be used."""

    row: int
    name: str
    reason: str

    def __str__(self) -> str:
        return f"row {self.row}  {self.name or '(no name)'}  {self.reason}"


class RecipientsError(Exception):
    """A recipients file that cannot be read at all: one sentence that says what to do."""


def read_recipients(path: Path, languages: tuple[str, ...]) -> tuple[list[Recipient], list[BadRow]]:
    """The usable recipients of a CSV or .xlsx file, and the rows that need a person.

    Known units are read from `units.csv` (or .xlsx) in the same folder when it is there.
    Raises RecipientsError when the file or one of its required columns is missing.
    """
    units = _read_units(path.parent)
    good: list[Recipient] = []
    bad: list[BadRow] = []
    seen: dict[str, int] = {}
    for number, row in _rows(path, HEADINGS["recipients"], REQUIRED):
        problem = _problem(row, languages, seen)
        if problem:
            bad.append(BadRow(number, row["name"], problem))
            continue
        seen[row["orgnr"]] = number
        fields = {key: value for key, value in row.items() if key != "copies"}
        fields["language"] = row["language"].lower()
        copies = int(row.get("copies") or 1)
        good.append(Recipient(**fields, copies=copies, units=tuple(units.get(row["orgnr"], ()))))
    return good, bad


def _problem(row: dict[str, str], languages: tuple[str, ...], seen: dict[str, int]) -> str | None:
    orgnr, email, copies = row["orgnr"], row["email"], row.get("copies") or str(1)
    digits = "check digit" if len(orgnr) == DIGITS and orgnr.isdigit() else f"must have {DIGITS} digits"
    tests = (
        (is_orgnr(orgnr), f"«{orgnr}» is not an organisation number ({digits})"),
        (orgnr not in seen, f"{orgnr} stands in row {seen.get(orgnr)} too"),
        (bool(row["name"]), "no name"),
        (bool(email), "no e-mail address"),
        (bool(EMAIL.fullmatch(email)), f"«{email}» is not one e-mail address"),
        (
            row["language"].lower() in languages,
            f"language is «{row['language']}»; use {' or '.join(languages)}",
        ),
        (bool(COPIES.fullmatch(copies)), f"copies is «{copies}»; use a number from 1 to 99"),
    )
    return next((reason for holds, reason in tests if not holds), None)


def _read_units(folder: Path) -> dict[str, list[Unit]]:
    units: dict[str, list[Unit]] = {}
    for path in (folder / "units.csv", folder / "units.xlsx"):
        if path.exists():
            for _, row in _rows(path, HEADINGS["units"], ("owner", "orgnr", "name")):
                units.setdefault(row["owner"], []).append(Unit(**row))
    return units


def _rows(path: Path, columns: dict[str, list[str]], required: tuple[str, ...]) -> list[tuple[int, dict[str, str]]]:
    """The rows of a table with our column names, and their numbers as the file shows them."""
    if not path.exists():
        raise RecipientsError(f"{path} does not exist; put your owners there, one row each")
    table = _xlsx_table(path) if path.suffix.lower() == ".xlsx" else _csv_table(path)
    if not table:
        raise RecipientsError(f"{path.name} is empty; the first row must name the columns: {', '.join(columns)}")
    headings = [heading.strip().casefold() for heading in table[0]]
    place = {
        name: headings.index(spelling) for name, known in columns.items() for spelling in known if spelling in headings
    }
    missing = [name for name in required if name not in place]
    if missing:
        raise RecipientsError(f"{path.name} has no column {_with_hint(missing[0], columns, headings)}")
    return [
        (number, {name: _cell(cells, index, name) for name, index in place.items()})
        for number, cells in enumerate(table[1:], 2)
        if any(cell.strip() for cell in cells)
    ]


def _with_hint(name: str, columns: dict[str, list[str]], headings: list[str]) -> str:
    close = get_close_matches(name, headings, n=1, cutoff=0.6)
    found = f"; is «{close[0]}» meant?" if close else ""
    return f"«{name}» (also understood: {', '.join(columns[name])}){found}"


def _cell(cells: list[str], index: int, name: str) -> str:
    text = " ".join(cells[index].split()) if index < len(cells) else ""
    if name in ("orgnr", "owner"):
        return text.replace(" ", "")
    if name == "kommunenr" and text.isdigit():
        return text.zfill(4)
    return text


def _csv_table(path: Path) -> list[list[str]]:
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("cp1252", errors="replace")  # what Norwegian Excel saves as plain CSV
    first = text.partition("\n")[0]
    delimiter = max(";,\t", key=first.count)
    return list(csv.reader(io.StringIO(text), delimiter=delimiter))


def _xlsx_table(path: Path) -> list[list[str]]:
    from python_calamine import CalamineError, CalamineWorkbook  # noqa: PLC0415 - only for Excel files

    try:
        workbook = CalamineWorkbook.from_path(str(path))
        rows = workbook.get_sheet_by_index(0).to_python(skip_empty_area=False)
    except CalamineError as error:
        raise RecipientsError(f"{path.name} cannot be opened as an Excel file; save it as .xlsx or .csv") from error
    return [[_as_text(cell) for cell in row] for row in rows]


def _as_text(cell: object) -> str:
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)
