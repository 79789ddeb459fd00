"""The Norwegian alphabet: … x y z æ ø å, where «aa» stands as å."""

import re
import unicodedata

# { | and } come straight after z.
LETTERS = str.maketrans({"æ": "{", "ä": "{", "ø": "|", "ö": "|", "å": "}", "ü": "y", "đ": "d", "ð": "d", "ŋ": "n"})
DIGITS = 12  # numbers within a text sort as numbers


def sort_key(text: str) -> tuple[str, str]:
    """Give what sorts a text as a Norwegian reader expects."""
    folded = unicodedata.normalize("NFC", text).casefold().replace("aa", "å").translate(LETTERS)
    plain = "".join(char for char in unicodedata.normalize("NFD", folded) if not unicodedata.combining(char))
    return re.sub(r"[0-9]+", lambda number: number[0].zfill(DIGITS), plain), text
