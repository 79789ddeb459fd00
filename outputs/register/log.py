"""The log: every return, version, finding, letter and decision. It only grows.

Each row says when it was written and by whom, or belongs to one that does; triggers refuse to change
or delete what has been written.
"""

import getpass
import os
from dataclasses import fields
from typing import Any

from sqlalchemy import JSON, Column, ForeignKey, Integer, MetaData, RowMapping, Table

from outputs.register.guards import guards_of
from outputs.register.stored import Moment, Plain, Words
from validation.findings import Finding

DUPLICATE, FAILED = "duplicate", "failed"

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


def _forgotten() -> Column[int | None]:
    """Name the record of who had a row emptied of persons: see `outputs.care.forget`."""
    return Column("forgotten", Integer, ForeignKey("forgettings.id"))


def finding_columns() -> list[Column[Any]]:
    """Give a column for each field of a Finding."""
    texts = [Column(name, Plain, nullable=False) for name in ("rule", "part", "severity")]
    words = [Column(name, Words, nullable=False) for name in ("sheet", "row_name", "written", "waiver")]
    lists = ("cells", "questions", "message", "label", "elsewhere")
    return [*texts, *words, *(Column(name, JSON, nullable=False) for name in lists)]


forgettings = Table(  # contact persons removed after the round
    "forgettings",
    log,
    Column("id", Integer, primary_key=True),
    Column("by", Words, nullable=False),
    Column("reason", Words, nullable=False),
    Column("at", Moment, nullable=False),
)
returns = Table(
    "returns",
    log,
    Column("sha256", Plain, primary_key=True),
    Column("path", Words, nullable=False),
    Column("name", Words, nullable=False),
    Column("received", Moment, nullable=False),
    Column("sender", Words),
    Column("outcome", Plain, nullable=False),  # how checking ended; what a version counts as now is in `version`
    Column("reason", JSON, nullable=False),
    Column("report", Plain),
    Column("recipient", Plain),
    Column("ingested_at", Moment, nullable=False),
    _by(),
    _forgotten(),
)
refusals = Table(  # why a return was refused: a code of intake/texts.toml; an older program did not keep it
    "refusals",
    log,
    Column("sha256", Plain, ForeignKey(returns.c.sha256), primary_key=True),
    Column("code", Plain, nullable=False),
)
failures = Table(  # files that our own failure stopped; each may be tried again, and is a return when it could be read
    "failures",
    log,
    Column("sha256", Plain, primary_key=True),
    Column("path", Words, primary_key=True),
    Column("name", Words, nullable=False),
    Column("received", Moment, nullable=False),
    Column("sender", Words),
    Column("reason", JSON, nullable=False),
    Column("ingested_at", Moment, nullable=False),
    _by(),
    _forgotten(),
)
arrivals = Table(  # every place a return was seen, and what the run said about it
    "arrivals",
    log,
    Column("path", Words, primary_key=True),
    Column("sha256", Plain, ForeignKey(returns.c.sha256), primary_key=True),
    Column("outcome", Plain, nullable=False),
    Column("seen_at", Moment, nullable=False),
    _by(),
)
origins = Table(  # who says when and from whom each arrival came; a mail's words are its sender's
    "origins",
    log,
    Column("path", Words, primary_key=True),
    Column("sha256", Plain, ForeignKey(returns.c.sha256), primary_key=True),
    Column("received", Moment, nullable=False),
    Column("clock", Plain, nullable=False),  # see intake.submission.Return
    Column("sender", Words),
    Column("message_id", Words),
    Column("subject", Words),
    Column("sent", Moment),
    _forgotten(),
)
submissions = Table(
    "submissions",
    log,
    Column("sha256", Plain, ForeignKey(returns.c.sha256), primary_key=True),
    Column("report", Plain, nullable=False, index=True),
    Column("form", Plain, nullable=False),
    Column("version", Plain, nullable=False),
    Column("language", Plain, nullable=False),
    Column("recipient", Plain, nullable=False),
    Column("answers", Plain, nullable=False),  # see dump_submission
    _forgotten(),
)
findings = Table(  # on receipt: what is wrong in the version itself
    "findings",
    log,
    Column("sha256", Plain, ForeignKey(returns.c.sha256), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    *finding_columns(),
    _forgotten(),
)
retimings = Table(  # a return that came again, with a better known time: the latest of them holds
    "retimings",
    log,
    Column("id", Integer, primary_key=True),
    Column("sha256", Plain, ForeignKey(returns.c.sha256), nullable=False, index=True),
    Column("path", Words, nullable=False),
    Column("name", Words, nullable=False),
    Column("received", Moment, nullable=False),
    Column("clock", Plain, nullable=False),
    Column("sender", Words),
    Column("outcome", Plain, nullable=False),  # how checking ended by that time
    Column("reason", JSON, nullable=False),
    Column("at", Moment, nullable=False),
    _by(),
    _forgotten(),
)
retimed_findings = Table(  # instead of `findings`
    "retimed_findings",
    log,
    Column("retiming", Integer, ForeignKey(retimings.c.id), primary_key=True, autoincrement=False),
    Column("position", Integer, primary_key=True, autoincrement=False),
    *finding_columns(),
    _forgotten(),
)
reviews = Table(  # a version held against the other reports; the latest review of it holds
    "reviews",
    log,
    Column("id", Integer, primary_key=True),
    Column("sha256", Plain, ForeignKey(submissions.c.sha256), nullable=False, index=True),
    Column("news", Integer, nullable=False),  # how many reviews of the version, this one too, found something new
    Column("why", Plain, nullable=False),  # the command that led to it
    Column("at", Moment, nullable=False),
    _by(),
)
review_findings = Table(
    "review_findings",
    log,
    Column("review", Integer, ForeignKey(reviews.c.id), primary_key=True, autoincrement=False),
    Column("position", Integer, primary_key=True, autoincrement=False),
    *finding_columns(),
    _forgotten(),
)
correction_deadlines = Table(
    "correction_deadlines",
    log,
    Column("report", Plain, primary_key=True),
    Column("due", Moment, primary_key=True),
    Column("set_at", Moment),  # unknown for what an older program wrote
    _by(),
)
decisions = Table(
    "decisions",
    log,
    Column("id", Integer, primary_key=True),
    Column("report", Plain, index=True),  # none for a file that is no version of any
    Column("what", Plain, nullable=False),  # a key of outputs.register.life.DECIDING
    Column("rulings", JSON, nullable=False, server_default="{}"),  # what it says of each version, by SHA-256
    Column("waives", JSON, nullable=False, server_default="[]"),  # rules that the report need not keep
    Column("by", Words, nullable=False),
    Column("reason", Words, nullable=False),
    Column("at", Moment, nullable=False),
)
extensions = Table(  # until when a decision lets a report be sent in or corrected
    "extensions",
    log,
    Column("decision", Integer, ForeignKey(decisions.c.id), primary_key=True, autoincrement=False),
    Column("due", Moment, nullable=False),
)
letters = Table(  # the mailroom writes these; `letter_events` tells how `state` came to be
    "letters",
    log,
    Column("id", Integer, primary_key=True),
    Column("key", Plain, nullable=False, unique=True),  # one letter for each thing to tell
    Column("recipient", Plain, nullable=False, index=True),
    Column("kind", Plain, nullable=False),
    Column("state", Plain, nullable=False),
    Column("path", Words),
    Column("to", JSON, nullable=False),
    Column("subject", Words, nullable=False),
    Column("made_at", Moment, nullable=False),
    _by(),
    _forgotten(),
)
letter_events = Table(
    "letter_events",
    log,
    Column("id", Integer, primary_key=True),
    Column("letter", Integer, ForeignKey(letters.c.id), nullable=False, index=True),
    Column("state", Plain, nullable=False),
    Column("note", Words, nullable=False, default=""),
    Column("at", Moment, nullable=False),
    _by(),
    _forgotten(),
)
letter_ids = Table(  # which letter a Message-ID names; a letter that was written again has several
    "letter_ids",
    log,
    Column("message_id", Plain, primary_key=True),
    Column("letter", Integer, ForeignKey(letters.c.id), nullable=False),
)
letter_orders = Table(  # what a person has said of a letter
    "letter_orders",
    log,
    Column("id", Integer, primary_key=True),
    Column("letter", Integer, ForeignKey(letters.c.id), nullable=False, index=True),
    Column("what", Plain, nullable=False),
    Column("by", Words, nullable=False),
    Column("reason", Words, nullable=False),
    Column("at", Moment, nullable=False),
)

exports = Table(
    "exports",
    log,
    Column("id", Integer, primary_key=True),
    Column("code", Plain, nullable=False, unique=True),  # stands in the workbook, and tells which export it is
    Column("name", Words, nullable=False),
    Column("at", Moment, nullable=False),
    _by(),
)
exported = Table(  # what an export said of a report, where the one before said something else
    "exported",
    log,
    Column("export", Integer, ForeignKey(exports.c.id), primary_key=True, autoincrement=False),
    Column("report", Plain, primary_key=True),
    Column("shown", JSON, nullable=False),  # empty for a report that was there before and is no more
    Column("casework", JSON, nullable=False),  # what stood in the caseworkers' columns
    _forgotten(),
)
imports = Table(  # every file that staff brought in and that changed something
    "imports",
    log,
    Column("id", Integer, primary_key=True),
    Column("kind", Plain, nullable=False),  # casework, or the name of what it is a list of
    Column("source", Words, nullable=False),  # the code of an export, or the register that it comes from
    Column("dated", Plain),  # the day a register speaks of, ISO
    Column("name", Words, nullable=False),
    Column("sha256", Plain, nullable=False),  # of the file as it was
    Column("kept", Words),  # where the round keeps what was taken from it
    Column("kept_sha256", Plain),
    Column("rows", Integer, nullable=False),  # that were taken in
    Column("at", Moment, nullable=False),
    _by(),
)
casework = Table(  # what a caseworker has written of a report; the latest of a field holds
    "casework",
    log,
    Column("id", Integer, primary_key=True),
    Column("import_id", Integer, ForeignKey(imports.c.id), nullable=False),
    Column("report", Plain, nullable=False, index=True),
    Column("field", Plain, nullable=False),
    Column("value", JSON, nullable=False),  # null for what was emptied
    Column("at", Moment, nullable=False),
    _by(),
)

FINDING_FIELDS = tuple(field.name for field in fields(Finding))
APPEND_ONLY = (
    forgettings,
    returns,
    refusals,
    failures,
    arrivals,
    origins,
    submissions,
    findings,
    retimings,
    retimed_findings,
    reviews,
    review_findings,
    correction_deadlines,
    decisions,
    extensions,
    letter_events,
    letter_ids,
    letter_orders,
    exports,
    exported,
    imports,
    casework,
)

ERASABLE: dict[Table, tuple[str, ...]] = {  # what may be emptied when a person has contact persons forgotten
    returns: ("sender",),
    failures: ("sender",),
    origins: ("sender", "subject"),
    submissions: ("answers",),
    findings: FINDING_FIELDS,
    retimings: ("sender",),
    retimed_findings: FINDING_FIELDS,
    review_findings: FINDING_FIELDS,
    letters: ("to",),
    letter_events: ("note",),
    exported: ("shown",),
}

GUARDS = tuple(guards_of(APPEND_ONLY, letters, ERASABLE))
"""The triggers that guard the log."""


def finding_row(finding: Finding) -> dict[str, Any]:
    return {name: getattr(finding, name) for name in FINDING_FIELDS}


def as_finding(row: RowMapping) -> Finding:
    values = {name: row[name] for name in FINDING_FIELDS}
    values |= {name: tuple(row[name]) for name in ("cells", "questions")}
    return Finding(**values | {"elsewhere": tuple((tab, cell) for tab, cell in row["elsewhere"])})
