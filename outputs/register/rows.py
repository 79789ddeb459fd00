"""Rows into the tables of either database, in as little time as its driver takes."""

import gc
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import repeat
from typing import Any

from sqlalchemy import Column, Connection, Table

from outputs.register.database import POSTGRESQL, Row, Values


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
        from outputs.register.postgres import insert_missing  # noqa: PLC0415 - an extra

        insert_missing(connection, table, names, values)
    else:
        connection.exec_driver_sql(f"{_insertion(table, names)} ON CONFLICT DO NOTHING", values)


def _insert(connection: Connection, table: Table, names: Sequence[str], rows: Sequence[Values]) -> None:
    """Hand rows to the driver as it takes them: SQLAlchemy's own way takes twice the time."""
    if connection.dialect.name == POSTGRESQL:
        from outputs.register.postgres import copy_values  # noqa: PLC0415 - an extra

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
