"""Rows into the tables of either database, in as little time as its driver takes."""

import gc
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import Column, Connection, Table

from outputs.register.database import POSTGRESQL, Row

AT_ONCE = 999  # values in one statement: what every SQLite takes

Columns = Mapping[str, Sequence[Any]]
"""The values of rows by column, all of the same length."""
Flat = Sequence[Any]
"""The values of rows, one row after the other."""


def columns_of(items: Sequence[object], *names: str) -> dict[str, list[Any]]:
    """Give the columns that have the names and the values of attributes."""
    return {name: list(map(attrgetter(name), items)) for name in names}


def insert_rows(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows by name."""
    if rows:
        insert_columns(connection, table, {name: [row[name] for row in rows] for name in rows[0]})


def insert_columns(connection: Connection, table: Table, columns: Columns, *, new: bool = False) -> None:
    """Insert rows by column; where `new`, only those that are not there already."""
    filled = [column for column in table.columns if column.name in columns or column.default is not None]
    count = len(next(iter(columns.values())))
    flat = [None] * (count * len(filled))
    for at, column in enumerate(filled if count else ()):
        flat[at :: len(filled)] = _column(connection, column, columns, count)
    _insert(connection, table, [column.name for column in filled], flat, new=new)


def insert_values(connection: Connection, table: Table, flat: Flat) -> None:
    """Insert rows of plain values in the order of the columns."""
    _insert(connection, table, [column.name for column in table.columns], flat)


def _insert(connection: Connection, table: Table, names: Sequence[str], flat: Flat, *, new: bool = False) -> None:
    """Hand values to the driver as it takes them: SQLAlchemy's own way takes twice the time."""
    if not flat:
        return
    if connection.dialect.name == POSTGRESQL:
        from outputs.register.postgres import copy_values, insert_missing  # noqa: PLC0415 - an extra

        rows = zip(*[iter(flat)] * len(names), strict=True)
        (insert_missing if new else copy_values)(connection, table, names, rows)
    else:
        _insert_many(connection, table, names, flat, " ON CONFLICT DO NOTHING" if new else "")


def _insert_many(connection: Connection, table: Table, names: Sequence[str], flat: Flat, ending: str) -> None:
    """Insert many rows with each statement of SQLite, since every one costs as much as some rows."""
    columns, row = ", ".join(f'"{name}"' for name in names), f"({', '.join('?' * len(names))})"
    size = max(AT_ONCE // len(names), 1) * len(names)
    blocks = [tuple(flat[start : start + size]) for start in range(0, len(flat), size)]
    for size, same in groupby(blocks, len):  # the last one may be shorter
        marks = ", ".join([row] * (size // len(names)))
        statement = f'INSERT INTO "{table.name}" ({columns}) VALUES {marks}{ending}'  # noqa: S608 - our own names
        connection.exec_driver_sql(statement, list(same))


def _column(connection: Connection, column: Column[Any], columns: Columns, count: int) -> Sequence[Any]:
    """Give the values of a column as the driver takes them."""
    values = columns[column.name] if column.name in columns else [_default(column)] * count
    convert = column.type.dialect_impl(connection.dialect).bind_processor(connection.dialect)
    if convert is None:
        return values
    if values.count(values[0]) == count:  # who wrote them, and when
        return [convert(values[0])] * count
    return [convert(value) for value in values]


def _default(column: Column[Any]) -> Any:  # noqa: ANN401 - of whatever type
    default: Any = column.default
    return default.arg(None) if default.is_callable else default.arg


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
