"""Writing the answer sheets: questions, tables and grids."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import count, takewhile
from math import ceil

from openpyxl import Workbook
from openpyxl.formatting.rule import FormulaRule
from openpyxl.styles import Alignment, Protection
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.worksheet import Worksheet

from templates import layout as at
from templates import style
from templates.cells import letter
from templates.entry import column_width, fetched, fetched_state, number_format, validation
from templates.form import Form, GridRow, GridSheet, Question, QuestionSheet, Section, TableSheet
from templates.layout import SheetLayout
from templates.live.in_use import InUse
from templates.live.items import TOP, Live
from templates.live.marks import mark_findings
from templates.prompt import prompt
from templates.shared import Shared
from templates.texts import Texts

WIDTHS = {at.LABEL_COLUMN: 40, at.ANSWER_COLUMN: 50, at.STATUS_COLUMN: 44, at.HELP_COLUMN: 46}
GRID_LABEL_WIDTH = 44
STATUS_WIDTH = 60
STATUS_LINES = 3  # shown of what is said beside a question; the sheet Kontroll shows all
LINE_HEIGHT = 15.5  # points for one line of 11 point text
SMALL = 13.5 / LINE_HEIGHT  # how much lower a line of the 10 point help is
SMALL_LETTERS = 1.2  # more of which fit into a column's width, counted in 11 point digits
WRAPPED = ("text", "longtext", "choice")  # in tables, where a spreadsheet lets a row grow with its text
LONG_LINES = 6  # lines shown of a long text


@dataclass(frozen=True)
class Writer:
    """What every sheet writer needs."""

    workbook: Workbook
    form: Form
    language: str
    texts: Texts
    live: Live
    in_use: InUse

    def say(self, key: str, **values: object) -> str:
        return self.texts.say(key, self.language, **values)


def slot(name: str) -> str:
    """A place in the base workbook that each recipient's copy fills in."""
    return f"@@{name}@@"


def write_sheet(writer: Writer, place: SheetLayout) -> Worksheet:
    """Write one answer sheet."""
    sheet: Worksheet = writer.workbook.create_sheet(place.sheet.label[writer.language])
    mark_findings(sheet, writer.live, place)  # first: what is wrong is drawn before the lines of a table
    writer.in_use.draw(sheet, place)
    if isinstance(place.sheet, QuestionSheet):
        _write_questions(writer, sheet, place, place.sheet)
    elif isinstance(place.sheet, TableSheet):
        _write_table(writer, sheet, place, place.sheet)
    else:
        _write_grid(writer, sheet, place, place.sheet)
    return sheet


def _write_top(writer: Writer, sheet: Worksheet, place: SheetLayout, legend: str) -> None:
    definition = place.sheet
    sheet["A1"] = slot("code_mark")
    for name in _letters(place.last_column):
        style.TITLE.dress(sheet[f"{name}{at.TITLE_ROW}"])
        style.NOTE.dress(sheet[f"{name}{at.INTRO_ROW}"])
        style.CODE.dress(sheet[f"{name}{at.CODE_ROW}"])
    title = definition.title or definition.label
    sheet[f"B{at.TITLE_ROW}"] = title[writer.language]
    sheet[f"B{at.CODE_ROW}"] = f"{writer.say('code')}: {slot('code')}"
    intro = definition.intro[writer.language] + " " if definition.intro else ""
    sheet[f"B{at.INTRO_ROW}"] = intro + legend
    sheet.row_dimensions[at.TITLE_ROW].height = 30
    sheet.row_dimensions[at.CODE_ROW].height = 22
    sheet.row_dimensions[at.INTRO_ROW].height = 20
    sheet.row_dimensions[at.MARKER_ROW].hidden = True
    sheet.column_dimensions[at.KEY_COLUMN].hidden = True


def _letters(last: str) -> list[str]:
    """The columns from B to the last one."""
    found = takewhile(lambda name: name != last, (letter(number) for number in count(1)))
    return [*found, last]


def _height(text: str, width: float, size: float = 1) -> float:
    """The height of a row whose text wraps in a column of this width (characters), in points."""
    return round((sum(ceil(max(1, len(line)) / width) for line in text.split("\n")) * LINE_HEIGHT + 4) * size)


def _label(question: Question | GridRow, language: str) -> str:
    required = isinstance(question, Question) and question.required
    return question.label[language] + (at.REQUIRED_MARK if required else "")


def _name(writer: Writer, sheet: Worksheet, name: str, cells: str) -> None:
    writer.workbook.defined_names[name] = DefinedName(name, attr_text=f"'{sheet.title}'!{cells}")


