"""What is wrong in a TOML file, told to the one who wrote it: where, what and how to put it right."""

import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from itertools import groupby
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, NamedTuple, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, ValidationError
from pydantic_core import ErrorDetails

Model = TypeVar("Model", bound=BaseModel)

SHOWN = 40  # characters of a wrong value that are repeated
FEW = 10  # names that can be listed when none of them is close


@dataclass(frozen=True)
class Problem:
    """One mistake in a definition: where, what, and how to put it right."""

    file: str
    key: str
    reason: str
    fix: str

    def __str__(self) -> str:
        return f"{self.file}: {self.key}: {self.reason}. {self.fix}"


def suggestion(name: str, known: Sequence[str], otherwise: str = "Correct the name.") -> str:
    """`Did you mean «x»?` when a known name is close, else the known names when they are few."""
    close = get_close_matches(name, [other for other in known if other != name], n=1, cutoff=0.6)
    if close:
        return f"Did you mean «{close[0]}»?"
    return f"Use {one_of(known)}." if 0 < len(known) <= FEW else otherwise


def one_of(words: Sequence[str]) -> str:
    """`a`, `a or b`, `a, b or c`."""
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last


def _needs_time(value: object) -> datetime:
    if not isinstance(value, datetime):
        raise ValueError("must be a date with a time; write 2024-02-01T23:59:59")  # noqa: TRY004 - pydantic's way
    if value.tzinfo is not None:
        raise ValueError("must be local time; write 2024-02-01T23:59:59, without a time zone")
    return value


LocalTime = Annotated[datetime, BeforeValidator(_needs_time)]
"""A moment as a clock on the wall shows it: a bare date would be its first minute, not its last."""


# reading


