"""The journal list: every file that came in and every letter that was sent, for the archive system."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from outputs.exports.columns import MEDIUM, NARROW, WIDE, WIDEST, Column, Labels, Shown
from outputs.register.archive import archived, digest
from outputs.register.case_log import letters_sent
from outputs.register.log import returns
from outputs.register.logbook import read_submissions
from outputs.register.register import Register
from templates.round import Round

CHUNK = 500  # files at a time
WIDTHS = {
    "journal_date": MEDIUM, "journal_direction": NARROW, "journal_party": WIDE, "journal_email": WIDE,
    "journal_title": WIDEST, "report": MEDIUM, "journal_file": WIDE, "journal_hash": WIDE,
}  # fmt: skip

Entry = tuple[datetime, list[Shown]]


def journal_columns(labels: Labels) -> list[Column]:
    return [labels.column(key, width) for key, width in WIDTHS.items()]


def journal(round_: Round, register: Register, labels: Labels) -> Iterator[list[Shown]]:
    """Give a row for each file and letter, in order of time."""
    with register.reading() as connection:
        teller = _Teller(round_, register, labels, connection)
        for _, row in sorted((*teller.incoming(), *teller.outgoing()), key=lambda entry: (entry[0], str(entry[1]))):
            yield row


class _Teller:
    def __init__(self, round_: Round, register: Register, labels: Labels, connection: Connection) -> None:
        self.round = round_
        self.form = register.form
        self.labels = labels
        self.connection = connection

    def incoming(self) -> Iterator[Entry]:
        """Tell of every file that was received, also of those that could not be read."""
        files = {sha256: f"{self.round.archive.name}/{path.name}" for sha256, path in archived(self.round)}
        rows = self.connection.execute(select(returns).order_by(returns.c.received)).mappings().all()
        for start in range(0, len(rows), CHUNK):
            chunk = rows[start : start + CHUNK]
            read = read_submissions(self.connection, [row["sha256"] for row in chunk])
            for row in chunk:
                submission = read.get(row["sha256"])
                answer = submission.answer(self.form.file.report_title) if submission else None
                title = self._title(row["report"], str(answer.value or "") if answer else "", row["name"])
                file = files.get(row["sha256"], "")
                told = [self.labels.say("journal_in"), self._party(row["recipient"]), row["sender"], title]
                local = self.labels.local(row["received"])
                yield row["received"], [local, *told, row["report"], file, row["sha256"]]

    def outgoing(self) -> Iterator[Entry]:
        """Tell of every letter that has left."""
        for at, row in letters_sent(self.connection):
            path = self.round.folder / (row["path"] or "")
            known = digest(path) if path.is_file() else None
            told = [self.labels.say("journal_out"), self._party(row["recipient"]), ", ".join(row["to"]), row["subject"]]
            yield at, [self.labels.local(at), *told, None, _named(row["path"]), known]

    def _party(self, orgnr: str | None) -> str:
        recipient = self.round.recipients.get(orgnr or "")
        return recipient.name if recipient else orgnr or ""

    def _title(self, report: str | None, title: str, name: str) -> str:
        what = self.labels.own(self.form.file.noun.one)
        parts: list[Any] = [f"{what[:1].upper()}{what[1:]}", report] if report else [self.labels.say("journal_unread")]
        return " ".join(filter(None, parts)) + f": {title or name}"


def _named(path: str | None) -> str:
    return Path(path).as_posix() if path else ""
