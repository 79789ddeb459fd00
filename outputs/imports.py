"""Files that staff bring in: what each is, what it would change, and what is kept of it."""

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any, Protocol

from intake.registers import read_records, read_register, source_of
from outputs.caseimport import Casework, look
from outputs.refusals import RefusalError
from outputs.register import Register
from outputs.registerimport import register_import
from templates.problems import one_of
from templates.registers import SOURCES
from templates.round import Round

TABLES = (".json", ".csv", ".txt", ".tsv")
KNOWN = one_of(list(SOURCES))


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
    if path.suffix.lower() in TABLES or (path.suffix.lower() == ".xlsx" and source):
        records = read_records(path)
        found = source_of(path, records, source)
        if found is None:
            raise RefusalError(f"{path.name} is nothing we know: neither an exported register nor a file of {KNOWN}")
        return register_import(round_, register, path, read_register(path, records, found, register.form), dated)
    return Casework(round_, register, path, look(round_, register, path), skip_stale)
