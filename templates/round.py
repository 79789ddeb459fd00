"""The round folder: its settings, its key, its recipients and the ledger of what was sent."""

import csv
import os
import secrets
import tomllib
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path

from pydantic import Field, ValidationError

from templates.definition import find_form, load_form
from templates.form import Form, Part
from templates.recipients import BadRow, Recipient, read_recipients
from templates.waivers import Waiver, read_waivers

KEY_BYTES = 32
SECTIONS = ("office", "mail")


class RoundError(Exception):
    """A round folder that cannot be used: one sentence that says what and what to do."""


class Office(Part):
    """Who sends the round; stands in the guide sheet and under every letter."""

    name: str
    email: str
    phone: str = ""


class Mail(Part):
    """The outgoing mail server. The password is never here: BEHOV_MAIL_PASSWORD holds it."""

    host: str = ""
    port: int = Field(default=587, ge=1, le=65535)
    user: str = ""
    sender: str = ""


class Settings(Part):
    """The contents of `round.toml`."""

    form: str
    office: Office
    deadline: datetime | None = None  # instead of the form's own
    mail: Mail = Mail()


@dataclass(frozen=True)
class Sent:
    """One workbook that was made: a line of `sent/sent.csv`."""

    report: str
    orgnr: str
    number: int  # the recipient's number in this round
    copy: int
    language: str
    file: str


SENT_COLUMNS = ("report", "orgnr", "number", "copy", "language", "file")


@dataclass(frozen=True)
class Round:
    """One collection: a folder with everything in it."""

    folder: Path

    @cached_property
    def settings(self) -> Settings:
        """The checked settings. Raises RoundError."""
        path = self.folder / "round.toml"
        if not path.exists():
            raise RoundError(f"{self.folder} is not a round (no round.toml); make one with: behov new DIR --form NAME")
        try:
            return Settings.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
        except tomllib.TOMLDecodeError as error:
            raise RoundError(f"round.toml cannot be read: {error}") from None
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(map(str, first["loc"]))
            raise RoundError(f"round.toml: {key}: {first['msg'].lower()}") from None

    @cached_property
    def form(self) -> Form:
        """The round's form, with the round's own deadline. Raises FormError, RoundError."""
        form = load_form(find_form(self.settings.form))
        if self.settings.deadline is None:
            return form
        return replace(form, file=form.file.model_copy(update={"deadline": self.settings.deadline}))

    @cached_property
    def key(self) -> bytes:
        """The round's secret for skjemakoder; made on first use, readable by its owner only."""
        path = self.folder / "key"
        if not path.exists():
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(secrets.token_hex(KEY_BYTES))
        return bytes.fromhex(path.read_text(encoding="ascii").strip())

    def read_recipients(self) -> tuple[list[Recipient], list[BadRow]]:
        """The recipients, and the rows that need a person. Raises RecipientsError."""
        workbook = self.folder / "recipients.xlsx"
        path = workbook if workbook.exists() else self.folder / "recipients.csv"
        return read_recipients(path, self.form.languages)

    @cached_property
    def recipients(self) -> dict[str, Recipient]:
        """The usable recipients by orgnr."""
        return {recipient.orgnr: recipient for recipient in self.read_recipients()[0]}

    @cached_property
    def waivers(self) -> tuple[Waiver, ...]:
        """What owners are let off: the rows of `waivers.csv`. Raises WaiversError."""
        return read_waivers(self.folder / "waivers.csv", self.form, self.recipients)

    def sent(self) -> dict[str, Sent]:
        """Every workbook made so far, by report id."""
        path = self.sent_folder / "sent.csv"
        if not path.exists():
            return {}
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        sent = [Sent(**{**row, "number": int(row["number"]), "copy": int(row["copy"])}) for row in rows]  # type: ignore[arg-type]
        return {line.report: line for line in sent}

    def write_sent(self, lines: list[Sent]) -> None:
        """Replace the ledger, at once or not at all."""
        self.sent_folder.mkdir(parents=True, exist_ok=True)
        path = self.sent_folder / "sent.csv"
        temporary = path.with_suffix(".tmp")
        with temporary.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(SENT_COLUMNS)
            writer.writerows([getattr(line, column) for column in SENT_COLUMNS] for line in lines)
        temporary.replace(path)

    @property
    def sent_folder(self) -> Path:
        return self.folder / "sent"

    @property
    def inbox(self) -> Path:
        return self.folder / "inbox"

    @property
    def archive(self) -> Path:
        return self.folder / "archive"

    @property
    def outbox(self) -> Path:
        return self.folder / "outbox"

    @property
    def exports(self) -> Path:
        return self.folder / "exports"

    @property
    def register(self) -> Path:
        return self.folder / "register.db"


ROUND_TOML = Path(__file__).parent / "round.toml"


def new_round(folder: Path, form: str) -> Round:
    """Start a round folder with a commented `round.toml`. Raises RoundError, FormError."""
    find_form(form)
    if (folder / "round.toml").exists():
        raise RoundError(f"{folder} is a round already; choose another folder")
    made = Round(folder)
    for path in (folder, made.sent_folder, made.inbox, made.archive, made.outbox, made.exports):
        path.mkdir(parents=True, exist_ok=True)
    text = ROUND_TOML.read_text(encoding="utf-8").replace("{form}", form)
    (folder / "round.toml").write_text(text, encoding="utf-8")
    (folder / "recipients.csv").write_text(
        "orgnr;navn;type;kommunenr;epost;språk;kontaktperson;telefon;antall\n", encoding="utf-8-sig"
    )
    return made
