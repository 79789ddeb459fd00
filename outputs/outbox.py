"""The outbox: who is owed a letter about what came back. One place decides.

A letter is written to its file first and then entered in the register, together with the deadline
it gives. A run that broke off in between writes the same file again.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, time
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, RowMapping, select

from outputs.database import among
from outputs.feedback import KINDS, REFUSED, Letter, Received, draft_letter
from outputs.letter_states import BY_HAND, LEFT, WAITING
from outputs.life import QUARANTINED, SETTLED, SUPERSEDED
from outputs.log import origins, submissions
from outputs.logbook import came
from outputs.mailroom import Key, enter, known, overtake, sends_itself
from outputs.marking import Marking
from outputs.message import Attachment, write_message
from outputs.register import Register
from outputs.rulings import settled_files
from templates.form import Form
from templates.recipients import Recipient
from templates.round import Round
from validation.findings import SEVERITIES, Finding
from validation.rules import DEADLINE_CHECK
from validation.verdict import LATE

AT_A_TIME = 100  # owners in one transaction
END_OF_DAY = time(23, 59, 59)
ERROR = SEVERITIES[0]

Standing = RowMapping
"""A return that says something to its owner now: `standing_returns` names its columns."""


def make_letters(round_: Round, register: Register, now: datetime) -> list[dict[str, Any]]:
    """Write one letter to each owner that has something new to hear, and queue it.

    Gives the letters this call made, as `feedback --json` prints them. A recipient without a
    registered address gets a draft, which is never sent.
    """
    with register.writing() as connection:
        rows = standing_returns(connection, register)
        if sends_itself(round_):
            true = {(row["sha256"], row["stood"]) for row in rows}
            overtake(connection, [key for key in known(connection, KINDS, WAITING) if not key.about <= true], now)
        told = _pairs(known(connection, KINDS))
        heard = heard_of(connection, round_)
    owed = [row for row in rows if (row["sha256"], row["stood"]) not in told]
    owners = [list(rows) for _, rows in groupby(owed, itemgetter("recipient"))]
    made, marking = [], Marking(round_)
    for start in range(0, len(owners), AT_A_TIME):
        with register.writing() as connection:
            desk = _Desk(round_, register, connection, marking, now)
            made += desk.write(owners[start : start + AT_A_TIME], heard)
    return made


# what has been told


def heard_of(connection: Connection, round_: Round) -> dict[tuple[str, str], None]:
    """Read which versions owners have had letters about, and how those stood; the newest last."""
    return _pairs(known(connection, KINDS, LEFT if sends_itself(round_) else BY_HAND))


def _pairs(keys: Iterable[Key]) -> dict[tuple[str, str], None]:
    return dict.fromkeys(pair for key in keys for pair in key.about)


def _last_told(connection: Connection, reports: Collection[str], heard: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Find which version of each report its owner was last told about, by SHA-256.

    Not the late ones: their errors may have been left out of the letter.
    """
    rows = connection.execute(
        select(submissions.c.sha256, submissions.c.report).where(among(submissions.c.report, reports))
    )
    report_of = {row.sha256: row.report for row in rows}
    return {report_of[sha256]: sha256 for sha256, stood in heard if not stood.startswith(LATE) and sha256 in report_of}


# what there is to tell


def standing_returns(connection: Connection, register: Register) -> list[Standing]:
    """Read every return that says something to its owner now, owner by owner."""
    rows = [*_versions(connection, register), *_refused(connection, register)]
    return sorted(rows, key=lambda row: (row["recipient"], row["report"] or "", row["received"], row["sha256"]))


def _versions(connection: Connection, register: Register) -> Sequence[Standing]:
    """Read the versions that count, and the late ones that wait for a person."""
    report, version = register.current.report, register.current.version
    query = (
        select(
            version.c.sha256,
            version.c.outcome,
            version.c.stood,
            report.c.recipient,
            report.c.report,
            report.c.title,
            report.c.correction_deadline,
            (version.c.sha256 != report.c.sha256).label("stands_by"),
            came.c.received,
            came.c.name,
            came.c.reason,
            origins.c.message_id,
        )
        .join(report, report.c.report == version.c.report)
        .join(came, came.c.sha256 == version.c.sha256)
        .outerjoin(origins, (origins.c.sha256 == came.c.sha256) & (origins.c.path == came.c.path))
        .where(version.c.outcome.not_in((SUPERSEDED, QUARANTINED, *SETTLED)))
    )
    return connection.execute(query).mappings().all()


