"""The columns of the register's tables: what they are called, how they are shown, and the words for their codes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Literal

from intake.submission import Value
from templates.entry import column_width, number_format
from templates.form import Form, Question
from templates.texts import load_texts

TEXT, WHOLE, DECIMAL, DAY, MOMENT = "@", "0", "0.0", "dd.mm.yyyy", "dd.mm.yyyy hh:mm"
NARROW, MEDIUM, WIDE, WIDEST = 12, 18, 32, 90  # characters
JOINER = ", "  # between the values of STRING_AGG
PERSONAL_TYPES = ("email", "phone")
PERSONAL_PREFILLS = ("recipient.contact", "recipient.email", "recipient.phone")

TEXTS = Path(__file__).parent.parent / "texts.toml"

Shown = Value | bool | datetime


@dataclass(frozen=True)
class Column:
    """One column: its key, its heading, its width in characters and how its values are shown.

    `words` are the labels of codes, and `several` tells that a value may be several codes in one text.
    Staff fill in what is `filled_in`: a whole number or one of the words, when it says so.
    """

    key: str
    label: str
    width: int
    number_format: str = TEXT
    words: Mapping[str, str] = field(default_factory=dict)
    several: bool = False
    wrap: bool = False
    personal: bool = False  # about a person, so it is not kept in the log of exports
    is_date: bool = False
    filled_in: Literal["", "whole", "choice", "text"] = ""
    hint: str = ""

    def shown(self, value: Shown) -> Shown:
        """Put the label of a choice for its code, or the labels of several in one text."""
        if not isinstance(value, str) or not self.words:
            return value
        codes = value.split(JOINER) if self.several else [value]
        return JOINER.join(self.words.get(code, code) for code in codes)


class Labels:
    """The words of a form and of the register in one language."""

    def __init__(self, form: Form, language: str) -> None:
        self.form = form
        self.language = language
        self.say = partial(load_texts(TEXTS).say, language=language)

    def own(self, text: Mapping[str, str]) -> str:
        """Give a text of the form in this language, or in the one it has."""
        return text.get(self.language) or next(iter(text.values()), "")

    def of_choices(self, question: Question) -> dict[str, str]:
        return {code: self.own(label) for code, label in self.form.question_options(question).items()}

    def question_column(self, key: str, question: Question) -> Column:
        """Give the column for the answers to a question."""
        width, shape = column_width(question), number_format(question)
        words = self.of_choices(question)
        personal, is_date = is_personal(question), question.type == "date"
        return Column(key, self.own(question.label), width, shape, words, personal=personal, is_date=is_date)

    def column(self, key: str, width: int, *, wrap: bool = False, is_date: bool = False) -> Column:
        """Give a column of the register itself, whose heading stands in its texts."""
        return Column(key, self.say(key), width, wrap=wrap, is_date=is_date)

    def local(self, moment: datetime) -> datetime:
        return moment.astimezone(self.form.zone).replace(tzinfo=None)

    def day(self, moment: datetime | None) -> date | None:
        return self.local(moment).date() if moment else None


def is_personal(question: Question) -> bool:
    """Tell whether a question asks how a person is called or reached."""
    return question.type in PERSONAL_TYPES or question.prefill in PERSONAL_PREFILLS
