"""The documentation, held against the program: its commands, paths, examples and pictures."""

import json
import os
import re
import shlex
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any, get_args

import click
import openpyxl
import pytest
from click.testing import CliRunner, Result

import cli
from templates import form as models
from templates.definition import STANDARD_RULES, load_form
from templates.fill import fill_workbook
from templates.round import Round
from tests.desk import Desk
from validation.findings import OUTCOMES

ROOT = Path(__file__).parent.parent
README, FORMAT, JSON = ROOT / "README.md", ROOT / "docs" / "form-format.md", ROOT / "docs" / "json.md"
PAGES = [README, ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
OURS = ("templates/", "intake/", "validation/", "outputs/", "tests/", "docs/")
MAX_IMAGE = 150_000  # bytes

FENCE = re.compile(r"^```(\w+) ?(.*)\n([\s\S]*?)^```$", re.MULTILINE)
INLINE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\((?!https?:)([^)#\s]+)")
DIGEST = re.compile(r"[0-9a-f]{12,64}")  # of a file, which another version of a library may pack differently
WHEN = re.compile(r'("(?:at|by)": ")(?!Kari)[^"]+')  # when the test ran, and who ran it


@dataclass(frozen=True)
class Block:
    """A fenced block of a page: ```language name."""

    language: str
    name: str
    body: str


def blocks(page: Path) -> list[Block]:
    return [Block(*found.groups()) for found in FENCE.finditer(page.read_text(encoding="utf-8"))]


def block(page: Path, name: str) -> str:
    return next(one.body for one in blocks(page) if one.name == name)


def inline(page: Path) -> list[str]:
    """List what stands as code in the sentences and tables of a page."""
    return INLINE.findall(FENCE.sub("", page.read_text(encoding="utf-8")))


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


each_page = pytest.mark.parametrize("page", PAGES, ids=named)


# commands


def commands() -> Iterator[str]:
    """Find every command of ours that a page tells somebody to type; one in a sentence may lack its arguments."""
    for page in PAGES:
        lines = [line for one in blocks(page) if one.language == "console" for line in one.body.splitlines()]
        for text in [*lines, *(f"{code} --help" for code in inline(page))]:
            words = text.removeprefix("$ ").removeprefix("uv run ")
            if words.startswith("behov "):
                yield words


def leaves(command: click.Command) -> Iterator[click.Command]:
    if isinstance(command, click.Group):
        for inner in command.commands.values():
            yield from leaves(inner)
    else:
        yield command


@pytest.mark.parametrize("command", sorted(set(commands())))
def test_every_command_is_there_with_its_options(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for leaf in leaves(cli.main):
        monkeypatch.setattr(leaf, "callback", lambda **_options: None)

    result = CliRunner().invoke(cli.main, shlex.split(command, comments=True)[1:])

    assert result.exit_code == 0, result.output


def test_the_readme_shows_every_command() -> None:
    typed = {shlex.split(command)[word] for command in commands() for word in (1, 3) if len(command.split()) > word}

    assert set(cli.main.commands) <= typed


# paths, links and pictures


@each_page
def test_every_path_is_there(page: Path) -> None:
    words = [word for text in inline(page) for word in text.split()]
    missing = [word for word in words if word.startswith(OURS) and not any(ROOT.glob(word.rstrip("/")))]

    assert not missing


@each_page
def test_every_link_leads_somewhere(page: Path) -> None:
    targets = LINK.findall(page.read_text(encoding="utf-8"))

    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_every_row_of_the_change_table_names_a_file_and_a_way_to_try_it() -> None:
    section = README.read_text(encoding="utf-8").partition("## Where do I change")[2].partition("\n## ")[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("|")][2:]

    assert len(rows) >= 12
    for topic, file, trial in rows:
        assert any((ROOT / path).is_file() for path in INLINE.findall(file)), topic
        assert INLINE.search(trial), topic


def test_pictures_are_small_and_explain_themselves() -> None:
    pictures = sorted((ROOT / "docs" / "images").iterdir())

    assert [path.name for path in pictures if path.stat().st_size > MAX_IMAGE] == []
    for drawing in (path.read_text(encoding="utf-8") for path in pictures if path.suffix == ".svg"):
        assert 'role="img"' in drawing
        assert re.search(r"<title[^>]*>[^<]+</title>\s*<desc[^>]*>[^<]+</desc>", drawing)


# the form format


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder to work in that holds the form of the page."""
    folder = tmp_path_factory.mktemp("docs")
    (folder / "svomming" / "lists").mkdir(parents=True)
    for one in blocks(FORMAT):
        if one.name.endswith((".toml", ".csv")):
            with (folder / "svomming" / one.name).open("a", encoding="utf-8") as file:
                file.write(one.body)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        yield folder


def run(*words: str) -> Result:
    return CliRunner().invoke(cli.main, list(words))


def test_the_form_of_the_page_is_in_order(workplace: Path) -> None:
    result = run("form", "check", "svomming")

    assert result.exit_code == 0, result.output
    assert run("form", "rules", "svomming").exit_code == 0
    assert len(load_form(workplace / "svomming").sheets) == 3


def test_the_answers_of_the_page_are_told_what_the_page_says(workplace: Path) -> None:
    answers = tomllib.loads(block(FORMAT, "answers"))
    (workplace / "svar.xlsx").write_bytes(Desk(workplace / "svomming").fill(answers))
    told = run("check", "svar.xlsx", "--form", "svomming").stdout

    assert told.split() == block(FORMAT, "told").split()


def test_every_key_of_the_format_is_explained() -> None:
    code = " ".join([*inline(FORMAT), *(one.body for one in blocks(FORMAT))])  # nobody writes `options`
    keys = {field for part in parts(models.Part) for field in part.model_fields if part.__module__ == models.__name__}
    words = {*keys, *get_args(models.QuestionType), *models.TRIGGERS, *get_args(models.Severity)}

    assert words - {"options"} - set(re.findall(r"\w+", code)) == set()


def parts(part: type[models.Part]) -> Iterator[type[models.Part]]:
    for kind in part.__subclasses__():
        yield kind
        yield from parts(kind)


def test_every_way_to_read_a_cell_is_listed() -> None:
    rules = tomllib.loads(STANDARD_RULES.read_text(encoding="utf-8"))["rule"]

    assert {code for rule in rules for code in rule.get("reading", ())} <= set(inline(FORMAT))


# JSON

RECIPIENTS = """\
orgnr;navn;type;kommunenr;epost;språk
123456785;Lia skole;SKOLE;3203;post@lia.example;nb
920125298;Bakken skule;SKOLE;3201;post@bakken.example;nn
"""
ANSWERS = {
    "skjema": {
        "tiltak": "Trygg i vann",
        "basseng": "KOMMUNALT",
        "start": "15. august 2030",
        "slutt": "15.06.2031",
        "for_barn": "Ja",
    },
    "grupper": [{"gruppe": "5A", "elever": 12, "kommune": "Asker"}],
    "budsjett": {"LEIE": {"y2030": 20000}},
}


@pytest.fixture(scope="module")
def printed(workplace: Path) -> dict[str, Any]:
    """What each command prints with --json in one small round."""
    assert run("new", "runde", "--form", "svomming").exit_code == 0
    round_ = Round(workplace / "runde")
    (round_.folder / "recipients.csv").write_text(RECIPIENTS, encoding="utf-8")
    sent, listed = run_json("send-out"), run_json("outbox")
    first = next(iter(round_.sent().values()))
    content = fill_workbook((round_.sent_folder / first.file).read_bytes(), round_.form, "nb", ANSWERS)
    for file, data in ((first.file, content), ("plan.xlsx", b"%PDF-1.7")):
        path = round_.inbox / file
        path.write_bytes(data)
        received = (round_.form.deadline - timedelta(days=3)).timestamp()
        os.utime(path, (received, received))
    return {
        "send-out": sent,
        "outbox": listed,
        "check": run_json("check", "runde/inbox/plan.xlsx"),
        "ingest": run_json("ingest", "--answers"),
        "feedback": run_json("feedback"),
        "status": run_json("status"),
        "remind": run_json("remind"),
        "extend": run_json("extend", "SV30-0002-1", "2030-03-15", "--reason", "Sykdom", "--by", "Kari Holm"),
        "show": run_json("show", "SV30-0001-1"),
        "decide": run_json(
            "decide", "SV30-0001-1", "waive", "V1", "--reason", "Avtalt på telefon", "--by", "Kari Holm"
        ),
        "import": run_json("import", written_in(round_), "--yes", "--by", "Kari Holm"),
        "verify": run_json("verify"),
        "rebuild": run_json("rebuild"),
        "backup": run_json("backup"),
        "outbox hold": run_json("outbox", "hold", "1", "--by", "Kari", "--reason", "venter på telefon"),
    }


def written_in(round_: Round) -> str:
    """Export the register and write in it as a caseworker."""
    assert run("--round", "runde", "export").exit_code == 0
    book = openpyxl.load_workbook(round_.exports / "register.xlsx")
    sheet = book.worksheets[0]
    place = {cell.value: number for number, cell in enumerate(sheet[1], 1)}
    sheet.cell(2, place["Prioritet"], 1)
    sheet.cell(2, place["Forslag"], "Innvilges")
    book.save("forum.xlsx")
    return "forum.xlsx"


def plain(document: Any) -> Any:  # noqa: ANN401 - a JSON document
    """Put aside what may differ: digests, moments, and spaces that do not break the line."""
    text = WHEN.sub(r"\1…", json.dumps(document, ensure_ascii=False)).replace("\u00a0", " ")
    return json.loads(DIGEST.sub("…", text))


def run_json(*words: str) -> Any:  # noqa: ANN401 - a JSON document
    result = run("--round", "runde", *words, "--json")
    assert result.exit_code in {cli.DONE, cli.NEEDS_A_PERSON}, result.output
    return json.loads(result.stdout)


PRINTED = ["send-out", "ingest", "check", "status", "feedback", "remind", "outbox", "outbox hold"]
PRINTED += ["extend", "show", "decide", "import", "verify", "rebuild", "backup"]


@pytest.mark.parametrize("command", PRINTED)
def test_the_examples_of_json_are_what_the_commands_print(command: str, printed: dict[str, Any]) -> None:
    assert plain(json.loads(block(JSON, command))) == plain(printed[command])


def test_every_outcome_is_explained() -> None:
    assert set(OUTCOMES) <= set(inline(JSON))


# the demo


@pytest.mark.slow
def test_the_readme_shows_what_the_demo_makes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    told = run("demo").stdout

    for shown in block(README, "demo").split("…\n"):
        assert shown in told
    letters = [message_from_bytes(path.read_bytes(), policy=SMTP) for path in Path("demo/outbox").glob("*.eml")]
    assert block(README, "letter") in [as_shown(letter) for letter in letters]


def as_shown(letter: EmailMessage) -> str:
    body = letter.get_body(("plain",))
    assert body is not None
    text = f"{letter['Subject']}\n\n{body.get_content()}"
    return text.replace("\r\n", "\n").replace("\u00a0", " ").rstrip() + "\n"
