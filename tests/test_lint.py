"""What a form definition is told about itself beyond being right: private words, idle rules, cut texts."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

import cli
from templates.definition import FormError, find_form, form_names, load_form
from templates.rules.messages import private_words
from tests.test_rule_features import own_form
from validation.lint import notes


def rule(must: str, message: str = "Feil.", on: str = "plan") -> str:
    return f'\n[[rule]]\nid = "L1"\non = "{on}"\nmust = "{must}"\nmessage = {{ nb = "{message}", nn = "Feil." }}\n'


@pytest.mark.parametrize("name", form_names())
def test_nothing_is_worth_a_second_look_in_the_forms_that_come_along(name: str) -> None:
    assert list(map(str, notes(load_form(find_form(name)), date(2100, 1, 1)))) == []


def test_a_code_list_of_a_day_to_come_is_noticed() -> None:
    form = load_form(find_form("behovsmelding-2024"))
    day = form.file.lists["uh_institusjoner"].dated
    assert day is not None

    told = [str(note) for note in notes(form, day - timedelta(days=1))]

    reason = f"{day} has not come yet, and owners are told that the list is of that day"
    assert told == [f"form.toml: lists.uh_institusjoner.dated: {reason}. Write the day that the list speaks of."]


@pytest.mark.parametrize(
    ("must", "verdict"),
    [
        ("budsjett >= 0 OR budsjett < 0", "fail"),
        ("jordtype IN ('LEIRE', 'SAND')", "fail"),
        ("COUNT(vekster) >= 0", "fail"),
        ("budsjett > 5 AND budsjett < 3", "hold"),
        ("jordtype = 'SAND' AND jordtype = 'LEIRE'", "hold"),
        ("LENGTH(tittel) < 0", "hold"),
    ],
)
def test_a_rule_that_always_says_the_same_is_noticed(must: str, verdict: str, tmp_path: Path) -> None:
    told = [str(note) for note in notes(load_form(own_form(tmp_path, rule(must))))]

    reason = f"none of 2000 made-up sets of answers makes it {verdict}"
    assert told == [f"rules.toml: rule L1.must: {reason}. Is it written the right way round?"]


@pytest.mark.parametrize(
    "must",
    [
        "budsjett <= 500",
        "jordtype <> 'SAND' OR budsjett > 100",
        "NOT CONTAINS(tittel, 'rose')",
        "COUNT(vekster) <= 2",
        "medlem <> '999000011' OR COALESCE(SUM(vekster.pris), 0) >= 0 AND budsjett <> 2",
    ],
)
def test_a_rule_that_can_go_both_ways_is_not_remarked_on(must: str, tmp_path: Path) -> None:
    assert list(notes(load_form(own_form(tmp_path, rule(must))))) == []


def test_a_help_text_that_the_prompt_cuts_is_noticed(tmp_path: Path) -> None:
    own = own_form(tmp_path)
    path = own / "form.toml"
    long = "Skriv hva planen heter. " * 12
    text = path.read_text(encoding="utf-8").replace(
        "max_length = 60\n", f'max_length = 60\nhelp = {{ nb = "{long}", nn = "Kort." }}\n'
    )
    path.write_text(text, encoding="utf-8")

    told = CliRunner().invoke(cli.main, ["form", "check", str(own)])

    assert told.exit_code == 0
    assert (
        "Note: form.toml: plan.tittel.help.nb: is 288 characters with its example; a prompt shows 255." in told.stdout
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Skriv til kari.prove@oslo.kommune.no.", ["kari.prove@oslo.kommune.no"]),
        ("Skriv én adresse, for eksempel navn@example.no.", []),
        ("Ring 22 00 35 10.", ["22 00 35 10"]),
        ("Nummeret er 974761319.", ["974761319"]),
        ("Ikke 158195 67872.", ["158195 67872"]),
        ("Skriv datoen slik: 15.08.2024.", []),
        ("Høyst 10 000 000 kr i 2024 og 2025.", ["10 000 000"]),
        ("Inntil 1 250 000 kr, 200 000 til eier.", []),
    ],
)
def test_what_looks_like_somebodys_own_is_found(text: str, found: list[str]) -> None:
    assert private_words(text) == found


def test_a_message_with_somebodys_address_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FormError, match=r"L1\.message\.nb: «kari@kontoret\.no» looks like somebody's own"):
        load_form(own_form(tmp_path, rule("budsjett <= 5", "Skriv til kari@kontoret.no.")))
