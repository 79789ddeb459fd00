"""Whether the log holds together: rows that belong to one another are all there."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Select, Table, func, select

from outputs.register.log import (
    APPEND_ONLY,
    arrivals,
    casework,
    imports,
    letter_events,
    letters,
    returns,
    submissions,
)
from outputs.register.logbook import VERSION_OUTCOMES
from outputs.telling import counted

LOST = "somebody has taken rows out of the log. Compare with behov verify --against BACKUP, and put it back"
SHOWN = 5  # rows named in one problem


def gaps(connection: Connection, *, numbered: bool) -> Iterator[str]:
    """Tell where rows are missing that the others speak of.

    `numbered` says that the database gives numbers without a gap, so that one is a row that was taken out.
    """
    if numbered:
        yield from (line for table in (*APPEND_ONLY, letters) for line in _missing_numbers(connection, table))
    yield from _told("returns", "have no arrival", connection, _without(returns, arrivals))
    versions = returns.c.outcome.in_(VERSION_OUTCOMES)
    yield from _told("returns", "have no answers", connection, _without(returns, submissions).where(versions))
    yield from _letters(connection)
    yield from _imports(connection)


def _missing_numbers(connection: Connection, table: Table) -> Iterator[str]:
    if table.autoincrement_column is None:
        return
    number = table.autoincrement_column
    first, last, count = connection.execute(select(func.min(number), func.max(number), func.count(number))).one()
    if count and (first, last) != (1, count):
        yield f"«{table.name}» lacks {counted(last - count, 'row')}: {LOST}"


def _without(table: Table, other: Table) -> Select[Any]:
    return select(table.c.sha256).where(table.c.sha256.not_in(select(other.c.sha256)))


def _letters(connection: Connection) -> Iterator[str]:
    """Hold the state of every letter against what is logged of it last."""
    newest = select(func.max(letter_events.c.id)).group_by(letter_events.c.letter)
    last = select(letter_events).where(letter_events.c.id.in_(newest)).subquery()
    query = select(letters.c.id).outerjoin(last, last.c.letter == letters.c.id)
    other = query.where(last.c.state.is_distinct_from(letters.c.state))
    yield from _told("letters", "stand otherwise than is logged", connection, other)


def _imports(connection: Connection) -> Iterator[str]:
    """Hold what was taken in of each file of a caseworker against what it brought."""
    count = func.count(casework.c.report.distinct())
    query = select(imports.c.name).outerjoin(casework, casework.c.import_id == imports.c.id)
    query = query.where(imports.c.kind == "casework").group_by(imports.c.id, imports.c.name, imports.c.rows)
    yield from _told("casework", "is not all there", connection, query.having(count != imports.c.rows))


def _told(name: str, what: str, connection: Connection, query: Select[Any]) -> Iterator[str]:
    found = sorted(str(one)[:12] for one in connection.scalars(query))
    if found:
        more = " and more" if len(found) > SHOWN else ""
        yield f"«{name}» {what} ({', '.join(found[:SHOWN])}{more}): {LOST}"
