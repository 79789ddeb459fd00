"""How the sheets are printed: A4, headings on every page, the skjemakode at the foot, no page of empty rows.

How far a long table is printed follows what is in it. Excel calculates that; other programs print all rows.
The formula holds names and no addresses: ExcelJS and openpyxl would keep an address as a fixed area.
"""

from collections.abc import Iterator

from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.worksheet import Worksheet

from templates.control import listed_rows
from templates.form import TableSheet
from templates.layout import RULES_SHEET
from templates.live.block import Block, tab
from templates.sheets import Writer, slot

PAPER_A4 = 9
ROWS = 20  # of a table, printed at least: for those who fill it in by hand
SPARE = 2  # empty rows after the last one in use


def set_page(writer: Writer, sheet: Worksheet) -> None:
    """Set one sheet up for print."""
    sheet.page_setup.orientation = "portrait" if sheet.title == writer.say("tab_guide") else "landscape"
    sheet.page_setup.paperSize = PAPER_A4
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True  # type: ignore[union-attr]
    sheet.sheet_view.showGridLines = False
    margins = sheet.page_margins  # inches
    margins.left = margins.right = margins.top = 0.5
    margins.bottom = 0.75  # above the footer
    footer = sheet.HeaderFooter.oddFooter
    assert footer is not None
    for part, text in ((footer.left, slot("code")), (footer.right, writer.say("page"))):
        part.text = text


def limit_print(writer: Writer) -> None:
    """Print what is in use of the long tables and of the list on Kontroll; before `_regler` is written."""
    for number, (title, last, rows) in enumerate(_lengths(writer), 1):
        sheet = writer.workbook[title]
        names = {
            f"_p_{number}": f"{tab(title)}!$B$1:{last}",
            f"_n_{number}": f"{RULES_SHEET}!{writer.live.plan.value_cell(rows)}",
        }
        for name, target in names.items():
            writer.workbook.defined_names[name] = DefinedName(name, attr_text=target)
        area = "_xlnm.Print_Area"
        sheet.defined_names[area] = DefinedName(area, attr_text=f"OFFSET(_p_{number},0,0,_n_{number})")


def _lengths(writer: Writer) -> Iterator[tuple[str, str, str]]:
    """The tabs that are printed in part: with their last cell, and the formula of how many rows."""
    plan = writer.live.plan
    for block in plan.blocks.values():
        if isinstance(block.place.sheet, TableSheet) and block.place.sheet.rows > ROWS:
            last = f"${block.place.status_column}${block.last}"
            yield block.place.sheet.label[writer.language], last, _rows_in_use(block)
    yield writer.say("tab_control"), *listed_rows(plan)


def _rows_in_use(block: Block) -> str:
    used = block.all_rows(block.used)
    return f'MAX({block.first + ROWS - 1},SUMPRODUCT(MAX(({used}<>"")*ROW({used})))+{SPARE})'
