"""Letters -> e-mail: laid out as text and HTML, with its headers, its files and whom it goes to."""

import re
from base64 import b64encode
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from datetime import datetime
from email import message_from_bytes
from email.errors import MessageError
from email.header import decode_header, make_header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from email.utils import format_datetime, make_msgid
from pathlib import Path
from typing import cast

from outputs.letters.feedback import Attachment, Letter
from outputs.letters.stationery import STANDARD, Stationery
from outputs.letters.words import TEXTS, clean
from templates.recipients import EMAIL, Recipient
from templates.round import Mail, Office, RoundError
from templates.texts import Texts, load_texts

ENCODED_WORD = re.compile(rb"=\?utf-8\?[bq]\?[^?]*\?=")
LONGEST_WORD = 75  # bytes of one of them (RFC 2047, 2)
ROOM = 45  # bytes in one, encoded as base64


class _Unfolded(EmailPolicy):
    """Headers in one line, with no encoded word longer than a mail program need take.

    The standard library loses spaces where it folds a header between words that it encodes.
    """

    def fold_binary(self, name: str, value: str) -> bytes:
        return ENCODED_WORD.sub(_in_short_words, super().fold_binary(name, value))


def _in_short_words(found: re.Match[bytes]) -> bytes:
    """Give an encoded word that is too long as several; what is between them is not seen."""
    if len(found[0]) <= LONGEST_WORD:
        return found[0]
    pieces = [""]
    for character in str(make_header(decode_header(found[0].decode("ascii")))):
        if len((pieces[-1] + character).encode()) > ROOM:
            pieces.append("")
        pieces[-1] += character
    return b"\r\n ".join(b"=?utf-8?b?" + b64encode(piece.encode()) + b"?=" for piece in pieces)


UNFOLDED = cast("EmailPolicy[EmailMessage]", _Unfolded(linesep="\r\n", max_line_length=900))
XLSX = "vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MEGABYTE = 1_000_000
ENCODED = 1.37  # bytes on the wire for each byte of a file
MESSAGE_ID = re.compile(r"<[!-;=?-~]+@[!-;=?-~]+>")  # visible ASCII in angle brackets


class MailError(RoundError):
    """A round that cannot send mail: one sentence that says what to do."""


UNSENT = "X-Unsent"  # by which Outlook opens the file of a letter ready to be sent, not as one that has come


def write_message(
    letter: Letter,
    office: Office,
    made: datetime,
    files: Sequence[Attachment] = (),
    mail: Mail | None = None,
    house: Stationery = STANDARD,
) -> EmailMessage:
    """Lay a letter out as an e-mail to the recipient's registered addresses, and to no other.

    Files that make it larger than `mail` allows are left out, and the letter says where they are.
    Raises MailError when the office has no address of its own.
    """
    if not registered_address(office.email):
        raise MailError(f"round.toml: office.email is «{office.email}», which is not one e-mail address")
    kept, letter = _with_room(letter, files, mail or Mail(), house.texts)
    message = EmailMessage(policy=SMTP)
    message["Subject"] = letter.subject
    message["From"] = message["Reply-To"] = Address(display_name=clean(office.name), addr_spec=office.email)
    address_to(message, letter.recipient)
    message["Date"] = format_datetime(made)
    message["Message-ID"] = new_id(message)
    if answered := [item.message_id for item in letter.about if MESSAGE_ID.fullmatch(item.message_id)]:
        message["In-Reply-To"] = message["References"] = " ".join(dict.fromkeys(answered))
    message["Auto-Submitted"] = "auto-generated"
    if mail and not mail.host:
        message[UNSENT] = "1"
    message.set_content(house.layout("letter.txt").render(letter=letter), cte="quoted-printable")
    html = house.layout("letter.html").render(letter=letter)
    message.add_alternative(html, subtype="html", cte="quoted-printable")
    for file in kept:
        message.add_attachment(file.content, maintype="application", subtype=XLSX, filename=file.name)
    message["Content-Language"] = letter.recipient.language  # last, so that it is about all parts
    message.policy = UNFOLDED
    return message


def read_message(path: Path) -> EmailMessage:
    """Read a letter from its file, to send exactly what was looked at."""
    message = message_from_bytes(path.read_bytes(), policy=UNFOLDED)
    assert isinstance(message, EmailMessage)
    return message


