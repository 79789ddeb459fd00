"""Files that staff bring in: what each is, what it would change, and what is kept of it."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from outputs.caseimport import Casework, look
from outputs.refusals import RefusalError
from outputs.register import Register
from templates.round import Round


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


def look_through(round_: Round, register: Register, path: Path, *, skip_stale: bool = False) -> Incoming:
    """Find out what a file is and what it would change. Raises RefusalError for one that cannot be used."""
    if not path.is_file():
        raise RefusalError(f"{path} does not exist; write the name of the file to import")
    return Casework(round_, register, path, look(round_, register, path), skip_stale)
