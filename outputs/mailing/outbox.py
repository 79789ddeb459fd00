"""The outbox: who is owed a letter about what came back. One place decides.

A letter is written to its file first and then entered in the register, together with the deadline
it gives. A run that broke off in between writes the same file again.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, select

from outputs.letters.feedback import KINDS, Attachment, Letter, draft_letter
from outputs.letters.message import addresses, write_message
from outputs.letters.received import REFUSED, WRONG_FORM, Received
from outputs.letters.stationery import Stationery, stationery_of
from outputs.letters.words import clean
from outputs.mailing.mailroom import Key, enter, heard_in, known, known_since, overtake, sends_itself
from outputs.mailing.standing import AGAIN, Standing, sent_again, standing_returns
from outputs.marked.marking import Marking
from outputs.progress import Progress, Step, silent
from outputs.register.database import among
from outputs.register.letter_states import COUNTING, STATES, WAITING
from outputs.register.life import NEEDS_CORRECTION, QUARANTINED
from outputs.register.log import submissions
from outputs.register.logbook import latest_deadlines
from outputs.register.register import Register
from templates.form import Form
from templates.recipients import Recipient
from templates.round import Round
from validation.findings import SEVERITIES, Finding
from validation.rules import DEADLINE_CHECK, same_house
from validation.verdict import LATE

AT_A_TIME = 100  # owners in one transaction
CAME_FROM = "answers a file from somebody it does not go to: "  # in the log of a letter
END_OF_DAY = time(23, 59, 59)
ERROR = SEVERITIES[0]


def make_letters(round_: Round, register: Register, now: datetime, progress: Progress = silent) -> list[dict[str, Any]]:
    """Write one letter to each owner that has something new to hear, and queue it.

    Gives the letters this call made, as `feedback --json` prints them. A recipient without a
    registered address gets a draft, which is never sent. Raises RoundError for letters/ in the round
    that cannot be used.
    """
    house = stationery_of(round_)
    with register.writing() as connection:
        rows = standing_returns(connection, register, round_)
        again = sent_again(connection, rows)
        if sends_itself(round_):
            true = {(row["sha256"], row["stood"]) for row in (*rows, *again)} - _out_of_date(connection, rows, now)
            overtake(connection, [key for key in known(connection, KINDS, WAITING) if not key.about <= true], now)
        owed = Told.read(connection, COUNTING).news(rows, again)
        heard = heard_of(connection, round_)
        made_before = Counter(replace(key, turn=1) for key in known(connection, KINDS, STATES))
    owners = [list(rows) for _, rows in groupby(owed, itemgetter("recipient"))]
    made, marking = [], Marking(round_)
    with progress("Letters", len(owners)) as step:
        for start in range(0, len(owners), AT_A_TIME):
            with register.writing() as connection:
                desk = _Desk(round_, register, connection, marking, house, now)
                made += desk.write(owners[start : start + AT_A_TIME], heard, made_before, step)
    return made


def _out_of_date(connection: Connection, rows: Iterable[Standing], now: datetime) -> set[tuple[str, str]]:
    """Find what was asked for by a day that has passed: a letter that still waits would tell that day."""
    asked = [
        row
        for row in rows
        if row["outcome"] in REFUSED or (row["outcome"] == NEEDS_CORRECTION and not row["stands_by"])
    ]
    due = latest_deadlines(connection, [row["report"] for row in asked if row["report"]])
    return {(row["sha256"], row["stood"]) for row in asked if due.get(row["report"], now) < now}


# what has been told


@dataclass(frozen=True)
class Told:
    """What owners have been told of each return, by SHA-256; the one told of last comes last."""

    stands: dict[str, str] = field(default_factory=dict)  # how it stood, unless another version was told of since
    ever: dict[str, str] = field(default_factory=dict)  # how it stood when it was told of last
    since: dict[str, datetime] = field(default_factory=dict)  # when that was
    again: set[tuple[str, str]] = field(default_factory=set)  # that it came once more

    @classmethod
    def read(cls, connection: Connection, states: Collection[str]) -> "Told":
        """Read it from the letters in these states."""
        told = cls()
        report_of = {row.sha256: row.report for row in connection.execute(_REPORTS)}
        counting: dict[str, str] = {}  # the version of each report that was told of as the one that counts
        for key, made_at in known_since(connection, KINDS, states):
            for sha256, how in key.about:
                told.since[sha256] = made_at
                if how.startswith(AGAIN):
                    told.again.add((sha256, how))
                    continue
                if sha256 in report_of and not how.startswith((LATE, QUARANTINED)):
                    told.stands.pop(counting.get(report_of[sha256], ""), None)
                    counting[report_of[sha256]] = sha256
                for which in (told.stands, told.ever):
                    which.pop(sha256, None)
                    which[sha256] = how
        return told

    def news(self, rows: Iterable[Standing], again: Iterable[Standing]) -> list[Standing]:
        """Choose what is new: what stands otherwise than was told, and the same file sent after that was told."""
        told = {row["sha256"] for row in rows if self.stands.get(row["sha256"]) == row["stood"]}
        new = [row for row in rows if row["sha256"] not in told]
        new += [row for row in again if row["sha256"] in told and self._is_new(row)]
        return sorted(new, key=itemgetter("recipient"))

    def _is_new(self, again: Standing) -> bool:
        return (again["sha256"], again["stood"]) not in self.again and self.since[again["sha256"]] < again["received"]


_REPORTS = select(submissions.c.sha256, submissions.c.report)


def heard_of(connection: Connection, round_: Round) -> Told:
    """Read what owners have had letters about."""
    return Told.read(connection, heard_in(round_))


def _last_told(connection: Connection, reports: Collection[str], heard: Told) -> dict[str, str]:
    """Find which version of each report its owner was last told about, by SHA-256.

    Not the late ones: their errors may have been left out of the letter.
    """
    rows = connection.execute(_REPORTS.where(among(submissions.c.report, reports)))
    report_of = {row.sha256: row.report for row in rows}
    told = ((sha256, stood) for sha256, stood in heard.ever.items() if sha256 in report_of)
    return {report_of[sha256]: sha256 for sha256, stood in told if not stood.startswith(LATE)}


# the letters


class _Desk:
    """Where letters are written, inside one transaction."""

    def __init__(
        self,
        round_: Round,
        register: Register,
        connection: Connection,
        marking: Marking,
        house: Stationery,
        now: datetime,
    ) -> None:
        self.round = round_
        self.marking = marking
        self.house = house
        self.form = round_.form
        self.office = round_.settings.office
        self.register = register
        self.connection = connection
        self.now = now.astimezone(self.form.zone)

    def write(
        self, owners: Sequence[Sequence[Standing]], heard: Told, made_before: Mapping[Key, int], step: Step
    ) -> list[dict[str, Any]]:
        """Write and queue one letter for each owner."""
        rows = [row for owner in owners for row in owner]
        last_told = _last_told(self.connection, [row["report"] for row in rows], heard)
        found = self._findings([*last_told.values(), *(row["sha256"] for row in rows)])
        made = []
        for owner in owners:
            recipient = self._recipient(owner[0]["recipient"])
            about = [self._received(row, found, last_told, heard) for row in owner]
            about, files = self.marking.mark(self.connection, recipient, about)
            files += [file for item in about for file in self._workbook(item)]
            letter = draft_letter(self.form, self.office, recipient, about, self.now.date(), self.house.texts)
            made += self._queue(letter, files, made_before)
            step(1)
        return made

    def _findings(self, sha256s: Collection[str]) -> dict[str, tuple[Finding, ...]]:
        """Read what was found, less that a return was late: the letter has its own words for it."""
        lateness = {rule.id for rule in self.form.rules if rule.check == DEADLINE_CHECK}
        return {
            sha256: tuple(finding for finding in found if finding.rule not in lateness)
            for sha256, found in self.register.findings_in(sha256s).items()
        }

    def _received(
        self,
        row: Standing,
        found: Mapping[str, tuple[Finding, ...]],
        last_told: Mapping[str, str],
        heard: Told,
    ) -> Received:
        told, due = last_told.get(row["report"]), row["correction_deadline"]
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
            heard=heard.ever.get(row["sha256"], ""),
            again=row["stood"].startswith(AGAIN),
            code=row.get("code") or "",
            enclosed=row.get("code") in WRONG_FORM and self._has_workbook(row["report"]),
            due=due.astimezone(self.form.zone).date() if due else None,
            message_id=row["message_id"] or "",
            sender=row["sender"] or "",
        )

    def _recipient(self, orgnr: str) -> Recipient:
        nobody = Recipient(orgnr, "", "", "", self.form.languages[0])
        return self.round.recipients.get(orgnr, nobody)

    def _queue(
        self, letter: Letter, files: Sequence[Attachment], made_before: Mapping[Key, int]
    ) -> list[dict[str, Any]]:
        about = frozenset((item.sha256, item.stood) for item in letter.about)
        key = Key(letter.recipient.orgnr, letter.kind, about)
        key = replace(key, turn=made_before.get(key, 0) + 1)
        message = write_message(letter, self.office, self.now, files, self.round.settings.mail, self.house)
        strangers = senders_elsewhere(letter)
        note = f"{CAME_FROM}{', '.join(strangers)}" if strangers else ""
        made = enter(self.connection, self.round, key, message, self.now, note)
        if made:
            self._set_deadlines(letter)
        return [row | ({"senders": strangers} if strangers else {}) for row in made]

    def _has_workbook(self, report: str | None) -> bool:
        line = self.round.sent().get(report or "")
        return line is not None and (self.round.sent_folder / line.file).exists()

    def _workbook(self, item: Received) -> Iterator[Attachment]:
        """Give the workbook as it was sent, to an owner who has sent something else."""
        if item.enclosed:
            path = self.round.sent_folder / self.round.sent()[str(item.report)].file
            yield Attachment(path.name, path.read_bytes())

    def _set_deadlines(self, letter: Letter) -> None:
        for item in letter.about:
            if letter.due and item.report and item.awaited:
                self.register.set_correction_deadline(item.report, end_of(letter.due, self.form))


def senders_elsewhere(letter: Letter) -> list[str]:
    """List who sent what the letter answers and is not where it goes: staff must know, and it goes nowhere else.

    An address at the domain of a registered one is the owner's own, unless strangers share the domain.
    """
    registered = addresses(letter.recipient)
    senders = dict.fromkeys(clean(item.sender) for item in letter.about if item.sender)
    return [sender for sender in senders if not any(same_house(sender, address) for address in registered)]


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
