"""How reports stand now: worked out from what the log says of them and from what has just come in."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType

from sqlalchemy import Connection, select, union

from outputs.register.database import among
from outputs.register.life import Standing, Version, counting, rank
from outputs.register.log import correction_deadlines, decisions, submissions
from outputs.register.logbook import latest_deadlines, read_submissions, read_versions, version_of
from outputs.register.prepared import Preparer, Typed
from outputs.register.projection import State
from outputs.register.reviews import NEVER, read_findings, read_reviews
from outputs.register.rulings import NOTHING_DECIDED, read_decided
from outputs.register.stored import writable
from validation.findings import Finding
from validation.verdict import Verdict

Said = tuple[Typed, tuple[Finding, ...], int]
"""What a version says: its answers, what is found in them, and how many reviews have found something new."""
Fresh = Mapping[str, Sequence[tuple[Version, Said]]]
"""Versions that have just come in, by report: these are not read again."""
NOTHING_FRESH: Fresh = MappingProxyType({})


def fresh_of(verdicts: Iterable[Verdict], prepare: Preparer) -> Fresh:
    fresh: dict[str, list[tuple[Version, Said]]] = {}
    for verdict in verdicts:
        if submission := version_of(verdict):
            source, report = verdict.source, submission.report
            version = Version(source.received, writable(str(source.path)), source.sha256, report, verdict.outcome)
            fresh.setdefault(report, []).append((version, (prepare(submission).typed, verdict.findings, 0)))
    return fresh


def heard_of(connection: Connection, reports: Collection[str]) -> set[str]:
    """Tell which of these reports the log says anything of."""
    columns = (submissions.c.report, decisions.c.report, correction_deadlines.c.report)
    return set(connection.scalars(union(*(select(column).where(among(column, reports)) for column in columns))))


def read_states(
    connection: Connection, prepare: Preparer, reports: Collection[str], fresh: Fresh, new: Collection[str] = ()
) -> list[State]:
    """Work out how reports stand; of `new` ones there is nothing but what is fresh."""
    known = [report for report in reports if report not in new]
    said = {version.sha256: told for report in reports for version, told in fresh.get(report, ())}
    decided, due = read_decided(connection, known), latest_deadlines(connection, known)
    versions = read_versions(connection, known, said)
    ranked = {}
    for report in reports:
        every = [version for version, _ in fresh.get(report, ())] + versions.get(report, [])
        standings = rank(every, decided.get(report, NOTHING_DECIDED).rulings)
        ranked[report] = standings, counting(standings)
    older = [now.version.sha256 for _, now in ranked.values() if now and now.version.sha256 not in said]
    said |= _read(connection, prepare, older)

    def state(report: str, standings: tuple[Standing, ...], current: Standing | None) -> State:
        if current is None:
            return State(report, standings)
        typed, found, news = said[current.version.sha256]
        findings = decided.get(report, NOTHING_DECIDED).settle(current.version.sha256, found)
        return State(report, standings, current, typed, findings, news, due.get(report))

    return [state(report, *ranks) for report, ranks in ranked.items()]


def _read(connection: Connection, prepare: Preparer, sha256s: list[str]) -> dict[str, Said]:
    """Read what versions say, by SHA-256."""
    read = read_submissions(connection, sha256s)
    found, reviewed = read_findings(connection, sha256s), read_reviews(connection, sha256s)
    return {
        sha256: (prepare.typed(one), found.get(sha256, ()), reviewed.get(sha256, NEVER).news)
        for sha256, one in read.items()
    }
