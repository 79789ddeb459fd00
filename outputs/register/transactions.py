"""Transactions on a register: written whole or not at all, and a view that stays the same while it is read."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sqlalchemy import Connection

from outputs.register.database import IMMEDIATE, Database, told_plainly


class Transactions:
    """One connection of a register at a time; inside a transaction another one is part of it."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.engine = database.engine
        self._open: Connection | None = None

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open a transaction, written whole or not at all; inside another one it is part of that."""
        with self._transaction(immediate=True) as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a view of the register, which stays the same while it is read."""
        with self._transaction(immediate=False) as connection:
            yield connection

    @contextmanager
    def tried(self) -> Iterator[Connection]:
        """Open a transaction that is taken back at its end, whatever was written."""
        with self.writing() as connection, kept_or_not(connection, keep=False):
            yield connection

    @contextmanager
    def _transaction(self, *, immediate: bool) -> Iterator[Connection]:
        outer = self._open
        if outer is not None and (outer.get_execution_options()[IMMEDIATE] or not immediate):
            yield outer
            return
        with (
            told_plainly(self.database),
            self.engine.connect().execution_options(**{IMMEDIATE: immediate}) as connection,
            connection.begin(),
        ):
            self._open = connection
            try:
                yield connection
            finally:
                self._open = outer


class _NotKeptError(Exception):
    """Ends a transaction that was only to show what would happen."""


@contextmanager
def kept_or_not(connection: Connection, *, keep: bool) -> Iterator[None]:
    """Take back all that is written, unless it is to be kept."""
    with suppress(_NotKeptError), connection.begin_nested():
        yield
        if not keep:
            raise _NotKeptError
