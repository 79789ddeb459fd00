"""Writing in the log, and reading what it says of returns and versions."""

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, select

from intake.submission import Return, Submission
from outputs.register.database import among
from outputs.register.life import JUDGED, QUARANTINED, Version
from outputs.register.log import (
    FAILED,
    arrivals,
    correction_deadlines,
    failures,
    finding_row,
    findings,
    origins,
    refusals,
    retimings,
    returns,
    submissions,
)
from outputs.register.prepared import Preparer, load_submission
from outputs.register.rows import columns_of, insert_columns, insert_rows
from validation.verdict import LATE, Verdict

retimed = (
    select(retimings)
    .where(retimings.c.id.in_(select(func.max(retimings.c.id)).group_by(retimings.c.sha256)))
    .subquery("retimed")
)
came = (
    select(
        returns.c.sha256,
        returns.c.report,
        returns.c.recipient,
        *(
            func.coalesce(retimed.c[name], returns.c[name]).label(name)
            for name in ("path", "name", "received", "sender", "outcome", "reason")
        ),
    )
    .outerjoin(retimed, retimed.c.sha256 == returns.c.sha256)
    .subquery("came")
)
"""Every return, received when it is known to have been by now."""
VERSION_OUTCOMES = frozenset({*JUDGED, LATE, QUARANTINED})  # these may have answers that count

# writing


def version_of(verdict: Verdict) -> Submission | None:
    """Give the version of a report that this return is, if it is one."""
    return verdict.submission if verdict.outcome in VERSION_OUTCOMES else None


def write_returns(connection: Connection, verdicts: list[Verdict], prepare: Preparer, now: datetime) -> None:
    """Log new returns with their answers and findings."""
    read = [verdict for verdict in verdicts if verdict.outcome != FAILED]
    insert_columns(connection, returns, _return_columns(read, now))
    refused = [{"sha256": verdict.source.sha256, "code": verdict.code} for verdict in read if verdict.code]
    insert_rows(connection, refusals, refused)
    versions = [version for verdict in read if (version := version_of(verdict))]
    answers = {
        **columns_of(versions, "report", "form", "version", "language", "recipient"),
        "sha256": [version.source.sha256 for version in versions],
        "answers": [prepare(version).answers for version in versions],
    }
    insert_columns(connection, submissions, answers)
    insert_rows(connection, findings, [row for verdict in read for row in _finding_rows(verdict)])


def write_arrivals(connection: Connection, verdicts: list[Verdict], now: datetime) -> None:
    """Log where returns were seen, and files that we failed to read; a place seen before is not logged again."""
    read = [verdict for verdict in verdicts if verdict.outcome != FAILED]
    came_from = _origin_columns([verdict.source for verdict in read])
    seen = {name: came_from[name] for name in ("path", "sha256")}
    insert_columns(connection, arrivals, seen | columns_of(read, "outcome") | {"seen_at": [now] * len(read)}, new=True)
    insert_columns(connection, origins, came_from, new=True)
    failed = _return_columns([verdict for verdict in verdicts if verdict.outcome == FAILED], now)
    insert_columns(connection, failures, {name: failed[name] for name in failed if name in failures.columns}, new=True)


def _origin_columns(sources: list[Return]) -> dict[str, list[Any]]:
    mails = [source.mail for source in sources]
    return columns_of(sources, "sha256", "received", "clock") | {
        "path": [str(source.path) for source in sources],
        "sender": [source.sender or (source.mail.sender if source.mail else None) for source in sources],
        "message_id": [mail.message_id if mail else None for mail in mails],
        "subject": [mail.subject if mail else None for mail in mails],
        "sent": [mail.sent if mail else None for mail in mails],
    }


def _return_columns(verdicts: list[Verdict], now: datetime) -> dict[str, list[Any]]:
    sources = [verdict.source for verdict in verdicts]
    whose = [origin(verdict) for verdict in verdicts]
    return {
        **columns_of(sources, "sha256", "name", "received", "sender"),
        **columns_of(verdicts, "outcome", "reason"),
        "path": [str(source.path) for source in sources],
        "report": [report for report, _ in whose],
        "recipient": [recipient for _, recipient in whose],
        "ingested_at": [now] * len(verdicts),
    }


def origin(verdict: Verdict) -> tuple[str | None, str | None]:
    """Tell the report and the recipient a return belongs to, as far as is known."""
    submission = verdict.submission
    if submission is None or verdict.outcome == QUARANTINED:  # whose it is, a person must say
        return verdict.report, verdict.recipient
    return verdict.report or submission.report, verdict.recipient or submission.recipient


def _finding_rows(verdict: Verdict) -> Iterable[dict[str, Any]]:
    for position, finding in enumerate(verdict.findings):
        yield {"sha256": verdict.source.sha256, "position": position, **finding_row(finding)}


# reading


def known_returns(connection: Connection, sha256s: Collection[str]) -> dict[str, tuple[str | None, str | None]]:
    """Give the report and recipient of those that are here; what we failed to read may come again."""
    column = returns.c
    query = select(column.sha256, column.report, column.recipient)
    rows = connection.execute(query.where(among(column.sha256, sha256s)))
    return {row.sha256: (row.report, row.recipient) for row in rows}


def known_places(connection: Connection, sha256s: Collection[str]) -> set[tuple[str, str]]:
    """Where these returns have been seen before: path and SHA-256."""
    query = select(arrivals.c.path, arrivals.c.sha256).where(among(arrivals.c.sha256, sha256s))
    return {(row.path, row.sha256) for row in connection.execute(query)}


def read_versions(
    connection: Connection, reports: Collection[str], at_hand: Collection[str]
) -> dict[str, list[Version]]:
    """Give the versions of each report, but those whose SHA-256 is at hand."""
    versions: dict[str, list[Version]] = {}
    if not reports:
        return versions
    column = came.c
    query = (
        select(column.received, column.path, column.sha256, submissions.c.report, column.outcome)
        .join(submissions, submissions.c.sha256 == column.sha256)
        .where(among(submissions.c.report, reports), ~among(submissions.c.sha256, at_hand))
    )
    for row in connection.execute(query):
        versions.setdefault(row.report, []).append(Version(*row))
    return versions


def read_submissions(connection: Connection, sha256s: Collection[str]) -> dict[str, Submission]:
    """Read submissions by SHA-256."""
    column = submissions.c
    wanted = list(sha256s)
    if not wanted:
        return {}
    rows = connection.execute(select(column.sha256, column.answers).where(among(column.sha256, wanted)))
    read = {row.sha256: load_submission(row.answers) for row in rows}
    for row in connection.execute(select(retimed).where(among(retimed.c.sha256, wanted))):
        if row.sha256 in read:
            read[row.sha256] = _retimed(read[row.sha256], row)
    return read


def _retimed(submission: Submission, row: Any) -> Submission:  # noqa: ANN401 - a row of `retimed`
    known = {"path": Path(row.path), "received": row.received, "clock": row.clock, "sender": row.sender}
    return replace(submission, source=replace(submission.source, **known))


def latest_deadlines(connection: Connection, reports: Collection[str]) -> dict[str, datetime]:
    """Tell until when each report may be corrected."""
    if not reports:
        return {}
    column = correction_deadlines.c
    query = select(column.report, func.max(column.due)).where(among(column.report, reports))
    return {row[0]: row[1] for row in connection.execute(query.group_by(column.report))}
