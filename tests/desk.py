"""A desk to test at: send a workbook to a made-up owner, fill it in, take it in, judge it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from random import Random
from typing import Any

from intake.receive import Office, receive
from intake.sample import Mistake, Owners, Sample, Samples, fill_in
from intake.submission import Refused, Return, Submission
from templates.definition import find_form, load_form
from templates.fill import fill_workbook
from templates.layout import layout
from templates.prefill import Base, compile_base, slot_values, stamp_workbook, unit_rows
from templates.recipients import Recipient
from templates.round import Office as Sender
from templates.stamp import make_stamp
from templates.workbook import build_base
from validation.check import judge
from validation.findings import Finding
from validation.verdict import Verdict

KEY = b"a key for tests"
SENDER = Sender(name="Kontoret", email="post@kontoret.example", phone="22 00 00 00")
RECIPIENT = Recipient("123456785", "Prøve eier", "X", "post@eier.example", "nb", "3203", "32", "Kari Prøve", "22000001")


class Desk:
    """One form, and everything an office does with it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.form = load_form(folder)
        self.layout = layout(self.form)
        self.recipients: dict[str, Recipient] = {RECIPIENT.orgnr: RECIPIENT}
        self._bases: dict[str, Base] = {}

    @classmethod
    def of(cls, name: str) -> "Desk":
        return cls(find_form(name))

    @cached_property
    def samples(self) -> Samples:
        return Samples(self.folder)

    @cached_property
    def owners(self) -> Owners:
        return Owners(self.form, self.samples, Random(1))  # noqa: S311 - repeatable, no secret

    def begin_again(self) -> None:
        """Let the next owner be the first one again, whoever was made before."""
        self.owners = Owners(self.form, self.samples, Random(1))  # noqa: S311 - repeatable, no secret

    @property
    def office(self) -> Office:
        return Office(self.form, KEY, self.recipients)

    @property
    def in_time(self) -> datetime:
        return self.form.deadline - timedelta(days=3)

    def send(self, recipient: Recipient = RECIPIENT, report: str | None = None) -> bytes:
        """The workbook a recipient gets."""
        self.recipients[recipient.orgnr] = recipient
        if recipient.language not in self._bases:
            self._bases[recipient.language] = compile_base(build_base(self.form, recipient.language, SENDER))
        report = report or f"{self.form.file.code}-0001-1"
        stamp = make_stamp(self.form, report, recipient.orgnr, KEY)
        values = slot_values(self.form, recipient, stamp, KEY)
        return stamp_workbook(self._bases[recipient.language], values, unit_rows(self.form, recipient))

    def fill(self, answers: dict[str, Any], recipient: Recipient = RECIPIENT) -> bytes:
        return fill_workbook(self.send(recipient), self.form, recipient.language, answers)

    def take_in(
        self, path: Path, content: bytes, received: datetime | None = None, owner: Recipient | None = None
    ) -> Submission | Refused:
        """Read a return. With `owner` it is from an owner that is registered so, whoever had its number since."""
        if owner:
            self.recipients[owner.orgnr] = owner
        path.write_bytes(content)
        source = Return(path, f"{abs(hash(content)):064x}"[:64], received or self.in_time)
        return receive(source, self.office)

    def judge(self, path: Path, content: bytes, owner: Recipient | None = None) -> Verdict:
        return judge([self.take_in(path, content, owner=owner)], self.form)[0]

    def owner_for(self, sample: Sample, county: str = "32", language: str = "nb") -> Recipient:
        """A made-up owner that a sample suits, with the units it speaks of."""
        owner = replace(self.owners.make(sample.types[0], county), language=language)
        units = tuple(self.owners.unit(kind, owner) for kind in sample.unit_types)
        return replace(owner, units=units)

    def fill_sample(
        self, sample: Sample, owner: Recipient, others: Sequence[Recipient], mistake: Mistake | None = None
    ) -> bytes:
        return self.fill(fill_in(sample, owner, others, self.owners.extras(owner), [mistake] if mistake else []), owner)

    def answers(self, sample: Sample, owner: Recipient) -> dict[str, Any]:
        """What an owner would write for a sample that needs no other owners."""
        return fill_in(sample, owner, [], self.owners.extras(owner))

    def fill_in(
        self, sample: Sample, owner: Recipient, others: Sequence[Recipient], mistake: Mistake | None
    ) -> dict[str, Any]:
        """What an owner would write for a sample, with a mistake in it."""
        return fill_in(sample, owner, others, self.owners.extras(owner), [mistake] if mistake else [])

    def cell(self, path: str, language: str = "nb") -> tuple[str, str]:
        """The tab and the cell that our template gives an answer: skjema.x, table.2.x, grid.ROW.x."""
        sheet, *rest = path.split(".")
        place = self.layout[sheet]
        tab = place.sheet.label[language]
        if len(rest) == 1:
            return tab, place.cell(rest[0])
        row = place.first_row + int(rest[0]) - 1 if rest[0].isdigit() else rest[0]
        return tab, place.cell(rest[1], row)


def marked(finding: Finding) -> set[tuple[str, str]]:
    """Every cell a finding marks, one by one."""
    own = {(finding.sheet, cell) for item in finding.cells for cell in _single(item)}
    return own | set(finding.elsewhere)


def _single(item: str) -> list[str]:
    first, _, last = item.partition(":")
    if not last:
        return [first]
    column = first.rstrip("0123456789")
    return [f"{column}{row}" for row in range(int(first[len(column) :]), int(last[len(column) :]) + 1)]
