"""The workbook that a recipient gets: what stands where, what is open, and what every program must keep of it."""

import io
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Any
from xml.etree import ElementTree as ET  # we read only what we wrote ourselves

import openpyxl
import pytest
from openpyxl.cell import Cell
from openpyxl.utils import get_column_letter
from openpyxl.workbook import Workbook
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from templates import layout as at
from templates.entry import ERROR_LIMIT, PROMPT_LIMIT, TITLE_LIMIT
from templates.fill import fill_workbook
from templates.form import GridSheet, Question, QuestionSheet, TableSheet
from templates.prefill import cell_text, slot_values, unit_rows
from templates.recipients import Recipient, Unit
from templates.round import new_round
from templates.sendout import plan, send_out
from templates.stamp import Stamp, find_stamps, make_stamp, sign_locked
from templates.workbook import build_base
from tests.conftest import Office
from tests.desk import KEY, RECIPIENT, SENDER, Desk

DESK = Desk.of("behovsmelding-2024")
FORM = DESK.form
HARD_NAME = "=1+1 & «Ås» <bydel> @@code@@"
UNITS = (
    Unit("974760673", "Måkeholmen barnehage", "BARNEHAGE", "3203"),
    Unit("971032081", '=SUM(1;2) "to"', "GRUNNSKOLE", "0301", "920125298"),
    Unit("971274042", "@@code@@ _x0041_", "SFO", "3203"),
)
OWNER = replace(RECIPIENT, name=HARD_NAME, type="KOMMUNE", units=UNITS)
SLOT = re.compile(r"@@([A-Za-z0-9._]+)@@")  # a place that each copy fills in
STAMP = make_stamp(FORM, "BM24-0001-1", OWNER.orgnr, KEY)
MAX_BYTES = 62_000  # with sixty units
MAX_LIST_FORMULA = 255  # characters in the source of a dropdown (Excel)

TABS = {
    "nb": ["Veiledning", "Skjema", "Virksomheter", "Eiere", "Partnere", "Budsjett", "Aktiviteter", "Kontroll"],
    "nn": ["Rettleiing", "Skjema", "Verksemder", "Eigarar", "Partnarar", "Budsjett", "Aktivitetar", "Kontroll"],
}
HIDDEN = [("_regler", "hidden"), ("_lister", "hidden"), ("_stempel", "veryHidden")]

each_language = pytest.mark.parametrize("language", FORM.languages)


@cache
def sent(language: str) -> bytes:
    return DESK.send(replace(OWNER, language=language))


@cache
def opened(language: str) -> Workbook:
    return newly_opened(language)


def newly_opened(language: str) -> Workbook:
    """Open without the empty cells that a look at a workbook leaves in it."""
    return openpyxl.load_workbook(io.BytesIO(sent(language)))


def tab(workbook: Workbook, sheet: str, language: str) -> Worksheet:
    found = workbook[FORM.sheets[sheet].label[language]]
    assert isinstance(found, Worksheet)
    return found


def answer_sheets(workbook: Workbook, language: str) -> list[Worksheet]:
    return [tab(workbook, key, language) for key in FORM.sheets]


# the sheets


@each_language
def test_the_sheets_stand_in_order_and_only_ours_are_hidden(language: str) -> None:
    sheets = [(sheet.title, sheet.sheet_state) for sheet in opened(language).worksheets]

    assert sheets == [*((name, "visible") for name in TABS[language]), *HIDDEN]


@each_language
def test_every_sheet_is_protected_and_no_cells_are_merged(language: str) -> None:
    for sheet in opened(language).worksheets:
        assert sheet.protection.sheet, sheet.title
        assert not sheet.protection.password, sheet.title
        assert not sheet.merged_cells.ranges, sheet.title


@each_language
def test_the_guide_tells_who_when_and_whom_to_ask(language: str) -> None:
    guide = opened(language).worksheets[0]
    text = "\n".join(str(cell.value) for cell in guide["B"] if cell.value)

    assert FORM.file.title[language] in text
    assert HARD_NAME in text
    assert "1.2.2024 kl. 23.59" in text
    assert "post@kontoret.example" in text
    assert "{" not in text


