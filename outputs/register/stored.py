"""How things are stored: the register's own column types, and a Submission as JSON."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from pydantic_core import PydanticSerializationError, to_json
from sqlalchemy import DateTime, Dialect, Text
from sqlalchemy.dialects.postgresql import TEXT
from sqlalchemy.types import TypeDecorator

from intake.submission import Answer, Return, Row, SheetAnswers, Submission

NOTHING = "\x00"  # the one character that PostgreSQL cannot keep
PLAIN = frozenset({str, int, float, bool, type(None)})  # what JSON has itself
Plain = Text().with_variant(TEXT(collation="C"), "postgresql")
"""Text that the program wrote: codes and keys, in the order of their characters on any server."""


class Moment(TypeDecorator[datetime]):
    """A point in time: stored in UTC, read back with its time zone."""

    impl = DateTime
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], Any]:
        return _as_text if dialect.name == "sqlite" else _in_utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else value.replace(tzinfo=UTC)


def _in_utc(value: datetime | None) -> datetime | None:
    return None if value is None else value.astimezone(UTC).replace(tzinfo=None)


def _as_text(value: datetime | None) -> str | None:
    """Write it as SQLAlchemy does for SQLite."""
    return None if value is None else value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


class Words(TypeDecorator[str]):
    """Text that people wrote, as far as it is `writable`."""

    impl = Plain
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        return None if value is None else writable(value)


def writable(text: str) -> str:
    """Give the text as a database can keep it: half characters, as in a file name of another encoding, become «?»."""
    return text if text.isprintable() else text.encode("utf-8", "replace").decode("utf-8").replace(NOTHING, "")


def dump_submission(submission: Submission) -> str:
    """Turn a Submission into JSON; `load_submission` makes the same one of it, less the mail it came in."""
    source = submission.source
    fields = {name: getattr(submission, name) for name in ("form", "version", "language", "recipient", "report")}
    fields["source"] = [str(source.path), source.sha256, source.received.isoformat(), source.sender, source.clock]
    fields["sheets"] = {key: _dump_sheet(sheet) for key, sheet in submission.sheets.items()}
    try:
        return to_json(fields).decode()
    except PydanticSerializationError:  # half a character, as in a file name of another encoding
        return json.dumps(fields, separators=(",", ":"))


def load_submission(stored: str) -> Submission:
    fields = json.loads(stored)
    path, sha256, received, *known = fields["source"]
    fields["source"] = Return(Path(path), sha256, datetime.fromisoformat(received), *known)
    fields["sheets"] = {key: _load_sheet(sheet) for key, sheet in fields["sheets"].items()}
    return Submission(**fields)


def _dump_sheet(sheet: SheetAnswers) -> list[Any]:
    rows = [
        (
            row.number,
            row.key,
            {
                key: (one.value, one.raw, one.cell)
                if one.problem is one.note is None and not one.details and type(one.value) in PLAIN
                else _dump_answer(one)
                for key, one in row.answers.items()
            },
        )
        for row in sheet.rows
    ]
    return [sheet.name, sheet.places, rows, sheet.first_row]


def _load_sheet(stored: list[Any]) -> SheetAnswers:
    name, places, rows, first_row = stored
    loaded = (Row(number, key, {key: _load_answer(a) for key, a in answers.items()}) for number, key, answers in rows)
    return SheetAnswers(name, places, tuple(loaded), first_row)


def _dump_answer(answer: Answer) -> tuple[Any, ...]:
    """List the fields in order; those that are rare are left out when they are empty."""
    value = {"date": answer.value.isoformat()} if isinstance(answer.value, date) else answer.value
    if answer.problem is None and answer.note is None and not answer.details:
        return value, answer.raw, answer.cell
    return value, answer.raw, answer.cell, answer.problem, answer.note, answer.details


def _load_answer(stored: list[Any]) -> Answer:
    if isinstance(stored[0], dict):
        stored[0] = date.fromisoformat(stored[0]["date"])
    return Answer(*stored)
