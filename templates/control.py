"""The sheet Kontroll: how much is left, and every finding with a link to its cell."""

from dataclasses import replace

from openpyxl.formatting.rule import FormulaRule
from openpyxl.styles import Font
from openpyxl.worksheet.worksheet import Worksheet

from templates import style
from templates.layout import MARK_CONTROL, RULES_SHEET
from templates.live.block import FIRST_ROW, Block
from templates.live.listing import AMONG, BEFORE, CELL, COLUMN, LISTED, MARK, ROW, TAB
from templates.live.plan import Plan
from templates.rules.formula import text
from templates.shared import Shared
from templates.sheets import Writer

WIDTHS = {"B": 22, "C": 12, "D": 14, "E": 96}
TITLE, COUNT, ASKED, SHEETS_HEAD = 1, 3, 4, 6
ASKED_COLUMN = "A"  # out of sight
LINE = 33  # points: two lines of text
LISTED_TEXT, LISTED_LINK = (replace(look, vertical="center") for look in (style.PLAIN, style.LINK))


def write_control(writer: Writer) -> Worksheet:
    """Write the sheet Kontroll."""
    sheet: Worksheet = writer.workbook.create_sheet(writer.say("tab_control"))
    sheet.column_dimensions["A"].hidden = True
    for column, width in WIDTHS.items():
        sheet.column_dimensions[column].width = width
        style.TITLE.dress(sheet[f"{column}{TITLE}"])
    sheet["A1"] = MARK_CONTROL
    sheet[f"B{TITLE}"] = writer.say("tab_control")
    sheet.row_dimensions[TITLE].height = 30
    blocks = list(writer.live.plan.blocks.values())
    _write_counts(writer, sheet, blocks)
    _write_sheets(writer, sheet, blocks)
    _write_list(writer, sheet, _list_head(writer.live.plan))
    return sheet


def _write_counts(writer: Writer, sheet: Worksheet, blocks: list[Block]) -> None:
    counted = f"SUM($C${SHEETS_HEAD + 1}:$C${SHEETS_HEAD + len(blocks)})"
    ready, one, many = (text(writer.say(key, antall="{}")) for key in ("ready", "left_one", "left_many"))
    number = f'SUBSTITUTE({many},"{{}}",{counted})'
    sheet[f"B{COUNT}"] = f"=IF({counted}=0,{ready},IF({counted}=1,{one},{number}))"
    style.COUNT.dress(sheet[f"B{COUNT}"])
    sheet.row_dimensions[COUNT].height = 28
    done = FormulaRule(formula=[f"{counted}=0"], font=Font(bold=True, color=style.GOOD))  # type: ignore[no-untyped-call]
    sheet.conditional_formatting.add(f"B{COUNT}", done)
    asked = f"{ASKED_COLUMN}{ASKED}"
    sheet[asked] = "=" + _count("-", blocks)
    one, many = (text(writer.say(key, antall="{}")) for key in ("asked_one", "asked_many"))
    sheet[f"B{ASKED}"] = f'=IF({asked}=0,"",IF({asked}=1,{one},SUBSTITUTE({many},"{{}}",{asked})))'
    style.NOTE.dress(sheet[f"B{ASKED}"])
    sheet.row_dimensions[ASKED].height = 20


def listed_rows(plan: Plan) -> tuple[str, str]:
    """The last cell of the list, and the formula of how many rows of the sheet have something in them."""
    head = _list_head(plan)
    number = f"{BEFORE}{FIRST_ROW + 2 * len(plan.blocks)}"
    return f"$E${head + LISTED}", f"{head}+MAX(1,MIN({LISTED},{number}))"


def _list_head(plan: Plan) -> int:
    return SHEETS_HEAD + len(plan.blocks) + 2


def _count(mark: str, blocks: list[Block]) -> str:
    """How many findings begin with a mark, on these sheets."""
    found = [f"{RULES_SHEET}!{block.found}{block.top}:{block.found}{block.last}" for block in blocks]
    return "+".join(f'SUMPRODUCT(LEN({cells})-LEN(SUBSTITUTE({cells},"{mark}","")))' for cells in found)


def _write_sheets(writer: Writer, sheet: Worksheet, blocks: list[Block]) -> None:
    for column, key in (("B", "sheet"), ("C", "left")):
        sheet[f"{column}{SHEETS_HEAD}"] = writer.say(key)
        style.HEADER.dress(sheet[f"{column}{SHEETS_HEAD}"])
    for row, block in enumerate(blocks, SHEETS_HEAD + 1):
        sheet[f"B{row}"] = block.place.sheet.label[writer.language]
        sheet[f"C{row}"] = "=" + _count("!", [block])
        for column in "BC":
            style.GIVEN.dress(sheet[f"{column}{row}"])


def _write_list(writer: Writer, sheet: Worksheet, head: int) -> None:
    for column, key in zip("BCDE", ("sheet", "cell", "what", "message"), strict=True):
        sheet[f"{column}{head}"] = writer.say(key)
        style.HEADER.dress(sheet[f"{column}{head}"])
    correct, question = text(writer.say("correct")), text(writer.say("asks"))
    first, last = head + 1, head + LISTED
    at, kind, cell = (f"{RULES_SHEET}!{name}{FIRST_ROW}" for name in (ROW, AMONG, CELL))
    rules = writer.live.plan

    def of_kind(column: str) -> str:
        return f"INDEX({RULES_SHEET}!${column}${FIRST_ROW}:${column}${FIRST_ROW + 2 * len(rules.blocks) - 1},{kind})"

    tab = of_kind(TAB)
    link = f'"#\'"&SUBSTITUTE({tab},"\'","\'\'")&"\'!"&{cell}'
    message = f"{of_kind(COLUMN)}+2"
    formulas = {
        "B": tab,
        "C": f"HYPERLINK({link},{cell})",
        "D": f'IF(LEFT({of_kind(MARK)})="!",{correct},{question})',
        "E": f"INDEX({RULES_SHEET}!$A$1:${rules.last_column}${rules.last_row},{at},{message})",
    }
    shared = Shared(sheet)
    for column, formula in formulas.items():
        shared.write(column, first, last, f'IF({kind}="","",{formula})')
        for row in range(first, last + 1):
            (LISTED_LINK if column == "C" else LISTED_TEXT).dress(sheet[f"{column}{row}"])
    for row in range(first, last + 1):
        sheet.row_dimensions[row].height = LINE
    listed = f"B{head + 1}:E{head + LISTED}"
    drawn = FormulaRule(formula=[f'$B{head + 1}<>""'], border=style.BOX)  # type: ignore[no-untyped-call]
    sheet.conditional_formatting.add(listed, drawn)
    sheet.freeze_panes = f"B{TITLE + 1}"
    sheet.print_title_rows = f"{TITLE}:{TITLE}"
