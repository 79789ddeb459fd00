"""The catalogue of rules: what the program judges by, what it prints and what docs/rules.md says are one list."""

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import cli
from templates.authoring.catalogue import Entry, catalogue, catalogue_page
from templates.definition import find_form, load_form

NAME = "behovsmelding-2024"
PAGE = Path(__file__).parent.parent / "docs" / "rules.md"
FORM = load_form(find_form(NAME))
PUBLISHED = [
    f"{series}{number:02d}" for series, last in (("S", 41), ("P", 24), ("C", 30)) for number in range(1, last + 1)
]


@pytest.fixture(scope="module")
def entries() -> list[Entry]:
    return catalogue(FORM)


@pytest.fixture(scope="module")
def printed() -> list[dict[str, Any]]:
    done = CliRunner().invoke(cli.main, ["form", "rules", NAME, "--json"])
    assert done.exit_code == 0
    document = json.loads(done.stdout)
    assert document.keys() == {"rules"}
    return document["rules"]  # type: ignore[no-any-return]


def written() -> Iterator[tuple[str, str]]:
    """The id and the bokmål text of each rule in rules.toml."""
    raw = tomllib.loads((find_form(NAME) / "rules.toml").read_text(encoding="utf-8"))
    yield from ((rule["id"], rule["message"]["nb"]) for rule in raw["rule"])


def test_all_95_published_rules_are_there(entries: list[Entry]) -> None:
    assert len(PUBLISHED) == 95
    assert {entry.rule.id for entry in entries} >= set(PUBLISHED)


def test_the_json_has_exactly_the_agreed_keys(printed: list[dict[str, Any]]) -> None:
    assert {tuple(rule) for rule in printed} == {("id", "severity", "scope", "live", "message", "source")}
    assert {rule["severity"] for rule in printed} == {"error", "warning", "info"}
    assert {rule["scope"] for rule in printed} == {
        "cell",
        "form",
        "cross-sheet",
        "cross-workbook",
        "register",
        "intake",
    }
    assert all(rule["message"].keys() == {"nb", "nn"} for rule in printed)
    assert all(rule["source"] for rule in printed if rule["id"] in PUBLISHED)


def test_the_catalogue_is_rules_toml_and_the_standard_rules(printed: list[dict[str, Any]]) -> None:
    own = [(rule["id"], rule["message"]["nb"]) for rule in printed if rule["id"] in PUBLISHED]

    assert sorted(own) == sorted(written())
    assert len(printed) == len(FORM.rules)


def test_docs_rules_md_is_made_from_the_rules() -> None:
    assert PAGE.read_text(encoding="utf-8") == "\n".join(catalogue_page(FORM)) + "\n", "run: make rules-doc"


def test_docs_rules_md_has_every_id_once() -> None:
    headings = re.findall(r"^## (\S+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)

    assert len(headings) == len(set(headings))
    assert set(headings) == {rule.id for rule in FORM.rules}


def test_a_rule_is_live_when_its_answers_are_in_the_workbook(entries: list[Entry]) -> None:
    live = {entry.rule.name for entry in entries if entry.live}

    assert {"S01", "S06", "S19.mangler_2024", "S40.rek", "P09", "C17", "P21", "C06", "C25"} <= live
    assert not {"S04", "S05", "S36", "C01", "C24", "C28"} & live


def test_the_list_for_people_has_a_line_for_each_check(entries: list[Entry]) -> None:
    done = CliRunner().invoke(cli.main, ["form", "rules", NAME])

    assert len(done.stdout.splitlines()) == len(entries)
