"""Files that staff bring in: what each is, what it would change, and what is kept of it."""

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any, Protocol

from intake.registers import Record, read_records, read_register, source_of
from outputs.imports.caseimport import Casework, look
from outputs.imports.listimport import kind_of, list_import
from outputs.imports.registerimport import register_import
from outputs.register.refusals import RefusalError
from outputs.register.register import Register
from templates.problems import one_of
from templates.registers import SOURCES
from templates.round import Round
from templates.tables import TableError

TABLES = (".json", ".csv", ".txt", ".tsv")
WHAT = f"an exported register, recipients, earlier grants, or a file of {one_of(list(SOURCES))}"


class Incoming(Protocol):
    """A file that was looked through, before anything of it is kept."""

    @property
    def blocked(self) -> bool:
        """Whether something in it stands in the way."""

    @property
    def is_new(self) -> bool:
        """Whether it says anything that is not known."""

    def lines(self) -> Iterator[str]:
        """Tell what it would change."""

    def json(self, *, applied: bool) -> dict[str, Any]:
        """Give the same for programs."""

    def keep(self, by: str, now: datetime) -> None:
        """Take it in. Raises RefusalError."""

    def after(self) -> Iterator[str]:
        """Tell what comes next, once it is kept."""


def look_through(
    round_: Round,
    register: Register,
    path: Path,
    *,
    skip_stale: bool = False,
    source: str = "",
    dated: date | None = None,
) -> Incoming:
    """Find out what a file is and what it would change.

    Raises RefusalError or TableError for one that cannot be used.
    """
    if not path.is_file():
        raise RefusalError(f"{path} does not exist; write the name of the file to import")
    is_table = path.suffix.lower() in TABLES
    records = read_records(path) if is_table or source else _first_sheet(path)
    found = source_of(path, records, source)
    if found:
        return register_import(round_, register, path, read_register(path, records, found, register.form), dated)
    if kind := kind_of(records):
        return list_import(round_, register, path, kind, dated)
    if is_table:
        raise RefusalError(f"{path.name} is nothing we know; bring {WHAT}")
    return Casework(round_, register, path, look(round_, register, path), skip_stale)


def _first_sheet(path: Path) -> list[Record]:
    """Read what may be a table in Excel; nothing of a file that is none."""
    try:
        return read_records(path) if path.suffix.lower() == ".xlsx" else []
    except TableError:
        return []
