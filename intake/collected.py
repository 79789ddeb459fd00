"""The ledger of mails fetched from the mailbox: a line each, written when the mail is safely in inbox/.

It tells a later run what not to fetch again, and intake when the mail server received each mail.
"""

import csv
import io
import os
from dataclasses import astuple, dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from intake.sources import SourceError


@dataclass(frozen=True, slots=True)
class Collected:
    """One mail that was fetched: a line of `collected.csv`."""

    mailbox: str  # user, server and folder
    uidvalidity: str
    uid: str
    message_id: str
    size: int  # bytes
    received: datetime  # by the mail server (INTERNALDATE)
    file: str  # its name in inbox/
    sha256: str

    @property
    def place(self) -> tuple[str, str, str]:
        """What the server knows it by, until it makes its folders anew."""
        return self.mailbox, self.uidvalidity, self.uid

    @property
    def self_same(self) -> tuple[str, int, datetime] | None:
        """What it is known by wherever it stands; None when it has no Message-ID."""
        return (self.message_id, self.size, self.received) if self.message_id else None


COLUMNS = tuple(field.name for field in fields(Collected))


def read_collected(path: Path) -> list[Collected]:
    """Read the ledger; empty when there is none. Raises SourceError when it is damaged."""
    if not path.exists():
        return []
    raw = path.read_bytes()
    whole = raw[: raw.rfind(b"\n") + 1]  # a line that was cut off is a mail that is fetched again
    try:
        rows = csv.DictReader(io.StringIO(whole.decode("utf-8"), newline=""))
        return [_line(row) for row in rows]
    except (ValueError, KeyError, TypeError, csv.Error):
        raise SourceError(
            f"{path} is damaged; put it back from your backup, or take it away: then every mail is fetched again"
        ) from None


def read_received(path: Path) -> dict[str, datetime]:
    """Tell when each mail was received, by its SHA-256; of equal mails, the first. Raises SourceError."""
    latest_first = sorted(read_collected(path), key=lambda line: line.received, reverse=True)
    return {line.sha256: line.received for line in latest_first}


def add(path: Path, line: Collected) -> None:
    """Write one more line; it is on the disk when this returns."""
    with path.open("ab+") as file:
        rows = [_cells(line)] if _cut_to_whole_lines(file) else [COLUMNS, _cells(line)]
        text = io.StringIO(newline="")
        csv.writer(text).writerows(rows)
        file.write(text.getvalue().encode())
        file.flush()
        os.fsync(file.fileno())


def _cut_to_whole_lines(file: BinaryIO) -> int:
    """Take away a line that a crash cut off; give the size of what is left, in bytes."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(size - 1, 0))
    if file.read(1) not in {b"", b"\n"}:
        file.seek(0)
        size = file.read().rfind(b"\n") + 1
        file.truncate(size)
    return size


def _cells(line: Collected) -> tuple[str, ...]:
    return tuple(cell.isoformat() if isinstance(cell, datetime) else str(cell) for cell in astuple(line))


def _line(row: dict[str, str]) -> Collected:
    values = {name: row[name] for name in COLUMNS}
    return Collected(
        **{name: values[name] for name in COLUMNS if name not in {"size", "received"}},
        size=int(values["size"]),
        received=datetime.fromisoformat(values["received"]),
    )
