"""What an author is told when one version of a form is held against the next."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

import cli
from templates.authoring.form_diff import Change, changes, diff_lines, diff_notes
from templates.form import Form
from tests.test_versions import BEFORE, FORM, MAPPING, QUESTION, edited


@pytest.fixture(scope="module")
def older(tmp_path_factory: pytest.TempPathFactory) -> Form:
    """Version 1 of the form with every type of question: other keys, other choices, a question more."""
    return edited(tmp_path_factory.mktemp("older") / "alle_typer", BEFORE, QUESTION.format(key="gammelt")).form


@pytest.fixture(scope="module")
def newer(tmp_path_factory: pytest.TempPathFactory) -> Form:
    return edited(tmp_path_factory.mktemp("newer") / "alle_typer", {}, MAPPING).form


def test_a_form_does_not_differ_from_itself(newer: Form) -> None:
    assert list(changes(newer, newer)) == []
    assert list(diff_lines(newer, newer)) == ["alle_typer 2 -> alle_typer 2: no difference"]


def test_what_is_new_gone_and_changed_is_told_piece_by_piece(older: Form, newer: Form) -> None:
    found = list(changes(older, newer))

    assert Change("changed", "setting", "version", (("version", "1", "2"),)) in found
    assert Change("added", "question", "svar.tekst") in found
    assert {change.name for change in found if change.kind == "removed" and change.what == "question"} == {
        "svar.overskrift", "svar.nr", "svar.gammelt", "rader.antall", "rutenett.ar1"
    }  # fmt: skip
    assert Change("removed", "row", "rutenett.TUR") in found
    assert {change.name for change in found if change.what == "choice"} == {
        "gruppe VAD",
        "gruppe VADER",
        "gruppe MAAKE",
    }


def test_what_changes_in_a_rule_is_told_with_the_words_before_and_after(newer: Form) -> None:
    first, *others = newer.rules
    milder = first.model_copy(update={"severity": "info", "message": {**first.message, "nn": "Sjå på dette."}})

    found = list(changes(newer, Form(newer.file, newer.lists, (milder, *others), newer.let)))

    details = (("severity", "", "info"), ("message.nn", first.message["nn"], "Sjå på dette."))
    assert [(change.kind, change.what, change.name) for change in found] == [("changed", "rule", first.name)]
    assert sorted(found[0].details) == sorted(details)


def test_a_version_that_is_taken_in_needs_a_word_on_each_question_that_is_gone(older: Form, newer: Form) -> None:
    assert list(diff_notes(older, newer, list(changes(older, newer)))) == []

    silent = newer.file.from_version["1"].model_copy(update={"drop": ()})
    file = newer.file.model_copy(update={"from_version": {"1": silent}})
    forgetful = Form(file, newer.lists, newer.rules, newer.let)

    assert list(diff_notes(older, forgetful, list(changes(older, forgetful)))) == [
        'svar.gammelt is asked no more: name it in "drop" or "rename" of [from_version."1"]'
    ]


def test_a_version_that_is_not_taken_in_and_one_that_kept_its_number_are_told(older: Form, newer: Form) -> None:
    backwards = list(changes(newer, older))
    same = Form(older.file.model_copy(update={"version": "2"}), older.lists, older.rules, older.let)

    assert "workbooks of version «2» are not taken in by «1»" in " ".join(diff_notes(newer, older, backwards))
    assert 'both are version «2»: change "version"' in " ".join(diff_notes(same, newer, list(changes(same, newer))))


def test_the_command_tells_it_in_lines_and_as_json(tmp_path: Path) -> None:
    edited(tmp_path / "alle_typer", BEFORE, QUESTION.format(key="gammelt"))

    told = CliRunner().invoke(cli.main, ["form", "diff", str(tmp_path / "alle_typer"), str(FORM)])
    document = json.loads(
        CliRunner().invoke(cli.main, ["form", "diff", str(tmp_path / "alle_typer"), str(FORM), "--json"]).stdout
    )

    assert told.exit_code == 0
    assert "  added    question svar.tekst" in told.stdout
    assert "           version: «1» -> «2»" in told.stdout
    assert document["from"] == {"form": "alle_typer", "version": "1"}
    assert {"kind": "removed", "what": "row", "name": "rutenett.TUR", "details": []} in document["changes"]
    assert document["notes"]
