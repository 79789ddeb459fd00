"""The current state: which version of a report counts, and its answers in typed tables.

Everything here is made from the log and can be made again; nothing here is the only copy.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Date,
    Float,
    ForeignKey,
    Integer,
    MetaData,
    Table,
    case,
    delete,
    select,
)
from sqlalchemy.types import TypeEngine

from intake.submission import Answer, Row, Submission, Value
from outputs.register.database import among
from outputs.register.labelled import label_rows, views
from outputs.register.life import AS_FOUND, Standing, counting
from outputs.register.log import finding_columns, finding_row
from outputs.register.rows import insert_rows, insert_values
from outputs.register.stored import Moment, Plain, Words
from templates.form import Form, GridSheet, QuestionSheet, Sheet, TableSheet
from validation.findings import Finding, outcome_of

REPORT, ROW, ROW_KEY = "report", "row", "row_key"
COLUMN_TYPES: dict[str, type[TypeEngine[Any]]] = {
    "integer": BigInteger, "amount": BigInteger, "decimal": Float, "percent": Float, "date": Date,
}  # fmt: skip
OWNER_NAME = "recipient.name"  # the prefill of the question that holds the owner's name


@dataclass(frozen=True, slots=True)
class State:
    """All that is known of one report now. None of its versions counts when nobody has believed any."""

    report: str
    standings: tuple[Standing, ...]
    submission: Submission | None = None  # of the version that counts
    findings: tuple[Finding, ...] = ()  # in that version
    news: int = 0  # how many reviews found something new in it
    correction_deadline: datetime | None = None

    @property
    def current(self) -> Standing | None:
        return counting(self.standings)

    def outcome(self, standing: Standing) -> str:
        """Say how a version counts, in one word."""
        return outcome_of(self.findings) if standing.state == AS_FOUND else standing.state

    def stood(self, standing: Standing) -> str:
        """Say what an owner was told about, when told now: another word means that there is something new to tell."""
        outcome = self.outcome(standing)
        return f"{outcome}~{self.news}" if standing.counts and self.news else outcome

    def found(self, severity: str) -> int:
        return sum(finding.severity == severity for finding in self.findings)


class Projection:
    """The tables of the current state of one form, and how a report's rows in them are replaced."""

    def __init__(self, form: Form) -> None:
        self.form = form
        self.metadata = MetaData()
        self.report = Table(
            "report",
            self.metadata,
            Column("report", Plain, primary_key=True),
            Column("recipient", Plain, nullable=False),
            Column("owner", Words, nullable=False),  # the name, as the owner wrote it
            Column("title", Words, nullable=False),
            Column("status", Plain, nullable=False),  # the outcome of the version that counts
            Column("sha256", Plain, nullable=False),  # the return that counts
            Column("received", Moment, nullable=False),
            Column("versions", Integer, nullable=False),
            Column("errors", Integer, nullable=False),
            Column("remarks", Integer, nullable=False),
            Column("correction_deadline", Moment),
        )
        self.version = Table(
            "version",
            self.metadata,
            Column("sha256", Plain, primary_key=True),
            Column("report", Plain, nullable=False, index=True),
            Column("number", Integer, nullable=False),
            Column("outcome", Plain, nullable=False),
            Column("stood", Plain, nullable=False),  # the outcome, and how many reviews have found something new
        )
        self.finding = Table(  # what is found in the version that counts, settled as persons have decided
            "finding",
            self.metadata,
            Column("report", Plain, ForeignKey(self.report.c.report), primary_key=True),
            Column("position", Integer, primary_key=True, autoincrement=False),
            *finding_columns(),
        )
        self.columns = {key: column_names(sheet) for key, sheet in form.sheets.items()}
        self.sheets = {key: self._sheet_table(sheet) for key, sheet in form.sheets.items()}
        self._of_reports = self.metadata.sorted_tables
        self._owner = _owner_question(form)
        places = [Column(name, Plain, primary_key=True) for name in ("sheet", "question", "code", "language")]
        self.label = Table("label", self.metadata, *places, Column("label", Plain, nullable=False))
        self.labels = list(label_rows(form, self.columns, ROW_KEY))
        self.views = views(form, self.sheets, self.columns, ROW_KEY)

    def _sheet_table(self, sheet: Sheet) -> Table:
        keys: list[Column[Any]] = [Column(REPORT, Plain, ForeignKey(self.report.c.report), primary_key=True)]
        if isinstance(sheet, TableSheet):
            keys.append(Column(ROW, Integer, primary_key=True, autoincrement=False))
        elif isinstance(sheet, GridSheet):
            keys.append(Column(ROW_KEY, Plain, primary_key=True))
        answers = [
            Column(name, COLUMN_TYPES.get(sheet.questions[key].type, Plain))
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

    def begin_again(self, connection: Connection) -> None:
        """Leave no report, and all labels."""
        for table in reversed(self.metadata.sorted_tables):
            connection.execute(table.delete())
        insert_rows(connection, self.label, self.labels)

    def replace(self, connection: Connection, states: list[State]) -> None:
        """Write these reports as they stand now, instead of what was there."""
        column = self.version.c.report
        reports = [state.report for state in states]
        here = connection.scalars(select(column).where(among(column, reports)).distinct()).all()
        for table in reversed(self._of_reports) if here else ():
            connection.execute(delete(table).where(among(table.c.report, here)))
        shown = [(state, state.submission) for state in states if state.submission]
        insert_rows(connection, self.report, [self._report_row(*one) for one in shown])
        insert_rows(connection, self.version, [row for state in states for row in _version_rows(state)])
        insert_rows(connection, self.finding, [row for state, _ in shown for row in _finding_rows(state)])
        submissions = [submission for _, submission in shown]
        for sheet in self.form.sheets.values():
            insert_values(connection, self.sheets[sheet.key], list(self._sheet_rows(sheet, submissions)))

    def _sheet_rows(self, sheet: Sheet, submissions: Iterable[Submission]) -> Iterator[tuple[Value, ...]]:
        questions = tuple(self.columns[sheet.key])
        days = [at for at, name in enumerate(questions) if sheet.questions[name].type == "date"]
        for submission in submissions:
            report, answers = submission.report, submission.sheets.get(sheet.key)
            for place, found in _placed(sheet, answers.rows if answers else ()):
                values = [found[key].value if key in found else None for key in questions]
                for at in days:
                    values[at] = _iso(values[at])
                yield (report, *place, *values)

    def _report_row(self, state: State, submission: Submission) -> dict[str, Any]:
        current = state.current
        assert current is not None
        return {
            "report": state.report,
            "recipient": submission.recipient,
            "owner": _text(submission.answer(self._owner)) if self._owner else "",
            "title": _text(submission.answer(self.form.file.report_title)),
            "status": state.outcome(current),
            "sha256": submission.source.sha256,
            "received": submission.source.received,
            "versions": len(state.standings),
            "errors": state.found("error"),
            "remarks": state.found("warning"),
            "correction_deadline": state.correction_deadline,
        }


def _owner_question(form: Form) -> str | None:
    """Find the question that holds the owner's name."""
    asked = (f"{sheet}.{question.key}" for sheet, question in form.questions() if question.prefill == OWNER_NAME)
    return next((path for path in asked if isinstance(form.sheets[path.partition(".")[0]], QuestionSheet)), None)


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


def _placed(sheet: Sheet, rows: tuple[Row, ...]) -> list[tuple[tuple[int | str, ...], dict[str, Answer]]]:
    """Give the answers of each row with what tells it apart; a question sheet always has one row."""
    if isinstance(sheet, QuestionSheet):
        return [((), rows[0].answers if rows else {})]
    if isinstance(sheet, TableSheet):
        return [((row.number,), row.answers) for row in rows]
    by_key = {row.key: row for row in rows if row.key in sheet.rows}  # a copied row counts once
    return [((key,), row.answers) for key, row in by_key.items()]


def _version_rows(state: State) -> Iterator[dict[str, Any]]:
    for standing in state.standings:
        yield {
            "sha256": standing.version.sha256,
            "report": state.report,
            "number": standing.number,
            "outcome": state.outcome(standing),
            "stood": state.stood(standing),
        }


def _finding_rows(state: State) -> Iterator[dict[str, Any]]:
    for position, finding in enumerate(state.findings):
        yield {"report": state.report, "position": position, **finding_row(finding)}


def _iso(value: Value) -> Value:
    """Give a date as the database keeps it."""
    return value.isoformat() if isinstance(value, date) else value


def _text(answer: Answer | None) -> str:
    return str(answer.value or "") if answer else ""
