"""A form as a workbook: there and back without a difference, and every mistake told by the row it stands in."""

import json
import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from click.testing import CliRunner
from openpyxl.workbook import Workbook

import cli
from templates.authoring.form_workbook import import_form, write_form_workbook
from templates.definition import FORMS, FormError, load_form
from tests.conftest import Office

OURS = [FORMS / "behovsmelding-2024", *sorted((Path(__file__).parent / "forms").iterdir())]
CLUB = Path(__file__).parent / "forms" / "hagelag"


def read(folder: Path, file: str) -> dict[str, Any]:
    path = folder / file
    return tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


@pytest.mark.parametrize("folder", OURS, ids=lambda folder: folder.name)
def test_a_form_comes_back_as_it_was(folder: Path, tmp_path: Path) -> None:
    write_form_workbook(folder, tmp_path / "skjema.xlsx")
    import_form(tmp_path / "skjema.xlsx", tmp_path / folder.name)

    for file in ("form.toml", "rules.toml"):
        assert read(tmp_path / folder.name, file) == read(folder, file)
    made, written = load_form(tmp_path / folder.name), load_form(folder)
    assert [(sheet, one.key) for sheet, one in made.questions()] == [
        (sheet, one.key) for sheet, one in written.questions()
    ]
    assert made.lists == written.lists


def test_a_form_comes_back_as_it_was_after_libreoffice_saved_the_workbook(soffice: Office, tmp_path: Path) -> None:
    folder = FORMS / "behovsmelding-2024"
    write_form_workbook(folder, tmp_path / "skjema.xlsx")
    (tmp_path / "saved").mkdir()
    saved = soffice.convert(tmp_path / "skjema.xlsx", "xlsx", tmp_path / "saved")

    import_form(saved, tmp_path / folder.name)

    for file in ("form.toml", "rules.toml"):
        assert read(tmp_path / folder.name, file) == read(folder, file)
    assert load_form(tmp_path / folder.name).lists == load_form(folder).lists


def test_a_text_that_looks_like_a_formula_stays_text(tmp_path: Path) -> None:
    shutil.copytree(CLUB, tmp_path / "hagelag")
    file = tmp_path / "hagelag" / "form.toml"
    file.write_text(file.read_text(encoding="utf-8").replace('"Sum pris"', '"=1+1"'), encoding="utf-8")

    write_form_workbook(tmp_path / "hagelag", tmp_path / "skjema.xlsx")

    sheet = openpyxl.load_workbook(tmp_path / "skjema.xlsx")["register_columns"]
    assert {cell.data_type for cell in sheet[2] if cell.value == "=1+1"} == {"s"}


def row_of(workbook: Workbook, table: str, heading: str, value: str) -> int:
    sheet = workbook[table]
    column = [cell.value for cell in sheet[1]].index(heading) + 1
    return next(row for row in range(2, sheet.max_row + 1) if sheet.cell(row, column).value == value)


def set_cell(workbook: Workbook, table: str, row: int, heading: str, value: str | int | None) -> None:
    sheet = workbook[table]
    headings = [cell.value for cell in sheet[1]]
    if heading not in headings:
        headings.append(heading)
        sheet.cell(1, len(headings), heading)
    sheet.cell(row, headings.index(heading) + 1).value = value


