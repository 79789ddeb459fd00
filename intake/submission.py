"""What one returned file holds: the Return, its Answers, and the Submission they make."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Self

Value = str | int | float | date | None


@dataclass(frozen=True, slots=True)
class Mail:
    """The e-mail that brought a return, as its sender wrote it: nothing here is proof."""

    message_id: str
    sender: str  # the address in From; empty when there is none
    subject: str
    sent: datetime | None  # by the sender's clock
    forwarded: datetime | None = None  # when the mail that lies in this one says it was received


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a file is not read, found before anybody looks into it. The fields are those of `Refused`."""

    outcome: str
    reason: str
    details: dict[str, str] = field(default_factory=dict)


FILE_CLOCK, STATED, MAIL_SERVER, MAILBOX = "file", "stated", "mail", "mailbox"


@dataclass(frozen=True, slots=True)
class Return:
    """One received file, identified by its SHA-256 (hex).

    `clock` tells who says when it was received: "mailbox" (the mail server, over IMAP), "mail" (the
    mail server, in the saved mail), "stated" (a person) or "file" (the time it was last changed: a guess).
    """

    path: Path  # where staff find it; what lies in another file comes after that one: inbox/svar.zip/skjema.xlsx
    sha256: str
    received: datetime  # with time zone; what `intake.sources` finds is in whole seconds
    sender: str | None = None  # the address it came from; None when the source does not tell
    clock: str = FILE_CLOCK
    mail: Mail | None = None
    unpacked: Path | None = None  # where its bytes are, when that is elsewhere: out of another file, or kept
    trouble: Trouble | None = None

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def file(self) -> Path:
        """Where its bytes are."""
        return self.unpacked or self.path

    @property
    def is_guess(self) -> bool:
        """Whether nobody knows when it was received."""
        return self.clock == FILE_CLOCK


@dataclass(frozen=True, slots=True)
class Answer:
    """What was written in one cell, and what it was understood as.

    `problem` says why the value could not be used, `note` that it was understood differently
    from how it was written; both are codes of `intake.values`, with `details` for the message.
    """

    value: Value
    raw: str
    cell: str  # as the owner sees it: C31
    problem: str | None = None
    note: str | None = None
    details: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table or grid, or the whole of a question sheet (number 0)."""

    number: int  # as the owner sees it
    key: str  # the row's key in a grid, else empty
    answers: dict[str, Answer]  # only cells that hold something


@dataclass(frozen=True, slots=True)
class Oddity:
    """Something in a sheet that is no answer, and that its owner may have meant something by.

    kind: "outside" (written where nothing is read), "elsewhere" (in a tab of the owner's own, or a text box),
    "note" (on a cell), "hidden" or "hidden_tab" (read and not seen), "merged" (a cell for an answer, in another one),
    "total" (written over a sum), "label" or "tab" (written over our words). `expected` is what our workbook has there,
    by language.
    """

    kind: str
    cell: str  # as the owner sees it; empty for the name of the tab, and elsewhere
    text: str  # what stands there, in one line, masked and shortened
    expected: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SheetAnswers:
    """The answers of one sheet and where its questions stand in this file."""

    name: str  # the tab, as the owner sees it
    places: dict[str, str]  # question key to cell (C31) on a question sheet, else to column (F)
    rows: tuple[Row, ...]
    first_row: int = 0  # where an empty table begins
    oddities: tuple[Oddity, ...] = ()

    def beside(self, oddities: tuple[Oddity, ...]) -> Self:
        """The same answers, with what else stands in the sheet."""
        return replace(self, oddities=oddities)

    def cell(self, key: str, row: Row) -> str:
        """The address of one question's cell in one row, filled in or not."""
        place = self.places.get(key, "")
        return place if row.number == 0 or not place else f"{place}{row.number}"


@dataclass(frozen=True, slots=True)
class Submission:
    """The answers of one Return: one version of a Report."""

    source: Return
    form: str
    version: str
    language: str
    recipient: str  # orgnr
    report: str  # BM24-0007-1
    sheets: dict[str, SheetAnswers]
    prepared: object = field(default=None, compare=False, repr=False)  # what is made of all this for who keeps it

    def with_sheets(self, sheets: dict[str, SheetAnswers]) -> Self:
        return replace(self, sheets=sheets, prepared=None)

    def prepared_by(self, prepare: Callable[[Self], object]) -> Self:
        """The same, with what is made of it; made once."""
        return self if self.prepared is not None else replace(self, prepared=prepare(self))

    def answer(self, path: str) -> Answer | None:
        """The answer to `sheet.question` on a question sheet, None when empty."""
        sheet, _, key = path.partition(".")
        rows = self.sheets[sheet].rows if sheet in self.sheets else ()
        return rows[0].answers.get(key) if rows else None


@dataclass(frozen=True, slots=True)
class Refused:
    """A Return that gave no Submission.

    outcome: unreadable (not a workbook we can take), quarantined (a person must look),
    empty (an unchanged template) or failed (our own bug). `reason` is a code of
    `intake/texts.toml`, `details` its placeholders. `submission` is what a quarantined file says, when
    it could be read and only whose it is stands in doubt: it counts when a person believes it.
    """

    source: Return
    outcome: str
    reason: str
    details: dict[str, str] = field(default_factory=dict)
    report: str | None = None
    recipient: str | None = None
    submission: Submission | None = None
