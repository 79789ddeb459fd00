"""The cells of an answer, as the owner sees them in the file that came back."""

import re
from collections.abc import Iterable
from itertools import groupby

from intake.submission import Answer as Written
from intake.submission import Row, SheetAnswers, Submission
from templates.form import NUMERIC, Form, GridSheet, Question
from templates.rules.predicate import Answer, Column, GridCell, GridLine, Node, TableRows

Spot = tuple[str, str, Row]  # sheet key, question key, row

CELL = re.compile(r"([A-Z]+)(\d+)")


def spots(form: Form, submission: Submission, node: Node, row: Row) -> list[Spot]:
    """The answers a node stands for, seen from one row.

    A column stands for its filled-in cells; an empty one for the cell where it begins.
    """
    match node:
        case Answer(sheet=sheet, key=key):
            rows = submission.sheets[sheet].rows
            own = row if any(row is found for found in rows) else (rows[0] if rows else row)
            return [(sheet, key, own)]
        case Column(sheet=sheet, key=key):
            return _column(form, submission, sheet, key)
        case TableRows(sheet=sheet):
            return _column(form, submission, sheet, next(iter(form.sheets[sheet].questions)))
        case GridCell(sheet=sheet, row=line, column=key):
            return [(sheet, key, found) for found in submission.sheets[sheet].rows if found.key == line]
        case GridLine(sheet=sheet, row=line):
            keys = [key for key, question in form.sheets[sheet].questions.items() if _is_entry(question)]
            found = [(sheet, key, row) for row in submission.sheets[sheet].rows if row.key == line for key in keys]
            return [spot for spot in found if spot[1] in spot[2].answers] or found
    return []


def _is_entry(question: Question) -> bool:
    return question.type in NUMERIC and not question.sum_of


def _column(form: Form, submission: Submission, sheet: str, key: str) -> list[Spot]:
    answers, definition = submission.sheets[sheet], form.sheets[sheet]
    sums = {name for name, row in definition.rows.items() if row.sum_of} if isinstance(definition, GridSheet) else set()
    filled = [(sheet, key, row) for row in answers.rows if key in row.answers and row.key not in sums]
    return filled or [(sheet, key, _first_row(answers))]


def _first_row(answers: SheetAnswers) -> Row:
    return answers.rows[0] if answers.rows else Row(answers.first_row, "", {})


def cell(submission: Submission, spot: Spot) -> str:
    sheet, key, row = spot
    return submission.sheets[sheet].cell(key, row)


def answer(spot: Spot) -> Written | None:
    _, key, row = spot
    return row.answers.get(key)


def label(form: Form, spot: Spot) -> dict[str, str]:
    """What a spot is called: its question, and in a grid its row too."""
    sheet_key, key, row = spot
    sheet = form.sheets[sheet_key]
    question = sheet.questions[key]
    if isinstance(sheet, GridSheet) and row.key in sheet.rows:
        line = sheet.rows[row.key].label
        return {language: f"{line[language]}, {question.label[language]}" for language in form.languages}
    return dict(question.label)


def ranges(cells: Iterable[str]) -> tuple[str, ...]:
    """Cells in reading order, with runs down a column written as one range: F14:F22."""
    places = sorted({(found[1], int(found[2])) for item in cells if (found := CELL.fullmatch(item))}, key=_order)
    told = []
    for _, run in groupby(enumerate(places), key=lambda item: (item[1][0], item[1][1] - item[0])):
        members = [place for _, place in run]
        (column, first), (_, last) = members[0], members[-1]
        told.append(f"{column}{first}" if first == last else f"{column}{first}:{column}{last}")
    return tuple(told)


def _order(place: tuple[str, int]) -> tuple[int, str, int]:
    return len(place[0]), *place
