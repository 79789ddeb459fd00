"""Persons in answers: who may be forgotten; and birth numbers, masked at once, so that nothing after this holds one."""

import re
from dataclasses import replace

from intake.values import Reading
from templates.form import NUMERIC, Question

CODE = "birth_number"
MASK = "•"
LENGTH = 11  # digits
TEXTS = frozenset({"text", "longtext"})
CONTACT_TYPES = ("email", "phone")
CONTACT_PREFILLS = ("recipient.contact", "recipient.email", "recipient.phone")
CANDIDATE = re.compile(r"(?<!\d)(?:\d{6}[ \u00a0.-]?\d{5})(?!\d)", re.ASCII)
WHOLE = re.compile(r"\d{10,11}", re.ASCII)
DAYS, MONTHS = 31, 12
FIRST, SECOND = (3, 7, 6, 1, 8, 9, 4, 5, 2, 1), (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1)  # Skatteetaten: «Fødselsnummer»


def names_a_person(question: Question) -> bool:
    """Whether an answer names a contact person, and is removed from the register by `behov forget`."""
    if question.personal is not None:
        return question.personal
    return question.type in CONTACT_TYPES or question.prefill in CONTACT_PREFILLS


def is_birth_number(digits: str) -> bool:
    """Whether eleven digits have the two check digits of a birth number (or a D-number)."""
    numbers = [int(digit) for digit in digits]
    return all(
        sum(n * weight for n, weight in zip(numbers, weights, strict=False)) % 11 == 0 for weights in (FIRST, SECOND)
    )


def mask(text: str) -> str:
    """The text with every birth number in it made unreadable."""
    return CANDIDATE.sub(_masked, text)


def _masked(found: re.Match[str]) -> str:
    digits = re.sub(r"\D", "", found[0])
    return MASK * len(found[0]) if is_birth_number(digits) else found[0]


def without_birth_numbers(reading: Reading, question: Question) -> Reading:
    """The same reading, masked and noted as such; the value of anything but a text cannot be used."""
    raw = MASK * len(reading.raw) if _is_one(reading.raw) else reading.raw
    if question.type not in NUMERIC and question.type != "date":
        raw = mask(raw)
    if raw == reading.raw:
        return reading
    if question.type in TEXTS and reading.problem is None:
        return replace(
            reading, value=raw if _is_one(reading.raw) else mask(str(reading.value)), raw=raw, note=CODE, details={}
        )
    return replace(reading, value=None, raw=raw, problem=CODE, note=None, details={})


def _is_one(raw: str) -> bool:
    """Whether a cell holds a birth number and nothing else; a cell of numbers drops the zero it begins with."""
    digits = raw.strip().zfill(LENGTH)
    if not WHOLE.fullmatch(raw.strip()) or not is_birth_number(digits):
        return False
    day, month = int(digits[:2]) % 40, int(digits[2:4]) % 40  # a D-number and made-up ones add to the day or the month
    return 1 <= day <= DAYS and 1 <= month <= MONTHS
