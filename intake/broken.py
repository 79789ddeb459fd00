"""Files that owners send instead of a readable workbook: for the demo and tests."""

import io
import struct
from collections.abc import Callable

Made = tuple[str, bytes]  # file name, content

SECTOR = 512  # bytes, [MS-CFB] version 3
END, FREE, FAT = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD
STREAM_SECTORS = 8  # 4096 bytes: a shorter stream would need the mini FAT


def pdf(_data: bytes, report: str) -> Made:
    """A PDF that was given an Excel name."""
    return (
        f"{report}.xlsx",
        b"%PDF-1.7\n1 0 obj << /Type /Catalog >> endobj\ntrailer << /Root 1 0 R >>\n%%EOF\n",
    )


def empty(_data: bytes, report: str) -> Made:
    """A file of no bytes, as an interrupted save leaves it."""
    return f"{report} ferdig.xlsx", b""


def truncated(data: bytes, report: str) -> Made:
    """A workbook whose last part never arrived."""
    return f"{report} (1).xlsx", data[: len(data) * 2 // 3]


def password(_data: bytes, report: str) -> Made:
    """A workbook saved with a password: an OLE container with an encrypted package."""
    return f"{report} låst.xlsx", ole_container(("EncryptionInfo", "EncryptedPackage"))


def foreign(_data: bytes, _report: str) -> Made:
    """Another workbook altogether."""
    from openpyxl import Workbook  # noqa: PLC0415 - heavy, and only made-up owners need it

    workbook = Workbook()
    workbook.worksheets[0]["A1"] = "Melk, brød, ost"
    buffer = io.BytesIO()
    workbook.save(buffer)
    return "skjema (2).xlsx", buffer.getvalue()


def unchanged(data: bytes, report: str) -> Made:
    """The workbook as it was sent, with nothing filled in."""
    return f"{report} til dere.xlsx", data


BROKEN: dict[str, Callable[[bytes, str], Made]] = {
    "pdf": pdf,
    "empty": empty,
    "truncated": truncated,
    "password": password,
    "foreign": foreign,
    "unchanged": unchanged,
}


def ole_container(streams: tuple[str, ...]) -> bytes:
    """Make a small compound file with these streams ([MS-CFB]), each of 4096 bytes of nothing."""
    first = 3  # sector 0 is the FAT, 1 and 2 the directory
    starts = [first + number * STREAM_SECTORS for number in range(len(streams))]
    table = [FAT, 2, END]
    for start in starts:
        table += [*range(start + 1, start + STREAM_SECTORS), END]
    table += [FREE] * (SECTOR // 4 - len(table))
    entries = [_entry("Root Entry", 5, END, 0, child=1)]
    for number, (name, start) in enumerate(zip(streams, starts, strict=True), 1):
        right = number + 1 if number < len(streams) else FREE
        entries.append(_entry(name, 2, start, STREAM_SECTORS * SECTOR, right=right))
    directory = b"".join(entries).ljust(2 * SECTOR, b"\0")
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    header += struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, END, 0, END, 0) + struct.pack("<109I", 0, *[FREE] * 108)
    return header + struct.pack(f"<{SECTOR // 4}I", *table) + directory + bytes(len(streams) * STREAM_SECTORS * SECTOR)


def _entry(name: str, kind: int, start: int, size: int, *, right: int = FREE, child: int = FREE) -> bytes:
    text = name.encode("utf-16-le") + b"\0\0"
    head = text.ljust(64, b"\0") + struct.pack("<HBBIII", len(text), kind, 1, FREE, right, child)
    return head + bytes(36) + struct.pack("<IQ", start, size)
