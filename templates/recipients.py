"""The recipients of a round: who gets a workbook, read from CSV or Excel."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from templates.grants import Grant, read_grants
from templates.orgnr import DIGITS, is_orgnr
from templates.problems import one_of
from templates.tables import BadRow, read_rows

REQUIRED = ("orgnr", "name", "type", "email", "language")
EMAIL = re.compile(r"[^@\s,;<>\"()\[\]]+@[^@\s,;<>\"()\[\]]+\.[^@\s,;<>\"()\[\].]{2,}")
KOMMUNENR = re.compile(r"\d{4}", re.ASCII)
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
    contact_email: str = ""  # gets the letters too
    units: tuple[Unit, ...] = ()
    grants: tuple[Grant, ...] = ()


def read_recipients(
    path: Path, languages: Sequence[str], types: Sequence[str] = ()
) -> tuple[list[Recipient], list[BadRow]]:
    """The usable recipients of a CSV or .xlsx file, and the rows that need a person.

    Known units and earlier grants are read from `units.csv` and `grants.csv` (or .xlsx) in the
    same folder when they are there, and their rows that need a person are told too. Without `types` any type is taken.
    Raises TableError when the file or one of its required columns is missing.
    """
    rows = read_rows(path, "recipients", REQUIRED)
    units, bad_units = _read_units(path.parent, {row["orgnr"] for _, row in rows})
    grants, bad_grants = read_grants(path.parent)
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
        own = tuple(grant for grant in grants if grant.owner == row["orgnr"])
        good.append(Recipient(**fields, copies=copies, units=tuple(units.get(row["orgnr"], ())), grants=own))
    return good, [*bad, *bad_units, *bad_grants]


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
    for number, row in read_rows(path, "units", ("owner", "orgnr", "name")) if path else ():
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
