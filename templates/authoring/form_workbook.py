"""A form as a workbook: written from a form that is there, filled in by its author, and made into a form again."""

import csv
import shutil
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import openpyxl
import tomli_w
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet
from python_calamine import CalamineError, CalamineWorkbook

from templates.authoring.form_tables import TABLES, Cells, from_tables, to_tables
from templates.definition import FormError, load_form
from templates.form import Form
from templates.problems import Problem, suggestion

LIST = ".csv"  # a sheet whose name ends so is a code list
LONGEST = 31  # characters of the name of a sheet, as Excel has it
NARROW, WIDE = 10, 60  # characters


# out


def write_form_workbook(folder: Path, path: Path) -> None:
    """Write the form in a folder as a workbook. Raises FormError when the form or the name of a list does not go."""
    load_form(folder)  # what is wrong in it is told first
    long = [one.name for one in (folder / "lists").glob(f"*{LIST}") if len(one.name) > LONGEST]
    if long:
        fix = f"Give the file a name of at most {LONGEST} characters."
        raise FormError([Problem("lists", name, "is too long for the name of a sheet", fix) for name in long])
    tables = to_tables(_toml(folder / "form.toml"), _toml(folder / "rules.toml"))
    workbook = openpyxl.Workbook()
    workbook.remove(workbook.active)  # type: ignore[arg-type] # a new workbook has a sheet
    for name, rows in tables.items():
        headings = list(dict.fromkeys(heading for row in rows for heading in row)) or ["key"]
        _fill(workbook.create_sheet(name), headings, [[row.get(heading) for heading in headings] for row in rows])
    for source in sorted((folder / "lists").glob(f"*{LIST}")):
        with source.open(encoding="utf-8-sig", newline="") as file:
            headings, *listed = csv.reader(file)
        _fill(workbook.create_sheet(source.name), headings, listed)
    path.parent.mkdir(parents=True, exist_ok=True)
    workbook.save(path)


def _toml(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8-sig")) if path.exists() else {}


def _fill(sheet: Worksheet, headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    for number, cells in enumerate((headings, *rows), 1):
        for column, value in enumerate(cells, 1):
            if value is None:
                continue
            cell = sheet.cell(number, column, value)
            cell.alignment = Alignment(vertical="top", wrap_text=True)
            if isinstance(value, str):
                cell.data_type, cell.number_format = "s", "@"  # «=» begins no formula, and 0301 keeps its zero
            if number == 1:
                cell.font = Font(bold=True)
    for column, letters in enumerate(map(get_column_letter, range(1, len(headings) + 1)), 1):
        longest = max((len(str(cell.value)) for (cell,) in sheet.iter_rows(min_col=column, max_col=column)), default=0)
        sheet.column_dimensions[letters].width = min(max(longest + 2, NARROW), WIDE)
    sheet.freeze_panes = "A2"


# in


def import_form(path: Path, folder: Path) -> Form:
    """Make a form folder of a workbook. Nothing is written unless the form is right.

    Raises FormError with every mistake, by table and row as the workbook has them.
    """
    if folder.exists() and any(folder.iterdir()):
        raise FormError([Problem(str(folder), "folder", "is not empty", "Name a new folder.")])
    sheets = _sheets(path)
    unknown = [name for name in sheets if name not in TABLES and not name.endswith(LIST)]
    problems = [
        Problem(path.name, name, "is no sheet of a form", suggestion(name, list(TABLES), "Remove the sheet."))
        for name in unknown
    ]
    read = from_tables({name: _rows(sheets[name]) for name in TABLES if name in sheets}, path.name)
    if problems := [*problems, *read.problems]:
        raise FormError(problems)
    with TemporaryDirectory() as scratch:
        made = Path(scratch) / folder.name
        (made / "lists").mkdir(parents=True)
        (made / "form.toml").write_text(tomli_w.dumps(read.form), encoding="utf-8", newline="\n")
        if read.rules:
            text = tomli_w.dumps(read.rules, multiline_strings=True)
            (made / "rules.toml").write_text(text, encoding="utf-8", newline="\n")
        for name, rows in sheets.items():
            if name.endswith(LIST):
                _write_list(made / "lists" / name, rows)
        try:
            load_form(made)
        except FormError as error:
            raise FormError([read.told_here(problem) for problem in error.problems]) from None
        shutil.copytree(made, folder, dirs_exist_ok=True)
    return load_form(folder)


def _sheets(path: Path) -> dict[str, list[list[Any]]]:
    if not path.is_file():
        raise FormError([Problem(path.name, "file", "is not there", "Correct the path.")])
    try:
        workbook = CalamineWorkbook.from_path(str(path))
        return {
            name: workbook.get_sheet_by_name(name).to_python(skip_empty_area=False) for name in workbook.sheet_names
        }
    except (CalamineError, OSError):
        raise FormError([Problem(path.name, "file", "is no Excel workbook", "Save it as .xlsx.")]) from None


def _rows(cells: list[list[Any]]) -> list[tuple[int, Cells]]:
    """The rows of a table, numbered as the workbook shows them, by the headings in its first row."""
    if not cells:
        return []
    headings = [str(heading).strip() for heading in cells[0]]
    rows = [
        (number, {name: value for name, value in zip(headings, row, strict=False) if name and value != ""})
        for number, row in enumerate(cells[1:], 2)
    ]
    return [(number, row) for number, row in rows if row]


def _write_list(path: Path, rows: list[list[Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(
            [str(int(cell)) if isinstance(cell, float) and cell.is_integer() else cell for cell in row] for row in rows
        )
