"""Writing in the log, and reading what it says of returns and versions."""

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime
from itertools import starmap
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
from outputs.register.rows import insert_new, insert_rows
from outputs.register.stored import dump_submission, load_submission, writable
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

Fresh = dict[str, list[tuple[Submission, Verdict]]]
"""Versions that are new in this run, by report: nothing more is known of them than what is at hand."""

# writing


def version_of(verdict: Verdict) -> Submission | None:
    """Give the version of a report that this return is, if it is one."""
    return verdict.submission if verdict.outcome in VERSION_OUTCOMES else None


def write_returns(connection: Connection, verdicts: list[Verdict], now: datetime) -> None:
    """Log new returns with their answers and findings."""
    read = [verdict for verdict in verdicts if verdict.outcome != FAILED]
    insert_rows(connection, returns, [_return_row(verdict, now) for verdict in read])
    refused = [{"sha256": verdict.source.sha256, "code": verdict.code} for verdict in read if verdict.code]
    insert_rows(connection, refusals, refused)
    versions = [version for verdict in read if (version := version_of(verdict))]
    insert_rows(connection, submissions, [_submission_row(version) for version in versions])
    insert_rows(connection, findings, [row for verdict in read for row in _finding_rows(verdict)])


def write_arrivals(connection: Connection, verdicts: list[Verdict], now: datetime) -> None:
    """Log where returns were seen, and files that we failed to read; a place seen before is not logged again."""
    read = [verdict for verdict in verdicts if verdict.outcome != FAILED]
    rows = [
        {"path": str(one.source.path), "sha256": one.source.sha256, "outcome": one.outcome, "seen_at": now}
        for one in read
    ]
    insert_new(connection, arrivals, rows)
    insert_new(connection, origins, [_origin_row(verdict.source) for verdict in read])
    insert_new(connection, failures, [_failure_row(verdict, now) for verdict in verdicts if verdict.outcome == FAILED])


def _origin_row(source: Return) -> dict[str, Any]:
    mail = source.mail
    return {
        "path": str(source.path),
        "sha256": source.sha256,
        "received": source.received,
        "clock": source.clock,
        "sender": source.sender or (mail.sender if mail else None),
        "message_id": mail.message_id if mail else None,
        "subject": mail.subject if mail else None,
        "sent": mail.sent if mail else None,
    }


def _return_row(verdict: Verdict, now: datetime) -> dict[str, Any]:
    source = verdict.source
    report, recipient = origin(verdict)
    return {
        "sha256": source.sha256,
        "path": str(source.path),
        "name": source.name,
        "received": source.received,
        "sender": source.sender,
        "outcome": verdict.outcome,
        "reason": verdict.reason,
        "report": report,
        "recipient": recipient,
        "ingested_at": now,
    }


def _failure_row(verdict: Verdict, now: datetime) -> dict[str, Any]:
    row = _return_row(verdict, now)
    return {name: row[name] for name in ("sha256", "path", "name", "received", "sender", "reason", "ingested_at")}


def origin(verdict: Verdict) -> tuple[str | None, str | None]:
    """Tell the report and the recipient a return belongs to, as far as is known."""
    submission = verdict.submission
    if submission is None or verdict.outcome == QUARANTINED:  # whose it is, a person must say
        return verdict.report, verdict.recipient
    return verdict.report or submission.report, verdict.recipient or submission.recipient


def _submission_row(submission: Submission) -> dict[str, Any]:
    named = {name: getattr(submission, name) for name in ("report", "form", "version", "language", "recipient")}
    return {"sha256": submission.source.sha256, **named, "answers": dump_submission(submission)}


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
    connection: Connection, reports: Collection[str], at_hand: Collection[tuple[Submission, Verdict]]
) -> dict[str, list[Version]]:
    """Give the versions of each report; those at hand are not read again."""
    column = came.c
    fresh = [submission.source.sha256 for submission, _ in at_hand]
    query = (
        select(column.received, column.path, column.sha256, submissions.c.report, column.outcome)
        .join(submissions, submissions.c.sha256 == column.sha256)
        .where(among(submissions.c.report, reports), ~among(submissions.c.sha256, fresh))
    )
    read = (Version(*row) for row in connection.execute(query))
    versions: dict[str, list[Version]] = {}
    for version in (*starmap(_version, at_hand), *read):
        versions.setdefault(version.report, []).append(version)
    return versions


def _version(submission: Submission, verdict: Verdict) -> Version:
    source = verdict.source
    return Version(source.received, writable(str(source.path)), source.sha256, submission.report, verdict.outcome)


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
    column = correction_deadlines.c
    query = select(column.report, func.max(column.due)).where(among(column.report, reports))
    return {row[0]: row[1] for row in connection.execute(query.group_by(column.report))}