def _refused(connection: Connection, register: Register) -> Iterable[Standing]:
    """Read the newest file of each report that gave no version, unless a version came later."""
    report = register.current.report
    query = (
        select(
            came.c.sha256,
            came.c.outcome,
            came.c.outcome.label("stood"),
            came.c.recipient,
            came.c.report,
            report.c.title,
            report.c.correction_deadline,
            report.c.sha256.is_not(None).label("stands_by"),
            came.c.received,
            came.c.name,
            came.c.reason,
            origins.c.message_id,
        )
        .outerjoin(report, report.c.report == came.c.report)
        .outerjoin(origins, (origins.c.sha256 == came.c.sha256) & (origins.c.path == came.c.path))
        .where(came.c.outcome.in_(REFUSED), came.c.recipient.is_not(None))
        .where(report.c.received.is_(None) | (report.c.received < came.c.received))
        .order_by(came.c.received)
    )
    settled = settled_files(connection)
    rows = [row for row in connection.execute(query).mappings() if row["sha256"] not in settled]
    return {row["report"] or row["sha256"]: row for row in rows}.values()


# the letters


class _Desk:
    """Where letters are written, inside one transaction."""

    def __init__(
        self, round_: Round, register: Register, connection: Connection, marking: Marking, now: datetime
    ) -> None:
        self.round = round_
        self.marking = marking
        self.form = round_.form
        self.office = round_.settings.office
        self.register = register
        self.connection = connection
        self.now = now.astimezone(self.form.zone)

    def write(self, owners: Sequence[Sequence[Standing]], heard: Iterable[tuple[str, str]]) -> list[dict[str, Any]]:
        """Write and queue one letter for each owner."""
        rows = [row for owner in owners for row in owner]
        last_told = _last_told(self.connection, [row["report"] for row in rows], heard)
        found = self._findings([*last_told.values(), *(row["sha256"] for row in rows)])
        made = []
        for owner in owners:
            recipient = self._recipient(owner[0]["recipient"])
            about = [self._received(row, found, last_told) for row in owner]
            about, files = self.marking.mark(self.connection, recipient, about)
            letter = draft_letter(self.form, self.office, recipient, about, self.now.date())
            made += self._queue(letter, files)
        return made

    def _findings(self, sha256s: Collection[str]) -> dict[str, tuple[Finding, ...]]:
        """Read what was found, less that a return was late: the letter has its own words for it."""
        lateness = {rule.id for rule in self.form.rules if rule.check == DEADLINE_CHECK}
        return {
            sha256: tuple(finding for finding in found if finding.rule not in lateness)
            for sha256, found in self.register.findings_in(sha256s).items()
        }

    def _received(
        self, row: Standing, found: Mapping[str, tuple[Finding, ...]], last_told: Mapping[str, str]
    ) -> Received:
        told = last_told.get(row["report"])
        return Received(
            sha256=row["sha256"],
            outcome=row["outcome"],
            received=row["received"].astimezone(self.form.zone),
            file=row["name"],
            report=row["report"],
            title=row["title"] or "",
            findings=found.get(row["sha256"], ()),
            reason=row["reason"],
            missed=_missed(row, self.form),
            stands_by=bool(row["stands_by"]),
            told=_errors(found.get(told, ())) if told and told != row["sha256"] else None,
            stood=row["stood"],
            more=told == row["sha256"] and row["stood"] != row["outcome"],
            message_id=row["message_id"] or "",
        )

    def _recipient(self, orgnr: str) -> Recipient:
        nobody = Recipient(orgnr, "", "", "", self.form.languages[0])
        return self.round.recipients.get(orgnr, nobody)

    def _queue(self, letter: Letter, files: Sequence[Attachment]) -> list[dict[str, Any]]:
        about = frozenset((item.sha256, item.stood) for item in letter.about)
        key = Key(letter.recipient.orgnr, letter.kind, about)
        message = write_message(letter, self.office, self.now, files, self.round.settings.mail)
        made = enter(self.connection, self.round, key, message, self.now)
        if made:
            self._set_deadlines(letter)
        return made

    def _set_deadlines(self, letter: Letter) -> None:
        for item in letter.about:
            if letter.due and item.report and item.awaited:
                self.register.set_correction_deadline(item.report, end_of(letter.due, self.form))


def end_of(day: date, form: Form) -> datetime:
    """Give the last second of a day where the form is used."""
    return datetime.combine(day, END_OF_DAY, form.zone)


def _errors(found: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(finding for finding in found if finding.severity == ERROR)


def _missed(row: Standing, form: Form) -> datetime | None:
    """Find the last deadline that had passed when the file came."""
    deadlines = [deadline for deadline in (form.deadline, row["correction_deadline"]) if deadline]
    passed = [deadline for deadline in deadlines if deadline < row["received"]]
    return max(passed).astimezone(form.zone) if passed else None
