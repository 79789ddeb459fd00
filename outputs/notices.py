"""Invitations and reminders: the letters that no return has caused."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from outputs.feedback import REFUSED, Letter, Part, contact_line, signature
from outputs.letter_states import WAITING
from outputs.letters.lists import ERROR, NAME_LENGTH, Group, Line
from outputs.letters.words import Phrases, capital, clean
from outputs.life import QUARANTINED, REJECTED
from outputs.log import returns, submissions
from outputs.logbook import latest_deadlines
from outputs.mailroom import Key, enter, known, overtake, sends_itself
from outputs.message import Attachment, write_message
from outputs.outbox import AT_A_TIME, heard_of, standing_returns
from outputs.register import Register
from templates.form import Form
from templates.recipients import Recipient
from templates.round import Office, Round, RoundError, Sent

INVITATION, REMINDER = "invitation", "reminder"
DEADLINE, OVERDUE = "deadline", "overdue"  # the stages of one who has not answered
CORRECTABLE = ("needs_correction", *REFUSED)
DIGEST_LENGTH = 12  # characters that tell one making of a workbook from another


@dataclass(frozen=True, slots=True)
class Lacking:
    """A report that its owner was asked to correct or send again, and when that was due."""

    report: str
    title: str
    due: date
    errors: int  # 0 when the file could not be used at all


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing to write to a recipient about.

    `pair` makes it known (see `Key`): a report and the digest of its workbook, a stage and its
    deadline, or a report and the day its correction was due.
    """

    recipient: Recipient
    pair: tuple[str, str]
    workbooks: tuple[Path, ...] = ()  # that go with the letter
    reports: tuple[str, ...] = ()
    lacking: Lacking | None = None


def make_invitations(round_: Round, register: Register, now: datetime) -> list[dict[str, Any]]:
    """Write to each recipient that has workbooks it has had no letter about, and attach them.

    Gives the letters this call made, as `send-out --json` prints them. Raises RoundError.
    """
    reasons = [
        Reason(round_.recipients[line.orgnr], (line.report, _digest(path)), (path,), (line.report,))
        for line, path in _workbooks(round_)
    ]
    return _make(round_, register, INVITATION, reasons, now)


def make_reminders(round_: Round, register: Register, now: datetime) -> list[dict[str, Any]]:
    """Write to those who have not answered, or not corrected in time; once for each stage.

    A stage is the deadline while it has not passed, the same when it has, and each correction
    deadline that has passed. Gives the letters this call made, as `remind --json` prints them.
    Raises RoundError.
    """
    with register.reading() as connection:
        reasons = [*_silent(connection, round_, register, now), *_uncorrected(connection, round_, register, now)]
    return _make(round_, register, REMINDER, reasons, now)


def _make(
    round_: Round, register: Register, kind: str, reasons: Sequence[Reason], now: datetime
) -> list[dict[str, Any]]:
    """Write one letter to each recipient about what it has had no letter about; take back what is no longer so."""
    with register.writing() as connection:
        if sends_itself(round_):
            true = {(reason.recipient.orgnr, reason.pair) for reason in reasons}
            waiting = known(connection, [kind], WAITING)
            stale = [key for key in waiting if not {(key.recipient, pair) for pair in key.about} <= true]
            overtake(connection, stale, now)
        told = {(key.recipient, _matter(kind, pair)) for key in known(connection, [kind]) for pair in key.about}
    new = [reason for reason in reasons if (reason.recipient.orgnr, _matter(kind, reason.pair)) not in told]
    new.sort(key=lambda reason: reason.recipient.orgnr)
    letters = [list(group) for _, group in groupby(new, lambda reason: reason.recipient.orgnr)]
    made = []
    for start in range(0, len(letters), AT_A_TIME):
        with register.writing() as connection:
            for about in letters[start : start + AT_A_TIME]:
                made += _enter(connection, round_, kind, about, now)
    return made


def _matter(kind: str, pair: tuple[str, str]) -> tuple[str, ...]:
    """Give what is told once: a workbook made anew is no reason for a second invitation."""
    return pair[:1] if kind == INVITATION else pair


def _enter(
    connection: Connection, round_: Round, kind: str, about: Sequence[Reason], now: datetime
) -> list[dict[str, Any]]:
    recipient, settings = about[0].recipient, round_.settings
    key = Key(recipient.orgnr, kind, frozenset(reason.pair for reason in about))
    files = [Attachment(path.name, path.read_bytes()) for reason in about for path in reason.workbooks]
    letter = draft_notice(round_.form, settings.office, recipient, kind, about)
    local = now.astimezone(round_.form.zone)
    return enter(connection, round_, key, write_message(letter, settings.office, local, files, settings.mail), now)


# who is to be told


def _workbooks(round_: Round) -> Iterator[tuple[Sent, Path]]:
    """Find the workbook of each report whose recipient is still one."""
    for line in round_.sent().values():
        path = round_.sent_folder / line.file
        if line.orgnr in round_.recipients:
            if not path.exists():
                raise RoundError(f"{path} is gone; make it again with: behov send-out")
            yield line, path


