"""The shape of the house: who may import whom, how long a thing may be, and who knows the form."""

import ast
import importlib.metadata
import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
FLOW = ("templates", "intake", "validation", "outputs", "cli")
FORMS = ROOT / "templates" / "forms"
FOLDERS = FLOW[:-1]
SOURCES = [ROOT / "cli.py", *(path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py")))]
ENGINE = [path for path in SOURCES if not path.is_relative_to(FORMS)]

MAX_FILE_LINES = 400
LONGER = {"cli.py": 1000}  # a list of commands that share nothing, with an option for all staff may say; each is short
MAX_FUNCTION_LINES = 60
SHORTEST_CODE = 3  # a choice code of one or two characters is too common to tell anything

# Words of the format itself, which a form may also use for its own keys: word to reason.
FORMAT_WORDS = {
    "Ja": "the answer yes to a question of type yesno",
    "Nei": "the answer no to a question of type yesno",
    "Bokmål": "the name of a language",
    "Nynorsk": "the name of a language",
}


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), name(path))


each_source = pytest.mark.parametrize("path", SOURCES, ids=name)
each_engine_file = pytest.mark.parametrize("path", ENGINE, ids=name)


def imported(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Find the line and the top-level name of every absolute import, inside functions too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name.partition(".")[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.lineno, node.module.partition(".")[0]


@each_source
def test_imports_point_back_along_the_flow(path: Path) -> None:
    home = FLOW.index(path.relative_to(ROOT).parts[0].removesuffix(".py"))
    ahead = FLOW[home + 1 :]

    wrong = [f"line {line}: {module}" for line, module in imported(parse(path)) if module in ahead]
    assert not wrong, f"{name(path)} imports what comes after it: {wrong}"


def test_no_files_import_each_other_in_a_circle() -> None:
    files = {name(path).removesuffix(".py").removesuffix("/__init__").replace("/", "."): path for path in SOURCES}
    needs = {module: ours(parse(path)) & files.keys() - {module} for module, path in files.items()}

    assert circle(needs) == []


def circle(needs: dict[str, set[str]]) -> list[str]:
    """Name modules that need each other, the first again at the end; none when each can come after what it needs."""
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as found:
        return list(found.args[1])
    return []


def ours(tree: ast.Module) -> set[str]:
    """Name what a file imports from ours: modules, and what may be one."""
    found = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]
    return {str(node.module) for node in found} | {f"{node.module}.{one.name}" for node in found for one in node.names}


def test_no_dependency_ships_one_of_our_top_level_names() -> None:
    shipped = {
        (distribution.name, file.parts[0])
        for distribution in importlib.metadata.distributions()
        if distribution.name != "behov"
        for file in distribution.files or ()
        if file.parts[0].partition(".")[0] in FLOW
    }

    assert not shipped


LOADED_BY_HELP = """
import json, sys
before = set(sys.modules)
sys.argv = ["behov", "--help"]
import cli
try:
    cli.main()
finally:
    print(json.dumps(sorted({module.partition(".")[0] for module in set(sys.modules) - before})))
"""


def test_help_loads_click_and_the_standard_library_only() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED_BY_HELP], cwd=ROOT, capture_output=True, encoding="utf-8", check=True
    )
    *usage, loaded = done.stdout.splitlines()

    assert any("Usage:" in line for line in usage)
    foreign = set(json.loads(loaded)) - sys.stdlib_module_names - set(FLOW)
    assert foreign - {"colorama"} == {"click"}  # colorama: click's colours on Windows


def test_one_file_is_checked_and_prepared_without_loading_what_writes_workbooks_or_keeps_the_register() -> None:
    modules = "outputs.checking, outputs.telling, outputs.register.prepared"
    loading = f"import sys, {modules}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", loading], cwd=ROOT, capture_output=True, encoding="utf-8", check=True)

    assert {"polars", "pandera"} <= set(done.stdout.split())
    assert not {"openpyxl", "sqlalchemy", "xlsxwriter", "jinja2", "rich"} & set(done.stdout.split())


def test_only_one_file_knows_the_mail_library() -> None:
    knowing = [name(path) for path in SOURCES if "yagmail" in {module for _, module in imported(parse(path))}]

    assert knowing == ["outputs/mailing/mail.py"]


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_says_in_one_line_what_it_is_for(folder: str) -> None:
    docstring = ast.get_docstring(parse(ROOT / folder / "__init__.py"))

    assert docstring
    assert len(docstring.splitlines()) == 1


@each_source
def test_a_file_is_short(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").count("\n")

    assert lines <= LONGER.get(name(path), MAX_FILE_LINES)


@each_source
def test_a_function_is_short(path: Path) -> None:
    functions = (node for node in ast.walk(parse(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    lengths = [(function.name, (function.end_lineno or 0) - function.lineno + 1) for function in functions]

    long = [f"{function}: {length} lines" for function, length in lengths if length > MAX_FUNCTION_LINES]
    assert not long, f"{name(path)}: {long}"


def keys(sheet: dict[str, Any]) -> Iterator[str]:
    """List the keys of all sections, questions, rows and columns of a sheet."""
    for kind in ("sections", "questions", "rows", "columns"):
        parts = sheet.get(kind)
        if isinstance(parts, dict):  # the rows of a table are only a number
            for key, part in parts.items():
                yield key
                yield from keys(part)


def texts(value: object, languages: set[str]) -> Iterator[str]:
    """List every text: a string under the code of a language."""
    if isinstance(value, dict):
        yield from (text for code, text in value.items() if code in languages and isinstance(text, str))
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from texts(inner, languages)


def words_of(form: dict[str, Any]) -> Iterator[str]:
    """List the words that only this form may know."""
    yield from form["sheets"]
    for sheet in form["sheets"].values():
        yield from keys(sheet)
    for choices in form.get("choices", {}).values():
        if "from_list" not in choices:
            yield from (code for code in choices if len(code) >= SHORTEST_CODE)
    yield from form.get("lists", {})
    yield from texts(form, set(form["languages"]))


@pytest.fixture(scope="module")
def form_words() -> set[str]:
    forms = [tomllib.loads(path.read_text(encoding="utf-8")) for path in FORMS.glob("*/form.toml")]
    rules = [tomllib.loads(path.read_text(encoding="utf-8")) for path in FORMS.glob("*/rules.toml")]
    assert forms, "there is no form to compare with"
    words = {word for form in forms for word in words_of(form)}
    rule_ids = {rule["id"] for file in rules for rule in file.get("rule", ())}
    return (words | rule_ids) - FORMAT_WORDS.keys()


@each_engine_file
def test_the_engine_knows_no_form(path: Path, form_words: set[str]) -> None:
    constants = (node for node in ast.walk(parse(path)) if isinstance(node, ast.Constant))
    found = [(node.lineno, node.value) for node in constants if isinstance(node.value, str)]

    known = [
        f"line {line}: {text!r}"
        for line, text in found
        if len(text.strip()) >= SHORTEST_CODE and text.strip() in form_words
    ]
    assert not known, f"{name(path)} knows words of a form: {known}"
