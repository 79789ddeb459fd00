"""One returned file, with all that the letter to its owner may say of it."""

from dataclasses import dataclass
from datetime import date, datetime

from outputs.letters.lists import ERROR
from templates.form import Text
from validation.findings import Finding

REFUSED = ("unreadable", "quarantined", "empty")
ORDER = ("needs_correction", *REFUSED, "late", "remarks", "accepted")  # what asks most comes first
# Why a workbook is not the one that its owner was sent for this round: codes of intake/texts.toml.
WRONG_FORM = frozenset({"foreign", "unknown_recipient", "unknown_report", "unknown_version", "wrong_form"})


@dataclass(frozen=True, slots=True)
class Received:
    """One returned file to tell its owner about: a version of a report, or a file that gave none.

    `told` holds the errors of the version that the owner was last told about, None when this is
    the first. `stands_by` says that an earlier version counts until a person has decided. `again` is
    a file that its owner was told of and has sent once more as it was.
    """

    sha256: str
    outcome: str  # one of ORDER
    received: datetime  # in the form's time zone
    file: str
    report: str | None = None
    title: str = ""
    findings: tuple[Finding, ...] = ()
    reason: Text | None = None  # why it was refused
    missed: datetime | None = None  # the deadline it came after
    stands_by: bool = False
    told: tuple[Finding, ...] | None = None
    stood: str = ""  # the outcome, and how often other reports have shown something more
    heard: str = ""  # how this very version stood when its owner was last told of it
    again: bool = False
    code: str = ""  # why it was refused: a code of intake/texts.toml
    enclosed: bool = False  # whether the workbook, as it was sent, goes with the letter
    due: date | None = None  # the last day that its owner was given to correct the report
    message_id: str = ""  # of the e-mail that brought it, when that is known
    sender: str = ""  # the address that it came from, when that is known
    marked: str = ""  # the name of the marked workbook that goes with the letter, whose cells the findings name

    @property
    def refused(self) -> bool:
        return self.outcome in REFUSED

    @property
    def late(self) -> bool:
        return self.outcome == "late"

    @property
    def kind_of_refusal(self) -> str:
        return "empty" if self.outcome == "empty" else "wrong_form" if self.code in WRONG_FORM else "unreadable"

    @property
    def has_news(self) -> bool:
        """Whether reports that came later show something more than its owner was told."""
        return self.stood.partition("~")[2] != self.heard.partition("~")[2]

    def found(self, severity: str) -> tuple[Finding, ...]:
        """List what to tell; errors only while they wait for the owner."""
        settled = self.stands_by or (severity == ERROR and self.outcome not in ("needs_correction", "late"))
        return () if settled else tuple(finding for finding in self.findings if finding.severity == severity)

    @property
    def errors(self) -> tuple[Finding, ...]:
        return self.found(ERROR)

    @property
    def awaited(self) -> bool:
        """Whether the owner must send another file."""
        return bool(self.errors) or self.refused
