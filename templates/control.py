"""The sheet Kontroll: how much is left, and every finding with a link to its cell."""

from openpyxl.formatting.rule import FormulaRule
from openpyxl.styles import Font
from openpyxl.worksheet.worksheet import Worksheet

from templates import style
from templates.formula import text
from templates.layout import MARK_CONTROL, RULES_SHEET
from templates.listing import LISTED, Columns
from templates.live_causes import ASKING
from templates.live_plan import FIRST_ROW, FOUND, MESSAGE, Block
from templates.shared import Shared
from templates.sheets import Writer

WIDTHS = {"B": 22, "C": 12, "D": 14, "E": 96}
TITLE, COUNT, ASKED, SHEETS_HEAD = 1, 3, 4, 6
LINE = 33  # points: two lines of text


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
    _write_list(writer, sheet, SHEETS_HEAD + len(blocks) + 2)
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
    asked = _asked(writer, blocks)
    one, many = (text(writer.say(key, antall="{}")) for key in ("asked_one", "asked_many"))
    sheet[f"B{ASKED}"] = f'=IF({asked}=0,"",IF({asked}=1,{one},SUBSTITUTE({many},"{{}}",{asked})))'
    style.NOTE.dress(sheet[f"B{ASKED}"])
    sheet.row_dimensions[ASKED].height = 20


def _asking(writer: Writer) -> str:
    """The letters of what is only asked about, as far as they are in use."""
    used = {name for item in writer.live.items.values() for name in item.letters.values()}
    return "".join(name for name in ASKING if name in used)


def _asked_in(writer: Writer, found: str) -> str:
    counts = (f'SUMPRODUCT(LEN({found})-LEN(SUBSTITUTE({found},"{name}","")))' for name in _asking(writer))
    return "+".join(counts) or "0"


def _asked(writer: Writer, blocks: list[Block]) -> str:
    return f"({'+'.join(_asked_in(writer, _found(block)) for block in blocks)})"


def _found(block: Block) -> str:
    return f"{RULES_SHEET}!${FOUND}${block.top}:${FOUND}${block.last}"


def _write_sheets(writer: Writer, sheet: Worksheet, blocks: list[Block]) -> None:
    for column, key in (("B", "sheet"), ("C", "left")):
        sheet[f"{column}{SHEETS_HEAD}"] = writer.say(key)
        style.HEADER.dress(sheet[f"{column}{SHEETS_HEAD}"])
    for row, block in enumerate(blocks, SHEETS_HEAD + 1):
        sheet[f"B{row}"] = block.place.sheet.label[writer.language]
        sheet[f"C{row}"] = f"=SUMPRODUCT(LEN({_found(block)}))-({_asked_in(writer, _found(block))})"
        for column in "BC":
            style.GIVEN.dress(sheet[f"{column}{row}"])


def _write_list(writer: Writer, sheet: Worksheet, head: int) -> None:
    columns = Columns(writer.live.plan)
    for column, key in zip("BCDE", ("sheet", "cell", "what", "message"), strict=True):
        sheet[f"{column}{head}"] = writer.say(key)
        style.HEADER.dress(sheet[f"{column}{head}"])
    correct, question = text(writer.say("correct")), text(writer.say("asks"))
    first, last = head + 1, head + LISTED
    at, tab, cell = (f"{RULES_SHEET}!${columns[name]}{FIRST_ROW}" for name in ("at", "tab", "cell"))
    said = f"INDEX({RULES_SHEET}!{columns.rows(MESSAGE)},{at})"
    link = f'"#\'"&SUBSTITUTE({tab},"\'","\'\'")&"\'!"&{cell}'
    formulas = {
        "B": tab,
        "C": f"HYPERLINK({link},{cell})",
        "D": f'IF(LEFT({said})="!",{correct},{question})',
        "E": f"MID({said},2,900)",
    }
    shared = Shared(sheet)
    for column, formula in formulas.items():
        shared.write(column, first, last, f'IF({at}="","",{formula})')
        for row in range(first, last + 1):
            (style.LINK if column == "C" else style.PLAIN).dress(sheet[f"{column}{row}"])
    for row in range(first, last + 1):
        sheet.row_dimensions[row].height = LINE
    listed = f"B{head + 1}:E{head + LISTED}"
    drawn = FormulaRule(formula=[f'$B{head + 1}<>""'], border=style.BOX)  # type: ignore[no-untyped-call]
    sheet.conditional_formatting.add(listed, drawn)
    sheet.freeze_panes = f"B{TITLE + 1}"
    sheet.print_title_rows = f"{TITLE}:{TITLE}"
