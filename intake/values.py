"""What was written in a cell, understood by the type of its question.

Reading never guesses. A cell gives a value; a value and a `note` when it was understood
differently from how it was written; or a `problem` and no value. Both are codes that rules
speak for, and `details` holds what their messages may say. A detail that differs between
languages has one key for each: `tolket.nb`, `tolket.nn`.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from difflib import get_close_matches

from intake.notation import (
    Number,
    exact,
    find_days,
    find_number,
    is_plain_date,
    is_plain_number,
    one_line,
    show_date,
    show_number,
    tidy,
)
from intake.submission import Value
from templates.form import NO, YES, Form, Question, Text
from templates.orgnr import DIGITS, is_orgnr

MAX_TEXT = 32_767  # characters in one cell (Excel)
MAX_NUMBER = 10**15  # a spreadsheet keeps 15 digits
WHOLE = frozenset({"integer", "amount"})


@dataclass(frozen=True, slots=True)
class Reading:
    """What one cell was understood as; `raw` is what its owner sees in it."""

    value: Value
    raw: str
    problem: str | None = None
    note: str | None = None
    details: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Entry:
    """One filled-in cell and the question it answers."""

    cell: object
    raw: str
    question: Question
    form: Form

    def read(self, value: Value, note: str | None = None, details: dict[str, str] | None = None) -> Reading:
        return Reading(value, self.raw, note=note, details=details or {})

    def refuse(self, problem: str, details: dict[str, str] | None = None) -> Reading:
        return Reading(None, self.raw, problem, details=details or {})


def read_value(cell: object, question: Question, form: Form) -> Reading | None:
    """Understand one cell as `intake.reader` gives it; None for an empty cell and for a lookup."""
    reader = READERS.get(question.type)
    raw = written(cell)
    if reader is None or not raw or raw.isspace():
        return None
    if len(raw) > MAX_TEXT:
        return Reading(None, raw[:MAX_TEXT], "too_long")
    return reader(Entry(cell, raw, question, form))


def recoded_value(reading: Reading, codes: Mapping[str, str]) -> Reading:
    """The same cell, where an older version offered another choice in these words: its code now."""
    folded = {_folded(words): code for words, code in codes.items()}
    code = folded.get(_folded(reading.raw))
    return reading if code is None else Reading(code, reading.raw)


# what stands in the cell

LINE_BREAK = re.compile("\r\n|[\r\n\v\f\x85\u2028\u2029]")
INVISIBLE = frozenset({"Cc", "Cf"})  # controls, marks of text direction, zero-width characters


def written(cell: object) -> str:
    """Give what the owner sees in the cell, as text that is safe to pass on."""
    match cell:
        case str():
            return _safe(cell)
        case bool():
            return "SANN" if cell else "USANN"  # what a Norwegian spreadsheet shows
        case int() | float():
            return _number_as_written(cell)
        case datetime() if cell.time() != time():
            return f"{show_date(cell)} {cell:%H:%M}"
        case date():
            return show_date(cell)
        case _:
            return "" if cell is None else str(cell)


def _safe(text: str) -> str:
    """Compose letters (macOS sends å as two characters), and drop what nobody can see."""
    if not text.isprintable():  # which most texts are
        lines = LINE_BREAK.sub("\n", text)
        text = "".join(filter(_visible, lines)).encode("utf-8", "replace").decode("utf-8")
    return unicodedata.normalize("NFC", text)


def _visible(character: str) -> bool:
    return character in "\n\t" or unicodedata.category(character) not in INVISIBLE


def _number_as_written(number: float) -> str:
    if abs(number) < MAX_NUMBER:  # so neither infinite nor nan
        return f"{exact(number):f}".replace(".", ",")
    return str(number)


def _folded(text: str) -> str:
    return tidy(text).casefold().rstrip(" .")


# text


def _read_text(entry: Entry) -> Reading:
    return entry.read(one_line(entry.raw))


def _read_longtext(entry: Entry) -> Reading:
    return entry.read(entry.raw.strip())


# numbers and dates

FIRST_DAY, LAST_DAY = 32_874, 73_415  # a spreadsheet's serial numbers of 1.1.1990 and 31.12.2100
DAY_ZERO = date(1899, 12, 30)


def _read_number(entry: Entry) -> Reading:
    number = _find_number(entry)
    if number is None or not abs(number.value) < MAX_NUMBER:
        return entry.refuse("not_a_number")
    whole, percent = entry.question.type in WHOLE, entry.question.type == "percent"
    shown = show_number(number.value, percent=percent)
    if number.other is not None:
        other = show_number(number.other, percent=percent)
        return entry.refuse("ambiguous_number", {"alt1": shown, "alt2": other})
    if whole and number.value != number.value.to_integral_value():
        return entry.refuse("not_whole")
    value = int(number.value) if whole else float(number.value)
    if not isinstance(entry.cell, str) or is_plain_number(entry.raw):
        return entry.read(value)
    return entry.read(value, "number_read", {"tolket": shown})


def _find_number(entry: Entry) -> Number | None:
    """Find the number in a cell.

    A date is none, though it has a serial number: a Norwegian spreadsheet makes 1 May of «1.5».
    """
    match entry.cell:
        case bool():
            return None
        case int() | float() if abs(entry.cell) < MAX_NUMBER:
            return Number(exact(entry.cell))
        case str():
            kind = entry.question.type
            return find_number(entry.raw, whole=kind in WHOLE, percent=kind == "percent")
        case _:
            return None


def _read_date(entry: Entry) -> Reading:
    match entry.cell:
        case datetime():
            return entry.read(entry.cell.date())
        case date():
            return entry.read(entry.cell)
        case str():
            return _read_date_text(entry)
        case int() | float() if FIRST_DAY <= entry.cell < LAST_DAY + 1:
            return _date_read(entry, DAY_ZERO + timedelta(days=int(entry.cell)))
        case _:
            return entry.refuse("not_a_date")


def _read_date_text(entry: Entry) -> Reading:
    match find_days(entry.raw):
        case []:
            return entry.refuse("not_a_date")
        case [day]:
            return entry.read(day) if is_plain_date(entry.raw) else _date_read(entry, day)
        case [first, second, *_]:
            return entry.refuse("ambiguous_date", {"alt1": show_date(first), "alt2": show_date(second)})
    raise AssertionError(entry)


def _date_read(entry: Entry, day: date) -> Reading:
    return entry.read(day, "date_read", {"tolket": show_date(day)})


# addresses and numbers that name something

EMAIL = re.compile(r"(?P<name>[\w+'&-]+(?:\.[\w+'&-]+)*)@(?P<domain>(?:[^\W_](?:(?:[^\W_]|-)*[^\W_])?\.)+[^\W\d_]{2,})")
MAX_EMAIL, MAX_EMAIL_NAME = 254, 64  # characters (RFC 5321)
PHONE_MARKS = re.compile(r"[\s().-]")
PHONE = re.compile(r"(?:\+47|0047|47)?([2-9]\d{7})", re.ASCII)
NOT_A_DIGIT = re.compile(r"[^0-9]")
KOMMUNENR = re.compile(r"\d{3,4}", re.ASCII)
KOMMUNENR_DIGITS = 4


def _read_email(entry: Entry) -> Reading:
    text = re.sub(r"(?i)^mailto:\s*", "", entry.raw.strip())
    found = EMAIL.fullmatch(text) if len(text) <= MAX_EMAIL else None
    if found is None or len(found["name"]) > MAX_EMAIL_NAME:
        return entry.refuse("email")
    return entry.read(f"{found['name']}@{found['domain'].lower()}")


def _read_phone(entry: Entry) -> Reading:
    found = PHONE.fullmatch(PHONE_MARKS.sub("", tidy(entry.raw)))
    return entry.read(found[1]) if found else entry.read(one_line(entry.raw), "phone")


def _read_orgnr(entry: Entry) -> Reading:
    """Take the digits, whatever stands around them («NO 123 456 785 MVA»): the last one proves them."""
    digits = NOT_A_DIGIT.sub("", entry.raw)
    if len(digits) != DIGITS:
        return entry.refuse("orgnr_length", {"siffer": str(len(digits))})
    return entry.read(digits) if is_orgnr(digits) else entry.refuse("orgnr_check")


def _read_kommunenr(entry: Entry) -> Reading:
    digits = "".join(entry.raw.split())
    if not KOMMUNENR.fullmatch(digits):
        return entry.refuse("kommunenr_unknown")
    number = digits.zfill(KOMMUNENR_DIGITS)  # a number cell loses the first zero of 0301
    codes = entry.form.lists.get(entry.question.list or "")
    if codes is None or number in codes.rows:
        return entry.read(number)
    if number not in codes.recoded:
        return entry.refuse("kommunenr_unknown")
    new = codes.recoded[number]
    if new not in codes.rows:  # the list does not say which one number it became
        return entry.refuse("kommunenr_ambiguous")
    return entry.read(new, "kommunenr_recoded", {"nytt": new, "nytt_navn": codes.rows[new][codes.label]})


# choices

YES_WORD = re.compile("ja|j|yes|y|x|1|true|sann|sant|[\u2713\u2714]")
NO_WORD = re.compile("nei|n|no|0|false|usann|usant")
CLOSE = 0.7  # share of equal letters in what may be a misspelt label


def _read_yesno(entry: Entry) -> Reading:
    text = one_line(entry.raw)
    if text in {YES, NO}:
        return entry.read(text)
    word = _folded(text)
    for answer, pattern in ((YES, YES_WORD), (NO, NO_WORD)):
        if pattern.fullmatch(word):
            return entry.read(answer, "choice_read", {"tolket": answer})
    return entry.refuse("not_yes_no")


def _read_choice(entry: Entry) -> Reading:
    options = entry.form.question_options(entry.question)
    code = _code_of_label(one_line(entry.raw), options)
    if code is not None:
        return entry.read(code)
    code = _code_meant(_folded(entry.raw), options)
    if code is not None:
        return entry.read(code, "choice_read", _in_each_language("tolket", options[code]))
    return entry.refuse("not_a_choice", _offered(entry, options))


def _code_of_label(text: str, options: dict[str, Text]) -> str | None:
    """Find the choice with this label in any of the languages."""
    for code, labels in options.items():
        if text in labels.values():
            return code
    text = tidy(text)
    return next((code for code, labels in options.items() if text in map(tidy, labels.values())), None)


def _code_meant(folded: str, options: dict[str, Text]) -> str | None:
    """Find the choice with this code or label in any case; a number cell loses the zero of 03."""
    shortened = {code.lstrip("0"): code for code in options if code.isdigit()}
    codes = {_folded(code): code for code in options}
    labels = {_folded(label): code for code, texts in options.items() for label in texts.values()}
    return (shortened | codes | labels).get(folded)


def _offered(entry: Entry, options: dict[str, Text]) -> dict[str, str]:
    """List the choices, and the one closest to what was written, in every language."""
    details = {}
    for language in entry.form.languages:
        labels = [texts[language] for texts in options.values()]
        details[f"valg.{language}"] = ", ".join(f"«{label}»" for label in labels)
        details[f"nesten.{language}"] = _closest(entry.raw, labels)
    return details


def _closest(text: str, labels: list[str]) -> str:
    by_word = {_folded(label): label for label in labels}
    found = get_close_matches(_folded(text), by_word, n=1, cutoff=CLOSE)
    return by_word[found[0]] if found else ""


def _in_each_language(name: str, text: Text) -> dict[str, str]:
    return {f"{name}.{language}": words for language, words in text.items()}


READERS: dict[str, Callable[[Entry], Reading]] = {  # a lookup is calculated, and has none
    "text": _read_text,
    "longtext": _read_longtext,
    "integer": _read_number,
    "amount": _read_number,
    "decimal": _read_number,
    "percent": _read_number,
    "date": _read_date,
    "email": _read_email,
    "phone": _read_phone,
    "orgnr": _read_orgnr,
    "kommunenr": _read_kommunenr,
    "yesno": _read_yesno,
    "choice": _read_choice,
}


def show(value: Value, question: Question, language: str, form: Form) -> str:
    """Write a value the Norwegian way: 1 250 000, 42,5 %, 31.12.2024, the label of a choice."""
    if value is None:
        return ""
    if isinstance(value, date):
        return show_date(value)
    if isinstance(value, int | float):
        return show_number(exact(value), percent=question.type == "percent")
    if question.type == "choice":
        return form.question_options(question).get(value, {}).get(language, value)
    return value