@each_language
def test_the_document_says_its_language_and_its_title(language: str) -> None:
    properties = opened(language).properties

    assert properties.language == f"{language}-NO"
    assert properties.title == f"{FORM.file.title[language]} – {HARD_NAME}"


# keys and names


@each_language
@pytest.mark.parametrize("key", FORM.sheets)
def test_every_question_has_its_key_beside_it_out_of_sight(language: str, key: str) -> None:
    sheet, place = tab(opened(language), key, language), DESK.layout[key]
    definition = place.sheet

    assert sheet.column_dimensions["A"].hidden
    assert sheet.row_dimensions[at.MARKER_ROW].hidden
    beside = {sheet[f"A{row}"].value: str(sheet[f"B{row}"].value) for row in range(at.MARKER_ROW, sheet.max_row + 1)}
    above = {mark.value: str(head.value) for mark, head in zip(sheet[at.MARKER_ROW], sheet[at.HEADER_ROW], strict=True)}
    labels = above
    if isinstance(definition, QuestionSheet):
        labels = beside
        assert above["#answer"] == {"nb": "Svar", "nn": "Svar"}[language]
    if isinstance(definition, GridSheet):
        assert {row: beside[row] for row in definition.rows} == {
            row: item.label[language] for row, item in definition.rows.items()
        }
    for name, question in definition.questions.items():
        assert labels[name].removesuffix(" *") == question.label[language]
        assert labels[name].endswith(" *") == question.required


@each_language
def test_every_question_has_a_name_that_leads_to_its_cells(language: str) -> None:
    names = opened(language).defined_names

    for sheet, question in FORM.questions():
        title, place = FORM.sheets[sheet].label[language], DESK.layout[sheet]
        column = place.columns.get(question.key)
        cells = (
            f"${column}${place.first_row}:${column}${place.last_row}" if column else f"$C${place.rows[question.key]}"
        )
        assert list(names[at.answer_name(sheet, question.key)].destinations) == [(title, cells)]


# what is open


def is_open(sheet: Worksheet, row: int, column: int) -> bool:
    """Whether an owner may write in a cell; one without a style of its own has its column's."""
    cell = sheet._cells.get((row, column))  # noqa: SLF001 - asking for a cell would make it
    if cell is not None:
        return not cell.protection.locked
    for dimension in sheet.column_dimensions.values():
        if (dimension.min or 0) <= column <= (dimension.max or 0):
            return not dimension.protection.locked
    return False


def open_cells(sheet: Worksheet, last_row: int) -> set[str]:
    return {
        f"{get_column_letter(column)}{row}"
        for row in range(1, last_row + 1)
        for column in range(1, sheet.max_column + 3)
        if is_open(sheet, row, column)
    }


def cells_to_fill_in(key: str) -> set[str]:
    place = DESK.layout[key]
    questions = [item for item in place.sheet.questions.values() if not item.calculated and not item.locked]
    if isinstance(place.sheet, QuestionSheet):
        return {place.cell(question.key) for question in questions}
    rows: list[int | str] = list(range(place.first_row, place.last_row + 1))
    if isinstance(place.sheet, GridSheet):
        rows = [row.key for row in place.sheet.rows.values() if not row.sum_of]
    return {place.cell(question.key, row) for question in questions for row in rows}


@each_language
def test_the_answers_are_open_and_all_else_is_locked(language: str) -> None:
    workbook = newly_opened(language)
    places = {place.sheet.label[language]: (key, place.last_row) for key, place in DESK.layout.items()}

    for sheet in workbook.worksheets:
        key, last_row = places.get(sheet.title, ("", sheet.max_row))
        assert open_cells(sheet, last_row) == (cells_to_fill_in(key) if key else set()), sheet.title


@each_language
def test_a_long_text_wraps_and_its_row_may_grow(language: str) -> None:
    for key, place in DESK.layout.items():
        sheet = tab(opened(language), key, language)
        texts = [one for one in place.sheet.questions.values() if one.type in ("text", "longtext") and not one.fill]
        if isinstance(place.sheet, TableSheet):
            assert all(sheet.column_dimensions[place.columns[one.key]].alignment.wrap_text for one in texts), key
            assert all(row <= place.first_row for row in sheet.row_dimensions if sheet.row_dimensions[row].height)
        else:
            cells = [place.cell(one.key, *([place.first_row] if place.columns else [])) for one in texts]
            assert all(sheet[cell].alignment.wrap_text for cell in cells), key


