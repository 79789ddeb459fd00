"""Whether a sheet is written the plain way, so that the fast reader is known to read it right.

python-calamine reads what spreadsheet programs write, and misreads in silence some of what they
never write: a comment within a number, a value before its formula, a cell that stands twice. So
the whole of a sheet's data is held against the one form that is known to be read right.
"""

import re

from intake.exact import NO_VALUE, Cell, Spot, error_cell, place

MAX_AREA = 1_000_000  # cells; the fast reader keeps room for every cell up to the last that holds something

ATTRIBUTES = rb'(?: [A-Za-z][A-Za-z0-9:]*="[^"<>]*")*+ ?'
TEXT = rb"[^<\x00-\x08\x0b\x0c\x0e-\x1f]*"
FORMULA = rb"<f" + ATTRIBUTES + rb"(?:/>|>" + TEXT + rb"</f>)"
CELL = (
    rb'<c r="[A-Z]{1,2}[1-9]\d{0,4}"(?: s="\d{1,5}")?(?:(?: t="(?:n|s|str|inlineStr)")?(?:/>|></c>)|(?:'
    rb'(?: t="n")?>(?:' + FORMULA + rb")?(?:<v>-?\d{1,30}(?:\.\d{1,40})?(?:[eE][-+]?\d\d?)?</v>)?"
    rb'| t="s"><v>\d{1,9}</v>'
    rb'| t="(?:str|e)">(?:' + FORMULA + rb")?<v>" + TEXT + rb"</v>"
    rb'| t="inlineStr"><is><t(?: xml:space="preserve")?>' + TEXT + rb"</t></is>"
    rb'| t="b">(?:' + FORMULA + rb")?<v>[01]</v>"
    rb"|>" + FORMULA + rb"<v(?:></v>| ?/>)"
    rb")</c>)"
)
DATA = re.compile(rb"<sheetData>(?:<row" + ATTRIBUTES + rb"(?:/>|>(?:" + CELL + rb")*+</row>))*+</sheetData>")
NO_ENTITY = re.compile(rb"&(?!(?:amp|lt|gt|quot|apos|#\d{1,7}|#x[0-9A-Fa-f]{1,6});)")
BOM = b"\xef\xbb\xbf"
ENCODING = re.compile(r"""\s*<\?xml[^<>]*\bencoding\s*=\s*["']([^"']*)""")
FILLED = re.compile(rb'<c r="([A-Z]+)(\d+)"[^<>]*(?<!/)>')
FLAWED = re.compile(
    rb'<c r="([A-Z]+\d+)"(?: s="\d+")?(?: t="e">(?:' + FORMULA + rb")?<v>([^<]*)</v>"
    rb'|(?: t="n")?>' + FORMULA + rb"(?:<v></v>|<v ?/>)?)</c>"
)
CALCULATED = re.compile(rb'<c r="([A-Z]+\d+)"[^<>]*><f([^<>]*?)(?:/>|>([^<]*)</f>)')
GROUP = re.compile(rb' si="(\d+)"')
HIDDEN = re.compile(rb'<(?:\w+:)?row(?=[^<>]* hidden="(?:1|true)")[^<>]* r="(\d{1,7})"')
EMPTY = b"<sheetData/>"


def is_plain(xml: bytes) -> bool:
    """Whether every cell of a sheet is written as programs do, once, and near enough for the fast reader."""
    if xml.count(b"<sheetData") != 1 or NO_ENTITY.search(xml) or not _is_utf8(xml):
        return False
    if EMPTY in xml:
        return True
    data = DATA.search(xml)
    if data is None:
        return False
    filled = FILLED.findall(xml, *data.span())
    rows = max((int(row) for row in {row for _, row in filled}), default=0)
    columns = max((place(f"{column.decode()}1")[1] for column in {column for column, _ in filled}), default=0)
    return len(set(filled)) == len(filled) and rows * columns <= MAX_AREA


def _is_utf8(xml: bytes) -> bool:
    try:
        text = xml.removeprefix(BOM).decode()
    except UnicodeDecodeError:
        return False
    declared = ENCODING.match(text)
    return declared is None or declared[1].casefold() in ("utf-8", "us-ascii")


def flaws(xml: bytes) -> dict[Spot, Cell]:
    """The cells of a plain sheet that the fast reader gives as empty and that are not."""
    found: dict[Spot, Cell] = {}
    for match in FLAWED.finditer(xml):
        row, column = place(match[1].decode())
        found[row - 1, column - 1] = NO_VALUE if match[2] is None else error_cell(match[2].decode(errors="replace"))
    return found


def formulas(xml: bytes) -> dict[Spot, str]:
    """The formulas of a plain sheet, also of cells that share one."""
    found: dict[Spot, str] = {}
    shared: dict[bytes, str] = {}
    for match in CALCULATED.finditer(xml):
        row, column = place(match[1].decode())
        group = GROUP.search(match[2])
        text = (match[3] or b"").decode(errors="replace")
        if group is not None:
            text = shared.setdefault(group[1], text)
        found[row - 1, column - 1] = text
    return found


def hidden_rows(xml: bytes) -> frozenset[int]:
    """The numbers of the rows that are not shown, as their own tags say."""
    return frozenset(int(number) for number in HIDDEN.findall(xml))
