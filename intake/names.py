"""Names that strangers gave to files, made safe to show and to tell apart. They are never used as paths."""

import unicodedata
from itertools import chain, count

LONGEST = 100  # characters of one name
SEPARATORS = str.maketrans(dict.fromkeys('\\:*?"<>|', "_"))  # what Windows gives a meaning of its own


def shown(name: str) -> str:
    """Give a name or a line of text without what cannot be seen: controls, marks of direction, half characters."""
    visible = "".join(mark for mark in unicodedata.normalize("NFC", name) if mark.isprintable())
    return " ".join(visible.split())


def label(name: str) -> str:
    """Name a file that lies in another: folders are kept, steps upwards and drives are not."""
    parts = (_part(part) for part in name.replace("\\", "/").split("/"))
    return "/".join(part for part in parts if part.strip(". "))


def _part(name: str) -> str:
    name = shown(name).translate(SEPARATORS)
    if len(name) <= LONGEST:
        return name
    stem, dot, suffix = name.rpartition(".")
    return (
        f"{stem[: LONGEST - len(suffix) - 1]}{dot}{suffix}" if stem and len(suffix) < LONGEST // 4 else name[:LONGEST]
    )


class Names:
    """Numbers the names that come again: skjema.xlsx, skjema (2).xlsx."""

    def __init__(self) -> None:
        self.seen: set[str] = set()

    def new(self, name: str) -> str:
        stem, dot, suffix = name.rpartition(".")
        numbered = (f"{stem} ({number}){dot}{suffix}" if stem else f"{name} ({number})" for number in count(2))
        free = next(each for each in chain((name,), numbered) if each.casefold() not in self.seen)
        self.seen.add(free.casefold())
        return free