# dropdowns and limits

LITERAL = re.compile(r'"(?:[^"]|"")*"')
LIST_NAME = re.compile(r"_l_\w+")
SOURCE_PARTS = re.compile(r"_[lf]_\w+|\bIF\b|\$[A-Z]+\d+|[(),=]")


def validations(sheet: Worksheet) -> list[DataValidation]:
    return list(sheet.data_validations.dataValidation)


def all_validations(workbook: Workbook) -> Iterator[DataValidation]:
    for sheet in workbook.worksheets:
        yield from validations(sheet)


def listed(workbook: Workbook, name: str) -> list[Any]:
    """What a name offers; it must lead to one range on a sheet of lists."""
    [(sheet, cells)] = workbook.defined_names[name].destinations
    assert sheet in {"_lister", "_stempel"}
    return [cell.value for (cell,) in cell_rows(workbook[sheet][cells.replace("$", "")])]


def cell_rows(cells: Any) -> Any:  # noqa: ANN401 - one cell, or rows of cells
    return ((cells,),) if isinstance(cells, Cell) else cells


def offers(question: Question) -> set[str]:
    if question.type == "yesno":
        return {"_l_yesno"}
    return {f"_l_{name}" for name in (question.choices, *(when.choices for when in question.choices_when)) if name}


@each_language
def test_every_dropdown_takes_its_source_from_names(language: str) -> None:
    formulas = [str(item.formula1) for item in all_validations(opened(language)) if item.type == "list"]

    assert len(formulas) == sum(bool(offers(question)) for _, question in FORM.questions())
    for formula in formulas:
        assert not SOURCE_PARTS.sub("", LITERAL.sub("", formula)), formula
        assert len(formula) <= MAX_LIST_FORMULA


@each_language
def test_every_dropdown_offers_the_choices_of_its_question(language: str) -> None:
    workbook = opened(language)
    for sheet, question in FORM.questions():
        if offers(question):
            place = DESK.layout[sheet]
            cell = place.cell(question.key, None if isinstance(place.sheet, QuestionSheet) else place.first_row)
            [rule] = [item for item in validations(tab(workbook, sheet, language)) if cell in item.sqref]
            assert set(LIST_NAME.findall(LITERAL.sub("", str(rule.formula1)))) == offers(question)


@each_language
def test_every_list_holds_the_words_of_the_language(language: str) -> None:
    workbook = opened(language)

    assert listed(workbook, "_l_yesno") == ["Ja", "Nei"]
    for name in {name for _, question in FORM.questions() for name in offers(question)} - {"_l_yesno", "_l_units"}:
        options = FORM.options(name.removeprefix("_l_"))
        assert listed(workbook, name) == [text[language] for text in options.values()]


@each_language
def test_every_name_in_a_formula_is_defined(language: str) -> None:
    workbook = opened(language)
    formulas = [str(cell.value) for sheet in workbook.worksheets for row in sheet.iter_rows() for cell in row
                if cell.data_type == "f"]  # fmt: skip
    formulas += [item.formula1 for item in all_validations(workbook) if item.formula1]

    used = {name for formula in formulas for name in re.findall(r"\b_[lf]_\w+", LITERAL.sub("", formula))}
    assert used <= set(workbook.defined_names)
    assert {name for name in used if name.startswith("_l_")}


@each_language
def test_prompts_and_errors_keep_within_the_limits_of_excel(language: str) -> None:
    for rule in all_validations(opened(language)):
        assert len(rule.prompt or "") <= PROMPT_LIMIT
        assert len(rule.error or "") <= ERROR_LIMIT
        assert len(rule.promptTitle or "") <= TITLE_LIMIT
        assert len(rule.errorTitle or "") <= TITLE_LIMIT


@each_language
def test_no_prompt_is_cut_in_the_middle_of_a_sentence(language: str) -> None:
    for rule in all_validations(opened(language)):
        assert not rule.prompt or rule.prompt[-1] in ".?" or len(rule.prompt) < PROMPT_LIMIT, rule.prompt


