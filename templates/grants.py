"""Earlier grants: what owners were given before, from `grants.csv` (or .xlsx) in the round folder."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from templates.orgnr import is_orgnr
from templates.tables import BadRow, read_rows

YEAR = re.compile(r"(19|20)\d\d", re.ASCII)
AMOUNT = re.compile(r"\d{1,12}", re.ASCII)  # whole kroner


@dataclass(frozen=True)
class Grant:
    """One grant: its case number, whom it was given, what for, the year, how much in kroner, and the scheme."""

    reference: str
    owner: str
    title: str
    year: str
    amount: int | None = None
    scheme: str = ""  # as the form or people call it


def read_grants(folder: Path) -> tuple[list[Grant], list[BadRow]]:
    """The grants of a round folder, and the rows that need a person; none without the file. Raises TableError."""
    path = grants_file(folder)
    return read_grants_file(path) if path else ([], [])


def grants_file(folder: Path) -> Path | None:
    """The file of a round folder that has its earlier grants, if there is one."""
    return next((path for path in (folder / "grants.xlsx", folder / "grants.csv") if path.exists()), None)


def read_grants_file(path: Path) -> tuple[list[Grant], list[BadRow]]:
    """The grants of one file, and the rows that need a person. Raises TableError."""
    grants: dict[str, Grant] = {}
    bad = []
    for number, row in read_rows(path, "grants", ("reference", "owner", "title", "year")):
        row["amount"] = re.sub(r"[\s.]", "", row.get("amount", ""))
        reasons = list(_wrong(row, grants))
        if reasons:
            bad.append(BadRow(number, row["title"], "; ".join(reasons), path.name))
        else:
            amount = int(row["amount"]) if row["amount"] else None
            grants[row["reference"]] = Grant(
                row["reference"], row["owner"], row["title"], row["year"], amount, row.get("scheme", "")
            )
    return list(grants.values()), bad


def _wrong(row: dict[str, str], seen: dict[str, Grant]) -> Iterator[str]:
    if not row["reference"]:
        yield "no reference"
    elif row["reference"] in seen:
        yield f"the reference {row['reference']} stands in an earlier row too"
    if not is_orgnr(row["owner"]):
        yield f"«{row['owner']}» is not an organisation number"
    if not row["title"]:
        yield "no title"
    if not YEAR.fullmatch(row["year"]):
        yield f"year is «{row['year']}»; use four digits"
    if row["amount"] and not AMOUNT.fullmatch(row["amount"]):
        yield f"amount is «{row['amount']}»; use whole kroner"
