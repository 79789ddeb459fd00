"""On `_regler`, the list of what is found in the whole workbook: errors first, in the order of the sheets."""

from dataclasses import dataclass

from openpyxl.worksheet.worksheet import Worksheet

from templates.cells import letter
from templates.form import TableSheet
from templates.live_plan import FIRST_ROW, FOUND, KEY, MESSAGE, Plan
from templates.shared import Shared

LISTED = 40  # findings that are shown at a time


@dataclass(frozen=True)
class Columns:
    """The columns of `_regler` where the findings are listed: positions count from FIRST_ROW."""

    plan: Plan

    def __getitem__(self, name: str) -> str:
        names = ("errors", "asked", "at", "tab", "cell", "top", "tabs", "first", "is_table")
        return letter(self.plan.aside + 4 + names.index(name))

    def of(self, name: str, count: int) -> str:
        return f"${self[name]}${FIRST_ROW}:${self[name]}${FIRST_ROW + count - 1}"

    def rows(self, column: str) -> str:
        """A column of the blocks, and one row more: what follows the last finding."""
        last = max(block.last for block in self.plan.blocks.values()) + 1
        return f"${column}${FIRST_ROW}:${column}${last}"


def write_listing(sheet: Worksheet, plan: Plan, shared: Shared) -> None:
    """On `_regler`, find the rows that have a message, errors first."""
    columns = Columns(plan)
    blocks = list(plan.blocks.values())
    for row, block in enumerate(blocks, FIRST_ROW):
        sheet[f"{columns['top']}{row}"] = block.top - FIRST_ROW + 1
        sheet[f"{columns['tabs']}{row}"] = block.place.sheet.label[plan.language]
        sheet[f"{columns['first']}{row}"] = block.place.first_row
        sheet[f"{columns['is_table']}{row}"] = isinstance(block.place.sheet, TableSheet)
    last = FIRST_ROW + LISTED - 1
    for name, mark in (("errors", "!*"), ("asked", "-*")):
        sheet[f"{columns[name]}{FIRST_ROW}"] = f'=IFERROR(MATCH("{mark}",{columns.rows(MESSAGE)},0),"")'
        shared.write(columns[name], FIRST_ROW + 1, last, _next(columns, name, mark))
    for name, formula in _place(columns, len(blocks)).items():
        shared.write(columns[name], FIRST_ROW, last, formula)


def _next(columns: Columns, name: str, mark: str) -> str:
    """The position of the next message of a kind, after the one in the row above."""
    messages, above = columns.rows(MESSAGE), f"{columns[name]}{FIRST_ROW}"
    rest = f"INDEX({messages},{above}+1):INDEX({messages},ROWS({messages}))"
    return f'IF({above}="","",IFERROR({above}+MATCH("{mark}",{rest},0),""))'


def _place(columns: Columns, blocks: int) -> dict[str, str]:
    """Where the first finding in the list stands: its position, its sheet and its cell."""
    errors, asked = columns.of("errors", LISTED), columns.of("asked", LISTED)
    number, at = f"(ROW()-{FIRST_ROW - 1})", f"{columns['at']}{FIRST_ROW}"
    after = f"{number}-COUNT({errors})"
    position = f'IF({number}<=COUNT({errors}),INDEX({errors},{number}),IFERROR(INDEX({asked},{after}),""))'
    block = f"MATCH({at},{columns.of('top', blocks)},1)"
    here = {name: f"INDEX({columns.of(name, blocks)},{block})" for name in ("top", "tabs", "first", "is_table")}
    found = f"INDEX({columns.rows(FOUND)},{at})"
    keys = f"INDEX({columns.rows(KEY)},IF(AND({here['is_table']},{at}>{here['top']}),{here['top']}+1,{at}))"
    column = f"TRIM(MID({keys},FIND(LEFT({found}),{keys})+1,2))"
    line = f"{here['first']}+MAX(0,{at}-{here['top']}-1)"
    return {"at": position, "tab": f'IF({at}="","",{here["tabs"]})', "cell": f'IF({at}="","",{column}&{line})'}