def changed(table: str, heading: str, key: str, column: str, value: str | int | None) -> Callable[[Workbook], None]:
    return lambda workbook: set_cell(workbook, table, row_of(workbook, table, heading, key), column, value)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            changed("questions", "key", "antall", "type", "tall"),
            "skjema.xlsx: questions row 8, type: «tall» is not known here",
        ),
        (
            changed("questions", "key", "antall", "sheet", "vekst"),
            "skjema.xlsx: questions row 8: there is no sheet «vekst». Did you mean «vekster»?",
        ),
        (
            changed("questions", "key", "jordtype", "section", "on"),
            "skjema.xlsx: questions row 4: there is no section «on» on the sheet plan. Use om.",
        ),
        (
            changed("questions", "key", "antall", "key", "art"),
            "skjema.xlsx: questions row 8: «art» is there already. Give each row a key of its own.",
        ),
        (
            changed("questions", "key", "antall", "key", None),
            "skjema.xlsx: questions row 8: has nothing under «key». Write it, or remove the row.",
        ),
        (
            changed("questions", "key", "antall", "choices_when", "[{]"),
            "skjema.xlsx: questions row 8, choices_when: «[{]» is not written as JSON",
        ),
        (
            changed("questions", "key", "antall", "requierd", "ja"),
            "skjema.xlsx: questions row 8, requierd: is not a known key. Did you mean «required»?",
        ),
        (
            changed("settings", "key", "correction_days", "value", 0),
            "skjema.xlsx: settings row 8: must be at least 1, not 0",
        ),
        (
            changed("choices", "code", "LEIRE", "nn", None),
            "skjema.xlsx: choices row 2: has no text in «nn»",
        ),
        (
            lambda workbook: set_cell(workbook, "rules", 2, "must", "antal > 1"),
            "skjema.xlsx: rules row 2, must: ",
        ),
        (
            lambda workbook: workbook.create_sheet("question"),
            "skjema.xlsx: question: is no sheet of a form. Did you mean",
        ),
        (lambda workbook: workbook.remove(workbook["settings"]), "skjema.xlsx: version: is missing"),
    ],
)
def test_each_mistake_is_told_by_its_row_and_nothing_is_written(
    change: Callable[[Workbook], None], told: str, tmp_path: Path
) -> None:
    write_form_workbook(CLUB, tmp_path / "skjema.xlsx")
    workbook = openpyxl.load_workbook(tmp_path / "skjema.xlsx")
    change(workbook)
    workbook.save(tmp_path / "skjema.xlsx")

    with pytest.raises(FormError) as wrong:
        import_form(tmp_path / "skjema.xlsx", tmp_path / "hagelag")

    assert any(str(problem).startswith(told) for problem in wrong.value.problems), wrong.value
    assert not (tmp_path / "hagelag").exists()


def test_what_an_author_writes_in_a_spreadsheet_is_understood(tmp_path: Path) -> None:
    write_form_workbook(CLUB, tmp_path / "skjema.xlsx")
    workbook = openpyxl.load_workbook(tmp_path / "skjema.xlsx")
    changed("settings", "key", "version", "value", 2)(workbook)  # a number, since it looks like one
    changed("settings", "key", "languages", "value", "nb,nn")(workbook)
    changed("questions", "key", "art", "required", "Nei")(workbook)
    workbook.save(tmp_path / "skjema.xlsx")

    form = import_form(tmp_path / "skjema.xlsx", tmp_path / "hagelag")

    assert (form.version, form.languages) == ("2", ("nb", "nn"))
    assert not form.sheets["vekster"].questions["art"].required


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("skjema.xlsx", b"PK no", "skjema.xlsx: file: is no Excel workbook. Save it as .xlsx."),
        ("finnes-ikke.xlsx", None, "finnes-ikke.xlsx: file: is not there. Correct the path."),
    ],
)
def test_a_file_that_is_no_workbook_is_told(name: str, content: bytes | None, told: str, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)

    with pytest.raises(FormError) as wrong:
        import_form(tmp_path / name, tmp_path / "hagelag")

    assert [str(problem) for problem in wrong.value.problems] == [told]


def test_the_commands_go_there_and_back_and_keep_what_is_there(tmp_path: Path) -> None:
    file, folder = str(tmp_path / "skjema.xlsx"), str(tmp_path / "hagelag")

    def run(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(cli.main, ["form", *words])
        return done.exit_code, done.output

    assert run("export", str(CLUB), file) == (
        0,
        f"Wrote {file}. When it is filled in: behov form import {file} FOLDER\n",
    )
    assert run("import", file, folder, "--dry-run")[0] == 0
    assert not Path(folder).exists()
    code, told = run("import", file, folder, "--json")
    assert (code, json.loads(told)) == (0, {"folder": folder, "form": "hagelag", "version": "1"})
    code, told = run("import", file, folder)
    assert (code, "is not empty. Name a new folder." in told) == (2, True)
