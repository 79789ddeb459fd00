"""Workbooks that real programs have filled and saved are read with every answer right."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from intake.submission import Answer, Refused, Submission
from tests.conftest import Office
from tests.survival import PROGRAMS, Case, Program, cases, features, kept, run
from tests.test_libreoffice import answers
from validation.check import judge
from validation.findings import Finding

pytestmark = pytest.mark.slow

PAGE = Path(__file__).parent.parent / "docs" / "programs.md"
CASES = {case.name: case for case in cases()}
FILLED = [name for name in CASES if name != "untouched"]
IN_CI = os.environ.get("BEHOV_REQUIRE_ALL") == "1"
TAKEN_FOR_OTHERS = re.compile(r"=|#N/A$")  # texts that pandas writes as formulas and errors


@dataclass(frozen=True)
class Filled:
    """What one program made of every case."""

    program: Program
    folder: Path
    saved: dict[str, Path]

    def taken(self, case: Case, *, by_us: bool = False) -> Submission | Refused:
        path = self.folder / f"{case.name}-ours.xlsx" if by_us else self.saved[case.name]
        return case.desk.take_in(path, path.read_bytes())

    def both(self, case: Case) -> tuple[Submission, Submission]:
        """What we read when we filled it in, and when the program did."""
        ours, theirs = self.taken(case, by_us=True), self.taken(case)
        assert isinstance(ours, Submission)
        assert isinstance(theirs, Submission), theirs
        return ours, theirs


@pytest.fixture(
    scope="module",
    params=[program for program in PROGRAMS if program.in_ci or not IN_CI or not program.missing()],
    ids=lambda program: program.name,
)
def filled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Filled:
    program: Program = request.param
    if reason := program.missing():
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("program")
    return Filled(program, folder, run(program, list(CASES.values()), folder))


def each(submission: Submission) -> dict[tuple[str, int, str, str], Answer]:
    return {
        (key, row.number, row.key, name): answer
        for key, sheet in submission.sheets.items()
        for row in sheet.rows
        for name, answer in row.answers.items()
    }


def changed(ours: Submission, theirs: Submission) -> list[tuple[Answer, Answer | None]]:
    read = each(theirs)
    return [
        (answer, read.get(place))
        for place, answer in each(ours).items()
        if place not in read or (read[place].value, read[place].problem) != (answer.value, answer.problem)
    ]


@pytest.mark.parametrize("name", FILLED)
def test_the_identity_is_found(filled: Filled, name: str) -> None:
    ours, theirs = filled.both(CASES[name])

    assert (theirs.report, theirs.recipient) == (ours.report, ours.recipient)
    assert (theirs.form, theirs.version, theirs.language) == (ours.form, ours.version, ours.language)


@pytest.mark.parametrize("name", FILLED)
def test_nothing_of_ours_is_taken_for_something_the_owner_wrote(filled: Filled, name: str) -> None:
    _, theirs = filled.both(CASES[name])

    assert [one for sheet in theirs.sheets.values() for one in sheet.oddities] == []


@pytest.mark.parametrize("name", FILLED)
def test_every_answer_is_found_or_told_to_be_unreadable(filled: Filled, name: str) -> None:
    ours, theirs = filled.both(CASES[name])

    if filled.program.name != "pandas":
        assert answers(theirs) == answers(ours)
    for before, after in changed(ours, theirs):
        assert TAKEN_FOR_OTHERS.match(before.raw)
        assert after is not None
        assert after.problem in ("formula_without_value", "error_cell")
    assert each(theirs).keys() == each(ours).keys()


def told(case: Case, submission: Submission) -> tuple[str, list[Finding]]:
    """The outcome and what the owner must hear; that we read a date without its format is only said."""
    verdict = judge([submission], case.desk.form)[0]
    return verdict.outcome, [finding for finding in verdict.findings if finding.severity != "info"]


@pytest.mark.parametrize("name", FILLED)
def test_the_verdict_is_the_same(filled: Filled, name: str) -> None:
    ours, theirs = filled.both(CASES[name])
    outcome, expected = told(CASES[name], ours)

    ended, found = told(CASES[name], theirs)

    assert ended == outcome
    assert [finding for finding in expected if finding not in found] == []
    more = {finding.rule for finding in found if finding not in expected}
    assert more <= ({"formula", "error_cell"} if changed(ours, theirs) else set())


def test_a_workbook_only_opened_and_saved_is_known_to_be_empty(filled: Filled) -> None:
    taken = filled.taken(CASES["untouched"])

    assert isinstance(taken, Refused)
    assert (taken.outcome, taken.reason) == ("empty", "empty_return")


# the workbook that is left


def control(workbook: Path) -> list[tuple[Any, ...]]:
    sheet = openpyxl.load_workbook(workbook, data_only=True)["Kontroll"]
    return [row for row in sheet.iter_rows(min_col=2, max_col=5, values_only=True) if any(row)]


@pytest.fixture(scope="module")
def expected_control(soffice: Office, tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Any, ...]]:
    folder = tmp_path_factory.mktemp("calculated")
    (folder / "sent.xlsx").write_bytes(CASES["long"].filled())
    (folder / "made").mkdir()
    return control(soffice.convert(folder / "sent.xlsx", "xlsx", folder / "made"))


def test_kontroll_says_the_same_when_it_is_calculated_again(
    filled: Filled, soffice: Office, expected_control: list[tuple[Any, ...]], tmp_path: Path
) -> None:
    said = control(soffice.convert(filled.saved["long"], "xlsx", tmp_path))

    assert any("gjenstår" in str(cell) for row in expected_control for cell in row)
    assert (said == expected_control) is filled.program.keeps_formulas


def published() -> dict[str, dict[str, str]]:
    """The table of docs/programs.md: what each program keeps."""
    table = PAGE.read_text(encoding="utf-8").partition("| kept after")[2].partition("\n\n")[0]
    head, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    return {name: {row[0]: row[column] for row in rows} for column, name in enumerate(head) if column}


def test_the_table_in_the_docs_is_right(filled: Filled) -> None:
    before = features(filled.folder / "long-ours.xlsx", CASES["long"])

    left = kept(before, features(filled.saved["long"], CASES["long"]))

    assert all(before.values())
    assert published()[filled.program.name] == left
