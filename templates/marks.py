"""Marks on the cells that a finding blames: a border and a shade, beside the words in the status cell."""

from collections.abc import Iterator

from openpyxl.formatting.rule import FormulaRule
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.worksheet import Worksheet

from templates import style
from templates.form import NUMERIC, GridSheet, QuestionSheet
from templates.formula import any_of
from templates.layout import ANSWER_COLUMN, HELP_ROW, RULES_SHEET, STATUS_COLUMN, SheetLayout
from templates.live_causes import Item, Live
from templates.live_plan import FOUND
from templates.predicate import Answer, Column, GridCell, GridLine, Node, TableRows

Marks = dict[str, list[str]]
"""For each range of cells, when it is marked."""


def found_name(sheet: str) -> str:
    """The defined name of what is found in the rows of a sheet."""
    return f"_a_{sheet}"


def name_findings(live: Live) -> Iterator[DefinedName]:
    """A name for the findings of each sheet: a conditional format may not name another sheet."""
    for key, block in live.plan.blocks.items():
        rows = f"{RULES_SHEET}!${FOUND}${block.top}:${FOUND}${block.last}"
        yield DefinedName(found_name(key), attr_text=rows)


def mark_findings(sheet: Worksheet, live: Live, place: SheetLayout) -> None:
    """Let the blamed cells of one sheet show it."""
    marks: Marks = {}
    if isinstance(place.sheet, QuestionSheet):  # a question with a status is marked, one rule for all
        answers = f"{ANSWER_COLUMN}{place.first_row}:{ANSWER_COLUMN}{place.last_row}"
        marks[answers] = [f'${STATUS_COLUMN}{place.first_row}<>""']
    for item in live.items.values():
        for (cells, is_column), letters in _blamed(item, place).items():
            test = _holds(item, place, letters)
            marks.setdefault(cells, []).append(_where_filled(test, cells) if is_column else test)
    for cells, tests in marks.items():
        look = {"border": style.ALERT_BOX, "fill": style.fill(style.ALERT_SHADE)}
        rule = FormulaRule(formula=[any_of(tests)], stopIfTrue=True, **look)  # type: ignore[no-untyped-call]
        sheet.conditional_formatting.add(cells, rule)


def _blamed(item: Item, place: SheetLayout) -> dict[tuple[str, bool], str]:
    """The cells of one sheet that a row's findings blame, and whether they are a whole column: to letters."""
    found: dict[tuple[str, bool], str] = {}
    for cause, name in item.letters.items():
        for node in dict.fromkeys(cause.blame):
            for cells in _cells(item, node, place) if getattr(node, "sheet", "") == place.sheet.key else ():
                at = cells, isinstance(node, Column | TableRows)
                found[at] = found.get(at, "") + name
    return found


def _where_filled(test: str, cells: str) -> str:
    """Of a column, the answers that are there; the first cell when there is none."""
    first, _, last = cells.partition(":")
    column, row = first.rstrip("0123456789"), first.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    whole = f"${column}${row}:${column}${last.removeprefix(column)}"
    return f'AND({test},OR({first}<>"",AND(ROW({first})={row},COUNTA({whole})=0)))'


def _cells(item: Item, node: Node, place: SheetLayout) -> Iterator[str]:
    sheet = place.sheet
    match node:
        case Answer(key=key) if isinstance(sheet, QuestionSheet):
            if (item.block.place.sheet.key, item.key) != (sheet.key, key):
                yield place.cell(key)
        case Answer(key=key) if isinstance(sheet, GridSheet):
            yield place.cell(key, item.key)
        case Answer(key=key) | Column(key=key):
            yield _down(place, key)
        case TableRows():
            yield _down(place, next(iter(place.columns)))
        case GridCell(row=row, column=key):
            yield place.cell(key, row)
        case GridLine(row=row):
            asked = [key for key, one in sheet.questions.items() if one.type in NUMERIC and not one.sum_of]
            yield from (place.cell(key, row) for key in asked)


def _down(place: SheetLayout, key: str) -> str:
    return f"{place.columns[key]}{place.first_row}:{place.columns[key]}{place.last_row}"


def _holds(item: Item, place: SheetLayout, letters: str) -> str:
    """Whether one of these findings is there, for the row of the cell that is drawn."""
    block, here = item.block, item.block.place
    number = str(item.row - block.top + 1)
    if item.is_table:
        if here.sheet.key != place.sheet.key:
            return f"SUMPRODUCT({_shortened(found_name(here.sheet.key), letters)})>0"
        number = f"ROW($A{place.first_row})-{HELP_ROW - 1}"
    cell = f"INDEX({found_name(here.sheet.key)},{number})"
    return f"{_shortened(cell, letters)}>0"


def _shortened(cell: str, letters: str) -> str:
    """How much shorter the findings are without these: no more than the language of formats allows."""
    rest = cell
    for name in letters:
        rest = f'SUBSTITUTE({rest},"{name}","")'
    return f"LEN({cell})-LEN({rest})"
