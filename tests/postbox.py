"""A real mail server on this machine, with STARTTLS and AUTH, that misbehaves as it is told."""

import gc
import socket
import ssl
import warnings
from asyncio import StreamReader, Transport
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

AUTHORITY = trustme.CA()  # made for this run
USER, PASSWORD = "kontoret", "hemmelig"
OK, DROP = "250 OK", "drop"


class Postbox:
    """What the server answers at each step, and what it has taken in.

    `plans` holds the answers to come, by step: mail, rcpt, data, body, end. When there is none
    left the answer is yes. The answer `DROP` cuts the connection instead; at `end` the letter has
    been taken in by then.
    """

    def __init__(self, **plans: list[str]) -> None:
        self.plans: defaultdict[str, list[str]] = defaultdict(list, plans)
        self.got: list[tuple[list[str], bytes]] = []  # to whom, and the message
        self.senders: list[str] = []
        self.connections = 0

    def answer(self, server: SMTP, step: str) -> str:
        said = self.plans[step].pop(0) if self.plans[step] else OK
        if said == DROP:
            assert isinstance(server.transport, Transport)
            server.transport.abort()
        return said

    async def handle_EHLO(  # noqa: N802 - the server calls it so
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        del server, envelope
        self.connections += session.ssl is not None
        session.host_name = hostname
        return responses

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        del session
        said = self.answer(server, "mail")
        if said == OK:
            self.senders.append(address)
            envelope.mail_from, envelope.mail_options = address, options
        return said

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        del session, options
        said = self.answer(server, "rcpt")
        if said == OK:
            envelope.rcpt_tos.append(address)
        return said

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        del session
        planned = self.plans["end"][:1]
        if planned in ([], [OK], [DROP]):
            assert isinstance(envelope.content, bytes)
            self.got.append((list(envelope.rcpt_tos), envelope.content))
        return self.answer(server, "end")


class Server(SMTP):
    """The server proper; it can break off before and in the middle of a message."""

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        postbox = self.event_handler
        assert isinstance(postbox, Postbox)
        if (said := postbox.answer(self, "data")) != OK:
            await self.push(said)
        elif postbox.plans["body"]:
            await self.push("354 go on")
            assert isinstance(self._reader, StreamReader)
            await self._reader.read(10)
            postbox.answer(self, "body")
        else:
            await super().smtp_DATA(arg)


class Posthouse(Controller):
    def factory(self) -> Server:
        return Server(self.handler, **self.SMTP_kwargs)


def _let_in(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object) -> AuthResult:
    del server, session, envelope, mechanism
    return AuthResult(success=data == LoginPassword(USER.encode(), PASSWORD.encode()), handled=False)


@contextmanager
def serving(postbox: Postbox, tls: str = "starttls") -> Iterator[int]:
    """Run the server in a thread; gives its port."""
    encryption = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    AUTHORITY.issue_cert("localhost").configure_cert(encryption)
    with socket.create_server(("localhost", 0)) as free:
        port = int(free.getsockname()[1])
    ways: dict[str, dict[str, Any]] = {
        "starttls": {"tls_context": encryption, "require_starttls": True, "auth_required": True},
        "ssl": {"ssl_context": encryption, "auth_require_tls": False},
        "none": {"auth_require_tls": False},
    }
    house = Posthouse(postbox, hostname="localhost", port=port, authenticator=_let_in, **ways[tls])
    house.start()
    try:
        yield port
    finally:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)  # a stopped server leaves its ends of lines open
            house.stop()
            del house
            gc.collect()


def trust_file(folder: Path) -> Path:
    """Write the authority's certificate, for SSL_CERT_FILE."""
    path = folder / "authority.pem"
    AUTHORITY.cert_pem.write_to_path(str(path))
    return path
