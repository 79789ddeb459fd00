"""How things are stored: the register's own column types."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, Dialect, Text
from sqlalchemy.dialects.postgresql import TEXT
from sqlalchemy.types import TypeDecorator

NAIVE = len("2024-01-31 12:00:00.000000")  # before its time zone
NOTHING = "\x00"  # the one character that PostgreSQL cannot keep
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
    return None if value is None else value.astimezone(UTC).isoformat(" ", "microseconds")[:NAIVE]


class Words(TypeDecorator[str]):
    """Text that people wrote, as far as it is `writable`."""

    impl = Plain
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[str | None], str | None]:  # noqa: ARG002
        return _writable


def writable(text: str) -> str:
    """Give the text as a database can keep it: half characters, as in a file name of another encoding, become «?»."""
    return text if text.isprintable() else text.encode("utf-8", "replace").decode("utf-8").replace(NOTHING, "")


def _writable(text: str | None) -> str | None:
    return None if text is None else writable(text)
