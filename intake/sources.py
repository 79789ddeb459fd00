"""Where returns come from: files, folders, zip files and saved e-mails; when each was received, and from whom."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from zoneinfo import ZoneInfo

from intake.archive_files import LEAST, MAX_TOTAL, UnsafeZipError, is_system_file, is_zip, may_be_zip, unpacked
from intake.guard import MB
from intake.mail import MailError, OpenedMail, is_mail, open_mail
from intake.names import Names, label
from intake.remote import RemoteError, fetched, is_remote
from intake.submission import MAIL_SERVER, MAILBOX, STATED, Return, Trouble
from templates.texts import load_texts

MAX_OPENED = 100 * MB  # a larger mail or zip file is not opened; the guard says that it is too big
MAX_DEPTH = 8  # mails within mails
NOT_WHOLE = ".behov-part"  # how the names of mails end that are not fetched to their end
TEXTS = Path(__file__).parent / "texts.toml"


class SourceError(Exception):
    """A path or a mailbox that cannot be taken in: one sentence that says what to do."""


@dataclass(frozen=True)
class Inlet:
    """What is known of what comes in: the clock on our wall, our own address, when each collected mail came.

    `unpacked` is a folder for what lies in other files; the caller keeps it until all is read.
    """

    zone: ZoneInfo
    unpacked: Path
    office: str = ""  # mails from this address, and from others at its domain, are forwarded by ourselves
    collected: Mapping[str, datetime] = field(default_factory=dict)  # by SHA-256 of the mail
    stated: datetime | None = None  # when files that do not tell themselves were received


def find_returns(paths: Iterable[Path], inlet: Inlet) -> list[Return]:
    """Every file under these paths, in order of name; folders, mails and zip files are searched to the bottom.

    A mail is received when its server says, and what lies in it too. Any other file is received when
    it is stated to be, else when it was last changed, which is a guess.
    Raises SourceError for a path that does not exist or cannot be read.
    """
    return [found for path, copy in _files(paths, inlet.unpacked).items() for found in _found(path, copy, inlet)]


def _files(paths: Iterable[Path], folder: Path) -> dict[Path, Path]:
    """Every file by its path, and where its bytes are; of a URL, in this folder."""
    files: dict[Path, Path] = {}
    for path in paths:
        found = _fetched(path, folder) if is_remote(path) else _here(path)
        files.update({item: copy for item, copy in found.items() if not _is_left_out(item.name)})
    return files


def _here(path: Path) -> dict[Path, Path]:
    if not path.exists():
        raise SourceError(f"{path} does not exist; give a file or a folder of returned workbooks")
    found = sorted(item for item in path.rglob("*") if item.is_file()) if path.is_dir() else [path]
    return {item: item for item in found}


def _fetched(path: Path, folder: Path) -> dict[Path, Path]:
    try:
        found = dict(fetched(path, folder))
    except RemoteError as error:
        raise SourceError(f"nothing can be fetched from {path}: {error}") from None
    if not found:
        raise SourceError(f"there is nothing at {path}; give the URL of a file or a folder of returned workbooks")
    return found


def _is_left_out(name: str) -> bool:
    return is_system_file(name) or name.endswith(NOT_WHOLE)


def _found(path: Path, copy: Path, inlet: Inlet) -> list[Return]:
    try:
        source, content = _read(copy, inlet)
    except OSError as error:
        raise SourceError(f"{path} cannot be read ({error.strerror}); make it readable, or take it out") from None
    if copy != path:
        source = replace(source, path=path, unpacked=copy)
    return [source] if content is None else list(_Opener(inlet).opened(source, content))


def _read(path: Path, inlet: Inlet) -> tuple[Return, bytes | None]:
    """Find out what is known of a file; give its content too if others may lie in it."""
    received = inlet.stated or datetime.fromtimestamp(path.stat().st_mtime, tz=inlet.zone)
    digest, size = sha256(), path.stat().st_size
    with path.open("rb") as file:
        opens = size <= MAX_OPENED and (is_mail(path.name) or may_be_zip(path.name, file.read(4)))
        file.seek(0)
        content = file.read() if opens else None
        digest.update(content or b"")
        while block := file.read(1 << 20):
            digest.update(block)
    source = Return(path, digest.hexdigest(), received.replace(microsecond=0))
    return replace(source, clock=STATED) if inlet.stated else source, content


class _Opener:
    """Opens one file to the bottom: mails and zip files, until there are only other files."""

    def __init__(self, inlet: Inlet) -> None:
        self.inlet = inlet
        self.budget = MAX_TOTAL  # bytes that may still come out of zip files

    def opened(self, source: Return, content: bytes, depth: int = 0, *, zipped: bool = False) -> Iterator[Return]:
        """Give what lies in a file; the file itself when nothing can, or when a person must see to it."""
        is_packed = is_zip(source.name, content)
        if not is_packed and not is_mail(source.name):
            yield self._kept(source, content)
        elif (is_packed and zipped) or depth > MAX_DEPTH:
            yield self._refused(source, content, "unreadable", "nested")
        elif is_packed:
            yield from self._zip(source, content, depth)
        else:
            yield from self._mail(source, content, depth, zipped=zipped)

    def _mail(self, source: Return, content: bytes, depth: int, *, zipped: bool) -> Iterator[Return]:
        try:
            mail = open_mail(content)
        except MailError:
            yield self._refused(source, content, "quarantined", "mail_unreadable")
            return
        source = self._received(source, mail)
        if mail.is_report or not mail.attachments:
            kind = "report" if mail.is_report else "encrypted" if mail.is_encrypted else "without_files"
            told = {"sender": mail.mail.sender or "?", "subject": mail.mail.subject}
            yield self._refused(source, content, "quarantined", f"mail_{kind}", told)
            return
        names = Names()
        for attached in mail.attachments:
            inner = self._inside(source, names.new(self._label(attached.name)), attached.content)
            yield from self.opened(inner, attached.content, depth + 1, zipped=zipped)

    def _zip(self, source: Return, content: bytes, depth: int) -> Iterator[Return]:
        names, lost, encrypted = Names(), [], False
        try:
            for member in unpacked(content, self.budget):
                name = names.new(self._label(member.name))
                if member.content is None:
                    lost.append(name)
                    encrypted = encrypted or member.is_encrypted
                    continue
                self.budget -= max(len(member.content), LEAST)
                inner = self._inside(source, name, member.content)
                yield from self.opened(inner, member.content, depth + 1, zipped=True)
        except UnsafeZipError:
            yield self._refused(source, content, "quarantined", "zip_too_much")
            return
        if lost:  # told once, with the zip file: what cannot be had has no content to be known by
            reason, files = "zip_password" if encrypted else "zip_damaged", ", ".join(f"«{name}»" for name in lost)
            yield self._refused(source, content, "unreadable", reason, {"files": files})
        elif not names.seen:
            yield self._refused(source, content, "unreadable", "zip_empty")

    def _received(self, source: Return, opened: OpenedMail) -> Return:
        """Say when a mail was received and from whom; for what lies in a mail, the outer one has said it."""
        if source.mail is not None:
            return source
        mail, zone = opened.mail, self.inlet.zone
        sender = opened.forwarded_from if self._is_ours(mail.sender) else mail.sender
        source = replace(source, mail=mail, sender=sender or None)
        if source.sha256 in self.inlet.collected:
            return replace(source, clock=MAILBOX, received=self.inlet.collected[source.sha256].astimezone(zone))
        if opened.received is not None:
            return replace(source, clock=MAIL_SERVER, received=opened.received.astimezone(zone))
        return source

    def _is_ours(self, sender: str) -> bool:
        return bool(sender) and sender.rpartition("@")[2] == self.inlet.office.casefold().rpartition("@")[2]

    def _label(self, name: str) -> str:
        return label(name) or load_texts(TEXTS).say("unnamed", "nb")

    def _inside(self, holder: Return, name: str, content: bytes) -> Return:
        digest = sha256(content).hexdigest()
        return replace(holder, path=holder.path / name, sha256=digest, unpacked=self.inlet.unpacked / digest)

    def _kept(self, source: Return, content: bytes) -> Return:
        if source.unpacked is not None and not source.unpacked.exists():
            source.unpacked.write_bytes(content)
        return source

    def _refused(
        self, source: Return, content: bytes, outcome: str, reason: str, details: dict[str, str] | None = None
    ) -> Return:
        return replace(self._kept(source, content), trouble=Trouble(outcome, reason, details or {}))
