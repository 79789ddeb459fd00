"""A workbook of an older version is read as if it were of today's, by what the form says has changed."""

import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from openpyxl.workbook import Workbook

from intake.receive import receive
from intake.submission import Refused, Return, Submission
from tests.desk import Desk
from tests.test_locate import edited as changed

FORM = Path(__file__).parent / "forms" / "alle_typer"
MAPPING = """
[from_version."1"]
rename = { "svar.overskrift" = "svar.tekst", "rader.antall" = "rader.heltall", "rutenett.TUR" = "rutenett.REISE", "rutenett.ar1" = "rutenett.forste", "svar.nr" = "svar.nummer" }
recode = { "svar.gruppe" = { "Vadere" = "VAD" }, "rader.gruppe" = { "Vadere" = "VAD", "Måker" = "ANNET" } }
drop = ["svar.gammelt"]
"""  # noqa: E501 - an inline table is one line
QUESTION = """
[sheets.svar.sections.typer.questions.{key}]
type = "text"
label = {{ nb = "Et ord", nn = "Eit ord" }}
"""
BEFORE = {  # what stands in the form today, and what stood there in version 1
    'version = "2"': 'version = "1"',
    'accepts = ["1"]': "",
    'report_title = "svar.tekst"': 'report_title = "svar.overskrift"',
    "typer.questions.tekst]": "typer.questions.overskrift]",
    'nb = "Tekst", nn = "Tekst"': 'nb = "Overskrift", nn = "Overskrift"',
    "eier.questions.nummer]": "eier.questions.nr]",
    'VAD = { nb = "Vadefugler", nn = "Vadefuglar" }': 'VADER = { nb = "Vadere", nn = "Vadarar" }\nMAAKE = { nb = "Måker", nn = "Måsar" }',  # noqa: E501
    'equals = "VAD"': 'equals = "VADER"',
    "rader.questions.heltall]": "rader.questions.antall]",
    "rutenett.rows.REISE]": "rutenett.rows.TUR]",
    'sum_of = ["REISE", "MAT"]': 'sum_of = ["TUR", "MAT"]',
    "rutenett.columns.forste]": "rutenett.columns.ar1]",
    'sum_of = ["forste", "andre"]': 'sum_of = ["ar1", "andre"]',
}
WRITTEN: dict[str, Any] = {
    "svar": {"overskrift": "Trekk", "gruppe": "VADER", "gammelt": "ord", "dato": date(2024, 5, 17)},
    "rader": [{"enhet": "Holmen", "antall": 7, "gruppe": "VADER"}, {"enhet": "Odden", "gruppe": "MAAKE"}],
    "rutenett": {"TUR": {"ar1": 11, "andre": 12}, "MAT": {"ar1": 21}},
}


def edited(folder: Path, changes: dict[str, str], more: str) -> Desk:
    """A copy of the form with other texts in it; its mapping goes and `more` comes."""
    shutil.copytree(FORM, folder)
    file = folder / "form.toml"
    text = file.read_text(encoding="utf-8").replace('[from_version."1"]\n', "")
    for new, old in changes.items():
        assert new in text, new
        text = text.replace(new, old)
    file.write_text(f"{text}\n{more}", encoding="utf-8")
    return Desk(folder)


@pytest.fixture(scope="module")
def today(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """Version 2, where «Et ord» is asked under another key than in version 1."""
    return edited(tmp_path_factory.mktemp("today") / "form", {}, MAPPING + QUESTION.format(key="nytt"))


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return edited(tmp_path_factory.mktemp("old") / "form", BEFORE, QUESTION.format(key="gammelt"))


@pytest.fixture(scope="module")
def returned(old: Desk) -> bytes:
    """A workbook of version 1, filled in."""
    return old.fill(WRITTEN)


@pytest.fixture
def read(returned: bytes, today: Desk, tmp_path: Path) -> Submission:
    found = take(today, returned, tmp_path)
    assert isinstance(found, Submission), found
    return found


def take(desk: Desk, content: bytes, folder: Path) -> Submission | Refused:
    path = folder / "svar.xlsx"
    path.write_bytes(content)
    return receive(Return(path, "0" * 64, desk.in_time), desk.office)


def test_what_has_another_key_now_is_found_by_its_old_one(read: Submission) -> None:
    grid = {row.key: {key: answer.value for key, answer in row.answers.items()} for row in read.sheets["rutenett"].rows}

    assert (read.answer("svar.tekst") or pytest.fail("not found")).value == "Trekk"
    assert read.sheets["rader"].rows[0].answers["heltall"].value == 7
    assert grid["REISE"] == {"forste": 11, "andre": 12, "sum": 23}
    assert grid["SUM"]["forste"] == 32
    assert "TUR" not in grid


def test_a_choice_that_has_another_code_now_is_understood(read: Submission) -> None:
    answer = read.answer("svar.gruppe")
    rows = [row.answers["gruppe"] for row in read.sheets["rader"].rows]

    assert answer is not None
    assert (answer.value, answer.raw, answer.problem, answer.note) == ("VAD", "Vadere", None, None)
    assert [(row.value, row.raw, row.problem) for row in rows] == [("VAD", "Vadere", None), ("ANNET", "Måker", None)]


def test_what_is_not_asked_any_more_is_no_answer_to_a_new_question_with_its_words(read: Submission) -> None:
    assert read.answer("svar.nytt") is None
    assert "gammelt" not in read.sheets["svar"].rows[0].answers


def test_what_has_not_changed_is_read_and_the_version_is_kept(read: Submission, old: Desk) -> None:
    answer = read.answer("svar.dato")

    assert answer is not None
    assert (answer.value, answer.cell) == (date(2024, 5, 17), old.cell("svar.dato")[1])
    assert (read.version, read.report) == ("1", "ALLE-0001-1")


def test_a_locked_cell_that_has_another_key_now_is_held_against_what_was_sent(
    returned: bytes, today: Desk, tmp_path: Path
) -> None:
    number = str(today.form.question("svar.nummer").label["nb"])

    def forge(workbook: Workbook) -> None:
        row = next(row for row in workbook["Svar"].iter_rows() if row[1].value == number)
        row[2].value = "ALLE-0099-1"

    found = take(today, changed(forge, returned), tmp_path)

    assert isinstance(found, Refused)
    assert (found.reason, found.details["now"]) == ("locked_changed", "ALLE-0099-1")


def test_an_unknown_version_is_told_by_its_name_and_with_the_one_that_holds(returned: bytes, tmp_path: Path) -> None:
    newer = edited(tmp_path / "form", {'version = "2"': 'version = "3"', 'accepts = ["1"]': ""}, "")

    verdict = newer.judge(tmp_path / "svar.xlsx", returned)

    assert verdict.outcome == "quarantined"
    assert "utgave 1 " in verdict.reason["nb"]
    assert "utgave 3." in verdict.reason["nb"]
    assert "utgåve 1 " in verdict.reason["nn"]


def test_an_old_answer_that_fits_no_choice_now_is_asked_about(old: Desk, today: Desk, tmp_path: Path) -> None:
    found = take(today, old.fill({**WRITTEN, "svar": {**WRITTEN["svar"], "gruppe": "MAAKE"}}), tmp_path)

    assert isinstance(found, Submission)
    answer = found.answer("svar.gruppe")
    assert answer is not None
    assert (answer.value, answer.raw, answer.problem) == (None, "Måker", "not_a_choice")
