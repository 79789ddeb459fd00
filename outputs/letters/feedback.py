"""Findings -> letters: what was received, what to correct and by when, in the owner's language."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from intake.personal import mask
from outputs.letters.lists import INFO, MESSAGE_LENGTH, NAME_LENGTH, WARNING, Group, Line, Lists
from outputs.letters.received import ORDER, Received
from outputs.letters.since import since
from outputs.letters.words import Phrases, capital, clean
from outputs.letters.workdays import next_working_day
from templates.form import Form
from templates.recipients import Recipient
from templates.round import Office
from templates.texts import Texts
from validation.findings import SEVERITIES

MAX_LINES = 30  # of one letter; a longer list is not read
MAX_REPORTS = 3  # numbers to quote

KINDS = ("correction", "unreadable", "wrong_form", "empty", "late", "duplicate", "receipt")
ASKING_ANEW = ("unreadable", "wrong_form", "empty")  # the kinds about a file that gave no answers


@dataclass(frozen=True, slots=True)
class Part:
    """What the letter says about one returned file; of several it first says what came."""

    heading: str  # empty for what was received
    paragraphs: tuple[str, ...]
    groups: tuple[Group, ...]


@dataclass(frozen=True, slots=True)
class Attachment:
    """A workbook that goes with a letter. The name is ours, never an owner's."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter in words, ready to be laid out as text and as HTML."""

    recipient: Recipient
    kind: str  # one of KINDS
    subject: str
    greeting: str
    opening: str  # empty when the only part says it all
    parts: tuple[Part, ...]
    steps_heading: str
    steps: tuple[str, ...]
    contact: str
    signature: tuple[str, ...]
    about: tuple[Received, ...]
    due: date | None  # the last day to answer; None when nothing is asked for


def correction_due(form: Form, today: date) -> date:
    """Give the last day for what is asked for today: a working day, never before the form's own deadline."""
    return next_working_day(max(today + timedelta(days=form.file.correction_days), form.deadline.date()))


def letter_kind(returns: Sequence[Received]) -> str:
    """Say what the letter is above all, by what it asks of the owner."""
    if all(item.again for item in returns):
        return "duplicate"
    if any(item.errors for item in returns):
        return "correction"
    refused = {item.kind_of_refusal for item in returns if item.refused}
    late = any(item.late for item in returns)
    return next((kind for kind in ASKING_ANEW if kind in refused), "late" if late else "receipt")


def _due(form: Form, about: Sequence[Received], today: date) -> date | None:
    """Give the last day to answer; what is only sent again as it was gets no later day than it had."""
    asking = [item for item in about if item.awaited]
    given = [item.due for item in asking if item.due and item.again]
    if asking and len(given) == len(asking) and max(given) >= today:
        return max(given)
    return correction_due(form, today) if asking else None


def draft_letter(
    form: Form,
    office: Office,
    recipient: Recipient,
    returns: Sequence[Received],
    today: date,
    texts: Texts | None = None,
) -> Letter:
    """Write one letter about all these returns of one owner, in the office's own texts if it has any."""
    about = tuple(sorted(returns, key=_order))
    asks = any(item.awaited for item in about)
    author = _Author(Phrases(form, recipient.language, texts), recipient, about, _due(form, about, today))
    words = author.words
    return Letter(
        recipient=recipient,
        kind=letter_kind(about),
        subject=author.subject(),
        greeting=words.say("greeting"),
        opening=author.opening() if len(about) > 1 else "",
        parts=tuple(author.parts()),
        steps_heading=words.say("todo_heading" if asks else "next_heading"),
        steps=tuple(author.steps()),
        contact=contact_line(words, author.reports, recipient, office),
        signature=signature(words, office),
        about=about,
        due=author.due,
    )


