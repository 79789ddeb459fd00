"""The register for staff: a workbook that caseworkers fill in, and the same tables as CSV or Parquet."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from intake.notation import show_date
from outputs.exports.casework import casework_columns
from outputs.exports.columns import MEDIUM, NARROW, WIDE, WIDEST, Column, Labels, Shown
from outputs.exports.flat import write_csv, write_parquet
from outputs.exports.journal import journal, journal_columns
from outputs.exports.reporting import Line, Reports
from outputs.exports.snapshot import Snapshot, changes, peek, take
from outputs.exports.spreadsheet import Book, Sheets, fitted
from outputs.progress import Progress, silent
from outputs.register.life import SETTLED
from outputs.register.prepared import ROW, ROW_KEY
from outputs.register.register import Register
from templates.form import GridSheet, Sheet, TableSheet
from templates.round import Round
from validation.findings import ORDER, WAIVED, Finding

CODE = "behov-export"  # the property of a workbook that tells which export it is


@dataclass(frozen=True)
class Table:
    """One table of the register: what a file of it is called, its name for people, its columns and rows."""

    key: str
    label: str
    columns: Sequence[Column]
    rows: Callable[[], Iterator[Sequence[Shown]]]


def write(  # noqa: PLR0913 - what staff can ask for
    round_: Round,
    register: Register,
    kind: str,
    path: Path | None,
    language: str,
    now: datetime,
    *,
    progress: Progress = silent,
) -> list[Path]:
    """Write what is asked for, where it is asked for or in the round's `exports/`; gives the files."""
    if kind in {"csv", "parquet"}:
        return export_tables(round_, register, path or round_.exports / kind, language, kind, progress)
    target = path or round_.exports / ("journal.csv" if kind == "journal" else "register.xlsx")
    if kind == "journal":
        export_journal(round_, register, target, language)
    else:
        export(round_, register, target, language, now, progress)
    return [target]


def export(
    round_: Round, register: Register, path: Path, language: str, now: datetime, progress: Progress = silent
) -> None:
    """Write the register workbook and log what it says; what stood at `path` is replaced when all is written.

    Raises OSError when the file is open in another program.
    """
    with register.writing() as connection:
        labels = Labels(register.form, language)
        reports = Reports(round_, register, labels)
        snapshot = take(connection, reports, path.name, now)
        written = _Tables(register, labels, reports, snapshot)
        with _replaced(path) as temporary, Book(temporary, {CODE: snapshot.code}, snapshot.at) as book:
            written.write(book, progress)


def export_tables(
    round_: Round, register: Register, folder: Path, language: str, kind: str, progress: Progress = silent
) -> list[Path]:
    """Write the tables of the register as files of their own; gives them. Nothing is logged."""
    write_table = write_csv if kind == "csv" else write_parquet
    made = []
    with register.reading() as connection:
        labels = Labels(register.form, language)
        reports = Reports(round_, register, labels)
        tables = _Tables(register, labels, reports, peek(connection, reports))
        for table in _one_by_one(tables.state(), progress):
            made.append(folder / f"{table.key}.{kind}")
            write_table(made[-1], table.columns, table.rows())
    return made


def export_journal(round_: Round, register: Register, path: Path, language: str) -> None:
    """Write the list that the archive system asks for, as CSV."""
    labels = Labels(register.form, language)
    write_csv(path, journal_columns(labels), journal(round_, register, labels))


