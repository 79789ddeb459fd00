"""Birth numbers: found in what was written and masked at once, so that nothing after this ever holds one."""

import re
from dataclasses import replace

from intake.values import Reading
from templates.form import NUMERIC, Question

CODE = "birth_number"
MASK = "•"
LENGTH = 11  # digits
TEXTS = frozenset({"text", "longtext"})
CANDIDATE = re.compile(r"(?<!\d)(?:\d{6}[ \u00a0.-]?\d{5})(?!\d)", re.ASCII)
FIRST, SECOND = (3, 7, 6, 1, 8, 9, 4, 5, 2, 1), (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1)  # Skatteetaten: «Fødselsnummer»


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
    if len(reading.raw) < LENGTH or question.type in NUMERIC or question.type == "date":
        return reading
    raw = mask(reading.raw)
    if raw == reading.raw:
        return reading
    if question.type in TEXTS and reading.problem is None:
        return replace(reading, value=mask(str(reading.value)), raw=raw, note=CODE, details={})
    return replace(reading, value=None, raw=raw, problem=CODE, note=None, details={})
