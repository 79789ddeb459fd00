"""The command line: what a clerk sees, and the exit codes that scripts rely on."""

import json
import re
from pathlib import Path
from random import Random

import pytest
from click.testing import CliRunner, Result

import cli
from intake.sample import Samples
from outputs import demo
from templates.definition import find_form, load_form
from templates.grants import read_grants

HEAVY_FORM = "behovsmelding-2024"


def run(*words: str) -> Result:
    return CliRunner().invoke(cli.main, list(words))


@pytest.mark.parametrize("command", sorted(cli.main.commands))
def test_every_command_explains_itself(command: str) -> None:
    result = run(command, "--help")

    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) >= 5


def test_the_list_of_commands_cuts_no_sentence_off() -> None:
    for words in ((), ("form",)):
        told = run(*words, "--help").stdout
        assert not re.search(r"\w\.\.\.", told)
        assert "  import " in told


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--round", "{here}", "ingest"), "is not a round"),
        (("--round", "{here}", "status"), "is not a round"),
        (("form", "check", "behovsmelding-2023"), "there is no such form"),
        (("new", "{here}/ny", "--form", "finnes-ikke"), "there is no such form"),
        (("check", "{here}/borte.xlsx", "--form", HEAVY_FORM), "does not exist"),
        (("ingets",), "No such command"),
    ],
)
def test_wrong_use_is_told_in_a_sentence_with_exit_code_2(words: tuple[str, ...], said: str, tmp_path: Path) -> None:
    result = run(*(word.replace("{here}", str(tmp_path)) for word in words))

    assert result.exit_code == 2
    assert said in result.stderr
    assert "Traceback" not in result.output


def test_our_own_failure_has_exit_code_3_and_no_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_name: str) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(cli, "_form", fail)

    result = run("form", "check", HEAVY_FORM)

    assert result.exit_code == 3
    assert "something in the program failed" in result.stderr
    assert "Traceback" not in result.output
    assert str(tmp_path) not in result.output


def test_bad_recipients_stop_the_send_out_until_they_are_left_out(tmp_path: Path) -> None:
    folder = tmp_path / "runde"
    run("new", str(folder), "--form", HEAVY_FORM)
    (folder / "recipients.csv").write_text(
        "orgnr;navn;type;kommunenr;epost;språk\n"
        "920125298;Asker kommune;KOMMUNE;3203;post@asker.example;nb\n"
        "820760062;Lillestrøm kommune;KOMMUNE;3205;post@lillestrom.example;nb\n",
        encoding="utf-8",
    )

    stopped = run("--round", str(folder), "send-out")
    done = run("--round", str(folder), "send-out", "--skip-bad")

    assert stopped.exit_code == 2
    assert "row 3  Lillestrøm kommune  «820760062» is not an organisation number (check digit)" in stopped.stderr
    assert done.exit_code == 0
    assert [path.name for path in (folder / "sent").glob("*.xlsx")] == ["920125298-asker-kommune-BM24-0001-1.xlsx"]


def test_form_check_says_what_a_form_holds() -> None:
    result = run("form", "check", HEAVY_FORM)

    assert result.exit_code == 0
    assert "behovsmelding-2024 2024.1 is in order: 56 questions, 5 tables" in result.stdout
    assert run("form", "list").stdout == "behovsmelding-2024\n"


@pytest.mark.slow
def test_the_demo_runs_twice_and_tells_the_same(tmp_path: Path) -> None:
    folder = tmp_path / "demo"

    first = run("demo", str(folder), "--returns", "60")
    second = run("demo", str(folder), "--returns", "60")
    status = run("--round", str(folder), "status", "--json")
    again = run("--round", str(folder), "ingest")
    granted, wrong = read_grants(folder)
    unknown = run("--round", str(folder), "form", "try-rule", "S24", "--json")

    assert (first.exit_code, second.exit_code) == (0, 0)
    assert first.stdout == second.stdout
    assert "60 reports are registered" in first.stdout
    assert json.loads(status.stdout)["reports"] == 60
    assert {"unreadable", "empty", "late", "superseded", "duplicate"} & set(json.loads(status.stdout)["by_outcome"])
    assert "all known. Nothing changed." in again.stdout
    assert (len({grant.reference for grant in granted}), wrong) == (60, [])
    assert json.loads(unknown.stdout)["hits"] == [], "what owners ask more for, they were granted"


def test_the_demo_never_overwrites_a_folder_that_is_no_demo(tmp_path: Path) -> None:
    (tmp_path / "viktig.txt").write_text("behold meg", encoding="utf-8")

    result = run("demo", str(tmp_path))

    assert result.exit_code == 2
    assert "is no demo; choose another folder" in result.stderr
    assert (tmp_path / "viktig.txt").read_text(encoding="utf-8") == "behold meg"


def test_the_demo_breaks_every_rule_that_has_an_example() -> None:
    folder = find_form(HEAVY_FORM)
    samples = Samples(folder)

    entries = demo.Story(load_form(folder), samples, Random(1)).entries(None)  # noqa: S311 - repeatable, no secret

    assert {one.rule for one in samples.mistakes} == {one.rule for entry in entries for one in entry.mistakes}


def test_a_demo_of_any_size_asks_no_owner_for_more_than_an_owner_may_send() -> None:
    folder = find_form(HEAVY_FORM)
    story = demo.Story(load_form(folder), Samples(folder), Random(1))  # noqa: S311 - repeatable, no secret

    recipients = story.recipients(story.entries(2000))

    assert sum(one.copies for one in recipients) >= 2000
    assert max(one.copies for one in recipients) == demo.MOST


def test_the_mix_of_the_demo_is_the_volume_of_the_real_round() -> None:
    assert sum(line.reports for line in Samples(find_form(HEAVY_FORM)).mix) == demo.USUAL == 235