def read_model(path: Path, model: type[Model]) -> tuple[Model | None, list[Problem]]:
    """A TOML file as a model, or everything that is wrong with it."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return None, [Problem(path.name, "file", "is missing", f"Create {path.name} in {path.parent}.")]
    except OSError as error:
        return None, [Problem(path.name, "file", f"cannot be opened ({error.strerror})", "Close it elsewhere.")]
    except UnicodeDecodeError:
        return None, [Problem(path.name, "file", "is not saved as UTF-8", "Save it again, with the encoding UTF-8.")]
    except tomllib.TOMLDecodeError as error:
        return None, [_not_toml(path.name, str(error))]
    try:
        return model.model_validate(raw), []
    except ValidationError as error:
        return None, list(_explained(path.name, [_locate(detail, raw, model) for detail in error.errors()]))


def _not_toml(file: str, message: str) -> Problem:
    what, _, where = message.removesuffix(")").rpartition(" (at ")
    fix = "Correct that line, or the one before it."
    return Problem(file, where or "file", f"is not TOML: {what[:1].lower()}{what[1:]}", fix)


class Wrong(NamedTuple):
    """One failure as pydantic tells it, with the place as its author wrote it."""

    key: str
    known: list[str]  # the keys that may stand there
    detail: ErrorDetails

    @property
    def value(self) -> Any:  # noqa: ANN401 - raw TOML
        return self.detail["input"]

    @property
    def limits(self) -> dict[str, Any]:
        return self.detail.get("ctx", {})


def _explained(file: str, wrong: Sequence[Wrong]) -> Iterator[Problem]:
    """One problem for each place: a value that may be of several types has failed once for each."""
    for key, group in groupby(wrong, lambda one: one.key):
        same = list(group)
        if len(same) == 1 or not any(one.key.startswith(f"{key}.") for one in wrong):  # else an item is wrong
            yield Problem(file, key, *_told(same))


# where


def _locate(detail: ErrorDetails, raw: dict[str, Any], model: type[BaseModel]) -> Wrong:
    """Find the place in the file, less the names of types that pydantic puts in between."""
    place = list(detail["loc"])
    if place[0] == "sheets":
        del place[2:3]  # the kind of the sheet
    names: list[str] = []
    item: Any = raw
    for part in place:
        if isinstance(item, dict) and part in item:
            item = item[part]
        elif isinstance(item, list) and isinstance(part, int):
            item = item[part] if part < len(item) else None
        elif detail["type"] != "missing":
            continue
        names.append(part if isinstance(part, str) else str(part + 1))
    if place[0] == "rule" and len(place) > 1:
        names[:2] = [_rule_name(raw["rule"][place[1]], names[1])]
    return Wrong(".".join(names), _keys_at(model, place[:-1]), detail)


def _rule_name(rule: object, number: str) -> str:
    if not isinstance(rule, dict) or "id" not in rule:
        return f"rule number {number}"
    return f"rule {rule['id']}.{rule['part']}" if rule.get("part") else f"rule {rule['id']}"


def _keys_at(model: type[BaseModel], place: Sequence[str | int]) -> list[str]:
    """The keys that may stand at a place of a model."""
    kinds: list[Any] = [model]
    for part in place:
        kinds = [inner for kind in kinds for inner in inside(kind, part)]
    return sorted({name for kind in kinds for name in _fields(kind) if name != "key"})


def _fields(kind: Any) -> dict[str, Any]:  # noqa: ANN401 - a type
    """The fields of a model by the keys they are written with; none of any other type."""
    fields = getattr(kind, "model_fields", {})
    return {field.alias or name: field for name, field in fields.items()}


def inside(kind: Any, part: str | int) -> list[Any]:  # noqa: ANN401 - a type
    """The types that a part of a type may have; of a union, those of all its members."""
    fields = _fields(kind)
    if part in fields:
        return list(_members(fields[part].annotation))
    held = get_args(kind)
    return list(_members(held[1 if get_origin(kind) is dict else 0])) if held else []


def _members(kind: Any) -> Iterator[Any]:  # noqa: ANN401 - a type
    if get_origin(kind) in (Union, UnionType):
        for member in get_args(kind):
            yield from _members(member)
    elif get_origin(kind) is Annotated:
        yield from _members(get_args(kind)[0])
    elif kind is not None:
        yield kind


# what, and what to do

TYPES = {
    "string": ("text", 'Write it in quotes: "…".'),
    "int": ("a whole number", "Write a number without quotes."),
    "float": ("a number", "Write a number without quotes."),
    "bool": ("true or false", "Write true or false, without quotes."),
    "date": ("a date", "Write it as 2024-02-01."),
    "datetime": ("a date with a time", "Write it as 2024-02-01T23:59:59."),
    "tuple": ("a list", 'Write it as ["…", "…"].'),
    "dict": ("a group of keys", 'Write it as { key = "…" }; a text as { nb = "…", nn = "…" }.'),
    "model": ("a group of keys", 'Write it as { key = "…" }.'),
}  # the first word of pydantic's code for a wrong type: what was wanted
PATTERNS = {"^[A-Z0-9]{2,8}$": "2 to 8 capital letters and digits"}


def _told(same: Sequence[Wrong]) -> tuple[str, str]:
    """The reason and the fix of one place."""
    tell = TOLD.get(same[0].detail["type"])
    return tell(same[0]) if tell else _wrong_type(same)


def _wrong_type(same: Sequence[Wrong]) -> tuple[str, str]:
    first = same[0]
    if first.detail["type"] == "tuple_type" and isinstance(first.value, dict):
        return "must be a list", f"Write [[{first.key}]], with two brackets."
    if first.detail["type"] in ("model_type", "dict_type") and _are_groups(first.value):
        return "must be a single group of keys", f"Write [{first.key}] once, with one bracket."
    wanted = [TYPES.get(one.detail["type"].partition("_")[0], ("another value", "Correct it.")) for one in same]
    nouns = list(dict.fromkeys(noun for noun, _ in wanted))
    return f"must be {one_of(nouns)}, not «{_shown(first.value)}»", wanted[0][1]


def _are_groups(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)


def _shown(value: object) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def _unknown_key(wrong: Wrong) -> tuple[str, str]:
    key = str(wrong.detail["loc"][-1])
    return "is not a known key", suggestion(key, wrong.known, "Remove it, or correct its spelling.")


def _unknown_word(wrong: Wrong) -> tuple[str, str]:
    words = str(wrong.limits["expected"]).replace(" or ", ", ").replace("'", "").split(", ")
    return f"«{_shown(wrong.value)}» is not known here", suggestion(str(wrong.value), words, f"Use {one_of(words)}.")


def _bad_kind(wrong: Wrong) -> tuple[str, str]:
    kind = wrong.value.get("kind") if isinstance(wrong.value, dict) else None
    reason = "does not say what kind of sheet it is" if kind is None else f"there is no kind of sheet «{kind}»"
    return reason, 'Write kind = "questions", "table" or "grid".'


def _bad_pattern(wrong: Wrong) -> tuple[str, str]:
    wanted = PATTERNS.get(wrong.limits["pattern"], f"text of the form {wrong.limits['pattern']}")
    return f"must be {wanted}, not «{_shown(wrong.value)}»", "Correct the value."


def _own_words(wrong: Wrong) -> tuple[str, str]:
    reason, _, fix = str(wrong.limits["error"]).partition("; ")
    return reason, f"{fix[:1].upper()}{fix[1:]}." if fix else "Correct the value."


TOLD: dict[str, Callable[[Wrong], tuple[str, str]]] = {
    "missing": lambda _: ("is missing", "Add it."),
    "extra_forbidden": _unknown_key,
    "literal_error": _unknown_word,
    "union_tag_not_found": _bad_kind,
    "union_tag_invalid": _bad_kind,
    "string_pattern_mismatch": _bad_pattern,
    "value_error": _own_words,
    "greater_than": lambda wrong: (f"must be more than {wrong.limits['gt']:g}, not {wrong.value}", "Correct it."),
    "greater_than_equal": lambda wrong: (f"must be at least {wrong.limits['ge']}, not {wrong.value}", "Correct it."),
    "less_than_equal": lambda wrong: (f"must be at most {wrong.limits['le']}, not {wrong.value}", "Correct it."),
    "too_short": lambda wrong: (f"has too few items, fewer than {wrong.limits['min_length']}", "Add to it."),
    "too_long": lambda wrong: (f"has too many items, more than {wrong.limits['max_length']}", "Take some out."),
}