def test_words_with_quotation_marks_stay_inside_the_formula() -> None:
    other = Desk(Path(__file__).parent / "forms" / "alle_typer")
    workbook = openpyxl.load_workbook(io.BytesIO(other.send()))

    [formula] = [str(rule.formula1) for rule in all_validations(workbook) if "_l_sjeldne" in str(rule.formula1)]

    assert 'IF(_f_svar_gruppe="Noe ""helt"" annet",_l_sjeldne,_l_alle_fugler)' in formula


# what is filled in beforehand


def prefilled_cells(language: str) -> dict[str, Cell]:
    sheet, place = tab(opened(language), "skjema", language), DESK.layout["skjema"]
    return {key: sheet[place.cell(key)] for key in place.sheet.questions}


@each_language
def test_what_we_know_stands_in_the_form(language: str) -> None:
    cells = prefilled_cells(language)

    assert {key: cell.value for key, cell in cells.items() if cell.value is not None} == {
        "meldings_id": "BM24-0001-1",
        "malform": {"nb": "Bokmål", "nn": "Nynorsk"}[language],
        "eier_orgnr": "123456785",
        "eier_navn": HARD_NAME,
        "eier_type": "Kommune",
        "eier_kommunenr": "3203",
        "kontakt_navn": "Kari Prøve",
        "kontakt_epost": "post@eier.example",
        "kontakt_tlf": "22000001",
    }


@each_language
def test_what_we_know_is_text_even_when_it_looks_like_a_formula(language: str) -> None:
    cells = [cell for cell in prefilled_cells(language).values() if cell.value is not None]

    assert {cell.data_type for cell in cells} <= {"s", "inlineStr"}
    assert {cell.data_type for row in opened(language)["_stempel"]["B10:F12"] for cell in row} <= {"s", "inlineStr"}


@each_language
def test_the_units_of_the_owner_stand_in_a_list_of_their_own(language: str) -> None:
    workbook = opened(language)
    types = {"nb": ["Barnehage", "Grunnskole", "SFO"], "nn": ["Barnehage", "Grunnskule", "SFO"]}

    # openpyxl does not decode what tells «_x0041_» from an escaped A
    assert listed(workbook, "_l_units") == [UNITS[0].name, UNITS[1].name, "@@code@@ _x005F_x0041_"]
    assert listed(workbook, "_l_units_orgnr") == [unit.orgnr for unit in UNITS]
    assert listed(workbook, "_l_units_type") == types[language]
    assert listed(workbook, "_l_units_owner") == [OWNER.orgnr, "920125298", OWNER.orgnr]
    assert listed(workbook, "_l_units_kommunenr") == ["3203", "0301", "3203"]


@pytest.mark.parametrize(("units", "last"), [(0, 10), (1, 10), (2, 11), (300, 309)])
def test_the_list_of_units_ends_at_the_last_one(units: int, last: int) -> None:
    owner = replace(OWNER, units=tuple(replace(UNITS[0], name=f"Enhet {number}") for number in range(units)))

    workbook = openpyxl.load_workbook(io.BytesIO(DESK.send(owner)))

    names = {name: item.attr_text for name, item in workbook.defined_names.items() if name.startswith("_l_units")}
    assert names == {
        f"_l_units{end}": f"_stempel!${column}$10:${column}${last}"
        for column, end in zip("BCDEF", ("", "_orgnr", "_type", "_kommunenr", "_owner"), strict=True)
    }
    assert listed(workbook, "_l_units") == ([unit.name for unit in owner.units] if units else [None])


# the skjemakode


def carriers(workbook: Workbook, language: str) -> dict[str, list[str]]:
    """Every place the skjemakode stands, and the texts found there."""
    sheets = answer_sheets(workbook, language)
    visible = [sheet for sheet in workbook.worksheets if sheet.sheet_state == "visible"]
    properties = workbook.properties
    return {
        "visible": [str(sheet["B2"].value) for sheet in sheets],
        "A1": [str(sheet["A1"].value) for sheet in sheets],
        "stamp sheet": [
            f"{row[0].value}={row[1].value}" for row in workbook["_stempel"].iter_rows(min_row=7, max_row=9)
        ],
        "custom": [str(item.value) for item in workbook.custom_doc_props.props],  # type: ignore[attr-defined]
        "core": [str(properties.subject), str(properties.keywords)],
        "footer": [str(sheet.oddFooter.left.text) for sheet in visible],  # type: ignore[union-attr]
    }


