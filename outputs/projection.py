"""The current state: which version of a report counts, and its answers in typed tables.

Everything here is made from the log and can be made again; nothing here is the only copy.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Date,
    Float,
    ForeignKey,
    Integer,
    MetaData,
    Table,
    Text,
    case,
    delete,
    insert,
)
from sqlalchemy.types import TypeEngine

from intake.submission import Answer, Row, Submission, Value
from outputs.stored import Moment, Words
from templates.form import Form, GridSheet, QuestionSheet, Sheet, TableSheet
from validation.verdict import LATE

SUPERSEDED = "superseded"
REPORT, ROW, ROW_KEY = "report", "row", "row_key"
COLUMN_TYPES: dict[str, type[TypeEngine[Any]]] = {
    "integer": Integer, "amount": Integer, "decimal": Float, "percent": Float, "date": Date,
}  # fmt: skip
OWNER_NAME = "recipient.name"  # the prefill of the question that holds the owner's name


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """One version of a report; sorted by when it was received, then by path."""

    received: datetime
    path: str
    sha256: str
    report: str
    outcome: str  # how checking ended


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one version stands now: its number by time of receipt, and what it counts as."""

    version: Version
    number: int
    outcome: str


@dataclass(frozen=True, slots=True)
class State:
    """All that is shown of one report."""

    submission: Submission  # of the version that counts
    current: Standing
    standings: tuple[Standing, ...]
    errors: int
    remarks: int
    correction_deadline: datetime | None


def rank(versions: Iterable[Version]) -> tuple[Standing, tuple[Standing, ...]]:
    """Find the standing that counts, and all standings in order.

    The newest version received in time counts. A late one waits for a person; where all are
    late the first counts until then.
    """
    ordered = sorted(versions)
    in_time = [number for number, version in enumerate(ordered, 1) if version.outcome != LATE]
    counts = in_time[-1] if in_time else 1

    def outcome(number: int, version: Version) -> str:
        if number == counts:
            return version.outcome
        return SUPERSEDED if number < counts else LATE

    standings = tuple(Standing(version, number, outcome(number, version)) for number, version in enumerate(ordered, 1))
    return standings[counts - 1], standings


