"""Hostile and broken variants of a real, filled-in workbook: one line each, with what must become of it.

A variant ends as a reason of intake/texts.toml, as SAME (every answer is read as in the good
file), or as what the one cell that was tampered with must be read as.
"""

import io
import random
import struct
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import openpyxl

from intake.broken import foreign, ole_container
from intake.submission import Value
from templates.stamp import make_stamp
from tests.desk import KEY, RECIPIENT, Desk

DESK = Desk.of("behovsmelding-2024")
SAME = "same"
FORM, BUDGET = "xl/worksheets/sheet2.xml", "xl/worksheets/sheet6.xml"
AMOUNT, DATE, TITLE = ("C7", "budsjett.UH_FAG.y2024"), ("C51", "skjema.start_dato"), ("C34", "skjema.tiltak_tittel")

Parts = dict[str, bytes]


@dataclass(frozen=True)
class Problem:
    """The tampered cell is told of with this code of a reading."""

    code: str


@dataclass(frozen=True)
class Understood:
    """The tampered cell gives this value, and all other answers are as they were."""

    value: Value


@dataclass(frozen=True)
class Case:
    make: Callable[[], bytes]
    expected: str | Problem | Understood
    cell: str = AMOUNT[1]  # what was tampered with: sheet.question or sheet.row.question
    name: str = "svar.xlsx"


@cache
def good() -> bytes:
    sample = next(iter(DESK.samples.clean.values()))
    owner = DESK.owner_for(sample)
    return DESK.fill(DESK.answers(sample, owner), owner)


@cache
def parts() -> Parts:
    with zipfile.ZipFile(io.BytesIO(good())) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(contents: Parts, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return file.getvalue()


def swapped(part: str, old: str | bytes, new: str | bytes, count: int = 1) -> bytes:
    """The workbook with something in one part replaced."""
    before, after = (text.encode() if isinstance(text, str) else text for text in (old, new))
    assert before in parts()[part], (part, before)
    return packed({**parts(), part: parts()[part].replace(before, after, count)})


def everywhere(old: str, new: str) -> bytes:
    return packed({name: part.replace(old.encode(), new.encode()) for name, part in parts().items()})


def without(*names: str) -> bytes:
    return packed({name: part for name, part in parts().items() if name not in names})


def plus(name: str, content: bytes = b"x") -> bytes:
    return packed({**parts(), name: content})


def cell_xml(part: str, reference: str) -> str:
    xml = parts()[part].decode()
    start = xml.index(f'<c r="{reference}"')
    end = xml.index(">", start)
    return xml[start : end + 1] if xml[end - 1] == "/" else xml[start : xml.index("</c>", start) + 4]


def cell(xml: str, reference: str = AMOUNT[0], part: str = BUDGET) -> bytes:
    """The workbook with one answer's cell written by hand."""
    return swapped(part, cell_xml(part, reference), xml)


def typed(kind: str, inner: str) -> bytes:
    told = f' t="{kind}"' if kind else ""
    return cell(f'<c r="C7" s="15"{told}>{inner}</c>')


def rows(xml: str, part: str = BUDGET) -> bytes:
    """The workbook with more rows at the end of one sheet."""
    return swapped(part, "</sheetData>", f"{xml}</sheetData>")


def with_member(alter: Callable[[zipfile.ZipInfo], None], content: bytes = b"x") -> bytes:
    file = io.BytesIO(good())
    with zipfile.ZipFile(file, "a") as archive:
        info = zipfile.ZipInfo("extra.bin")
        alter(info)
        archive.writestr(info, content)
    return file.getvalue()


def in_header(offset: int, value: bytes, *, central: bool = True) -> bytes:
    """The workbook with bytes of the last member's header changed."""
    data = bytearray(good())
    place = data.rindex(b"PK\x01\x02" if central else b"PK\x03\x04") + offset
    data[place : place + len(value)] = value
    return bytes(data)


def renamed_inside() -> bytes:
    """A member whose own header gives it another name than the directory does."""
    data = good()
    place = data.rindex(b"xl/workbook.xml", 0, data.index(b"PK\x01\x02"))
    return data[:place] + b"xl/workb00k.xml" + data[place + 15 :]


def overlapping() -> bytes:
    """Two entries of the directory stand for the same bytes."""
    data = good()
    end = data.rindex(b"PK\x05\x06")
    count, size, offset = struct.unpack_from("<HII", data, end + 10)
    lengths = struct.unpack_from("<3H", data, offset + 28)
    entry = data[offset : offset + 46 + sum(lengths)]
    twin = entry.replace(entry[46 : 46 + lengths[0]], b"y" * lengths[0])
    closing = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, count + 1, count + 1, size + len(twin), offset, 0)
    return data[:end] + twin + closing