def stamps_in(workbook: Workbook, language: str) -> dict[str, list[Stamp]]:
    return {
        place: [stamp for text in texts for stamp in find_stamps(text)]
        for place, texts in carriers(workbook, language).items()
    }


@each_language
def test_the_skjemakode_stands_in_every_carrier_and_is_the_same(language: str) -> None:
    found = stamps_in(opened(language), language)

    assert found == {
        "visible": [STAMP] * 6,
        "A1": [STAMP] * 6,
        "stamp sheet": [STAMP],
        "custom": [STAMP],
        "core": [STAMP] * 2,
        "footer": [STAMP] * 8,
    }
    assert opened(language)["Skjema"]["B2"].value == f"Skjemakode: {STAMP.code}"


LOCKED = '{"skjema.meldings_id": "BM24-0001-1"}'


def test_the_stamp_sheet_says_what_the_code_stands_for() -> None:
    rows = {
        str(key.value): value.value
        for key, value in opened("nn")["_stempel"].iter_rows(min_row=2, max_row=9, max_col=2)
    }

    assert rows == {
        "form": "behovsmelding-2024", "version": "2024.1", "report": "BM24-0001-1", "recipient": "123456785",
        "language": "nn", "code": STAMP.code, "locked": LOCKED, "signature": sign_locked(STAMP, LOCKED, KEY),
    }  # fmt: skip


# two languages


def shape(workbook: Workbook) -> list[tuple[Any, ...]]:
    """Everything about the cells but their words."""
    return [
        (number, cell.coordinate, cell.data_type, cell.protection.locked, cell.number_format, cell.fill.start_color.rgb)
        for number, sheet in enumerate(workbook.worksheets)
        for row in sheet.iter_rows()
        for cell in row
        if cell.value is not None or cell.has_style
    ]


def wordless(rule: DataValidation) -> tuple[Any, ...]:
    formula = LITERAL.sub('""', rule.formula1) if rule.formula1 else None
    return str(rule.sqref), rule.type, rule.operator, formula, rule.formula2, rule.showErrorMessage


def test_the_two_languages_differ_in_words_only() -> None:
    nb, nn = opened("nb"), opened("nn")

    assert shape(nb) == shape(nn)
    assert list(map(wordless, all_validations(nb))) == list(map(wordless, all_validations(nn)))
    assert list(nb.defined_names) == list(nn.defined_names)
    for one, other in zip(answer_sheets(nb, "nb"), answer_sheets(nn, "nn"), strict=True):
        assert [cell.value for cell in one["A"]] == [cell.value for cell in other["A"]]
        assert one.freeze_panes == other.freeze_panes


# the package


def test_the_same_recipient_gets_the_same_bytes_in_every_run() -> None:
    again = Desk.of("behovsmelding-2024").send(OWNER)
    script = "from hashlib import sha256\nfrom tests.test_template import sent\nprint(sha256(sent('nb')).hexdigest())"
    environment = {**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": "."}
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=Path(__file__).parent.parent, env=environment, capture_output=True, encoding="utf-8", check=True,
    )  # fmt: skip

    assert again == sent("nb")
    assert done.stdout.strip() == sha256(sent("nb")).hexdigest()


def everything(workbook: Workbook) -> dict[str, tuple[Any, ...]]:
    return {
        f"{sheet.title}!{cell.coordinate}": (getattr(cell.value, "text", cell.value), cell.data_type, cell.style_id)
        for sheet in workbook.worksheets
        for row in sheet.iter_rows()
        for cell in row
        if cell.value is not None or cell.has_style
    }


