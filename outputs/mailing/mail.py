"""One SMTP connection, and the conversation that hands over one message. Only this file knows yagmail."""

import os
import re
import smtplib
import socket
import ssl
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from email.message import EmailMessage
from importlib import import_module
from typing import TYPE_CHECKING

from outputs.letters.message import MailError
from outputs.letters.words import clean
from outputs.register.letter_states import FAILED, QUEUED, SENT, UNCERTAIN
from templates.round import Mail

if TYPE_CHECKING:
    import yagmail

PASSWORD = "BEHOV_SMTP_PASSWORD"  # noqa: S105 - the name of the variable
TIMEOUT = 60  # seconds a mail server may be silent
TIMEOUT_AT_END = 600  # and while it looks at a message it has just been given (RFC 5321, 4.5.3.2.6)
OK, GO_ON = range(200, 300), 354
SERVICE_STOPS = 421
PERMANENT = 500  # this answer and above: asking again does not help
TOO_LARGE = 552


@dataclass(frozen=True, slots=True)
class Delivery:
    """How handing over one message ended.

    sent; failed (refused for good); queued (the server has not taken it and may be asked again);
    uncertain (the connection broke when the server had all of it, so a person must find out).
    """

    state: str
    words: str = ""  # the server's
    goes_on: bool = True  # whether the connection can be used again
    refused: tuple[str, ...] = ()  # the addresses of a letter that was sent, but not to all


class UnreachableError(MailError):
    """A mail server that is not there just now."""


def password_of(server: Mail) -> str | None:
    """Find the password of the mail server's user, in the environment or the keyring; nobody is asked.

    The keyring is that of the optional package `keyring`, under the name of the host.
    """
    if not server.user:
        return None
    if password := os.environ.get(PASSWORD):
        return password
    with suppress(Exception):  # no keyring here, or none that opens without a person
        return str(import_module("keyring").get_password(server.host, server.user) or "") or None
    return None


class Line:
    """An open connection. Raises MailError when there is none to be had."""

    def __init__(self, server: Mail) -> None:
        """Connect with a certificate that the machine believes, and log in."""
        self.taken = 0  # messages that the server has been asked to take
        self._client = _connect(server, usable_password(server))
        self._smtp: smtplib.SMTP = self._client.smtp

    def close(self) -> None:
        with suppress(OSError):  # which smtplib's own errors are
            self._client.close()

    def send(self, message: EmailMessage, sender: str, to: Sequence[str]) -> Delivery:
        """Hand over one message. Raises MailError when the server takes nothing from us."""
        self.taken += 1
        data = _on_the_wire(message)
        try:
            refusal, not_to = self._announce(sender, to, len(data))
            if refusal:
                return self._refused(*refusal)
            self._smtp.send(data)
        except OSError as error:  # without the end of the message, the server must not deliver it
            return Delivery(QUEUED, clean(f"the connection broke: {error}"), goes_on=False)
        return self._finish(not_to)

    def _announce(
        self, sender: str, to: Sequence[str], size: int
    ) -> tuple[tuple[int, bytes] | None, dict[str, tuple[int, bytes]]]:
        """Say who sends to whom; give the server's no to all, or else its no to some."""
        code, words = self._smtp.mail(sender, [f"size={size}"] if self._smtp.has_extn("size") else [])
        if code >= PERMANENT and code != TOO_LARGE:
            raise MailError(f"the mail server takes nothing from {sender}: {_told(code, words)}")
        if code not in OK:
            return (code, words), {}
        answers = {address: self._smtp.rcpt(address) for address in to}
        refused = {address: answer for address, answer in answers.items() if answer[0] not in OK}
        if len(refused) == len(answers):
            return min(refused.values()), {}  # one that may be asked again counts before one that may not
        code, words = self._smtp.docmd("DATA")
        if code != GO_ON:
            return (code, words), {}
        return None, refused

    def _finish(self, not_to: Mapping[str, tuple[int, bytes]]) -> Delivery:
        """End the message; from here on the server may have taken it, whatever we hear."""
        try:
            assert self._smtp.sock is not None  # it was a moment ago
            self._smtp.sock.settimeout(TIMEOUT_AT_END)
            self._smtp.send(b".\r\n")
            code, words = self._smtp.getreply()
            self._smtp.sock.settimeout(TIMEOUT)
        except OSError as error:
            return Delivery(UNCERTAIN, clean(f"the connection broke before the answer: {error}"), goes_on=False)
        if code not in OK:
            return self._refused(code, words)
        notes = (f"not to {address}: {_told(*answer)}" for address, answer in not_to.items())
        return Delivery(SENT, "; ".join([_told(code, words), *notes]), refused=tuple(not_to))

    def _refused(self, code: int, words: bytes) -> Delivery:
        delivery = Delivery(FAILED if code >= PERMANENT else QUEUED, _told(code, words), code != SERVICE_STOPS)
        if delivery.goes_on:
            try:
                self._smtp.rset()
            except OSError:
                return Delivery(delivery.state, delivery.words, goes_on=False)
        return delivery


def usable_password(server: Mail) -> str | None:
    """Give the password, if one is needed. Raises MailError for settings that no connection can be made with."""
    password = password_of(server)
    if not server.host:
        raise MailError("round.toml names no mail server; fill in [mail], or send the letters in outbox/ yourself")
    if server.user and not password:
        raise MailError(f"there is no password for {server.user} at {server.host}; put it in {PASSWORD}")
    if password and not password.isascii():
        raise MailError(f"the password of {server.user} has letters that mail servers do not take, such as æ, ø and å")
    return password


def _connect(server: Mail, password: str | None) -> "yagmail.SMTP":
    import yagmail  # noqa: PLC0415 - only for sending

    encrypted = {"context": ssl.create_default_context()}
    client = yagmail.SMTP(
        user=server.sender or server.user,
        password=password,
        host=server.host,
        port=server.port,
        smtp_ssl=server.tls_first,
        smtp_starttls=False if server.tls_first else encrypted,  # by itself yagmail believes any certificate
        smtp_skip_login=not server.user,
        soft_email_validation=False,
        timeout=TIMEOUT,
        **(encrypted if server.tls_first else {}),
    )
    client.user = server.user  # yagmail makes an address of a name without @
    try:
        client.login()
        # without this a long message waits for the acknowledgement of the one before it
        client.smtp.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError as error:
        if client.smtp is not None:
            client.smtp.close()
        raise _explained(server, error) from error
    return client


def _explained(server: Mail, error: OSError) -> MailError:
    if isinstance(error, smtplib.SMTPAuthenticationError):
        words = _told(error.smtp_code, error.smtp_error)
        return MailError(f"the mail server {server.host} refuses the user {server.user} or the password: {words}")
    if isinstance(error, ssl.SSLCertVerificationError):
        return MailError(f"the certificate of {server.host} cannot be verified: {error.verify_message}")
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return MailError(f"{server.host} has no encryption or no login on port {server.port} ({error}); see [mail]")
    return UnreachableError(f"no connection to the mail server {server.host}, port {server.port}: {error}")


def _on_the_wire(message: EmailMessage) -> bytes:
    """Give the bytes of a message, all but its end; a line that begins with a dot gets one more."""
    data = re.sub(rb"^\.", b"..", message.as_bytes(), flags=re.MULTILINE)
    return data if data.endswith(b"\r\n") else data + b"\r\n"


def _told(code: int, words: bytes | str) -> str:
    return clean(f"{code} {words.decode('utf-8', 'replace') if isinstance(words, bytes) else words}")
