"""The database under the register: a file of SQLite, or a schema of PostgreSQL; and what is written to both alike."""

import gc
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from itertools import repeat
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Column, ColumnElement, Connection, Engine, MetaData, Table, func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction

from outputs.refusals import RefusalError
from templates.round import Server

POSTGRESQL = "postgresql"  # the name of SQLAlchemy's dialect
IMMEDIATE = "immediate"  # the execution option of a connection that writes: it takes its turn before it reads

Place = Path | Server
Row = dict[str, Any]
Values = tuple[Any, ...]


class Database(Protocol):
    """One database that holds one register."""

    name: str  # as staff know it
    engine: Engine
    numbers_without_gaps: bool  # whether rows that it numbers follow each other, also when a transaction was taken back

    def number(self, connection: Connection) -> int:
        """Tell which shape of the log it was made for; 0 for none."""

    def set_number(self, connection: Connection, number: int) -> None: ...

    def prepare(self, connection: Connection) -> None:
        """Make room for the tables, before the first one is made. Raises RefusalError where they do not belong."""

    def is_ours(self, table: str) -> bool:
        """Tell whether a table that the log has not is one of an earlier current state, to be made again."""

    def guards(self, connection: Connection) -> set[str]:
        """Name the triggers that are there and in force."""

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


def database_at(place: Place) -> Database:
    """Find the database of a register. Raises RefusalError when what it needs is not installed."""
    if isinstance(place, Path):
        from outputs.sqlite import SqliteFile  # noqa: PLC0415 - one of the two is needed, never both

        return SqliteFile(place)
    from outputs.postgres import PostgresSchema  # noqa: PLC0415 - an extra

    return PostgresSchema(place)


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


# rows


def insert_rows(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows by name; on PostgreSQL by COPY."""
    if rows:
        names = _names(table, rows)
        _insert(connection, table, names, _converted(connection, table, names, rows))


def insert_values(connection: Connection, table: Table, rows: Sequence[Values]) -> None:
    """Insert rows of plain values in the order of the columns."""
    if rows:
        _insert(connection, table, [column.name for column in table.columns], rows)


def insert_new(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert those rows that are not there already."""
    if not rows:
        return
    names = _names(table, rows)
    values = _converted(connection, table, names, rows)
    if connection.dialect.name == POSTGRESQL:
        from outputs.postgres import insert_missing  # noqa: PLC0415 - an extra

        insert_missing(connection, table, names, values)
    else:
        connection.exec_driver_sql(f"{_insertion(table, names)} ON CONFLICT DO NOTHING", values)


def _insert(connection: Connection, table: Table, names: Sequence[str], rows: Sequence[Values]) -> None:
    """Hand rows to the driver as it takes them: SQLAlchemy's own way takes twice the time."""
    if connection.dialect.name == POSTGRESQL:
        from outputs.postgres import copy_values  # noqa: PLC0415 - an extra

        copy_values(connection, table, names, rows)
    else:
        connection.exec_driver_sql(_insertion(table, names), list(rows))


def _insertion(table: Table, names: Sequence[str]) -> str:
    columns, marks = ", ".join(f'"{name}"' for name in names), ", ".join("?" * len(names))
    return f'INSERT INTO "{table.name}" ({columns}) VALUES ({marks})'  # noqa: S608 - names of our own tables


def _names(table: Table, rows: Sequence[Row]) -> list[str]:
    """List the columns that have a value: of the rows, or by default."""
    return [column.name for column in table.columns if column.name in rows[0] or column.default is not None]


def _converted(connection: Connection, table: Table, names: Sequence[str], rows: Sequence[Row]) -> list[Values]:
    """Give the values of rows as the driver takes them, in the order of the names."""
    return list(zip(*(_column(connection, table.columns[name], rows) for name in names), strict=True))


def _column(connection: Connection, column: Column[Any], rows: Sequence[Row]) -> Iterable[Any]:
    default: Any = column.default
    otherwise = default and (default.arg(None) if default.is_callable else default.arg)
    values = [row.get(column.name, otherwise) for row in rows]
    convert = column.type.dialect_impl(connection.dialect).bind_processor(connection.dialect)
    if convert is None:
        return values
    if values.count(values[0]) == len(values):  # who wrote them, and when
        return repeat(convert(values[0]), len(values))
    return map(convert, values)


@contextmanager
def collector_at_rest() -> Iterator[None]:
    """Let Python look for no garbage: a large batch is a million objects, none of them garbage yet."""
    was_at_work = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_at_work:
            gc.enable()


class _NotKeptError(Exception):
    """Ends a transaction that was only to show what would happen."""


@contextmanager
def kept_or_not(connection: Connection, *, keep: bool) -> Iterator[None]:
    """Take back all that is written, unless it is to be kept."""
    with suppress(_NotKeptError), connection.begin_nested():
        yield
        if not keep:
            raise _NotKeptError