@each_language
def test_a_stamped_workbook_is_cell_by_cell_what_a_full_build_gives(language: str) -> None:
    owner = replace(OWNER, language=language)
    values = slot_values(FORM, owner, STAMP, KEY)
    wanted = everything(openpyxl.load_workbook(io.BytesIO(build_base(FORM, language, SENDER))))
    for place, (value, _, style) in wanted.items():
        if "@@" in str(value):
            filled = SLOT.sub(lambda found: values.get(found[1], ""), str(value))
            wanted[place] = (filled or None, "s" if filled else "n", style)
    style = wanted["_stempel!B10"][2]
    for number, unit in enumerate(unit_rows(FORM, owner), 10):
        texts = dict(zip("BCDEF", map(cell_text, unit), strict=True)).items()  # openpyxl leaves it so
        wanted |= {f"_stempel!{at}{number}": (text or None, "s" if text else "n", style) for at, text in texts}

    for row in range(7 + len(UNITS) + 40, 207):  # nobody picks a unit so far down
        for column in "CDEF":
            del wanted[f"Virksomheter!{column}{row}" if language == "nb" else f"Verksemder!{column}{row}"]

    assert everything(newly_opened(language)) == wanted


def fetching_rows(owner: Recipient) -> list[int]:
    """The rows of the table of units that fill themselves in."""
    sheet = openpyxl.load_workbook(io.BytesIO(DESK.send(owner)))["Virksomheter"]
    return [cell.row for cell in sheet["C"] if str(cell.value).startswith("=IFERROR(INDEX(_l_units_orgnr")]


@pytest.mark.parametrize(("units", "last"), [(0, 46), (3, 49), (60, 106), (160, 206), (300, 206)])
def test_rows_fill_themselves_in_for_all_units_of_the_owner_and_forty_more(units: int, last: int) -> None:
    owner = replace(OWNER, units=tuple(replace(UNITS[0], name=f"Enhet {number}") for number in range(units)))

    assert fetching_rows(owner) == list(range(7, last + 1))


def test_what_a_table_shows_is_one_formula_for_all_its_rows() -> None:
    sheet = opened("nb")["Virksomheter"]

    shown = [sheet[cell].value for cell in ("G7", "H7", "J7")]
    assert [one.ref for one in shown] == ["G7:G206", "H7:H206", "J7:J206"]
    assert shown[2].text == '=_regler!U7:U206&""'
    assert {sheet[cell].value for cell in ("G8", "H206", "J100")} == {None}
    assert {cell.protection.locked for cell in (sheet["G7"], sheet["J7"])} == {True}
    assert {sheet.column_dimensions[name].protection.locked for name in "GHJ"} == {True}


@each_language
def test_of_a_long_table_what_is_in_use_is_printed(language: str) -> None:
    with zipfile.ZipFile(io.BytesIO(sent(language))) as archive:
        names = re.findall(
            r'<definedName name="([^"]+)"(?: localSheetId="(\d+)")?>([^<]+)<', archive.read("xl/workbook.xml").decode()
        )
    areas = {TABS[language][int(sheet)]: formula for name, sheet, formula in names if name == "_xlnm.Print_Area"}
    ends = {name: cells for name, _, cells in names}

    long = [tab for tab, rows in zip(TABS[language], (0, 0, 200, 60, 10, 0, 40, 40), strict=True) if rows > 20]
    assert areas == {tab: f"OFFSET(_p_{number},0,0,_n_{number})" for number, tab in enumerate(long, 1)}
    assert [ends[f"_p_{number}"].split("!")[0] for number in range(1, 5)] == long


@each_language
def test_a_workbook_is_small_enough_to_mail(language: str) -> None:
    units = tuple(Unit(f"9{number:08}", f"Enhet {number} i Ås", "BARNEHAGE", "3203") for number in range(60))

    assert len(DESK.send(replace(OWNER, language=language, units=units))) <= MAX_BYTES


def test_parts_are_found_by_relative_paths() -> None:
    with zipfile.ZipFile(io.BytesIO(sent("nb"))) as archive:
        names = set(archive.namelist())
        assert len(names) == len(archive.infolist())
        for part in (PurePosixPath(name) for name in names if name.endswith(".rels")):
            folder = part.parent.parent
            for relation in ET.fromstring(archive.read(str(part))):  # noqa: S314 - our own
                target = relation.get("Target", "")
                assert not target.startswith("/"), (part, target)
                assert str(folder / target) in names


def test_every_part_is_whole_and_no_slot_is_left() -> None:
    workbook = DESK.send(replace(OWNER, name="Ås", units=()))
    with zipfile.ZipFile(io.BytesIO(workbook)) as archive:
        assert archive.testzip() is None
        for name in archive.namelist():
            assert ET.fromstring(archive.read(name)) is not None  # noqa: S314 - our own
            assert b"@@" not in archive.read(name), name


