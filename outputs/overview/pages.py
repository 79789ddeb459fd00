"""The pages as HTML that stands by itself: everything in it, nothing fetched, and any text only text."""

import re
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from outputs.life import ACCEPTED, NEEDS_CORRECTION, QUARANTINED, REJECTED, REMARKS, WITHDRAWN
from outputs.log import FAILED
from outputs.overview.counted import Counted
from outputs.overview.drawing import drawing
from outputs.overview.lists import List, lists
from outputs.overview.pictures import NARROW, WIDE, Picture, pictures
from outputs.overview.words import Words, number
from outputs.waiting import BY_WHOM
from templates.round import Round
from validation.verdict import LATE

HERE = Path(__file__).parent
UNREADABLE = "unreadable"
OUT = (WITHDRAWN, REJECTED)
WHOLE = 1000  # how wide the bar of all reports is


@dataclass(frozen=True)
class Need:
    """Something that waits for a person, and the command that settles it."""

    text: str
    command: str
    look: str = ""
    href: str = ""
    link: str = ""


@dataclass(frozen=True)
class Figure:
    """One number of the round."""

    id: str
    number: str
    label: str
    more: str = ""


@dataclass(frozen=True)
class Part:
    """A piece of the bar of all reports."""

    start: float
    width: float
    look: str


@dataclass(frozen=True)
class Front:
    """The front page."""

    title: str
    subtitle: str
    contents: list[tuple[str, str]]
    needs: list[Need]
    lead: str
    deadline: str
    bar: list[Part]
    figures: list[Figure]
    pictures: list[Picture]
    drawn: bool
    lists: list[List]


def front_pages(round_: Round, counted: Counted, words: Words, *, drawn: bool) -> Iterator[tuple[str, str]]:
    """Give the front page, and a page for each list that is too long for it: file name and HTML."""
    every = lists(counted, words)
    front = _front(round_, counted, words, every, drawn=drawn)
    for one in every:
        if one.is_long:
            yield one.page, render("list.html", words, style("base", "index", "last"), script(), page=front, list=one)
    widths = ((WIDE, "wide"), (NARROW, "narrow"))
    with drawing():
        html = render("index.html", words, style("base", "index", "last"), script(), page=front, widths=widths)
    yield "index.html", html


def _front(round_: Round, counted: Counted, words: Words, every: list[List], *, drawn: bool) -> Front:
    office = round_.settings.office.name
    contents = [(name, words.say(name)) for name in ("needs", "standing", "pictures")]
    return Front(
        title=words.own(counted.form.file.title),
        subtitle=words.say("subtitle", form=counted.form.name, moment=words.moment(counted.now), office=office),
        contents=contents + [(f"{one.id}-section", one.heading) for one in every],
        needs=list(_needs(counted, words)),
        lead=_lead(counted, words),
        deadline=_deadline(counted, words),
        bar=list(_bar(counted)),
        figures=list(_figures(counted, words)),
        pictures=pictures(counted, words),
        drawn=drawn,
        lists=[one.on_front for one in every],
    )


# what waits for a person


def _needs(counted: Counted, words: Words) -> Iterator[Need]:
    """List what waits for a person, the most pressing first."""
    settled_by = {
        FAILED: "behov ingest",
        LATE: f"behov decide … accept-late {BY_WHOM}",
        QUARANTINED: f"behov decide … accept {BY_WHOM}",
        UNREADABLE: f"behov decide … reject {BY_WHOM}",
    }
    for outcome, command in settled_by.items():
        if files := counted.outcome(outcome):
            text = words.count(f"need_{outcome}", files)
            yield Need(text, command, outcome, "#files-section", words.say("see_files"))
    if counted.letters_for_a_person:
        yield Need(words.count("need_letters", counted.letters_for_a_person), "behov outbox", FAILED)
    if counted.letters_ready:
        yield Need(words.count("need_ready", counted.letters_ready), "behov feedback --send", "left")
    if counted.overdue:
        yield Need(words.count("need_overdue", counted.overdue), "behov remind --send", "left")
    if counted.silent and counted.now > counted.form.deadline:
        text, link = words.count("need_silent", len(counted.silent)), words.say("see_owners")
        yield Need(text, "behov remind --send", "left", "#owners-section", link)


# how the round stands


def _lead(counted: Counted, words: Words) -> str:
    if not counted.sent:
        return words.say("nothing_sent")
    return words.say("in_of_sent", came=number(len(counted.reports)), sent=number(counted.sent))


def _deadline(counted: Counted, words: Words) -> str:
    deadline = counted.form.deadline
    left = (words.local(deadline).date() - words.local(counted.now).date()).days
    if counted.now > deadline:
        return words.say("deadline_passed", day=words.day(deadline))
    if left == 0:
        return words.say("deadline_today", day=words.day(deadline))
    return words.count("deadline_left", left, day=words.day(deadline))


def _bar(counted: Counted) -> Iterator[Part]:
    states = {state: counted.standing(state) for state in (ACCEPTED, REMARKS, NEEDS_CORRECTION, LATE)}
    states |= {"out": counted.standing(*OUT), "none": counted.missing}
    total, start = sum(states.values()), 0
    for look, n in states.items():
        if n:
            yield Part(round(WHOLE * start / total, 1), round(WHOLE * n / total, 1), look)
        start += n


def _figures(counted: Counted, words: Words) -> Iterator[Figure]:
    def more(key: str, n: int) -> str:
        return words.say(key, n=number(n)) if n else ""

    came = len(counted.reports)
    figures = {
        "sent": (counted.sent, more("figure_owners", counted.owners)),
        "returned": (came, words.share(came, counted.sent) if counted.sent else ""),
        "complete": (counted.complete, more("figure_with_questions", counted.standing(REMARKS))),
        "wrong": (counted.standing(NEEDS_CORRECTION), more("figure_overdue", counted.overdue)),
        "late": (counted.standing(LATE), more("figure_out", counted.standing(*OUT))),
        "unreadable": (counted.outcome(UNREADABLE), ""),
        "missing": (counted.missing, more("figure_silent", len(counted.silent))),
    }
    for name, (n, note) in figures.items():
        yield Figure(name, number(n), words.say(f"figure_{name}"), note)


# how a page is made


def render(name: str, words: Words, css: Markup, js: Markup, **shown: object) -> str:
    """Lay a page out. Only what its own hash names may style it or run in it, and nothing may be fetched."""
    allowed = [f"style-src {_hashed(css)}", *([f"script-src {_hashed(js)}"] if js else [])]
    policy = "; ".join(["default-src 'none'", *allowed, "base-uri 'none'", "form-action 'none'"])
    return _layout(name).render(words=words, style=css, script=js, policy=policy, **shown)


def _hashed(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


@cache
def style(*names: str) -> Markup:
    """Give the style sheet of a page, without the spaces that are for its author."""
    text = "".join((HERE / f"{name}.css").read_text(encoding="utf-8") for name in names)
    text = re.sub(r"\s+", " ", re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL))
    return Markup(re.sub(r" ?([{};,>]) ?", r"\1", text).strip())  # noqa: S704 - our own file


@cache
def script() -> Markup:
    """Give the script that sorts and filters."""
    return Markup((HERE / "tables.js").read_text(encoding="utf-8"))  # noqa: S704 - our own file


NO_SCRIPT = Markup()


@cache
def _layout(name: str) -> Template:
    environment = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template(name)
