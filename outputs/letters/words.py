"""The letters' phrases in one language, with numbers, dates and lists as people write them."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path

from templates.form import Form
from templates.texts import Texts, load_texts

TEXTS = Path(__file__).parent / "texts.toml"
NOUNS = ("noun", "Noun", "the", "The", "many")  # every text may name them
COUNTED = ("n", "number", "Number")  # and these, where it is chosen by a number
LONGEST_LIST = 4  # items of a list inside a sentence


class Phrases:
    """What letters say in one language, with the form's own noun."""

    def __init__(self, form: Form, language: str, texts: Texts | None = None) -> None:
        self.texts = texts or load_texts(TEXTS)
        self.form = form
        self.language = language
        noun = form.file.noun
        one, the, many = (self.own(text) for text in (noun.one, noun.the, noun.many))
        self.noun = dict(zip(NOUNS, (one, capital(one), the, capital(the), many), strict=True))

    def say(self, key: str, **values: object) -> str:
        return clean(self.texts.say(key, self.language, **self.noun, **values))

    def count(self, key: str, n: int, **values: object) -> str:
        """Say the phrase for one or for many."""
        number = self.number(n)
        counted = dict(zip(COUNTED, (n, number, capital(number)), strict=True))
        return self.say(f"{key}_{'one' if n == 1 else 'many'}", **counted, **values)

    def own(self, text: Mapping[str, str]) -> str:
        """Choose this language from a text of the form, or the first there is."""
        return text.get(self.language) or next(iter(text.values()), "")

    def number(self, n: int) -> str:
        words = self._listed("numbers")
        return words[n] if n < len(words) else str(n)

    def day(self, day: date) -> str:
        return self.say("day", day=day.day, month=self._listed("months")[day.month - 1])

    def weekday(self, day: date) -> str:
        return self.say("weekday", weekday=self._listed("weekdays")[day.weekday()], day=self.day(day))

    def moment(self, moment: datetime) -> str:
        day = self.weekday(moment)
        return self.say("moment", weekday_and_day=day, hour=moment.hour, minute=f"{moment.minute:02}")

    def _listed(self, key: str) -> list[str]:
        return self.texts.say(key, self.language).split()

    def listed(self, items: Sequence[str]) -> str:
        """Write «a, b og c»; a long list is cut short."""
        if len(items) > LONGEST_LIST:
            return self.say("and_more", items=", ".join(items[:LONGEST_LIST]), n=len(items) - LONGEST_LIST)
        *first, last = items
        return self.say("and", items=", ".join(first), last=last) if first else last


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def clean(text: str, limit: int | None = None) -> str:
    """Make one line of visible characters: no line breaks, no control or direction marks."""
    seen = text if text.isprintable() else "".join(map(_visible, text))
    line = (re.sub(" {2,}", " ", seen) if "  " in seen else seen).strip()
    return line if limit is None or len(line) <= limit else f"{line[: limit - 1].rstrip()}…"


def _visible(character: str) -> str:
    kind = unicodedata.category(character)
    if kind == "Cf":  # zero width: soft hyphens, direction marks
        return ""
    return " " if kind.startswith("C") or kind in ("Zl", "Zp") else character
