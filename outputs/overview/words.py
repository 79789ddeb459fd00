"""The dashboard's words in one language, with numbers, amounts and dates as people write them."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from outputs.letters.words import Phrases, capital, clean
from outputs.top import percent
from templates.form import Form
from templates.texts import load_texts

TEXTS = Path(__file__).parent / "texts.toml"
NBSP = "\u00a0"
MILLION, THOUSAND = 1_000_000, 1_000


class Words:
    """What the dashboard says in one language, with the form's own noun."""

    def __init__(self, form: Form, language: str) -> None:
        self.texts = load_texts(TEXTS)
        self.language = language
        self.zone = form.zone
        self.phrases = Phrases(form, language)
        self.noun = self.phrases.noun | {"Many": capital(self.phrases.noun["many"])}

    def say(self, key: str, **values: object) -> str:
        return self.texts.say(key, self.language, **self.noun, **values)

    def count(self, key: str, n: int, **values: object) -> str:
        """Say the phrase for one or for many."""
        return self.say(f"{key}_{'one' if n == 1 else 'many'}", n=number(n), **values)

    def own(self, text: Mapping[str, str]) -> str:
        """Choose this language from a text of the form, or the first there is."""
        return clean(self.phrases.own(text))

    def status(self, state: str) -> str:
        """Say in a word or two how a file or a report stands."""
        return self.say(f"state_{state}")

    def kroner(self, amount: int) -> str:
        """Write an amount short: «850 kr», «64 000 kr», «12,4 mill. kr»."""
        if abs(amount) < MILLION:
            return self.say("kroner", amount=number(amount))
        return self.say("millions", amount=number(round(amount / MILLION, 1)))

    def share(self, part: int, whole: int) -> str:
        """Write how much of the whole a part is."""
        return f"{percent(part, whole)}{NBSP}%"

    def local(self, moment: datetime) -> datetime:
        return moment.astimezone(self.zone)

    def day(self, moment: datetime) -> str:
        """Write «1. februar»."""
        return self.phrases.day(self.local(moment)).replace(" ", NBSP)

    def date(self, moment: datetime | None) -> str:
        """Write «01.02.2024»."""
        return f"{self.local(moment):%d.%m.%Y}" if moment else ""

    def moment(self, moment: datetime | str | None) -> str:
        """Write «01.02.2024 kl. 14.12»."""
        if not moment:
            return ""
        when = self.local(datetime.fromisoformat(moment) if isinstance(moment, str) else moment)
        return self.say("moment", day=f"{when:%d.%m.%Y}", time=f"{when:%H.%M}")


def number(n: float) -> str:
    """Write «12 345», and decimals with a comma."""
    whole = f"{n:,.0f}" if float(n).is_integer() else f"{n:,}"
    return whole.replace(",", NBSP).replace(".", ",")


def lines(text: str) -> str:
    """Make visible characters of a text that may have several lines."""
    return "\n".join(clean(line) for line in text.splitlines())
