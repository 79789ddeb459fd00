"""What stands in a file beside its answers: told where the owner wrote it, and never where we did."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from intake.answers import read_answers
from intake.around import MOST, SHOWN, with_oddities, written_elsewhere
from intake.former import Former
from intake.locate import locate
from intake.package import Package
from intake.plain import hidden_rows
from intake.reader import SheetCells, Workbook, read_workbook
from intake.submission import SheetAnswers, Submission
from templates.texts import workbook_texts
from tests.desk import RECIPIENT, Desk
from tests.hostile import DESK, good, plus
from validation.check import find

MAIN, UNITS, BUDGET = (DESK.form.sheets[key].label["nb"] for key in ("skjema", "virksomheter", "budsjett"))
Told = list[tuple[str, str, str]]
Rows = list[list[object]]
Edit = Callable[[dict[str, Rows]], object]
READ = read_workbook(Package(good()))


def looked_over(edit: Edit, formulas: Mapping[str, str] | None = None) -> dict[str, SheetAnswers]:
    """The sheets of a filled-in workbook after an edit of its cells, read and looked over."""
    rows = {sheet.name: [list(row) for row in sheet.rows] for sheet in READ.sheets}
    edit(rows)
    sheets = [SheetCells(name, rows[name], lambda cell: (formulas or {}).get(cell, "")) for name in rows]
    places = locate(Workbook(sheets, READ.properties), DESK.form, workbook_texts())
    recoded = Former(DESK.form, DESK.form.version).recoded
    answers = read_answers(DESK.form, places, RECIPIENT, recoded, is_1904=False)
    return with_oddities(DESK.form, places, answers, workbook_texts())


def told(edit: Edit, formulas: Mapping[str, str] | None = None) -> Told:
    looked = looked_over(edit, formulas)
    return [(one.kind, one.cell, one.text) for sheet in looked.values() for one in sheet.oddities]


def place(cell: str) -> tuple[int, int]:
    """Row and column, counted from 0."""
    return int(cell[1:]) - 1, ord(cell[0]) - ord("A")


def put(tab: str, **cells: object) -> Edit:
    def write(rows: dict[str, Rows]) -> None:
        for cell, value in cells.items():
            row, column = place(cell)
            lines = rows[tab]
            lines += [[] for _ in range(row + 1 - len(lines))]
            lines[row] += [""] * (column + 1 - len(lines[row]))
            lines[row][column] = value

    return write


OTHER = {"nb": "Barnehager", "nn": "Barnehagar"}


def nothing(_rows: dict[str, Rows]) -> None: ...


OUTSIDE: dict[str, tuple[Edit, Told]] = {
    "beside a table": (put(UNITS, P9="Ny fra høsten"), [("outside", "P9", "Ny fra høsten")]),
    "numbers and a date": (
        put(UNITS, N7=4.0, O7=2.5, P7=date(2024, 2, 1)),
        [("outside", "N7", "4"), ("outside", "O7", "2.5"), ("outside", "P7", "01.02.2024")],
    ),
    "a heading and a word in a row of its own above the answers": (
        put(UNITS, N5="Avdeling", N2="Se her"), [("outside", "N2", "Se her"), ("outside", "N5", "Avdeling")]
    ),
    "below the questions, in the column of answers": (put(MAIN, C120="Mer"), [("outside", "C120", "Mer")]),
    "below the budget, in its columns": (put(BUDGET, C30=5), [("outside", "C30", "5")]),
    "a text of two lines that is too long": (
        put(UNITS, N7="a\nb " + "c" * 100), [("outside", "N7", "a b " + "c" * (SHOWN - 5) + "…")]
    ),
    "the number of a person": (put(UNITS, N7="158195 67872"), [("outside", "N7", "•" * 12)]),
    "blanks, and what we write ourselves": (put(UNITS, N7="   ", O7="Status", P7="Org.nr."), []),
}  # fmt: skip


@pytest.mark.parametrize("where", OUTSIDE)
def test_what_is_written_where_nothing_is_read_is_told_with_its_cell(where: str) -> None:
    edit, expected = OUTSIDE[where]

    assert told(edit) == expected


def test_a_row_between_questions_is_the_owners() -> None:
    def edit(rows: dict[str, Rows]) -> None:
        rows[MAIN].insert(19, ["", "Avdeling", "Maur"])

    assert told(edit) == [("outside", "B20", "Avdeling"), ("outside", "C20", "Maur")]


def test_a_column_put_into_a_table_is_the_owners_and_the_answers_move_along() -> None:
    def edit(rows: dict[str, Rows]) -> None:
        for line in rows[UNITS]:
            line.insert(3, "")
        put(UNITS, D5="Avdeling", D7="Maur")(rows)

    before, after = looked_over(nothing)["virksomheter"], looked_over(edit)["virksomheter"]

    assert [(one.kind, one.cell) for one in after.oddities] == [("outside", "D5"), ("outside", "D7")]
    values = [[{key: one.value for key, one in row.answers.items()} for row in read.rows] for read in (before, after)]
    assert values[0] == values[1]


def test_of_a_sheet_full_of_notes_only_some_are_kept() -> None:
    cells = {f"{column}{row}": "x" for column in "NOP" for row in range(7, 107)}

    assert len(told(put(UNITS, **cells))) == MOST


def test_one_finding_a_sheet_tells_the_first_texts_and_every_cell(tmp_path: Path) -> None:
    submission = DESK.take_in(tmp_path / "svar.xlsx", good())
    assert isinstance(submission, Submission)
    noted = submission.with_sheets(looked_over(put(UNITS, N7="a", N8="b", N9="c", N10="d")))

    found = [one for one in find(DESK.form, [noted])[0] if one.rule == "C28"]

    assert [(one.severity, one.sheet, one.cells, one.written) for one in found] == [
        ("warning", UNITS, ("N7:N10",), "a")
    ]
    assert "«a», «b», «c» … står utenfor" in found[0].message["nb"]


def test_a_sum_is_told_when_it_is_wrong_and_no_formula() -> None:
    cell = DESK.layout["budsjett"].cell("y2024", "SUM_TILSKUDD")
    line = next(row for row in looked_over(nothing)["budsjett"].rows if row.key == "SUM_TILSKUDD")

    assert told(put(BUDGET, **{cell: 12})) == [("total", cell, "12")]
    assert told(put(BUDGET, **{cell: "ca. 100"})) == [("total", cell, "ca. 100")]
    assert told(put(BUDGET, **{cell: line.answers["y2024"].value})) == []
    assert told(put(BUDGET, **{cell: 12}), {cell: "C7"}) == [], "an old result of our formula, or the owner's own"


def test_a_label_and_a_heading_that_were_rewritten_are_told() -> None:
    label = f"B{DESK.layout['skjema'].rows['tiltak_tema']}"

    assert told(put(MAIN, **{label: "Tema"})) == [("label", label, "Tema")]
    assert told(put(UNITS, C5="Nummer")) == [("label", "C5", "Nummer")]
    assert told(put(BUDGET, B8="Reise")) == [("label", "B8", "Reise")]


def test_nothing_is_told_of_the_words_in_a_workbook_of_an_older_version(tmp_path: Path) -> None:
    newer = Desk(DESK.folder)
    newer.recipients = DESK.recipients
    renamed = {**DESK.form.sheets, "virksomheter": DESK.form.sheets["virksomheter"].model_copy(update={"label": OTHER})}
    changes = {"version": "2025.1", "accepts": (DESK.form.version,), "sheets": renamed}
    newer.form = replace(newer.form, file=newer.form.file.model_copy(update=changes))

    found = newer.take_in(tmp_path / "svar.xlsx", good())

    assert isinstance(found, Submission)
    assert [sheet.oddities for sheet in found.sheets.values() if sheet.oddities] == []


def test_a_row_is_hidden_by_its_own_tag() -> None:
    xml = (
        b'<row r="4" spans="1:9" hidden="1"><c r="A4"/></row><x:row hidden="true" r="7"/>'
        b'<row r="8" hidden="0"/><row r="9"><c r="A9" hidden="1"/></row>'
    )

    assert hidden_rows(xml) == {4, 7}


# in tabs of the owner's own, and in text boxes


def test_a_tab_of_the_owners_own_is_told_by_its_name_and_its_first_words() -> None:
    places = locate(READ, DESK.form, workbook_texts())
    theirs = [
        SheetCells("Kommentarer", [[], ["", " "], ["", "Ring meg", "om dette"]]),
        SheetCells("Ark1", [["", ""]]),
        SheetCells("Tillegg fra et program", [["x"]], is_shown=False),
        replace(READ.sheets[0], name="Veiledning (2)"),
    ]

    found = written_elsewhere(DESK.form, replace(READ, sheets=[*READ.sheets, *theirs]), places, workbook_texts())

    assert [(one.kind, one.text) for one in found] == [("elsewhere", "Kommentarer: Ring meg")]
    assert written_elsewhere(DESK.form, READ, places, workbook_texts()) == ()


def test_what_stands_in_a_text_box_is_asked_about_as_a_whole(tmp_path: Path) -> None:
    box = "<x:sp><x:txBody><a:p><a:r><a:t>Vi søker</a:t></a:r><a:r><a:t>2 &amp; 3</a:t></a:r></a:p></x:txBody></x:sp>"
    drawing = f'<x:wsDr xmlns:x="x" xmlns:a="a">{box}<x:sp><x:txBody/></x:sp></x:wsDr>'

    taken = DESK.take_in(tmp_path / "svar.xlsx", plus("xl/drawings/drawing1.xml", drawing.encode()))

    assert isinstance(taken, Submission)
    (finding,) = [one for one in find(DESK.form, [taken])[0] if one.rule == "C28"]
    assert (finding.sheet, finding.cells) == ("", ())
    assert finding.message["nn"].startswith("«Vi søker 2 & 3» står utanfor felta vi les.")