def twice(name: str) -> bytes:
    file = io.BytesIO(good())
    with zipfile.ZipFile(file, "a") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that is the point
        archive.writestr(name, b"<worksheet/>")
    return file.getvalue()


def symlink(info: zipfile.ZipInfo) -> None:
    info.external_attr = 0o120777 << 16


def bzip2(info: zipfile.ZipInfo) -> None:
    info.compress_type = zipfile.ZIP_BZIP2


def deflated(info: zipfile.ZipInfo) -> None:
    info.compress_type = zipfile.ZIP_DEFLATED


def noise(length: int) -> bytes:
    return random.Random(5).randbytes(length)  # noqa: S311 - repeatable, no secret


def edited(edit: Callable[[openpyxl.Workbook], object]) -> bytes:
    workbook = openpyxl.load_workbook(io.BytesIO(good()))
    edit(workbook)
    file = io.BytesIO()
    workbook.save(file)
    return file.getvalue()


def keep_guide(book: openpyxl.Workbook) -> None:
    for sheet in book.worksheets[1:]:
        book.remove(sheet)


def main_type(kind: str) -> bytes:
    excel = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
    return swapped("[Content_Types].xml", excel, kind)


def code() -> str:
    return str(make_stamp(DESK.form, "BM24-0001-1", owner(), KEY).code)


def owner() -> str:
    return next(iter(set(DESK.recipients) - {RECIPIENT.orgnr}))


def other_code() -> str:
    return str(make_stamp(DESK.form, "BM24-0002-1", RECIPIENT.orgnr, KEY).code)


def codeless() -> bytes:
    return everywhere(code(), "")


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
BOMB = f'<!DOCTYPE x [<!ENTITY l0 "ha">{LAUGHS}]>'
XXE = '<!DOCTYPE x [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
REMOTE = '<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">'
HEAD = "<worksheet "
ROOTS = {
    "the workbook": ("xl/workbook.xml", "<workbook "),
    "the content types": ("[Content_Types].xml", "<Types "),
    "the properties": ("docProps/core.xml", "<cp:coreProperties "),
    "the styles": ("xl/styles.xml", "<styleSheet "),
    "the relations": ("xl/_rels/workbook.xml.rels", "<Relationships "),
}
ERRORS = ("#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!", "#GETTING_DATA", "#SPILL!")

