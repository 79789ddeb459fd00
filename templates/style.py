"""How the workbook looks: colours, fonts and the styles of its cells.

Contrast against its background is at least 4.5:1 for text and 3:1 for borders (WCAG 2.1).
"""

from dataclasses import dataclass, replace

from openpyxl.cell import Cell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Protection, Side
from openpyxl.worksheet.dimensions import ColumnDimension

# Opaque, as Excel writes them: excelize spoils a colour whose first two digits are not FF.
INK, MUTED, WHITE = "FF1A1A1A", "FF595959", "FFFFFFFF"
BAND, SECTION, INPUT, LOCKED = "FF1F3864", "FFD9E2F3", "FFFFF8DC", "FFF2F2F2"
ALERT, GOOD, ALERT_SHADE = "FF9C0006", "FF1E6B2E", "FFFBE0DC"
LINE = "FF7F7F7F"
FONT = "Calibri"
TEXT = Font(name=FONT, size=11)

_edge = Side(style="thin", color=LINE)
BOX = Border(left=_edge, right=_edge, top=_edge, bottom=_edge)
_alert_edge = Side(style="thin", color=ALERT)  # a conditional format has no thicker one
ALERT_BOX = Border(left=_alert_edge, right=_alert_edge, top=_alert_edge, bottom=_alert_edge)


def fill(colour: str) -> PatternFill:
    return PatternFill("solid", start_color=colour, end_color=colour)


@dataclass(frozen=True)
class Look:
    """One kind of cell."""

    size: int = 11
    bold: bool = False
    italic: bool = False
    colour: str = INK
    background: str | None = None
    boxed: bool = False
    open: bool = False  # unlocked: the owner may write here
    wrap: bool = True
    horizontal: str | None = None
    vertical: str = "top"

    def dress(self, cell: Cell | ColumnDimension, number_format: str = "General") -> None:
        """Give a cell, or the cells of a column that have no look of their own, this look."""
        cell.font = Font(name=FONT, size=self.size, bold=self.bold, italic=self.italic, color=self.colour)
        cell.alignment = Alignment(wrap_text=self.wrap, vertical=self.vertical, horizontal=self.horizontal)
        cell.protection = Protection(locked=not self.open)
        cell.number_format = number_format
        if self.background:
            cell.fill = fill(self.background)
        if self.boxed:
            cell.border = BOX


TITLE = Look(size=18, bold=True, colour=WHITE, background=BAND, wrap=False, vertical="center")
BANNER = Look(colour=WHITE, background=BAND, wrap=False, vertical="center")
CODE = Look(size=12, bold=True, wrap=False, vertical="center")
PLAIN = Look()
BODY = Look(size=12)
NOTE = Look(colour=MUTED, wrap=False, vertical="center")
HEADER = Look(bold=True, colour=WHITE, background=BAND, boxed=True, vertical="center")
HELP = Look(size=10, colour=MUTED)
COLUMN_HELP = Look(size=9, colour=MUTED, background=LOCKED, boxed=True)
SECTION_HEAD = Look(size=13, bold=True, background=SECTION, wrap=False, vertical="center")
SECTION_INTRO = Look(size=10, colour=MUTED, background=SECTION, vertical="center")
LABEL = Look()
ANSWER = Look(background=INPUT, boxed=True, open=True)
GIVEN = Look(background=LOCKED, boxed=True)  # ours: locked or calculated
SUM = Look(bold=True, background=LOCKED, boxed=True)
STATUS = Look(size=10, bold=True, colour=ALERT)
TABLE_STATUS = replace(STATUS, wrap=False)  # a row is no higher than its answers
COUNT = Look(size=16, bold=True, colour=ALERT, wrap=False, vertical="center")
LINK = Look(colour=BAND, bold=True)
GUIDE_HEAD = Look(size=14, bold=True, colour=BAND)
