"""The letters that no return has caused, and to whom they are owed: each is written once for what it tells."""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from outputs.letters.feedback import KINDS as FEEDBACK
from outputs.letters.feedback import Attachment
from outputs.letters.lists import ERROR
from outputs.letters.message import read_message, write_message
from outputs.letters.notice_letters import (
    CLOSING,
    DEADLINE,
    EXTENSION,
    INVITATION,
    OVERDUE,
    REMINDER,
    Closed,
    Extended,
    Lacking,
    Reason,
    draft_notice,
)
from outputs.letters.received import REFUSED
from outputs.letters.stationery import Stationery, stationery_of
from outputs.mailing.mailroom import Key, enter, heard_in, known, overtake, sends_itself
from outputs.mailing.outbox import AT_A_TIME, heard_of
from outputs.mailing.standing import standing_returns
from outputs.register.letter_states import WAITING
from outputs.register.life import NEEDS_CORRECTION, QUARANTINED, REJECTED
from outputs.register.life import WAITING as UNDECIDED
from outputs.register.log import decisions, extensions, letters, returns, submissions
from outputs.register.logbook import latest_deadlines
from outputs.register.register import Register
from templates.round import Round, RoundError, Sent

KINDS = (INVITATION, REMINDER, EXTENSION, CLOSING)
CORRECTABLE = ("needs_correction", *REFUSED)
DIGEST_LENGTH = 12  # characters that tell one making of a workbook from another


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


def make_extensions(round_: Round, register: Register, now: datetime) -> list[dict[str, Any]]:
    """Write to those who have got more time: all whom a later deadline of the round concerns, or one by one.

    A deadline of the round that was moved is told to those who were told an earlier one, and have
    workbooks left to send. Gives the letters this call made. Raises RoundError.
    """
    with register.reading() as connection:
        reasons = [*_moved(connection, round_, register, now), *_extended(connection, round_, register, now)]
    return _make(round_, register, EXTENSION, reasons, now)


def make_closings(round_: Round, register: Register, now: datetime) -> tuple[list[dict[str, Any]], list[str]]:
    """Write to each owner what is registered from it, at the end of the round.

    Gives the letters this call made, and the recipients that are left out: something of theirs waits
    for a person, or may still be corrected. Raises RoundError while the round is open.
    """
    if now <= round_.form.deadline:
        raise RoundError(f"the deadline is {round_.form.deadline:%d.%m.%Y %H:%M}; close the round when it has passed")
    with register.reading() as connection:
        reasons = list(_closed(connection, round_, register))
        open_ = _still_open(connection, register, now)
    ready = [reason for reason in reasons if reason.recipient.orgnr not in open_]
    return _make(round_, register, CLOSING, ready, now), sorted(open_ & {one.recipient.orgnr for one in reasons})


def _make(
    round_: Round, register: Register, kind: str, reasons: Sequence[Reason], now: datetime
) -> list[dict[str, Any]]:
    """Write one letter to each recipient about what it has had no letter about; take back what is no longer so."""
    house = stationery_of(round_)
    with register.writing() as connection:
        if sends_itself(round_):
            true = {(one.recipient.orgnr, pair) for one in reasons for pair in _pairs(round_, kind, [one])}
            waiting = known(connection, [kind], WAITING)
            stale = [key for key in waiting if not {(key.recipient, pair) for pair in key.about} <= true]
            overtake(connection, stale, now)
        told = {(key.recipient, _matter(kind, pair)) for key in known(connection, [kind]) for pair in key.about}
    new = [reason for reason in reasons if (reason.recipient.orgnr, _matter(kind, reason.pair)) not in told]
    new.sort(key=lambda reason: reason.recipient.orgnr)
    owners = [list(group) for _, group in groupby(new, lambda reason: reason.recipient.orgnr)]
    made = []
    for start in range(0, len(owners), AT_A_TIME):
        with register.writing() as connection:
            for about in owners[start : start + AT_A_TIME]:
                made += _enter(connection, round_, house, kind, about, now)
    return made


