"""Letters -> e-mail: laid out as text and HTML, and sent over one connection."""

import smtplib
import socket
import ssl
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import FileSystemLoader, StrictUndefined, Template
from jinja2.sandbox import ImmutableSandboxedEnvironment

from outputs.feedback import Letter
from outputs.letters.words import clean
from templates.recipients import EMAIL
from templates.round import Mail, Office, RoundError

if TYPE_CHECKING:
    import yagmail

# The standard library loses spaces where it folds a header between words that it encodes.
UNFOLDED = SMTP.clone(max_line_length=900)
LAYOUTS = Path(__file__).parent / "letters"
WIDTH = 76  # characters in a line of text
TIMEOUT = 60  # seconds a mail server may be silent
SMTPS = 465  # the port where TLS comes first
SERVICE_STOPS = 421
PERMANENT = 500  # this answer and above: asking again does not help


class MailError(RoundError):
    """A round that cannot send mail: one sentence that says what to do."""


# the message


def write_message(letter: Letter, office: Office, made: datetime) -> EmailMessage:
    """Lay a letter out as an e-mail to the recipient's registered address, and to no other.

    Raises MailError when the office has no address of its own.
    """
    if not registered_address(office.email):
        raise MailError(f"round.toml: office.email is «{office.email}», which is not one e-mail address")
    message = EmailMessage(policy=SMTP)
    message["Subject"] = letter.subject
    message["From"] = message["Reply-To"] = _address(office.name, office.email)
    if to := registered_address(letter.recipient.email):
        message["To"] = _address(letter.recipient.name, to)
    message["Date"] = format_datetime(made)
    message["Message-ID"] = make_msgid(domain=office.email.rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(_layout("letter.txt").render(letter=letter), cte="quoted-printable")
    html = _layout("letter.html").render(letter=letter)
    message.add_alternative(html, subtype="html", cte="quoted-printable")
    message["Content-Language"] = letter.recipient.language  # now it is about both parts
    message.policy = UNFOLDED
    return message


def read_message(path: Path) -> EmailMessage:
    """Read a letter from its file, to send exactly what was looked at."""
    message = message_from_bytes(path.read_bytes(), policy=UNFOLDED)
    assert isinstance(message, EmailMessage)
    return message


def registered_address(email: str) -> str | None:
    """Give the address if it is exactly one that every mail server takes, without hidden characters."""
    if not (EMAIL.fullmatch(email) and email.isascii() and email.isprintable()):
        return None
    try:
        return Address(addr_spec=email).addr_spec
    except (ValueError, MessageError):
        return None


def _address(name: str, email: str) -> Address:
    return Address(display_name=clean(name), addr_spec=email)


@cache
def _layout(name: str) -> Template:
    environment = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(LAYOUTS),
        autoescape=name.endswith(".html"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals["WIDTH"] = WIDTH
    return environment.get_template(name)


# sending


@dataclass(frozen=True, slots=True)
class Delivery:
    """How sending one message ended.

    sent; failed (refused for good); queued (refused for now); sending (the connection broke
    while the server had it, so a person must find out).
    """

    message: EmailMessage
    state: str
    note: str = ""


def send(
    messages: Iterable[EmailMessage], server: Mail, password: str | None, trust: ssl.SSLContext | None = None
) -> Iterator[Delivery]:
    """Send each message over one connection and tell how it went before the next is taken.

    `trust` decides which certificates are believed; by default those the machine believes.
    Ends early when the server says no to all; the rest is not taken. Raises MailError when there
    is no connection.
    """
    client, waiting = connect(server, password, trust), iter(messages)
    try:
        while True:
            if not _alive(client.smtp):  # many servers hang up after a number of messages
                _hang_up(client)
                client = connect(server, password, trust)
            message = next(waiting, None)
            if message is None:
                return
            delivery, goes_on = _deliver(client.smtp, message, server.sender)
            yield delivery
            if not goes_on:
                return
    finally:
        _hang_up(client)


def connect(server: Mail, password: str | None, trust: ssl.SSLContext | None = None) -> "yagmail.SMTP":
    """Open a connection with a verified certificate. Raises MailError."""
    import yagmail  # noqa: PLC0415 - only for sending

    if not server.host:
        raise MailError("round.toml names no mail server; fill in [mail], or send the letters in outbox/ yourself")
    if server.user and not password:
        raise MailError("there is no password for the mail server; put it in BEHOV_MAIL_PASSWORD")
    trust = trust or ssl.create_default_context()
    encrypted = {"context": trust}
    at_once = server.port == SMTPS
    client = yagmail.SMTP(
        user=server.sender or server.user,
        password=password,
        host=server.host,
        port=server.port,
        smtp_ssl=at_once,
        smtp_starttls=False if at_once else encrypted,
        smtp_skip_login=not server.user,
        soft_email_validation=False,
        timeout=TIMEOUT,
        **(encrypted if at_once else {}),
    )
    client.user = server.user  # yagmail makes an address of a name without @
    try:
        client.login()
    except (OSError, smtplib.SMTPException) as error:
        if client.smtp is not None:
            client.smtp.close()
        raise MailError(f"no connection to the mail server {server.host}: {error}") from error
    # without this a long message waits for the acknowledgement of the one before it
    client.smtp.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return client


def _alive(smtp: smtplib.SMTP) -> bool:
    try:
        return smtp.noop()[0] < SERVICE_STOPS
    except (OSError, smtplib.SMTPException):
        return False


def _hang_up(client: "yagmail.SMTP") -> None:
    with suppress(OSError, smtplib.SMTPException):
        client.close()


def _deliver(smtp: smtplib.SMTP, message: EmailMessage, sender: str) -> tuple[Delivery, bool]:
    """Send one message; tell how it went and whether the connection can be used again."""
    try:
        smtp.send_message(message, from_addr=sender or None)
    except smtplib.SMTPRecipientsRefused as error:
        answer = next(iter(error.recipients.values()))
        return _refused(message, *answer)
    except smtplib.SMTPSenderRefused as error:  # it would refuse the others too
        return Delivery(message, "queued", f"{error.smtp_code} {error.smtp_error!r}"), False
    except smtplib.SMTPResponseException as error:
        return _refused(message, error.smtp_code, error.smtp_error)
    except (OSError, smtplib.SMTPException) as error:
        return Delivery(message, "sending", f"the connection broke: {error}"), False
    return Delivery(message, "sent"), True


def _refused(message: EmailMessage, code: int, answer: bytes | str) -> tuple[Delivery, bool]:
    words = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    state = "failed" if code >= PERMANENT else "queued"
    return Delivery(message, state, clean(f"{code} {words}")), code != SERVICE_STOPS
