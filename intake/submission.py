"""What one returned file holds: the Return, its Answers, and the Submission they make."""

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Self

Value = str | int | float | date | None


@dataclass(frozen=True, slots=True)
class Return:
    """One received file, identified by its SHA-256 (hex)."""

    path: Path
    sha256: str
    received: datetime  # with time zone
    sender: str | None = None

    @property
    def name(self) -> str:
        return self.path.name


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
class SheetAnswers:
    """The answers of one sheet and where its questions stand in this file."""

    name: str  # the tab, as the owner sees it
    places: dict[str, str]  # question key to cell (C31) on a question sheet, else to column (F)
    rows: tuple[Row, ...]
    first_row: int = 0  # where an empty table begins

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

    def with_sheets(self, sheets: dict[str, SheetAnswers]) -> Self:
        return replace(self, sheets=sheets)

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