def _matter(kind: str, pair: tuple[str, str]) -> tuple[str, ...]:
    """Give what is told once: a workbook made anew is no reason for a second invitation."""
    return pair[:1] if kind == INVITATION else pair


def _pairs(round_: Round, kind: str, about: Iterable[Reason]) -> frozenset[tuple[str, str]]:
    """Give all that makes a letter known: an invitation also says which deadline it tells."""
    told = [(DEADLINE, round_.form.deadline.date().isoformat())] if kind == INVITATION else []
    return frozenset([*(reason.pair for reason in about), *told])


def _enter(
    connection: Connection, round_: Round, house: Stationery, kind: str, about: Sequence[Reason], now: datetime
) -> list[dict[str, Any]]:
    recipient, settings = about[0].recipient, round_.settings
    key = Key(recipient.orgnr, kind, _pairs(round_, kind, about))
    files = [Attachment(path.name, path.read_bytes()) for reason in about for path in reason.workbooks]
    files += [file for reason in about for file in reason.again]
    letter = draft_notice(round_.form, settings.office, recipient, kind, about, house.texts)
    local = now.astimezone(round_.form.zone)
    message = write_message(letter, settings.office, local, files, settings.mail, house)
    return enter(connection, round_, key, message, now)


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
    known_by_sender = {row["recipient"] for row in standing_returns(connection, register, round_)}
    heard_from = answered(connection, register) | known_by_sender
    sent: dict[str, list[tuple[Sent, Path]]] = {}
    for line, path in _workbooks(round_):
        if line.orgnr not in heard_from:
            sent.setdefault(line.orgnr, []).append((line, path))
    later = latest_deadlines(connection, [line.report for lines in sent.values() for line, _ in lines])
    for orgnr, lines in sent.items():
        reports, paths = tuple(line.report for line, _ in lines), tuple(path for _, path in lines)
        deadline = max([round_.form.deadline, *(later[report] for report in reports if report in later)])
        day = deadline.astimezone(round_.form.zone).date()
        pair = (OVERDUE if deadline < now else DEADLINE, day.isoformat())
        yield Reason(round_.recipients[orgnr], pair, paths, reports, day)


def _uncorrected(connection: Connection, round_: Round, register: Register, now: datetime) -> Iterator[Reason]:
    """Find the reports whose owners were asked for something that they have not sent in time."""
    heard = heard_of(connection, round_)
    rows = [
        row
        for row in standing_returns(connection, register, round_)
        if row["outcome"] in CORRECTABLE and row["report"] and not row["stands_by"]
        if row["recipient"] in round_.recipients and heard.stands.get(row["sha256"]) == row["stood"]
    ]
    due = latest_deadlines(connection, [row["report"] for row in rows])
    told_in = _told_in(connection, round_)
    found = register.findings_in([row["sha256"] for row in rows])
    for row in rows:
        report = row["report"]
        if report in due and due[report] < now:
            day = due[report].astimezone(round_.form.zone).date()
            errors = sum(finding.severity == ERROR for finding in found.get(row["sha256"], ()))
            lacking = Lacking(report, row["title"] or "", day, errors)
            recipient = round_.recipients[row["recipient"]]
            again = _files_for(report, told_in.get(row["sha256"]))
            yield Reason(recipient, (report, day.isoformat()), reports=(report,), lacking=lacking, again=again)


def _told_in(connection: Connection, round_: Round) -> dict[str, Path]:
    """Find the letter in which each return was told of last."""
    query = select(letters.c.key, letters.c.path).where(
        letters.c.kind.in_(FEEDBACK), letters.c.state.in_(heard_in(round_)), letters.c.path.is_not(None)
    )
    rows = connection.execute(query.order_by(letters.c.id)).all()
    return {sha256: round_.folder / row.path for row in rows for sha256, _ in Key.parse(row.key).about}


