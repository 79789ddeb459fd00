"""What stands in a file beside its answers: told where the owner wrote it, and never where we did."""

import io
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

import openpyxl
import pytest
from openpyxl.comments import Comment

from intake.answers import read_answers
from intake.around import MOST, SHOWN, with_oddities
from intake.former import Former
from intake.locate import locate
from intake.notes import OwnersNotes
from intake.package import Package
from intake.plain import hidden_columns, hidden_rows, merged_cells
from intake.reader import SheetCells, Workbook, read_workbook
from intake.submission import SheetAnswers, Submission
from intake.tabs import OurTabs
from templates.grants import Grant
from templates.texts import workbook_texts
from tests.desk import RECIPIENT, Desk
from tests.hostile import DESK, edited, good, owner, packed, parts, plus
from validation.check import find

MAIN, UNITS, BUDGET = (DESK.form.sheets[key].label["nb"] for key in ("skjema", "virksomheter", "budsjett"))
Told = list[tuple[str, str, str]]
Rows = list[list[object]]
Edit = Callable[[dict[str, Rows]], object]
READ = read_workbook(Package(good()))
TABS = OurTabs(DESK.form, workbook_texts())


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


def test_a_column_is_hidden_by_its_own_tag_and_cells_are_merged_by_theirs() -> None:
    xml = (
        b'<cols><col max="3" hidden="1" min="2"/><x:col min="5" max="16384" width="9" hidden="true"/>'
        b'<col min="1" max="1" hidden="0"/></cols><mergeCells count="2"><mergeCell ref="C7:D9"/>'
        b'<x:mergeCell ref="$A$1:$B$2"/></mergeCells>'
    )

    assert hidden_columns(xml) == {1, 2, *range(4, 26 + 26 * 26)}
    assert merged_cells(xml) == ["C7:D9", "A1:B2"]


# what the spreadsheet does not show, and what stands in notes

GOAL = DESK.layout["skjema"].cell("mal")
THREAD = (
    '<ThreadedComments xmlns="x"><threadedComment ref="{cell}" id="1"><text>Hva er &lt;mål&gt;?</text>'
    '</threadedComment><threadedComment ref="{cell}" parentId="1"><text>Spør fylket</text></threadedComment>'
    "</ThreadedComments>"
)
OLDER = (
    '<comments xmlns="x"><commentList><comment ref="{cell}"><text><t>[Tråd] Excel …</t></text></comment></commentList>'
    "</comments>"
)
LINKS = (
    '<Relationships><Relationship Id="r1" Type="x/threadedComment" Target="/xl/threadedComments/threadedComment1.xml"/>'
    '<Relationship Id="r2" Type="x/comments" Target="../comments1.xml"/></Relationships>'
)


def asked(tmp_path: Path, content: bytes) -> list[tuple[str, str, tuple[str, ...], str]]:
    """What is asked about a file beyond its answers: part of the rule, tab, cells, the first words that stand there."""
    taken = DESK.take_in(tmp_path / "svar.xlsx", content)
    assert isinstance(taken, Submission)
    return [
        (one.part, one.sheet, one.cells, one.written[:16]) for one in find(DESK.form, [taken])[0] if one.rule == "C28"
    ]


def test_merged_cells_hidden_answers_and_notes_are_told_with_their_cells(tmp_path: Path) -> None:
    goal = int(GOAL[1:])

    def edit(book: openpyxl.Workbook) -> None:
        book[MAIN].row_dimensions[goal].hidden = True
        book[MAIN][GOAL].comment = Comment("Kari:\nHva menes?", "Kari")
        book[MAIN].merge_cells(f"C{goal + 1}:D{goal + 1}")  # one answer, and no other
        book[UNITS].merge_cells("C7:D8")
        book[UNITS].column_dimensions["C"].hidden = True
        book[BUDGET].sheet_state = "hidden"
        book["Kontroll"]["B2"].comment = Comment("Uklart", "Kari")

    assert asked(tmp_path, edited(edit)) == [
        ("skjult", MAIN, (GOAL,), "Alle avdelinger "),
        ("kommentar", MAIN, (GOAL,), "Kari: Hva menes?"),
        ("skjult", UNITS, ("C7:C9",), "998000017"),
        ("slatt_sammen", UNITS, ("C8", "D7:D8"), ""),
        ("skjult_fane", BUDGET, (), BUDGET),
        ("", "", (), "Kontroll B2: Ukl"),
    ]


def test_of_a_thread_what_was_said_is_told_and_not_what_older_programs_show(tmp_path: Path) -> None:
    more = {
        "xl/worksheets/_rels/sheet2.xml.rels": LINKS,
        "xl/threadedComments/threadedComment1.xml": THREAD.format(cell=GOAL),
        "xl/comments1.xml": OLDER.format(cell=GOAL),
    }

    told = asked(tmp_path, packed({**parts(), **{name: text.encode() for name, text in more.items()}}))

    assert told == [("kommentar", MAIN, (GOAL,), "Hva er <mål>? Sp")]


def test_a_note_of_ours_is_not_the_owners_but_what_was_added_to_it_is() -> None:
    owners = OwnersNotes(DESK.form, workbook_texts())
    own = [
        workbook_texts().say("marked_asks", code, message=rule.message[code].replace("{", "").replace("}", ""))
        for code in DESK.form.languages
        for rule in DESK.form.rules
    ]

    assert [note for note in own if owners.theirs(note)] == []
    assert owners.theirs(f"{own[0]}\n\n{own[1]}\nVi mener ja.") == "Vi mener ja."
    assert owners.theirs("Spørsmål: Gjelder dette oss?") == "Spørsmål: Gjelder dette oss?"