def _digest(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()[:DIGEST_LENGTH]


def answered(connection: Connection, register: Register) -> set[str]:
    """Give the recipients that have sent anything at all, as far as is known or a person has believed."""
    version = register.current.version
    believed = select(submissions.c.recipient).join(version, version.c.sha256 == submissions.c.sha256)
    counted = believed.where(version.c.outcome.not_in((QUARANTINED, REJECTED)))
    return {*connection.scalars(select(returns.c.recipient)), *connection.scalars(counted)} - {None}


def _silent(connection: Connection, round_: Round, register: Register, now: datetime) -> Iterator[Reason]:
    """Find those that have sent nothing at all."""
    heard_from = answered(connection, register)
    sent: dict[str, list[tuple[Sent, Path]]] = {}
    for line, path in _workbooks(round_):
        if line.orgnr not in heard_from:
            sent.setdefault(line.orgnr, []).append((line, path))
    deadline = round_.form.deadline
    pair = (OVERDUE if deadline < now else DEADLINE, deadline.date().isoformat())
    for orgnr, lines in sent.items():
        reports, paths = tuple(line.report for line, _ in lines), tuple(path for _, path in lines)
        yield Reason(round_.recipients[orgnr], pair, paths, reports)


def _uncorrected(connection: Connection, round_: Round, register: Register, now: datetime) -> Iterator[Reason]:
    """Find the reports whose owners were asked for something that they have not sent in time."""
    heard = heard_of(connection, round_)
    rows = [
        row
        for row in standing_returns(connection, register)
        if row["outcome"] in CORRECTABLE and row["report"] and not row["stands_by"]
        if row["recipient"] in round_.recipients and (row["sha256"], row["stood"]) in heard
    ]
    due = latest_deadlines(connection, [row["report"] for row in rows])
    found = register.findings_in([row["sha256"] for row in rows])
    for row in rows:
        report = row["report"]
        if report in due and due[report] < now:
            day = due[report].astimezone(round_.form.zone).date()
            errors = sum(finding.severity == ERROR for finding in found.get(row["sha256"], ()))
            lacking = Lacking(report, row["title"] or "", day, errors)
            recipient = round_.recipients[row["recipient"]]
            yield Reason(recipient, (report, day.isoformat()), reports=(report,), lacking=lacking)


# the letters


class Said(NamedTuple):
    """What one kind of notice says of its own."""

    subject: str
    opening: str
    lines: tuple[Line, ...]
    steps: tuple[str, ...]


def draft_notice(form: Form, office: Office, recipient: Recipient, kind: str, about: Sequence[Reason]) -> Letter:
    """Write one invitation or reminder to a recipient, about all of this."""
    words = Phrases(form, recipient.language)
    reports = [report for reason in about for report in reason.reports]
    said = _say(words, form, recipient, kind, about)
    return Letter(
        recipient=recipient,
        kind=kind,
        subject=capital(said.subject),
        greeting=words.say("greeting"),
        opening=said.opening,
        parts=(Part("", (), (Group("", said.lines),)),) if said.lines else (),
        steps_heading=words.say("todo_heading"),
        steps=said.steps,
        contact=contact_line(words, reports, recipient, office),
        signature=signature(words, office),
        about=(),
        due=None,
    )


def _say(words: Phrases, form: Form, recipient: Recipient, kind: str, about: Sequence[Reason]) -> Said:
    values = {
        "owner": clean(recipient.name, NAME_LENGTH),
        "title": clean(words.own(form.file.title), NAME_LENGTH),
        "day": words.day(form.deadline),
        "due": words.weekday(form.deadline),
    }
    if lacking := [reason.lacking for reason in about if reason.lacking]:
        return _reminded(words, lacking, values)
    files = sum(len(reason.workbooks) for reason in about)
    many = "many" if files > 1 else "one"
    if kind == INVITATION:
        said = words.say("subject_invitation", **values), words.count("invited", files, **values)
        steps = [f"fill_in_{many}", f"send_in_{many}"]
    elif about[0].pair[0] == DEADLINE:
        said = words.say("subject_reminder", **values), words.say("no_answer_yet", **values)
        steps = [f"answer_now_{many}", "not_taking_part", "answered_already"]
    else:
        said = words.say("subject_overdue", **values), words.say("no_answer", **values)
        steps = [f"answer_late_{many}", "after_deadline", "not_taking_part", "answered_already"]
    return Said(*said, (), tuple(words.say(step, **values) for step in steps))


def _reminded(words: Phrases, lacking: Sequence[Lacking], values: Mapping[str, str]) -> Said:
    about = words.count("about", len(lacking), report=lacking[0].report)
    steps = ("send_corrected", "after_deadline", "answered_already")
    return Said(
        words.say("subject_lacking", about=about),
        words.say("lacking", **values),
        tuple(_line(words, one) for one in lacking),
        tuple(words.say(step) for step in steps),
    )


def _line(words: Phrases, one: Lacking) -> Line:
    """Say what one report lacks: «BM24-0007-1, «Språk i hele barnehagen»: …»."""
    title = clean(one.title, NAME_LENGTH)
    due = words.weekday(one.due)
    text = words.count("uncorrected", one.errors, due=due) if one.errors else words.say("not_sent_again", due=due)
    return Line(f"{one.report}, «{title}»" if title else one.report, text)