# send-out


def test_send_out_writes_a_workbook_for_each_recipient_in_their_language(tmp_path: Path) -> None:
    round_ = new_round(tmp_path / "runde", "behovsmelding-2024")
    recipients = (
        "orgnr;navn;type;kommunenr;epost;språk;antall\n"
        "920125298;Asker kommune;KOMMUNE;3203;post@asker.example;nb;2\n"
        "123456785;Åre barnehage;PRIVAT_BARNEHAGE;0301;post@aare.example;nn;1\n"
    )
    (round_.folder / "recipients.csv").write_text(recipients, encoding="utf-8")
    (round_.folder / "units.csv").write_text("owner;orgnr;navn\n123456785;974760673;Åre\n", encoding="utf-8")
    lines = plan(round_, round_.recipients.values())

    send_out(round_, lines)
    first = {path.name: path.read_bytes() for path in round_.sent_folder.glob("*.xlsx")}
    send_out(round_, plan(round_, round_.recipients.values()))

    assert first == {path.name: path.read_bytes() for path in round_.sent_folder.glob("*.xlsx")}
    assert sorted(first) == [
        "123456785-are-barnehage-BM24-0002-1.xlsx",
        "920125298-asker-kommune-BM24-0001-1.xlsx",
        "920125298-asker-kommune-BM24-0001-2.xlsx",
    ]
    workbook = openpyxl.load_workbook(io.BytesIO(first["123456785-are-barnehage-BM24-0002-1.xlsx"]))
    assert workbook.sheetnames[:8] == TABS["nn"]
    assert listed(workbook, "_l_units") == ["Åre"]
    [code] = find_stamps(str(workbook["Skjema"]["B2"].value))
    assert (code.report, code.recipient) == ("BM24-0002-1", "123456785")


# LibreOffice

BUDGET = {
    "UH_FAG": {"y2024": 100_000, "y2025": 50_000, "y2026": 25_000},
    "E_FRIKJOP": {"y2024": 7, "y2026": 1_000_000},
    "EGENANDEL": {"y2024": 40_000, "y2025": 3},
}
SUMS = {
    "UH_FAG": (100_000, 50_000, 25_000, 175_000),
    "UH_REISE": (None, None, None, 0),
    "E_FRIKJOP": (7, None, 1_000_000, 1_000_007),
    "SUM_TILSKUDD": (100_007, 50_000, 1_025_000, 1_175_007),
    "EGENANDEL": (40_000, 3, None, 40_003),
    "SUM_TOTAL": (140_007, 50_003, 1_025_000, 1_215_010),
}


