"""The top of a round: its figures, and what waits for a person with the command that settles it.

The dashboard begins with it and `behov status` is it, each in its own words.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from outputs.letters.notice_letters import CLOSING, INVITATION, REMINDER
from outputs.mailing.mailroom import sends_itself
from outputs.mailing.notices import answered
from outputs.register.letter_states import MAILED, NEED_A_PERSON, QUEUED
from outputs.register.life import ACCEPTED, NEEDS_CORRECTION, QUARANTINED, REJECTED, REMARKS, WITHDRAWN
from outputs.register.log import FAILED, letters
from outputs.register.register import Register
from outputs.register.waiting import BY_WHOM
from templates.round import Round
from validation.verdict import LATE

UNREADABLE = "unreadable"
OUT = (WITHDRAWN, REJECTED)
SHARE = "share"  # a note that tells how much the figure is of another
SETTLED_BY = {
    FAILED: "behov ingest",
    LATE: f"behov decide … accept-late {BY_WHOM}",
    QUARANTINED: f"behov decide … accept {BY_WHOM}",
    UNREADABLE: f"behov decide … reject {BY_WHOM}",
}  # files by outcome, the most pressing first
REMIND = "behov remind"
SEND = " --send"  # where round.toml names a mail server
BY_HAND = f'behov outbox {MAILED} --by "…"'
SENT_BY = {INVITATION: "behov send-out", REMINDER: REMIND, CLOSING: "behov close"}  # the rest by feedback


@dataclass(frozen=True)
class Need:
    """Something that waits for a person: an outcome of files, or "letters", "ready", "to_mail", "overdue", "silent"."""

    kind: str
    number: int
    command: str


@dataclass(frozen=True)
class Figure:
    """One number of the round, and a second one that says more of it; 0 when there is no more to say."""

    kind: str
    number: int
    note: str
    more: int = 0

    @property
    def percent(self) -> int:
        return percent(self.number, self.more)


@dataclass(frozen=True)
class Top:
    """How a round stands."""

    now: datetime
    deadline: datetime
    owners: int  # with a workbook
    sent: int
    missing: int  # workbooks that nothing counts for
    silent: frozenset[str]  # owners with a workbook from whom nothing has come, by orgnr
    reports: Counter[str]  # by state
    files: Counter[str]  # by outcome
    letters: Counter[str]  # by state
    ready: Counter[str]  # letters that are written and not sent, by the command that sends them, or says that they are
    remind: str  # the command
    overdue: int  # reports that should have been corrected by now

    @property
    def returned(self) -> int:
        return self.reports.total()

    @property
    def letters_for_a_person(self) -> int:
        return sum(self.letters[state] for state in NEED_A_PERSON)

    def standing(self, *states: str) -> int:
        """Count the reports in any of these states."""
        return sum(self.reports[state] for state in states)

    def figures(self) -> Iterator[Figure]:
        """Give the figures in the order they are told."""
        yield Figure("sent", self.sent, "owners", self.owners)
        yield Figure("returned", self.returned, SHARE, self.sent)
        yield Figure("complete", self.standing(ACCEPTED, REMARKS), "with_questions", self.standing(REMARKS))
        yield Figure("wrong", self.standing(NEEDS_CORRECTION), "overdue", self.overdue)
        yield Figure("late", self.standing(LATE), "out", self.standing(*OUT))
        yield Figure("unreadable", self.files[UNREADABLE], "")
        yield Figure("missing", self.missing, "silent", len(self.silent))

    def needs(self) -> list[Need]:
        """List what waits for a person, the most pressing first."""
        silent = len(self.silent) if self.now > self.deadline else 0
        every = [
            *(Need(outcome, self.files[outcome], command) for outcome, command in SETTLED_BY.items()),
            Need("letters", self.letters_for_a_person, "behov outbox"),
            *(
                Need("to_mail" if command == BY_HAND else "ready", number, command)
                for command, number in sorted(self.ready.items())
            ),
            Need("overdue", self.overdue, self.remind),
            Need("silent", silent, self.remind),
        ]
        return [need for need in every if need.number]


def top_of(round_: Round, register: Register, files: Sequence[Mapping[str, Any]], now: datetime) -> Top:
    """Count a round; `files` are those of the register. Raises RoundError."""
    report, sent = register.current.report.c, round_.sent()
    with register.reading() as connection:
        rows = connection.execute(select(report.report, report.status, report.correction_deadline)).all()
        written = connection.execute(select(letters.c.state, letters.c.kind)).all()
        heard_from = answered(connection, register)
    queued = [letter.kind for letter in written if letter.state == QUEUED]
    is_sent = sends_itself(round_)
    ready = (SENT_BY.get(kind, "behov feedback") + SEND if is_sent else BY_HAND for kind in queued)
    due = [row.correction_deadline for row in rows if row.status == NEEDS_CORRECTION]
    return Top(
        now=now,
        deadline=round_.form.deadline,
        owners=len({line.orgnr for line in sent.values()}),
        sent=len(sent),
        missing=len(sent.keys() - {row.report for row in rows}),
        silent=frozenset(({line.orgnr for line in sent.values()} & round_.recipients.keys()) - heard_from),
        reports=Counter(row.status for row in rows),
        files=Counter(file["outcome"] for file in files),
        letters=Counter(letter.state for letter in written),
        ready=Counter(ready),
        remind=REMIND + SEND if is_sent else REMIND,
        overdue=sum(when is not None and when < now for when in due),
    )


def percent(part: int, whole: int) -> int:
    """Say how much of the whole a part is; never 0 or 100 of what is neither."""
    rounded = round(100 * part / whole) if whole else 0
    return min(max(rounded, int(part > 0)), 99 if part < whole else 100)
