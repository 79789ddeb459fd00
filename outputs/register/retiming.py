"""A file that comes again and tells better when it was received, or by whom, is judged anew by that.

A time that somebody knows goes before one that is a guess, and of known times the earliest: the same
in whatever order the same file came in different ways.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from intake.submission import FILE_CLOCK, Return
from outputs.register.database import among
from outputs.register.life import QUARANTINED
from outputs.register.log import finding_row, origins, retimed_findings, retimings, submissions
from outputs.register.logbook import came, read_submissions
from outputs.register.rows import insert_rows
from templates.form import Form
from validation.check import judge
from validation.known import Known
from validation.verdict import Verdict

Order = tuple[bool, datetime, str]


def order(source: Return) -> Order:
    """Sort the ways in which one file came: the one that tells best comes first."""
    return source.is_guess, source.received, str(source.path)


def judged_anew(
    connection: Connection, verdicts: Sequence[Verdict], known: Collection[str], form: Form, registers: Known
) -> list[Verdict]:
    """Give the verdicts on files that are known, and that now came with a better time."""
    if not known:
        return []
    best = {one.source.sha256: one.source for one in sorted(verdicts, key=lambda one: order(one.source), reverse=True)}
    again = {sha256: source for sha256, source in best.items() if sha256 in known}
    was = _as_it_was(connection, again)
    better = {sha256: again[sha256] for sha256, row in was.items() if order(again[sha256])[:2] < row["order"]}
    for sha256 in _forgotten(connection, better):
        del better[sha256]
    versions = read_submissions(connection, better)
    stored = [replace(version, source=better[sha256]) for sha256, version in versions.items()]
    judged = {verdict.source.sha256: verdict for verdict in judge(stored, form, registers.of_one)}
    return [_verdict(source, was[sha256], judged.get(sha256)) for sha256, source in better.items()]


def _as_it_was(connection: Connection, sha256s: Iterable[str]) -> dict[str, dict[str, Any]]:
    query = (
        select(came, origins.c.clock)
        .outerjoin(origins, (origins.c.sha256 == came.c.sha256) & (origins.c.path == came.c.path))
        .where(among(came.c.sha256, sha256s))
    )
    rows = connection.execute(query).mappings()
    # what an older program took in without a word of who knows the time is a guess
    return {row["sha256"]: {**row, "order": (row["clock"] in (None, FILE_CLOCK), row["received"])} for row in rows}


def _forgotten(connection: Connection, sha256s: Iterable[str]) -> Sequence[str]:
    """Find versions that were emptied of persons: they cannot be judged any more."""
    query = select(submissions.c.sha256).where(submissions.c.forgotten.is_not(None))
    return connection.scalars(query.where(among(submissions.c.sha256, sha256s))).all()


def _verdict(source: Return, was: dict[str, Any], judged: Verdict | None) -> Verdict:
    if judged is None:  # a file that is no version of a report
        return Verdict(source, was["outcome"], was["reason"], report=was["report"], recipient=was["recipient"])
    if was["outcome"] == QUARANTINED:  # whose it is still stands in doubt
        return replace(judged, outcome=QUARANTINED, reason=was["reason"])
    return judged


def write_retimings(connection: Connection, verdicts: Sequence[Verdict], now: datetime) -> None:
    """Log when these files were received as is known now, and what is found in them by that."""
    for verdict in verdicts:
        source = verdict.source
        row = {"sha256": source.sha256, "path": str(source.path), "name": source.name, "received": source.received}
        row |= {"sender": source.sender, "clock": source.clock, "outcome": verdict.outcome, "reason": verdict.reason}
        new = insert(retimings).values(**row, at=now).returning(retimings.c.id)
        number = connection.scalar(new)
        found = [{"retiming": number, "position": at, **finding_row(one)} for at, one in enumerate(verdict.findings)]
        insert_rows(connection, retimed_findings, found)