class Projection:
    """The tables of the current state of one form, and how a report's rows in them are replaced."""

    def __init__(self, form: Form) -> None:
        self.form = form
        self.metadata = MetaData()
        self.report = Table(
            "report",
            self.metadata,
            Column("report", Text, primary_key=True),
            Column("recipient", Text, nullable=False),
            Column("owner", Words, nullable=False),  # the name, as the owner wrote it
            Column("title", Words, nullable=False),
            Column("status", Text, nullable=False),  # the outcome of the version that counts
            Column("sha256", Text, nullable=False),  # the return that counts
            Column("received", Moment, nullable=False),
            Column("versions", Integer, nullable=False),
            Column("errors", Integer, nullable=False),
            Column("remarks", Integer, nullable=False),
            Column("correction_deadline", Moment),
        )
        self.version = Table(
            "version",
            self.metadata,
            Column("sha256", Text, primary_key=True),
            Column("report", Text, ForeignKey(self.report.c.report), nullable=False, index=True),
            Column("number", Integer, nullable=False),
            Column("outcome", Text, nullable=False),
        )
        self.columns = {key: column_names(sheet) for key, sheet in form.sheets.items()}
        self.sheets = {key: self._sheet_table(sheet) for key, sheet in form.sheets.items()}

    def _sheet_table(self, sheet: Sheet) -> Table:
        keys: list[Column[Any]] = [Column(REPORT, Text, ForeignKey(self.report.c.report), primary_key=True)]
        if isinstance(sheet, TableSheet):
            keys.append(Column(ROW, Integer, primary_key=True, autoincrement=False))
        elif isinstance(sheet, GridSheet):
            keys.append(Column(ROW_KEY, Text, primary_key=True))
        answers = [
            Column(name, COLUMN_TYPES.get(sheet.questions[key].type, Text))
            for key, name in self.columns[sheet.key].items()
        ]
        return Table(f"sheet_{sheet.key}", self.metadata, *keys, *answers)

    def order(self, key: str) -> Iterator[ColumnElement[Any]]:
        """Give what puts the rows of a form sheet in their order there."""
        sheet, table = self.form.sheets[key], self.sheets[key]
        yield table.c.report
        if isinstance(sheet, TableSheet):
            yield table.c.row
        elif isinstance(sheet, GridSheet):
            yield case({row: number for number, row in enumerate(sheet.rows)}, value=table.c.row_key)

    def replace(self, connection: Connection, states: list[State]) -> None:
        """Write these reports as they stand now, instead of what was there."""
        reports = [state.submission.report for state in states]
        for table in reversed(self.metadata.sorted_tables):
            connection.execute(delete(table).where(table.c.report.in_(reports)))
        _insert(connection, self.report, map(self._report_row, states))
        _insert(connection, self.version, (row for state in states for row in _version_rows(state)))
        for key, table in self.sheets.items():
            rows = [row for state in states for row in self._sheet_rows(key, state.submission)]
            _insert_plain(connection, table, rows)

    def _sheet_rows(self, key: str, submission: Submission) -> Iterator[tuple[Value, ...]]:
        answers = submission.sheets.get(key)
        questions = self.columns[key]
        for place, row in _placed(self.form.sheets[key], answers.rows if answers else ()):
            found = row.answers
            yield submission.report, *place, *[_stored(found[q]) if q in found else None for q in questions]

    def _report_row(self, state: State) -> dict[str, Any]:
        submission = state.submission
        return {
            "report": submission.report,
            "recipient": submission.recipient,
            "owner": self._owner_name(submission),
            "title": _text(submission.answer(self.form.file.report_title)),
            "status": state.current.outcome,
            "sha256": submission.source.sha256,
            "received": submission.source.received,
            "versions": len(state.standings),
            "errors": state.errors,
            "remarks": state.remarks,
            "correction_deadline": state.correction_deadline,
        }

    def _owner_name(self, submission: Submission) -> str:
        for sheet, question in self.form.questions():
            if question.prefill == OWNER_NAME and isinstance(self.form.sheets[sheet], QuestionSheet):
                return _text(submission.answer(f"{sheet}.{question.key}"))
        return ""


def column_names(sheet: Sheet) -> dict[str, str]:
    """Name the column of each question: its key, with `_` after it where the name is taken."""
    taken = {REPORT, ROW, ROW_KEY}
    names: dict[str, str] = {}
    for key in sheet.questions:
        name = key
        while name.casefold() in taken:
            name += "_"
        taken.add(name.casefold())
        names[key] = name
    return names


def _placed(sheet: Sheet, rows: tuple[Row, ...]) -> Iterator[tuple[tuple[int | str, ...], Row]]:
    """Give the rows with what tells them apart; a question sheet always has one."""
    if isinstance(sheet, QuestionSheet):
        yield (), rows[0] if rows else Row(0, "", {})
    elif isinstance(sheet, TableSheet):
        yield from (((row.number,), row) for row in rows)
    else:
        by_key = {row.key: row for row in rows if row.key in sheet.rows}  # a copied row counts once
        yield from (((key,), row) for key, row in by_key.items())


def _version_rows(state: State) -> Iterator[dict[str, Any]]:
    for standing in state.standings:
        version = standing.version
        yield {
            "sha256": version.sha256,
            "report": version.report,
            "number": standing.number,
            "outcome": standing.outcome,
        }


def _insert(connection: Connection, table: Table, rows: Iterable[dict[str, Any]]) -> None:
    if listed := list(rows):
        connection.execute(insert(table), listed)


def _insert_plain(connection: Connection, table: Table, rows: list[tuple[Value, ...]]) -> None:
    """Insert rows of plain values in the order of the columns; half the time for most of the rows there are."""
    if rows:
        statement = str(insert(table).compile(dialect=connection.dialect))
        connection.exec_driver_sql(statement, rows)


def _stored(answer: Answer) -> Value:
    """Give a value as the database keeps it."""
    return answer.value.isoformat() if isinstance(answer.value, date) else answer.value


def _text(answer: Answer | None) -> str:
    return str(answer.value or "") if answer else ""
