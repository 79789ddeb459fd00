"""The fast way to read a sheet that is written as spreadsheet programs write them.

The whole of a sheet's data is first held against the one way of writing that is known here; only then are
the cells that hold something picked out. A sheet that differs in anything (a comment within a number, a
value before its formula, a cell that stands twice) is left to `intake.exact`.
"""

import re

from intake.exact import NO_VALUE, Cell, Shared, typed, unescaped
from templates.cells import letter

# Possessive quantifiers keep every pattern linear: what has been matched once is never tried again.
ATTRIBUTES = r'(?: [A-Za-z][A-Za-z0-9:]*+="[^"<>&]*+")*+ ?+'
TEXT, SPACED = r"[^<]*+", r'(?: xml:space="preserve")?+'
NUMBER = r"-?+\d{1,30}+(?:\.\d{1,40}+)?+(?:[eE][-+]?+\d\d?+)?+"
FORMULA = rf"(?:<f{ATTRIBUTES}(?:/>|>{TEXT}</f>))"
CELL = (
    r'<c r="[A-Z]{1,2}+[1-9]\d{0,4}+"(?: s="\d{1,5}+")?+(?:/>'
    rf'| t="(?:str">{FORMULA}?+<v>{TEXT}</v>|s"><v>\d{{1,9}}+</v>|b">{FORMULA}?+<v>[01]</v>'
    rf'|e">{FORMULA}?+<v>[#A-Z0-9_/!?]++</v>|inlineStr"><is><t{SPACED}>{TEXT}</t></is>)</c>'
    rf'|(?: t="n")?+>(?:{FORMULA}?+<v>{NUMBER}</v>|{FORMULA}(?:<v></v>|<v ?+/>)?+)?+</c>'
    r'| t="(?:n|s|str|inlineStr)"(?:/>|></c>))'
)
DATA = re.compile(rf"<sheetData(?: ?+/>|>(?:<row{ATTRIBUTES}(?:/>|>(?:{CELL})*+</row>))*+</sheetData>)", re.ASCII)
# Of data that has been held against the above: the cells with a value, and numbers' formulas without one.
PLACE = r'<c r="([A-Z]++)(\d++)"'
VALUES = re.compile(
    rf'{PLACE}(?: s="(\d++)")?+(?: t="(\w++)")?+>(<f[^>]*+>(?:[^<]*+</f>)?+)?+'
    r"(?:(?:<v>|<is><t[^>]*+>)([^<]++)|(?(4)(?!))</?+[vc])",  # of texts those alone that are not empty
    re.ASCII,
)
STRINGS = re.compile(rf"<sst{ATTRIBUTES}>((?:<si><t{SPACED}(?:/>|>{TEXT}</t>)</si>)*+)</sst>\s*")
STRING = re.compile(r"<si><t[^<>]*>(?:([^<]*)</t>)?")
FIRST_LINE = re.compile(r"\s*<\?xml[^<>]*\?>")
ENCODING = re.compile(r"""encoding\s*=\s*["']([^"']*)""")
HIDDEN = re.compile(rb'row(?<=[<:]row)(?=[^>]* hidden="(?:1|true)")[^>]* r="(\d{1,7})"')
HIDDEN_COLUMNS = re.compile(
    rb'col(?<=[<:]col)(?=[^>]* hidden="(?:1|true)")(?=[^>]* min="(\d{1,5})")(?=[^>]* max="(\d{1,5})")'
)
MERGED = re.compile(rb'mergeCell(?<=[<:]mergeCell)\s[^>]*?\bref="(\$?[A-Z]{1,3}\$?\d{1,7}:\$?[A-Z]{1,3}\$?\d{1,7})"')
LOOSE = re.compile("&(?!(?:amp|lt|gt|quot|apos);)")  # a character by its number is left to the exact way
FORBIDDEN = [*map(chr, {*range(32)} - {*map(ord, "\t\n\r")}), "\ufffe", "\uffff"]  # XML 1.0, 2.2
ENTITIES = {"&quot;": '"', "&apos;": "'", "&lt;": "<", "&gt;": ">", "&amp;": "&"}  # the last one last
COLUMNS = {letter(number): number for number in range(26 + 26 * 26)}


