"""The register as an Excel workbook: a row for each report, for each row of its tables, for each finding."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any

from intake.submission import Value
from outputs.norwegian import sort_key
from outputs.projection import ROW, ROW_KEY
from outputs.register import TEXTS, Register
from outputs.spreadsheet import Book, Head, Sheets, Shown
from templates.binding import FormNames
from templates.entry import column_width, number_format
from templates.form import NUMERIC, Form, GridSheet, Question, RegisterColumn, Sheet, TableSheet
from templates.predicate import (
    Aggregate,
    Answer,
    Arithmetic,
    Coalesce,
    Column,
    GridCell,
    GridLine,
    Node,
    parse,
)
from templates.recipients import Recipient
from templates.round import Round
from templates.texts import load_texts
from validation.compile import values_of
from validation.findings import ORDER, Finding

CHUNK = 500  # reports at a time
JOINER = ", "  # between the values of STRING_AGG
NARROW, MEDIUM, WIDE, WIDEST = 12, 18, 32, 90  # characters


def export(round_: Round, register: Register, path: Path, language: str = "nb") -> None:
    """Write the register workbook; what stood at `path` is replaced when all is written.

    Raises OSError when the file is open in another program.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"~{path.name}")
    try:
        with register.reading(), Book(temporary) as book:
            _Export(round_, register, book, language).write()
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@dataclass(frozen=True)
class Line:
    """One report as the register has it, its owner's name, and the recipient when there is one."""

    row: dict[str, Any]
    owner: str
    recipient: Recipient | None

    @property
    def report(self) -> str:
        return str(self.row["report"])

    def known(self, field: str) -> str:
        return str(getattr(self.recipient, field)) if self.recipient else ""


@dataclass(frozen=True)
class ReportColumn:
    """A column of the sheet of reports: its value for a report, given its register columns."""

    head: Head
    value: Callable[[Line, dict[str, Value]], Shown]


