"""The register: takes batches in, and knows which version of each report counts now.

What is logged stays (`outputs.register.log`); the current state is made from it (`outputs.register.projection`).
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, exists, func, select, update

from intake.submission import Submission
from outputs.progress import Progress, silent
from outputs.register import schema
from outputs.register.database import among
from outputs.register.letter_states import COUNTING
from outputs.register.life import SUPERSEDED
from outputs.register.log import (
    DUPLICATE,
    FAILED,
    as_finding,
    correction_deadlines,
    failures,
    letters,
    returns,
    submissions,
)
from outputs.register.logbook import (
    came,
    known_places,
    known_returns,
    latest_deadlines,
    origin,
    read_submissions,
    version_of,
    write_arrivals,
    write_returns,
)
from outputs.register.places import Place, database_at
from outputs.register.projection import Projection
from outputs.register.retiming import Order, judged_anew, order, write_retimings
from outputs.register.reviews import Reviewer, read_findings
from outputs.register.rows import collector_at_rest, insert_columns
from outputs.register.rulings import settled, settled_files
from outputs.register.states import NOTHING_FRESH, Fresh, fresh_of, heard_of, read_states
from outputs.register.transactions import Transactions, kept_or_not
from outputs.register.waiting import waiting
from templates.form import Form
from templates.round import Round, Server
from templates.texts import load_texts
from validation.findings import NEEDS_A_PERSON, Finding, outcome_of
from validation.known import NOTHING, Known
from validation.rules import DEADLINE_CHECK
from validation.verdict import LATE, Verdict

CHUNK = 1000  # reports at a time
TEXTS = Path(__file__).parent.parent / "texts.toml"
UNUSABLE = {FAILED: 1, DUPLICATE: 2}  # verdicts on a new file that come after any other on it


class Register(Transactions):
    """The register of one round."""

    def __init__(self, place: Place, form: Form, known: Known = NOTHING) -> None:
        super().__init__(database_at(place))
        self.form = form
        self.current = Projection(form)
        self.reviewer = Reviewer(form, self.current, known)

    @classmethod
    def open(cls, place: Place, form: Form, known: Known = NOTHING) -> "Register":
        """Open the register at this place, made where it is not there, with tables that fit the form.

        Raises RefusalError for one that this program cannot use as it is.
        """
        register = cls(place, form, known)
        with register.reading() as connection:
            fits = schema.fits(connection, register.database, register.current)
        if not fits:
            with register.writing() as connection:
                schema.fit(connection, register.database, register.current)
                register.rebuild()
        return register

    @classmethod
    def of(cls, round_: Round, known: Known = NOTHING) -> "Register":
        """Open the register of a round, wherever its settings say. Raises RefusalError, RoundError."""
        if isinstance(round_.database, Server) and round_.register.exists():
            raise schema.OlderRegisterError(
                f"{round_.register} is a register, and round.toml says that it is in PostgreSQL; "
                "bring it over with: behov rebuild (nothing is lost)"
            )
        return cls.open(round_.database, round_.form, known)

    # what came in

    def known(self, sha256s: Collection[str]) -> set[str]:
        """Tell which of these files need not be read again; one that we failed to read may be tried again."""
        with self.reading() as connection:
            return set(known_returns(connection, sha256s))

    def merge(self, verdicts: Sequence[Verdict], now: datetime, *, keep: bool = True) -> list[Verdict]:
        """Take a batch in, all of it or nothing; tell how each file ended in this run.

        The same files in any order, in one batch or several, give the same current state. Without
        `keep` nothing is written.
        """
        verdicts = [self._prepared(verdict) for verdict in verdicts]
        with collector_at_rest(), self.writing() as connection, kept_or_not(connection, keep=keep):
            known = known_returns(connection, [verdict.source.sha256 for verdict in verdicts])
            places = known_places(connection, known)
            chosen = _first_of_each(verdicts, known)
            due = self._open_corrections(connection, [verdicts[index] for index in chosen])
            new = {index: self._judged_by_its_deadline(verdicts[index], due) for index in chosen}
            again = judged_anew(connection, verdicts, known, self.form, self.reviewer.known)
            due |= self._open_corrections(connection, again)
            again = [self._judged_by_its_deadline(verdict, due) for verdict in again]
            fresh = fresh_of(new.values(), self.current.prepare)
            heard = heard_of(connection, fresh)
            write_returns(connection, list(new.values()), self.current.prepare, now)
            write_retimings(connection, again, now)
            counted = self._take_in(connection, fresh, fresh.keys() - heard, again)
            reviewed = self._review(connection, now, "ingest") if counted else {}
            known |= {verdict.source.sha256: origin(verdict) for verdict in new.values()}
            outcomes = counted | reviewed
            ended = dict(zip(new, self._ended(connection, list(new.values()), outcomes, reviewed), strict=True))
            anew = {verdict.source.sha256 for verdict in again}
            failed = {verdict.source.sha256 for verdict in new.values() if verdict.outcome == FAILED}
            told = [
                ended.get(index) or (verdict if verdict.source.sha256 in failed else _duplicate(verdict, known, anew))
                for index, verdict in enumerate(verdicts)
            ]
            told = [_at_home(one) if (str(one.source.path), one.source.sha256) in places else one for one in told]
            write_arrivals(connection, told, now)
        return told

    def _prepared(self, verdict: Verdict) -> Verdict:
        """Make answers ready that were not where the file was read: before others have to wait for us."""
        if verdict.submission is None or verdict.submission.prepared is not None:
            return verdict
        return replace(verdict, submission=verdict.submission.prepared_by(self.current.prepare))

    def at_the_end(self, verdicts: Sequence[Verdict]) -> list[Verdict]:
        """Tell how files that were merged one batch after the other count when the last has been."""
        with self.reading() as connection:
            column, sha256s = self.current.version.c, [verdict.source.sha256 for verdict in verdicts]
            query = select(column.sha256, column.outcome).where(among(column.sha256, sha256s))
            outcomes = dict(connection.execute(query).all())
            return self._ended(connection, list(verdicts), outcomes, reviewed=outcomes)

    def set_correction_deadline(self, report: str, when: datetime) -> None:
        """Count what is received until then as a correction, not as late. The latest one set holds."""
        with self.writing() as connection:
            now = datetime.now(tz=when.tzinfo)
            row: dict[str, list[Any]] = {"report": [report], "due": [when], "set_at": [now]}
            insert_columns(connection, correction_deadlines, row, new=True)
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
        return replace(verdict, findings=kept).ended(outcome_of(kept), {})

    # what counts now

    def rebuild(self, progress: Progress = silent) -> None:
        """Make the current state again from the log."""
        with self.writing() as connection:
            self.current.begin_again(connection)
            reports = list(connection.scalars(select(submissions.c.report).distinct()))
            with progress("Reports", len(reports)) as step:
                for start in range(0, len(reports), CHUNK):
                    self._project(connection, reports[start : start + CHUNK])
                    step(len(reports[start : start + CHUNK]))

    def refresh(self, reports: Collection[str], now: datetime, why: str) -> None:
        """Bring these reports up to date after something was decided of them, and hold all against each other."""
        with self.writing() as connection:
            self._project(connection, list(reports))
            self._review(connection, now, why)

    def learn(self, known: Known, now: datetime) -> None:
        """Judge all reports by what the office knows from now on."""
        self.reviewer = Reviewer(self.form, self.current, known)
        self.refresh((), now, "import")

    def _take_in(
        self, connection: Connection, fresh: Fresh, new: Collection[str], again: list[Verdict]
    ) -> dict[str, str]:
        """Bring the reports up to date that these are versions of; gives how each version counts."""
        reports = {*fresh, *(submission.report for verdict in again if (submission := version_of(verdict)))}
        return self._project(connection, sorted(reports), fresh, new)

    def _review(self, connection: Connection, now: datetime, why: str) -> dict[str, str]:
        return self._project(connection, sorted(self.reviewer.review(connection, now, why)))

    def _project(
        self, connection: Connection, reports: list[str], fresh: Fresh = NOTHING_FRESH, new: Collection[str] = ()
    ) -> dict[str, str]:
        """Bring these reports up to date; gives how each version counts. See `read_states`."""
        counted: dict[str, str] = {}
        for start in range(0, len(reports), CHUNK):
            states = read_states(connection, self.current.prepare, reports[start : start + CHUNK], fresh, new)
            counted |= self.current.replace(connection, states)
        return counted

    def _ended(
        self, connection: Connection, verdicts: list[Verdict], outcomes: Mapping[str, str], reviewed: Collection[str]
    ) -> list[Verdict]:
        """Tell how these new files count now, with what was found in those that were held against other reports."""
        versions = {verdict.source.sha256: verdict.findings for verdict in verdicts if version_of(verdict)}
        held = [sha256 for sha256 in versions if sha256 in reviewed]
        found = settled(connection, read_findings(connection, held, at_hand=versions))
        return [_ended(verdict, outcomes, found) for verdict in verdicts]

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
        table = self.current.finding
        query = select(table).where(among(table.c.report, reports)).order_by(table.c.report, table.c.position)
        with self.reading() as connection:
            rows = connection.execute(query).mappings().all()
        return {
            report: tuple(map(as_finding, group)) for report, group in groupby(rows, lambda row: str(row["report"]))
        }

    def findings_in(self, sha256s: Collection[str]) -> dict[str, tuple[Finding, ...]]:
        """Tell what was found in these versions, also those that do not count; by SHA-256."""
        with self.reading() as connection:
            return settled(connection, read_findings(connection, sha256s))

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
        with self.reading() as connection:
            rows = self.files()
            reports = connection.scalar(select(func.count()).select_from(self.current.report))
        return {
            "returned": len(rows),
            "reports": reports,
            "by_outcome": dict(sorted(Counter(row["outcome"] for row in rows).items())),
            "need_a_person": waiting([row for row in rows if row["outcome"] in NEEDS_A_PERSON]),
        }

    def files(self) -> list[dict[str, Any]]:
        """Give every file ever received with how it counts now."""
        with self.reading() as connection:
            return self._files(connection)

    def _files(self, connection: Connection) -> list[dict[str, Any]]:
        version = self.current.version.c
        query = select(
            came.c.sha256,
            came.c.path,
            came.c.name,
            came.c.received,
            func.coalesce(version.report, came.c.report).label("report"),
            came.c.recipient,
            came.c.reason,
            version.number,
            func.coalesce(version.outcome, came.c.outcome).label("outcome"),
            exists().where(letters.c.key.contains(came.c.sha256), letters.c.state.in_(COUNTING)).label("told"),
        ).outerjoin(self.current.version, version.sha256 == came.c.sha256)
        settled = settled_files(connection)
        read = [dict(row) for row in connection.execute(query).mappings()]
        rows = [row | {"outcome": settled.get(row["sha256"], row["outcome"])} for row in read]
        failed = select(failures).where(failures.c.sha256.not_in(select(returns.c.sha256)))
        nothing = {"report": None, "recipient": None, "number": None, "outcome": FAILED, "told": False}
        rows += {row["sha256"]: {**row, **nothing} for row in connection.execute(failed).mappings()}.values()
        return sorted(rows, key=lambda row: (row["report"] or "", row["path"]))


def _first_of_each(verdicts: Sequence[Verdict], known: Collection[str]) -> list[int]:
    """Find the verdicts about files not seen before: of the same file, the one received first that could be read.

    A time that somebody knows goes before one that is a guess.
    """

    def earliest(index: int) -> tuple[int, Order]:
        return UNUSABLE.get(verdicts[index].outcome, 0), order(verdicts[index].source)

    same: dict[str, list[int]] = {}
    for index, verdict in enumerate(verdicts):
        if verdict.source.sha256 not in known:
            same.setdefault(verdict.source.sha256, []).append(index)
    return [indices[0] if len(indices) == 1 else min(indices, key=earliest) for indices in same.values()]


def _ended(verdict: Verdict, outcomes: Mapping[str, str], found: dict[str, tuple[Finding, ...]]) -> Verdict:
    sha256 = verdict.source.sha256
    outcome, findings = outcomes.get(sha256, verdict.outcome), found.get(sha256, verdict.findings)
    if verdict.outcome == DUPLICATE or (outcome, findings) == (verdict.outcome, verdict.findings):
        return verdict
    reason = load_texts(TEXTS).all("reason_superseded") if outcome == SUPERSEDED else verdict.reason
    return replace(verdict, outcome=outcome, reason=reason, findings=findings)


def _duplicate(verdict: Verdict, known: dict[str, tuple[str | None, str | None]], anew: Collection[str]) -> Verdict:
    report, recipient = known[verdict.source.sha256]
    key = "reason_duplicate_judged_anew" if verdict.source.sha256 in anew else "reason_duplicate"
    return Verdict(verdict.source, DUPLICATE, load_texts(TEXTS).all(key), report=report, recipient=recipient)


def _at_home(verdict: Verdict) -> Verdict:
    """A file that lies where an earlier run took it from: not a second one."""
    if verdict.outcome != DUPLICATE or verdict.reason != load_texts(TEXTS).all("reason_duplicate"):
        return verdict
    return replace(verdict, reason=load_texts(TEXTS).all("reason_known"), is_known=True)
