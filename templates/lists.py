"""The hidden list sheet: every dropdown and every lookup takes its source from here, by name."""

from collections.abc import Iterable, Iterator
from itertools import chain

from openpyxl import Workbook
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.worksheet import Worksheet

from templates.cells import letter
from templates.form import UNIT_COLUMNS, UNITS, Form, Lookup, Question
from templates.layout import FIRST_UNIT, LAST_UNIT, LISTS_SHEET, choices_name, column_name
from templates.records import Records
from templates.states import choice_lists, codes_name, words_name
from templates.style import PLAIN


def write_lists(
    workbook: Workbook, form: Form, language: str, records: Records, read: Iterable[tuple[str, str]], note: str
) -> None:
    """Write `_lister`: the form's choices and code lists.

    `read` are the columns of code lists that rules look in.
    """
    sheet = workbook.create_sheet(LISTS_SHEET)
    sheet.sheet_state = "hidden"
    sheet["A1"] = note
    columns: list[list[str]] = []
    for code_list in records.fields:
        _name(workbook, records.name(code_list), _place(columns, [records.text(code_list)]))
    for name, values in sorted(_columns(form, language, records, read), key=lambda found: -len(found[1])):
        _name(workbook, name, _place(columns, values or [""]))
    for number, values in enumerate(columns, 1):
        _write_column(sheet, letter(number), values)


def _columns(
    form: Form, language: str, records: Records, read: Iterable[tuple[str, str]]
) -> Iterator[tuple[str, list[str]]]:
    """Every column of `_lister`, once."""
    looked_in = ((column_name(name, key), _values(form, name, key)) for name, key in sorted(read))
    found = chain(
        _choice_columns(form, language), _code_columns(form, language), _list_columns(form, records), looked_in
    )
    yield from dict(found).items()


def _values(form: Form, name: str, column: str) -> list[str]:
    return [row[column] for row in form.lists[name].rows.values()]


def uses_units(form: Form) -> bool:
    """Whether any question is answered from the recipient's own units."""
    return any(
        question.choices == UNITS or (question.fill is not None and question.fill.list == UNITS)
        for _, question in form.questions()
    )


def _choice_columns(form: Form, language: str) -> Iterator[tuple[str, list[str]]]:
    used: dict[str, None] = {}
    for _, question in form.questions():
        names = [question.choices, *(when.choices for when in question.choices_when)]
        used.update(dict.fromkeys(name for name in names if name and name != UNITS))
        if question.type == "yesno":
            yield choices_name("yesno"), [text[language] for text in form.question_options(question).values()]
    for name in used:
        yield choices_name(name), [text[language] for text in form.options(name).values()]


def _code_columns(form: Form, language: str) -> Iterator[tuple[str, list[str]]]:
    """The words of choices in all languages, and what they mean."""
    for _, question in form.questions():
        for name in choice_lists(question) if question.type == "choice" else ():
            options = form.options(name)
            words = [(label[language], code) for code, label in options.items()]
            words += [
                (other, code)
                for code, label in options.items()
                for other in dict.fromkeys(label.values())
                if other != label[language]
            ]
            if words_name(form, name) != choices_name(name):
                yield words_name(form, name), [word for word, _ in words]
            if codes_name(form, name) != choices_name(name):
                yield codes_name(form, name), [code for _, code in words]


def _list_columns(form: Form, records: Records) -> Iterator[tuple[str, list[str]]]:
    used: dict[tuple[str, str], None] = {}
    for sheet, question in form.questions():
        for lookup in filter(None, (question.lookup, question.fill)):
            asked = form.question(f"{sheet}.{lookup.key}")
            is_number = asked.type == "kommunenr" and lookup.list in records.fields
            if lookup.list != UNITS and not is_number:
                used[lookup.list, match_column(form, lookup, asked)] = None
                used[lookup.list, lookup.value] = None
    for name, column in used:
        yield column_name(name, column), _values(form, name, column)


def match_column(form: Form, lookup: Lookup, asked: Question) -> str:
    """The column of a list that an answer is looked up in: the words for a choice, else the key."""
    source = form.lists[lookup.list]
    return source.label if asked.choices and asked.choices != UNITS else source.key


def _place(columns: list[list[str]], values: list[str]) -> str:
    """Where a list stands: the part of a longer one that is the same, or a column of its own."""
    for number, column in enumerate(columns, 1):
        for first in range(len(column) - len(values) + 1):
            if column[first : first + len(values)] == values:
                return _cells(LISTS_SHEET, letter(number), first + 2, first + 1 + len(values))
    columns.append(values)
    return _cells(LISTS_SHEET, letter(len(columns)), 2, len(values) + 1)


def _cells(sheet: str, column: str, first: int, last: int) -> str:
    return f"{sheet}!${column}${first}:${column}${last}"


def _write_column(sheet: Worksheet, column: str, values: list[str]) -> None:
    for row, value in enumerate(values, 2):
        cell = sheet[f"{column}{row}"]
        cell.value = value
        cell.data_type = "s"  # a name that begins with = is no formula


def name_units(workbook: Workbook, sheet: Worksheet) -> None:
    """Make room on a sheet for the recipient's own units, which the stamp fills in, and name their columns."""
    PLAIN.dress(sheet[f"B{FIRST_UNIT}"], "@")  # keeps the row in the file
    for number, column in enumerate(UNIT_COLUMNS, 1):
        name = choices_name(UNITS) if column == "name" else column_name(UNITS, column)
        _name(workbook, name, _cells(sheet.title, letter(number), FIRST_UNIT, LAST_UNIT))


def _name(workbook: Workbook, name: str, target: str) -> None:
    workbook.defined_names[name] = DefinedName(name, attr_text=target)