class _Export:
    def __init__(self, round_: Round, register: Register, book: Book, language: str) -> None:
        self.form = register.form
        self.register = register
        self.book = book
        self.language = language
        self.say = partial(load_texts(TEXTS).say, language=language)
        lines = (_line(row, round_.recipients.get(row["recipient"])) for row in register.reports())
        self.lines = sorted(lines, key=lambda line: (sort_key(line.owner), sort_key(line.report)))

    def write(self) -> None:
        self._write_reports()
        for sheet in self.form.sheets.values():
            self._write_sheet(sheet)
        self._write_findings()

    def _chunks(self) -> Iterator[list[Line]]:
        for start in range(0, len(self.lines), CHUNK):
            yield self.lines[start : start + CHUNK]

    def _own(self, text: dict[str, str]) -> str:
        return text.get(self.language) or next(iter(text.values()), "")

    # one row for each report

    def _write_reports(self) -> None:
        nodes = {
            column.key: parse(column.value, FormNames(self.form, None)) for column in self.form.file.register_columns
        }
        columns = self._report_columns(nodes)
        sheets = Sheets(self.book, self.say("sheet_reports"), [column.head for column in columns])
        for lines in self._chunks():
            submissions = self.register.submissions([line.report for line in lines])
            found = values_of(self.form, [submissions[line.report] for line in lines], nodes)
            for line, values in zip(lines, found, strict=True):
                sheets.add([column.value(line, values) for column in columns])
        sheets.end()

    def _report_columns(self, nodes: dict[str, Node]) -> list[ReportColumn]:
        """List our own columns, then the form's.

        A column of the form with the label of one of ours speaks for it; but whose report it is, the office knows.
        """
        columns = {column.head.label.casefold(): column for column in self._own_columns()}
        identity = {self.say(key).casefold() for key in ("report", "owner", "orgnr")}
        for asked in self.form.file.register_columns:
            label = self._own(asked.label)
            key = label.casefold()
            if key not in identity:
                columns[key] = self._form_column(asked, nodes[asked.key], columns.get(key))
        return list(columns.values())

    def _own_columns(self) -> Iterator[ReportColumn]:
        def column(key: str, width: int, value: Callable[[Line], Shown]) -> ReportColumn:
            return ReportColumn(Head(self.say(key), width), lambda line, _: value(line))

        yield column("report", MEDIUM, lambda line: line.report)
        yield column("owner", WIDE, lambda line: line.owner)
        yield column("orgnr", NARROW, lambda line: line.row["recipient"])
        yield column("type", MEDIUM, self._owner_type)
        yield column("kommunenr", NARROW, lambda line: line.known("kommunenr"))
        yield column("kommune", MEDIUM, self._kommune)
        yield column("county", MEDIUM, lambda line: line.known("county"))
        yield column("status", WIDE, lambda line: self.say(f"status_{line.row['status']}"))
        yield column("correction_deadline", NARROW, lambda line: self._day(line.row["correction_deadline"]))
        yield column("received", MEDIUM, lambda line: self._local(line.row["received"]))
        yield column("versions", NARROW, lambda line: line.row["versions"])
        yield column("errors", NARROW, lambda line: line.row["errors"])
        yield column("remarks", NARROW, lambda line: line.row["remarks"])

    def _form_column(self, asked: RegisterColumn, node: Node, own: ReportColumn | None) -> ReportColumn:
        question = question_behind(self.form, node)
        words = self._labels(question) if question else {}
        several = isinstance(node, Aggregate)

        def value(line: Line, values: dict[str, Value]) -> Shown:
            found = in_words(values[asked.key], words, several=several)
            return own.value(line, values) if own and found is None else found

        return ReportColumn(own.head if own else self._head(self._own(asked.label), question), value)

    def _head(self, label: str, question: Question | None) -> Head:
        if question is None:
            return Head(label, MEDIUM)
        return Head(label, column_width(question), number_format(question))

    def _labels(self, question: Question) -> dict[str, str]:
        return {code: self._own(label) for code, label in self.form.question_options(question).items()}

    def _local(self, moment: datetime) -> datetime:
        return moment.astimezone(self.form.zone).replace(tzinfo=None)

    def _day(self, moment: datetime | None) -> date | None:
        return self._local(moment).date() if moment else None

    # of the recipient

    def _asked_for(self, prefill: str) -> Question | None:
        return next((question for _, question in self.form.questions() if question.prefill == prefill), None)

    def _owner_type(self, line: Line) -> str:
        question = self._asked_for("recipient.type")
        code = line.known("type")
        return self._labels(question).get(code, code) if question else code

    def _kommune(self, line: Line) -> str:
        question = self._asked_for("recipient.kommunenr")
        source = self.form.lists.get(question.list or "") if question else None
        return source.rows.get(line.known("kommunenr"), {}).get(source.label, "") if source else ""

    # one row for each row of a form sheet

    def _write_sheet(self, sheet: Sheet) -> None:
        columns = self.register.current.columns[sheet.key]
        words = {key: self._labels(question) for key, question in sheet.questions.items()}
        sheets = Sheets(self.book, self._own(sheet.label), list(self._sheet_heads(sheet)))
        for lines in self._chunks():
            rows = self.register.sheet_rows(sheet.key, [line.report for line in lines])
            for line in lines:
                for row in rows.get(line.report, ()):
                    answers = [words[key].get(row[column], row[column]) for key, column in columns.items()]
                    sheets.add([line.report, line.owner, *self._place(sheet, row), *answers])
        sheets.end()

    def _sheet_heads(self, sheet: Sheet) -> Iterator[Head]:
        yield Head(self.say("report"), MEDIUM)
        yield Head(self.say("owner"), WIDE)
        if isinstance(sheet, TableSheet):
            yield Head(self.say("row"), NARROW)
        elif isinstance(sheet, GridSheet):
            yield Head(self._own(sheet.row_label), WIDE)
        yield from (self._head(self._own(question.label), question) for question in sheet.questions.values())

    def _place(self, sheet: Sheet, row: dict[str, Any]) -> Iterator[Shown]:
        if isinstance(sheet, TableSheet):
            yield row[ROW]
        elif isinstance(sheet, GridSheet):
            yield self._own(sheet.rows[row[ROW_KEY]].label)

    # one row for each finding

    def _write_findings(self) -> None:
        widths = {"report": MEDIUM, "owner": WIDE, "severity": MEDIUM, "rule": NARROW, "sheet": MEDIUM}
        widths |= {"cells": MEDIUM, "message": WIDEST}
        heads = [Head(self.say(key), width) for key, width in widths.items()]
        sheets = Sheets(self.book, self.say("sheet_findings"), heads)
        for lines in self._chunks():
            found = self.register.findings_of([line.report for line in lines])
            for line in lines:
                for finding in sorted(found.get(line.report, ()), key=_weight):
                    sheets.add([line.report, line.owner, *self._finding(finding)])
        sheets.end()

    def _finding(self, finding: Finding) -> Iterator[str]:
        yield self.say(f"severity_{finding.severity}")
        yield finding.rule
        yield finding.sheet
        yield ", ".join(finding.cells)
        yield " – ".join(filter(None, (self._own(finding.message), finding.waiver)))


def _line(row: dict[str, Any], recipient: Recipient | None) -> Line:
    return Line(row, recipient.name if recipient else row["owner"] or row["recipient"], recipient)


def _weight(finding: Finding) -> int:
    return ORDER.index(finding.severity)


def in_words(value: Value, words: dict[str, str], *, several: bool) -> Value:
    """Put the label of a choice for its code, or the labels of several in one text."""
    if not isinstance(value, str):
        return value
    codes = value.split(JOINER) if several else [value]
    return JOINER.join(words.get(code, code) for code in codes)


def question_behind(form: Form, node: Node) -> Question | None:
    """Find the question whose answers an expression's value is like, so that it is shown like them."""
    match node:
        case Answer(sheet=sheet, key=key) | Column(sheet=sheet, key=key) | GridCell(sheet=sheet, column=key):
            return form.sheets[sheet].questions[key]
        case GridLine(sheet=sheet):
            questions = form.sheets[sheet].questions.values()
            return next((question for question in questions if question.type in NUMERIC), None)
        case Aggregate(function="SUM" | "MIN" | "MAX" | "STRING_AGG", of=of):
            return question_behind(form, of)
        case Coalesce() | Arithmetic(op="+" | "-"):
            parts = (question_behind(form, part) for part in node.children())
            return next((part for part in parts if part), None)
    return None
