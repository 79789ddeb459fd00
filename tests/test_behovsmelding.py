"""The form behovsmelding-2024: what it holds, and every rule against real workbooks."""

from datetime import datetime
from itertools import cycle
from pathlib import Path

import pytest

from intake.sample import Mistake, Sample
from intake.submission import Refused, Submission
from templates.form import GridSheet, QuestionSheet, TableSheet
from templates.named_checks import SCOPES
from tests.desk import Desk, marked
from validation.check import judge
from validation.verdict import Verdict

DESK = Desk.of("behovsmelding-2024")
CLEAN = DESK.samples.clean
MISTAKES = DESK.samples.mistakes

WANTED = {
    "S": range(1, 42),
    "P": range(1, 25),
    "C": range(1, 31),
}
WANTED_RULES = {f"{series}{number:02d}" for series, numbers in WANTED.items() for number in numbers}


def send_in(path: Path, sample: Sample, mistake: Mistake | None = None, language: str = "nb") -> Submission | Refused:
    """Send a workbook to an owner the sample suits, who fills it in and sends it back."""
    owner = DESK.owner_for(sample, language=language)
    others = [DESK.owner_for(sample) for _ in range(3)]
    DESK.recipients.update({other.orgnr: other for other in others})
    received = None
    if mistake is not None and mistake.received:
        received = datetime.fromisoformat(mistake.received).replace(tzinfo=DESK.form.zone)
    return DESK.take_in(path, DESK.fill_sample(sample, owner, others, mistake), received)


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> list[Verdict]:
    """The verdict on each mistake, all of them judged as one batch, as staff do."""
    path = tmp_path_factory.mktemp("retur") / "melding.xlsx"
    languages = cycle(("nb", "nn"))
    return judge([send_in(path, CLEAN[one.sample], one, next(languages)) for one in MISTAKES], DESK.form)


def test_the_form_has_the_questions_and_tables_of_the_domain() -> None:
    sheets = DESK.form.sheets
    asked = [len(sheet.questions) for sheet in sheets.values() if isinstance(sheet, QuestionSheet)]
    tables = [key for key, sheet in sheets.items() if isinstance(sheet, TableSheet | GridSheet)]

    assert asked == [55]
    assert tables == ["virksomheter", "eiere", "partnere", "budsjett", "aktiviteter"]


def test_every_wanted_rule_is_there_with_severity_and_source() -> None:
    rules = {rule.id: rule for rule in DESK.form.rules}

    assert set(rules) >= WANTED_RULES
    assert [rule for rule in WANTED_RULES if not rules[rule].source] == []
    assert rules["C13"].severity == "warning"
    assert rules["P07"].severity == "info"
    assert rules["S19"].severity == "error"


def test_every_part_of_every_rule_has_a_failing_example() -> None:
    own = [rule for rule in DESK.form.rules if rule.id in WANTED_RULES and rule.on not in SCOPES]

    assert {rule.name for rule in own} <= {f"{one.rule}.{one.part}" if one.part else one.rule for one in MISTAKES}


@pytest.mark.parametrize("language", ["nb", "nn"])
@pytest.mark.parametrize("name", CLEAN)
def test_a_clean_report_is_accepted_without_a_word(name: str, language: str, tmp_path: Path) -> None:
    verdict = judge([send_in(tmp_path / "melding.xlsx", CLEAN[name], language=language)], DESK.form)[0]

    assert (verdict.outcome, verdict.findings) == ("accepted", ())


@pytest.mark.parametrize("number", range(len(MISTAKES)), ids=lambda number: f"{number}-{MISTAKES[number].rule}")
def test_a_mistake_is_told_once_at_the_right_cells(number: int, verdicts: list[Verdict]) -> None:
    mistake, verdict = MISTAKES[number], verdicts[number]
    language = verdict.submission.language if verdict.submission else "nb"
    told = [found for found in verdict.findings if (found.rule, found.part) == (mistake.rule, mistake.part)]
    others = [found for found in verdict.findings if found not in told]

    assert {DESK.cell(path, language) for path in mistake.cells} in [marked(found) for found in told]
    assert others == [], "one cause, one finding"
    assert all(set(found.message) == {"nb", "nn"} for found in told)
    assert not any("{" in text or "None" in text for found in told for text in found.message.values())


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
def test_known_mistakes_are_at_known_cells(rule: str, verdicts: list[Verdict]) -> None:
    told = [found for verdict in verdicts for found in verdict.findings if found.rule == rule]

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
