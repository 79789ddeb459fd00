"""What owners write in notes on cells (comments), which nobody reads as answers."""

import re
from collections.abc import Iterator, Sequence
from html import unescape
from string import Formatter

from intake.package import Package
from templates.form import Form
from templates.texts import Texts

KINDS = ("/comments", "/threadedComment")  # how relations to notes end; where there is a thread it is the later one
OURS = ("marked_correct", "marked_asks", "marked_read")  # how notes of ours begin, in templates/texts.toml
MESSAGE = "\0"  # where the message stands in those
END = re.compile(r"</(?:\w+:)?(?:c|threadedC)omment>")
REF = re.compile(r'<(?:\w+:)?(?:c|threadedC)omment\s[^<>]*?\bref="([A-Z]{1,3}[1-9]\d{0,6})"')
WORDS = re.compile(r"<(?:\w+:)?t(?:ext)?(?:\s[^<>]*)?>([^<]+)<")


def notes_on(package: Package, sheet: str) -> dict[str, str]:
    """The notes on the cells of the sheet in this part, by cell: C31."""
    if not any("comment" in name for name in package.names()):
        return {}
    notes: dict[str, str] = {}
    for kind in KINDS:
        threads: dict[str, list[str]] = {}
        for cell, text in _written(package, sheet, kind):
            threads.setdefault(cell, []).append(text)
        notes |= {cell: "\n".join(texts) for cell, texts in threads.items()}
    return notes


def _written(package: Package, sheet: str, kind: str) -> Iterator[tuple[str, str]]:
    for part in package.related_to(sheet, kind):
        for one in END.split(package.read(part).decode("utf-8", "replace")):
            cell, text = REF.search(one), unescape("".join(WORDS.findall(one))).strip()
            if cell and text:
                yield cell[1], text


class OwnersNotes:
    """Tells what an owner wrote in a note from what we did, when we sent the workbook back with marks."""

    def __init__(self, form: Form, words: Texts) -> None:
        said = [(code, words.say(key, code, message=MESSAGE)) for code in form.languages for key in OURS]
        self._starts = [(code, text.partition(MESSAGE)[0]) for code, text in said]
        self._messages = {code: [pieces_of(rule.message[code]) for rule in form.rules] for code in form.languages}

    def theirs(self, note: str) -> str:
        """The lines of a note that are not of our making."""
        return "\n".join(line for line in note.splitlines() if line.strip() and not self._is_ours(line.strip()))

    def _is_ours(self, line: str) -> bool:
        return any(
            line.startswith(start) and any(may_be(line.removeprefix(start), one) for one in self._messages[code])
            for code, start in self._starts
        )


def pieces_of(text: str) -> tuple[str, ...]:
    """A text cut where something is filled in."""
    parsed = list(Formatter().parse(text))
    ends_filled_in = bool(parsed) and parsed[-1][1] is not None
    return tuple([literal for literal, *_ in parsed] + [""] * ends_filled_in)


def may_be(line: str, pieces: Sequence[str]) -> bool:
    """Whether a line may be the text with these words between what is filled in."""
    if len(pieces) == 1:
        return line == pieces[0]
    if not line.startswith(pieces[0]):
        return False
    at = len(pieces[0])
    for piece in pieces[1:]:
        found = line.find(piece, at)
        if found < 0:
            return False
        at = found + len(piece)
    return line.endswith(pieces[-1])
