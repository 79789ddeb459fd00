"""What an export says of every report, held against what the export before it said."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Connection, RowMapping

from intake.notation import show_date
from outputs.exports.casework import FIELDS
from outputs.exports.columns import Column, Labels, Shown
from outputs.exports.reporting import Line, Reports, kept
from outputs.register.case_log import Values, exported_rows, latest_export, read_casework, write_export
from outputs.register.log import actor

NEVER = datetime.min.replace(tzinfo=UTC)

Said = tuple[Values, Values]
"""What is said of a report: the columns of the register, and the caseworkers'."""


@dataclass(frozen=True)
class Snapshot:
    """One export: its number, code and time, every report in it, and what stood in the export before."""

    code: str
    at: datetime
    by: str
    rows: list[tuple[Line, list[Shown]]]
    casework: dict[str, Values]
    now: dict[str, Said]
    before: dict[str, Said]
    since: RowMapping | None  # the export before; None for the first


def take(connection: Connection, reports: Reports, name: str, moment: datetime) -> Snapshot:
    """Read all reports as they stand, and log what is said anew.

    When nothing has changed since the last export this is that export once more, with the changes it told.
    """
    rows = list(reports.rows())
    written = read_casework(connection)
    now = {line.report: (kept(reports.columns, values), written.get(line.report, {})) for line, values in rows}
    last = latest_export(connection)
    latest = exported_rows(connection, last["id"] if last else None)
    changed = {report: said for report, said in now.items() if latest.get(report) != said}
    changed |= {report: ({}, {}) for report in latest if report not in now}
    if changed or last is None:
        code, by = secrets.token_hex(8), actor()
        write_export(connection, code, name, moment, changed, by)
        return Snapshot(code, moment, by, rows, written, now, latest, last)
    since = latest_export(connection, before=last["id"])
    before = exported_rows(connection, since["id"] if since else None)
    return Snapshot(last["code"], last["at"], last["by"], rows, written, now, before, since)


def peek(connection: Connection, reports: Reports) -> Snapshot:
    """Read all reports as they stand, and log nothing."""
    rows, written = list(reports.rows()), read_casework(connection)
    return Snapshot("", NEVER, "", rows, written, {}, {}, None)


def current(connection: Connection, reports: Reports) -> dict[str, Said]:
    """Tell what an export would say of each report now."""
    written = read_casework(connection)
    return {
        line.report: (kept(reports.columns, values), written.get(line.report, {})) for line, values in reports.rows()
    }


def differing(one: Values, other: Values) -> list[str]:
    """List the columns that say different things; one that only one of them has tells nothing."""
    return [key for key in one if key in other and one[key] != other[key]]


# in words


def changes(snapshot: Snapshot, labels: Labels, columns: list[Column], title: str) -> Iterator[list[Shown]]:
    """Give a row for everything that has changed since the export before: report, owner, what, column, before, now.

    `title` is the column that says what a report is about.
    """
    if snapshot.since is None:
        return
    for line, _ in snapshot.rows:
        said, before = snapshot.now[line.report], snapshot.before.get(line.report)
        if before is None:
            about = {column.key: column for column in columns}.get(title)
            told = in_words(about, said[0].get(title), labels) if about else None
            yield [line.report, line.owner, labels.say("change_new"), about.label if about else "", None, told]
            continue
        for column in columns:
            old, new = _said(before, column.key), _said(said, column.key)
            if old != new:
                shown = (in_words(column, value, labels) for value in (old, new))
                yield [line.report, line.owner, labels.say("change_changed"), column.label, *shown]
    for report in sorted(set(snapshot.before) - set(snapshot.now)):
        owner = snapshot.before[report][0].get("owner")
        yield [report, owner, labels.say("change_gone"), None, None, None]


def _said(said: Said, key: str) -> Any:  # noqa: ANN401 - a JSON value
    return said[1].get(key) if key in FIELDS else said[0].get(key)


def in_words(column: Column, value: Any, labels: Labels) -> Shown:  # noqa: ANN401 - a JSON value
    """Show a value as its column would; one about a person is not told."""
    if value is None:
        return None
    if column.personal:
        return labels.say("change_personal")
    if isinstance(value, str) and column.is_date:
        day = datetime.fromisoformat(value)
        clock = "" if len(value) == len(date.min.isoformat()) else f" {day:%H:%M}"
        return show_date(day) + clock
    return column.shown(value)