NO_WORKBOOKS = {
    "nothing": Case(lambda: b"", "empty_file"),
    "a PDF": Case(lambda: b"%PDF-1.7\n1 0 obj\n", "pdf"),
    "a PDF by its own name": Case(lambda: b"%PDF-1.4\n", "pdf", name="behovsmelding.pdf"),
    "rich text": Case(lambda: b"{\\rtf1 Hei}", "word"),
    "an old Word document": Case(lambda: ole_container(("WordDocument", "1Table")), "word"),
    "a Word document": Case(
        lambda: main_type("application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"), "word"
    ),
    "a presentation": Case(
        lambda: main_type("application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml"),
        "not_a_workbook",
    ),
    "an old Excel workbook": Case(lambda: ole_container(("Workbook",)), "old_excel"),
    "an older Excel workbook": Case(lambda: ole_container(("Book",)), "old_excel", name="svar.xls"),
    "a binary workbook": Case(lambda: main_type("application/vnd.ms-excel.sheet.binary.macroEnabled.main"), "xlsb"),
    "a password": Case(lambda: ole_container(("EncryptionInfo", "EncryptedPackage")), "password"),
    "an e-mail from Outlook": Case(lambda: ole_container(("__properties_version1.0",)), "outlook_mail"),
    "half a container": Case(lambda: ole_container(("Workbook",))[:600], "damaged"),
    "a container that leads in circles": Case(
        lambda: ole_container(("Workbook",))[:512] + bytes(4) * 128 + ole_container(("Workbook",))[1024:], "old_excel"
    ),
    "an OpenDocument sheet": Case(
        lambda: packed({"mimetype": b"application/vnd.oasis.opendocument.spreadsheet", "content.xml": b"<a/>"}),
        "opendocument",
    ),
    "a Numbers document": Case(lambda: packed({"Index/Document.iwa": b"x"}), "numbers"),
    "a CSV file": Case(lambda: "Spørsmål;Svar\r\nNavn;Kari\r\n".encode("cp1252"), "csv_or_text"),
    "text from Excel": Case(lambda: "Spørsmål\tSvar".encode("utf-16"), "csv_or_text"),
    "a web page": Case(lambda: b"<!DOCTYPE html><html><table></table></html>", "html"),
    "a page saved by a browser": Case(lambda: b"MIME-Version: 1.0\r\n\r\n<p>", "html"),
    "an XML spreadsheet": Case(lambda: b'<?xml version="1.0"?><Workbook/>', "not_a_workbook"),
    "a PNG": Case(lambda: b"\x89PNG\r\n\x1a\n", "image"),
    "a JPEG": Case(lambda: b"\xff\xd8\xff\xe0", "image"),
    "a picture from a telephone": Case(lambda: b"\0\0\0\x18ftypheic", "image"),
    "a RAR archive": Case(lambda: b"Rar!\x1a\x07\x01\x00", "archive"),
    "a 7z archive": Case(lambda: b"7z\xbc\xaf\x27\x1c\x00\x04", "archive"),
    "a gzip file": Case(lambda: b"\x1f\x8b\x08\x00", "archive"),
    "a tar archive": Case(lambda: bytes(257) + b"ustar\x0000", "archive"),
    "a zip of the workbook": Case(lambda: packed({"svar.xlsx": good()}), "other_zip"),
    "a zip of nothing": Case(lambda: packed({}), "other_zip"),
    "a lock file": Case(lambda: b"\x0eKari Nordmann" + bytes(150), "lock_file", name="~$svar.xlsx"),
    "a lock file of LibreOffice": Case(lambda: b",kari,pc,;", "lock_file", name=".~lock.svar.xlsx#"),
    "what macOS keeps beside it": Case(lambda: b"\x00\x05\x16\x07" + bytes(80), "lock_file", name="._svar.xlsx"),
    "noise": Case(lambda: noise(5000), "not_a_workbook"),
    "noise behind a zip's first bytes": Case(lambda: b"PK\x03\x04" + noise(5000), "truncated"),
    "more than 20 MB": Case(lambda: good() + bytes(20 << 20), "too_big"),
}
CUT = {
    f"cut at {share} %": Case(lambda share=share: good()[: len(good()) * share // 100], "truncated")  # type: ignore[misc]
    for share in (1, 10, 50, 90, 99)
}
ZIPS = {
    "a part twice": Case(lambda: twice(BUDGET), "unsafe_package"),
    "a part twice but for case": Case(lambda: twice(BUDGET.upper()), "unsafe_package"),
    "two members in the same bytes": Case(overlapping, "unsafe_package"),
    "bytes before the zip": Case(lambda: b"PK\x03\x04" + bytes(100) + good(), "unsafe_package"),
    "bytes after the zip": Case(lambda: good() + b"\0\0\0", SAME),
    "a member out of the folder": Case(lambda: plus("../../etc/cron.d/x"), "unsafe_package"),
    "a member out of the folder in Windows": Case(lambda: plus("xl\\..\\..\\x"), "unsafe_package"),
    "an absolute member": Case(lambda: plus("/etc/passwd"), "unsafe_package"),
    "a member on a drive": Case(lambda: plus("C:\\x.xml"), "unsafe_package"),
    "a member with a line break": Case(lambda: plus("xl/a\nb.xml", b"<a/>"), "unsafe_package"),
    "a symbolic link": Case(lambda: with_member(symlink, b"/etc/passwd"), "unsafe_package"),
    "another way of packing": Case(lambda: with_member(bzip2), "unsafe_package"),
    "an unknown way of packing": Case(lambda: in_header(10, b"\x63\x00"), "unsafe_package"),
    "an encrypted member": Case(lambda: in_header(8, b"\x01\x00"), "password"),
    "a wrong checksum": Case(lambda: in_header(16, b"\0\0\0\0"), "damaged"),
    "a size too small": Case(lambda: in_header(24, b"\x10\0\0\0"), "damaged"),
    "a size too great": Case(lambda: in_header(24, b"\0\0\0\x01"), "zip_bomb"),
    "another name in the member's own header": Case(renamed_inside, "damaged"),
    "too many members": Case(lambda: packed({**parts(), **{f"x/{n}": b"" for n in range(3001)}}), "zip_bomb"),
    "a bomb": Case(lambda: with_member(deflated, bytes(5 << 20)), "zip_bomb"),
    "blanks for 160 MB in a sheet": Case(
        lambda: swapped(BUDGET, "</worksheet>", b" " * (160 << 20) + b"</worksheet>"), "zip_bomb"
    ),
    "a workbook within the workbook": Case(lambda: plus("xl/embeddings/inni.xlsx", good()), "external_links"),
    "nothing packed": Case(lambda: packed(parts(), zipfile.ZIP_STORED), SAME),
    "backslashes in names": Case(
        lambda: packed({name.replace("/", "\\"): part for name, part in parts().items()}), SAME
    ),
    "names in capitals": Case(lambda: packed({name.upper(): part for name, part in parts().items()}), SAME),
}
PACKAGES = {
    "no content types": Case(lambda: without("[Content_Types].xml"), "other_zip"),
    "no relations": Case(lambda: without("_rels/.rels"), "damaged"),
    "no workbook part": Case(lambda: without("xl/workbook.xml"), "damaged"),
    "no relations of the workbook": Case(lambda: without("xl/_rels/workbook.xml.rels"), "damaged"),
    "a sheet that is not there": Case(lambda: without(BUDGET), "damaged"),
    "no styles": Case(lambda: without("xl/styles.xml"), SAME),
    "a sheet out of the package": Case(
        lambda: swapped("xl/_rels/workbook.xml.rels", "worksheets/sheet6.xml", "../../etc/passwd"), "damaged"
    ),
    "a sheet on the net": Case(
        lambda: swapped("xl/_rels/workbook.xml.rels", "<Relationship ", '<Relationship TargetMode="External" '),
        "external_links",
    ),
    "two tabs of one name": Case(lambda: swapped("xl/workbook.xml", 'name="Budsjett"', 'name="SKJEMA"'), "damaged"),
    "two tabs of one part": Case(
        lambda: swapped("xl/_rels/workbook.xml.rels", "worksheets/sheet6.xml", "worksheets/sheet2.xml"),
        "sheets_missing",
    ),
    "a relation twice": Case(
        lambda: swapped("xl/_rels/workbook.xml.rels", 'Id="rId2"', 'Id="rId1"'), "damaged"
    ),
    "macros": Case(lambda: plus("xl/vbaProject.bin"), "macro"),
    "a macro workbook": Case(
        lambda: main_type("application/vnd.ms-excel.sheet.macroEnabled.main+xml"), "macro", name="svar.xlsm"
    ),
    "an old macro sheet": Case(lambda: plus("xl/macrosheets/sheet1.xml", b"<a/>"), "macro"),
    "a link to another workbook": Case(lambda: plus("xl/externalLinks/externalLink1.xml", b"<a/>"), "external_links"),
    "a control": Case(lambda: plus("xl/activeX/activeX1.bin"), "external_links"),
    "a connection": Case(lambda: plus("xl/connections.xml", b"<a/>"), "external_links"),
    "a picture": Case(lambda: plus("xl/media/image1.png"), SAME),
    "something of Power Query": Case(
        lambda: plus("customXml/item1.xml", "<?xml version='1.0' encoding='utf-16'?><a/>".encode("utf-16")), SAME
    ),
    "a template": Case(
        lambda: main_type("application/vnd.openxmlformats-officedocument.spreadsheetml.template.main+xml"), SAME
    ),
}  # fmt: skip
XML = {
    "a billion laughs": Case(lambda: swapped(BUDGET, HEAD, BOMB + HEAD), "doctype"),
    "a file of ours as an entity": Case(lambda: swapped(BUDGET, HEAD, XXE + HEAD), "doctype"),
    "a document type on the net": Case(lambda: swapped(BUDGET, HEAD, REMOTE + HEAD), "doctype"),
    **{
        f"a billion laughs in {where}": Case(
            lambda part=part, root=root: swapped(part, root, BOMB + root), "doctype"  # type: ignore[misc]
        )
        for where, (part, root) in ROOTS.items()
    },
    "a sheet in UTF-16": Case(lambda: plus(BUDGET, parts()[BUDGET].decode().encode("utf-16")), "damaged"),
    "a sheet in UTF-7": Case(
        lambda: plus(BUDGET, b'<?xml version="1.0" encoding="UTF-7"?><worksheet/>'), "damaged"
    ),
    "an unknown encoding of the content types": Case(
        lambda: plus("[Content_Types].xml", b'<?xml version="1.0" encoding="x-mine"?><Types/>'), "damaged"
    ),
    "elements within elements": Case(lambda: rows("<a>" * 100_000 + "</a>" * 100_000), "damaged"),
    "two million cells": Case(lambda: rows("<row>" + "<c/>" * 2_000_000 + "</row>"), "zip_bomb"),
    "the end of a sheet missing": Case(lambda: plus(BUDGET, parts()[BUDGET][:-2000]), "damaged"),
    "an end too many": Case(lambda: rows("</x>"), "damaged"),
    "a sheet of no XML": Case(lambda: plus(BUDGET, b"hei"), "damaged"),
    "another root": Case(lambda: plus(BUDGET, b"<html/>"), "damaged"),
    "an empty sheet": Case(lambda: plus(BUDGET, b"<worksheet><sheetData/></worksheet>"), "sheets_missing"),
    "an undefined entity": Case(lambda: typed("str", "<v>&hei;</v>"), "damaged"),
    "a zero byte": Case(lambda: typed("str", "<v>1\0</v>"), "damaged"),
    "a byte that is no letter": Case(lambda: swapped(BUDGET, "<v>180000.0</v>", b"<v>18\xff</v>"), "damaged"),
    "an attribute twice": Case(lambda: cell('<c r="C7" r="C7"><v>1</v></c>'), "damaged"),
    "styles that are no XML": Case(lambda: plus("xl/styles.xml", b"<styleSheet><"), "damaged"),
    "a size that is not true": Case(
        lambda: swapped(BUDGET, "<sheetData>", '<dimension ref="A1:XFD1048576"/><sheetData>'), SAME
    ),
}  # fmt: skip
CELLS = {
    **{f"the error {shown}": Case(
        lambda shown=shown: typed("e", f"<v>{shown}</v>"), Problem("error_cell")) for shown in ERRORS},  # type: ignore[misc]
    "an error from a formula": Case(lambda: typed("e", "<f>1/0</f><v>#DIV/0!</v>"), Problem("error_cell")),
    "an error nobody knows": Case(lambda: typed("e", "<v>#HEI</v>"), Problem("error_cell")),
    "a formula without value": Case(lambda: typed("", "<f>90000*2</f>"), Problem("formula_without_value")),
    "a formula with an empty value": Case(lambda: typed("", "<f>90000*2</f><v/>"), Problem("formula_without_value")),
    "a formula without even text": Case(lambda: typed("str", "<f>A1</f>"), Problem("formula_without_value")),
    "a formula with a value": Case(lambda: typed("", "<f>90000*2</f><v>180000</v>"), SAME),
    "a value before its formula": Case(lambda: typed("", "<v>180000</v><f>90000*2</f>"), SAME),
    "a formula that asks the net": Case(lambda: typed("", "<f>WEBSERVICE(A1)</f><v>1</v>"), "reaching_formula"),
    "a formula that starts a program": Case(
        lambda: typed("", "<f>cmd|'/c calc'!A0</f><v>1</v>"), "reaching_formula"),
    "a formula that opens a page": Case(
        lambda: typed("str", '<f>HYPERLINK("https://a.example","her")</f><v>her</v>'), "reaching_formula"),
    "a truth value": Case(lambda: typed("b", "<v>1</v>"), Problem("not_a_number")),
    "a truth value that is none": Case(lambda: typed("b", "<v>banana</v>"), Problem("damaged_cell")),
    "letters for a number": Case(lambda: typed("n", "<v>abc</v>"), Problem("damaged_cell")),
    "letters for a number, of no type": Case(lambda: typed("", "<v>abc</v>"), Problem("damaged_cell")),
    "not a number": Case(lambda: typed("", "<v>NaN</v>"), Problem("damaged_cell")),
    "infinity": Case(lambda: typed("", "<v>INF</v>"), Problem("damaged_cell")),
    "beyond all numbers": Case(lambda: typed("", "<v>1e999</v>"), Problem("damaged_cell")),
    "a number with a mark of Python": Case(lambda: typed("", "<v>180_000</v>"), Problem("damaged_cell")),
    "digits of another script": Case(lambda: typed("", "<v>١٨٠</v>"), Problem("damaged_cell")),
    "digits of another script as text": Case(lambda: typed("str", "<v>١٨٠</v>"), Problem("not_a_number")),
    "a type nobody knows": Case(lambda: typed("zz", "<v>5</v>"), Problem("damaged_cell")),
    "a text that is not there": Case(lambda: typed("s", "<v>99999</v>"), Problem("damaged_cell")),
    "a text by a number that is none": Case(lambda: typed("s", "<v>1x</v>"), Problem("damaged_cell")),
    "a date that is none": Case(lambda: typed("d", "<v>2024-02-30</v>"), Problem("damaged_cell")),
    "a text and a value in one cell": Case(
        lambda: typed("inlineStr", "<is><t>5</t></is><v>6</v>"), Problem("damaged_cell")),
    "a text in a cell for numbers": Case(lambda: typed("", "<is><t>5</t></is>"), Problem("damaged_cell")),
    "a cell twice": Case(lambda: cell(cell_xml(BUDGET, "C7") + '<c r="C7"><v>5</v></c>'), Problem("damaged_cell")),
    "a row twice": Case(lambda: rows('<row r="7"><c r="C7"><v>5</v></c></row>'), Problem("damaged_cell")),
    "a cell twice alike": Case(lambda: cell(cell_xml(BUDGET, "C7") * 2), SAME),
    "a comment in a number": Case(lambda: typed("", "<v>180<!-- x -->000</v>"), SAME),
    "a number as character data": Case(lambda: typed("", "<v><![CDATA[180000]]></v>"), SAME),
    "a number by its letters' codes": Case(lambda: typed("", "<v>18&#48;000</v>"), SAME),
    "an instruction in a number": Case(lambda: typed("", "<v>180<?x y?>000</v>"), SAME),
    "line breaks around a number": Case(lambda: typed("", "<v>\n180000\n</v>"), SAME),
    "single quotes": Case(lambda: cell("<c r='C7' s='15'><v>180000</v></c>"), SAME),
    "a reference in small letters": Case(lambda: cell('<c r="c7" s="15"><v>180000</v></c>'), SAME),
    "a number as text": Case(lambda: typed("str", "<v>180000</v>"), SAME),
    "a number with a power of ten": Case(lambda: typed("", "<v>1.8E5</v>"), SAME),
    "an escaped zero": Case(
        lambda: cell('<c r="C34" t="str"><v>Spr_x0000_åk i hele barnehagen</v></c>', "C34", FORM), SAME, TITLE[1]),
    "half a character": Case(
        lambda: cell('<c r="C34" t="str"><v>A_xD800_</v></c>', "C34", FORM), Understood("A\ufffd"), TITLE[1]),
    "a text that turns around": Case(
        lambda: cell('<c r="C34" t="str"><v>Spr\u202eåk i hele barnehagen</v></c>', "C34", FORM), SAME, TITLE[1]),
    "more than a cell can hold": Case(
        lambda: cell(f'<c r="C34" t="str"><v>{"x" * 32_768}</v></c>', "C34", FORM), Problem("too_long"), TITLE[1]),
    "ten million equal letters": Case(
        lambda: cell(f'<c r="C34" t="str"><v>{"xy" * 5_000_000}</v></c>', "C34", FORM), "zip_bomb"),
    "four million letters": Case(
        lambda: cell(f'<c r="C34" t="str"><v>{noise(2_000_000).hex()}</v></c>', "C34", FORM),
        Problem("too_long"), TITLE[1]),
    "a value in the last cell": Case(
        lambda: rows('<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'), "far_cell"),
    "a value beyond the last cell": Case(
        lambda: rows('<row r="99999999"><c r="ZZZZ99999999"><v>1</v></c></row>'), "far_cell"),
    "a value rather far out": Case(lambda: rows('<row r="19000"><c r="RA19000"><v>1</v></c></row>'), SAME),
    "a style in the last cell": Case(lambda: rows('<row r="1048576"><c r="XFD1048576" s="1"/></row>'), SAME),
    "a reference that is none": Case(lambda: rows('<row r="900"><c r="9A"><v>1</v></c></row>'), "damaged"),
    "a row by no number": Case(lambda: rows('<row r="x"><c><v>1</v></c></row>'), "damaged"),
    "a hundred thousand empty rows": Case(
        lambda: rows("".join(f'<row r="{n}"><c r="A{n}" s="1"/></row>' for n in range(900, 100_900))), SAME),
}  # fmt: skip
OWNERS = {
    "a check block with a letter wrong": Case(lambda: everywhere(code(), code()[:-1] + "Z"), "bad_code"),
    "another round's code": Case(
        lambda: everywhere(code(), make_stamp(DESK.form, "BM24-0001-1", owner(), b"other").code), "bad_code"),
    "an owner's number put into the code": Case(lambda: everywhere(owner(), RECIPIENT.orgnr), "bad_code"),
    "a number of report put into the code": Case(lambda: everywhere("BM24-0001-1", "BM24-0002-1"), "bad_code"),
    "another owner's code in one sheet": Case(lambda: swapped(BUDGET, code(), other_code(), 9), "codes_disagree"),
    "another owner's code in the properties": Case(
        lambda: swapped("docProps/custom.xml", code(), other_code()), "codes_disagree"),
    "another owner's code everywhere": Case(lambda: everywhere(code(), other_code()), "bad_code"),
    "another owner's answers": Case(
        lambda: swapped(FORM, f"<t>{owner()}</t>" if f"<t>{owner()}</t>".encode() in parts()[FORM]
                        else f'<t xml:space="preserve">{owner()}</t>', f"<t>{RECIPIENT.orgnr}</t>"), "another_owner"),
    "the locked number of the report changed": Case(
        lambda: cell('<c r="C7" t="str"><v>BM24-0009-1</v></c>', "C7", FORM), "locked_changed"),
    "no code at all": Case(codeless, "no_code_likely"),
    "only the guide": Case(lambda: edited(keep_guide), "sheets_missing"),
    "another workbook": Case(lambda: foreign(b"", "")[1], "foreign"),
    "the workbook as it was sent": Case(lambda: DESK.send(DESK.recipients[owner()]), "empty_return"),
}  # fmt: skip

CASES: dict[str, Case] = NO_WORKBOOKS | CUT | ZIPS | PACKAGES | XML | CELLS | OWNERS
