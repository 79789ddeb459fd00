"""Writing answers into one of our own workbooks, cell by cell, without loading it all.

Answers are given by sheet and question key: a question sheet as a mapping, a table as a list
of mappings (one a row), a grid as a mapping of row keys to mappings. Values are codes for
choices, dates, numbers or text; None and "" empty the cell.
"""

import io
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from lxml import etree
from openpyxl.formula.translate import Translator

from templates.form import Form, GridSheet, Question, QuestionSheet
from templates.layout import SheetLayout, layout
from templates.prefill import cell_text

Answers = Mapping[str, Any]
NAMESPACE = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
EPOCH = date(1899, 12, 30)  # day 0 of the 1900 date system, as spreadsheets count after February 1900
REF = re.compile(r"([A-Z]+)(\d+)")


def fill_workbook(workbook: bytes, form: Form, language: str, answers: Answers) -> bytes:
    """The same workbook with these answers written where our template has them."""
    places = layout(form)
    cells = {
        places[key].sheet.label[language]: dict(_cells(form, places[key], language, given))
        for key, given in answers.items()
    }
    return write_cells(workbook, cells)


def write_cells(workbook: bytes, cells: Mapping[str, Mapping[str, str | float]]) -> bytes:
    """The same workbook with these values in it, by tab and cell."""
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(workbook)) as source,
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        parts = _parts(source)
        for entry in source.infolist():
            data = source.read(entry)
            wanted = cells.get(parts.get(entry.filename, ""))
            target.writestr(entry, _write(data, wanted) if wanted else data)
    return buffer.getvalue()


def _parts(source: zipfile.ZipFile) -> dict[str, str]:
    """The name of the tab of each sheet part."""
    workbook = etree.fromstring(source.read("xl/workbook.xml"))
    names = [sheet.get("name") or "" for sheet in workbook.iter(f"{NAMESPACE}sheet")]
    return {f"xl/worksheets/sheet{number}.xml": name for number, name in enumerate(names, 1)}


def _cells(form: Form, place: SheetLayout, language: str, given: Any) -> Iterator[tuple[str, str | float]]:  # noqa: ANN401
    sheet = place.sheet
    if isinstance(sheet, QuestionSheet):
        for key, value in given.items():
            yield place.cell(key), stored(form, sheet.questions[key], language, value)
    elif isinstance(sheet, GridSheet):
        for row, line in given.items():
            for key, value in line.items():
                yield place.cell(key, row), stored(form, sheet.questions[key], language, value)
    else:
        yield from _table_cells(form, place, language, given)


def _table_cells(
    form: Form, place: SheetLayout, language: str, rows: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[str, str | float]]:
    for number, row in enumerate(rows, place.first_row):
        for key, value in row.items():
            yield place.cell(key, number), stored(form, place.sheet.questions[key], language, value)


def stored(form: Form, question: Question, language: str, value: Any) -> str | float:  # noqa: ANN401 - any answer
    """What a spreadsheet would keep: words for a choice, a serial number for a date."""
    if isinstance(value, date):
        return float((value - EPOCH).days)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value) if question.type not in ("choice", "text") else str(value)
    text = "" if value is None else str(value)
    label = form.question_options(question).get(text)
    return label[language] if label else text


def _write(part: bytes, cells: Mapping[str, str | float]) -> bytes:
    root = etree.fromstring(part)
    data = root.find(f"{NAMESPACE}sheetData")
    assert data is not None
    rows = {int(row.get("r", "0")): row for row in data}
    styles = _column_styles(root)
    for ref, value in cells.items():
        found = REF.fullmatch(ref)
        assert found is not None
        number = int(found[2])
        if number not in rows:
            rows[number] = _insert(data, etree.Element(f"{NAMESPACE}row", r=str(number)), number, _row_number)
        cell = next((cell for cell in rows[number] if cell.get("r") == ref), None)
        if cell is None:
            made = etree.Element(f"{NAMESPACE}c", r=ref)
            if _column_number(ref) in styles:
                made.set("s", styles[_column_number(ref)])
            cell = _insert(rows[number], made, _column_number(ref), lambda item: _column_number(item.get("r", "A1")))
        _hand_on(data, cell)
        _set(cell, value)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)


def _column_styles(root: etree._Element) -> dict[int, str]:
    styles = {}
    for column in root.iter(f"{NAMESPACE}col"):
        style = column.get("style")
        if style:
            styles.update(dict.fromkeys(range(int(column.get("min", "1")), int(column.get("max", "1")) + 1), style))
    return styles


def _insert(parent: etree._Element, child: etree._Element, order: int, key: Any) -> etree._Element:  # noqa: ANN401
    """Put a child where its number belongs."""
    position = next((index for index, item in enumerate(parent) if key(item) > order), len(parent))
    parent.insert(position, child)
    return child


def _row_number(row: etree._Element) -> int:
    return int(row.get("r", "0"))


def _column_number(ref: str) -> int:
    number = 0
    for character in ref.rstrip("0123456789"):
        number = number * 26 + ord(character) - ord("A") + 1
    return number


def _hand_on(data: etree._Element, cell: etree._Element) -> None:
    """A formula that the cell shares with those below passes to the next of them."""
    formula = cell.find(f"{NAMESPACE}f")
    if formula is None or not formula.get("ref"):
        return
    number, last = formula.get("si"), (formula.get("ref") or "").rpartition(":")[2]
    heirs = (one for one in data.iter(f"{NAMESPACE}f") if one.get("si") == number and one is not formula)
    heir = next(heirs, None)
    parent = heir.getparent() if heir is not None else None
    if heir is not None and parent is not None:
        here = parent.get("r", "")
        moved = Translator(f"={formula.text}", cell.get("r", "")).translate_formula(here)
        heir.text = moved.removeprefix("=")
        heir.set("ref", f"{here}:{last}")


def _set(cell: etree._Element, value: str | float) -> None:
    for child in list(cell):
        cell.remove(child)
    cell.attrib.pop("t", None)
    if isinstance(value, float):
        etree.SubElement(cell, f"{NAMESPACE}v").text = repr(value)
    elif value:
        cell.set("t", "inlineStr")
        text = etree.SubElement(etree.SubElement(cell, f"{NAMESPACE}is"), f"{NAMESPACE}t")
        text.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")
        text.text = cell_text(value)
