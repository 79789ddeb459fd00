"""A real IMAP server for the tests: Debian's dovecot, in a folder of its own, with a certificate made for it."""

import imaplib
import os
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from getpass import getuser
from pathlib import Path

import trustme

HOST, PASSWORD = "localhost", "hemmelig-øl"
STARTS_WITHIN = 20  # seconds
NOBODY = "mail"  # whom dovecot runs as when the tests run as root, which it refuses to be
CONFIG = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
protocols = imap
default_login_user = {user}
default_internal_user = {user}
default_internal_group = {group}
listen = 127.0.0.1
ssl = required
ssl_cert = <{folder}/server.pem
ssl_key = <{folder}/server.key
auth_mechanisms = plain login
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={folder}/mail/%u
}}
mail_location = maildir:{folder}/mail/%u
first_valid_uid = 1
mail_fsync = never
auth_failure_delay = 0
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {starttls}
  }}
  inet_listener imaps {{
    port = {tls}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
"""


@dataclass
class Server:
    """One mailbox on a running server, which has one for every name."""

    folder: Path
    tls: int  # port
    starttls: int  # port
    trust: Path  # the certificate of who signed the server's
    user: str = "nobody@kontoret.example"

    @contextmanager
    def opened(self) -> Iterator[imaplib.IMAP4_SSL]:
        """A connection as any mail program has it."""
        context = ssl.create_default_context(cafile=str(self.trust))
        with imaplib.IMAP4_SSL(HOST, self.tls, ssl_context=context, timeout=STARTS_WITHIN) as client:
            client.authenticate("PLAIN", lambda _: f"\0{self.user}\0{PASSWORD}".encode())
            yield client

    def add(self, *mails: EmailMessage | bytes, received: datetime, folder: str = "INBOX", flags: str = "") -> None:
        """Put mails into the mailbox as if they came then."""
        with self.opened() as client:
            for one in mails:
                raw = one if isinstance(one, bytes) else one.as_bytes()
                status, said = client.append(folder, flags, imaplib.Time2Internaldate(received), raw)
                assert status == "OK", said

    def flags(self, folder: str = "INBOX") -> list[str]:
        """The flags of every mail, in order."""
        with self.opened() as client:
            client.select(folder, readonly=True)
            _, said = client.fetch("1:*", "(FLAGS)")
        return [line.decode().partition("FLAGS (")[2].rstrip(")") for line in said if isinstance(line, bytes)]


def program() -> str | None:
    """Dovecot, where it is installed; Debian puts it where only root looks."""
    return shutil.which("dovecot") or shutil.which("dovecot", path="/usr/sbin:/usr/local/sbin")


@contextmanager
def running() -> Iterator[Server]:
    """Start a server, and stop it after."""
    name = NOBODY if os.geteuid() == 0 else getuser()
    folder = Path(tempfile.mkdtemp(prefix="imap-", dir="/tmp"))  # short: so must the paths of sockets be
    server = Server(folder, _free_port(), _free_port(), folder / "ca.pem")
    try:
        _write_config(server, name)
        as_whom = {"user": name, "group": _group(name), "extra_groups": []} if os.geteuid() == 0 else {}
        dovecot = subprocess.Popen(
            [str(program()), "-F", "-c", folder / "dovecot.conf"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **as_whom,  # type: ignore[call-overload]
        )  # fmt: skip
        try:
            _wait(server, dovecot)
            yield server
        finally:
            dovecot.terminate()
            dovecot.wait(STARTS_WITHIN)
    finally:
        shutil.rmtree(folder)


def _group(name: str) -> str:
    import grp  # noqa: PLC0415 - Windows has neither, and no dovecot
    import pwd  # noqa: PLC0415

    return grp.getgrgid(pwd.getpwnam(name).pw_gid).gr_name


def _write_config(server: Server, user: str) -> None:
    authority, folder = trustme.CA(), server.folder
    certificate = authority.issue_cert(HOST)
    authority.cert_pem.write_to_path(server.trust)
    certificate.private_key_pem.write_to_path(folder / "server.key")
    for number, part in enumerate(certificate.cert_chain_pems):
        part.write_to_path(folder / "server.pem", append=number > 0)
    values = {"folder": folder, "user": user, "group": _group(user), "password": PASSWORD}
    text = CONFIG.format(**values, tls=server.tls, starttls=server.starttls)
    (folder / "dovecot.conf").write_text(text, encoding="utf-8")
    if os.geteuid() == 0:
        for path in (folder, *folder.iterdir()):
            shutil.chown(path, user, _group(user))


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _wait(server: Server, dovecot: "subprocess.Popen[bytes]") -> None:
    last = time.monotonic() + STARTS_WITHIN
    while dovecot.poll() is None and time.monotonic() < last:
        with suppress(OSError, imaplib.IMAP4.error), server.opened():
            return
        time.sleep(0.1)
    raise RuntimeError(f"dovecot did not start: {(server.folder / 'log').read_text(encoding='utf-8')}")
