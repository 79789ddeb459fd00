"""What the owner wrote: every answer of every sheet, read where it now sits."""

from collections.abc import Callable, Mapping
from functools import partial

from intake.derive import derive
from intake.exact import DAYS_TO_1904, NO_VALUE, Flaw
from intake.locate import Place
from intake.personal import without_birth_numbers
from intake.submission import Answer, Row, SheetAnswers
from intake.values import Reading, read_value, recoded_value
from templates.cells import address, letter
from templates.form import Form, GridSheet, Question, QuestionSheet, Sheet
from templates.recipients import Recipient

Recoded = Callable[[str, str], Mapping[str, str]]  # of a sheet and a question: what may stand there, to a code


def read_answers(
    form: Form, places: dict[str, Place], recipient: Recipient, recoded: Recoded, *, is_1904: bool
) -> dict[str, SheetAnswers]:
    """The answers of every sheet that has a place; what our own formulas would show is computed anew."""
    read = {}
    for key, place in places.items():
        sheet, cells = form.sheets[key], place.cells
        codes = {name: found for name in sheet.questions if (found := recoded(key, name))}
        answers = _read_sheet(sheet, place, partial(_read, form=form, codes=codes, is_1904=is_1904))
        read[key] = derive(form, sheet, answers, recipient, cells.formula)
    return read


ReadCell = Callable[[object, Question], Reading | None]


def _read_sheet(sheet: Sheet, place: Place, read: ReadCell) -> SheetAnswers:
    if isinstance(sheet, QuestionSheet):
        spots = {key: (row, place.columns[key]) for key, row in place.rows.items()}
        only = Row(0, "", _answers(sheet, place, spots, read))
        return SheetAnswers(place.cells.name, {key: address(*spot) for key, spot in spots.items()}, (only,))
    places = {key: letter(column) for key, column in place.columns.items()}
    lines = [(row, key) for key, row in place.rows.items()] if isinstance(sheet, GridSheet) else _used(sheet, place)
    rows = tuple(
        Row(row + 1, key, _answers(sheet, place, {name: (row, col) for name, col in place.columns.items()}, read))
        for row, key in lines
    )
    return SheetAnswers(place.cells.name, places, rows, place.first_row + 1)


def _used(sheet: Sheet, place: Place) -> list[tuple[int, str]]:
    """The rows of a table where the owner has written something."""
    columns = [
        (place.columns[key], question)
        for key, question in sheet.questions.items()
        if key in place.columns and not question.calculated
    ]
    return [
        (row, "")
        for row in range(place.first_row, len(place.cells.rows))
        if any(not _blank(place.cells.at(row, column), question) for column, question in columns)
    ]


def _blank(cell: object, question: Question) -> bool:
    """Whether nothing is written; a formula of ours that no program has calculated is nothing yet."""
    return (isinstance(cell, str) and not cell.strip()) or (question.fill is not None and cell == NO_VALUE)


def _answers(sheet: Sheet, place: Place, spots: dict[str, tuple[int, int]], read: ReadCell) -> dict[str, Answer]:
    answers = {}
    for key, (row, column) in spots.items():
        question = sheet.questions[key]
        cell = place.cells.at(row, column)
        if question.calculated or _blank(cell, question):
            continue
        reading = read(cell, question)
        if reading is not None:
            answers[key] = Answer(
                reading.value, reading.raw, address(row, column), reading.problem, reading.note, dict(reading.details)
            )
    return answers


def _read(
    cell: object, question: Question, *, form: Form, codes: Mapping[str, Mapping[str, str]], is_1904: bool
) -> Reading | None:
    if isinstance(cell, Flaw):
        return Reading(None, cell.shown, cell.problem)
    if is_1904 and question.type == "date" and isinstance(cell, float):
        cell += DAYS_TO_1904
    reading = read_value(cell, question, form)
    if reading is not None and question.key in codes:
        reading = recoded_value(reading, codes[question.key])
    return None if reading is None else without_birth_numbers(reading, question)
