"""What the codes of a form mean, for whoever reads the register with a tool of their own.

The typed tables keep codes. The table `label` says what each is called in every language. Beside the table of
each form sheet, `sheet_x`, stands a view `sheet_x_labels` with words after each code, in the form's first language.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Table

from templates.form import Form, GridSheet, Question, Sheet, Text

ENDING = "_labels"  # of the name of a view


def label_rows(form: Form, columns: Mapping[str, Mapping[str, str]], row_key: str) -> Iterator[dict[str, Any]]:
    """Give every code with its labels; `columns` names the column of each question, by sheet."""
    for key, sheet in form.sheets.items():
        for column, labels in _coded(form, sheet, columns[key], row_key):
            for code, words in labels.items():
                for language in form.languages:
                    said = words.get(language, code)
                    yield {"sheet": key, "question": column, "code": code, "language": language, "label": said}


def views(
    form: Form, tables: Mapping[str, Table], columns: Mapping[str, Mapping[str, str]], row_key: str
) -> dict[str, str]:
    """Give the statement that makes the view of each form sheet, by the view's name."""
    made = {}
    for key, table in tables.items():
        coded = {column for column, _ in _coded(form, form.sheets[key], columns[key], row_key)}
        names = [column.name for column in table.columns]
        shown = []
        for name in names:
            shown.append(f'answers."{name}"')
            if name in coded:
                shown.append(f'{_label(key, name, form.languages[0])} AS "{_free(f"{name}_label", names)}"')
        view = _free(f"{table.name}{ENDING}", [one.name for one in tables.values()])
        made[view] = f'CREATE VIEW "{view}" AS SELECT {", ".join(shown)} FROM "{table.name}" AS answers'  # noqa: S608
    return made


def is_view(name: str) -> bool:
    """Tell whether a view is one of these, of whatever form."""
    return name.startswith("sheet_") and name.rstrip("_").endswith(ENDING)


def _label(sheet: str, column: str, language: str) -> str:
    where = {"sheet": sheet, "question": column, "language": language}
    conditions = " AND ".join(f"label.{name} = '{value}'" for name, value in where.items())
    return f'(SELECT label.label FROM label WHERE {conditions} AND label.code = answers."{column}")'  # noqa: S608


def _free(name: str, taken: list[str]) -> str:
    while name in taken:
        name += "_"
    return name


def _coded(
    form: Form, sheet: Sheet, columns: Mapping[str, str], row_key: str
) -> Iterator[tuple[str, Mapping[str, Text]]]:
    """Give the columns that hold codes, each with the labels of its codes."""
    if isinstance(sheet, GridSheet):
        yield row_key, {key: row.label for key, row in sheet.rows.items()}
    for key, column in columns.items():
        if labels := _labels(form, sheet.questions[key]):
            yield column, labels


def _labels(form: Form, question: Question) -> Mapping[str, Text]:
    listed = form.lists.get(question.list or "")
    if listed is None:
        return form.question_options(question)
    return {code: dict.fromkeys(form.languages, row[listed.label]) for code, row in listed.rows.items()}
