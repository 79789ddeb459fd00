"""The log: every return, version, finding, letter and decision. It only grows.

Each row says when it was written and by whom, or belongs to one that does; triggers refuse to change
or delete what has been written.
"""

import getpass
import json
import os
from collections.abc import Collection, Iterable
from dataclasses import fields
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import (
    DDL,
    JSON,
    Column,
    ColumnElement,
    Connection,
    ForeignKey,
    Integer,
    MetaData,
    RowMapping,
    Table,
    Text,
    event,
    func,
    select,
)
from sqlalchemy.dialects.sqlite import insert

from intake.submission import Return, Submission
from outputs.letter_states import OVERTAKEN, WAITING
from outputs.life import JUDGED, QUARANTINED, Version
from outputs.stored import Moment, Words, dump_submission, load_submission
from validation.findings import Finding
from validation.verdict import LATE, Verdict

DUPLICATE, FAILED = "duplicate", "failed"
VERSION_OUTCOMES = frozenset({*JUDGED, LATE, QUARANTINED})  # these may have answers that count

log = MetaData()


def actor() -> str:
    """Name the person at the keyboard, as the system knows them; BEHOV_USER says it otherwise."""
    try:
        return os.environ.get("BEHOV_USER") or getpass.getuser()
    except (KeyError, OSError):  # nobody by that number
        return "unknown"


def _by() -> Column[str]:
    """Say who wrote a row; empty for what an older program wrote."""
    return Column("by", Words, nullable=False, default=actor, server_default="")


def finding_columns() -> list[Column[Any]]:
    """Give a column for each field of a Finding."""
    texts = [Column(name, Text, nullable=False) for name in ("rule", "part", "severity")]
    words = [Column(name, Words, nullable=False) for name in ("sheet", "row_name", "written", "waiver")]
    lists = ("cells", "questions", "message", "label", "elsewhere")
    return [*texts, *words, *(Column(name, JSON, nullable=False) for name in lists)]


