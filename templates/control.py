"""The sheet Kontroll: how much is left, and every finding with a link to its cell."""

from dataclasses import dataclass

from openpyxl.formatting.rule import FormulaRule
from openpyxl.styles import Font
from openpyxl.worksheet.worksheet import Worksheet

from templates import style
from templates.cells import letter
from templates.form import TableSheet
from templates.formula import text
from templates.layout import MARK_CONTROL, RULES_SHEET
from templates.live_causes import ASKING
from templates.live_plan import FIRST_ROW, FOUND, KEY, MESSAGE, Block, Plan
from templates.sheets import Writer

LISTED = 40  # findings on the sheet at a time
WIDTHS = {"B": 22, "C": 12, "D": 14, "E": 96}
TITLE, COUNT, ASKED, SHEETS_HEAD = 1, 3, 4, 6
LINE = 33  # points: two lines of text


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


def write_listing(sheet: Worksheet, plan: Plan) -> None:
    """On `_regler`, find the rows that have a message, errors first."""
    columns = Columns(plan)
    blocks = list(plan.blocks.values())
    for row, block in enumerate(blocks, FIRST_ROW):
        sheet[f"{columns['top']}{row}"] = block.top - FIRST_ROW + 1
        sheet[f"{columns['tabs']}{row}"] = block.place.sheet.label[plan.language]
        sheet[f"{columns['first']}{row}"] = block.place.first_row
        sheet[f"{columns['is_table']}{row}"] = isinstance(block.place.sheet, TableSheet)
    for row in range(FIRST_ROW, FIRST_ROW + LISTED):
        for name, mark in (("errors", "!*"), ("asked", "-*")):
            sheet[f"{columns[name]}{row}"] = _next(columns, name, mark, row)
        _write_place(sheet, columns, row, len(blocks))


def _next(columns: Columns, name: str, mark: str, row: int) -> str:
    """The position of the next message of a kind, after the one in the row above."""
    messages = columns.rows(MESSAGE)
    if row == FIRST_ROW:
        return f'=IFERROR(MATCH("{mark}",{messages},0),"")'
    above = f"{columns[name]}{row - 1}"
    rest = f"INDEX({messages},{above}+1):INDEX({messages},ROWS({messages}))"
    return f'=IF({above}="","",IFERROR({above}+MATCH("{mark}",{rest},0),""))'


def _write_place(sheet: Worksheet, columns: Columns, row: int, blocks: int) -> None:
    errors, asked = columns.of("errors", LISTED), columns.of("asked", LISTED)
    number, at = row - FIRST_ROW + 1, f"{columns['at']}{row}"
    after = f"{number}-COUNT({errors})"
    sheet[at] = f'=IF({number}<=COUNT({errors}),INDEX({errors},{number}),IFERROR(INDEX({asked},{after}),""))'
    block = f"MATCH({at},{columns.of('top', blocks)},1)"
    here = {name: f"INDEX({columns.of(name, blocks)},{block})" for name in ("top", "tabs", "first", "is_table")}
    sheet[f"{columns['tab']}{row}"] = f'=IF({at}="","",{here["tabs"]})'
    found = f"INDEX({columns.rows(FOUND)},{at})"
    keys = f"INDEX({columns.rows(KEY)},IF(AND({here['is_table']},{at}>{here['top']}),{here['top']}+1,{at}))"
    column = f"TRIM(MID({keys},FIND(LEFT({found}),{keys})+1,2))"
    line = f"{here['first']}+MAX(0,{at}-{here['top']}-1)"
    sheet[f"{columns['cell']}{row}"] = f'=IF({at}="","",{column}&{line})'


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
    for row in range(head + 1, head + 1 + LISTED):
        source = FIRST_ROW + row - head - 1
        at, tab, cell = (f"{RULES_SHEET}!${columns[name]}${source}" for name in ("at", "tab", "cell"))
        said = f"INDEX({RULES_SHEET}!{columns.rows(MESSAGE)},{at})"
        link = f'"#\'"&SUBSTITUTE({tab},"\'","\'\'")&"\'!"&{cell}'
        sheet[f"B{row}"] = f'=IF({at}="","",{tab})'
        sheet[f"C{row}"] = f'=IF({at}="","",HYPERLINK({link},{cell}))'
        sheet[f"D{row}"] = f'=IF({at}="","",IF(LEFT({said})="!",{correct},{question}))'
        sheet[f"E{row}"] = f'=IF({at}="","",MID({said},2,900))'
        for column in "BCDE":
            (style.LINK if column == "C" else style.PLAIN).dress(sheet[f"{column}{row}"])
        sheet.row_dimensions[row].height = LINE
    listed = f"B{head + 1}:E{head + LISTED}"
    drawn = FormulaRule(formula=[f'$B{head + 1}<>""'], border=style.BOX)  # type: ignore[no-untyped-call]
    sheet.conditional_formatting.add(listed, drawn)
    sheet.freeze_panes = f"B{TITLE + 1}"
    sheet.print_title_rows = f"{TITLE}:{TITLE}"
