"""What a cell takes: its dropdown, its limits, its prompt and how its value is shown."""

from openpyxl.worksheet.datavalidation import DataValidation

from templates.form import UNITS, Form, Lookup, Question
from templates.layout import SheetLayout, answer_name, choices_name, column_name
from templates.lists import match_column
from templates.prompt import prompt
from templates.records import Records
from templates.states import choice_lists, codes_name, plain, words_name
from templates.texts import Texts

PROMPT_LIMIT, ERROR_LIMIT, TITLE_LIMIT = 255, 224, 32  # characters, MS-OI29500 2.1.613

FORMATS = {
    "text": "@", "longtext": "@", "email": "@", "phone": "@", "orgnr": "@", "kommunenr": "@",
    "integer": "0", "amount": "#,##0", "decimal": "General", "percent": "0.0 %", "date": "dd.mm.yyyy",
    "yesno": "General", "choice": "General", "lookup": "General",
}  # fmt: skip
WIDTHS = {
    "text": 26, "longtext": 48, "email": 26, "phone": 14, "orgnr": 14, "kommunenr": 13, "integer": 13,
    "amount": 15, "decimal": 13, "percent": 12, "date": 13, "yesno": 13, "choice": 21, "lookup": 17,
}  # fmt: skip


def number_format(question: Question) -> str:
    return FORMATS[question.type]


def column_width(question: Question) -> int:
    return question.width or WIDTHS[question.type]


def validation(form: Form, question: Question, place: SheetLayout, language: str, texts: Texts) -> DataValidation:
    """The data validation of a question's cells; the caller adds the ranges."""
    rule = _limits(form, question, place, language)
    rule.allow_blank = True
    help_text = prompt(question, language, texts)
    if help_text:
        rule.showInputMessage = True
        rule.promptTitle = question.label[language][:TITLE_LIMIT]
        rule.prompt = help_text[:PROMPT_LIMIT]
    key = _error_text(question)
    if key and rule.type is not None:
        rule.showErrorMessage = True
        rule.errorStyle = "stop"
        rule.errorTitle = texts.say("not_allowed", language)[:TITLE_LIMIT]
        rule.error = texts.say(key, language, max=question.max_length)[:ERROR_LIMIT]
    return rule


def _limits(form: Form, question: Question, place: SheetLayout, language: str) -> DataValidation:
    if question.choices or question.type == "yesno":
        return DataValidation(type="list", formula1=_source(form, question, place, language))
    low = question.min if question.min is not None else -(10**12)
    high = question.max if question.max is not None else 10**12
    if question.type in ("integer", "amount"):
        return DataValidation(type="whole", operator="between", formula1=f"{low:.0f}", formula2=f"{high:.0f}")
    if question.type in ("decimal", "percent"):
        return DataValidation(type="decimal", operator="between", formula1=str(low), formula2=str(high))
    if question.type == "date":
        return DataValidation(type="date", operator="between", formula1="DATE(1990,1,1)", formula2="DATE(2100,12,31)")
    if question.max_length:
        return DataValidation(type="textLength", operator="lessThanOrEqual", formula1=str(question.max_length))
    return DataValidation()


def _source(form: Form, question: Question, place: SheetLayout, language: str) -> str:
    """The name of the list to choose from, or a formula that picks one by another answer."""
    if question.type == "yesno":
        return choices_name("yesno")
    source = choices_name(question.choices or "")
    for when in reversed(question.choices_when):
        other = _other_answer(when.question, place)
        label = _label(form, when.question, place, when.equals, language).replace('"', '""')
        source = f'IF({other}="{label}",{choices_name(when.choices)},{source})'
    return source


def _other_answer(name: str, place: SheetLayout) -> str:
    """A reference to another answer: by name on a question sheet, in the same row of a table."""
    sheet, dot, key = name.rpartition(".")
    if dot:
        return answer_name(sheet, key)
    if place.columns:
        return f"${place.columns[key]}{place.first_row}"
    return answer_name(place.sheet.key, key)


def _label(form: Form, name: str, place: SheetLayout, code: str, language: str) -> str:
    sheet, _, key = name.rpartition(".")
    question = form.sheets[sheet or place.sheet.key].questions[key]
    return form.question_options(question)[code][language]


def _error_text(question: Question) -> str | None:
    if question.open:
        return None
    if question.choices or question.type == "yesno":
        return "dv_choice"
    if question.type in ("integer", "amount"):
        return "dv_whole"
    if question.type in ("decimal", "percent"):
        return "dv_number"
    if question.type == "date":
        return "dv_date"
    return "dv_length" if question.max_length else None


def fetched(form: Form, records: Records, source: Lookup, place: SheetLayout) -> str:
    """The formula that fetches a value from a list by another answer of the same row.

    It is written alike in every row of a table, so that hundreds of them take little room in the file.
    """
    if place.columns:
        column = place.columns[source.key]
        key = f"INDEX(${column}$1:${column}${place.last_row},ROW())"
    else:
        key = answer_name(place.sheet.key, source.key)
    found = _fetched(form, records, source, place, f'{key}&""')
    return f'IFERROR({found},"")'  # nothing of an empty cell: every row of a list has a key


def fetched_state(form: Form, records: Records, question: Question, place: SheetLayout, by: str, cell: str) -> str:
    """The same value as a state, fetched by another answer's state (or its cell, for a choice's words)."""
    source = question.lookup or question.fill
    assert source is not None
    is_in_words = place.sheet.questions[source.key].choices and source.list != UNITS
    found = _fetched(form, records, source, place, plain(cell) if is_in_words else by)
    if question.type == "choice":
        for name in choice_lists(question)[:1]:
            label = f"MATCH(TRUE,INDEX({words_name(form, name)}={found},0),0)"
            found = f'INDEX({codes_name(form, name)},{label})&""'
    return f'IFERROR({found},"")'


def _fetched(form: Form, records: Records, source: Lookup, place: SheetLayout, key: str) -> str:
    """A value of a list; in what owners write themselves, * and ? stand for nothing else."""
    asked = place.sheet.questions[source.key]
    if source.list in records.fields and asked.type == "kommunenr":
        return records.value(source.list, key, source.value)
    keys = choices_name(UNITS) if source.list == UNITS else column_name(source.list, match_column(form, source, asked))
    return f'INDEX({column_name(source.list, source.value)},MATCH(TRUE,INDEX({keys}={key},0),0))&""'
