"""What the texts of a form may say in {braces}, and what is wrong in those that say something else."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from string import Formatter

from templates.form import Form, Part, Rule, Text
from templates.problems import suggestion
from templates.rules.named_checks import NAMED_CHECKS

GUIDE_WORDS = {"deadline", "office", "email", "phone"}
PLACE_WORDS = {"felt", "verdi", "rad", "navn", "celle"}  # of the first cell that a finding marks
LIMIT_WORDS = {"min", "max"}

EMAIL = re.compile(r"[^\s@«»<>()]+@[^\s@«»<>()]+\.[a-zæøå]{2,}", re.IGNORECASE)
MADE_UP = ("@example.no", ".example", "@example.com", "@firma.no")  # addresses of nobody, for examples
NUMBER = re.compile(r"(?<![\d.])\d(?: ?\d){7,10}(?!\d)")
LENGTHS = (8, 9, 11)  # a phone number, an organisation number, a birth number

TEXTS = (Text, Text | None)
NO_TEXTS = ("values", "where", "named_where", "given", "rename", "recode")  # of the same type, not for people to read

NOTHING: frozenset[str] = frozenset()
READINGS = {
    "not_a_number": NOTHING,
    "not_whole": NOTHING,
    "ambiguous_number": {"alt1", "alt2"},
    "number_read": {"tolket"},
    "not_a_date": NOTHING,
    "ambiguous_date": {"alt1", "alt2"},
    "date_read": {"tolket"},
    "email": NOTHING,
    "phone": NOTHING,
    "orgnr_length": {"siffer"},
    "orgnr_check": NOTHING,
    "kommunenr_unknown": NOTHING,
    "kommunenr_ambiguous": NOTHING,
    "kommunenr_recoded": {"nytt", "nytt_navn"},
    "not_a_choice": {"valg", "nesten"},
    "not_offered": NOTHING,
    "not_yes_no": NOTHING,
    "choice_read": {"tolket"},
    "too_long": NOTHING,
    "birth_number": NOTHING,
    "error_cell": NOTHING,
    "formula_without_value": NOTHING,
    "damaged_cell": NOTHING,
}  # how a cell may have been read, and what a message about it may say; intake gives both


@dataclass(frozen=True)
class BadWord:
    """Something in braces that nobody can fill in."""

    word: str
    reason: str
    fix: str


def bad_words(text: str, known: set[str]) -> Iterator[BadWord]:
    """Everything in the braces of one text that is not one of the known words."""
    try:
        parts = [part for part in Formatter().parse(text) if part[1] is not None]
    except ValueError:
        yield BadWord("", "a { or } stands alone", "Write {name}; a brace itself is doubled: {{ or }}.")
        return
    for _, word, layout, conversion in parts:
        if layout or conversion or not str(word).isidentifier():
            inside = f"{word}{'!' if conversion else ''}{conversion or ''}{':' if layout else ''}{layout}"
            yield BadWord("", f"{{{inside}}} is not just a name", "Write only a name in the braces.")
        elif word not in known:
            hint = suggestion(str(word), sorted(known), "Remove it, or give it under `values`.")
            yield BadWord(str(word), f"there is no {{{word}}} to fill in", hint)


def private_words(text: str) -> list[str]:
    """What in a text looks like somebody's address or number: it would be told to every owner."""
    addresses = [word for word in EMAIL.findall(text) if not word.rstrip(".").lower().endswith(MADE_UP)]
    numbers = [word for word in NUMBER.findall(text) if len(word.replace(" ", "")) in LENGTHS]
    return addresses + numbers


def rule_words(form: Form, rule: Rule, first_marked: str | None) -> set[str]:
    """What a rule's message may say; the answers of its sheet only when the first cell marked is there."""
    if rule.check:
        check = NAMED_CHECKS.get(rule.check)
        marked = PLACE_WORDS if check and check.given else NOTHING
        return {*(check.words if check else ()), *marked}
    words = {*PLACE_WORDS, *rule.values, *(LIMIT_WORDS if set(rule.limit) - {"example"} else ())}
    if rule.reading:
        words |= set.intersection(*(set(READINGS.get(code, NOTHING)) for code in rule.reading))
    elif rule.on in form.sheets and first_marked == rule.on:
        words |= form.sheets[rule.on].questions.keys()
    return words


def missing_texts(part: Part, path: str, languages: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The place of every text that is not written in all languages, and the language it lacks."""
    for place, text in _texts(part, path):
        for language in languages:
            if not text.get(language, "").strip():
                yield place, language


def _texts(value: object, path: str) -> Iterator[tuple[str, Text]]:
    """Every text in a part of a definition, with its place as the author wrote it."""
    match value:
        case Part():
            for name, field in type(value).model_fields.items():
                if field.annotation in TEXTS and name not in NO_TEXTS:
                    yield from _given(getattr(value, name), f"{path}{name}")
                elif field.annotation == dict[str, Text] and name not in NO_TEXTS:
                    yield from ((f"{path}{key}", text) for key, text in getattr(value, name).items())
                else:
                    yield from _texts(getattr(value, name), f"{path}{name}.")
        case dict():
            for key, item in value.items():
                yield from _texts(item, f"{path}{key}.")
        case tuple():
            for number, item in enumerate(value, 1):
                yield from _texts(item, f"{path}{number}.")


def _given(text: Text | None, path: str) -> Iterator[tuple[str, Text]]:
    if text is not None:
        yield path, text
