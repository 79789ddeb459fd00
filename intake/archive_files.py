"""One zip file of returned files: its members, each within the caps, and those that cannot be had.

Nothing is unpacked to the place a member names. A workbook is a zip file too; it is not opened here.
"""

import io
import stat
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass

from intake.guard import BROKEN, MAX_RATIO, MB, RATIO_MATTERS

MAX_MEMBER, MAX_TOTAL = 50 * MB, 500 * MB  # bytes; a member that is smaller and too large is told by the guard
LEAST = 64 << 10  # bytes that a member counts for at least, so that there is an end to their number too
MAX_LISTED = 100_000  # members, and those of the zip files among them; more are not even listed
LISTED = b"PK\x01\x02"  # how the line of a member in the directory begins
MAGIC = (b"PK\x03\x04", b"PK\x05\x06")  # the second is an empty one
DOCUMENTS = (".xlsx", ".xlsm", ".xltx", ".xltm", ".xlsb", ".docx", ".docm", ".pptx", ".ods", ".odt", ".numbers")
OF_A_DOCUMENT = frozenset({"[Content_Types].xml", "mimetype", "Index.zip", "Index/Document.iwa"})
SYSTEM_FILES = frozenset({".ds_store", "thumbs.db", "desktop.ini"})  # made by programs, never by an owner
MAC_FOLDER, MAC_FILE = "__MACOSX/", "._"
ENCRYPTED, UTF_8 = 0x1, 0x800  # bits of a member's flags
# Zip files from Norwegian Windows: Python takes their names for code page 437, where ø is ¢.
TAKEN_FOR, DOS_NAMES = "cp437", "cp850"
NOT_SUPPORTED = (*BROKEN, NotImplementedError)  # a way of packing that Python does not know


class UnsafeZipError(Exception):
    """A zip file that is not opened: too much would come out of it."""


@dataclass(frozen=True, slots=True)
class Member:
    """One file in a zip file. `content` is None when it is encrypted or damaged."""

    name: str
    content: bytes | None
    is_encrypted: bool = False


def may_be_zip(name: str, head: bytes) -> bool:
    """Whether it is worth reading all of a file that begins like this."""
    return head.startswith(MAGIC) and not name.casefold().endswith(DOCUMENTS)


def is_zip(name: str, content: bytes) -> bool:
    """Whether a file is a zip file of files: not a document, and whole enough to list what is in it."""
    if not may_be_zip(name, content):
        return False
    if _has_too_many(content):
        return True
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return OF_A_DOCUMENT.isdisjoint(archive.namelist())
    except NOT_SUPPORTED:
        return False


def unpacked(content: bytes, budget: int = MAX_TOTAL) -> Iterator[Member]:
    """Give the members one by one, in order of name; what programs put there of their own accord is left out.

    Raises UnsafeZipError before the first, when they would be more than `budget` bytes, or one is past the caps.
    """
    if _has_too_many(content):
        raise UnsafeZipError
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = [member for member in archive.infolist() if _is_file(member)]
        if sum(max(member.file_size, LEAST) for member in members) > budget or any(map(_is_bomb, members)):
            raise UnsafeZipError
        for member in sorted(members, key=lambda member: member.filename):
            yield _read(archive, member)


def _has_too_many(content: bytes) -> bool:
    return content.count(LISTED) > MAX_LISTED


def is_system_file(name: str) -> bool:
    return name.casefold() in SYSTEM_FILES


def _is_file(member: zipfile.ZipInfo) -> bool:
    name = member.filename.rpartition("/")[2]
    made_by_mac = member.filename.startswith(MAC_FOLDER) or name.startswith(MAC_FILE)
    is_link = stat.S_ISLNK(member.external_attr >> 16)
    return not (member.is_dir() or made_by_mac or is_link or is_system_file(name))


def _is_bomb(member: zipfile.ZipInfo) -> bool:
    ratio = member.file_size / max(member.compress_size, 1)
    return member.file_size > MAX_MEMBER or (member.file_size > RATIO_MATTERS and ratio > MAX_RATIO)


def _read(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Member:
    name = _name(member)
    if member.flag_bits & ENCRYPTED:
        return Member(name, None, is_encrypted=True)
    try:
        with archive.open(member) as file:
            return Member(name, file.read(member.file_size))  # never more than the size it was checked with
    except NOT_SUPPORTED:
        return Member(name, None)


def _name(member: zipfile.ZipInfo) -> str:
    """Read a name as the program wrote it: marked as UTF-8, UTF-8 without the mark, or the code page of Windows."""
    if member.flag_bits & UTF_8:
        return member.filename
    raw = member.filename.encode(TAKEN_FOR, "replace")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode(DOS_NAMES)
