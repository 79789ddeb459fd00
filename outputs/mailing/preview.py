"""The preview of the outbox: one page, outbox/index.html, that lists every letter and shows what is not yet sent."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any
from urllib.parse import quote

from outputs.letters.message import read_message
from outputs.letters.stationery import LAYOUTS, layout_in
from outputs.letters.words import clean
from outputs.mailing.mailroom import letter_list
from outputs.register.letter_states import HELD, NEED_A_PERSON, PAGE, QUEUED, STATES
from outputs.register.register import Register
from templates.round import Round
from templates.texts import load_texts

TEXTS = Path(__file__).parent.parent / "texts.toml"
SHOWN = (*NEED_A_PERSON, HELD, QUEUED)  # states in which somebody may want to read the letter first
MAX_SHOWN = 1000  # letters whose text stands in the page; of the others there is the link
ORDER = (*(state for state in STATES if state in NEED_A_PERSON), QUEUED, HELD)
COLUMNS = ("summary", "state", "kind", "count", "number", "owner", "subject", "to", "file", "open", "read", "enclosed")


def write_preview(round_: Round, register: Register, now: datetime) -> Path:
    """Write the page anew, at once or not at all, and give its path. It fetches nothing and runs nothing."""
    page = _Page(round_, now)
    listed = letter_list(register)
    path = round_.outbox / PAGE
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    temporary.write_text(page.render(listed), encoding="utf-8")
    return temporary.replace(path)


class _Page:
    def __init__(self, round_: Round, now: datetime) -> None:
        self.round = round_
        self.language = round_.form.languages[0]
        self.now = now.astimezone(round_.form.zone)
        self.shown = 0

    def render(self, listed: list[dict[str, Any]]) -> str:
        title = clean(self.round.form.file.title.get(self.language, ""))
        return layout_in(LAYOUTS, PAGE).render(
            language=self.language,
            heading=self._say("preview_heading", title=title),
            made=self._say("preview_made", moment=f"{self.now:%d.%m.%Y %H:%M}"),
            words={name: self._say(f"preview_{name}") for name in COLUMNS},
            counts=list(self._counts(listed)),
            groups=list(self._groups(listed)),
        )

    def _say(self, key: str, **values: object) -> str:
        return load_texts(TEXTS).say(key, self.language, **values)

    def _state(self, state: str) -> str:
        return self._say(f"letter_{state}")

    def _kind(self, kind: str) -> str:
        return self._say(f"kind_{kind}")

    def _counts(self, listed: list[dict[str, Any]]) -> Iterator[tuple[str, str, int]]:
        found = Counter((letter["state"], letter["kind"]) for letter in listed)
        for (state, kind), number in sorted(found.items(), key=lambda item: (_rank(item[0][0]), item[0][1])):
            yield self._state(state), self._kind(kind), number

    def _groups(self, listed: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """Group the letters by state; those that somebody must look at come first."""
        ordered = sorted(listed, key=lambda letter: (_rank(letter["state"]), letter["id"]))
        for state, letters in groupby(ordered, itemgetter("state")):
            shown = [self._letter(letter) for letter in letters]
            yield {"heading": f"{self._state(state)} ({len(shown)})", "letters": shown}

    def _letter(self, letter: Mapping[str, Any]) -> dict[str, Any]:
        owner = self.round.recipients.get(letter["recipient"])
        return {
            "id": letter["id"],
            "owner": owner.name if owner else letter["recipient"],
            "kind": self._kind(letter["kind"]),
            "subject": letter["subject"],
            "to": ", ".join(letter["to"]) or self._say("preview_nobody"),
            "note": letter["note"],
            "link": quote(letter["path"].partition("/")[2]),
            **self._content(letter),
        }

    def _content(self, letter: Mapping[str, Any]) -> dict[str, str]:
        """Read what the letter says from its file, which is what will be sent."""
        nothing = {"text": "", "files": "", "language": self.language}
        if letter["state"] not in SHOWN or self.shown >= MAX_SHOWN:
            return nothing
        self.shown += 1
        try:
            message = read_message(self.round.folder / letter["path"])
            part = message.get_body(("plain",))
            text = str(part.get_content()) if part else ""
        except (OSError, LookupError, ValueError):  # gone, or somebody has written in it
            return {**nothing, "text": self._say("preview_unreadable")}
        names = [str(file.get_filename() or "") for file in message.iter_attachments()]
        return {"text": text, "files": ", ".join(names), "language": str(message["Content-Language"] or self.language)}


def _rank(state: str) -> int:
    return ORDER.index(state) if state in ORDER else len(ORDER) + STATES.index(state)
