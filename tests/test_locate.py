"""Whose workbook it is and where its answers now sit, after all that people do to a workbook.

No edit may lead to a wrong answer: either every answer is read as it was written, or the
workbook is put aside with a reason.
"""

import io
import logging
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from openpyxl.utils import absolute_coordinate
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

import intake.receive
from intake.reader import UnreadableWorkbookError
from intake.receive import Office, receive
from intake.submission import Refused, Return, Submission, Value
from templates.form import Form, TableSheet
from templates.layout import MARKER_ROW, answer_name
from templates.recipients import Recipient
from templates.stamp import make_stamp
from templates.texts import load_texts
from tests.desk import KEY, RECIPIENT, Desk

FORMS = Path(__file__).parent / "forms"
DESK = Desk(FORMS / "alle_typer")
FORM = DESK.form
CODE = make_stamp(FORM, "ALLE-0001-1", RECIPIENT.orgnr, KEY).code
REASONS = load_texts(Path(intake.receive.__file__).with_name("texts.toml"))

ANSWERS: dict[str, Any] = {
    "svar": {
        "tekst": "Vårtrekket", "lang_tekst": "Linje én\nlinje to", "heltall": 17, "belop": 125_000, "desimaltall": 3.25,
        "prosent": 0.42, "dato": date(2024, 5, 17), "epost": "post@maake.example", "telefon": "22334455",
        "orgnr": "974760673", "sted": "3301", "ja_nei": "Ja", "gruppe": "VAD", "fugl": "TJELD", "ar": "2",
    },
    "rader": [
        {"enhet": f"Reir {number}", "sted": "0301", "heltall": number, "belop": 1000 + number, "gruppe": "SPURV",
         "dato": date(2024, 1, number), "lang_tekst": f"Rad {number}", "ja_nei": "Nei", "telefon": f"2200000{number}"}
        for number in range(1, 6)
    ],
    "rutenett": {
        "REISE": {"forste": 11, "andre": 12, "heltall": 13, "merknad": "tog"},
        "MAT": {"forste": 21, "andre": 22, "heltall": 23, "merknad": "niste"},
        "EGET": {"forste": 31, "andre": 32, "heltall": 33, "merknad": "dugnad"},
    },
}  # fmt: skip

Change = Callable[[Worksheet], None]
Edit = Callable[[Workbook], None]
Read = dict[str, list[tuple[str, dict[str, Value]]]]


@cache
def filled(language: str = "nb") -> bytes:
    return DESK.fill(ANSWERS, replace(RECIPIENT, type="VAD", language=language))


def edited(edit: Edit, content: bytes | None = None) -> bytes:
    """The workbook after somebody has changed more in it than its answers."""
    workbook = openpyxl.load_workbook(io.BytesIO(content or filled()))
    edit(workbook)
    buffer = io.BytesIO()
    workbook.save(buffer)
    return buffer.getvalue()


