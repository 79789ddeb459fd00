"""An IMAP mailbox -> raw mails in inbox/. Mails are read without being marked as read, and stay where they are.

Each mail is on the disk before the ledger names it, and in the ledger before it is flagged, so a run
that breaks off at any point loses none: the next one fetches what the ledger does not name.
"""

import os
import re
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from hashlib import sha256
from imaplib import IMAP4
from pathlib import Path
from typing import TYPE_CHECKING, Any

from intake.collected import Collected, add, read_collected
from intake.mail import MailError, OpenedMail, open_mail
from intake.sources import MAX_OPENED, NOT_WHOLE, SourceError
from templates.round import Mailbox

if TYPE_CHECKING:
    from imap_tools import BaseMailBox

TIMEOUT = 60  # seconds a server may be silent
MAX_MAIL = MAX_OPENED  # bytes; intake would not open a larger one
AT_ONCE = 500  # mails that are listed in one question
KEYWORD = "$behov"  # what we flag mails with that are in inbox/
CAME_BACK = "returned"  # beside inbox/: mails about letters of ours that came back
PASSWORD = "BEHOV_IMAP_PASSWORD"  # noqa: S105 - the name of the variable
LISTED = "(UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS (MESSAGE-ID FROM SUBJECT)])"
WHOLE = "(UID BODY.PEEK[])"

Counted = Callable[[str, int], AbstractContextManager[Callable[[int], None]]]
TakesBack = Callable[[bytes], bool]


def _nothing(_raw: bytes) -> bool:
    return False


class MailboxError(SourceError):
    """A mailbox that cannot be read: one sentence that says what to do."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One mail in the folder, as the server lists it."""

    uid: str
    received: datetime
    size: int  # bytes
    is_flagged: bool
    opened: OpenedMail  # from the headers alone

    @property
    def self_same(self) -> tuple[str, int, datetime] | None:
        return (self.opened.mail.message_id, self.size, self.received) if self.opened.mail.message_id else None


@dataclass(frozen=True, slots=True)
class Fetched:
    """One mail that is in inbox/ now, or in returned/ when it is about a letter of ours."""

    path: Path
    listed: Listed
    attachments: int
    came_back: bool = False  # it says that a letter of ours was not delivered


@dataclass(frozen=True, slots=True)
class Collection:
    """What one run found in the mailbox."""

    settings: Mailbox
    new: list[Fetched]
    known: int  # mails that an earlier run fetched
    too_big: list[Listed]  # left for a person
    missed: int  # mails that the server did not hand out this time

    @property
    def needs_a_person(self) -> bool:
        return bool(self.too_big or self.missed or any(one.came_back for one in self.new))


def collect(  # noqa: PLR0913 - what one run needs
    settings: Mailbox | None,
    password: str | None,
    inbox: Path,
    ledger: Path,
    progress: Counted,
    takes_back: TakesBack = _nothing,
    *,
    flag: bool = True,
) -> Collection:
    """Fetch what is new in the mailbox into `inbox`. Raises MailboxError, SourceError.

    `takes_back` is shown every mail before the ledger names it: it sees to letters of ours that come back,
    tells whether the mail was about one, and must bear to be shown the same mail twice. Without `flag`
    the mailbox is left as it was.
    """
    if settings is None:
        raise MailboxError("round.toml names no mailbox; fill in [mailbox], or save the mails in inbox/ yourself")
    if not password:
        raise MailboxError(f"there is no password for the mailbox; put it in {PASSWORD}")
    before = read_collected(ledger)
    inbox.mkdir(parents=True, exist_ok=True)
    with _connected(settings, password) as mailbox:
        folder = _Folder(mailbox, settings, inbox, ledger, before, takes_back)
        listed = list(folder.listed())
        new, known, too_big = folder.sorted_out(listed)
        with progress("Fetching", len(new)) as step:
            fetched = [one for mail in new if (one := folder.fetched(mail, step)) is not None]
        if flag:
            folder.flag([mail for mail in (*known, *(one.listed for one in fetched)) if not mail.is_flagged])
    missed = folder.count - len(known) - len(too_big) - len(fetched)
    return Collection(settings, fetched, len(known), too_big, missed)


