"""The round folder: its settings, its key, its recipients and the ledger of what was sent."""

import csv
import hashlib
import os
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import parse_qs, urlencode, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, Strict

from templates.definition import FORMS, FormError, find_form, load_form
from templates.form import Form, Part
from templates.grants import Grant, read_grants
from templates.problems import LocalTime, Problem, one_of, read_model
from templates.recipients import EMAIL, Recipient, read_recipients
from templates.tables import BadRow
from templates.waivers import Waiver, read_waivers

SETTINGS = "round.toml"
KEY_BYTES = 32
SMTPS = 465  # the port where TLS comes first
HOST = re.compile(r"[\w-]+(?:\.[\w-]+)*")
SCHEMA = re.compile(r"[a-z_][a-z0-9_]*")
FINGERPRINT = 16  # characters that tell one round's register from another's


Whole = Annotated[int, Strict()]  # neither "587" nor true
Number = Annotated[float, Strict()]


class RoundError(Exception):
    """A round folder that cannot be used: one sentence that says what and what to do."""


def _a_name(name: str) -> str:
    if not name.strip():
        raise ValueError('it is empty; write what the office is called, as name = "Kontoret"')
    return name


class Office(Part):
    """Who sends the round; stands in the guide sheet and under every letter."""

    name: Annotated[str, AfterValidator(_a_name)]
    email: str
    phone: str = ""


def _one_host(host: str) -> str:
    if host and not HOST.fullmatch(host):
        raise ValueError(f"«{host}» is not the name of a server; write the name alone, as mail.example.no")
    return host


def _one_address(email: str) -> str:
    if email and not EMAIL.fullmatch(email):
        raise ValueError(f"«{email}» is not one e-mail address; write it as post@example.no")
    return email


class Mail(Part):
    """The outgoing mail server. The password is never here: BEHOV_SMTP_PASSWORD or the keyring holds it."""

    host: Annotated[str, AfterValidator(_one_host)] = ""
    port: Whole = Field(default=587, ge=1, le=65535)
    tls: Literal["ssl", "starttls"] | None = None  # None: what the port is for
    user: str = ""
    sender: Annotated[str, AfterValidator(_one_address)] = ""  # where refused letters come back; else the office's
    per_minute: Whole = Field(default=0, ge=0)  # letters; 0 is as many as the server takes
    per_connection: Whole = Field(default=100, ge=1)  # letters
    max_megabytes: Number = Field(default=10, gt=0)  # of the files in one letter
    large_files: str = ""  # where owners find files that are too large for a letter

    @property
    def tls_first(self) -> bool:
        """Whether the connection is encrypted before a word is said."""
        return self.tls == "ssl" or (self.tls is None and self.port == SMTPS)


class Mailbox(Part):
    """Where owners' mails come in. The password is never here: BEHOV_IMAP_PASSWORD holds it."""

    host: Annotated[str, AfterValidator(_one_host)] = ""
    port: Whole = Field(default=993, ge=1, le=65535)
    user: str = ""
    folder: str = "INBOX"
    tls: Literal["ssl", "starttls"] = "ssl"


def _without_password(variable: str) -> BeforeValidator:
    """Tell somebody who writes a password where it is read from."""

    def check(values: object) -> object:
        if isinstance(values, dict) and "password" in values:
            raise ValueError(f"a password never stands in a file of the round; take it out, and put it in {variable}")
        return values

    return BeforeValidator(check)


def _complete(mailbox: Mailbox) -> Mailbox:
    for key in ("host", "user", "folder"):
        text = getattr(mailbox, key)
        if not text.strip() or not text.isprintable():
            raise ValueError(f'its {key} is empty or has hidden characters; write {key} = "…", or take [mailbox] out')
    return mailbox


def _one_database(url: str) -> str:
    """Check the URL of a PostgreSQL database: no password in it, and a schema that needs no quotes."""
    example = "postgresql://USER@HOST/DATABASE?schema=NAME"
    try:
        parts = urlsplit(url)
        password = parts.password
    except ValueError:
        raise ValueError(f"it is no URL; write it as {example}") from None
    if password is not None or "password" in parse_qs(parts.query):
        raise ValueError("it holds a password, which never stands in a file of the round: see BEHOV_REGISTER_PASSWORD")
    if parts.scheme not in ("postgresql", "postgres") or not parts.path.strip("/"):
        raise ValueError(f"it is not the URL of a PostgreSQL database; write it as {example}")
    if not SCHEMA.fullmatch(_schema(url)):
        raise ValueError("its schema has more than small letters, digits and _; give it such a name")
    return url


def _schema(url: str) -> str:
    return parse_qs(urlsplit(url).query, keep_blank_values=True).get("schema", ["public"])[-1]


