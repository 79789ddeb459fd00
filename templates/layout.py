"""Where every answer sits in the workbook: shared by the writer and the readers.

Column A is hidden and holds keys that travel with their rows. A hidden marker row names the
columns. The reader finds answers by these marks; the addresses here are only where the writer
put them.
"""

from dataclasses import dataclass

from templates.cells import letter
from templates.form import Form, GridSheet, QuestionSheet, Sheet, TableSheet

KEY_COLUMN = "A"
MARK_QUESTIONS, MARK_TABLE, MARK_GRID = "#questions:", "#table:", "#grid:"
MARK_LABEL, MARK_ANSWER, MARK_STATUS, MARK_HELP = "#label", "#answer", "#status", "#help"
MARK_HEADER, MARK_CONTROL = "#header", "#control"
REQUIRED_MARK = " *"  # ends the label of what must be answered
CODE_MARK = "skjemakode="  # in A1 of every answer sheet

SUMMED = frozenset({"amount", "integer", "decimal"})  # the types of columns that a row of sums adds up

STAMP_SHEET, LISTS_SHEET, RULES_SHEET = "_stempel", "_lister", "_regler"

STAMP_ROWS = ("form", "version", "report", "recipient", "language", "code", "locked", "signature")  # of STAMP_SHEET
FIRST_UNIT = 2 + len(STAMP_ROWS)  # the row of the recipient's first unit there
LAST_UNIT = 9999  # stands for the row of the last one until the workbook is stamped

NAMED_LIST = "_l_"  # how the defined name of every list of ours begins

TITLE_ROW, CODE_ROW, INTRO_ROW = 1, 2, 3
MARKER_ROW, HEADER_ROW, HELP_ROW = 4, 5, 6
LABEL_COLUMN, ANSWER_COLUMN, STATUS_COLUMN, HELP_COLUMN = "B", "C", "D", "E"


def answer_name(sheet: str, key: str) -> str:
    """The defined name of an answer cell; the prefix keeps it from reading as a cell anywhere."""
    return f"_f_{sheet}_{key}"


def choices_name(choices: str) -> str:
    """The defined name of a list of choices."""
    return f"{NAMED_LIST}{choices}"


def column_name(code_list: str, column: str) -> str:
    """The defined name of one column of a code list."""
    return f"{NAMED_LIST}{code_list}_{column}"


@dataclass(frozen=True)
class SheetLayout:
    """The places of one sheet's answers.

    `rows` maps a question key (question sheet), section or grid row key to its row; `columns`
    maps a question key to its column letter (tables and grids).
    """

    sheet: Sheet
    rows: dict[str, int]
    columns: dict[str, str]
    first_row: int
    last_row: int
    last_column: str
    status_column: str  # what is missing or wrong, beside a question or at the end of a row

    def cell(self, key: str, row: int | str | None = None) -> str:
        """The address of one answer: by question, and in a table by row number, in a grid by row key."""
        if row is None:
            return f"{ANSWER_COLUMN}{self.rows[key]}"
        return f"{self.columns[key]}{self.rows[row] if isinstance(row, str) else row}"


def layout(form: Form) -> dict[str, SheetLayout]:
    """The layout of every sheet of a form, by sheet key."""
    return {key: _sheet_layout(sheet) for key, sheet in form.sheets.items()}


def _sheet_layout(sheet: Sheet) -> SheetLayout:
    if isinstance(sheet, QuestionSheet):
        return _question_layout(sheet)
    first = HELP_ROW + 1
    if isinstance(sheet, TableSheet):
        columns = _letters(list(sheet.questions), start=2)
        status = letter(len(columns) + 1)
        return SheetLayout(sheet, {}, columns, first, first + sheet.rows - 1, status, status)
    return _grid_layout(sheet, first)


def _question_layout(sheet: QuestionSheet) -> SheetLayout:
    rows: dict[str, int] = {}
    row = HEADER_ROW
    for section in sheet.sections.values():
        row += 1
        rows[section_mark(section.key)] = row
        for key in section.questions:
            row += 1
            rows[key] = row
    return SheetLayout(sheet, rows, {}, HEADER_ROW + 1, row, HELP_COLUMN, STATUS_COLUMN)


def _grid_layout(sheet: GridSheet, first: int) -> SheetLayout:
    rows = {key: first + index for index, key in enumerate(sheet.rows)}
    columns = _letters(list(sheet.columns), start=3)
    status = letter(len(columns) + 2)
    return SheetLayout(sheet, rows, columns, first, first + len(rows) - 1, status, status)


def _letters(keys: list[str], start: int) -> dict[str, str]:
    return {key: letter(index - 1) for index, key in enumerate(keys, start)}


def section_mark(section: str) -> str:
    """How a section heading's row is marked."""
    return f"#section:{section}"