# question sheets


def _write_questions(writer: Writer, sheet: Worksheet, place: SheetLayout, definition: QuestionSheet) -> None:
    _write_top(writer, sheet, place, writer.say("legend"))
    marks = (at.MARK_QUESTIONS + definition.key, at.MARK_LABEL, at.MARK_ANSWER, at.MARK_STATUS, at.MARK_HELP)
    words = (at.MARK_HEADER, *(writer.say(key) for key in ("question", "answer", "status", "help")))
    for column, mark, word in zip("ABCDE", marks, words, strict=True):
        sheet[f"{column}{at.MARKER_ROW}"] = mark
        cell = sheet[f"{column}{at.HEADER_ROW}"]
        cell.value = word
        if column != at.KEY_COLUMN:
            style.HEADER.dress(cell)
    for column, width in WIDTHS.items():
        sheet.column_dimensions[column].width = width
    for section in definition.sections.values():
        _write_section(writer, sheet, place, section)
    sheet.freeze_panes = f"C{at.HEADER_ROW + 1}"


def _write_section(writer: Writer, sheet: Worksheet, place: SheetLayout, section: Section) -> None:
    row = place.rows[at.section_mark(section.key)]
    sheet[f"A{row}"] = at.section_mark(section.key)
    for column in WIDTHS:
        style.SECTION_HEAD.dress(sheet[f"{column}{row}"])
    sheet[f"B{row}"] = section.label[writer.language]
    if section.intro:
        cell = sheet[f"{at.ANSWER_COLUMN}{row}"]
        cell.value = section.intro[writer.language]
        style.SECTION_INTRO.dress(cell)
    sheet.row_dimensions[row].height = 24
    for question in section.questions.values():
        _write_question(writer, sheet, place, question)


def _write_question(writer: Writer, sheet: Worksheet, place: SheetLayout, question: Question) -> None:
    row = place.rows[question.key]
    label, help_text = _label(question, writer.language), prompt(question, writer.language, writer.texts)
    sheet[f"A{row}"] = question.key
    sheet[f"B{row}"] = label
    style.LABEL.dress(sheet[f"B{row}"])
    answer = sheet[f"{at.ANSWER_COLUMN}{row}"]
    look = style.GIVEN if question.locked or question.calculated else style.ANSWER
    look.dress(answer, number_format(question))
    if question.prefill:
        answer.value = slot(f"{place.sheet.key}.{question.key}")
    elif question.lookup or question.fill:
        answer.value = "=" + _fetched(writer, place, question, row)
    status = sheet[f"{at.STATUS_COLUMN}{row}"]
    style.STATUS.dress(status)
    causes = writer.live.items[place.sheet.key, question.key].causes
    if causes or writer.in_use.has(place.sheet.key, question.key):
        status.value = "=" + _status(writer, place, question.key, row)
    sheet[f"{at.HELP_COLUMN}{row}"] = help_text
    style.HELP.dress(sheet[f"{at.HELP_COLUMN}{row}"])
    help_height = _height(help_text, WIDTHS[at.HELP_COLUMN] * SMALL_LETTERS, SMALL)
    said = max((cause.rule.message[writer.language] for cause in causes), key=len, default="")
    said_height = min(STATUS_LINES * LINE_HEIGHT, _height(said, WIDTHS[at.STATUS_COLUMN]))
    height = max(_height(label, WIDTHS[at.LABEL_COLUMN] - 2), help_height, said_height)
    sheet.row_dimensions[row].height = max(height, LONG_LINES * LINE_HEIGHT) if question.type == "longtext" else height
    _name(writer, sheet, at.answer_name(place.sheet.key, question.key), f"${at.ANSWER_COLUMN}${row}")
    if look is style.ANSWER:
        _validate(writer, sheet, place, question, answer.coordinate)


def _fetched(writer: Writer, place: SheetLayout, question: Question, row: int) -> str:
    """The formula that fills in an answer: beside what is written, or by what that is understood as."""
    records = writer.live.plan.records
    if question.fill:
        return fetched(writer.form, records, question.fill, place)
    assert question.lookup is not None
    key, block = question.lookup.key, writer.live.plan.blocks[place.sheet.key]
    by = block.state(key, place.rows.get(key, row), f"{at.RULES_SHEET}!")
    return fetched_state(writer.form, records, question, place, by, block.answer(key, row))


