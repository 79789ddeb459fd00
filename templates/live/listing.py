"""On `_regler`, the list of what is found in the whole workbook: errors first, in the order of the sheets."""

from openpyxl.worksheet.worksheet import Worksheet

from templates.cells import column_number, letter
from templates.live.block import FIRST_ROW, LISTING, MARK_ZERO
from templates.live.plan import Plan
from templates.shared import Shared

LISTED = 40  # findings that are shown at a time
# Of the errors and then the questions on each sheet: how many rows come before, the column of what is found,
# the mark, the sheet and its first row.
BEFORE, COLUMN, MARK, TAB, FIRST = (letter(LISTING + number) for number in range(5))
# Of each row that is shown: which of those it is among, its row, and its cell.
AMONG, ROW, CELL = (letter(LISTING + number) for number in range(5, 8))


def write_listing(sheet: Worksheet, plan: Plan, shared: Shared) -> None:
    """On `_regler`, find the rows that have a message, errors first."""
    kinds = [(mark, block) for mark in "!-" for block in plan.blocks.values()]
    last = FIRST_ROW + len(kinds) - 1
    sheet[f"{BEFORE}{FIRST_ROW}"] = 0
    for row, (mark, block) in enumerate(kinds, FIRST_ROW):
        found = f"{block.found}{block.top}:{block.found}{block.last}"
        sheet[f"{BEFORE}{row + 1}"] = f'={BEFORE}{row}+COUNTIF({found},"{mark}*")'
        sheet[f"{COLUMN}{row}"] = column_number(block.found)
        sheet[f"{MARK}{row}"] = f"{mark}*"
        sheet[f"{TAB}{row}"] = block.place.sheet.label[plan.language]
        sheet[f"{FIRST}{row}"] = block.first
    for column, formula in _formulas(plan, last).items():
        shared.write(column, FIRST_ROW, FIRST_ROW + LISTED - 1, formula)


def cell_of(plan: Plan, row: str, column: str) -> str:
    """A cell of `_regler` by the numbers of its row and column."""
    return f"INDEX($A$1:${plan.last_column}${plan.last_row},{row},{column})"


def _formulas(plan: Plan, last: int) -> dict[str, str]:
    number, among, row = f"ROW()-{FIRST_ROW}", f"{AMONG}{FIRST_ROW}", f"{ROW}{FIRST_ROW}"

    def of_kind(column: str) -> str:
        return f"INDEX(${column}${FIRST_ROW}:${column}${last},{among})"

    after = f"IF({among}={AMONG}{FIRST_ROW - 1},{ROW}{FIRST_ROW - 1},0)"
    rest = f"{cell_of(plan, f'{after}+1', of_kind(COLUMN))}:{cell_of(plan, str(plan.last_row), of_kind(COLUMN))}"
    before = f"${BEFORE}${FIRST_ROW}:${BEFORE}${last}"
    found = cell_of(plan, row, of_kind(COLUMN))
    return {
        AMONG: f'IF({number}<${BEFORE}${last + 1},MATCH({number},{before},1),"")',
        ROW: f'IF({among}="","",{after}+MATCH({of_kind(MARK)},{rest},0))',
        CELL: f'IF({among}="","",ADDRESS(MAX({row},{of_kind(FIRST)}),CODE(MID({found},5,1))-{MARK_ZERO},4))',
    }
