"""The register: takes batches in, and knows which version of each report counts now.

What is logged stays (`outputs.log`); the current state is made from it (`outputs.projection`).
"""

import hashlib
import os
import tempfile
import zlib
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, MetaData, RowMapping, create_engine, event, func, select, update
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.pool import NullPool
from sqlalchemy.schema import CreateTable

from intake.submission import Return, Submission
from outputs.log import (
    DUPLICATE,
    among,
    as_finding,
    correction_deadlines,
    count_severities,
    findings,
    known_returns,
    latest_deadlines,
    log,
    origin,
    read_submissions,
    read_versions,
    returns,
    submissions,
    version_of,
    write_arrivals,
    write_returns,
)
from outputs.projection import SUPERSEDED, Projection, State, rank
from templates.form import Form
from templates.round import Round
from templates.texts import load_texts
from validation.findings import NEEDS_A_PERSON, Finding, outcome_of
from validation.rules import DEADLINE_CHECK
from validation.verdict import LATE, Verdict

BUSY_SECONDS = 30  # how long one process waits for another to finish writing
CHUNK = 500  # reports at a time
SUFFIX_LENGTH = 16
TEXTS = Path(__file__).parent / "texts.toml"


class Register:
    """The register of one round."""

    def __init__(self, path: Path, form: Form) -> None:
        self.form = form
        self.current = Projection(form)
        # Without a pool no connection outlives its transaction, and at rest the register is one file.
        self.engine = create_engine(
            URL.create("sqlite", database=str(path)), poolclass=NullPool, connect_args={"timeout": BUSY_SECONDS}
        )
        event.listen(self.engine, "connect", _prepare)
        event.listen(self.engine, "begin", _begin)
        self._open: Connection | None = None

    @classmethod
    def open(cls, path: Path, form: Form) -> "Register":
        """Open the register at this path, made where it is not there, with tables that fit the form."""
        register = cls(path, form)
        with register.reading() as connection:
            fits = _stored_shape(connection) == register._shape
        if not fits:
            register._fit_tables()
        return register

    # transactions

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open a transaction, written whole or not at all; inside another one it is part of that."""
        with self._transaction(immediate=True) as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a view of the register, which stays the same while it is read."""
        with self._transaction(immediate=False) as connection:
            yield connection

    @contextmanager
    def _transaction(self, *, immediate: bool) -> Iterator[Connection]:
        outer = self._open
        if outer is not None and (outer.get_execution_options()["immediate"] or not immediate):
            yield outer
            return
        with self.engine.connect().execution_options(immediate=immediate) as connection, connection.begin():
            self._open = connection
            try:
                yield connection
            finally:
                self._open = outer

    # what came in

    def known(self, sha256s: Collection[str]) -> set[str]:
        """Tell which of these files need not be read again; one that we failed to read may be tried again."""
        with self.reading() as connection:
            return set(known_returns(connection, sha256s))

    def merge(self, verdicts: Sequence[Verdict], now: datetime) -> list[Verdict]:
        """Take a batch in, all of it or nothing; tell how each file ended in this run.

        The same files in any order, in one batch or several, give the same current state.
        """
        with self.writing() as connection:
            known = known_returns(connection, [verdict.source.sha256 for verdict in verdicts])
            chosen = _first_of_each(verdicts, known)
            due = self._open_corrections(connection, [verdicts[index] for index in chosen])
            new = {index: self._judged_by_its_deadline(verdicts[index], due) for index in chosen}
            write_returns(connection, list(new.values()), now)
            outcomes = self._project_new(connection, list(new.values()))
            known |= {verdict.source.sha256: origin(verdict) for verdict in new.values()}
            ended = [
                _ended(new[index], outcomes) if index in new else _duplicate(verdict, known)
                for index, verdict in enumerate(verdicts)
            ]
            write_arrivals(connection, ended, now)
        return ended

    def set_correction_deadline(self, report: str, when: datetime) -> None:
        """Count what is received until then as a correction, not as late. The latest one set holds."""
        with self.writing() as connection:
            connection.execute(insert(correction_deadlines).values(report=report, due=when).on_conflict_do_nothing())
            table, due = self.current.report, latest_deadlines(connection, [report])
            connection.execute(update(table).where(table.c.report == report).values(correction_deadline=due[report]))

    def _open_corrections(self, connection: Connection, verdicts: list[Verdict]) -> dict[str, datetime]:
        """Find until when reports that have late versions here may be corrected.

        Not those that were late already: a correction does not make up for that, a person decides.
        """
        late = {verdict.submission.report for verdict in verdicts if verdict.submission and verdict.outcome == LATE}
        column = self.current.report.c
        waiting = connection.scalars(select(column.report).where(among(column.report, late), column.status == LATE))
        return latest_deadlines(connection, late - set(waiting))

    def _judged_by_its_deadline(self, verdict: Verdict, due: dict[str, datetime]) -> Verdict:
        """Judge a correction that was received by its own deadline without the form's."""
        submission = verdict.submission
        if verdict.outcome != LATE or submission is None or submission.report not in due:
            return verdict
        if submission.source.received > due[submission.report]:
            return verdict
        rules = {(rule.id, rule.part) for rule in self.form.rules if rule.check == DEADLINE_CHECK}
        kept = tuple(finding for finding in verdict.findings if (finding.rule, finding.part) not in rules)
        judged = replace(verdict, findings=kept)
        return judged.ended(outcome_of(kept), {})

    # what counts now

    def rebuild(self) -> None:
        """Make the current state again from the log."""
        with self.writing() as connection:
            for table in reversed(self.current.metadata.sorted_tables):
                connection.execute(table.delete())
            reports = list(connection.scalars(select(submissions.c.report).distinct()))
            self._project(connection, reports, {})

    def _project_new(self, connection: Connection, verdicts: list[Verdict]) -> dict[str, str]:
        fresh = {version.source.sha256: version for verdict in verdicts if (version := version_of(verdict))}
        return self._project(connection, sorted({version.report for version in fresh.values()}), fresh)

    def _project(self, connection: Connection, reports: list[str], fresh: dict[str, Submission]) -> dict[str, str]:
        """Bring these reports up to date; what each of their versions counts as now, by SHA-256.

        `fresh` are submissions at hand, which need not be read from the log.
        """
        outcomes = {}
        for start in range(0, len(reports), CHUNK):
            states = self._states(connection, reports[start : start + CHUNK], fresh)
            self.current.replace(connection, states)
            standings = (standing for state in states for standing in state.standings)
            outcomes.update({standing.version.sha256: standing.outcome for standing in standings})
        return outcomes

    def _states(self, connection: Connection, reports: list[str], fresh: dict[str, Submission]) -> list[State]:
        ranked = [rank(versions) for versions in read_versions(connection, reports)]
        counting = [current.version.sha256 for current, _ in ranked]
        loaded = read_submissions(connection, [sha256 for sha256 in counting if sha256 not in fresh])
        severities = count_severities(connection, counting)
        due = latest_deadlines(connection, reports)
        return [
            State(
                submission=fresh.get(sha256) or loaded[sha256],
                current=current,
                standings=standings,
                errors=severities[sha256, "error"],
                remarks=severities[sha256, "warning"],
                correction_deadline=due.get(current.version.report),
            )
            for sha256, (current, standings) in zip(counting, ranked, strict=True)
        ]

    # what it says

    def reports(self) -> list[dict[str, Any]]:
        """List the current state: one row for each report, in order of report id."""
        query = select(self.current.report).order_by(self.current.report.c.report)
        with self.reading() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def submission(self, report: str) -> Submission:
        """Give the version of a report that counts. Raises KeyError for a report that is not here."""
        return self.submissions([report])[report]

    def submissions(self, reports: Collection[str]) -> dict[str, Submission]:
        """Give the versions that count, by report."""
        column = self.current.report.c
        with self.reading() as connection:
            counting = connection.scalars(select(column.sha256).where(among(column.report, reports))).all()
            return {submission.report: submission for submission in read_submissions(connection, counting).values()}

    def findings(self, report: str) -> tuple[Finding, ...]:
        """Tell what was found in the version of a report that counts."""
        return self.findings_of([report]).get(report, ())

    def findings_of(self, reports: Collection[str]) -> dict[str, tuple[Finding, ...]]:
        """Tell what was found in the versions that count, by report; one without findings is left out."""
        column = self.current.report.c
        query = (
            select(column.report, findings)
            .join(findings, findings.c.sha256 == column.sha256)
            .where(among(column.report, reports))
            .order_by(column.report, findings.c.position)
        )
        with self.reading() as connection:
            rows = connection.execute(query).mappings().all()
        return {
            report: tuple(map(as_finding, group)) for report, group in groupby(rows, lambda row: str(row["report"]))
        }

    def sheet_rows(self, sheet: str, reports: Collection[str]) -> dict[str, list[dict[str, Any]]]:
        """Give the typed rows of one form sheet, by report, in the order of the sheet."""
        table = self.current.sheets[sheet]
        query = select(table).where(among(table.c.report, reports)).order_by(*self.current.order(sheet))
        found: dict[str, list[dict[str, Any]]] = {}
        with self.reading() as connection:
            for row in connection.execute(query).mappings():
                found.setdefault(row["report"], []).append(dict(row))
        return found

    def status_counts(self) -> dict[str, Any]:
        """Count files and reports and how every file counts now, and list what waits for a person."""
        version = self.current.version.c
        outcome = func.coalesce(version.outcome, returns.c.outcome).label("outcome")
        query = (
            select(returns.c.path, returns.c.report, returns.c.reason, outcome)
            .outerjoin(self.current.version, version.sha256 == returns.c.sha256)
            .order_by(returns.c.report, returns.c.path)
        )
        with self.reading() as connection:
            rows = connection.execute(query).mappings().all()
            reports = connection.scalar(select(func.count()).select_from(self.current.report))
        return {
            "returned": len(rows),
            "reports": reports,
            "by_outcome": dict(sorted(Counter(row["outcome"] for row in rows).items())),
            "need_a_person": [_waiting(row) for row in rows if row["outcome"] in NEEDS_A_PERSON],
        }

    # tables

    @property
    def _shape(self) -> int:
        """A number that stands for the tables as the program and the form want them."""
        tables = [*log.sorted_tables, *self.current.metadata.sorted_tables]
        return zlib.crc32("".join(str(CreateTable(table)) for table in tables).encode()) >> 1  # a signed 32-bit field

    def _fit_tables(self) -> None:
        """Make the tables that are missing, and the current state in the form's new shape."""
        with self.writing() as connection:
            found = MetaData()
            found.reflect(connection)
            for table in reversed(found.sorted_tables):
                if table.name not in log.tables:
                    table.drop(connection)
            log.create_all(connection)
            self.current.metadata.create_all(connection)
            self.rebuild()
            connection.exec_driver_sql(f"PRAGMA user_version = {self._shape}")


