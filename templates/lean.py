"""The same workbook in fewer bytes: without what says no more than the file format takes for granted.

openpyxl writes every attribute out, a theme nobody uses, and a list of properties of the program.
Formulas that `templates.shared` has marked become the format's own shared formulas here.
"""

import io
import re
import zipfile

from templates.shared import shared

LEFT_OUT = frozenset({"xl/theme/theme1.xml", "docProps/app.xml"})
LISTED = re.compile(rb'<(?:Override|Relationship)\b[^>]*(?:theme1|docProps/app)\.xml"[^>]*/>')
SAID_ANYWAY = re.compile(
    rb' t="n"(?=[ />])| summary(?:Below|Right)="1"| (?:baseColWidth)="8"| show(?:DropDown|ErrorMessage)="0"'
    rb'| errorStyle="stop"| operator="between"| state="visible"| (?:pivotButton|quotePrefix|hidden)="0"'
    rb'| (?:objects|scenarios|selectLockedCells|selectUnlockedCells)="0"| formatCells="1"| sort="1"| autoFilter="1"'
    rb'| (?:insert|delete)(?:Rows|Columns)="1"| insertHyperlinks="1"| pivotTables="1"'
    rb"|(?<=<workbookView) [^>]*(?=/>)"
    rb'|<outlinePr ?/>|<selection\b[^>]*/>|<workbookProtection/>|<dimension [^>]*/>|<color theme="1"/>'
    rb"|<colors><indexedColors>.*?</colors>"
    rb'|<scheme val="minor"/>|<(?:odd|even|first)(?:Header|Footer)(?:/>|></(?:odd|even|first)(?:Header|Footer)>)'
)
# of a sheet that nobody sees or prints
UNSEEN = re.compile(rb"<sheetPr>.*?</sheetPr>|<sheetViews>.*?</sheetViews>|<sheetFormatPr[^>]*/>|<pageMargins[^>]*/>")
EMPTY = re.compile(rb"<(c|outlinePr|selection)\b([^>]*[^/])></\1>")
NO_VALUE = re.compile(rb"<v ?/>|<v></v>")
CHARACTER = re.compile(rb"&#(\d{3,});")  # not of ASCII, written by its number
RELATIONS = b' xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'


def lean(workbook: bytes) -> bytes:
    """The same workbook, with its marked formulas shared."""
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(workbook)) as source,
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for entry in source.infolist():
            if entry.filename not in LEFT_OUT:
                target.writestr(entry, _shortened(entry.filename, source.read(entry)))
    return buffer.getvalue()


def _shortened(name: str, part: bytes) -> bytes:
    if name.endswith((".rels", "Types].xml")):
        return LISTED.sub(b"", part)
    if not name.startswith("xl/"):
        return part
    part = NO_VALUE.sub(b"", part)
    if name.startswith("xl/worksheets/"):
        part = shared(part)
        if b"<oddFooter>" not in part:
            part = UNSEEN.sub(b"", part)
    part = EMPTY.sub(rb"<\1\2/>", SAID_ANYWAY.sub(b"", EMPTY.sub(rb"<\1\2/>", part)))
    part = CHARACTER.sub(lambda found: chr(int(found[1])).encode(), part)
    if name == "xl/workbook.xml":
        part = part.replace(RELATIONS, b"").replace(b"<workbook ", b"<workbook" + RELATIONS + b" ", 1)
    return SAID_ANYWAY.sub(b"", part)
