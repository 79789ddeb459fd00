"""The real workbook after what people and programs do to it: the same answers, or a reason, never a wrong one."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import openpyxl
import pytest
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from intake.submission import Refused, Submission, Value
from templates.layout import MARKER_ROW
from tests.conftest import Office
from tests.hostile import DESK, cell, good
from tests.test_hostile import answers

TABS = {key: sheet.label["nb"] for key, sheet in DESK.form.sheets.items()}
FORM, UNITS, BUDGET = TABS["skjema"], TABS["virksomheter"], TABS["budsjett"]
TITLE_ROW, UNIT_ROW = DESK.layout["skjema"].rows["tiltak_tittel"], DESK.layout["virksomheter"].first_row

Edit = Callable[[Workbook], object]
Values = dict[str, Value]


def edited(edit: Edit) -> bytes:
    workbook = openpyxl.load_workbook(io.BytesIO(good()))
    edit(workbook)
    file = io.BytesIO()
    workbook.save(file)
    return file.getvalue()


def each(change: Callable[[Worksheet], object]) -> Edit:
    return lambda book: [change(book[tab]) for tab in TABS.values()]


def on(tab: str, change: Callable[[Worksheet], object]) -> Edit:
    return lambda book: change(book[tab])


def rename(book: Workbook) -> None:
    for number, sheet in enumerate(book.worksheets):
        sheet.title = f"Ark{number}"


def reorder(book: Workbook) -> None:
    for sheet in list(book.worksheets):
        book.move_sheet(sheet, -20)


def values_alone(book: Workbook) -> None:
    """What is left when somebody copies every cell into a new workbook: no names, rules, styles or hidden parts."""
    for sheet in list(book.worksheets):
        if sheet.title not in TABS.values():
            book.remove(sheet)
            continue
        rows = [[cell.value if cell.data_type != "f" else None for cell in row] for row in sheet.iter_rows()]
        place = book.index(sheet)
        book.remove(sheet)
        made = book.create_sheet(sheet.title, place)
        for row in rows:
            made.append(row)
    book.defined_names.clear()


def clear_keys(sheet: Worksheet) -> None:
    for row in range(MARKER_ROW + 1, sheet.max_row + 1):
        sheet.cell(row, 1).value = None


def delete_keys(sheet: Worksheet) -> None:
    sheet.delete_cols(1)
    sheet.column_dimensions["A"].hidden = False  # a spreadsheet lets what is hidden go with its column


def shout(sheet: Worksheet) -> None:
    for row in range(MARKER_ROW + 1, sheet.max_row + 1):
        cell = sheet.cell(row, 2)
        cell.value = f"  {str(cell.value).upper()} " if cell.value else None


def sort_units(sheet: Worksheet) -> None:
    """Turn the first three units upside down, from column B on, as sorting does."""
    lines = [[cell.value for cell in row] for row in sheet.iter_rows(UNIT_ROW, UNIT_ROW + 2, 2, 9)]
    for row, line in zip(sheet.iter_rows(UNIT_ROW, UNIT_ROW + 2, 2, 9), reversed(lines), strict=True):
        for place, value in zip(row, line, strict=True):
            place.value = value


def gaps(sheet: Worksheet) -> None:
    for _ in range(3):
        sheet.insert_rows(UNIT_ROW + 1)


def drop_hidden(book: Workbook) -> None:
    for sheet in list(book.worksheets):
        if sheet.title.startswith("_"):
            book.remove(sheet)


KEEPING: dict[str, Edit] = {
    "saved by openpyxl": lambda _book: None,
    "tabs renamed": rename,
    "tabs in another order": reorder,
    "hidden sheets deleted": drop_hidden,
    "only values, in new tabs": values_alone,
    "rows above everything": each(lambda sheet: sheet.insert_rows(1, 2)),
    "a row between questions": on(FORM, lambda sheet: sheet.insert_rows(TITLE_ROW)),
    "a row in the budget": on(BUDGET, lambda sheet: sheet.insert_rows(8)),
    "gaps in a table": on(UNITS, gaps),
    "a column before everything": each(lambda sheet: sheet.insert_cols(1)),
    "a column before the answers": on(FORM, lambda sheet: sheet.insert_cols(3)),
    "keys emptied": each(clear_keys),
    "key column deleted": each(delete_keys),
    "marker row deleted": each(lambda sheet: sheet.delete_rows(MARKER_ROW)),
    "labels in capitals": on(FORM, shout),
    "a table sorted": on(UNITS, sort_units),
    "a tab copied": lambda book: book.copy_worksheet(book[BUDGET]),
    "the guide deleted": lambda book: book.remove(book.worksheets[0]),
}


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Values:
    return values(DESK.take_in(tmp_path_factory.mktemp("before") / "svar.xlsx", good()))


def values(found: Submission | Refused) -> Values:
    """The values of all answers; the rows of a table by their order, not by their number."""
    assert isinstance(found, Submission), found
    numbers = {
        key: {row.number: str(place) for place, row in enumerate(sheet.rows)} for key, sheet in found.sheets.items()
    }
    told = {}
    for place, answer in answers(found).items():
        sheet, *rest = place.split(".")
        if rest[0].isdigit():
            rest[0] = numbers[sheet][int(rest[0])]
        told[".".join([sheet, *rest])] = answer.value
    return told


def in_any_order(found: Values) -> list[str]:
    return sorted(f"{''.join(part for part in place if not part.isdigit())}={value}" for place, value in found.items())


def oddities(found: Submission | Refused) -> set[tuple[str, str]]:
    """What stands in a file beside its answers: kind and text."""
    assert isinstance(found, Submission), found
    return {(one.kind, one.text) for sheet in found.sheets.values() for one in sheet.oddities}


@pytest.mark.parametrize("name", KEEPING)
def test_an_edit_of_the_real_workbook_loses_no_answer(tmp_path: Path, before: Values, name: str) -> None:
    found = DESK.take_in(tmp_path / "svar.xlsx", edited(KEEPING[name]))
    after = values(found)

    renamed = {("tab", f"Ark{number}") for number in range(1, len(TABS) + 1)} if name == "tabs renamed" else set()
    assert oddities(found) == renamed, "nothing of ours is taken for the owner's"

    if "sorted" in name:
        assert in_any_order(after) == in_any_order(before)
    else:
        assert after == before


def drag_onto(sheet: Worksheet) -> None:
    """Cut one answer and put it on another: the names go along."""
    first, second = (f"C{DESK.layout['skjema'].rows[key]}" for key in ("tiltak_tittel", "lokalt_behov"))
    sheet[second].value, sheet[first].value = sheet[first].value, None
    book = sheet.parent
    assert isinstance(book, Workbook)
    book.defined_names["_f_skjema_tiltak_tittel"].attr_text = f"'{sheet.title}'!$C${second[1:]}"


def copied_and_changed(book: Workbook) -> None:
    book.copy_worksheet(book[BUDGET])["C7"].value = 1


def question_gone(sheet: Worksheet) -> None:
    sheet.delete_rows(TITLE_ROW)


DOUBTFUL: dict[str, tuple[Edit, str]] = {
    "questions sorted without their keys": (
        on(FORM, lambda sheet: sort_rows(sheet, TITLE_ROW, TITLE_ROW + 4)), "keys_moved"
    ),
    "a tab copied and filled in": (copied_and_changed, "two_forms"),
    "an answer dragged onto another": (on(FORM, drag_onto), "answer_dragged"),
    "the answers deleted": (on(FORM, lambda sheet: sheet.delete_cols(3)), "sheets_missing"),
    "a tab deleted": (lambda book: book.remove(book[BUDGET]), "sheets_missing"),
    "a question twice": (on(FORM, lambda sheet: copy_row(sheet, TITLE_ROW)), "keys_moved"),
}  # fmt: skip


def sort_rows(sheet: Worksheet, first: int, last: int) -> None:
    lines = [[cell.value for cell in row] for row in sheet.iter_rows(first, last, 2, 3)]
    for row, line in zip(sheet.iter_rows(first, last, 2, 3), reversed(lines), strict=True):
        for place, value in zip(row, line, strict=True):
            place.value = value


def copy_row(sheet: Worksheet, row: int) -> None:
    sheet.insert_rows(row + 1)
    for column, old in enumerate(list(sheet[row]), 1):
        sheet.cell(row + 1, column).value = old.value


@pytest.mark.parametrize("name", DOUBTFUL)
def test_an_edit_that_leaves_doubt_goes_to_a_person(tmp_path: Path, name: str) -> None:
    edit, reason = DOUBTFUL[name]

    found = DESK.take_in(tmp_path / "svar.xlsx", edited(edit))

    assert isinstance(found, Refused), found
    assert (found.outcome, found.reason) == ("quarantined", reason)


def test_a_question_that_was_deleted_is_asked_for_again(tmp_path: Path, before: Values) -> None:
    found = DESK.take_in(tmp_path / "svar.xlsx", edited(on(FORM, question_gone)))

    missing = "skjema.tiltak_tittel"
    assert values(found) == {place: value for place, value in before.items() if place != missing}


def test_an_old_result_of_our_own_formula_is_computed_again(tmp_path: Path, before: Values) -> None:
    """A program that does not calculate keeps the old owner's number beside a new unit."""
    units = DESK.layout["virksomheter"]
    formula = f'IF(B{UNIT_ROW}="","",IFERROR(INDEX(_l_units_orgnr,MATCH(B{UNIT_ROW},_l_units,0)),""))'
    old = f'<c r="{units.columns["v_orgnr"]}{UNIT_ROW}" t="str"><f>{formula}</f><v>999999999</v></c>'
    mine = f'<c r="{units.columns["v_orgnr"]}{UNIT_ROW}" t="str"><f>1+1</f><v>974760673</v></c>'

    for written, expected in ((old, before["virksomheter.0.v_orgnr"]), (mine, "974760673")):
        place = f"{units.columns['v_orgnr']}{UNIT_ROW}"
        content = cell(written, place, "xl/worksheets/sheet3.xml")
        assert values(DESK.take_in(tmp_path / "svar.xlsx", content))["virksomheter.0.v_orgnr"] == expected


WAYS: dict[str, list[Literal["xlsx", "ods", "xls"]]] = {
    "saved by LibreOffice": ["xlsx"],
    "by way of .ods": ["ods", "xlsx"],
    "by way of .xls": ["xls", "xlsx"],
}


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_a_workbook_that_libreoffice_saved_has_the_same_answers(
    tmp_path: Path, soffice: Office, before: Values, way: str
) -> None:
    path = tmp_path / "svar.xlsx"
    path.write_bytes(good())
    for number, to in enumerate(WAYS[way]):
        folder = tmp_path / str(number)
        folder.mkdir()
        path = soffice.convert(path, to, folder)

    found = DESK.take_in(tmp_path / "lagret.xlsx", path.read_bytes())
    assert values(found) == before
    assert oddities(found) == set()
