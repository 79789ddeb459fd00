"""The database under the register: a file of SQLite, or a schema of PostgreSQL; and what is written to both alike."""

import json
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Connection, Engine, MetaData, func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction

from outputs.register.refusals import RefusalError

POSTGRESQL = "postgresql"  # the name of SQLAlchemy's dialect
IMMEDIATE = "immediate"  # the execution option of a connection that writes: it takes its turn before it reads

Row = dict[str, Any]
Values = tuple[Any, ...]


class Database(Protocol):
    """One database that holds one register."""

    name: str  # as staff know it
    engine: Engine
    numbers_without_gaps: bool  # whether rows that it numbers follow each other, also when a transaction was taken back

    def number(self, connection: Connection) -> int:
        """Tell which shape of the log it was made for; 0 for none. Raises RefusalError where it is another round's."""

    def set_number(self, connection: Connection, number: int) -> None: ...

    def prepare(self, connection: Connection) -> None:
        """Make room for the tables, before the first one is made. Raises RefusalError where they do not belong."""

    def is_ours(self, table: str) -> bool:
        """Tell whether a table that the log has not is one of an earlier current state, to be made again."""

    def triggers(self, connection: Connection, *, in_force: bool = False) -> set[tuple[str, str]]:
        """Name the triggers that are there, or in force, with their tables."""

    def set_aside(self) -> AbstractContextManager[tuple[Connection, str, str]]:
        """Make room for a new log in one transaction that is whole or nothing.

        Gives the connection, the name of the schema that holds the older tables, and where staff find those.
        """

    def count_on(self, connection: Connection, log: MetaData) -> None:
        """Let the numbers that the database gives follow those that were copied."""

    def scrub(self) -> None:
        """Leave nothing on the disk of what was emptied in the tables."""

    def damage(self, connection: Connection) -> Iterator[str]:
        """Tell what the database itself finds to be damaged."""

    def plainly(self, error: DBAPIError) -> str | None:
        """Say in one sentence what is wrong with the database, when it is not our program that is."""


@contextmanager
def told_plainly(database: Database) -> Iterator[None]:
    """Turn what the database says of itself into a RefusalError; what our program did wrong goes on as it is."""
    try:
        yield
    except DBAPIError as error:
        if words := database.plainly(error):
            raise RefusalError(words) from None
        raise


# queries


class _Each(GenericFunction[str]):
    """The texts of a JSON list, as rows of one column «value»."""

    name = "json_each"
    inherit_cache = True


@compiles(_Each, POSTGRESQL)
def _each_in_postgresql(element: _Each, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401 - its own
    return f"json_array_elements_text(CAST({compiler.process(element.clause_expr, **options)} AS json))"


def among(column: ColumnElement[str], values: Iterable[str]) -> ColumnElement[bool]:
    """Tell whether the column is one of the values, however many there are."""
    listed = func.json_each(json.dumps(list(values))).table_valued("value")
    return column.in_(select(listed.c.value))
