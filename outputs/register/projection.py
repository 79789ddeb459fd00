"""The current state: which version of a report counts, and its answers in typed tables.

Everything here is made from the log and can be made again; nothing here is the only copy.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
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

from outputs.register.database import among
from outputs.register.labelled import label_rows, views
from outputs.register.life import AS_FOUND, Standing, Version
from outputs.register.log import finding_columns, finding_row
from outputs.register.prepared import REPORT, ROW, ROW_KEY, Preparer, Typed
from outputs.register.rows import Columns, columns_of, insert_columns, insert_rows, insert_values
from outputs.register.stored import Moment, Plain, Words
from templates.form import Form, GridSheet, Sheet, TableSheet
from validation.findings import Finding, outcome_of

COLUMN_TYPES: dict[str, type[TypeEngine[Any]]] = {
    "integer": BigInteger, "amount": BigInteger, "decimal": Float, "percent": Float, "date": Date,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class State:
    """All that is known of one report now. None of its versions counts when nobody has believed any."""

    report: str
    standings: tuple[Standing, ...]
    current: Standing | None = None
    typed: Typed | None = None  # the answers of the version that counts
    findings: tuple[Finding, ...] = ()  # in that version
    news: int = 0  # how many reviews found something new in it
    correction_deadline: datetime | None = None

    def outcome(self, standing: Standing) -> str:
        """Say how a version counts, in one word."""
        return outcome_of(self.findings) if standing.state == AS_FOUND else standing.state

    def stood(self, standing: Standing, outcome: str) -> str:
        """Say what an owner was told about, when told now: another word means that there is something new to tell."""
        return f"{outcome}~{self.news}" if standing.counts and self.news else outcome

    def found(self, severity: str) -> int:
        return [finding.severity for finding in self.findings].count(severity)


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
        self.prepare = Preparer(form)
        self.columns = self.prepare.columns
        self.sheets = {key: self._sheet_table(sheet) for key, sheet in form.sheets.items()}
        self._of_reports = self.metadata.sorted_tables
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

    def replace(self, connection: Connection, states: list[State]) -> dict[str, str]:
        """Write these reports as they stand now, instead of what was there; gives how each version counts."""
        column = self.version.c.report
        reports = [state.report for state in states]
        here = connection.scalars(select(column).where(among(column, reports)).distinct()).all()
        for table in reversed(self._of_reports) if here else ():
            connection.execute(delete(table).where(among(table.c.report, here)))
        versions = _version_columns(states)
        counted = dict(zip(versions["sha256"], versions["outcome"], strict=True))
        shown = [state for state in states if state.typed]
        current = [state.current.version for state in shown if state.current]
        typed = [state.typed for state in shown if state.typed]
        insert_columns(connection, self.report, _report_columns(shown, current, typed, counted))
        insert_columns(connection, self.version, versions)
        insert_rows(connection, self.finding, [row for state in shown for row in _finding_rows(state)])
        for key, table in self.sheets.items():
            insert_values(connection, table, [*chain.from_iterable(one.values[key] for one in typed)])
        return counted


def _report_columns(
    shown: list[State], current: list[Version], typed: list[Typed], counted: Mapping[str, str]
) -> Columns:
    return {
        **columns_of(typed, "recipient", "owner", "title"),
        **columns_of(current, "report", "sha256", "received"),
        **columns_of(shown, "correction_deadline"),
        "status": [counted[version.sha256] for version in current],
        "versions": [len(state.standings) for state in shown],
        "errors": [state.found("error") for state in shown],
        "remarks": [state.found("warning") for state in shown],
    }


def _version_columns(states: list[State]) -> dict[str, list[Any]]:
    every = [(state, standing) for state in states for standing in state.standings]
    standings = [standing for _, standing in every]
    outcomes = [state.outcome(standing) for state, standing in every]
    return {
        **columns_of([standing.version for standing in standings], "sha256", "report"),
        **columns_of(standings, "number"),
        "outcome": outcomes,
        "stood": [state.stood(standing, outcome) for (state, standing), outcome in zip(every, outcomes, strict=True)],
    }


def _finding_rows(state: State) -> Iterator[dict[str, Any]]:
    for position, finding in enumerate(state.findings):
        yield {"report": state.report, "position": position, **finding_row(finding)}
