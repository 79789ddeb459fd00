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

from intake.package import DoctypeError, Package, PackageError, Sheet, walk_sheet

MB = 1 << 20
MAX_FILE = 20 * MB
MAX_MEMBERS = 3_000
MAX_MEMBER, MAX_TOTAL = 150 * MB, 300 * MB
MAX_RATIO, RATIO_MATTERS = 250, 4 * MB  # a sheet of equal rows may shrink a lot, and is small
MAX_ELEMENTS, SHORTEST_ELEMENT = 1_500_000, 4  # in one part; <c/>
MAX_ROW, MAX_COLUMN = 20_000, 500  # a value farther out makes the reader allocate everything before it

QUARANTINED = frozenset({"macro", "zip_bomb", "doctype", "external_links", "far_cell", "unsafe_package"})
BROKEN = (
    zipfile.BadZipFile, zlib.error, ExpatError, EOFError, struct.error,
    OSError, ValueError, RuntimeError, OverflowError, PackageError,
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


def inspect(data: bytes, name: str) -> Inspection | None:
    """Find the reason not to read a file; None for a workbook that may be read. Never raises."""
    try:
        _inspect(data, name)
    except _StopError as stop:
        reason = str(stop)
        return Inspection("quarantined" if reason in QUARANTINED else "unreadable", reason)
    return None


def _inspect(data: bytes, name: str) -> None:
    if len(data) > MAX_FILE:
        _stop("too_big")
    if not data.startswith(b"PK\x03\x04"):
        _stop(_kind(data, name))
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _inspect_zip(data, archive)
    except DoctypeError:
        _stop("doctype")
    except BROKEN:
        _stop("damaged" if b"PK\x05\x06" in data else "truncated")  # the directory stands at the end


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
    except (OSError, ValueError, struct.error, IndexError, TypeError, AttributeError):
        return "damaged"
    if "EncryptedPackage" in streams:
        return "password"
    if streams & {"Workbook", "Book"}:
        return "old_excel"
    return "word" if "WordDocument" in streams else "not_a_workbook"


# the zip and what is packed in it

DANGEROUS_NAME = re.compile(r"(?:^|/)\.\.(?:/|$)|^/|:|[\x00-\x1f]")
METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
ENCRYPTED = 0x1
LOCAL_HEADER = struct.Struct("<26xHH")  # the lengths of the name and the extra field that follow it
UNREAD = "customxml/"  # what other programs left there, in any encoding


def _inspect_zip(data: bytes, archive: zipfile.ZipFile) -> None:
    members = archive.infolist()
    package = Package(archive)
    _check_members(members)
    _check_kind(package.names())
    if len(package.names()) < len(members):  # equal but for case: two programs would choose differently
        _stop("unsafe_package")
    _check_no_overlap(data, members)
    _check_content_type(package)
    _check_parts(package.names())
    sheets = {sheet.part for sheet in package.sheets() if _is_worksheet(sheet, package)}
    for part in package.names():
        if part.endswith((".xml", ".rels")) and not part.startswith(UNREAD):
            _check_xml(package.read(part), is_sheet=part in sheets)


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


def _is_worksheet(sheet: Sheet, package: Package) -> bool:
    if "macrosheet" in sheet.kind.casefold():
        _stop("macro")
    if sheet.is_external:
        _stop("external_links")
    if sheet.part not in package.names():
        _stop("damaged")
    return sheet.kind.endswith("/worksheet")


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
    if len(xml) > SHORTEST_ELEMENT * MAX_ELEMENTS and xml.count(b"<") - xml.count(b"</") > MAX_ELEMENTS:
        _stop("zip_bomb")
    if is_sheet:
        _check_sheet(xml, prolog["root"])


def _holds_ascii(declaration: bytes) -> bool:
    encoding = ENCODING.search(declaration)
    return encoding is None or encoding[1].lower() in HOLDS_ASCII


def _check_sheet(xml: bytes, root: bytes) -> None:
    if root != b"worksheet":
        _stop("damaged")
    if FAR_OR_ODD.search(xml) or PREFIXED.search(xml):
        row, column = walk_sheet(xml).farthest
        if row > MAX_ROW or column > MAX_COLUMN:
            _stop("far_cell")


def error_cells(data: bytes) -> dict[str, set[str]]:
    """List the cells that show an error such as #REF!, by the name of their sheet.

    The reader gives them as empty. For files that `inspect` has let through.
    """
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        package = Package(archive)
        parts = ((sheet.name, package.read(sheet.part)) for sheet in package.sheets())
        marked = {name: xml for name, xml in parts if b't="e"' in xml or b"t='e'" in xml}
    return {name: walk_sheet(xml).errors for name, xml in marked.items()}
