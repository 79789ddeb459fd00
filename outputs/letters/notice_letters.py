"""Reasons to write -> letters that no return has caused: invitations, reminders, later deadlines, closing receipts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import NamedTuple

from outputs.letters.feedback import Attachment, Letter, Part, contact_line, named, signature
from outputs.letters.lists import NAME_LENGTH, Group, Line
from outputs.letters.words import Phrases, capital, clean
from templates.form import Form
from templates.recipients import Recipient
from templates.round import Office
from templates.texts import Texts

INVITATION, REMINDER, EXTENSION, CLOSING = "invitation", "reminder", "extension", "closing"
DEADLINE, OVERDUE = "deadline", "overdue"  # the stages of one who has not answered


@dataclass(frozen=True, slots=True)
class Lacking:
    """A report that its owner was asked to correct or send again, and when that was due."""

    report: str
    title: str
    due: date
    errors: int  # 0 when the file could not be used at all


@dataclass(frozen=True, slots=True)
class Extended:
    """A report that a person lets its owner send in or correct until a later day."""

    report: str
    title: str
    due: date


@dataclass(frozen=True, slots=True)
class Closed:
    """How a report stands when the round is over."""

    report: str
    title: str
    status: str  # as outputs.register.life has it
    errors: int
    received: datetime  # in the form's time zone


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
    due: date | None = None  # the deadline, where it is another than the form's
    lacking: Lacking | None = None
    extended: Extended | None = None
    closed: Closed | None = None
    again: tuple[Attachment, ...] = ()  # files of an earlier letter that go along once more


class Said(NamedTuple):
    """What one kind of notice says of its own."""

    subject: str
    opening: str
    lines: tuple[Line, ...]
    steps: tuple[str, ...]
    heading: str = "todo_heading"


def draft_notice(
    form: Form,
    office: Office,
    recipient: Recipient,
    kind: str,
    about: Sequence[Reason],
    texts: Texts | None = None,
) -> Letter:
    """Write one notice to a recipient about all of this, in the office's own texts if it has any."""
    words = Phrases(form, recipient.language, texts)
    reports = [report for reason in about for report in reason.reports]
    said = _say(words, form, recipient, kind, about)
    return Letter(
        recipient=recipient,
        kind=kind,
        subject=capital(said.subject),
        greeting=words.say("greeting"),
        opening=said.opening,
        parts=(Part("", (), (Group("", said.lines),)),) if said.lines else (),
        steps_heading=words.say(said.heading),
        steps=said.steps,
        contact=contact_line(words, reports, recipient, office),
        signature=signature(words, office),
        about=(),
        due=None,
    )


def _say(words: Phrases, form: Form, recipient: Recipient, kind: str, about: Sequence[Reason]) -> Said:
    due = max((reason.due for reason in about if reason.due), default=form.deadline.date())
    values = {
        "owner": clean(recipient.name or recipient.orgnr, NAME_LENGTH),
        "title": clean(words.own(form.file.title), NAME_LENGTH),
        "day": words.day(due),
        "due": words.weekday(due),
    }
    if lacking := [reason.lacking for reason in about if reason.lacking]:
        return _reminded(words, lacking, sum(len(reason.again) for reason in about), values)
    if kind == EXTENSION:
        return _extended(words, about, values)
    if kind == CLOSING:
        return _closed(words, [reason.closed for reason in about if reason.closed], values)
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


def _reminded(words: Phrases, lacking: Sequence[Lacking], files: int, values: Mapping[str, str]) -> Said:
    about = words.count("about", len(lacking), report=lacking[0].report)
    enclosed = [words.count("enclosed_again", files)] if files else []
    send = words.count("send_corrected", len(lacking))
    steps = (" ".join([words.say("said_earlier"), *enclosed, send]), words.say("after_deadline"))
    return Said(
        words.say("subject_lacking", about=about),
        words.say("lacking", **values),
        tuple(_lacking_line(words, one) for one in lacking),
        (*steps, words.say("answered_already")),
    )


def _lacking_line(words: Phrases, one: Lacking) -> Line:
    due = words.weekday(one.due)
    text = words.count("uncorrected", one.errors, due=due) if one.errors else words.say("not_sent_again", due=due)
    return Line(named(one.report, one.title), text)


def _extended(words: Phrases, about: Sequence[Reason], values: Mapping[str, str]) -> Said:
    """Say that the deadline of the round has moved, and what a person has given more time."""
    own = [reason.extended for reason in about if reason.extended]
    everybody = len(own) < len(about)
    files = len({report for reason in about for report in reason.reports})
    steps = (words.count("use_what_you_have", files), words.say("extended_done"))
    lines = tuple(Line(named(one.report, one.title), _until(words, one)) for one in own)
    if everybody:
        return Said(words.say("subject_extension", **values), words.say("extended_all", **values), lines, steps)
    about_them = words.count("about", len(own), report=own[0].report)
    until = "subject_extended_until" if len({one.due for one in own}) == 1 else "subject_extended"
    subject = words.say(until, about=about_them, day=words.day(own[0].due))
    return Said(subject, words.say("extended", **values), lines, steps)


def _until(words: Phrases, one: Extended) -> str:
    return words.say("extended_line", due=words.weekday(one.due))


def _closed(words: Phrases, reports: Sequence[Closed], values: Mapping[str, str]) -> Said:
    steps = tuple(words.say(step) for step in ("closed_check", "closed_keep"))
    lines = tuple(_closed_lines(words, reports))
    return Said(
        words.say("subject_closing", **values), words.say("closed", **values), lines, steps, heading="next_heading"
    )


def _closed_lines(words: Phrases, reports: Sequence[Closed]) -> Iterator[Line]:
    for one in reports:
        moment = words.moment(one.received)
        if one.status == "needs_correction":
            text = words.count("closed_needs_correction", one.errors, moment=moment)
        elif one.status in ("withdrawn", "rejected"):
            text = words.say(f"closed_{one.status}")
        else:
            text = words.say("closed_accepted", moment=moment)
        yield Line(named(one.report, one.title), text)
