"""What persons have decided of the versions of a report, as the log has it."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection, select

from outputs.register.database import among
from outputs.register.life import REJECTED
from outputs.register.log import decisions, submissions
from validation.findings import WAIVED, Finding

WAIVE = "waive"  # the decision that holds for every version of a report


@dataclass
class Decided:
    """All decisions on one report: the latest ruling on each version, and what need not be kept, in words.

    A rule is let off in the versions that the decision took in, or, under "", in all of them.
    """

    rulings: dict[str, str] = field(default_factory=dict)
    waived: dict[tuple[str, str], str] = field(default_factory=dict)  # (SHA-256, rule) to by whom and why

    def settle(self, sha256: str, findings: Iterable[Finding]) -> tuple[Finding, ...]:
        """Give the findings of a version, marked where a person let it off."""
        return tuple(self._unless_waived(sha256, finding) for finding in findings)

    def _unless_waived(self, sha256: str, finding: Finding) -> Finding:
        waiver = self.waived.get((sha256, finding.rule)) or self.waived.get(("", finding.rule))
        return replace(finding, severity=WAIVED, waiver=waiver) if waiver else finding


NOTHING_DECIDED = Decided()


def read_decided(connection: Connection, reports: Collection[str]) -> dict[str, Decided]:
    """Read the decisions on these reports; one without any is left out."""
    if not reports:
        return {}
    query = select(decisions).where(among(decisions.c.report, reports)).order_by(decisions.c.id)
    decided: dict[str, Decided] = {}
    for row in connection.execute(query).mappings():
        one = decided.setdefault(row["report"], Decided())
        one.rulings.update(row["rulings"])
        words = f"{row['reason']} ({row['by']}, {row['at']:%d.%m.%Y})"
        versions = [""] if row["what"] == WAIVE else list(row["rulings"])
        one.waived.update({(sha256, rule): words for sha256 in versions for rule in row["waives"]})
    return decided


def settled(connection: Connection, found: Mapping[str, tuple[Finding, ...]]) -> dict[str, tuple[Finding, ...]]:
    """Give what was found in versions, by SHA-256, marked where a person let it off."""
    column = submissions.c
    query = select(column.sha256, column.report).where(among(column.sha256, found))
    report_of = dict(connection.execute(query).all())
    decided = read_decided(connection, set(report_of.values()))
    return {
        sha256: decided.get(report_of.get(sha256, ""), NOTHING_DECIDED).settle(sha256, findings)  # or no version at all
        for sha256, findings in found.items()
    }


def settled_files(connection: Connection) -> dict[str, str]:
    """Give the files that are no version of a report, and that a person has put aside, with their state."""
    query = select(decisions.c.rulings).where(decisions.c.report.is_(None))
    return {sha256: REJECTED for rulings in connection.scalars(query) for sha256 in rulings}