# in tabs of the owner's own, and in text boxes


def test_a_tab_of_the_owners_own_is_told_by_its_name_and_its_first_words() -> None:
    places = locate(READ, DESK.form, workbook_texts())
    theirs = [
        SheetCells("Kommentarer", [[], ["", " "], ["", "Ring meg", "om dette"]]),
        SheetCells("Ark1", [["", ""]]),
        SheetCells("Tillegg fra et program", [["x"]], is_shown=False),
        replace(READ.sheets[0], name="Veiledning (2)"),
    ]

    found = TABS.written_elsewhere(replace(READ, sheets=[*READ.sheets, *theirs]), places)

    assert [(one.kind, one.text) for one in found] == [("elsewhere", "Kommentarer: Ring meg")]
    assert TABS.written_elsewhere(READ, places) == ()


GUIDE, CONTROL, FIRST = "Veiledning", "Kontroll", "xl/worksheets/sheet1.xml"
LINE = {"B15": MAIN, "C15": "C8", "D15": "Må rettes", "E15": "Velg kompetanseordning."}  # of the list on Kontroll


def told_elsewhere(edit: Edit, read: Workbook = READ) -> list[str]:
    rows = {sheet.name: [list(row) for row in sheet.rows] for sheet in read.sheets}
    edit(rows)
    edited_ = replace(read, sheets=[replace(sheet, rows=rows[sheet.name]) for sheet in read.sheets])
    places = locate(edited_, DESK.form, workbook_texts())
    return [one.text for one in TABS.written_elsewhere(edited_, places) if one.kind == "elsewhere"]


ELSEWHERE: dict[str, tuple[Edit, list[str]]] = {
    "below the guide, beside it and between its lines": (
        put(GUIDE, B60="Vi trenger mer tid", D7=4.0, B10="Se her"),
        ["Veiledning D7: 4", "Veiledning B10: Se her", "Veiledning B60: Vi trenger mer tid"],
    ),
    "over a line of the guide": (put(GUIDE, B9="Gjelder oss ikke"), ["Veiledning B9: Gjelder oss ikke"]),
    "after a line of the guide, in its cell": (
        put(GUIDE, B44="– Om meldingen kom i tide. Den gjorde det."),
        ["Veiledning B44: – Om meldingen kom i tide. Den gjorde det."],
    ),
    "the guide as a program or a person may have rewritten it": (
        put(GUIDE, B6="HVA ER DETTE? ", B12="Vi må ha meldingen  senest\r\n5.2.2024 kl. 12.00. Send den gjerne før.",
            B5="Dere har fått tilskudd før:\n– Språk (2023), referanse 23/17", B38="Kontoret under et annet navn"), [],
    ),
    "beside and below the list on Kontroll": (
        put(CONTROL, D8="Ferdig", **LINE, F15="Rettet", B90=12),
        ["Kontroll D8: Ferdig", "Kontroll F15: Rettet", "Kontroll B90: 12"],
    ),
    "Kontroll as a program counts and lists it": (
        put(CONTROL, A4=2, B3="12 opplysninger gjenstår", C7=12,
            B4="Vi har også 2 spørsmål. De hindrer dere ikke i å sende inn.", **LINE), [],
    ),
}  # fmt: skip


@pytest.mark.parametrize("where", ELSEWHERE)
def test_words_on_the_guide_and_on_kontroll_are_told_and_never_ours(where: str) -> None:
    edit, expected = ELSEWHERE[where]

    assert told_elsewhere(edit) == expected


def test_nothing_on_our_tabs_is_taken_for_the_owners_in_nynorsk() -> None:
    nynorsk = replace(RECIPIENT, language="nn", grants=(Grant("1/23", RECIPIENT.orgnr, "Språk", "2023", 1000),))
    read = read_workbook(Package(DESK.send(nynorsk)))

    assert told_elsewhere(nothing, read) == []
    assert "De har fått tilskot før:" in str(read.sheets[0].rows)


def test_a_workbook_with_words_on_the_guide_alone_is_not_empty(tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(DESK.send(DESK.recipients[owner()]))) as sent:
        contents = {name: sent.read(name) for name in sent.namelist()}
    cell = '<row r="60"><c r="B60" t="inlineStr"><is><t>Vi har ikke behov i år</t></is></c></row></sheetData>'
    contents[FIRST] = contents[FIRST].replace(b"</sheetData>", cell.encode())

    taken = DESK.take_in(tmp_path / "svar.xlsx", packed(contents))

    assert isinstance(taken, Submission)
    (finding,) = [one for one in find(DESK.form, [taken])[0] if one.rule == "C28"]
    assert finding.message["nb"].startswith("«Veiledning B60: Vi har ikke behov i år» står utenfor feltene vi leser.")


def test_what_stands_in_a_text_box_is_asked_about_as_a_whole(tmp_path: Path) -> None:
    box = "<x:sp><x:txBody><a:p><a:r><a:t>Vi søker</a:t></a:r><a:r><a:t>2 &amp; 3</a:t></a:r></a:p></x:txBody></x:sp>"
    drawing = f'<x:wsDr xmlns:x="x" xmlns:a="a">{box}<x:sp><x:txBody/></x:sp></x:wsDr>'

    taken = DESK.take_in(tmp_path / "svar.xlsx", plus("xl/drawings/drawing1.xml", drawing.encode()))

    assert isinstance(taken, Submission)
    (finding,) = [one for one in find(DESK.form, [taken])[0] if one.rule == "C28"]
    assert (finding.sheet, finding.cells) == ("", ())
    assert finding.message["nn"].startswith("«Vi søker 2 & 3» står utanfor felta vi les.")
