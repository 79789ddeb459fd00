"""The verdict on one returned file: how it ended, why, and what was found."""

from dataclasses import dataclass, field, replace
from typing import Self

from intake.submission import Return, Submission
from validation.findings import Finding

LATE = "late"


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one Return ended. `outcome` is one of validation.findings.OUTCOMES."""

    source: Return
    outcome: str
    reason: dict[str, str] = field(default_factory=dict)  # in words, by language; empty when all is said by findings
    submission: Submission | None = None
    findings: tuple[Finding, ...] = ()
    report: str | None = None
    recipient: str | None = None
    code: str = ""  # why it was refused, in intake/texts.toml; empty when it was not
    is_known: bool = False  # taken in from this very place by an earlier run: nothing has come since

    def ended(self, outcome: str, reason: dict[str, str] | None = None) -> Self:
        """The same verdict with another outcome."""
        return replace(self, outcome=outcome, reason=self.reason if reason is None else reason)

    def without_answers(self) -> Self:
        """The same verdict, with whose version it is about and no more of it."""
        return replace(self, submission=self.submission and self.submission.with_sheets({}))

    @property
    def errors(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.severity == "error")

    @property
    def remarks(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.severity == "warning")
