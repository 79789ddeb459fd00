"""The skjemakode: the signed identity that every sent workbook carries."""

import hmac
import re
from dataclasses import dataclass
from hashlib import sha256

from templates.form import Form

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: no I, L, O, U to misread
CHECK_LENGTH = 8  # 40 bits: a mistyped or made-up code passes once in 10^12
SIGNATURE_LENGTH = 32  # hexadecimal digits: 128 bits
DASHES = "\u2010\u2011\u2012\u2013\u2014\u2212"  # what programs and people put for a hyphen
BLANKS = re.compile(r"\s*-\s*")
CODE = re.compile(
    r"(?<![0-9A-Z])([A-Z0-9]{2,8})-(\d{4,6})-(\d{1,3})-(\d{9})-([0-9A-Za-z.]{1,20})-([0-9A-Z]{8})(?![0-9A-Z])"
)


@dataclass(frozen=True)
class Stamp:
    """Whose workbook this is: report (BM24-0007-1), recipient (orgnr), form version, check block."""

    report: str
    recipient: str
    version: str
    check: str

    @property
    def code(self) -> str:
        return f"{self.report}-{self.recipient}-{self.version}-{self.check}"


def make_stamp(form: Form, report: str, recipient: str, key: bytes) -> Stamp:
    """The stamp of one workbook, signed with the round's key."""
    return Stamp(report, recipient, form.version, _check(form.name, report, recipient, form.version, key))


def is_genuine(stamp: Stamp, form: Form, key: bytes) -> bool:
    """Whether this round signed the stamp."""
    return hmac.compare_digest(stamp.check, _check(form.name, stamp.report, stamp.recipient, stamp.version, key))


def sign_locked(stamp: Stamp, locked: str, key: bytes) -> str:
    """The signature of the locked values a workbook was sent with, as hexadecimal digits."""
    message = f"locked\n{stamp.report}\n{stamp.recipient}\n{locked}".encode()
    return hmac.new(key, message, sha256).hexdigest()[:SIGNATURE_LENGTH]


def is_signed(stamp: Stamp, locked: str, signature: str, key: bytes) -> bool:
    """Whether this round sent the workbook with these locked values."""
    return hmac.compare_digest(signature.encode(), sign_locked(stamp, locked, key).encode())


def find_stamps(text: str) -> list[Stamp]:
    """Every skjemakode in a text, however its hyphens and spaces came through."""
    plain = BLANKS.sub("-", text.translate(dict.fromkeys(map(ord, DASHES), "-")))
    return [
        Stamp(f"{code}-{number}-{copy}", orgnr, version, check)
        for code, number, copy, orgnr, version, check in CODE.findall(plain)
    ]


def report_id(form: Form, number: int, copy: int) -> str:
    """The id of a report: the form's code, the recipient's number, the copy."""
    return f"{form.file.code}-{number:04d}-{copy}"


def _check(form: str, report: str, recipient: str, version: str, key: bytes) -> str:
    message = f"skjemakode\n{form}\n{report}\n{recipient}\n{version}".encode()
    digest = int.from_bytes(hmac.new(key, message, sha256).digest()[:8])
    return "".join(ALPHABET[(digest >> shift) & 31] for shift in range(59, 59 - 5 * CHECK_LENGTH, -5))