class _Author:
    """The pieces of one letter."""

    def __init__(self, words: Phrases, recipient: Recipient, about: tuple[Received, ...], due: date | None) -> None:
        self.words = words
        self.lists = Lists(words.form, words)
        self.kind = letter_kind(about)
        self.recipient = recipient
        self.owner = clean(recipient.name or recipient.orgnr, NAME_LENGTH)
        self.about = about
        self.due = due
        self.read = [item for item in about if not item.refused]
        self.refused = [item for item in about if item.refused]
        self.wrong = [item for item in about if item.errors]
        self.late = [item for item in about if item.late]
        self.errors = sum(len(item.errors) for item in about)
        self.questions = sum(len(item.found(WARNING)) for item in about)
        self.reports = _reports(about)

    # what it is about

    def subject(self) -> str:
        """Say what it is about, how it stands and by when."""
        words, about, day = self.words, self._subject_of(), self.words.day(self.due) if self.due else ""
        if self.kind == "correction":
            said = words.count("subject_correction", self.errors, about=about, day=day)
        elif self.kind == "receipt" and self.questions:
            said = words.count("subject_questions", self.questions, about=about)
        elif self.kind == "duplicate" and self.errors:
            said = words.count("subject_unchanged", self.errors, about=about, day=day)
        elif self.kind == "duplicate" and self.due:
            said = words.say("subject_unusable", about=about, day=day)
        else:
            said = words.say(f"subject_{self.kind}", about=about, day=day)
        return capital(said)

    def _subject_of(self) -> str:
        """Name the reports that make the letter what it is, not all it is about."""
        chosen = {"correction": self.wrong, "late": self.late, "receipt": self.read, "duplicate": self.about}
        reports = _reports(chosen.get(self.kind) or self._refused_as(self.kind))
        return self.words.count("about", len(reports), report=reports[0]) if reports else self.words.say("about")

    def opening(self) -> str:
        """Say what came in all, and what it asks."""
        words, reports = self.words, {item.report for item in self.read}
        if not reports:
            return words.say("came_files", owner=self.owner, number=words.number(len(self.refused)))
        sentences = [words.count("came", len(reports), name=self._name(self.read[0]), owner=self.owner)]
        if self.refused:
            sentences.append(words.count("refused_too", len(self.refused)))
        if self.errors:
            sentences.append(words.count("total", self.errors))
        return " ".join(sentences)

    def parts(self) -> Iterator[Part]:
        """Say what came and how it stands with it; then, report by report, what was found."""
        stands = [tuple(self._refusal(item) if item.refused else self._standing(item)) for item in self.about]
        found = list(self._found())
        if len(self.about) == 1:
            yield Part("", stands[0], found[0])
            return
        lines = [Line(self._place(item), " ".join(said)) for item, said in zip(self.about, stands, strict=True)]
        yield Part("", (), (Group("", tuple(lines)),))
        for item, groups in zip(self.about, found, strict=True):
            if groups:
                yield Part(named(str(item.report), item.title), (), groups)

    def _found(self) -> Iterator[tuple[Group, ...]]:
        """List what was found in each returned file."""
        shares = self._shares()
        for number, item in enumerate(self.about):
            found = {severity: item.found(severity) for severity in SEVERITIES}
            room = {severity: shares[number, severity] for severity in SEVERITIES}
            yield tuple(self.lists.groups(found, room, marked=bool(item.marked)))

    def _shares(self) -> dict[tuple[int, str], int]:
        """Share the lines of the letter: the errors of all parts come before any question."""
        shares, left = {}, MAX_LINES
        for severity in SEVERITIES:
            for number, item in enumerate(self.about):
                shares[number, severity] = min(left, len(item.found(severity)))
                left -= shares[number, severity]
        return shares

    def _place(self, item: Received) -> str:
        return item.report or self.words.say("file", file=_file(item))

    def _name(self, item: Received) -> str:
        title = clean(item.title, NAME_LENGTH)
        words = self.words
        return words.say("titled", title=title) if title else words.say("untitled", report=item.report)

    # how it stands

    def _came(self, key: str, item: Received, **values: str) -> str:
        alone = len(self.about) == 1  # else the opening has named the owner
        sender = f" {self.words.say('from_owner', owner=self.owner)}" if alone else ""
        moment = self.words.moment(item.received)
        values |= {"moment": moment, "moment_capital": capital(moment), "file": _file(item)}
        return self.words.say(key, from_owner=sender, **values)

    def _refused_as(self, kind: str) -> list[Received]:
        return [item for item in self.refused if item.kind_of_refusal == kind]

    def _refusal(self, item: Received) -> Iterator[str]:
        yield self._came("refused_again" if item.again else f"refused_{item.kind_of_refusal}", item)
        if item.outcome == "empty":
            yield self.words.say("perhaps_unsaved")
        elif item.reason:
            yield mask(clean(self.words.own(item.reason), MESSAGE_LENGTH))
        if item.stands_by:
            yield self.words.say("earlier_counts")

    def _standing(self, item: Received) -> Iterator[str]:
        say = self.words.say
        name = self._name(item)
        sentences = [self._came(self._how_it_came(item), item, name=name, name_capital=capital(name))]
        if item.late and item.missed:
            sentences.append(say("late", deadline=self.words.moment(item.missed)))
        if item.heard.startswith("late") and not item.late:
            sentences.append(say("taken_late"))
        yield " ".join(sentences)
        if item.again and item.errors:
            yield self.words.count("unchanged", len(item.errors))
            yield say("perhaps_unsaved")
        elif not item.stands_by:
            yield " ".join([*self._progress(item), self._asked(item)])
        if item.stands_by:
            yield say("earlier_counts")

    def _how_it_came(self, item: Received) -> str:
        if item.again:
            return "same_file"
        if item.heard:
            return "looked_again_beside" if item.has_news else "looked_again"
        if item.told is not None:
            return "received_again"
        return "received" if len(self.about) == 1 else "received_listed"

    def _asked(self, item: Received) -> str:
        questions = len(item.found(WARNING))
        if item.errors:
            return self.words.count("must", len(item.errors))
        return self.words.count("questions", questions) if questions else self.words.say("complete")

    def _progress(self, item: Received) -> Iterator[str]:
        """Say what has become of the errors the owner was last told about."""
        if not item.told:
            return
        now = since(item.told, item.errors, self.lists)
        if 0 < now.left < now.told:
            values = {"fixed": now.told - now.left, "told": now.told, "left": now.left}
            key = "fixed_some_new" if now.new else "fixed_some"
            yield self.words.count(key, now.new, **values) if now.new else self.words.say(key, **values)
        else:
            yield self.words.count("fixed_none" if now.left else "fixed_all", now.told)
            if now.new:
                yield self.words.count("new", now.new)
        if now.rows:
            yield self.words.count("fixed_rows", now.rows)

    # what happens next

    def steps(self) -> Iterator[str]:
        """Say what the owner does now."""
        words, due = self.words, self.words.weekday(self.due) if self.due else ""
        if marked := [item.marked for item in self.wrong if item.marked]:
            yield self._correct_marked(marked, due)
        if unmarked := [item for item in self.wrong if not item.marked]:
            yield self._do("correct", unmarked, due)
        yield from self._anew(due)
        if self.questions and self.kind != "receipt":
            yield words.say("answer_questions")
        if any(not item.late for item in self.wrong):
            yield words.count("in_time", len(self.about))
        if self.late:
            yield words.say("late_then")
            yield words.say("why_late")
        if self._refused_as("empty"):
            yield words.say("not_taking_part")
        if self.kind == "receipt" or not (self.due or self.late):
            unsure = self.questions or any(item.found(INFO) for item in self.about)
            yield words.say("check" if unsure else "done")

    def _anew(self, due: str) -> Iterator[str]:
        """Ask for the files that gave no answers."""
        empty = self._refused_as("empty")
        enclosed = [item for item in self.refused if item.enclosed]
        other = [item for item in self.refused if item not in (*empty, *enclosed)]
        for key, items in (("resend", other), ("fill_in_enclosed", enclosed), ("fill_in_again", empty)):
            if items:
                yield self._do(key, items, due)

    def _correct_marked(self, files: Sequence[str], due: str) -> str:
        """Say what to do with the marked workbooks, by name as far as they are few."""
        named = f" ({self.words.listed(files)})" if len(files) <= MAX_REPORTS else ""
        return self.words.count("correct_marked", len(files), files=named, due=due)

    def _do(self, key: str, items: list[Received], due: str) -> str:
        reports = _reports(items)
        if len(self.about) == 1 or not 0 < len(reports) <= MAX_REPORTS:
            return self.words.count(key, len(items), due=due)
        return self.words.count(f"{key}_named", len(reports), reports=self.words.listed(reports), due=due)


def contact_line(words: Phrases, reports: Sequence[str], recipient: Recipient, office: Office) -> str:
    """Say whom to ask, and what to quote."""
    few = 0 < len(reports) <= MAX_REPORTS
    reference = words.listed(reports) if few else words.say("orgnr", orgnr=recipient.orgnr)
    return words.say("contact_phone" if office.phone else "contact", phone=clean(office.phone), reference=reference)


def signature(words: Phrases, office: Office) -> tuple[str, ...]:
    lines = (words.say("regards"), *map(clean, (office.name, office.email, office.phone)))
    return tuple(line for line in lines if line)


def named(report: str, title: str) -> str:
    """Name a report: «BM24-0007-1, «Språk i hele barnehagen»»."""
    shown = clean(title, NAME_LENGTH)
    return f"{report}, «{shown}»" if shown else report


def _file(item: Received) -> str:
    return mask(clean(item.file, NAME_LENGTH))


def _order(item: Received) -> tuple[int, str, datetime]:
    return ORDER.index(item.outcome), item.report or "", item.received


def _reports(returns: Iterable[Received]) -> list[str]:
    return sorted({item.report for item in returns if item.report})