def _prepare(connection: Any, _record: object) -> None:  # noqa: ANN401 - sqlite3's connection
    connection.isolation_level = None  # BEGIN is ours, see _begin
    for setting in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {setting}")


def _begin(connection: Connection) -> None:
    # A writer takes its turn at once: one that began by reading could not go on after another wrote.
    immediate = connection.get_execution_options().get("immediate")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def _stored_shape(connection: Connection) -> int:
    return int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())


def _first_of_each(verdicts: Sequence[Verdict], known: Collection[str]) -> list[int]:
    """Find the verdicts about files not seen before: of the same file, the one received first.

    A time that somebody knows goes before one that is a guess.
    """

    def order(index: int) -> tuple[bool, bool, datetime, str]:
        verdict = verdicts[index]
        source = verdict.source
        return verdict.outcome == DUPLICATE, source.is_guess, source.received, str(source.path)

    first: dict[str, int] = {}
    for index in sorted(range(len(verdicts)), key=order):
        sha256 = verdicts[index].source.sha256
        if sha256 not in known:
            first.setdefault(sha256, index)
    return list(first.values())


def _ended(verdict: Verdict, outcomes: dict[str, str]) -> Verdict:
    outcome = outcomes.get(verdict.source.sha256, verdict.outcome)
    if outcome == SUPERSEDED:
        return verdict.ended(SUPERSEDED, load_texts(TEXTS).all("reason_superseded"))
    return verdict.ended(outcome)


