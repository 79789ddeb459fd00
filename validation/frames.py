"""Submissions as typed frames: one for each sheet, for the whole batch.

Every frame has `_s` (the submission's place in the batch), `_r` (the row's place among the
submission's rows of that sheet), `_key` (the row's key in a grid) and, for each question,
`sheet.question` with its value and `sheet.question!`, true where the cell could not be used.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from intake.submission import Submission, Value
from templates.form import Form, Question, QuestionSheet, Sheet

SUBMISSION, ROW, KEY, RECEIVED = "_s", "_r", "_key", "_received"
DTYPES = {
    "integer": pl.Int64(),
    "amount": pl.Int64(),
    "decimal": pl.Float64(),
    "percent": pl.Float64(),
    "date": pl.Date(),
}


def column(sheet: str, key: str) -> str:
    """The name of a question's column."""
    return f"{sheet}.{key}"


def bad(sheet: str, key: str) -> str:
    """The name of the column that tells where a question's cell could not be used."""
    return f"{sheet}.{key}!"


def dtype(question: Question) -> pl.DataType:
    """The type of a question's column; what is not a number or a date is text."""
    return DTYPES.get(question.type, pl.String())


@dataclass(frozen=True)
class Frames:
    """The frames of one batch, and the same rows with every question sheet's answers beside them."""

    form: Form
    sheets: dict[str, pl.DataFrame]
    wide: dict[str, pl.DataFrame]


def make_frames(form: Form, submissions: Sequence[Submission]) -> Frames:
    """Build the frames of a batch."""
    sheets = {key: _frame(sheet, submissions) for key, sheet in form.sheets.items()}
    context = pl.DataFrame(
        {
            SUBMISSION: range(len(submissions)),
            RECEIVED: [submission.source.received.astimezone(form.zone).date() for submission in submissions],
        },
        schema={SUBMISSION: pl.Int64(), RECEIVED: pl.Date()},
    )
    for key, sheet in form.sheets.items():
        if isinstance(sheet, QuestionSheet):
            context = context.join(sheets[key].drop(ROW, KEY), on=SUBMISSION, how="left")
    wide = {key: _widened(frame, context) for key, frame in sheets.items()}
    return Frames(form, sheets, wide)


def _frame(sheet: Sheet, submissions: Sequence[Submission]) -> pl.DataFrame:
    rows = [
        (number, position, row)
        for number, submission in enumerate(submissions)
        for position, row in enumerate(submission.sheets[sheet.key].rows)
    ]
    data: dict[str, list[Value]] = {
        SUBMISSION: [number for number, _, _ in rows],
        ROW: [position for _, position, _ in rows],
        KEY: [row.key for _, _, row in rows],
    }
    schema: dict[str, pl.DataType] = {SUBMISSION: pl.Int64(), ROW: pl.Int64(), KEY: pl.String()}
    for key, question in sheet.questions.items():
        answers = [row.answers.get(key) for _, _, row in rows]
        data[column(sheet.key, key)] = [None if a is None or a.problem else a.value for a in answers]
        data[bad(sheet.key, key)] = [a is not None and a.problem is not None for a in answers]
        schema |= {column(sheet.key, key): dtype(question), bad(sheet.key, key): pl.Boolean()}
    return pl.DataFrame(data, schema=schema, strict=True)


def _widened(frame: pl.DataFrame, context: pl.DataFrame) -> pl.DataFrame:
    new = [name for name in context.columns if name not in frame.columns or name == SUBMISSION]
    return frame.join(context.select(new), on=SUBMISSION, how="left", maintain_order="left")
