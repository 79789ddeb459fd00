"""What has changed from one version of a form to the next: what is asked, offered, listed, checked and said."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from templates.form import Form, GridSheet, QuestionSheet

PARTS = {"sections", "questions", "columns", "rows", "key"}  # of a sheet: told by themselves, or by their names
ELSEWHERE = {"sheets", "choices", "lists"}  # of form.toml
NOTHING = ""  # what stands where nothing is written

Piece = tuple[str, str]  # what it is, and its name
Leaves = dict[str, str]  # where it stands in the piece, and what stands there


@dataclass(frozen=True)
class Change:
    """One piece of a form that is new, gone or changed; `details` are key, before and after."""

    kind: str  # added, removed or changed
    what: str  # setting, sheet, section, question, row, choice, list or rule
    name: str
    details: tuple[tuple[str, str, str], ...] = ()

    def json(self) -> dict[str, Any]:
        details = [{"key": key, "before": before, "after": after} for key, before, after in self.details]
        return {"kind": self.kind, "what": self.what, "name": self.name, "details": details}

    def lines(self) -> Iterator[str]:
        yield f"  {self.kind:<8} {self.what:<8} {self.name}"
        for key, before, after in self.details:
            yield f"           {key}: {_shown(before)} -> {_shown(after)}"


def changes(old: Form, new: Form) -> Iterator[Change]:
    """Every piece that differs, in the order of the newer form; what is gone comes last."""
    before, after = dict(_pieces(old)), dict(_pieces(new))
    for (what, name), leaves in after.items():
        if (what, name) not in before:
            yield Change("added", what, name)
        elif details := tuple(_details(before[what, name], leaves)):
            yield Change("changed", what, name, details)
    yield from (Change("removed", what, name) for what, name in before if (what, name) not in after)


def diff_notes(old: Form, new: Form, found: list[Change]) -> Iterator[str]:
    """What the author should see to before the newer form is published."""
    asked = [change for change in found if change.what in {"sheet", "question", "row"} and change.kind != "changed"]
    if old.version == new.version:
        if asked:
            yield f'what is asked differs, and both are version «{new.version}»: change "version" in form.toml'
        return
    if old.version not in new.file.accepts:
        yield (
            f"workbooks of version «{old.version}» are not taken in by «{new.version}»: "
            f'add it to "accepts", and say in [from_version."{old.version}"] what has changed'
        )
        return
    mapping = new.file.from_version[old.version]
    gone = {change.name for change in asked if change.kind == "removed" and change.what in {"question", "row"}}
    for name in sorted(gone - {*mapping.rename, *mapping.drop}):
        yield f'{name} is asked no more: name it in "drop" or "rename" of [from_version."{old.version}"]'


def diff_lines(old: Form, new: Form) -> Iterator[str]:
    """The same for the terminal."""
    found = list(changes(old, new))
    counts = {kind: sum(change.kind == kind for change in found) for kind in ("added", "removed", "changed")}
    told = ", ".join(f"{count} {kind}" for kind, count in counts.items())
    yield f"{old.name} {old.version} -> {new.name} {new.version}: {told if found else 'no difference'}"
    for change in found:
        yield from change.lines()
    yield from (f"Note: {note}." for note in diff_notes(old, new, found))


def diff_json(old: Form, new: Form) -> dict[str, Any]:
    found = list(changes(old, new))
    return {
        "from": {"form": old.name, "version": old.version},
        "to": {"form": new.name, "version": new.version},
        "changes": [change.json() for change in found],
        "notes": list(diff_notes(old, new, found)),
    }


# a form as pieces


def _pieces(form: Form) -> Iterator[tuple[Piece, Leaves]]:
    for key, value in _dump(form.file, ELSEWHERE).items():
        yield ("setting", key), dict(_leaves(value, key))
    for sheet in form.sheets.values():
        yield ("sheet", sheet.key), dict(_leaves(_dump(sheet, PARTS)))
        for section in sheet.sections.values() if isinstance(sheet, QuestionSheet) else ():
            yield ("section", f"{sheet.key}.{section.key}"), dict(_leaves(_dump(section, PARTS)))
        for question in sheet.questions.values():
            yield ("question", f"{sheet.key}.{question.key}"), dict(_leaves(_dump(question, {"key"})))
        for row in sheet.rows.values() if isinstance(sheet, GridSheet) else ():
            yield ("row", f"{sheet.key}.{row.key}"), dict(_leaves(_dump(row, {"key"})))
    for name, choices in form.file.choices.items():
        yield ("choices", name), dict(_leaves(_dump(choices, {"options"})))
        yield from ((("choice", f"{name} {code}"), dict(_leaves(label))) for code, label in choices.options.items())
    for name, listed in form.lists.items():
        yield ("list", name), {key: "; ".join(row.values()) for key, row in listed.rows.items()}
    for rule in form.rules:
        yield ("rule", rule.name), dict(_leaves(_dump(rule, {"id", "part"})))
    yield from ((("let", name), {"": words}) for name, words in form.let.items())


def _dump(model: BaseModel, without: set[str]) -> dict[str, Any]:
    return model.model_dump(mode="json", exclude=without, exclude_defaults=True)


def _leaves(value: Any, place: str = "") -> Iterator[tuple[str, str]]:  # noqa: ANN401 - a JSON value
    """Every single value with the way to it: label.nb, what is written there."""
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from _leaves(part, f"{place}.{key}" if place else key)
    elif isinstance(value, list) and any(isinstance(part, Mapping | list) for part in value):
        for number, part in enumerate(value, 1):
            yield from _leaves(part, f"{place}.{number}")
    else:
        yield place, ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _details(before: Leaves, after: Leaves) -> Iterator[tuple[str, str, str]]:
    for key in (*after, *(key for key in before if key not in after)):
        was, is_ = before.get(key, NOTHING), after.get(key, NOTHING)
        if was != is_:
            yield key, was, is_


def _shown(words: str) -> str:
    return f"«{words}»" if words else "nothing"