def rewritten(content: bytes, changes: dict[str, str]) -> bytes:
    """The workbook with texts changed wherever they stand, in properties and footers too."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        for entry in source.infolist():
            text = source.read(entry).decode()
            for old, new in changes.items():
                text = text.replace(old, new)
            target.writestr(entry, text)
    return buffer.getvalue()


def taken(folder: Path, content: bytes) -> Submission:
    found = DESK.take_in(folder / "svar.xlsx", content)
    assert isinstance(found, Submission), found
    return found


def refused(folder: Path, content: bytes, office: Office | None = None) -> Refused:
    path = folder / "svar.xlsx"
    path.write_bytes(content)
    found = receive(Return(path, "0" * 64, DESK.in_time), office or DESK.office)
    assert isinstance(found, Refused), found
    return found


def values(submission: Submission) -> Read:
    return {
        key: [(row.key, {name: answer.value for name, answer in row.answers.items()}) for row in sheet.rows]
        for key, sheet in submission.sheets.items()
    }


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Read:
    return values(taken(tmp_path_factory.mktemp("before"), filled()))


# edits that lose nothing


def each_sheet(*changes: Change) -> Edit:
    """Change every sheet that has answers."""

    def edit(workbook: Workbook) -> None:
        for sheet in FORM.sheets.values():
            on(sheet.label["nb"], *changes)(workbook)

    return edit


def on(tab: str, *changes: Change) -> Edit:
    def edit(workbook: Workbook) -> None:
        for change in changes:
            change(workbook[tab])

    return edit


def rename(workbook: Workbook) -> None:
    for number, sheet in enumerate(list(workbook.worksheets)):
        sheet.title = f"Ark {number}"


def reorder(workbook: Workbook) -> None:
    for sheet in list(workbook.worksheets):
        workbook.move_sheet(sheet, -10)


def show_all(workbook: Workbook) -> None:
    for sheet in workbook.worksheets:
        sheet.sheet_state = "visible"
        sheet.column_dimensions["A"].hidden = False
        sheet.protection.sheet = False


def delete_hidden(workbook: Workbook) -> None:
    for name in ("_lister", "_stempel"):
        del workbook[name]


def delete_properties(workbook: Workbook) -> None:
    workbook.properties.subject = workbook.properties.keywords = None
    del workbook.custom_doc_props["skjemakode"]  # type: ignore[attr-defined]  # the stubs lack it


def put(cell: str, value: str | None) -> Change:
    def change(sheet: Worksheet) -> None:
        sheet[cell].value = value

    return change


def delete_keys(sheet: Worksheet) -> None:
    sheet.delete_cols(1)


def clear_keys(sheet: Worksheet) -> None:
    """Empty the key column below the marker row, as one who tidies up."""
    for row in range(MARKER_ROW + 1, sheet.max_row + 1):
        sheet.cell(row, 1).value = None


def shout(sheet: Worksheet) -> None:
    """Write labels in capitals and with odd blanks."""
    labels = [] if sheet.title == "Rader" else sheet["B"][MARKER_ROW:]
    for cell in {*labels, *sheet[MARKER_ROW + 1][1:]}:
        if cell.value:
            cell.value = f" {str(cell.value).upper()}  "


def dashes(sheet: Worksheet) -> None:
    for cell in (sheet["A1"], sheet["B2"]):
        cell.value = str(cell.value).replace("-", " – ")


def with_gaps(sheet: Worksheet) -> None:
    for row in (8, 9, 12):
        sheet.insert_rows(row, 2)


def copy_tab(workbook: Workbook) -> None:
    workbook.copy_worksheet(workbook["Rader"]).title = "Rader (2)"


def copy_tab_and_write(workbook: Workbook) -> None:
    copy_tab(workbook)
    workbook["Rader (2)"]["B7"].value = "Noe annet"


def drag(sheet: Worksheet, question: str, to: str) -> None:
    """Cut an answer and put it elsewhere, as a spreadsheet does: its name goes along."""
    book = sheet.parent
    assert isinstance(book, Workbook)
    cell = sheet[DESK.layout["svar"].cell(question)]
    sheet[to].value, cell.value = cell.value, None
    book.defined_names[answer_name("svar", question)].attr_text = f"'{sheet.title}'!{absolute_coordinate(to)}"


KEEPING: dict[str, Edit] = {
    "saved by another program": lambda _: None,
    "tabs renamed": rename,
    "tabs in another order": reorder,
    "everything shown and unprotected": show_all,
    "hidden sheets deleted": delete_hidden,
    "document properties emptied": delete_properties,
    "guide deleted": lambda workbook: workbook.remove(workbook.worksheets[0]),
    "a row above everything": each_sheet(lambda sheet: sheet.insert_rows(1, 3)),
    "a row between questions": on("Svar", lambda sheet: sheet.insert_rows(20)),
    "rows between the rows of a table": on("Rader", with_gaps),
    "a row between the rows of a grid": on("Rutenett", lambda sheet: sheet.insert_rows(8)),
    "a column before everything": each_sheet(lambda sheet: sheet.insert_cols(1)),
    "a column before the labels": each_sheet(lambda sheet: sheet.insert_cols(2)),
    "a column before the answers": each_sheet(lambda sheet: sheet.insert_cols(3)),
    "a column in the middle of a table": on("Rader", lambda sheet: sheet.insert_cols(8, 2)),
    "keys emptied": each_sheet(clear_keys),
    "key column deleted": each_sheet(delete_keys),
    "key column of the questions deleted": on("Svar", delete_keys),
    "marker row deleted": each_sheet(lambda sheet: sheet.delete_rows(MARKER_ROW)),
    "marker row and key column deleted": each_sheet(lambda sheet: sheet.delete_rows(MARKER_ROW), delete_keys),
    "everything above the headings deleted": each_sheet(lambda sheet: sheet.delete_rows(3, 2)),
    "heading of the columns deleted": each_sheet(lambda sheet: sheet.delete_rows(5)),
    "help of the columns deleted": on("Rader", lambda sheet: sheet.delete_rows(6)),
    "heading and help deleted": on("Rader", lambda sheet: sheet.delete_rows(5, 2)),
    "help and keys deleted": on("Rader", lambda sheet: sheet.delete_rows(6), delete_keys),
    "labels in capitals": each_sheet(shout),
    "labels in capitals and keys deleted": each_sheet(shout, delete_keys),
    "the code with other dashes": each_sheet(dashes),
    "a tab copied": copy_tab,
    "an answer dragged away from its row": on("Svar", lambda sheet: drag(sheet, "tekst", "G40")),
}


@pytest.mark.parametrize("name", KEEPING)
def test_an_edit_that_takes_no_answer_away_loses_none(tmp_path: Path, before: Read, name: str) -> None:
    after = taken(tmp_path, edited(KEEPING[name]))

    assert values(after) == before
    assert (after.report, after.recipient) == ("ALLE-0001-1", RECIPIENT.orgnr)


def test_a_workbook_without_keys_is_found_by_labels_in_either_language(tmp_path: Path, before: Read) -> None:
    def edit(workbook: Workbook) -> None:
        for sheet in FORM.sheets.values():
            delete_keys(workbook[sheet.label["nn"]])

    assert values(taken(tmp_path, edited(edit, filled("nn")))) == before


def test_answers_are_told_where_the_owner_sees_them(tmp_path: Path) -> None:
    def edit(workbook: Workbook) -> None:
        workbook["Svar"].insert_rows(1, 2)
        workbook["Svar"].insert_cols(2)
        workbook["Rader"].insert_rows(8)
        workbook["Rader"].title = "Mine rader"

    after = taken(tmp_path, edited(edit))

    answer = after.answer("svar.tekst")
    assert answer is not None
    column, row = "D", DESK.layout["svar"].rows["tekst"] + 2
    assert (answer.cell, after.sheets["svar"].places["tekst"]) == (f"{column}{row}", f"{column}{row}")
    table = after.sheets["rader"]
    assert table.name == "Mine rader"
    assert [row.number for row in table.rows] == [7, 9, 10, 11, 12]
    assert table.rows[1].answers["heltall"].cell == f"{DESK.layout['rader'].columns['heltall']}9"


def sorted_rows(sheet: Worksheet, first: int, last: int, column: int) -> None:
    """Turn rows upside down from a column on, as sorting does; what stands before stays."""
    rows = [[cell.value for cell in row] for row in sheet.iter_rows(first, last, column)]
    for row, content in zip(sheet.iter_rows(first, last, column), reversed(rows), strict=True):
        for cell, value in zip(row, content, strict=True):
            cell.value = value


@pytest.mark.parametrize("column", [1, 2], ids=["with the key column", "without the key column"])
def test_the_rows_of_a_table_may_be_sorted(tmp_path: Path, before: Read, column: int) -> None:
    after = taken(tmp_path, edited(on("Rader", lambda sheet: sorted_rows(sheet, 7, 11, column))))

    assert values(after)["rader"] == before["rader"][::-1]


def test_what_is_written_below_a_table_counts(tmp_path: Path, before: Read) -> None:
    table, place = FORM.sheets["rader"], DESK.layout["rader"]
    assert isinstance(table, TableSheet)
    rows: list[dict[str, Any]] = [{} for _ in range(table.rows + 2)]
    rows[-1] = {"enhet": "Utenfor", "heltall": 99}

    after = DESK.fill({"rader": [*ANSWERS["rader"], *rows[len(ANSWERS["rader"]) :]], "svar": {"tekst": "Måker"}})

    *first, last = taken(tmp_path, after).sheets["rader"].rows
    assert [row.number for row in first] == [7, 8, 9, 10, 11]
    assert last.number == place.last_row + 2
    assert (last.answers["enhet"].value, last.answers["heltall"].value) == ("Utenfor", 99)
    assert values(taken(tmp_path, after))["rader"][:-1] == before["rader"]


def test_an_owner_may_write_another_code_in_an_answer(tmp_path: Path) -> None:
    other = make_stamp(FORM, "ALLE-0002-1", RECIPIENT.orgnr, KEY).code
    content = DESK.fill({"svar": {"eier": other, "tekst": f"Bygger på {other}"}, "rader": [{"enhet": other}]})

    after = taken(tmp_path, content)

    assert after.report == "ALLE-0001-1"
    assert values(after)["rader"] == [("", {"enhet": other})]


# edits that leave doubt


def copy_row(sheet: Worksheet, row: int, to: int) -> None:
    sheet.insert_rows(to)
    for column, cell in enumerate(sheet[row], 1):
        sheet.cell(to, column).value = cell.value


def copy_column(sheet: Worksheet, column: int, to: int) -> None:
    sheet.insert_cols(to)
    for row in range(1, sheet.max_row + 1):
        sheet.cell(row, to).value = sheet.cell(row, column).value


def relabel(sheet: Worksheet) -> None:
    sheet.delete_cols(1)
    for row in range(7, 11):
        sheet.cell(row, 1).value = f"Noe annet {row}"


def swap_headings(sheet: Worksheet) -> None:
    sheet["H5"].value, sheet["I5"].value = sheet["I5"].value, sheet["H5"].value


def swap_question(sheet: Worksheet) -> None:
    """Put one question, label and all, where the key of another stands, and leave none of its own."""
    row, other = DESK.layout["svar"].rows["heltall"], DESK.layout["svar"].rows["belop"]
    for column in "BCD":
        sheet[f"{column}{row}"].value = sheet[f"{column}{other}"].value
    sheet.delete_rows(other)


NUMBER = DESK.layout["svar"].cell("nummer")
DOUBTFUL: dict[str, tuple[Edit, str]] = {
    "questions sorted without their keys": (on("Svar", lambda sheet: sorted_rows(sheet, 14, 20, 2)), "keys_moved"),
    "rows of a grid sorted without keys": (on("Rutenett", lambda sheet: sorted_rows(sheet, 7, 8, 2)), "keys_moved"),
    "headings of a table swapped": (on("Rader", swap_headings), "keys_moved"),
    "a question moved onto another": (on("Svar", swap_question), "keys_moved"),
    "a question copied": (on("Svar", lambda sheet: copy_row(sheet, 14, 15)), "keys_moved"),
    "a question copied without its key": (
        on("Svar", lambda sheet: copy_row(sheet, 14, 15), put("A15", None)),
        "keys_moved",
    ),
    "a row of a grid copied": (on("Rutenett", lambda sheet: copy_row(sheet, 7, 8)), "keys_moved"),
    "a column of a table copied": (on("Rader", lambda sheet: copy_column(sheet, 8, 9)), "keys_moved"),
    "a column of a grid copied": (on("Rutenett", lambda sheet: copy_column(sheet, 3, 4)), "keys_moved"),
    "the column of answers copied": (on("Svar", lambda sheet: copy_column(sheet, 3, 4)), "keys_moved"),
    "the column of answers deleted": (on("Svar", lambda sheet: sheet.delete_cols(3)), "sheets_missing"),
    "answers and keys deleted": (on("Svar", lambda sheet: sheet.delete_cols(3), delete_keys), "sheets_missing"),
    "labels of a grid rewritten and keys deleted": (on("Rutenett", relabel), "sheets_missing"),
    "most columns of a table deleted": (on("Rader", lambda sheet: sheet.delete_cols(4, 9)), "sheets_missing"),
    "a tab deleted": (lambda workbook: workbook.remove(workbook["Rader"]), "sheets_missing"),
    "a tab copied and filled in": (copy_tab_and_write, "two_forms"),
    "an answer dragged onto another": (
        on("Svar", lambda sheet: drag(sheet, "tekst", DESK.layout["svar"].cell("heltall"))), "answer_dragged"
    ),
    "the report's number written over": (on("Svar", put(NUMBER, "ALLE-0009-1")), "locked_changed"),
}  # fmt: skip


@pytest.mark.parametrize("name", DOUBTFUL)
def test_an_edit_that_leaves_doubt_goes_to_a_person(tmp_path: Path, name: str) -> None:
    edit, reason = DOUBTFUL[name]

    found = refused(tmp_path, edited(edit))

    assert (found.outcome, found.reason) == ("quarantined", reason)
    assert (found.report, found.recipient) == ("ALLE-0001-1", RECIPIENT.orgnr)


def test_the_reason_names_the_sheet_and_the_question_in_doubt(tmp_path: Path) -> None:
    found = refused(tmp_path, edited(DOUBTFUL["a question copied"][0]))
    assert found.details == {"sheet": "Svar", "label": "Tekst"}

    found = refused(tmp_path, edited(DOUBTFUL["rows of a grid sorted without keys"][0]))
    assert found.details == {"sheet": "Rutenett", "label": "Mat"}

    found = refused(tmp_path, edited(DOUBTFUL["a tab copied and filled in"][0]))
    assert found.details == {"sheets": "«Rader», «Rader (2)»"}

    found = refused(tmp_path, edited(DOUBTFUL["a tab deleted"][0]))
    assert found.details == {"sheets": "«Rader»"}


TABS = st.sampled_from([sheet.label["nb"] for sheet in FORM.sheets.values()])
ROWS, COLUMNS = st.integers(1, 34), st.integers(1, 18)
CHANGES = st.tuples(TABS, st.sampled_from(["insert_rows", "delete_rows"]), ROWS) | st.tuples(
    TABS, st.sampled_from(["insert_cols", "delete_cols"]), COLUMNS
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(CHANGES, min_size=1, max_size=3))
@example(changes=[("Svar", "delete_cols", 1), ("Svar", "delete_cols", 1)])
@example(changes=[("Rader", "delete_rows", 4), ("Rader", "delete_rows", 4)])
@example(changes=[("Rutenett", "delete_cols", 1), ("Rutenett", "delete_rows", 5)])
def test_no_rows_or_columns_put_in_or_taken_out_give_a_wrong_answer(
    tmp_path: Path, before: Read, changes: list[tuple[str, str, int]]
) -> None:
    def edit(workbook: Workbook) -> None:
        for tab, change, place in changes:
            getattr(workbook[tab], change)(place)

    path = tmp_path / "svar.xlsx"
    found = DESK.take_in(path, edited(edit))

    if isinstance(found, Submission):
        assert list(wrong(values(found), before)) == []
        if all(change.startswith("insert") for _, change, _ in changes):
            assert values(found) == before
    else:
        assert found.outcome == "quarantined"


def wrong(after: Read, before: Read) -> Iterable[str]:
    """The answers that are not what was written in the same row; what is gone is not wrong."""
    for sheet, rows in after.items():
        for key, answers in rows:
            written = {name: value for name, value in answers.items() if is_written(FORM, sheet, key, name)}
            if not any(key == other and written.items() <= row.items() for other, row in before[sheet]):
                yield f"{sheet} {key}: {written}"


def is_written(form: Form, sheet: str, row: str, question: str) -> bool:
    """Whether an owner writes it; what is calculated changes with what is taken away."""
    definition = form.sheets[sheet]
    return not definition.questions[question].calculated and row != "SUM"


# whose it is


def with_version(version: str) -> Form:
    return replace(FORM, file=FORM.file.model_copy(update={"version": version}))


def code(form: Form = FORM, report: str = "ALLE-0001-1", orgnr: str = RECIPIENT.orgnr, key: bytes = KEY) -> str:
    return make_stamp(form, report, orgnr, key).code


def empty_code(workbook: Workbook) -> None:
    delete_properties(workbook)
    for sheet in workbook.worksheets:
        for row in sheet.iter_rows():
            for cell in row:
                if CODE in str(cell.value):
                    cell.value = None


def one_code(new: str) -> bytes:
    """The workbook with another code in the one cell where people see it."""
    return edited(on("Rader", put("B2", f"Skjemakode: {new}")))


def shopping() -> bytes:
    workbook = Workbook()
    workbook.worksheets[0]["A1"] = "Melk, brød, ost"
    buffer = io.BytesIO()
    workbook.save(buffer)
    return buffer.getvalue()


HAGE = Desk(FORMS / "hagelag").form
OTHER = "920125298"
REFUSALS: dict[str, tuple[Callable[[], bytes], str, str, dict[str, str]]] = {
    "a check block that is wrong": (
        lambda: rewritten(filled(), {CODE: CODE[:-1] + "Z"}), "quarantined", "bad_code", {"code": CODE[:-1] + "Z"}
    ),
    "a code signed in another round": (
        lambda: rewritten(filled(), {CODE: code(key=b"other")}), "quarantined", "bad_code", {"code": code(key=b"other")}
    ),
    "the code of one owner given to another": (
        lambda: rewritten(filled(), {RECIPIENT.orgnr: OTHER}), "quarantined", "bad_code",
        {"code": CODE.replace(RECIPIENT.orgnr, OTHER)},
    ),
    "two codes": (
        lambda: one_code(code(report="ALLE-0002-1")), "quarantined", "codes_disagree",
        {"codes": f"{CODE}, {code(report='ALLE-0002-1')}"},
    ),
    "a code with one letter changed where people see it": (
        lambda: one_code(CODE[:-1] + "Z"), "quarantined", "codes_disagree", {"codes": f"{CODE}, {CODE[:-1]}Z"}
    ),
    "an unknown recipient": (
        lambda: rewritten(filled(), {CODE: code(orgnr=OTHER)}), "quarantined", "unknown_recipient", {"orgnr": OTHER}
    ),
    "an unknown version": (
        lambda: rewritten(filled(), {CODE: code(with_version("0"))}), "quarantined", "unknown_version",
        {"version": "0", "current": "2"},
    ),
    "another form": (
        lambda: rewritten(filled(), {CODE: code(HAGE, "HAGE-0001-1")}), "quarantined", "wrong_form",
        {"code": code(HAGE, "HAGE-0001-1")},
    ),
    "no code": (
        lambda: edited(empty_code), "quarantined", "no_code_likely",
        {"owner": RECIPIENT.name, "orgnr": RECIPIENT.orgnr},
    ),
    "a foreign workbook": (shopping, "unreadable", "foreign", {}),
    "an unchanged workbook": (lambda: DESK.send(replace(RECIPIENT, type="VAD")), "empty", "empty_return", {}),
}  # fmt: skip
PROVED = {"unknown_recipient", "unknown_version", "empty_return"}  # the code is genuine: we may say whose it is


@pytest.mark.parametrize("name", REFUSALS)
def test_a_workbook_that_is_not_the_owners_own_is_refused_with_its_reason(tmp_path: Path, name: str) -> None:
    make, outcome, reason, details = REFUSALS[name]
    content = make()
    DESK.recipients.pop(OTHER, None)

    found = refused(tmp_path, content)

    assert (found.outcome, found.reason, found.details) == (outcome, reason, details)
    assert (found.report is not None, found.recipient is not None) == (reason in PROVED, reason in PROVED)
    for text in REASONS.all(reason, name="svar.xlsx", **found.details).values():
        assert "{" not in text


@pytest.mark.parametrize("reason", sorted({reason for _, reason in DOUBTFUL.values()}))
def test_every_doubt_is_told_in_both_languages(tmp_path: Path, reason: str) -> None:
    edit = next(edit for edit, code in DOUBTFUL.values() if code == reason)

    texts = REASONS.all(reason, name="svar.xlsx", **refused(tmp_path, edited(edit)).details)

    assert set(texts) == {"nb", "nn"}
    assert not any("{" in text for text in texts.values())


def test_names_that_a_program_left_behind_move_no_answer(tmp_path: Path, before: Read) -> None:
    def edit(workbook: Workbook) -> None:
        for name in list(workbook.defined_names.values()):
            if name.attr_text and name.attr_text.startswith("'Svar'!"):
                name.attr_text = name.attr_text.replace("$C$", "$C$1")

    assert values(taken(tmp_path, edited(edit))) == before


def without_code(folder: Path, answers: dict[str, Any], sender: str | None, *others: Recipient) -> Refused:
    path = folder / "svar.xlsx"
    path.write_bytes(edited(empty_code, DESK.fill({"svar": {"tekst": "Måker", **answers}})))
    office = replace(DESK.office, recipients={one.orgnr: one for one in (RECIPIENT, *others)})
    found = receive(Return(path, "0" * 64, DESK.in_time, sender), office)
    assert isinstance(found, Refused)
    assert (found.outcome, found.recipient, found.report) == ("quarantined", None, None)
    return found


def test_a_workbook_without_a_code_is_proposed_by_what_we_had_filled_in_and_by_its_sender(tmp_path: Path) -> None:
    twin = replace(RECIPIENT, orgnr=OTHER)
    stranger = replace(RECIPIENT, orgnr=OTHER, name="Ås eier", email="as@eier.example", phone="", contact="")

    assert without_code(tmp_path, {}, None, stranger).details["owner"] == RECIPIENT.name
    assert without_code(tmp_path, {}, None, twin).reason == "no_code"  # two of them are equally likely
    gone: dict[str, Any] = {"eier": None, "eier_epost": None, "eier_telefon": None}
    assert without_code(tmp_path, gone, None, stranger).reason == "no_code"
    assert without_code(tmp_path, gone, "As@Eier.example", stranger).details["orgnr"] == OTHER


def test_the_key_of_another_round_proves_nothing(tmp_path: Path) -> None:
    office = replace(DESK.office, key=b"another round")

    found = refused(tmp_path, filled(), office)

    assert (found.outcome, found.reason, found.recipient) == ("quarantined", "bad_code", None)


def test_answers_under_a_code_that_proves_nothing_are_kept_for_a_person(tmp_path: Path, before: Read) -> None:
    found = refused(tmp_path, rewritten(filled(), {CODE: code(key=b"other")}))

    assert found.submission is not None
    assert (found.submission.report, values(found.submission)) == ("ALLE-0001-1", before)
    assert found.recipient is None, "nobody is written to"


def test_an_older_version_that_the_form_accepts_is_taken_in(tmp_path: Path, before: Read) -> None:
    after = taken(tmp_path, rewritten(filled(), {CODE: code(with_version("1"))}))

    assert after.version == "1"
    assert values(after) == before


@pytest.mark.parametrize("changes", [
    {"name": "Åre  Ås"}, {"email": "Post@EIER.Example"}, {"phone": "+47 22 00 00 01"}, {"phone": "ring oss"},
    {"kommunenr": "3025"}, {"kommunenr": "9999"}, {"type": "UKJENT"}, {"email": ""}, {"name": "_x0041_ @@code@@"},
])  # fmt: skip
def test_an_unchanged_workbook_is_empty_whatever_we_had_filled_in(tmp_path: Path, changes: dict[str, str]) -> None:
    owner = replace(RECIPIENT, **changes)  # type: ignore[arg-type]  # all of these fields are texts

    found = refused(tmp_path, edited(lambda _: None, DESK.send(owner)))

    assert (found.outcome, found.reason) == ("empty", "empty_return")


def test_a_workbook_with_one_answer_is_not_empty(tmp_path: Path) -> None:
    for answers in ({"svar": {"ja_nei": "Nei"}}, {"rader": [{"heltall": 0}]}, {"rutenett": {"MAT": {"forste": 0}}}):
        assert isinstance(DESK.take_in(tmp_path / "svar.xlsx", DESK.fill(answers)), Submission)


def test_a_workbook_that_cannot_be_read_is_damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def read_workbook(_data: bytes) -> None:
        raise UnreadableWorkbookError

    monkeypatch.setattr(intake.receive, "read_workbook", read_workbook)

    found = refused(tmp_path, filled())

    assert (found.outcome, found.reason) == ("unreadable", "damaged")


def test_our_own_failure_is_told_as_ours_and_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def locate(*_args: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(intake.receive, "locate", locate)

    with caplog.at_level(logging.ERROR):
        found = refused(tmp_path, filled())

    assert (found.outcome, found.reason) == ("failed", "failed")
    assert "ZeroDivisionError" in caplog.text
