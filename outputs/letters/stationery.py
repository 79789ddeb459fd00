"""What letters are written with: our texts and layouts, and what an office puts in their place.

An office's own stand in `letters/` of its round folder: `texts.toml` with the entries that it words
itself, and `letter.txt` or `letter.html` if it wants another layout. All of it is tried before a letter is written.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from string import Formatter
from typing import TYPE_CHECKING, Any

from outputs.letters.words import COUNTED, NOUNS, TEXTS
from templates.problems import suggestion
from templates.round import Round, RoundError
from templates.texts import Texts, load_texts

if TYPE_CHECKING:
    from jinja2 import Template

LAYOUTS = Path(__file__).parent
LAYOUT_NAMES = ("letter.txt", "letter.html")
FOLDER = "letters"  # in the round
WIDTH = 72  # characters in a line of text, so that it can be quoted twice and still fit
FOR_STAFF = ("redirected",)  # entries that no owner reads
WITHOUT_NOUNS = ("left_out", "left_out_at")
LISTS = {"numbers": 13, "weekdays": 7, "months": 12}  # entries that are lists of words, and how many


class StationeryError(RoundError):
    """An office's own texts or layout that cannot be used: one sentence with file and name."""


@dataclass(frozen=True)
class Stationery:
    """The texts and layouts of one round's letters."""

    texts: Texts
    folder: Path | None = None  # where the office's own layouts are

    def layout(self, name: str) -> "Template":
        """Give the layout of that name: the office's own, or ours."""
        own = self.folder is not None and (self.folder / name).exists()
        return layout_in(self.folder if own and self.folder else LAYOUTS, name)


STANDARD = Stationery(load_texts(TEXTS))


def stationery_of(round_: Round) -> Stationery:
    """Read what a round's letters are written with, and try it. Raises StationeryError."""
    folder = round_.folder / FOLDER
    if not folder.is_dir():
        return STANDARD
    known = (TEXTS.name, *LAYOUT_NAMES)
    for path in sorted(folder.iterdir()):
        if path.name not in known and not path.name.startswith((".", "~")):
            raise StationeryError(f"{path}: only {', '.join(known)} are read here; rename it, or take it away")
    house = Stationery(_own_texts(folder / TEXTS.name), folder)
    _try_layouts(house)
    return house


# texts


def _own_texts(path: Path) -> Texts:
    """Give our texts with the office's own in the place of some."""
    texts = Texts(TEXTS)
    if not path.exists():
        return texts
    try:
        own = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise StationeryError(f"{path} cannot be read as TOML: {error}") from None
    for key, entry in own.items():
        if wrong := next(_wrong(key, entry, texts.entries), ""):
            raise StationeryError(f"{path}: {wrong}")
        texts.entries[key] = {**texts.entries[key], **entry}
    return texts


def _wrong(key: str, entry: Any, standard: Mapping[str, Mapping[str, str]]) -> Iterator[str]:  # noqa: ANN401 - from TOML
    """Say what is wrong with one entry of an office."""
    known = [name for name in standard if name not in FOR_STAFF]
    if key not in known:
        yield f"there is no text [{key}]. {suggestion(key, known, f'See {TEXTS.name} in docs/letters.md.')}"
        return
    if not isinstance(entry, dict):
        yield f'[{key}] must have lines such as nb = "…"'
        return
    for language, text in entry.items():
        if language not in standard[key] or not isinstance(text, str):
            yield f"[{key}] {language}: only {' and '.join(standard[key])} are known, each with a text"
            return
        yield from _wrong_text(f"[{key}] {language}", text, _names(key, standard[key]))
        if key in LISTS and len(text.split()) != LISTS[key]:
            yield f"[{key}] {language}: must be {LISTS[key]} words, and is {len(text.split())}"


def _names(key: str, standard: Mapping[str, str]) -> set[str]:
    """List what a text may name between braces: what ours names, the form's noun, and a number that is counted."""
    named = {name for text in standard.values() for _, name, _, _ in Formatter().parse(text) if name}
    nouns = () if key in (*WITHOUT_NOUNS, *LISTS) else NOUNS
    return named | {*nouns} | {*(COUNTED if key.endswith(("_one", "_many")) else ())}


def _wrong_text(place: str, text: str, known: set[str]) -> Iterator[str]:
    try:
        named = [field for field in Formatter().parse(text) if field[1] is not None]
    except ValueError as error:
        yield f"{place}: a brace is lost ({error}); write {{{{ for a brace that is to be seen"
        return
    for _, name, form, conversion in named:
        if form or conversion:
            yield f"{place}: only a name may stand in braces; write {{{name}}} alone"
        if name not in known:
            said = ", ".join(f"{{{one}}}" for one in sorted(known))
            yield f"{place}: {{{name}}} is not known here; it may name {said}"


# layouts


def _try_layouts(house: Stationery) -> None:
    """See to it that every name in a layout is known, and lay out letters of every kind."""
    from jinja2 import TemplateError, TemplateSyntaxError  # noqa: PLC0415 - only where letters are written

    assert house.folder is not None
    for name in LAYOUT_NAMES:
        path = house.folder / name
        if not path.exists():
            continue
        try:
            layout = house.layout(name)
            if unknown := _unknown(layout, path.read_text(encoding="utf-8")):
                raise StationeryError(f"{path}: {', '.join(unknown)} is not known in a layout; compare it with ours")
            _try_layout(layout, path)
        except (TemplateError, UnicodeDecodeError, ArithmeticError, TypeError, ValueError) as error:
            line = f", line {error.lineno}" if isinstance(error, TemplateSyntaxError) else ""
            raise StationeryError(f"{path}{line}: {error}") from None


def _try_layout(layout: "Template", path: Path) -> None:
    from outputs.letters.trial import BARE, trials  # noqa: PLC0415 - it needs the letters, which need this

    for letter, must in trials():
        said = layout.render(letter=letter)
        for wanted in (*must, *([BARE.subject] if path.suffix == ".html" else [])):
            if wanted not in said:
                raise StationeryError(f"{path} leaves out what every letter must say; compare it with ours")


def _unknown(layout: "Template", source: str) -> list[str]:
    """List the names in a layout that no letter has, also where only some letters would meet them."""
    from jinja2 import meta, nodes  # noqa: PLC0415 - only where letters are written

    from outputs.letters.feedback import Letter  # noqa: PLC0415 - it needs the words, which need this

    tree = layout.environment.parse(source)
    names = meta.find_undeclared_variables(tree) - {"letter", *layout.environment.globals}
    has = {field.name for field in fields(Letter)}
    asked = {node.attr for node in tree.find_all(nodes.Getattr) if getattr(node.node, "name", "") == "letter"}
    return sorted(f"«{name}»" for name in (*names, *(f"letter.{name}" for name in asked - has)))


@cache
def layout_in(folder: Path, name: str) -> "Template":
    """Give the layout of that name in a folder. A variable that is missing in it is an error."""
    from jinja2 import FileSystemLoader, StrictUndefined  # noqa: PLC0415 - only where letters are written
    from jinja2.sandbox import ImmutableSandboxedEnvironment  # noqa: PLC0415

    environment = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(folder),
        autoescape=name.endswith(".html"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals["WIDTH"] = WIDTH
    return environment.get_template(name)
