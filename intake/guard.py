"""What a returned file really is, and whether it may be read: found out before anything parses it.

The caps are far above any real workbook and far below what harms. A worker process with limits
of its own stands behind this guard; nothing here is ever written to disk or looked up.
"""

import io
import re
import stat
import struct
import zipfile
import zlib
from dataclasses import dataclass
from typing import NoReturn
from xml.parsers.expat import ExpatError

import olefile

from intake.exact import farthest
from intake.package import DoctypeError, Package, PackageError, Sheet

MB = 1 << 20
ASCII = 128
MAX_FILE = 20 * MB
MAX_MEMBERS = 3_000
MAX_MEMBER, MAX_TOTAL = 150 * MB, 300 * MB
MAX_RATIO, RATIO_MATTERS = 250, 4 * MB  # a sheet of equal rows may shrink a lot, and is small
MAX_ELEMENTS, SHORTEST_ELEMENT = 1_500_000, 4  # in one part; <c/>
MAX_ROW, MAX_COLUMN = 20_000, 500  # a value farther out makes the reader allocate everything before it

QUARANTINED = frozenset(
    {"macro", "zip_bomb", "doctype", "external_links", "far_cell", "unsafe_package", "reaching_formula"}
)
BROKEN = (
    zipfile.BadZipFile, zlib.error, ExpatError, EOFError, struct.error,
    OSError, ValueError, LookupError, RuntimeError, OverflowError, PackageError,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Inspection:
    """Why a file is not read. `outcome`: unreadable, or quarantined when a person must look."""

    outcome: str
    reason: str  # a code of intake/texts.toml


class _StopError(Exception):
    """The reason not to read on."""


def _stop(reason: str) -> NoReturn:
    raise _StopError(reason)


def opened(data: bytes, name: str, *, large: bool = False) -> Package | Inspection:
    """Open a workbook that may be read, or tell the reason not to read the file. Never raises.

    `large` is for a register of staff's own, of which only some sheets are read: it may be longer than owners' files.
    """
    try:
        return _opened(data, name, large=large)
    except _StopError as stop:
        reason = str(stop)
        return Inspection("quarantined" if reason in QUARANTINED else "unreadable", reason)


def inspect(data: bytes, name: str) -> Inspection | None:
    """Find the reason not to read a file; None for a workbook that may be read. Never raises."""
    found = opened(data, name)
    return found if isinstance(found, Inspection) else None


def _opened(data: bytes, name: str, *, large: bool) -> Package:
    if len(data) > (MAX_TOTAL if large else MAX_FILE):
        _stop("too_big")
    if not data.startswith(b"PK\x03\x04"):
        _stop(_kind(data, name))
    try:
        package = Package(data)
        _inspect_package(data, package, large=large)
    except DoctypeError:
        _stop("doctype")
    except BROKEN:
        _stop("damaged" if b"PK\x05\x06" in data else "truncated")  # the directory stands at the end
    return package


# files that are no workbook

LOCK_NAMES = ("~$", ".~lock.")
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # the container of the programs before 2007
SIGNATURES = (
    (0, b"\x00\x05\x16\x07", "lock_file"),  # what macOS keeps beside a file
    (0, b"PK\x05\x06", "other_zip"),
    (0, b"Rar!", "archive"),
    (0, b"7z\xbc\xaf\x27\x1c", "archive"),
    (0, b"\x1f\x8b", "archive"),
    (0, b"BZh", "archive"),
    (0, b"\xfd7zXZ", "archive"),
    (257, b"ustar", "archive"),
    (0, b"\x89PNG", "image"),
    (0, b"\xff\xd8\xff", "image"),
    (0, b"GIF8", "image"),
    (0, b"II*\x00", "image"),
    (0, b"MM\x00*", "image"),
    (8, b"WEBP", "image"),
    (4, b"ftyphei", "image"),
    (4, b"ftypmif1", "image"),
    (0, b"{\\rtf", "word"),
    (0, b"\x78\x9f\x3e\x22", "winmail"),  # what Outlook packs attachments in for Outlook alone
)
HEAD = 4096  # bytes that tell text from other things
HTML = re.compile(rb"<!doctype html|<html|<table|^mime-version:", re.IGNORECASE)
NOT_TEXT = re.compile(rb"[\x00-\x08\x0e-\x1f]")


def _kind(data: bytes, name: str) -> str:
    """Tell what a file is that is no zip."""
    if name.startswith(LOCK_NAMES):
        return "lock_file"
    if not data:
        return "empty_file"
    if data.startswith(OLE):
        return _kind_of_ole(data)
    for offset, signature, kind in SIGNATURES:
        if data.startswith(signature, offset):
            return kind
    head = data[:HEAD]
    if b"%PDF-" in head:
        return "pdf"
    return _kind_of_text(head)


def _kind_of_text(head: bytes) -> str:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "csv_or_text"  # what Excel calls Unicode text
    if NOT_TEXT.search(head):
        return "not_a_workbook"
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if HTML.search(text):
        return "html"
    return "not_a_workbook" if text.startswith(b"<?xml") else "csv_or_text"


def _kind_of_ole(data: bytes) -> str:
    try:
        with olefile.OleFileIO(io.BytesIO(data)) as ole:
            streams = {path[0] for path in ole.listdir()}
    except Exception:  # noqa: BLE001 - olefile trusts what the file says of itself
        return "damaged"
    if "EncryptedPackage" in streams:
        return "password"
    if streams & {"Workbook", "Book"}:
        return "old_excel"
    if "__properties_version1.0" in streams:
        return "outlook_mail"
    return "word" if "WordDocument" in streams else "not_a_workbook"


# the zip and what is packed in it

DANGEROUS_NAME = re.compile(r"(?:^|/)\.\.(?:/|$)|^/|:|[\x00-\x1f]")
METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
ENCRYPTED = 0x1
LOCAL_HEADER = struct.Struct("<26xHH")  # the lengths of the name and the extra field that follow it


def _inspect_package(data: bytes, package: Package, *, large: bool) -> None:
    members = package.members
    _check_members(members)
    _check_kind(package.names())
    if len(package.names()) < len(members):  # equal but for case: two programs would choose differently
        _stop("unsafe_package")
    _check_no_overlap(data, members)
    _check_content_type(package)
    _check_parts(package.names())
    for sheet in package.sheets:
        _check_listed(sheet, package)
    sheets = {sheet.part for sheet in package.answer_sheets()}
    for part in package.names() - package.unread_parts():
        if part.endswith((".xml", ".rels")):
            xml = package.read(part)
            _check_xml(xml, is_sheet=part in sheets)
            if not large:
                _check_extent(xml, is_sheet=part in sheets)
    _check_formulas(package.read(package.main_part), DEFINED)


def _check_members(members: list[zipfile.ZipInfo]) -> None:
    if any(member.flag_bits & ENCRYPTED for member in members):
        _stop("password")
    total = sum(member.file_size for member in members)
    if len(members) > MAX_MEMBERS or total > MAX_TOTAL or any(map(_is_bomb, members)):
        _stop("zip_bomb")
    if any(map(_is_odd, members)):
        _stop("unsafe_package")


def _is_bomb(member: zipfile.ZipInfo) -> bool:
    ratio = member.file_size / max(member.compress_size, 1)
    return member.file_size > MAX_MEMBER or (member.file_size > RATIO_MATTERS and ratio > MAX_RATIO)


def _is_odd(member: zipfile.ZipInfo) -> bool:
    is_link = stat.S_ISLNK(member.external_attr >> 16)
    name = member.orig_filename.replace("\\", "/")
    return is_link or member.compress_type not in METHODS or bool(DANGEROUS_NAME.search(name))


def _check_kind(names: set[str]) -> None:
    if any(name.endswith(".iwa") for name in names) or "index.zip" in names:
        _stop("numbers")
    if "[content_types].xml" not in names:
        _stop("opendocument" if {"mimetype", "content.xml"} <= names else "other_zip")


def _check_no_overlap(data: bytes, members: list[zipfile.ZipInfo]) -> None:
    """Members stand one after the other from the first byte; those that share bytes are a bomb."""
    end = 0
    for member in sorted(members, key=lambda member: member.header_offset):
        start = member.header_offset
        if start < end or (end == 0 and start > 0):
            _stop("unsafe_package")
        end = start + LOCAL_HEADER.size + sum(LOCAL_HEADER.unpack_from(data, start)) + member.compress_size


def _check_content_type(package: Package) -> None:
    kind = package.main_content_type().casefold()
    if "wordprocessingml" in kind or "ms-word" in kind:
        _stop("word")
    if "excel.sheet.binary" in kind:
        _stop("xlsb")
    if "ms-excel" in kind:  # every such type that is left is one with macros
        _stop("macro")
    if "spreadsheetml" not in kind:
        _stop("not_a_workbook")


def _check_parts(names: set[str]) -> None:
    if any(name.endswith("vbaproject.bin") or "/macrosheets/" in name for name in names):
        _stop("macro")
    linked = ("/externallinks/", "/embeddings/", "/activex/", "/connections.xml")
    if any(part in name for name in names for part in linked):
        _stop("external_links")


def _check_listed(sheet: Sheet, package: Package) -> None:
    if "macrosheet" in sheet.kind.casefold():
        _stop("macro")
    if sheet.is_external:
        _stop("external_links")
    if sheet.part not in package.names():
        _stop("damaged")


# XML

PROLOG = re.compile(
    rb"""(?:\xef\xbb\xbf)?\s*+
    (?:<\?xml\b(?P<declaration>[^>]*+)>)?
    (?>\s+|<!--.*?-->|<\?.*?\?>)*+
    <(?:[^\s<>/:!?\x00]+:)?(?P<root>[^\s<>/:!?\x00]+)""",
    re.VERBOSE | re.DOTALL,
)
ENCODING = re.compile(rb"""encoding\s*=\s*["']([^"']*)["']""")
HOLDS_ASCII = frozenset({b"utf-8", b"utf8", b"us-ascii", b"ascii", b"iso-8859-1", b"windows-1252"})
# A cell that is not written the usual way within the caps: then every cell is looked at.
FAR_OR_ODD = re.compile(rb'<c(?=[\s/>])(?! r="(?:[A-Z]|[A-R][A-Z]|S[A-F])(?:[1-9]\d{0,3}|1\d{4}|20000)")')
PREFIXED = re.compile(rb":c[\s/>]")


def _check_xml(xml: bytes, *, is_sheet: bool) -> None:
    """Refuse a document type, in which entities are defined, wherever it stands.

    Its name is searched for in bytes, which is sure in encodings that hold ASCII as it is.
    """
    if b"<!DOCTYPE" in xml:
        _stop("doctype")
    prolog = PROLOG.match(xml)
    if prolog is None or not _holds_ascii(prolog["declaration"] or b""):
        _stop("damaged")
    if is_sheet:
        _check_sheet(xml, prolog["root"])


def _holds_ascii(declaration: bytes) -> bool:
    encoding = ENCODING.search(declaration)
    return encoding is None or encoding[1].lower() in HOLDS_ASCII


def _check_sheet(xml: bytes, root: bytes) -> None:
    if root != b"worksheet":
        _stop("damaged")
    _check_formulas(xml, FORMULA)


def _check_extent(xml: bytes, *, is_sheet: bool) -> None:
    if len(xml) > SHORTEST_ELEMENT * MAX_ELEMENTS and xml.count(b"<") - xml.count(b"</") > MAX_ELEMENTS:
        _stop("zip_bomb")
    if is_sheet and (FAR_OR_ODD.search(xml) or PREFIXED.search(xml)):
        row, column = farthest(xml)
        if row > MAX_ROW or column > MAX_COLUMN:
            _stop("far_cell")


# formulas that reach out of the workbook; none is ever calculated here, but staff open the file

FORMULA, DEFINED = (
    [re.compile(begin + element + rb">([^<]*+(?:<[!?])?+)") for begin in (b"<", b":")]
    for element in (rb"F(?:\s[^>]*+)?+", rb"DEFINEDNAME\s[^>]*+")
)
REACHING = rb"WEBSERVICE|DDE|RTD|CALL|REGISTER|EXEC|IMPORTDATA|IMPORTXML|IMPORTRANGE"
OPENED = rb"HYPERLINK\s*\(\s*(?:&quot;|\")\s*(?:HTTPS?:|FTP:|FILE:|MAILTO:|\\\\)"
REACHES = re.compile(rb"\b(?:" + REACHING + rb")(?:\.ID)?\s*\(|" + OPENED)
BAR = re.compile(rb"\|(?<=[\w']\|)")  # cmd|'/c calc'!A0: another program's answer (DDE)
UPPER, DIGITS = bytes(range(ASCII * 2)).upper(), b"0123456789"
HIDING = re.compile(rb"<!--.*?-->|<!\[CDATA\[|\]\]>|<\?.*?\?>", re.DOTALL)
LOOSE = re.compile(rb"&(?!(?:AMP|LT|GT|QUOT|APOS|#X?[A-F]*+);)")
NUMBERED = re.compile(rb"&#(?:[xX]([0-9A-Fa-f]{1,6})|(\d{1,7}));")


def _check_formulas(xml: bytes, formulas: list[re.Pattern[bytes]]) -> None:
    """Refuse a formula that reaches out. First all are looked at without digits: those of a column are then one."""
    alike = b"\n".join(_found(formulas, xml.translate(UPPER, DIGITS)))
    if LOOSE.search(alike):
        _stop("damaged")  # an entity that XML does not know
    is_doubted = b"<" in alike or b"&#" in alike or _reaches(alike)
    if is_doubted and any(map(_reaches, _found(formulas, _as_read(xml).translate(UPPER)))):
        _stop("reaching_formula")


def _found(patterns: list[re.Pattern[bytes]], xml: bytes) -> set[bytes]:
    return {text for pattern in patterns for text in pattern.findall(xml)}


def _as_read(xml: bytes) -> bytes:
    """The same without what XML allows within a word: comments, and characters by their number."""
    return NUMBERED.sub(_character, HIDING.sub(b"", xml))


def _character(numbered: re.Match[bytes]) -> bytes:
    number = int(numbered[1], 16) if numbered[1] else int(numbered[2])
    return chr(number).encode() if number < ASCII and chr(number) not in "<>&" else numbered[0]


def _reaches(formula: bytes) -> bool:
    bar = BAR.search(formula)
    return bool(REACHES.search(formula) or (bar and b"!" in formula[bar.end() :]))


# what may be read in our own process

FEW_BYTES, FEW_UNPACKED, FEW_PARSED = 4 * MB, 64 * MB, 8 * MB


def is_harmless(data: bytes, name: str) -> bool:
    """Whether reading a file can cost our own process little: it is refused as it is, or small and safe."""
    if len(data) > MAX_FILE:
        return True  # not read at all
    try:
        package = Package(data)
        _check_members(package.members)
        if len(data) > FEW_BYTES or sum(member.file_size for member in package.members) > FEW_UNPACKED:
            return False
        parsed = package.names() - package.unread_parts()
        return package.size(parsed) < FEW_PARSED or inspect(data, name) is not None
    except (*BROKEN, _StopError):
        return len(data) <= FEW_BYTES  # no workbook: it is told what it is, and not opened