def _status(writer: Writer, place: SheetLayout, key: str, row: int) -> str:
    """The formula of what stands beside a question or a row of a grid."""
    told = f"{at.RULES_SHEET}!{writer.live.plan.blocks[place.sheet.key].message}{row}"
    return writer.in_use.status(place.sheet.key, key, told, writer.say("not_in_use"))


def _whole_status(writer: Writer, place: SheetLayout) -> str:
    """The formula of what is said of a sheet as a whole."""
    block = writer.live.plan.blocks[place.sheet.key]
    told = f"{at.RULES_SHEET}!{block.message}{block.top}"
    return writer.in_use.status(place.sheet.key, TOP, told, writer.say("sheet_not_in_use"))


def _validate(writer: Writer, sheet: Worksheet, place: SheetLayout, question: Question, *cells: str) -> None:
    rule = validation(writer.form, question, place, writer.language, writer.texts)
    for cell in cells:
        rule.add(cell)
    sheet.add_data_validation(rule)


# tables


def _write_table(writer: Writer, sheet: Worksheet, place: SheetLayout, definition: TableSheet) -> None:
    _write_top(writer, sheet, place, writer.say("legend_table"))
    sheet[f"A{at.MARKER_ROW}"] = at.MARK_TABLE + definition.key
    _write_headings(writer, sheet, place, definition.questions.values())
    shared = Shared(sheet)
    for question in definition.questions.values():
        _write_column(writer, sheet, place, question, shared)
    _draw_table(sheet, place, definition)
    _write_status_head(writer, sheet, place)
    message = writer.live.plan.blocks[place.sheet.key].message
    told = f'{at.RULES_SHEET}!{message}{place.first_row}&""'
    shared.write_array(place.status_column, place.first_row, place.last_row, told)
    for cell in (sheet[f"{place.status_column}{place.first_row}"], sheet.column_dimensions[place.status_column]):
        style.TABLE_STATUS.dress(cell)
    sheet.freeze_panes = f"C{place.first_row}"


def _write_headings(writer: Writer, sheet: Worksheet, place: SheetLayout, questions: Iterable[Question]) -> None:
    sheet[f"A{at.HEADER_ROW}"] = at.MARK_HEADER
    sheet[f"A{at.HELP_ROW}"] = at.MARK_HELP
    heights = [(28.0, 34.0)]
    for question in questions:
        column = place.columns[question.key]
        sheet.column_dimensions[column].width = column_width(question)
        mark = sheet[f"{column}{at.MARKER_ROW}"]
        mark.value = question.key
        style.PLAIN.dress(mark)  # LibreOffice gives a cell without a style its column's, which is open
        head, helper = sheet[f"{column}{at.HEADER_ROW}"], sheet[f"{column}{at.HELP_ROW}"]
        head.value, helper.value = (
            _label(question, writer.language),
            prompt(question, writer.language, writer.texts),
        )
        style.HEADER.dress(head)
        style.COLUMN_HELP.dress(helper)
        width = column_width(question) - 1
        heights.append((_height(head.value, width), _height(helper.value, width * SMALL_LETTERS, SMALL)))
    sheet.row_dimensions[at.HEADER_ROW].height = max(head for head, _ in heights)
    sheet.row_dimensions[at.HELP_ROW].height = max(helper for _, helper in heights)


def _write_status_head(writer: Writer, sheet: Worksheet, place: SheetLayout) -> None:
    """The heading of the column of findings, with what is found on the sheet as a whole under it."""
    column = place.status_column
    sheet.column_dimensions[column].width = STATUS_WIDTH
    sheet[f"{column}{at.MARKER_ROW}"] = at.MARK_STATUS
    head, whole = sheet[f"{column}{at.HEADER_ROW}"], sheet[f"{column}{at.HELP_ROW}"]
    head.value = writer.say("status")
    style.HEADER.dress(head)
    style.STATUS.dress(whole)
    if writer.in_use.has(place.sheet.key, TOP) or writer.live.items[place.sheet.key, TOP].causes:
        whole.value = "=" + _whole_status(writer, place)


def _draw_table(sheet: Worksheet, place: SheetLayout, definition: TableSheet) -> None:
    """Conditional formats draw the whole table without a styled cell in every row."""
    for colour, is_ours in ((style.INPUT, False), (style.LOCKED, True)):
        columns = [place.columns[key] for key, one in definition.questions.items() if one.calculated is is_ours]
        if columns:
            cells = " ".join(f"{column}{place.first_row}:{column}{place.last_row}" for column in columns)
            drawn = FormulaRule(formula=["TRUE"], fill=style.fill(colour), border=style.BOX)  # type: ignore[no-untyped-call]
            sheet.conditional_formatting.add(cells, drawn)


