"""Two letters that nobody gets: layouts are tried with them. One has all a letter can have, the other what each has."""

from datetime import date

from outputs.feedback import Letter, Part
from outputs.letters.lists import Group, Line
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
    signature=("the-signature", "and more of it"),
    about=(),
    due=date(2024, 2, 16),
)