@pytest.fixture(scope="module")
def saved(soffice: Office, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The workbook of each language, with a budget, three units picked and others in places, saved by LibreOffice."""
    folder, outdir = tmp_path_factory.mktemp("sent"), tmp_path_factory.mktemp("saved")
    for language in FORM.languages:
        rows = [*({"v_navn": unit.name} for unit in UNITS), {}, {"v_kommunenr": "4601"}, {"v_kommunenr": "0"}]
        content = fill_workbook(sent(language), FORM, language, {"budsjett": BUDGET, "virksomheter": rows})
        (folder / f"{language}.xlsx").write_bytes(content)
    made = soffice.convert_all(sorted(folder.iterdir()), "xlsx", outdir)
    return {path.stem: path for path in made}


def load(path: Path, *, results: bool = False) -> Workbook:
    return openpyxl.load_workbook(path, data_only=results)


@each_language
def test_libreoffice_adds_up_the_budget(saved: dict[str, Path], language: str) -> None:
    sheet, place = tab(load(saved[language], results=True), "budsjett", language), DESK.layout["budsjett"]
    columns = ("y2024", "y2025", "y2026", "sum")

    found = {row: tuple(sheet[place.cell(column, row)].value for column in columns) for row in SUMS}

    assert found == SUMS


@each_language
def test_libreoffice_fetches_what_is_known_of_a_unit(saved: dict[str, Path], language: str) -> None:
    sheet, place = tab(load(saved[language], results=True), "virksomheter", language), DESK.layout["virksomheter"]
    columns = ("v_navn", "v_orgnr", "v_type", "v_eier_orgnr", "v_kommunenr", "v_kommune", "v_fylke")

    rows = [[sheet[place.cell(column, row)].value for column in columns] for row in range(7, 14)]

    school = {"nb": "Grunnskole", "nn": "Grunnskule"}[language]
    assert rows[0] == [UNITS[0].name, "974760673", "Barnehage", OWNER.orgnr, "3203", "Asker", "Akershus"]
    assert rows[1] == [UNITS[1].name, "971032081", school, "920125298", "0301", "Oslo", "Oslo"]
    assert rows[2][1:] == ["971274042", "SFO", OWNER.orgnr, "3203", "Asker", "Akershus"]
    assert not any(rows[3])
    assert rows[4][-3:] == ["4601", None, "Vestland"]  # far away: no name
    assert rows[5][-3:] == ["0", None, None]
    assert not any(rows[6])


@each_language
def test_libreoffice_keeps_the_name_of_an_owner_as_text(saved: dict[str, Path], language: str) -> None:
    cell = tab(load(saved[language]), "skjema", language)[DESK.layout["skjema"].cell("eier_navn")]

    assert (cell.value, cell.data_type) == (HARD_NAME, "s")


def kept_sheet(sheet: Worksheet, last_row: int) -> dict[str, Any]:
    """What must survive of a sheet, so that the owner can go on in another program."""
    return {
        "state": {"veryHidden": "hidden"}.get(sheet.sheet_state, sheet.sheet_state),
        "protected": sheet.protection.sheet,
        "keys out of sight": (sheet.column_dimensions["A"].hidden, sheet.row_dimensions[at.MARKER_ROW].hidden),
        "open": open_cells(sheet, last_row),
        "validations": sorted(kept_validation(rule) for rule in validations(sheet)),
        "coloured": sorted(str(item.sqref) for item in sheet.conditional_formatting),
        "footer": sheet.oddFooter.left.text,  # type: ignore[union-attr]
    }


def kept_validation(rule: DataValidation) -> tuple[str, ...]:
    limits = {None: (), "list": (rule.formula1,), "textLength": (rule.formula1,)}  # LibreOffice adds a 0 to these
    formulas = limits.get(rule.type, (rule.formula1, rule.formula2))
    parts = (rule.type, *formulas, rule.prompt, rule.promptTitle, rule.error, rule.errorTitle)
    cells = sorted(cell for part in rule.sqref.ranges for cell in part.cells)
    return str(cells), str(bool(rule.showErrorMessage)), *(str(part or "") for part in parts)


def kept_names(workbook: Workbook) -> dict[str, str]:
    return {name: item.attr_text.replace("'", "") for name, item in workbook.defined_names.items()}


@each_language
def test_libreoffice_keeps_everything_of_the_template(saved: dict[str, Path], language: str) -> None:
    before, after = newly_opened(language), load(saved[language])

    assert after.sheetnames == before.sheetnames
    assert kept_names(after) == kept_names(before)
    assert stamps_in(after, language) == stamps_in(before, language)
    assert (after.properties.title, after.properties.language) == (before.properties.title, before.properties.language)
    last_rows = {place.sheet.label[language]: place.last_row for place in DESK.layout.values()}
    for one, other in zip(before.worksheets, after.worksheets, strict=True):
        last_row = last_rows.get(one.title, 10)
        assert kept_sheet(other, last_row) == kept_sheet(one, last_row)


def test_libreoffice_prints_what_an_owner_sees(soffice: Office, tmp_path: Path) -> None:
    program = shutil.which("pdftotext")
    if program is None:
        pytest.skip("pdftotext (poppler-utils) is not installed")
    source = tmp_path / "sent.xlsx"
    source.write_bytes(sent("nn"))

    printed = soffice.convert(source, "pdf", tmp_path)

    done = subprocess.run([program, "-layout", printed, "-"], capture_output=True, encoding="utf-8", check=True)
    for text in (STAMP.code, HARD_NAME, "Kompetanseordning", "Eigendel", "Aktivitetar i tiltaket"):
        assert text in done.stdout
    for hidden in ("skjemakode=", "#questions:", "_stempel", "Haugesund"):
        assert hidden not in done.stdout