def _write_column(writer: Writer, sheet: Worksheet, place: SheetLayout, question: Question, shared: Shared) -> None:
    """One column of a table: its style stands on the column, cells exist only for formulas."""
    column = place.columns[question.key]
    dimension = sheet.column_dimensions[column]
    dimension.number_format = number_format(question)
    dimension.protection = Protection(locked=question.locked or question.calculated)
    dimension.font = style.TEXT
    dimension.alignment = Alignment(wrap_text=question.type in WRAPPED, vertical="top")
    if question.lookup or question.fill:
        _write_fetched(writer, sheet, place, question, shared)
    cells = f"{column}{place.first_row}:{column}{place.last_row}"
    absolute = f"${column}${place.first_row}:${column}${place.last_row}"
    _name(writer, sheet, at.answer_name(place.sheet.key, question.key), absolute)
    if not question.calculated:
        _validate(writer, sheet, place, question, cells)


def _write_fetched(writer: Writer, sheet: Worksheet, place: SheetLayout, question: Question, shared: Shared) -> None:
    column, rows = place.columns[question.key], range(place.first_row, place.last_row + 1)
    look = style.Look(open=not question.calculated, wrap=False)
    if question.calculated:
        shared.write_array(column, rows[0], rows[-1], _fetched(writer, place, question, rows[0]))
        look.dress(sheet[f"{column}{rows[0]}"])
        return
    for row in rows:  # a formula for each, since the owner may write over any of them
        cell = sheet[f"{column}{row}"]
        cell.value = "=" + _fetched(writer, place, question, row)
        look.dress(cell)


# grids


def _write_grid(writer: Writer, sheet: Worksheet, place: SheetLayout, definition: GridSheet) -> None:
    _write_top(writer, sheet, place, writer.say("legend"))
    sheet[f"A{at.MARKER_ROW}"] = at.MARK_GRID + definition.key
    sheet[f"B{at.MARKER_ROW}"] = at.MARK_LABEL
    _write_headings(writer, sheet, place, definition.columns.values())
    head = sheet[f"B{at.HEADER_ROW}"]
    head.value = definition.row_label[writer.language]
    style.HEADER.dress(head)
    style.COLUMN_HELP.dress(sheet[f"B{at.HELP_ROW}"])
    sheet.column_dimensions["B"].width = GRID_LABEL_WIDTH
    for row in definition.rows.values():
        _write_grid_row(writer, sheet, place, definition, row)
    for question in definition.columns.values():
        column = place.columns[question.key]
        absolute = f"${column}${place.first_row}:${column}${place.last_row}"
        _name(writer, sheet, at.answer_name(definition.key, question.key), absolute)
        if not question.calculated:
            open_rows = [place.rows[key] for key, row in definition.rows.items() if not row.sum_of]
            _validate(writer, sheet, place, question, *(f"{column}{row}" for row in open_rows))
    _write_status_head(writer, sheet, place)
    sheet.freeze_panes = f"C{place.first_row}"


def _write_grid_row(writer: Writer, sheet: Worksheet, place: SheetLayout, definition: GridSheet, row: GridRow) -> None:
    number = place.rows[row.key]
    sheet[f"A{number}"] = row.key
    label = sheet[f"B{number}"]
    label.value = _label(row, writer.language)
    (style.SUM if row.sum_of else style.GIVEN).dress(label)
    for question in definition.columns.values():
        cell = sheet[f"{place.columns[question.key]}{number}"]
        calculated = _sum_formula(place, question, row)
        if calculated:
            cell.value = calculated
            style.SUM.dress(cell, number_format(question))
        elif row.sum_of:
            style.GIVEN.dress(cell)
        else:
            style.ANSWER.dress(cell, number_format(question))
    status = sheet[f"{place.status_column}{number}"]
    status.value = "=" + _status(writer, place, row.key, number)
    style.STATUS.dress(status)
    sheet.row_dimensions[number].height = max(22, _height(label.value, GRID_LABEL_WIDTH - 2))


def _sum_formula(place: SheetLayout, question: Question, row: GridRow) -> str:
    """A calculated column sums its row; a calculated row sums its column, for amounts."""
    number = place.rows[row.key]
    if question.sum_of:
        return f"=SUM({','.join(f'{place.columns[key]}{number}' for key in question.sum_of)})"
    if row.sum_of and question.type in at.SUMMED:
        column = place.columns[question.key]
        return f"=SUM({','.join(f'{column}{place.rows[key]}' for key in row.sum_of)})"
    return ""
