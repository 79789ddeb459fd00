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

from outputs.overview.counted import Counted
from outputs.overview.drawing import drawing
from outputs.overview.lists import List, lists
from outputs.overview.pictures import NARROW, WIDE, Picture, pictures
from outputs.overview.words import Words, number
from outputs.register.life import ACCEPTED, NEEDS_CORRECTION, REMARKS
from outputs.register.log import FAILED
from outputs.top import OUT, SETTLED_BY, SHARE, Top
from templates.round import Round
from validation.verdict import LATE

HERE = Path(__file__).parent
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
        subtitle=words.say("subtitle", form=counted.form.name, moment=words.moment(counted.top.now), office=office),
        contents=contents + [(f"{one.id}-section", one.heading) for one in every],
        needs=list(_needs(counted, words)),
        lead=_lead(counted.top, words),
        deadline=_deadline(counted.top, words),
        bar=list(_bar(counted.top)),
        figures=list(_figures(counted.top, words)),
        pictures=pictures(counted, words),
        drawn=drawn,
        lists=[one.on_front for one in every],
    )


# what waits for a person


def _needs(counted: Counted, words: Words) -> Iterator[Need]:
    leads_to = dict.fromkeys(SETTLED_BY, ("#files-section", words.say("see_files")))
    leads_to["silent"] = ("#owners-section", words.say("see_owners"))
    for need in counted.top.needs():
        href, link = leads_to.get(need.kind, ("", ""))
        look = need.kind if need.kind in SETTLED_BY else FAILED if need.kind == "letters" else "left"
        yield Need(words.count(f"need_{need.kind}", need.number), need.command, look, href, link)


# how the round stands


def _lead(top: Top, words: Words) -> str:
    if not top.sent:
        return words.say("nothing_sent")
    return words.say("in_of_sent", came=number(top.returned), sent=number(top.sent))


def _deadline(top: Top, words: Words) -> str:
    left = (words.local(top.deadline).date() - words.local(top.now).date()).days
    if top.now > top.deadline:
        return words.say("deadline_passed", day=words.day(top.deadline))
    if left == 0:
        return words.say("deadline_today", day=words.day(top.deadline))
    return words.count("deadline_left", left, day=words.day(top.deadline))


def _bar(top: Top) -> Iterator[Part]:
    states = {state: top.standing(state) for state in (ACCEPTED, REMARKS, NEEDS_CORRECTION, LATE)}
    states |= {"out": top.standing(*OUT), "none": top.missing}
    total, start = sum(states.values()), 0
    for look, n in states.items():
        if n:
            yield Part(round(WHOLE * start / total, 1), round(WHOLE * n / total, 1), look)
        start += n


def _figures(top: Top, words: Words) -> Iterator[Figure]:
    for one in top.figures():
        note = ""
        if one.note == SHARE:
            note = words.share(one.number, one.more) if one.more else ""
        elif one.more:
            note = words.say(f"figure_{one.note}", n=number(one.more))
        yield Figure(one.kind, number(one.number), words.say(f"figure_{one.kind}"), note)


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
