"""Reading a form definition from its folder, with every mistake found told at once."""

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from templates.applies import spot_problems
from templates.form import CodeList, CodeListFile, Form, FormFile, Rule, RulesFile
from templates.form_check import form_problems
from templates.problems import LocalTime, Problem, read_model, suggestion
from templates.rules.binding import BoundRule, bind
from templates.rules.rule_check import CLAIMS, rule_problems
from templates.version_check import version_problems

FORMS = Path(__file__).parent / "forms"
STANDARD_RULES = Path(__file__).parent / "standard_rules.toml"


class FormError(Exception):
    """A form definition that cannot be used; holds every problem found."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


def form_names() -> list[str]:
    """The forms that come with the program."""
    return sorted(path.parent.name for path in FORMS.glob("*/form.toml"))


def find_form(name: str, beside: Path = Path()) -> Path:
    """The folder of a form: a folder path (from `beside`), or the name of one that comes with the program.

    Raises FormError when there is none.
    """
    for folder in (beside / name, FORMS / name):
        if (folder / "form.toml").is_file():
            return folder
    raise FormError([Problem(name, "form", "there is no such form", suggestion(name, form_names()))])


class WrittenForm(FormFile):
    """`form.toml` as its author writes it: the deadline is a moment on the wall clock."""

    deadline: LocalTime


def load_form(folder: Path) -> Form:
    """Read and check a form definition.

    Raises FormError with every problem that can be told at the same time.
    """
    file, problems = read_model(folder / "form.toml", WrittenForm)
    rules = RulesFile()
    if (folder / "rules.toml").exists():
        written, rule_shape = read_model(folder / "rules.toml", RulesFile)
        rules, problems = written or rules, problems + rule_shape
    if file is None or problems:
        raise FormError(problems)
    lists, problems = _read_lists(folder, file)
    as_read = FormFile.model_construct(**dict(file))  # of no class that workers would have to load this file for
    form = Form(as_read, lists, (*rules.rule, *_standard_rules(rules.rule)), rules.let)
    problems += [*form_problems(form), *version_problems(form), *spot_problems(form), *rule_problems(form, rules.rule)]
    if problems:
        raise FormError(problems)
    return form


def bound_rules(form: Form) -> list[BoundRule]:
    """Every rule of a checked form as a tree, in order."""
    return [bind(form, rule) for rule in form.rules]


# code lists


def _read_lists(folder: Path, file: FormFile) -> tuple[dict[str, CodeList], list[Problem]]:
    """The lists that can be used, and what is wrong with the others."""
    lists, problems = {}, []
    for name, source in file.lists.items():
        try:
            lists[name] = _read_list(folder / "lists", name, source, file.constants)
        except ListError as error:
            problems.append(Problem("form.toml", f"lists.{name}.{error.key}", error.reason, error.fix))
    return lists, problems


class ListError(Exception):
    """A code list that cannot be used: the key that names the trouble, why, and what to do."""

    def __init__(self, key: str, reason: str, fix: str) -> None:
        super().__init__(reason)
        self.key, self.reason, self.fix = key, reason, fix


def _read_list(folder: Path, name: str, source: CodeListFile, constants: Mapping[str, Any]) -> CodeList:
    rows = _read_csv(folder, "file", source.file)
    _need_columns(source, rows, "key", "label")
    keyed = {row[source.key] or row[source.label]: row for row in rows}
    if len(keyed) < len(rows):
        raise ListError("file", f"{source.file} has a {source.key} twice", "Keep one row for each.")
    unnamed = frozenset(key for key, row in keyed.items() if not _is_named(source, row, constants))
    return CodeList(name, source.key, source.label, keyed, _read_recoded(folder, source), unnamed)


def _is_named(source: CodeListFile, row: dict[str, str], constants: Mapping[str, Any]) -> bool:
    for column, constant in source.named_where.items():
        if column not in row:
            raise ListError("named_where", f"the file has no column «{column}»", suggestion(column, list(row)))
        values = constants.get(constant)
        if not isinstance(values, tuple):
            fix = suggestion(constant, [name for name, value in constants.items() if isinstance(value, tuple)])
            raise ListError("named_where", f"there is no list of texts «{constant}» among the constants", fix)
        if row[column] not in values:
            return False
    return True


def _read_recoded(folder: Path, source: CodeListFile) -> dict[str, str]:
    if source.recode is None:
        return {}
    rows = _read_csv(folder, "recode", source.recode)
    _need_columns(source, rows, "recode_from", "recode_to")
    return {row[str(source.recode_from)]: row[str(source.recode_to)] for row in rows}


def _need_columns(source: CodeListFile, rows: list[dict[str, str]], *keys: str) -> None:
    for key in keys:
        column = getattr(source, key)
        if column is None:
            raise ListError(key, "is missing", f"Name the column: {', '.join(rows[0])}.")
        if column not in rows[0]:
            raise ListError(key, f"the file has no column «{column}»", suggestion(column, list(rows[0])))


def _read_csv(folder: Path, key: str, name: str) -> list[dict[str, str]]:
    if Path(name).name != name:
        raise ListError(key, f"«{name}» is not just the name of a file", "Put the file in lists/.")
    try:
        with (folder / name).open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file, restval=""))
    except FileNotFoundError:
        raise ListError(key, f"the file {name} is missing", "Put it in lists/.") from None
    except (UnicodeDecodeError, csv.Error):
        raise ListError(key, f"{name} is not a CSV file in UTF-8", "Save it as «CSV UTF-8».") from None
    if not rows:
        raise ListError(key, f"{name} has no rows", "Write the names of the columns first, then a row for each.")
    for number, row in enumerate(rows, 2):
        if None in row:
            raise ListError(key, f"row {number} of {name} has too many cells", "Put quotes around text with a comma.")
    return rows


# standard rules


def _standard_rules(own: tuple[Rule, ...]) -> Iterator[Rule]:
    """The engine's rules for readings, limits and missing answers, less what the form's own rules speak for."""
    rules, problems = read_model(STANDARD_RULES, RulesFile)
    assert rules is not None, problems
    for rule in rules.rule:
        free = {name: tuple(code for code in getattr(rule, name) if not _speaks(own, name, code)) for name in CLAIMS}
        if any(free.values()):
            yield rule.model_copy(update=free)


def _speaks(own: tuple[Rule, ...], trigger: str, code: str) -> bool:
    return any(code in getattr(rule, trigger) for rule in own)