def _duplicate(verdict: Verdict, known: dict[str, tuple[str | None, str | None]]) -> Verdict:
    report, recipient = known[verdict.source.sha256]
    reason = load_texts(TEXTS).all("reason_duplicate")
    return Verdict(verdict.source, DUPLICATE, reason, report=report, recipient=recipient)


def _waiting(row: RowMapping) -> dict[str, str | None]:
    reason = row["reason"].get("nb")
    if row["outcome"] == LATE and not reason:
        reason = load_texts(TEXTS).say("reason_late", "nb")
    return {"path": row["path"], "report": row["report"], "outcome": row["outcome"], "reason": reason}


class ArchiveError(Exception):
    """A received file that cannot be kept as it was read."""


def archive(round_: Round, source: Return) -> Path:
    """Keep a received file unchanged under its SHA-256, read-only.

    Raises ArchiveError when the file is no longer the one that was read.
    """
    kept = round_.archive / f"{source.sha256}{source.path.suffix.lower()[:SUFFIX_LENGTH]}"
    if kept.exists():
        return kept
    content = source.file.read_bytes()
    if hashlib.sha256(content).hexdigest() != source.sha256:
        raise ArchiveError(f"{source.path} was changed after it was read; take it in again")
    round_.archive.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=round_.archive, prefix=".")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(handle)  # the log will say that we have it
        temporary.chmod(0o444)
        temporary.replace(kept)
    finally:
        temporary.unlink(missing_ok=True)
    return kept
