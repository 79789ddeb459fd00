"""What the register keeps of the answers in a file, which depends on nothing but the form and the file.

It is made where the file is read, in a worker process that needs no database, before the register is open for
writing; of what comes from elsewhere it is made when it is wanted.
"""

import json
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from pydantic_core import PydanticSerializationError, to_json

from intake.submission import Answer, Return, Row, SheetAnswers, Submission, Value
from templates.form import Form, QuestionSheet, Sheet, TableSheet

REPORT, ROW, ROW_KEY = "report", "row", "row_key"
OWNER_NAME = "recipient.name"  # the prefill of the question that holds the owner's name
PLAIN = frozenset({str, int, float, bool, type(None)})  # what JSON has itself


@dataclass(frozen=True, slots=True)
class Typed:
    """The answers of a version as the current state has them."""

    recipient: str
    owner: str  # the name, as the owner wrote it
    title: str
    values: dict[str, list[Value]]  # by form sheet: the rows of its table, one after the other


@dataclass(frozen=True, slots=True)
class Prepared:
    """The answers of a version as the log and the current state have them."""

    answers: str  # see dump_submission
    typed: Typed


class Preparer:
    """Makes answers ready for the register of one form; a worker process is sent it once."""

    def __init__(self, form: Form) -> None:
        self.form = form
        self.columns = {key: column_names(sheet) for key, sheet in form.sheets.items()}
        self._owner = _owner_question(form)
        self._days = {
            key: [at for at, question in enumerate(sheet.questions.values()) if question.type == "date"]
            for key, sheet in form.sheets.items()
        }

    def __call__(self, submission: Submission) -> Prepared:
        """Give what the register keeps of these answers: made once, where the file is read or else now."""
        if isinstance(submission.prepared, Prepared):
            return submission.prepared
        return Prepared(dump_submission(submission), self.typed(submission))

    def typed(self, submission: Submission) -> Typed:
        owner = _text(submission.answer(self._owner)) if self._owner else ""
        title = _text(submission.answer(self.form.file.report_title))
        values = {key: self._values(sheet, submission) for key, sheet in self.form.sheets.items()}
        return Typed(submission.recipient, owner, title, values)

    def _values(self, sheet: Sheet, submission: Submission) -> list[Value]:
        made: list[Value] = []
        answers = submission.sheets.get(sheet.key)
        for place, found in _placed(sheet, answers.rows if answers else ()):
            values = [found[key].value if key in found else None for key in sheet.questions]
            for at in self._days[sheet.key]:
                values[at] = _iso(values[at])
            made += (submission.report, *place, *values)
        return made


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


def _owner_question(form: Form) -> str | None:
    """Find the question that holds the owner's name."""
    asked = (f"{sheet}.{question.key}" for sheet, question in form.questions() if question.prefill == OWNER_NAME)
    return next((path for path in asked if isinstance(form.sheets[path.partition(".")[0]], QuestionSheet)), None)


def _placed(sheet: Sheet, rows: tuple[Row, ...]) -> list[tuple[tuple[int | str, ...], dict[str, Answer]]]:
    """Give the answers of each row with what tells it apart; a question sheet always has one row."""
    if isinstance(sheet, QuestionSheet):
        return [((), rows[0].answers if rows else {})]
    if isinstance(sheet, TableSheet):
        return [((row.number,), row.answers) for row in rows]
    by_key = {row.key: row for row in rows if row.key in sheet.rows}  # a copied row counts once
    return [((key,), row.answers) for key, row in by_key.items()]


def _iso(value: Value) -> Value:
    """Give a date as the database keeps it."""
    return value.isoformat() if isinstance(value, date) else value


def _text(answer: Answer | None) -> str:
    return str(answer.value or "") if answer else ""


# a Submission as JSON


def dump_submission(submission: Submission) -> str:
    """Turn a Submission into JSON; `load_submission` makes the same one of it, less the mail it came in."""
    source = submission.source
    fields = {name: getattr(submission, name) for name in ("form", "version", "language", "recipient", "report")}
    fields["source"] = [str(source.path), source.sha256, source.received.isoformat(), source.sender, source.clock]
    fields["sheets"] = {key: _dump_sheet(sheet) for key, sheet in submission.sheets.items()}
    try:
        return to_json(fields).decode()
    except PydanticSerializationError:  # half a character, as in a file name of another encoding
        return json.dumps(fields, separators=(",", ":"))


def load_submission(stored: str) -> Submission:
    fields = json.loads(stored)
    path, sha256, received, *known = fields["source"]
    fields["source"] = Return(Path(path), sha256, datetime.fromisoformat(received), *known)
    fields["sheets"] = {key: _load_sheet(sheet) for key, sheet in fields["sheets"].items()}
    return Submission(**fields)


def _dump_sheet(sheet: SheetAnswers) -> list[Any]:
    rows = [
        (
            row.number,
            row.key,
            {
                key: (one.value, one.raw, one.cell)
                if one.problem is one.note is None and not one.details and type(one.value) in PLAIN
                else _dump_answer(one)
                for key, one in row.answers.items()
            },
        )
        for row in sheet.rows
    ]
    return [sheet.name, sheet.places, rows, sheet.first_row]


def _load_sheet(stored: list[Any]) -> SheetAnswers:
    name, places, rows, first_row = stored
    loaded = (Row(number, key, {key: _load_answer(a) for key, a in answers.items()}) for number, key, answers in rows)
    return SheetAnswers(name, places, tuple(loaded), first_row)


def _dump_answer(answer: Answer) -> tuple[Any, ...]:
    """List the fields in order; those that are rare are left out when they are empty."""
    value = {"date": answer.value.isoformat()} if isinstance(answer.value, date) else answer.value
    if answer.problem is None and answer.note is None and not answer.details:
        return value, answer.raw, answer.cell
    return value, answer.raw, answer.cell, answer.problem, answer.note, answer.details


def _load_answer(stored: list[Any]) -> Answer:
    if isinstance(stored[0], dict):
        stored[0] = date.fromisoformat(stored[0]["date"])
    return Answer(*stored)
