"""Earlier grants: read from the round folder, shown to the owner, and known to the rules."""

import io
from dataclasses import replace
from datetime import date
from pathlib import Path

import openpyxl
import pytest

from intake.submission import Submission
from templates.grants import Grant, read_grants
from tests.desk import RECIPIENT, Desk
from validation.check import judge
from validation.known import Known, grants_register

DESK = Desk.of("behovsmelding-2024")
GRANT = Grant("2022/41876", "998000009", "Språk i hele barnehagen", "2022", 250_000)
HEAD = "referanse;eier;tiltak;år;beløp\n"


def written(folder: Path, *rows: str) -> Path:
    (folder / "grants.csv").write_text(HEAD + "".join(f"{row}\n" for row in rows), encoding="utf-8-sig")
    return folder


def test_without_the_file_there_are_no_grants(tmp_path: Path) -> None:
    assert read_grants(tmp_path) == ([], [])


def test_the_rows_are_read_as_staff_write_them(tmp_path: Path) -> None:
    folder = written(
        tmp_path, "2022/41876;998 000 009;Språk i hele barnehagen;2022;250 000", "2021/7;998000009;Lek;2021;"
    )

    grants, bad = read_grants(folder)

    assert grants == [GRANT, Grant("2021/7", "998000009", "Lek", "2021")]
    assert bad == []


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (";998000009;Lek;2021;", "no reference"),
        ("1;998000001;Lek;2021;", "«998000001» is not an organisation number"),
        ("1;998000009;;2021;", "no title"),
        ("1;998000009;Lek;21;", "year is «21»; use four digits"),
        ("1;998000009;Lek;2021;mye", "amount is «mye»; use whole kroner"),
    ],
)
def test_a_row_that_cannot_be_used_is_told_to_staff(row: str, reason: str, tmp_path: Path) -> None:
    grants, bad = read_grants(written(tmp_path, row))

    assert grants == []
    assert [(one.row, one.reason, one.file) for one in bad] == [(2, reason, "grants.csv")]


def test_a_reference_stands_once(tmp_path: Path) -> None:
    _, bad = read_grants(written(tmp_path, "1;998000009;Lek;2021;", "1;998000009;Språk;2022;"))

    assert [str(one) for one in bad] == ["grants.csv row 3  Språk  the reference 1 stands in an earlier row too"]


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("nb", "Dere har fått tilskudd før:\n– Språk i hele barnehagen (2022), referanse 2022/41876: 250\u00a0000 kr"),
        ("nn", "De har fått tilskot før:\n– Språk i hele barnehagen (2022), referanse 2022/41876: 250\u00a0000 kr"),
    ],
)
def test_the_owner_sees_what_was_granted_before(language: str, told: str) -> None:
    owner = replace(RECIPIENT, language=language, grants=(GRANT,))

    guide = openpyxl.load_workbook(io.BytesIO(DESK.send(owner))).worksheets[0]

    assert told in [cell.value for cell in guide["B"]]


def test_rules_know_the_grants(tmp_path: Path) -> None:
    sample = DESK.samples.clean["rek_supplerande"]
    owner = DESK.owner_for(sample)
    returned = DESK.take_in(tmp_path / "melding.xlsx", DESK.fill(DESK.answers(sample, owner), owner))
    assert isinstance(returned, Submission)
    answer = returned.answer("skjema.supp_ref")
    mine = replace(GRANT, reference=answer.raw if answer else "", owner=owner.orgnr)

    for grants, found in (([mine], []), ([replace(mine, owner="974760673")], ["S24"])):
        known = Known((), {"grants": grants_register(grants, date(2024, 1, 15))})
        assert [one.rule for one in judge([returned], DESK.form, known)[0].findings] == found
