"""Reports held against each other and against registers: what is found when all that count now are looked at together.

What one report says may give a finding in another that came earlier, and so may a register that is
imported later. So every change of what counts or is known leads to a review, and what a review finds
anew in a version is added to the log.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from types import MappingProxyType

from sqlalchemy import Connection, insert, select

from intake.submission import Row, Submission
from outputs.register.current_answers import asked_by, read_answers
from outputs.register.database import among
from outputs.register.life import SETTLED
from outputs.register.log import as_finding, finding_row, findings, retimed_findings, review_findings, reviews
from outputs.register.logbook import read_submissions, retimed
from outputs.register.projection import Projection
from outputs.register.rows import insert_rows
from templates.form import Form, Rule
from validation.across import ACROSS
from validation.check import across_findings, across_hits, known_hits
from validation.findings import ORDER, Finding
from validation.hits import Hit
from validation.known import KNOWN, Known, why_unchecked

DATE = re.compile(r"\b\d\d\.\d\d\.\d{4}\b")
Hits = list[tuple[Rule, Hit]]
Findings = tuple[Finding, ...]


@dataclass(frozen=True)
class Review:
    """The latest review of a version: how often one found something new, what was ever found, what is found now."""

    news: int = 0
    ever: frozenset[str] = frozenset()
    found: Findings = ()


NEVER = Review()
NOTHING_AT_HAND: Mapping[str, Findings] = MappingProxyType({})


def read_reviews(connection: Connection, sha256s: Collection[str]) -> dict[str, Review]:
    """Read how versions stood when they were last held against the others; those never told of are left out."""
    if not sha256s:
        return {}
    query = (
        select(reviews.c.sha256, reviews.c.id, reviews.c.news, review_findings)
        .outerjoin(review_findings, review_findings.c.review == reviews.c.id)
        .where(among(reviews.c.sha256, sha256s))
        .order_by(reviews.c.sha256, reviews.c.id, review_findings.c.position)
    )
    rows = connection.execute(query).mappings()
    read = {}
    for sha256, group in groupby(rows, lambda row: str(row["sha256"])):
        every = list(group)
        ever = frozenset(_cause(as_finding(row)) for row in every if row["review"] is not None)
        last = [row for row in every if row["id"] == every[-1]["id"]]
        found = tuple(as_finding(row) for row in last if row["review"] is not None)
        read[sha256] = Review(every[-1]["news"], ever, found)
    return read


def read_findings(
    connection: Connection, sha256s: Collection[str], at_hand: Mapping[str, Findings] = NOTHING_AT_HAND
) -> dict[str, Findings]:
    """Read all that is known to be wrong in versions, errors first: in themselves, and beside other reports.

    What is `at_hand` of what was found in versions themselves is not read again.
    """
    older = [sha256 for sha256 in sha256s if sha256 not in at_hand]
    read = {**_read_received(connection, older), **_read_retimed(connection, older)} if older else {}
    read |= {sha256: found for sha256, found in at_hand.items() if found}
    for sha256, review in read_reviews(connection, sha256s).items():
        both = [*read.get(sha256, ()), *review.found]
        read[sha256] = tuple(sorted(both, key=lambda finding: ORDER.index(finding.severity)))
    return read


def _read_received(connection: Connection, sha256s: Collection[str]) -> dict[str, Findings]:
    """Read what was found in versions themselves when they were received."""
    query = select(findings).where(among(findings.c.sha256, sha256s)).order_by(findings.c.sha256, findings.c.position)
    rows = connection.execute(query).mappings()
    return {sha256: tuple(map(as_finding, group)) for sha256, group in groupby(rows, lambda row: str(row["sha256"]))}


def _read_retimed(connection: Connection, sha256s: Collection[str]) -> dict[str, Findings]:
    """Read what was found in versions by a time of receipt that was told better later."""
    found = retimed_findings
    query = (
        select(retimed.c.sha256, found)
        .outerjoin(found, found.c.retiming == retimed.c.id)
        .where(among(retimed.c.sha256, sha256s))
        .order_by(retimed.c.sha256, found.c.position)
    )
    rows = connection.execute(query).mappings()
    return {
        sha256: tuple(as_finding(row) for row in group if row["retiming"] is not None)
        for sha256, group in groupby(rows, lambda row: str(row["sha256"]))
    }


class Reviewer:
    """Holds the reports that count against each other, by the rules of the form."""

    def __init__(self, form: Form, current: Projection, known: Known) -> None:
        self.form = form
        self.current = current
        self.known = known
        self.asked = asked_by(path for rule in form.rules if self._judges(rule) for path in rule.given.values())

    def _judges(self, rule: Rule) -> bool:
        """Tell whether a rule is about more than one report, or about a register that is here."""
        check = str(rule.check)
        return check in ACROSS or (check in KNOWN and not why_unchecked(check, self.known))

    def review(self, connection: Connection, now: datetime, why: str) -> set[str]:
        """Log what has changed in any version that counts; gives the reports concerned."""
        if not self.asked:
            return set()
        changed = self.changes(connection)
        for sha256, (_, before, found) in changed.items():
            news = before.news + any(_cause(finding) not in before.ever for finding in found)
            row = {"sha256": sha256, "news": news, "why": why, "at": now}
            review = connection.scalar(insert(reviews).values(row).returning(reviews.c.id))
            rows = [{"review": review, "position": at, **finding_row(one)} for at, one in enumerate(found)]
            insert_rows(connection, review_findings, rows)
        return {report for report, _, _ in changed.values()}

    def changes(self, connection: Connection) -> dict[str, tuple[str, Review, Findings]]:
        """Give the versions in which other things are found than the log says: report, last review, findings."""
        live = self._live(connection)
        hits: dict[str, Hits] = {}
        every = list(enumerate(live))
        for rule, hit in (*across_hits(self.form, every), *known_hits(self.form, every, self.known)):
            hits.setdefault(live[hit.number].source.sha256, []).append((rule, hit))
        before = read_reviews(connection, {submission.source.sha256 for submission in live})
        full = read_submissions(connection, hits)
        changed = {}
        for one in live:
            sha256, last = one.source.sha256, before.get(one.source.sha256, NEVER)
            found = self._found(full[sha256], hits[sha256]) if sha256 in hits else ()
            if found != last.found:
                changed[sha256] = (one.report, last, found)
        return changed

    def _found(self, submission: Submission, hits: Hits) -> Findings:
        """Word what was found in a version, at the cells of its own file."""
        placed = [(rule, Hit(0, _same_row(submission, hit), hit.marks, hit.words)) for rule, hit in hits]
        return across_findings(self.form, submission, placed, self.known)

    def _live(self, connection: Connection) -> list[Submission]:
        """Read the reports that count, with the answers that the rules ask for and no more, in order of report id."""
        table = self.current.report
        query = select(table).where(table.c.status.not_in(SETTLED)).order_by(table.c.report)
        return read_answers(connection, self.current, connection.execute(query).mappings(), self.asked)


def _same_row(submission: Submission, hit: Hit) -> Row:
    """Find the row of a hit, which the current state has by its number or its key, in the file itself."""
    sheet = submission.sheets[hit.marks[0].partition(".")[0]]
    return next(row for row in sheet.rows if (row.key or row.number) == (hit.row.key or hit.row.number))


def _cause(finding: Finding) -> str:
    """Tell a finding apart from others in the same version; that a newer register says it too is no news."""
    said = {language: DATE.sub("", words) for language, words in finding.message.items()}
    return repr((finding.rule, finding.part, finding.sheet, finding.cells, said))