def _files_for(report: str, letter: Path | None) -> tuple[Attachment, ...]:
    """Read the workbooks for a report that went with a letter; none when its file is gone."""
    if letter is None or not letter.exists():
        return ()
    its = re.compile(rf"\b{re.escape(report)}\b")
    files = read_message(letter).iter_attachments()
    named = [(str(file.get_filename()), file) for file in files]
    return tuple(Attachment(name, file.get_content()) for name, file in named if its.search(name))


# who has got more time


def _moved(connection: Connection, round_: Round, register: Register, now: datetime) -> Iterator[Reason]:
    """Find those who were told an earlier deadline than the round has now, and have workbooks left to send."""
    deadline = round_.form.deadline
    if deadline < now:
        return
    come = {row["report"] for row in standing_returns(connection, register, round_)} | {
        *connection.scalars(select(submissions.c.report))
    }
    left: dict[str, list[str]] = {}
    for line in round_.sent().values():
        if line.report not in come and line.orgnr in round_.recipients:
            left.setdefault(line.orgnr, []).append(line.report)
    for orgnr, told in _told_deadlines(connection, round_).items():
        if orgnr in left and told < deadline.date():
            yield Reason(round_.recipients[orgnr], (DEADLINE, deadline.date().isoformat()), reports=tuple(left[orgnr]))


def _told_deadlines(connection: Connection, round_: Round) -> dict[str, date]:
    """Read which deadline of the round each recipient was told last."""
    told = {}
    for key in known(connection, (INVITATION, REMINDER, EXTENSION), heard_in(round_)):
        for what, how in key.about:
            if what in (DEADLINE, OVERDUE):
                told[key.recipient] = date.fromisoformat(how)
    return told


def _extended(connection: Connection, round_: Round, register: Register, now: datetime) -> Iterator[Reason]:
    """Find the reports that a person has given more time, which is not up."""
    query = select(decisions.c.report, extensions.c.due).join(extensions, extensions.c.decision == decisions.c.id)
    latest = {row.report: row.due for row in connection.execute(query.order_by(decisions.c.id))}
    table, sent = register.current.report, round_.sent()
    known_ = {row.report: row for row in connection.execute(select(table.c.report, table.c.recipient, table.c.title))}
    for report, due in latest.items():
        owner = known_[report].recipient if report in known_ else sent[report].orgnr
        if due >= now and owner in round_.recipients:
            day, title = due.astimezone(round_.form.zone).date(), known_[report].title if report in known_ else ""
            extended = Extended(report, title, day)
            yield Reason(round_.recipients[owner], (report, day.isoformat()), reports=(report,), extended=extended)


# how it ended


def _closed(connection: Connection, round_: Round, register: Register) -> Iterator[Reason]:
    """Say of every report of our recipients how it stands."""
    table = register.current.report
    for row in connection.execute(select(table).order_by(table.c.report)):
        if row.recipient in round_.recipients:
            received = row.received.astimezone(round_.form.zone)
            closed = Closed(row.report, row.title, row.status, row.errors, received)
            pair = (row.report, f"{row.status}:{row.sha256[:DIGEST_LENGTH]}")
            yield Reason(round_.recipients[row.recipient], pair, reports=(row.report,), closed=closed)


def _still_open(connection: Connection, register: Register, now: datetime) -> set[str]:
    """List the recipients with something that waits for a person, or may still be corrected."""
    report, version = register.current.report, register.current.version
    undecided = select(report.c.recipient).join(version, version.c.report == report.c.report)
    correctable = select(report.c.recipient).where(
        report.c.status == NEEDS_CORRECTION,
        report.c.correction_deadline.is_(None) | (report.c.correction_deadline >= now),
    )
    return {
        *connection.scalars(undecided.where(version.c.outcome.in_(UNDECIDED))),
        *connection.scalars(correctable),
    }