class _Folder:
    """The folder of one mailbox, and what has been fetched from it."""

    def __init__(
        self,
        mailbox: "BaseMailBox",
        settings: Mailbox,
        inbox: Path,
        ledger: Path,
        before: list[Collected],
        takes_back: TakesBack,
    ) -> None:
        self.client, self.settings = mailbox.client, settings
        self.inbox, self.ledger, self.takes_back = inbox, ledger, takes_back
        self.name = f"{settings.user} at {settings.host}: {settings.folder}"
        self.uidvalidity = self._told("UIDVALIDITY") or "0"
        self.flags = self._told("PERMANENTFLAGS").casefold().strip("()").split()
        self.places = {line.place for line in before}
        self.fetched_before = {line.self_same for line in before} - {None}
        self.count = 0  # mails in the folder

    def _told(self, what: str) -> str:
        """What the server said of the folder when it was opened."""
        said = self.client.response(what)[1]
        return said[-1].decode("ascii", "replace") if said and said[-1] else ""

    def listed(self) -> Iterator[Listed]:
        """Every mail in the folder. Those the server tells too little of are left out."""
        found = self._command("SEARCH", "ALL")[0]
        uids = found.decode("ascii").split() if isinstance(found, bytes) else []
        self.count = len(uids)
        for start in range(0, len(uids), AT_ONCE):
            for words, headers in self._asked(",".join(uids[start : start + AT_ONCE]), LISTED):
                if (mail := _listed(words, headers)) is not None:
                    yield mail

    def sorted_out(self, listed: list[Listed]) -> tuple[list[Listed], list[Listed], list[Listed]]:
        """Tell the new mails from those known, by their place or by themselves, and from those that are too big."""
        new: list[Listed] = []
        known: list[Listed] = []
        for mail in listed:
            here = (self.name, self.uidvalidity, mail.uid) in self.places
            (known if here or mail.self_same in self.fetched_before else new).append(mail)
        small = [mail for mail in new if mail.size <= MAX_MAIL]
        return small, known, [mail for mail in new if mail.size > MAX_MAIL]

    def fetched(self, mail: Listed, step: Callable[[int], None]) -> Fetched | None:
        """Save one mail and enter it in the ledger; None when somebody has taken it away meanwhile."""
        raw = next((content for _, content in self._asked(mail.uid, WHOLE)), None)
        step(1)
        if raw is None:
            return None
        came_back = self.takes_back(raw)
        path = (self.inbox.with_name(CAME_BACK) if came_back else self.inbox) / self._file_name(mail)
        path.parent.mkdir(exist_ok=True)
        _write(path, raw)
        digest = sha256(raw).hexdigest()
        add(
            self.ledger,
            Collected(
                self.name, self.uidvalidity, mail.uid, mail.opened.mail.message_id, mail.size, mail.received,
                path.name, digest,
            ),
        )  # fmt: skip
        return Fetched(path, mail, 0 if came_back else _count(raw), came_back=came_back)

    def _file_name(self, mail: Listed) -> str:
        """A name that is the same in every run, and another for every mail of every mailbox."""
        known_by = f"{self.name}\n{mail.opened.mail.message_id}"
        return f"{self.uidvalidity}-{mail.uid:0>8}-{sha256(known_by.encode()).hexdigest()[:12]}.eml"

    def flag(self, mails: list[Listed]) -> None:
        """Flag mails as fetched where the server lets us; it is for people to see, and nothing hangs on it."""
        if KEYWORD not in self.flags and "\\*" not in self.flags:
            return
        # not the library's own way, which also removes for good what others have marked as deleted
        for start in range(0, len(mails), AT_ONCE):
            uids = ",".join(mail.uid for mail in mails[start : start + AT_ONCE])
            with suppress(MailboxError):
                self._command("STORE", uids, "+FLAGS.SILENT", f"({KEYWORD})")

    def _asked(self, uids: str, what: str) -> Iterator[tuple[str, bytes]]:
        """For each mail, what the server says of it before and after the text that was asked for, and that text."""
        answer = self._command("FETCH", uids, what)
        for number, item in enumerate(answer):
            if isinstance(item, tuple):
                after = answer[number + 1] if number + 1 < len(answer) else b""
                rest = after if isinstance(after, bytes) else b""
                yield (item[0] + rest).decode("ascii", "replace"), item[1]

    def _command(self, name: str, *words: str) -> list[Any]:
        with _unbroken(self.settings):
            status, answer = self.client.uid(name, *words)
        if status != "OK":
            raise MailboxError(f"{self.settings.host} says no to {name} ({answer!r}); run behov collect again later")
        return answer