def dated(message: EmailMessage, moment: datetime) -> EmailMessage:
    """Give the message the time at which it leaves."""
    if message["Date"]:
        message.replace_header("Date", format_datetime(moment))
    else:
        message["Date"] = format_datetime(moment)
    return message


def redirected(message: EmailMessage, address: str) -> EmailMessage:
    """Give a copy for a test address, with a subject that says whom the letter is for.

    It is another message than the one the owner gets, so it has another Message-ID.
    """
    copy = deepcopy(message)
    to = ", ".join(one.addr_spec for one in message["To"].addresses) if message["To"] else "–"
    language = str(message["Content-Language"])
    subject = load_texts(TEXTS).say("redirected", language, to=to, subject=message["Subject"])
    for name, value in (("To", address), ("Subject", clean(subject)), ("Message-ID", new_id(message))):
        del copy[name]
        copy[name] = value
    return copy


def words_of(message: EmailMessage) -> str:
    """Give the subject, an empty line, and the text, for a person to change."""
    part = message.get_body(("plain",))
    text = str(part.get_content()) if part else ""
    return f"{message['Subject']}\n\n{text}".replace("\r\n", "\n")


def reworded(message: EmailMessage, words: str) -> EmailMessage:
    """Give the message with other words, as `words_of` gives them; without HTML, which would say something else.

    Raises ValueError when there is no subject or no text.
    """
    subject, _, rest = words.replace("\r\n", "\n").partition("\n")
    text = rest.strip()
    if not clean(subject) or not rest.startswith("\n") or not text:
        raise ValueError("write the subject, an empty line, and then what the letter says")
    copy = deepcopy(message)
    copy.replace_header("Subject", clean(subject))
    for part in list(copy.walk()):
        if part.is_multipart():
            part.set_payload([one for one in part.iter_parts() if one.get_content_type() != "text/html"])
        elif part.get_content_type() == "text/plain" and not part.is_attachment():
            part.set_content(f"{text}\n", cte="quoted-printable")
            del part["MIME-Version"]
    return copy


def new_id(message: EmailMessage) -> str:
    """Make a Message-ID that no other message has, under the sender's own domain."""
    return make_msgid(domain=message["From"].addresses[0].domain)


# whom


def address_to(message: EmailMessage, recipient: Recipient) -> None:
    """See to it that the recipient's registered addresses are the only ones of the message."""
    to = addresses(recipient)
    for name in ("Cc", "Bcc") if _is_to(message, to) else ("To", "Cc", "Bcc"):
        del message[name]
    if to and not message["To"]:
        main, *contact = to
        named = Address(display_name=clean(recipient.name), addr_spec=main)
        message["To"] = (named, *(Address(addr_spec=address) for address in contact))


def _is_to(message: EmailMessage, to: Sequence[str]) -> bool:
    written = message["To"]
    return bool(written) and not written.defects and [one.addr_spec for one in written.addresses] == to


def addresses(recipient: Recipient) -> list[str]:
    """List where a recipient's letters go: the registered address, and a registered contact at its domain."""
    main, contact = map(registered_address, (recipient.email, recipient.contact_email))
    if not main:
        return []
    return [main] if contact in {None, main} or _domain(main) != _domain(str(contact)) else [main, str(contact)]


def registered_address(email: str) -> str | None:
    """Give the address if it is exactly one that every mail server takes, without hidden characters."""
    if not (EMAIL.fullmatch(email) and email.isascii() and email.isprintable()):
        return None
    try:
        return Address(addr_spec=email).addr_spec
    except (ValueError, MessageError):
        return None


def _domain(address: str) -> str:
    return address.rpartition("@")[2].casefold()


# what it holds


def with_room(files: Sequence[Attachment], mail: Mail) -> list[Attachment]:
    """Choose the files there is room for in one message."""
    kept, room = [], mail.max_megabytes * MEGABYTE
    for file in files:
        size = len(file.content) * ENCODED
        if size <= room:
            kept.append(file)
            room -= size
    return kept


def _with_room(
    letter: Letter, files: Sequence[Attachment], mail: Mail, texts: Texts
) -> tuple[list[Attachment], Letter]:
    """Choose the files there is room for; say in the letter where those that are left out can be had."""
    kept = with_room(files, mail)
    key, place = "left_out_at" if mail.large_files else "left_out", clean(mail.large_files)
    left_out = (file for file in files if file not in kept)
    said = [texts.say(key, letter.recipient.language, file=file.name, place=place) for file in left_out]
    return kept, replace(letter, steps=(*said, *letter.steps))
