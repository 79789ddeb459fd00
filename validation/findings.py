"""Findings: one thing wrong or worth saying, with its rule, its cells and its words."""

from collections.abc import Iterable
from dataclasses import dataclass, field

SEVERITIES = ("error", "warning", "info")
WAIVED = "waived"  # what an owner has been let off: kept, never told to the owner
ORDER = (*SEVERITIES, WAIVED)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to tell an owner about one cause.

    `cells` are as the owner sees them in `sheet` (the tab's name in that file): "C31", or a
    range "F14:F22". `elsewhere` holds the cells of other sheets to mark: (tab, cell).
    """

    rule: str
    severity: str
    sheet: str
    cells: tuple[str, ...]
    questions: tuple[str, ...]
    message: dict[str, str]  # by language
    label: dict[str, str] = field(default_factory=dict)  # of the question the finding is about
    row_name: str = ""  # what the owner calls the row, «Fjellhagen barnehage»
    written: str = ""  # what stood in the cell
    elsewhere: tuple[tuple[str, str], ...] = ()
    part: str = ""
    waiver: str = ""  # why and by whom it was waived


OUTCOMES = (
    "accepted", "remarks", "needs_correction", "late", "superseded",
    "empty", "unreadable", "quarantined", "duplicate", "failed",
)  # fmt: skip
NEEDS_A_PERSON = frozenset({"late", "unreadable", "quarantined", "failed"})


def outcome_of(findings: Iterable[Finding]) -> str:
    """How a submission in time ends, by the worst of its findings."""
    severities = {finding.severity for finding in findings}
    if "error" in severities:
        return "needs_correction"
    return "remarks" if "warning" in severities else "accepted"