def _with_address(office: Office) -> Office:
    if not EMAIL.fullmatch(office.email):
        raise ValueError(f"its email «{office.email}» is not one e-mail address; write it as post@example.no")
    return office


class Settings(Part):
    """The contents of `round.toml`."""

    form: str
    office: Annotated[Office, AfterValidator(_with_address)]
    deadline: LocalTime | None = None  # instead of the form's own
    language: str | None = None  # of the dashboard and the register workbook, instead of the form's first
    register_url: Annotated[str, AfterValidator(_one_database)] | None = Field(default=None, alias="register")
    mail: Annotated[Mail, _without_password("BEHOV_SMTP_PASSWORD")] = Mail()
    mailbox: Annotated[Mailbox, AfterValidator(_complete), _without_password("BEHOV_IMAP_PASSWORD")] | None = None


def _against_the_form(settings: Settings, form: Form) -> Iterator[Problem]:
    """What is wrong in the settings only with this form."""
    language, deadline, opens = settings.language, settings.deadline, form.file.opens
    if language and language not in form.languages:
        yield Problem(SETTINGS, "language", f"the form has no «{language}»", f"Use {one_of(form.languages)}.")
    if deadline and deadline.date() < opens:
        reason = f"{deadline:%Y-%m-%d} is before the form opens, on {opens}"
        yield Problem(SETTINGS, "deadline", reason, "Correct it, or opens in form.toml.")


@dataclass(frozen=True)
class File:
    """A register in a file, and the round it is of."""

    path: Path
    round: str  # tells this round from others, so that no two write in one register; empty when its key is lost


@dataclass(frozen=True)
class Server:
    """A register on a PostgreSQL server: the URL, the schema that is the register's alone, and the round it is of."""

    url: str  # without the schema
    schema: str
    round: str

    @property
    def shown(self) -> str:
        return f"schema {self.schema} of {self.url.partition('?')[0]}"


@dataclass(frozen=True)
class Sent:
    """One workbook that was made: a line of `sent/sent.csv`."""

    report: str
    orgnr: str
    number: int  # the recipient's number in this round
    copy: int
    language: str
    file: str


RECIPIENTS_HEAD = "orgnr;navn;type;kommunenr;epost;språk;kontaktperson;telefon;antall\n"
SENT_COLUMNS = ("report", "orgnr", "number", "copy", "language", "file")


