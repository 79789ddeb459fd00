"""What the workbook says once: formulas that are alike, lists within lists, code lists in a cell."""

import io
import zipfile
from pathlib import Path

import openpyxl
import pytest

from templates.definition import find_form, load_form
from templates.lean import lean
from templates.lists import _place
from templates.records import Records
from templates.shared import Shared
from tests.desk import Desk

FORM = load_form(find_form("behovsmelding-2024"))


def written(column: str, formulas: dict[int, str]) -> tuple[dict[str, str], bytes]:
    """What another program finds in the cells, and the part of the sheet."""
    workbook = openpyxl.Workbook()
    sheet = workbook.worksheets[0]
    Shared(sheet).write_alike(column, formulas)
    buffer = io.BytesIO()
    workbook.save(buffer)
    made = lean(buffer.getvalue())
    cells = {
        cell.coordinate: str(cell.value)
        for row in openpyxl.load_workbook(io.BytesIO(made)).worksheets[0].iter_rows()
        for cell in row
        if cell.value is not None
    }
    return cells, zipfile.ZipFile(io.BytesIO(made)).read("xl/worksheets/sheet1.xml")


def test_formulas_that_move_along_with_their_rows_are_written_once() -> None:
    cells, part = written(
        "B", {2: 'IF(A2="A2",$C$1,Ark!D2)', 3: 'IF(A3="A2",$C$1,Ark!D3)', 7: 'IF(A7="A2",$C$1,Ark!D7)'}
    )

    assert cells == {f"B{row}": f'=IF(A{row}="A2",$C$1,Ark!D{row})' for row in (2, 3, 7)}
    assert part.count(b"IF(") == 1


def test_formulas_that_only_look_alike_stay_apart() -> None:
    formulas = {2: "A2+$A$9", 3: "A2+$A$9", 4: "A4+$A$8"}

    cells, _ = written("B", formulas)

    assert cells == {"B2": "=A2+A9", "B3": "=A2+A9", "B4": "=A4+A8"}


def test_a_list_that_stands_within_another_is_not_written_again() -> None:
    columns = [["a", "b", "c", "d"]]

    assert _place(columns, ["b", "c"]) == "_lister!$B$3:$B$4"
    assert _place(columns, ["b", "d"]) == "_lister!$C$2:$C$3"
    assert columns == [["a", "b", "c", "d"], ["b", "d"]]


def test_a_code_list_in_one_cell_holds_what_is_looked_up_and_no_more() -> None:
    text = Records.of(FORM, [("kommuner", "name"), ("eiere_offentlige", "orgnr")]).text("kommuner")

    assert text.startswith("|0301;Oslo;|1101;;")  # only those of the county governor have a name there
    assert "|3203;Asker;" in text


def test_what_follows_from_how_a_number_begins_stands_once() -> None:
    records = Records.of(FORM, [("kommuner", "name"), ("kommuner", "county"), ("kommuner", "county_number")])
    text = records.text("kommuner")

    assert text.startswith("^03;Oslo;^11;Rogaland;")
    assert "|0301;Oslo;|1101;;" in text
    assert records.beginning("kommuner", "county_number") == 2
    assert records.beginning("kommuner", "county") == 0


def test_a_code_list_that_would_be_cut_wrongly_is_refused() -> None:
    form = FORM.model_copy(deep=True) if hasattr(FORM, "model_copy") else FORM
    number = next(iter(form.lists["kommuner"].rows))
    row = form.lists["kommuner"].rows[number]
    kept, row["name"] = row["name"], "Oslo; og mer"
    try:
        with pytest.raises(ValueError, match="kommuner"):
            Records.of(form, [("kommuner", "name")]).text("kommuner")
    finally:
        row["name"] = kept


def test_nothing_in_the_workbook_asks_for_the_theme_that_is_left_out() -> None:
    with zipfile.ZipFile(io.BytesIO(Desk(Path(__file__).parent / "forms" / "hagelag").send())) as package:
        parts = {name: package.read(name) for name in package.namelist()}

    assert not [name for name, part in parts.items() if "theme" in name or b"theme" in part]
