"""One row for each report: the register's own columns and those the form asks for, as values and in words."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from hashlib import sha256
from typing import Any

from intake.submission import Value
from outputs.exports.casework import FIELDS
from outputs.exports.columns import MEDIUM, NARROW, WIDE, Column, Labels, Shown
from outputs.exports.norwegian import sort_key
from outputs.register.life import JUDGED, SETTLED
from outputs.register.register import Register
from templates.form import NUMERIC, Form, Question, RegisterColumn
from templates.recipients import Recipient
from templates.round import Round
from templates.rules.binding import FormNames
from templates.rules.predicate import Aggregate, Answer, Arithmetic, Coalesce, GridCell, GridLine, Node, parse
from templates.rules.predicate import Column as Answers
from validation.compile import values_of
from validation.verdict import LATE

CHUNK = 500  # reports at a time
MARK = 8  # characters of a digest: enough to see that something changed, and no more
IDENTITY = ("report", "owner", "orgnr")  # the office knows these, whatever a report says


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
    """A column, and its value for a report, given its register columns."""

    column: Column
    value: Callable[[Line, dict[str, Value]], Shown]
    aside: bool = False
    is_title: bool = False  # says what a report is about


class Reports:
    """All reports of a register that count, by owner in Norwegian order."""

    def __init__(self, round_: Round, register: Register, labels: Labels) -> None:
        self.form = register.form
        self.register = register
        self.labels = labels
        lines = (_line(row, round_.recipients.get(row["recipient"])) for row in register.reports())
        self.lines = sorted(lines, key=lambda line: (sort_key(line.owner), sort_key(line.report)))
        asked = self.form.file.register_columns
        self.nodes = {column.key: parse(column.value, FormNames(self.form, None)) for column in asked}
        self.every = self._columns()

    @property
    def columns(self) -> list[Column]:
        return [one.column for one in self.every]

    def chunks(self) -> Iterator[list[Line]]:
        for start in range(0, len(self.lines), CHUNK):
            yield self.lines[start : start + CHUNK]

    def rows(self) -> Iterator[tuple[Line, list[Shown]]]:
        """Give each report with a value for each column."""
        for lines in self.chunks():
            submissions = self.register.submissions([line.report for line in lines])
            found = values_of(self.form, [submissions[line.report] for line in lines], self.nodes)
            for line, values in zip(lines, found, strict=True):
                yield line, [one.value(line, values) for one in self.every]

    # the columns

    def _columns(self) -> list[ReportColumn]:
        """List whose report it is, what the form asks for, then how it stands; and then what is aside.

        A column of the form with the label of one of ours speaks for it.
        """
        own = {one.column.label.casefold(): one for one in self._own_columns()}
        taken = {*FIELDS, *(one.column.key for one in own.values())}
        form = []
        for asked in self.form.file.register_columns:
            label = self.labels.own(asked.label).casefold()
            if label not in own or own[label].column.key not in IDENTITY:
                form.append(self._form_column(asked, own.pop(label, None), taken))
        ours = list(own.values())
        every = [*ours[:2], *form, *ours[2:]]
        return [one for one in every if not one.aside] + [one for one in every if one.aside]

    def _own_columns(self) -> Iterator[ReportColumn]:
        column, day, local = self.labels.column, self.labels.day, self.labels.local

        def ours(own: Column, value: Callable[[Line], Shown], *, aside: bool = False) -> ReportColumn:
            return ReportColumn(own, lambda line, _: value(line), aside)

        def words(own: Column, words: dict[str, str]) -> Column:
            return replace(own, words=words)

        statuses = {name: self.labels.say(f"status_{name}") for name in (*JUDGED, LATE, *SETTLED)}
        yield ours(column("report", MEDIUM), lambda line: line.report)
        yield ours(column("owner", WIDE, wrap=True), lambda line: line.owner)
        yield ours(words(column("status", WIDE), statuses), lambda line: line.row["status"])
        yield ours(column("errors", NARROW), lambda line: line.row["errors"])
        yield ours(column("remarks", NARROW), lambda line: line.row["remarks"])
        yield ours(
            column("correction_deadline", NARROW, is_date=True), lambda line: day(line.row["correction_deadline"])
        )
        yield ours(column("county", MEDIUM), lambda line: line.known("county"), aside=True)
        yield ours(column("orgnr", NARROW), lambda line: line.row["recipient"], aside=True)
        yield ours(words(column("type", MEDIUM), self._owner_types()), lambda line: line.known("type"), aside=True)
        yield ours(column("kommunenr", NARROW), lambda line: line.known("kommunenr"), aside=True)
        yield ours(words(column("kommune", MEDIUM), self._kommuner()), lambda line: line.known("kommunenr"), aside=True)
        yield ours(column("received", MEDIUM, is_date=True), lambda line: local(line.row["received"]), aside=True)
        yield ours(column("versions", NARROW), lambda line: line.row["versions"], aside=True)

    def _form_column(self, asked: RegisterColumn, own: ReportColumn | None, taken: set[str]) -> ReportColumn:
        node = self.nodes[asked.key]
        question = question_behind(self.form, node)
        key = own.column.key if own else _free(asked.key, taken)
        column = self.labels.question_column(key, question) if question else Column(key, "", MEDIUM)
        several = isinstance(node, Aggregate)
        column = replace(column, label=self.labels.own(asked.label), several=several, wrap=column.width > MEDIUM)

        def value(line: Line, values: dict[str, Value]) -> Shown:
            found = values[asked.key]
            return own.value(line, values) if own and found is None else found

        return ReportColumn(column, value, asked.aside, asked.value == self.form.file.report_title)

    # the words for codes

    def _owner_types(self) -> dict[str, str]:
        question = self._asked_for("recipient.type")
        return self.labels.of_choices(question) if question else {}

    def _kommuner(self) -> dict[str, str]:
        question = self._asked_for("recipient.kommunenr")
        source = self.form.lists.get(question.list or "") if question else None
        return {number: row[source.label] for number, row in source.rows.items()} if source else {}

    def _asked_for(self, prefill: str) -> Question | None:
        return next((question for _, question in self.form.questions() if question.prefill == prefill), None)


def _line(row: dict[str, Any], recipient: Recipient | None) -> Line:
    return Line(row, recipient.name if recipient else row["owner"] or row["recipient"], recipient)


def _free(key: str, taken: set[str]) -> str:
    while key in taken:
        key += "_"
    taken.add(key)
    return key


def question_behind(form: Form, node: Node) -> Question | None:
    """Find the question whose answers an expression's value is like, so that it is shown like them."""
    match node:
        case Answer(sheet=sheet, key=key) | Answers(sheet=sheet, key=key) | GridCell(sheet=sheet, column=key):
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


# as the log keeps them


def kept(columns: list[Column], values: list[Shown]) -> dict[str, Any]:
    """Give the values of a report by column, as JSON has them; what is about a person only as a mark of itself."""
    return {
        column.key: mark(value) if column.personal and value else _plain(value)
        for column, value in zip(columns, values, strict=True)
    }


def _plain(value: Shown) -> str | int | float | bool | None:
    return value.isoformat() if isinstance(value, date) else value


def mark(value: Shown) -> str:
    """Give what tells that a value has changed, and not what it is."""
    return sha256(str(value).encode()).hexdigest()[:MARK]