returns = Table(
    "returns",
    log,
    Column("sha256", Text, primary_key=True),
    Column("path", Words, nullable=False),
    Column("name", Words, nullable=False),
    Column("received", Moment, nullable=False),
    Column("sender", Words),
    Column("outcome", Text, nullable=False),  # how checking ended; what a version counts as now is in `version`
    Column("reason", JSON, nullable=False),
    Column("report", Text),
    Column("recipient", Text),
    Column("ingested_at", Moment, nullable=False),
    _by(),
)
failures = Table(  # files that our own failure stopped; each may be tried again, and is a return when it could be read
    "failures",
    log,
    Column("sha256", Text, primary_key=True),
    Column("path", Words, primary_key=True),
    Column("name", Words, nullable=False),
    Column("received", Moment, nullable=False),
    Column("sender", Words),
    Column("reason", JSON, nullable=False),
    Column("ingested_at", Moment, nullable=False),
    _by(),
)
arrivals = Table(  # every place a return was seen, and what the run said about it
    "arrivals",
    log,
    Column("path", Words, primary_key=True),
    Column("sha256", Text, ForeignKey(returns.c.sha256), primary_key=True),
    Column("outcome", Text, nullable=False),
    Column("seen_at", Moment, nullable=False),
    _by(),
)
origins = Table(  # who says when and from whom each arrival came; a mail's words are its sender's
    "origins",
    log,
    Column("path", Words, primary_key=True),
    Column("sha256", Text, ForeignKey(returns.c.sha256), primary_key=True),
    Column("received", Moment, nullable=False),
    Column("clock", Text, nullable=False),  # see intake.submission.Return
    Column("sender", Words),
    Column("message_id", Words),
    Column("subject", Words),
    Column("sent", Moment),
)
submissions = Table(
    "submissions",
    log,
    Column("sha256", Text, ForeignKey(returns.c.sha256), primary_key=True),
    Column("report", Text, nullable=False, index=True),
    Column("form", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("answers", Text, nullable=False),  # see dump_submission
)
findings = Table(  # on receipt: what is wrong in the version itself
    "findings",
    log,
    Column("sha256", Text, ForeignKey(returns.c.sha256), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    *finding_columns(),
)
reviews = Table(  # a version held against the other reports; the latest review of it holds
    "reviews",
    log,
    Column("id", Integer, primary_key=True),
    Column("sha256", Text, ForeignKey(submissions.c.sha256), nullable=False, index=True),
    Column("news", Integer, nullable=False),  # how many reviews of the version, this one too, found something new
    Column("why", Text, nullable=False),  # the command that led to it
    Column("at", Moment, nullable=False),
    _by(),
)
review_findings = Table(
    "review_findings",
    log,
    Column("review", Integer, ForeignKey(reviews.c.id), primary_key=True, autoincrement=False),
    Column("position", Integer, primary_key=True, autoincrement=False),
    *finding_columns(),
)
correction_deadlines = Table(
    "correction_deadlines",
    log,
    Column("report", Text, primary_key=True),
    Column("due", Moment, primary_key=True),
    Column("set_at", Moment),  # unknown for what an older program wrote
    _by(),
)
decisions = Table(
    "decisions",
    log,
    Column("id", Integer, primary_key=True),
    Column("report", Text, index=True),  # none for a file that is no version of any
    Column("what", Text, nullable=False),  # a key of outputs.life.DECIDING
    Column("rulings", JSON, nullable=False, server_default="{}"),  # what it says of each version, by SHA-256
    Column("waives", JSON, nullable=False, server_default="[]"),  # rules that the report need not keep
    Column("by", Words, nullable=False),
    Column("reason", Words, nullable=False),
    Column("at", Moment, nullable=False),
)
letters = Table(  # the mailroom writes these; `letter_events` tells how `state` came to be
    "letters",
    log,
    Column("id", Integer, primary_key=True),
    Column("key", Text, nullable=False, unique=True),  # one letter for each thing to tell
    Column("recipient", Text, nullable=False, index=True),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("path", Words),
    Column("to", JSON, nullable=False),
    Column("subject", Words, nullable=False),
    Column("made_at", Moment, nullable=False),
    _by(),
)
letter_events = Table(
    "letter_events",
    log,
    Column("id", Integer, primary_key=True),
    Column("letter", Integer, ForeignKey(letters.c.id), nullable=False, index=True),
    Column("state", Text, nullable=False),
    Column("note", Words, nullable=False, default=""),
    Column("at", Moment, nullable=False),
    _by(),
)
letter_ids = Table(  # which letter a Message-ID names; a letter that was written again has several
    "letter_ids",
    log,
    Column("message_id", Text, primary_key=True),
    Column("letter", Integer, ForeignKey(letters.c.id), nullable=False),
)
letter_orders = Table(  # what a person has said of a letter
    "letter_orders",
    log,
    Column("id", Integer, primary_key=True),
    Column("letter", Integer, ForeignKey(letters.c.id), nullable=False, index=True),
    Column("what", Text, nullable=False),
    Column("by", Words, nullable=False),
    Column("reason", Words, nullable=False),
    Column("at", Moment, nullable=False),
)

FINDING_FIELDS = tuple(field.name for field in fields(Finding))
APPEND_ONLY = (
    returns,
    failures,
    arrivals,
    origins,
    submissions,
    findings,
    reviews,
    review_findings,
    correction_deadlines,
    decisions,
    letter_events,
    letter_ids,
    letter_orders,
)
FIXED = ("id", "key", "recipient", "kind", "made_at", '"by"')  # columns of letters that never change
UNTIL_IT_LEAVES = ('"to"', "subject")  # these change only while a letter waits, or when it is made again

GUARDS: list[tuple[str, str]] = []
"""The triggers that guard the log: table and name."""


def _refuse(table: Table, action: str, columns: Collection[str] = (), when: str = "", name: str = "") -> None:
    of = f"OF {', '.join(columns)}" if columns else ""
    trigger = name or f"no_{action}_{table.name}"
    words = (
        f"CREATE TRIGGER {trigger} BEFORE {action} {of} ON {table.name} {when}"
        f" BEGIN SELECT RAISE(ABORT, '{table.name} is append-only'); END"
    )
    event.listen(table, "after_create", DDL(words))  # type: ignore[no-untyped-call]
    GUARDS.append((table.name, trigger))


def guard(table: Table) -> None:
    """See to it that rows of this table are only added."""
    _refuse(table, "DELETE")
    _refuse(table, "UPDATE")


for _table in APPEND_ONLY:
    guard(_table)
_refuse(letters, "DELETE")
_refuse(letters, "UPDATE", FIXED)
_refuse(letters, "UPDATE", UNTIL_IT_LEAVES, f"WHEN OLD.state NOT IN {(*WAITING, OVERTAKEN)}", "no_UPDATE_letters_gone")


# writing


def version_of(verdict: Verdict) -> Submission | None:
    """Give the version of a report that this return is, if it is one."""
    return verdict.submission if verdict.outcome in VERSION_OUTCOMES else None


def write_returns(connection: Connection, verdicts: list[Verdict], now: datetime) -> None:
    """Log new returns with their answers and findings, and files that we failed to read."""
    read = [verdict for verdict in verdicts if verdict.outcome != FAILED]
    insert_rows(connection, returns, [_return_row(verdict, now) for verdict in read])
    versions = [version for verdict in read if (version := version_of(verdict))]
    insert_rows(connection, submissions, [_submission_row(version) for version in versions])
    insert_rows(connection, findings, [row for verdict in read for row in _finding_rows(verdict)])
    failed = [_failure_row(verdict, now) for verdict in verdicts if verdict.outcome == FAILED]
    if failed:
        connection.execute(insert(failures).on_conflict_do_nothing(), failed)


def write_arrivals(connection: Connection, verdicts: list[Verdict], now: datetime) -> None:
    """Log where returns were seen; a place seen before is not logged again."""
    read = [verdict for verdict in verdicts if verdict.outcome != FAILED]
    rows = [
        {"path": str(one.source.path), "sha256": one.source.sha256, "outcome": one.outcome, "seen_at": now}
        for one in read
    ]
    if rows:
        connection.execute(insert(arrivals).on_conflict_do_nothing(), rows)
        came = [_origin_row(verdict.source) for verdict in read]
        connection.execute(insert(origins).on_conflict_do_nothing(), came)


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


def insert_rows(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    if rows:
        connection.execute(insert(table), rows)


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
    return {name: value for name, value in _return_row(verdict, now).items() if name in failures.c}


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


def finding_row(finding: Finding) -> dict[str, Any]:
    return {name: getattr(finding, name) for name in FINDING_FIELDS}


# reading


def among(column: ColumnElement[str], values: Iterable[str]) -> ColumnElement[bool]:
    """Tell whether the column is one of the values, however many there are."""
    listed = func.json_each(json.dumps(list(values))).table_valued("value")
    return column.in_(select(listed.c.value))


def known_returns(connection: Connection, sha256s: Collection[str]) -> dict[str, tuple[str | None, str | None]]:
    """Give the report and recipient of those that are here; what we failed to read may come again."""
    query = select(returns.c.sha256, returns.c.report, returns.c.recipient)
    rows = connection.execute(query.where(among(returns.c.sha256, sha256s)))
    return {row.sha256: (row.report, row.recipient) for row in rows}


def read_versions(connection: Connection, reports: Collection[str]) -> list[list[Version]]:
    """Read the versions of each report."""
    column = returns.c
    query = (
        select(column.received, column.path, column.sha256, submissions.c.report, column.outcome)
        .join(submissions, submissions.c.sha256 == column.sha256)
        .where(among(submissions.c.report, reports))
        .order_by(submissions.c.report)
    )
    versions = [Version(*row) for row in connection.execute(query)]
    return [list(group) for _, group in groupby(versions, lambda version: version.report)]


def read_submissions(connection: Connection, sha256s: Collection[str]) -> dict[str, Submission]:
    """Read submissions by SHA-256."""
    column = submissions.c
    rows = connection.execute(select(column.sha256, column.answers).where(among(column.sha256, sha256s)))
    return {row.sha256: load_submission(row.answers) for row in rows}


def latest_deadlines(connection: Connection, reports: Collection[str]) -> dict[str, datetime]:
    """Tell until when each report may be corrected."""
    column = correction_deadlines.c
    query = select(column.report, func.max(column.due)).where(among(column.report, reports))
    return {row[0]: row[1] for row in connection.execute(query.group_by(column.report))}


def as_finding(row: RowMapping) -> Finding:
    values = {name: row[name] for name in FINDING_FIELDS}
    values |= {name: tuple(row[name]) for name in ("cells", "questions")}
    return Finding(**values | {"elsewhere": tuple((tab, cell) for tab, cell in row["elsewhere"])})
