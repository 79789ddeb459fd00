"""The recipients of a round: who gets a workbook, read from CSV or Excel."""

import csv
import io
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from templates.orgnr import DIGITS, is_orgnr
from templates.problems import one_of

HEADINGS: dict[str, dict[str, list[str]]] = tomllib.loads(
    (Path(__file__).parent / "headings.toml").read_text(encoding="utf-8")
)
REQUIRED = ("orgnr", "name", "type", "email", "language")
EMAIL = re.compile(r"[^@\s,;<>\"()\[\]]+@[^@\s,;<>\"()\[\]]+\.[^@\s,;<>\"()\[\].]{2,}")
KOMMUNENR = re.compile(r"\d{4}", re.ASCII)
COPIES = re.compile(r"[1-9][0-9]?")
NUMBERS = ("orgnr", "owner", "kommunenr", "county", "copies")
LEADING_ZEROS = {"kommunenr": 4, "county": 2}  # digits; a spreadsheet drops the zero of 0301


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
    contact_email: str = ""  # gets the letters too
    units: tuple[Unit, ...] = ()


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


class RecipientsError(Exception):
    """A recipients file that cannot be read at all: one sentence that says what to do."""


def read_recipients(
    path: Path, languages: Sequence[str], types: Sequence[str] = ()
) -> tuple[list[Recipient], list[BadRow]]:
    """The usable recipients of a CSV or .xlsx file, and the rows that need a person.

    Known units are read from `units.csv` (or .xlsx) in the same folder when it is there, and its
    rows that need a person are told too. Without `types` any type is taken.
    Raises RecipientsError when the file or one of its required columns is missing.
    """
    rows = _rows(path, HEADINGS["recipients"], REQUIRED)
    units, bad_units = _read_units(path.parent, {row["orgnr"] for _, row in rows})
    good: list[Recipient] = []
    bad: list[BadRow] = []
    seen: dict[str, int] = {}
    for number, row in rows:
        reasons = [*_wrong_unit(row, seen.get(row["orgnr"])), *_wrong_recipient(row, languages, types)]
        if reasons:
            bad.append(BadRow(number, row["name"], "; ".join(reasons)))
            continue
        seen[row["orgnr"]] = number
        fields = {key: value for key, value in row.items() if key != "copies"}
        fields["language"] = row["language"].lower()
        copies = int(row.get("copies") or 1)
        good.append(Recipient(**fields, copies=copies, units=tuple(units.get(row["orgnr"], ()))))
    return good, [*bad, *bad_units]


def _wrong_unit(row: dict[str, str], seen: int | None) -> Iterator[str]:
    """What is wrong with a number, a name and a place, as recipients and units both have."""
    orgnr, kommunenr = row["orgnr"], row.get("kommunenr", "")
    if not is_orgnr(orgnr):
        digits = "check digit" if len(orgnr) == DIGITS and orgnr.isdigit() else f"must have {DIGITS} digits"
        yield f"«{orgnr}» is not an organisation number ({digits})"
    if seen is not None:
        yield f"{orgnr} stands in row {seen} too"
    if not row["name"]:
        yield "no name"
    if kommunenr and not KOMMUNENR.fullmatch(kommunenr):
        yield f"«{kommunenr}» is not a kommunenummer (must have 4 digits)"


def _wrong_recipient(row: dict[str, str], languages: Sequence[str], types: Sequence[str]) -> Iterator[str]:
    email, copies = row["email"], row.get("copies") or str(1)
    if types and row["type"] not in types:
        yield f"type is «{row['type']}»; use {one_of(types)}"
    if not email:
        yield "no e-mail address"
    elif not EMAIL.fullmatch(email):
        yield f"«{email}» is not one e-mail address"
    contact = row.get("contact_email", "")
    if contact and not EMAIL.fullmatch(contact):
        yield f"«{contact}» is not one e-mail address"
    elif contact and contact.rpartition("@")[2].casefold() != email.rpartition("@")[2].casefold():
        yield f"the contact's address «{contact}» is not at the same domain as «{email}»"
    if row["language"].lower() not in languages:
        yield f"language is «{row['language']}»; use {one_of(languages)}"
    if not COPIES.fullmatch(copies):
        yield f"copies is «{copies}»; use a number from 1 to 99"


def _read_units(folder: Path, owners: set[str]) -> tuple[dict[str, list[Unit]], list[BadRow]]:
    """The usable units by the number of their owner, and the rows that need a person."""
    path = next((path for path in (folder / "units.xlsx", folder / "units.csv") if path.exists()), None)
    units: dict[str, list[Unit]] = {}
    bad: list[BadRow] = []
    seen: dict[tuple[str, str], int] = {}
    for number, row in _rows(path, HEADINGS["units"], ("owner", "orgnr", "name")) if path else ():
        place = row["owner"], row["orgnr"]
        reasons = list(_wrong_unit(row, seen.get(place)))
        if row["owner"] not in owners:
            reasons.append(f"its owner «{row['owner']}» is not among the recipients")
        if reasons:
            bad.append(BadRow(number, row["name"], "; ".join(reasons), path.name if path else ""))
            continue
        seen[place] = number
        units.setdefault(row["owner"], []).append(Unit(**row))
    return units, bad


def _rows(path: Path, columns: dict[str, list[str]], required: tuple[str, ...]) -> list[tuple[int, dict[str, str]]]:
    """The rows of a table with our column names, and their numbers as the file shows them."""
    if not path.exists():
        raise RecipientsError(f"{path} does not exist; put your owners there, one row each")
    try:
        table = _xlsx_table(path) if path.suffix.lower() == ".xlsx" else _csv_table(path)
    except OSError as error:
        raise RecipientsError(f"{path.name} cannot be read ({error.strerror}); close it in other programs") from error
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
    close = [match for spelling in columns[name] for match in get_close_matches(spelling, headings, cutoff=0.75)]
    found = f"; is «{close[0]}» meant?" if close else ""
    return f"«{name}» (also understood: {', '.join(columns[name])}){found}"


def _cell(cells: list[str], index: int, name: str) -> str:
    text = " ".join(cells[index].split()) if index < len(cells) else ""
    if name in NUMBERS:
        text = text.replace(" ", "").removesuffix(".0")
    return text.zfill(LEADING_ZEROS[name]) if name in LEADING_ZEROS and text.isdigit() else text


def _csv_table(path: Path) -> list[list[str]]:
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("cp1252", errors="replace")  # what Norwegian Excel saves as plain CSV
    first = text.partition("\n")[0]
    delimiter = max(";,\t", key=first.count)
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error as error:
        raise RecipientsError(f"{path.name} cannot be read as CSV; save it as .xlsx or .csv") from error


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
