"""The part of the log that is about what staff take out of the register and bring back.

Every export and what it said of each report, every file that was imported, and every word of a caseworker.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, func, insert, select

from outputs.register.letter_states import SENT
from outputs.register.log import casework, exported, exports, imports, letter_events, letters
from outputs.register.rows import insert_rows

Values = dict[str, Any]
"""Values by the key of their column, as JSON has them: a date is its ISO form."""

# what was exported


def find_export(connection: Connection, code: str) -> RowMapping | None:
    """Give the export that a workbook says it is; None for one that this register has not made."""
    return connection.execute(select(exports).where(exports.c.code == code)).mappings().first()


def latest_export(connection: Connection, before: int | None = None) -> RowMapping | None:
    """Give the last export, or the last before another; None when there is none."""
    query = select(exports).order_by(exports.c.id.desc()).limit(1)
    if before is not None:
        query = query.where(exports.c.id < before)
    return connection.execute(query).mappings().first()


def exported_rows(connection: Connection, upto: int | None) -> dict[str, tuple[Values, Values]]:
    """Tell what an export said of each report: its columns, and the caseworkers'. Nothing for no export."""
    if upto is None:
        return {}
    query = select(exported).where(exported.c.export <= upto).order_by(exported.c.export)
    rows = {row["report"]: (row["shown"], row["casework"]) for row in connection.execute(query).mappings()}
    return {report: said for report, said in rows.items() if said[0]}


def write_export(
    connection: Connection,
    code: str,
    name: str,
    now: datetime,
    changed: Mapping[str, tuple[Values, Values]],
    by: str,
) -> int:
    """Log an export and what it says anew; gives its number."""
    row = {"code": code, "name": name, "at": now, "by": by}
    number: int | None = connection.scalar(insert(exports).values(row).returning(exports.c.id))
    assert number is not None
    said = [{"export": number, "report": report, "shown": a, "casework": b} for report, (a, b) in changed.items()]
    insert_rows(connection, exported, said)
    return number


# what was brought in


def write_import(connection: Connection, row: Mapping[str, Any]) -> int:
    """Log a file that was imported; gives its number."""
    number: int | None = connection.scalar(insert(imports).values(dict(row)).returning(imports.c.id))
    assert number is not None
    return number


def read_casework(connection: Connection, reports: Collection[str] | None = None) -> dict[str, Values]:
    """Tell what caseworkers have written, by report and field; what was emptied is left out."""
    latest = select(func.max(casework.c.id)).group_by(casework.c.report, casework.c.field)
    query = select(casework.c.report, casework.c.field, casework.c.value).where(casework.c.id.in_(latest))
    found: dict[str, Values] = {}
    for report, field, value in connection.execute(query):
        if value is not None and (reports is None or report in reports):
            found.setdefault(report, {})[field] = value
    return found


def write_casework(
    connection: Connection, number: int, changes: Iterable[tuple[str, str, Any]], by: str, now: datetime
) -> None:
    """Log what a caseworker has written: report, field and value."""
    rows = [
        {"import_id": number, "report": report, "field": field, "value": value, "by": by, "at": now}
        for report, field, value in changes
    ]
    insert_rows(connection, casework, rows)


# what has left


def letters_sent(connection: Connection) -> list[tuple[datetime, RowMapping]]:
    """List the letters that were sent, each with when."""
    event = letter_events.c
    sent = select(event.letter, func.min(event.at).label("sent_at")).where(event.state == SENT).group_by(event.letter)
    first = sent.subquery()
    query = select(letters, first.c.sent_at).join(first, first.c.letter == letters.c.id).order_by(letters.c.id)
    return [(row["sent_at"], row) for row in connection.execute(query).mappings()]
