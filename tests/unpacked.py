"""The bytes of a file as somebody who looks for a name would find them: unpacked, and mails with what they carry."""

import email
import email.policy
import io
import zipfile
from email.message import EmailMessage
from pathlib import Path

import polars as pl


def unpacked(path: Path) -> bytes:
    """Give all bytes of a file, and of what lies in it."""
    return b"\n".join(_parts(path.name, path.read_bytes()))


def holding(path: Path, words: list[str] | tuple[str, ...]) -> list[str]:
    """List those of the words that a file holds."""
    content = unpacked(path)
    return [word for word in words if word.encode() in content]


def _parts(name: str, content: bytes) -> list[bytes]:
    if zipfile.is_zipfile(io.BytesIO(content)):
        with zipfile.ZipFile(io.BytesIO(content)) as parts:
            return [part for one in parts.namelist() for part in _parts(one, parts.read(one))]
    if name.endswith(".eml"):
        return [part for one in _letter(content).walk() for part in _carried(one)]
    if name.endswith(".parquet"):
        return [pl.read_parquet(io.BytesIO(content)).write_csv().encode()]
    return [content]


def _letter(content: bytes) -> EmailMessage:
    letter = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(letter, EmailMessage)
    return letter


def _carried(part: EmailMessage) -> list[bytes]:
    heads = [str(part.items()).encode()]
    if part.is_multipart():
        return heads
    content = part.get_content()
    return [*heads, *_parts(part.get_filename() or "", content if isinstance(content, bytes) else content.encode())]