def _listed(words: str, headers: bytes) -> Listed | None:
    uid = re.search(r"\bUID (\d+)", words)
    size = re.search(r"\bRFC822\.SIZE (\d+)", words)
    date = re.search(r'\bINTERNALDATE " ?([^"]+)"', words)
    flags = re.search(r"\bFLAGS \(([^)]*)\)", words)
    if not (uid and size and date):
        return None
    try:
        received = parsedate_to_datetime(date[1].replace("-", " ", 2)).astimezone(UTC)
        opened = open_mail(headers)
    except (ValueError, OverflowError, MailError):
        return None
    is_flagged = KEYWORD in (flags[1].casefold().split() if flags else ())
    return Listed(uid[1], received, int(size[1]), is_flagged, opened)


def _count(raw: bytes) -> int:
    try:
        return len(open_mail(raw).attachments)
    except MailError:
        return 0  # intake tells


def _write(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all."""
    temporary = path.with_name(f"{path.name}{NOT_WHOLE}")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


# the connection


@contextmanager
def _connected(settings: Mailbox, password: str) -> Iterator["BaseMailBox"]:
    """Open the folder over a connection whose certificate is verified, and hang up after. Raises MailboxError."""
    mailbox = _connect(settings)
    try:
        _log_in(mailbox, settings, password)
        _open_folder(mailbox, settings)
        yield mailbox
    finally:
        with suppress(IMAP4.error, OSError):
            mailbox.client.logout()
        with suppress(IMAP4.error, OSError):
            mailbox.client.shutdown()  # a server that hung up has not let logout come this far


def _connect(settings: Mailbox) -> "BaseMailBox":
    try:
        from imap_tools import MailBox, MailBoxStartTls  # noqa: PLC0415 - an extra, and only for fetching
    except ImportError:
        raise MailboxError("fetching mail needs one more package; install it with: pip install imap-tools") from None
    at, trust = f"{settings.host} (port {settings.port})", ssl.create_default_context()
    kind = MailBox if settings.tls == "ssl" else MailBoxStartTls
    try:
        return kind(settings.host, settings.port, TIMEOUT, ssl_context=trust)
    except ssl.SSLCertVerificationError as error:
        raise MailboxError(
            f"the certificate of {at} cannot be trusted: {error.verify_message}. The password has not been sent. "
            "Check mailbox.host in round.toml; if it is right, ask those who run the mail server"
        ) from None
    except (ssl.SSLError, IMAP4.error, ValueError) as error:
        other = "starttls" if settings.tls == "ssl" else "ssl"
        raise MailboxError(
            f'{at} does not encrypt in the way of tls = "{settings.tls}" ({error}). The password has not been sent. '
            f'Try tls = "{other}" in round.toml, with its port'
        ) from None
    except socket.gaierror:
        raise MailboxError(
            f"there is no server {settings.host} to be found; check mailbox.host in round.toml and your network"
        ) from None
    except OSError as error:
        raise MailboxError(
            f"{at} does not answer ({error}); check mailbox.port in round.toml and your network"
        ) from None


def _log_in(mailbox: "BaseMailBox", settings: Mailbox, password: str) -> None:
    from imap_tools import MailboxLoginError  # noqa: PLC0415

    log_in = mailbox.login if f"{settings.user}{password}".isascii() else mailbox.login_utf8
    with _unbroken(settings):
        try:
            log_in(settings.user, password, initial_folder=None)
        except IMAP4.abort:
            raise
        except (MailboxLoginError, IMAP4.error):
            raise MailboxError(
                f"{settings.host} does not let {settings.user} in; check mailbox.user in round.toml "
                f"and the password in {PASSWORD}"
            ) from None


def _open_folder(mailbox: "BaseMailBox", settings: Mailbox) -> None:
    from imap_tools import MailboxFolderSelectError  # noqa: PLC0415

    with _unbroken(settings):
        try:
            mailbox.folder.set(settings.folder)
        except IMAP4.readonly:
            mailbox.folder.set(settings.folder, readonly=True)
        except MailboxFolderSelectError:
            folders = ", ".join(folder.name for folder in mailbox.folder.list())
            raise MailboxError(
                f"the mailbox has no folder «{settings.folder}»; write one of these in round.toml: {folders}"
            ) from None


@contextmanager
def _unbroken(settings: Mailbox) -> Iterator[None]:
    try:
        yield
    except (IMAP4.error, OSError) as error:
        raise MailboxError(
            f"the connection to {settings.host} broke ({error}). What has been fetched is safe in inbox/; "
            "run behov collect again"
        ) from None