def read_plain(xml: bytes, shared: Shared) -> list[list[object]] | None:
    """The rows of a sheet as `ExactSheet.rows` gives them; None for one that is not written the plain way."""
    data = plain_data(xml)
    if data is None:
        return None
    rows: list[list[object]] = []
    for column, row, style, kind, formula, text in VALUES.findall(data):
        if "&" in text and LOOSE.search(text):
            return None
        cell = _cell(kind, style, text, shared) if text else NO_VALUE if formula else ""
        if cell != "" and not _put(rows, int(row), COLUMNS[column], cell):
            return None
    return rows


def _cell(kind: str, style: str, text: str, shared: Shared) -> Cell:
    written = unescape(text)
    return unescaped(written) if kind == "inlineStr" else typed(kind or "n", style or "0", written, shared)


def _put(rows: list[list[object]], row: int, column: int, cell: Cell) -> bool:
    """Put a cell in its place in a row counted from 1; false where another stands there already."""
    if row > len(rows):
        rows.extend([] for _ in range(row - len(rows)))
    line = rows[row - 1]
    if column < len(line):
        is_free = line[column] == ""
        line[column] = cell
        return is_free
    line.extend([""] * (column - len(line)))
    line.append(cell)
    return True


def plain_data(xml: bytes) -> str | None:
    """The data of a sheet when all of it is written the plain way."""
    text = _text_of(xml)
    if text is None or text.count("<sheetData") != 1:
        return None
    start = text.index("<sheetData")
    data, head = DATA.match(text, start), text[:start]
    if data is None or "<!" in head or "<?" in head or not text.rstrip().endswith("worksheet>"):
        return None  # where a comment or an instruction begins, the data may be no data
    return data[0]


def plain_strings(xml: bytes) -> list[str] | None:
    """The texts that cells share; None when they are not all written the plain way."""
    text = _text_of(xml)
    found = STRINGS.fullmatch(text) if text is not None else None
    if found is None or LOOSE.search(found[1]):
        return None
    return [unescaped(unescape(one)) for one in STRING.findall(found[1])]


def _text_of(xml: bytes) -> str | None:
    """The text of a part after its first line; None for another encoding, and for characters that XML forbids."""
    try:
        text = xml.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    first = FIRST_LINE.match(text)
    declared = ENCODING.search(first[0]) if first else None
    if (declared and declared[1].casefold() not in ("utf-8", "us-ascii")) or any(one in text for one in FORBIDDEN):
        return None
    text = text[first.end() :].lstrip() if first else text
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def unescape(text: str) -> str:
    """A text with XML's own entities read as the characters they stand for."""
    if "&" in text:
        for entity, character in ENTITIES.items():
            text = text.replace(entity, character)
    return text


# what is asked for now and then

SHARING = re.compile(rb' si="(\d+)"')
FORMULA_OF = re.compile(rb"<c [^<>]*><f([^<>]*?)(?:/>|>([^<]*)</f>)")


def formula_in(xml: bytes, cell: str) -> str:
    """The formula in a cell such as C31 of a plain sheet, also where another cell holds its text; empty without one."""
    place = xml.find(b'<c r="%s"' % cell.encode())
    found = FORMULA_OF.match(xml, place) if place >= 0 else None
    if found is None:
        return ""
    group = SHARING.search(found[1])
    if group is not None and not found[2]:
        found = re.search(rb'<f((?=[^<>]* si="%s")[^<>]*)>([^<]+)</f>' % group[1], xml)
    return (found[2] or b"").decode() if found else ""


def hidden_rows(xml: bytes) -> frozenset[int]:
    """The numbers of the rows that are not shown, as their own tags say."""
    return frozenset(int(number) for number in HIDDEN.findall(xml)) if _hides(xml) else frozenset()


def hidden_columns(xml: bytes) -> frozenset[int]:
    """The columns that are not shown, counted from 0."""
    spans = HIDDEN_COLUMNS.findall(xml) if _hides(xml) else ()
    return frozenset(column for first, last in spans for column in range(int(first) - 1, min(int(last), len(COLUMNS))))


def _hides(xml: bytes) -> bool:
    return b' hidden="1"' in xml or b' hidden="true"' in xml


def merged_cells(xml: bytes) -> list[str]:
    """The areas that are one cell each: C10:C11."""
    return [area.decode().replace("$", "") for area in MERGED.findall(xml)] if b"mergeCell" in xml else []
