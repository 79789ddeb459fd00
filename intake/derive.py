"""The answers nobody writes: fetched from lists, and summed."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from intake.submission import Answer, Row, SheetAnswers, Value
from intake.values import Reading, read_value
from templates.form import UNITS, Form, GridSheet, Lookup, Question, Sheet
from templates.layout import NAMED_LIST, SUMMED
from templates.recipients import Recipient, Unit

Formulas = Callable[[str], str]  # the formula in a cell


def derive(
    form: Form, sheet: Sheet, answers: SheetAnswers, recipient: Recipient, formulas: Formulas = lambda _cell: ""
) -> SheetAnswers:
    """The same sheet with its fills, lookups and sums computed; stored results of our formulas are never used."""
    rows = [_with_fetched(form, sheet, answers, row, recipient, formulas) for row in answers.rows]
    if isinstance(sheet, GridSheet):
        rows = _with_sums(sheet, answers, rows)
    return replace(answers, rows=tuple(rows))


def _with_fetched(
    form: Form, sheet: Sheet, answers: SheetAnswers, row: Row, recipient: Recipient, formulas: Formulas
) -> Row:
    found = dict(row.answers)
    for key, question in sheet.questions.items():
        source = question.lookup or question.fill
        if source is None:
            continue
        reading = fetch(form, question, source, found.get(source.key), recipient)
        if question.fill and key in found and _is_owners(found[key], reading, formulas):
            continue
        found.pop(key, None)
        if reading is not None and reading.problem is None:
            found[key] = Answer(reading.value, reading.raw, answers.cell(key, row))
    return Row(row.number, row.key, found)


def _is_owners(answer: Answer, fetched: Reading | None, formulas: Formulas) -> bool:
    """Whether the owner wrote it: what differs from what we would fetch may be an old result of our formula."""
    if fetched is not None and answer.problem is None and answer.value == fetched.value:
        return True
    return NAMED_LIST not in formulas(answer.cell)


def fetch(form: Form, question: Question, source: Lookup, by: Answer | None, recipient: Recipient) -> Reading | None:
    """What a list gives for a question, by the answer it goes by; None when that says nothing."""
    if by is None or by.problem or by.value is None:
        return None
    text = (
        _from_units(source.value, by.value, recipient) if source.list == UNITS else _from_list(form, source, by.value)
    )
    if question.type == "lookup":
        return Reading(text, text) if text else None
    return read_value(text, question, form)


def _from_units(column: str, name: Value, recipient: Recipient) -> str:
    wanted = str(name).casefold()
    unit = next((unit for unit in recipient.units if unit.name.casefold() == wanted), None)
    return _unit_value(unit, column, recipient) if unit else ""


def _unit_value(unit: Unit, column: str, recipient: Recipient) -> str:
    return (unit.owner or recipient.orgnr) if column == "owner" else str(getattr(unit, column))


def _from_list(form: Form, source: Lookup, by: Value) -> str:
    code_list = form.lists[source.list]
    wanted = str(by)
    row = code_list.rows.get(wanted) or next(
        (row for row in code_list.rows.values() if row[code_list.label].casefold() == wanted.casefold()), None
    )
    return row[source.value] if row else ""


def _with_sums(sheet: GridSheet, answers: SheetAnswers, rows: list[Row]) -> list[Row]:
    """Add up calculated rows, then calculated columns; a sum of something unreadable is left out."""
    by_key = {row.key: dict(row.answers) for row in rows}
    numbers = {row.key: row for row in rows}
    for key, line in sheet.rows.items():
        if line.sum_of and key in by_key:
            for column, question in sheet.columns.items():
                by_key[key].pop(column, None)
                if not question.sum_of and question.type in SUMMED:
                    parts = [by_key.get(part, {}).get(column) for part in line.sum_of]
                    _put_sum(by_key[key], column, parts, answers.cell(column, numbers[key]))
    for column, question in sheet.columns.items():
        for key in by_key if question.sum_of else ():
            parts = [by_key[key].get(part) for part in question.sum_of]
            by_key[key].pop(column, None)
            _put_sum(by_key[key], column, parts, answers.cell(column, numbers[key]))
    return [Row(row.number, row.key, by_key[row.key]) for row in rows]


def _put_sum(answers: dict[str, Answer], column: str, parts: Iterable[Answer | None], cell: str) -> None:
    written = [part for part in parts if part is not None]
    if not written or any(part.problem or not isinstance(part.value, int | float) for part in written):
        return
    total = sum(part.value for part in written if isinstance(part.value, int | float))
    answers[column] = Answer(total, str(total), cell)
