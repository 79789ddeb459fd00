"""Norwegian organisation numbers: nine digits, the last a MOD11 check digit."""

WEIGHTS = (3, 2, 7, 6, 5, 4, 3, 2)  # Brønnøysundregistrene: «Om organisasjonsnummeret»
DIGITS = 9


def check_digit(first_eight: str) -> int | None:
    """The ninth digit, or None when these eight digits make no number."""
    rest = sum(int(digit) * weight for digit, weight in zip(first_eight, WEIGHTS, strict=True)) % 11
    return None if rest == 1 else (11 - rest) % 11


def is_orgnr(digits: str) -> bool:
    """Whether the text is nine ASCII digits with the right check digit."""
    return len(digits) == DIGITS and digits.isascii() and digits.isdigit() and check_digit(digits[:8]) == int(digits[8])
