"""One saved e-mail (.eml): what was attached, who sent it, and when our mail server received it.

Everything in a mail is written by its sender but for what the last mail server put on top of it:
the first `Received`. So the time of receipt is that one's. `Date` is the sender's own clock, and
the `Received` further down came with the mail, whatever servers they name.
"""

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message
from email.policy import Compat32
from email.utils import getaddresses, parsedate_to_datetime

from intake.names import shown
from intake.submission import Mail
from templates.recipients import EMAIL

SUFFIX = ".eml"
MAX_PARTS = 1_000
MAX_HEADER = 4_000  # characters of one; reading a longer one takes the standard library minutes
# How often these may stand in a mail; attachments hold none of them. Each begins a header, more of one, or a part,
# and the parser would make something of every one.
MOST = ((b":", 200_000), (b"\n ", 100_000), (b"\n\t", 100_000), (b"\n--", 20_000))
YEARS = range(1990, 2200)  # a clock outside them shows nothing

# Parts that are no attachment: what mail programs add to every mail of their own accord.
ADDED = frozenset({
    "application/pkcs7-signature", "application/x-pkcs7-signature", "application/pgp-signature",
    "application/pgp-keys", "message/delivery-status", "message/disposition-notification",
    "message/external-body", "text/calendar", "text/directory", "text/rfc822-headers", "text/vcard", "text/x-vcard",
})  # fmt: skip
ADDED_NAME = re.compile(r"ATT\d{5,}\.(?:txt|html?)", re.IGNORECASE)  # Exchange, of the text after an attachment
ENCRYPTED = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime", "multipart/encrypted"})
REPORT = "multipart/report"  # that a letter of ours was not delivered, or was read
UNOPENED = frozenset({REPORT, "multipart/encrypted"})

log = logging.getLogger(__name__)


class MailError(Exception):
    """A mail that nobody can take apart."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file in a mail; the name is the sender's, empty when there is none."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class OpenedMail:
    """A mail taken apart. `forwarded_from` is the sender of the first mail that lies in this one."""

    mail: Mail
    received: datetime | None
    forwarded_from: str
    attachments: list[Attachment] = field(default_factory=list)
    is_report: bool = False
    is_encrypted: bool = False


class _AnyBytes(Compat32):
    """Headers as text, those with raw bytes too: UTF-8 if it is that, else what Windows wrote."""

    def header_fetch_parse(self, name: str, value: str) -> str:  # noqa: ARG002 - the policy's own shape
        value = value[:MAX_HEADER]
        if value.isascii():
            return value
        raw = value.encode("utf-8", "surrogateescape")
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            return raw.decode("cp1252", "replace")


POLICY = _AnyBytes()
Part = Message


def is_mail(name: str) -> bool:
    return name.casefold().endswith(SUFFIX)


def open_mail(raw: bytes) -> OpenedMail:
    """Take a mail apart. Raises MailError, and nothing else, however it is made."""
    if any(raw.count(mark) > most for mark, most in MOST):
        raise MailError
    try:
        return _open(raw)
    except Exception as error:
        log.info("a mail could not be taken apart", exc_info=True)
        raise MailError from error


def _open(raw: bytes) -> OpenedMail:
    message: Part = message_from_bytes(raw, policy=POLICY)
    parts = list(_parts(message))
    inner = next((part for part in parts if part is not message and _is_nested(part)), None)
    forwarded = _opened_nested(inner) if inner is not None else None
    mail = Mail(
        shown(_text(message, "Message-ID")),
        _sender(message),
        shown(_text(message, "Subject")),
        _moment(_text(message, "Date")),
        _received(forwarded) if forwarded is not None else None,
    )
    return OpenedMail(
        mail,
        _received(message),
        _sender(forwarded) if forwarded is not None else "",
        [Attachment(_file_name(part), _content(part)) for part in parts if _is_attachment(part)],
        is_report=message.get_content_type() == REPORT,
        is_encrypted=any(part.get_content_type() in ENCRYPTED for part in parts),
    )


# the headers


def _text(message: Part, name: str) -> str:
    return _decoded(str(message.get(name, "")))


def _decoded(text: str) -> str:
    """Read words that were written in another character set (RFC 2047), in file names too, as Outlook does."""
    if "=?" not in text:
        return text
    try:
        return str(make_header(decode_header(text)))
    except (ValueError, LookupError):  # so is email.errors.HeaderParseError
        return text


def _sender(message: Part) -> str:
    """The address in From, in small letters; empty when there is not one that could be written to."""
    # the address is picked out first: a name in it may decode to an address of its own
    addresses = [address for _, address in getaddresses([str(message.get("From", ""))])]
    address = shown(addresses[0]).casefold() if addresses else ""
    return address if EMAIL.fullmatch(address) else ""


def _received(message: Part) -> datetime | None:
    """When the last server received it; None when that one does not say: those below it prove nothing."""
    stamps = message.get_all("Received") or [""]
    return _moment(str(stamps[0]).rpartition(";")[2])


def _moment(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(" ".join(text.split()))
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)  # -0000: a server that knows UTC alone
        return moment.astimezone(UTC) if moment.year in YEARS else None
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


# the parts


def _parts(message: Part) -> Iterator[Part]:
    """List every part with something in it, those of mails within the mail too; what a report quotes is our own."""
    waiting, count = [message], 0
    while waiting:
        part = waiting.pop(0)
        count += 1
        if count > MAX_PARTS:
            raise MailError
        yield part
        kind = part.get_content_type()
        if kind in UNOPENED:
            continue
        if _is_nested(part):
            waiting.insert(0, _opened_nested(part))
            continue
        inner = _inner(part)
        if kind == "multipart/related":  # pictures that the text shows
            inner = [each for each in inner if each.get_content_maintype() != "image"]
        waiting[:0] = inner


def _inner(part: Part) -> list[Part]:
    payload = part.get_payload()
    return [each for each in payload if isinstance(each, Message)] if isinstance(payload, list) else []


def _is_nested(part: Part) -> bool:
    return part.get_content_type() == "message/rfc822"


def _opened_nested(part: Part) -> Part:
    """Give the mail in a part, from base64 too: the standard forbids that, and programs write it."""
    inner = _inner(part)
    if inner and inner[0].keys():
        return inner[0]
    text = inner[0].get_payload() if inner else part.get_payload()
    wrapped: Part = Message(policy=POLICY)
    wrapped["Content-Transfer-Encoding"] = part.get("Content-Transfer-Encoding", "7bit")
    wrapped.set_payload(str(text))
    return message_from_bytes(_content(wrapped), policy=POLICY)


def _is_attachment(part: Part) -> bool:
    kind, disposition = part.get_content_type(), part.get_content_disposition()
    if part.is_multipart() or _is_nested(part) or kind in ADDED | ENCRYPTED:
        return False
    if kind.startswith("image/"):  # in the text of a mail or under it: a logo, a signature
        return disposition != "inline" and "Content-ID" not in part
    if kind.startswith("text/"):
        name = _file_name(part)
        return bool(disposition == "attachment" or name) and not ADDED_NAME.fullmatch(name)
    return True


def _file_name(part: Part) -> str:
    return shown(_decoded(part.get_filename() or ""))


def _content(part: Part) -> bytes:
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""