@contextmanager
def _replaced(path: Path) -> Iterator[Path]:
    """Give a place to write to, which takes the place of `path` when all went well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"~{path.name}")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _one_by_one(tables: Iterable[Table], progress: Progress) -> Iterator[Table]:
    every = list(tables)
    with progress("Tables", len(every)) as step:
        for table in every:
            yield table
            step(1)


class _Tables:
    def __init__(self, register: Register, labels: Labels, reports: Reports, snapshot: Snapshot) -> None:
        self.form = register.form
        self.register = register
        self.labels = labels
        self.reports = reports
        self.snapshot = snapshot

    def state(self) -> Iterator[Table]:
        """Give the tables of how things stand, in the order of the workbook."""
        yield self._reports()
        yield from (self._sheet(sheet) for sheet in self.form.sheets.values())
        yield self._findings()

    def write(self, book: Book, progress: Progress) -> None:
        for table in _one_by_one((*self.state(), self._changes()), progress):
            sheets = Sheets(book, table.label, table.columns)
            for row in table.rows():
                sheets.add(row)
            sheets.end()
        book.add_notes(self.labels.say("sheet_about"), list(self.about()))

    # one row for each report

    def _reports(self) -> Table:
        casework = list(casework_columns(self.labels))
        own = self.reports.columns
        first = sum(not one.aside for one in self.reports.every)

        rows = []
        for line, values in self.snapshot.rows:
            written = self.snapshot.casework.get(line.report, {})
            rows.append([*values[:first], *(written.get(column.key) for column in casework), *values[first:]])
        columns = fitted([*own[:first], *casework, *own[first:]], rows)
        return Table("reports", self.labels.say("sheet_reports"), columns, lambda: iter(rows))

    # one row for each row of a form sheet

    def _sheet(self, sheet: Sheet) -> Table:
        answers = self.register.current.columns[sheet.key]
        questions = [self.labels.question_column(key, sheet.questions[key]) for key in answers]

        def rows() -> Iterator[list[Shown]]:
            for lines in self.reports.chunks():
                found = self.register.sheet_rows(sheet.key, [line.report for line in lines])
                for line in lines:
                    for row in found.get(line.report, ()):
                        yield [line.report, line.owner, *self._place(sheet, row), *map(row.get, answers.values())]

        columns = [*self._identity(), *self._place_columns(sheet), *questions]
        return Table(f"sheet_{sheet.key}", self.labels.own(sheet.label), columns, rows)

    def _identity(self) -> list[Column]:
        return [self.labels.column("report", MEDIUM), self.labels.column("owner", WIDE)]

    def _place_columns(self, sheet: Sheet) -> Iterator[Column]:
        if isinstance(sheet, TableSheet):
            yield self.labels.column("row", NARROW)
        elif isinstance(sheet, GridSheet):
            words = {key: self.labels.own(row.label) for key, row in sheet.rows.items()}
            yield Column(ROW_KEY, self.labels.own(sheet.row_label), WIDE, words=words)

    def _place(self, sheet: Sheet, row: dict[str, Any]) -> Iterator[Shown]:
        if isinstance(sheet, TableSheet):
            yield row[ROW]
        elif isinstance(sheet, GridSheet):
            yield row[ROW_KEY]

    # one row for each finding that is still to be settled

    def _findings(self) -> Table:
        column = self.labels.column
        widths = {"severity": MEDIUM, "rule": NARROW, "sheet": MEDIUM, "cells": MEDIUM}
        columns = [*self._identity(), *(column(*one) for one in widths.items()), column("message", WIDEST, wrap=True)]

        def rows() -> Iterator[list[Shown]]:
            for lines in self.reports.chunks():
                live = [line for line in lines if line.row["status"] not in SETTLED]
                found = self.register.findings_of([line.report for line in live])
                for line in live:
                    for finding in sorted(found.get(line.report, ()), key=_weight):
                        if finding.severity != WAIVED:
                            yield self._finding(line, finding)

        return Table("findings", self.labels.say("sheet_findings"), columns, rows)

    def _finding(self, line: Line, finding: Finding) -> list[Shown]:
        severity, cells = self.labels.say(f"severity_{finding.severity}"), ", ".join(finding.cells)
        message = self.labels.own(finding.message)
        return [line.report, line.owner, severity, finding.rule, finding.sheet, cells, message]

    # what is new

    def _changes(self) -> Table:
        column = self.labels.column
        widths = {"change": MEDIUM, "change_column": WIDE}
        columns = [*self._identity(), *(column(*one) for one in widths.items())]
        columns += [column(key, WIDE, wrap=True) for key in ("change_before", "change_now")]
        every = [*self.reports.columns, *casework_columns(self.labels)]

        def rows() -> Iterator[list[Shown]]:
            title = next((one.column.key for one in self.reports.every if one.is_title), "")
            return changes(self.snapshot, self.labels, every, title)

        return Table("changes", self.labels.say("sheet_changes"), columns, rows)

    def about(self) -> Iterator[tuple[str, str]]:
        """Tell what the workbook is, and how it is used."""
        say = self.labels.say
        yield say("about_what"), self.labels.own(self.form.file.title)
        yield say("about_made"), self._made(self.snapshot.at, self.snapshot.by)
        since = self.snapshot.since
        yield say("about_changes"), self._made(since["at"], since["by"]) if since else say("about_first")
        yield say("about_how"), say("about_how_text")
        yield say("about_import"), say("about_import_text")
        yield say("about_code"), self.snapshot.code

    def _made(self, at: datetime, by: str) -> str:
        local = self.labels.local(at)
        return self.labels.say("about_made_text", day=show_date(local), clock=f"{local:%H:%M}", by=by)


def _weight(finding: Finding) -> int:
    return ORDER.index(finding.severity)
