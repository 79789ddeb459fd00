"""Marks on the cells that a finding blames: a border and a shade, beside the words in the status cell."""

from collections.abc import Iterator

from openpyxl.formatting.rule import FormulaRule
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.worksheet import Worksheet

from templates import style
from templates.form import GridSheet
from templates.layout import ANSWER_COLUMN, RULES_SHEET, SheetLayout
from templates.live.block import MARK_ZERO, TEXTS, TEXTS_NAME, Block, mark_of
from templates.live.causes import entries
from templates.live.items import TOP, Item, Live
from templates.rules.formula import any_of
from templates.rules.predicate import Answer, Column, GridCell, GridLine, Node, TableRows


def found_name(sheet: str) -> str:
    """The defined name of what is found in the rows of a sheet, and of what marks them from elsewhere."""
    return f"_a_{sheet}"


def name_findings(live: Live) -> Iterator[DefinedName]:
    """A name for the texts, and for the findings of each sheet: a conditional format may not name another sheet."""
    first = live.plan.first_text
    texts = f"{RULES_SHEET}!${TEXTS}${first}:${TEXTS}${first + len(live.plan.texts)}"
    yield DefinedName(TEXTS_NAME, attr_text=texts)
    for key, block in live.plan.blocks.items():
        rows = f"{RULES_SHEET}!${block.found}$1:${block.marks}${block.last}"
        yield DefinedName(found_name(key), attr_text=rows)


def mark_findings(sheet: Worksheet, live: Live, place: SheetLayout) -> None:
    """Let the blamed cells of one sheet show it."""
    block = live.plan.blocks[place.sheet.key]
    column = ANSWER_COLUMN if block.is_single else next(iter(place.columns.values()))
    last = ANSWER_COLUMN if block.is_single else list(place.columns.values())[-1]
    first = f"{column}{place.first_row}"
    tests = [_is_marked(block, "ROW()")]
    if not block.is_single:  # of a column, the answers that are there; the first cell when there is none
        rows = f"{column}${place.first_row}:{column}${place.last_row}"
        filled = f'OR({first}<>"",AND(ROW()={place.first_row},COUNTA({rows})=0))'
        tests.append(f"AND({_is_marked(block, str(block.top))},{filled})")
    look = {"border": style.ALERT_BOX, "fill": style.fill(style.ALERT_SHADE)}
    rule = FormulaRule(formula=[any_of(tests)], stopIfTrue=True, **look)  # type: ignore[no-untyped-call]
    sheet.conditional_formatting.add(f"{first}:{last}{place.last_row}", rule)


def _is_marked(block: Block, row: str) -> str:
    name = found_name(block.place.sheet.key)
    mark = f'"{mark_of(ANSWER_COLUMN)}"' if block.is_single else f"CHAR({MARK_ZERO}+COLUMN())"
    return f"ISNUMBER(FIND({mark},INDEX({name},{row},1)&INDEX({name},{row},2)))"


def marks_elsewhere(live: Live) -> dict[tuple[str, int], str]:
    """For rows of sheets, the formula of what findings told in other rows mark there."""
    tests: dict[tuple[str, int], list[str]] = {}
    for item in live.items.values():
        for cause in item.causes:
            for node in dict.fromkeys(cause.blame):
                for sheet, row, column in _elsewhere(live, item, node):
                    test = f'IF({_is_found(item, cause.told)},"{mark_of(column)}","")'
                    tests.setdefault((sheet, row), []).append(test)
    return {place: "&".join(dict.fromkeys(found)) for place, found in tests.items()}


def _is_found(item: Item, told: str) -> str:
    if item.is_table:
        return f'COUNTIF({item.block.all_rows(item.block.found)},"*{told}*")>0'
    return f'ISNUMBER(FIND("{told}",{item.found}))'


def _elsewhere(live: Live, item: Item, node: Node) -> Iterator[tuple[str, int, str]]:
    """The cells a node stands for that are not in the item's own row: sheet, row and column."""
    sheet = getattr(node, "sheet", "")
    if sheet not in live.plan.blocks:
        return
    block = live.plan.blocks[sheet]
    place, own = block.place, block is item.block
    match node:
        case Answer(key=key) if block.is_single and not (own and key == item.key):
            yield sheet, place.rows[key], ANSWER_COLUMN
        case Column(key=key) if not block.is_single and not (own and item.key == TOP):
            yield sheet, block.top, place.columns[key]
        case TableRows() if not (own and item.key == TOP):
            yield sheet, block.top, next(iter(place.columns.values()))
        case GridCell(row=row, column=key) if not (own and item.key == row):
            yield sheet, place.rows[row], place.columns[key]
        case GridLine(row=row) if not (own and item.key == row) and isinstance(place.sheet, GridSheet):
            yield from ((sheet, place.rows[row], place.columns[key]) for key in entries(place.sheet))
