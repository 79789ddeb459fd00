"""Every cell is read for what it is, however it is written; what cannot be known is a flaw, never a blank."""

import io
import zipfile
from collections.abc import Mapping
from datetime import date, datetime, time
from functools import cache
from types import MappingProxyType

import openpyxl
import pytest

from intake.exact import DAMAGED, NO_VALUE, Flaw, date_styles
from intake.package import Package
from intake.plain import plain_data
from intake.reader import UnreadableWorkbookError, Workbook, read_workbook

SHEET, STRINGS = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"
DATE, TIME = 1, 2  # styles of the workbook
TEXTS = ("null", "en", "to")
RELATION = (
    '<Relationship Id="rId99" Target="sharedStrings.xml" '
    'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings"/></Relationships>'
)
Seen = dict[str, object]


@cache
def parts() -> dict[str, bytes]:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet["A1"], sheet["B1"] = date(2024, 5, 17), time(10, 30)
    file = io.BytesIO()
    book.save(file)
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name) for name in archive.namelist() if name != STRINGS}


def workbook(rows: str, strings: str = "", more: Mapping[str, bytes] = MappingProxyType({})) -> Workbook:
    """Read a workbook whose one sheet has these rows."""
    items = strings or "".join(f"<si><t>{text}</t></si>" for text in TEXTS)
    xml = parts()[SHEET]
    start, end = xml.index(b"<sheetData>") + len(b"<sheetData>"), xml.index(b"</sheetData>")
    links = parts()["xl/_rels/workbook.xml.rels"]
    if b"sharedStrings" not in links:
        links = links.replace(b"</Relationships>", RELATION.encode())
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    contents = {
        **parts(),
        SHEET: xml[:start] + rows.encode() + xml[end:],
        STRINGS: f'<sst xmlns="{space}">{items}</sst>'.encode(),
        "xl/_rels/workbook.xml.rels": links,
        **more,
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return read_workbook(Package(file.getvalue()))


def seen(book: Workbook) -> Seen:
    """What stands in the cells that hold something; a time at midnight is its day."""
    found: Seen = {}
    for number, row in enumerate(book.sheets[0].rows, 1):
        for letter, cell in zip("ABCDEFGH", row, strict=False):
            plain = cell.strip() if isinstance(cell, str) else cell
            is_day = isinstance(plain, datetime) and plain.time() == time()
            found[f"{letter}{number}"] = plain.date() if is_day else plain  # type: ignore[attr-defined]
    return {place: cell for place, cell in found.items() if cell != ""}


def a1(inner: str, kind: str = "", style: int = 0) -> str:
    """A row with one cell, and the number 7 beside it."""
    told = f' t="{kind}"' if kind else ""
    return f'<row r="1"><c r="A1" s="{style}"{told}>{inner}</c><c r="B1"><v>7</v></c></row>'


def error(shown: str) -> Flaw:
    return Flaw("error_cell", shown)


ONE_CELL: dict[str, tuple[str, object]] = {
    "a number": (a1("<v>5</v>"), 5.0),
    "a negative number": (a1("<v>-0.5</v>"), -0.5),
    "a power of ten": (a1("<v>1E3</v>"), 1000.0),
    "a number with a point alone": (a1("<v>.5</v>"), 0.5),
    "a plus": (a1("<v>+5</v>"), 5.0),
    "a comment in a number": (a1("<v>4<!-- x -->2</v>"), 42.0),
    "character data": (a1("<v><![CDATA[42]]></v>"), 42.0),
    "an instruction": (a1("<v>4<?a?>2</v>"), 42.0),
    "a letter's code": (a1("<v>4&#50;</v>"), 42.0),
    "line breaks around it": (a1("<v>\n42 </v>"), 42.0),
    "letters for a number": (a1("<v>abc</v>"), DAMAGED),
    "letters where a number is said to be": (a1("<v>abc</v>", "n"), DAMAGED),
    "not a number": (a1("<v>NaN</v>"), DAMAGED),
    "infinity": (a1("<v>inf</v>"), DAMAGED),
    "beyond all numbers": (a1("<v>1e999</v>"), DAMAGED),
    "a number in Python's way": (a1("<v>1_000</v>"), DAMAGED),
    "digits of another script": (a1("<v>١٢</v>"), DAMAGED),
    "a comma": (a1("<v>1,5</v>"), DAMAGED),
    "an endless number": (a1(f"<v>{'9' * 400}</v>"), DAMAGED),
    "a shared text": (a1("<v>1</v>", "s"), "en"),
    "a shared text after a line break": (a1("<v>\n1</v>", "s"), "en"),
    "a shared text that is not there": (a1("<v>9</v>", "s"), DAMAGED),
    "a shared text below zero": (a1("<v>-1</v>", "s"), DAMAGED),
    "a shared text by half a number": (a1("<v>1x</v>", "s"), DAMAGED),
    "a shared text of no number": (a1("<v></v>", "s"), DAMAGED),
    "a formula's text": (a1("<f>A2</f><v>A &amp; B</v>", "str"), "A & B"),
    "a text with character data": (a1("<v>A<![CDATA[<x>]]>B</v>", "str"), "A<x>B"),
    "a text with an escape": (a1("<v>a_x000A_b_x005F_x0041_</v>", "str"), "a\nb_x0041_"),
    "an inline text": (a1("<is><t>h&#229; &lt;</t></is>", "inlineStr"), "hå <"),
    "an inline text in parts": (
        a1('<is><r><t>a</t></r><r><t xml:space="preserve"> b</t></r></is>', "inlineStr"), "a b"),
    "an inline text as a value": (a1("<v>5</v>", "inlineStr"), "5"),
    "an inline text and a value": (a1("<is><t>a</t></is><v>5</v>", "inlineStr"), DAMAGED),
    "a text where a number is": (a1("<is><t>a</t></is>"), DAMAGED),
    "true": (a1("<v>1</v>", "b"), True),
    "true in letters": (a1("<v>true</v>", "b"), True),
    "no truth": (a1("<v>banana</v>", "b"), DAMAGED),
    "an empty truth": (a1("<v></v>", "b"), DAMAGED),
    "a day": (a1("<v>45429</v>", style=DATE), date(2024, 5, 17)),
    "a day with a comment": (a1("<v>454<!-- -->29</v>", style=DATE), date(2024, 5, 17)),
    "a time": (a1("<v>0.4375</v>", style=TIME), time(10, 30)),
    "a time with a comment": (a1("<v>0.<!-- -->4375</v>", style=TIME), time(10, 30)),
    "a day as text": (a1("<v>2024-02-28</v>", "d"), date(2024, 2, 28)),
    "a day that is none": (a1("<v>2024-02-30</v>", "d"), DAMAGED),
    "an error": (a1("<v>#N/A</v>", "e"), error("#N/A")),
    "an error from a formula": (a1("<f>1/0</f><v>#DIV/0!</v>", "e"), error("#DIV/0!")),
    "an error nobody knows": (a1("<v>hei</v>", "e"), error("hei")),
    "a formula without value": (a1("<f>1+1</f>"), NO_VALUE),
    "a formula with an empty value": (a1("<f>1+1</f><v></v>"), NO_VALUE),
    "a formula with an empty element": (a1("<f>1+1</f><v/>"), NO_VALUE),
    "a formula without text": (a1("<f>A2</f>", "str"), NO_VALUE),
    "a formula with a value": (a1("<f>1+1</f><v>2</v>"), 2.0),
    "a value before its formula": (a1("<v>2</v><f>1+1</f>"), 2.0),
    "a type nobody knows": (a1("<v>5</v>", "zz"), DAMAGED),
    "a cell twice": ('<row r="1"><c r="A1"><v>5</v></c><c r="A1"><v>6</v></c><c r="B1"><v>7</v></c></row>', DAMAGED),
    "a row twice": (f'{a1("<v>5</v>")}<row r="1"><c r="A1"><v>6</v></c></row>', DAMAGED),
    "a cell twice alike": (f'{a1("<v>5</v>")}<row r="1"><c r="A1"><v>5</v></c></row>', 5.0),
    "single quotes": ("<row r='1'><c r='A1'><v>5</v></c><c r='B1'><v>7</v></c></row>", 5.0),
    "no references": ("<row><c><v>5</v></c><c><v>7</v></c></row>", 5.0),
    "a value of another program in the cell": (a1("<v>5</v><extLst><ext><v>9</v></ext></extLst>"), 5.0),
    "a prefix": ('<x:row xmlns:x="x" r="1"><x:c r="A1"><x:v>5</x:v></x:c><x:c r="B1"><x:v>7</x:v></x:c></x:row>', 5.0),
}  # fmt: skip


@pytest.mark.parametrize("name", ONE_CELL)
def test_a_cell_is_read_for_what_it_is_and_its_neighbour_too(name: str) -> None:
    rows, expected = ONE_CELL[name]

    assert seen(workbook(rows)) == {"A1": expected, "B1": 7.0}


def test_a_cell_outside_the_data_of_a_sheet_is_none() -> None:
    rows = f'{a1("<v>5<!-- --></v>")}</sheetData><other><c r="A1"><v>6</v></c></other><sheetData>'

    assert seen(workbook(rows)) == {"A1": 5.0, "B1": 7.0}


EMPTY_CELLS = {
    "nothing": a1(""),
    "a formula that gives nothing": a1('<f>""</f><v></v>', "str"),
    "an empty text": a1("<is><t></t></is>", "inlineStr"),
    "an empty inline": a1("<is/>", "inlineStr"),
}


@pytest.mark.parametrize("name", EMPTY_CELLS)
def test_what_is_empty_is_empty(name: str) -> None:
    assert seen(workbook(EMPTY_CELLS[name])) == {"B1": 7.0}


BROKEN = {
    "an open cell": '<row r="1"><c r="A1"><v>5</v>',
    "an end too many": f"{a1('<v>5</v>')}</x>",
    "a zero byte": a1("<v>a\0b</v>", "str"),
    "an entity nobody defined": a1("<v>&hei;</v>", "str"),
    "a cell in a cell": '<row r="1"><c r="A1"><c/><v>5</v></c></row>',
    "a cell in a text": '<row r="1"><c r="A1" t="inlineStr"><is><c r="B1"/><t>a</t></is></c></row>',
    "an attribute twice": '<row r="1"><c r="A1" r="B2"><v>5</v></c></row>',
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_sheet_that_is_no_xml_is_not_read_in_part(name: str) -> None:
    with pytest.raises(UnreadableWorkbookError):
        workbook(BROKEN[name])


@pytest.mark.parametrize(
    ("strings", "first"),
    [
        ("<si/><si><t>en</t></si>", None),
        ("<si><t>a<!-- -->b</t></si><si><t>en</t></si>", "ab"),
        ("<si><t><![CDATA[a]]></t></si><si><t>en</t></si>", "a"),
        ("<si><r><t>a</t></r><r><t>b</t></r><rPh><t>uttale</t></rPh></si><si><t>en</t></si>", "ab"),
    ],
)
@pytest.mark.parametrize("odd", ["", "<!-- -->"], ids=["fast", "exact"])
def test_shared_texts_keep_their_numbers(strings: str, first: str | None, odd: str) -> None:
    row = f'<row r="1"><c r="A1" t="s"><v>0{odd}</v></c><c r="B1" t="s"><v>1</v></c></row>'

    found = seen(workbook(row, strings))

    assert (found.get("A1"), found["B1"]) == (first, "en")


def test_days_are_counted_from_1904_where_the_workbook_says_so() -> None:
    old = parts()["xl/workbook.xml"].replace(b"<workbookPr", b'<workbookPr date1904="1"', 1)

    fast = workbook(a1("<v>43967</v>", style=DATE), more={"xl/workbook.xml": old})
    exact = workbook(a1("<v>43967<!-- --></v>", style=DATE), more={"xl/workbook.xml": old})

    assert fast.is_1904
    assert seen(fast) == seen(exact) == {"A1": date(2024, 5, 17), "B1": 7.0}


def test_parts_that_are_kept_elsewhere_are_found() -> None:
    links = parts()["_rels/.rels"].replace(b"xl/workbook.xml", b"xl/annen.xml")

    moved = {"_rels/.rels": links, "xl/annen.xml": parts()["xl/workbook.xml"], "xl/workbook.xml": b"<workbook/>",
             "xl/_rels/annen.xml.rels": parts()["xl/_rels/workbook.xml.rels"]}  # fmt: skip

    assert seen(workbook(a1("<v>5</v>"), more=moved)) == {"A1": 5.0, "B1": 7.0}


def test_a_formula_is_known_also_where_cells_share_it() -> None:
    row = (
        '<row r="1"><c r="A1"><f t="shared" ref="A1:B1" si="0">_l_a+1</f><v>5</v></c>'
        '<c r="B1"><f t="shared" si="0"/><v>6</v></c><c r="C1"><v>7{odd}</v></c></row>'
    )
    for odd in ("", "<!-- -->"):
        sheet = workbook(row.format(odd=odd)).sheets[0]
        assert [sheet.formula(cell) for cell in ("A1", "B1", "C1", "D9")] == ["_l_a+1", "_l_a+1", "", ""]


FORMATS = {
    "dd.mm.yyyy": True, "[$-414]d. mmmm yyyy": True, "hh:mm": True, "[h]:mm": True, "0.00": False, "General": False,
    '# ##0 "kr"': False, '"dato" 0': False, "[Red]0": False, "0.00E+00": False, "\\d0": False, "0;yyyy": False,
}  # fmt: skip


@pytest.mark.parametrize("shown", FORMATS)
def test_a_style_that_shows_days_is_known(shown: str) -> None:
    escaped = shown.replace('"', "&quot;")
    xml = (
        f'<styleSheet><numFmts><numFmt numFmtId="170" formatCode="{escaped}"/></numFmts>'
        '<cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs><xf numFmtId="0"/><xf numFmtId="170"/>'
        '<xf numFmtId="14"/></cellXfs></styleSheet>'
    )

    assert date_styles(xml.encode()) == ({1, 2} if FORMATS[shown] else {2})


PLAIN = "<worksheet><sheetData>{}</sheetData></worksheet>"


def is_plain(xml: str) -> bool:
    return plain_data(xml.encode()) is not None


def test_what_programs_write_goes_the_fast_way_and_what_they_do_not_the_exact_way() -> None:
    for rows in ("", a1("<v>5</v>"), a1("<v>1</v>", "s"), '<row r="1"><c r="A1" t="n"/></row>', '<row r="1"/>'):
        assert is_plain(PLAIN.format(rows))
    for rows in (a1("<v>5<!-- --></v>"), a1("<v>5</v>", "zz"), '<row r="1"><c r="AAA1"><v>5</v></c></row>', "<c/>"):
        assert not is_plain(PLAIN.format(rows))
    assert not is_plain(PLAIN.format("") * 2)
    assert not is_plain('<?xml version="1.0" encoding="ISO-8859-1"?>' + PLAIN.format(""))
    assert not is_plain(f"<!-- {PLAIN.format('')} -->")
    assert not is_plain(f"<?x {PLAIN.format('')} ?>")