@dataclass(frozen=True)
class Round:
    """One collection: a folder with everything in it."""

    folder: Path

    @cached_property
    def settings(self) -> Settings:
        """The checked settings. Raises RoundError."""
        path = self.folder / SETTINGS
        if not path.exists():
            raise RoundError(f"{self.folder} is not a round (no round.toml); make one with: behov new DIR --form NAME")
        settings, problems = read_model(path, Settings)
        if settings is None:
            raise RoundError("\n".join(map(str, problems)))
        return settings

    @cached_property
    def form(self) -> Form:
        """The round's form, with the round's own deadline. Raises FormError, RoundError."""
        settings, form = self.settings, load_form(self._form_folder)
        if problems := list(_against_the_form(settings, form)):
            raise RoundError("\n".join(map(str, problems)))
        if settings.deadline is None:
            return form
        return replace(form, file=form.file.model_copy(update={"deadline": settings.deadline}))

    @property
    def _form_folder(self) -> Path:
        try:
            return find_form(self.settings.form, self.folder)
        except FormError as error:
            told = "\n".join(str(replace(problem, file=SETTINGS)) for problem in error.problems)
            raise RoundError(told) from None

    @cached_property
    def key(self) -> bytes:
        """The round's secret for skjemakoder; made on first use, readable by its owner only.

        Raises RoundError when it is damaged, or lost after workbooks were made with it.
        """
        path = self.folder / "key"
        if not path.exists():
            if self.sent():
                raise RoundError(
                    f"{path} is lost; put it back from your backup, or no returned workbook can be trusted"
                )
            _make_key(path)
        try:
            key = bytes.fromhex(path.read_text(encoding="ascii").strip())
        except ValueError:  # so is a UnicodeDecodeError
            key = b""
        if len(key) != KEY_BYTES:
            raise RoundError(f"{path} is damaged; put it back from your backup")
        return key

    def read_recipients(self) -> tuple[list[Recipient], list[BadRow]]:
        """The recipients, and the rows that need a person. Raises TableError."""
        return read_recipients(self.recipients_file, self.form.languages, self.recipient_types)

    @property
    def recipients_file(self) -> Path:
        workbook = self.folder / "recipients.xlsx"
        return workbook if workbook.exists() else self.folder / "recipients.csv"

    @property
    def recipient_types(self) -> list[str]:
        """The types that recipients may have; none when any will do."""
        return _types(self.form)

    @cached_property
    def recipients(self) -> dict[str, Recipient]:
        """The usable recipients by orgnr."""
        return {recipient.orgnr: recipient for recipient in self.read_recipients()[0]}

    @cached_property
    def grants(self) -> list[Grant]:
        """The usable earlier grants, of `grants.csv`. Raises TableError."""
        return read_grants(self.folder)[0]

    @cached_property
    def waivers(self) -> tuple[Waiver, ...]:
        """What owners are let off: the rows of `waivers.csv`. Raises WaiversError."""
        return read_waivers(self.folder / "waivers.csv", self.form, self.recipients)

    def sent(self) -> dict[str, Sent]:
        """Every workbook made so far, by report id."""
        path = self.sent_folder / "sent.csv"
        if not path.exists():
            return {}
        try:
            with path.open(encoding="utf-8", newline="") as file:
                return {row["report"]: _sent_line(row) for row in csv.DictReader(file)}
        except (KeyError, TypeError, ValueError):
            raise RoundError(f"{path} is damaged; put it back from your backup") from None

    def write_sent(self, lines: list[Sent]) -> None:
        """Replace the ledger, at once or not at all."""
        self.sent_folder.mkdir(parents=True, exist_ok=True)
        path = self.sent_folder / "sent.csv"
        temporary = path.with_suffix(".tmp")
        with temporary.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(SENT_COLUMNS)
            writer.writerows([getattr(line, column) for column in SENT_COLUMNS] for line in lines)
            file.flush()
            os.fsync(file.fileno())  # what is not on the disk yet must not take the place of what is
        temporary.replace(path)

    @property
    def sent_folder(self) -> Path:
        return self.folder / "sent"

    @property
    def inbox(self) -> Path:
        return self.folder / "inbox"

    @property
    def collected(self) -> Path:
        """The ledger of the mails that were fetched."""
        return self.folder / "collected.csv"

    @property
    def archive(self) -> Path:
        return self.folder / "archive"

    @property
    def known(self) -> Path:
        """Snapshots of imported registers."""
        return self.folder / "known"

    @property
    def outbox(self) -> Path:
        return self.folder / "outbox"

    @property
    def exports(self) -> Path:
        return self.folder / "exports"

    @property
    def dashboard(self) -> Path:
        return self.folder / "dashboard"

    @property
    def register(self) -> Path:
        """The file of the register, unless it is on a server: see `database`."""
        return self.folder / "register.db"

    @property
    def database(self) -> File | Server:
        """Where the register is. Raises RoundError."""
        url = self.settings.register_url
        if url is None:
            is_lost = not (self.folder / "key").exists() and bool(self.sent())  # what needs the key will tell
            return File(self.register, "" if is_lost else self._fingerprint)
        before, _, query = url.partition("?")
        rest = {key: values[-1] for key, values in parse_qs(query).items() if key != "schema"}
        plain = f"postgresql://{before.partition('://')[2]}" + (f"?{urlencode(rest)}" if rest else "")
        return Server(plain, _schema(url), self._fingerprint)

    @property
    def _fingerprint(self) -> str:
        """What stands for the key in a register."""
        return hashlib.sha256(self.key).hexdigest()[:FINGERPRINT]


def _make_key(path: Path) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_hex(KEY_BYTES))


def _sent_line(row: dict[str, str]) -> Sent:
    return Sent(row["report"], row["orgnr"], int(row["number"]), int(row["copy"]), row["language"], row["file"])


def _types(form: Form) -> list[str]:
    """The types of recipients, when the form has a question that a recipient's type answers."""
    asked = [question for _, question in form.questions() if question.prefill == "recipient.type"]
    return [code for question in asked for code in form.question_options(question)]


ROUND_TOML = Path(__file__).parent / "round.toml"


def new_round(folder: Path, form: str) -> Round:
    """Start a round folder with a commented `round.toml`. Raises RoundError, FormError."""
    found = find_form(form)
    if (folder / SETTINGS).exists():
        raise RoundError(f"{folder} is a round already; choose another folder")
    made = Round(folder)
    for path in (folder, made.sent_folder, made.inbox, made.archive, made.outbox, made.exports):
        path.mkdir(parents=True, exist_ok=True)
    name = found.name if found.parent == FORMS else found.resolve().as_posix()  # found from any folder
    text = ROUND_TOML.read_text(encoding="utf-8").replace("{form}", name.replace("\\", "\\\\").replace('"', '\\"'))
    (folder / SETTINGS).write_text(text, encoding="utf-8")
    recipients = folder / "recipients.csv"
    if not recipients.exists():
        recipients.write_text(RECIPIENTS_HEAD, encoding="utf-8-sig")
    return made
