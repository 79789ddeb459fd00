"""A form as plain tables, for authors who would rather fill in a workbook than write TOML: there and back.

One row is one question, choice, rule or setting. A heading is the key that form.toml and rules.toml have for it, with
points between the parts (`label.nb`, `lookup.list`). What is no single value is written as in JSON, or, where it is
a list of words, with commas between them.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Any, get_origin

from templates.definition import WrittenForm
from templates.form import (
    GridRow,
    GridSheet,
    GuideSection,
    Question,
    QuestionSheet,
    RegisterColumn,
    Rule,
    Section,
    TableSheet,
)
from templates.problems import Problem, inside, suggestion

Tree = dict[str, Any]  # TOML as tomllib gives it
Cells = dict[str, Any]  # heading to value

# every table, and what knows which values its cells may hold
TABLES: Mapping[str, tuple[Any, ...]] = {
    "settings": (WrittenForm,),
    "guide": (GuideSection,),
    "sheets": (QuestionSheet, TableSheet, GridSheet),
    "sections": (Section,),
    "questions": (Question,),
    "rows": (GridRow,),
    "choices": (dict[str, str],),
    "register_columns": (RegisterColumn,),
    "let": (),
    "rules": (Rule,),
}
ONE_CELL = frozenset({"values", "given", "where", "named_where", "from_list", "from_version", "recode"})
"""Groups whose keys the author chooses: they would be columns that other rows have no use for."""
YES, NO = ("true", "yes", "ja", "x"), ("false", "no", "nei")
AS_JSON = ("[", "{", '"')  # how a cell begins that is written as JSON


def to_tables(form: Tree, rules: Tree) -> dict[str, list[Cells]]:
    """The rows of every table, in the order of the files."""
    form, tables = deepcopy(form), dict[str, list[Cells]]()
    tables |= {name: [] for name in TABLES}
    for key, sheet in form.pop("sheets", {}).items():
        for name, section in sheet.pop("sections", {}).items():
            questions = section.pop("questions", {})
            tables["sections"].append({"sheet": key, "key": name, **_flat(section)})
            tables["questions"] += [
                {"sheet": key, "section": name, "key": one, **_flat(asked)} for one, asked in questions.items()
            ]
        asked = sheet.pop("questions", {}) or sheet.pop("columns", {})
        tables["questions"] += [{"sheet": key, "key": one, **_flat(question)} for one, question in asked.items()]
        rows = sheet.pop("rows") if isinstance(sheet.get("rows"), dict) else {}
        tables["rows"] += [{"sheet": key, "key": one, **_flat(row)} for one, row in rows.items()]
        tables["sheets"].append({"key": key, **_flat(sheet)})
    for name, choices in list(form.get("choices", {}).items()):
        if "from_list" not in choices:
            tables["choices"] += [{"list": name, "code": code, **label} for code, label in choices.items()]
            del form["choices"][name]
    for name in ("guide", "register_columns"):
        tables[name] = [_flat(part) for part in form.pop(name, [])]
    tables["settings"] = list(_settings(form, form.get("languages", ())))
    tables["let"] = [{"name": name, "expression": words} for name, words in rules.get("let", {}).items()]
    tables["rules"] = [_flat(rule) for rule in rules.get("rule", [])]
    return tables


def _settings(form: Tree, languages: Sequence[str], place: str = "") -> Iterator[Cells]:
    for key, value in form.items():
        name = f"{place}.{key}" if place else key
        if isinstance(value, dict) and value and set(value) <= set(languages):
            yield {"key": name, **value}
        elif isinstance(value, dict) and key not in ONE_CELL:
            yield from _settings(value, languages, name)
        else:
            alone = place == "constants"  # may be one text or a list of them, so a list says that it is one
            yield {
                "key": name,
                "value": json.dumps(value, ensure_ascii=False) if alone and isinstance(value, list) else _cell(value),
            }


def _flat(part: Tree, place: str = "") -> Cells:
    cells: Cells = {}
    for key, value in part.items():
        name = f"{place}.{key}" if place else key
        if isinstance(value, dict) and key not in ONE_CELL:
            cells |= _flat(value, name)
        else:
            cells[name] = _cell(value)
    return cells


def _cell(value: Any) -> Any:  # noqa: ANN401 - a TOML value
    if isinstance(value, list) and value and all(_is_word(part) for part in value):
        return ", ".join(value)
    if isinstance(value, list | dict) or (isinstance(value, str) and value.startswith(AS_JSON)):
        return json.dumps(value, ensure_ascii=False)
    return value


def _is_word(part: object) -> bool:
    return isinstance(part, str) and part == part.strip() != "" and "," not in part and not part.startswith(AS_JSON)


# back


@dataclass
class Read:
    """What the tables say: both files, where each piece of them stands, and what is wrong in the tables."""

    workbook: str
    form: Tree = field(default_factory=lambda: {"sheets": {}})
    rules: Tree = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)  # key in the files to «table row 7»
    problems: list[Problem] = field(default_factory=list)

    def told_here(self, problem: Problem) -> Problem:
        """The same mistake, told by the row of the workbook that it stands in."""
        key = max((key for key in self.places if f"{problem.key}.".startswith(f"{key}.")), key=len, default="")
        cell = problem.key.removeprefix(key).removeprefix(".")
        place = ", ".join(filter(None, (self.places.get(key), cell)))
        return Problem(self.workbook, place, problem.reason, problem.fix)


def from_tables(tables: Mapping[str, Sequence[tuple[int, Cells]]], workbook: str) -> Read:
    """Both files as the tables have them. A row is its number and its cells, of which none is empty."""
    read = Read(workbook)
    for table, models in TABLES.items():
        for number, cells in tables.get(table, ()):
            row = _Row(f"{table} row {number}", dict(cells), models, read)
            try:
                key = PLACED[table](row)
            except _WrongError as error:
                read.problems.append(Problem(workbook, row.place, *error.args))
            else:
                read.places[key] = row.place
    return read


class _WrongError(Exception):
    """A row that belongs nowhere: why, and what to do."""


@dataclass
class _Row:
    place: str
    cells: Cells
    models: tuple[Any, ...]
    read: Read

    def take(self, heading: str) -> str:
        """Give the text of a cell that the row needs."""
        if heading not in self.cells:
            raise _WrongError(f"has nothing under «{heading}»", "Write it, or remove the row.")
        return _as_text(self.cells.pop(heading))

    def put(self, container: Tree, key: str) -> None:
        """Let the rest of the row stand in the file under its key."""
        if key in container:
            raise _WrongError(f"«{key}» is there already", "Give each row a key of its own.")
        container[key] = self.tree()

    def tree(self) -> Tree:
        tree: Tree = {}
        for heading, value in self.cells.items():
            _set(tree, heading.split("."), self.typed(heading.split("."), value, heading))
        return tree

    def typed(self, path: Sequence[str], value: Any, heading: str) -> Any:  # noqa: ANN401 - a TOML value
        kinds = list(self.models)
        for part in path:
            kinds = [one for kind in kinds for one in inside(kind, part)]
        try:
            return _typed(value, kinds)
        except ValueError:
            self.read.problems.append(
                Problem(self.read.workbook, f"{self.place}, {heading}", f"«{value}» is not written as JSON",
                        'Write lists as ["a", "b"], groups as {"key": "value"}.')
            )  # fmt: skip
            return value

    def sheet(self) -> tuple[str, Tree]:
        """Find the sheet the row is about."""
        name, sheets = self.take("sheet"), self.read.form["sheets"]
        if name not in sheets:
            raise _WrongError(f"there is no sheet «{name}»", suggestion(name, list(sheets)))
        return name, sheets[name]


def _setting(row: _Row) -> str:
    key = row.take("key")
    path = key.split(".")
    value = row.typed(path, row.cells["value"], "value") if "value" in row.cells else row.cells
    _set(row.read.form, path, value)
    return key


def _in_list(row: _Row, name: str) -> str:
    listed = row.read.form.setdefault(name, [])
    listed.append(row.tree())
    return f"{name}.{len(listed)}"


def _sheet(row: _Row) -> str:
    key = row.take("key")
    row.put(row.read.form["sheets"], key)
    return f"sheets.{key}"


def _section(row: _Row) -> str:
    name, sheet = row.sheet()
    key = row.take("key")
    row.put(sheet.setdefault("sections", {}), key)
    sheet["sections"][key]["questions"] = {}
    return f"sheets.{name}.sections.{key}"


def _question(row: _Row) -> str:
    name, sheet = row.sheet()
    key, group = row.take("key"), "columns" if sheet.get("kind") == "grid" else "questions"
    if "section" not in row.cells:
        row.put(sheet.setdefault(group, {}), key)
        return f"sheets.{name}.{group}.{key}"
    section, sections = row.take("section"), sheet.get("sections", {})
    if section not in sections:
        raise _WrongError(f"there is no section «{section}» on the sheet {name}", suggestion(section, list(sections)))
    row.put(sections[section]["questions"], key)
    return f"sheets.{name}.sections.{section}.questions.{key}"


def _grid_row(row: _Row) -> str:
    name, sheet = row.sheet()
    key = row.take("key")
    if isinstance(sheet.setdefault("rows", {}), dict):
        row.put(sheet["rows"], key)
        return f"sheets.{name}.rows.{key}"
    raise _WrongError(f"the sheet {name} has a number of rows", "Only a grid has rows with names.")


def _choice(row: _Row) -> str:
    name, code = row.take("list"), row.take("code")
    row.put(row.read.form.setdefault("choices", {}).setdefault(name, {}), code)
    return f"choices.{name}.{code}"


def _let(row: _Row) -> str:
    name = row.take("name")
    row.read.rules.setdefault("let", {})[name] = row.take("expression")
    return f"let.{name}"


def _rule(row: _Row) -> str:
    rules = row.read.rules.setdefault("rule", [])
    rules.append(row.tree())
    name = ".".join(str(rules[-1][key]) for key in ("id", "part") if rules[-1].get(key))
    return f"rule {name}" if "id" in rules[-1] else f"rule number {len(rules)}"


PLACED = {
    "settings": _setting,
    "guide": lambda row: _in_list(row, "guide"),
    "sheets": _sheet,
    "sections": _section,
    "questions": _question,
    "rows": _grid_row,
    "choices": _choice,
    "register_columns": lambda row: _in_list(row, "register_columns"),
    "let": _let,
    "rules": _rule,
}


def _set(tree: Tree, path: Sequence[str], value: Any) -> None:  # noqa: ANN401 - a TOML value
    for part in path[:-1]:
        tree = tree.setdefault(part, {})
    tree[path[-1]] = value


def _typed(value: Any, kinds: Sequence[Any]) -> Any:  # noqa: ANN401 - a TOML value
    """Give a cell as TOML has it, where a spreadsheet has no such type or has made another of it. Raises ValueError."""
    if isinstance(value, str) and value.startswith(AS_JSON):
        return json.loads(value)
    if isinstance(value, datetime) and value.time() == time() and datetime not in kinds:
        return value.date()
    if not isinstance(value, str):
        return _as_text(value) if kinds == [str] else _whole(value)
    word = value.strip().casefold()
    if bool in kinds and word in (*YES, *NO):
        return word in YES
    if str not in kinds and any(get_origin(kind) is tuple for kind in kinds):
        return [part.strip() for part in value.split(",")]
    return value


def _whole(value: Any) -> Any:  # noqa: ANN401 - a TOML value
    """A spreadsheet has no whole numbers."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _as_text(value: Any) -> str:  # noqa: ANN401 - a TOML value
    return value.strip() if isinstance(value, str) else str(_whole(value))
