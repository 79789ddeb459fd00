"""Message catalogues: TOML files of short texts in every language."""

import tomllib
from functools import cache
from pathlib import Path


class Texts:
    """One catalogue: `[key] nb = "…" nn = "…"`, with `{placeholders}`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.entries: dict[str, dict[str, str]] = tomllib.loads(path.read_text(encoding="utf-8"))

    def say(self, key: str, language: str, **values: object) -> str:
        """One text in one language. Raises KeyError for a text that is not in the catalogue."""
        entry = self.entries[key]
        return entry.get(language, entry["nb"]).format(**values)

    def all(self, key: str, **values: object) -> dict[str, str]:
        """One text in every language it has."""
        return {language: text.format(**values) for language, text in self.entries[key].items()}


def workbook_texts() -> Texts:
    """The words of the workbook that every form shares."""
    return load_texts(Path(__file__).parent / "texts.toml")


@cache
def load_texts(path: Path) -> Texts:
    return Texts(path)
