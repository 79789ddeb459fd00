"""A formula that was never calculated is no empty cell."""

import io
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl

from intake.submission import Answer, Refused, Submission
from tests.conftest import Office
from tests.test_libreoffice import OWNER, TYPES
from validation.check import judge

SENT = TYPES.send(OWNER)
EMPTY = (None, "formula_without_value")


def written(**cells: Any) -> bytes:  # noqa: ANN401 - anything a cell holds
    """The workbook with these cells, by their path with __ for a dot, saved by a program that does not calculate."""
    workbook = openpyxl.load_workbook(io.BytesIO(SENT))
    for path, value in cells.items():
        tab, cell = TYPES.cell(path.replace("__", "."), OWNER.language)
        workbook[tab][cell] = value
    saved = io.BytesIO()
    workbook.save(saved)
    return saved.getvalue()


def taken(folder: Path, content: bytes) -> Submission:
    found = TYPES.take_in(folder / "svar.xlsx", content)
    assert isinstance(found, Submission), found
    return found


def read(answer: Answer | None) -> tuple[Any, str | None]:
    assert answer is not None
    return answer.value, answer.problem


def test_a_formula_without_a_result_is_told_and_not_taken_for_empty(tmp_path: Path) -> None:
    submission = taken(tmp_path, written(svar__belop="=100000+25000", svar__tekst="Ask"))

    assert read(submission.answer("svar.belop")) == EMPTY
    findings = [finding for finding in judge([submission], TYPES.form)[0].findings if finding.rule == "formula"]
    assert [(finding.severity, finding.questions) for finding in findings] == [("error", ("belop",))]


def test_a_row_of_formulas_below_all_others_is_a_row(tmp_path: Path) -> None:
    content = written(rader__1__heltall=3, rader__9__heltall="=1+1", rader__9__dato=date(2024, 2, 29))

    rows = taken(tmp_path, content).sheets["rader"].rows

    first = TYPES.layout["rader"].first_row
    assert [row.number for row in rows] == [first, first + 8]
    assert read(rows[1].answers["heltall"]) == EMPTY


def test_our_own_formulas_are_no_answers(tmp_path: Path) -> None:
    path = tmp_path / "svar.xlsx"

    found = TYPES.take_in(path, written())

    assert isinstance(found, Refused)
    assert found.reason == "empty_return"


def test_a_formula_with_a_result_is_read(soffice: Office, tmp_path: Path) -> None:
    (tmp_path / "inn").mkdir()
    (tmp_path / "inn" / "svar.xlsx").write_bytes(written(svar__belop="=100000+25000"))
    made = soffice.convert(tmp_path / "inn" / "svar.xlsx", "xlsx", tmp_path)

    assert read(taken(tmp_path, made.read_bytes()).answer("svar.belop")) == (125_000, None)
