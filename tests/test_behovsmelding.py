"""The form behovsmelding-2024: what it holds, and every rule against real workbooks."""

from pathlib import Path

import pytest

from templates.form import GridSheet, QuestionSheet, TableSheet
from templates.rules.named_checks import SCOPES
from tests.desk import marked
from tests.reports import CLEAN, DESK, FORM, LANGUAGES, MISTAKES, judged_clean, judged_mistakes, name_of

WANTED = {
    "S": range(1, 42),
    "P": range(1, 25),
    "C": range(1, 31),
}
WANTED_RULES = {f"{series}{number:02d}" for series, numbers in WANTED.items() for number in numbers}


def test_the_form_has_the_questions_and_tables_of_the_domain() -> None:
    sheets = FORM.sheets
    asked = [len(sheet.questions) for sheet in sheets.values() if isinstance(sheet, QuestionSheet)]
    tables = [key for key, sheet in sheets.items() if isinstance(sheet, TableSheet | GridSheet)]

    assert asked == [56]  # those of the domain, and whether there is a need at all
    assert tables == ["virksomheter", "eiere", "partnere", "budsjett", "aktiviteter"]


def test_every_wanted_rule_is_there_with_severity_and_source() -> None:
    rules = {rule.id: rule for rule in FORM.rules}

    assert set(rules) >= WANTED_RULES
    assert [rule for rule in WANTED_RULES if not rules[rule].source] == []
    assert rules["C13"].severity == "warning"
    assert rules["P07"].severity == "info"
    assert rules["S19"].severity == "error"


def test_every_part_of_every_rule_has_a_failing_example() -> None:
    own = [rule for rule in FORM.rules if rule.id in WANTED_RULES and rule.on not in SCOPES]

    assert {rule.name for rule in own} <= {name_of(one) for one in DESK.samples.mistakes}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_clean_report_is_accepted_without_a_word(language: str) -> None:
    told = {name: (one.outcome, one.findings) for name, one in zip(CLEAN, judged_clean(language), strict=True)}

    assert told == dict.fromkeys(CLEAN, ("accepted", ()))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("number", range(len(MISTAKES)), ids=lambda number: f"{number}-{MISTAKES[number].rule}")
def test_a_mistake_is_told_once_at_the_right_cells(number: int, language: str) -> None:
    mistake, verdict = MISTAKES[number], judged_mistakes(language)[number]

    told = [(found.rule, found.part, marked(found)) for found in verdict.findings]

    cells = {DESK.cell(path, language) for path in mistake.cells}
    assert told == [(mistake.rule, mistake.part, cells)], "one cause, one finding"


# Cells written out, so that the layout and the reader cannot both be wrong in the same way.
LITERAL = {
    "S01": ("Skjema", ("C8",)),
    "S18": ("Skjema", ("C50",)),
    "S27": ("Skjema", ("C54",)),
    "S28": ("Skjema", ("C55",)),
    "S15": ("Virksomheter", ("F7",)),
    "C13": ("Skjema", ("C30",)),
}


@pytest.mark.parametrize("rule", LITERAL)
def test_known_mistakes_are_at_known_cells(rule: str) -> None:
    told = [found for verdict in judged_mistakes("nb") for found in verdict.findings if found.rule == rule]

    assert LITERAL[rule] in [(found.sheet, found.cells) for found in told]


def test_an_old_municipality_number_is_understood(tmp_path: Path) -> None:
    sample = CLEAN["rek_privat"]
    owner = DESK.owner_for(sample)
    answers = DESK.answers(sample, owner)
    answers["skjema"]["eier_kommunenr"] = "301"

    submission = DESK.take_in(tmp_path / "melding.xlsx", DESK.fill(answers, owner))

    answer = submission.answer("skjema.eier_kommunenr")  # type: ignore[union-attr]
    assert answer is not None
    assert (answer.value, answer.raw) == ("0301", "301")
