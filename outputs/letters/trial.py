"""Letters that nobody gets: layouts are tried with them. One has all a letter can have, the other what each has."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime

from outputs.letters.feedback import KINDS, Letter, Part
from outputs.letters.lists import Group, Line
from outputs.letters.notice_letters import CLOSING, EXTENSION, INVITATION, REMINDER
from outputs.letters.received import Received
from templates.recipients import Recipient

NOBODY = Recipient("000000000", "Nobody", "", "nobody@example.no", "nb")
BARE = Letter(
    recipient=NOBODY,
    kind="receipt",
    subject="the-subject",
    greeting="the-greeting",
    opening="",
    parts=(),
    steps_heading="the-steps",
    steps=("the-step",),
    contact="the-contact",
    signature=("the-signature",),
    about=(),
    due=None,
)
_LISTS = (Group("a heading", (Line("a place", "a text"), Line("", "a text")), "and more"), Group("", ()))
FULL = Letter(
    recipient=NOBODY,
    kind="correction",
    subject="the-subject",
    greeting="the-greeting",
    opening="the-opening",
    parts=(Part("a part", ("a paragraph",), _LISTS), Part("", (), ())),
    steps_heading="the-steps",
    steps=("a step", "another"),
    contact="the-contact",
    signature=("the-signature", "under it"),
    about=(Received("0" * 64, "needs_correction", datetime(2024, 2, 2, tzinfo=UTC), "a file"),),
    due=date(2024, 2, 16),
)
MUST = {  # what no layout may leave out
    BARE: ("the-greeting", "the-step", "the-contact"),
    FULL: ("the-opening", "a part", "a paragraph", "a place", "a text", "and more", "a step", "another"),
}


def trials(languages: tuple[str, ...] = ("nb", "nn")) -> Iterator[tuple[Letter, tuple[str, ...]]]:
    """Give letters of every kind in every language, each with what its layout must say."""
    for kind in (*KINDS, INVITATION, REMINDER, EXTENSION, CLOSING):
        for language in languages:
            for letter, said in MUST.items():
                recipient = replace(letter.recipient, language=language)
                yield replace(letter, kind=kind, recipient=recipient), said
